"""What was probably meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

_MOST: Final = 10


def hint(word: str, known: Collection[str]) -> str:
    """
    The end of a sentence about a word that is not known: the nearest one, or what there is when nothing is close.

    >>> hint("flow", ["flows", "defaults"])
    ": did you mean 'flows'?"
    """
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    if close:
        return f": did you mean {close[0]!r}?"
    if not known:
        return ": there is none at all."
    return f": known are {', '.join(list(known)[:_MOST])}{' and more' if len(known) > _MOST else ''}."
