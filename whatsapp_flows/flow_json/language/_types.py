"""The types of data models, by their names. Source: Meta, Flow JSON reference ("Dynamic data")."""

from __future__ import annotations

from typing import Any, Final

TYPES: Final = frozenset({"string", "number", "integer", "boolean", "object", "array"})
"""The types a field of a data model may have. There is no null."""

UNTYPED: Final = ""
"""The type of what has no known type, such as the result of %. It fits every type."""


def type_of_value(value: Any) -> str:
    """The JSON type of a value, as a data model names it; 5.0 is an integer, as in JSON schema."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    if isinstance(value, dict):
        return "object"
    return "null" if value is None else "array"


def has_type(value: Any, wanted: str) -> bool:
    """Whether a value is of a type; an integer is a number as well."""
    found = type_of_value(value)
    return found == wanted or (found == "integer" and wanted == "number")
