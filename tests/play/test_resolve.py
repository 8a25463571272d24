"""What the components of a screen are in one state: properties, what is shown, what can be used."""

from __future__ import annotations

from typing import Any

import pytest

from tests.play.small_flows import TEXT, flow, footer, navigate, opened, screen
from tests.play.views import resolver, session
from whatsapp_flows.play import view
from whatsapp_flows.play._property_values import NOTHING
from whatsapp_flows.play._resolve import Resolver

ITEMS = [{"id": "a", "title": "A"}, {"id": "b", "title": "B", "enabled": False}, {"id": "c", "title": "C"}]


def values_of(component: Any, **state: Any) -> Any:
    found, (one, *_) = resolver(component, **state)
    return found.properties(one).values


@pytest.mark.parametrize(
    ("written", "data", "form", "expected"),
    [
        ("Hello", {}, {}, "Hello"),
        ("${data.name}", {"name": "Ada"}, {}, "Ada"),
        ("${data.user.name}", {"user": {"name": "Ada"}}, {}, "Ada"),
        ("${form.field}", {}, {"field": "typed"}, "typed"),
        ("${form.field}", {}, {}, ""),
        ("${data.count}", {"count": 5.0}, {}, "5"),
        ("${data.flag}", {"flag": True}, {}, "true"),
        ("`'Hello ' ${form.field}`", {}, {"field": "Ada"}, "Hello Ada"),
        ("`${data.count} + 1`", {"count": 5}, {}, "6"),
        ("Dear ${data.name}", {"name": "Ada"}, {}, "Dear ${data.name}"),
        ("${data.name} and more", {"name": "Ada"}, {}, "${data.name} and more"),
        ("${screen.OTHER.data.x}", {}, {}, None),
        ("${data.missing}", {}, {}, None),
        ("${form.nobody}", {}, {}, None),
        ("${data.user.name.first}", {"user": {"name": "Ada"}}, {}, None),
        ("${data.name}", {"name": "${data.secret}", "secret": "x"}, {}, "${data.secret}"),
        ("${data.name}", {"name": "`1 + 1`"}, {}, "`1 + 1`"),
        ("${data.list}", {"list": {"a": 1}}, {}, None),
    ],
)
def test_a_text_is_resolved_once(written: str, data: Any, form: Any, expected: str | None) -> None:
    """A reference that is the whole text, or an expression; what comes from data is not read again."""
    text = {"type": "TextBody", "text": written}
    field = {"type": "TextInput", "name": "field", "label": "Field"}
    found, (one, _) = resolver(text, field, data=data, form=form)
    assert found.properties(one).values.get("text") == expected
    assert bool(found.properties(one).issues) == (expected is None or "and more" in written or "Dear" in written)


@pytest.mark.parametrize(
    ("version", "written", "expected"),
    [
        ("5.1", "`'a' 'b'`", "`'a' 'b'`"),
        ("6.0", "`'a' 'b'`", "ab"),
        ("3.1", "${form.field}", "${form.field}"),
        ("3.1", "${data.name}", "Ada"),
        ("4.0", "${form.field}", "typed"),
    ],
)
def test_what_is_a_reference_depends_on_the_version(version: str, written: str, expected: str) -> None:
    """Expressions from 6.0 on, references to the form in properties from 4.0 on."""
    text = {"type": "TextBody", "text": written}
    field = {"type": "TextInput", "name": "field", "label": "Field"}
    state = {"data": {"name": "Ada"}, "form": {"field": "typed"}}
    found, (one, _) = resolver(text, {"type": "Form", "name": "f", "children": [field]}, version=version, **state)
    assert found.properties(one).values["text"] == expected


def test_backticks_are_text_before_expressions_came() -> None:
    """Also where they stand for a title, the value of a Switch or in a payload."""
    cases = {"a": [{"type": "TextBody", "text": "A"}], "default": [{"type": "TextBody", "text": "B"}]}
    children = ({"type": "Switch", "value": "`'a'`", "cases": cases}, footer(navigate("B", x="`${data.none}`")))
    played_flow = flow(screen("A", *children) | {"title": "`'T'`"}, screen("B", data={"x": TEXT}), version="5.1")
    seen = view(opened(played_flow))
    assert seen.title == "`'T'`"
    assert [node.props["text"] for node in seen.nodes if node.shown] == ["B"]
    assert seen.footer is not None
    assert seen.footer.enabled


