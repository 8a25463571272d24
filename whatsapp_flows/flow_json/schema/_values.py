"""
Checks of single values: strings, names, bindings, enums, booleans, numbers, objects.

A string where a fixed value or a binding is expected, and which is neither, fails as both, as it does at Meta.
Source of the codes: Meta's client validator, August 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ..text import short_repr
from ._checks import BLANK, VALID_DYNAMIC, Check, CheckFactory, CheckResult, Context, did_you_mean, wrong_type
from ._formats import FORMATS, invalid_uri
from ._model import Finding, Severity
from ._spec import CONDITION_MAY_BE_BOOLEAN, LOOSE_BINDING, NAMES_ARE_FIXED, NOT_A_BINDING, TOLERANT, Property

_FIRST_OF_DYNAMIC: Final = frozenset({"$", "`"})  # how a binding and an expression begin
SCREEN_ID: Final = re.compile(r"[a-zA-Z,_]+").fullmatch
_NOT_FIXED: Final = re.compile(NOT_A_BINDING).match
_LOOSE: Final = re.compile(LOOSE_BINDING, re.ASCII).match


def unchecked(value: object) -> None:
    """Accepts a value that is checked elsewhere."""


def any_value(row: Property, where: str, context: Context) -> Check:
    return unchecked


def either(fits: Callable[[Any], object], check: Check, otherwise: Check) -> Check:
    """One check for the values that fit, another for the rest."""
    return lambda value: check(value) if fits(value) else otherwise(value)


# -- strings


def string_of_kind(kind: str) -> CheckFactory:
    def make(row: Property, where: str, context: Context) -> Check:
        check = text_check(where, blank=not context.refuses_blank(kind), empty=kind != "label1")
        return _with_format(check, FORMATS[row.format], where) if row.format else check

    return make


def text_check(where: str, *, blank: bool, empty: bool = True) -> Check:
    """A string; not `blank`: with more than white space; not `empty`: with at least one character."""

    def any_string(value: Any) -> CheckResult:
        if type(value) is str:
            return VALID_DYNAMIC if value[:1] in _FIRST_OF_DYNAMIC else None
        return [wrong_type(where, "a string", value)]

    def some_string(value: Any) -> CheckResult:
        if type(value) is str:
            # The comparison decides for nearly all texts: they begin with a printable ASCII character.
            if "!" <= value < "\x7f" or value.strip(BLANK) or (blank and value):
                return VALID_DYNAMIC if value[0] in _FIRST_OF_DYNAMIC else None
            if not empty and not value:
                return [Finding("MIN_CHARS_REQUIRED", f"{where} must have at least 1 character.")]
            return [Finding("PATTERN_MISMATCH", f"{where} must not be blank.")]
        return [wrong_type(where, "a string", value)]

    return any_string if blank and empty else some_string


def _with_format(check: Check, invalid: Callable[[str, str], Finding | None], where: str) -> Check:
    def formatted(value: Any) -> CheckResult:
        found = check(value)
        if not found and (wrong := invalid(value, where)):
            return [wrong]
        return found

    return formatted


def fixed_name(row: Property, where: str, context: Context) -> Check:
    check = text_check(where, blank=False)
    if context.version < NAMES_ARE_FIXED:
        return check

    def fixed(value: Any) -> CheckResult:
        if type(value) is str and "a" <= value[:1].lower() <= "z":
            return None
        found = check(value)
        if found is VALID_DYNAMIC:
            if _NOT_FIXED(value):
                return [Finding("PATTERN_MISMATCH", f"{where} must be a fixed name, not a binding.")]
            if value[0] == "`" and len(value) > 1 and value[-1] == "`":
                return [Finding("PATTERN_MISMATCH", f"{where} must be a fixed name, not an expression in backticks.")]
        return found

    return fixed


def screen_id(row: Property, where: str, context: Context) -> Check:
    check = text_check(where, blank=True, empty=False)

    def identifier(value: Any) -> CheckResult:
        found = check(value)
        if not found and not SCREEN_ID(value):
            return [invalid_screen_id(where, value)]
        return found

    return identifier


def invalid_screen_id(where: str, value: str) -> Finding:
    """PATTERN_MISMATCH of a screen id."""
    return Finding("PATTERN_MISMATCH", f"{where} takes letters and underscores only, not {short_repr(value)}.")


# -- bindings


def binding_only(row: Property, where: str, context: Context) -> Check:
    def binding(value: Any) -> CheckResult:
        if type(value) is str:
            return VALID_DYNAMIC if context.is_binding(value) else [_not_a_binding(where, context, value)]
        return [wrong_type(where, "a binding", value)]

    return binding


def base64_or_binding(row: Property, where: str, context: Context) -> Check:
    def image(value: Any) -> CheckResult:
        if type(value) is str:
            if value[:2] == "${" and _NOT_FIXED(value) and not context.is_binding(value):
                return [_not_a_binding(where, context, value)]
            return VALID_DYNAMIC if value[:1] in _FIRST_OF_DYNAMIC else None
        return [wrong_type(where, "a base64 string or a binding", value)]

    return image


def url_or_binding(row: Property, where: str, context: Context) -> Check:
    def url(value: Any) -> CheckResult:
        if type(value) is not str:
            return [wrong_type(where, "a URL or a binding", value)]
        if value.startswith(("https://", "http://")):
            return None
        if context.is_binding(value):
            return VALID_DYNAMIC
        if context.may_be_new_binding(value):
            return [_not_a_binding(where, context, value)]
        wrong = invalid_uri(value, where)
        return [wrong] if wrong else None

    return url


def _not_a_binding(where: str, context: Context, value: object) -> Finding:
    message = f"{where} must be a binding: {context.binding}."
    if type(value) is str and context.may_be_new_binding(value):
        return Finding("PATTERN_MISMATCH", message + context.newer_hint, severity=context.unknown_severity)
    return Finding("PATTERN_MISMATCH", message)


# -- enums


def enum(row: Property, where: str, context: Context) -> Check:
    values = frozenset(row.values)
    tolerates = context.version >= TOLERANT and row.tolerated

    def one_of(value: Any) -> CheckResult:
        if type(value) is not str:
            return [wrong_type(where, "a string", value)]
        if value in values:
            return None
        tolerated = tolerates == "any" or (tolerates == "binding" and context.is_binding(value))
        return [_not_in_enum(where, value, row.values, context, Severity.WARNING if tolerated else None)]

    return one_of


def _not_in_enum(
    where: str, value: str, values: tuple[str, ...], context: Context, severity: Severity | None = None
) -> Finding:
    options = ", ".join(values) if len(values) < 8 else f"{', '.join(values[:5])} and {len(values) - 5} more"
    message = f"{where} must be one of {options}, not {short_repr(value)}.{did_you_mean(value, values)}"
    return Finding("INVALID_ENUM_VALUE", message + context.newer_hint, severity=severity or context.unknown_severity)


def enum_or_binding(row: Property, where: str, context: Context) -> Check:
    values = frozenset(row.values)

    def one_of(value: Any) -> CheckResult:
        if type(value) is not str:
            return [wrong_type(where, "a string", value)]
        if value in values:
            return None
        if context.is_binding(value):
            return VALID_DYNAMIC
        if context.may_be_new_binding(value):
            return [_not_a_binding(where, context, value)]
        unknown = _not_in_enum(where, value, row.values, context)
        return [unknown] if context.newer else [unknown, _not_a_binding(where, context, value)]

    return one_of


def catalogue_source(row: Property, where: str, context: Context) -> Check:
    """One of the few bindings that name a part of a catalogue."""
    options = " or ".join(row.values)

    def source(value: Any) -> list[Finding] | None:
        if type(value) is str and value in row.values:
            return None
        return [Finding("INVALID_PROPERTY_VALUE", f"{where} must be {options}.")]

    return source


def catalogue_source_or_binding(row: Property, where: str, context: Context) -> Check:
    return either(
        lambda value: type(value) is str and context.is_binding(value), unchecked, catalogue_source(row, where, context)
    )


# -- booleans, numbers, objects


def is_bool(value: Any) -> bool:
    return value is True or value is False


def is_int(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


def is_list(value: Any) -> bool:
    return type(value) is list


def is_object(value: Any) -> bool:
    return type(value) is dict


def static(fits: Callable[[Any], bool], expected: str) -> CheckFactory:
    def make(row: Property, where: str, context: Context) -> Check:
        def check(value: Any) -> CheckResult:
            if fits(value):
                return _out_of_bounds(row, where, value)
            return [wrong_type(where, expected, value)]

        return check

    return make


def static_or_binding(fits: Callable[[Any], bool], expected: str, *, loose: bool = False) -> CheckFactory:
    def make(row: Property, where: str, context: Context) -> Check:
        is_binding = _LOOSE if loose else context.is_binding

        def check(value: Any) -> CheckResult:
            if fits(value):
                return _out_of_bounds(row, where, value)
            if type(value) is not str:
                return [wrong_type(where, f"{expected} or a binding", value)]
            return VALID_DYNAMIC if is_binding(value) else neither_value_nor_binding(where, expected, value, context)

        return check

    return make


def neither_value_nor_binding(where: str, expected: str, value: object, context: Context) -> list[Finding]:
    """The findings for a string where a fixed value or a binding is expected."""
    no_binding = _not_a_binding(where, context, value)
    return [no_binding] if no_binding.severity else [wrong_type(where, expected, value), no_binding]


def _out_of_bounds(row: Property, where: str, value: Any) -> CheckResult:
    if row.minimum is not None and value < row.minimum:
        return [Finding("MINIMUM_VALUE_REQUIRED", f"{where} must be at least {row.minimum}.")]
    if row.maximum is not None and value > row.maximum:
        return [Finding("MAXIMUM_VALUE_REQUIRED", f"{where} must be at most {row.maximum}.")]
    return None


def condition(row: Property, where: str, context: Context) -> Check:
    if context.version < CONDITION_MAY_BE_BOOLEAN:
        return text_check(where, blank=True)
    return either(is_bool, unchecked, text_check(where, blank=True))
