"""Suggestions for an unknown name."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

_MAX_SUGGESTIONS: Final = 10


def hint(name: str, known: Collection[str]) -> str:
    """
    The end of a message about an unknown name: the nearest known one, or the first known ones if none is close.

    >>> hint("flow", ["flows", "defaults"])
    ": did you mean 'flows'?"
    """
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    if close:
        return f": did you mean {close[0]!r}?"
    if not known:
        return ": there are none."
    more = " and more" if len(known) > _MAX_SUGGESTIONS else ""
    return f": known are {', '.join(list(known)[:_MAX_SUGGESTIONS])}{more}."
