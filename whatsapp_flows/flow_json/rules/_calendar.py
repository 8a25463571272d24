"""
CalendarPicker: a single date or a range, and the differences between the two modes.

In range mode label, helper-text, required, init-value and error-message are objects with start-date and end-date. The
same holds for the values that a Form passes to the picker. Nothing is checked where `mode` is dynamic.
Sources: Meta, Flow JSON reference ("CalendarPicker"); Meta's client validator, August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ..schema import Component, Document, Finding, Version
from ..text import Pointer
from ._component_facts import mode_of
from ._dates import CODE as RANGE
from ._dates import Day, check_day, check_order, check_range, unavailable_dates, written_out
from ._index import index
from ._rule import Rule
from ._types import CALENDAR_PROPERTIES

KIND: Final = "CalendarPicker"
SINCE: Final = Version(6, 1)
START: Final = "start-date"
END: Final = "end-date"
_RANGE_ONLY: Final = ("min-days", "max-days", "title", "description")


class _Value(NamedTuple):
    """A property that differs between the modes: of the picker itself, or passed to it by its Form."""

    picker: Component
    property: str
    value: Any
    pointer: Pointer


def range_only_property(doc: Document) -> Iterator[Finding]:
    """
    Properties for ranges are used in range mode only.

    Passes: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range", "min-days": 2}]}
    Fails: {"children": [{"type": "CalendarPicker", "name": "a", "min-days": 2}]}
    """
    for _, picker in index(doc).of(KIND):
        for key in _RANGE_ONLY if mode_of(picker) == "single" else ():
            if key in picker.value:
                message = f"{key} of {_named(picker)} is for mode range."
                yield Finding("INVALID_PROPERTY_NAME_FOR_CONDITION", message, picker.at(key))


def min_days_over_max_days(doc: Document) -> Iterator[Finding]:
    """
    min-days is at most max-days.

    Passes: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range", "min-days": 2, "max-days": 3}]}
    Fails: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range", "min-days": 3, "max-days": 2}]}
    """
    for _, picker in index(doc).of(KIND):
        low, high = picker.value.get("min-days"), picker.value.get("max-days")
        if mode_of(picker) == "range" and isinstance(low, int) and isinstance(high, int) and low > high:
            message = f"min-days {low} is over max-days {high} in {_named(picker)}."
            for key in ("min-days", "max-days"):
                yield Finding("INVALID_MIN_MAX_DAYS", message, picker.at(key))


def value_of_another_mode(doc: Document) -> Iterator[Finding]:
    """
    Range mode takes objects, single mode does not.

    Passes: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range",
        "label": {"start-date": "From", "end-date": "To"}}]}
    Fails: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range", "label": "When"}]}
    """
    for picker, name, value, pointer in _values(doc):
        mode, is_object = mode_of(picker), isinstance(value, dict)
        if (mode == "single" and is_object) or (mode == "range" and not is_object and not _dynamic(value)):
            wanted = "an object with start-date and end-date" if mode == "range" else "not an object"
            yield Finding("INVALID_TYPE", f"{name} of {_named(picker)} must be {wanted} in mode {mode}.", pointer)


def incomplete_range(doc: Document) -> Iterator[Finding]:
    """
    An object for a range has a start-date; a label has an end-date too.

    Passes: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range", "required": {"start-date": true}}]}
    Fails: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range", "required": {"end-date": true}}]}
    """
    for picker, name, value, pointer in _values(doc):
        if mode_of(picker) == "range" and isinstance(value, dict):
            needed = (START, END) if name == "label" else (START,)
            missing = [key for key in needed if key not in value]
            if missing:
                message = f"{name} of {_named(picker)} lacks {' and '.join(missing)}."
                yield Finding("MISSING_CALENDAR_PICKER_RANGE_MODE_PROP", message, pointer)


def unexpected_range_key(doc: Document) -> Iterator[Finding]:
    """
    An object for a range has no other keys than start-date and end-date.

    Passes: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range", "required": {"start-date": true}}]}
    Fails: {"children": [{"type": "CalendarPicker", "name": "a", "mode": "range",
        "required": {"start-date": true, "middle": true}}]}
    """
    for picker, name, value, pointer in _values(doc):
        if mode_of(picker) == "range" and isinstance(value, dict):
            extra = [key for key in value if key not in (START, END)]
            message = f"{name} of {_named(picker)} has nothing but start-date and end-date."
            if extra and len(value) > 2:
                yield Finding("UNEXPECTED_CALENDAR_PICKER_RANGE_MODE_PROP", message, pointer)
            for key in extra:
                yield Finding("UNEXPECTED_CALENDAR_PICKER_RANGE_MODE_PROP", message, (*pointer, key))


def wrong_initial_date(doc: Document) -> Iterator[Finding]:
    """
    An initial date is written YYYY-MM-DD.

    Passes: {"children": [{"type": "CalendarPicker", "name": "a", "init-value": "2026-01-31"}]}
    Fails: {"children": [{"type": "CalendarPicker", "name": "a", "init-value": "31 January"}]}
    """
    for _, days in _initial(doc):
        for text, pointer in days.values():
            yield from check_day(text, pointer, "INVALID_DATE_SINGLE_INIT_VALUE_FORMAT")


def wrong_calendar_date(doc: Document) -> Iterator[Finding]:
    """
    min-date, max-date and unavailable dates are written YYYY-MM-DD.

    Passes: {"children": [{"type": "CalendarPicker", "name": "a", "max-date": "2026-01-31"}]}
    Fails: {"children": [{"type": "CalendarPicker", "name": "a", "max-date": "31 January"}]}
    """
    for _, picker in index(doc).of(KIND):
        for key in ("min-date", "max-date"):
            if (text := written_out(picker.value.get(key))) is not None:
                yield from check_day(text, picker.at(key), RANGE)
        for text, pointer in unavailable_dates(picker):
            yield from check_day(text, pointer, RANGE)


def calendar_out_of_range(doc: Document) -> Iterator[Finding]:
    """
    min-date is before max-date, all dates are between them, and a range starts before it ends.

    Passes: {"children": [{"type": "CalendarPicker", "min-date": "2026-01-31", "init-value": "2026-02-01"}]}
    Fails: {"children": [{"type": "CalendarPicker", "min-date": "2026-01-31", "init-value": "2026-01-01"}]}
    """
    for _, picker in index(doc).of(KIND):
        yield from check_order(doc, picker)
        yield from check_range(doc, picker, unavailable_dates(picker))
    for picker, days in _initial(doc):
        yield from check_range(doc, picker, list(days.values()))
        if START in days and END in days and days[START][0] > days[END][0]:
            message = f"start-date {days[START][0]} is after end-date {days[END][0]} in {_named(picker)}."
            for key in (START, END):
                yield Finding(RANGE, message, days[key][1])


def _values(doc: Document) -> Iterator[_Value]:
    """The properties that differ between the modes, of all pickers and the Forms around them."""
    for _, picker in index(doc).of(KIND):
        for key in sorted(CALENDAR_PROPERTIES & picker.value.keys()):
            yield _Value(picker, key, picker.value[key], picker.at(key))
        form = index(doc).form_around(picker)
        if form is not None:
            yield from _passed_by_form(picker, form)


def _passed_by_form(picker: Component, form: Component) -> Iterator[_Value]:
    name = picker.value.get("name")
    for own, of_form in (("init-value", "init-values"), ("error-message", "error-messages")):
        values = form.value.get(of_form)
        if isinstance(values, dict) and isinstance(name, str) and name in values:
            yield _Value(picker, own, values[name], form.at(of_form, name))


def _initial(doc: Document) -> Iterator[tuple[Component, dict[str, Day]]]:
    """Static initial dates: of a range under START and END, a single one under an empty name."""
    for picker, name, value, pointer in _values(doc):
        if name == "init-value":
            if isinstance(value, dict):
                texts = {key: text for key in (START, END) if (text := written_out(value.get(key))) is not None}
                yield picker, {key: (text, (*pointer, key)) for key, text in texts.items()}
            elif (text := written_out(value)) is not None:
                yield picker, {"": (text, pointer)}


def _dynamic(value: Any) -> bool:
    return isinstance(value, str) and written_out(value) is None


def _named(picker: Component) -> str:
    return f"{KIND} {picker.value.get('name', '')!r}"


RULES: Final = (
    Rule("FJ710", "a property for ranges on a single date", range_only_property, since=SINCE, needs=(KIND,)),
    Rule("FJ711", "a shortest range over the longest", min_days_over_max_days, since=SINCE, needs=(KIND,)),
    Rule("FJ712", "a value for the other mode", value_of_another_mode, since=SINCE, needs=(KIND,)),
    Rule("FJ713", "half a range", incomplete_range, since=SINCE, needs=(KIND,)),
    Rule("FJ714", "more than a range", unexpected_range_key, since=SINCE, needs=(KIND,)),
    Rule("FJ715", "an initial date that is none", wrong_initial_date, since=SINCE, needs=(KIND,)),
    Rule("FJ716", "a date of a calendar that is none", wrong_calendar_date, since=SINCE, needs=(KIND,)),
    Rule("FJ717", "a date outside of the calendar", calendar_out_of_range, since=SINCE, needs=(KIND,)),
)
