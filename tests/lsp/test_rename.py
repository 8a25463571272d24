"""Rename of a screen or an input, with everything that refers to it."""

from __future__ import annotations

import json

import pytest

from tests.lsp.lsp_support import FLOW, at, flow
from whatsapp_flows.flow_json import validate
from whatsapp_flows.lsp._names import Index
from whatsapp_flows.lsp._rename import RenameError, rename, renamed_at


def renamed(offset: int, new: str, text: str = FLOW) -> str:
    """The text after a rename."""
    for edit in reversed(rename(Index(text), offset, new)):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def test_the_flow_of_these_tests_is_valid() -> None:
    """So that what a rename leaves behind would be found."""
    assert not validate(FLOW).errors


@pytest.mark.parametrize(
    "before",
    ['"id": "STA', '"routing_model": {"STA', "${screen.STA", "${screen.", "(${data.age} == '17') && ${screen.S"],
)
def test_a_screen_is_renamed_everywhere(before: str) -> None:
    """Its id, the routing model, where actions lead, references: from any of these places."""
    after = renamed(at(before), "FIRST")
    assert after == FLOW.replace("START", "FIRST")
    assert not validate(after).errors


def test_where_actions_lead_is_renamed_too() -> None:
    """The other screen of the Flow."""
    after = renamed(at('"name": "LA'), "END")
    assert after == FLOW.replace("LAST", "END")


@pytest.mark.parametrize(
    "before",
    [
        '{"type": "TextInput", "name": "ag',
        '"sensitive": ["a',
        '"init-values": {"a',
        '"error-messages": {"a',
        "`${form.a",
        '"text": "${screen.START.form.a',
    ],
)
def test_an_input_is_renamed_everywhere(before: str) -> None:
    """Expressions, conditions, initial values, errors, masks, references of other screens; no key of a payload."""
    after = renamed(at(before), "years_old")
    expected = (
        FLOW.replace('"name": "age", "label": "Age"', '"name": "years_old", "label": "Age"')
        .replace('["age"]', '["years_old"]')
        .replace('{"age": "17"}', '{"years_old": "17"}')
        .replace('{"age": "Too', '{"years_old": "Too')
        .replace("`${form.age}", "`${form.years_old}")
        .replace('{"age": "${form.age}"}', '{"age": "${form.years_old}"}')
        .replace("START.form.age}", "START.form.years_old}")
    )
    assert after == expected
    assert not validate(after).errors


def test_an_input_of_the_same_name_on_another_screen_stays() -> None:
    """Renamed there, it changes nothing here."""
    after = renamed(at('"name": "age", "label": "Again"', more=-len('", "label": "Again"')), "again")
    assert after == FLOW.replace('"name": "age", "label": "Again"', '"name": "again", "label": "Again"').replace(
        '"a": "${form.age}"', '"a": "${form.again}"'
    )


def test_the_name_under_the_cursor_is_reported_before() -> None:
    """With its place, so that an editor can offer it."""
    found = renamed_at(Index(FLOW), at("`${form.a"))
    assert found is not None
    assert (found.name, FLOW[slice(*found.at)]) == ("age", "age")
    assert len(found.places) == 7


@pytest.mark.parametrize(
    ("before", "new", "why"),
    [
        ('"id": "STA', "TWO 2", "letters and underscores"),
        ('"id": "STA', "SUCCESS", "reserved"),
        ('"id": "STA', "LAST", "already"),
        ("`${form.a", "agree", "already"),
        ("`${form.a", "a.b", "no blanks"),
        ("`${form.a", "", "no blanks"),
        ('"title": "Be', "x", "nothing|no screen"),
        ("${screen.START.data.pr", "x", "no screen"),
        ('{"type": "OptI', "x", "no screen"),
        ('"label": "Ag', "x", "no screen"),
        ('"payload": {"a', "x", "no screen"),
    ],
)
def test_a_name_that_cannot_be_given_is_refused(before: str, new: str, why: str) -> None:
    """With the reason."""
    with pytest.raises(RenameError, match=why):
        rename(Index(FLOW), at(before), new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("`${form.age}", "`${form.no‸ne}"),
        ("`${form.age}", "`${screen.NO‸NE.form.age}"),
        ('"name": "LAST"', '"name": "NO‸NE"'),
        ('"sensitive": ["age"]', '"sensitive": ["no‸ne"]'),
    ],
)
def test_what_does_not_exist_is_not_renamed(old: str, new: str) -> None:
    """There is nothing to rename with it."""
    index, offset = flow(old, new)
    assert renamed_at(index, offset) is None


def test_the_same_name_changes_nothing() -> None:
    """No edit, no error; and nothing in other JSON."""
    assert rename(Index(FLOW), at('"id": "STA'), "START") == ()
    assert renamed_at(Index('{"id": "x"}'), 8) is None


def test_two_screens_of_one_id_are_renamed_apart() -> None:
    """A local reference belongs to the screen around it."""
    text = FLOW.replace('"id": "LAST"', '"id": "START"')
    after = renamed(at("`${form.a", text=text), "years")
    assert json.loads(after)["screens"][1]["layout"]["children"][2]["on-click-action"]["payload"]["a"] == "${form.age}"
