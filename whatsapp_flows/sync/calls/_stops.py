"""The events that end a run early: the caller's `stop`, the client's own, and the first and second interrupt."""

from __future__ import annotations

import threading
import time
from typing import Final

GRACE: Final = 0.5
"""The longest wait, in seconds, in a run that is stopped while a live flow is restored."""

_POLL_SECONDS: Final = 0.1  # one thread cannot wait for two events, so each is polled


class EitherStop(threading.Event):
    """Set as soon as one of two events is. Setting it sets the first only: the second belongs to somebody else."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        super().__init__()
        self._first, self._second = first, second

    def is_set(self) -> bool:
        """Whether one of them is set."""
        return self._first.is_set() or self._second.is_set()

    def set(self) -> None:
        """Set the first."""
        self._first.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for one of them, at most so many seconds; whether one is set."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _POLL_SECONDS if end is None else min(end - time.monotonic(), _POLL_SECONDS)
            if left <= 0:
                return False
            self._first.wait(left)
        return True


class AbandonStop(threading.Event):
    """
    The `stop` of calls that restore a live flow: only a second interrupt sets it.

    The first one shortens a wait to `grace` seconds.
    """

    def __init__(self, stop: threading.Event, grace: float = GRACE) -> None:
        super().__init__()
        self._stop, self._grace = stop, grace

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most so many seconds; whether the run is abandoned."""
        began = time.monotonic()
        if self.is_set() or not self._stop.wait(timeout):
            return self.is_set()
        left = self._grace if timeout is None else min(timeout - (time.monotonic() - began), self._grace)
        return super().wait(max(left, 0.0))


def either_stop(stop: threading.Event | None, own: threading.Event | None) -> threading.Event:
    """One event that is set if the caller's or the client's own is."""
    first = threading.Event() if stop is None else stop
    return first if own is None or own is first else EitherStop(first, own)
