"""Code actions: the remedy that a finding names, as an edit."""

from __future__ import annotations

import json
from datetime import date

import pytest

from tests.lsp.lsp_support import FLOW
from whatsapp_flows.flow_json import validate
from whatsapp_flows.lsp._actions import Action, actions, as_expression, with_parentheses
from whatsapp_flows.lsp._findings import check
from whatsapp_flows.lsp._names import Index

TODAY = date(2026, 1, 1)


def mended(text: str, action: Action) -> str:
    """The text after an action."""
    for edit in sorted(action.edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def offered(text: str) -> list[Action]:
    """All actions of a document."""
    index = Index(text)
    return list(actions(index, 0, len(text), check(index, today=TODAY).found))


@pytest.mark.parametrize(
    ("good", "bad", "title"),
    [
        ('"type": "OptIn"', '"type": "Optin"', "Replace by 'OptIn'"),
        ('"input-type": "text"', '"input-type": "texxt"', "Replace by 'text'"),
        ('"label": "I agree"', '"lable": "I agree"', "Replace by 'label'"),
        ('"name": "navigate"', '"name": "navigat"', "Replace by 'navigate'"),
        ('"name": "LAST"}', '"name": "LASTT"}', "Replace by 'LAST'"),
        ('"type": "SingleColumnLayout",\n        "children": [\n          {\n            "type": "Form"',
         '"type": "SingleColumLayout",\n        "children": [\n          {\n            "type": "Form"',
         "Replace by 'SingleColumnLayout'"),
        ("`${form.age}", "`${form.agge}", "Refer to 'age'"),
        ("(${data.age}", "(${data.aage}", "Refer to 'age'"),
        ('"text": "${screen.START.form.age}"', '"text": "${screen.STRT.form.age}"', "Refer to 'START'"),
        ("(${data.age} == '17') && ${screen.START.form.agree}", "${data.age} == '17' && ${screen.START.form.agree}",
         "Put comparisons in parentheses"),
        ("(${data.age} == '17') && ${screen.START.form.agree}", "`(${data.age} == '17') && ${screen.START.form.agree}`",
         "Remove the backticks"),
        ("`${form.age} ' years'`", "${form.age} years", "Write text and reference as an expression"),
    ],
)  # fmt: skip
def test_a_remedy_mends_the_document(good: str, bad: str, title: str) -> None:
    """The text after it is the one before the mistake."""
    text = FLOW.replace(good, bad, 1)
    assert text != FLOW
    found = [each for each in offered(text) if each.title == title]
    assert mended(text, found[0]) == FLOW
    assert found[0].preferred


def test_a_valid_document_has_no_actions() -> None:
    """None for what is right, none in other JSON."""
    assert offered(FLOW) == []
    assert offered('{"version": "6.0"}') == []


def test_an_action_names_its_finding() -> None:
    """So that an editor shows it at that finding."""
    text = FLOW.replace('"type": "OptIn"', '"type": "Optin"')
    action = offered(text)[0]
    assert action.finding is not None
    assert "Did you mean 'OptIn'?" in check(Index(text), today=TODAY).found[action.finding].message


def test_an_older_version_can_be_upgraded() -> None:
    """Where the version stands; with the number of decisions that are left."""
    old = FLOW.replace('"7.3"', '"6.0"')
    (action,) = offered(old)
    assert action.title == "Upgrade to version 7.3"
    assert mended(old, action) == FLOW
    index = Index(old)
    assert actions(index, 100, 200, ()) == ()
    assert actions(Index(FLOW[:200]), 0, 200, ()) == ()
    older = json.dumps({"version": "2.1", "screens": []})
    assert "decisions" not in offered(older)[0].title


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("${form.a} == 'x' || ${form.a} == 'y'", "(${form.a} == 'x') || (${form.a} == 'y')"),
        ("${form.a} == 'x' && ${form.b} && 1 < 2", "(${form.a} == 'x') && ${form.b} && (1 < 2)"),
        ("!${form.a} && (${form.b} > 1 || ${form.c})", "!${form.a} && ((${form.b} > 1) || ${form.c})"),
        ("${form.a} > 17", "${form.a} > 17"),
        ("true", "true"),
        ("${form.a} ==", None),
    ],
)
def test_comparisons_get_parentheses(condition: str, expected: str | None) -> None:
    """Only those beside && and ||; what cannot be parsed stays."""
    assert with_parentheses(condition) == expected


def test_a_long_chain_gets_parentheses() -> None:
    """Its length is no matter of the stack."""
    found = with_parentheses(" || ".join(["1 == 2"] * 5000))
    assert found == " || ".join(["(1 == 2)"] * 5000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear ${data.n}", "`'Dear ' ${data.n}`"),
        ("${data.a}, ${screen.S.form.b}!", "`${data.a} ', ' ${screen.S.form.b} '!'`"),
        ("it's \\ `${data.n}", "`'it\\'s \\\\ \\`' ${data.n}`"),
        ("${data.n} }", None),
        ("a\n${data.n}", None),
        ("plain", None),
    ],
)
def test_a_text_becomes_an_expression(text: str, expected: str | None) -> None:
    """Quotes, backslashes and backticks are kept; where a client would drop something, it is left."""
    assert as_expression(text) == expected


def test_an_expression_is_not_offered_before_it_exists() -> None:
    """Expressions come with 6.0."""
    text = FLOW.replace("`${form.age} ' years'`", "${form.age} years").replace('"7.3"', '"5.1"')
    assert not [each for each in offered(text) if "expression" in each.title]
    assert validate(text, today=TODAY).issues
