"""`receive`: does the steps of an exchange in threads."""

from __future__ import annotations

import threading
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar

from .._interrupts import is_interrupt
from ._steps import HandlerError, Run, Step, Steps, TooSlow, is_awaitable, result_of
from ._workers import Job, Pools

T = TypeVar("T")


def drive(steps: Steps[T], pools: Pools) -> T:
    """
    The result of an exchange.

    What the host's functions raise is raised inside the exchange, which answers it. What interrupts the waiting (the
    exception of a signal handler, such as a worker's time limit) ends the exchange and passes through.
    """
    try:
        step = next(steps)
        while True:
            value, error = _done(step, pools)
            step = steps.send(value) if error is None else steps.throw(error)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()


def _done(step: Step, pools: Pools) -> tuple[Any, Exception | None]:
    """What a step gives, or the exception to raise inside the exchange."""
    if not isinstance(step, Run):
        try:
            return step.answer.result(step.seconds), None
        except (TimeoutError, FutureTimeoutError):
            return None, TooSlow()
    value, error = _called(step, pools)
    if error is None and is_awaitable(value):
        close = getattr(value, "close", None)
        if close is not None:
            close()  # or Python warns that it was never awaited
        return None, HandlerError("an asynchronous function needs areceive")
    return value, error


def _called(step: Run, pools: Pools) -> tuple[Any, Exception | None]:
    workers = pools.workers[step.pool]
    finished = threading.Lock()
    finished.acquire()
    job = Job(step.functions, step.arguments, finished.release)
    if step.seconds is None:
        job.run()
    else:
        try:
            workers.submit(job)
        except (TooSlow, RuntimeError) as refused:
            return None, refused
        in_time = False
        try:
            in_time = finished.acquire(timeout=step.seconds)
        finally:
            late = not in_time and workers.abandon(job)
        if late:
            return None, TooSlow()
    if job.error is not None and is_interrupt(job.error):
        raise job.error  # a worker's time limit: it ends what called us, as it would without a thread
    return result_of(job.value, job.error)
