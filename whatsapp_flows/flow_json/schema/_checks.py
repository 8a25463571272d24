"""
What all checks of the structure share: their context, their result, and the findings that many of them give.

A check takes a value and returns None if the value is valid and fixed, `VALID_DYNAMIC` if it is valid and holds
something that the rules have to look at (a binding, an expression, an action), else findings whose pointers start at
that value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from ..text import Pointer
from ._model import Finding, Severity
from ._spec import BINDINGS, NOT_BLANK, Property, Version

CheckResult: TypeAlias = "list[Finding] | tuple[()] | None"
Check = Callable[[Any], CheckResult]
VALID_DYNAMIC: Final[tuple[()]] = ()

MAX_FINDINGS: Final = 1000
"""The most findings of a report. The first error after them ends the search, which bounds its time."""

# What JavaScript's \s matches: Meta's pattern for "not blank" is one of JavaScript.
BLANK: Final = (
    " \t\n\r\f\v\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


_NEWER_HINT: Final = " It may have come with this version, which is newer than the tables."


@dataclass(frozen=True, slots=True)
class Context:
    """
    What the checks of one version have in common.

    `binding` says in a message how a binding is written. `newer`: the document is of a newer version than the tables,
    so that what they do not know is no error. `kinds`: the factories of checks, by the kinds that the tables name.
    """

    version: Version
    is_binding: Callable[[str], object]
    binding: str
    newer: bool
    kinds: Mapping[str, CheckFactory]

    def check_of(self, row: Property, where: str) -> Check:
        """The check of a property's value; `where` names the property in messages."""
        return self.kinds[row.kind](row, where, self)

    def refuses_blank(self, kind: str) -> bool:
        """Whether a string of a kind must hold more than white space."""
        return self.version >= NOT_BLANK[kind]

    @property
    def unknown_severity(self) -> Severity | None:
        """The severity of what the tables do not know; None: that of the code, an error."""
        return Severity.WARNING if self.newer else None

    @property
    def newer_hint(self) -> str:
        """The end of a message about what the tables do not know."""
        return _NEWER_HINT if self.newer else ""

    def may_be_new_binding(self, value: str) -> bool:
        """Whether a text that is no known binding may be one of a newer form."""
        return self.newer and (value[:2] == "${" or value[:1] == "`")


CheckFactory = Callable[[Property, str, Context], Check]
"""Makes the check of a property from its row, its name in messages, and the context."""


def context_of(version: Version, kinds: Mapping[str, CheckFactory], *, newer: bool = False) -> Context:
    """The context of a version: bindings are those of the last row that is not newer."""
    pattern, example = next((pattern, example) for since, pattern, example in reversed(BINDINGS) if version >= since)
    return Context(version, re.compile(pattern, re.ASCII).match, example, newer, kinds)


def prefixed(at: Pointer, findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the pointer of what was checked put before theirs."""
    return [Finding(f.code, f.message, (*at, *f.pointer), f.key, f.severity) for f in findings]


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
    """A sentence that names the nearest candidate, or nothing. Cached: one mistake is often repeated."""
    import difflib  # noqa: PLC0415 - a valid document never needs it

    if len(name) > 64:
        return ""
    by_fold = {candidate.casefold(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.casefold().replace("_", "-"), by_fold, n=1, cutoff=0.7)
    near = near or difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.7)
    return f" Did you mean {by_fold[near[0]]!r}?" if near else ""


def meant_by(message: str) -> str | None:
    """The name that `did_you_mean` has put at the end of a message, in which a document may quote anything before."""
    proposal = _PROPOSAL.search(message)
    return proposal[1] or proposal[2] if proposal else None


_PROPOSAL: Final = re.compile(rf" Did you mean (?:'([^']+)'|\"([^\"]+)\")\?(?:{re.escape(_NEWER_HINT)})?$")
