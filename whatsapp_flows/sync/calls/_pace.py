"""
The request budget of one run, shared by its threads.

Meta documents 200 calls in a rolling hour for an app and account ("Platform overview", rate limits; 5,000 for an
account with a phone number, without naming the endpoints). Without an explicit number, 200 is assumed until an answer
has a usage header; from then on only the headers count (see `whatsapp_flows.pacing`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from ..._wire import thread_stop
from ...client import FlowsClient
from ...errors import ConfigurationError, NotSentError
from ...pacing import Pace, Pacer
from ...transport import Request, Response, Timeout, Transport
from ...usage import UsageLog
from ._stops import either_stop

DEFAULT_CALLS_PER_HOUR: Final = 200
_HOUR: Final = 3600.0
_SLEEP: Final = time.sleep
_UNPACED: Final = ContextVar("unpaced", default=False)


@contextmanager
def unpaced() -> Iterator[None]:
    """No request of this thread waits or is refused: a live flow is a draft until the last of them is sent."""
    token = _UNPACED.set(True)
    try:
        yield
    finally:
        _UNPACED.reset(token)


class RunPace:
    """
    The pace of the requests of a run. Threads, and the clients of one account, may share it.

    `calls_per_hour` is the budget, all of which may be sent at once; None: what Meta's headers say, else 200. `stop`
    ends a wait at once. `on_wait` is called with the length of each wait. All durations are in seconds.
    Raises `ConfigurationError` for a budget below 1.
    """

    def __init__(
        self,
        calls_per_hour: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        stop: threading.Event | None = None,
        on_wait: Callable[[float], object] = lambda seconds: None,
    ) -> None:
        if calls_per_hour is not None and calls_per_hour < 1:
            raise ConfigurationError(f"calls_per_hour must be at least 1, not {calls_per_hour:g}.")
        self.calls_per_hour: Final = float(calls_per_hour or DEFAULT_CALLS_PER_HOUR)
        budget = Pace(calls_per_hour=self.calls_per_hour, burst=int(self.calls_per_hour), max_pause=_HOUR)
        self._budget = Pacer(budget, clock=clock)
        self._headers = Pacer(Pace(max_pause=_HOUR), clock=clock)
        self._usage = UsageLog()
        self._assumed = calls_per_hour is None
        self._clock, self._sleep, self._stop, self._on_wait = clock, sleep, stop, on_wait
        self._mutex = threading.Lock()
        self._calls = 0

    def __repr__(self) -> str:
        return f"RunPace(calls_per_hour={self.calls_per_hour:g}, calls={self.calls})"

    @property
    def calls(self) -> int:
        """The number of requests so far."""
        return self._calls

    @property
    def budgeted(self) -> bool:
        """Whether the budget applies: it was given, or Meta has sent no usage header yet."""
        return not (self._assumed and self._usage.figures)

    def duration(self, calls: int) -> float:
        """An upper bound on how long so many more requests wait for the budget."""
        over = self._calls + calls - self.calls_per_hour
        return max(over, 0.0) * _HOUR / self.calls_per_hour if self.budgeted else 0.0

    def acquire(self, request: Request) -> None:
        """
        Wait until this request may be sent.

        Raises `NotSentError` if `stop`, or the request's own, is set before that, and `RateLimitedError` if the wait
        would be longer than an hour.
        """
        if not _UNPACED.get():
            with (self._budget if self.budgeted else self._headers).slot(request) as slot:
                if not self._wait(slot.pause, either_stop(self._stop, thread_stop(request))):
                    raise NotSentError("the run was stopped before this request.")
        with self._mutex:
            self._calls += 1

    def record(self, response: Response) -> None:
        """Read the usage headers of an answer."""
        self._usage.record_usage(response.headers, self._clock())
        self._budget.after(response)
        self._headers.after(response)

    def _wait(self, pause: float, stop: threading.Event) -> bool:
        """Wait for so many seconds; False if the run is stopped."""
        if stop.is_set():
            return False
        if pause <= 0:
            return True
        self._on_wait(pause)
        if self._sleep is _SLEEP:
            return not stop.wait(pause)
        self._sleep(pause)
        return not stop.is_set()


class _BudgetedTransport:
    """Applies a `RunPace` to the requests to the API. Downloads come from another host, and are not counted."""

    def __init__(self, transport: Transport, pace: RunPace) -> None:
        self._transport, self._pace = transport, pace

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        if not request.authenticated:
            return self._transport.send(request, timeout=timeout)
        self._pace.acquire(request)
        response = self._transport.send(request, timeout=timeout)
        self._pace.record(response)
        return response

    def close(self) -> None:
        self._transport.close()


def paced(client: FlowsClient, pace: RunPace) -> FlowsClient:
    """A client that keeps to the pace, on the same connections."""
    return client.wrapping(lambda inner: _BudgetedTransport(inner, pace))
