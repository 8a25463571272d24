"""
The endpoint, asked on a thread of its own: the page stays usable while an answer is on its way.

What runs in this process cannot be interrupted: a function that never returns keeps its thread. Its request is answered
with a timeout all the same, the next one has a new thread, and the number of such threads is limited.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from .._log import logger, place_of
from ..play import Answer, Call, Failure, Line, Uploads

MAX_WORKERS: Final = 4
"""Threads: one that answers, and those that the user has not waited for."""

_SLACK: Final = 1.1  # times the limit, so that the endpoint's own timeout, which says more, comes first
_PATIENCE: Final = 0.2  # seconds that closing waits for an endpoint that has not returned

Connect = Callable[[], Line]
"""Makes a way to the endpoint; each thread has one, with the lifespan of an application."""

Answered = Callable[[Answer], object]


class Asking:
    """Asks an endpoint; a request without an answer after `time_limit` seconds is answered with a timeout."""

    def __init__(self, connect: Connect, *, time_limit: float) -> None:
        self._connect = connect
        self._time_limit = time_limit
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._timers: set[threading.Timer] = set()
        self._closed = False

    def ask(self, request: Call, answered: Answered) -> None:
        """Call `answered` once, from another thread if it was possible to ask, with what becomes of the request."""
        with self._lock:
            if self._closed:
                return
            worker = self._free_worker()
            if worker is not None:
                outcome = _Outcome(request, answered)
                timer = threading.Timer(self._time_limit * _SLACK, self._run_out, [outcome])
                timer.daemon = True
                outcome.on_settled = lambda: self._settled(timer)
                self._timers.add(timer)
                timer.start()
                worker.ask(outcome)
        if worker is None:
            answered(_failure(request, "unreachable", f"{MAX_WORKERS} earlier requests have no answer yet."))

    def _free_worker(self) -> _Worker | None:
        """A worker without a request; a new one if there is none; None if there are too many."""
        self._workers = [each for each in self._workers if each.is_alive()]
        free = next((each for each in self._workers if each.free), None)
        if free is None and len(self._workers) < MAX_WORKERS:
            free = _Worker(self._connect)
            free.start()
            self._workers.append(free)
        return free

    def _settled(self, timer: threading.Timer) -> None:
        timer.cancel()
        with self._lock:
            self._timers.discard(timer)

    def _run_out(self, outcome: _Outcome) -> None:
        outcome.settle(_failure(outcome.request, "timeout", f"No answer within {self._time_limit:g} s."))

    def close(self) -> None:
        """Answer nothing any more. A thread whose endpoint has not returned yet ends when it does."""
        with self._lock:
            self._closed = True
            timers, workers = list(self._timers), self._workers
        for timer in timers:
            timer.cancel()
            timer.join()
        for worker in workers:
            worker.close()


class _Worker(threading.Thread):
    """A thread with its own way to the endpoint."""

    def __init__(self, connect: Connect) -> None:
        super().__init__(name="whatsapp-flows-endpoint", daemon=True)
        self._connect = connect
        self._requests: queue.SimpleQueue[_Outcome | None] = queue.SimpleQueue()
        self.free = True

    def ask(self, outcome: _Outcome) -> None:
        self.free = False
        self._requests.put(outcome)

    def close(self) -> None:
        """End; what the endpoint is still doing is waited for only for a moment."""
        patience = None if self.free else _PATIENCE
        self._requests.put(None)
        self.join(patience)

    def run(self) -> None:
        line: Line | None = None
        uploads = Uploads()
        try:
            while (outcome := self._requests.get()) is not None:
                try:
                    if line is None:
                        connected = self._connect()
                        connected.start()
                        line = connected
                    answer = line.ask(replace(outcome.request, data=uploads.for_endpoint(outcome.request.data)))
                except Exception as failure:  # noqa: BLE001 - the host's endpoint may raise anything
                    logger.warning("the endpoint of the preview raised %s", type(failure).__name__, exc_info=True)
                    text = f"The endpoint raised {place_of(failure)}."
                    answer = _failure(outcome.request, "unreachable", text)
                self.free = True
                outcome.settle(answer)
        finally:
            if line is not None:
                line.close()


class _Outcome:
    """What becomes of one request: the first of its answer and its timeout counts."""

    def __init__(self, request: Call, answered: Answered) -> None:
        self.request = request
        self.on_settled: Callable[[], object] = lambda: None
        self._answered = answered
        self._first = threading.Lock()

    def settle(self, answer: Answer) -> None:
        if self._first.acquire(blocking=False):
            self.on_settled()
            self._answered(answer)


def _failure(request: Call, failure: Failure, message: str) -> Answer:
    return Answer(number=request.number, failure=failure, message=message)
