"""
The engine that reads the tables: for one version, a check for every shape.

Strategy. A check takes a value and says what is wrong with it, each finding with a pointer from that value down; the
caller puts its own step before it. For a value that is right it also says whether it is fixed, which most are: those
the rules need not read. So a valid document costs a dict lookup or a call for each property and allocates nothing.
Checks are closures, made from the rows of the tables once for a version.

Rule 1: each keyword of a JSON schema has one code (`RULE_OF`; source: Meta's client validator, August 2026).
Rule 2: one fault, one record. Meta also reports what other components' schemas make of the same value; we do not.
Rule 3: a component where it may not stand is reported at its type, and nothing in it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any, Final

from ..text import short_repr
from ._checks import (
    MAX_FINDINGS,
    VALID_DYNAMIC,
    Check,
    Context,
    Found,
    Maker,
    context_of,
    did_you_mean,
    under,
    wrong_type,
)
from ._kinds import MAKERS, PLAIN, SCREEN_ID, anything, list_or_binding, listed, no_list, not_an_id
from ._model import Finding
from ._spec import (
    ACTIONS,
    COMPONENTS,
    ITEMS,
    KNOWN_VERSIONS,
    LAYOUT,
    NEXT,
    ON_CLICK,
    ON_SELECT,
    ROOT,
    SCREEN,
    SHOPPING_LAYOUTS,
    Property,
    Shape,
    Version,
    parse_version,
    places_of,
    properties_of,
)

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
class Checked:
    """A component in one place: its check, and the properties that hold more components, in no order."""

    check: Check
    containers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Structure:
    """
    All checks of one version. `places`: place -> component type -> what is known of it there.

    `anywhere`: for a document of a newer version, where a component may have come to a place that is not in the tables.
    """

    context: Context
    root: Check
    screen: Check
    places: Mapping[str, Mapping[str, Checked]]
    anywhere: Mapping[str, Checked]

    @property
    def version(self) -> Version:
        """The version of the tables that are checked against."""
        return self.context.version

    def refused(self, value: Any, place: str) -> Finding:
        """What is wrong with a child that is no component that may stand at this place."""
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
            said = "null" if kind is None else type(kind).__name__
            return Finding(code, f"there is no component of type {said}.", ("type",))
        near = did_you_mean(kind, tuple(sorted(self.places.get(place, self.anywhere))))
        message = f"there is no component {short_repr(kind)}.{near}{self.context.may_be_new}"
        return Finding(code, message, ("type",), severity=self.context.unknown)

    def taken(self, value: Mapping[str, Any]) -> Checked:
        """How to look at a component that `refused` has a warning for."""
        return self.anywhere.get(value["type"]) or Checked(_unread, _containers_of(value))

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
        message += self.context.may_be_new
        return Finding("ONE_OF_SCHEMA_VALIDATION_FAILED", message, ("type",), severity=self.context.unknown)


def _unread(value: object) -> Found:
    """The check of a component that nobody knows: it may hold references and actions."""
    return VALID_DYNAMIC


def _containers_of(value: Mapping[str, Any]) -> frozenset[str]:
    """The properties of a component that nobody knows which hold components, as far as those are known."""
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
    The checks of a known version: made when the first document of that version comes.

    `newer`: for documents of a version that is newer than the tables, where what these do not know is a warning.
    """
    context = context_of(version, newer=newer)
    places: dict[str, dict[str, Checked]] = {place: {} for place in _PLACES}
    anywhere: dict[str, Checked] = {}
    for shape in COMPONENTS:
        outside, inside = _component(shape, context), _component(shape, context, in_form=True)
        for place in places_of(shape, version):
            places[place][shape.name] = inside if place == "Form" else outside
        anywhere[shape.name] = outside
    return Structure(
        context=context,
        root=_object(ROOT, context),
        screen=_object(SCREEN, context),
        places=places,
        anywhere=anywhere,
    )


def _component(shape: Shape, context: Context, *, in_form: bool = False) -> Checked:
    rows = properties_of(shape, context.version, in_form=in_form)
    return Checked(
        check=_object(shape, context, rows, known={"type": anything}),
        containers=frozenset(name for name, row in rows.items() if row.kind in _CONTAINERS),
    )


