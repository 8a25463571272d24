"""How a value of a document is written in a message."""

from __future__ import annotations


def short_repr(value: str) -> str:
    """A string of the document, quoted, cut to at most 60 characters."""
    return repr(value if len(value) <= 60 else value[:57] + "...")
