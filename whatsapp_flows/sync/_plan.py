"""A plan is data: what may be done (`PlanOptions`), what will be done to each flow, and all of it together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal, get_args

from .._documents import Validate
from ..errors import ConfigurationError, FlowsError, PlanError, ValidationIssue
from . import _reading as read
from ._desired import DesiredFlow
from ._identity import Source
from ._snapshot import ActualFlow, OtherFlow

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
_FEW: Final = 10  # so many changes are never too many
PLAN_VERSION: Final = 2


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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """
    What will be done to an account: data, to be looked at, kept, and applied.

    `changes` has one entry for each wanted flow, in their order, and then those that are to be deprecated. `options`
    are those that it was made with. `permitted` is what whoever applies it permits; None is the same. `other_account`
    is the account that the lock file is about, where this one has none: what is done is then its first deployment.
    `listed` is how many flows the account has in all, `remembers`: there is a lock file to write.
    """

    account_id: str | None
    changes: tuple[FlowChange, ...]
    options: PlanOptions = field(default_factory=PlanOptions)
    listed: int = 0
    remembers: bool = False
    other_account: str = ""
    permitted: PlanOptions | None = None

    @property
    def refusal(self) -> str:
        """Why the plan as a whole must not be applied; empty if it may."""
        return self._refusal(self.permitted or self.options)

    def _refusal(self, given: PlanOptions) -> str:
        """
        A table of what needs a permission: the first that is missing. New flows harm nobody, and do not count.
        """
        pruned = sum(change.action == "deprecate" for change in self.changes)
        left = [change.name for change in self.changes if change.unpublishes and "publish" not in change.steps]
        there = [change for change in self.changes if isinstance(change.actual, ActualFlow)]
        touched = [change for change in there if change.steps and change.action != "publish"]
        if self.other_account and self.pending and not given.new_account:
            return (
                f"this is account {self.account_id}, and so far the flows were deployed to account "
                f"{self.other_account}: say new_account (--new-account) if they shall be deployed here as well"
            )
        if pruned and not given.prune:
            return f"{pruned} flow{'' if pruned == 1 else 's'} would be deprecated, for good: say prune to do it"
        if pruned > given.prune_limit:
            return f"{pruned} flows would be deprecated, for good, and at most {given.prune_limit} may be"
        if left and not given.allow_unpublish:
            return f"{left[0]} would become a draft: say allow_unpublish to do it"
        if not given.force and len(touched) > max(_FEW, given.max_changes * len(there)):
            return (
                f"{len(touched)} of the {len(there)} flows that are there would be changed at once: say force to do it"
            )
        return ""

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
        """The requests that applying it makes, when nothing goes wrong and nothing has moved."""
        return sum(change.calls for change in self.pending)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over what is wanted and what was seen at Meta: of two plans with one digest, one is as good."""
        facts = [self.account_id, _choices(self.options), [_facts(change) for change in self.changes]]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def raise_if_refused(self, *, force: bool = False, new_account: bool = False) -> None:
        """
        Raise `PlanError` if the plan as a whole must not be applied.

        `force` permits one that changes too much at once, `new_account` the first one for an account; neither permits
        one that deprecates too much.
        """
        given = self.permitted or self.options
        given = replace(given, force=force or given.force, new_account=new_account or given.new_account)
        if refusal := self._refusal(given):
            raise PlanError(f"{refusal}.")

    def raise_if_moved(self, now: Plan) -> None:
        """
        Raise `PlanError` unless `now`, made of the same wishes and a new snapshot, is this same plan.

        The error names the options that differ, or the flows that are not as they were.
        """
        if self.digest == now.digest:
            return
        before, after = _choices(self.options), _choices(now.options)
        options = [name for name, value in before.items() if value != after[name]]
        if options:
            made = ", ".join(f"{name} = {json.dumps(before[name])}" for name in options)
            raise PlanError(f"the plan was made with other options: {made}. Say the same to apply it.")
        old, new = ({it.key: _facts(it) for it in plan.changes} for plan in (self, now))
        moved = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key)]
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
            "other_account": self.other_account or None,
            "flows": [_change_json(change) for change in self.changes],
        }

    @classmethod
    def from_json(
        cls, document: Mapping[str, Any], flows: Iterable[DesiredFlow], *, permitted: PlanOptions | None = None
    ) -> Plan:
        """
        The plan that `to_json` wrote, with the flows that it was made for.

        It says what was found, and gives no permission: `permitted` does, without which a plan that deprecates or
        un-publishes, or changes too much, is refused. Before it is applied it should be compared with a new one
        (`raise_if_moved`), and that one be applied.
        Raises `PlanError` if it cannot be read, or if the flows are not what they were.
        """
        desired = {flow.key: flow for flow in flows}
        try:
            plan = _read_plan(read.table(document), desired, permitted or PlanOptions())
        except (KeyError, TypeError, ValueError, RecursionError):
            raise PlanError("this is no plan, or one of another version of this library.") from None
        if plan.digest != document["digest"]:
            raise PlanError(_OTHER_FLOWS)
        return plan


# -- a plan as plain values

