"""
Faults as data: what `Emulator.fail` takes, written in JSON or TOML, and back.

    {"operation": "update_flow_json", "code": 139001, "subcode": 4016012, "times": 2}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Final

from ._faults import MOST_FAULTS, Fault, FaultRule

_TEXT: Final = (str,)
_WHOLE: Final = (int,)
_REAL: Final = (int, float)
# Name -> the types that its value may have. JSON and TOML have no bytes: a body is a text or an object.
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "operation": _TEXT,
    "flow_id": _TEXT,
    "code": _WHOLE,
    "subcode": _WHOLE,
    "message": _TEXT,
    "is_transient": (bool,),
    "status": _WHOLE,
    "body": (str, dict),
    "headers": (dict,),
    "delay": _REAL,
    "reset": _TEXT,
    "truncate": _WHOLE,
    "times": _WHOLE,
    "every": _WHOLE,
    "probability": _REAL,
}
_WORDS: Final[Mapping[tuple[type, ...], str]] = {
    _TEXT: "a string",
    _WHOLE: "a whole number",
    _REAL: "a number",
    (bool,): "true or false",
    (str, dict): "a string or an object",
    (dict,): "an object of strings",
}


def read_faults(content: object) -> tuple[FaultRule, ...]:
    """
    The rules in a file or a request: an array of faults, or an object whose `faults` is one.

    ValueError says which fault is wrong, and how.
    """
    listed = content.get("faults") if isinstance(content, Mapping) else content
    if isinstance(content, Mapping):
        for name in content.keys() - {"faults"}:
            raise ValueError(f"{name!r} is not known here: faults stand in an array named 'faults'")
    if not isinstance(listed, list):
        raise ValueError("faults must be an array of objects")  # noqa: TRY004  wrong input
    if len(listed) > MOST_FAULTS:
        raise ValueError(f"at most {MOST_FAULTS} faults, not {len(listed)}")
    rules = []
    for number, each in enumerate(listed, 1):
        try:
            rules.append(read_fault(each))
        except ValueError as mistake:
            raise ValueError(f"fault {number}: {mistake}") from None
    return tuple(rules)


def read_fault(content: object) -> FaultRule:
    """One rule from an object. ValueError for a name or a type that is wrong, and for what `FaultRule` refuses."""
    if not isinstance(content, Mapping):
        raise ValueError("a fault must be an object")  # noqa: TRY004  wrong input, like every mistake in a fault
    for name, value in content.items():
        allowed = _TYPES.get(name)
        if allowed is None:
            near = get_close_matches(str(name), _TYPES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_TYPES)}"
            raise ValueError(f"{name!r} is not known: {hint}")
        if not isinstance(value, allowed) or (type(value) is bool and bool not in allowed):
            raise ValueError(f"{name} must be {_WORDS[allowed]}, not {value!r:.100}")
    headers = content.get("headers", {})
    if not all(isinstance(value, str) for value in headers.values()):
        raise ValueError("headers must be an object of strings")
    return FaultRule(**dict(content))


def written_fault(number: int, fault: Fault) -> dict[str, object]:
    """A fault as JSON: its number, what was asked for, and what it did so far."""
    return {"id": number, **_asked_for(fault.rule), "seen": fault.seen, "struck": fault.struck}


def _asked_for(rule: FaultRule) -> dict[str, Any]:
    given = {each.name: getattr(rule, each.name) for each in fields(rule)}
    if isinstance(given["body"], bytes):
        given["body"] = given["body"].decode("utf-8", "replace")
    return {name: value for name, value in given.items() if value is not None and value != {}}
