"""The open documents: their text, version, and the index of the last whole state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..flow_json import MAX_BYTES
from ._names import Index


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """
    One state of a document. `whole`: its text is known to be JSON. `known` is the index of the last state of which
    that was known before; None if there was none.
    """

    index: Index = field(repr=False)
    version: int = 0
    whole: bool = False
    known: Index | None = field(default=None, repr=False)

    def changed(self, text: str, version: int) -> OpenDocument:
        """The next state."""
        return OpenDocument(_index(text), version, known=self.index if self.whole else self.known)

    def checked(self, *, whole: bool) -> OpenDocument:
        """The same state, of which it is known now whether it is whole."""
        return replace(self, whole=whole)


def opened(text: str, version: int) -> OpenDocument:
    """The first state of a document."""
    return OpenDocument(_index(text), version)


def _index(text: str) -> Index:
    """The index of a text; an empty one for a text of over 10 MB, which Meta does not accept."""
    return Index("" if len(text) > MAX_BYTES else text)
