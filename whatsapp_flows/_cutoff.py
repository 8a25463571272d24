"""What ends a piece of asyncio work from outside: the clock of its loop, and an event."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class CutOffError(asyncio.TimeoutError):
    """The work took longer than it may."""


class StoppedError(CutOffError):
    """Somebody said stop, and the work went on for longer than it may after that."""


class Cutoff:
    """
    Ends what runs in its context after `seconds`, with `CutOffError`; None is never.

    Works as `asyncio.timeout` of Python 3.11 does: the task is cancelled, and who else cancels it is heard.
    """

    def __init__(self, seconds: float | None, error: type[CutOffError] = CutOffError) -> None:
        self._error = error
        self._seconds = seconds
        self._over = False
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.end)

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._over:
            return
        others = 0
        if sys.version_info >= (3, 11) and self._task is not None:
            others = self._task.uncancel()
        if kind is asyncio.CancelledError and not others:
            raise self._error from None

    def end(self) -> None:
        """End it now."""
        self._over = True
        if self._task is not None:
            self._task.cancel()


@contextmanager
def ended_by(stop: asyncio.Event | None, grace: float) -> Iterator[None]:
    """Ends what runs in here `grace` seconds after `stop` was set, with `StoppedError`."""
    if stop is None:
        yield
        return
    loop = asyncio.get_running_loop()
    cutoff = Cutoff(None, StoppedError)
    timers: list[asyncio.TimerHandle] = []

    def stopped(watch: asyncio.Task[object]) -> None:
        if not watch.cancelled() and watch.exception() is None:
            timers.append(loop.call_later(grace, cutoff.end))

    watch: asyncio.Task[object] = loop.create_task(stop.wait())
    watch.add_done_callback(stopped)
    try:
        with cutoff:
            yield
    finally:
        watch.remove_done_callback(stopped)
        watch.cancel()
        for timer in timers:
            timer.cancel()
