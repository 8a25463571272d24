"""
Slowing down before Meta's rate limits do it for us.

`pause_before` decides, and is pure: what the limits say, what is due and the clock in, seconds out. A `Pacer` keeps
what it needs between two requests, and `PacedTransport` (or `AsyncPacedTransport`) waits. A refused call counts too and
lengthens the lock-out (Meta, "Rate limits"), so the call that is not sent is the one that helps.
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
from ._wire import Request, Response, shown
from .errors import ConfigurationError, ErrorDetails, NotSentError, RateLimitedError
from .transport import AsyncTransport, Timeout, Transport
from .usage import Usage, UsageLog

__all__ = ["AsyncPacedTransport", "Pace", "PacedTransport", "Pacer", "Turn", "pause_before"]

HOUR: Final = 3600.0  # Meta's limits are those of a rolling hour, in seconds
_FULL: Final = 99.0  # percent; from there on it is tried every 24 times `average` whether there is room again


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """
    How fast requests may leave, all senders together.

    From `slow_from` percent of a limit on, requests are spaced out: half way to the limit by `average` seconds, more
    the nearer it is, and without bound, so that the limit is approached and not reached while older calls fall out of
    Meta's hour. `average` is an hour divided by the limit; the default of 18 s is for 200 calls, Meta's smallest.

    With `calls_per_hour` there is a budget besides, whatever Meta says: so many in an hour, of which `burst` may leave
    at once. A pause of more than `max_pause` seconds is not made: the call is refused with `RateLimitedError`, which
    says when to come back.

    Raises `ConfigurationError` for numbers that make no sense.

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
                raise ConfigurationError(f"{name} must be a finite number of at least {least}, not {shown(value)}.")
        if self.slow_from > _FULL:
            raise ConfigurationError(f"slow_from is in percent of the limit, and must be at most {_FULL:g}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """
    Send after `pause` seconds, at `start` on the clock.

    `due` is when the budget would have had this request's successor, had all of them come evenly.
    """

    pause: float = 0.0
    start: float = -math.inf
    due: float = -math.inf


def pause_before(pace: Pace, usage: Iterable[Usage], last: Turn, now: float) -> Turn:
    """
    When the next request may leave.

    `last` is the turn before (`Turn()` for the first), `now` the clock in seconds, on which the `received_at` of each
    figure is read too. Figures that are an hour old say nothing any more; of the others the worst counts. The rule for
    bursts is that of a token bucket, in the form that needs one number (GCRA, ITU-T I.371).
    """
    said = [each for each in usage if now - each.received_at < HOUR]
    locked = max((each.received_at + each.regain_access - now for each in said), default=0.0)
    used = min(max((each.highest for each in said), default=0.0), _FULL)
    spacing = pace.average * max(used - pace.slow_from, 0.0) / (100.0 - used)
    budget = HOUR / pace.calls_per_hour if pace.calls_per_hour else 0.0
    tolerance = 0.0 if spacing else budget * (pace.burst - 1)  # nobody bursts into a limit that is near
    start = max(now, now + locked, last.start + spacing, last.due - tolerance)
    return Turn(pause=start - now, start=start, due=max(start, last.due) + budget)


@dataclass(slots=True)
class _Place:
    """A turn that somebody waits for, and the one that it came after; `free` once it was given back."""

    turn: Turn
    before: Turn
    free: bool = False


class Pacer:
    """
    A pace, and what it has to know: when the last request left, and how near the limits are.

    One for each account and token; threads, tasks and clients may share it. It neither sends nor waits. A forked child
    goes on with a copy.
    """

    def __init__(self, pace: Pace | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace() if pace is None else pace
        self._clock = clock
        self._lock = Mutex()
        self._log = UsageLog()
        self._last = Turn()
        self._waited_for: deque[_Place] = deque()  # by start

    def before(self, request: Request) -> Turn:
        """
        The turn of this request: it is taken, and leaves after `pause` seconds. `give_back` it if it is not used.

        Raises `RateLimitedError`, and takes none, when the pause would be more than `max_pause`, or than the call has
        time left. What goes to another
        host than the API's has no limit.
        """
        if not request.authenticated:
            return Turn()
        longest = self._pace.max_pause if request.time_left is None else min(self._pace.max_pause, request.time_left)
        with self._lock:
            turn = self._take(self._clock(), longest)
        if turn.pause <= longest:
            return turn
        raise RateLimitedError(
            ErrorDetails(
                message=f"not sent: the rate limit leaves no room for {turn.pause:.0f} s, more than {longest:.0f} s",
                operation=request.operation,
                flow_id=request.flow_id,
                retry_after=turn.pause,
                advice=RateLimitedError.default_advice,
            )
        )

    def give_back(self, turn: Turn) -> None:
        """Frees a turn that is still waited for, and whose request will not be sent: the next that asks may have it."""
        with self._lock:
            places = self._waited_for
            found = next((place for place in places if place.turn.start == turn.start and not place.free), None)
            if found is not None:
                found.free = True
            while places and places[-1].free:
                self._last = places.pop().before

    @contextmanager
    def turn(self, request: Request) -> Iterator[Turn]:
        """The turn of this request, to be waited for in this context; what ends the wait gives it back."""
        turn = self.before(request)
        try:
            yield turn
        except BaseException:
            self.give_back(turn)
            raise

    def after(self, response: Response) -> None:
        """Learns from an answer."""
        self._log.note(response.headers, self._clock())

    def _take(self, now: float, longest: float) -> Turn:
        """The first turn that is free and not too early, or else the one after the last; taken unless too far off."""
        places, figures = self._waited_for, self._log.figures
        while places and places[0].turn.start <= now:
            places.popleft()
        if any(place.free for place in places):
            earliest = pause_before(self._pace, figures, Turn(), now).start
            found = next((place for place in places if place.free and place.turn.start >= earliest), None)
            if found is not None:
                pause = found.turn.start - now
                found.free = pause > longest
                return replace(found.turn, pause=pause)
        turn = pause_before(self._pace, figures, self._last, now)
        if turn.pause <= longest:
            if turn.pause > 0:
                places.append(_Place(turn, self._last))
            self._last = turn
        return turn


class PacedTransport:
    """
    A transport that waits before it sends, by a `Pace`, so that the rate limit is not run into.

    `transport` is the one that sends: `RequestsTransport()`, or any other. Threads and clients that share this one
    share the pace: it is a queue of one. The `stop` of a client does not reach a pause here; `sleep=stop.wait` does:
    where it returns True, nothing is sent (`NotSentError`). A pause that does not end, because it was stopped or its
    thread was interrupted, delays nobody else.

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
        """One request, one answer, in its turn. Raises `RateLimitedError` when that would be too far off."""
        with self._pacer.turn(request) as turn:
            if turn.pause > 0 and self._sleep(turn.pause) is True:
                raise _stopped(request)
        request, timeout = _after(turn, request, timeout)
        response = self._transport.send(request, timeout=timeout)
        self._pacer.after(response)
        return response

    def close(self) -> None:
        """Closes the transport that sends."""
        self._transport.close()


class AsyncPacedTransport:
    """
    The same for `AsyncFlowsClient`: tasks that share it wait for their turn without stopping one another.

    A task that is cancelled in its pause delays nobody else.
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
        """One request, one answer, in its turn. Raises `RateLimitedError` when that would be too far off."""
        with self._pacer.turn(request) as turn:
            if turn.pause > 0 and await self._sleep(turn.pause) is True:
                raise _stopped(request)
        request, timeout = _after(turn, request, timeout)
        response = await self._transport.send(request, timeout=timeout)
        self._pacer.after(response)
        return response

    async def aclose(self) -> None:
        """Closes the transport that sends."""
        await self._transport.aclose()


def _after(turn: Turn, request: Request, timeout: Timeout) -> tuple[Request, Timeout]:
    """The request and its time-out after the pause, which was a part of the time that the call has left."""
    if request.time_left is None or turn.pause <= 0:
        return request, timeout
    left = max(request.time_left - turn.pause, 0.001)
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
