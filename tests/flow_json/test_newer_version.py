"""A document of a version newer than the tables: what they lack is a warning and does not block an upload."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow_json.samples import TODAY, footer, form, navigate, screen
from whatsapp_flows.flow_json import validate
from whatsapp_flows.flow_json.schema import NEWEST

RATING: dict[str, Any] = {"type": "Rating", "name": "stars", "label": "How was it?", "visible": "${data.shown}"}
SHOWN: dict[str, Any] = {"shown": {"type": "boolean", "__example__": True}}
INPUT: dict[str, Any] = {"type": "TextInput", "name": "a", "label": "A"}
SENT = footer(payload={"a": "${form.a}"})


def flow(*children: Any, version: str = "8.0", root: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"version": version, **(root or {}), "screens": [screen("A", *children, **{"terminal": True, **more})]}


def box(**more: Any) -> dict[str, Any]:
    return {"type": "Box", **more}


# What 8.0 may have brought -> the codes of the warnings.
UNKNOWN: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a component": (
        flow(RATING, footer(payload={"stars": "${form.stars}"}), data=SHOWN),
        {"INVALID_PROPERTY_VALUE"},
    ),
    "a component in a Form": (
        flow(form(RATING, footer(payload={"stars": "${form.stars}"})), data=SHOWN),
        {"INVALID_PROPERTY_VALUE"},
    ),
    "a component in a branch": (
        flow({"type": "If", "condition": "${data.shown}", "then": [RATING]}, SENT, INPUT, data=SHOWN),
        {"ONE_OF_SCHEMA_VALIDATION_FAILED"},
    ),
    "a component that holds components": (
        flow(box(children=[INPUT, SENT])),
        {"INVALID_PROPERTY_VALUE"},
    ),
    "a component that holds components by name": (
        flow(box(tabs={"one": [INPUT], "two": [RATING]}), SENT, data=SHOWN),
        {"INVALID_PROPERTY_VALUE", "ONE_OF_SCHEMA_VALIDATION_FAILED"},
    ),
    "a component with a list of another kind": (
        flow(box(parts=[{"type": "left"}, {"type": "right"}]), INPUT, SENT),
        {"INVALID_PROPERTY_VALUE"},
    ),
    "a component with unknown inputs": (
        flow(box(cells=[[INPUT]]), footer(payload={"a": "${form.a}"}), sensitive=["a"]),
        {"INVALID_PROPERTY_VALUE", "INVALID_ON_CLICK_ACTION_PAYLOAD", "INVALID_SENSITIVE_FIELD"},
    ),
    "a component that holds the Footer": (
        flow(box(cells=[[SENT]]), INPUT),
        {"INVALID_PROPERTY_VALUE", "MISSING_FOOTER_ON_TERMINAL_SCREEN"},
    ),
    "a component with a list of texts": (
        flow(box(text="${data.texts}"), INPUT, SENT,
             data={"texts": {"type": "object", "properties": {}, "__example__": {}}}),
        {"INVALID_PROPERTY_VALUE"},
    ),
    "a place of a component": (
        flow({"type": "If", "condition": "${data.shown}",
              "then": [{"type": "ImageCarousel", "images": [{"src": "AAAA", "alt-text": "x"}]}]},
             INPUT, SENT, data=SHOWN),
        {"ONE_OF_SCHEMA_VALIDATION_FAILED"},
    ),
    "a property of the document": (flow(INPUT, SENT, root={"theme": "dark"}), {"INVALID_PROPERTY_KEY"}),
    "a property of a screen": (flow(INPUT, SENT, icon="star"), {"INVALID_PROPERTY_KEY"}),
    "a property of a component": (flow({**INPUT, "prefix": "+49"}, SENT), {"INVALID_PROPERTY_KEY"}),
    "a property of an item": (
        flow({"type": "Dropdown", "name": "a", "label": "A",
              "data-source": [{"id": "1", "title": "x", "icon": "star"}]}, SENT),
        {"INVALID_PROPERTY_KEY"},
    ),
    "a value of a list": (flow({**INPUT, "input-type": "otp"}, SENT), {"INVALID_ENUM_VALUE"}),
    "a value of a list beside a pattern": (
        flow({**INPUT, "input-type": "otp", "pattern": "^x$", "helper-text": "x"}, SENT),
        {"INVALID_ENUM_VALUE"},
    ),
    "an action": (flow(INPUT, footer("share", payload={"a": "${form.a}"})),
                  {"INVALID_ENUM_VALUE", "INVALID_PROPERTY_VALUE"}),
    "an action on selecting": (
        flow({"type": "OptIn", "name": "a", "label": "A", "on-select-action": {"name": "share", "payload": {}}}, SENT),
        {"INVALID_ENUM_VALUE"},
    ),
    "a layout": (
        {"version": "8.0", "screens": [{"id": "A", "title": "A", "terminal": True,
                                        "layout": {"type": "GridLayout", "columns": 2, "children": [INPUT, SENT]}}]},
        {"INVALID_PROPERTY_VALUE"},
    ),
    "a version of the data API": (
        flow(INPUT, SENT, root={"data_api_version": "5.0", "routing_model": {"A": []}}),
        {"INVALID_PROPERTY_VALUE"},
    ),
    "a form of binding": (flow({**INPUT, "required": "${device.is_tablet}"}, SENT), {"PATTERN_MISMATCH"}),
    "a form of binding for a listed value": (
        flow({"type": "TextBody", "text": "x", "font-weight": "${device.weight}"}, INPUT, SENT),
        {"PATTERN_MISMATCH"},
    ),
    "an operator": (flow({**INPUT, "label": "`${data.shown} ? 'a' : 'b'`"}, SENT, data=SHOWN),
                    {"INVALID_PROPERTY_VALUE"}),
    "a function in a condition": (
        flow({"type": "If", "condition": "length(${form.a}) > 3", "then": [{"type": "TextBody", "text": "x"}]},
             INPUT, SENT),
        {"INVALID_PROPERTY_VALUE"},
    ),
    "a type of data": (flow(INPUT, {"type": "TextBody", "text": "${data.d}"}, SENT,
                            data={"d": {"type": "date", "__example__": "2026-01-31"}}), {"INVALID_SCREEN_DATA"}),
}  # fmt: skip


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_the_tables_do_not_know_is_a_warning(what: str) -> None:
    """Each unknown part is a warning, which does not block the upload; known parts are checked."""
    value, expected = UNKNOWN[what]
    report = validate(value, today=TODAY, advice=False)
    assert report.errors == (), report.render()
    assert {issue.error for issue in report.warnings} == expected | {"UNKNOWN_NEWER_VERSION"}
    assert report.version == NEWEST


@pytest.mark.parametrize("what", UNKNOWN)
def test_in_the_newest_known_version_it_is_an_error(what: str) -> None:
    """The tables are complete for a known version."""
    for version in ("7.3", "7.4"):
        assert not validate({**UNKNOWN[what][0], "version": version}, today=TODAY).ok


def test_the_version_argument_may_be_newer_too() -> None:
    """`version` may be newer than the tables, too."""
    value = {**UNKNOWN["a property of a screen"][0], "version": "7.3"}
    assert validate(value, version="9.1", today=TODAY).ok
    assert not validate(value, today=TODAY).ok


# What the tables do know to be wrong, beside something new.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a required property": (flow({"type": "TextInput", "name": "a"}, SENT), "MISSING_REQUIRED_PROPERTY"),
    "a type": (flow({**INPUT, "label": 5}, SENT), "INVALID_PROPERTY_TYPE"),
    "a text that is no boolean": (flow({**INPUT, "required": "yes"}, SENT), "INVALID_PROPERTY_TYPE"),
    "a property that ended": (
        flow(INPUT, SENT, root={"data_channel_uri": "https://example.com"}), "INVALID_PROPERTY_KEY"),
    "a value that belongs to the Form": (
        flow(form({**INPUT, "init-value": "x"}, SENT)), "INVALID_PROPERTY_KEY"),
    "an id given twice": ({"version": "8.0", "screens": [
        screen("A", INPUT, footer()), screen("A", footer(), terminal=True)]}, "DUPLICATE_SCREEN_IDS"),
    "a screen that is not there": (
        flow(INPUT, navigate("B"), terminal=False), "INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME"),
    "a reference to nothing, where all is known": (
        flow(footer(payload={"a": "${form.b}"})), "INVALID_ON_CLICK_ACTION_PAYLOAD"),
    "two Footers": (flow(INPUT, SENT, footer()), "COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN"),
    "no type": (flow({"name": "a"}, footer()), "MISSING_REQUIRED_PROPERTY"),
    "a type that is no text": (flow({"type": 5}, footer()), "INVALID_PROPERTY_VALUE"),
    "an example": (flow(INPUT, SENT, data={"d": {"type": "string", "__example__": 5}}), "INVALID_PROPERTY_TYPE"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_the_tables_know_to_be_wrong_stays_an_error(what: str) -> None:
    """What no version allows is an error in a newer version too."""
    value, expected = WRONG[what]
    assert expected in {issue.error for issue in validate(value, today=TODAY).errors}


@pytest.mark.parametrize(("version", "warned"), [("7.4", True), ("5.2", True), ("7.3", False), ("6.0", False)])
def test_an_undocumented_version_is_a_warning(version: str, warned: bool) -> None:
    """Meta's client knows 7.4, Meta's pages do not. The warning is no advice: it comes without advice too."""
    report = validate(flow(INPUT, SENT, version=version), today=TODAY, advice=False)
    assert report.ok
    assert ([issue.error for issue in report.warnings] == ["UNDOCUMENTED_VERSION"]) is warned
