"""What a plan may do (`PlanOptions`), and the change of one flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

from ..._documents import Validate
from ...errors import ConfigurationError, FlowsError, ValidationIssue
from ..account import ActualFlow, OtherFlow
from ..desired import DesiredFlow

Action = Literal[
    "create", "adopt", "upload", "update", "publish", "republish", "replace", "deprecate", "unchanged", "blocked"
]
"""The kind of a change. `upload` and `update` may publish as well; `republish` un-publishes for a moment."""

Step = Literal["create", "update", "upload", "publish", "deprecate"]
"""One write: `update` sends metadata, `upload` a Flow JSON. `create` sends what no later step does."""

Blocked = Literal["validation", "frozen", "deprecated", "name", "state", "unpublish", "unread", "endpoint"]
"""
Why a flow is not changed. `name`: another flow has its name, or Meta may not accept it. `unread`: it could not be read.
`endpoint`: it cannot be published without one.
"""

_SECONDS_PER_CALL: Final = 1.0  # an assumption about Meta's response time, for estimates only


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """
    What a plan may do.

    `validate`: what happens if the validator finds errors in a Flow JSON: "error" blocks the flow, "warn" reports them
    and continues, "off" does not validate.

    The others are permissions, which a plan that is read from a file does not give. `allow_unpublish`: a live flow
    without `publish` may become a draft. `prune`: live flows that this tool has written and that no table names are
    deprecated, which is final; at most `prune_limit` of them. `max_changes` is the share of the existing flows that may
    be changed at once; up to ten always may. `force` lifts that limit. `new_account` permits the first deployment to
    an account while the lock file is that of another.
    `today` decides which versions of Flow JSON are frozen; None is the current date.
    """

    allow_unpublish: bool = False
    prune: bool = False
    prune_limit: int = 5
    max_changes: float = 0.3
    force: bool = False
    new_account: bool = False
    validate: Validate = "error"
    today: date | None = None

    def __post_init__(self) -> None:
        if self.validate not in get_args(Validate):
            raise ConfigurationError(f"validate must be one of {', '.join(get_args(Validate))}, not {self.validate!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChange:
    """
    The change of one flow; its `steps` are carried out in order.

    `desired` is None for a flow that is to be deprecated, `actual` for one that does not exist yet. `name` is its
    present or future name at Meta. `reason` explains the change, as a sentence without a full stop; `blocked` is the
    same in one word. A change that `unpublishes` makes a live flow a draft. `may_replace`: if Meta refuses the edit,
    another flow is created in its place. `after` is the key of the change that a deprecation waits for: that flow must
    be live first. Without `after`, all other changes must have succeeded first.
    """

    key: str
    name: str
    action: Action
    steps: tuple[Step, ...] = ()
    desired: DesiredFlow | None = None
    actual: ActualFlow | OtherFlow | None = None
    reason: str = ""
    blocked: Blocked | None = None
    issues: tuple[ValidationIssue, ...] = ()
    error: FlowsError | None = None
    unpublishes: bool = False
    may_replace: bool = False
    after: str = ""

    @property
    def flow_id(self) -> str:
        """Meta's id of the flow; empty before it is created."""
        return self.actual.id if self.actual is not None else ""

    @property
    def status(self) -> str:
        """The state of the flow; empty before it is created."""
        return self.actual.status if self.actual is not None else ""

    @property
    def calls(self) -> int:
        """
        The number of requests, if nothing fails.

        An existing flow is read before it is changed, and so is the successor of a flow that is to be deprecated. The
        downloads of live flows that a plan from a file needs are not counted.
        """
        reads = int(self.steps[:1] != ("create",)) + bool(self.after)
        return len(self.steps) + reads if self.steps else 0

    def draft_seconds(self, *, calls_per_hour: float = 0.0) -> float | None:
        """
        How many seconds a live flow will be a draft; 0 if it stays live, None if it is not published again.

        An estimate: one second for each request from the first write to the publishing, and the pauses between them if
        `calls_per_hour` are spread evenly (0: no pause).
        """
        if not self.unpublishes:
            return 0.0
        if "publish" not in self.steps:
            return None
        pause = 3600.0 / calls_per_hour if calls_per_hour else 0.0
        return len(self.steps) * _SECONDS_PER_CALL + (len(self.steps) - 1) * pause


def counted(changes: Iterable[FlowChange]) -> Iterator[tuple[Action, int]]:
    """How many changes there are of each kind, in the order of `Action`; kinds without any are left out."""
    found = [change.action for change in changes]
    for action in get_args(Action):
        if action in found:
            yield action, found.count(action)
