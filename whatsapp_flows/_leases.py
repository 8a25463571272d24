"""Connections that several clients share: they are closed with the last client that uses them."""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import WeakSet

from ._forks import Mutex

T = TypeVar("T")


class Lease(Generic[T]):
    """
    One client's use of a transport.

    A client that is thrown away without being closed counts no more: its lease is gone with it.
    """

    __slots__ = ("__weakref__", "_shared")

    def __init__(self, shared: _Shared[T]) -> None:
        self._shared = shared
        shared.add(self)

    @property
    def transport(self) -> T:
        """What is used."""
        return self._shared.transport

    def another(self) -> Lease[T]:
        """A second use of the same."""
        return Lease(self._shared)

    def around(self, transport: T) -> Lease[T]:
        """The use of a transport that stands around this one, and is closed before it."""
        return Lease(_Shared(transport, owned=True, inner=self.another()))

    def release(self) -> tuple[T, ...]:
        """The transports that nobody uses now and that are ours to close, outermost first. Empty the second time."""
        return self._shared.remove(self)


class _Shared(Generic[T]):
    """A transport, who uses it, whether it is ours to close, and the use of what it stands around."""

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
    """The first use of a transport; `owned` says whether it is closed after the last."""
    return Lease(_Shared(transport, owned=owned))
