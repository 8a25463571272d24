"""What a component, a field of data, a screen is, in a line and a few: for hover and completion."""

from __future__ import annotations

import json
from typing import Any, Final

from ..flow_json import COMPONENT_TEXTS
from ._names import ScreenNames
from ._tree import Object

MAX_TEXT: Final = 200
"""Characters of a document's own text that are shown."""


def short_json(value: Any) -> str:
    """A value as JSON in one line, cut to `MAX_TEXT` characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def describe_component(component: Object) -> tuple[str, str]:
    """The type of a component with its label, and what such a component is."""
    kind = component.text("type") or ""
    label = component.text("label")
    detail = f"{kind} {short_json(label)}" if label else kind
    return detail, COMPONENT_TEXTS.get(kind, "")


def describe_field(schema: dict[str, Any] | None) -> tuple[str, str]:
    """The type of a field of data, and its example."""
    if schema is None:
        return "", ""
    kind = schema.get("type")
    example = f"Example: {short_json(schema['__example__'])}" if "__example__" in schema else ""
    return (kind if isinstance(kind, str) else ""), example


def describe_screen(screen: ScreenNames) -> str:
    """The title of a screen."""
    title = screen.value.text("title")
    return short_json(title) if title else ""
