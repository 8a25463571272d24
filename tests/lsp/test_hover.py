"""Hover and definitions: what the thing under the cursor is, and where it is defined."""

from __future__ import annotations

import pytest

from tests.lsp.lsp_support import FLOW, at, flow
from whatsapp_flows.lsp._hover import definitions, hover
from whatsapp_flows.lsp._names import Index

INDEX = Index(FLOW)


@pytest.mark.parametrize(
    ("before", "text", "code"),
    [
        ('"label', "Text that names it. Required; 20 characters are shown.", ""),
        ('"input-type": "te', "What is entered; decides the keyboard and the checks. Default text. One of text,", ""),
        ('"type": "TextIn', "A line of text, a number, an e-mail address, a phone number or a password.", ""),
        ('"sensi', "Names of inputs whose values the summary in the chat masks. At least 1; since 5.1.", ""),
        ('"init-val', "Values at the beginning, by the names of the inputs.", ""),
        ('"title": "Be', "Text at the top of the screen. Required", ""),
        ('{\n                  "nam', "What is done. Required.", ""),
        ('"next": {"type": "screen", "nam', "Id of the screen to go to. Required.", ""),
        ('"name": "LA', "A screen.", '"End"'),
        ('"START": ["LA', "A screen.", '"End"'),
        ('"id": "STA', "A screen.", '"Begin 😀"'),
        ("${screen.STA", "A screen.", '"Begin 😀"'),
        ("`${form.a", "Input of screen START. A line of text,", 'TextInput "Age"'),
        ("${screen.START.form.ag", "Input of screen START. A box to tick", 'OptIn "I agree"'),
        ("(${data.a", "Data of screen LAST, type string.", 'Example: "30"'),
        ("${screen.START.data.pr", "Data of screen START, type number.", "Example: 12.5"),
    ],
)  # fmt: skip
def test_what_is_under_the_cursor_is_reported(before: str, text: str, code: str) -> None:
    """Properties, values, components, screens, and what a reference refers to."""
    found = hover(INDEX, at(before))
    assert found is not None
    assert found.start <= at(before) <= found.end
    assert found.text.startswith(text)
    assert found.code == code


def test_the_type_of_a_component_is_reported() -> None:
    """The key, and a component that may not stand here."""
    found = hover(INDEX, at('[\n              {"typ'))
    assert found is not None
    assert found.text == "Type of the component. Required."
    index, offset = flow('{"type": "OptIn"', '{"type": "Fo‸rm"')
    found = hover(index, offset)
    assert found is not None
    assert found.text.endswith("Not allowed here in version 7.3.")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("${form.age} ' years'", "${form.no‸ne}"),
        ("${form.age} ' years'", "${data.no‸ne}"),
        ("${form.age} ' years'", "${screen.NONE.form.a‸ge}"),
        ('"Begin 😀"', '"x", "unknown‸": 1'),
        ('"type": "TextInput"', '"type": "Un‸known"'),
        ('"name": "LAST"}', '"name": "NO‸NE"}'),
        ('"payload": {"age"', '"payload": {"ag‸e"'),
        ('"price": {"type"', '"price": {‸"type"'),
        ('"screens": [', '"screens":‸ ['),
    ],
)
def test_where_there_is_nothing_to_say_nothing_is_shown(old: str, new: str) -> None:
    """Names that do not exist, and the author's own."""
    index, offset = flow(old, new)
    assert hover(index, offset) is None or new.startswith('"name": "NO')
    assert definitions(index, offset) == ()


def test_other_json_is_left_alone() -> None:
    """Also where it has the same keys."""
    assert hover(Index('{"version": "1.0", "name": "x"}'), 5) is None


@pytest.mark.parametrize(
    ("before", "defined"),
    [
        ('"name": "LA', '"id": "LAST"'),
        ('"START": ["LA', '"id": "LAST"'),
        ('"routing_model": {"STA', '"id": "START"'),
        ('"id": "STA', '"id": "START"'),
        ("${screen.STA", '"id": "START"'),
        ("`${form.a", '"name": "age", "label": "Age"'),
        ('"visible": "${form.a', '"name": "agree"'),
        ('"sensitive": ["a', '"name": "age", "label": "Age"'),
        ('"init-values": {"a', '"name": "age", "label": "Age"'),
        ('"a": "${form.a', '"name": "age", "label": "Again"'),
        ("(${data.a", '"age": {"type"'),
        ("${screen.START.data.pr", '"price"'),
    ],
)
def test_a_name_leads_to_its_definition(before: str, defined: str) -> None:
    """The name of the screen, of the component, of the field."""
    (found,) = definitions(INDEX, at(before))
    key, _, name = defined.partition(": ")
    start = FLOW.index(defined) + (1 if not name or name.startswith("{") else len(key) + 3)
    assert found.start == start
    assert FLOW[found.start - 1] == FLOW[found.end] == '"'


def test_an_input_of_two_branches_has_two_definitions() -> None:
    """An editor lets one choose."""
    index, offset = flow('{"type": "OptIn", ', '{"type": "OptIn", "name": "age", "label": "x"}, {"type": "OptIn‸", ')
    assert len(definitions(index, index.text.index("`${form.a") + 9)) == 2
    assert definitions(index, offset) == ()
