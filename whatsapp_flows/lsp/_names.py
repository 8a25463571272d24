"""
What a Flow has names for: screens, components, fields of data; and every place that uses such a name.

Read from the tolerant tree, so that it exists while the text is half written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from ..flow_json import COMPONENTS, Shape
from ._cursor import Cursor
from ._tree import Array, Lines, Object, Scalar, Value, parse_tree, parts, plain

SHAPES: Final = {shape.name: shape for shape in COMPONENTS}
NAMED: Final = frozenset(
    shape.name for shape in COMPONENTS if shape.name != "Form" and any(row.name == "name" for row in shape.properties)
)
# As `flow_json.parse_reference` reads them, here anywhere in a text and with the offsets of the names.
_REFERENCE: Final = re.compile(r'\$\{(?:screen\.([^.{}"\\]*)\.)?(data|form)\.([^{}"\\]+)\}')


_KEYS: Final = frozenset({"screens", "routing_model", "data_api_version"})


def is_flow_json(keys: Collection[str]) -> bool:
    """Whether the keys of a document have one that only a Flow JSON has."""
    return not _KEYS.isdisjoint(keys)


class Use(NamedTuple):
    """A reference in a text: the screen that it is to, "data" or "form", its path, and where its parts stand."""

    screen: str
    source: str
    path: tuple[str, ...]
    start: int
    end: int
    screen_at: tuple[int, int] | None
    name_at: tuple[int, int]


@dataclass(eq=False)
class ScreenNames:
    """A screen and its names, each worked out when it is asked for."""

    value: Object

    @cached_property
    def id(self) -> str:
        """Its id; "" if it has none."""
        return self.value.text("id") or ""

    @cached_property
    def id_at(self) -> Scalar | None:
        """Where its id stands."""
        found = self.value.get("id")
        return found if isinstance(found, Scalar) and found.is_string else None

    @cached_property
    def components(self) -> dict[str, list[Object]]:
        """Its inputs by their names."""
        found: dict[str, list[Object]] = {}
        for part, _, _ in parts(self.value.get("layout")):
            if isinstance(part, Object) and part.text("type") in NAMED and (name := part.text("name")):
                found.setdefault(name, []).append(part)
        return found

    @cached_property
    def data(self) -> dict[str, tuple[Scalar, Value | None]]:
        """Its fields of data by their names: the name and the value."""
        held = self.value.object("data")
        return {
            member.key.text: (member.key, member.value)
            for member in (held.members if held else ())
            if member.key.text != "required" or isinstance(member.value, Object)
        }

    def schema(self, path: tuple[str, ...]) -> dict[str, Any] | None:
        """The schema of a field of data, or of a part of it; None if there is none."""
        if path[0] not in self.data:
            return None
        found = plain(self.data[path[0]][1])
        for step in path[1:]:
            inner = found.get("properties") if isinstance(found, dict) else None
            found = inner.get(step) if isinstance(inner, dict) else None
        return found if isinstance(found, dict) else None


@dataclass(eq=False)
class Index:
    """The names of a text, worked out when they are asked for."""

    text: str = field(repr=False)

    @cached_property
    def root(self) -> Value | None:
        """The tree of the text."""
        return parse_tree(self.text)

    @cached_property
    def is_flow(self) -> bool:
        """Whether the document has a key that only a Flow JSON has."""
        return isinstance(self.root, Object) and is_flow_json({each.key.text for each in self.root.members})

    @cached_property
    def lines(self) -> Lines:
        """The positions of the text."""
        return Lines(self.text)

    @cached_property
    def version(self) -> str | None:
        """The version that the document states."""
        return self.root.text("version") if isinstance(self.root, Object) else None

    @cached_property
    def screens(self) -> tuple[ScreenNames, ...]:
        """The screens in their order."""
        listed = self.root.list("screens") if isinstance(self.root, Object) else []
        return tuple(ScreenNames(each) for each in listed if isinstance(each, Object))

    def screen(self, name: str) -> ScreenNames | None:
        """The screen with an id."""
        return next((each for each in self.screens if each.id == name), None)

    def screen_around(self, offset: int) -> ScreenNames | None:
        """The screen in which an offset is."""
        before = bisect_right(self._starts, offset)
        found = self.screens[before - 1] if before else None
        return found if found is not None and offset <= found.value.end else None

    @cached_property
    def _starts(self) -> list[int]:
        return [each.value.start for each in self.screens]

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """All references, in the order of the text."""
        return tuple(self._uses())

    def _uses(self) -> Iterator[Use]:
        for match in _REFERENCE.finditer(self.text):
            around = self.screen_around(match.start())
            screen = match[1] if match[1] is not None else around.id if around else ""
            path = tuple(match[3].split("."))
            name_at = (match.start(3), match.start(3) + len(path[0]))
            screen_at = match.span(1) if match[1] is not None else None
            yield Use(screen, match[2], path, match.start(), match.end(), screen_at, name_at)

    def use_at(self, offset: int) -> Use | None:
        """The reference that an offset is in."""
        return next((each for each in self.uses if each.start <= offset <= each.end), None)

    def screen_at(self, found: Cursor) -> ScreenNames | None:
        """The screen whose id a cursor is in: where it is defined, in the routing model, or where an action leads."""
        scalar = found.scalar
        if scalar is None or not scalar.is_string or not scalar.text:
            return None
        around = self.screen_around(found.offset)
        if around is not None and around.id_at is scalar:
            return around
        return self.screen(scalar.text) if _is_screen_use(found) else None

    def screen_uses(self) -> Iterator[Scalar]:
        """The strings that are the id of a screen: in the routing model, and where an action leads."""
        routes = self.root.object("routing_model") if isinstance(self.root, Object) else None
        for member in routes.members if routes else ():
            yield member.key
            if isinstance(member.value, Array):
                yield from (each for each in member.value.items if isinstance(each, Scalar) and each.is_string)
        for value, _, key in parts(self.root):
            if key is not None and key.text == "next" and isinstance(value, Object):
                name = value.get("name")
                if isinstance(name, Scalar) and name.is_string:
                    yield name

    def name_uses(self, screen: ScreenNames) -> Iterator[Scalar]:
        """The strings and keys of a screen that are the name of an input, beside references."""
        yield from (each for each in screen.value.list("sensitive") if isinstance(each, Scalar) and each.is_string)
        for value, _, key in parts(screen.value):
            if key is not None and key.text in {"init-values", "error-messages"} and isinstance(value, Object):
                yield from (member.key for member in value.members)


def _is_screen_use(found: Cursor) -> bool:
    keys = [step.key for step in found.steps]
    if keys[:1] == ["routing_model"]:
        return (len(keys) == 2 and found.in_key) or (len(keys) == 3 and isinstance(keys[2], int))
    return keys[-2:] == ["next", "name"]


def shape_of(component: Object) -> Shape | None:
    """The row of the tables for a component, by its type."""
    return SHAPES.get(component.text("type") or "")
