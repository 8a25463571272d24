"""What ends a run early: the caller's `stop`, the client's own, and an interrupt, the first and the second."""

from __future__ import annotations

import threading
import time
from typing import Final

GRACE: Final = 0.5
"""Seconds that a wait may still take once a run is stopped while a live flow is being brought up again."""

_SLICE: Final = 0.1  # seconds; two events cannot be waited for at once, so each is looked at so often


class EitherStop(threading.Event):
    """Set as soon as one of two events is; setting it sets the first alone, for the second is somebody else's."""

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
            left = _SLICE if end is None else min(end - time.monotonic(), _SLICE)
            if left <= 0:
                return False
            self._first.wait(left)
        return True


class AbandonStop(threading.Event):
    """
    The `stop` of calls that bring a live flow up again: set by a second interrupt alone.

    The first shortens a wait that goes on to `grace` seconds.
    """

    def __init__(self, stop: threading.Event, grace: float = GRACE) -> None:
        super().__init__()
        self._stop, self._grace = stop, grace

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most so many seconds; whether the run is to be abandoned."""
        began = time.monotonic()
        if self.is_set() or not self._stop.wait(timeout):
            return self.is_set()
        left = self._grace if timeout is None else min(timeout - (time.monotonic() - began), self._grace)
        return super().wait(max(left, 0.0))


def either(stop: threading.Event | None, own: threading.Event | None) -> threading.Event:
    """One event that is set with the caller's or with the client's own."""
    first = threading.Event() if stop is None else stop
    return first if own is None or own is first else EitherStop(first, own)
