"""Completion: what may be written here, in this version, with what is still missing first."""

from __future__ import annotations

import pytest

from tests.lsp.lsp_support import FLOW, MARK, at, flow, marked
from whatsapp_flows.lsp._complete import complete
from whatsapp_flows.lsp._names import Index


def offered(old: str, new: str) -> list[str]:
    """The labels that are offered at the mark."""
    index, offset = flow(old, new)
    return [each.label for each in complete(index, offset)]


def accepted(old: str, new: str, label: str) -> str:
    """The part of the Flow around the mark after a proposal was accepted."""
    index, offset = flow(old, new)
    found = next(each for each in complete(index, offset) if each.label == label)
    assert found.start <= offset <= found.end
    after = index.text[: found.start] + found.insert + index.text[found.end :]
    begin = FLOW.index(old)
    return after[begin : begin + len(after) - len(FLOW) + len(old)]


TYPE = '"type": "TextInput", "name": "age", "label": "Age"'


def test_the_types_that_may_stand_here_are_offered() -> None:
    """In a Form there is no Form; in a branch of an If, no Form either."""
    inside = offered(TYPE, '"type": "‸"')
    assert inside[:3] == ["TextHeading", "TextSubheading", "TextBody"]
    assert "Form" not in inside
    assert "Form" in offered('"type": "Form"', '"type": ‸')
    branch = offered('[{"type": "TextBody", "text": "${screen', '[{"type": "Text‸", "text": "${screen')
    assert "TextBody" in branch
    assert "Form" not in branch


def test_the_version_decides_which_types_there_are() -> None:
    """RichText comes with 5.1, ChipsSelector with 6.3."""
    text, offset = marked(FLOW.replace('"7.3"', '"5.0"').replace(TYPE, '"type": "‸"'))
    labels = [each.label for each in complete(Index(text), offset)]
    assert "TextInput" in labels
    assert not {"RichText", "ChipsSelector"} & set(labels)


@pytest.mark.parametrize(
    ("new", "label", "after"),
    [
        ('"type": "‸"', "OptIn", '"type": "OptIn"'),
        ('"type": "Opt‸", "name": "age"', "OptIn", '"type": "OptIn", "name": "age"'),
        ('"type": ‸', "OptIn", '"type": "OptIn"'),
        ('"type":‸', "OptIn", '"type": "OptIn"'),
        ('"type": Opt‸', "OptIn", '"type": "OptIn"'),
        ('"type": "TextInput", ‸', "label", '"type": "TextInput", "label": '),
        ('"type": "TextInput", "la‸"', "label", '"type": "TextInput", "label": '),
        ('"type": "TextInput", "la‸": "x"', "label", '"type": "TextInput", "label": "x"'),
        ('"type": "TextInput", "la‸ "name": "age"', "label", '"type": "TextInput", "label":  "name": "age"'),
        ('"type": "TextInput", lab‸', "label", '"type": "TextInput", "label": '),
        ('"type": "Footer", ‸', "on-click-action", '"type": "Footer", "on-click-action": {}'),
        ('"type": "Dropdown", ‸', "data-source", '"type": "Dropdown", "data-source": '),
    ],
)
def test_a_proposal_replaces_what_is_begun(new: str, label: str, after: str) -> None:
    """Quotes, colon and brackets come with it where they are missing."""
    assert accepted(TYPE, new, label)[: len(after)] == after


def test_a_component_comes_with_its_required_properties() -> None:
    """Where a component is to be written in a list."""
    new = accepted('"children": [\n              {', '"children": [‸\n              {', "Footer")
    assert '{"type": "Footer", "label": "", "on-click-action": {}}' in new
    assert '{"type": "If", "condition": "", "then": []}' in accepted(
        '"children": [\n              {', '"children": [‸\n              {', "If"
    )


def test_properties_that_are_missing_come_first() -> None:
    """Those that are given are not offered again, but the one under the cursor is."""
    labels = offered(TYPE, '"name": "age", "type": "TextInput", ‸')
    assert labels[0] == "label"
    assert not {"name", "type", "input-type"} & set(labels)
    assert offered(TYPE, '"name‸": "age", "type": "TextInput"')[:2] == ["name", "label"]
    assert offered(TYPE, "‸")[0] == "type"
    assert "init-value" not in labels  # inside a Form it belongs to the Form


def test_what_is_new_in_a_version_is_not_offered_before() -> None:
    """`pattern` of a TextInput comes with 6.2."""
    for version, expected in (("6.1", False), ("6.2", True)):
        text, offset = marked(FLOW.replace('"7.3"', f'"{version}"').replace(TYPE, '"type": "TextInput", ‸'))
        assert ("pattern" in [each.label for each in complete(Index(text), offset)]) is expected


