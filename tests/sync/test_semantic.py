"""The differences between two Flow JSON documents are complete and correct, in terms of screens and components."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counting import steps
from whatsapp_flows.sync.comparison._semantic import compare

pytestmark = pytest.mark.slow

MAIL = {"type": "TextInput", "name": "mail", "label": "Mail"}
HEADING = {"type": "TextHeading", "text": "Welcome"}
BODY = {
    "type": "TextBody",
    "text": "A text that is long enough to be cut, because it goes on and on, about four things.",
}
FOOTER = {
    "type": "Footer",
    "label": "Send",
    "on-click-action": {"name": "complete", "payload": {"mail": "${form.mail}"}},
}
FORM = {"type": "Form", "name": "form", "children": [MAIL, FOOTER]}
DOCUMENT = {
    "version": "7.3",
    "routing_model": {"START": ["END"], "END": []},
    "screens": [
        {"id": "START", "title": "Start", "layout": {"type": "SingleColumnLayout", "children": [HEADING, BODY, FORM]}},
        {"id": "MIDDLE", "title": "Middle", "layout": {"type": "SingleColumnLayout", "children": [BODY]}},
        {"id": "END", "title": "End", "terminal": True, "layout": {"type": "SingleColumnLayout", "children": [FOOTER]}},
    ],
}


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def start(document: Any) -> Any:
    return document["screens"][0]


def children(document: Any) -> Any:
    return start(document)["layout"]["children"]


def form(document: Any) -> Any:
    return children(document)[2]["children"]


MIDDLE = 'screen MIDDLE "Middle", 1 component'
CUT = '"A text that is long enough to be cut, because it goes on an\u2026'

CASES: dict[str, tuple[Callable[[Any], object], list[str]]] = {
    "version": (lambda d: d.update(version="7.2"), ['~ version "7.3" -> "7.2"']),
    "a property of the document": (lambda d: d.update(data_api_version="3.0"), ['+ data_api_version "3.0"']),
    "a route added": (lambda d: d["routing_model"]["START"].append("MIDDLE"), ["+ route START -> MIDDLE"]),
    "a route removed": (lambda d: d["routing_model"].update(START=[]), ["- route START -> END"]),
    "a screen with no routes": (lambda d: d["routing_model"].update(MIDDLE=[]), ["+ route MIDDLE -> nowhere"]),
    "no routing model": (lambda d: d.pop("routing_model"), ["- route START -> END", "- route END -> nowhere"]),
    "routes given twice": (
        lambda d: d["routing_model"].update(START=["END", "END"]), ['+ routing_model.START[1] "END"'],
    ),
    "routes of no form": (
        lambda d: d["routing_model"].update(START="END"), ['~ routing_model.START ["END"] -> "END"'],
    ),
    "a screen added": (
        lambda d: d["screens"].append({"id": "NEW", "title": "New"}), ['+ screen NEW "New", 0 components'],
    ),
    "a screen removed": (lambda d: d["screens"].pop(1), [f"- {MIDDLE}"]),
    "a screen renamed": (lambda d: start(d).update(id="FIRST"), ["~ screen FIRST, which was START"]),
    "a screen renamed and changed": (
        lambda d: (start(d).update(id="FIRST"), children(d).pop(0)),
        ["~ screen FIRST, which was START", '- FIRST: TextHeading "Welcome"'],
    ),
    "a screen replaced": (
        lambda d: d["screens"].__setitem__(1, {"id": "OTHER", "layout": {"type": "SingleColumnLayout"}}),
        [f"- {MIDDLE}", "+ screen OTHER 0 components"],
    ),
    "a screen moved": (
        lambda d: d["screens"].append(d["screens"].pop(0)), ["~ screen START moved from screens[0] to screens[2]"],
    ),
    "a property of a screen": (lambda d: start(d).update(title="Hi"), ['~ screen START: title "Start" -> "Hi"']),
    "a property of a layout": (
        lambda d: start(d)["layout"].update(type="X"), ['~ screen START: layout.type "SingleColumnLayout" -> "X"'],
    ),
    "a component added": (
        lambda d: children(d).insert(0, {"type": "TextBody", "text": "Hello"}), ['+ START: TextBody "Hello"'],
    ),
    "a component removed": (lambda d: form(d).pop(0), ['- START: TextInput "mail"']),
    "a component changed": (
        lambda d: form(d)[0].update(label="E-mail"), ['~ START: TextInput "mail": label "Mail" -> "E-mail"'],
    ),
    "a component of another type": (
        lambda d: form(d)[0].update(type="TextArea"), ['~ START: TextArea "mail": type "TextInput" -> "TextArea"'],
    ),
    "a property added": (lambda d: form(d)[0].update(required=True), ['+ START: TextInput "mail": required true']),
    "a property removed": (lambda d: form(d)[0].pop("label"), ['- START: TextInput "mail": label "Mail"']),
    "a property deep inside": (
        lambda d: form(d)[1]["on-click-action"]["payload"].update(mail="x"),
        ['~ START: Footer "Send": on-click-action.payload.mail "${form.mail}" -> "x"'],
    ),
    "a component renamed": (
        lambda d: form(d)[0].update(name="email"), ['~ START: TextInput "email": name "mail" -> "email"'],
    ),
    "components in another order": (
        lambda d: children(d).insert(0, children(d).pop(1)),
        [f"~ START: TextBody {CUT} moved from layout.children[1] to layout.children[0]"],
    ),
    "a component in another container": (
        lambda d: children(d).append(form(d).pop(0)),
        ['~ START: TextInput "mail" moved from layout.children[2].children[0] to layout.children[3]'],
    ),
    "the middle of a long text": (
        lambda d: children(d)[1].update(text=BODY["text"].replace("four", "five")),
        [f'~ START: TextBody {CUT}: text \u2026and on, about four things." -> \u2026and on, about five things."'],
    ),
    "another text before one that was edited": (
        lambda d: (children(d)[1].update(text=BODY["text"][:-1]), children(d).insert(0, {**BODY, "text": "Hi"})),
        ['+ START: TextBody "Hi"', f'~ START: TextBody {CUT}: text \u2026out four things." -> \u2026out four things"'],
    ),
    "a container without components": (
        lambda d: children(d)[2].update(children=[]),
        ['- START: TextInput "mail"', '- START: Footer "Send"', '+ START: Form "form": children []'],
    ),
    "components that are none": (
        lambda d: children(d)[2].update(children=[1]),
        ['- START: TextInput "mail"', '- START: Footer "Send"', '+ START: Form "form": children [1]'],
    ),
    "true for one": (lambda d: d["screens"][2].update(terminal=1), ["~ screen END: terminal true -> 1"]),
    "an id that is none": (
        lambda d: start(d).update(id=7),
        ["~ screen screens[0], which was START", '~ screen screens[0]: id "START" -> 7'],
    ),
    "screens that are none": (
        lambda d: d.update(screens=7),
        [
            "+ screens 7", '- screen START "Start", 5 components', f"- {MIDDLE}", '- screen END "End", 1 component',
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_difference_is_a_line(case: str) -> None:
    """With its place, the old value and the new value."""
    change, lines = CASES[case]
    after = json.loads(encoded(DOCUMENT))
    change(after)
    assert compare(encoded(DOCUMENT), encoded(after)).lines() == lines


def test_items_of_a_list_are_compared_one_by_one() -> None:
    """An item added in the middle of a list is one difference, and the items after it are none."""
    items = [{"id": str(number), "title": f"Item {number}"} for number in range(5)]
    group = {"type": "RadioButtonsGroup", "name": "one", "data-source": items}

    def document(*now: Any) -> bytes:
        screen = {"id": "A", "layout": {"type": "SingleColumnLayout", "children": [{**group, "data-source": [*now]}]}}
        return encoded({"screens": [screen]})

    before = document(*items)
    assert compare(before, document(*items[:2], *items[3:])).lines() == [
        '- A: RadioButtonsGroup "one": data-source[2] {"id": "2", "title": "Item 2"}'
    ]
    assert compare(before, document(*items[:2], {"id": "2", "title": "New"}, *items[3:], {"id": "5"})).lines() == [
        '~ A: RadioButtonsGroup "one": data-source[2].title "Item 2" -> "New"',
        '+ A: RadioButtonsGroup "one": data-source[5] {"id": "5"}',
    ]


def test_components_in_branches() -> None:
    """A component in an If or a Switch may move between branches."""

    def document(then: list[Any], other: list[Any]) -> bytes:
        branch = {"type": "If", "condition": "${data.x}", "then": then}
        switch = {"type": "Switch", "value": "${data.x}", "cases": {"a": other, "b": [HEADING], "c": []}}
        return encoded({"screens": [{"id": "A", "layout": {"type": "L", "children": [branch, switch]}}]})

    assert compare(document([MAIL], [BODY]), document([BODY], [MAIL, FOOTER])).lines() == [
        f"~ A: TextBody {CUT} moved from layout.children[1].cases.a[0] to layout.children[0].then[0]",
        '~ A: TextInput "mail" moved from layout.children[0].then[0] to layout.children[1].cases.a[0]',
        '+ A: Footer "Send"',
    ]


def test_a_new_flow_is_a_list_of_its_screens() -> None:
    """And so is a removed one."""
    assert compare(None, encoded(DOCUMENT)).lines() == [
        '+ version "7.3"',
        "+ route START -> END",
        "+ route END -> nowhere",
        '+ screen START "Start", 5 components',
        f"+ {MIDDLE}",
        '+ screen END "End", 1 component',
    ]
    assert compare(encoded(DOCUMENT), None).lines()[-1] == '- screen END "End", 1 component'
    assert not compare(None, None)


def test_a_difference_as_json() -> None:
    """Every key is always there, and the place is the one that Meta would name."""
    after = json.loads(encoded(DOCUMENT))
    form(after)[0]["label"] = "E-mail"
    assert compare(encoded(DOCUMENT), encoded(after)).as_json() == [
        {
            "kind": "changed",
            "subject": "component",
            "screen": "START",
            "component": 'TextInput "mail"',
            "property": "label",
            "before": '"Mail"',
            "after": '"E-mail"',
            "path": "screens[0].layout.children[2].children[0].label",
        }
    ]


@pytest.mark.parametrize("content", [b"", b"[", b"[]", b"7", b"\xff", b'"text"', b"NaN", b"1" * 5000])
def test_a_document_that_is_no_flow_json_is_one_difference(content: bytes) -> None:
    """And none from itself."""
    assert compare(encoded(DOCUMENT), content).lines() == ["~ document a Flow JSON -> not a JSON object"]
    assert not compare(content, content)


def test_deeply_nested_documents_are_compared() -> None:
    """As deep as can be parsed, and deeper."""
    for depth in (300, 900, 100_000):
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        assert not compare(deep, deep)
        assert len(compare(deep, deep.replace(b"1", b"2")).differences) == 1
    layouts = b'{"screens":[{"layout":' + b'{"children":[{"type":"Form",' * 300
    assert compare(layouts + b'"a":1' + b"}]}" * 300 + b"}]}", layouts + b'"a":2' + b"}]}" * 300 + b"}]}")


words = st.sampled_from(["", "a", "b", "START", "TextBody", "\u00e9\n", "x" * 70])
leaves = words | st.booleans() | st.none() | st.sampled_from([0, 1, 1.0, -5, 1e300])
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | st.sampled_from(["children", "cases", "type", "name", "id"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def objects(required: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


simple = objects({"type": words}, name=words, text=words, label=anything)
components = st.recursive(
    simple,
    lambda inner: objects(
        {"type": words},
        name=words,
        children=st.lists(inner, max_size=3),
        then=st.lists(inner, max_size=2) | anything,
        cases=st.dictionaries(words, st.lists(inner, max_size=2) | anything, max_size=2),
    ),
    max_leaves=8,
)
layouts = objects({}, type=words, children=st.lists(components, max_size=5) | anything)
screens = objects({}, id=words | anything, title=anything, layout=layouts | anything)
routes = st.dictionaries(words, st.lists(words, max_size=3), max_size=3)
flows = objects({}, version=anything, routing_model=routes | anything, screens=st.lists(screens, max_size=4) | anything)


def canonical(document: Any) -> str:
    return json.dumps(document, sort_keys=True)


def mirrored(diff: Any) -> Counter[tuple[Any, ...]]:
    """The differences as they look from the other side."""
    turned = {"added": "removed", "removed": "added"}
    return Counter((turned.get(d.kind, d.kind), d.subject, d.property, d.after, d.before) for d in seen(diff))


def seen(diff: Any) -> list[Any]:
    """Without moves: of two that changed places, either may be the moved one."""
    return [each for each in diff.differences if each.kind != "moved"]


@given(flows)
def test_a_document_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    """However it is written."""
    turned = {key: document[key] for key in reversed(document)}
    assert not compare(encoded(document), json.dumps(turned, indent=3).encode())


@given(flows, flows)
def test_every_difference_is_reported(before: dict[str, Any], after: dict[str, Any]) -> None:
    """There are no differences if, and only if, the documents are equal; each difference has a line."""
    diff = compare(encoded(before), encoded(after))
    assert bool(diff) == (canonical(before) != canonical(after))
    assert len(diff.lines()) == len(json.dumps(diff.as_json()) and diff.differences)


@given(flows, flows)
def test_the_opposite_comparison_has_the_opposite_differences(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Added becomes removed, and moves go back."""
    there, back = compare(encoded(before), encoded(after)), compare(encoded(after), encoded(before))
    assert mirrored(there) == Counter((d.kind, d.subject, d.property, d.before, d.after) for d in seen(back))
    assert len(there.differences) == len(back.differences)


@given(flows, st.data())
def test_one_change_anywhere_is_found(document: dict[str, Any], data: st.DataObject) -> None:
    """A new property is found anywhere in a document."""
    places: list[dict[str, Any]] = []
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            places.append(value)
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    before = encoded(document)
    data.draw(st.sampled_from(places))["marker"] = ["here"]
    assert compare(before, encoded(document))


def test_the_work_is_linear() -> None:
    """Ten times the components take about ten times as many steps, whatever their order."""

    def steps_for(count: int) -> int:
        items = [{"type": "TextBody", "text": f"{number}"} for number in range(count)]
        one = {"screens": [{"id": "A", "layout": {"children": items}}]}
        other = {"screens": [{"id": "A", "layout": {"children": items[::-1]}}]}
        before, after = encoded(one), encoded(other)
        assert len(compare(before, after).differences) == count - 1
        return steps(lambda: compare(before, after))

    assert steps_for(1_000) < 15 * steps_for(100)
