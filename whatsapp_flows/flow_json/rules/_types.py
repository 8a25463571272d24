"""
The types that properties of components take from references and expressions.

A property that is not listed takes nothing dynamic, or values without a type. Source: Meta, Flow JSON reference
("Components"); Meta's client validator, August 2026, where the reference is silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..schema import COMPONENTS, SHOPPING_LAYOUTS, Component
from ._component_facts import mode_of

_STRING: Final = ("string",)
_BOOLEAN: Final = ("boolean",)
_NUMBER: Final = ("number",)
_INTEGER: Final = ("integer",)
_ARRAY: Final = ("array",)
_OBJECT: Final = ("object",)
_TEXTS: Final = ("string", "array")
_MESSAGES: Final = ("string", "object")

# Property -> types, whatever the component. `list.key` is a key of the items of a list, or of an object.
BY_PROPERTY: Final[Mapping[str, tuple[str, ...]]] = {
    "alt-text": _STRING,
    "aspect-ratio": _NUMBER,
    "center-caption": _STRING,
    "data-source": _ARRAY,
    "data-source.alt-text": _STRING,
    "data-source.enabled": _BOOLEAN,
    "data-source.image": _STRING,
    "description": _STRING,
    "enabled": _BOOLEAN,
    "error-message": _STRING,
    "error-message.end-date": _STRING,
    "error-message.start-date": _STRING,
    "error-messages": _OBJECT,
    "font-weight": _STRING,
    "height": _NUMBER,
    "helper-text": _STRING,
    "helper-text.end-date": _STRING,
    "helper-text.start-date": _STRING,
    "images": _ARRAY,
    "images.alt-text": _STRING,
    "images.src": _STRING,
    "include-days": _ARRAY,
    "init-value": _STRING,
    "init-value.end-date": _STRING,
    "init-value.start-date": _STRING,
    "init-values": _OBJECT,
    "label": _STRING,
    "label.end-date": _STRING,
    "label.start-date": _STRING,
    "left-caption": _STRING,
    "list-items": _ARRAY,
    "max-chars": _NUMBER,
    "max-date": _STRING,
    "max-days": _INTEGER,
    "max-length": _INTEGER,
    "max-selected-items": _NUMBER,
    "min-chars": _NUMBER,
    "min-date": _STRING,
    "min-days": _INTEGER,
    "min-selected-items": _NUMBER,
    "mode": _STRING,
    "required": _BOOLEAN,
    "required.end-date": _BOOLEAN,
    "required.start-date": _BOOLEAN,
    "right-caption": _STRING,
    "src": _STRING,
    "strikethrough": _BOOLEAN,
    "text": _STRING,
    "title": _STRING,
    "unavailable-dates": _ARRAY,
    "value": _STRING,
    "visible": _BOOLEAN,
    "width": _NUMBER,
}

# Exceptions for single components.
BY_COMPONENT: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("CheckboxGroup", "init-value"): _ARRAY,
    ("ChipsSelector", "init-value"): _ARRAY,
    ("DocumentPicker", "error-message"): _MESSAGES,
    ("OptIn", "init-value"): _BOOLEAN,
    ("PhotoPicker", "error-message"): _MESSAGES,
    ("RichText", "text"): _TEXTS,
    ("TextBody", "text"): _TEXTS,
    ("TextCaption", "text"): _TEXTS,
}

_KNOWN: Final = frozenset({*(shape.name for shape in COMPONENTS), *SHOPPING_LAYOUTS})

CALENDAR_PROPERTIES: Final = frozenset({"error-message", "helper-text", "init-value", "label", "required"})
"""Properties of a CalendarPicker that are an object with start-date and end-date in range mode."""

# List -> the keys that its items must have, with their types. A nested mapping is an object with keys of its own.
Shape = Mapping[str, "str | Shape"]
ITEM_SHAPES: Final[Mapping[str, Shape]] = {
    "data-source": {"id": "string", "title": "string"},
    "images": {"alt-text": "string", "src": "string"},
    "list-items": {"id": "string", "main-content": {"title": "string"}},
}
ITEM_TYPES: Final = {"include-days": "string", "init-value": "string", "text": "string", "unavailable-dates": "string"}


def types_of(component: Component, name: str) -> tuple[str, ...]:
    """The types that a property takes; empty if the property or the component is not known."""
    if component.type not in _KNOWN:
        return ()
    found = BY_COMPONENT.get((component.type, name)) or BY_PROPERTY.get(name, ())
    if component.type == "CalendarPicker" and name in CALENDAR_PROPERTIES:
        mode = mode_of(component)
        return {"single": found, "range": _OBJECT}.get(mode, (*found, "object"))
    return found
