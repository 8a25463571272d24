"""
Whether an entry of a payload fits a field of a data model: static values, and values behind references.

Types are compared by name, so that a number does not fit an integer field; a static integer fits both. Source:
Meta, Flow JSON reference ("Actions"); Meta's client validator, August 2026, for objects and arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from ..language import TYPES, has_type, is_dynamic, type_of_value
from ..schema import MAX_SCHEMA_DEPTH
from ..text import Pointer
from ._component_facts import STRING_ARRAY_INPUTS
from ._resolution import ResolvedReference

_MOST_NAMES: Final = 10
_TEXTS: Final[Mapping[str, Any]] = {"type": "array", "items": {"type": "string"}}


class Mismatch(NamedTuple):
    """Why something does not fit. `fields` are the places in data models that disagree; empty if the value is wrong."""

    reason: str
    fields: tuple[Pointer, ...] = ()


def format_names(names: Iterable[str]) -> str:
    """The first ten names for a message, and whether there are more."""
    found = list(islice(names, _MOST_NAMES + 1))
    return ", ".join(found[:_MOST_NAMES]) + (" and more" if len(found) > _MOST_NAMES else "")


def known_type(schema: Any) -> str:
    """The type that a schema names; empty if it names none that exists."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    return kind if isinstance(kind, str) and kind in TYPES else ""


def static_mismatch(value: Any, schema: Any, where: str = "", depth: int = 0) -> str:
    """Why a static value does not fit a field; empty if it does. Dynamic strings inside fit every type."""
    wanted = known_type(schema)
    if not wanted or depth > MAX_SCHEMA_DEPTH or (where and isinstance(value, str) and is_dynamic(value)):
        return ""
    if not has_type(value, wanted):
        return f"{where or 'it'} is of type {type_of_value(value)}, not {wanted}"
    if isinstance(value, dict):
        properties = schema.get("properties")
        for key, inner in properties.items() if isinstance(properties, dict) else ():
            place = f"{where}.{key}" if where else key
            if key not in value:
                return f"{place} is missing"
            if reason := static_mismatch(value[key], inner, place, depth + 1):
                return reason
    elif isinstance(value, list):
        for i, item in enumerate(value):
            if reason := static_mismatch(item, schema.get("items"), f"{where}[{i}]", depth + 1):
                return reason
    return ""


def bound_mismatches(found: ResolvedReference, schema: Mapping[str, Any], field: Pointer) -> Iterator[Mismatch]:
    """Why the target of a reference does not fit a field."""
    wanted = known_type(schema)
    if found.schema is not None:
        yield from _schemas(found.schema, schema, found.pointer, field, 0)
    elif found.type and wanted and found.type != wanted:
        yield Mismatch(f"it is of type {found.type}, not {wanted}")
    elif found.component is not None and found.component.type in STRING_ARRAY_INPUTS and wanted:
        yield from _schemas(_TEXTS, schema, (), field, 0)


def _schemas(left: Any, right: Any, left_at: Pointer, right_at: Pointer, depth: int) -> Iterator[Mismatch]:
    got, wanted = known_type(left), known_type(right)
    if not got or not wanted or depth > MAX_SCHEMA_DEPTH:
        return
    if got != wanted:
        yield Mismatch(f"{'its content' if depth else 'it'} is of type {got}, not {wanted}")
        return
    part = {"object": "properties", "array": "items"}.get(got)
    if part is None:
        return
    lacking = [at for schema, at in ((left, left_at), (right, right_at)) if part not in schema and at]
    if lacking:
        yield Mismatch(f"it cannot be compared: a data model lacks {part}", tuple(lacking))
    elif part == "items":
        yield from _schemas(left["items"], right["items"], left_at, right_at, depth + 1)
    else:
        yield from _objects(left["properties"], right["properties"], left_at, right_at, depth)


def _objects(left: Any, right: Any, left_at: Pointer, right_at: Pointer, depth: int) -> Iterator[Mismatch]:
    if not isinstance(left, dict) or not isinstance(right, dict):
        return
    if left.keys() != right.keys():
        differing = chain((key for key in left if key not in right), (key for key in right if key not in left))
        yield Mismatch(f"the data models differ in the properties {format_names(differing)}", (left_at, right_at))
        return
    for key, inner in left.items():
        yield from _schemas(inner, right[key], left_at, right_at, depth + 1)
