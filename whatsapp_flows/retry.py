"""
When to try again: `RetryPolicy` and the policies that ship.

A policy sees one frozen `RetryState` and answers with one `Decision`. It says whether and when; the engine counts the
attempts. It keeps nothing about a call, so one instance serves all threads. All durations are in seconds.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ._dataclasses import dataclass
from ._forks import Mutex
from ._wire import short_repr
from .errors import ConfigurationError, FlowsError, RetryableError

__all__ = [
    "Decision",
    "ExponentialBackoff",
    "FixedDelays",
    "Jitter",
    "NoRetry",
    "RetryBudget",
    "RetryPolicy",
    "RetryState",
    "decorrelated_jitter",
    "equal_jitter",
    "full_jitter",
]

ErrorTypes = tuple[type[FlowsError], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryState:
    """
    The facts of a failure that a policy decides on.

    `attempt` is 1 after the first failure. `idempotent`: the call may be sent again whatever its outcome was, either
    by its nature or because the client reads the state first, as it does for a create. `elapsed` counts from the start
    of the call, `previous_delay` is the wait before this attempt (0 for the first); both are in seconds.
    """

    operation: str
    idempotent: bool
    error: FlowsError
    attempt: int
    max_attempts: int
    elapsed: float
    previous_delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """
    Wait `delay` seconds and try again; None gives up. `reason` is one phrase, for the log.

    Raises `ConfigurationError` for a delay that cannot be waited.
    """

    delay: float | None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.delay is not None:
            _seconds(self.delay, "delay")


class RetryPolicy(Protocol):
    """
    Whether and when to try again.

    The engine asks only while attempts are left, from many threads at once. A policy that has an attribute
    `max_elapsed` (seconds, or None) gives each call a deadline with it: no request, wait or lookup of the call goes
    beyond it. A policy that wraps another passes the attribute on, as `RetryBudget` does.
    """

    def decide(self, state: RetryState, /) -> Decision:
        """The decision for this failure. An exception raised here ends the call."""


def longest_call(policy: RetryPolicy) -> float | None:
    """
    The seconds that one call may take in all by this policy; None when it sets no bound.

    Raises `ConfigurationError` for a `max_elapsed` that is not a number of seconds above 0.
    """
    longest = getattr(policy, "max_elapsed", None)
    if longest is not None:
        _above_zero(longest, "max_elapsed")
    return longest


class Jitter(Protocol):
    """Spreads a delay, so that many workers do not retry at the same time. `chance()` is in [0, 1)."""

    def __call__(self, delay: float, /, *, initial: float, previous: float, chance: Callable[[], float]) -> float:
        """The seconds to wait instead of `delay`."""


def full_jitter(delay: float, /, *, initial: float, previous: float, chance: Callable[[], float]) -> float:
    """A random delay from 0 to `delay`."""
    return delay * chance()


def equal_jitter(delay: float, /, *, initial: float, previous: float, chance: Callable[[], float]) -> float:
    """Half of `delay`, plus a random part of the other half."""
    return delay / 2 + delay / 2 * chance()


def decorrelated_jitter(delay: float, /, *, initial: float, previous: float, chance: Callable[[], float]) -> float:
    """Random from `initial` to three times the previous wait (`initial`, for the first); the policy caps it."""
    return initial + max(3 * (previous or initial) - initial, 0.0) * chance()


def _seconds(value: object, name: str, *, least: float = 0.0) -> None:
    """Raise `ConfigurationError` unless the value is a finite number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < least:
        raise ConfigurationError(f"{name} must be a finite number of at least {least:g}, not {short_repr(value)}.")


