"""Values for a reader of the page: whole where they are small, otherwise with a note of what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_TEXT: Final = 2_000
"""Characters of one text, above which its beginning is shown: mostly images."""

_BEGINNING: Final = 300  # characters
_MAX_KEY: Final = 200
_ENTRY: Final = 8  # characters that an entry counts for beside its texts
_MAX_DEPTH: Final = 16


class Space:
    """How many characters several values may still take together."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def shortened(self, value: Any, depth: int = _MAX_DEPTH) -> Any:
        """The value with long texts cut, and without the entries for which no space is left."""
        self.left -= _ENTRY
        if isinstance(value, str):
            text = value if len(value) <= MAX_TEXT else f"{value[:_BEGINNING]}… ({len(value)} characters)"
            self.left -= len(text)
            return text
        if isinstance(value, Mapping):
            return dict(self._members(value, depth - 1))
        if isinstance(value, (list, tuple)):
            return list(self._items(value, depth - 1))
        return value

    def _members(self, value: Mapping[Any, Any], depth: int) -> Iterator[tuple[Any, Any]]:
        for number, (key, each) in enumerate(value.items()):
            if self.left <= 0 or depth <= 0:
                yield "…", f"and {len(value) - number} more"
                return
            name = key[:_MAX_KEY] if isinstance(key, str) else key
            self.left -= len(str(name))
            yield name, self.shortened(each, depth)

    def _items(self, value: list[Any] | tuple[Any, ...], depth: int) -> Iterator[Any]:
        for number, each in enumerate(value):
            if self.left <= 0 or depth <= 0:
                yield f"… and {len(value) - number} more"
                return
            yield self.shortened(each, depth)
