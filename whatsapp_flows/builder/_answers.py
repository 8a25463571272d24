"""
Writes TypedDicts for what a Flow sends and takes: its answer, what its screens submit, what they show.

The types are those of the values when they arrive: the text of an input, the ids of options, the files of a picker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import Any, Final

from .. import flow_json
from ._actions import Complete, DataExchange
from ._base import Action, Component, Data, InnerField, Input, Item, OwnValue, Reference
from ._code import string
from ._expressions import Constant, Expr, type_of
from ._flow import Flow, Screen
from ._read import from_json
from ._walk import inner_components

_PLAIN: Final = {"string": "str", "boolean": "bool", "number": "float", "integer": "int"}
_FILE: Final = "dict[str, Any]"
_RANGE: Final = "dict[str, str]"
# A number may arrive as a text: phones hand it on as one (field report, 7.1).
_INPUTS: Final = {
    "CheckboxGroup": "list[str]",
    "ChipsSelector": "list[str]",
    "DocumentPicker": f"list[{_FILE}]",
    "OptIn": "bool",
    "PhotoPicker": f"list[{_FILE}]",
}
_WORDS: Final = re.compile(r"\w+").findall
_UNPLAIN: Final = re.compile(r"[^A-Za-z0-9_,]")
"""Characters that no valid screen id has. They are removed, so that a hostile id cannot end the docstring."""
_FIELD: Final = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
"""A key that stays as it is in the body of a class: others are mangled (`__x`) or normalised (`ﬁ`) by Python."""
_TYPE_NAMES: Final = frozenset({"Any", "NotRequired", "bool", "dict", "float", "int", "list", "str"})
"""What the types are written with: a field of such a name would hide it from the fields after it."""


def answers(source: flow_json.FlowJson) -> str:
    """
    A Python module of TypedDicts for a Flow JSON, as source.

    - `Answer`: the payload of `complete`, which the webhook's `response_json` holds, with the flow token.
    - `ChooseData`: what the screen CHOOSE submits to the endpoint, `FlowRequest.data`.
    - `ChooseScreen`: the data that an answer which shows the screen must hold.

    A key that not every action of a screen sends is `NotRequired`. The module is laid out as common formatters do and
    passes `mypy --strict`. Raises `ConfigurationError` for what cannot be read.
    """
    return _Module(from_json(source)).source()


class _Module:
    """The classes, and the names that they need of `typing`."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._classes: list[str] = []
        self._names: set[str] = set()

    def source(self) -> str:
        screens = [screen for screen in self._flow.screens if isinstance(screen, Screen)]
        for screen in screens:
            sent = _payloads(screen, DataExchange)
            name, shown = _camel(screen.id), _UNPLAIN.sub("_", screen.id)
            if sent:
                self._write(f"{name}Data", f"What {shown} submits to the endpoint.", _merged(sent))
            if screen.data:
                fields = [(field.name, _schema_type(field.schema), True) for field in screen.data]
                self._write(f"{name}Screen", f"The data that {shown} is shown with.", fields)
        found = _merged([payload for screen in screens for payload in _payloads(screen, Complete)])
        self._write("Answer", "What the business gets at the end.", [("flow_token", "str", True), *found])
        body = "\n\n\n".join(self._classes)
        words = set(_WORDS(body))
        extended = ", ".join(name for name in ("NotRequired", "TypedDict") if name in words)
        typing = "from typing import Any\n\n" if "Any" in words else ""
        return f"{typing}from typing_extensions import {extended}\n\n\n{body}\n"

    def _write(self, name: str, documentation: str, entries: Sequence[tuple[str, str, bool]]) -> None:
        unique = next(each for each in _numbered(name) if each not in self._names)
        self._names.add(unique)
        typed = [(key, kind if always else f"NotRequired[{kind}]") for key, kind, always in entries]
        if all(_FIELD.fullmatch(key) and not iskeyword(key) and key not in _TYPE_NAMES for key, _ in typed):
            lines = [f"class {unique}(TypedDict):", f'    """{documentation}"""', ""]
            lines += [f"    {key}: {kind}" for key, kind in typed]
            self._classes.append("\n".join(lines[: None if typed else 2]))
            return
        lines = [f"{unique} = TypedDict(", f"    {string(unique)},", "    {"]
        lines += [f"        {string(key)}: {kind}," for key, kind in typed]
        self._classes.append("\n".join([*lines, "    },", ")", f'"""{documentation}"""']))


def _merged(found: Sequence[Mapping[str, str]]) -> list[tuple[str, str, bool]]:
    """(key, type, whether all have it) of several payloads."""
    keys = dict.fromkeys(key for each in found for key in each)
    return [
        (key, " | ".join(dict.fromkeys(each[key] for each in found if key in each)), all(key in each for each in found))
        for key in keys
    ]


def _payloads(screen: Screen, kind: type[Action]) -> list[dict[str, str]]:
    """The types of the payloads of all actions of a kind on a screen, by key."""
    found: list[dict[str, str]] = []
    for component, action in _actions(screen):
        if isinstance(action, kind):
            payload = action.properties.get("payload", {})
            entries = payload.items() if isinstance(payload, Mapping) else ()
            found.append({key: _value_type(value, component) for key, value in entries if key != "flow_token"})
    return found


def _actions(screen: Screen) -> Iterator[tuple[Component, Action]]:
    ahead: list[Any] = list(screen.children or ())
    while ahead:
        component = ahead.pop(0)
        if isinstance(component, Component):
            for key, value in component.properties.items():
                if key not in component.holds:
                    yield from ((component, action) for action in _actions_in(value))
            ahead = [*inner_components(component), *ahead]


def _actions_in(value: Any) -> Iterator[Action]:
    if isinstance(value, Action):
        yield value
    elif isinstance(value, Item):
        for each in value.properties.values():
            yield from _actions_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _actions_in(each)


# -- types


def _value_type(value: Any, component: Component) -> str:
    """The type of a value in the payload of an action of a component."""
    if isinstance(value, OwnValue):
        return _input_type(component) if isinstance(component, Input) else "Any"
    if isinstance(value, Reference):
        return _reference_type(value)
    if isinstance(value, Expr) and not isinstance(value, Constant):
        return _PLAIN.get(type_of(value), "Any")
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "str"
    if isinstance(value, (int, float)):
        return "float" if isinstance(value, float) else "int"
    if isinstance(value, Mapping):
        return "dict[str, Any]"
    return "list[Any]" if isinstance(value, (list, tuple)) else "Any"


def _reference_type(reference: Reference[Any]) -> str:
    owner: Any = reference.owner
    if isinstance(owner, Input):
        return _input_type(owner)
    return _schema_type(reference.schema) if isinstance(reference, (Data, InnerField)) else "Any"


def _input_type(component: Input[Any]) -> str:
    if component.kind == "CalendarPicker":
        mode = component.properties.get("mode", "single")
        return {"single": "str", "range": _RANGE}.get(mode if isinstance(mode, str) else "", f"str | {_RANGE}")
    if component.json_type == "number":
        return "str | float"
    return _INPUTS.get(component.kind, "str")


def _schema_type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return f"list[{_schema_type(items) if isinstance(items, Mapping) else 'Any'}]"
    return "dict[str, Any]" if kind == "object" else _PLAIN.get(str(kind), "Any")


def _camel(screen: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", screen)
    name = "".join(word[:1].upper() + (word[1:].lower() if word.isupper() else word[1:]) for word in words)
    return name if name and not name[0].isdigit() else f"Screen{name}"


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}{number}"
        number += 1
