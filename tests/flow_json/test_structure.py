"""The structure of a Flow JSON, version by version: one fault, one record, with Meta's code at Meta's place."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.counting import steps
from tests.effort import some
from whatsapp_flows.errors import ValidationIssue
from whatsapp_flows.flow_json import validate
from whatsapp_flows.flow_json._build import build
from whatsapp_flows.flow_json.schema import (
    COMPONENTS,
    KNOWN_VERSIONS,
    NEWEST,
    RULE_OF,
    Version,
    properties_of,
    structure_of,
)
from whatsapp_flows.flow_json.schema._formats import regex_problem
from whatsapp_flows.flow_json.text import format_pointer

BEFORE = date(2024, 1, 1)
FLOWS = Path(__file__).resolve().parents[2] / "examples" / "flows"
CHILD = "screens[0].layout.children[0]"
COMPLETE = {"name": "complete", "payload": {}}
NAVIGATE = {"name": "navigate", "next": {"type": "screen", "name": "B"}, "payload": {}}
ITEMS = [{"id": "a", "title": "A"}]
CATALOG = "${external_data.meta_catalog"


def document(*children: Any, version: str = "7.3", **screen: Any) -> dict[str, Any]:
    layout = {"type": "SingleColumnLayout", "children": list(children)}
    return {"version": version, "screens": [{"id": "A", "title": "T", "layout": layout, **screen}]}


def found(value: Any) -> list[tuple[str, str]]:
    report = validate(value, today=BEFORE, advice=False, rules=())
    return [(issue.error, pointer.path) for issue in report.errors for pointer in issue.pointers]


def one(kind: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, **{name.replace("_", "-"): value for name, value in properties.items()}}


INPUT = one("TextInput", name="n", label="L")
FOOTER = one("Footer", label="L", on_click_action=COMPLETE)
GROUP = one("CheckboxGroup", name="n", label="L", data_source=ITEMS)
CALENDAR = one("CalendarPicker", name="n", label="L")
PHOTO = one("PhotoPicker", name="n", label="L")
NAVIGATION = one("NavigationList", name="n", list_items=[{"id": "a", "main-content": {"title": "T"}}])
LINK = one("EmbeddedLink", text="T", on_click_action=NAVIGATE)

# (the component, the version, the faults below it: code and path after the component)
ACCEPTED: list[tuple[dict[str, Any], str]] = [
    (one("TextHeading", text="T", visible="${data.x}"), "7.3"),
    (one("TextBody", text=["a", "b"], markdown=True), "5.1"),
    (one("TextBody", text=""), "5.0"),
    (one("TextBody", text="T", font_weight="`'bold'`", strikethrough="`${data.a} == 1`"), "6.0"),
    (one("TextBody", text="T", font_weight="${data.weight}"), "3.0"),
    (one("RichText", text=["# a"]), "5.1"),
    ({**INPUT, "min-chars": 1, "max-chars": 2.5, "label-variant": "large"}, "7.0"),
    ({**INPUT, "pattern": "^[0-9]+$", "input-type": "passcode", "helper-text": "H"}, "6.2"),
    ({**INPUT, "pattern": "^[0-9]+$"}, "6.2"),
    ({**INPUT, "init-value": "x", "required": "${screen.A.data.b}"}, "4.0"),
    (one("CheckboxGroup", name="n", data_source="${data.items}", min_selected_items="${data.n}"), "3.1"),
    ({**GROUP, "media-size": "large", "init-value": ["a"]}, "5.0"),
    ({**GROUP, "on-select-action": {"name": "update_data", "payload": {}}}, "6.0"),
    (one("Image", src="iVBORw0KGgo=", width=10, scale_type="cover"), "7.3"),
    (one("Image", src="${data.picture}"), "7.3"),
    (one("ImageCarousel", images=[{"src": "x", "alt-text": "y"}]), "7.1"),
    ({**CALENDAR, "label": {"start-date": "a", "end-date": "b"}, "required": {"start-date": True}}, "6.1"),
    ({**CALENDAR, "include-days": ["Mon"], "min-days": 3.0}, "6.1"),
    ({**PHOTO, "error-message": {"id": "Too dark."}, "max-uploaded-photos": 3}, "4.0"),
    (one("DocumentPicker", name="n", label="L", allowed_mime_types=["image/png"]), "4.0"),
    ({**NAVIGATION, "media-size": "${data.x}", "on-click-action": NAVIGATE}, "6.2"),
    (LINK, "7.3"),
    ({**LINK, "on-click-action": {"name": "open_url", "url": "https://a.example"}}, "6.0"),
    ({**LINK, "on-click-action": {"name": "open_url", "url": "${data.url}"}}, "6.0"),
    ({**LINK, "on-click-action": {"name": "open_url", "url": "tel:+1"}}, "6.0"),
    ({**FOOTER, "left-caption": "l", "right-caption": "r"}, "7.3"),
    (one("Form", name="f", children=[INPUT], init_values={"n": "x"}, error_messages="${data.e}"), "7.3"),
    (one("Form", name="f", children=[INPUT], error_messages={"n": "x"}), "4.0"),
    (one("If", condition=True, then=[FOOTER], **{"else": []}), "6.0"),
    (one("Switch", value="${data.x}", cases={"a-1": [FOOTER], "b": []}), "4.0"),
]


@pytest.mark.parametrize(("component", "version"), ACCEPTED)
def test_what_a_version_knows_is_accepted(component: dict[str, Any], version: str) -> None:
    """Each component with its properties, in the first version that has them."""
    screen = one("Form", name="f", children=[component]) if version in ("2.1", "3.0", "3.1") else component
    assert found(document(screen, version=version)) == []


FAULTS: list[tuple[Any, str, list[tuple[str, str]]]] = [
    # keys, required, types
    (one("TextHeading", text="T", colour="red"), "7.3", [("INVALID_PROPERTY_KEY", ".colour")]),
    ({**INPUT, "label-variant": "large"}, "6.3", [("INVALID_PROPERTY_KEY", ".label-variant")]),
    ({**GROUP, "description": "D"}, "4.0", []),
    (one("TextHeading"), "7.3", [("MISSING_REQUIRED_PROPERTY", "")]),
    (one("CheckboxGroup", name="n", data_source=ITEMS), "4.0", [("MISSING_REQUIRED_PROPERTY", "")]),
    (one("TextHeading", text=5), "7.3", [("INVALID_PROPERTY_TYPE", ".text")]),
    (one("TextHeading", text="T", visible=None), "7.3", [("INVALID_PROPERTY_TYPE", ".visible")]),
    (one("TextHeading", text="T", visible="yes"), "7.3",
     [("INVALID_PROPERTY_TYPE", ".visible"), ("PATTERN_MISMATCH", ".visible")]),
    (one("TextHeading", text="T", visible="`true`"), "5.1",
     [("INVALID_PROPERTY_TYPE", ".visible"), ("PATTERN_MISMATCH", ".visible")]),
    (one("TextBody", text="T", markdown="${data.x}"), "7.3", [("INVALID_PROPERTY_TYPE", ".markdown")]),
    # strings
    (one("TextHeading", text="  "), "5.1", [("PATTERN_MISMATCH", ".text")]),
    (one("TextHeading", text="\u00a0"), "7.3", [("PATTERN_MISMATCH", ".text")]),
    (one("TextBody", text=["a", ""]), "5.1", [("PATTERN_MISMATCH", ".text[1]")]),
    (one("TextBody", text=["a"]), "5.0", [("INVALID_PROPERTY_TYPE", ".text")]),
    ({**INPUT, "label": ""}, "5.1", [("MIN_CHARS_REQUIRED", ".label")]),
    ({**INPUT, "label": " "}, "6.0", [("PATTERN_MISMATCH", ".label")]),
    ({**INPUT, "label": " "}, "5.1", []),
    ({**INPUT, "helper-text": ""}, "6.0", [("PATTERN_MISMATCH", ".helper-text")]),
    ({**INPUT, "helper-text": ""}, "5.1", []),
    ({**INPUT, "name": ""}, "5.1", [("PATTERN_MISMATCH", ".name")]),
    ({**INPUT, "name": "${data.x}"}, "6.0", [("PATTERN_MISMATCH", ".name")]),
    ({**INPUT, "name": "`a`"}, "6.0", [("PATTERN_MISMATCH", ".name")]),
    ({**INPUT, "name": "$5"}, "6.0", []),
    ({**INPUT, "name": "${data.x}"}, "5.1", []),
    ({**INPUT, "pattern": "(a"}, "6.2", [("INVALID_PROPERTY_VALUE_FORMAT", ".pattern")]),
    ({**INPUT, "pattern": 1}, "6.2", [("INVALID_PROPERTY_TYPE", ".pattern")]),
    ({**INPUT, "pattern": "a", "input-type": "email"}, "6.2", [("INVALID_ENUM_VALUE", ".input-type")]),
    (one("Image", src="${data.a b}"), "7.3", [("PATTERN_MISMATCH", ".src")]),
    (one("Image", src=1), "7.3", [("INVALID_PROPERTY_TYPE", ".src")]),
    # enums and numbers
    ({**INPUT, "input-type": "digits"}, "7.3", [("INVALID_ENUM_VALUE", ".input-type")]),
    ({**INPUT, "input-type": 3}, "7.3", [("INVALID_PROPERTY_TYPE", ".input-type")]),
    (one("TextBody", text="T", font_weight="heavy"), "7.3",
     [("INVALID_ENUM_VALUE", ".font-weight"), ("PATTERN_MISMATCH", ".font-weight")]),
    (one("TextBody", text="T", font_weight=1), "7.3", [("INVALID_PROPERTY_TYPE", ".font-weight")]),
    ({**INPUT, "min-chars": "3"}, "7.3", [("INVALID_PROPERTY_TYPE", ".min-chars"), ("PATTERN_MISMATCH", ".min-chars")]),
    ({**INPUT, "min-chars": True}, "7.3", [("INVALID_PROPERTY_TYPE", ".min-chars")]),
    (one("TextArea", name="n", label="L", max_length=1.5), "7.3", [("INVALID_PROPERTY_TYPE", ".max-length")]),
    ({**GROUP, "max-selected-items": 1}, "7.3", [("MINIMUM_VALUE_REQUIRED", ".max-selected-items")]),
    ({**PHOTO, "max-uploaded-photos": 31}, "7.3", [("MAXIMUM_VALUE_REQUIRED", ".max-uploaded-photos")]),
    ({**PHOTO, "max-uploaded-photos": "${data.n}"}, "7.3", [("INVALID_PROPERTY_TYPE", ".max-uploaded-photos")]),
    # lists and items
    ({**GROUP, "data-source": []}, "7.3", [("MIN_ITEMS_REQUIRED", ".data-source")]),
    ({**GROUP, "data-source": "items"}, "7.3",
     [("INVALID_PROPERTY_TYPE", ".data-source"), ("PATTERN_MISMATCH", ".data-source")]),
    ({**GROUP, "data-source": {}}, "7.3", [("INVALID_PROPERTY_TYPE", ".data-source")]),
    ({**GROUP, "data-source": [*ITEMS, {"id": "b", "titel": "B"}]}, "7.3",
     [("MISSING_REQUIRED_PROPERTY", ".data-source[1]"), ("INVALID_PROPERTY_KEY", ".data-source[1].titel")]),
    ({**GROUP, "data-source": [3]}, "7.3", [("INVALID_PROPERTY_TYPE", ".data-source[0]")]),
    ({**GROUP, "data-source": [{**ITEMS[0], "color": "red"}]}, "7.3",
     [("PATTERN_MISMATCH", ".data-source[0].color")]),
    ({**GROUP, "data-source": [{**ITEMS[0], "color": "#A0b1C2"}]}, "5.0", []),
    ({**GROUP, "data-source": [{**ITEMS[0], "color": "#A0b1C2"}]}, "4.0",
     [("INVALID_PROPERTY_KEY", ".data-source[0].color")]),
    ({**GROUP, "data-source": [{**ITEMS[0], "enabled": "${data.a.b c}"}]}, "5.0", []),
    ({**GROUP, "data-source": [{**ITEMS[0], "enabled": "${data.a}"}]}, "4.0",
     [("INVALID_PROPERTY_TYPE", ".data-source[0].enabled")]),
    ({**GROUP, "init-value": [1]}, "7.3", [("INVALID_PROPERTY_TYPE", ".init-value[0]")]),
    ({**CALENDAR, "include-days": ["Mon", "Someday"]}, "6.1", [("INVALID_ENUM_VALUE", ".include-days[1]")]),
    ({**CALENDAR, "label": {"start-date": "", "end-date": 1}}, "6.1",
     [("PATTERN_MISMATCH", ".label.start-date"), ("INVALID_PROPERTY_TYPE", ".label.end-date")]),
    (one("DocumentPicker", name="n", label="L", allowed_mime_types="image/png"), "7.3",
     [("INVALID_PROPERTY_TYPE", ".allowed-mime-types")]),
    ({**PHOTO, "error-message": {}}, "7.3", [("INVALID_SCHEMA", ".error-message")]),
    ({**PHOTO, "error-message": {"a": ""}}, "7.3", [("PATTERN_MISMATCH", ".error-message.a")]),
    ({**NAVIGATION, "list-items": [{"id": "a", "main-content": {"title": "T"}, "tags": list("abcd")}]}, "6.2",
     [("MAX_ITEMS_REQUIRED", ".list-items[0].tags")]),
    ({**NAVIGATION, "list-items": [{"id": "a", "main-content": {}}]}, "6.2",
     [("MISSING_REQUIRED_PROPERTY", ".list-items[0].main-content")]),
    ({**NAVIGATION, "list-items": [{"id": "a", "main-content": "T"}]}, "6.2",
     [("INVALID_PROPERTY_TYPE", ".list-items[0].main-content")]),
    ({**NAVIGATION, "media-size": "small"}, "6.2", [("INVALID_ENUM_VALUE", ".media-size")]),
    # actions
    (one("Footer", label="L"), "7.3", [("MISSING_REQUIRED_PROPERTY", "")]),
    ({**FOOTER, "on-click-action": "complete"}, "7.3", [("INVALID_PROPERTY_TYPE", ".on-click-action")]),
    ({**FOOTER, "on-click-action": {}}, "7.3", [("MISSING_REQUIRED_PROPERTY", ".on-click-action")]),
    ({**FOOTER, "on-click-action": {"name": "open_url", "url": "https://a.example"}}, "7.3",
     [("INVALID_ENUM_VALUE", ".on-click-action.name")]),
    ({**FOOTER, "on-click-action": {"name": "fly", "next": 1}}, "7.3",
     [("INVALID_ENUM_VALUE", ".on-click-action.name"), ("INVALID_PROPERTY_TYPE", ".on-click-action.next")]),
    ({**FOOTER, "on-click-action": {"name": "navigate"}}, "7.3", [("MISSING_REQUIRED_PROPERTY", ".on-click-action")]),
    ({**FOOTER, "on-click-action": {**NAVIGATE, "next": {"name": "B"}}}, "7.3",
     [("MISSING_REQUIRED_PROPERTY", ".on-click-action.next")]),
    ({**FOOTER, "on-click-action": {**COMPLETE, "next": NAVIGATE["next"]}}, "7.3",
     [("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", ".on-click-action.next")]),
    ({**FOOTER, "on-click-action": {**COMPLETE, "url": "https://a.example"}}, "6.0",
     [("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", ".on-click-action.url")]),
    ({**FOOTER, "on-click-action": {**COMPLETE, "url": "https://a.example"}}, "5.1",
     [("INVALID_PROPERTY_KEY", ".on-click-action.url")]),
    ({**FOOTER, "on-click-action": {**COMPLETE, "payload": []}}, "7.3",
     [("INVALID_PROPERTY_TYPE", ".on-click-action.payload")]),
    ({**LINK, "on-click-action": {"name": "open_url", "payload": {}}}, "7.3",
     [("MISSING_REQUIRED_PROPERTY", ".on-click-action"),
      ("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", ".on-click-action.payload")]),
    ({**LINK, "on-click-action": {"name": "open_url", "url": "nowhere"}}, "7.3",
     [("INVALID_PROPERTY_VALUE_FORMAT", ".on-click-action.url")]),
    ({**LINK, "on-click-action": {"name": "open_url", "url": 5}}, "7.3",
     [("INVALID_PROPERTY_TYPE", ".on-click-action.url")]),
    ({**LINK, "on-click-action": {"name": "open_url", "url": "https://a.example"}}, "5.1",
     [("INVALID_PROPERTY_KEY", ".on-click-action.url"), ("INVALID_ENUM_VALUE", ".on-click-action.name")]),
    ({**GROUP, "on-select-action": {"name": "update_data", "payload": {}}}, "5.1",
     [("INVALID_ENUM_VALUE", ".on-select-action.name")]),
    ({**GROUP, "on-select-action": {"name": "data_exchange"}}, "7.3",
     [("MISSING_REQUIRED_PROPERTY", ".on-select-action")]),
    # relations
    ({**FOOTER, "left-caption": "l"}, "7.3", [("INVALID_DEPENDENCIES", "")]),
    ({**FOOTER, "right-caption": "l"}, "7.3", [("INVALID_DEPENDENCIES", "")]),
    ({**FOOTER, "left-caption": "l", "right-caption": "r", "center-caption": "c"}, "7.3",
     [("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", "")]),
    # where a component may stand
    (one("TextHeadin", text="T"), "7.3", [("INVALID_PROPERTY_VALUE", ".type")]),
    ({"type": ["TextHeading"]}, "7.3", [("INVALID_PROPERTY_VALUE", ".type")]),
    ({"type": None}, "7.3", [("INVALID_PROPERTY_VALUE", ".type")]),
    ({"text": "T"}, "7.3", [("MISSING_REQUIRED_PROPERTY", "")]),
    ("TextHeading", "7.3", [("INVALID_PROPERTY_TYPE", "")]),
    (one("ChipsSelector"), "6.2", [("ONE_OF_SCHEMA_VALIDATION_FAILED", ".type")]),
    (one("Form", name="f", children=[one("RichText", text="T")]), "7.3",
     [("ONE_OF_SCHEMA_VALIDATION_FAILED", ".children[0].type")]),
    (one("Form", name="f", children=[one("Nothing")]), "7.3", [("INVALID_PROPERTY_VALUE", ".children[0].type")]),
    (one("Form", name="f", children=[{**INPUT, "init-value": "x"}]), "7.3",
     [("INVALID_PROPERTY_KEY", ".children[0].init-value")]),
    (one("Form", name="f", children={}), "7.3", [("INVALID_PROPERTY_TYPE", ".children")]),
    (one("Form", name="f", children=[], error_messages={"a": 1}), "5.1",
     [("INVALID_PROPERTY_TYPE", ".error-messages.a")]),
    (one("Form", name="f", children=[], error_messages={"a": 1}), "6.0", []),
    (INPUT, "3.1", [("ONE_OF_SCHEMA_VALIDATION_FAILED", "")]),
    (one("If", condition="${data.a}", then=[one("Nothing")]), "7.3",
     [("ONE_OF_SCHEMA_VALIDATION_FAILED", ".then[0].type")]),
    (one("If", condition="${data.a}", then=[one("ChipsSelector")]), "7.0",
     [("ONE_OF_SCHEMA_VALIDATION_FAILED", ".then[0].type")]),
    (one("If", condition=True, then=[]), "5.1", [("INVALID_PROPERTY_TYPE", ".condition")]),
    (one("Switch", value="x", cases={"1": 7}), "7.3",
     [("PATTERN_MISMATCH", ".value"), ("PATTERN_MISMATCH", ".cases[1]"), ("INVALID_PROPERTY_TYPE", ".cases[1]")]),
    (one("Switch", value=7, cases=[]), "7.3",
     [("INVALID_PROPERTY_TYPE", ".value"), ("INVALID_PROPERTY_TYPE", ".cases")]),
    (one("Switch", value="${data.a}", cases={"a": [one("If", condition="x", then=[])]}), "7.3",
     [("ONE_OF_SCHEMA_VALIDATION_FAILED", ".cases.a[0].type")]),
]  # fmt: skip


@pytest.mark.parametrize(("component", "version", "faults"), FAULTS)
def test_faults_of_components(component: Any, version: str, faults: list[tuple[str, str]]) -> None:
    """The code and the place of each fault below a component that stands alone in a layout."""
    assert sorted(found(document(component, version=version))) == sorted((code, CHILD + path) for code, path in faults)


DOCUMENTS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (document(), []),
    ({**document(), "extra": 1}, [("INVALID_PROPERTY_KEY", "extra")]),
    ({**document(version="3.0"), "data_channel_uri": "https://a.example"},
     [("INVALID_PROPERTY_KEY", "data_channel_uri")]),
    ({**document(version="2.1"), "data_channel_uri": "https://a.example"}, []),
    ({**document(version="2.1"), "data_channel_uri": "a"}, [("INVALID_PROPERTY_VALUE_FORMAT", "data_channel_uri")]),
    ({"version": "7.3"}, [("MISSING_REQUIRED_PROPERTY", "")]),
    ({"version": "7.3", "screens": []}, [("MIN_ITEMS_REQUIRED", "screens")]),
    ({"version": "7.3", "screens": {}}, [("INVALID_PROPERTY_TYPE", "screens")]),
    ({"version": "7.3", "screens": [1]}, [("INVALID_PROPERTY_TYPE", "screens[0]")]),
    ({**document(), "data_api_version": "4.0"}, []),
    ({**document(version="7.2"), "data_api_version": "4.0"}, [("INVALID_PROPERTY_VALUE", "data_api_version")]),
    ({**document(), "data_api_version": 3}, [("INVALID_PROPERTY_VALUE", "data_api_version")]),
    ({**document(), "routing_model": {"A": ["B"]}}, []),
    ({**document(), "routing_model": []}, [("INVALID_PROPERTY_TYPE", "routing_model")]),
    ({**document(), "routing_model": {"A1": [1], "B": {}}},
     [("PATTERN_MISMATCH", "routing_model.A1"), ("INVALID_PROPERTY_TYPE", "routing_model.A1[0]"),
      ("INVALID_PROPERTY_TYPE", "routing_model.B")]),
    ({**document(), "meta": {"lead_gen_ai": True}}, []),
    ({**document(), "meta": {"other": True}}, [("INVALID_PROPERTY_KEY", "meta.other")]),
    (document(id=""), [("MIN_CHARS_REQUIRED", "screens[0].id")]),
    (document(id="A 1"), [("PATTERN_MISMATCH", "screens[0].id")]),
    (document(id=1), [("INVALID_PROPERTY_TYPE", "screens[0].id")]),
    (document(title=" "), [("PATTERN_MISMATCH", "screens[0].title")]),
    (document(success=True), [("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", "screens[0].success")]),
    (document(success=True, terminal=True), []),
    (document(success=True, terminal=True, version="3.0"), [("INVALID_PROPERTY_KEY", "screens[0].success")]),
    (document(sensitive=[]), [("MIN_ITEMS_REQUIRED", "screens[0].sensitive")]),
    (document(data=[]), [("INVALID_PROPERTY_TYPE", "screens[0].data")]),
    (document(data={"a": {"type": "string", "__example__": "x"}, "required": ["a"]}), []),
    (document(data={"a": {"type": "string"}, "b": 1, "required": 1}),
     [("MISSING_REQUIRED_PROPERTY", "screens[0].data.a"), ("INVALID_PROPERTY_TYPE", "screens[0].data.b"),
      ("INVALID_PROPERTY_TYPE", "screens[0].data.required")]),
    (document(layout={"type": "SingleColumnLayot", "children": []}),
     [("INVALID_PROPERTY_VALUE", "screens[0].layout.type")]),
    (document(layout={"type": 7, "children": []}), [("INVALID_PROPERTY_VALUE", "screens[0].layout.type")]),
    (document(layout={"children": [1]}),
     [("MISSING_REQUIRED_PROPERTY", "screens[0].layout"), ("INVALID_PROPERTY_TYPE", "screens[0].layout.children[0]")]),
    (document(layout={"type": "SingleColumnLayout", "children": 1}),
     [("INVALID_PROPERTY_TYPE", "screens[0].layout.children")]),
    (document(layout=1), [("INVALID_PROPERTY_TYPE", "screens[0].layout")]),
    (document(layout={"type": "CartLayout", "items": f"{CATALOG}.products}}"}, version="5.2"), []),
    (document(layout={"type": "CartLayout", "items": f"{CATALOG}.products}}", "cart": "${data.cart}",
     "on-cta-click-action": COMPLETE, "coupons": [{"id": "1"}], "cta-label": "Pay"}, version="5.2"), []),
    (document(layout={"type": "CartLayout", "coupons": [{"name": "1"}]}, version="5.2"),
     [("MISSING_REQUIRED_PROPERTY", "screens[0].layout"),
      ("INVALID_PROPERTY_KEY", "screens[0].layout.coupons[0].name")]),
    (document(layout={"type": "ItemListLayout", "items": f"{CATALOG}.product_list}}", "show-media": False},
     version="5.2"), []),
    (document(layout={"type": "ItemListLayout", "items": "${data.items}", "children": []}, version="5.2"),
     [("INVALID_PROPERTY_VALUE", "screens[0].layout.items"), ("INVALID_PROPERTY_KEY", "screens[0].layout.children")]),
    (document(layout={"type": "ItemDetailLayout", "item": 5}, version="5.2"),
     [("INVALID_PROPERTY_VALUE", "screens[0].layout.item")]),
    (document(layout={"type": "CategoryListLayout", "categories": "${data.all}"}, version="5.2"), []),
    (document(layout={"type": "CategoryListLayout", "categories": "all"}, version="5.2"),
     [("INVALID_PROPERTY_VALUE", "screens[0].layout.categories")]),
    (document(external_data={"meta_catalog": {"products": {"payload": {"product_ids": ["1"]}}, "categories": {}}},
     version="5.2"), []),
    (document(external_data={"meta_catalog": {"categories": {"payload": {}},
     "product_list": {"payload": {"category": 5}}}, "other": {}}, version="5.2"),
     [("INVALID_PROPERTY_KEY", "screens[0].external_data.meta_catalog.categories.payload"),
      ("INVALID_PROPERTY_TYPE", "screens[0].external_data.meta_catalog.product_list.payload.category"),
      ("INVALID_PROPERTY_KEY", "screens[0].external_data.other")]),
    (document(layout={"type": "CartLayout"}, version="6.0"), [("INVALID_PROPERTY_VALUE", "screens[0].layout.type")]),
    ({"version": "6.0", "screens": [{"id": "A", "title": "T"}]}, [("MISSING_REQUIRED_PROPERTY", "screens[0]")]),
    ({"version": "5.1", "screens": [{"id": "A", "title": "T"}]}, []),
]  # fmt: skip


@pytest.mark.parametrize(("value", "faults"), DOCUMENTS)
def test_faults_of_the_document(value: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    """The code and the place of each fault of root, screens, data and layout."""
    assert sorted(found(value)) == sorted(faults)


@pytest.mark.parametrize(
    ("component", "version", "hint"),
    [
        (one("TextHeadin", text="T"), "7.3", "Did you mean 'TextHeading'?"),
        (one("textheading", text="T"), "7.3", "Did you mean 'TextHeading'?"),
        ({**INPUT, "label_variant": "large"}, "7.3", "Did you mean 'label-variant'?"),
        ({**INPUT, "x" * 80: 1}, "7.3", "xxx...'."),
        ({**INPUT, "input-type": "emial"}, "7.3", "Did you mean 'email'?"),
        ({**INPUT, "label-variant": "large"}, "6.3", "It comes with version 7.0; this document is 6.3."),
        (one("Form", name="f", children=[{**INPUT, "init-value": "x"}]), "7.3", "it belongs to the Form"),
        (one("ChipsSelector"), "6.2", "from version 6.3; this document is 6.2."),
        (INPUT, "3.1", "must be inside a Form"),
        (one("RichText", text="T"), "5.0", "from version 5.1"),
        (one("DocumentPicker", name="n", label="L", allowed_mime_types=["a"]), "7.3", "and 20 more"),
    ],
)
def test_a_message_says_what_was_probably_meant(component: Any, version: str, hint: str) -> None:
    """A near name is offered, and a version in which it would be right is named."""
    (issue,) = validate(document(component, version=version), today=BEFORE).errors
    assert hint in issue.message


def test_a_property_that_ended_says_so() -> None:
    """A property of older versions is not reported as a misspelling."""
    value = document(external_data={}, version="6.0")
    assert found(value) == [("INVALID_PROPERTY_KEY", "screens[0].external_data")]
    assert "It ended with version 5.2" in validate(value, today=BEFORE).errors[0].message
    ended = {**document(version="3.0"), "data_channel_uri": "x"}
    (issue,) = validate(ended, today=BEFORE).errors
    assert "endpoint_uri" in issue.message


def test_what_metas_client_lets_through_is_a_warning() -> None:
    """From 6.0 on Meta's client accepts a wrong media-size of a group: a warning, after which rules still run."""
    value = document({**GROUP, "media-size": "small"})
    report = validate(value, today=BEFORE, rules=())
    assert [(i.error, i.severity, i.error_type) for i in report.issues if i.rule == RULE_OF["INVALID_ENUM_VALUE"]] == [
        ("INVALID_ENUM_VALUE", "warning", None)
    ]
    assert found({**value, "version": "5.1"}) == [("INVALID_ENUM_VALUE", CHILD + ".media-size")]