@pytest.mark.parametrize(
    ("old", "new", "labels"),
    [
        ('"input-type": "text"', '"input-type": "‸"', ["text", "number", "email", "password", "passcode", "phone"]),
        ('"terminal": true', '"terminal": ‸', ["true", "false"]),
        ('"name": "LAST"}', '"name": "‸"}', ["START", "LAST"]),
        ('"type": "screen"', '"type": "‸"', ["screen"]),
        ('"name": "navigate"', '"name": "‸"', ["data_exchange", "navigate", "complete"]),
        ('"START": ["LAST"]', '"START": ["LAST", "‸"]', ["START"]),
        ('"LAST": []', "‸", ["LAST"]),
        ('"sensitive": ["age"]', '"sensitive": ["age", ‸]', ["agree"]),
        ('"init-values": {"age": "17"}', '"init-values": {"age": "17", ‸}', ["agree"]),
        ('"error-messages": {"age": "Too young"}', '"error-messages": {‸}', ["age", "agree"]),
        ('"payload": {"age": "${form.age}"}', '"payload": {‸}', ["age"]),
        ('"type": "number",', '"type": "‸",', ["string", "number", "integer", "boolean", "object", "array"]),
        ('{"type": "number", "__example__": 12.5}', "{‸}", ["type", "__example__"]),
        ('"type": "SingleColumnLayout"', '"type": "‸"', ["SingleColumnLayout"]),
        ('"7.3",', '"7.3", "data_api_version": "‸",', ["3.0", "4.0"]),
        ('"Begin 😀"', '"‸"', []),
        ('"visible": "${form.agree}"', '"visible": ‸', ["true", "false"]),
        ('"age": {"type": "string", "__example__": "30"}', '"‸"', []),
        ('"children": [', '"children": {‸, [', []),
    ],
)
def test_the_values_of_a_place_are_offered(old: str, new: str, labels: list[str]) -> None:
    """Enumerations, booleans, the ids of screens, the names of inputs, the fields of the screen that follows."""
    assert offered(old, new) == labels


def test_versions_that_can_be_uploaded_are_offered() -> None:
    """The newest first; the recommended one is marked."""
    index, offset = flow('"version": "7.3"', '"version": "‸"')
    found = complete(index, offset)
    assert (found[0].label, found[0].detail) == ("7.3", "recommended")
    assert {"4.0", "5.0", "7.4"}.isdisjoint(each.label for each in found)


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        ("${form.age} ' years'", "${‸ ' years'", {"form.": "${form.", "data.": "${data.", "screen.": "${screen."}),
        ("${form.age} ' years'", "${fo‸", {"form.": "${form."}),
        ("${form.age} ' years'", "${form.‸", {"age": "${form.age}", "agree": "${form.agree}"}),
        ("${form.age} ' years'", "${form.ag‸e} ' years'", {"agree": "${form.agree} ' years'"}),
        ("${form.age} ' years'", "${data.‸}", {"price": "${data.price}", "place": "${data.place}"}),
        ("${form.age} ' years'", "${data.place.‸}", {"town": "${data.place.town}"}),
        ("${form.age} ' years'", "${data.price.‸}", {}),
        ("${form.age} ' years'", "${form.age.‸}", {}),
        ("${form.age} ' years'", "${screen.‸}", {"START": "${screen.START.}", "LAST": "${screen.LAST.}"}),
        ("${form.age} ' years'", "${screen.S‸.form.x}", {"START": "${screen.START.form.x}"}),
        ("${form.age} ' years'", "${screen.LAST.‸", {"form.": "${screen.LAST.form.", "data.": "${screen.LAST.data."}),
        ("${form.age} ' years'", "${screen.LAST.form.‸", {"age": "${screen.LAST.form.age}"}),
        ("${form.age} ' years'", "${screen.NONE.data.‸", {}),
        ("(${data.age} == '17')", "(${data.‸ == '17')", {"age": "(${data.age} == '17')"}),
    ],
)
def test_names_are_offered_in_references(old: str, new: str, after: dict[str, str]) -> None:
    """Also in expressions and conditions; the closing brace comes with the name."""
    for label, text in after.items():
        assert accepted(old, new, label).startswith(text)
    if not after:
        assert offered(old, new) == []


def test_a_proposal_says_what_it_is() -> None:
    """Type and label of an input, type and example of a field, what a property is."""
    index, offset = flow("${form.age} ' years'", "${form.‸")
    assert complete(index, offset)[0].detail == 'TextInput "Age"'
    index, offset = flow("${form.age} ' years'", "${data.‸")
    assert complete(index, offset)[0][5:] == ("number", "Example: 12.5")
    index, offset = flow(TYPE, '"name": "age", "type": "TextInput", ‸')
    assert complete(index, offset)[0][5:] == ("required", "Text that names it. Required; 20 characters are shown.")


def test_names_of_the_last_whole_state_are_offered_while_the_text_is_broken() -> None:
    """A missing bracket may hide the rest of the document from its screen."""
    broken = FLOW[: at('"visible": "')] + "${form."
    assert [each.label for each in complete(Index(broken), len(broken), Index(FLOW))] == ["age", "agree"]
    assert [each.label for each in complete(Index(broken), len(broken))] == ["age"]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('{"name": "package", ‸}', []),
        ('{"name": "package", "version": "‸"}', []),
        ("[‸]", []),
        ("‸", []),
    ],
)
def test_other_json_is_left_alone(text: str, labels: list[str]) -> None:
    """An editor asks for every JSON file."""
    whole, offset = marked(text)
    assert [each.label for each in complete(Index(whole), offset)] == labels


@pytest.mark.parametrize("text", ["{‸}", '{"version": "7.3", ‸}', '{"ver‸'])
def test_a_new_document_can_be_begun(text: str) -> None:
    """As long as nothing in it says that it is something else."""
    whole, offset = marked(text)
    assert "screens" in [each.label for each in complete(Index(whole), offset)]
    assert MARK not in whole
