"""
The formats of strings that the tables name: a colour, a regular expression, a URI.

Source of the codes: Meta's client validator, August 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from ..text import short_repr
from ._model import Finding

_COLOR: Final = re.compile(r"#[A-Fa-f0-9]{6}").fullmatch
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+").fullmatch


def invalid_color(value: str, where: str) -> Finding | None:
    if _COLOR(value):
        return None
    return Finding("PATTERN_MISMATCH", f"{where} must be a colour such as '#1A2B3C', not {short_repr(value)}.")


def invalid_uri(value: str, where: str) -> Finding | None:
    if _SCHEME(value):
        return None
    return Finding("INVALID_PROPERTY_VALUE_FORMAT", f"{where} must be a URI, not {short_repr(value)}.")


def invalid_regex(value: str, where: str) -> Finding | None:
    problem = regex_problem(value)
    if problem is None:
        return None
    return Finding("INVALID_PROPERTY_VALUE_FORMAT", f"{where} must be a regular expression: {problem}.")


def regex_problem(pattern: str) -> str | None:
    """A mistake in any dialect of regular expressions. What only JavaScript's dialect refuses is not found."""
    groups, in_class, repeatable, i = 0, False, False, 0
    while i < len(pattern):
        char = pattern[i]
        if char == "\\":
            if i + 1 == len(pattern):
                return "it ends in a backslash"
            i, repeatable = i + 1, True
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = repeatable = True
        elif char == "(":
            groups, repeatable = groups + 1, False
            i += 1 if pattern.startswith("?", i + 1) else 0
        elif char == ")":
            if not groups:
                return "a parenthesis is closed that was not opened"
            groups, repeatable = groups - 1, True
        elif char in "*+?" and not repeatable:
            return f"nothing to repeat before '{char}' at {i}"
        else:
            repeatable = char not in "|^"
        i += 1
    if in_class:
        return "a '[' is not closed"
    return "a parenthesis is not closed" if groups else None


FORMATS: Final[Mapping[str, Callable[[str, str], Finding | None]]] = {
    "color": invalid_color,
    "regex": invalid_regex,
    "uri": invalid_uri,
}
