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


def fixed(text: str, action: Action) -> str:
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
        ('"price": {"type": "number", "__example__": 12.5}', '"price": {"type": "number", "__example__": "12.5"}',
         "Replace by an example of type number"),
        ('"age": {"type": "string", "__example__": "30"}', '"age": {"type": "string", "__example__": 30}',
         "Replace by an example of type string"),
    ],
)  # fmt: skip
def test_a_remedy_fixes_the_document(good: str, bad: str, title: str) -> None:
    """The text after it is the one before the mistake."""
    text = FLOW.replace(good, bad, 1)
    assert text != FLOW
    found = [each for each in offered(text) if each.title == title]
    assert fixed(text, found[0]) == FLOW
    assert found[0].preferred


def test_a_finding_at_a_key_has_the_remedies_of_its_text() -> None:
    """Where it stands, the reference that it is about is not."""
    text = FLOW.replace("`${form.age}", "`${form.agge}")
    index = Index(text)
    (found,) = [each for each in check(index, today=TODAY).found if "agge" in each.message]
    start, end = index.lines.offset(found.line, found.column), index.lines.offset(found.line, found.end_column)
    assert text[start:end] == '"text"'
    (action,) = actions(index, start, end, [found])
    assert fixed(text, action) == FLOW


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
    assert fixed(old, action) == FLOW
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


@pytest.mark.parametrize(
    ("good", "bad", "mended_part"),
    [
        ('"label": "I agree"}', '"required": true}', '"required": true, "label": ""}'),
        ('"name": "agree", "label": "I agree"}', '"label": "I agree"}', '"label": "I agree", "name": ""}'),
        (
            '                "label": "Next",\n', "",
            '"payload": {"age": "${form.age}"}\n                },\n                "label": ""\n              }',
        ),
        (
            '                  "next": {"type": "screen", "name": "LAST"},\n', "",
            '"payload": {"age": "${form.age}"},\n                  "next": {}\n',
        ),
        ('"next": {"type": "screen", "name": "LAST"}', '"next": {"name": "LAST"}',
         '"next": {"name": "LAST", "type": "screen"}'),
        ('"title": "End",', "", '}\n        ]\n      },\n      "title": ""\n    }'),
        ('"type": "number", "__example__": 12.5', '"type": "number"', '"type": "number", "__example__": 1'),
        ('"type": "number", "__example__": 12.5', '"__example__": 12.5', '"__example__": 12.5, "type": "number"'),
        ('"price": {"type": "number", "__example__": 12.5}', '"price": {}', '"price": {"type": "string"}'),
        (', "__example__": {"town": "Rome"}', "", '"town": {"type": "string"}}, "__example__": {"town": "text"}}'),
        ('  "version": "7.3",\n', "", '  ],\n  "version": "7.3"\n}'),
    ],
)  # fmt: skip
def test_a_property_that_is_missing_can_be_added(good: str, bad: str, mended_part: str) -> None:
    """Behind the others, on a line of its own where these have one; empty, or what alone may stand there."""
    text = FLOW.replace(good, bad, 1)
    assert text != FLOW
    (added, *_) = [each for each in offered(text) if each.title.startswith("Add ")]
    assert added.preferred
    after = fixed(text, added)
    assert mended_part in after
    json.loads(after)


@pytest.mark.parametrize(
    ("field", "titles"),
    [
        ('{"type": "number", "__example__": "x"}',
         {"Replace by an example of type number": 1, "Change the type to string": None}),
        ('{"type": "number", "__example__": "NaN"}',
         {"Replace by an example of type number": 1, "Change the type to string": None}),
        ('{"type": "number", "__example__": "1e999"}',
         {"Replace by an example of type number": 1, "Change the type to string": None}),
        ('{"type": "integer", "__example__": "7"}',
         {"Replace by an example of type integer": 7, "Change the type to string": None}),
        ('{"type": "boolean", "__example__": "true"}',
         {"Replace by an example of type boolean": True, "Change the type to string": None}),
        ('{"type": "boolean", "__example__": "yes"}',
         {"Replace by an example of type boolean": True, "Change the type to string": None}),
        ('{"type": "string", "__example__": true}',
         {"Replace by an example of type string": "true", "Change the type to boolean": None}),
        ('{"type": "string", "__example__": []}', {"Replace by an example of type string": "text"}),
        ('{"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": '
         '{"type": "string"}}}, "__example__": {"a": "1"}}',
         {"Replace by an example of type object": {"a": 1, "b": ["text"]}}),
    ],
)  # fmt: skip
def test_an_example_of_another_type_can_be_replaced(field: str, titles: dict[str, object]) -> None:
    """By the same value as one of the type, if it reads as one; or the type by that of the example."""
    text = FLOW.replace('{"type": "number", "__example__": 12.5}', field, 1)
    found = [each for each in offered(text) if "type" in each.title]
    assert [each.title for each in found] == list(titles)
    for action, example in zip(found, titles.values(), strict=True):
        after = fixed(text, action)
        assert not [each for each in check(Index(after), today=TODAY).found if each.rule == "FJ504"]
        given = json.loads(after)["screens"][0]["data"]["price"]["__example__"]
        assert example is None or (given == example and type(given) is type(example))


def test_a_proposal_that_a_document_quotes_is_not_taken() -> None:
    """The last one in a message is the validator's."""
    text = FLOW.replace('"type": "OptIn"', '"type": "x Did you mean \'y\'? OptIn"')
    assert not [each.title for each in offered(text) if "'y'" in each.title]
