"""Components, Forms, lists and dates: what each rule finds, and where."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow_json.rules_support import check

VALUE = "INVALID_PROPERTY_VALUE"
PLACE = "INVALID_COMPONENT_PLACEMENT"
FOOTER = {"type": "Footer"}
RICH = {"type": "RichText"}
Found = list[tuple[str, str]]


def one(kind: str, **properties: Any) -> dict[str, Any]:
    """A component; underscores stand for hyphens."""
    return {"type": kind, **{key.replace("_", "-"): value for key, value in properties.items()}}


MIXED = "DATA_SOURCE_ITEMS_HAVE_BOTH_IMAGE_AND_COLOR"


@pytest.mark.parametrize(
    ("rule_id", "version", "children", "expected"),
    [
        ("FJ601", "2.1", [one("CheckboxGroup", min_selected_items=3, max_selected_items=2)],
         [("MIN_VALUE_GREATER_THAN_MAX", "0/0.min-selected-items")]),
        ("FJ601", "4.0", [one("PhotoPicker", min_uploaded_photos=3, max_uploaded_photos=2)],
         [("MIN_VALUE_GREATER_THAN_MAX", "0/0.min-uploaded-photos")]),
        ("FJ601", "4.0", [one("DocumentPicker", min_uploaded_documents=3, max_uploaded_documents=2)],
         [("MIN_VALUE_GREATER_THAN_MAX", "0/0.min-uploaded-documents")]),
        ("FJ601", "7.3", [one("TextInput", min_chars=2, max_chars=2),
         one("TextInput", min_chars="${data.x}", max_chars=2),
                          one("ChipsSelector", min_selected_items=3, max_selected_items=2)], []),
        ("FJ602", "5.0", [one("RadioButtonsGroup", data_source=[{"image": "x"}, {"color": "#00FF00"}, {"image": "y"}])],
         [(MIXED, "0/0.data-source.1.color"), (MIXED, "0/0.data-source.0.image"), (MIXED, "0/0.data-source.2.image")]),
        ("FJ602", "7.3", [one("Dropdown", data_source=[{"image": "x"}]), one("Dropdown", data_source="${data.x}")], []),
        ("FJ603", "6.2", [one("TextInput", pattern="a+")], [("MISSING_REQUIRED_PROPERTY", "0/0")]),
        ("FJ607", "5.1", [RICH, RICH, FOOTER], [("INVALID_RICHTEXT_PLACEMENT", "0/0.type")]),
        ("FJ607", "5.1", [RICH, RICH], []),
        ("FJ607", "6.0", [RICH, RICH], [(PLACE, "0/0.type"), (PLACE, "0/1.type")]),
        ("FJ607", "6.2", [RICH, FOOTER], [(PLACE, "0/0.type")]),
        ("FJ607", "6.3", [RICH, FOOTER], []),
        ("FJ607", "6.3", [RICH, RICH, FOOTER], [(PLACE, "0/0.type"), (PLACE, "0/1.type")]),
        ("FJ607", "7.3", [RICH, FOOTER, one("Image")], [(PLACE, "0/0.type")]),
    ],
)  # fmt: skip
def test_components(rule_id: str, version: str, children: list[dict[str, Any]], expected: Found) -> None:
    """Properties that depend on each other, and components that stand together."""
    assert check(rule_id, {"children": children}, version) == expected


MISSING = "MISSING_FOOTER_ON_TERMINAL_SCREEN"


@pytest.mark.parametrize(
    ("rule_id", "version", "fragment", "expected"),
    [
        ("FJ608", "7.3", {"screens": [{"terminal": True}, {"terminal": False}, {"terminal": True}]},
         [(MISSING, "screens.0"), (MISSING, "screens.2")]),
        ("FJ608", "7.2", {"screens": [{"terminal": True}]}, [(MISSING + "?", "screens.0")]),
        ("FJ608", "5.0", {"screens": [{"terminal": True}]}, [(MISSING, "screens.0")]),
        ("FJ608", "7.3", {"terminal": True, "children": [one("If", then=[FOOTER])]}, []),
        ("FJ609", "7.3", {"terminal": True, "children": [FOOTER, one("Footer", on_click_action={"name": "navigate"})]},
         []),
        ("FJ609", "7.3", {"terminal": True, "children": [one("Footer", on_click_action={"name": "navigate"})]},
         [(VALUE, "0/0.on-click-action.name")]),
        ("FJ609", "7.3", {"children": [one("Footer", on_click_action={"name": "navigate"})]}, []),
        ("FJ609", "7.2", {"terminal": True, "children": [one("Footer", on_click_action={"name": "navigate"})]}, []),
    ],
)  # fmt: skip
def test_terminal_screens(rule_id: str, version: str, fragment: dict[str, Any], expected: Found) -> None:
    """A terminal screen ends with its Footer."""
    assert check(rule_id, fragment, version) == expected


S, N, B, ANY = {"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "object"}
INPUTS = [
    one("TextInput", name="t"), one("TextInput", name="n", input_type="number"), one("OptIn", name="b"),
    one("CheckboxGroup", name="l"), one("CalendarPicker", name="r", mode="range"), one("CalendarPicker", name="c"),
    one("CalendarPicker", name="m", mode="${data.s}"), one("PhotoPicker", name="p"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"t": "x", "n": 5, "b": True, "l": ["a"], "r": {}, "c": "x", "m": "x", "p": []}, 0),
        ({"t": 5, "n": "5", "b": "true", "l": "a", "r": "x", "c": {}, "m": 5, "p": 5}, 6),
        ({"q": "x"}, 1),
        ({"t": "${data.s}", "n": "${data.n}", "b": "${data.b}"}, 0),
        ({"t": "${data.n}", "n": "${data.s}", "b": "${data.q}"}, 3),
        ({"t": "`'a' 'b'`", "n": "`1 + 2`", "b": "`5 % 2`", "l": "`1 +`"}, 1),
        ({"t": "`1`", "b": "${data.s} and more"}, 1),
        ("${data.o}", 1),
        ("${data.e}", 0),
        ("${data.q}", 0),
        ("text", 0),
        ([], 0),
        (None, 0),
    ],
)
def test_initial_values(values: Any, wrong: int) -> None:
    """Each value is of the type of its input, and each key has one."""
    shape = {"type": "object", "properties": {"t": N, "b": B, "q": S, "n": 5}}
    data = {"s": S, "n": N, "b": B, "o": shape, "e": ANY}
    form = {"type": "Form", "name": "f", "children": INPUTS, **({} if values is None else {"init-values": values})}
    assert check("FJ622", {"data": data, "children": [form]}, "7.0") == [(VALUE, "0/0.init-values")] * wrong
    assert check("FJ622", {"data": data, "children": [form]}, "6.3") == []


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"t": "x", "r": {}, "c": "x", "m": {}, "p": {}, "q": 5}, 0),
        ({"t": 5, "r": "x", "c": {}, "m": 5, "p": 5}, 5),
        ({"t": "${data.b}", "c": "${data.s}"}, 1),
        ("${data.o}", 1),
    ],
)
def test_error_messages(values: Any, wrong: int) -> None:
    """Messages are texts, or objects where the input takes a range or media."""
    data = {"s": S, "b": B, "o": {"type": "object", "properties": {"t": B, "c": S}}}
    form = {"type": "Form", "name": "f", "children": INPUTS, "error-messages": values}
    assert check("FJ623", {"data": data, "children": [form]}) == [(VALUE, "0/0.error-messages")] * wrong


OUTSIDE = "COMPONENTS_OUTSIDE_FORM"


@pytest.mark.parametrize(
    ("rule_id", "fragment", "expected"),
    [
        ("FJ620", {"screens": [{"children": [one("Form")]}, {"children": [one("TextInput", name="a")]}]}, []),
        ("FJ620", {"children": [one("Form"), one("CalendarPicker"), one("ChipsSelector"), FOOTER]}, []),
        ("FJ620", {"children": [one("OptIn"), one("Form", children=[one("OptIn")]), one("If", then=[one("TextArea")])]},
         [(OUTSIDE, "0/0"), (OUTSIDE, "0/2.then.0")]),
        ("FJ621", {"children": [one("PhotoPicker", name="p"), one("Form", init_values="${data.x}")]}, []),
        ("FJ621", {"screens": [{"children": [one("Form")]}, {"children": [one("PhotoPicker", name="p")]}]}, []),
        ("FJ621", {"children": [one("Form", init_values={"p": 1}, children=[one("DocumentPicker", name="p")])]},
         [("NATIVE_COMPONENT_IN_FORM_INIT_VALUES", "~0/0.init-values.p")]),
        ("FJ623", {"children": [one("Form", children=INPUTS)]}, []),
    ],
)  # fmt: skip
def test_forms(rule_id: str, fragment: dict[str, Any], expected: Found) -> None:
    """Inputs are inside the Form, and the values that it passes to them are valid."""
    assert check(rule_id, fragment) == expected


def navigation(*items: Any, **more: Any) -> dict[str, Any]:
    return one("NavigationList", list_items=list(items), **more)


BOTH = "DUPLICATE_PROPETY_FOR_CONDITION"


@pytest.mark.parametrize(
    ("rule_id", "children", "expected"),
    [
        ("FJ640", [navigation(), navigation()], []),
        ("FJ640", [one("Form", children=[navigation()])], []),
        ("FJ640", [navigation()] * 3, [(PLACE, f"0/{i}.type") for i in range(3)]),
        ("FJ640", [navigation(), one("TextBody")], [(PLACE, "0/0.type")]),
        ("FJ642", [navigation({}, {"end": {}}, media_size="regular")], []),
        ("FJ642", [navigation({}, {"end": {}}, media_size="large")], [("INVALID_PROPERTY_VALUE_FOR_CONDITION", "0/0")]),
        ("FJ643", [navigation({}, {"end": {"title": "a", "metadata": "b"}}, {"end": 5})], []),
        ("FJ643", [navigation({"end": {"title": "a", "metadata": "b", "description": "c"}}, {"end": {}})],
         [(BOTH, "0/0.list-items.0.end"), (BOTH, "0/0.list-items.1.end")]),
        ("FJ644", [navigation({}, {"on-click-action": {}})], []),
        ("FJ644", [navigation({}, {"on-click-action": {}}, on_click_action={})],
         [(BOTH, "0/0.on-click-action"), (BOTH, "0/0.list-items.1.on-click-action")]),
        ("FJ645", [navigation({"on-click-action": {}}), navigation({}, on_click_action={})], []),
        ("FJ645", [one("NavigationList", list_items="${data.x}")], []),
        ("FJ645", [navigation({"on-click-action": {}}, {})], [("MISSING_REQUIRED_PROPERTY", "0/0")]),
        ("FJ646", [navigation({"badge": "a"}, {})], []),
        ("FJ646", [navigation({"badge": "a"}, {"badge": "b"})], [("MAX_ITEMS_REQUIRED", "0/0")]),
    ],
)  # fmt: skip
def test_navigation_lists(rule_id: str, children: list[dict[str, Any]], expected: Found) -> None:
    """Items and actions of a list, and what else may be on its screen."""
    assert check(rule_id, {"children": children}) == expected


def test_no_list_on_a_terminal_screen() -> None:
    """A screen with a NavigationList is not terminal."""
    fragment = {"screens": [{"terminal": True, "children": [navigation()]}, {"children": [navigation()]}]}
    assert check("FJ641", fragment) == [("INVALID_PROPERTY_KEY", "screens.0")]


RANGE = "INVALID_DATE_RANGE"


@pytest.mark.parametrize(
    ("rule_id", "version", "properties", "expected"),
    [
        ("FJ701", "5.0", {"min_date": "2026-01-01", "max_date": "${data.x}", "unavailable_dates": "${data.l}"}, []),
        ("FJ701", "5.0", {"min_date": "1693569600000", "init_value": "", "unavailable_dates": ["2026-1-1", 5]},
         [(RANGE, "min-date"), (RANGE, "init-value"), (RANGE, "unavailable-dates.0")]),
        ("FJ701", "7.3", {"min_date": "2026-02-30"}, [(RANGE + "?", "min-date")]),
        ("FJ701", "4.0", {"min_date": "1693569600000", "max_date": "-5"}, []),
        ("FJ701", "4.0", {"min_date": "2026-01-01"}, [(RANGE + "?", "min-date")]),
        ("FJ702", "5.0", {"min_date": "2026-01-01", "max_date": "2026-01-01"}, []),
        ("FJ702", "5.0", {"min_date": "2026-01-02", "max_date": "2026-01-01"},
         [(RANGE, "min-date"), (RANGE, "max-date")]),
        ("FJ702", "5.0", {"min_date": "2026", "max_date": "2025"}, []),
        ("FJ702", "4.0", {"min_date": "10", "max_date": "9"}, [(RANGE + "?", "min-date"), (RANGE + "?", "max-date")]),
        ("FJ702", "4.0", {"min_date": "-10", "max_date": "-9"}, []),
        ("FJ702", "4.0", {"min_date": "-9", "max_date": "-10"}, [(RANGE + "?", "min-date"), (RANGE + "?", "max-date")]),
        ("FJ702", "4.0", {"min_date": "-15", "max_date": "-12"}, []),
        ("FJ702", "4.0", {"min_date": "x", "max_date": "9"}, []),
        ("FJ703", "5.0", {"min_date": "2026-01-02", "max_date": "2026-01-04", "init_value": "2026-01-05",
                          "unavailable_dates": ["2026-01-01", "2026-01-03", "x"]},
         [(RANGE, "unavailable-dates.0"), (RANGE, "init-value")]),
        ("FJ703", "5.0", {"init_value": "2026-01-05"}, []),
    ],
)  # fmt: skip
def test_date_pickers(rule_id: str, version: str, properties: dict[str, Any], expected: Found) -> None:
    """Dates are dates, in their order and range; older versions count milliseconds."""
    found = check(rule_id, {"children": [one("DatePicker", name="a", **properties)]}, version)
    assert found == [(code, f"0/0.{place}") for code, place in expected]


MODE, HALF, MORE = (
    "INVALID_TYPE",
    "MISSING_CALENDAR_PICKER_RANGE_MODE_PROP",
    "UNEXPECTED_CALENDAR_PICKER_RANGE_MODE_PROP",
)
FORMAT = "INVALID_DATE_SINGLE_INIT_VALUE_FORMAT"
BOTH_DATES = {"start-date": "2026-01-05", "end-date": "2026-01-06"}


@pytest.mark.parametrize(
    ("rule_id", "properties", "expected"),
    [
        ("FJ710", {"mode": "range", "title": "x"}, []),
        ("FJ710", {"mode": "${data.m}", "title": "x"}, []),
        ("FJ710", {"mode": 5, "title": "x"}, []),
        ("FJ710", {"mode": "single", "title": "x", "max_days": 5},
         [("INVALID_PROPERTY_NAME_FOR_CONDITION", "max-days"), ("INVALID_PROPERTY_NAME_FOR_CONDITION", "title")]),
        ("FJ711", {"mode": "range", "min_days": 5, "max_days": "${data.x}"}, []),
        ("FJ711", {"min_days": 5, "max_days": 2}, []),
        ("FJ711", {"mode": "range", "min_days": 5, "max_days": 2},
         [("INVALID_MIN_MAX_DAYS", "min-days"), ("INVALID_MIN_MAX_DAYS", "max-days")]),
        ("FJ712", {"label": "x", "required": True}, []),
        ("FJ712", {"label": {}, "init_value": {}}, [(MODE, "init-value"), (MODE, "label")]),
        ("FJ712", {"mode": "range", "label": "${data.l}", "required": {}}, []),
        ("FJ712", {"mode": "range", "label": "x", "required": True}, [(MODE, "label"), (MODE, "required")]),
        ("FJ712", {"mode": "${data.m}", "label": "x", "required": {}}, []),
        ("FJ713", {"mode": "range", "label": {"start-date": "x"}, "required": {"start-date": True}}, [(HALF, "label")]),
        ("FJ713", {"mode": "range", "label": BOTH_DATES, "helper_text": {"end-date": "x"}}, [(HALF, "helper-text")]),
        ("FJ713", {"label": {}}, []),
        ("FJ714", {"mode": "range", "label": {**BOTH_DATES, "x": 1, "y": 2}},
         [(MORE, "label"), (MORE, "label.x"), (MORE, "label.y")]),
        ("FJ714", {"mode": "range", "label": {"start-date": "a", "x": 1}}, [(MORE, "label.x")]),
        ("FJ714", {"label": {"x": 1}}, []),
        ("FJ715", {"init_value": "x"}, [(FORMAT, "init-value")]),
        ("FJ715", {"init_value": "2026-13-01"}, [(FORMAT + "?", "init-value")]),
        ("FJ715", {"mode": "range", "init_value": {"start-date": "x", "end-date": "${data.e}"}},
         [(FORMAT, "init-value.start-date")]),
        ("FJ715", {"init_value": "${data.e}", "label": "x"}, []),
        ("FJ716", {"min_date": "x", "max_date": "${data.x}", "unavailable_dates": ["2026-01-01", "y"]},
         [(RANGE, "min-date"), (RANGE, "unavailable-dates.1")]),
        ("FJ717", {"min_date": "2026-01-02", "max_date": "2026-01-01"}, [(RANGE, "min-date"), (RANGE, "max-date")]),
        ("FJ717", {"max_date": "2026-01-05", "init_value": BOTH_DATES}, [(RANGE, "init-value.end-date")]),
        ("FJ717", {"init_value": {"start-date": "2026-01-05", "end-date": "2026-01-04"}},
         [(RANGE, "init-value.start-date"), (RANGE, "init-value.end-date")]),
        ("FJ717", {"min_date": "2026-01-02", "unavailable_dates": ["2026-01-01"]}, [(RANGE, "unavailable-dates.0")]),
    ],
)  # fmt: skip
def test_calendar_pickers(rule_id: str, properties: dict[str, Any], expected: Found) -> None:
    """A range and a single date are described differently; the dates obey the same rules."""
    found = check(rule_id, {"children": [one("CalendarPicker", name="a", **properties)]}, "6.1")
    assert found == [(code, f"0/0.{place}") for code, place in expected]


@pytest.mark.parametrize(
    ("rule_id", "form", "expected"),
    [
        ("FJ712", {"init-values": {"a": "x"}, "error-messages": {"a": "x"}},
         [(MODE, "0/0.init-values.a"), (MODE, "0/0.error-messages.a")]),
        ("FJ712", {"init-values": "${data.x}", "error-messages": {"b": 5}}, []),
        ("FJ713", {"init-values": {"a": {}}}, [(HALF, "0/0.init-values.a")]),
        ("FJ715", {"init-values": {"a": {"start-date": "x"}}}, [(FORMAT, "0/0.init-values.a.start-date")]),
        ("FJ717", {"init-values": {"a": {"start-date": "2025-12-31"}}}, [(RANGE, "0/0.init-values.a.start-date")]),
    ],
)  # fmt: skip
def test_calendars_in_a_form(rule_id: str, form: dict[str, Any], expected: Found) -> None:
    """The values that a Form passes to a CalendarPicker obey the rules of the picker."""
    picker = one("CalendarPicker", name="a", mode="range", min_date="2026-01-01")
    assert check(rule_id, {"children": [{"type": "Form", "children": [picker], **form}]}) == expected
