"""
Threads for the host's plain functions, so that a request ends in time although nothing can end a thread.

A function that outlives its request keeps its thread until it returns; nobody gets its result. So the threads are
bounded: when all are taken, a request waits for one within its own time limit, and when all are taken by functions
that have outlived their requests, it is refused at once. Threads are daemons, which do not hold up the end of the
process, and end when there has been nothing to do for a second. A forked child starts without any.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, get_args

from .._forks import register_after_fork
from ._steps import Function, Pool, TooSlow, is_unfinished

if TYPE_CHECKING:
    import asyncio

MAX_THREADS: Final = 40
"""Functions that run at the same time: as many as anyio, and with it Starlette and FastAPI, run in threads."""

_IDLE: Final = 1.0  # seconds; starting a thread takes some 100 us, handing a job over to one that waits some 15 us


class Job:
    """
    Functions to call one after the other, and what became of them.

    `value` is what the last one returned; `rest` are those that were not called, since one returned something that
    has yet to run.
    """

    __slots__ = ("abandoned", "arguments", "context", "done", "error", "functions", "notify", "rest", "value")

    def __init__(
        self, functions: tuple[Function, ...], arguments: tuple[object, ...], notify: Callable[[], object]
    ) -> None:
        self.functions = functions
        self.arguments = arguments
        self.notify = notify
        self.context = contextvars.copy_context()
        self.done = False
        self.abandoned = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.rest: tuple[Function, ...] = ()

    def run(self) -> None:
        """Call the functions; an exception of one is kept for the request's own thread."""
        try:
            self.context.run(self._call_all)
        except BaseException as raised:  # noqa: BLE001 - it is raised where the request is answered
            self.error = raised

    def _call_all(self) -> None:
        for called, function in enumerate(self.functions, 1):
            self.value = function.call(*self.arguments)
            if called < len(self.functions) and is_unfinished(self.value):
                self.rest = self.functions[called:]
                return


class _Worker:
    """A thread that runs one job after the other."""

    __slots__ = ("job", "wake")

    def __init__(self, job: Job) -> None:
        self.job: Job | None = job
        self.wake = threading.Lock()
        self.wake.acquire()


class Workers:
    """At most `most` threads, started when there is work for them."""

    def __init__(self, most: int = MAX_THREADS) -> None:
        self._most = most
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Start again without threads."""
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._pending: deque[Job] = deque()
        self._threads = 0
        self.abandoned = 0
        """How many threads are kept by functions that have outlived their requests."""

    def submit(self, job: Job) -> None:
        """
        Run a job in a thread, now or as soon as one is free; `job.notify` is called there when it is done.

        Raises `TooSlow` if all threads are kept by functions that have outlived their requests.
        """
        with self._lock:
            if self._idle:
                worker = self._idle.pop()
                worker.job = job
                worker.wake.release()
                return
            if self.abandoned >= self._most:
                raise TooSlow
            if self._threads >= self._most:
                self._pending.append(job)
                return
            self._threads += 1
        try:
            threading.Thread(
                target=self._work, args=(_Worker(job),), name="whatsapp_flows handler", daemon=True
            ).start()
        except RuntimeError:  # the system has no thread left
            with self._lock:
                self._threads -= 1
            raise

    def abandon(self, job: Job) -> bool:
        """The request ends without the job. False if it was done just now; a job that has not begun never begins."""
        with self._lock:
            if job.done:
                return False
            if job in self._pending:
                self._pending.remove(job)
            else:
                job.abandoned = True
                self.abandoned += 1
            return True

    def _work(self, worker: _Worker) -> None:
        job = worker.job
        while job is not None:
            worker.job = None  # before the thread is idle: from then on the next job may be handed over
            job.run()
            following = self._finished(job, worker)
            job = None  # a thread that waits holds nothing of a request
            job = following if following is not None else self._next(worker)

    def _finished(self, job: Job, worker: _Worker) -> Job | None:
        """Notify the request, and give the thread to one that waits, or back."""
        with self._lock:
            job.done = True
            if job.abandoned:
                self.abandoned -= 1
            following = self._pending.popleft() if self._pending else None
            if following is None:
                self._idle.append(worker)
        if not job.abandoned:
            job.notify()
        return following

    def _next(self, worker: _Worker) -> Job | None:
        """The next job, or None when there was none for a second."""
        if not worker.wake.acquire(timeout=_IDLE):
            with self._lock:
                if worker in self._idle:
                    self._idle.remove(worker)
                    self._threads -= 1
                    return None
            worker.wake.acquire()  # a job was handed over just now
        return worker.job


class Tasks:
    """Asynchronous functions that have outlived their requests: kept until they end, and counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._outliving: set[asyncio.Future[Any]] = set()

    @property
    def full(self) -> bool:
        """Whether no more may outlive their requests."""
        return len(self._outliving) >= self._most

    def keep(self, task: asyncio.Future[Any]) -> None:
        """Hold a task that was cancelled and has not ended."""
        self._outliving.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._outliving.discard(task)
        if not task.cancelled():
            task.exception()  # or asyncio logs it, with its text


class Pools:
    """The threads and the tasks for the functions of each pool, at most `most` of both."""

    def __init__(self, most: int) -> None:
        pools: tuple[Pool, ...] = get_args(Pool)
        self.workers = {pool: Workers(most) for pool in pools}
        self.tasks = {pool: Tasks(most) for pool in pools}
