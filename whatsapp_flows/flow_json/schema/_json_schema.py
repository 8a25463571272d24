"""
A JSON schema (draft 7) of one version, made from the tables: for editors, which complete and underline by it.

It finds less than `validate`, and nothing else: what it refuses, `validate` reports too. What a schema cannot say, such
as where a reference leads, is left to `validate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ._checks import BLANK
from ._descriptions import COMPONENT_TEXTS, describe_property
from ._spec import (
    ACTIONS,
    BINDINGS,
    COMPONENTS,
    CONDITION_MAY_BE_BOOLEAN,
    ERROR_MESSAGES_OF_ANY_TYPE,
    ITEMS,
    KNOWN_VERSIONS,
    LAYOUT,
    LOOSE_BINDING,
    NEXT,
    NOT_BLANK,
    ON_CLICK,
    ON_SELECT,
    ROOT,
    SCREEN,
    TEXT_LISTS,
    TOLERANT,
    Property,
    Shape,
    Version,
    places_of,
    properties_of,
)

Schema = dict[str, Any]
_PLACES: Final = {"layout": "layout", "Form": "form", "If": "branch", "Switch": "case"}
_SOME: Final = "[^" + "".join(f"\\u{ord(char):04x}" for char in BLANK) + "]"
_SCREEN_ID: Final = "^[a-zA-Z,_]+$"
_CASE: Final = "^[a-zA-Z][a-zA-Z0-9_-]*$"


def json_schema(version: Version) -> dict[str, Any]:
    """The JSON schema of the documents of a known version. Raises `KeyError` for an unknown one."""
    row = KNOWN_VERSIONS[version]
    made = _Maker(version)
    root = made.shape(ROOT)
    root["properties"]["version"] = {"const": str(version), "description": "Version of Flow JSON."}
    root["properties"]["data_api_version"] = {**root["properties"]["data_api_version"], "enum": list(row.data_api)}
    if "data_channel_uri" not in root["properties"]:
        root["properties"].pop("meta", None)  # for Meta's own tools alone
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"WhatsApp Flow JSON {version}",
        **root,
        "definitions": made.definitions(),
    }


class _Maker:
    """The schemas of one version."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self._binding = next(pattern for since, pattern, _ in reversed(BINDINGS) if version >= since)

    def definitions(self) -> Schema:
        """The shapes that other schemas refer to, and the lists of components of each place."""
        found: Schema = {
            "screen": self.shape(SCREEN),
            "binding": {"type": "string", "pattern": f"^(?:{self._binding})"},
            "next": self.shape(NEXT),
        }
        for name, item in ITEMS.items():
            if name in _USED_ITEMS:
                found[name] = self.shape(item)
        for shape in COMPONENTS:
            places = places_of(shape, self.version)
            if places:
                found[shape.name] = self._component(shape, in_form=False)
            if "Form" in places:
                found[f"{shape.name} in a Form"] = self._component(shape, in_form=True)
        for place, name in _PLACES.items():
            found[f"in {name}"] = self._children(place)
        return found

    def shape(self, shape: Shape, *, in_form: bool = False, kind: str = "") -> Schema:
        """An object with the properties of this version; `kind` is the type of a component."""
        rows = properties_of(shape, self.version, in_form=in_form)
        properties: Schema = {"type": {"const": kind, "description": COMPONENT_TEXTS[kind]}} if kind else {}
        for name, row in rows.items():
            schema = self.property(row, shape.name)
            if isinstance(row.default, (bool, int, str)):
                schema["default"] = row.default
            properties[name] = {**schema, "description": describe_property(shape.name, row)}
        required = (["type"] if kind else []) + [name for name, row in rows.items() if row.required]
        found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            found["required"] = required
        pairs = [pair for pair in shape.both_or_neither if set(pair) <= rows.keys()]
        if pairs:
            found["dependencies"] = {one: [other] for pair in pairs for one, other in (pair, pair[::-1])}
        return found

    def _component(self, shape: Shape, *, in_form: bool) -> Schema:
        found = self.shape(shape, in_form=in_form, kind=shape.name)
        return {"description": COMPONENT_TEXTS[shape.name], **found}

    def _children(self, place: str) -> Schema:
        """Any component that may stand in a place: its type decides, so that an editor shows its faults alone."""
        suffix = " in a Form" if place == "Form" else ""
        names = [shape.name for shape in COMPONENTS if place in places_of(shape, self.version)]
        if not names:
            return {"type": "object"}
        return {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": names, "description": "Type of the component."}},
            "allOf": [
                {
                    "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                    "then": {"$ref": f"#/definitions/{name}{suffix}"},
                }
                for name in names
            ],
        }

    # -- properties

    def property(self, row: Property, shape: str) -> Schema:
        """The schema of a property."""
        if row.kind in ("components", "map<components>"):
            place = _PLACES.get({"the layout": "layout"}.get(shape, shape), "layout")
            children = {"type": "array", "items": {"$ref": f"#/definitions/in {place}"}}
            return children if row.kind == "components" else _by_name(children, _CASE)
        make = _KINDS.get(row.kind)
        return {} if make is None else make(self, row)

    def text(self, kind: str) -> Schema:
        """A string that is not blank where the version wants that."""
        found: Schema = {"type": "string"}
        if kind == "label1":
            found["minLength"] = 1
        if self.version >= NOT_BLANK[kind]:
            found["pattern"] = _SOME
        return found

    def or_binding(self, schema: Schema) -> Schema:
        """A fixed value, or a binding."""
        return {"anyOf": [schema, {"$ref": "#/definitions/binding"}]}

    def actions(self, row: Property) -> Schema:
        """An action by its name, with the keys that the name requires."""
        if row.kind == "action:on-select":
            found = self.shape(ON_SELECT)
            found["properties"]["name"] = {"enum": list(row.values), "description": "What is done."}
            return found
        found = self.shape(ON_CLICK)
        found["properties"]["name"] = {"enum": list(row.values), "description": "What is done."}
        known = found["properties"].keys()
        own = {action.needs for action in ACTIONS if action.needs}
        conditions = []
        for action in ACTIONS:
            if action.name in row.values:
                forbidden = known & ((own - {action.needs}) | {action.without})
                then: Schema = {"properties": dict.fromkeys(sorted(forbidden), False)}
                if action.needs in known:
                    then["required"] = [action.needs]
                test = {"properties": {"name": {"const": action.name}}, "required": ["name"]}
                conditions.append({"if": test, "then": then})
        return {**found, "allOf": conditions}


