"""
Faults of the builder that Python users know from pywa 4.5.0, each with what happens here instead.

There, operators lose half of a condition without a word, references go wrong, and bad values are written as they are.
"""

from __future__ import annotations

from typing import Any

import pytest

from whatsapp_flows.builder import (
    Complete,
    Data,
    Expr,
    Flow,
    FlowBuildError,
    Footer,
    If,
    Screen,
    TextBody,
    TextInput,
    text,
)

a = Data(name="a", example=4)
b = Data(name="b", example=True)
name = TextInput(name="name", label="Name")


def shown(condition: Expr[bool]) -> Any:
    """How the condition of an If is written."""
    children = [If(condition, then=[]), name]
    return Flow(version="7.3", screens=[Screen("A", data=[a, b], children=children)])["screens"][0]["layout"][
        "children"
    ][0]["condition"]


def test_and_does_not_become_its_second_half() -> None:
    """pywa: `a > 3 and b` is `b`."""
    with pytest.raises(FlowBuildError, match="write & for and"):
        If((a > 3) and b, then=[])
    assert shown((a > 3) & b) == "((${data.a} > 3) && ${data.b})"


def test_a_chained_comparison_does_not_lose_its_first_half() -> None:
    """pywa: `1 < x < 5` is `x < 5`."""
    with pytest.raises(FlowBuildError, match=r"\(low < x\) & \(x < high\)"):
        If(1 < a < 5, then=[])
    assert shown((a > 1) & (a < 5)) == "((${data.a} > 1) && (${data.a} < 5))"


def test_equality_is_no_constant() -> None:
    """pywa: `ref == "x"` compares Python objects, or is always true."""
    assert shown(name == "x") == "(${form.name} == 'x')"
    assert isinstance(name == "x", Expr)
    assert isinstance(name != name, Expr)


def test_a_reference_to_another_screen_is_not_silently_a_local_one() -> None:
    """pywa: it is written as `${form.x}` unless the screen is named."""
    screens = [
        Screen("A", title="T", children=[name]),
        Screen(
            "B",
            title="T",
            terminal=True,
            children=[TextBody(text=name), Footer(label="Go", on_click_action=Complete({}))],
        ),
    ]
    assert (
        Flow(version="7.3", screens=screens)["screens"][1]["layout"]["children"][0]["text"] == "${screen.A.form.name}"
    )


def test_references_are_hashable() -> None:
    """pywa: TypeError, unhashable type."""
    assert len({a, b, name, a["x"] if a.json_type == "object" else a}) == 3


def test_an_if_does_not_change_its_condition() -> None:
    """pywa: the condition has its backticks taken away, and is another afterwards."""
    condition = (a > 3) & b
    before = repr(condition)
    assert shown(condition) == shown(condition)
    assert repr(condition) == before
    assert (
        Flow(
            version="7.3",
            screens=[
                Screen("A", data=[a, b], children=[TextBody(text="x", visible=condition), If(condition, then=[])])
            ],
        )["screens"][0]["layout"]["children"][0]["visible"]
        == "`((${data.a} > 3) && ${data.b})`"
    )


def test_a_quote_does_not_end_the_text() -> None:
    """pywa: `O'Brien` is written as 'O'Brien', which is no expression."""
    flow = Flow(
        version="7.3", screens=[Screen("A", title="T", children=[TextBody(text=text("Dear O'Brien ", name)), name])]
    )
    assert flow["screens"][0]["layout"]["children"][0]["text"] == "`'Dear O\\'Brien ' ${form.name}`"
    with pytest.raises(FlowBuildError, match="cannot have a quote"):
        If(name == "O'Brien", then=[])


def test_bad_values_and_versions_are_not_accepted() -> None:
    """pywa: they are written as they are."""
    with pytest.raises(FlowBuildError, match="input-type of a TextInput cannot be 'nummer'"):
        TextInput(name="x", label="X", input_type="nummer")  # type: ignore[arg-type]
    with pytest.raises(FlowBuildError, match=r"no Flow JSON version '9\.9'"):
        Flow(version="9.9", screens=[])
