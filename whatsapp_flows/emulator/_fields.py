"""
The `fields` parameter: what a caller wants to see of a node.

    selection = field { "," field }
    field     = name { "." name "(" value ")" } [ "{" selection "}" ]

Rule 1: text becomes a tree of frozen values, or code 2500 says where it could not be read.
Rule 2: the tree is checked against a table of the node's fields before anything is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ._errors import Problem, graph_error

_NAME: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*")
_VALUE: Final = re.compile(r"\(([^()]*)\)\s*")
# Deeper than any node of this API; keeps a hostile "a{a{a{" from exhausting the stack.
_MAX_DEPTH: Final = 8

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Field:
    """One selected field, with its arguments and what is selected inside it."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()
    inside: tuple[Field, ...] = ()

    def argument(self, name: str) -> str | None:
        """The last value given for an argument."""
        return dict(self.arguments).get(name)


@dataclass(frozen=True, slots=True)
class NodeField(Generic[View]):
    """How a node answers for one field: its value (None: absent), the arguments it takes, the names inside it."""

    resolve: Callable[[View, Field], object]
    arguments: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()


def parse(text: str) -> tuple[Field, ...]:
    """The fields that a text selects; code 2500 when it cannot be read."""
    fields, end = _selection(text, 0, 1)
    if end != len(text):
        raise _unreadable(text, end)
    return fields


def unparse(fields: tuple[Field, ...]) -> str:
    """The text that selects these fields."""
    return ",".join(
        field.name
        + "".join(f".{name}({value})" for name, value in field.arguments)
        + (f"{{{unparse(field.inside)}}}" if field.inside else "")
        for field in fields
    )


def check(fields: tuple[Field, ...], table: Mapping[str, NodeField[View]]) -> None:
    """Refuse a field, an argument or a nested name that the node does not have: code 100."""
    for field in fields:
        known = table.get(field.name)
        if known is None:
            raise _nonexisting(field.name)
        for name, _ in field.arguments:
            if name not in known.arguments:
                raise graph_error(
                    Problem.INVALID_PARAMETER, f"(#100) Unknown argument ({name}) of field ({field.name})"
                )
        for nested in field.inside:
            if nested.name not in known.inside:
                raise _nonexisting(nested.name)


def project(fields: tuple[Field, ...], table: Mapping[str, NodeField[View]], view: View) -> dict[str, object]:
    """The checked fields of one node, in the order asked for; absent values are left out."""
    answer: dict[str, object] = {}
    for field in fields:
        value = table[field.name].resolve(view, field)
        if value is not None:
            answer[field.name] = _narrow(value, field.inside)
    return answer


def _narrow(value: object, inside: tuple[Field, ...]) -> object:
    """A value cut down to the names selected inside it; an edge is cut down item by item."""
    if not inside:
        return value
    if isinstance(value, list):
        return [_narrow(item, inside) for item in value]
    if isinstance(value, dict) and "data" in value:
        return {**value, "data": _narrow(value["data"], inside)}
    if isinstance(value, dict):
        return {field.name: _narrow(value[field.name], field.inside) for field in inside if field.name in value}
    return value


def _selection(text: str, at: int, depth: int) -> tuple[tuple[Field, ...], int]:
    """The fields that begin at a position, and the position behind them."""
    if depth > _MAX_DEPTH:
        raise _unreadable(text, at)
    fields: list[Field] = []
    while True:
        field, at = _field(text, at, depth)
        fields.append(field)
        if not text.startswith(",", at):
            return tuple(fields), at
        at += 1


def _field(text: str, at: int, depth: int) -> tuple[Field, int]:
    """The field that begins at a position, and the position behind it."""
    name, at = _match(_NAME, text, at)
    arguments: list[tuple[str, str]] = []
    while text.startswith(".", at):
        argument, at = _match(_NAME, text, at + 1)
        value, at = _match(_VALUE, text, at)
        arguments.append((argument, value.strip()))
    if not text.startswith("{", at):
        return Field(name, tuple(arguments)), at
    inside, at = _selection(text, at + 1, depth + 1)
    if not text.startswith("}", at):
        raise _unreadable(text, at)
    at += 1
    while at < len(text) and text[at].isspace():
        at += 1
    return Field(name, tuple(arguments), inside), at


def _match(pattern: re.Pattern[str], text: str, at: int) -> tuple[str, int]:
    """The first group of a pattern at a position, and the position behind it."""
    found = pattern.match(text, at)
    if found is None:
        raise _unreadable(text, at)
    return found[1], found.end()


def _unreadable(text: str, at: int) -> Exception:
    found = f'"{text[at]}"' if at < len(text) else "end of string"
    return graph_error(Problem.BAD_QUERY, f"Syntax error: unexpected {found} at character {at} of fields")


def _nonexisting(name: str) -> Exception:
    return graph_error(Problem.INVALID_PARAMETER, f"(#100) Tried accessing nonexisting field ({name})")
