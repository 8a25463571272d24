"""Whether and when a failed task runs again: decided from the error and the task's progress, without clock or queue."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from ..errors import FlowsError, PlanError, RetryableError, TokenUnavailableError
from ..retry import RetryPolicy, RetryState
from ._redis_state import BudgetExceededError, FlowLeasedError

# Fatal for a call, but not for the task: the flow was changed by somebody else meanwhile, or the source of the token
# was unavailable.
RETRIED_FATAL_ERRORS: Final = (PlanError, TokenUnavailableError)
_NOT_FAILURES: Final = (BudgetExceededError, FlowLeasedError)
_MAX_SPREAD: Final = 30.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """
    What a task's message carries from one run to the next: plain numbers.

    `waits` is the number of Celery retries that were not failures. `since` is when the first run began and
    `not_before` when the next may begin, in Unix time; `delay` is the wait before it, in seconds.
    """

    waits: int = 0
    since: float = 0.0
    not_before: float = 0.0
    delay: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values, accepted by `Progress(**values)`."""
        return {name: getattr(self, name) for name in Progress.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reschedule:
    """Run again after `delay` seconds, for this `reason`."""

    delay: float
    progress: Progress
    reason: str


def reschedule(
    error: FlowsError,
    progress: Progress,
    *,
    retries: int,
    max_attempts: int,
    policy: RetryPolicy,
    now: float,
    chance: Callable[[], float] = random.random,
) -> Reschedule | None:
    """
    When to run again after an error; None gives up.

    `retries` is Celery's count. An exceeded budget and a flow that another worker holds are not failures: the task
    runs again when there is room, with some jitter, and no attempt is counted. All else is decided by the policy,
    which sees the errors of `RETRIED_FATAL_ERRORS` as retryable.
    """
    if isinstance(error, _NOT_FAILURES):
        minimum = error.retry_after or 0.0
        delay = minimum + chance() * min(minimum, _MAX_SPREAD)
        waited = replace(progress, waits=progress.waits + 1, not_before=now + delay)
        return Reschedule(delay=delay, progress=waited, reason=error.message)
    attempt = retries - progress.waits + 1
    if attempt >= max_attempts:
        return None
    state = RetryState(
        operation="deploy_flow",
        idempotent=True,  # the engine reads the current state before it writes
        error=RetryableError(error.details) if isinstance(error, RETRIED_FATAL_ERRORS) else error,
        attempt=attempt,
        max_attempts=max_attempts,
        elapsed=now - progress.since,
        previous_delay=progress.delay,
    )
    decision = policy.decide(state)
    if decision.delay is None:
        return None
    failed = replace(progress, delay=decision.delay, not_before=now + decision.delay)
    return Reschedule(delay=decision.delay, progress=failed, reason=error.message)
