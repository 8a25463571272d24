"""`areceive`: awaits the asynchronous functions of the host, and runs the plain ones in threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from ._steps import Function, HandlerError, Step, Steps, TooSlow, Wait, is_awaitable, result_of
from ._workers import Job, Pools, Tasks, Workers

T = TypeVar("T")

_CANCELLED: Final = "it was cancelled, although the request was not"


async def drive(steps: Steps[T], pools: Pools) -> T:
    """
    The result of an exchange.

    What the host's functions raise is raised inside the exchange, which answers it. A cancellation of the caller
    cancels the function that runs, waits for it as long as the request may take, and passes through.
    """
    try:
        step = next(steps)
        while True:
            value, error = await _done(step, pools)
            step = steps.send(value) if error is None else steps.throw(error)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()


async def _done(step: Step, pools: Pools) -> tuple[Any, Exception | None]:
    if isinstance(step, Wait):
        answer = asyncio.wrap_future(step.answer)
        if not (await asyncio.wait((answer,), timeout=step.seconds))[0]:
            return None, TooSlow()
        return answer.result(), None
    ends = None if step.seconds is None else time.monotonic() + step.seconds
    value: Any = None
    error: Exception | None = None
    rest = step.functions
    while rest and error is None:
        if rest[0].is_async:
            value, error = _begun(rest[0], step.arguments)
            rest = rest[1:]
        else:
            value, error, rest = await _called(rest, step.arguments, _left(ends), pools.workers[step.pool])
        if error is None and is_awaitable(value):
            value, error = await _awaited(value, _left(ends), pools.tasks[step.pool])
    return value, error


def _begun(function: Function, arguments: tuple[object, ...]) -> tuple[Any, Exception | None]:
    try:
        return result_of(function.call(*arguments), None)
    except Exception as raised:  # noqa: BLE001 - a wrapper that is marked as asynchronous may raise at once
        return result_of(None, raised)


def _left(ends: float | None) -> float | None:
    return None if ends is None else max(ends - time.monotonic(), 0.0)


async def _called(
    functions: tuple[Function, ...], arguments: tuple[object, ...], seconds: float | None, workers: Workers
) -> tuple[Any, Exception | None, tuple[Function, ...]]:
    """Plain functions, in a thread; also those that are left when one has returned an awaitable."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def notify() -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(_settle, done)

    job = Job(functions, arguments, notify)
    try:
        workers.submit(job)
    except (TooSlow, RuntimeError) as refused:
        return None, refused, ()
    try:
        await asyncio.wait((done,), timeout=seconds)
    finally:
        late = not done.done() and workers.abandon(job)
    if late:
        return None, TooSlow(), ()
    return *result_of(job.value, job.error), job.rest


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
    return result_of(None if task.exception() else task.result(), task.exception())


def _discard(awaitable: Awaitable[Any]) -> None:
    if isinstance(awaitable, Coroutine):
        awaitable.close()  # or Python warns that it was never awaited
