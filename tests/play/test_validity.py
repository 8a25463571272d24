"""When the value of a field is valid: what each component checks, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from whatsapp_flows.flow_json import Version
from whatsapp_flows.play import BEHAVIOUR, UploadedFile
from whatsapp_flows.play._validity import (
    day_number,
    entered,
    invalid,
    length_of,
    limit_of,
    pattern_issue,
)

OPTIONS = [{"id": "1", "title": "One"}, {"id": "2", "title": "Two"}]
RANGE = {"mode": "range"}
DONE = UploadedFile(name="a.jpg", mime_type="image/jpeg", size=1024)


def file(**changes: Any) -> UploadedFile:
    return replace(UploadedFile(name="a.pdf", mime_type="application/pdf", size=1024), **changes)


def period(start: str = "", end: str = "") -> dict[str, str]:
    return {key: day for key, day in (("start-date", start), ("end-date", end)) if day}


TEXT_INPUT = [
    ({}, "", ""),
    ({}, None, ""),
    ({"required": True}, "", "required"),
    ({"required": True}, None, "required"),
    ({"required": True}, " \t", "required"),
    ({"required": True}, "\u00a0\u3000\ufeff", "required"),
    ({"required": True}, "\x1c", ""),
    ({"required": True}, "\u200b", ""),
    ({"required": True}, " a ", ""),
    ({"required": True, "min-chars": 3}, "", "required"),
    ({"min-chars": 3}, "", ""),
    ({"min-chars": 3}, "ab", "too-short"),
    ({"min-chars": "3"}, "ab", "too-short"),
    ({"min-chars": 3}, "abc", ""),
    ({"min-chars": "three"}, "a", ""),
    ({}, "a" * 80, ""),
    ({}, "a" * 81, "too-long"),
    ({}, "😀" * 41, "too-long"),
    ({"max-chars": 100}, "a" * 100, ""),
    ({"max-chars": "2"}, "abc", "too-long"),
    ({"input-type": "email"}, "", ""),
    ({"input-type": "email"}, "ada@example.com", ""),
    ({"input-type": "email"}, "ada@example", "not-an-email"),
    ({"input-type": "email"}, "ada@example.", "not-an-email"),
    ({"input-type": "email"}, "a da@example.com", "not-an-email"),
    ({"input-type": "email"}, "ada@@example.com", "not-an-email"),
    ({"input-type": "email", "min-chars": 5}, "ada", "too-short"),
    ({"input-type": "email", "max-chars": 2}, "ada", "too-long"),
    ({"input-type": "passcode"}, "0123", ""),
    ({"input-type": "passcode"}, "01a", "not-digits"),
    ({"input-type": "passcode"}, "٣", "not-digits"),
    ({"input-type": "phone"}, "+1 (415) 555-0100", ""),
    ({"input-type": "phone"}, "call me", "not-a-phone-number"),
    ({"input-type": "phone"}, "+", "not-a-phone-number"),
    ({"input-type": "number"}, "5", ""),
    ({"input-type": "number"}, 5, ""),
    ({"input-type": "number"}, "-1,234.5e3", ""),
    ({"input-type": "number"}, "+.5", ""),
    ({"input-type": "number"}, "1,23", "not-a-number"),
    ({"input-type": "number"}, "five", "not-a-number"),
    ({"input-type": "number"}, "1e", "not-a-number"),
    ({"input-type": "number"}, ".", "not-a-number"),
    ({"pattern": "[0-9]"}, "a1b", ""),
    ({"pattern": "^[0-9]+$"}, "a1b", "pattern"),
    ({"pattern": "^[0-9]+$"}, "", ""),
    ({"pattern": "^[0-9]+$", "input-type": "text"}, "a", "pattern"),
    ({"pattern": "^[0-9]+$", "input-type": "password"}, "a", "pattern"),
    ({"pattern": "^[0-9]{4}$", "input-type": "passcode"}, "123", "pattern"),
    ({"pattern": "^[0-9]{4}$", "input-type": "passcode"}, "123a", "not-digits"),
    ({"pattern": "^[0-9]{4}$", "input-type": "number"}, "123", "pattern"),
    ({"pattern": "^[0-9]+$", "input-type": "email"}, "a@b.c", ""),
    ({"pattern": "^[0-9]+$", "input-type": "phone"}, "+1", ""),
    ({"pattern": "(", "input-type": "text"}, "a", ""),
    ({"pattern": r"\p{L}"}, "1", ""),
    ({"pattern": 5}, "a", ""),
    ({"input-type": 5}, "a", ""),
]
SELECTIONS = [
    ("TextArea", {}, "", ""),
    ("TextArea", {"required": True}, "\n", "required"),
    ("TextArea", {}, "a" * 1000, ""),
    ("CheckboxGroup", {}, (), ""),
    ("CheckboxGroup", {"required": True}, (), "required"),
    ("CheckboxGroup", {"min-selected-items": 1}, (), "too-few"),
    ("CheckboxGroup", {"required": True, "min-selected-items": 2}, (), "required"),
    ("CheckboxGroup", {"min-selected-items": 2}, ("1",), "too-few"),
    ("CheckboxGroup", {"min-selected-items": 1, "max-selected-items": 2}, ("1", "2"), ""),
    ("CheckboxGroup", {"max-selected-items": 2}, ("1", "2", "3"), "too-many"),
    ("ChipsSelector", {"min-selected-items": 1}, (), "too-few"),
    ("ChipsSelector", {"max-selected-items": 1}, ("1", "2"), "too-many"),
    ("ChipsSelector", {"required": True}, ("1",), ""),
    ("RadioButtonsGroup", {"data-source": OPTIONS}, "", ""),
    ("RadioButtonsGroup", {"data-source": OPTIONS, "required": True}, "", "required"),
    ("RadioButtonsGroup", {"data-source": OPTIONS}, "3", ""),
    ("Dropdown", {"data-source": OPTIONS}, "", ""),
    ("Dropdown", {"data-source": OPTIONS}, "1", ""),
    ("Dropdown", {"data-source": OPTIONS}, "3", "not-offered"),
    ("Dropdown", {"data-source": OPTIONS, "required": True}, "", "required"),
    ("Dropdown", {}, "1", "not-offered"),
    ("OptIn", {}, None, ""),
    ("OptIn", {"required": True}, None, "required"),
    ("OptIn", {"required": True}, False, "required"),
    ("OptIn", {"required": True}, True, ""),
    ("NavigationList", {"required": True}, None, ""),
    ("TextBody", {}, None, ""),
]
DATES = [
    ("DatePicker", {}, "", ""),
    ("DatePicker", {"required": True}, "", "required"),
    ("DatePicker", {}, "2026-02-28", ""),
    ("DatePicker", {}, "2026-02-30", "not-a-date"),
    ("DatePicker", {}, "28.02.2026", "not-a-date"),
    ("DatePicker", {}, "1899-12-31", "too-early"),
    ("DatePicker", {}, "1900-01-01", ""),
    ("DatePicker", {}, "2101-01-01", "too-late"),
    ("DatePicker", {"min-date": "2026-01-10", "max-date": "2026-01-20"}, "2026-01-09", "too-early"),
    ("DatePicker", {"min-date": "2026-01-10", "max-date": "2026-01-20"}, "2026-01-10", ""),
    ("DatePicker", {"min-date": "2026-01-10", "max-date": "2026-01-20"}, "2026-01-21", "too-late"),
    ("DatePicker", {"min-date": "soon"}, "1800-01-01", ""),
    ("DatePicker", {"unavailable-dates": ["2026-01-12"]}, "2026-01-12", "unavailable"),
    ("DatePicker", {"unavailable-dates": ["2026-01-12"]}, "2026-01-13", ""),
    ("DatePicker", {}, "1693569600000", "not-a-date"),
    ("DatePicker", {"min-date": "1693569600000"}, "2023-01-01", ""),
    ("CalendarPicker", {}, "1693569600000", "not-a-date"),
    ("CalendarPicker", {}, "", ""),
    ("CalendarPicker", {"required": True}, "", "required"),
    ("CalendarPicker", {}, "2026-01-12", ""),
    ("CalendarPicker", {"include-days": ["Tue", "Wed"]}, "2026-01-12", "wrong-weekday"),
    ("CalendarPicker", {"include-days": ["Mon"]}, "2026-01-12", ""),
    ("CalendarPicker", {"unavailable-dates": ["2026-01-12"]}, "2026-01-12", "unavailable"),
    ("CalendarPicker", {"min-date": "2026-02-01"}, "2026-01-12", "too-early"),
    ("CalendarPicker", RANGE, None, ""),
    ("CalendarPicker", RANGE | {"required": {"start-date": True}}, {}, "required"),
    ("CalendarPicker", RANGE | {"required": {"start-date": True}}, period("2026-01-12"), ""),
    ("CalendarPicker", RANGE | {"required": {"start-date": True, "end-date": True}}, period("2026-01-12"), "required"),
    ("CalendarPicker", RANGE | {"required": True}, period(end="2026-01-12"), "required"),
    ("CalendarPicker", RANGE, period("2026-01-12", "2026-01-14"), ""),
    ("CalendarPicker", RANGE, period("2026-01-14", "2026-01-12"), "end-before-start"),
    ("CalendarPicker", RANGE, period("2026-01-12", "2026-01-12"), ""),
    ("CalendarPicker", RANGE, period("2026-01-12", "soon"), "not-a-date"),
    ("CalendarPicker", RANGE | {"max-date": "2026-01-13"}, period("2026-01-12", "2026-01-14"), "too-late"),
    ("CalendarPicker", RANGE | {"include-days": ["Mon"]}, period("2026-01-12", "2026-01-14"), "wrong-weekday"),
    ("CalendarPicker", RANGE | {"min-days": 3}, period("2026-01-12", "2026-01-13"), "too-few-days"),
    ("CalendarPicker", RANGE | {"min-days": 3}, period("2026-01-12", "2026-01-14"), ""),
    ("CalendarPicker", RANGE | {"max-days": 3}, period("2026-01-12", "2026-01-14"), ""),
    ("CalendarPicker", RANGE | {"max-days": 3}, period("2026-01-12", "2026-01-15"), "too-many-days"),
]
FILES = [
    ("PhotoPicker", {}, (), ""),
    ("PhotoPicker", {}, None, ""),
    ("PhotoPicker", {"min-uploaded-photos": 1}, (), "too-few"),
    ("PhotoPicker", {"min-uploaded-photos": 1}, (DONE,), ""),
    ("PhotoPicker", {"max-uploaded-photos": 1}, (DONE, DONE), "too-many"),
    ("PhotoPicker", {}, (DONE,) * 31, "too-many"),
    ("PhotoPicker", {}, (DONE, file(state="running")), "uploading"),
    ("PhotoPicker", {}, (file(state="failed"),), "upload-failed"),
    ("PhotoPicker", {"max-file-size-kb": 1}, (file(size=1024),), ""),
    ("PhotoPicker", {"max-file-size-kb": 1}, (file(size=1025),), "too-large"),
    ("PhotoPicker", {}, (file(size=25600 * 1024 + 1),), "too-large"),
    ("DocumentPicker", {"min-uploaded-documents": 2}, (file(),), "too-few"),
    ("DocumentPicker", {"max-uploaded-documents": 1}, (file(), file()), "too-many"),
    ("DocumentPicker", {"allowed-mime-types": ["image/jpeg"]}, (file(),), "wrong-type"),
    ("DocumentPicker", {"allowed-mime-types": ["application/pdf"]}, (file(),), ""),
    ("DocumentPicker", {"allowed-mime-types": ["image/jpeg"]}, (file(mime_type="application/octet-stream"),), ""),
]
ROWS = [*(("TextInput", *row) for row in TEXT_INPUT), *SELECTIONS, *DATES, *FILES]


@pytest.mark.parametrize(("kind", "props", "value", "reason"), ROWS)
def test_what_a_component_checks(kind: str, props: dict[str, Any], value: Any, reason: str) -> None:
    """The first check that fails is the reason, with a sentence and with the evidence for the check."""
    found = invalid(kind, props, value)
    assert (found.reason if found else "") == reason
    assert found is None or (
        found.text.endswith(".") and found.evidence in {row.evidence for row in BEHAVIOUR.values()}
    )


@pytest.mark.parametrize(
    ("props", "value", "reason"),
    [
        ({}, "", ""),
        ({"required": True}, "", "required"),
        ({"min-date": "1693569600000"}, "1693569600000", ""),
        ({"min-date": "1693569600000"}, "1693400000000", "too-early"),
        ({"unavailable-dates": ["1693569600000"]}, "1693573200000", "unavailable"),
        ({"max-date": "1693569600000"}, "2023-09-01", ""),
        ({"max-date": "1693569600000"}, "2023-09-02", "too-late"),
        ({}, "soon", "not-a-date"),
    ],
)
def test_a_date_picker_before_5_0(props: dict[str, Any], value: str, reason: str) -> None:
    """Its dates are milliseconds since 1970; a day is taken as well, as it is what a test would write."""
    found = invalid("DatePicker", props, value, Version(4, 0))
    assert (found.reason if found else "") == reason


@pytest.mark.parametrize(
    ("props", "value", "text"),
    [
        ({"min-chars": 2}, "a", "Enter at least 2 characters."),
        ({"max-chars": 1}, "ab", "Enter at most 1 character."),
    ],
)
def test_the_text_names_the_limit(props: dict[str, Any], value: str, text: str) -> None:
    """A reader knows what to change."""
    found = invalid("TextInput", props, value)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    ("kind", "props", "text", "taken"),
    [
        ("TextArea", {}, "a" * 700, "a" * 600),
        ("TextArea", {"max-length": 3}, "abcd", "abc"),
        ("TextArea", {"max-length": 3}, "ab😀", "ab"),
        ("TextArea", {"max-length": -1}, "abc", "abc"),
        ("TextInput", {"max-chars": 3}, "abcd", "abcd"),
        ("TextInput", {}, "ok 👍🏽", "ok 👍🏽"),
        ("TextInput", {"input-type": "password"}, "pass👍🏽word", "password"),
        ("TextInput", {"input-type": "passcode"}, "1❤\ufe0f2", "12"),
    ],
)
def test_what_a_field_takes_of_a_text(kind: str, props: dict[str, Any], text: str, taken: str) -> None:
    """A TextArea is cut at its limit, and passwords take no emoji."""
    assert entered(kind, props, text) == taken


def test_limits_of_characters() -> None:
    """Text fields have one, with its default; an emoji counts as two."""
    assert limit_of("TextInput", {}) == 80
    assert limit_of("TextInput", {"max-chars": "20"}) == 20
    assert limit_of("TextArea", {}) == 600
    assert limit_of("DatePicker", {}) is None
    assert length_of("a😀") == 3


def test_a_pattern_that_cannot_be_used_is_an_issue() -> None:
    """A broken one is passed by every value; one that is not checked says why."""
    broken, unchecked = pattern_issue({"pattern": "("}), pattern_issue({"pattern": r"(a)\1"})
    assert broken is not None
    assert broken.text == "The pattern is not valid, and every value passes: a group has no end."
    assert broken.evidence == BEHAVIOUR["text-input.broken-pattern"].evidence
    assert unchecked is not None
    assert unchecked.text == "The pattern is not checked: it refers to a group."
    assert pattern_issue({"pattern": "^a$"}) is None
    assert pattern_issue({}) is None
    assert pattern_issue({"pattern": "(", "input-type": "email"}) is None


@pytest.mark.parametrize(
    ("value", "same_as"),
    [("1693569600000", "2023-09-01"), (1693569600000, "2023-09-01"), ("0", "1970-01-01"), ("-1", "1969-12-31")],
)
def test_milliseconds_are_days_too(value: object, same_as: str) -> None:
    """Before 5.0 a date is a number of milliseconds since 1970, in UTC."""
    assert day_number(value) == day_number(same_as)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("2026-01-12"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "start-date"]), inner, max_size=2)
    ),
    max_leaves=6,
)
KEYS = ["required", "min-chars", "max-chars", "max-length", "pattern", "input-type", "min-selected-items", "mode",
        "max-selected-items", "data-source", "min-date", "max-date", "unavailable-dates", "include-days", "min-days",
        "max-days", "min-uploaded-photos", "max-file-size-kb", "allowed-mime-types"]  # fmt: skip


@settings(max_examples=some(80))
@given(
    st.sampled_from(sorted({row[0] for row in ROWS})),
    st.dictionaries(st.sampled_from(KEYS), JSON | st.sampled_from(["range", "number", "email"]), max_size=6),
    JSON | st.tuples(st.just(DONE)),
)
def test_nothing_makes_a_check_raise(kind: str, props: dict[str, Any], value: Any) -> None:
    """Properties and values of any type have an answer, the same each time."""
    assert invalid(kind, props, value) == invalid(kind, props, value)
