"""
Checks of the parts of a document that are made of objects: items, actions, cases, data models, routes, layouts.

Source of the codes: Meta's client validator, August 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from ..text import short_repr
from ._checks import MAX_FINDINGS, VALID_DYNAMIC, Check, CheckResult, Context, did_you_mean, prefixed, wrong_type
from ._composites import binding_instead_of_list, list_check, not_a_list
from ._model import Finding
from ._objects import object_check
from ._spec import (
    ACTIONS,
    ITEMS,
    KNOWN_VERSIONS,
    LAYOUT,
    NEXT,
    ON_CLICK,
    ON_SELECT,
    SHOPPING_LAYOUTS,
    Property,
    Shape,
    properties_of,
)
from ._values import SCREEN_ID, invalid_screen_id, is_object, static, text_check, unchecked

# -- items and actions


def nested_object(row: Property, where: str, context: Context) -> Check:
    if not row.item:
        return static(is_object, "an object")(row, where, context)
    return object_check(_ITEMS[row.item], context)


def object_list_or_binding(row: Property, where: str, context: Context) -> Check:
    return list_check(row, where, object_check(ITEMS[row.item], context), binding_instead_of_list(where, context))


_ITEMS: Final[Mapping[str, Shape]] = {**ITEMS, "next": NEXT}


def select_action(row: Property, where: str, context: Context) -> Check:
    check = object_check(_with_action_names(ON_SELECT, row), context)
    return lambda value: check(value) or VALID_DYNAMIC


def click_action(row: Property, where: str, context: Context) -> Check:
    """The keys of the action, then those that the named action requires or excludes."""
    check = object_check(_with_action_names(ON_CLICK, row), context)
    own = {action.needs for action in ACTIONS if action.needs}
    # Only keys that exist in the version: the others are reported as unknown keys.
    needs = {action.name: action.needs for action in ACTIONS}
    known = properties_of(ON_CLICK, context.version).keys()
    forbidden = {action.name: known & ((own - {action.needs}) | {action.without}) for action in ACTIONS}

    def action(value: Any) -> CheckResult:
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


def _with_action_names(shape: Shape, row: Property) -> Shape:
    first, *rest = shape.properties
    return shape._replace(properties=(first._replace(values=row.values), *rest))


# -- the document itself


def component_list(row: Property, where: str, context: Context) -> Check:
    """Checks only that it is a list: components are walked by `_build.py`."""
    return list_check(row, where, unchecked, not_a_list(where))


def switch_cases(row: Property, where: str, context: Context) -> Check:
    def cases(value: Any) -> CheckResult:
        if type(value) is not dict:
            return [wrong_type(where, "an object", value)]
        found: list[Finding] = []
        for key, children in value.items():
            if not _is_case_key(key):
                message = f"a key of {where} takes letters, digits, '-' and '_', a letter first, not {short_repr(key)}."
                found.append(Finding("PATTERN_MISMATCH", message, (key,), key=True))
            if type(children) is not list:
                found += prefixed((key,), [wrong_type(f"a case of {where}", "an array", children)])
            if len(found) > MAX_FINDINGS:
                break
        return found or None

    return cases


def _is_case_key(key: str) -> bool:
    first = key[:1]
    return first.isascii() and first.isalpha() and all(
        char.isascii() and (char.isalnum() or char in "-_") for char in key
    )  # fmt: skip


def data_api_version(row: Property, where: str, context: Context) -> Check:
    allowed = KNOWN_VERSIONS[context.version].data_api

    def version(value: Any) -> CheckResult:
        if type(value) is str and value in allowed:
            return None
        expected = " or ".join(repr(each) for each in allowed)
        message = f"{where} must be {expected} in Flow JSON {context.version}."
        if type(value) is str:
            return [Finding("INVALID_PROPERTY_VALUE", message + context.newer_hint, severity=context.unknown_severity)]
        return [Finding("INVALID_PROPERTY_VALUE", message)]

    return version


def routing_model(row: Property, where: str, context: Context) -> Check:
    routes_of_one = list_check(
        row, f"an entry of {where}", text_check(f"a destination in {where}", blank=True),
        not_a_list(f"an entry of {where}"),
    )  # fmt: skip

    def routes(value: Any) -> CheckResult:
        if type(value) is not dict:
            return [wrong_type(where, "an object", value)]
        found: list[Finding] = []
        for key, destinations in value.items():
            if not SCREEN_ID(key):
                found.append(replace(invalid_screen_id(f"a key of {where}", key), pointer=(key,), key=True))
            if wrong := routes_of_one(destinations):
                found += prefixed((key,), wrong)
            if len(found) > MAX_FINDINGS:
                break
        return found or None

    return routes


def data_fields(row: Property, where: str, context: Context) -> Check:
    """The data model: each field is an object with a type and an example. Rules check the rest."""

    def fields(value: Any) -> CheckResult:
        if type(value) is not dict:
            return [wrong_type(where, "an object", value)]
        for field in value.values():
            if type(field) is not dict or "type" not in field or "__example__" not in field:
                break
        else:
            return None
        wrong = (f for name, field in value.items() for f in prefixed((name,), _field(name, field)))
        return list(islice(wrong, MAX_FINDINGS + 1)) or None

    return fields


def _field(name: str, field: Any) -> list[Finding]:
    if name == "required":  # Meta reads it as the keyword of a JSON schema, not as a field
        return [] if type(field) is list else [wrong_type("'required' of data", "an array", field)]
    if type(field) is not dict:
        return [wrong_type("a field of data", "an object", field)]
    return [
        Finding("MISSING_REQUIRED_PROPERTY", f"required property {key!r} is missing in a field of data.")
        for key in ("type", "__example__")
        if key not in field
    ]


def layout(row: Property, where: str, context: Context) -> Check:
    layouts = KNOWN_VERSIONS[context.version].layouts
    checks = {kind: object_check(SHOPPING_LAYOUTS.get(kind, LAYOUT), context) for kind in layouts}

    def layout_of_version(value: Any) -> CheckResult:
        kind = value.get("type", layouts[0]) if type(value) is dict else layouts[0]
        if type(kind) is str and kind in checks:
            return checks[kind](value)
        message = f"the type of a layout must be {layouts[0]!r}."
        if type(kind) is not str:
            return [Finding("INVALID_PROPERTY_VALUE", message, ("type",))]
        message += did_you_mean(kind, layouts) + context.newer_hint
        return [Finding("INVALID_PROPERTY_VALUE", message, ("type",), severity=context.unknown_severity)]

    return layout_of_version
