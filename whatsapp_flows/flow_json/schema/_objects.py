"""
The check of an object: its keys, their values, required properties, relations between properties.

Each fault is one finding. Meta also reports what the schemas of other components find in the same value; we do not.
A valid object costs a dict lookup or a call for each property, and allocates nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..text import short_repr
from ._checks import MAX_FINDINGS, Check, CheckResult, Context, did_you_mean, prefixed, wrong_type
from ._model import Finding
from ._spec import Property, Shape, Version, parse_version, properties_of

# Kinds that accept every value of one type, of strings at least those that begin with an ASCII letter. Most properties
# are of these kinds: such a value is accepted without calling the check.
TYPE_ONLY_KINDS: Final[Mapping[str, type]] = {
    "any-string": str,
    "bool": bool,
    "components": list,
    "int": int,
    "label1": str,
    "loose-bool": bool,
    "number": int,
    "object|binding": dict,
    "static-bool": bool,
    "static-int": int,
    "static-object": dict,
    "string": str,
    "string|array<string>": str,
    "string|object": str,
    "text": str,
    "text|array<text>": str,
}


def object_check(
    shape: Shape, context: Context, rows: Mapping[str, Property] | None = None, known: Mapping[str, Check] | None = None
) -> Check:
    """The check of an object of a shape. `rows` are its properties if not all of them; `known`: keys beside them."""
    rows = properties_of(shape, context.version) if rows is None else rows
    fields: dict[str, Check] = {
        **(known or {}),
        **{name: context.check_of(row, f"{name!r} of {shape.name}") for name, row in rows.items()},
    }
    plain: dict[str, type | None] = {
        **dict.fromkeys(known or (), str),
        **{name: None if row.bounded else TYPE_ONLY_KINDS.get(row.kind) for name, row in rows.items()},
    }
    required = frozenset(name for name, row in rows.items() if row.required)
    relations = _relations(shape, rows, context)

    def check(value: Any) -> CheckResult:
        if type(value) is not dict:
            return [wrong_type(shape.name, "an object", value)]
        result: CheckResult = None
        try:
            for key, held in value.items():
                kind = type(held)
                # A string that begins with a letter is neither blank nor dynamic.
                if kind is plain[key] and (kind is not str or "a" <= held < "{" or "A" <= held < "["):
                    continue
                found = fields[key](held)
                if found is not None:
                    if found:
                        return failures(value)
                    result = found
        except KeyError:  # an unknown key: the fastest test where nearly all keys are known
            return failures(value)
        if not value.keys() >= required:
            return failures(value)
        for relation in relations:
            if relation(value):
                return failures(value)
        return result

    def failures(value: dict[str, Any]) -> CheckResult:
        found: list[Finding] = []
        for key, held in value.items():
            field = fields.get(key)
            if field is None:
                found.append(_unknown_key(key, shape, rows, context))
                if len(found) > MAX_FINDINGS:
                    break
            elif wrong := field(held):
                found += prefixed((key,), wrong)
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
        hint = _version_hint(ever[key], context.version)
    else:
        hint = did_you_mean(key, tuple(rows)) + context.newer_hint
        severity = context.unknown_severity
    message = f"{shape.name} has no property {short_repr(key)}.{hint}"
    return Finding("INVALID_PROPERTY_KEY", message, (key,), key=True, severity=severity)


def _version_hint(row: Property, version: Version) -> str:
    if row.outside_form:
        return " Inside a Form it belongs to the Form: init-values, error-messages."
    until = parse_version(row.until)
    if until is not None and version > until:
        return f" It ended with version {row.until}; this document is {version}."
    return f" It comes with version {row.since}; this document is {version}."


# -- relations between the properties of one object


Relation = Callable[[Mapping[str, Any]], list[Finding]]


def _relations(shape: Shape, rows: Mapping[str, Property], context: Context) -> tuple[Relation, ...]:
    """The relations between properties that exist in the version."""
    relations: list[Relation] = [
        _both_or_neither(shape.name, pair) for pair in shape.both_or_neither if rows.keys() >= set(pair)
    ]
    relations += [_excludes(shape.name, one, others) for one, others in shape.excludes if one in rows]
    relations += [_only_if(one, other) for one, other in shape.only_if if one in rows]
    relations += [
        _restricts(shape.name, one, rows[other], values, context)
        for one, other, values in shape.restricts
        if one in rows
    ]
    return tuple(relations)


def _both_or_neither(owner: str, pair: tuple[str, str]) -> Relation:
    def relation(value: Mapping[str, Any]) -> list[Finding]:
        given = [name for name in pair if name in value]
        if len(given) != 1:
            return []
        other = pair[1] if given[0] == pair[0] else pair[0]
        return [Finding("INVALID_DEPENDENCIES", f"{given[0]!r} of {owner} needs {other!r} beside it.")]

    return relation


def _excludes(owner: str, one: str, others: tuple[str, ...]) -> Relation:
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


def _restricts(owner: str, one: str, row: Property, values: tuple[str, ...], context: Context) -> Relation:
    other = row.name

    def relation(value: Mapping[str, Any]) -> list[Finding]:
        given = value.get(other)
        if context.newer and given not in row.values:  # reported at the value itself
            return []
        if one in value and type(given) is str and given not in values:
            message = f"{other!r} of {owner} must be one of {', '.join(values)} where {one!r} is given."
            return [Finding("INVALID_ENUM_VALUE", message, (other,))]
        return []

    return relation
