"""
What decides which way a Flow takes, and the values worth a try to see another one.

An If has a condition, a Switch a value with its cases, and any component may have `visible`, `enabled` and `required`.
The references in them are to fields of a form or to data; the values are those that a reference is compared with, and
for a number its neighbours. They are guesses: the player says what each of them leads to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..flow_json.language import (
    COMPARISONS,
    Binary,
    ExpressionError,
    Literal,
    Name,
    Node,
    is_expression,
    parse_condition,
    parse_expression,
    parse_reference,
    walk,
    without_parentheses,
)

_MAX_VALUES: Final = 16
"""Values of one reference."""
_MAX_TEXTS: Final = 200
"""Conditions and expressions of one screen."""
_MAX_LENGTH: Final = 2_000
"""Characters of one of them."""
_MAX_PARTS: Final = 20_000
"""Values of a screen that are looked at."""

SHOWING: Final = frozenset({"condition", "visible"})
"""The properties that decide what is shown."""
_USING: Final = SHOWING | {"enabled", "required"}

Scalar = str | bool | int | float


class Source(NamedTuple):
    """A field of the form of a screen, or a value of its data: `source` is "form" or "data"."""

    screen: str
    source: str
    name: str


BranchValues = Mapping[tuple[str, str], tuple[str, ...]]
"""(screen, name of the field) -> what to enter there; empty for a field that is compared with no constant."""


def branch_values(document: Mapping[str, Any]) -> BranchValues:
    """The fields of forms on which anything in a Flow depends that can be shown, used or required."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    screens = document.get("screens")
    for screen in screens if isinstance(screens, list) else ():
        if isinstance(screen, dict):
            for source, values in deciding_values(screen, _USING).items():
                if source.source == "form":
                    texts = filter(None, map(entered, values))
                    found.setdefault((source.screen, source.name), {}).update(dict.fromkeys(texts))
    return {field: tuple(values)[:_MAX_VALUES] for field, values in found.items()}


def entered(value: Scalar) -> str:
    """A value as a user enters it in a text field."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def deciding_values(
    screen: Mapping[str, Any], properties: frozenset[str] = SHOWING
) -> Mapping[Source, tuple[Scalar, ...]]:
    """
    The references in these properties of a screen, and in the values of its Switches, in document order, each with the
    values worth a try.
    """
    found: dict[Source, dict[tuple[type, Scalar], Scalar]] = {}
    for number, (text, cases) in enumerate(_deciding_texts(screen, properties)):
        if number == _MAX_TEXTS:
            break
        for source, values in _compared(text, cases, str(screen.get("id"))):
            # True and 1 are equal in Python, and are two values in JSON.
            found.setdefault(source, {}).update({(type(value), value): value for value in values})
    return {source: tuple(values.values())[:_MAX_VALUES] for source, values in found.items()}


def _deciding_texts(
    screen: Mapping[str, Any], properties: frozenset[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:  # fmt: skip
    """Each text that decides, and the cases of a Switch; without recursion, as a document may be deep."""
    ahead: list[Any] = [screen.get("layout")]
    for _ in range(_MAX_PARTS):
        if not ahead:
            return
        part = ahead.pop()
        if isinstance(part, list):
            ahead += reversed(part)
        elif isinstance(part, dict):
            ahead += reversed(part.values())
            cases = part.get("cases")
            if isinstance(cases, dict) and isinstance(part.get("value"), str):
                yield part["value"][:_MAX_LENGTH], tuple(map(str, cases))
            for key in sorted(part.keys() & properties):
                if isinstance(part[key], str) and len(part[key]) <= _MAX_LENGTH:
                    yield part[key], ()


def _compared(text: str, cases: tuple[str, ...], screen: str) -> Iterator[tuple[Source, Iterable[Scalar]]]:
    try:
        tree = _parsed(text)
    except ExpressionError:
        return
    if cases and isinstance(tree, Name):
        yield _of(tree, screen), cases
        return
    for part in walk(tree):
        if isinstance(part, Binary) and part.operator in COMPARISONS:
            left, right = without_parentheses(part.left), without_parentheses(part.right)
            if isinstance(left, Name) and isinstance(right, Literal):
                yield _of(left, screen), _around(right)
            if isinstance(right, Name) and isinstance(left, Literal):
                yield _of(right, screen), _around(left)
        elif isinstance(part, Name):
            yield _of(part, screen), ()


def _parsed(text: str) -> Node:
    reference = parse_reference(text)
    if reference is not None:
        return Name(reference)
    return parse_expression(text) if is_expression(text) else parse_condition(text)


def _of(name: Name, screen: str) -> Source:
    reference = name.reference
    return Source(reference.screen or screen, reference.source, reference.path[0])


def _around(literal: Literal) -> tuple[Scalar, ...]:
    if literal.type == "boolean":
        return (True, False)
    if literal.type == "string":
        return (literal.text[1:-1], "")
    try:
        number = float(literal.text)
    except ValueError:  # a condition takes 5abc for a number
        return ()
    if not math.isfinite(number):  # 1e999, or hundreds of digits
        return ()
    whole = int(number)
    return (whole if number == whole else number, whole + 1, whole - 1)