_CONTAINERS: Final = frozenset({"components", "map<components>"})


def _object(
    shape: Shape, context: Context, rows: Mapping[str, Property] | None = None, known: Mapping[str, Check] | None = None
) -> Check:
    """The check of an object: its keys, their values, what is required, what holds between them."""
    rows = properties_of(shape, context.version) if rows is None else rows
    fields: dict[str, Check] = {
        **(known or {}),
        **{name: _KINDS[row.kind](row, f"{name!r} of {shape.name}", context) for name, row in rows.items()},
    }
    plain: dict[str, type | None] = {
        **dict.fromkeys(known or (), str),
        **{name: None if row.bounded else PLAIN.get(row.kind) for name, row in rows.items()},
    }
    required = frozenset(name for name, row in rows.items() if row.required)
    relations = _relations(shape, rows, context)

    def check(value: Any) -> Found:
        if type(value) is not dict:
            return [wrong_type(shape.name, "an object", value)]
        noted: Found = None
        try:
            for key, held in value.items():
                kind = type(held)
                # Most texts begin with a letter: neither blank nor dynamic.
                if kind is plain[key] and (kind is not str or "a" <= held < "{" or "A" <= held < "["):
                    continue
                found = fields[key](held)
                if found is not None:
                    if found:
                        return failures(value)
                    noted = found
        except KeyError:  # an unknown key; asked for in this way because it is the quickest for known ones
            return failures(value)
        if not value.keys() >= required:
            return failures(value)
        for relation in relations:
            if relation(value):
                return failures(value)
        return noted

    def failures(value: dict[str, Any]) -> Found:
        found: list[Finding] = []
        for key, held in value.items():
            field = fields.get(key)
            if field is None:
                found.append(_unknown_key(key, shape, rows, context))
                if len(found) > MAX_FINDINGS:
                    break
            elif wrong := field(held):
                found += under(key, wrong)
        for key in sorted(required - value.keys()):
            message = f"required property {key!r} is missing in {shape.name}."
            found.append(Finding("MISSING_REQUIRED_PROPERTY", message))
        for relation in relations:
            found += relation(value)
        return found or None

    return check


def _unknown_key(key: str, shape: Shape, rows: Mapping[str, Property], context: Context) -> Finding:
    ever = {row.name: row for row in shape.properties}
    severity = None
    if key in shape.hints:
        hint = " " + shape.hints[key]
    elif key in ever:
        hint = _when(ever[key], context.version)
    else:
        hint = did_you_mean(key, tuple(rows)) + context.may_be_new
        severity = context.unknown
    message = f"{shape.name} has no property {short_repr(key)}.{hint}"
    return Finding("INVALID_PROPERTY_KEY", message, (key,), key=True, severity=severity)


def _when(row: Property, version: Version) -> str:
    if row.outside_form:
        return " Inside a Form it belongs to the Form: init-values, error-messages."
    until = parse_version(row.until)
    if until is not None and version > until:
        return f" It ended with version {row.until}; this document is {version}."
    return f" It comes with version {row.since}; this document is {version}."


Relation = Callable[[Mapping[str, Any]], list[Finding]]


def _relations(shape: Shape, rows: Mapping[str, Property], context: Context) -> tuple[Relation, ...]:
    """What holds between properties of one object, as far as they exist in the version."""
    made: list[Relation] = [_together(shape.name, pair) for pair in shape.together if rows.keys() >= set(pair)]
    made += [_apart(shape.name, one, others) for one, others in shape.apart if one in rows]
    made += [_only_if(one, other) for one, other in shape.only_if if one in rows]
    made += [
        _limited(shape.name, one, rows[other], values, context) for one, other, values in shape.limits if one in rows
    ]
    return tuple(made)


