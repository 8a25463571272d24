"""
Names that Meta may refuse, or treat as another flow's. The plan blocks them before a flow is created or renamed.

Meta documents that a name is unique in an account, but not which characters it may have or which names count as equal.
The safe assumption here: Meta may trim whitespace, and may ignore case, Unicode form (NFKC) and repeated whitespace.
Existing flows with such names are not affected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

MAX_NAME_LENGTH: Final = 200  # according to two vendors' documentation
_BLANKS: Final = re.compile(r"\s+")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # control and format characters, blanks


def name_problem(name: str) -> str:
    """
    The problem with a name, as the rest of a sentence that begins with "its name"; empty if there is none.

    >>> name_problem("Booking "), name_problem("Booking")
    ('begins or ends with a blank', '')
    """
    if any(unicodedata.category(char) == "Cs" for char in name):
        return "contains a lone surrogate (half a character), which cannot be sent"
    if any(unicodedata.category(char) == "Cc" for char in name):
        return "contains a control character"
    if not name or unicodedata.category(name[0]) in _INVISIBLE or unicodedata.category(name[-1]) in _INVISIBLE:
        return "begins or ends with a blank" if name else "is empty"
    return f"has over {MAX_NAME_LENGTH} characters" if len(name) > MAX_NAME_LENGTH else ""


def normalized(name: str) -> str:
    """
    The form in which names that Meta may treat as equal are the same.

    >>> normalized("BOOKING  a table") == normalized("Booking a table")
    True
    """
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())).strip()


class TakenNames:
    """The names of the existing flows, and of those that the plan creates or renames."""

    def __init__(self, existing: Iterable[tuple[str, str]]) -> None:
        self._flows = existing
        self._assigned: dict[str, str] = {}

    @cached_property
    def _existing(self) -> Mapping[str, list[tuple[str, str]]]:
        """Normalized name -> flows. Computed on first use, because most plans assign no name."""
        found: dict[str, list[tuple[str, str]]] = {}
        for flow_id, name in self._flows:
            found.setdefault(normalized(name), []).append((flow_id, name))
        return found

    def refusal(self, key: str, name: str, flow_id: str) -> str:
        """
        Why a flow cannot get this name, as a sentence without a full stop. Empty if it can; the name is taken then.

        `flow_id` is that of a flow that is renamed; empty for one that is created.
        """
        problem = name_problem(name)
        if problem:
            return f"its name {problem}"
        normal = normalized(name)
        other = next((other for other_id, other in self._existing.get(normal, ()) if other_id != flow_id), None)
        if other == name:
            return f"another flow of the account is called {name!r}"
        if other is not None:
            return f"the account has a flow called {other!r}, and Meta may treat the two names as the same"
        if normal in self._assigned:
            return f"[flows.{self._assigned[normal]}] gets a name that Meta may treat as the same"
        self._assigned[normal] = key
        return ""
