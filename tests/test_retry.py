"""The shipped policies: the decision for each state."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import FakeTime
from whatsapp_flows import (
    ConfigurationError,
    Decision,
    ErrorDetails,
    ExponentialBackoff,
    FixedDelays,
    FlowProcessingError,
    FlowsError,
    InvalidRequestError,
    Jitter,
    NoAnswerError,
    NoRetry,
    NotSentError,
    RateLimitedError,
    RetryBudget,
    RetryPolicy,
    RetryState,
    UnexpectedResponseError,
    decorrelated_jitter,
    equal_jitter,
    full_jitter,
)


def state(error: FlowsError | None = None, **changes: Any) -> RetryState:
    facts: dict[str, Any] = {
        "operation": "update_flow_json",
        "idempotent": True,
        "error": error or FlowProcessingError("saved"),
        "attempt": 1,
        "max_attempts": 10,
        "elapsed": 0.0,
    }
    return RetryState(**{**facts, **changes})


def limited(seconds: float) -> RateLimitedError:
    return RateLimitedError(ErrorDetails(message="limit", retry_after=seconds))


def waits(policy: RetryPolicy, count: int) -> list[float | None]:
    return [policy.decide(state(attempt=attempt)).delay for attempt in range(1, count + 1)]


def test_the_default_waits_are_the_contract() -> None:
    """5, 10, 20 and 40 seconds, and then a minute each."""
    assert waits(ExponentialBackoff(), 7) == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_backoff_is_capped_however_often_it_fails() -> None:
    """The ten-thousandth attempt does not overflow."""
    assert ExponentialBackoff().decide(state(attempt=10_000)).delay == 60.0


@pytest.mark.parametrize("policy", [ExponentialBackoff(), FixedDelays((5, 10, 20))])
@pytest.mark.parametrize(
    ("error", "idempotent", "again"),
    [
        (FlowProcessingError("x"), True, True),
        (NotSentError("x"), False, True),
        (NoAnswerError("x"), True, True),
        (NoAnswerError("x"), False, False),
        (RateLimitedError("x"), False, True),
        (InvalidRequestError("x"), True, False),
        (UnexpectedResponseError("x"), True, False),
    ],
)
def test_what_is_tried_again(policy: RetryPolicy, error: FlowsError, idempotent: bool, again: bool) -> None:
    """Retryable errors are, unless the outcome is unknown and the operation is not idempotent."""
    decision = policy.decide(state(error, idempotent=idempotent))
    assert (decision.delay is not None) is again
    assert decision.reason


@pytest.mark.parametrize("policy", [ExponentialBackoff(), FixedDelays((5, 10, 20))])
@pytest.mark.parametrize(("asked", "delay"), [(1.0, 5.0), (5.0, 5.0), (90.0, 90.0), (120.0, 120.0), (120.5, None)])
def test_no_retry_is_sooner_than_meta_asks(policy: RetryPolicy, asked: float, delay: float | None) -> None:
    """Meta's floor is longer than the backoff and its cap: it counts. A floor beyond `max_wait` gives up at once."""
    decision = policy.decide(state(limited(asked)))
    assert decision.delay == delay
    if delay is None:
        assert "120.5" in decision.reason


def test_a_wait_that_would_outlast_the_call_is_not_begun() -> None:
    """`max_elapsed` bounds the call with its wait, not only the time so far."""
    policy = ExponentialBackoff(max_elapsed=30.0)
    assert policy.decide(state(elapsed=25.0)).delay == 5.0
    assert policy.decide(state(elapsed=25.1)).delay is None
    assert policy.decide(state(limited(31.0))).delay is None


def test_a_host_may_name_the_errors_to_retry() -> None:
    """`retry_on` replaces the default, for example to retry 4016012 alone."""
    only = ExponentialBackoff(retry_on=(FlowProcessingError,))
    assert only.decide(state()).delay == 5.0
    assert only.decide(state(NotSentError("x"))).delay is None
    assert ExponentialBackoff(retry_on=FlowProcessingError).decide(state()).delay == 5.0
    bold = FixedDelays((1,), retry_on=(UnexpectedResponseError,))
    assert bold.decide(state(UnexpectedResponseError("x"))).delay == 1
    assert bold.decide(state(UnexpectedResponseError("x"), idempotent=False)).delay is None


def test_fixed_delays_come_in_order_and_the_last_repeats() -> None:
    """The engine counts the attempts, so the list may be shorter than the number of attempts."""
    assert waits(FixedDelays((5, 10, 20)), 5) == [5, 10, 20, 20, 20]
    assert waits(FixedDelays([1.5]), 2) == [1.5, 1.5]
    assert waits(FixedDelays(seconds for seconds in (1, 2)), 3) == [1, 2, 2]  # type: ignore[arg-type]


def test_no_retry_never_retries() -> None:
    """For callers that have a queue of their own."""
    assert NoRetry().decide(state()).delay is None


@pytest.mark.parametrize(
    ("jitter", "chance", "delay"),
    [
        (full_jitter, 0.0, 0.0),
        (full_jitter, 0.5, 5.0),
        (equal_jitter, 0.0, 5.0),
        (equal_jitter, 0.5, 7.5),
        (decorrelated_jitter, 0.0, 5.0),
        (decorrelated_jitter, 0.5, 17.5),
    ],
)
def test_jitter_spreads_the_delay(jitter: Jitter, chance: float, delay: float) -> None:
    """Second failure, 10 s after the first wait of 10 s: each jitter has its own range."""
    policy = ExponentialBackoff(jitter=jitter, chance=lambda: chance)
    assert policy.decide(state(attempt=2, previous_delay=10.0)).delay == delay


