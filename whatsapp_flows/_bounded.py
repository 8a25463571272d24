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
import math
import os
import queue
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final, TypeVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError
from urllib3.util import connection as dialling
from urllib3.util.wait import wait_for_write

from .transport import STOP_GRACE, Timeout

T = TypeVar("T")

HEAD_BYTES: Final = 64 * 1024
"""Status lines and headers of one answer, those of interim answers included. A line of headers may be as long."""

_BUFFER: Final = io.DEFAULT_BUFFER_SIZE  # what is read ahead of the body is not told from the headers
_PIECE: Final = 64 * 1024  # of a document, offered to the kernel at once
_CONNECT: Final = HTTPConnection._new_conn  # replaced by SOCKS, and by hosts that know better
_CREATE: Final = dialling.create_connection
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

    def dial(self, sock: socket.socket, address: Any, *, shares: int) -> None:
        """Connect, for one of so many equal shares of the time that is left to connect. Raises `OSError`."""
        began = self._clock()
        connected = self._deadline if self._connecting is None else self._connecting
        until = began + (connected - began) / shares
        sock.setblocking(False)
        try:
            sock.connect(address)
        except BlockingIOError:
            while not wait_for_write(sock, self._slice(until)):
                pass
            if failed := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(failed, os.strerror(failed)) from None
        sock.settimeout(self._slice(connected, most=math.inf))  # for TLS, whose handshake is one wait

    def waiting(self, sock: Any, act: Callable[[], T]) -> T:
        """What `act` returns, which blocks on the socket. Raises `TimeoutError` when that takes too long."""
        silent_until = self._clock() + self._read if self._connecting is None else self._connecting
        while True:
            sock.settimeout(self._slice(silent_until))
            try:
                return act()
            except TimeoutError:
                continue

    def _slice(self, until: float, most: float = _SLICE) -> float:
        """Seconds to wait before looking again, when nothing may last beyond `until`. Raises `TimeoutError` by then."""
        now = self._clock()
        left = min(until, self._end(now)) - now
        if left <= 0:
            raise TimeOverError(self.over) if self.over else TimeoutError("timed out")
        return left if self._stop is None else min(left, most)

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

    def _new_conn(self) -> socket.socket:
        """
        Tries the addresses of the host in turn, each for its share of the time that is left to connect.

        urllib3 gives each of them the whole time, so that a host with ten that are dead takes ten times as long, and
        waits where nobody can stop it. What has its own way to connect, such as SOCKS, keeps it.
        """
        exchange = _exchange.get()
        plain: Any = super()._new_conn
        if exchange is None or plain.__func__ is not _CONNECT or dialling.create_connection is not _CREATE:
            sock: socket.socket = plain()
            return sock
        try:
            found = socket.getaddrinfo(
                self._dns_host.strip("[]"), self.port, dialling.allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as failure:
            raise NameResolutionError(self.host, self, failure) from failure
        except UnicodeError as failure:
            raise LocationParseError(f"'{self.host}', label empty or too long") from failure
        try:
            sock = _first_that_answers(found, self.socket_options or (), self.source_address, exchange)
        except TimeoutError as failure:
            if exchange.over:
                raise
            raise ConnectTimeoutError(self, f"Connection to {self.host} timed out.") from failure
        except OSError as failure:
            raise NewConnectionError(self, f"Failed to establish a new connection: {failure}") from failure
        sys.audit("http.client.connect", self, self.host, self.port)
        return sock

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


def _first_that_answers(
    found: Sequence[tuple[Any, ...]], options: Iterable[tuple[Any, ...]], source: Any, exchange: Exchange
) -> socket.socket:
    """A connection to the first address that takes one. Raises what the last one failed by."""
    problem: OSError = OSError("the host has no address")
    for number, (family, kind, protocol, _, address) in enumerate(found):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            for option in options:
                sock.setsockopt(*option)
            if source is not None:
                sock.bind(source)
            exchange.dial(sock, address, shares=len(found) - number)
        except OSError as failure:
            problem = failure
            if sock is not None:
                sock.close()
            if exchange.over:
                break
        except BaseException:
            if sock is not None:
                sock.close()
            raise
        else:
            return sock
    try:
        raise problem
    finally:
        del problem  # or the exception, its traceback and this frame would keep each other alive


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