def test_equal_faults_are_one_issue_with_several_pointers() -> None:
    """Equal code and message are merged, as Meta merges them; the head is the place of the first."""
    report = validate(document(one("TextHeading"), one("TextHeading")), today=BEFORE)
    (issue,) = report.errors
    assert [pointer.path for pointer in issue.pointers] == [CHILD, "screens[0].layout.children[1]"]
    assert issue.column_start == issue.pointers[0].column_start


@pytest.mark.parametrize(
    ("pattern", "right"),
    [
        ("^a+(b|c)*$", True), (r"\d{2}[^\]]", True), ("(?:a)", True), ("(?<n>a)", True), ("a??", True),
        ("[*+?(]", True),
        ("", True), ("]}", True), ("(a", False), ("a)", False), ("*a", False), ("(+a)", False), ("a|*", False),
        ("[a", False), ("a\\", False), ("[(]", True), ("a**", True),
    ],
)  # fmt: skip
def test_patterns_that_no_dialect_takes(pattern: str, right: bool) -> None:
    """Only what no dialect of regular expressions accepts is refused."""
    assert (regex_problem(pattern) is None) is right


def test_the_document_is_flattened_in_the_order_of_the_text() -> None:
    """Components come in the order of the text, each with the containers around it."""
    inner = one("If", condition="x", **{"else": [one("TextBody", text="e")]}, then=[one("TextBody", text="t")])
    value = document(one("Form", name="f", children=[inner, INPUT]), FOOTER)
    made, _ = build(value, structure_of(NEWEST))
    assert made is not None
    assert [(c.type, c.inside) for c in made.screens[0].components] == [
        ("Form", ()),
        ("If", ("Form",)),
        ("TextBody", ("Form", "If")),
        ("TextBody", ("Form", "If")),
        ("TextInput", ("Form",)),
        ("Footer", ()),
    ]
    assert [c.value["text"] for _, c in made.components() if c.type == "TextBody"] == ["e", "t"]
    assert made.screens[0].components[2].pointer[-4:] == ("children", 0, "else", 0)


