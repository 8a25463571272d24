"""`areceive`: awaits the asynchronous functions of the host, and runs the plain ones in threads."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from ._steps import HandlerError, Run, Step, Steps, TooSlow, Wait
from ._workers import Job, Tasks, Workers

T = TypeVar("T")

_CANCELLED: Final = "it was cancelled, although the request was not"


async def drive(steps: Steps[T], workers: Workers, tasks: Tasks) -> T:
    """
    The result of an exchange.

    What the host's functions raise is raised inside the exchange, which answers it. A cancellation of the caller
    cancels the function that runs, waits for it as long as the request may take, and passes through.
    """
    try:
        step = next(steps)
        while True:
            value, error = await _done(step, workers, tasks)
            step = steps.send(value) if error is None else steps.throw(error)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()


async def _done(step: Step, workers: Workers, tasks: Tasks) -> tuple[Any, Exception | None]:
    if isinstance(step, Wait):
        answer = asyncio.wrap_future(step.answer)
        if not (await asyncio.wait((answer,), timeout=step.seconds))[0]:
            return None, TooSlow()
        return answer.result(), None
    if step.functions[0].is_async:
        return await _awaited(step.functions[0].call(*step.arguments), step.seconds, tasks)
    began = time.monotonic()
    value, error = await _called(step, workers)
    if error is None and inspect.isawaitable(value):
        left = None if step.seconds is None else max(step.seconds - (time.monotonic() - began), 0.0)
        return await _awaited(value, left, tasks)
    return value, error


async def _called(step: Run, workers: Workers) -> tuple[Any, Exception | None]:
    """Plain functions, in a thread."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def notify() -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(_settle, done)

    job = Job(step.functions, step.arguments, notify)
    try:
        workers.submit(job)
    except (TooSlow, RuntimeError) as refused:
        return None, refused
    try:
        await asyncio.wait((done,), timeout=step.seconds)
    finally:
        late = not done.done() and workers.abandon(job)
    if late:
        return None, TooSlow()
    return _result(job.value, job.error)


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


async def _awaited(awaitable: Awaitable[Any], seconds: float | None, tasks: Tasks) -> tuple[Any, Exception | None]:
    """An asynchronous function, in a task of its own: cancelled when its time is over, and with the caller."""
    if tasks.full:
        _discard(awaitable)
        return None, TooSlow()
    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait((task,), timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait((task,), timeout=seconds)
        if not task.done():
            tasks.keep(task)
        elif not task.cancelled():
            task.exception()
        raise
    if not task.done():
        task.cancel()
        tasks.keep(task)
        return None, TooSlow()
    if task.cancelled():
        return None, HandlerError(_CANCELLED)
    return _result(None if task.exception() else task.result(), task.exception())


def _discard(awaitable: Awaitable[Any]) -> None:
    if isinstance(awaitable, Coroutine):
        awaitable.close()  # or Python warns that it was never awaited


def _result(value: Any, error: BaseException | None) -> tuple[Any, Exception | None]:
    if error is None or isinstance(error, Exception):
        return value, error
    if isinstance(error, asyncio.CancelledError):
        return None, HandlerError(_CANCELLED)
    raise error
