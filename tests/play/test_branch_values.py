"""What the branches of a Flow depend on: fields of forms and data, and the values worth a try."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.flow_json.samples import screen
from whatsapp_flows.play._branch_values import Source, branch_values, deciding_values


def found(*children: dict[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    return dict(branch_values({"screens": [screen("A", *children)]}))


def condition(text: str) -> dict[str, Any]:
    return {"type": "If", "condition": text, "then": []}


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (condition("${form.a} == 'x'"), {("A", "a"): ("x",)}),
        (condition("'x' != ${form.a}"), {("A", "a"): ("x",)}),
        (condition("(${form.a} == 'x') && ${screen.B.form.b} > 5"), {("A", "a"): ("x",), ("B", "b"): ("5", "6", "4")}),
        (condition("!${form.a}"), {("A", "a"): ()}),
        (condition("${data.a} == 'x'"), {}),
        (condition("${form.a} == 'not closed"), {}),
        (condition("${form.a} > 5abc"), {("A", "a"): ()}),
        (condition("${form.a} > 1e999"), {("A", "a"): ()}),
        (condition(f"`${{form.a}} > {'9' * 400}`"), {("A", "a"): ()}),
        (condition(f"${{form.a}} == '{'x' * 3000}'"), {}),
        ({"type": "Footer", "enabled": "`${form.a} >= 2.5`"}, {("A", "a"): ("2.5", "3", "1")}),
        ({"type": "TextBody", "visible": "${form.a}", "text": "${form.b}"}, {("A", "a"): ()}),
        (
            {"type": "Switch", "value": "${form.a}", "cases": {"x": [condition("${form.b} == 'y'")], "z": []}},
            {("A", "a"): ("x", "z"), ("A", "b"): ("y",)},
        ),
    ],
)
def test_fields_are_found_with_their_values(child: dict[str, Any], expected: dict[Any, Any]) -> None:
    """In conditions, expressions, Switches, and in what decides whether a component is there."""
    assert found(child) == expected


@pytest.mark.parametrize(
    "document", [{}, {"screens": 1}, {"screens": [1, {"layout": 2}]}, {"screens": [{"layout": None}]}]
)
def test_a_document_with_errors_has_none(document: dict[str, Any]) -> None:
    """Whatever stands in the place of screens."""
    assert branch_values(document) == {}


def test_the_search_is_bounded() -> None:
    """Deep documents do not recurse, and of many conditions and values the first are taken."""
    deep: dict[str, Any] = condition("${form.a} == 'x'")
    for _ in range(3000):
        deep = {"type": "If", "then": [deep]}
    assert found(deep) == {("A", "a"): ("x",)}
    many = found(*(condition(f"${{form.a}} == '{number}'") for number in range(3000)))
    assert many == {("A", "a"): tuple(map(str, range(15)))}


FORM, DATA = "form", "data"


def part(*children: Any) -> dict[str, Any]:
    """A screen with these components."""
    return {"id": "START", "layout": {"type": "SingleColumnLayout", "children": list(children)}}


@pytest.mark.parametrize(
    ("component", "found"),
    [
        ({"condition": "${form.a}"}, {("START", FORM, "a"): ()}),
        ({"condition": "${form.a} == 'x'"}, {("START", FORM, "a"): ("x", "")}),
        ({"condition": "'x' == ${form.a}"}, {("START", FORM, "a"): ("x", "")}),
        ({"condition": "${form.a} > 5"}, {("START", FORM, "a"): (5, 6, 4)}),
        ({"condition": "${data.a} == true"}, {("START", DATA, "a"): (True, False)}),
        ({"condition": "${screen.START.data.a} != 'x'"}, {("START", DATA, "a"): ("x", "")}),
        ({"condition": "${screen.OTHER.form.a} == 'x'"}, {("OTHER", FORM, "a"): ("x", "")}),
        ({"condition": "(${form.a} == 'x') || (${form.a} == 'y')"}, {("START", FORM, "a"): ("x", "", "y")}),
        ({"condition": "(${form.a} == 1) && ${data.b}"}, {("START", FORM, "a"): (1, 2, 0), ("START", DATA, "b"): ()}),
        ({"condition": "!${data.a}"}, {("START", DATA, "a"): ()}),
        ({"condition": "((("}, {}),
        ({"condition": "x" * 3_000}, {}),
        ({"condition": ["${form.a}"]}, {}),
        ({"visible": "${data.a}"}, {("START", DATA, "a"): ()}),
        ({"visible": "`${form.a} == 'x'`"}, {("START", FORM, "a"): ("x", "")}),
        ({"visible": True}, {}),
        ({"value": "${form.a}", "cases": {"one": [], "two": []}}, {("START", FORM, "a"): ("one", "two")}),
        ({"value": "${form.a}"}, {}),
        ({"then": [{"else": [{"condition": "${form.a}"}]}]}, {("START", FORM, "a"): ()}),
        ({"label": "${form.a}"}, {}),
    ],
)  # fmt: skip
def test_references_with_the_values_that_they_are_compared_with(
    component: dict[str, Any], found: dict[tuple[str, str, str], tuple[Any, ...]]
) -> None:
    """Of conditions, `visible` and Switch; a number with its neighbours, and what cannot be read is left out."""
    assert dict(deciding_values(part(component))) == {Source(*key): values for key, values in found.items()}


def test_true_and_one_are_two_values() -> None:
    """They are equal in Python, and not in JSON."""
    found = deciding_values(part({"condition": "${data.a} == true"}, {"condition": "${data.a} == 1"}))
    assert [*map(repr, found[Source("START", DATA, "a")])] == ["True", "False", "1", "2", "0"]


def test_what_is_looked_at_is_bounded() -> None:
    """Values of one reference, and parts of a screen, in document order."""
    many = part(*({"condition": f"${{form.a}} == 'v{number}'"} for number in range(300)))
    assert deciding_values(many) == {Source("START", FORM, "a"): ("v0", "", *(f"v{number}" for number in range(1, 15)))}
    distinct = part(*({"condition": f"${{form.a{number}}}"} for number in range(300)))
    assert len(deciding_values(distinct)) == 200
    assert deciding_values(part(*[{}] * 30_000, {"condition": "${form.a}"})) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["${form.a}", "${data.b} == 1", "`1`"]),
    lambda children: (
        st.lists(children)
        | st.dictionaries(st.sampled_from(["condition", "visible", "value", "cases", "layout", "children"]), children)
    ),
)


@given(JSON)
def test_any_layout_can_be_read(layout: Any) -> None:
    """Whatever stands where: nothing is raised."""
    deciding_values({"id": "START", "layout": layout})
