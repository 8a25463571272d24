"""Values that fit a field, from its properties alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import islice
from typing import Any

import pytest

from whatsapp_flows.play import Fill, Node, Select, Upload
from whatsapp_flows.play._fitting_values import options, selecting, ways_to_fill

TODAY = date(2026, 3, 4)  # a Wednesday
PATH = "/screens/0/layout/children/0"


def node(kind: str, value: Any = None, **props: Any) -> Node:
    """A node with properties by their names in Flow JSON, with underscores for hyphens."""
    return Node(
        path=PATH, kind=kind, name="a", value=value, props={key.replace("_", "-"): each for key, each in props.items()}
    )


def guesses(kind: str, **props: Any) -> list[Any]:
    """The values of the first Fill of each way."""
    return [
        each[0].value for each in islice(ways_to_fill(node(kind, **props), TODAY), 400) if isinstance(each[0], Fill)
    ]


def ids(*names: str) -> list[dict[str, Any]]:
    return [{"id": name, "title": name.upper()} for name in names]


@pytest.mark.parametrize(
    ("props", "expected"),
    [
        ({}, "Example"),
        ({"min_chars": 20}, "Example Example Exam"),
        ({"min_chars": "20"}, "Example Example Exam"),
        ({"min_chars": 8, "max_chars": 8}, "Examplee"),
        ({"max_chars": 3}, "Exa"),
        ({"input_type": "email"}, "ada@example.com"),
        ({"input_type": "number"}, "1"),
        ({"input_type": "number", "min_chars": 7}, "1111111"),
        ({"input_type": "passcode"}, "123456"),
        ({"input_type": "passcode", "max_chars": 3}, "1"),
        ({"input_type": "passcode", "max_chars": 3}, "111"),
        ({"input_type": "phone"}, "+14155550100"),
        ({"input_type": "password", "min_chars": 12}, "aaaaaaaaaaaa"),
        ({"pattern": "^[0-9]{4}$"}, "1111"),
        ({"pattern": "^E"}, "Example"),
    ],
)
def test_a_text_input_has_guesses(props: dict[str, Any], expected: str) -> None:
    """By its type, its limits and its pattern."""
    assert expected in guesses("TextInput", **props)


@pytest.mark.parametrize(("limit", "expected"), [(None, "Example"), (4, "Exam"), ("600", "Example"), (True, "Example")])
def test_a_text_area_has_one(limit: object, expected: str) -> None:
    """Not longer than it takes."""
    assert guesses("TextArea", max_length=limit) == [expected]


@pytest.mark.parametrize(
    ("props", "first"),
    [
        ({}, TODAY),
        ({"min_date": "2026-05-01"}, date(2026, 5, 1)),
        ({"max_date": "2025-05-01"}, date(2025, 5, 1)),
        ({"unavailable_dates": ["2026-03-04", "2026-03-05", "nonsense", 5]}, date(2026, 3, 6)),
        ({"max_date": "2026-03-04", "unavailable_dates": ["2026-03-04"]}, date(2026, 3, 3)),
        ({"min_date": "1772755200000"}, date(2026, 3, 6)),
        ({"min_date": "tomorrow", "max_date": 9, "unavailable_dates": "none"}, TODAY),
        ({"min_date": "9" * 19}, TODAY),
    ],
)
def test_a_date_picker_has_the_next_day_that_is_free(props: dict[str, Any], first: date) -> None:
    """From today on, or before today if there is none; as a date, and as milliseconds of the versions before 5.0."""
    found = guesses("DatePicker", **props)
    assert found[0] == first.isoformat()
    assert date(1970, 1, 1) + timedelta(milliseconds=int(found[1])) == first


def test_no_day_is_guessed_where_none_is_free() -> None:
    """A range that ends before it begins, or whose days are all taken."""
    assert guesses("DatePicker", min_date="2026-03-05", max_date="2026-03-05", unavailable_dates=["2026-03-05"]) == []
    assert guesses("DatePicker", min_date="2026-03-05", max_date="2026-03-01") == []
    assert guesses("CalendarPicker", mode="range", include_days=["Never"]) == []


def test_a_calendar_keeps_to_its_weekdays() -> None:
    """The first Monday after a Wednesday is five days later."""
    assert guesses("CalendarPicker", include_days=["Mon"])[:2] == ["2026-03-09", "2026-03-16"]


@pytest.mark.parametrize(
    ("props", "expected"),
    [
        ({}, ("2026-03-04", "2026-03-04")),
        ({"min_days": 3}, ("2026-03-04", "2026-03-06")),
        ({"min_days": 3}, ("2026-03-04", "2026-03-07")),
        ({"min_days": 2, "max_days": 9, "include_days": ["Mon", "Tue"]}, ("2026-03-09", "2026-03-10")),
        ({"max_date": "2026-03-01", "min_days": 2}, ("2026-02-27", "2026-03-01")),
    ],
)
def test_a_range_of_days_has_two_free_ends(props: dict[str, Any], expected: tuple[str, str]) -> None:
    """Of several lengths from min-days on, because the player knows how days are counted."""
    found: Iterable[Any] = guesses("CalendarPicker", mode="range", **props)
    assert expected in [(each["start-date"], each["end-date"]) for each in found]


def test_one_option_is_chosen_after_the_other() -> None:
    """Those that can be chosen, in order."""
    source = [*ids("a", "b"), {"id": "c", "enabled": False}, "no option", {"title": "no id"}]
    shown = node("Dropdown", data_source=source)
    assert options(shown) == ["a", "b"]
    assert list(ways_to_fill(shown, TODAY)) == [(Select(PATH, "a"),), (Select(PATH, "b"),)]
    assert options(node("Dropdown", data_source="nonsense")) == []


def test_a_group_gets_as_many_as_it_needs() -> None:
    """min-selected-items of the options, and one if it has no minimum."""
    group = node("CheckboxGroup", min_selected_items=2, data_source=ids("a", "b", "c"))
    assert next(ways_to_fill(group, TODAY)) == (Select(PATH, "a"), Select(PATH, "b"))
    chips = node("ChipsSelector", ("b",), data_source=ids("a", "b"))
    assert list(ways_to_fill(chips, TODAY)) == [(Select(PATH, "b", False), Select(PATH, "a")), ()]
    assert selecting(node("CheckboxGroup", "a"), ["a"]) == ()


@pytest.mark.parametrize(
    ("kind", "props", "names", "mime_type"),
    [
        ("PhotoPicker", {"min_uploaded_photos": 2}, ["example-1.jpg", "example-2.jpg"], "image/jpeg"),
        ("PhotoPicker", {}, ["example-1.jpg"], "image/jpeg"),
        ("DocumentPicker", {"allowed_mime_types": ["text/plain"]}, ["example-1.txt"], "text/plain"),
        ("DocumentPicker", {"min_uploaded_documents": 1}, ["example-1.pdf"], "application/pdf"),
        ("DocumentPicker", {"min_uploaded_documents": 999}, ["example-1.pdf"], "application/pdf"),
    ],
)
def test_a_picker_gets_small_files(kind: str, props: dict[str, Any], names: list[str], mime_type: str) -> None:
    """As many as it needs, of a type that it takes."""
    ((event,),) = ways_to_fill(node(kind, **props), TODAY)
    assert isinstance(event, Upload)
    assert [each.name for each in event.files][: len(names)] == names
    assert len(event.files) <= 30
    assert {(each.mime_type, each.size, each.state) for each in event.files} == {(mime_type, 1024, "done")}


def test_an_opt_in_is_agreed_to_and_a_text_takes_nothing() -> None:
    """What takes no value has no way to fill it."""
    assert list(ways_to_fill(node("OptIn"), TODAY)) == [(Select(PATH),)]
    assert list(ways_to_fill(node("TextBody"), TODAY)) == []
