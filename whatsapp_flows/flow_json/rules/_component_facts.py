"""
Facts about one component: the type of an input's value, the branch it stands in, its static items.

Source of the types: Meta, Flow JSON reference, on what `${form.name}` gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..language import UNTYPED
from ..schema import Component
from ..text import Pointer

# TextInput and CalendarPicker depend on their properties.
VALUE_TYPES: Final = {
    "CheckboxGroup": "array",
    "ChipsSelector": "array",
    "DatePicker": "string",
    "DocumentPicker": "array",
    "Dropdown": "string",
    "NavigationList": "string",
    "OptIn": "boolean",
    "PhotoPicker": "array",
    "RadioButtonsGroup": "string",
    "TextArea": "string",
}
NUMBER_INPUTS: Final = ("number", "passcode")
"""The input-types of a TextInput whose value is a number."""
STRING_ARRAY_INPUTS: Final = frozenset({"CheckboxGroup", "ChipsSelector"})
"""The inputs whose value is an array of strings."""
MEDIA: Final = ("PhotoPicker", "DocumentPicker")


def value_type(component: Component) -> str:
    """The type of an input's value, UNTYPED if it depends on data or the component has none."""
    if component.type == "TextInput":
        return "number" if component.value.get("input-type") in NUMBER_INPUTS else "string"
    if component.type == "CalendarPicker":
        return {"single": "string", "range": "object"}.get(mode_of(component), UNTYPED)
    return VALUE_TYPES.get(component.type, UNTYPED)


def mode_of(calendar: Component) -> str:
    """The mode of a CalendarPicker: "single", "range", or the binding that decides it when the flow runs."""
    mode = calendar.value.get("mode", "single")
    return mode if isinstance(mode, str) else ""


def branch_of(pointer: Pointer) -> tuple[Pointer, str | int] | None:
    """The innermost If or Switch around a place, and the branch of it."""
    for i in range(len(pointer) - 2, 1, -1):
        if isinstance(pointer[i + 1], int):
            if pointer[i - 1] == "cases":
                return pointer[: i - 1], pointer[i]
            if pointer[i] in ("then", "else"):
                return pointer[:i], pointer[i]
    return None


def static_items(component: Component, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The static items of a list property, with their indexes."""
    items = component.value.get(key)
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield i, item
