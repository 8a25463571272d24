"""
What a place in a Flow JSON means: which shape an object has, which property a value belongs to.

Follows the tables of the schema from the root along the steps of a cursor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..flow_json import (
    ITEMS,
    KNOWN_VERSIONS,
    LAYOUT,
    NEXT,
    ON_CLICK,
    ON_SELECT,
    ROOT,
    SCREEN,
    Property,
    Shape,
    Version,
    parse_version,
    properties_of,
)
from ._cursor import Step
from ._names import shape_of
from ._tree import Object

_ITEMS: Final[Mapping[str, Shape]] = {**ITEMS, "next": NEXT}
_PLACE_OF_SHAPE: Final = {LAYOUT.name: "layout"}


class Meaning(NamedTuple):
    """
    What stands in a place. `role` says how to read the rest.

    "object": an object with the properties of `shape`. "component": the same; its `place` is what the tables call it.
    "components", "objects": a list of those. "value": the value of the property `row` of `shape`. "item": an item of a
    list that is. "cases", "routes", "fields", "field", "payload", "names": maps. "unknown": the tables say nothing.
    """

    role: str
    shape: Shape | None = None
    row: Property | None = None
    place: str = ""

    def rows(self, version: Version) -> dict[str, Property]:
        """The properties of the object."""
        return properties_of(self.shape, version, in_form=self.place == "Form") if self.shape else {}


_UNKNOWN: Final = Meaning("unknown")


def version_of(stated: str | None) -> Version:
    """The version whose tables apply: the one that is stated, or the newest known one that has been announced."""
    found = parse_version(stated) if stated else None
    if found in KNOWN_VERSIONS and found is not None:
        return found
    return max(version for version, row in KNOWN_VERSIONS.items() if row.released is not None)


def meaning_of(steps: tuple[Step, ...], version: Version) -> Meaning:
    """The meaning of the value that the steps lead to; of the container itself, if the last step has no key."""
    found = Meaning("object", ROOT)
    for step in steps:
        found = _typed(found, step)
        if step.key is None:
            return found
        found = _inner(found, step.key, version)
    return found


def _typed(found: Meaning, step: Step) -> Meaning:
    """A component gets its shape from its type."""
    if found.role != "component" or not isinstance(step.container, Object):
        return found
    return found._replace(shape=shape_of(step.container))


def _inner(found: Meaning, key: str | int, version: Version) -> Meaning:
    if found.role in _ITEM_ROLES:
        return found._replace(role=_ITEM_ROLES[found.role]) if isinstance(key, int) else _UNKNOWN
    if found.role == "cases":
        return Meaning("components", place="Switch")
    if found.role == "routes":
        return Meaning("destinations")
    if found.role == "fields":
        return Meaning("field")
    if found.role not in {"object", "component"} or not isinstance(key, str):
        return Meaning("field type") if (found.role, key) == ("field", "type") else _UNKNOWN
    if found.role == "component" and key == "type":
        return Meaning("component type", found.shape, place=found.place)
    row = found.rows(version).get(key)
    if found.shape is None or row is None:
        return _UNKNOWN
    return _of_property(found.shape, row)


_ITEM_ROLES: Final = {"components": "component", "objects": "object", "value": "item", "destinations": "destination"}
_ROLES: Final = {
    "routing": "routes",
    "data": "fields",
    "map<components>": "cases",
    "messages": "names",
}


def _of_property(shape: Shape, row: Property) -> Meaning:
    kind = row.kind
    if kind in _ROLES:
        return Meaning(_ROLES[kind], shape, row)
    if kind == "components":
        return Meaning("components", place=_PLACE_OF_SHAPE.get(shape.name, shape.name))
    if kind == "screens":
        return Meaning("objects", SCREEN, row)
    if kind == "layout":
        return Meaning("object", LAYOUT, row)
    if kind in {"action:on-click", "action:on-select"}:
        base = ON_CLICK if kind == "action:on-click" else ON_SELECT
        first, *rest = base.properties
        return Meaning("object", base._replace(properties=(first._replace(values=row.values), *rest)), row)
    if row.name == "payload":
        return Meaning("payload", shape, row)
    if row.name == "init-values":
        return Meaning("names", shape, row)
    if row.item in _ITEMS:
        return Meaning("objects" if kind.startswith("array") else "object", _ITEMS[row.item], row)
    return Meaning("value", shape, row)


OPENINGS: Final[Mapping[str, str]] = {
    "action:on-click": "{}",
    "action:on-select": "{}",
    "array<enum>": "[]",
    "array<object>|binding": "[]",
    "array<string>": "[]",
    "components": "[]",
    "data": "{}",
    "layout": "{}",
    "map<components>": "{}",
    "object": "{}",
    "routing": "{}",
    "screens": "[]",
}
"""How the value of a property begins and ends, by the kind of the property: brackets where nothing else may stand."""


_ONLY: Final = {("next", "type"): '"screen"', (LAYOUT.name, "type"): '"SingleColumnLayout"'}


def empty_value(shape: Shape, row: Property) -> str:
    """What is written for a property that has to be there: what alone may, or nothing."""
    if (shape.name, row.name) in _ONLY:
        return _ONLY[shape.name, row.name]
    return "true" if row.kind == "bool" else OPENINGS.get(row.kind, '""')