def _together(owner: str, pair: tuple[str, str]) -> Relation:
    def relation(value: Mapping[str, Any]) -> list[Finding]:
        given = [name for name in pair if name in value]
        if len(given) != 1:
            return []
        other = pair[1] if given[0] == pair[0] else pair[0]
        return [Finding("INVALID_DEPENDENCIES", f"{given[0]!r} of {owner} needs {other!r} beside it.")]

    return relation


def _apart(owner: str, one: str, others: tuple[str, ...]) -> Relation:
    message = f"{one!r} of {owner} excludes {' and '.join(repr(other) for other in others)}."

    def relation(value: Mapping[str, Any]) -> list[Finding]:
        if one in value and any(other in value for other in others):
            return [Finding("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", message)]
        return []

    return relation


def _only_if(one: str, other: str) -> Relation:
    def relation(value: Mapping[str, Any]) -> list[Finding]:
        if one in value and value.get(other) is not True:
            message = f"{one!r} may stand only where {other!r} is true."
            return [Finding("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", message, (one,))]
        return []

    return relation


def _limited(owner: str, one: str, row: Property, values: tuple[str, ...], context: Context) -> Relation:
    other = row.name

    def relation(value: Mapping[str, Any]) -> list[Finding]:
        given = value.get(other)
        if context.newer and given not in row.values:  # said once, of the value itself
            return []
        if one in value and type(given) is str and given not in values:
            message = f"{other!r} of {owner} must be one of {', '.join(values)} where {one!r} is given."
            return [Finding("INVALID_ENUM_VALUE", message, (other,))]
        return []

    return relation


# -- kinds that are made of objects


def _nested(row: Property, where: str, context: Context) -> Check:
    if not row.item:
        return MAKERS["static-object"](row, where, context)
    return _object(_ITEMS[row.item], context)


def _objects(row: Property, where: str, context: Context) -> Check:
    return listed(row, where, _object(ITEMS[row.item], context), list_or_binding(where, context))


_ITEMS: Final[Mapping[str, Shape]] = {**ITEMS, "next": NEXT}


def _on_select(row: Property, where: str, context: Context) -> Check:
    check = _object(_with_names(ON_SELECT, row), context)
    return lambda value: check(value) or VALID_DYNAMIC


def _on_click(row: Property, where: str, context: Context) -> Check:
    """The keys of the action, and then those that this action needs or may not have."""
    check = _object(_with_names(ON_CLICK, row), context)
    own = {action.needs for action in ACTIONS if action.needs}
    # From here on it is known that the keys exist in the version: the others are unknown keys already.
    needs = {action.name: action.needs for action in ACTIONS}
    known = properties_of(ON_CLICK, context.version).keys()
    forbidden = {action.name: known & ((own - {action.needs}) | {action.without}) for action in ACTIONS}

    def action(value: Any) -> Found:
        found = check(value)
        name = value.get("name") if type(value) is dict else None
        if type(name) is not str or name not in needs or name not in row.values:
            return found
        needed = needs[name]
        if needed and needed not in value and needed in known:
            message = f"required property {needed!r} is missing in on-click-action {name!r}."
            found = [*(found or ()), Finding("MISSING_REQUIRED_PROPERTY", message)]
        if not forbidden[name].isdisjoint(value):
            for key in sorted(forbidden[name] & value.keys()):
                message = f"{key!r} is not for on-click-action {name!r}."
                more = Finding("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", message, (key,), key=True)
                found = [*(found or ()), more]
        return found or VALID_DYNAMIC

    return action


def _with_names(shape: Shape, row: Property) -> Shape:
    first, *rest = shape.properties
    return shape._replace(properties=(first._replace(values=row.values), *rest))


# -- kinds of the document itself


def _components(row: Property, where: str, context: Context) -> Check:
    """Only that it is a list: what stands in it is walked elsewhere."""
    return listed(row, where, anything, no_list(where))


def _cases(row: Property, where: str, context: Context) -> Check:
    def cases(value: Any) -> Found:
        if type(value) is not dict:
            return [wrong_type(where, "an object", value)]
        found: list[Finding] = []
        for key, children in value.items():
            if not _is_case_key(key):
                message = f"a key of {where} takes letters, digits, '-' and '_', a letter first, not {short_repr(key)}."
                found.append(Finding("PATTERN_MISMATCH", message, (key,), key=True))
            if type(children) is not list:
                found += under(key, [wrong_type(f"a case of {where}", "an array", children)])
            if len(found) > MAX_FINDINGS:
                break
        return found or None

    return cases


