"""
When the value of a field is valid: a table of checks for each component, in the order in which a client makes them.

The caller decides which fields count: hidden ones, and those in a branch that is not shown, are never checked
(`validity.hidden`, `branch.shown-only`). Properties are as in `Node.props`: resolved, with their defaults or without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal, TypeAlias

from .._dataclasses import dataclass
from ..flow_json import Version
from ._behaviour import BEHAVIOUR, Evidence
from ._evaluate import is_empty, is_true, text_of
from ._events import UploadedFile
from ._patterns import Pattern, read_pattern
from ._values import Issue
from ._versions import DAYS_SINCE

Reason = Literal[
    "required",
    "too-short",
    "too-long",
    "not-an-email",
    "not-digits",
    "not-a-phone-number",
    "not-a-number",
    "pattern",
    "too-few",
    "too-many",
    "not-offered",
    "not-a-date",
    "too-early",
    "too-late",
    "unavailable",
    "wrong-weekday",
    "end-before-start",
    "too-few-days",
    "too-many-days",
    "uploading",
    "upload-failed",
    "too-large",
    "wrong-type",
]


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a value is not valid: a code, a text in our own words, and how a client's check is known."""

    reason: Reason
    text: str
    evidence: Evidence


Props: TypeAlias = Mapping[str, Any]
Found: TypeAlias = Iterator[Invalid]


def invalid(kind: str, props: Props, value: Any, version: Version = DAYS_SINCE) -> Invalid | None:
    """
    Why a client refuses the value of a component, or None. A component without a value is always valid.

    `value` is as in `Node.value`. Values and properties of a wrong type are taken as text, or as not there. `version`
    is that of the Flow JSON: in an old one, a DatePicker takes milliseconds (date-picker.format).
    """
    checks = _old_date_picker if kind == "DatePicker" and version < DAYS_SINCE else _CHECKS.get(kind)
    return next(checks(props, value), None) if checks else None


def pattern_issue(props: Props) -> Issue | None:
    """What is noteworthy about the pattern of a TextInput: it is not valid, or it is not checked."""
    pattern = _pattern(props)
    if pattern is None or not pattern.problem:
        return None
    if pattern.problem == "broken":
        evidence = BEHAVIOUR["text-input.broken-pattern"].evidence
        return Issue(f"The pattern is not valid, and every value passes: {pattern.reason}.", evidence)
    return Issue(f"The pattern is not checked: {pattern.reason}.")


def entered(kind: str, props: Props, text: str) -> str:
    """What a text field takes of a text that is typed or pasted: TextArea cuts it, passwords take no emoji."""
    if kind == "TextArea":
        return _cut(text, _limit(props, "max-length", BEHAVIOUR["text-area.max-length"].value))
    if kind == "TextInput" and input_type(props) in BEHAVIOUR["text-input.no-emoji"].value:
        return _EMOJI("", text)
    return text


def limit_of(kind: str, props: Props) -> int | None:
    """The greatest number of characters that a text field counts up to, None for other components."""
    if kind == "TextInput":
        return _limit(props, "max-chars", BEHAVIOUR["text-input.max-chars"].value)
    return _limit(props, "max-length", BEHAVIOUR["text-area.max-length"].value) if kind == "TextArea" else None


def length_of(text: str) -> int:
    """The length of a text as a client counts it: in UTF-16 units, of which an emoji has two or more."""
    return len(text) + sum(character > "\uffff" for character in text)


def input_type(props: Props) -> str:
    """The input-type of a TextInput."""
    found = props.get("input-type", "text")
    return found if isinstance(found, str) else "text"


def _invalid(reason: Reason, text: str, row: str) -> Invalid:
    return Invalid(reason, text, BEHAVIOUR[row].evidence)


def _count(props: Props, key: str) -> int | None:
    """A property that is a count, which documents also write as text; None if it is not there."""
    value = props.get(key)
    if isinstance(value, str) and len(value) < 16 and value.strip().isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if abs(value) < 1e15 else None


def _limit(props: Props, key: str, default: int) -> int:
    found = _count(props, key)
    return default if found is None or found < 0 else found


def _cut(text: str, limit: int) -> str:
    if length_of(text) <= limit:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "ignore")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# Pictographs, and what joins and varies them. Signs that are text unless varied, such as the copyright sign, are not.
_EMOJI: Final = re.compile(
    "[\u200d\u20e3\u231a\u231b\u23e9-\u23f3\u25fd\u25fe\u2600-\u27bf\u2b05-\u2b55\u3030\u303d\u3297\u3299\ufe0f"
    "\U0001f000-\U0001faff\U000e0020-\U000e007f]"
).sub


# -- texts


