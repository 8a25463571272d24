"""References, and the outline of a document."""

from __future__ import annotations

import pytest

from tests.lsp.lsp_support import FLOW, at
from whatsapp_flows.lsp._names import Index
from whatsapp_flows.lsp._references import references
from whatsapp_flows.lsp._symbols import Symbol, symbols

INDEX = Index(FLOW)


@pytest.mark.parametrize(
    ("before", "name", "lines"),
    [
        ('"id": "STA', "START", [2, 5, 48, 49, 55]),
        ('"next": {"type": "screen", "name": "LA', "LAST", [2, 2, 29, 39]),
        ("`${form.a", "age", [11, 18, 19, 21, 22, 30, 49]),
        ('"name": "age", "label": "Again', "", []),
        ('"price', "price", [8, 55]),
        ("${screen.START.data.pr", "price", [8, 55]),
        ('"terminal": true,\n      "data": {"a', "age", [30, 42, 48]),
        ("(${data.a", "age", [30, 42, 48]),
        ('"title": "Be', "", []),
        ('"payload": {"a', "", []),
    ],
)
def test_every_place_of_a_name_is_found(before: str, name: str, lines: list[int]) -> None:
    """Of a screen, an input and a field of data; a payload names the fields of the screen that it leads to."""
    found = references(INDEX, at(before))
    assert {FLOW[each.start : each.end] for each in found} <= {name}
    assert [FLOW.count("\n", 0, each.start) for each in found] == lines


@pytest.mark.parametrize("before", ['"id": "STA', "`${form.a", '"name": "agr', "${screen.START.data.pr", '"pri'])
def test_the_definition_can_be_left_out(before: str) -> None:
    """As an editor asks."""
    every = references(INDEX, at(before))
    assert len(references(INDEX, at(before), declaration=False)) == len(every) - 1


def test_other_json_has_neither_references_nor_an_outline() -> None:
    """Also where it has the same keys."""
    other = Index('{"id": "x", "data": {"y": 1}}')
    assert references(other, 8) == ()
    assert symbols(other) == ()


def outline(found: tuple[Symbol, ...], depth: int = 0) -> list[str]:
    """The names with their kinds, indented."""
    return [
        line
        for each in found
        for line in (
            f"{'  ' * depth}{each.name}: {each.kind} {each.detail}".rstrip(),
            *outline(each.children, depth + 1),
        )
    ]


def test_the_outline_has_screens_fields_and_components() -> None:
    """As they are nested; inputs by their names, other components by their types."""
    assert outline(symbols(INDEX)) == [
        "START: screen Begin 😀",
        "  price: field number",
        "  place: field object",
        "  form: component Form",
        "    age: input TextInput Age",
        "    TextBody: component `${form.age} ' years'`",
        "    agree: input OptIn I agree",
        "    Footer: component Next",
        "LAST: screen End",
        "  age: field string",
        "  If: component (${data.age} == '17') && ${screen.START.form.agree}",
        "    TextBody: component ${screen.START.form.age}",
        "  age: input TextInput Again",
        "  Footer: component Done",
    ]


def test_the_outline_has_the_branches_of_a_switch() -> None:
    """And what has neither a name nor a type."""
    cases = '{"type": "Switch", "value": "${data.x}", "cases": {"a": [{"type": "Image"}], "b": [{}], "c": 1}}'
    children = f'[{cases}, 5, {{"type": "OptIn", "name": ""}}]'
    text = f'{{"screens": [{{"layout": {{"children": {children}}}}}, {{}}]}}'
    assert outline(symbols(Index(text))) == [
        "(no id): screen",
        "  Switch: component ${data.x}",
        "    Image: component",
        "    (no type): component",
        "  OptIn: component",
        "(no id): screen",
    ]


def test_a_name_lies_in_what_it_names() -> None:
    """As editors demand, also while the text is half written."""

    def within(found: tuple[Symbol, ...], start: int, end: int) -> None:
        for each in found:
            assert start <= each.start <= each.name_start <= each.name_end <= each.end <= end
            assert each.name
            within(each.children, each.start, each.end)

    for length in range(0, len(FLOW) + 1, 7):
        within(symbols(Index(FLOW[:length])), 0, length)


def test_a_deep_outline_ends() -> None:
    """Meta allows a few levels."""
    text = '{"screens": [{"layout": {"children": [' + '{"type": "If", "then": [' * 5000
    found = symbols(Index(text))
    depth = 0
    while found:
        found, depth = found[0].children, depth + 1
    assert depth == 21