_OTHER_FLOWS: Final = "the flows in the files are not what they were when the plan was made."
_PERMISSIONS: Final = ("force", "new_account", "prune_limit", "max_changes")  # asked of whoever applies it
_OPTIONS: Final[Mapping[str, Callable[[object], Any]]] = {
    "allow_unpublish": read.flag,
    "prune": read.flag,
    "prune_limit": read.count,
    "max_changes": read.share,
    "force": read.flag,
    "new_account": read.flag,
    "validate": lambda value: read.one_of(value, get_args(Validate)),
    "today": lambda value: None if value is None else date.fromisoformat(read.text(value)),
}


def _options_json(options: PlanOptions) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in PlanOptions.__slots__}
    return {**given, "today": None if options.today is None else options.today.isoformat()}


def _choices(options: PlanOptions) -> dict[str, Any]:
    """The options on which it depends what is done."""
    return {name: value for name, value in _options_json(options).items() if name not in _PERMISSIONS}


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


_Readers = Mapping[str, Callable[[object], Any]]
# What was seen of a flow, and how it is read: what a plan rests on, and what a lock file of one machine adds to it.
_SEEN: Final[_Readers] = {
    "id": read.text,
    "name": read.text,
    "status": read.text,
    "endpoint_uri": read.optional_text,
    "application_id": read.optional_text,
    "updated_at": read.text,
    "digest": read.optional_text,
    "categories": read.texts,
}
_LOCAL: Final[_Readers] = {
    "json_version": read.optional_text,
    "data_api_version": read.optional_text,
    "processed": read.optional_flag,
    "known": read.flag,
    "generation": read.count,
    "last_generation": read.count,
    "source": lambda value: read.one_of(value, get_args(Source)),
    "untold": lambda value: frozenset(read.texts(value)),
}
_OTHER: Final[_Readers] = dict.fromkeys(("id", "name", "status", "updated_at", "key"), read.text)


def _facts(change: FlowChange) -> list[Any]:
    """What a plan rests on: the wish, and what Meta said; not what a lock file of one machine adds to it."""
    return [change.key, change.name, _wish(change.desired), _seen_json(change, _SEEN), change.after]


def _seen_json(change: FlowChange, fields: Iterable[str] = (*_SEEN, *_LOCAL)) -> dict[str, Any] | None:
    seen = change.actual
    if seen is None:
        return None
    if isinstance(seen, OtherFlow):
        return {name: getattr(seen, name) for name in _OTHER}
    values = {name: getattr(seen, name) for name in fields}
    return {name: sorted(value) if isinstance(value, tuple | frozenset) else value for name, value in values.items()}


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
        "after": change.after or None,
        "calls": change.calls,
        "wanted": _wish(change.desired),
        "seen": _seen_json(change),
    }


def _read_plan(document: Mapping[str, Any], desired: Mapping[str, DesiredFlow], permitted: PlanOptions) -> Plan:
    if read.count(document["version"]) != PLAN_VERSION:
        raise PlanError("the plan was made by another version of this library.")
    read.text(document["digest"])
    options = read.table(document["options"])
    return Plan(
        account_id=read.optional_text(document["account_id"]),
        changes=tuple(_read_change(read.table(item), desired) for item in read.items(document["flows"])),
        options=PlanOptions(**{name: reader(options[name]) for name, reader in _OPTIONS.items()}),
        listed=read.count(document["listed"]),
        remembers=read.flag(document["remembers"]),
        other_account=read.optional_text(document["other_account"]) or "",
        permitted=permitted,
    )


def _read_change(item: Mapping[str, Any], desired: Mapping[str, DesiredFlow]) -> FlowChange:
    key, seen = read.text(item["key"]), _read_seen(item["seen"])
    if item["wanted"] is not None and key not in desired:
        raise PlanError(_OTHER_FLOWS)
    flow = None if item["wanted"] is None else desired[key]
    steps = tuple(read.one_of(step, get_args(Step)) for step in read.items(item["steps"]))
    blocked = item["blocked"]
    if (flow is None) != (isinstance(seen, OtherFlow)) or (flow is None and steps != ("deprecate",)):
        raise ValueError("a change of no flow")
    return FlowChange(
        key=key,
        name=read.text(item["name"]),
        action=read.one_of(item["action"], get_args(Action)),
        steps=steps,
        desired=flow,
        actual=seen,
        reason=read.optional_text(item["reason"]) or "",
        blocked=None if blocked is None else read.one_of(blocked, get_args(Blocked)),
        unpublishes=read.flag(item["unpublishes"]),
        may_replace=read.flag(item["may_replace"]),
        after=read.optional_text(item["after"]) or "",
    )


def _read_seen(value: object) -> ActualFlow | OtherFlow | None:
    if value is None:
        return None
    seen = read.table(value)
    if "key" in seen:
        return OtherFlow(**{name: reader(seen[name]) for name, reader in _OTHER.items()})
    return ActualFlow(**{name: reader(seen[name]) for name, reader in {**_SEEN, **_LOCAL}.items()})


def counted(changes: Iterable[FlowChange]) -> Iterator[tuple[Action, int]]:
    """How many changes there are of each kind, in the order of `Action`; kinds without any are left out."""
    found = [change.action for change in changes]
    for action in get_args(Action):
        if action in found:
            yield action, found.count(action)
