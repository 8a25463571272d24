"""What decides which parts of a screen are shown, read from its conditions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows.preview._deciding_values import Source, deciding_values

FORM, DATA = "form", "data"


def screen(*children: Any) -> dict[str, Any]:
    """A screen with these components."""
    return {"id": "START", "layout": {"type": "SingleColumnLayout", "children": list(children)}}


@pytest.mark.parametrize(
    ("component", "found"),
    [
        ({"condition": "${form.a}"}, {(FORM, "a"): ()}),
        ({"condition": "${form.a} == 'x'"}, {(FORM, "a"): ("x", "")}),
        ({"condition": "'x' == ${form.a}"}, {(FORM, "a"): ("x", "")}),
        ({"condition": "${form.a} > 5"}, {(FORM, "a"): (5, 6, 4)}),
        ({"condition": "${data.a} == true"}, {(DATA, "a"): (True, False)}),
        ({"condition": "${screen.START.data.a} != 'x'"}, {(DATA, "a"): ("x", "")}),
        ({"condition": "${screen.OTHER.form.a} == 'x'"}, {}),
        ({"condition": "(${form.a} == 'x') || (${form.a} == 'y')"}, {(FORM, "a"): ("x", "", "y")}),
        ({"condition": "(${form.a} == 1) && ${data.b}"}, {(FORM, "a"): (1, 2, 0), (DATA, "b"): ()}),
        ({"condition": "!${data.a}"}, {(DATA, "a"): ()}),
        ({"condition": "((("}, {}),
        ({"condition": "x" * 3_000}, {}),
        ({"condition": ["${form.a}"]}, {}),
        ({"visible": "${data.a}"}, {(DATA, "a"): ()}),
        ({"visible": "`${form.a} == 'x'`"}, {(FORM, "a"): ("x", "")}),
        ({"visible": True}, {}),
        ({"value": "${form.a}", "cases": {"one": [], "two": []}}, {(FORM, "a"): ("one", "two")}),
        ({"value": "${form.a}"}, {}),
        ({"then": [{"else": [{"condition": "${form.a}"}]}]}, {(FORM, "a"): ()}),
        ({"label": "${form.a}"}, {}),
    ],
)  # fmt: skip
def test_references_with_the_values_that_they_are_compared_with(
    component: dict[str, Any], found: dict[tuple[str, str], tuple[Any, ...]]
) -> None:
    """Of conditions, `visible` and Switch; a number with its neighbours, and what cannot be read is left out."""
    assert dict(deciding_values(screen(component))) == {Source(*key): values for key, values in found.items()}


def test_true_and_one_are_two_values() -> None:
    """They are equal in Python, and not in JSON."""
    found = deciding_values(screen({"condition": "${data.a} == true"}, {"condition": "${data.a} == 1"}))
    assert [*map(repr, found[Source("data", "a")])] == ["True", "False", "1", "2", "0"]


def test_what_is_looked_at_is_bounded() -> None:
    """Values of one reference, and parts of a screen, in document order."""
    many = screen(*({"condition": f"${{form.a}} == 'v{number}'"} for number in range(300)))
    assert deciding_values(many) == {Source("form", "a"): ("v0", "", *(f"v{number}" for number in range(1, 15)))}
    distinct = screen(*({"condition": f"${{form.a{number}}}"} for number in range(300)))
    assert len(deciding_values(distinct)) == 200
    assert deciding_values(screen(*[{}] * 30_000, {"condition": "${form.a}"})) == {}


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
