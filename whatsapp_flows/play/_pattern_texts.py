"""
Texts that match a `pattern`, for an automatic walk through a Flow.

Places and lookaheads match nothing by themselves and are left out; what they demand is checked by whoever tries the
texts. Texts of many passwords are tried as well, because those patterns consist of lookaheads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ._pattern_syntax import (
    Boundary,
    BrokenError,
    Choice,
    Lookahead,
    OneOf,
    Ranges,
    Sequence,
    Tree,
    UncheckedError,
    parse_pattern,
)

_MAX_TEXT: Final = 1_000
"""Code units of a text, and of each part of it."""
_ATTEMPTS: Final = 4
"""Texts with other branches and other characters."""
_WHOLE_TEXTS: Final = ("Aa1!Aa1!", "Aa1!Aa1!Aa1!Aa1!", "Abcdef12", "abc123", "ABC-123", "2026-01-31", "10:30")
"""For patterns that the tree does not tell, such as lookaheads of passwords."""
# In the order of preference.
_ALPHABET: Final = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890 -_.,:;!?@#$%&*+/=()[]{}<>'\"\\|^~`\t\n"
)


def matching_texts(pattern: str, *, low: int, high: int) -> Iterator[str]:
    """
    Texts of `low` to `high` characters that may match a pattern of JavaScript, at most some dozens.

    They are guesses: whether one matches is for the pattern itself to say.
    """
    seen: set[str] = set()
    for text in (*_generated(pattern, low, high), *_WHOLE_TEXTS):
        if low <= len(text) <= high and text not in seen:
            seen.add(text)
            yield text


def _generated(pattern: str, low: int, high: int) -> Iterator[str]:
    try:
        tree = parse_pattern(pattern)
    except (BrokenError, UncheckedError):
        return
    for attempt in range(_ATTEMPTS):
        text = ""
        for extra in range(min(high, _MAX_TEXT) + 1):
            longer = _text(tree, extra, attempt)
            if extra and len(longer) == len(text):
                break  # nothing in it can be repeated more often
            text = longer
            if len(text) >= max(low, 1):
                break
        yield _without_halves(text)
        if text and len(text) < low <= _MAX_TEXT:
            yield _without_halves(text * -(-low // len(text)))  # what is not anchored is found in any text around it


def _text(tree: Tree, extra: int, attempt: int) -> str:
    """A text in which every repetition takes `extra` rounds more than it must."""
    match tree:
        case OneOf():
            return _character(tree.ranges, attempt)
        case Sequence():
            return "".join(_text(part, extra, attempt) for part in tree.parts)[:_MAX_TEXT]
        case Choice():
            return _text(tree.branches[attempt % len(tree.branches)], extra, attempt)
        case Boundary() | Lookahead():
            return ""
    rounds = tree.low + extra if tree.high is None else min(tree.low + extra, tree.high)
    once = _text(tree.part, extra, attempt)
    return (once * min(rounds, _MAX_TEXT))[:_MAX_TEXT]


def _character(ranges: Ranges, attempt: int) -> str:
    """One of the preferred characters in these ranges; without one, the first."""
    usual = [each for each in _ALPHABET if any(first <= ord(each) <= last for first, last in ranges)]
    if usual:
        return usual[attempt % len(usual)]
    return chr(ranges[0][0]) if ranges else ""


def _without_halves(units: str) -> str:
    """The text of code units: two surrogates are one character, and what is half of one is left out."""
    if units.isascii():
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
