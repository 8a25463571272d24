"""
The `fields` parameter: which fields of a node a call selects.

    selection = field { "," field }
    field     = name { "." name "(" value ")" } [ "{" selection "}" ]

1. The text is parsed into a tree of frozen values; a syntax error is code 2500 with its position.
2. The tree is checked against the table of the node's fields before any value is computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ._errors import Problem, graph_error

_NAME: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*")
_VALUE: Final = re.compile(r"\(([^()]*)\)\s*")
# More than any node of this API has; prevents a stack overflow by "a{a{a{".
_MAX_DEPTH: Final = 8

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Field:
    """A selected field, with its arguments and its nested selection."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()
    inside: tuple[Field, ...] = ()

    def argument(self, name: str) -> str | None:
        """The value of an argument; of several, the last."""
        return dict(self.arguments).get(name)


@dataclass(frozen=True, slots=True)
class NodeField(Generic[View]):
    """The definition of a field: its value (None: absent), its arguments, and the names that can be nested in it."""

    resolve: Callable[[View, Field], object]
    arguments: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()


def parse(text: str) -> tuple[Field, ...]:
    """The fields that a text selects; code 2500 for a syntax error."""
    fields, end = _selection(text, 0, 1)
    if end != len(text):
        raise _syntax_error(text, end)
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
    """Raise for a field, an argument or a nested name that the node does not have: code 100."""
    for field in fields:
        known = table.get(field.name)
        if known is None:
            raise _unknown_field(field.name)
        for name, _ in field.arguments:
            if name not in known.arguments:
                raise graph_error(
                    Problem.INVALID_PARAMETER, f"(#100) Unknown argument ({name}) of field ({field.name})"
                )
        for nested in field.inside:
            if nested.name not in known.inside:
                raise _unknown_field(nested.name)


def project(fields: tuple[Field, ...], table: Mapping[str, NodeField[View]], view: View) -> dict[str, object]:
    """The values of the checked fields of a node, in the order of the selection, without absent ones."""
    values: dict[str, object] = {}
    for field in fields:
        value = table[field.name].resolve(view, field)
        if value is not None:
            values[field.name] = _select(value, field.inside)
    return values


def _select(value: object, inside: tuple[Field, ...]) -> object:
    """A value reduced to the names selected inside it; lists and edges are reduced item by item."""
    if not inside:
        return value
    if isinstance(value, list):
        return [_select(item, inside) for item in value]
    if isinstance(value, dict) and "data" in value:
        return {**value, "data": _select(value["data"], inside)}
    if isinstance(value, dict):
        return {field.name: _select(value[field.name], field.inside) for field in inside if field.name in value}
    return value


def _selection(text: str, at: int, depth: int) -> tuple[tuple[Field, ...], int]:
    """The fields that start at a position, and the position after them."""
    if depth > _MAX_DEPTH:
        raise _syntax_error(text, at)
    fields: list[Field] = []
    while True:
        field, at = _field(text, at, depth)
        fields.append(field)
        if not text.startswith(",", at):
            return tuple(fields), at
        at += 1


def _field(text: str, at: int, depth: int) -> tuple[Field, int]:
    """The field that starts at a position, and the position after it."""
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
        raise _syntax_error(text, at)
    at += 1
    while at < len(text) and text[at].isspace():
        at += 1
    return Field(name, tuple(arguments), inside), at


def _match(pattern: re.Pattern[str], text: str, at: int) -> tuple[str, int]:
    """The first group of a pattern at a position, and the position after it."""
    found = pattern.match(text, at)
    if found is None:
        raise _syntax_error(text, at)
    return found[1], found.end()


def _syntax_error(text: str, at: int) -> Exception:
    found = f'"{text[at]}"' if at < len(text) else "end of string"
    return graph_error(Problem.BAD_QUERY, f"Syntax error: unexpected {found} at character {at} of fields")


def _unknown_field(name: str) -> Exception:
    return graph_error(Problem.INVALID_PARAMETER, f"(#100) Tried accessing nonexisting field ({name})")
