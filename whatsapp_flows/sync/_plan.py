"""A plan is data: what may be done (`PlanOptions`), what will be done to each flow, and all of it together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal, get_args

from ..errors import ConfigurationError, FlowsError, PlanError, ValidationIssue
from ._desired import DesiredFlow
from ._snapshot import ActualFlow, OtherFlow, times_pages

Action = Literal[
    "create", "adopt", "upload", "update", "publish", "republish", "replace", "deprecate", "unchanged", "blocked"
]
"""A change in one word; `upload` and `update` may publish as well, `republish` un-publishes for a moment."""

Step = Literal["create", "update", "upload", "publish", "deprecate"]
"""One write: `update` is new metadata, `upload` a new Flow JSON. `create` takes along what no later step brings."""

Blocked = Literal["validation", "frozen", "deprecated", "name", "state", "unpublish", "unread"]
"""Why a flow is left alone: `name` is one that a deprecated flow holds, `unread` means that Meta did not say."""

_SECONDS_PER_CALL: Final = 1.0  # a guess at Meta's answer time, for estimates alone
PLAN_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """
    What a plan may do.

    `allow_unpublish`: a live flow that is not wanted published may become a draft. `prune`: live flows that were
    deployed from here and are wanted no more are deprecated, for good, at most `prune_limit` of them. `max_changes` is
    the share of the flows that are there which may be changed at once; up to ten always may. `force` lifts that limit.
    `today` decides which versions of Flow JSON are frozen; None is the day of the machine.
    """

    allow_unpublish: bool = False
    prune: bool = False
    prune_limit: int = 5
    max_changes: float = 0.3
    force: bool = False
    today: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowChange:
    """
    What will be done to one flow, in the order of `steps`.

    `desired` is None for a flow that is to be deprecated, `actual` while there is none. `name` is the one that it has
    or will have at Meta. `reason` says why, in a sentence without its end; `blocked` is that in one word. A change that
    `unpublishes` makes a draft of a flow that is in use. `may_replace`: when it refuses the edit, another flow takes
    its place.
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
        """The requests that it takes at the least: a flow that is there is looked at before it is changed."""
        return len(self.steps) + (1 if self.steps and self.steps[0] != "create" else 0)

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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    What will be done to an account: data, to be looked at, kept, and applied.

    `changes` has one entry for each wanted flow, in their order, and then those that are to be deprecated. `refusal`
    says why the plan as a whole must not be applied; empty if it may.
    """

    account_id: str | None
    changes: tuple[FlowChange, ...]
    options: PlanOptions = field(default_factory=PlanOptions)
    refusal: str = ""
    listed: int = 0
    remembers: bool = False

    @property
    def pending(self) -> tuple[FlowChange, ...]:
        """The changes that write something."""
        return tuple(change for change in self.changes if change.steps)

    @property
    def blocked(self) -> tuple[FlowChange, ...]:
        """The flows that should be changed, and are left alone."""
        return tuple(change for change in self.changes if change.blocked)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.pending

    @property
    def calls(self) -> int:
        """The requests that it takes at the least, with a lock file `last_calls` included."""
        return sum(change.calls for change in self.pending) + (self.last_calls if self.remembers else 0)

    @property
    def last_calls(self) -> int:
        """The requests at the end, with a lock file, that read the `updated_at` of what was changed."""
        changed = [change for change in self.pending if change.action != "deprecate"]
        created = [change for change in changed if change.steps[0] == "create"]
        return min(len(changed), times_pages(self.listed + len(created)))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over what is wanted and what was seen at Meta: of two plans with one digest, one is as good."""
        options = {**_options_json(self.options), "force": None}  # asked of whoever applies it
        facts = [self.account_id, options, [_facts(change) for change in self.changes]]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def raise_if_refused(self, *, force: bool = False) -> None:
        """
        Raise `PlanError` if the plan as a whole must not be applied.

        `force` permits one that changes too much at once; never one that deprecates too much.
        """
        pruned = sum(change.action == "deprecate" for change in self.changes)
        if self.refusal and not (force and pruned <= self.options.prune_limit):
            raise PlanError(f"{self.refusal}.")

    def raise_if_moved(self, now: Plan) -> None:
        """
        Raise `PlanError` unless `now`, made of the same wishes and a new snapshot, is this same plan.

        The error names the flows that are not as they were.
        """
        if self.digest == now.digest:
            return
        before, after = ({it.key: _facts(it) for it in plan.changes} for plan in (self, now))
        moved = [key for key in dict.fromkeys([*before, *after]) if before.get(key) != after.get(key)]
        what = f"not as they were when the plan was made: {', '.join(moved)}" if moved else "it is of another account"
        raise PlanError(f"the plan is stale: {what}.")

    def to_json(self) -> dict[str, Any]:
        """
        The plan as plain values. The Flow JSONs are not in it, only their digests: `from_json` takes the flows again.
        """
        return {
            "version": PLAN_VERSION,
            "digest": self.digest,
            "account_id": self.account_id,
            "options": _options_json(self.options),
            "refusal": self.refusal,
            "planned_calls": self.calls,
            "listed": self.listed,
            "remembers": self.remembers,
            "flows": [_change_json(change) for change in self.changes],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], flows: Iterable[DesiredFlow]) -> Plan:
        """
        The plan that `to_json` wrote, with the flows that it was made for.

        Raises `PlanError` if it cannot be read, or if the flows are not what they were.
        """
        desired = {flow.key: flow for flow in flows}
        try:
            version, digest = document["version"], document["digest"]
            options = dict(document["options"])
            options["today"] = None if options["today"] is None else date.fromisoformat(options["today"])
            plan = cls(
                account_id=document["account_id"],
                changes=tuple(_read_change(item, desired) for item in document["flows"]),
                options=PlanOptions(**options),
                refusal=document["refusal"],
                listed=document["listed"],
                remembers=document["remembers"],
            )
            actual = plan.digest
        except (KeyError, TypeError, ValueError, AttributeError, ConfigurationError):
            raise PlanError("this is no plan, or one of another version of this library.") from None
        if version != PLAN_VERSION:
            raise PlanError("the plan was made by another version of this library.")
        if actual != digest:
            raise PlanError("the flows in the files are not what they were when the plan was made.")
        return plan


