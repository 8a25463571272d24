"""
The open connections of a server: one thread each, up to a maximum, and the memory that request bodies use.

Rule 1: an idle or slow client keeps its thread until the maximum is reached; then the longest idle one is closed.
Rule 2: a request body must arrive within `BODY_TIMEOUT`, even if some bytes arrive regularly.
Rule 3: a large body is read only when the memory budget has room; until then TCP flow control holds its sender.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

MAX_CONNECTIONS: Final = 256  # threads: more than any client's pool opens, few enough for any machine
IDLE_GRACE: Final = 1.0  # seconds that a client may be idle although the maximum is reached
BODY_TIMEOUT: Final = 60.0  # seconds; clients are on this machine or in its network


@dataclass(slots=True)
class _Connection:
    """A connection, since when it waits for its client (None while it is busy), and the deadline of its body."""

    socket: socket.socket
    idle_since: float | None
    deadline: float | None = None


class Connections:
    """The connections of one server and their threads."""

    def __init__(self, *, maximum: int = MAX_CONNECTIONS, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, _Connection] = {}
        self._maximum = maximum
        self._clock = clock
        self._closing = False

    @property
    def full(self) -> bool:
        """Whether the maximum is reached."""
        return len(self._open) >= self._maximum

    @property
    def closing(self) -> bool:
        """Whether `close_all` has been called."""
        return self._closing

    def serve(self, connection: socket.socket, serve: Callable[[], object]) -> None:
        """Run `serve` on a thread of its own. RuntimeError when the system provides no thread."""

        def run() -> None:
            try:
                serve()
            finally:
                with self._lock:
                    self._open.pop(threading.current_thread(), None)

        thread = threading.Thread(target=run, name="whatsapp-flows-connection", daemon=True)
        with self._lock:
            self._open[thread] = _Connection(connection, self._clock())
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                del self._open[thread]
            raise

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """While the calling thread computes a response: its connection is not idle."""
        connection = self._open.get(threading.current_thread())
        if connection is None:
            yield
            return
        connection.idle_since = None
        try:
            yield
        finally:
            connection.idle_since = self._clock()

    @contextlib.contextmanager
    def reading_body(self) -> Iterator[None]:
        """While the calling thread reads a body: `close_overdue` closes the connection after `BODY_TIMEOUT`."""
        connection = self._open.get(threading.current_thread())
        if connection is not None:
            connection.deadline = self._clock() + BODY_TIMEOUT
        try:
            yield
        finally:
            if connection is not None:
                connection.deadline = None

    def close_overdue(self) -> None:
        """Close the connections whose body deadline has passed."""
        now = self._clock()
        with self._lock:
            overdue = [each for each in self._open.values() if each.deadline is not None and each.deadline < now]
        for each in overdue:
            _shut(each.socket)

    def close_longest_idle(self) -> bool:
        """Close the connection that has been idle the longest; False if none is idle for `IDLE_GRACE`."""
        with self._lock:
            idle = [
                (each.idle_since, number, each)
                for number, each in enumerate(self._open.values())
                if each.idle_since is not None
            ]
        since, _, longest = min(idle, default=(self._clock(), 0, None))
        if longest is None or self._clock() - since < IDLE_GRACE:
            return False
        _shut(longest.socket)
        longest.idle_since = None  # so that it is not chosen again while its thread ends
        return True

    def close_all(self) -> None:
        """Close every connection, and wait for its thread."""
        self._closing = True
        with self._lock:
            connections = list(self._open.items())
        for thread, connection in connections:
            _shut(connection.socket)
            thread.join()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may be closed already
        connection.shutdown(socket.SHUT_RDWR)


class MemoryBudget:
    """Bytes that several threads share; a thread that needs more than is free waits."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Hold `size` bytes inside the block; enters when they are free. `size` must not exceed the budget."""
        with self._changed:
            self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()
