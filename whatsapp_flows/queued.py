"""`QueuedConsumer`: runs event consumers in a background thread, so that a slow consumer delays no call."""

from __future__ import annotations

import atexit
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from ._forks import register_after_fork
from ._wire import short_repr
from .errors import ConfigurationError
from .events import Event, isolated

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["QueuedConsumer"]

T = TypeVar("T")

_EXIT_TIMEOUT: Final = 2.0  # seconds for which the end of the process waits for queued items


class Background(Generic[T]):
    """
    A queue whose items are passed to the consumers in one background thread, in order.

    Adding an item takes a few microseconds and never blocks. When `capacity` items are queued, further items are
    dropped and counted. The thread is a daemon thread that starts with the first item; a forked process starts its own,
    with an empty queue.
    """

    def __init__(self, *consumers: Callable[[T], object], capacity: int = 10_000) -> None:
        if not consumers or not all(map(callable, consumers)):
            raise ConfigurationError("a QueuedConsumer needs consumers, each of them callable.")
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            raise ConfigurationError(f"capacity must be a whole number of at least 1, not {short_repr(capacity)}.")
        self._consume = isolated(consumers)
        self._capacity = capacity
        self._closed = False
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Start again with an empty queue and without a thread."""
        # Reentrant: the garbage collector may close an abandoned call, which emits an event, while the lock is held.
        self._changed = threading.Condition(threading.RLock())
        self._queue: deque[T] = deque()
        self._dropped = 0
        self._busy = False
        self._thread: threading.Thread | None = None

    def __call__(self, item: T) -> None:
        """Add an item to the queue, or drop it when the queue is full or closed."""
        with self._changed:
            if self._closed or len(self._queue) >= self._capacity:
                self._dropped += 1
                return
            self._queue.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="whatsapp_flows events", daemon=True)
                self._thread.start()
                atexit.register(self.close, _EXIT_TIMEOUT)
            self._changed.notify_all()

    @property
    def dropped(self) -> int:
        """How many items were dropped so far."""
        return self._dropped

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all queued items are consumed. False if that takes longer than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._queue or self._busy), timeout)

    def close(self, timeout: float | None = 5.0) -> bool:
        """Flush, and drop every later item. False if items are left after `timeout` seconds; they are dropped."""
        self._closed = True
        done = self.flush(timeout)
        atexit.unregister(self.close)
        with self._changed:
            self._dropped += len(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        if done and self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)  # it has nothing left to do
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._queue)} queued"
        return f"<{type(self).__name__}: {state}, capacity {self._capacity}, {self._dropped} dropped>"

    def _run(self) -> None:
        changed, queue = self._changed, self._queue
        while True:
            with changed:
                self._busy = False
                changed.notify_all()
                changed.wait_for(lambda: queue or self._closed)
                if not queue:
                    return
                item = queue.popleft()
                self._busy = True
            self._consume(item)
            del item  # a reference here would keep it alive until the next item


class QueuedConsumer(Background[Event]):
    """
    An event consumer that passes each event to the given consumers, in order, in one background thread.

    For consumers that may be slow or block: an exporter, a database, a webhook. Emitting an event takes a few
    microseconds and never blocks; when `capacity` events are queued, further events are dropped, and `dropped` counts
    them. An exception of a consumer is logged once. At the end of the process, queued events get up to 2 s; `flush`
    waits for them, and `close` (or the end of a `with` block) ends the thread. Threads, tasks and clients may share one
    consumer, and it works after a fork.

    >>> with QueuedConsumer(print, capacity=100) as consumer:
    ...     consumer.dropped
    0
    """
