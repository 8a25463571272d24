"""
The kinds of values that a property may take: one maker of checks for each kind named in the tables.

What a check returns stands in `_checks.py`. A string where a fixed value or a binding may stand, and which is neither,
fails as both (Meta reports the two at one place).
Source of the codes: Meta's client validator, August 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from ..text import short_repr
from ._checks import BLANK, MAX_FINDINGS, VALID_DYNAMIC, Check, Context, Found, Maker, did_you_mean, under, wrong_type
from ._model import Finding, Severity
from ._spec import (
    CONDITION_MAY_BE_BOOLEAN,
    ERROR_MESSAGES_OF_ANY_TYPE,
    LOOSE_BINDING,
    NAMES_ARE_FIXED,
    NOT_A_BINDING,
    TEXT_LISTS,
    TOLERANT,
    Property,
)

_MARKS: Final = frozenset({"$", "`"})  # what a binding and an expression begin with
SCREEN_ID: Final = re.compile(r"[a-zA-Z,_]+").fullmatch
_COLOR: Final = re.compile(r"#[A-Fa-f0-9]{6}").fullmatch
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+").fullmatch
_NOT_FIXED: Final = re.compile(NOT_A_BINDING).match
_LOOSE: Final = re.compile(LOOSE_BINDING, re.ASCII).match


def anything(value: object) -> None:
    """The check of what is checked elsewhere."""


def _any(row: Property, where: str, context: Context) -> Check:
    return anything


# -- strings


def _strings(kind: str) -> Maker:
    def make(row: Property, where: str, context: Context) -> Check:
        check = text(where, blank=not context.refuses_blank(kind), empty=kind != "label1")
        return _with_format(check, FORMATS[row.format], where) if row.format else check

    return make


def text(where: str, *, blank: bool, empty: bool = True) -> Check:
    """A string; not `blank`: something must be in it; not `empty`: at least one character."""

    def any_string(value: Any) -> Found:
        if type(value) is str:
            return VALID_DYNAMIC if value[:1] in _MARKS else None
        return [wrong_type(where, "a string", value)]

    def some_string(value: Any) -> Found:
        if type(value) is str:
            # The comparison answers for nearly all texts: they begin with a printable ASCII character.
            if "!" <= value < "\x7f" or value.strip(BLANK) or (blank and value):
                return VALID_DYNAMIC if value[0] in _MARKS else None
            if not empty and not value:
                return [Finding("MIN_CHARS_REQUIRED", f"{where} must have at least 1 character.")]
            return [Finding("PATTERN_MISMATCH", f"{where} must not be blank.")]
        return [wrong_type(where, "a string", value)]

    return any_string if blank and empty else some_string


def _with_format(check: Check, fault: Callable[[str, str], Finding | None], where: str) -> Check:
    def formatted(value: Any) -> Found:
        found = check(value)
        if not found and (wrong := fault(value, where)):
            return [wrong]
        return found

    return formatted


def _bad_color(value: str, where: str) -> Finding | None:
    if _COLOR(value):
        return None
    return Finding("PATTERN_MISMATCH", f"{where} must be a colour such as '#1A2B3C', not {short_repr(value)}.")


def _bad_uri(value: str, where: str) -> Finding | None:
    if _SCHEME(value):
        return None
    return Finding("INVALID_PROPERTY_VALUE_FORMAT", f"{where} must be a URI, not {short_repr(value)}.")


def _bad_regex(value: str, where: str) -> Finding | None:
    problem = regex_problem(value)
    if problem is None:
        return None
    return Finding("INVALID_PROPERTY_VALUE_FORMAT", f"{where} must be a regular expression: {problem}.")


def regex_problem(pattern: str) -> str | None:
    """What no dialect of regular expressions accepts; the dialect of JavaScript is not ours to judge further."""
    groups, in_class, repeatable, i = 0, False, False, 0
    while i < len(pattern):
        char = pattern[i]
        if char == "\\":
            if i + 1 == len(pattern):
                return "it ends in a backslash"
            i, repeatable = i + 1, True
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = repeatable = True
        elif char == "(":
            groups, repeatable = groups + 1, False
            i += 1 if pattern.startswith("?", i + 1) else 0
        elif char == ")":
            if not groups:
                return "a parenthesis is closed that was not opened"
            groups, repeatable = groups - 1, True
        elif char in "*+?" and not repeatable:
            return f"nothing to repeat before '{char}' at {i}"
        else:
            repeatable = char not in "|^"
        i += 1
    if in_class:
        return "a '[' is not closed"
    return "a parenthesis is not closed" if groups else None


FORMATS: Final[Mapping[str, Callable[[str, str], Finding | None]]] = {
    "color": _bad_color,
    "regex": _bad_regex,
    "uri": _bad_uri,
}


def _name(row: Property, where: str, context: Context) -> Check:
    check = text(where, blank=False)
    if context.version < NAMES_ARE_FIXED:
        return check

    def fixed(value: Any) -> Found:
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


def _screen_id(row: Property, where: str, context: Context) -> Check:
    check = text(where, blank=True, empty=False)

    def identifier(value: Any) -> Found:
        found = check(value)
        if not found and not SCREEN_ID(value):
            return [not_an_id(where, value)]
        return found

    return identifier


def not_an_id(where: str, value: str) -> Finding:
    """PATTERN_MISMATCH of a screen id."""
    return Finding("PATTERN_MISMATCH", f"{where} takes letters and underscores only, not {short_repr(value)}.")


def _binding(row: Property, where: str, context: Context) -> Check:
    def binding(value: Any) -> Found:
        if type(value) is str:
            return VALID_DYNAMIC if context.is_binding(value) else [_no_binding(where, context, value)]
        return [wrong_type(where, "a binding", value)]

    return binding


def _base64(row: Property, where: str, context: Context) -> Check:
    def picture(value: Any) -> Found:
        if type(value) is str:
            if value[:2] == "${" and _NOT_FIXED(value) and not context.is_binding(value):
                return [_no_binding(where, context, value)]
            return VALID_DYNAMIC if value[:1] in _MARKS else None
        return [wrong_type(where, "a base64 string or a binding", value)]

    return picture


def _url(row: Property, where: str, context: Context) -> Check:
    def url(value: Any) -> Found:
        if type(value) is not str:
            return [wrong_type(where, "a URL or a binding", value)]
        if value.startswith(("https://", "http://")):
            return None
        if context.is_binding(value):
            return VALID_DYNAMIC
        if context.new_binding(value):
            return [_no_binding(where, context, value)]
        wrong = _bad_uri(value, where)
        return [wrong] if wrong else None

    return url


def _no_binding(where: str, context: Context, value: object) -> Finding:
    message = f"{where} must be a binding: {context.binding}."
    if type(value) is str and context.new_binding(value):
        return Finding("PATTERN_MISMATCH", message + context.may_be_new, severity=context.unknown)
    return Finding("PATTERN_MISMATCH", message)


def _enum(row: Property, where: str, context: Context) -> Check:
    values = frozenset(row.values)
    tolerant = context.version >= TOLERANT and row.tolerated

    def one_of(value: Any) -> Found:
        if type(value) is not str:
            return [wrong_type(where, "a string", value)]
        if value in values:
            return None
        mild = tolerant == "any" or (tolerant == "binding" and context.is_binding(value))
        return [_not_listed(where, value, row.values, context, Severity.WARNING if mild else None)]

    return one_of


def _not_listed(
    where: str, value: str, values: tuple[str, ...], context: Context, severity: Severity | None = None
) -> Finding:
    listed = ", ".join(values) if len(values) < 8 else f"{', '.join(values[:5])} and {len(values) - 5} more"
    message = f"{where} must be one of {listed}, not {short_repr(value)}.{did_you_mean(value, values)}"
    return Finding("INVALID_ENUM_VALUE", message + context.may_be_new, severity=severity or context.unknown)


def _enum_or_binding(row: Property, where: str, context: Context) -> Check:
    values = frozenset(row.values)

    def one_of(value: Any) -> Found:
        if type(value) is not str:
            return [wrong_type(where, "a string", value)]
        if value in values:
            return None
        if context.is_binding(value):
            return VALID_DYNAMIC
        if context.new_binding(value):
            return [_no_binding(where, context, value)]
        unknown = _not_listed(where, value, row.values, context)
        return [unknown] if context.newer else [unknown, _no_binding(where, context, value)]

    return one_of


def _source(row: Property, where: str, context: Context) -> Check:
    """One of the few bindings that name a part of a catalogue."""
    listed = " or ".join(row.values)

    def source(value: Any) -> list[Finding] | None:
        if type(value) is str and value in row.values:
            return None
        return [Finding("INVALID_PROPERTY_VALUE", f"{where} must be {listed}.")]

    return source


def _source_or_binding(row: Property, where: str, context: Context) -> Check:
    return either(
        lambda value: type(value) is str and context.is_binding(value), anything, _source(row, where, context)
    )


# -- booleans, numbers, objects


def _is_bool(value: Any) -> bool:
    return value is True or value is False


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _is_int(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


def _is_list(value: Any) -> bool:
    return type(value) is list


def _is_object(value: Any) -> bool:
    return type(value) is dict


def _fixed(fits: Callable[[Any], bool], expected: str) -> Maker:
    def make(row: Property, where: str, context: Context) -> Check:
        def check(value: Any) -> Found:
            if fits(value):
                return _out_of_bounds(row, where, value)
            return [wrong_type(where, expected, value)]

        return check

    return make


def _dynamic(fits: Callable[[Any], bool], expected: str, *, loose: bool = False) -> Maker:
    def make(row: Property, where: str, context: Context) -> Check:
        is_binding = _LOOSE if loose else context.is_binding

        def check(value: Any) -> Found:
            if fits(value):
                return _out_of_bounds(row, where, value)
            if type(value) is not str:
                return [wrong_type(where, f"{expected} or a binding", value)]
            return VALID_DYNAMIC if is_binding(value) else neither(where, expected, value, context)

        return check

    return make


def neither(where: str, expected: str, value: object, context: Context) -> list[Finding]:
    """What is wrong with a string that is not the fixed value asked for, and no binding."""
    no_binding = _no_binding(where, context, value)
    return [no_binding] if no_binding.severity else [wrong_type(where, expected, value), no_binding]


def _out_of_bounds(row: Property, where: str, value: Any) -> Found:
    if row.low is not None and value < row.low:
        return [Finding("MINIMUM_VALUE_REQUIRED", f"{where} must be at least {row.low}.")]
    if row.high is not None and value > row.high:
        return [Finding("MAXIMUM_VALUE_REQUIRED", f"{where} must be at most {row.high}.")]
    return None


def _condition(row: Property, where: str, context: Context) -> Check:
    if context.version < CONDITION_MAY_BE_BOOLEAN:
        return text(where, blank=True)
    return either(_is_bool, anything, text(where, blank=True))


# -- lists, and kinds with an alternative


def listed(row: Property, where: str, item: Check, otherwise: Check) -> Check:
    """A list whose items pass `item`, with as many as the row says; what is no list goes to `otherwise`."""
    least, most = row.least or 0, row.most

    def check(value: Any) -> Found:
        if type(value) is not list:
            return otherwise(value)
        if len(value) >= least and (most is None or len(value) <= most):
            noted: Found = None
            for told in map(item, value):
                if told is not None:
                    noted = told
                    if told:
                        break
            if not noted:
                return noted
        wrong = ((i, told) for i, each in enumerate(value) if (told := item(each)))
        found = [finding for i, told in islice(wrong, MAX_FINDINGS + 1) for finding in under(i, told)]
        if len(value) < least:
            found.append(Finding("MIN_ITEMS_REQUIRED", f"{where} must have at least {_items(least)}."))
        elif most is not None and len(value) > most:
            found.append(Finding("MAX_ITEMS_REQUIRED", f"{where} must have at most {_items(most)}."))
        return found

    return check


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def no_list(where: str) -> Check:
    """The alternative to a list that may not be a binding."""
    return lambda value: [wrong_type(where, "an array", value)]


def list_or_binding(where: str, context: Context) -> Check:
    """The alternative to a list that may be a binding."""
    return _dynamic(lambda value: False, "an array")(Property("", ""), where, context)


def _strings_list(row: Property, where: str, context: Context) -> Check:
    item = text(f"an item of {where}", blank=not context.refuses_blank("string"))
    return listed(row, where, item, no_list(where))


def _strings_list_or_binding(row: Property, where: str, context: Context) -> Check:
    item = text(f"an item of {where}", blank=not context.refuses_blank("string"))
    return listed(row, where, item, list_or_binding(where, context))


def _enum_list(row: Property, where: str, context: Context) -> Check:
    return listed(row, where, _enum(row, f"an item of {where}", context), no_list(where))


def _enum_list_or_binding(row: Property, where: str, context: Context) -> Check:
    return listed(row, where, _enum(row, f"an item of {where}", context), list_or_binding(where, context))


def _text_or_list(kind: str) -> Maker:
    def make(row: Property, where: str, context: Context) -> Check:
        string = text(where, blank=not context.refuses_blank(kind))
        if context.version < TEXT_LISTS:
            return string
        texts = listed(row, where, text(f"an item of {where}", blank=False), string)
        return either(_is_list, lambda value: texts(value) or VALID_DYNAMIC, string)

    return make


def either(fits: Callable[[Any], object], check: Check, otherwise: Check) -> Check:
    """One check for the values that fit, another for the rest."""
    return lambda value: check(value) if fits(value) else otherwise(value)


def _calendar(make: Maker) -> Maker:
    """A value, or one each for the start and the end of a range; which one is legal depends on the mode."""

    def made(row: Property, where: str, context: Context) -> Check:
        single = make(row, where, context)
        ends = {name: make(row, f"{name} of {where}", context) for name in ("start-date", "end-date")}

        def both(value: Any) -> Found:
            found = [
                f for name, check in ends.items() if name in value and (wrong := check(value[name]))
                for f in under(name, wrong)
            ]  # fmt: skip
            return found or VALID_DYNAMIC

        return either(_is_object, both, single)

    return made


def _messages(row: Property, where: str, context: Context) -> Check:
    """error-messages of a Form: texts by name."""
    if context.version >= ERROR_MESSAGES_OF_ANY_TYPE:
        return _dynamic(_is_object, "an object")(row, where, context)
    return either(_is_object, _each_a_text(where, blank=True), list_or_binding(where, context))


def _text_or_object(row: Property, where: str, context: Context) -> Check:
    """error-message of a picker: a text, or texts by the id of the file."""
    each = _each_a_text(where, blank=False)

    def some(value: Any) -> Found:
        return each(value) if value else [Finding("INVALID_SCHEMA", f"{where} must have at least 1 entry.")]

    return either(_is_object, some, text(where, blank=not context.refuses_blank("string")))


def _each_a_text(where: str, *, blank: bool) -> Check:
    check = text(f"an entry of {where}", blank=blank)

    def each(value: Any) -> Found:
        found = [f for key, entry in value.items() if (wrong := check(entry)) for f in under(key, wrong)]
        return found or VALID_DYNAMIC

    return each


# Kinds that take every value of one type; of texts, every one that begins with a letter of ASCII. The engine decides
# these where it stands, as most properties are of these kinds, and asks the check for the rest.
PLAIN: Final[Mapping[str, type]] = {
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

MAKERS: Final[Mapping[str, Maker]] = {
    "any": _any,
    "any-string": lambda row, where, context: text(where, blank=True),
    "array<enum>": _enum_list,
    "array<enum>|binding": _enum_list_or_binding,
    "array<string>": _strings_list,
    "array<string>|binding": _strings_list_or_binding,
    "base64": _base64,
    "binding": _binding,
    "bool": _dynamic(_is_bool, "a boolean"),
    "calendar<bool>": _calendar(_dynamic(_is_bool, "a boolean")),
    "calendar<string>": _calendar(_strings("string")),
    "condition": _condition,
    "enum": _enum,
    "enum|binding": _enum_or_binding,
    "int": _dynamic(_is_int, "an integer"),
    "label1": _strings("label1"),
    "loose-bool": _dynamic(_is_bool, "a boolean", loose=True),
    "messages": _messages,
    "name": _name,
    "number": _dynamic(_is_number, "a number"),
    "object|binding": _dynamic(_is_object, "an object"),
    "screen-id": _screen_id,
    "source": _source,
    "source|binding": _source_or_binding,
    "static-bool": _fixed(_is_bool, "a boolean"),
    "static-object": _fixed(_is_object, "an object"),
    "static-int": _fixed(_is_int, "an integer"),
    "string": _strings("string"),
    "string|array<string>": _text_or_list("string"),
    "string|object": _text_or_object,
    "text": _strings("text"),
    "text|array<text>": _text_or_list("text"),
    "url": _url,
}
