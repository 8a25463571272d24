"""When a task runs again: a table of errors, and the progress in the message."""

from __future__ import annotations

import pytest

from whatsapp_flows import (
    ConfigurationError,
    ErrorDetails,
    ExponentialBackoff,
    FixedDelays,
    FlowProcessingError,
    FlowsError,
    NoRetry,
    NotFoundError,
    PlanError,
    RateLimitedError,
    RetryPolicy,
    TokenUnavailableError,
)
from whatsapp_flows.contrib._redis_state import BudgetExceededError, FlowLeasedError
from whatsapp_flows.contrib._reschedule import Progress, Reschedule, reschedule

NOW = 1_790_000_000.0


def error(kind: type[FlowsError], retry_after: float | None = None) -> FlowsError:
    return kind(ErrorDetails(message="said", retry_after=retry_after))


def asked(
    failure: FlowsError, progress: Progress, *, retries: int = 0, policy: RetryPolicy | None = None
) -> Reschedule | None:
    return reschedule(
        failure,
        progress,
        retries=retries,
        max_attempts=3,
        policy=policy or FixedDelays((5, 10)),
        now=NOW,
        chance=lambda: 0.5,
    )


@pytest.mark.parametrize(
    ("failure", "retries", "delay"),
    [
        (error(FlowProcessingError), 0, 5.0),
        (error(FlowProcessingError), 1, 10.0),
        (error(FlowProcessingError), 2, None),  # three attempts in all
        (error(RateLimitedError, 60.0), 0, 60.0),  # never sooner than Meta asks
        (error(RateLimitedError, 121.0), 0, None),  # longer than the policy's max_wait
        (error(NotFoundError), 0, None),
        (error(PlanError), 0, 5.0),  # changed by somebody in the middle: looked at again
        (error(TokenUnavailableError), 0, 5.0),  # whatever gives the token may be down for a moment
        (error(ConfigurationError), 0, None),
        (error(BudgetExceededError, 8.0), 2, 12.0),  # waiting for the budget is no failure, and spread
        (error(BudgetExceededError, 1200.0), 2, 1215.0),
        (error(FlowLeasedError, 8.0), 99, 12.0),
    ],
)
def test_an_error_becomes_a_countdown(failure: FlowsError, retries: int, delay: float | None) -> None:
    """The policy decides on failures; waits for the budget and for another worker's lease are unlimited."""
    step = asked(failure, Progress(since=NOW), retries=retries)
    assert (step.delay if step is not None else None) == delay
    if step is not None:
        assert step.progress.not_before == NOW + step.delay


def test_waits_are_not_counted_as_attempts() -> None:
    """Celery counts every retry; the waits are subtracted."""
    waited = Progress(since=NOW, waits=7)
    step = asked(error(FlowProcessingError), waited, retries=8)
    assert step is not None
    assert (step.delay, step.progress.waits) == (10.0, 7)
    assert asked(error(FlowProcessingError), waited, retries=9) is None
    again_waiting = asked(error(BudgetExceededError, 1.0), waited, retries=9)
    assert again_waiting is not None
    assert again_waiting.progress.waits == 8


def test_the_policy_sees_the_time_since_the_first_run() -> None:
    """The elapsed time counts from the first run, on any machine."""
    patient = ExponentialBackoff(max_elapsed=60.0)
    assert asked(error(FlowProcessingError), Progress(since=NOW - 50.0), policy=patient) is not None
    assert asked(error(FlowProcessingError), Progress(since=NOW - 59.0), policy=patient) is None
    assert asked(error(FlowProcessingError), Progress(since=NOW), policy=NoRetry()) is None


def test_progress_survives_a_message() -> None:
    """The next run reads what the previous one wrote."""
    progress = Progress(waits=2, since=NOW, not_before=NOW + 1, delay=1.0)
    assert Progress(**progress.to_json()) == progress
