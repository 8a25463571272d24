"""The components of a Flow JSON where they stand, in documents that are valid and in those that are not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.play.small_flows import flow, screen
from tests.play.views import seen
from whatsapp_flows.play._components import MAX_COMPONENTS, MAX_NESTING, Layout, layout_of

BODY = {"type": "TextBody", "text": "Hello"}
FIELD = {"type": "TextInput", "name": "a", "label": "A"}


def laid_out(*children: Any) -> Layout:
    return layout_of({"layout": {"type": "SingleColumnLayout", "children": list(children)}}, "/screens/0")


def test_components_are_flattened_in_document_order() -> None:
    """Form, If and Switch are no components themselves: what stands in them follows one another."""
    branches = {"type": "If", "condition": "${form.a}", "then": [BODY], "else": [FIELD]}
    switch = {"type": "Switch", "value": "${data.k}", "cases": {"a/b": [BODY], "c~d": []}}
    found = laid_out(FIELD, {"type": "Form", "name": "f", "children": [FIELD, branches]}, switch, BODY)
    assert [(each.path.removeprefix("/screens/0/layout/children/"), each.kind) for each in found.components] == [
        ("0", "TextInput"),
        ("1/children/0", "TextInput"),
        ("1/children/1/then/0", "TextBody"),
        ("1/children/1/else/0", "TextInput"),
        ("2/cases/a~1b/0", "TextBody"),
        ("3", "TextBody"),
    ]
    assert [each.kind for each in found.containers] == ["Form", "If", "Switch"]


def test_a_component_knows_what_stands_around_it() -> None:
    """The branches of Ifs and Switches, outermost first, and whether there is a Form."""
    inner = {"type": "Switch", "value": "${data.k}", "cases": {"x": [FIELD]}}
    form = {"type": "Form", "name": "f", "children": [{"type": "If", "condition": "${form.a}", "then": [inner]}]}
    free, framed = laid_out(BODY, form).components
    assert (free.branches, free.in_form) == ((), False)
    assert [(branch.container.kind, branch.name) for branch in framed.branches] == [("If", "then"), ("Switch", "x")]
    assert framed.in_form
    assert framed.name == "a"


def test_the_form_is_the_first_at_the_top() -> None:
    """A Form that stands in a branch gives no initial values."""
    nested = {"type": "If", "condition": "${form.a}", "then": [{"type": "Form", "name": "inner", "children": []}]}
    forms: list[Any] = [{"type": "Form", "name": name, "children": []} for name in ("first", "second")]
    screens = flow(screen("A", nested, *forms), screen("B", nested)).screens
    assert screens["A"].form is not None
    assert screens["A"].form.value["name"] == "first"
    assert screens["B"].form is None


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"layout": None},
        {"layout": []},
        {"layout": {}},
        {"layout": {"children": {}}},
        {"layout": {"children": None}},
    ],
)
def test_a_screen_without_a_layout_has_no_components(value: dict[str, Any]) -> None:
    """Whatever stands in place of the layout and of its children."""
    assert layout_of(value, "/screens/0") == Layout()


@pytest.mark.parametrize("child", [None, 5, "TextBody", [], {}, {"type": 5}, {"type": ["TextBody"], "name": {}}])
def test_what_is_no_component_is_kept(child: Any) -> None:
    """It has no kind and no name, and its place counts."""
    found, after = laid_out(child, BODY).components
    assert (found.kind, found.name) == ("", "")
    assert after.path == "/screens/0/layout/children/1"


def test_nesting_ends() -> None:
    """What is nested too deeply is one component, whatever stands in it."""
    tree: dict[str, Any] = BODY
    for _ in range(MAX_NESTING + 50):
        tree = {"type": "If", "condition": "${form.a}", "then": [tree]}
    (found,) = laid_out(tree).components
    assert (found.kind, len(found.branches)) == ("If", MAX_NESTING)


@pytest.mark.parametrize("child", [BODY, {"type": "If", "condition": "${form.a}", "then": [BODY]}])
def test_a_screen_has_a_limited_number_of_components(child: dict[str, Any]) -> None:
    """Those after them are not played, and an issue says so."""
    assert laid_out(*[child] * MAX_COMPONENTS).is_whole
    found = laid_out(*[child] * (MAX_COMPONENTS + 1), BODY)
    assert (len(found.components), found.is_whole) == (MAX_COMPONENTS, False)
    issues = seen(*[child] * (MAX_COMPONENTS + 1)).issues
    assert [each.text for each in issues if each.blocking] == [
        "The screen has more than 5,000 components: the rest is not drawn."
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "children", "then", "else", "cases", "name", "layout"]), inner, max_size=4
        )
        | st.fixed_dictionaries({"type": st.sampled_from(["If", "Switch", "Form"]), "then": inner, "cases": inner})
    ),
    max_leaves=12,
)


@settings(max_examples=some(40))
@given(layout=JSON)
def test_no_document_is_refused(layout: Any) -> None:
    """Whatever the JSON is, the walk ends, and no two components have one path."""
    found = layout_of({"layout": {"children": layout}}, "/screens/0")
    paths = [each.path for each in found.components]
    assert len(set(paths)) == len(paths)