def _text_input(props: Props, value: Any) -> Found:
    """In the order of text-input.checks."""
    text = text_of(value)
    yield from _required_text(props, text)
    if not text:  # text-input.empty
        return
    length, least = length_of(text), _count(props, "min-chars")
    most = _limit(props, "max-chars", BEHAVIOUR["text-input.max-chars"].value)
    if least is not None and length < least:
        yield _invalid("too-short", f"Enter at least {_plural(least, 'character')}.", "text-input.min-chars")
    if length > most:
        yield _invalid("too-long", f"Enter at most {_plural(most, 'character')}.", "text-input.max-chars")
    form = _FORMS.get(input_type(props))
    if form is not None and not form[0](text):
        yield _invalid(*form[1:])
    pattern = _pattern(props)
    if pattern is not None and pattern.found_in(text) is False:
        yield _invalid("pattern", "This is not in the expected format.", "text-input.pattern")


def _pattern(props: Props) -> Pattern | None:
    source = props.get("pattern")
    if isinstance(source, str) and source and input_type(props) in BEHAVIOUR["text-input.pattern"].value:
        return read_pattern(source)
    return None


def _text_area(props: Props, value: Any) -> Found:
    yield from _required_text(props, text_of(value))


def _required_text(props: Props, text: str) -> Found:
    if is_true(props.get("required")) and not text.strip(_BLANKS):
        yield _REQUIRED


