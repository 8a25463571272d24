"""What may be done (`PlanOptions`), and what will be done to one flow: data."""

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
"""A change in one word; `upload` and `update` may publish as well, `republish` un-publishes for a moment."""

Step = Literal["create", "update", "upload", "publish", "deprecate"]
"""One write: `update` is new metadata, `upload` a new Flow JSON. `create` takes along what no later step brings."""

Blocked = Literal["validation", "frozen", "deprecated", "name", "state", "unpublish", "unread", "endpoint"]
"""
Why a flow is left alone: `name` is one that another flow holds or that Meta may not take, `unread` means that Meta did
not say, `endpoint` that it could not be published without one.
"""

_SECONDS_PER_CALL: Final = 1.0  # a guess at Meta's answer time, for estimates alone


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """
    What a plan may do.

    `validate`: what is done about errors that the validator finds in a Flow JSON: "error" blocks the flow, "warn" tells
    them and goes on, "off" looks for none.

    The others are permissions, which a plan that is read from a file does not give. `allow_unpublish`: a live flow that
    is not wanted published may become a draft. `prune`: live flows that this tool has written and that are wanted no
    more are deprecated, for good, at most `prune_limit` of them. `max_changes` is the share of the flows that are there
    which may be changed at once; up to ten always may. `force` lifts that limit. `new_account`: the first deployment to
    an account is wanted, though the lock file is that of another.
    `today` decides which versions of Flow JSON are frozen; None is the day of the machine.
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
    What will be done to one flow, in the order of `steps`.

    `desired` is None for a flow that is to be deprecated, `actual` while there is none. `name` is the one that it has
    or will have at Meta. `reason` says why, in a sentence without its end; `blocked` is that in one word. A change that
    `unpublishes` makes a draft of a flow that is in use. `may_replace`: when it refuses the edit, another flow takes
    its place. `after` is the key of the change that a deprecation waits for: it happens only once that flow is live;
    without one, after all other changes have ended well.
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
        """Meta's id of the flow that is there; empty while there is none."""
        return self.actual.id if self.actual is not None else ""

    @property
    def status(self) -> str:
        """The state of the flow that is there; empty while there is none."""
        return self.actual.status if self.actual is not None else ""

    @property
    def calls(self) -> int:
        """
        The requests that it takes if nothing fails.

        A flow that is there is looked at before it is changed, and the successor before a flow is deprecated for good.
        A plan that was read from a file has no Flow JSON of live flows: their downloads are not counted.
        """
        looks = int(self.steps[:1] != ("create",)) + bool(self.after)
        return len(self.steps) + looks if self.steps else 0

    def draft_seconds(self, *, calls_per_hour: float = 0.0) -> float | None:
        """
        For how long a live flow will be a draft; 0 if it stays live, None if it is not published again.

        An estimate: a second for each request from the first write to the publishing, and the pause between two
        requests when `calls_per_hour` are spread evenly (0: no pause).
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
