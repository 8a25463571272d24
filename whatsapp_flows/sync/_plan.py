"""
What is to be done: `diff` looks at what is wanted and what is there, and answers with a plan. It does no I/O.

An upload or new metadata move a PUBLISHED flow back to DRAFT (Meta, "Flows lifecycle"), where nobody can use it. So:

    Meta's flow is        the same as wanted       differs
    not there                                      create
    DRAFT                 unchanged, or publish    upload or update; then publish, if that is wanted
    PUBLISHED             unchanged                republish if it is wanted published; else blocked, or with
                                                   `allow_unpublish` upload or update, which leave a draft
    THROTTLED, BLOCKED    unchanged                blocked; with `replace`, replace
    DEPRECATED            blocked                  blocked; with `replace`, replace
    in another state      unchanged                blocked

What would be sent is validated first, and blocked if Meta would find errors in it. An unchanged flow that the lock file
does not have yet is adopted. Whether a PUBLISHED flow refuses edits, as some old ones do, is only found out by trying:
with `replace`, another flow takes its place then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal, get_args

from ..errors import ConfigurationError, FlowsError, PlanError, ValidationIssue
from ..flow_json import validate
from ..models import FlowStatus
from ._desired import DesiredFlow
from ._snapshot import ActualFlow, OtherFlow, Snapshot, generation_name, times_pages

Action = Literal[
    "create", "adopt", "upload", "update", "publish", "republish", "replace", "deprecate", "unchanged", "blocked"
]
"""A change in one word; `upload` and `update` may publish as well, `republish` un-publishes for a moment."""

Step = Literal["create", "update", "upload", "publish", "deprecate"]
"""One write: `update` is new metadata, `upload` a new Flow JSON. `create` takes along what no later step brings."""

Blocked = Literal["validation", "frozen", "deprecated", "name", "state", "unpublish", "unread"]
"""Why a flow is left alone: `name` is one that a deprecated flow holds, `unread` means that Meta did not say."""

# The Flow JSON goes into the `create` itself up to here; a larger one as a file, as "Flows API" documents up to 10 MB.
_INLINE_BYTES: Final = 1024 * 1024
_LONGEST_NAME: Final = 200  # two vendors' documentation
_LIVE: Final = frozenset({"PUBLISHED", "THROTTLED", "BLOCKED"})
_PUT_ASIDE: Final = frozenset({"THROTTLED", "BLOCKED"})
_FEW: Final = 10  # so many changes are never too many
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


def diff(desired: Iterable[DesiredFlow], snapshot: Snapshot, options: PlanOptions | None = None) -> Plan:
    """
    The plan that makes what is there what is wanted.

    With `prune`, `desired` must be all the flows of a workspace: what is not among them is wanted no more.
    """
    options = options or PlanOptions()
    changes = [change_of(flow, snapshot.flows.get(flow.key), options) for flow in desired]
    wanted = {change.key for change in changes}
    pruned = [_deprecation(other, wanted) for other in snapshot.others if options.prune and _is_ours(other)]
    return Plan(
        account_id=snapshot.account_id,
        changes=(*changes, *pruned),
        options=options,
        refusal=_refusal(changes, len(pruned), options),
        listed=snapshot.listed,
        remembers=snapshot.remembers,
    )


def _is_ours(other: OtherFlow) -> bool:
    """Only what was deployed from here is ever deprecated: an account may be shared."""
    return bool(other.key) and other.status in _LIVE


def _deprecation(other: OtherFlow, wanted: set[str]) -> FlowChange:
    replaced = other.key in wanted
    return FlowChange(
        key=f"{other.key}@{other.id}" if replaced else other.key,
        name=other.name,
        action="deprecate",
        steps=("deprecate",),
        actual=other,
        reason="another flow has taken its place" if replaced else "no longer wanted",
    )


def _refusal(changes: list[FlowChange], pruned: int, options: PlanOptions) -> str:
    """Why so much must not be done at once. New flows harm nobody, and do not count."""
    if pruned > options.prune_limit:
        return f"{pruned} flows would be deprecated, for good, and at most {options.prune_limit} may be"
    there = [change for change in changes if change.actual is not None]
    touched = [change for change in there if change.steps and change.action != "publish"]
    if options.force or len(touched) <= max(_FEW, options.max_changes * len(there)):
        return ""
    return f"{len(touched)} of the {len(there)} flows that are there would be changed at once: say force to do it"


# -- one flow


def change_of(desired: DesiredFlow, actual: ActualFlow | None, options: PlanOptions) -> FlowChange:
    """The change of one flow: the table at the top of this module."""
    base = FlowChange(key=desired.key, name=desired.name, action="unchanged", desired=desired, actual=actual)
    if actual is None:
        return _checked(_creation(base, desired), options)
    base = replace(base, name=actual.name or desired.name)
    if actual.error is not None:
        return replace(base, action="blocked", blocked="unread", error=actual.error, reason=str(actual.error))
    if actual.status == FlowStatus.DEPRECATED:
        return _deprecated(base, desired, actual, options)
    steps = _differences(desired, actual)
    if actual.status == FlowStatus.DRAFT:
        return _draft(base, desired, actual, steps, options)
    if not steps:
        return base if actual.known else replace(base, action="adopt", reason="found by its name")
    if actual.status in _PUT_ASIDE:
        if desired.replace:
            return _replacement(base, desired, actual, options)
        return _stopped(base, "state", f"{actual.status.lower()}, and cannot be edited; replace = true replaces it")
    if actual.status != FlowStatus.PUBLISHED:
        return _stopped(base, "state", f"in the state {actual.status}, which is not known")
    if desired.publish:
        change = replace(base, action="republish", steps=(*steps, "publish"), may_replace=desired.replace)
        return _checked(replace(change, unpublishes=True), options)
    if options.allow_unpublish:
        change = replace(base, action=_word(steps), steps=steps, unpublishes=True, may_replace=desired.replace)
        return _checked(change, options)
    way_out = "publish = true publishes it again, --allow-unpublish leaves it a draft"
    return _stopped(base, "unpublish", f"published, and a change would make it a draft; {way_out}")


def _draft(
    base: FlowChange, desired: DesiredFlow, actual: ActualFlow, steps: tuple[Step, ...], options: PlanOptions
) -> FlowChange:
    upload = "upload" in steps
    if not upload and (actual.processed is False or (desired.publish and actual.processed is None)):
        # Meta may have stored it and not processed it (139001/4016012): what nobody remembers is sent again.
        steps, again = (*steps, "upload"), True
    else:
        again = False
    if not upload and desired.publish and actual.validation_errors:
        count = len(actual.validation_errors)
        reason = f"Meta found {count} error{'' if count == 1 else 's'} in {_file(desired)}"
        return replace(_stopped(base, "validation", reason), issues=actual.validation_errors)
    if desired.publish:
        word: Action = "publish" if not steps or (again and steps == ("upload",)) else _word(steps)
        return _checked(replace(base, action=word, steps=(*steps, "publish")), options)
    if steps:
        return _checked(replace(base, action=_word(steps), steps=steps), options)
    return base if actual.known else replace(base, action="adopt", reason="found by its name")


def _word(steps: tuple[Step, ...]) -> Action:
    return "upload" if "upload" in steps else "update"


def _creation(base: FlowChange, desired: DesiredFlow) -> FlowChange:
    """
    One request where that is safe.

    A large document goes as a file, and an application cannot be named in a `create`: publishing comes after both.
    """
    later: list[Step] = []
    if desired.application_id is not None:
        later.append("update")
    if len(desired.content) > _INLINE_BYTES:
        later.append("upload")
    if later and desired.publish:
        later.append("publish")
    return replace(base, action="create", steps=("create", *later))


def _replacement(base: FlowChange, desired: DesiredFlow, actual: ActualFlow, options: PlanOptions) -> FlowChange:
    name = generation_name(desired.name, actual.last_generation + 1)
    if len(name) > _LONGEST_NAME:
        return _stopped(base, "name", f"a flow to replace it would have a name of over {_LONGEST_NAME} characters")
    reason = f"{actual.name} is {actual.status.lower()}"
    change = replace(_creation(base, desired), action="replace", name=name, reason=reason)
    return _checked(change, options)


def replaced(change: FlowChange) -> FlowChange:
    """The change that makes another flow of one that refuses to be edited."""
    if change.desired is None or not isinstance(change.actual, ActualFlow):
        return change
    return _replacement(replace(change, unpublishes=False), change.desired, change.actual, PlanOptions())


def _deprecated(base: FlowChange, desired: DesiredFlow, actual: ActualFlow, options: PlanOptions) -> FlowChange:
    if desired.replace:
        return _replacement(base, desired, actual, options)
    if actual.known:
        return _stopped(base, "deprecated", "deprecated, for good; give it another name, or replace = true")
    return _stopped(base, "name", "a deprecated flow has this name; give it another one, or replace = true")


def _stopped(base: FlowChange, why: Blocked, reason: str) -> FlowChange:
    return replace(base, action="blocked", blocked=why, reason=reason, steps=())


def _checked(change: FlowChange, options: PlanOptions) -> FlowChange:
    """The change, or blocked if Meta would find errors in what it sends."""
    desired = change.desired
    if desired is None:
        return change
    errors = validate(desired.content, today=options.today, advice=False).errors
    if not errors:
        return change
    frozen = any(error.error == "INVALID_FLOW_JSON_VERSION" for error in errors)
    count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
    reason = errors[0].message.rstrip(".") if frozen else f"there {'is' if len(errors) == 1 else 'are'} {count}"
    stopped = _stopped(change, "frozen" if frozen else "validation", f"{reason} in {_file(desired)}")
    return replace(stopped, issues=errors, unpublishes=False, may_replace=False)


def _file(desired: DesiredFlow) -> str:
    return desired.file.name if desired.file is not None else "its Flow JSON"


def _differences(desired: DesiredFlow, actual: ActualFlow) -> tuple[Step, ...]:
    """The writes that would make them the same. What the wish leaves open is not compared."""
    metadata = (
        set(desired.categories) != set(actual.categories)
        or desired.endpoint_uri not in {None, actual.endpoint_uri}
        or desired.application_id not in {None, actual.application_id}
    )
    found: dict[Step, bool] = {"update": metadata, "upload": desired.digest != actual.digest}
    return tuple(step for step, due in found.items() if due)


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