def _string(kind: str) -> Callable[[_Maker, Property], Schema]:
    def make(maker: _Maker, row: Property) -> Schema:
        found = maker.text(kind)
        return {**found, "pattern": "^#[A-Fa-f0-9]{6}$"} if row.format == "color" else found

    return make


def _fixed(kind: str) -> Callable[[_Maker, Property], Schema]:
    return lambda maker, row: _bounded({"type": kind}, row)


def _dynamic(kind: str) -> Callable[[_Maker, Property], Schema]:
    return lambda maker, row: maker.or_binding(_bounded({"type": kind}, row))


def _bounded(schema: Schema, row: Property) -> Schema:
    for key, value in (("minimum", row.minimum), ("maximum", row.maximum)):
        if value is not None:
            schema[key] = value
    return schema


def _list(items: Schema, row: Property) -> Schema:
    found: Schema = {"type": "array", "items": items}
    for key, value in (("minItems", row.min_items), ("maxItems", row.max_items)):
        if value is not None:
            found[key] = value
    return found


def _by_name(value: Schema, pattern: str) -> Schema:
    return {"type": "object", "propertyNames": {"pattern": pattern}, "additionalProperties": value}


def _enum(maker: _Maker, row: Property) -> Schema:
    if row.tolerated and maker.version >= TOLERANT:
        return {"anyOf": [{"enum": list(row.values)}, {"type": "string"}]}
    return {"enum": list(row.values)}


def _objects(maker: _Maker, row: Property) -> Schema:
    return maker.or_binding(_list({"$ref": f"#/definitions/{row.item}"}, row))


def _object(maker: _Maker, row: Property) -> Schema:
    return {"$ref": f"#/definitions/{row.item}"} if row.item in {*_USED_ITEMS, "next"} else {"type": "object"}


def _texts(kind: str) -> Callable[[_Maker, Property], Schema]:
    def make(maker: _Maker, row: Property) -> Schema:
        if maker.version < TEXT_LISTS:
            return maker.text(kind)
        return {"anyOf": [maker.text(kind), {"type": "array", "items": {"type": "string", "pattern": _SOME}}]}

    return make


