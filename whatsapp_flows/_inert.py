"""Text from elsewhere, made harmless for a terminal."""

from __future__ import annotations


def inert(text: str) -> str:
    """
    `text` with all that a terminal would act upon written as an escape: control characters, line ends, bidi marks.

    >>> inert("name\\x1b[2J")
    'name\\\\x1b[2J'
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
