"""The outline of a Flow: screens, their fields of data, and their components as they are nested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ..flow_json import COMPONENTS, LAYOUT
from ._names import NAMED, Index, ScreenNames
from ._tree import Array, Object, Scalar, Value

_HOLDERS: Final = {
    row.name
    for shape in (LAYOUT, *COMPONENTS)
    for row in shape.properties
    if row.kind in {"components", "map<components>"}
}
_MAX_DEPTH: Final = 20  # of components; Meta allows a few
MAX_SYMBOLS: Final = 20_000


class Symbol(NamedTuple):
    """
    An entry of the outline: `kind` is "screen", "field", "input" or "component".

    It reaches from `start` to `end`; its name stands from `name_start` to `name_end` (offsets).
    """

    name: str
    kind: str
    detail: str
    start: int
    end: int
    name_start: int
    name_end: int
    children: tuple[Symbol, ...] = ()


def symbols(index: Index) -> tuple[Symbol, ...]:
    """The screens, with what they hold; nothing of other JSON."""
    return tuple(_screen(each) for each in index.screens[:MAX_SYMBOLS]) if index.is_flow else ()


def _screen(screen: ScreenNames) -> Symbol:
    layout = screen.value.object("layout")
    children = (*_fields(screen), *_components(layout, 0))
    return _symbol(
        screen.id or "(no id)", "screen", screen.value.text("title") or "", screen.value, screen.id_at, children
    )


def _fields(screen: ScreenNames) -> Iterator[Symbol]:
    for name, (key, value) in screen.data.items():
        kind = value.text("type") if isinstance(value, Object) else None
        end = key.end if value is None else value.end
        yield Symbol(name or "(no name)", "field", kind or "", key.start, end, *key.inner)


def _components(holder: Object | None, depth: int) -> Iterator[Symbol]:
    """The components in a layout or a component, in the order of the text."""
    for member in holder.members if holder is not None and depth < _MAX_DEPTH else ():
        if member.key.text not in _HOLDERS or member.value is None:
            continue
        for value in _lists(member.value):
            for each in value.items:
                if isinstance(each, Object):
                    yield _component(each, depth)


def _lists(value: Value) -> Iterator[Array]:
    if isinstance(value, Array):
        yield value
    elif isinstance(value, Object):
        yield from (each.value for each in value.members if isinstance(each.value, Array))


def _component(component: Object, depth: int) -> Symbol:
    kind = component.text("type") or ""
    named = component.get("name")
    known = named if isinstance(named, Scalar) and named.is_string and named.text else None
    label = next((text for key in ("label", "text", "condition", "value") if (text := component.text(key))), "")
    at = component.get("type") if known is None else known
    name = known.text if known is not None else kind or "(no type)"
    shown = f"{kind} {label}" if known is not None else label
    return _symbol(
        name,
        "input" if known is not None and kind in NAMED else "component",
        shown,
        component,
        at if isinstance(at, Scalar) else None,
        tuple(_components(component, depth + 1)),
    )


def _symbol(
    name: str, kind: str, detail: str, value: Object, at: Scalar | None, children: tuple[Symbol, ...]
) -> Symbol:
    place = at.inner if at is not None else (value.start, min(value.start + 1, value.end))
    short = " ".join(detail.split())
    return Symbol(
        name, kind, short if len(short) <= 60 else f"{short[:57]}...", value.start, value.end, *place, children
    )
