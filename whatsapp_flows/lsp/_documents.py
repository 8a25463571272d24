"""The open documents: their text, version, and the index of the last whole state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..flow_json import MAX_BYTES
from ._findings import Checked, check, place_of, still_in_place
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
    One state of a document. `checked`: what was found in it; None until it is known. `known` is the last state before
    it whose text was known to be JSON; None if there was none.
    """

    text: str = field(repr=False)
    index: Index = field(repr=False)
    version: int = 0
    checked: Checked | None = field(default=None, repr=False)
    known: OpenDocument | None = field(default=None, repr=False)

    @property
    def known_index(self) -> Index | None:
        """The names of the last state that was known to be JSON."""
        return self.known.index if self.known is not None else None

    def changed(self, changes: Iterable[Change], version: int) -> OpenDocument:
        """The next state, after changes one by one. A position outside the text is the nearest one in it."""
        text = self.text
        for change in changes:
            text = _after(text, change)
        known = replace(self, known=None) if self.checked is not None and self.checked.whole else self.known
        return OpenDocument(text, _index(text), version, known=known)

    def check(self) -> OpenDocument:
        """The same state with its findings; while it is no JSON, with those of `known` that are still in place."""
        checked = check(self.index)
        if not checked.whole and checked.found and self.known is not None and self.known.checked is not None:
            kept = still_in_place(self.known.checked.found, self.known.text, self.text)
            checked = checked._replace(found=tuple(sorted((*checked.found, *kept), key=place_of)))
        return replace(self, checked=checked)


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
