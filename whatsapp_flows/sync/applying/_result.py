"""The result of one flow, and the events while it is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ...errors import FlowsError, RetryableError, ValidationIssue
from ..planning import Action, Step

State = Literal[
    "begin", "checking", "creating", "updating", "uploading", "publishing", "restoring", "deprecating", "done",
    "failed", "stopped",
]  # fmt: skip

Halted = Literal["", "interrupted", "not begun", "kept"]
"""Why a flow was left alone without a failure: the run was stopped or halted, or its successor is not live."""

INTERRUPTED: Final = "interrupted"
NOT_BEGUN: Final = "not begun"
KEPT: Final = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowResult:
    """
    The result of one flow.

    `action` is that of the plan, or "replace" if the flow had to be replaced. `status` is its present state (empty:
    unknown), `status_before` the one that the plan saw. `done` are the steps that succeeded, `attempts` how often its
    Flow JSON was sent. `problem` says why it is not as desired, with details in `error` and `issues`. `halted` is set
    when the flow was left alone without a failure of its own; `problem` begins with that word.

    `restored`: the change failed, and the version that was live before is live again. `note` says in a sentence or two
    which state a live flow is in, and what to do; `old_document` is the file that has its old Flow JSON.
    """

    key: str
    name: str
    action: Action
    flow_id: str = ""
    status: str = ""
    status_before: str = ""
    done: tuple[Step, ...] = ()
    attempts: int = 0
    adopted: bool = False
    problem: str = ""
    issues: tuple[ValidationIssue, ...] = ()
    error: FlowsError | None = None
    halted: Halted = ""
    restored: bool = False
    note: str = ""
    old_document: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether the flow is as desired."""
        return not self.problem

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a queue or a report."""
        return {
            "key": self.key,
            "name": self.name,
            "id": self.flow_id or None,
            "action": self.action,
            "status": self.status or None,
            "status_before": self.status_before or None,
            "done": list(self.done),
            "attempts": self.attempts,
            "adopted": self.adopted,
            "ok": self.ok,
            "error": self._error_json(),
            **(self._live_json() if self.note else {}),
        }

    def _live_json(self) -> dict[str, Any]:
        """The state of a live flow whose change has failed."""
        return {
            "restored": self.restored,
            "note": self.note,
            "old_document": None if self.old_document is None else str(self.old_document),
        }

    def _error_json(self) -> dict[str, Any] | None:
        if self.ok:
            return None
        error = self.error
        return {
            "message": self.problem,
            "class": type(error).__name__ if error is not None else None,
            "retryable": isinstance(error, RetryableError) or self.halted in {INTERRUPTED, NOT_BEGUN},
            "code": error.code if error is not None else None,
            "subcode": error.subcode if error is not None else None,
            "retry_after": error.retry_after if error is not None else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowEvent:
    """
    An event of one flow: it has entered `state`, or waits there for `wait` seconds before `attempt`.

    `error` is the reason for the wait. `result` is set when the flow has ended. `flow_id` is empty until the
    flow is created.
    """

    key: str
    name: str
    state: State
    flow_id: str = ""
    attempt: int = 1
    max_attempts: int = 1
    wait: float = 0.0
    error: FlowsError | None = None
    result: FlowResult | None = None


OnEvent = Callable[[FlowEvent], object]
