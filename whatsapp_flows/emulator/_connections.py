"""
The open connections of a server: a thread for each, no more than so many, and the memory of what they bring.

Rule 1: a client that keeps its thread waiting (an idle one, a slow one) may keep it, until somebody else needs it.
Rule 2: a body has so much time to arrive, however slowly it does.
Rule 3: a large body is read when there is room for it: until then its sender waits, as the network makes it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

MOST_CONNECTIONS: Final = 256  # threads: above what any client's pool opens, and what a machine bears easily
PATIENCE: Final = 1.0  # seconds that a client may keep its thread waiting although others need it
BODY_TIME: Final = 60.0  # seconds in which a body has to arrive, from this machine or the next


@dataclass(slots=True)
class _Connection:
    """A connection; since when its thread waits for the client (None while it works), and until when it may."""

    socket: socket.socket
    waiting_since: float | None
    deadline: float | None = None


class Connections:
    """The connections of one server and their threads."""

    def __init__(self, *, most: int = MOST_CONNECTIONS, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, _Connection] = {}
        self._most = most
        self._clock = clock

    @property
    def full(self) -> bool:
        """Whether there is room for no other."""
        return len(self._open) >= self._most

    def serve(self, connection: socket.socket, serve: Callable[[], object]) -> None:
        """Serve a connection on a thread of its own. RuntimeError when there is no thread to be had."""

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
    def working(self) -> Iterator[None]:
        """While the thread of a connection is at work: its client keeps nobody waiting."""
        mine = self._open.get(threading.current_thread())
        if mine is None:
            yield
            return
        mine.waiting_since = None
        try:
            yield
        finally:
            mine.waiting_since = self._clock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """While the thread of a connection reads a body: `end_overdue` ends one that takes too long."""
        mine = self._open.get(threading.current_thread())
        if mine is not None:
            mine.deadline = self._clock() + BODY_TIME
        try:
            yield
        finally:
            if mine is not None:
                mine.deadline = None

    def end_overdue(self) -> None:
        """End the connections whose bodies should have arrived by now."""
        now = self._clock()
        with self._lock:
            overdue = [each for each in self._open.values() if each.deadline is not None and each.deadline < now]
        for each in overdue:
            _shut(each.socket)

    def end_one(self) -> bool:
        """End the connection whose client has kept its thread waiting the longest; whether there was one to end."""
        with self._lock:
            waiting = [
                (each.waiting_since, number, each)
                for number, each in enumerate(self._open.values())
                if each.waiting_since is not None
            ]
        since, _, longest = min(waiting, default=(self._clock(), 0, None))
        if longest is None or self._clock() - since < PATIENCE:
            return False
        _shut(longest.socket)
        longest.waiting_since = None  # it is on its way out
        return True

    def end_all(self) -> None:
        """End every connection, and wait for its thread."""
        with self._lock:
            all_of_them = list(self._open.items())
        for thread, connection in all_of_them:
            _shut(connection.socket)
            thread.join()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may have ended by itself just now
        connection.shutdown(socket.SHUT_RDWR)


class Room:
    """Memory that is shared by those who need much of it, in bytes."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """While so many bytes are in use; begins when they are free. Never more than there are in all."""
        with self._changed:
            self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()
