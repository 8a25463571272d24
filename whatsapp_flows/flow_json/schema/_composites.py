"""
Checks of values with parts: lists, the two ends of a range of dates, messages by name.

Source of the codes: Meta's client validator, August 2026.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from ._checks import MAX_FINDINGS, VALID_DYNAMIC, Check, CheckFactory, CheckResult, Context, prefixed, wrong_type
from ._model import Finding
from ._spec import ERROR_MESSAGES_OF_ANY_TYPE, TEXT_LISTS, Property
from ._values import either, enum, is_list, is_object, static_or_binding, text_check


def list_check(row: Property, where: str, item: Check, otherwise: Check) -> Check:
    """A list whose items pass `item`, as many as the row allows; a value that is no list is checked by `otherwise`."""
    least, most = row.min_items or 0, row.max_items

    def check(value: Any) -> CheckResult:
        if type(value) is not list:
            return otherwise(value)
        if len(value) >= least and (most is None or len(value) <= most):
            result: CheckResult = None
            for of_item in map(item, value):
                if of_item is not None:
                    result = of_item
                    if of_item:
                        break
            if not result:
                return result
        invalid = ((i, wrong) for i, each in enumerate(value) if (wrong := item(each)))
        found = [finding for i, wrong in islice(invalid, MAX_FINDINGS + 1) for finding in prefixed((i,), wrong)]
        if len(value) < least:
            found.append(Finding("MIN_ITEMS_REQUIRED", f"{where} must have at least {_item_count(least)}."))
        elif most is not None and len(value) > most:
            found.append(Finding("MAX_ITEMS_REQUIRED", f"{where} must have at most {_item_count(most)}."))
        return found

    return check


def _item_count(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def not_a_list(where: str) -> Check:
    """The alternative to a list that may not be a binding."""
    return lambda value: [wrong_type(where, "an array", value)]


def binding_instead_of_list(where: str, context: Context) -> Check:
    """The alternative to a list that may be a binding."""
    return static_or_binding(lambda value: False, "an array")(Property("", ""), where, context)


def string_list(row: Property, where: str, context: Context) -> Check:
    item = text_check(f"an item of {where}", blank=not context.refuses_blank("string"))
    return list_check(row, where, item, not_a_list(where))


def string_list_or_binding(row: Property, where: str, context: Context) -> Check:
    item = text_check(f"an item of {where}", blank=not context.refuses_blank("string"))
    return list_check(row, where, item, binding_instead_of_list(where, context))


def enum_list(row: Property, where: str, context: Context) -> Check:
    return list_check(row, where, enum(row, f"an item of {where}", context), not_a_list(where))


def enum_list_or_binding(row: Property, where: str, context: Context) -> Check:
    return list_check(row, where, enum(row, f"an item of {where}", context), binding_instead_of_list(where, context))


def text_or_text_list(kind: str) -> CheckFactory:
    def make(row: Property, where: str, context: Context) -> Check:
        string = text_check(where, blank=not context.refuses_blank(kind))
        if context.version < TEXT_LISTS:
            return string
        texts = list_check(row, where, text_check(f"an item of {where}", blank=False), string)
        return either(is_list, lambda value: texts(value) or VALID_DYNAMIC, string)

    return make


def value_or_range(make: CheckFactory) -> CheckFactory:
    """A value, or one each for the start and the end of a range. Which of the two is legal is a matter of rules."""

    def made(row: Property, where: str, context: Context) -> Check:
        single = make(row, where, context)
        ends = {name: make(row, f"{name} of {where}", context) for name in ("start-date", "end-date")}

        def both(value: Any) -> CheckResult:
            found = [
                f for name, check in ends.items() if name in value and (wrong := check(value[name]))
                for f in prefixed((name,), wrong)
            ]  # fmt: skip
            return found or VALID_DYNAMIC

        return either(is_object, both, single)

    return made


def messages_by_name(row: Property, where: str, context: Context) -> Check:
    """error-messages of a Form: texts by name."""
    if context.version >= ERROR_MESSAGES_OF_ANY_TYPE:
        return static_or_binding(is_object, "an object")(row, where, context)
    return either(is_object, _texts_by_key(where, blank=True), binding_instead_of_list(where, context))


def text_or_messages(row: Property, where: str, context: Context) -> Check:
    """error-message of a picker: a text, or texts by the id of the file."""
    each = _texts_by_key(where, blank=False)

    def some(value: Any) -> CheckResult:
        return each(value) if value else [Finding("INVALID_SCHEMA", f"{where} must have at least 1 entry.")]

    return either(is_object, some, text_check(where, blank=not context.refuses_blank("string")))


def _texts_by_key(where: str, *, blank: bool) -> Check:
    check = text_check(f"an entry of {where}", blank=blank)

    def each(value: Any) -> CheckResult:
        found = [f for key, entry in value.items() if (wrong := check(entry)) for f in prefixed((key,), wrong)]
        return found or VALID_DYNAMIC

    return each
