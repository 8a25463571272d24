"""
Fields of the data models of screens, as they are written: their types, their parts, whether their example fits.

Source: Meta, Flow JSON reference ("Data model").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..language import TYPES, UNTYPED, has_type
from ..text import Pointer
from ._draft07 import MAX_SCHEMA_DEPTH

EXAMPLE: Final = "__example__"
_PLAIN: Final = frozenset({"type", EXAMPLE})
_PLAIN_TYPES: Final = ("string", "number", "integer", "boolean")
_EXACTLY: Final[Mapping[str, type]] = {"string": str, "boolean": bool, "integer": int, "number": int}
STRING_ARRAY: Final = "array of strings"
_TEXT_ITEMS: Final = {"type": "string"}


class Part(NamedTuple):
    """A schema in a field of a data model, or the field itself; `typed` if it must have a type."""

    pointer: Pointer
    schema: Mapping[str, Any]
    typed: bool


def data_model(value: Any) -> Mapping[str, Any] | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("required"), list):
        return {name: field for name, field in value.items() if name != "required"}
    return value


def type_of_field(field: Any) -> str | None:
    """The type of a field of a data model, UNTYPED if it names no type that exists; None if it is no field."""
    try:
        kind = field["type"]
        return kind if kind in TYPES else UNTYPED
    except (KeyError, TypeError):  # of an unhashable value as well
        return UNTYPED if type(field) is dict else None


def is_string_array(field: Mapping[str, Any]) -> bool:
    """Whether it is an array of strings without further keywords."""
    return field.get("type") == "array" and field.get("items") == _TEXT_ITEMS


def parts_of(field: Mapping[str, Any], pointer: Pointer) -> Iterator[Part]:
    """The schema of a field and all schemas in it."""
    queue: list[tuple[Pointer, Any, bool]] = [(pointer, field, True)]
    while queue:
        at, schema, typed = queue.pop()
        if isinstance(schema, dict) and len(at) < MAX_SCHEMA_DEPTH:
            yield Part(at, schema, typed)
            properties = schema.get("properties")
            if isinstance(properties, dict):
                queue.extend(((*at, "properties", key), inner, False) for key, inner in properties.items())
            if "items" in schema:
                queue.append(((*at, "items"), schema["items"], schema.get("type") == "array"))


def is_plain(field: Mapping[str, Any]) -> bool:
    """Whether a field has nothing but the name of a type without parts, and an example."""
    return len(field) <= 2 and field.keys() <= _PLAIN and field.get("type") in _PLAIN_TYPES


def is_plain_and_valid(field: Mapping[str, Any]) -> bool:
    """Whether the example of a field plainly fits: of a simple type, or an array of one. False is not certain."""
    kind, example = field.get("type"), field.get(EXAMPLE)
    if type(kind) is not str:
        return False
    if len(field) == 2 and type(example) is _EXACTLY.get(kind):
        return True
    if kind == "array" and len(field) == 3 and type(example) is list:
        items = field.get("items")
        if type(items) is dict and len(items) == 1 and type(each := items.get("type")) is str and each in _EXACTLY:
            return all(type(value) is _EXACTLY[each] for value in example)
    return is_plain(field) and has_type(example, kind)
