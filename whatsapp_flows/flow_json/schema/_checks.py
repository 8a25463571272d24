"""
What all checks of the structure share: their context, their result, and findings that many of them give.

A check takes a value and returns None if the value is valid and fixed, `VALID_DYNAMIC` if it is valid and holds
something that the rules have to look at (a binding, an expression, an action), else findings whose pointers start at
that value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from ._model import Finding, Severity
from ._spec import BINDINGS, NOT_BLANK, Property, Version

Found: TypeAlias = "list[Finding] | tuple[()] | None"
Check = Callable[[Any], Found]
VALID_DYNAMIC: Final[tuple[()]] = ()

MAX_FINDINGS: Final = 1000
"""So many findings are told; after them the first error ends the search. More would help nobody, and cost hours."""

# What JavaScript's \s matches: Meta's pattern for "not blank" is one of JavaScript.
BLANK: Final = (
    " \t\n\r\f\v\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a version changes for all kinds."""

    version: Version
    is_binding: Callable[[str], object]
    binding: str  # how to write one
    newer: bool = False
    """The document is of a newer version than the tables: what they do not know is no error."""

    def refuses_blank(self, kind: str) -> bool:
        return self.version >= NOT_BLANK[kind]

    @property
    def unknown(self) -> Severity | None:
        """The severity of what the tables do not know; None: that of the code, an error."""
        return Severity.WARNING if self.newer else None

    @property
    def may_be_new(self) -> str:
        """The end of a message about what the tables do not know."""
        return " It may have come with this version, which is newer than the tables." if self.newer else ""

    def new_binding(self, value: str) -> bool:
        """Whether a text that is no binding looks like one of a form that may be new."""
        return self.newer and (value[:2] == "${" or value[:1] == "`")


def context_of(version: Version, *, newer: bool = False) -> Context:
    """The context of a version: the last row of the bindings that it reaches."""
    pattern, text = next((pattern, text) for since, pattern, text in reversed(BINDINGS) if version >= since)
    return Context(version, re.compile(pattern, re.ASCII).match, text, newer)


Maker = Callable[[Property, str, Context], Check]


def under(step: str | int, findings: Iterable[Finding]) -> list[Finding]:
    """Findings one step up."""
    return [Finding(f.code, f.message, (step, *f.pointer), f.key, f.severity) for f in findings]


def type_name(value: object) -> str:
    """The JSON name of a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def wrong_type(where: str, expected: str, value: object) -> Finding:
    """INVALID_PROPERTY_TYPE."""
    return Finding("INVALID_PROPERTY_TYPE", f"{where} must be {expected}, not {type_name(value)}.")


@lru_cache(maxsize=1024)
def did_you_mean(name: str, candidates: tuple[str, ...]) -> str:
    """A sentence that names the nearest candidate, or nothing. Cached: one slip is often made many times."""
    import difflib  # noqa: PLC0415 - a valid document never needs it

    if len(name) > 64:
        return ""
    by_fold = {candidate.casefold(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.casefold().replace("_", "-"), by_fold, n=1, cutoff=0.7)
    near = near or difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.7)
    return f" Did you mean {by_fold[near[0]]!r}?" if near else ""