# -- a plan as plain values


def _options_json(options: PlanOptions) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in PlanOptions.__slots__}
    return {**given, "today": None if options.today is None else options.today.isoformat()}


def _wish(desired: DesiredFlow | None) -> dict[str, Any] | None:
    if desired is None:
        return None
    return {
        "digest": desired.digest,
        "categories": sorted(desired.categories),
        "endpoint_uri": desired.endpoint_uri,
        "application_id": desired.application_id,
        "publish": desired.publish,
        "replace": desired.replace,
    }


_SEEN: Final = ("id", "name", "status", "endpoint_uri", "application_id", "updated_at", "digest")
_LOCAL: Final = ("json_version", "data_api_version", "processed", "known", "generation", "last_generation")
_OTHER: Final = ("id", "name", "status", "updated_at", "key")


def _facts(change: FlowChange) -> list[Any]:
    """What a plan rests on: the wish, and what Meta said; not what a lock file of one machine adds to it."""
    return [change.key, change.name, _wish(change.desired), _seen_json(change, local=())]


def _seen_json(change: FlowChange, *, local: tuple[str, ...] = _LOCAL) -> dict[str, Any] | None:
    seen = change.actual
    if seen is None:
        return None
    if isinstance(seen, OtherFlow):
        return {name: getattr(seen, name) for name in _OTHER}
    return {**{name: getattr(seen, name) for name in (*_SEEN, *local)}, "categories": sorted(seen.categories)}


def _change_json(change: FlowChange) -> dict[str, Any]:
    return {
        "key": change.key,
        "name": change.name,
        "id": change.flow_id or None,
        "action": change.action,
        "status": change.status or None,
        "steps": list(change.steps),
        "reason": change.reason or None,
        "blocked": change.blocked,
        "unpublishes": change.unpublishes,
        "may_replace": change.may_replace,
        "calls": change.calls,
        "wanted": _wish(change.desired),
        "seen": _seen_json(change),
    }


def _read_change(item: Mapping[str, Any], desired: Mapping[str, DesiredFlow]) -> FlowChange:
    if item["action"] not in get_args(Action) or any(step not in get_args(Step) for step in item["steps"]):
        raise ValueError("an action that is not known")
    return FlowChange(
        key=item["key"],
        name=item["name"],
        action=item["action"],
        steps=tuple(item["steps"]),
        desired=desired[item["key"]] if item["wanted"] is not None and item["key"] in desired else None,
        actual=_read_seen(item["seen"]),
        reason=item["reason"] or "",
        blocked=item["blocked"],
        unpublishes=item["unpublishes"],
        may_replace=item["may_replace"],
    )


def _read_seen(seen: Mapping[str, Any] | None) -> ActualFlow | OtherFlow | None:
    if seen is None:
        return None
    if "key" in seen:
        return OtherFlow(**seen)
    return ActualFlow(**{**seen, "categories": tuple(seen["categories"])})


def counted(changes: Iterable[FlowChange]) -> Iterator[tuple[Action, int]]:
    """How many changes there are of each kind, in the order of `Action`; kinds without any are left out."""
    found = [change.action for change in changes]
    for action in get_args(Action):
        if action in found:
            yield action, found.count(action)