def test_defaults_are_filled_in() -> None:
    """From the tables, where nothing is written, and where what is written cannot be used."""
    assert values_of({"type": "TextInput", "name": "a", "label": "A"}) == {
        "name": "a", "label": "A", "input-type": "text", "required": False, "max-chars": 80, "enabled": True,
        "visible": True,
    }  # fmt: skip
    wrong = {"type": "TextInput", "name": "a", "label": "A", "input-type": "magic", "max-chars": "many", "required": 5}
    assert values_of(wrong)["input-type"] == "text"
    assert values_of(wrong)["max-chars"] == 80
    assert values_of(wrong)["required"] is False


@pytest.mark.parametrize(
    ("visible", "shown"),
    [(True, True), (False, False), ("${data.yes}", True), ("${data.no}", False), ("${form.opt}", False),
     ("`${data.n} > 4`", True), ("`${data.n} > 5`", False), ("${data.missing}", True), ("yes", True)],
)  # fmt: skip
def test_visible_decides_what_is_shown(visible: Any, shown: bool) -> None:
    """Without a value that is a boolean, the default holds."""
    children = ({"type": "TextBody", "text": "x", "visible": visible}, {"type": "OptIn", "name": "opt", "label": "O"})
    found, (one, _) = resolver(*children, data={"yes": True, "no": False, "n": 5})
    assert found.shown(one) is shown


def test_a_component_is_shown_in_the_branch_that_is_taken() -> None:
    """In nested branches, each of them has to be taken."""
    text = {"type": "TextBody", "text": "x"}
    inner = {"type": "If", "condition": "${data.b}", "then": [text], "else": [text]}
    outer = {"type": "If", "condition": "${data.a}", "then": [inner], "else": [text]}
    for a, b, expected in [(True, True, [1, 0, 0]), (True, False, [0, 1, 0]), (False, True, [0, 0, 1])]:
        found, components = resolver(outer, data={"a": a, "b": b})
        assert [found.shown(each) for each in components] == list(map(bool, expected))


@pytest.mark.parametrize(
    ("value", "cases", "taken"),
    [
        ("${data.kind}", ["x", "y"], "x"),
        ("${data.other}", ["x", "default"], "default"),
        ("${data.other}", ["x", "y"], None),
        ("${data.missing}", ["x", "default"], "default"),
        (5, ["x", "5"], "5"),
        (None, ["x"], None),
    ],
)
def test_switch_takes_the_case_of_its_value(value: Any, cases: list[str], taken: str | None) -> None:
    """Without a fitting case it takes the one named default."""
    switch = {"type": "Switch", "value": value, "cases": {case: [{"type": "TextBody", "text": case}] for case in cases}}
    found, components = resolver(switch, data={"kind": "x", "other": "z"})
    assert [each.value["text"] for each in components if found.shown(each)] == [taken] * (taken is not None)


@pytest.mark.parametrize(("condition", "branch"), [(True, "then"), (False, "else"), (None, "else"), (5, "else")])
def test_a_condition_may_be_a_boolean(condition: Any, branch: str) -> None:
    """What is no condition at all is not true, and an issue says so."""
    texts = {name: [{"type": "TextBody", "text": name}] for name in ("then", "else")}
    found, components = resolver({"type": "If", "condition": condition, **texts})
    assert [each.value["text"] for each in components if found.shown(each)] == [branch]
    assert bool(found.branch_issues()) is not isinstance(condition, bool)


def test_a_group_that_is_full_offers_no_more() -> None:
    """At max-selected-items what is selected can be deselected, and the rest not selected (group.max-disables)."""
    group = {"type": "CheckboxGroup", "name": "g", "label": "G", "data-source": ITEMS, "max-selected-items": 2}
    for selected, usable in [((), "ac"), (("a",), "ac"), (("a", "b"), "a"), (("a", "c"), "ac")]:
        found, (one,) = resolver(group, form={"g": selected})
        assert "".join(option.id for option in found.options(one) if option.enabled) == usable
        assert tuple(option.id for option in found.options(one) if option.selected) == selected


def test_a_single_choice_is_never_full() -> None:
    """A RadioButtonsGroup, a Dropdown: another option can always be selected."""
    for kind in ("RadioButtonsGroup", "Dropdown"):
        found, (one,) = resolver({"type": kind, "name": "g", "label": "G", "data-source": ITEMS}, form={"g": "a"})
        assert [(each.id, each.selected, each.enabled) for each in found.options(one)] == [
            ("a", True, True), ("b", False, False), ("c", False, True),
        ]  # fmt: skip


