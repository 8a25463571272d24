"""
Where in the text a pointer points: looked up only for what is reported.

One linear scan over the tokens of the text, however many places are asked for. Lines and columns count from 1, an end
column is exclusive, and columns count UTF-16 units, as Meta's do. Only a newline ends a line. Of a key that is given
twice the last one counts, as it does when the text is parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ._model import Pointer

TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^ \t\r\n{}\[\],:"]+', re.DOTALL)

Place = tuple[Pointer, bool]
"""A pointer, and whether the key of its last step is meant instead of the value."""


class Span(NamedTuple):
    """From a line and column to a line and column: 1-based, the end column exclusive, in UTF-16 units."""

    line: int
    column: int
    end_line: int
    end_column: int


class Token(NamedTuple):
    """A key or a whole value. `path` is alive: it is that of the next token when the next one has come."""

    path: list[str | int]
    is_key: bool
    start: int
    end: int


def path_of(pointer: Pointer) -> str:
    """
    The path as Meta spells it: `screens[0].layout.children[0].type`. A step of digits alone is taken for an index.

    >>> path_of(("screens", 0, "data", "name"))
    'screens[0].data.name'
    """
    said = ""
    for step in pointer:
        text = str(step)
        if text.isascii() and text.isdigit():
            said += f"[{text}]"
        else:
            said += f".{text}" if said else text
    return said


def locate(text: str, places: Iterable[Place]) -> Mapping[Place, Span]:
    """
    The spans of places in a text that is JSON.

    A place that is not there has the span of the nearest one around it: a rule may point at what is missing.
    """
    asked = frozenset(places)
    wanted = set(asked)
    for pointer, _ in asked:
        wanted.update((pointer[:length], False) for length in range(len(pointer) + 1))
    if not wanted:
        return {}
    offsets = _offsets(text, wanted)
    spans = spans_of(text, offsets.values())
    return {place: spans[_nearest(place, offsets)] for place in asked}


def _offsets(text: str, wanted: set[Place]) -> dict[Place, tuple[int, int]]:
    ends = {pointer[-1] if pointer else None for pointer, _ in wanted}
    found: dict[Place, tuple[int, int]] = {}
    for path, is_key, start, end in tokens(text):
        if (path[-1] if path else None) in ends and (place := (tuple(path), is_key)) in wanted:
            found[place] = (start, end)
    return found


def _nearest(place: Place, offsets: Mapping[Place, tuple[int, int]]) -> tuple[int, int]:
    if place in offsets:
        return offsets[place]
    pointer = place[0]
    around = ((pointer[:length], False) for length in range(len(pointer), -1, -1))
    return next(offsets[each] for each in around if each in offsets)  # the root is always there


def tokens(text: str) -> Iterator[Token]:
    """The keys and values of a JSON text; a container comes when it ends."""
    path: list[str | int] = []
    open_at: list[tuple[int, bool]] = []  # where a container began, and whether it is an object
    expects_key = False
    for match in TOKEN.finditer(text):
        start, end = match.span()
        first = text[start]
        if first in "{[":
            open_at.append((start, first == "{"))
            expects_key = first == "{"
            path.append("" if expects_key else 0)
        elif first in "}]":
            path.pop()
            yield Token(path, False, open_at.pop()[0], end)
            expects_key = False
        elif first == ",":
            if open_at[-1][1]:
                expects_key = True
            else:
                path[-1] += 1  # type: ignore[operator]
        elif first == ":":
            expects_key = False
        elif expects_key:
            path[-1] = text[start + 1 : end - 1] if "\\" not in match[0] else json.loads(match[0])
            yield Token(path, True, start, end)
        else:
            yield Token(path, False, start, end)


def spans_of(text: str, ranges: Collection[tuple[int, int]]) -> dict[tuple[int, int], Span]:
    """Lines and columns of many ranges of offsets, in one pass."""
    at = _lines(text, {offset for both in ranges for offset in both})
    return {(start, end): Span(*at[start], *at[end]) for start, end in ranges}


def _lines(text: str, offsets: Iterable[int]) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    narrow = text.isascii()
    line, column, before = 1, 1, 0
    for offset in sorted(offsets):
        newlines = text.count("\n", before, offset)
        if newlines:
            line, column = line + newlines, 1
            before = text.rfind("\n", before, offset) + 1
        column += (offset - before) if narrow else utf16_length(text[before:offset])
        before = offset
        found[offset] = (line, column)
    return found


def utf16_length(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
