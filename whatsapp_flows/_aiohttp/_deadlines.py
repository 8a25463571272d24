"""Deadlines of asyncio work: after a number of seconds, or after a `stop` was set."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class DeadlineError(asyncio.TimeoutError):
    """The work took longer than allowed."""


class StoppedError(DeadlineError):
    """`stop` was set, and the work went on for longer than the grace after it."""


class Deadline:
    """
    Ends the work in its context with `DeadlineError` after `seconds`; None is no deadline.

    Works as `asyncio.timeout` of Python 3.11: it cancels the task, and lets a cancellation from elsewhere through.
    """

    def __init__(self, seconds: float | None, error: type[DeadlineError] = DeadlineError) -> None:
        self._error = error
        self._seconds = seconds
        self._expired = False
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.expire)

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._expired:
            return
        others = 0
        if sys.version_info >= (3, 11) and self._task is not None:
            others = self._task.uncancel()
        if kind is asyncio.CancelledError and not others:
            raise self._error from None

    def expire(self) -> None:
        """End the work now."""
        self._expired = True
        if self._task is not None:
            self._task.cancel()


@contextmanager
def stopped_by(stop: asyncio.Event | None, grace: float) -> Iterator[None]:
    """End the work in this context with `StoppedError`, `grace` seconds after `stop` is set."""
    if stop is None:
        yield
        return
    loop = asyncio.get_running_loop()
    deadline = Deadline(None, StoppedError)
    timers: list[asyncio.TimerHandle] = []

    def start_grace(watch: asyncio.Task[object]) -> None:
        if not watch.cancelled() and watch.exception() is None:
            timers.append(loop.call_later(grace, deadline.expire))

    watch: asyncio.Task[object] = loop.create_task(stop.wait())
    watch.add_done_callback(start_grace)
    try:
        with deadline:
            yield
    finally:
        watch.remove_done_callback(start_grace)
        watch.cancel()
        for timer in timers:
            timer.cancel()