@pytest.mark.parametrize("version", list(KNOWN_VERSIONS))
def test_every_kind_of_the_tables_is_known_in_every_version(version: Version) -> None:
    """The tables of each version can be compiled, and every row refers to what exists."""
    structure = structure_of(version)
    assert structure.places["layout"]
    assert structure_of(version) is structure


@pytest.mark.parametrize("shape", COMPONENTS, ids=lambda shape: str(shape.name))
def test_a_newer_version_takes_nothing_away_from_a_component(shape: Any) -> None:
    """From version to version a component only gains properties."""
    for older, newer in zip(list(KNOWN_VERSIONS), list(KNOWN_VERSIONS)[1:], strict=False):
        assert properties_of(shape, older).keys() <= properties_of(shape, newer).keys()


# -- properties

VALID = {path.stem: json.loads(path.read_bytes()) for path in FLOWS.glob("*.json")}
Steps = tuple[Any, ...]


def nodes(value: Any, at: Steps = ()) -> Iterator[Steps]:
    yield at
    held = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in held:
        yield from nodes(inner, (*at, step))


PLACES = [(name, at) for name, value in sorted(VALID.items()) for at in nodes(value) if at]


def reach(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def mutated(name: str, at: Steps) -> tuple[dict[str, Any], Any]:
    value = copy.deepcopy(VALID[name])
    return value, reach(value, at[:-1])


def path_is_near(issue: ValidationIssue, at: Steps) -> bool:
    """Whether one of its places is the node, something in it, or the object it stands in."""
    node, parent = format_pointer(at), format_pointer(at[:-1])
    return any(pointer.path == parent or pointer.path.startswith(node) for pointer in issue.pointers)


@settings(max_examples=some(120), deadline=None)
@given(
    place=st.sampled_from(PLACES), how=st.sampled_from(["drop", "rename", "retype", "double", "move"]), data=st.data()
)
def test_a_mutated_document_never_crashes(place: tuple[str, Steps], how: str, data: st.DataObject) -> None:
    """Any change of a valid document gives a report whose places are in the text."""
    name, at = place
    value, parent = mutated(name, at)
    if how == "drop":
        del parent[at[-1]]
    elif how == "rename" and isinstance(parent, dict):
        parent["x" + str(at[-1])] = parent.pop(at[-1])
    elif how == "retype":
        parent[at[-1]] = data.draw(st.sampled_from([None, True, 0, 1.5, "", "${data.x}", [], {}, [{}], {"type": "If"}]))
    elif how == "double" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[at[-1]]))
    else:
        _, other = data.draw(st.sampled_from([p for p in PLACES if p[0] == name]))
        parent[at[-1]] = copy.deepcopy(reach(VALID[name], other))
    text = json.dumps(value, indent=2)
    report = validate(text, today=date(2026, 1, 1))
    assert all(issue.line_start and issue.column_start for issue in report.issues)
    assert bool(report.render()) is bool(report.issues)


