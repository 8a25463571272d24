"""What ends a piece of asyncio work from outside: the clock of its loop."""

from __future__ import annotations

import asyncio
import sys


class CutOffError(asyncio.TimeoutError):
    """The work took longer than it may."""


class Cutoff:
    """
    Ends what runs in its context after `seconds`, with `CutOffError`; None is never.

    Works as `asyncio.timeout` of Python 3.11 does: the task is cancelled, and who else cancels it is heard.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._over = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._over:
            return
        others = 0
        if sys.version_info >= (3, 11) and self._task is not None:
            others = self._task.uncancel()
        if kind is asyncio.CancelledError and not others:
            raise CutOffError from None

    def _end(self) -> None:
        self._over = True
        if self._task is not None:
            self._task.cancel()
