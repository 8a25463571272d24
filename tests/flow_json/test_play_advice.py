"""Advice about how a flow runs: documents that have a finding, and neighbours without."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from tests.flow_json.samples import footer, navigate, screen
from whatsapp_flows.flow_json import validate
from whatsapp_flows.flow_json.rules import ADVICE
from whatsapp_flows.flow_json.rules._language_advice import LANGUAGE_ADVICE
from whatsapp_flows.flow_json.rules._play_advice import PLAY_ADVICE

TODAY = date(2026, 1, 1)
DATA = {
    "b": {"type": "boolean", "__example__": True},
    "f": {"type": "number", "__example__": 5.5},
    "n": {"type": "number", "__example__": 5},
    "s": {"type": "string", "__example__": "x"},
}


def advice_codes(*children: Any, version: str = "7.3", end: Any = None, **more: Any) -> list[str]:
    """The codes of the advice about playing that a document of one screen has."""
    value = {"version": version, "screens": [screen("A", *children, end or footer(), terminal=True, data=DATA, **more)]}
    return codes(value)


def codes(value: dict[str, Any]) -> list[str]:
    ids = {rule.id for rule in (*LANGUAGE_ADVICE, *PLAY_ADVICE)}
    report = validate(value, today=TODAY)
    assert report.version is not None
    return [issue.error for issue in report.issues if issue.rule in ids]


def condition(text: Any) -> dict[str, Any]:
    return {"type": "If", "condition": text, "then": [{"type": "TextBody", "text": "x"}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${data.s} == 'x'", []),
        ("(${data.s} == 'x')", []),
        ("(${data.s} == 'x') && (${data.n} > 5)", []),
        ("${data.b} && !(${data.n} > 5)", []),
        ("((${data.s} == 'x') || ${data.b}) && ${data.b}", []),
        ("${data.s} == 'a && b == c'", []),
        ("${data.s} == 'x' && ${data.b}", ["CONDITION_NEEDS_PARENTHESES"]),
        ("${data.b} || ${data.n} > 5", ["CONDITION_NEEDS_PARENTHESES"]),
        ("${data.b} && (${data.b} || ${data.n} != 5)", ["CONDITION_NEEDS_PARENTHESES"]),
        ("(${data.s} == 'x') && ${data.b} && ${data.n} < 7", ["CONDITION_NEEDS_PARENTHESES"]),
        ("!(${data.b} == true || ${data.b})", ["CONDITION_NEEDS_PARENTHESES"]),
        ("`${data.n} > 5`", ["CONDITION_IN_BACKTICKS"]),
        ("`(${data.n} > 5) && (${data.n} < 7)`", ["CONDITION_IN_BACKTICKS"]),
        (True, []),
        ("${data.f} > 5", ["DECIMAL_IN_CONDITION"]),
        ("(5 < ${data.f})", ["DECIMAL_IN_CONDITION"]),
        ("${data.n} == 5.5", ["DECIMAL_IN_CONDITION"]),
        ("${data.n} > 5", []),
        ("${data.s} == '5.5'", []),
    ],
)
def test_conditions(text: Any, expected: list[str]) -> None:
    """Comparisons without parentheses, backticks and decimals, which were observed to be evaluated wrongly."""
    assert advice_codes(condition(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`'a' ${data.s}`", []),
        ("`${data.s} ('y')`", ["REFERENCE_READ_AS_CALL"]),
        ("`${data.s}('y')`", ["REFERENCE_READ_AS_CALL"]),
        ("`'a' ${data.s} (${data.s})`", ["REFERENCE_READ_AS_CALL"]),
        ("`('x' ${data.s} ('y'))`", ["REFERENCE_READ_AS_CALL"]),
        ("`(${data.s}) ('y')`", []),
        ("`${data.s} '' ('y')`", []),
        ("`'${data.s} (y)'`", ["BRACE_VANISHES"]),
        ("`'a}b'`", ["BRACE_VANISHES"]),
        ("`'a' ('}') '}'`", ["BRACE_VANISHES"]),
        ("`'a{b' ${data.s}`", []),
        ("Dear ${data.s}", ["REFERENCE_SHOWN_AS_WRITTEN"]),
        ("${data.s}!", ["REFERENCE_SHOWN_AS_WRITTEN"]),
        (["Dear ${data.s}", "x"], ["REFERENCE_SHOWN_AS_WRITTEN"]),
        (["x", "y"], []),
        ("${data.s}", []),
        ("`'Dear ' ${data.s}`", []),
        ("${name}", []),
        ("5 ${", []),
    ],
)
def test_texts(text: Any, expected: list[str]) -> None:
    """Expressions that are evaluated wrongly, and references outside of expressions."""
    assert advice_codes({"type": "TextBody", "text": text}) == expected


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ('a quote " and ${data.s}', True), ('a quote "` and ${data.s}', True), ("${data.s}${data.s}", True),
        ("${data.s} ${data.s}", True), ("${data.s} ", True), ("`'a' ${data.s} ${data.s}`", False),
        ("`'a\\\" b' ${data.s}`", False), ("${data.s}", False),
    ],
)  # fmt: skip
def test_a_reference_is_found_beside_conditions_and_expressions(text: str, reported: bool, indent: int | None) -> None:
    """References in conditions and expressions hide no other one, in any layout of the text."""
    beside = [condition("(${data.s} == 'x') && ${data.b}"), {"type": "TextBody", "text": "`'a' ${data.s} ${data.n}`"}]
    children = (*beside, {"type": "TextBody", "text": text}, *beside, footer())
    value = {"version": "7.3", "screens": [screen("A", *children, terminal=True, data=DATA)]}
    report = validate(json.dumps(value, indent=indent), today=TODAY)
    assert [issue.error for issue in report.issues if issue.rule == "FJ919"] == [
        "REFERENCE_SHOWN_AS_WRITTEN"
    ] * reported


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ({"type": "OptIn", "name": "o", "label": "Yes to ${data.s}"}, ["REFERENCE_SHOWN_AS_WRITTEN"]),
        ({"type": "Dropdown", "name": "o", "label": "A", "data-source": [{"id": "1", "title": "a ${data.s}"}]},
         ["REFERENCE_SHOWN_AS_WRITTEN"]),
        ({"type": "Dropdown", "name": "o", "label": "A", "data-source": [{"id": "a ${data.s}", "title": "a"}]}, []),
        ({"type": "If", "condition": "'a' == ${data.s}", "then": [{"type": "TextBody", "text": "a ${data.s}"}]},
         ["REFERENCE_SHOWN_AS_WRITTEN"]),
        ({"type": "OptIn", "name": "o", "label": "A", "init-value": "`${data.s} < 'x'`"}, ["TEXTS_ARE_ORDERED"]),
        ({"type": "OptIn", "name": "o", "label": "A", "init-value": "`${data.n} < 5`"}, []),
        ({"type": "OptIn", "name": "o", "label": "A", "init-value": "`${data.s} == 'x'`"}, []),
    ],
)  # fmt: skip
def test_other_places(child: dict[str, Any], expected: list[str]) -> None:
    """Labels, items and branches too, but not what is sent and never shown."""
    assert advice_codes(child) == expected


def test_a_title_is_a_text() -> None:
    """A screen's title is shown as well."""
    value = {"version": "7.3", "screens": [screen("A", footer(), terminal=True) | {"title": "Hi ${data.s}"}]}
    assert codes(value) == ["REFERENCE_SHOWN_AS_WRITTEN"]


