"""
What decides which parts of a screen are shown, and the values worth a try to see the other parts.

An If has a condition, a Switch a value with its cases, and any component may have `visible`. The references in them
are to the form or to the data of the screen; the values are those that a reference is compared with, and for a number
its neighbours. They are guesses: the player says what each of them leads to.
"""

from __future__ import annotations

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

Scalar = str | bool | int | float


class Source(NamedTuple):
    """A field of the form or a value of the data: `source` is "form" or "data"."""

    source: str
    name: str


def deciding_values(screen: Mapping[str, Any]) -> Mapping[Source, tuple[Scalar, ...]]:
    """The references of a screen that decide what is shown, in document order, each with the values worth a try."""
    found: dict[Source, dict[tuple[type, Scalar], Scalar]] = {}
    for number, (text, cases) in enumerate(_deciding_texts(screen)):
        if number == _MAX_TEXTS:
            break
        for source, values in _compared(text, cases, str(screen.get("id"))):
            # True and 1 are equal in Python, and are two values in JSON.
            found.setdefault(source, {}).update({(type(value), value): value for value in values})
    return {source: tuple(values.values())[:_MAX_VALUES] for source, values in found.items()}


def _deciding_texts(screen: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each condition, `visible` and value of a Switch with its cases; without recursion, as a document may be deep."""
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
            for key in ("condition", "visible"):
                if isinstance(part.get(key), str) and len(part[key]) <= _MAX_LENGTH:
                    yield part[key], ()


def _compared(text: str, cases: tuple[str, ...], screen: str) -> Iterator[tuple[Source, Iterable[Scalar]]]:
    try:
        tree = _parsed(text)
    except ExpressionError:
        return
    if cases and isinstance(tree, Name):
        yield from _of(tree, cases, screen)
        return
    for part in walk(tree):
        if isinstance(part, Binary) and part.operator in COMPARISONS:
            left, right = without_parentheses(part.left), without_parentheses(part.right)
            if isinstance(left, Name) and isinstance(right, Literal):
                yield from _of(left, _around(right), screen)
            if isinstance(right, Name) and isinstance(left, Literal):
                yield from _of(right, _around(left), screen)
        elif isinstance(part, Name):
            yield from _of(part, (), screen)


def _parsed(text: str) -> Node:
    reference = parse_reference(text)
    if reference is not None:
        return Name(reference)
    return parse_expression(text) if is_expression(text) else parse_condition(text)


def _of(name: Name, values: Iterable[Scalar], screen: str) -> Iterator[tuple[Source, Iterable[Scalar]]]:
    """The values of a reference to this screen: those of others cannot be set from here."""
    if name.reference.screen in {None, screen}:
        yield Source(name.reference.source, name.reference.path[0]), values


def _around(literal: Literal) -> tuple[Scalar, ...]:
    if literal.type == "boolean":
        return (True, False)
    if literal.type == "string":
        return (literal.text[1:-1], "")
    number = int(float(literal.text))
    return (number, number + 1, number - 1)