def _is_case_key(key: str) -> bool:
    first = key[:1]
    return first.isascii() and first.isalpha() and all(
        char.isascii() and (char.isalnum() or char in "-_") for char in key
    )  # fmt: skip


def _data_api(row: Property, where: str, context: Context) -> Check:
    allowed = KNOWN_VERSIONS[context.version].data_api

    def version(value: Any) -> Found:
        if type(value) is str and value in allowed:
            return None
        expected = " or ".join(repr(each) for each in allowed)
        message = f"{where} must be {expected} in Flow JSON {context.version}."
        if type(value) is str:
            return [Finding("INVALID_PROPERTY_VALUE", message + context.may_be_new, severity=context.unknown)]
        return [Finding("INVALID_PROPERTY_VALUE", message)]

    return version


def _routing(row: Property, where: str, context: Context) -> Check:
    routes_of_one = listed(
        row, f"an entry of {where}", MAKERS["any-string"](row, f"a destination in {where}", context),
        no_list(f"an entry of {where}"),
    )  # fmt: skip

    def routes(value: Any) -> Found:
        if type(value) is not dict:
            return [wrong_type(where, "an object", value)]
        found: list[Finding] = []
        for key, destinations in value.items():
            if not SCREEN_ID(key):
                found.append(replace(not_an_id(f"a key of {where}", key), pointer=(key,), key=True))
            if wrong := routes_of_one(destinations):
                found += under(key, wrong)
            if len(found) > MAX_FINDINGS:
                break
        return found or None

    return routes


def _data(row: Property, where: str, context: Context) -> Check:
    """The data model: each field an object that says its type and gives an example. The rest is for the rules."""

    def fields(value: Any) -> Found:
        if type(value) is not dict:
            return [wrong_type(where, "an object", value)]
        for field in value.values():
            if type(field) is not dict or "type" not in field or "__example__" not in field:
                break
        else:
            return None
        wrong = (f for name, field in value.items() for f in under(name, _field(name, field)))
        return list(islice(wrong, MAX_FINDINGS + 1)) or None

    return fields


def _field(name: str, field: Any) -> list[Finding]:
    if name == "required":  # read as the keyword of a JSON schema: the names of the fields that must be given
        return [] if type(field) is list else [wrong_type("'required' of data", "an array", field)]
    if type(field) is not dict:
        return [wrong_type("a field of data", "an object", field)]
    return [
        Finding("MISSING_REQUIRED_PROPERTY", f"required property {key!r} is missing in a field of data.")
        for key in ("type", "__example__")
        if key not in field
    ]


def _layout(row: Property, where: str, context: Context) -> Check:
    layouts = KNOWN_VERSIONS[context.version].layouts
    checks = {kind: _object(SHOPPING_LAYOUTS.get(kind, LAYOUT), context) for kind in layouts}

    def layout(value: Any) -> Found:
        kind = value.get("type", layouts[0]) if type(value) is dict else layouts[0]
        if type(kind) is str and kind in checks:
            return checks[kind](value)
        message = f"the type of a layout must be {layouts[0]!r}."
        if type(kind) is not str:
            return [Finding("INVALID_PROPERTY_VALUE", message, ("type",))]
        message += did_you_mean(kind, layouts) + context.may_be_new
        return [Finding("INVALID_PROPERTY_VALUE", message, ("type",), severity=context.unknown)]

    return layout


_KINDS: Final[Mapping[str, Maker]] = {
    **MAKERS,
    "action:on-click": _on_click,
    "action:on-select": _on_select,
    "array<object>|binding": _objects,
    "components": _components,
    "data": _data,
    "data-api": _data_api,
    "layout": _layout,
    "map<components>": _cases,
    "object": _nested,
    "routing": _routing,
    "screens": _components,
}
