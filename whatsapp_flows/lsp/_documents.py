"""The open documents: their text, version, and the index of the last whole state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..flow_json import MAX_BYTES
from ._names import Index
from ._tree import Lines


class Change(NamedTuple):
    """A text in place of what is between two positions (lines and UTF-16 units from 0), or of the whole document."""

    text: str
    start: tuple[int, int] | None = None
    end: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """
    One state of a document. `whole`: its text is known to be JSON. `known` is the index of the last state of which
    that was known before; None if there was none.
    """

    text: str = field(repr=False)
    index: Index = field(repr=False)
    version: int = 0
    whole: bool = False
    known: Index | None = field(default=None, repr=False)

    def changed(self, changes: Iterable[Change], version: int) -> OpenDocument:
        """The next state, after changes one by one. A position outside the text is the nearest one in it."""
        text = self.text
        for change in changes:
            text = _after(text, change)
        return OpenDocument(text, _index(text), version, known=self.index if self.whole else self.known)

    def checked(self, *, whole: bool) -> OpenDocument:
        """The same state, of which it is known now whether it is whole."""
        return replace(self, whole=whole)


def opened(text: str, version: int) -> OpenDocument:
    """The first state of a document."""
    return OpenDocument(text, _index(text), version)


def _after(text: str, change: Change) -> str:
    if change.start is None or change.end is None:
        return change.text
    lines = Lines(text)
    start, end = lines.offset(*change.start), lines.offset(*change.end)
    return f"{text[:start]}{change.text}{text[max(start, end) :]}"


def _index(text: str) -> Index:
    """The index of a text; an empty one for a text of over 10 MB, which Meta does not accept."""
    return Index("" if len(text) > MAX_BYTES else text)
