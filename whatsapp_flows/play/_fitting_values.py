"""
Values that fit a field, as the events that enter them: for an automatic walk through a Flow.

They are guesses from the properties of the field, the likeliest first. Whether one fits is decided by the player, which
knows the rules: each guess is tried until one is valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from itertools import islice
from typing import Any, Final

from ._events import Event, Fill, Select, Upload, UploadedFile
from ._pattern_texts import matching_texts
from ._values import Node

_MAX_DAYS: Final = 4_000
"""Days that are looked at, in each direction from today."""
_MAX_STARTS: Final = 20
"""First days of a range that are tried."""
_MAX_FILES: Final = 30
"""Meta, Flow JSON reference: max-uploaded-photos, max-uploaded-documents."""
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FILE_SIZE: Final = 1024  # bytes
_EXTENSIONS: Final = {"image/jpeg": "jpg", "text/plain": "txt"}
_TYPED_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("ada@example.com", "a@example.com"),
    "phone": ("+14155550100", "14155550100", "4155550100"),
    "passcode": ("123456", "1234"),
    "number": ("1", "10", "42"),
    "password": ("Example1!",),
}
_DIGITS: Final = frozenset({"number", "passcode", "phone"})
_EARLIEST: Final = date(1900, 1, 1)
_LATEST: Final = date(2100, 12, 31)
"""Meta, Flow JSON reference, DatePicker: the range without min-date and max-date."""

Events = tuple[Event, ...]


def ways_to_fill(node: Node, today: date) -> Iterator[Events]:
    """The events of one value after the other that may be valid for this field; none if it takes no value."""
    match node.kind:
        case "TextInput":
            yield from ((Fill(node.path, text),) for text in _texts(node))
        case "TextArea":
            high = _whole(node.props.get("max-length"), 600)
            yield from ((Fill(node.path, text),) for text in _plain_texts(1, high))
        case "DatePicker":
            yield from ((Fill(node.path, text),) for text in _days_of_picker(node, today))
        case "CalendarPicker" if node.props.get("mode") == "range":
            yield from ((Fill(node.path, period),) for period in _periods(node, today))
        case "CalendarPicker":
            yield from ((Fill(node.path, day.isoformat()),) for day in islice(_days(node.props, today), _MAX_STARTS))
        case "OptIn":
            yield (Select(node.path),)
        case "RadioButtonsGroup" | "Dropdown":
            yield from ((Select(node.path, option),) for option in options(node))
        case "CheckboxGroup" | "ChipsSelector":
            yield from _selections(node)
        case "PhotoPicker" | "DocumentPicker":
            yield _upload(node)


def options(node: Node) -> list[str]:
    """The ids of the options of a node that can be chosen."""
    offered = node.props.get("data-source")
    found = offered if isinstance(offered, Sequence) and not isinstance(offered, str) else ()
    return [
        item["id"]
        for item in found
        if isinstance(item, Mapping) and isinstance(item.get("id"), str) and item.get("enabled") is not False
    ]


def selected(node: Node) -> tuple[str, ...]:
    """The ids that are selected."""
    value = node.value
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, (tuple, list)) else ()


def selecting(node: Node, wanted: Iterable[str]) -> Events:
    """The events after which exactly these options are selected."""
    now, wanted = selected(node), tuple(wanted)
    removed = (Select(node.path, each, False) for each in now if each not in wanted)
    added = (Select(node.path, each) for each in wanted if each not in now)
    return (*removed, *added)


def _selections(node: Node) -> Iterator[Events]:
    offered = options(node)
    least = max(_whole(node.props.get("min-selected-items"), 0), 1)
    for start in range(max(len(offered) - least, 0) + 1):
        yield selecting(node, offered[start : start + least])


# -- texts


def _texts(node: Node) -> Iterator[str]:
    kind = str(node.props.get("input-type") or "text")
    low = max(_whole(node.props.get("min-chars"), 0), 1)
    high = _whole(node.props.get("max-chars"), 80)  # Meta, Flow JSON reference: the default of max-chars
    pattern = node.props.get("pattern")
    yield from _TYPED_TEXTS.get(kind, ())
    if not (isinstance(pattern, str) and pattern):
        yield from _repeated("1" if kind in _DIGITS else "a", low, high) if kind != "text" else _plain_texts(low, high)
        return
    yield from _plain_texts(low, high)
    yield from matching_texts(pattern, low=low, high=high)
    yield from _repeated("1", low, high)


def _plain_texts(low: int, high: int) -> Iterator[str]:
    text = "Example"
    if low <= len(text) <= high:
        yield text
    elif len(text) < low:
        yield (f"{text} " * (low // len(text) + 1))[:low].rstrip().ljust(low, "e")
    else:
        yield text[:high]


def _repeated(sign: str, low: int, high: int) -> Iterator[str]:
    yield sign * low
    if high > low:
        yield sign * min(high, low + 5)


def _whole(value: Any, default: int) -> int:
    """A number of the document, which may be written as a text (Meta documents some limits as texts)."""
    if isinstance(value, bool):
        return default
    if isinstance(value, (int, float)) and abs(value) < 1e6:
        return int(value)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 7 else default


# -- dates


def _days_of_picker(node: Node, today: date) -> Iterator[str]:
    """As a day, and as the milliseconds that a DatePicker has until version 4.0."""
    for day in islice(_days(node.props, today), _MAX_STARTS):
        yield day.isoformat()
        yield str(int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp()) * 1000)


def _days(props: Mapping[str, Any], today: date) -> Iterator[date]:
    """The days that can be picked: from today on, then those before today."""
    first, last = _day(props.get("min-date")) or _EARLIEST, _day(props.get("max-date")) or _LATEST
    unavailable = frozenset(filter(None, map(_day, _items(props.get("unavailable-dates")))))
    weekdays = frozenset(map(str, _items(props.get("include-days")))) or frozenset(_WEEKDAYS)
    start = min(max(today, first), last)
    for step in (1, -1):
        for distance in range(0 if step > 0 else 1, _MAX_DAYS):
            number = start.toordinal() + step * distance
            if not max(first.toordinal(), 1) <= number <= last.toordinal():
                break
            day = date.fromordinal(number)
            if day not in unavailable and _WEEKDAYS[day.weekday()] in weekdays:
                yield day


def _periods(node: Node, today: date) -> Iterator[Mapping[str, str]]:
    """The ranges of days; both ends can be picked."""
    least = max(_whole(node.props.get("min-days"), 1), 1)
    most = max(_whole(node.props.get("max-days"), least + 7), least)
    possible = list(islice(_days(node.props, today), _MAX_DAYS))
    days = frozenset(possible)
    for first in possible[:_MAX_STARTS]:
        for length in range(least - 1, min(most, least + 14) + 1):
            end = min(first.toordinal() + length, date.max.toordinal())
            if (last := date.fromordinal(end)) in days:
                yield {"start-date": first.isoformat(), "end-date": last.isoformat()}


def _day(value: Any) -> date | None:
    """A day of the document: `2026-01-31`, or milliseconds since 1970 until version 4.0."""
    if not isinstance(value, str):
        return None
    try:
        if value.isascii() and value.removeprefix("-").isdigit():
            return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=int(value[:20]))).date()
        return date.fromisoformat(value)
    except (ValueError, OverflowError):
        return None


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


# -- files


def _upload(node: Node) -> Events:
    photos = node.kind == "PhotoPicker"
    types = [each for each in _items(node.props.get("allowed-mime-types")) if isinstance(each, str)]
    mime_type = "image/jpeg" if photos else types[0] if types else "application/pdf"
    least = _whole(node.props.get(f"min-uploaded-{'photos' if photos else 'documents'}"), 0)
    extension = _EXTENSIONS.get(mime_type) or mime_type.rpartition("/")[2].rpartition(".")[2].rpartition("-")[2]
    size = min(_FILE_SIZE, max(_whole(node.props.get("max-file-size-kb"), 25_600), 1) * 1024)
    files = (
        UploadedFile(name=f"example-{number}.{extension}", mime_type=mime_type, size=size)
        for number in range(1, min(max(least, 1), _MAX_FILES) + 1)
    )
    return (Upload(node.path, tuple(files)),)
