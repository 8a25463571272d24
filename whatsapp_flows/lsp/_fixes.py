"""Remedies that write something new: a required property that is missing, an example of the right type."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..flow_json import RECOMMENDED, did_you_mean
from ._cursor import Cursor, cursor_at
from ._findings import Found
from ._meaning import empty_value, meaning_of, version_of
from ._names import Index
from ._rename import Edit
from ._tree import Object, Scalar, plain, quoted

_MISSING: Final = re.compile(r"required property '([^']+)' is missing in ")
_EXAMPLE: Final = "__example__"
_LINE_START: Final = re.compile(r"[ \t]*$")
_EXAMPLES: Final[Mapping[str, Any]] = {
    "string": "text", "number": 1, "integer": 1, "boolean": True, "array": [], "object": {},
}  # fmt: skip
_MAX_DEPTH: Final = 8  # of an example that is made from a schema


def missing_property(index: Index, found: Found, at: int) -> Iterator[tuple[str, Edit]]:
    """The title and the edit that write a missing property, where the finding says that one is."""
    named = _MISSING.match(found.message)
    name = "version" if found.code == "MISSING_FLOW_JSON_VERSION" else named[1] if named else ""
    cursor = cursor_at(index.root, at + 1)
    holder = cursor.container
    if name and isinstance(holder, Object) and holder.start == at and not _is_there(holder, name):
        value = _value_of(index, name, holder, cursor)
        if value:
            yield f"Add {name!r}", _insertion(index.text, holder, f"{quoted(name)}: {value}")


def _is_there(holder: Object, name: str) -> bool:
    """Whether a property is there, be it misspelt: that has a remedy of its own."""
    return any(each.key.text == name or did_you_mean(each.key.text, (name,)) for each in holder.members)


def _value_of(index: Index, name: str, holder: Object, cursor: Cursor) -> str:
    version = version_of(index.version)
    meaning = meaning_of(cursor.steps, version)
    if meaning.role == "field":
        return _value_of_field(name, holder)
    row = meaning.rows(version).get(name)
    if row is None or meaning.shape is None:
        return ""
    return quoted(str(RECOMMENDED)) if name == "version" else empty_value(meaning.shape, row)


def _value_of_field(name: str, holder: Object) -> str:
    """The type of a field by its example, or its example by its type."""
    if name == _EXAMPLE:
        return json.dumps(example_of(plain(holder)))
    given = holder.get(_EXAMPLE)
    return quoted("string" if given is None else type_of(plain(given)))


def example_of(schema: Any, depth: int = 0) -> Any:
    """A value that fits a schema."""
    schema = schema if isinstance(schema, dict) else {}
    kind = schema.get("type")
    if kind == "object" and isinstance(schema.get("properties"), dict) and depth < _MAX_DEPTH:
        return {name: example_of(inner, depth + 1) for name, inner in schema["properties"].items()}
    if kind == "array" and isinstance(schema.get("items"), dict) and depth < _MAX_DEPTH:
        return [example_of(schema["items"], depth + 1)]
    return _EXAMPLES.get(kind, "text") if isinstance(kind, str) else "text"


def type_of(value: Any) -> str:
    """The type that a schema has for a value; a string for null."""
    return _TYPES.get(type(value), "string")


_TYPES: Final[Mapping[type, str]] = {
    bool: "boolean", int: "number", float: "number", list: "array", dict: "object",
}  # fmt: skip


def _insertion(text: str, holder: Object, written: str) -> Edit:
    """Behind the last member; on a line of its own, if that has one."""
    if not holder.members:
        return Edit(holder.start + 1, holder.start + 1, written)
    last = holder.members[-1]
    line = text[text.rfind("\n", 0, last.key.start) + 1 : last.key.start]
    between = f",\n{line}" if "\n" in text[holder.start : last.key.start] and not line.strip(" \t") else ", "
    return Edit(last.end, last.end, between + written)


def other_example(index: Index, found: Found, at: int) -> Iterator[tuple[str, Edit]]:
    """The title and the edits that make an example fit its type: another example, or the type of this one."""
    cursor = cursor_at(index.root, at + 1)
    inside = [step for step in cursor.steps if step.key == _EXAMPLE]
    field = inside[-1].container if inside else None
    if not isinstance(field, Object):
        return
    example, kind = field.get(_EXAMPLE), field.get("type")
    if example is None or example.start != at:
        return
    schema = plain(field)
    fitting = _converted(plain(example), schema.get("type"), example_of(schema))
    yield (
        f"Replace by an example of type {schema.get('type')}",
        Edit(example.start, example.end, json.dumps(fitting, ensure_ascii=False)),
    )
    if isinstance(kind, Scalar) and type(plain(example)) in _SIMPLE_TYPES:
        meant = type_of(plain(example))
        yield f"Change the type to {meant}", Edit(kind.start, kind.end, quoted(meant))


_SIMPLE_TYPES: Final = frozenset({bool, int, float, str})
"""Types of which a schema says nothing but the type."""


def _converted(given: Any, kind: object, otherwise: Any) -> Any:
    """The example as one of another type, if it reads as one."""
    if kind == "string" and isinstance(given, (int, float)):
        return json.dumps(given)
    if isinstance(given, str) and kind in ("number", "integer", "boolean"):
        try:
            read = json.loads(given)
        except (ValueError, RecursionError):
            return otherwise
        if isinstance(read, float) and not math.isfinite(read):  # Python reads NaN and 1e999, which JSON cannot hold
            return otherwise
        fits = (
            isinstance(read, bool)
            if kind == "boolean"
            else type(read) in ((int,) if kind == "integer" else (int, float))
        )
        return read if fits else otherwise
    return otherwise