_BLANKS: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript trims (ECMAScript, "WhiteSpace" and "LineTerminator"); Python trims others."""
_REQUIRED: Final = _invalid("required", "This field is required.", "validity.required")


_EMAIL: Final = re.compile(r"[^@\s]+@([^@\s]+)").fullmatch


def _is_email(text: str) -> bool:
    found = _EMAIL(text)
    return found is not None and "." in found[1] and all(found[1].split("."))


_FORMS: Final[dict[str, tuple[Callable[[str], object], Reason, str, str]]] = {
    "email": (_is_email, "not-an-email", "Enter an email address.", "text-input.email"),
    "passcode": (re.compile(r"[0-9]+").fullmatch, "not-digits", "Enter digits only.", "text-input.passcode"),
    "phone": (
        re.compile(r"(?:\s*\+)?[\s().\-/]*[0-9][0-9\s().\-/]*").fullmatch,
        "not-a-phone-number", "Enter a phone number.", "text-input.phone",
    ),
    "number": (
        re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+|(?=\.[0-9]))(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?").fullmatch,
        "not-a-number", "Enter a number.", "text-input.number",
    ),
}  # fmt: skip
"""input-type -> its check, and what is said."""


# -- selections


def _group(props: Props, value: Any) -> Found:
    count = len(_items(value))
    if is_true(props.get("required")) and not count:
        yield _REQUIRED
    least, most = _count(props, "min-selected-items"), _count(props, "max-selected-items")
    if least is not None and count < least:
        yield _invalid("too-few", f"Select at least {_plural(least, 'option')}.", "group.count")
    if most is not None and count > most:
        yield _invalid("too-many", f"Select at most {_plural(most, 'option')}.", "group.count")


def _radio(props: Props, value: Any) -> Found:
    """A value that is not offered is not looked at (radio.checks)."""
    yield from _required_text(props, text_of(value))


def _dropdown(props: Props, value: Any) -> Found:
    yield from _required_text(props, text_of(value))
    offered = (item.get("id") for item in _items(props.get("data-source")) if isinstance(item, Mapping))
    if not is_empty(value) and not any(type(value) is type(each) and value == each for each in offered):
        yield _invalid("not-offered", "Select one of the options.", "dropdown.offered")


def _opt_in(props: Props, value: Any) -> Found:
    if is_true(props.get("required")) and value is not True:
        yield _REQUIRED


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


# -- dates

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_MILLISECONDS: Final = re.compile(r"-?[0-9]{1,18}").fullmatch
_PER_DAY: Final = 24 * 60 * 60 * 1000
_ENDS: Final = (("start-date", "start"), ("end-date", "end"))


def day_number(value: Any) -> int | None:
    """
    The day that a text names, as a `date` counts it (`date.toordinal`): YYYY-MM-DD, or milliseconds since 1970 (UTC).

    None for what is no date.
    """
    text = text_of(value)
    return date(1970, 1, 1).toordinal() + int(text) // _PER_DAY if _MILLISECONDS(text) else _iso_day(text)


def _iso_day(value: Any) -> int | None:
    """The day that YYYY-MM-DD names, None for what is no date."""
    text = text_of(value)
    if not _DAY(text):
        return None
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None


def _date_picker(props: Props, value: Any) -> Found:
    yield from _required_text(props, text_of(value))
    if not is_empty(value):
        yield from _day(props, value, _iso_day)


def _old_date_picker(props: Props, value: Any) -> Found:
    yield from _required_text(props, text_of(value))
    if not is_empty(value):
        yield from _day(props, value, day_number)


def _calendar_picker(props: Props, value: Any) -> Found:
    if props.get("mode") != "range":
        yield from _date_picker(props, value)
        return
    ends = value if isinstance(value, Mapping) else {}
    required = props.get("required")
    for key, name in _ENDS:
        needed = required.get(key) if isinstance(required, Mapping) else required
        if is_true(needed) and is_empty(ends.get(key)):
            yield _invalid("required", f"The {name} date is required.", "calendar-picker.required")
    for key, _ in _ENDS:
        if not is_empty(ends.get(key)):
            yield from _day(props, ends[key], _iso_day)
    start, end = (_iso_day(ends.get(key)) for key, _ in _ENDS)
    if start is not None and end is not None:
        yield from _length_of_range(props, start, end)


def _day(props: Props, value: Any, read: Callable[[Any], int | None]) -> Found:
    day = read(value)
    if day is None:
        yield _invalid("not-a-date", "Enter a date.", "date-picker.format")
        return
    first, last = BEHAVIOUR["date-picker.range"].value
    earliest, latest = (read(props.get(key, default)) for key, default in (("min-date", first), ("max-date", last)))
    if earliest is not None and day < earliest:
        yield _invalid("too-early", "This date is too early.", "date-picker.range")
    if latest is not None and day > latest:
        yield _invalid("too-late", "This date is too late.", "date-picker.range")
    if day in map(read, _items(props.get("unavailable-dates"))):
        yield _invalid("unavailable", "This date is not available.", "date-picker.unavailable")
    included = _items(props.get("include-days"))
    if included and _WEEKDAYS[(day - 1) % 7] not in included:
        yield _invalid("wrong-weekday", "This day of the week is not available.", "calendar-picker.days")


def _length_of_range(props: Props, start: int, end: int) -> Found:
    if end < start:
        yield _invalid("end-before-start", "The end is before the start.", "calendar-picker.days")
    days = end - start + BEHAVIOUR["calendar-picker.length"].value
    least, most = _count(props, "min-days"), _count(props, "max-days")
    if least is not None and days < least:
        yield _invalid("too-few-days", f"Select at least {_plural(least, 'day')}.", "calendar-picker.days")
    if most is not None and days > most:
        yield _invalid("too-many-days", f"Select at most {_plural(most, 'day')}.", "calendar-picker.days")


# -- files


def _picker(noun: str) -> Callable[[Props, Any], Found]:
    def check(props: Props, value: Any) -> Found:
        files = [file for file in _items(value) if isinstance(file, UploadedFile)]
        if any(file.state == "running" for file in files):
            yield _invalid("uploading", "Wait for the upload to finish.", "picker.upload")
        if any(file.state == "failed" for file in files):
            yield _invalid("upload-failed", "An upload has failed.", "picker.upload")
        fewest, greatest = BEHAVIOUR["picker.count"].value
        least, most = _limit(props, f"min-uploaded-{noun}s", fewest), _limit(props, f"max-uploaded-{noun}s", greatest)
        if len(files) < least:
            yield _invalid("too-few", f"Add at least {_plural(least, noun)}.", "picker.count")
        if len(files) > most:
            yield _invalid("too-many", f"Add at most {_plural(most, noun)}.", "picker.count")
        size = _limit(props, "max-file-size-kb", BEHAVIOUR["picker.size"].value)
        if any(file.size > size * 1024 for file in files):
            yield _invalid("too-large", f"A file may have at most {size} kB.", "picker.size")
        allowed = _items(props.get("allowed-mime-types"))
        if allowed and any(file.mime_type not in (*allowed, _UNKNOWN_TYPE) for file in files):
            yield _invalid("wrong-type", "Files of this type are not accepted.", "picker.type")

    return check


_UNKNOWN_TYPE: Final = "application/octet-stream"
_CHECKS: Final[Mapping[str, Callable[[Props, Any], Found]]] = {
    "TextInput": _text_input,
    "TextArea": _text_area,
    "CheckboxGroup": _group,
    "ChipsSelector": _group,
    "RadioButtonsGroup": _radio,
    "Dropdown": _dropdown,
    "OptIn": _opt_in,
    "DatePicker": _date_picker,
    "CalendarPicker": _calendar_picker,
    "PhotoPicker": _picker("photo"),
    "DocumentPicker": _picker("document"),
}
"""Component -> its checks: each yields what is wrong, the first one first."""
