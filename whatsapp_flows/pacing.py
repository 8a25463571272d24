"""
Client-side rate limiting: requests are delayed before Meta's rate limits are reached.

`pause_before` is a pure function: it takes the usage figures, the previous slot and the clock, and returns the next
slot. A `Pacer` keeps the state between two requests, and `PacedTransport` (or `AsyncPacedTransport`) waits. A refused
call counts against the limit too and prolongs the lock-out (Meta, "Rate limits"), so requests are held back instead.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from ._forks import Mutex
from ._wire import Request, Response, short_repr
from .errors import ConfigurationError, ErrorDetails, NotSentError, RateLimitedError
from .transport import AsyncTransport, Timeout, Transport
from .usage import Usage, UsageLog

__all__ = ["AsyncPacedTransport", "Pace", "PacedTransport", "Pacer", "Slot", "pause_before"]

HOUR: Final = 3600.0  # seconds; Meta's limits count the calls of a rolling hour
_FULL: Final = 99.0  # percent; usage above it counts as 99, so that one request per 24 times `average` still leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """
    How fast requests may leave, counted over all senders that share it.

    From `slow_from` percent of a limit on, requests are spaced out. Half way from there to the limit the spacing is
    `average` seconds, and it grows with the usage, so that usage approaches the limit without reaching it while older
    calls fall out of Meta's rolling hour. `average` is an hour divided by the limit; the default of 18 s is for 200
    calls, Meta's smallest limit.

    `calls_per_hour` sets a budget that holds whatever Meta reports: that many calls in an hour, of which `burst` may
    leave at once. A call that would have to pause for more than `max_pause` seconds is refused with `RateLimitedError`;
    its `retry_after` says when to try again.

    Raises `ConfigurationError` for a number out of range.

    >>> Pace(calls_per_hour=200, burst=10).average
    18.0
    """

    slow_from: float = 75.0
    average: float = HOUR / 200
    max_pause: float = 120.0
    calls_per_hour: float | None = None
    burst: int = 1

    def __post_init__(self) -> None:
        for name in ("slow_from", "average", "max_pause", "calls_per_hour", "burst"):
            value, least = getattr(self, name), 1 if name == "burst" else 0
            if value is None and name == "calls_per_hour":
                continue
            number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if not number or value < least or (name == "calls_per_hour" and not value):
                raise ConfigurationError(
                    f"{name} must be a finite number of at least {least}, not {short_repr(value)}."
                )
        if self.slow_from > _FULL:
            raise ConfigurationError(f"slow_from is in percent of the limit, and must be at most {_FULL:g}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """
    When a request leaves: after `pause` seconds, at `start` on the clock.

    `due` is when the budget would admit the next request if requests arrived at even intervals (GCRA's theoretical
    arrival time).
    """

    pause: float = 0.0
    start: float = -math.inf
    due: float = -math.inf


def pause_before(pace: Pace, usage: Iterable[Usage], last: Slot, now: float) -> Slot:
    """
    The slot of the next request.

    `last` is the slot before it (`Slot()` for the first request). `now` is the clock in seconds, the same clock as the
    `received_at` of each figure. Figures older than an hour are ignored; of the others the highest counts. Bursts
    follow a token bucket in the form that keeps a single number (GCRA, ITU-T I.371).
    """
    current = [each for each in usage if now - each.received_at < HOUR]
    locked = max((each.received_at + each.regain_access - now for each in current), default=0.0)
    used = min(max((each.highest for each in current), default=0.0), _FULL)
    spacing = pace.average * max(used - pace.slow_from, 0.0) / (100.0 - used)
    budget = HOUR / pace.calls_per_hour if pace.calls_per_hour else 0.0
    tolerance = 0.0 if spacing else budget * (pace.burst - 1)  # no bursts close to a limit
    start = max(now, now + locked, last.start + spacing, last.due - tolerance)
    return Slot(pause=start - now, start=start, due=max(start, last.due) + budget)


@dataclass(slots=True)
class _Reservation:
    """A slot in the future, and the slot before it. `released` once its request is not going to use it."""

    slot: Slot
    previous: Slot
    released: bool = False


class Pacer:
    """
    A pace and its state: when the last request left, and the latest usage figures.

    Use one for each account and token; threads, tasks and clients may share it. It neither sends nor waits. A forked
    child continues with a copy.
    """

    def __init__(self, pace: Pace | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace() if pace is None else pace
        self._clock = clock
        self._lock = Mutex()
        self._log = UsageLog()
        self._last = Slot()
        self._reservations: deque[_Reservation] = deque()  # sorted by start

    @property
    def pace(self) -> Pace:
        """The pace that it keeps."""
        return self._pace

    def before(self, request: Request) -> Slot:
        """
        Reserve the next slot for this request, which leaves after `pause` seconds. `release` it if it is not used.

        Raises `RateLimitedError`, and reserves nothing, when the pause would be longer than `max_pause` or than the
        time that the call has left. A request to another host than the API's has no limit.
        """
        if not request.authenticated:
            return Slot()
        longest = self._pace.max_pause if request.time_left is None else min(self._pace.max_pause, request.time_left)
        with self._lock:
            slot = self._reserve(self._clock(), longest)
        if slot.pause <= longest:
            return slot
        raise RateLimitedError(
            ErrorDetails(
                message=f"not sent: the rate limit leaves no room for {slot.pause:.0f} s, more than {longest:.0f} s",
                operation=request.operation,
                flow_id=request.flow_id,
                retry_after=slot.pause,
                advice=RateLimitedError.default_advice,
            )
        )

    def release(self, slot: Slot) -> None:
        """Release a future slot whose request will not be sent: the next request that asks may have it."""
        with self._lock:
            reservations = self._reservations
            found = next((each for each in reservations if each.slot.start == slot.start and not each.released), None)
            if found is not None:
                found.released = True
            while reservations and reservations[-1].released:
                self._last = reservations.pop().previous

    @contextmanager
    def slot(self, request: Request) -> Iterator[Slot]:
        """The slot of this request; the pause is waited for in this context. An exception releases the slot."""
        slot = self.before(request)
        try:
            yield slot
        except BaseException:
            self.release(slot)
            raise

    def after(self, response: Response) -> None:
        """Record the usage figures of a response."""
        self._log.record_usage(response.headers, self._clock())

    def _reserve(self, now: float, longest: float) -> Slot:
        """The first released slot that is late enough, else a new one at the end; not reserved if it is too far off."""
        reservations, figures = self._reservations, self._log.figures
        while reservations and reservations[0].slot.start <= now:
            reservations.popleft()
        if any(each.released for each in reservations):
            earliest = pause_before(self._pace, figures, Slot(), now).start
            found = next((each for each in reservations if each.released and each.slot.start >= earliest), None)
            if found is not None:
                pause = found.slot.start - now
                found.released = pause > longest
                return replace(found.slot, pause=pause)
        slot = pause_before(self._pace, figures, self._last, now)
        if slot.pause <= longest:
            if slot.pause > 0:
                reservations.append(_Reservation(slot, self._last))
            self._last = slot
        return slot

    def __repr__(self) -> str:
        highest = max((usage.highest for usage in self._log.figures), default=0.0)
        return f"Pacer({self._pace!r}, highest_usage={highest:g}, waiting={len(self._reservations)})"


class PacedTransport:
    """
    A transport that keeps to a `Pace`: it waits before it sends, so that the rate limit is not reached.

    `transport` sends the requests: `RequestsTransport()`, or any other. Threads and clients that share this transport
    share one pace. The `stop` of a client does not end a pause; pass `sleep=stop.wait` for that: when it returns True,
    nothing is sent (`NotSentError`). A pause that is stopped or interrupted does not delay other requests.

    >>> paced = PacedTransport(RequestsTransport(), pace=Pace(calls_per_hour=200, burst=10))
    >>> client = FlowsClient("token", transport=paced)
    """

    def __init__(
        self,
        transport: Transport,
        pace: Pace | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if not callable(getattr(transport, "send", None)):
            raise ConfigurationError("PacedTransport needs a transport that sends: RequestsTransport(), for instance.")
        self._transport = transport
        self._pacer = Pacer(pace, clock=clock)
        self._sleep = sleep

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """Send the request in its slot. Raises `RateLimitedError` when the slot is too far off."""
        with self._pacer.slot(request) as slot:
            if slot.pause > 0 and self._sleep(slot.pause) is True:
                raise _stopped(request)
        request, timeout = _after(slot, request, timeout)
        response = self._transport.send(request, timeout=timeout)
        self._pacer.after(response)
        return response

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()

    def __repr__(self) -> str:
        return f"PacedTransport({type(self._transport).__name__}, {self._pacer.pace!r})"


class AsyncPacedTransport:
    """
    `PacedTransport` for `AsyncFlowsClient`: tasks that share it share one pace.

    `transport` sends the requests: `AiohttpTransport()`, or any other `AsyncTransport`. A task that is cancelled while
    it waits does not delay other requests.

    >>> paced = AsyncPacedTransport(AiohttpTransport(), pace=Pace(calls_per_hour=200, burst=10))
    >>> client = AsyncFlowsClient("token", transport=paced)
    """

    def __init__(
        self,
        transport: AsyncTransport,
        pace: Pace | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._transport = transport
        self._pacer = Pacer(pace, clock=clock)
        self._sleep = sleep

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """Send the request in its slot. Raises `RateLimitedError` when the slot is too far off."""
        with self._pacer.slot(request) as slot:
            if slot.pause > 0 and await self._sleep(slot.pause) is True:
                raise _stopped(request)
        request, timeout = _after(slot, request, timeout)
        response = await self._transport.send(request, timeout=timeout)
        self._pacer.after(response)
        return response

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._transport.aclose()

    def __repr__(self) -> str:
        return f"AsyncPacedTransport({type(self._transport).__name__}, {self._pacer.pace!r})"


def _after(slot: Slot, request: Request, timeout: Timeout) -> tuple[Request, Timeout]:
    """The request and its timeout after the pause, which used up a part of the time that the call has left."""
    if request.time_left is None or slot.pause <= 0:
        return request, timeout
    left = max(request.time_left - slot.pause, 0.001)
    return replace(request, time_left=left), timeout.within(left)


def _stopped(request: Request) -> NotSentError:
    return NotSentError(
        ErrorDetails(
            message="not sent: the pause before this request was stopped",
            operation=request.operation,
            flow_id=request.flow_id,
            advice=NotSentError.default_advice,
        )
    )
