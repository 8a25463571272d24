"""When a task comes back: a decision from an error and what the task has been through, without a clock or a queue."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from ..errors import FlowsError, PlanError, RetryableError, TokenUnavailableError
from ..retry import RetryPolicy, RetryState
from ._shared import GuardedError, NoRoomError

# Fatal for a call, and nothing that the next try of a task must find again: somebody changed the flow in the middle of
# it, or whatever gives the token was down.
MAY_PASS: Final = (PlanError, TokenUnavailableError)
_NO_FAILURES: Final = (NoRoomError, GuardedError)
_MOST_SPREAD: Final = 30.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """
    What a task's message carries from one try to the next: plain numbers.

    `waits` is how many of Celery's retries were no failures. `since` is when the first try began and `not_before` when
    the next may, in Unix time; `delay` is the wait before it, in seconds.
    """

    waits: int = 0
    since: float = 0.0
    not_before: float = 0.0
    delay: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values that `Progress(**values)` takes."""
        return {name: getattr(self, name) for name in Progress.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Come back after `delay` seconds, for this `reason`."""

    delay: float
    progress: Progress
    reason: str


def again(
    error: FlowsError,
    progress: Progress,
    *,
    retries: int,
    max_attempts: int,
    policy: RetryPolicy,
    now: float,
    chance: Callable[[], float] = random.random,
) -> Again | None:
    """
    Whether and when to come back after an error; None gives up.

    `retries` is Celery's count. A budget that is spent and a flow that another worker has are no failures: the task
    comes back when there is room, a little later than the next one, and no attempt is counted. A flow that was changed
    by somebody in the middle of it is looked at again. The rest is the policy's to decide.
    """
    if isinstance(error, _NO_FAILURES):
        floor = error.retry_after or 0.0
        delay = floor + chance() * min(floor, _MOST_SPREAD)
        waited = replace(progress, waits=progress.waits + 1, not_before=now + delay)
        return Again(delay=delay, progress=waited, reason=error.message)
    attempt = retries - progress.waits + 1
    if attempt >= max_attempts:
        return None
    state = RetryState(
        operation="deploy_flow",
        idempotent=True,  # the engine looks at what is there before it writes
        error=RetryableError(error.details) if isinstance(error, MAY_PASS) else error,
        attempt=attempt,
        max_attempts=max_attempts,
        elapsed=now - progress.since,
        previous_delay=progress.delay,
    )
    decision = policy.decide(state)
    if decision.delay is None:
        return None
    failed = replace(progress, delay=decision.delay, not_before=now + decision.delay)
    return Again(delay=decision.delay, progress=failed, reason=error.message)
