"""
Connections of urllib3 on which one exchange has an end, whatever trickles in.

A time-out of a socket begins anew with each byte, so a peer that sends one every now and then holds a call for ever. On
a bounded connection every wait, to send and to receive, is cut to what the exchange of the current thread has left.
Around the headers and the body there are bounds for their size.

The connections that urllib3 makes for others, outside an exchange, behave as ever.
"""

from __future__ import annotations

import http.client
import io
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final, TypeVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection

from .transport import STOP_GRACE, Timeout

T = TypeVar("T")

HEAD_BYTES: Final = 64 * 1024
"""Status lines and headers of one answer, those of interim answers included. A line of headers may be as long."""

_BUFFER: Final = io.DEFAULT_BUFFER_SIZE  # what is read ahead of the body is not told from the headers
_PIECE: Final = 64 * 1024  # of a document, offered to the kernel at once
_SLICE: Final = 0.2  # seconds after which a wait looks whether `stop` was set


class TooLargeError(http.client.HTTPException):
    """The answer is larger than may be read."""


class TimeOverError(TimeoutError):
    """The exchange has taken as long as it may."""


class Exchange:
    """One request and its answer: how long it may wait, and how much it may read."""

    __slots__ = (
        "_clock",
        "_connecting",
        "_deadline",
        "_read",
        "_stop",
        "_stops_at",
        "body_bytes",
        "connects",
        "over",
        "sent",
        "too_large",
    )

    def __init__(
        self, timeout: Timeout, stop: threading.Event | None, *, body_bytes: int, clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._deadline = self._clock() + timeout.total
        self._connecting: float | None = None
        self._read = timeout.read
        self._stop = stop
        self._stops_at: float | None = None
        self.body_bytes = body_bytes
        self.over = ""  # why it was ended, if it was
        self.connects = False  # whether a connection was made for it
        self.sent = False  # whether a byte of the request may have left
        self.too_large = False

    @contextmanager
    def connecting(self, seconds: float | None) -> Iterator[None]:
        """While a connection is established, proxy and TLS included, which may take so many seconds."""
        self.connects = True
        self._connecting = None if seconds is None else self._clock() + seconds
        try:
            yield
        finally:
            self._connecting = None

    def waiting(self, sock: Any, act: Callable[[], T]) -> T:
        """What `act` returns, which blocks on the socket. Raises `TimeoutError` when that takes too long."""
        silent_until = self._clock() + self._read if self._connecting is None else self._connecting
        while True:
            now = self._clock()
            left = min(silent_until, self._end(now)) - now
            if left <= 0:
                raise TimeOverError(self.over) if self.over else TimeoutError("timed out")
            sock.settimeout(left if self._stop is None else min(left, _SLICE))
            try:
                return act()
            except TimeoutError:
                continue

    def _end(self, now: float) -> float:
        """When everything is over; `over` says why once it is."""
        if self._stop is not None and self._stops_at is None and self._stop.is_set():
            self._stops_at = now + STOP_GRACE
        end = self._deadline if self._stops_at is None else min(self._deadline, self._stops_at)
        if end <= now:
            self.over = "stopped while it was under way" if end == self._stops_at else "no whole answer in time"
        return end

    def write(self, sock: Any, content: bytes | bytearray | memoryview[int]) -> None:
        """Send all of it. As long as the peer goes on taking some, only the end of the exchange ends it."""
        self.sent = self.sent or self._connecting is None  # what a proxy is asked is nothing of ours
        left = memoryview(content)
        while left:
            piece = left[:_PIECE]
            left = left[self.waiting(sock, lambda piece=piece: sock.send(piece)) :]  # type: ignore[misc]


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def bounded(exchange: Exchange) -> Iterator[None]:
    """What this thread sends and reads on bounded connections meanwhile belongs to the exchange."""
    token = _exchange.set(exchange)
    try:
        yield
    finally:
        _exchange.reset(token)


class _Reader(io.RawIOBase):
    """What `socket.makefile` returns, but each read is bounded by the exchange."""

    def __init__(self, sock: Any, file: io.RawIOBase, exchange: Exchange) -> None:
        self._sock, self._file, self._exchange = sock, file, exchange
        self._left = HEAD_BYTES + _BUFFER
        self._head = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            self._exchange.too_large = not self._head
            raise TooLargeError(f"more than {HEAD_BYTES} bytes of headers" if self._head else "the answer is too large")
        size: int = self._exchange.waiting(self._sock, lambda: self._sock.recv_into(buffer))
        self._left -= size
        return size

    def body_follows(self) -> None:
        """The headers are read."""
        self._left, self._head = self._exchange.body_bytes, False

    def close(self) -> None:
        self._file.close()  # the socket counts its files, and closes after the last
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """An answer that is read within the bounds of the exchange. Interim answers of any status are passed over."""

    def __init__(self, sock: Any, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._reader: _Reader | None = None
        exchange = _exchange.get()
        if exchange is not None:
            self._reader = _Reader(sock, self.fp.detach(), exchange)
            self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        if self._reader is not None:
            self._reader.body_follows()

    def _read_status(self) -> tuple[str, int, str]:
        """http.client passes over 100 alone, and would take a 103 for the answer (RFC 9110, section 15.2)."""
        while True:
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not 100 < found[1] < 200 or found[1] == http.client.SWITCHING_PROTOCOLS:
                return found
            while self.fp.readline(HEAD_BYTES + 1).strip():
                pass


class BoundedConnection(HTTPConnection):
    """A connection that keeps to the bounds of the current exchange. Stands in front of the class that it bounds."""

    response_class = BoundedResponse

    def connect(self) -> None:
        exchange = _exchange.get()
        if exchange is None:
            super().connect()
            return
        timeout = self.timeout if isinstance(self.timeout, (int, float)) else None
        with exchange.connecting(timeout):
            super().connect()

    def send(self, data: Any) -> None:
        exchange = _exchange.get()
        if exchange is None or not isinstance(data, (bytes, bytearray, memoryview)):
            super().send(data)
            return
        if self.sock is None:
            self.connect()
        sys.audit("http.client.send", self, data)
        exchange.write(self.sock, data)

    @property
    def is_connected(self) -> bool:
        """Bytes that wait on a kept connection are nobody's answer; the kernel sees none in TLS's own buffer."""
        pending = getattr(self.sock, "pending", None)
        return super().is_connected and not (callable(pending) and pending())


@lru_cache(maxsize=64)
def _bounded_class(kind: Any) -> Any:
    return type(f"Bounded{kind.__name__}", (BoundedConnection, kind), {})


def bound(pool: HTTPConnectionPool) -> None:
    """From now on the connections of the pool are bounded ones; those that it keeps, and are not, are closed."""
    if issubclass(pool.ConnectionCls, BoundedConnection) or not issubclass(pool.ConnectionCls, HTTPConnection):
        return
    kind: Any = pool.ConnectionCls
    pool.ConnectionCls = _bounded_class(kind)
    kept = pool.pool
    if kept is None:
        return
    idle = []
    try:
        while True:
            idle.append(kept.get(block=False))
    except queue.Empty:
        pass
    for connection in reversed(idle):
        if connection is not None:
            connection.close()
        try:
            kept.put(None, block=False)
        except queue.Full:
            break


class _Stack:
    """
    Idle connections, the last used on top: `queue.LifoQueue` as far as urllib3 needs it, without a lock.

    A lock that a thread held at a fork would stay locked in the child, and nobody waits here. Each step is atomic.
    """

    def __init__(self, maxsize: int = 0) -> None:
        self._items: deque[Any] = deque()
        self._maxsize = maxsize

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if len(self._items) >= self._maxsize:
            raise queue.Full
        self._items.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        try:
            return self._items.pop()
        except IndexError:
            raise queue.Empty from None

    def qsize(self) -> int:
        return len(self._items)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _bounded_class(HTTPConnectionPool.ConnectionCls)
    QueueCls = _Stack  # type: ignore[assignment]


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _bounded_class(HTTPSConnectionPool.ConnectionCls)
    QueueCls = _Stack  # type: ignore[assignment]


POOLS: Final = {"http": _HTTPPool, "https": _HTTPSPool}
"""The pools of a session of our own, by scheme."""