def _range(single: Callable[[_Maker, Property], Schema]) -> Callable[[_Maker, Property], Schema]:
    def make(maker: _Maker, row: Property) -> Schema:
        each = single(maker, row)
        return {"anyOf": [each, {"type": "object", "properties": {"start-date": each, "end-date": each}}]}

    return make


def _messages(maker: _Maker, row: Property) -> Schema:
    any_type = maker.version >= ERROR_MESSAGES_OF_ANY_TYPE
    return maker.or_binding({"type": "object"} if any_type else _by_name({"type": "string"}, ""))


def _condition(maker: _Maker, row: Property) -> Schema:
    return {"type": ["string", "boolean"]} if maker.version >= CONDITION_MAY_BE_BOOLEAN else {"type": "string"}


def _layout(maker: _Maker, row: Property) -> Schema:
    layouts = KNOWN_VERSIONS[maker.version].layouts
    if len(layouts) > 1:  # 5.2, never public
        return {"type": "object", "required": ["type"], "properties": {"type": {"enum": list(layouts)}}}
    found = maker.shape(LAYOUT)
    children = found["properties"]["children"]
    found["properties"] = {"type": {"const": layouts[0], "description": "The only layout."}, "children": {}}
    test = {"properties": {"type": {"const": layouts[0]}}, "required": ["type"]}
    return {**found, "if": test, "then": {"properties": {"children": children}}}  # of another layout nothing is known


def _data(maker: _Maker, row: Property) -> Schema:
    types = ["string", "number", "integer", "boolean", "object", "array"]
    field: Schema = {
        "type": "object",
        "required": ["type", "__example__"],
        "properties": {
            "type": {"anyOf": [{"enum": types}, {}], "description": "Type of the field."},
            "__example__": {"description": "A value of the field, which previews show."},
        },
    }
    return {"type": "object", "properties": {"required": {"type": "array"}}, "additionalProperties": field}


def _loose(maker: _Maker, row: Property) -> Schema:
    return {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": f"^(?:{LOOSE_BINDING})"}]}


_KINDS: Final[Mapping[str, Callable[[_Maker, Property], Schema]]] = {
    "action:on-click": lambda maker, row: maker.actions(row),
    "action:on-select": lambda maker, row: maker.actions(row),
    "array<enum>": lambda maker, row: _list({"enum": list(row.values)}, row),
    "array<enum>|binding": lambda maker, row: maker.or_binding(_list({"enum": list(row.values)}, row)),
    "array<object>|binding": _objects,
    "array<string>": lambda maker, row: _list(maker.text("string"), row),
    "array<string>|binding": lambda maker, row: maker.or_binding(_list(maker.text("string"), row)),
    "base64": _fixed("string"),
    "binding": lambda maker, row: {"$ref": "#/definitions/binding"},
    "bool": _dynamic("boolean"),
    "calendar<bool>": _range(_dynamic("boolean")),
    "calendar<string>": _range(_string("string")),
    "condition": _condition,
    "data": _data,
    "data-api": _fixed("string"),
    "enum": _enum,
    "enum|binding": lambda maker, row: maker.or_binding({"enum": list(row.values)}),
    "int": _dynamic("integer"),
    "label1": _string("label1"),
    "layout": _layout,
    "loose-bool": _loose,
    "messages": _messages,
    "name": _string("name"),
    "number": _dynamic("number"),
    "object": _object,
    "object|binding": _dynamic("object"),
    "routing": lambda maker, row: _by_name({"type": "array", "items": {"type": "string"}}, _SCREEN_ID),
    "screen-id": lambda maker, row: {"type": "string", "minLength": 1, "pattern": _SCREEN_ID},
    "screens": lambda maker, row: _list({"$ref": "#/definitions/screen"}, row),
    "static-bool": _fixed("boolean"),
    "static-int": _fixed("integer"),
    "string": _string("string"),
    "string|array<string>": _texts("string"),
    "string|object": lambda maker, row: {"anyOf": [maker.text("string"), {"type": "object", "minProperties": 1}]},
    "text": _string("text"),
    "text|array<text>": _texts("text"),
    "url": _fixed("string"),
}
_USED_ITEMS: Final = frozenset(
    {row.item for shape in COMPONENTS for row in shape.properties if row.item}
    | {row.item for name in ("nav_item",) for row in ITEMS[name].properties if row.item}
)
