"""`QueuedConsumer`: events handed over to another thread, so that a slow consumer stalls nobody."""

from __future__ import annotations

import atexit
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from ._forks import tell_of_forks
from ._wire import shown
from .errors import ConfigurationError
from .events import Event, isolated

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["QueuedConsumer"]

T = TypeVar("T")

_AT_EXIT: Final = 2.0  # seconds that the end of the process waits for what is still queued


class Background(Generic[T]):
    """
    Hands things to consumers in a thread of its own, in the order they came.

    Taking a thing in costs a few microseconds and never waits. Beyond `capacity` waiting things, more are dropped and
    counted. The thread is a daemon and starts with the first thing; a forked process starts its own, with an empty
    queue.
    """

    def __init__(self, *consumers: Callable[[T], object], capacity: int = 10_000) -> None:
        if not consumers or not all(map(callable, consumers)):
            raise ConfigurationError("a QueuedConsumer needs consumers, each of them callable.")
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            raise ConfigurationError(f"capacity must be a whole number of at least 1, not {shown(capacity)}.")
        self._consume = isolated(consumers)
        self._capacity = capacity
        self._closed = False
        self.after_fork()
        tell_of_forks(self)

    def after_fork(self) -> None:
        """Begins anew, with an empty queue and without a thread."""
        # Reentrant: the garbage collector may end an abandoned call, and so tell an event, while the lock is held.
        self._changed = threading.Condition(threading.RLock())
        self._waiting: deque[T] = deque()
        self._dropped = 0
        self._busy = False
        self._thread: threading.Thread | None = None

    def __call__(self, thing: T) -> None:
        """Takes a thing in, or drops it: when the queue is full or closed."""
        with self._changed:
            if self._closed or len(self._waiting) >= self._capacity:
                self._dropped += 1
                return
            self._waiting.append(thing)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="whatsapp_flows events", daemon=True)
                self._thread.start()
                atexit.register(self.close, _AT_EXIT)
            self._changed.notify_all()

    @property
    def dropped(self) -> int:
        """How many things were dropped so far."""
        return self._dropped

    def flush(self, timeout: float | None = None) -> bool:
        """Waits until all that was taken in has been consumed; False if that took longer than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._busy), timeout)

    def close(self, timeout: float | None = 5.0) -> bool:
        """Takes nothing more in, and flushes: False if something was left behind after `timeout` seconds."""
        self._closed = True
        done = self.flush(timeout)
        atexit.unregister(self.close)
        with self._changed:
            self._dropped += len(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _work(self) -> None:
        changed, waiting = self._changed, self._waiting
        while True:
            with changed:
                self._busy = False
                changed.notify_all()
                changed.wait_for(lambda: waiting or self._closed)
                if not waiting:
                    return
                thing = waiting.popleft()
                self._busy = True
            self._consume(thing)
            del thing  # or it would be kept until the next one comes


class QueuedConsumer(Background[Event]):
    """
    An event consumer that hands each event to the consumers given, in one thread of its own and in order.

    For consumers that may be slow or block: an exporter, a database, a webhook. The call that tells an event pays a
    few microseconds and never waits; beyond `capacity` waiting events, more are dropped, and `dropped` counts them.
    What a consumer raises is logged, once. At the end of the process, up to 2 s are spent on what is still queued;
    `flush` waits for it, `close` (or the end of a `with` block) ends the thread. Threads, tasks and clients may
    share one, and it survives a fork.

    >>> with QueuedConsumer(print, capacity=100) as consumer:
    ...     consumer.dropped
    0
    """
