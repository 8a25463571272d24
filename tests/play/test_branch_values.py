"""What the branches of a Flow depend on: the fields of forms, and the values worth a try."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow_json.samples import screen
from whatsapp_flows.play._branch_values import branch_values


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
        (condition("${form.a} == 'not closed"), {("A", "a"): ()}),
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
    assert many == {("A", "a"): tuple(map(str, range(12)))}
