"""
The parts of a plan as plain values, and back.

The type of each value is checked, because a plan file may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final, get_args

from ..._documents import Validate
from ...errors import PlanError
from ..account import ActualFlow, OtherFlow, Source
from ..desired import DesiredFlow
from . import _reading as read
from ._change import Action, Blocked, FlowChange, PlanOptions, Step

OTHER_FLOWS: Final = "the flows in the files have changed since the plan was made."
_PERMISSIONS: Final = ("force", "new_account", "prune_limit", "max_changes")  # given by whoever applies the plan
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


def options_json(options: PlanOptions) -> dict[str, Any]:
    """The options as plain values."""
    given = {name: getattr(options, name) for name in PlanOptions.__slots__}
    return {**given, "today": None if options.today is None else options.today.isoformat()}


def read_options(value: object) -> PlanOptions:
    """The options that `options_json` wrote. Raises `ValueError`, `TypeError` or `KeyError` for anything else."""
    given = read.table(value)
    return PlanOptions(**{name: reader(given[name]) for name, reader in _OPTIONS.items()})


def relevant_options(options: PlanOptions) -> dict[str, Any]:
    """The options that determine the changes."""
    return {name: value for name, value in options_json(options).items() if name not in _PERMISSIONS}


def _desired_json(desired: DesiredFlow | None) -> dict[str, Any] | None:
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
# The keys of an actual flow, and how each is read. The digest covers `_SEEN`; `_LOCAL` depends on the lock file.
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
_ATTRIBUTES: Final = {"untold": "unreported"}  # key -> attribute, where they have different names
_OTHER: Final[_Readers] = dict.fromkeys(("id", "name", "status", "updated_at", "key"), read.text)


def fingerprint(change: FlowChange) -> list[Any]:
    """What the digest covers: the desired state and what Meta reported, without what depends on the lock file."""
    return [change.key, change.name, _desired_json(change.desired), _seen_json(change, _SEEN), change.after]


def _seen_json(change: FlowChange, fields: Iterable[str] = (*_SEEN, *_LOCAL)) -> dict[str, Any] | None:
    seen = change.actual
    if seen is None:
        return None
    if isinstance(seen, OtherFlow):
        return {name: getattr(seen, name) for name in _OTHER}
    values = {name: getattr(seen, _ATTRIBUTES.get(name, name)) for name in fields}
    return {name: sorted(value) if isinstance(value, tuple | frozenset) else value for name, value in values.items()}


def change_json(change: FlowChange) -> dict[str, Any]:
    """A change as plain values, the Flow JSON as its digest."""
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
        "wanted": _desired_json(change.desired),
        "seen": _seen_json(change),
    }


def read_change(value: object, desired: Mapping[str, DesiredFlow]) -> FlowChange:
    """The change that `change_json` wrote, with its desired flow. Raises as `read_options` does."""
    item = read.table(value)
    key, seen = read.text(item["key"]), _read_seen(item["seen"])
    if item["wanted"] is not None and key not in desired:
        raise PlanError(OTHER_FLOWS)
    flow = None if item["wanted"] is None else desired[key]
    steps = tuple(read.one_of(step, get_args(Step)) for step in read.items(item["steps"]))
    blocked = item["blocked"]
    if (flow is None) != (isinstance(seen, OtherFlow)) or (flow is None and steps != ("deprecate",)):
        raise ValueError("a change without a flow")
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
    readers = {**_SEEN, **_LOCAL}
    return ActualFlow(**{_ATTRIBUTES.get(name, name): reader(seen[name]) for name, reader in readers.items()})
