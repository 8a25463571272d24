"""
A JSON schema (draft 7) of the structure of one version of Flow JSON, made from the validator's own tables.

For the other validators in `validate.py`. Each component is one alternative, chosen by `if` and `then` on its type.
This is the fastest form for validators that collect all errors: with `oneOf` they would try two dozen alternatives for
each child.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from whatsapp_flows.flow_json.schema import (
    BINDINGS,
    COMPONENTS,
    ITEMS,
    KNOWN_VERSIONS,
    LAYOUT,
    LOOSE_BINDING,
    NEXT,
    ON_CLICK,
    ON_SELECT,
    ROOT,
    SCREEN,
    Property,
    Shape,
    Version,
    places_of,
    properties_of,
)

Schema = dict[str, Any]
PLACES: Final = ("layout", "Form", "If", "Switch")
_NOT_BLANK: Final = r"\S"


def schema_of(version: Version) -> Schema:
    """The structural schema of a version."""
    binding = next(pattern for since, pattern, _ in reversed(BINDINGS) if version >= since)
    made = _Schema(version, binding)
    definitions = {place: made.children(place) for place in PLACES}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **made.object(ROOT),
        "definitions": {**definitions, "screen": made.object(SCREEN)},
    }


class _Schema:
    def __init__(self, version: Version, binding: str) -> None:
        self.version = version
        self.binding = {"type": "string", "pattern": binding}
        self.loose = {"type": "string", "pattern": LOOSE_BINDING}

    def children(self, place: str) -> Schema:
        """The components that may stand at a place: an object whose type is known, and the properties of that type."""
        shapes = [shape for shape in COMPONENTS if place in places_of(shape, self.version)]
        choices = [
            {
                "if": {"properties": {"type": {"const": shape.name}}},
                "then": self.object(shape, typed=True, in_form=place == "Form"),
            }
            for shape in shapes
        ]
        named = {"type": {"enum": [shape.name for shape in shapes]}}
        component = {"type": "object", "required": ["type"], "properties": named, "allOf": choices}
        return {"type": "array", "items": component}

    def object(self, shape: Shape, *, typed: bool = False, in_form: bool = False) -> Schema:
        rows = properties_of(shape, self.version, in_form=in_form)
        properties = {name: self.value(row, shape) for name, row in rows.items()}
        if typed:
            properties["type"] = {"const": shape.name}
        made: Schema = {
            "type": "object",
            "properties": properties,
            "required": [name for name, row in rows.items() if row.required],
            "additionalProperties": False,
        }
        if shape.both_or_neither:
            made["dependencies"] = {one: [two] for pair in shape.both_or_neither for one, two in (pair, pair[::-1])}
        return made

    def value(self, row: Property, shape: Shape) -> Schema:
        """The schema of a row's values."""
        if row.kind in _FIXED:
            return _FIXED[row.kind]
        return _MADE[row.kind](self, row, shape)

    def bound(self, made: Schema) -> Schema:
        return {"anyOf": [made, self.binding]}

    def on_click(self, row: Property) -> Schema:
        made = self.object(ON_CLICK)
        made["properties"] = {**made["properties"], "name": {"enum": list(row.values)}, "next": self.object(NEXT)}
        made["if"] = {"properties": {"name": {"const": "navigate"}}}
        made["then"] = {"required": ["next"]}
        made["else"] = {"not": {"required": ["next"]}}
        return made

    def on_select(self, row: Property) -> Schema:
        made = self.object(ON_SELECT)
        made["properties"] = {**made["properties"], "name": {"enum": list(row.values)}}
        return made


def _list(row: Property, item: Schema) -> Schema:
    made: Schema = {"type": "array", "items": item}
    if row.min_items is not None:
        made["minItems"] = row.min_items
    if row.max_items is not None:
        made["maxItems"] = row.max_items
    return made