@pytest.mark.parametrize("kind", ["CheckboxGroup", "ChipsSelector"])
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"min-selected-items": 1}, True),
        ({"min-selected-items": 2, "required": False}, True),
        ({"min-selected-items": 0}, False),
        ({"min-selected-items": 1, "required": True}, False),
        ({"min-selected-items": 1, "required": "${data.b}"}, False),
        ({"min-selected-items": "${data.n}"}, False),
        ({}, False),
    ],
)
def test_an_optional_group_with_a_minimum(kind: str, more: dict[str, Any], expected: bool) -> None:
    """Only where it is known to be optional, and to have a minimum."""
    items = [{"id": str(i), "title": str(i)} for i in range(3)]
    found = advice_codes({"type": kind, "name": "g", "label": "G", "data-source": items, **more})
    assert found == ["OPTIONAL_GROUP_BLOCKS"] * expected


@pytest.mark.parametrize(
    ("pattern", "anchored"),
    [
        ("^[0-9]+$", True), ("^a$|^b$", True), ("^(a|b)$", True), ("(^a$)", True), ("^(?:a)$", True),
        ("^[|]$", True), (r"^\|$", True), ("[0-9]+", False), ("^a", False), ("a$", False), ("^a|b$", False),
        (r"^a\$", False), (r"^a\\$", True), ("^$", True), ("|", False),
        ("^(?:^a|b$)", False), ("(^a$|b)", False), ("(^a$|^b$)", True), ("(^a|^b)c$", True), ("(?:^|x)a$", False),
        ("^(a|(b|c$))$", True), ("^(a$|(b$|c))", False), ("^(a$|(b$|c$))", True), ("^[0-9]+$|", False),
        ("(^a$)?", False), ("(^a$)*", False), ("(^a$){0,3}", False), ("(^a$)+", True), ("(^a$){1,3}", True),
        ("^(?=.*[0-9])[a-z0-9]+$", True), ("^(?![0]+$)[0-9]+", False), ("^(?=[0-9]{4}$)", True), ("(?!^a)b$", False),
        ("^(?<year>[0-9]{4})$", True), ("[^a$]", False), (r"^[\]$]$", True), (r"^[\]$]", False), (r"\^a$", False),
        ("(" * 900 + "^a$" + ")" * 900, True), ("(" * 900 + "a" + ")" * 900, False),
    ],
)  # fmt: skip
def test_a_pattern_has_anchors(pattern: str, anchored: bool) -> None:
    """Each of its alternatives says where it begins and where it ends."""
    found = advice_codes({"type": "TextInput", "name": "p", "label": "P", "pattern": pattern, "helper-text": "x"})
    assert found == ([] if anchored else ["PATTERN_NOT_ANCHORED"])


