"""Hover and definitions: what the thing under the cursor is, and where it is defined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..flow_json import COMPONENT_TEXTS, Property, Version, describe_property, places_of
from ._cursor import cursor_at
from ._describe import describe_component, describe_field, describe_screen
from ._meaning import Meaning, meaning_of, version_of
from ._names import SHAPES, Index, ScreenNames, Use
from ._tree import Object, Scalar


class Hover(NamedTuple):
    """What is shown for the text from `start` to `end`: our own words, and `code`, a line from the document."""

    text: str
    start: int
    end: int
    code: str = ""


class Target(NamedTuple):
    """Where something is defined: the offsets of its name."""

    start: int
    end: int


def hover(index: Index, offset: int) -> Hover | None:
    """What the thing at an offset is; None where there is nothing to say."""
    use = index.use_at(offset)
    if use is not None:
        return _hover_of_use(index, use, offset)
    found = cursor_at(index.root, offset)
    scalar = found.scalar
    if scalar is None or not index.is_flow:
        return None
    version = version_of(index.version)
    screen = index.screen_at(found)
    if screen is not None:
        return Hover("A screen.", scalar.start, scalar.end, describe_screen(screen))
    if found.in_key:
        owner = meaning_of(found.steps, version)
        row = owner.rows(version).get(scalar.text)
        if owner.role == "component" and scalar.text == "type":
            return Hover("Type of the component. Required.", scalar.start, scalar.end)
        return _of_property(owner, row, scalar) if row is not None else None
    meaning = meaning_of(found.steps, version)
    if meaning.role == "component type" and scalar.text in SHAPES:
        return Hover(_about_component(scalar.text, meaning.place, version), scalar.start, scalar.end)
    if meaning.role in {"value", "item"} and meaning.row is not None:
        return _of_property(meaning, meaning.row, scalar)
    return None


def _of_property(owner: Meaning, row: Property, scalar: Scalar) -> Hover:
    text = describe_property(owner.shape.name if owner.shape else "", row)
    if row.values:
        text += f" One of {', '.join(row.values)}."
    return Hover(text.strip(), scalar.start, scalar.end)


def _about_component(name: str, place: str, version: Version) -> str:
    shape = SHAPES[name]
    text = COMPONENT_TEXTS[name]
    if place in shape.places:
        text += f" Here since version {shape.places[place]}."
    if place not in places_of(shape, version):
        text += f" Not allowed here in version {version}."
    return text


def _hover_of_use(index: Index, use: Use, offset: int) -> Hover | None:
    screen = index.screen(use.screen)
    if screen is None:
        return None
    if use.screen_at is not None and use.screen_at[0] <= offset <= use.screen_at[1]:
        return Hover("A screen.", *use.screen_at, describe_screen(screen))
    if use.source == "form":
        components = screen.components.get(use.path[0], [])
        if not components:
            return None
        detail, text = describe_component(components[0])
        return Hover(f"Input of screen {screen.id}. {text}", use.start, use.end, detail)
    schema = screen.schema(use.path)
    if schema is None:
        return None
    kind, example = describe_field(schema)
    return Hover(f"Data of screen {screen.id}" + (f", type {kind}." if kind else "."), use.start, use.end, example)


def definitions(index: Index, offset: int) -> tuple[Target, ...]:
    """Where the screen, the input or the field is defined that is named at an offset."""
    use = index.use_at(offset)
    if use is not None:
        screen = index.screen(use.screen)
        if screen is None:
            return ()
        if use.screen_at is not None and use.screen_at[0] <= offset <= use.screen_at[1]:
            return _of_screen(screen)
        return tuple(_of_name(screen, use))
    found = cursor_at(index.root, offset)
    screen = index.screen_at(found)
    if screen is not None:
        return _of_screen(screen)
    around = index.screen_around(offset)
    if (
        found.scalar is not None
        and around is not None
        and any(each is found.scalar for each in index.name_uses(around))
    ):
        return tuple(_of_inputs(around, found.scalar.text))
    return ()


def _of_screen(screen: ScreenNames) -> tuple[Target, ...]:
    return (Target(*screen.id_at.inner),) if screen.id_at is not None else ()


def _of_name(screen: ScreenNames, use: Use) -> Iterator[Target]:
    if use.source == "form":
        yield from _of_inputs(screen, use.path[0])
    elif use.path[0] in screen.data:
        yield Target(*screen.data[use.path[0]][0].inner)


def _of_inputs(screen: ScreenNames, name: str) -> Iterator[Target]:
    for component in screen.components.get(name, ()):
        at = component.get("name")
        if isinstance(at, Scalar):
            yield Target(*at.inner)


def component_named(around: ScreenNames | None, scalar: Scalar | None) -> Object | None:
    """The component of a screen whose own name a scalar is."""
    if around is None or scalar is None:
        return None
    return next((each for each in around.components.get(scalar.text, ()) if each.get("name") is scalar), None)
