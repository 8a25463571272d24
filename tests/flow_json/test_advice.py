"""Advice: each rule with the passing and the failing example of its docstring, and the limits one by one."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from whatsapp_flows.flow_json import validate
from whatsapp_flows.flow_json._build import build
from whatsapp_flows.flow_json.rules import ADVICE, Rule
from whatsapp_flows.flow_json.schema import Severity, parse_version, structure_of

TODAY = date(2025, 10, 1)
NUMBER = {"type": "number", "__example__": 5}


def footer(**action: Any) -> dict[str, Any]:
    return {"type": "Footer", "label": "Send", "on-click-action": {"payload": {}, **action}}


def screen(name: str, *children: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "title": "T", "layout": {"type": "SingleColumnLayout", "children": list(children)}, **more}


def flow_of(example: dict[str, Any]) -> dict[str, Any]:
    """The document that an example abbreviates."""
    if "routes" in example:
        screens = [
            screen(name, *(footer(name="navigate", next={"type": "screen", "name": to}) for to in ways))
            for name, ways in example["routes"].items()
        ]
    else:
        children = json.loads(json.dumps(example.get("children", [])))
        for child in children if "src repeated" in example else ():
            child["src"] *= example["src repeated"]
        sent = footer(name=example.get("end", "complete"), payload=example.get("payload", {}))
        screens = [screen("A", *children, sent, terminal=True, data=example.get("data", {}))]
        if "hand on" in example:
            to = footer(name="navigate", next={"type": "screen", "name": "B"}, payload={"n": example["hand on"]})
            screens = [screen("A", *children, to), {**screens[0], "id": "B", "data": {"n": NUMBER}}]
            screens[1]["layout"] = {"type": "SingleColumnLayout", "children": [sent]}
    return {"version": example.get("version", "7.3"), "screens": screens}


def warnings_of(rule: Rule, example: dict[str, Any]) -> list[str]:
    value = flow_of(example)
    version = parse_version(value["version"])
    assert version is not None
    today = date.fromisoformat(example["today"]) if "today" in example else TODAY
    document, faults = build(value, structure_of(version), today=today, size=example.get("size", 0))
    assert not faults
    assert document is not None
    return [finding.code for finding in rule.check(document)]


def examples_of(rule: Rule) -> dict[str, str]:
    return dict(re.findall(r"^\s*(Passes|Fails): (.*)$", rule.check.__doc__ or "", re.MULTILINE))


@pytest.mark.parametrize("rule", ADVICE, ids=lambda rule: str(rule.id))
def test_the_examples_of_a_rule_hold(rule: Rule) -> None:
    """The passing example of the docstring has no finding, the failing one has."""
    examples = examples_of(rule)
    assert warnings_of(rule, json.loads(examples["Passes"])) == []
    assert warnings_of(rule, json.loads(examples["Fails"]))
    assert rule.severity is Severity.WARNING


def test_ids_are_unique_and_sorted() -> None:
    """An id stands for one rule."""
    ids = [rule.id for rule in ADVICE]
    assert ids == sorted(set(ids))


ITEM = {"id": "a", "title": "A"}
CHECKBOX = {"type": "CheckboxGroup", "name": "n", "label": "L"}
DROPDOWN = {"type": "Dropdown", "name": "n", "label": "L"}
INPUT = {"type": "TextInput", "name": "n"}
CALENDAR = {"type": "CalendarPicker", "name": "n"}
NAVIGATION = {"type": "NavigationList", "name": "n", "on-click-action": {"name": "data_exchange"}}
MAIN = {"title": "T"}
PICTURE = "A" * 140_000  # 105 kB


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ({**INPUT, "label": "x" * 20}, []),
        ({**INPUT, "label": "x" * 21}, ["TEXT_IS_CUT"]),
        ({**INPUT, "label": "x" * 150, "label-variant": "large"}, []),
        ({**INPUT, "label": "x" * 151, "label-variant": "large"}, ["TEXT_IS_CUT"]),
        ({**INPUT, "label": "${data.a}" + "x" * 50}, ["REFERENCE_SHOWN_AS_WRITTEN"]),
        ({**INPUT, "label": "`'" + "x" * 50 + "'`"}, []),
        ({"type": "TextBody", "text": ["x" * 4096, "y"]}, []),
        ({"type": "TextBody", "text": ["x" * 4097, "y"]}, ["TEXT_IS_CUT"]),
        ({**CALENDAR, "mode": "range", "label": {"start-date": "x" * 41, "end-date": "x"}}, ["TEXT_IS_CUT"]),
        ({**CHECKBOX, "data-source": [{**ITEM, "description": "x" * 301}]}, ["TEXT_IS_CUT"]),
        ({**CHECKBOX, "data-source": "${data.items}"}, []),
        ({**CHECKBOX, "data-source": [{**ITEM, "id": str(i)} for i in range(21)]}, ["LIST_SIZE"]),
        ({**DROPDOWN, "data-source": [{**ITEM, "id": str(i)} for i in range(200)]}, []),
        ({**DROPDOWN, "data-source": [{**ITEM, "id": str(i), "image": "x", "alt-text": "y"} for i in range(101)]},
         ["LIST_SIZE"]),
        ({**CHECKBOX, "data-source": [{**ITEM, "image": PICTURE, "alt-text": "x"}]}, ["IMAGE_TOO_LARGE"]),
        ({**CHECKBOX, "data-source": [{**ITEM, "image": "${data.image}"}]}, []),
        ({**CHECKBOX, "data-source": [{**ITEM, "image": "A"}]}, ["MISSING_ALT_TEXT"]),
        ({"type": "Image", "src": PICTURE, "alt-text": "x"}, []),
        ({**NAVIGATION, "list-items": [{"id": "a", "main-content": {"title": "x" * 31}}]}, ["TEXT_IS_CUT"]),
        ({**NAVIGATION, "list-items": [{"id": "a", "main-content": MAIN, "tags": ["x" * 15]}]}, []),
        ({**NAVIGATION, "list-items": [{"id": "a", "main-content": MAIN, "tags": ["x", "x" * 16]}]}, ["TEXT_IS_CUT"]),
        ({**NAVIGATION, "list-items": [{"id": "a", "main-content": MAIN, "start": {"image": "A"}}]},
         ["MISSING_ALT_TEXT"]),
    ],
)  # fmt: skip
def test_what_the_app_cuts_and_drops(child: dict[str, Any], expected: list[str]) -> None:
    """Each limit of a property is found, at the place of what exceeds it."""
    value = {"version": "7.3", "screens": [screen("A", child, footer(name="complete", payload={"n": "${form.n}"}))]}
    report = validate(value, today=TODAY, rules=())
    assert report.errors == ()
    warnings = [issue for issue in report.warnings if issue.error != "LARGE_DOCUMENT"]  # an image makes it large
    assert [issue.error for issue in warnings] == expected
    assert all(issue.pointers[0].path.startswith("screens[0].layout.children[0]") for issue in warnings)


def test_the_limit_of_an_image_depends_on_the_version() -> None:
    """An image of a list may have 300 KB until 5.x, 100 KB from 6.0."""
    value = {"children": [{**CHECKBOX, "data-source": [{**ITEM, "image": PICTURE, "alt-text": "x"}]}]}
    large = next(rule for rule in ADVICE if rule.id == "FJ906")
    assert warnings_of(large, {**value, "version": "5.1"}) == []
    assert warnings_of(large, {**value, "version": "6.0"}) == ["IMAGE_TOO_LARGE"]


UNREACHABLE = next(rule for rule in ADVICE if rule.id == "FJ908")


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ({"A": []}, 0),
        ({"A": ["B", "C"], "B": ["C"], "C": []}, 0),
        ({"A": [], "B": ["C"], "C": []}, 2),
        ({"A": [], "B": ["${data.next}"]}, 0),
        ({"A": ["A"], "B": []}, 1),
    ],
)
def test_unreachable_screens(routes: dict[str, list[str]], expected: int) -> None:
    """Routes begin at the first screen. Where a binding names the next screen, nothing is reported."""
    assert warnings_of(UNREACHABLE, {"routes": routes}) == ["UNREACHABLE_SCREEN"] * expected


@pytest.mark.parametrize(
    "more",
    [{"data_api_version": "3.0", "routing_model": {}},
     {"screens": [screen("A", {**NAVIGATION, "list-items": [{"id": "a", "main-content": MAIN}]}), screen("B")]},
     {"screens": [screen("A", footer(name="data_exchange")), screen("B")]}],
)  # fmt: skip
def test_an_endpoint_may_lead_anywhere(more: dict[str, Any]) -> None:
    """Where an endpoint chooses the next screen, no screen is reported as unreachable."""
    value = {**flow_of({"routes": {"A": [], "B": []}}), **more}
    report = validate(value, today=TODAY, rules=())
    assert "UNREACHABLE_SCREEN" not in [issue.error for issue in report.issues]


@pytest.mark.parametrize("reference", ["${form.a}", "`${form.a} == 'x'`", "${screen.A.form.a}"])
def test_an_answer_that_is_read_anywhere_is_sent(reference: str) -> None:
    """Any reference counts, also in an expression and from another screen."""
    lost = next(rule for rule in ADVICE if rule.id == "FJ910")
    field = {"type": "TextInput", "name": "a", "label": "A"}
    assert warnings_of(lost, {"children": [field], "payload": {"x": {"deep": [reference]}}}) == []
    assert warnings_of(lost, {"children": [field], "payload": {"x": "${form.ab}"}}) == ["ANSWER_NOT_SENT"]


def test_a_data_field_named_required_is_a_keyword() -> None:
    """A list named `required` is the keyword of JSON schema, not a field."""
    unused = next(rule for rule in ADVICE if rule.id == "FJ909")
    assert warnings_of(unused, {"data": {"required": []}}) == []


def test_advice_can_be_switched_off() -> None:
    """Without advice only what Meta documents is left."""
    value = flow_of({"children": [{"type": "Image", "src": "A"}]})
    assert validate(value, today=TODAY).warnings
    assert validate(value, today=TODAY, advice=False).issues == ()


def test_the_page_names_every_advice() -> None:
    """The documentation has each code of advice, because people select and ignore by code."""
    page = (Path(__file__).parents[2] / "docs" / "validate.md").read_text(encoding="utf-8")
    codes = {code for rule in ADVICE for code in warnings_of(rule, json.loads(examples_of(rule)["Fails"]))}
    assert len(codes) == len(ADVICE)
    json_anomalies = {"DUPLICATE_KEY", "LONE_SURROGATE", "TOO_MANY_FINDINGS", "UNDOCUMENTED_VERSION",
           "UNKNOWN_NEWER_VERSION", "UNSAFE_NUMBER"}  # fmt: skip
    assert {code for code in codes | json_anomalies if f"`{code}`" not in page} == set()
