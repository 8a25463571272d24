"""What is reported of one flow: each state it enters, each wait, and its result."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ...retry import Decision, RetryPolicy, RetryState, longest_call
from ..calls import GRACE
from ._progress import FlowProgress
from ._result import FlowEvent, FlowResult

_SENDS_FLOW_JSON: Final = frozenset({"create_flow", "update_flow_json"})


@dataclass(frozen=True, slots=True)
class FlowReporter:
    """Reports the progress of one flow."""

    progress: FlowProgress
    report: Callable[[FlowEvent], None]

    def state(self) -> None:
        """The flow has entered a state."""
        self.report(self._event())

    def wait(self, state: RetryState, seconds: float) -> None:
        """A call has failed and is repeated after a wait."""
        attempt = state.attempt + 1
        if self.progress.state != "restoring" and state.operation in _SENDS_FLOW_JSON:
            self.progress.attempts = attempt
        self.report(
            self._event(attempt=attempt, max_attempts=state.max_attempts, wait=seconds, error=state.error),
        )

    def result(self, result: FlowResult) -> None:
        """The flow has ended."""
        self.report(self._event(result=result))

    def _event(self, **details: Any) -> FlowEvent:
        progress = self.progress
        return FlowEvent(
            key=progress.change.key,
            name=progress.change.name,
            state=progress.state,
            flow_id=progress.flow_id,
            **details,
        )


@dataclass(frozen=True, slots=True)
class ReportingPolicy:
    """The run's retry policy; it reports each wait. Once the run is stopped, no wait is longer than `GRACE`."""

    policy: RetryPolicy
    stop: threading.Event
    reporter: FlowReporter

    @property
    def max_elapsed(self) -> float | None:
        """The deadline of each call, in seconds: that of the run's policy."""
        return longest_call(self.policy)

    def decide(self, state: RetryState, /) -> Decision:
        """The decision of the run's policy, with a shorter wait or none once the run is stopped."""
        decision = self.policy.decide(state)
        delay = decision.delay
        if delay is not None and delay > GRACE and self.stop.is_set():
            asked = state.error.retry_after or 0.0  # Meta's hint is the shortest wait
            delay = None if asked > GRACE else GRACE
            decision = Decision(delay, "the run is stopped")
        if delay is not None:
            self.reporter.wait(state, delay)
        return decision
