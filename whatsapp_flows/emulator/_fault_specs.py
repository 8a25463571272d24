"""
Faults as JSON or TOML data: the arguments of `Emulator.fail`, parsed and serialized.

    {"operation": "update_flow_json", "code": 139001, "subcode": 4016012, "times": 2}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Final

from ._faults import MAX_FAULTS, Fault, FaultRule

_TEXT: Final = (str,)
_WHOLE: Final = (int,)
_REAL: Final = (int, float)
# Name -> the types of its value. JSON and TOML have no bytes: a body is a string or an object.
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
_TYPE_NAMES: Final[Mapping[tuple[type, ...], str]] = {
    _TEXT: "a string",
    _WHOLE: "a whole number",
    _REAL: "a number",
    (bool,): "true or false",
    (str, dict): "a string or an object",
    (dict,): "an object of strings",
}


def read_faults(content: object) -> tuple[FaultRule, ...]:
    """
    The rules from a file or a request: an array of faults, or an object with an array `faults`.

    ValueError names the number of the invalid fault, and the reason.
    """
    listed = content.get("faults") if isinstance(content, Mapping) else content
    if isinstance(content, Mapping):
        for name in content.keys() - {"faults"}:
            raise ValueError(f"unknown key {name!r}: faults are listed in an array named 'faults'")
    if not isinstance(listed, list):
        raise ValueError("faults must be an array of objects")  # noqa: TRY004  wrong input
    if len(listed) > MAX_FAULTS:
        raise ValueError(f"at most {MAX_FAULTS} faults, not {len(listed)}")
    rules = []
    for number, item in enumerate(listed, 1):
        try:
            rules.append(read_fault(item))
        except ValueError as error:
            raise ValueError(f"fault {number}: {error}") from None
    return tuple(rules)


def read_fault(content: object) -> FaultRule:
    """A rule from an object. ValueError for an unknown name, a wrong type, and what `FaultRule` rejects."""
    if not isinstance(content, Mapping):
        raise ValueError("a fault must be an object")  # noqa: TRY004  wrong input, like every error in a fault
    for name, value in content.items():
        allowed = _TYPES.get(name)
        if allowed is None:
            near = get_close_matches(str(name), _TYPES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_TYPES)}"
            raise ValueError(f"unknown key {name!r}: {hint}")
        if not isinstance(value, allowed) or (type(value) is bool and bool not in allowed):
            raise ValueError(f"{name} must be {_TYPE_NAMES[allowed]}, not {value!r:.100}")
    headers = content.get("headers", {})
    if not all(isinstance(value, str) for value in headers.values()):
        raise ValueError("headers must be an object of strings")
    return FaultRule(**dict(content))


def fault_to_json(number: int, fault: Fault) -> dict[str, object]:
    """A fault as JSON: its number, its rule, and its counts."""
    return {"id": number, **_rule_to_json(fault.rule), "seen": fault.seen, "struck": fault.struck}


def _rule_to_json(rule: FaultRule) -> dict[str, Any]:
    values = {field.name: getattr(rule, field.name) for field in fields(rule)}
    if isinstance(values["body"], bytes):
        values["body"] = values["body"].decode("utf-8", "replace")
    return {name: value for name, value in values.items() if value is not None and value != {}}