def _above_zero(value: object, name: str) -> None:
    """The same for a number above 0: a call without time could not send anything."""
    _seconds(value, name)
    if not value:
        raise ConfigurationError(f"{name} must be above 0: otherwise no request is ever sent.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    """The limits of every shipped policy: which errors, the longest floor, the longest call."""

    max_wait: float = 120.0
    max_elapsed: float | None = None
    retry_on: type[FlowsError] | ErrorTypes | None = None

    @property
    def _bounds(self) -> str:
        """The bounds, as a repr shows them."""
        kinds = self.retry_on if isinstance(self.retry_on, tuple) else (self.retry_on,)
        retry_on = " | ".join(kind.__name__ if kind else "None" for kind in kinds)
        return f"max_wait={self.max_wait:g}, max_elapsed={self.max_elapsed}, retry_on={retry_on}"

    def _check_bounds(self) -> None:
        _seconds(self.max_wait, "max_wait")
        if self.max_elapsed is not None:
            _above_zero(self.max_elapsed, "max_elapsed")
        if self.retry_on is not None:
            kinds = self.retry_on if isinstance(self.retry_on, tuple) else (self.retry_on,)
            if not all(isinstance(kind, type) and issubclass(kind, FlowsError) for kind in kinds):
                raise ConfigurationError("retry_on must be an error class of this library, or a tuple of them.")

    def _bounded(self, state: RetryState, delay: Callable[[], float]) -> Decision:
        """The delay, raised to Meta's floor, or the reason to give up."""
        error = state.error
        if not isinstance(error, RetryableError if self.retry_on is None else self.retry_on):
            return Decision(None, "this error is not one to retry")
        if error.outcome_unknown and not state.idempotent:
            return Decision(None, "it may already have been done")
        floor = error.retry_after or 0.0
        if floor > self.max_wait:
            return Decision(None, f"asked to wait {floor:g} s, longer than max_wait={self.max_wait:g}")
        wait = max(delay(), floor)
        if self.max_elapsed is not None and state.elapsed + wait > self.max_elapsed:
            return Decision(None, f"a wait of {wait:g} s would outlast max_elapsed={self.max_elapsed:g}")
        return Decision(wait, "asked to by the server" if floor and wait == floor else "backing off")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentialBackoff(_Bounds):
    """
    Waits `initial` seconds, then `multiplier` times as long each time, at most `maximum`: 5, 10, 20, 40, 60, 60 ...

    `Retry-After` and Meta's estimate are floors: we never come back sooner, and `maximum` does not cap them. A floor
    above `max_wait`, or a wait that would outlast `max_elapsed`, gives up at once. `max_elapsed` is the deadline of the
    whole call, in seconds: a request that is under way then is broken off. `retry_on` names the error classes
    to retry instead of every `RetryableError`.

    Raises `ConfigurationError` for numbers out of range.

    >>> ExponentialBackoff(initial=1.0, jitter=full_jitter, max_elapsed=60.0).multiplier
    2.0
    """

    initial: float = 5.0
    multiplier: float = 2.0
    maximum: float = 60.0
    jitter: Jitter | None = None
    chance: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        self._check_bounds()
        _seconds(self.initial, "initial")
        _seconds(self.multiplier, "multiplier", least=1.0)
        _seconds(self.maximum, "maximum")
        if self.maximum < self.initial:
            raise ConfigurationError(f"maximum={self.maximum:g} must not be below initial={self.initial:g}.")
        if self.jitter is not None and not callable(self.jitter):
            raise ConfigurationError("jitter must be a function such as full_jitter, or None.")

    def __repr__(self) -> str:
        jitter = getattr(self.jitter, "__name__", self.jitter)
        return (
            f"{type(self).__name__}(initial={self.initial:g}, multiplier={self.multiplier:g}, "
            f"maximum={self.maximum:g}, jitter={jitter}, {self._bounds})"
        )

    def decide(self, state: RetryState, /) -> Decision:
        """Back off, unless the error, the floor or the time forbids it."""
        return self._bounded(state, lambda: self._delay(state))

    def _delay(self, state: RetryState) -> float:
        try:
            delay = min(self.initial * self.multiplier ** (state.attempt - 1), self.maximum)
        except OverflowError:
            delay = self.maximum
        if self.jitter is None:
            return delay
        spread = self.jitter(delay, initial=self.initial, previous=state.previous_delay, chance=self.chance)
        return min(max(spread, 0.0), self.maximum)


@dataclass(frozen=True, slots=True)
class FixedDelays(_Bounds):
    """
    Waits the given seconds, one after the other; the last one repeats.

    Floors and bounds are as for `ExponentialBackoff`.

    >>> FixedDelays((5, 10, 20), max_wait=60.0).delays
    (5, 10, 20)
    """

    delays: Sequence[float]

    def __post_init__(self) -> None:
        self._check_bounds()
        if isinstance(self.delays, str) or not isinstance(self.delays, Iterable):
            raise ConfigurationError("delays must be a sequence of seconds, like (5, 10, 20).")
        object.__setattr__(self, "delays", tuple(self.delays))  # so that what is read once can be read again
        if not self.delays:
            raise ConfigurationError("FixedDelays needs at least one delay; NoRetry() is the policy without any.")
        for delay in self.delays:
            _seconds(delay, "each of delays")

    def decide(self, state: RetryState, /) -> Decision:
        """The delay for this attempt, unless the error, the floor or the time forbids it."""
        return self._bounded(state, lambda: self.delays[min(state.attempt, len(self.delays)) - 1])


@dataclass(frozen=True, slots=True)
class NoRetry:
    """Never tries again."""

    def decide(self, state: RetryState, /) -> Decision:
        """Give up."""
        return Decision(None, "the policy is not to retry")


class RetryBudget:
    """
    A token bucket in front of another policy: what a fleet of threads may retry together.

    It holds at most `capacity` retries and regains `refill` of them a second. While it is empty every failure gives
    up at once, so that workers do not hammer an API that is down. Share one instance between the clients.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        capacity: float = 10.0,
        refill: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not callable(getattr(policy, "decide", None)):
            raise ConfigurationError("RetryBudget needs a policy with a decide method.")
        _seconds(capacity, "capacity", least=1.0)
        _seconds(refill, "refill")
        self._policy = policy
        self._capacity = float(capacity)
        self._refill = float(refill)
        self._clock = clock
        self._lock = Mutex()
        self._tokens = self._capacity
        self._filled_at = clock()

    @property
    def max_elapsed(self) -> float | None:
        """How long a call may take in all, in seconds: that of the wrapped policy."""
        return longest_call(self._policy)

    def __repr__(self) -> str:
        return f"RetryBudget({self._policy!r}, capacity={self._capacity:g}, refill={self._refill:g})"

    def decide(self, state: RetryState, /) -> Decision:
        """The wrapped policy's decision, unless the budget is empty."""
        decision = self._policy.decide(state)
        if decision.delay is None or self._take():
            return decision
        return Decision(None, "the retry budget is spent")

    def _take(self) -> bool:
        with self._lock:
            now = self._clock()
            self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._refill)
            self._filled_at = now
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True
