"""
DatePicker: dates are days from 5.0 on, and milliseconds since 1970 before.

Sources: Meta, Flow JSON reference ("DatePicker"); Meta's client validator, August 2026. Meta's codes for the
older form and for impossible days are not known: faults there are warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from ..language import is_dynamic
from ..schema import Component, Document, Finding, Severity, Version
from ..text import Pointer
from ._index import index
from ._rule import Rule

CODE: Final = "INVALID_DATE_RANGE"
DAYS_SINCE: Final = Version(5, 0)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MILLISECONDS: Final = re.compile(r"-?[0-9]+")
Day = tuple[str, Pointer]


def wrong_date(doc: Document) -> Iterator[Finding]:
    """
    A date is written YYYY-MM-DD; before 5.0, as milliseconds since 1970.

    Passes: {"children": [{"type": "DatePicker", "name": "a", "min-date": "2026-01-31"}]}
    Fails: {"children": [{"type": "DatePicker", "name": "a", "min-date": "31.01.2026"}]}
    """
    old = doc.version < DAYS_SINCE
    for _, picker in index(doc).of("DatePicker"):
        for text, pointer in dates_of(picker):
            if old and not _MILLISECONDS.fullmatch(text):
                message = f"{text!r} is not a number of milliseconds since 1970, as dates are before 5.0."
                yield Finding(CODE, message, pointer, severity=Severity.WARNING)
            elif not old:
                yield from check_day(text, pointer, CODE)


def min_date_over_max_date(doc: Document) -> Iterator[Finding]:
    """
    min-date is not after max-date.

    Passes: {"children": [{"type": "DatePicker", "name": "a", "min-date": "2026-01-31", "max-date": "2026-02-01"}]}
    Fails: {"children": [{"type": "DatePicker", "name": "a", "min-date": "2026-02-01", "max-date": "2026-01-31"}]}
    """
    for _, picker in index(doc).of("DatePicker"):
        yield from check_order(doc, picker)


def date_out_of_range(doc: Document) -> Iterator[Finding]:
    """
    Unavailable dates and the initial date are between min-date and max-date.

    Passes: {"children": [{"type": "DatePicker", "name": "a", "min-date": "2026-01-31", "init-value": "2026-02-01"}]}
    Fails: {"children": [{"type": "DatePicker", "name": "a", "min-date": "2026-01-31", "init-value": "2026-01-01"}]}
    """
    for _, picker in index(doc).of("DatePicker"):
        yield from check_range(doc, picker, [*_listed(picker), *_single(picker, "init-value")])


def dates_of(picker: Component) -> Iterator[Day]:
    """All static dates, with their places."""
    for key in ("min-date", "max-date", "init-value"):
        yield from _single(picker, key)
    yield from _listed(picker)


def check_day(text: str, pointer: Pointer, code: str) -> Iterator[Finding]:
    """A finding if a text is not a day."""
    if not _DAY.fullmatch(text):
        yield Finding(code, f"{text!r} is not a date in the form YYYY-MM-DD.", pointer)
        return
    try:
        date.fromisoformat(text)
    except ValueError:
        yield Finding(code, f"{text!r} is a day that no calendar has.", pointer, severity=Severity.WARNING)


def check_order(doc: Document, picker: Component) -> Iterator[Finding]:
    """Findings for min-date and max-date if they are in the wrong order."""
    first, last = _bound(doc, picker, "min-date"), _bound(doc, picker, "max-date")
    if first is not None and last is not None and first > last:
        message = f"min-date {picker.value['min-date']} is after max-date {picker.value['max-date']}."
        for key in ("min-date", "max-date"):
            yield Finding(CODE, message, picker.at(key), severity=_severity(doc))


def check_range(doc: Document, picker: Component, days: list[Day]) -> Iterator[Finding]:
    """A finding for each day outside of min-date and max-date."""
    first, last = _bound(doc, picker, "min-date"), _bound(doc, picker, "max-date")
    for text, pointer in days:
        day = _comparable(doc, text)
        if day is not None and ((first is not None and day < first) or (last is not None and day > last)):
            limits = f"[{picker.value.get('min-date', '')}, {picker.value.get('max-date', '')}]"
            message = f"{text} of {picker.type} {picker.value.get('name', '')!r} is not in {limits}."
            yield Finding(CODE, message, pointer, severity=_severity(doc))


def unavailable_dates(picker: Component) -> list[Day]:
    """The static unavailable dates, with their places."""
    return list(_listed(picker))


def written_out(value: Any) -> str | None:
    """The value if it is a static text."""
    return value if isinstance(value, str) and not is_dynamic(value) else None


def _single(picker: Component, key: str) -> Iterator[Day]:
    text = written_out(picker.value.get(key))
    if text is not None:
        yield text, picker.at(key)


def _listed(picker: Component) -> Iterator[Day]:
    listed = picker.value.get("unavailable-dates")
    if isinstance(listed, list):
        for i, value in enumerate(listed):
            text = written_out(value)
            if text is not None:
                yield text, picker.at("unavailable-dates", i)


def _bound(doc: Document, picker: Component, key: str) -> tuple[int, str] | None:
    text = written_out(picker.value.get(key))
    return None if text is None else _comparable(doc, text)


def _comparable(doc: Document, text: str) -> tuple[int, str] | None:
    """A key that sorts like the dates: of days (0, text), of milliseconds (sign and length, digits)."""
    if doc.version >= DAYS_SINCE:
        return (0, text) if _DAY.fullmatch(text) else None
    if not _MILLISECONDS.fullmatch(text):
        return None
    digits = text.lstrip("-").lstrip("0")
    if text[0] != "-":
        return (len(digits), digits)
    return (-len(digits), "".join(str(9 - int(digit)) for digit in digits))


def _severity(doc: Document) -> Severity | None:
    return Severity.WARNING if doc.version < DAYS_SINCE else None


_DATES: Final = ("init-value", "max-date", "min-date", "unavailable-dates")
RULES: Final = (
    Rule("FJ701", "a date that is none", wrong_date, needs=_DATES),
    Rule("FJ702", "a first date after the last", min_date_over_max_date, needs=("max-date",)),
    Rule("FJ703", "a date out of range", date_out_of_range, needs=_DATES),
)
