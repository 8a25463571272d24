"""
Where in the text a pointer points. Looked up only for what is reported.

One linear walk along the text, however many places are wanted: it enters a container only if a place in it is wanted,
and skips the rest with the C parser of the standard library. Lines and columns count from 1, an end column is
exclusive, and columns count UTF-16 units, as Meta's do. Only a newline ends a line. Of duplicate keys the last one
counts, as it does when the text is parsed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

# An unterminated string takes the rest of the text: searching its end from each quote would take quadratic time.
TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|".*|[{}\[\],:]|[^ \t\r\n{}\[\],:"]+', re.DOTALL)

_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL).match
_BLANKS: Final = " \t\r\n"
_SPACE: Final = re.compile(f"[{_BLANKS}]*").match
_SKIP: Final = json.JSONDecoder(parse_int=len, parse_float=len).raw_decode
_TAIL: Final = 1000  # elements; for a shorter rest of a list, parsing the whole list again does not pay
_Wanted: TypeAlias = "dict[str | int, _Wanted]"

Pointer = tuple[str | int, ...]
"""Steps from the root of the document: `("screens", 0, "id")`."""

Place = tuple[Pointer, bool]
"""A pointer, and whether the key of its last step is meant instead of the value."""


_ROOT: Final[Place] = ((), False)


class Span(NamedTuple):
    """From a line and column to a line and column: 1-based, the end column exclusive, in UTF-16 units."""

    line: int
    column: int
    end_line: int
    end_column: int


class Token(NamedTuple):
    """A key or a whole value. `path` is mutable, and changes with the next token."""

    path: list[str | int]
    is_key: bool
    start: int
    end: int


def format_pointer(pointer: Pointer) -> str:
    """
    The path as Meta spells it: `screens[0].layout.children[0].type`. A step of digits alone is taken for an index.

    >>> format_pointer(("screens", 0, "data", "name"))
    'screens[0].data.name'
    """
    path = ""
    for number, step in enumerate(pointer):
        text = str(step)
        if text.isascii() and text.isdigit():
            path += f"[{text}]"
        else:
            path += f".{text}" if number else text
    return path


def locate(text: str, places: Iterable[Place]) -> Mapping[Place, Span]:
    """
    The spans of places in a text that is JSON.

    A place that does not exist has the span of the nearest one around it: a rule may point at what is missing.
    """
    asked = frozenset(places)
    wanted = asked - {_ROOT}
    try:
        offsets = offsets_of(text, wanted) if wanted else {}
    except RecursionError:  # nested too deeply for offsets_of, not for the parser
        offsets = offsets_by_token(text, wanted | _around(wanted))
    offsets[_ROOT] = (_after_space(text, 0), len(text.rstrip(_BLANKS)))  # a JSON text has nothing around its root
    spans = spans_of(text, offsets.values())
    return {place: spans[_nearest(place, offsets)] for place in asked}


@dataclass(slots=True)
class _Container:
    """An open container: its pointer, what is wanted in it, where it began, the index of its next element."""

    pointer: Pointer
    wanted_here: _Wanted
    start: int
    index: int | None  # None: it is an object
    enough: int = sys.maxsize  # elements of a list after which the parser skips the rest in one step


def _container(pointer: Pointer, wanted_here: _Wanted, start: int, *, is_list: bool) -> _Container:
    if not is_list:
        return _Container(pointer, wanted_here, start, None)
    last = max((step for step in wanted_here if isinstance(step, int)), default=0)
    return _Container(pointer, wanted_here, start, 0, last + _TAIL)


def offsets_of(text: str, wanted: Collection[Place]) -> dict[Place, tuple[int, int]]:
    """
    Where places begin and end in a JSON text, and all values around them.

    Raises `RecursionError` for what is nested too deeply to be parsed.
    """
    wanted_here = _tree_of(pointer for pointer, _ in wanted)
    found: dict[Place, tuple[int, int]] = {}
    open_containers: list[_Container] = []
    at = _after_space(text, 0)
    pointer: Pointer = ()
    while True:
        if wanted_here and text[at] in "{[":
            open_containers.append(_container(pointer, wanted_here, at, is_list=text[at] == "["))
            at += 1
        else:
            end = _SKIP(text, at)[1]
            found[pointer, False] = (at, end)
            at = end
        while open_containers:
            container = open_containers[-1]
            at = _after_space(text, at)
            if text[at] in "]}":
                at += 1
                found[container.pointer, False] = (container.start, at)
                open_containers.pop()
                continue
            if text[at] == ",":
                at = _after_space(text, at + 1)
            if container.index is None:
                step, key_at, at = _key(text, at)
                if step in container.wanted_here:
                    found[(*container.pointer, step), True] = key_at
            elif container.index > container.enough:
                at = _SKIP(text, container.start)[1]
                found[container.pointer, False] = (container.start, at)
                open_containers.pop()
                continue
            else:
                step, container.index = container.index, container.index + 1
            if step in container.wanted_here:
                pointer, wanted_here = (*container.pointer, step), container.wanted_here[step]
                break
            at = _SKIP(text, at)[1]
        else:
            return found


def _around(places: Iterable[Place]) -> set[Place]:
    """The values at and around places, each one once: many places may lie deep in the same value."""
    found: set[Place] = set()
    for pointer, _ in places:
        for length in range(len(pointer), -1, -1):
            place = (pointer[:length], False)
            if place in found:
                break
            found.add(place)
    return found


def _tree_of(pointers: Iterable[Pointer]) -> _Wanted:
    tree: _Wanted = {}
    for pointer in pointers:
        level = tree
        for step in pointer:
            level = level.setdefault(step, {})
    return tree


def _after_space(text: str, at: int) -> int:
    return _SPACE(text, at).end()  # type: ignore[union-attr]  # always matches


def _key(text: str, at: int) -> tuple[str | int, tuple[int, int], int]:
    """The key that begins here, where it stands, and where its value begins."""
    end = _STRING(text, at).end()  # type: ignore[union-attr]  # the text has been parsed
    key = text[at + 1 : end - 1]
    value_at = _after_space(text, _after_space(text, end) + 1)
    return json.loads(text[at:end]) if "\\" in key else key, (at, end), value_at


def offsets_by_token(text: str, wanted: Collection[Place]) -> dict[Place, tuple[int, int]]:
    """`offsets_of`, token by token: slower, at any depth."""
    ends = {(len(pointer), pointer[-1] if pointer else None) for pointer, _ in wanted}
    found: dict[Place, tuple[int, int]] = {}
    for path, is_key, start, end in tokens(text):
        # Length and last step are compared first: copying the path of each token would take quadratic time.
        if (len(path), path[-1] if path else None) in ends and (place := (tuple(path), is_key)) in wanted:
            found[place] = (start, end)
    return found


def _nearest(place: Place, offsets: Mapping[Place, tuple[int, int]]) -> tuple[int, int]:
    if place in offsets:
        return offsets[place]
    pointer = place[0]
    around = ((pointer[:length], False) for length in range(len(pointer), -1, -1))
    return next(offsets[each] for each in around if each in offsets)  # the root always exists


def tokens(text: str) -> Iterator[Token]:
    """The keys and values of a JSON text; a container is yielded when it ends."""
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
