"""
Data models of screens: each field is a JSON schema (draft 7) with an `__example__` that fits it.

Sources: Meta, Flow JSON reference ("Data model"); Meta's client validator, August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..language import TYPES
from ..schema import EXAMPLE, Document, Finding, Part, Severity, schema_failures
from ._index import index
from ._rule import Newer, Rule

CODE: Final = "INVALID_SCREEN_DATA"

# Keyword that the example does not satisfy -> Meta's code for it (Meta's client validator, August 2026).
CODES: Final = {
    "additionalProperties": "INVALID_PROPERTY_KEY",
    "const": "INVALID_PROPERTY_VALUE",
    "enum": "INVALID_ENUM_VALUE",
    "maxItems": "MAX_ITEMS_REQUIRED",
    "maxLength": "INVALID_SCHEMA",
    "maximum": "MAXIMUM_VALUE_REQUIRED",
    "minItems": "MIN_ITEMS_REQUIRED",
    "minLength": "MIN_CHARS_REQUIRED",
    "minimum": "MINIMUM_VALUE_REQUIRED",
    "not": "INVALID_SCHEMA",
    "required": "MISSING_REQUIRED_PROPERTY",
    "type": "INVALID_PROPERTY_TYPE",
}


def untyped_schema(doc: Document) -> Iterator[Finding]:
    """
    A field, and the items of an array, have a type; an array has items.

    Passes: {"screens": [{"data": {"a": {"type": "array", "items": {"type": "string"}}}}]}
    Fails: {"screens": [{"data": {"a": {"type": "array"}}}]}
    """
    for _, _, _, parts in index(doc).schemas:
        for part in parts:
            yield from _untyped(part)


def _untyped(part: Part) -> Iterator[Finding]:
    pointer, schema, typed = part
    if "type" not in schema:
        if typed:
            yield Finding(CODE, "A field and the items of an array need a type.", pointer)
    elif not isinstance(schema["type"], str):
        yield Finding(CODE, "A type is a string.", (*pointer, "type"))
    elif schema["type"] == "array":
        if "items" not in schema:
            yield Finding(CODE, "An array needs items.", pointer)
        elif not isinstance(schema["items"], (dict, bool)):
            message = "The items of an array are described by an object, or by true or false."
            yield Finding(CODE, message, pointer, severity=Severity.WARNING)  # Meta's client accepts it


def example_inside(doc: Document) -> Iterator[Finding]:
    """
    The example is a key of the field, not of a schema inside it.

    Passes: {"screens": [{"data": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}}}]}
    Fails: {"screens": [{"data": {"a": {"type": "object", "properties": {"b": {"__example__": "x"}}}}}]}
    """
    for _, name, field, parts in index(doc).schemas:
        for pointer, schema, _ in parts:
            if schema is not field and EXAMPLE in schema:
                message = f"{EXAMPLE} stands at the field {name!r} itself, not inside of its schema."
                yield Finding(CODE, message, (*pointer, EXAMPLE), key=True)


def invalid_schema(doc: Document) -> Iterator[Finding]:
    """
    A field is a schema: its types exist (there is no null), enum and required are arrays, properties an object.

    Passes: {"screens": [{"data": {"a": {"type": "number"}}}]}
    Fails: {"screens": [{"data": {"a": {"type": "float"}}}]}
    """
    for screen, name, _, parts in index(doc).schemas:
        if reason := _invalid(parts):
            message = f"The schema of {name!r} is wrong: {reason}."
            yield Finding(CODE, message, screen.at("data", name, EXAMPLE))


def _invalid(parts: list[Part]) -> str:
    for _, schema, _ in parts:
        kind = schema.get("type")
        if isinstance(kind, str) and kind not in TYPES:
            return f"there is no type {kind!r}"
        for keyword, wanted in (("enum", list), ("required", list), ("properties", dict)):
            if keyword in schema and not isinstance(schema[keyword], wanted):
                return f"{keyword} must be {'an object' if wanted is dict else 'an array'}"
    return ""


def wrong_example(doc: Document) -> Iterator[Finding]:
    """
    The example fits the schema.

    Passes: {"screens": [{"data": {"a": {"type": "string", "__example__": "x"}}}]}
    Fails: {"screens": [{"data": {"a": {"type": "string", "__example__": 5}}}]}
    """
    wrong = {parts[0].pointer for _, _, _, parts in index(doc).schemas if _invalid(parts)}
    for screen, name, field in index(doc).fields:
        if EXAMPLE not in field or (wrong and screen.at("data", name) in wrong):  # FJ503 reports the schema
            continue
        found = next(schema_failures(field[EXAMPLE], field), None)
        if found:
            message = f"The example of {name!r} does not fit: {found.reason}."
            yield Finding(CODES[found.keyword], message, screen.at("data", name, EXAMPLE))


RULES: Final = (
    Rule("FJ501", "a schema without type", untyped_schema, needs=("data",)),
    Rule("FJ502", "an example inside of a schema", example_inside, needs=("data",)),
    Rule("FJ503", "a schema that is none", invalid_schema, needs=("data",), newer=Newer.NEVER),
    Rule("FJ504", "an example that does not fit", wrong_example, needs=("data",)),
)