FREE_KEYS = {"payload", "data", "cases"}  # below these, names are the author's own
KEYS = [(name, at) for name, at in PLACES if isinstance(at[-1], str) and not FREE_KEYS.intersection(at[:-1])]
NEEDED = {"id", "title", "type", "layout", "children", "on-click-action", "name", "text"}
REQUIRED = [(name, at) for name, at in PLACES if at[-1] in NEEDED
            and at[-2:-1] != ("data",) and "payload" not in at]  # fmt: skip


@settings(max_examples=some(60), deadline=None)
@given(place=st.sampled_from(REQUIRED))
def test_a_removed_requirement_is_always_found_near_its_place(place: tuple[str, Steps]) -> None:
    """A required property that is missing is an error at the object that lacks it."""
    name, at = place
    value, parent = mutated(name, at)
    del parent[at[-1]]
    report = validate(value, today=date(2026, 1, 1))
    assert any(path_is_near(issue, at) for issue in report.errors)


@settings(max_examples=some(60), deadline=None)
@given(place=st.sampled_from(KEYS))
def test_a_misspelt_property_is_found_at_its_key(place: tuple[str, Steps]) -> None:
    """A renamed property is an unknown key, at that key."""
    name, at = place
    value, parent = mutated(name, at)
    parent[f"{at[-1]}x"] = parent.pop(at[-1])
    report = validate(value, today=date(2026, 1, 1))
    assert report.errors
    assert any(path_is_near(issue, at) for issue in report.errors)


def test_the_work_grows_with_the_document_and_no_faster() -> None:
    """Ten times the components take about ten times as many steps."""

    def steps_for(count: int) -> int:
        value = document(*[copy.deepcopy(GROUP) for _ in range(count)])
        return steps(lambda: build(value, structure_of(NEWEST)))

    steps_for(1)  # what is made once is made
    assert steps_for(300) < 12 * steps_for(30)
