"""
What the branches of a Flow compare the fields of its forms with: the values worth a try to get into another branch.

The texts of conditions and expressions are searched, not evaluated: a value that is found here is a guess like others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_MAX_TEXTS: Final = 2_000
"""Conditions and expressions that are searched, of one document."""
_MAX_LENGTH: Final = 2_000
"""Characters of one of them."""
_MAX_VALUES: Final = 12
"""Values of one field."""

_FIELD: Final = r"\$\{(?:screen\.([^.{}]{1,200})\.)?form\.([^.{}]{1,200})\}"
_CONSTANT: Final = r"('[^'\\]*'|-?\d{1,12}(?:\.\d{1,6})?)"
_COMPARISON: Final = r"\s{0,9}[=!<>]=?\s{0,9}"
_FIELD_FIRST: Final = re.compile(_FIELD + _COMPARISON + _CONSTANT)
_FIELD_LAST: Final = re.compile(_CONSTANT + _COMPARISON + _FIELD)
_ANY_FIELD: Final = re.compile(_FIELD)

BranchValues = Mapping[tuple[str, str], tuple[str, ...]]
"""(screen, name of the field) -> the values that a condition compares it with; empty for a field without constants."""


def branch_values(document: Mapping[str, Any]) -> BranchValues:
    """The fields of forms on which a condition, a Switch or an expression depends, with their values worth a try."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for number, (screen, text, cases) in enumerate(_texts(document)):
        if number == _MAX_TEXTS:
            break
        for named, name in _ANY_FIELD.findall(text):
            found.setdefault((named or screen, name), {}).update(dict.fromkeys(cases))
        for named, name, constant in _FIELD_FIRST.findall(text):
            found[named or screen, name].update(dict.fromkeys(_around(constant)))
        for constant, named, name in _FIELD_LAST.findall(text):
            found[named or screen, name].update(dict.fromkeys(_around(constant)))
    return {field: tuple(values)[:_MAX_VALUES] for field, values in found.items()}


def _around(constant: str) -> tuple[str, ...]:
    """A text; or a number, and those beside it, for `<` and `>`."""
    if constant.startswith("'"):
        return (constant[1:-1],)
    number = int(float(constant))
    return (constant, str(number + 1), str(number - 1))


def _texts(document: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(screen, text, cases of a Switch) of all that is evaluated, without recursion: a document may be deep."""
    screens = document.get("screens")
    for screen in screens if isinstance(screens, list) else ():
        if not isinstance(screen, dict):
            continue
        ahead: list[Any] = [screen.get("layout")]
        while ahead:
            node = ahead.pop()
            if isinstance(node, list):
                ahead += reversed(node)
            elif isinstance(node, dict):
                ahead += reversed(node.values())
                cases = node.get("cases")
                for key, value in node.items():
                    if isinstance(value, str) and "form." in value and len(value) <= _MAX_LENGTH:
                        if key == "condition" or value.startswith("`"):
                            yield str(screen.get("id")), value, ()
                        elif key in _DECIDING:
                            yield str(screen.get("id")), value, tuple(cases) if isinstance(cases, dict) else ()


_DECIDING: Final = frozenset({"value", "visible", "enabled", "required"})
"""The properties in which a reference decides what is shown, or what can be used."""