def test_nothing_of_a_disabled_component_can_be_chosen() -> None:
    """Whatever its items say."""
    group = {"type": "CheckboxGroup", "name": "g", "label": "G", "data-source": ITEMS, "enabled": "${data.no}"}
    found, (one,) = resolver(group, data={"no": False})
    assert not found.enabled(one)
    assert not any(option.enabled for option in found.options(one))


def test_items_come_from_data() -> None:
    """As they are: a reference in them is text. In the document, some of their properties may be references."""
    group = {"type": "CheckboxGroup", "name": "g", "label": "G", "data-source": "${data.items}"}
    items = [{"id": "a", "title": "${data.secret}", "unknown": 5}, "no item", {"title": "No id"}]
    found, (one,) = resolver(group, data={"items": items, "secret": "x"})
    assert [option.item for option in found.options(one)] == [
        {"id": "a", "title": "${data.secret}", "enabled": True, "selected": False},
        {"title": "No id", "enabled": False, "selected": False},
    ]
    written = {**group, "data-source": [{"id": "a", "title": "${data.secret}", "enabled": "${data.no}"}]}
    found, (one,) = resolver(written, data={"no": False, "secret": "x"})
    (option,) = found.options(one)
    assert option.item == {"id": "a", "title": "${data.secret}", "enabled": False, "selected": False}


def test_a_footer_waits_for_every_shown_field() -> None:
    """Fields that are not shown do not count (validity.hidden), and `enabled` has to agree (footer.enabled)."""
    footer = {"type": "Footer", "label": "Go", "on-click-action": {"name": "complete", "payload": {}}}
    field = {"type": "TextInput", "name": "a", "label": "A", "required": True, "visible": "${data.shown}"}
    for shown, value, usable in [(True, "", False), (True, "x", True), (False, "", True)]:
        found, (_, last) = resolver(field, footer, data={"shown": shown}, form={"a": value})
        assert found.enabled(last) is usable
    found, (last,) = resolver({**footer, "enabled": False})
    assert not found.enabled(last)


@pytest.mark.parametrize(
    ("payload", "usable"),
    [({}, True), (None, True), ({"a": "${data.there}", "b": "x"}, True), ({"a": "${data.missing}"}, False),
     ({"a": "${form.field}"}, True)],
)  # fmt: skip
def test_a_footer_waits_for_the_payload_of_the_next_screen(payload: Any, usable: bool) -> None:
    """A navigate hands on what is there (footer.navigate)."""
    action = {"name": "navigate", "next": {"type": "screen", "name": "NEXT"}, "payload": payload}
    children = ({"type": "TextInput", "name": "field", "label": "F"}, {"type": "Footer", "label": "Go",
                "on-click-action": action})  # fmt: skip
    found, (_, last) = resolver(*children, data={"there": "x"})
    assert found.enabled(last) is usable


def test_a_value_that_is_none_of_a_text_is_returned_as_it_is() -> None:
    """Only texts are references."""
    found, _ = resolver()
    assert [found.resolve(value, print) for value in (5, None, True, [1])] == [5, None, True, [1]]
    reported: list[Any] = []
    assert found.resolve("${data.missing}", reported.append) is NOTHING
    assert [issue.text for issue in reported] == ["${data.missing} has no value."]


def test_a_list_from_data_is_remembered_by_its_content() -> None:
    """Between two states it is not worked out again; a list that has changed is, and one that is nested too deeply."""
    group = {"type": "CheckboxGroup", "name": "g", "label": "G", "data-source": "${data.items}"}
    items: list[Any] = [{"id": "a", "title": "A"}]
    of = session(group, data={"items": items})
    first, second = (Resolver(of.flow, of.screens, "START") for _ in range(2))
    (one,) = first.components
    assert first.options(one)[0].item is second.options(one)[0].item
    items[0]["title"] = "Another"
    assert Resolver(of.flow, of.screens, "START").options(one)[0].item["title"] == "Another"
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    items[0]["more"] = deep
    for _ in range(2):
        assert Resolver(of.flow, of.screens, "START").options(one)[0].item["title"] == "Another"
    del items[0]["more"]
