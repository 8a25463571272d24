"""
Connections of urllib3 that keep the deadline and the size limits of an exchange.

A socket's timeout starts again with each byte, so a peer that sends a byte now and then can hold a call for ever. On a
bounded connection each wait, to send or to receive, is cut to what is left of the exchange of the current thread.
Headers and body have a maximum size.

Outside an exchange these connections behave as urllib3's own.
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
from urllib3.util import connection as urllib3_connection
from urllib3.util.wait import wait_for_write

from .._http import MAX_HEADER_BYTES, STOPPED, TIMED_OUT
from ..transport import Timeout

T = TypeVar("T")

_BUFFER: Final = io.DEFAULT_BUFFER_SIZE  # the first bytes of the body, read ahead, count as headers
_CHUNK: Final = 64 * 1024  # bytes of a document that are offered to the kernel at once
_NEW_CONN: Final = HTTPConnection._new_conn  # overridden for SOCKS
_CREATE_CONNECTION: Final = urllib3_connection.create_connection  # replaced by hosts with their own name resolution
_POLL_INTERVAL: Final = 0.2  # seconds between two looks at `stop` during a wait


class ResponseTooLargeError(http.client.HTTPException):
    """The headers or the body are larger than allowed."""


class ExchangeExpiredError(TimeoutError):
    """The exchange is out of time, or `stop` was set."""


class Exchange:
    """
    One request and its response: how long it may wait, and how much it may read.

    `expired` is the reason once it is out of time, `connects` whether a connection was established for it, `sent`
    whether a byte of the request may have been sent, `too_large` whether the body was.
    """

    __slots__ = (
        "_clock",
        "_connecting",
        "_deadline",
        "_read",
        "_stop",
        "_stop_grace",
        "_stops_at",
        "connects",
        "expired",
        "max_response_bytes",
        "sent",
        "too_large",
    )

    def __init__(
        self,
        timeout: Timeout,
        stop: threading.Event | None,
        *,
        stop_grace: float,
        max_response_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._deadline = self._clock() + timeout.total
        self._connecting: float | None = None
        self._read = timeout.read
        self._stop = stop
        self._stop_grace = stop_grace
        self._stops_at: float | None = None
        self.max_response_bytes = max_response_bytes
        self.expired = ""
        self.connects = False
        self.sent = False
        self.too_large = False

    @contextmanager
    def connecting(self, seconds: float | None) -> Iterator[None]:
        """A connection is established in here, proxy and TLS included, within so many seconds."""
        self.connects = True
        self._connecting = None if seconds is None else self._clock() + seconds
        try:
            yield
        finally:
            self._connecting = None

    def dial(self, sock: socket.socket, address: Any, *, shares: int) -> None:
        """Connect within one of `shares` equal shares of the time that is left to connect. Raises `OSError`."""
        began = self._clock()
        connected = self._deadline if self._connecting is None else self._connecting
        until = began + (connected - began) / shares
        sock.setblocking(False)
        try:
            sock.connect(address)
        except BlockingIOError:
            while not wait_for_write(sock, self._remaining(until)):
                pass
            if failed := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(failed, os.strerror(failed)) from None
        sock.settimeout(self._remaining(connected, longest=math.inf))  # for TLS, whose handshake is a single wait

    def wait_for(self, sock: Any, operation: Callable[[], T]) -> T:
        """The result of an operation that blocks on the socket. Raises `TimeoutError` when it takes too long."""
        silent_until = self._clock() + self._read if self._connecting is None else self._connecting
        while True:
            sock.settimeout(self._remaining(silent_until))
            try:
                return operation()
            except TimeoutError:
                continue

    def _remaining(self, until: float, longest: float = _POLL_INTERVAL) -> float:
        """Seconds to wait before `stop` is checked again. Raises `TimeoutError` after `until` or the deadline."""
        now = self._clock()
        left = min(until, self._end(now)) - now
        if left <= 0:
            raise ExchangeExpiredError(self.expired) if self.expired else TimeoutError("timed out")
        return left if self._stop is None else min(left, longest)

    def _end(self, now: float) -> float:
        """When the exchange ends; sets `expired` once that is past."""
        if self._stop is not None and self._stops_at is None and self._stop.is_set():
            self._stops_at = now + self._stop_grace
        end = self._deadline if self._stops_at is None else min(self._deadline, self._stops_at)
        if end <= now:
            self.expired = STOPPED if end == self._stops_at else TIMED_OUT
        return end

    def write(self, sock: Any, content: bytes | bytearray | memoryview[int]) -> None:
        """Send all of it. While the peer keeps reading, only the end of the exchange ends it."""
        self.sent = self.sent or self._connecting is None  # the CONNECT of a proxy is no part of the request
        left = memoryview(content)
        while left:
            chunk = left[:_CHUNK]
            left = left[self.wait_for(sock, lambda chunk=chunk: sock.send(chunk)) :]  # type: ignore[misc]


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def bounded(exchange: Exchange) -> Iterator[None]:
    """Bounded connections that this thread uses in here keep the limits of the exchange."""
    token = _exchange.set(exchange)
    try:
        yield
    finally:
        _exchange.reset(token)


class _BoundedReader(io.RawIOBase):
    """The file that `socket.makefile` returns, with each read bounded by the exchange."""

    def __init__(self, sock: Any, file: io.RawIOBase, exchange: Exchange) -> None:
        self._sock, self._file, self._exchange = sock, file, exchange
        self._left = MAX_HEADER_BYTES + _BUFFER
        self._in_headers = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            self._exchange.too_large = not self._in_headers
            raise ResponseTooLargeError(
                f"more than {MAX_HEADER_BYTES} bytes of headers" if self._in_headers else "the answer is too large"
            )
        size: int = self._exchange.wait_for(self._sock, lambda: self._sock.recv_into(buffer))
        self._left -= size
        return size

    def body_follows(self) -> None:
        """Apply the limit of the body from now on: the headers are read."""
        self._left, self._in_headers = 2 * self._exchange.max_response_bytes, False

    def close(self) -> None:
        self._file.close()  # the socket closes when its last file is closed
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """A response that is read within the limits of the exchange. Interim responses (1xx) are skipped."""

    def __init__(self, sock: Any, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._reader: _BoundedReader | None = None
        exchange = _exchange.get()
        if exchange is not None:
            self._reader = _BoundedReader(sock, self.fp.detach(), exchange)
            self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        if self._reader is not None:
            self._reader.body_follows()

    def _read_status(self) -> tuple[str, int, str]:
        """http.client skips 100 only, and would take a 103 for the final response (RFC 9110, section 15.2)."""
        while True:
            status: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not 100 < status[1] < 200 or status[1] == http.client.SWITCHING_PROTOCOLS:
                return status
            while self.fp.readline(MAX_HEADER_BYTES + 1).strip():
                pass


class BoundedConnection(HTTPConnection):
    """A mixin for connections, which then keep the limits of the current exchange."""

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
        Try the addresses of the host in order, each for its share of the time that is left to connect.

        urllib3 gives each address the whole time, so that ten dead addresses take ten times as long, and its wait
        cannot be stopped. Connections with their own way to connect, such as SOCKS, keep it.
        """
        exchange = _exchange.get()
        inherited: Any = super()._new_conn
        if (
            exchange is None
            or inherited.__func__ is not _NEW_CONN
            or urllib3_connection.create_connection is not _CREATE_CONNECTION
        ):
            sock: socket.socket = inherited()
            return sock
        try:
            addresses = socket.getaddrinfo(
                self._dns_host.strip("[]"), self.port, urllib3_connection.allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as failure:
            raise NameResolutionError(self.host, self, failure) from failure
        except UnicodeError as failure:
            raise LocationParseError(f"'{self.host}', label empty or too long") from failure
        try:
            sock = _connect_to_any(addresses, self.socket_options or (), self.source_address, exchange)
        except TimeoutError as failure:
            if exchange.expired:
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
        """False when bytes are unread: they answer no request. urllib3 does not look into the buffer of TLS."""
        pending = getattr(self.sock, "pending", None)
        return super().is_connected and not (callable(pending) and pending())


def _connect_to_any(
    addresses: Sequence[tuple[Any, ...]], options: Iterable[tuple[Any, ...]], source: Any, exchange: Exchange
) -> socket.socket:
    """A connection to the first address that accepts one. Raises the failure of the last address."""
    last_error: OSError = OSError("the host has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            for option in options:
                sock.setsockopt(*option)
            if source is not None:
                sock.bind(source)
            exchange.dial(sock, address, shares=len(addresses) - number)
        except OSError as failure:
            last_error = failure
            if sock is not None:
                sock.close()
            if exchange.expired:
                break
        except BaseException:
            if sock is not None:
                sock.close()
            raise
        else:
            return sock
    try:
        raise last_error
    finally:
        del last_error  # breaks the reference cycle of the exception, its traceback and this frame


@lru_cache(maxsize=64)
def _bounded_class(kind: Any) -> Any:
    return type(f"Bounded{kind.__name__}", (BoundedConnection, kind), {})


def bound(pool: HTTPConnectionPool) -> None:
    """Make the pool open bounded connections from now on, and close the idle connections that it has."""
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


class _LifoQueue:
    """
    The part of `queue.LifoQueue` that urllib3 uses for idle connections, without a lock.

    A lock that a thread held during a fork would stay locked in the child. Nothing waits on this queue, and each
    operation is atomic.
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
    QueueCls = _LifoQueue  # type: ignore[assignment]


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _bounded_class(HTTPSConnectionPool.ConnectionCls)
    QueueCls = _LifoQueue  # type: ignore[assignment]


POOLS: Final = {"http": _HTTPPool, "https": _HTTPSPool}
"""The connection pools of a session of our own, by scheme."""
