"""
The structure of one version: the checks of the root, a screen and each component in each place.

Checks are closures, made from the rows of the tables once for a version. Each keyword of a JSON schema has one code
(`RULE_OF`; source: Meta's client validator, August 2026). A component where it may not stand is reported at its type,
and its content is not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from ..text import short_repr
from ._checks import VALID_DYNAMIC, Check, CheckResult, Context, context_of, did_you_mean, wrong_type
from ._kinds import KINDS
from ._model import Finding
from ._objects import object_check
from ._spec import COMPONENTS, ROOT, SCREEN, Shape, Version, places_of, properties_of
from ._values import unchecked

RULE_OF: Final[Mapping[str, str]] = {
    "INVALID_FLOW_JSON": "FJ004",
    "INVALID_PROPERTY_KEY": "FJ011",
    "INVALID_PROPERTY_VALUE": "FJ012",
    "MISSING_REQUIRED_PROPERTY": "FJ013",
    "INVALID_PROPERTY_TYPE": "FJ014",
    "MIN_ITEMS_REQUIRED": "FJ015",
    "MAX_ITEMS_REQUIRED": "FJ016",
    "INVALID_PROPERTY_VALUE_FORMAT": "FJ017",
    "MIN_CHARS_REQUIRED": "FJ018",
    "PATTERN_MISMATCH": "FJ019",
    "INVALID_ENUM_VALUE": "FJ020",
    "INVALID_DEPENDENCIES": "FJ021",
    "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED": "FJ022",
    "MINIMUM_VALUE_REQUIRED": "FJ023",
    "MAXIMUM_VALUE_REQUIRED": "FJ024",
    "ONE_OF_SCHEMA_VALIDATION_FAILED": "FJ025",
    "INVALID_SCHEMA": "FJ026",
}
LAYOUT_PLACE: Final = "layout"
_PLACES: Final = {"layout": "the layout", "Form": "a Form", "If": "a branch of an If", "Switch": "a case of a Switch"}
_FORM_ONLY_UNTIL: Final = Version(3, 1)  # until here Meta reports a component outside a Form at the component itself


@dataclass(frozen=True, slots=True)
class ComponentCheck:
    """How a component is checked in one place, and which of its properties hold components."""

    check: Check
    containers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Structure:
    """
    All checks of one version. `places`: place -> component type -> its check there.

    `anywhere` is for documents of a newer version, which may allow a component in a place that the tables do not have.
    """

    context: Context
    root: Check
    screen: Check
    places: Mapping[str, Mapping[str, ComponentCheck]]
    anywhere: Mapping[str, ComponentCheck]

    @property
    def version(self) -> Version:
        """The version of the tables that are checked against."""
        return self.context.version

    def placement_error(self, value: Any, place: str) -> Finding:
        """The finding for a child that is not a component allowed in this place."""
        if type(value) is not dict:
            return wrong_type("a component", "an object", value)
        if "type" not in value:
            return Finding("MISSING_REQUIRED_PROPERTY", "required property 'type' is missing in a component.")
        kind = value["type"]
        shape = _SHAPES.get(kind) if type(kind) is str else None
        if shape is not None:
            return self._misplaced(shape, place)
        code = "INVALID_PROPERTY_VALUE" if place in ("layout", "Form") else "ONE_OF_SCHEMA_VALIDATION_FAILED"
        if type(kind) is not str:
            name = "null" if kind is None else type(kind).__name__
            return Finding(code, f"there is no component of type {name}.", ("type",))
        near = did_you_mean(kind, tuple(sorted(self.places.get(place, self.anywhere))))
        message = f"there is no component {short_repr(kind)}.{near}{self.context.newer_hint}"
        return Finding(code, message, ("type",), severity=self.context.unknown_severity)

    def check_of_unknown(self, value: Mapping[str, Any]) -> ComponentCheck:
        """The check of a component for which `placement_error` is only a warning."""
        return self.anywhere.get(value["type"]) or ComponentCheck(_accept_dynamic, _containers_of(value))

    def _misplaced(self, shape: Shape, place: str) -> Finding:
        allowed = places_of(shape, self.version)
        if place == LAYOUT_PLACE and "Form" in allowed and self.version <= _FORM_ONLY_UNTIL:
            message = f"{shape.name} must be inside a Form in version {self.version}."
            return Finding("ONE_OF_SCHEMA_VALIDATION_FAILED", message)
        since = shape.places.get(place)
        if since is None:
            message = f"{shape.name} may not stand in {_PLACES[place]}."
        else:
            message = (
                f"{shape.name} may stand in {_PLACES[place]} from version {since}; this document is {self.version}."
            )
        message += self.context.newer_hint
        return Finding("ONE_OF_SCHEMA_VALIDATION_FAILED", message, ("type",), severity=self.context.unknown_severity)


def _accept_dynamic(value: object) -> CheckResult:
    """The check of an unknown component, which may hold references and actions."""
    return VALID_DYNAMIC


def _containers_of(value: Mapping[str, Any]) -> frozenset[str]:
    """The properties of an unknown component that hold lists with known components."""
    return frozenset(
        name
        for name, held in value.items()
        for children in (held.values() if type(held) is dict else (held,))
        if type(children) is list and any(type(each) is dict and _is_component(each.get("type")) for each in children)
    )


def _is_component(kind: object) -> bool:
    return type(kind) is str and kind in _SHAPES


_SHAPES: Final[Mapping[str, Shape]] = {shape.name: shape for shape in COMPONENTS}


@cache
def structure_of(version: Version, *, newer: bool = False) -> Structure:
    """
    The checks of a known version, made on the first call.

    `newer`: for documents of a version that is newer than the tables, where what the tables do not know is a warning.
    """
    context = context_of(version, KINDS, newer=newer)
    places: dict[str, dict[str, ComponentCheck]] = {place: {} for place in _PLACES}
    anywhere: dict[str, ComponentCheck] = {}
    for shape in COMPONENTS:
        outside, inside = _component(shape, context), _component(shape, context, in_form=True)
        for place in places_of(shape, version):
            places[place][shape.name] = inside if place == "Form" else outside
        anywhere[shape.name] = outside
    return Structure(
        context=context,
        root=object_check(ROOT, context),
        screen=object_check(SCREEN, context),
        places=places,
        anywhere=anywhere,
    )


def _component(shape: Shape, context: Context, *, in_form: bool = False) -> ComponentCheck:
    rows = properties_of(shape, context.version, in_form=in_form)
    return ComponentCheck(
        check=object_check(shape, context, rows, known={"type": unchecked}),
        containers=frozenset(name for name, row in rows.items() if row.kind in _CONTAINERS),
    )


_CONTAINERS: Final = frozenset({"components", "map<components>"})
