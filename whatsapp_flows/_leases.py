"""Reference counting of transports that several clients share: the last client closes them."""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import WeakSet

from ._forks import Mutex

T = TypeVar("T")


class Lease(Generic[T]):
    """
    One client's reference to a transport.

    A client that is garbage-collected without being closed is not counted, since its lease is collected too.
    """

    __slots__ = ("__weakref__", "_shared")

    def __init__(self, shared: _Shared[T]) -> None:
        self._shared = shared
        shared.add(self)

    @property
    def transport(self) -> T:
        """The transport."""
        return self._shared.transport

    def another(self) -> Lease[T]:
        """Another reference to the same transport."""
        return Lease(self._shared)

    def around(self, transport: T) -> Lease[T]:
        """The lease of a transport that wraps this one, and is closed before it."""
        return Lease(_Shared(transport, owned=True, inner=self.another()))

    def release(self) -> tuple[T, ...]:
        """End the lease; returns the owned transports to close, outermost first. A second call returns none."""
        return self._shared.remove(self)


class _Shared(Generic[T]):
    """A transport, its leases, whether it is owned, and the lease of the transport that it wraps."""

    def __init__(self, transport: T, *, owned: bool, inner: Lease[T] | None = None) -> None:
        self.transport = transport
        self._owned = owned
        self._inner = inner
        self._leases: WeakSet[Lease[T]] = WeakSet()
        self._lock = Mutex()

    def add(self, lease: Lease[T]) -> None:
        with self._lock:
            self._leases.add(lease)

    def remove(self, lease: Lease[T]) -> tuple[T, ...]:
        with self._lock:
            if lease not in self._leases:
                return ()
            self._leases.discard(lease)
            if self._leases:
                return ()
        own = (self.transport,) if self._owned else ()
        return own if self._inner is None else own + self._inner.release()


def lease(transport: T, *, owned: bool) -> Lease[T]:
    """The first lease of a transport; an `owned` one is to be closed after its last lease."""
    return Lease(_Shared(transport, owned=owned))
