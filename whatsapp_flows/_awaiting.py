"""What a host's code gives to be awaited, waited for no longer than it may take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Final

from .errors import ConfigurationError

LATE: Final = object()
"""What `within` returns if the value comes too late."""


async def within(seconds: float, pending: Awaitable[Any]) -> Any:
    """The awaited value, or `LATE`: it is then cancelled. A time-out of its own propagates."""
    task = asyncio.ensure_future(pending)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return task.result() if done else LATE


def run_within(seconds: float, pending: Awaitable[Any], *, instead: str) -> Any:
    """
    `within`, in an event loop of its own.

    Raises `ConfigurationError` where one is running in this thread: `instead` says what to do.
    """
    try:
        check_no_loop(instead)
    except ConfigurationError:
        if isinstance(pending, Coroutine):
            pending.close()  # or Python warns that it was never awaited
        raise
    return asyncio.run(within(seconds, pending))


def check_no_loop(instead: str) -> None:
    """Raise `ConfigurationError` where an event loop is running in this thread: `instead` says what to do."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise ConfigurationError(f"an event loop is running in this thread: {instead}.")
