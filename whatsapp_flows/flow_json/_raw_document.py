"""Walks through a document whose structure has not been checked: what is not of the expected form is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .schema import COMPONENTS
from .text import Pointer

SHAPES: Final = {shape.name: shape for shape in COMPONENTS}
_ACTION_KEYS: Final = frozenset({"on-click-action", "on-select-action", "on-unselect-action"})
_ITEM_LISTS: Final = ("data-source", "list-items")


def screens_of(document: dict[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    return _objects_in(document.get("screens"), ("screens",))


def _objects_in(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The objects of a list, if it is one."""
    for i, each in enumerate(value if isinstance(value, list) else ()):
        if isinstance(each, dict):
            yield (*pointer, i), each


def items_of(component: dict[str, Any], pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    for key in _ITEM_LISTS:
        yield from _objects_in(component.get(key), (*pointer, key))


def all_components(document: dict[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    for pointer, screen in screens_of(document):
        yield from components_of(screen, pointer)


def components_of(screen: dict[str, Any], pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    layout = screen.get("layout")
    if isinstance(layout, dict):
        yield from components_in(layout.get("children"), (*pointer, "layout", "children"))


def components_in(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The components of a list and those in them, in document order, at any depth (without recursion)."""
    waiting = [*_objects_in(value, pointer)][::-1]
    while waiting:
        place, component = waiting.pop()
        kind = component.get("type")
        if not isinstance(kind, str) or kind not in SHAPES:
            continue
        yield place, component
        inner: list[tuple[Pointer, dict[str, Any]]] = []
        for key in ("children", "then", "else"):
            inner += _objects_in(component.get(key), (*place, key))
        cases = component.get("cases")
        for name, children in cases.items() if isinstance(cases, dict) else ():
            inner += _objects_in(children, (*place, "cases", name))
        waiting += inner[::-1]


def actions_of(component: dict[str, Any], pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The actions of a component and of its items."""
    for place, holder in [(pointer, component), *items_of(component, pointer)]:
        for key, action in holder.items():
            if key in _ACTION_KEYS and isinstance(action, dict):
                yield (*place, key), action
