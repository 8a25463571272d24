"""
Names that Meta would not take, or would take for another flow's: told in the plan, before a flow is created or renamed.

Meta documents that a name is unique in an account, and neither which characters it may have nor which names it takes
for one. Assumed here, to be on the safe side: it may trim blanks, and may compare without regard to case, to the form
of Unicode (NFKC) and to runs of blanks. A flow that is there under such a name is left as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

LONGEST_NAME: Final = 200  # two vendors' documentation
_BLANKS: Final = re.compile(r"\s+")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})  # control and format characters, blanks


def wrong_with(name: str) -> str:
    """
    What is wrong with a name, in words that go on after "its name"; empty if nothing is.

    >>> wrong_with("Booking "), wrong_with("Booking")
    ('begins or ends with a blank', '')
    """
    if any(unicodedata.category(char) == "Cs" for char in name):
        return "has half a character in it (a lone surrogate), which cannot be sent"
    if any(unicodedata.category(char) == "Cc" for char in name):
        return "has a control character in it"
    if not name or unicodedata.category(name[0]) in _UNSEEN or unicodedata.category(name[-1]) in _UNSEEN:
        return "begins or ends with a blank" if name else "is empty"
    return f"has over {LONGEST_NAME} characters" if len(name) > LONGEST_NAME else ""


def folded(name: str) -> str:
    """
    What is the same for all names that Meta may take for one.

    >>> folded("BOOKING  a table") == folded("Booking a table")
    True
    """
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())).strip()


class Names:
    """The names that are taken, of flows that are there and of those that will be."""

    def __init__(self, there: Iterable[tuple[str, str]]) -> None:
        self._flows = there
        self._coming: dict[str, str] = {}

    @cached_property
    def _there(self) -> Mapping[str, list[tuple[str, str]]]:
        """By form: made when the first flow gets a name, for most plans give none."""
        found: dict[str, list[tuple[str, str]]] = {}
        for flow_id, name in self._flows:
            found.setdefault(folded(name), []).append((flow_id, name))
        return found

    def refusal(self, key: str, name: str, flow_id: str) -> str:
        """
        Why the flow of a key cannot get this name, as a sentence without its end; empty if it can, and has it then.

        `flow_id` is the flow that is renamed; empty for one that is created.
        """
        wrong = wrong_with(name)
        if wrong:
            return f"its name {wrong}"
        form = folded(name)
        rival = next((other for other_id, other in self._there.get(form, ()) if other_id != flow_id), None)
        if rival == name:
            return f"another flow of the account is called {name!r}"
        if rival is not None:
            return f"the account has a flow called {rival!r}, and Meta may take the two names for one"
        if form in self._coming:
            return f"[flows.{self._coming[form]}] gets a name that Meta may take for the same"
        self._coming[form] = key
        return ""
