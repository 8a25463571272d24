"""What the message in the chat shows of a completed Flow."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.play.views import TODAY
from whatsapp_flows.play._events import Broken, Complete, UploadedFile
from whatsapp_flows.play._flow import read_flow
from whatsapp_flows.play._session import Opening, ScreenState, Session
from whatsapp_flows.play._summary import summary

BULLETS: Final = "\u2022" * 12
OPTIONS: Final = [{"id": "a", "title": "Apple"}, {"id": "b", "title": "Bread"}]


def field(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "label": name.title(), **more}


def summarised(
    screens: dict[str, list[dict[str, Any]]],
    form: dict[str, Any],
    *,
    version: str = "7.3",
    end: Any = Complete(payload={}),  # noqa: B008 - frozen
    sensitive: Any = None,
    history: tuple[str, ...] | None = None,
) -> list[tuple[str, str]]:
    """The labels and values of the summary; each screen has the same form."""
    made = [
        {
            "id": name,
            "title": name,
            **({"sensitive": sensitive} if sensitive is not None else {}),
            "layout": {"type": "SingleColumnLayout", "children": children},
        }
        for name, children in screens.items()
    ]
    flow = read_flow({"version": version, "screens": made})
    states = {name: ScreenState(form=form) for name in screens}
    of = Session(
        flow=flow, opening=Opening(), flow_token="t", today=TODAY, end=end, screens=states,
        history=tuple(screens) if history is None else history,
    )  # fmt: skip
    return [(row.label, row.value) for row in summary(of)]


@pytest.mark.parametrize(
    ("component", "value", "expected"),
    [
        (field("TextInput", "x"), "Ada", "Ada"),
        (field("TextInput", "x", **{"input-type": "number"}), "5", "5"),
        (field("TextArea", "x"), "Two\nlines", "Two\nlines"),
        (field("Dropdown", "x", **{"data-source": OPTIONS}), "b", "Bread"),
        (field("RadioButtonsGroup", "x", **{"data-source": OPTIONS}), "a", "Apple"),
        (field("CheckboxGroup", "x", **{"data-source": OPTIONS}), ("b", "a"), "Bread, Apple"),
        (field("ChipsSelector", "x", **{"data-source": OPTIONS}), ("a", "gone"), "Apple, gone"),
        (field("OptIn", "x"), True, "Yes"),
        (field("OptIn", "x"), None, "No"),
        (field("DatePicker", "x"), "2026-01-31", "2026-01-31"),
        (field("CalendarPicker", "x"), "2026-01-31", "2026-01-31"),
        (field("CalendarPicker", "x", mode="range"), {"start-date": "2026-01-31", "end-date": "2026-02-01"},
         "2026-01-31 to 2026-02-01"),
    ],
)  # fmt: skip
def test_a_field_is_shown_with_its_value(component: dict[str, Any], value: Any, expected: str) -> None:
    """Titles stand for ids (summary.titles)."""
    assert summarised({"A": [component]}, {"x": value}) == [("X", expected)]


@pytest.mark.parametrize(
    ("component", "value"),
    [
        (field("TextInput", "x", **{"input-type": "password"}), "hunter2"),
        (field("TextInput", "x", **{"input-type": "passcode"}), "1234"),
        (field("PhotoPicker", "x"), (UploadedFile(name="a.png"),)),
        (field("DocumentPicker", "x"), (UploadedFile(name="a.pdf"),)),
        (field("NavigationList", "x", **{"list-items": []}), "a"),
        (field("TextInput", "x"), ""),
        (field("CheckboxGroup", "x", **{"data-source": OPTIONS}), ()),
        (field("CalendarPicker", "x", mode="range"), {}),
        (field("TextInput", "x", visible=False), "Ada"),
        ({"type": "TextBody", "text": "x", "name": "x"}, "Ada"),
    ],
)
def test_what_is_left_out(component: dict[str, Any], value: Any) -> None:
    """Passwords, files (summary.left-out), what is empty and what is not shown (summary.fields)."""
    assert summarised({"A": [component]}, {"x": value}) == []
    assert summarised({"A": [component]}, {"x": value}, sensitive=["x"]) == []


def test_sensitive_fields_are_masked() -> None:
    """By 12 bullets, whatever their length, but not an OptIn (summary.masked)."""
    choice = field("Dropdown", "kind", **{"data-source": OPTIONS})
    children = [field("TextInput", "card"), choice, field("OptIn", "yes"), field("TextInput", "name")]
    form = {"card": "4", "kind": "a", "yes": True, "name": "Ada"}
    masked = summarised({"A": children}, form, sensitive=["card", "kind", "yes", 5])
    assert masked == [("Card", BULLETS), ("Kind", BULLETS), ("Yes", "Yes"), ("Name", "Ada")]
    assert summarised({"A": children[:1]}, form, sensitive="card") == [("Card", "4")]


def test_the_screens_of_the_way_are_reported_in_order() -> None:
    """Once each, and no other."""
    screens = {name: [field("TextInput", name.lower())] for name in ("ONE", "TWO", "SKIPPED")}
    form = {"one": "1", "two": "2", "skipped": "3"}
    assert summarised(screens, form, history=("TWO", "ONE", "TWO", "UNKNOWN")) == [("Two", "2"), ("One", "1")]


def test_a_range_is_told_by_its_title() -> None:
    """Its label has two parts; without a title, the name stands for it."""
    labels = {"start-date": "From", "end-date": "To"}
    form = {"x": {"start-date": "2026-01-31"}}
    picker = {"type": "CalendarPicker", "name": "x", "mode": "range", "label": labels}
    assert summarised({"A": [{**picker, "title": "Stay"}]}, form) == [("Stay", "2026-01-31")]
    assert summarised({"A": [picker]}, form) == [("x", "2026-01-31")]


@pytest.mark.parametrize(
    ("version", "end", "count"),
    [
        ("5.1", Complete(payload={}), 1),
        ("5.0", Complete(payload={}), 0),
        ("7.3", Complete(payload={}, sent=False), 0),
        ("7.3", Broken(key="timeout_error", message="Gone."), 0),
        ("7.3", None, 0),
    ],
)
def test_a_summary_needs_a_message(version: str, end: Any, count: int) -> None:
    """From 5.1 on, and only once the answer is sent."""
    assert len(summarised({"A": [field("TextInput", "x")]}, {"x": "Ada"}, version=version, end=end)) == count


def test_a_row_shows_no_input_in_its_repr() -> None:
    """Only which field it is."""
    flow = read_flow({"version": "7.3", "screens": [{"id": "A", "layout": {"children": [field("TextInput", "x")]}}]})
    of = Session(flow=flow, opening=Opening(), flow_token="t", today=TODAY, history=("A",),
                 screens={"A": ScreenState(form={"x": "Ada"})}, end=Complete(payload={}))  # fmt: skip
    assert repr(summary(of)) == "(SummaryRow(screen='A', name='x', label='X'),)"