def _limited(row: Property, kind: str) -> Schema:
    made: Schema = {"type": kind}
    if row.minimum is not None:
        made["minimum"] = row.minimum
    if row.maximum is not None:
        made["maximum"] = row.maximum
    return made


def _range(made: Schema) -> Schema:
    ends = {"type": "object", "properties": {"start-date": made, "end-date": made}}
    return {"anyOf": [made, ends]}


_STRING: Final[Schema] = {"type": "string"}
_TEXT: Final[Schema] = {"type": "string", "pattern": _NOT_BLANK}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_DATA_FIELD: Final[Schema] = {"type": "object", "required": ["type", "__example__"]}
_SCREEN_ID: Final = r"^[a-zA-Z,_]+$"

_FIXED: Final[Mapping[str, Schema]] = {
    "any": {},
    "any-string": _STRING,
    "base64": _STRING,
    "condition": {"type": ["string", "boolean"]},
    "data": {"type": "object", "additionalProperties": _DATA_FIELD},
    "label1": _TEXT,
    "messages": {"type": ["object", "string"]},
    "name": _TEXT,
    "routing": {
        "type": "object",
        "propertyNames": {"pattern": _SCREEN_ID},
        "additionalProperties": {"type": "array", "items": _STRING},
    },
    "screen-id": {"type": "string", "pattern": _SCREEN_ID},
    "screens": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/screen"}},
    "static-bool": {"type": "boolean"},
    "string": _TEXT,
    "string|array<string>": {"anyOf": [_TEXT, _TEXTS]},
    "string|object": {"anyOf": [_TEXT, {"type": "object", "minProperties": 1, "additionalProperties": _TEXT}]},
    "text": _TEXT,
    "text|array<text>": {"anyOf": [_TEXT, _TEXTS]},
    "url": _STRING,
}

_MADE: Final[Mapping[str, Callable[[_Schema, Property, Shape], Schema]]] = {
    "action:on-click": lambda made, row, _: made.on_click(row),
    "action:on-select": lambda made, row, _: made.on_select(row),
    "array<enum>": lambda made, row, _: _list(row, {"enum": list(row.values)}),
    "array<enum>|binding": lambda made, row, _: made.bound(_list(row, {"enum": list(row.values)})),
    "array<object>|binding": lambda made, row, _: made.bound(_list(row, made.object(ITEMS[row.item]))),
    "array<string>": lambda made, row, _: _list(row, _TEXT),
    "array<string>|binding": lambda made, row, _: made.bound(_list(row, _TEXT)),
    "binding": lambda made, row, _: made.binding,
    "bool": lambda made, row, _: made.bound({"type": "boolean"}),
    "calendar<bool>": lambda made, row, _: _range(made.bound({"type": "boolean"})),
    "calendar<string>": lambda made, row, _: _range(_TEXT),
    "components": lambda made, row, shape: {"$ref": f"#/definitions/{shape.name if shape is not LAYOUT else 'layout'}"},
    "data-api": lambda made, row, _: {"enum": list(KNOWN_VERSIONS[made.version].data_api)},
    "enum": lambda made, row, _: {"enum": list(row.values)},
    "enum|binding": lambda made, row, _: made.bound({"enum": list(row.values)}),
    "int": lambda made, row, _: made.bound(_limited(row, "integer")),
    "layout": lambda made, row, _: made.object(LAYOUT),
    "loose-bool": lambda made, row, _: {"anyOf": [{"type": "boolean"}, made.loose]},
    "map<components>": lambda made, row, shape: {
        "type": "object", "additionalProperties": {"$ref": f"#/definitions/{shape.name}"},
    },
    "number": lambda made, row, _: made.bound(_limited(row, "number")),
    "object": lambda made, row, _: made.object(ITEMS[row.item]) if row.item in ITEMS else {"type": "object"},
    "object|binding": lambda made, row, _: made.bound({"type": "object"}),
    "static-int": lambda made, row, _: _limited(row, "integer"),
    "static-object": lambda made, row, _: {"type": "object"},
}  # fmt: skip
