"""Rename of a screen or of an input, with everything that refers to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ._cursor import cursor_at
from ._hover import component_named
from ._names import Index, ScreenNames
from ._tree import Scalar

_SCREEN_ID: Final = re.compile(r"[a-zA-Z_]+")  # Meta, Flow JSON reference ("Screens")
_NAME: Final = re.compile(r"[^\s.{}\"\\'`]+")
_RESERVED: Final = "SUCCESS"


class Edit(NamedTuple):
    """A replacement of the text from `start` to `end` (offsets)."""

    start: int
    end: int
    text: str


class RenameError(ValueError):
    """A new name that cannot be given: the message says why."""


class Renamed(NamedTuple):
    """
    What a rename at a position changes: the name, where it stands there, and all places of it.

    `defined` are those of the places where the screen or the input is defined.
    """

    name: str
    at: tuple[int, int]
    places: tuple[tuple[int, int], ...]
    defined: frozenset[tuple[int, int]]
    refusal: Callable[[str], str]


def renamed_at(index: Index, offset: int) -> Renamed | None:
    """What a rename at an offset is about; None where nothing can be renamed."""
    if not index.is_flow:
        return None
    use = index.use_at(offset)
    if use is not None:
        screen = index.screen(use.screen)
        if screen is None:
            return None
        if use.screen_at is not None and use.screen_at[0] <= offset <= use.screen_at[1]:
            return _screen(index, screen, use.screen_at)
        if use.source == "form" and use.path[0] in screen.components:
            return _input(index, screen, use.path[0], use.name_at)
        return None
    cursor = cursor_at(index.root, offset)
    scalar = cursor.scalar
    if scalar is None or not scalar.is_string or not scalar.text:
        return None
    own = index.screen_at(cursor)
    if own is not None:
        return _screen(index, own, scalar.inner)
    around = index.screen_around(offset)
    if around is None or scalar.text not in around.components:
        return None
    if component_named(around, scalar) is not None or any(each is scalar for each in index.name_uses(around)):
        return _input(index, around, scalar.text, scalar.inner)
    return None


def rename(index: Index, offset: int, new: str) -> tuple[Edit, ...]:
    """The edits that give a screen or an input a new name. Raises `RenameError`."""
    found = renamed_at(index, offset)
    if found is None:
        raise RenameError("there is no screen and no input here that can be renamed.")
    if new == found.name:
        return ()
    refusal = found.refusal(new)
    if refusal:
        raise RenameError(refusal)
    return tuple(Edit(start, end, new) for start, end in found.places)


def _screen(index: Index, screen: ScreenNames, at: tuple[int, int]) -> Renamed:
    defined = frozenset({screen.id_at.inner} if screen.id_at is not None else ())

    def places() -> Iterator[tuple[int, int]]:
        yield from defined
        yield from (each.inner for each in index.screen_uses() if each.text == screen.id)
        yield from (each.screen_at for each in index.uses if each.screen_at and each.screen == screen.id)

    def refusal(new: str) -> str:
        if not _SCREEN_ID.fullmatch(new):
            return f"the id of a screen has letters and underscores only, not {new!r}."
        if new == _RESERVED:
            return f"{_RESERVED} is reserved by Meta."
        return f"there is a screen {new} already." if index.screen(new) is not None else ""

    return Renamed(screen.id, at, tuple(sorted(set(places()))), defined, refusal)


def _input(index: Index, screen: ScreenNames, name: str, at: tuple[int, int]) -> Renamed:
    own = (component.get("name") for component in screen.components[name])
    defined = frozenset(each.inner for each in own if isinstance(each, Scalar))

    def places() -> Iterator[tuple[int, int]]:
        yield from defined
        yield from (each.inner for each in index.name_uses(screen) if each.text == name)
        for use in index.uses:
            if use.source == "form" and use.screen == screen.id and use.path[0] == name and _belongs(use.start):
                yield use.name_at

    def _belongs(offset: int) -> bool:
        """With two screens of one id, a local reference is to the screen around it."""
        around = index.screen_around(offset)
        return around is None or around.id != screen.id or around is screen

    def refusal(new: str) -> str:
        if not _NAME.fullmatch(new):
            return f"a name has no blanks, dots, braces, quotes or backslashes: {new!r}."
        return f"screen {screen.id} has an input {new!r} already." if new in screen.components else ""

    return Renamed(name, at, tuple(sorted(set(places()))), defined, refusal)