@pytest.mark.parametrize("kind", ["number", "passcode"])
def test_a_number_that_is_passed_on(kind: str) -> None:
    """As a number it fails on phones, as a string the upload may fail; both messages name the alternative."""

    def to(field: dict[str, Any], value: str = "${form.a}") -> dict[str, Any]:
        ask = {"type": "TextInput", "name": "a", "label": "A", "input-type": kind}
        first = screen("A", ask, navigate("B", {"x": value}))
        return {"version": "7.3", "screens": [first, screen("B", footer(), data={"x": field}, terminal=True)]}

    number, text = {"type": "number", "__example__": 5}, {"type": "string", "__example__": "5"}
    assert codes(to(number)) == ["NUMBER_HANDED_ON"]
    assert codes(to(number, "5")) == []
    assert codes(to(text)) == []
    for value in (to(number), to(text)):
        messages = [issue.message for issue in validate(value, today=TODAY).issues if "${form.a}" in issue.message]
        assert messages
        assert all("${screen.A.form.a}" in message for message in messages)


@pytest.mark.parametrize(
    ("end", "expected"),
    [(footer(), []), (footer("data_exchange"), ["PARAMS_FROM_ENDPOINT"])],
)
def test_params_that_only_the_endpoint_declares(end: dict[str, Any], expected: list[str]) -> None:
    """Reported where no complete action defines the message."""
    only = screen("A", end, terminal=True)
    value = {"version": "7.3", "data_api_version": "3.0", "routing_model": {"A": []}, "screens": [only]}
    assert codes(value) == expected


def test_each_advice_says_where_its_fact_is_from() -> None:
    """Evidence is documented by Meta, or observed, with the source or the date."""
    for rule in ADVICE:
        assert rule.evidence.startswith(("documented: ", "observed: ")), rule.id