@given(
    attempt=st.integers(1, 50),
    previous=st.floats(0, 60),
    chance=st.floats(0, 1, exclude_max=True),
    jitter=st.sampled_from([None, full_jitter, equal_jitter, decorrelated_jitter]),
    floor=st.one_of(st.none(), st.floats(0.1, 120)),
)
def test_every_wait_is_between_the_floor_and_the_cap(
    attempt: int, previous: float, chance: float, jitter: Jitter | None, floor: float | None
) -> None:
    """Whatever the jitter and the chance, no wait is below Meta's floor, nor above the cap unless the floor is."""
    policy = ExponentialBackoff(jitter=jitter, chance=lambda: chance)
    error = FlowProcessingError("x") if floor is None else limited(floor)
    delay = policy.decide(state(error, attempt=attempt, previous_delay=previous)).delay
    assert delay is not None
    assert (floor or 0.0) <= delay <= max(60.0, floor or 0.0)


def test_every_jitter_spreads_the_first_wait_too() -> None:
    """Workers that fail together must not retry together."""
    for jitter in (full_jitter, equal_jitter, decorrelated_jitter):
        policy = ExponentialBackoff(jitter=jitter, chance=iter([0.1, 0.9]).__next__)
        assert policy.decide(state()).delay != policy.decide(state()).delay


@pytest.mark.parametrize(("wild", "held"), [(-5.0, 0.0), (1e9, 60.0)])
def test_a_jitter_of_the_hosts_own_stays_in_bounds(wild: float, held: float) -> None:
    """The result of any jitter is limited to zero and the cap."""
    policy = ExponentialBackoff(jitter=lambda delay, **_: wild)
    assert policy.decide(state()).delay == held


BAD: list[dict[str, Any]] = [
    {"initial": -1},
    {"initial": float("nan")},
    {"initial": float("inf")},
    {"initial": "5"},
    {"initial": True},
    {"multiplier": 0.5},
    {"maximum": 1.0},
    {"maximum": None},
    {"max_wait": -1},
    {"max_elapsed": -0.1},
    {"retry_on": (ValueError,)},
    {"retry_on": ValueError},
    {"jitter": "full"},
    {"retry_on": ("FlowProcessingError",)},
]


@pytest.mark.parametrize("options", BAD, ids=str)
def test_numbers_out_of_range_are_refused(options: dict[str, Any]) -> None:
    """Invalid arguments are a `ConfigurationError` that names them, when the policy is made."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        ExponentialBackoff(**options)


@pytest.mark.parametrize("delays", [(), (-1,), (float("nan"),), ("5",), 5, "5"])
def test_invalid_delays_are_refused(delays: Any) -> None:
    """The same for a list of delays."""
    with pytest.raises(ConfigurationError):
        FixedDelays(delays)


@pytest.mark.parametrize("delay", [-1.0, float("nan"), float("inf"), "1"])
def test_a_decision_is_one_that_can_be_waited_for(delay: Any) -> None:
    """An invalid delay of a host's policy is a `ConfigurationError`, before anything sleeps."""
    with pytest.raises(ConfigurationError):
        Decision(delay)


def test_a_budget_is_spent_and_regained() -> None:
    """It holds `capacity` retries, regains `refill` a second, and never more than it holds."""
    time = FakeTime()
    budget = RetryBudget(FixedDelays((1,)), capacity=2, refill=0.5, clock=time.clock)
    assert waits(budget, 3) == [1, 1, None]
    assert "budget" in budget.decide(state()).reason
    time.sleep(2.0)
    assert waits(budget, 2) == [1, None]
    time.sleep(1000.0)
    assert waits(budget, 3) == [1, 1, None]


def test_only_a_retry_costs_the_budget() -> None:
    """A failure that the wrapped policy gives up on costs nothing."""
    budget = RetryBudget(ExponentialBackoff(), capacity=1, refill=0, clock=FakeTime().clock)
    assert budget.decide(state(InvalidRequestError("x"))).delay is None
    assert budget.decide(state()).delay == 5.0


def test_threads_share_one_budget() -> None:
    """Sixteen threads that ask a hundred times each get exactly the retries in the bucket."""
    budget = RetryBudget(FixedDelays((0,)), capacity=100, refill=0, clock=FakeTime().clock)
    asked: list[float | None] = []

    def ask() -> None:
        asked.extend(budget.decide(state()).delay for _ in range(100))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1600
    assert len([delay for delay in asked if delay is not None]) == 100


@pytest.mark.parametrize("options", [{"capacity": 0}, {"capacity": -1}, {"refill": -1}, {"refill": float("inf")}])
def test_an_invalid_budget_is_refused(options: dict[str, Any]) -> None:
    """Its capacity is at least one retry, and its figures are finite."""
    with pytest.raises(ConfigurationError):
        RetryBudget(NoRetry(), **options)
    with pytest.raises(ConfigurationError, match="decide"):
        RetryBudget(None)  # type: ignore[arg-type]
