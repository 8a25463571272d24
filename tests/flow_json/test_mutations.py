"""
Valid documents of several versions, broken at one place: a missing requirement is reported where it is missing.

Requirements are listed here again, from Meta's reference, because the tables of the package are under test.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.flow_json.samples import TODAY, samples
from whatsapp_flows.flow_json import Report, validate
from whatsapp_flows.flow_json.text import format_pointer

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

Steps = tuple[str | int, ...]
DOCUMENTS: Final = {name: document for name, document in samples() if "-" in name or name == "loan_application"}
REQUIRED: Final = {
    "TextHeading": ("text",), "TextSubheading": ("text",), "TextBody": ("text",), "TextCaption": ("text",),
    "RichText": ("text",), "TextInput": ("name", "label"), "TextArea": ("name", "label"),
    "CheckboxGroup": ("name", "data-source"), "RadioButtonsGroup": ("name", "data-source"),
    "Dropdown": ("name", "label", "data-source"), "ChipsSelector": ("name", "label", "data-source"),
    "OptIn": ("name", "label"), "EmbeddedLink": ("text", "on-click-action"), "DatePicker": ("name", "label"),
    "CalendarPicker": ("name", "label"), "Image": ("src",), "ImageCarousel": ("images",),
    "PhotoPicker": ("name", "label"), "DocumentPicker": ("name", "label"), "NavigationList": ("name", "list-items"),
    "Footer": ("label", "on-click-action"), "Form": ("name", "children"), "If": ("condition", "then"),
    "Switch": ("value", "cases"),
}  # fmt: skip
ITEMS: Final = {
    "data-source": ("id", "title"),
    "list-items": ("id", "main-content"),
    "images": ("src", "alt-text"),
}
# What a value is not, by its type: none of these fits a place that takes the type.
OTHERS: Final[dict[type, tuple[Any, ...]]] = {
    str: (5, None, {"a": "b"}),
    bool: (5, None, "yes"),
    int: ("five", None, [], {}),
    list: (5, None, "none", {}),
    dict: (5, None, "none", []),
}


def required(document: dict[str, Any]) -> Iterator[Steps]:
    """All places of a document at which something has to be."""
    version = document["version"]
    yield ("version",)
    yield ("screens",)
    for i, screen in enumerate(document["screens"]):
        at: Steps = ("screens", i)
        yield from ((*at, key) for key in ("id", "title", *(["layout"] if version >= "6.0" else [])))
        yield from ((*at, "layout", key) for key in ("type", "children"))
        for name in screen.get("data", ()):
            yield from ((*at, "data", name, key) for key in ("type", "__example__"))
        for place, component in components(screen["layout"]["children"], (*at, "layout", "children")):
            yield from of_component(component, place, version)


def components(children: list[Any], at: Steps) -> Iterator[tuple[Steps, dict[str, Any]]]:
    for i, component in enumerate(children):
        yield (*at, i), component
        for key in ("children", "then", "else"):
            yield from components(component.get(key, []), (*at, i, key))
        for case, inner in component.get("cases", {}).items():
            yield from components(inner, (*at, i, "cases", case))


def of_component(component: dict[str, Any], at: Steps, version: str) -> Iterator[Steps]:
    kind = component["type"]
    grouped = kind in ("CheckboxGroup", "RadioButtonsGroup") and version >= "4.0"
    yield from ((*at, key) for key in ("type", *REQUIRED[kind], *(["label"] if grouped else [])))
    for key in ("on-click-action", "on-select-action", "on-unselect-action"):
        yield from of_action(component.get(key), (*at, key))
    for key, needed in ITEMS.items():
        listed = component.get(key)
        for i, item in enumerate(listed if isinstance(listed, list) else ()):
            yield from ((*at, key, i, each) for each in needed)
            if key == "list-items":
                yield (*at, key, i, "main-content", "title")
            for action in ("on-click-action", "on-select-action", "on-unselect-action"):
                yield from of_action(item.get(action), (*at, key, i, action))


def of_action(action: Any, at: Steps) -> Iterator[Steps]:
    if isinstance(action, dict):
        yield (*at, "name")
        if action["name"] == "navigate":
            yield from ((*at, "next"), (*at, "next", "name"), (*at, "next", "type"))
        if at[-1] != "on-click-action":
            yield (*at, "payload")


def nodes(value: Any, at: Steps = ()) -> Iterator[Steps]:
    held: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in held:
        yield (*at, step)
        yield from nodes(inner, (*at, step))


def get(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


def places(report: Report) -> set[str | None]:
    """The paths of all errors."""
    return {pointer.path for issue in report.errors for pointer in issue.pointers}


def check(document: dict[str, Any]) -> Report:
    report = validate(document, today=TODAY)
    assert isinstance(report.render(), str)
    return report


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_are_valid(name: str) -> None:
    """The samples have no issue, and have everything that is listed as required."""
    document = DOCUMENTS[name]
    assert check(document).errors == ()
    found = list(required(document))
    assert len(found) > 15
    assert all(get(document, steps) is not None for steps in found)


@pytest.mark.parametrize("how", ["drop", "rename", "retype", "move"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_missing_requirement_is_reported_everywhere(name: str, how: str) -> None:
    """Each required part of each document, dropped, renamed, retyped or moved, causes an error there."""
    for steps in required(DOCUMENTS[name]):
        for document, expected in broken(DOCUMENTS[name], steps, how):
            found = places(check(document))
            assert found & expected, (steps, expected, found)


def broken(original: dict[str, Any], steps: Steps, how: str) -> Iterator[tuple[dict[str, Any], set[str | None]]]:
    """The document broken at a place, in each way of this kind, and the paths of which one must be reported."""
    *around, last = steps
    here, parent, text = format_pointer(steps), format_pointer(tuple(around)), json.dumps(original)
    for other in OTHERS[type(get(original, steps))] if how == "retype" else (None,):
        if last == "text" and isinstance(other, str):  # which may be a list, and need not
            continue
        document = json.loads(text)
        owner = get(document, tuple(around))
        if how == "retype":
            owner[last] = other
            yield document, {here, parent}
            continue
        value = owner.pop(last)
        if how == "rename":
            owner[f"{last}-x"] = value
        elif how == "move":
            document.setdefault("meta", {})[str(last)] = value
        yield document, {parent, format_pointer((*around, f"{last}-x"))}


@settings(max_examples=some(150), deadline=None)
@given(st.data())
def test_nothing_raises_whatever_is_broken(data: st.DataObject) -> None:
    """Up to five nodes dropped, renamed, retyped, doubled or moved give a report, twice the same one."""
    document = copy.deepcopy(data.draw(st.sampled_from(list(DOCUMENTS.values()))))
    for _ in range(data.draw(st.integers(1, 5))):
        found = list(nodes(document))
        if not found:
            break
        steps = data.draw(st.sampled_from(found))
        last: Any = steps[-1]
        owner: Any = get(document, steps[:-1])
        how = data.draw(st.sampled_from(["drop", "rename", "retype", "double", "move"]))
        if how == "retype":
            owner[last] = data.draw(st.sampled_from([None, True, 0, 1.5, "", "x", "${data.x}", "`1`", [], {}, [{}]]))
        elif how == "double" and isinstance(owner, list):
            owner.insert(data.draw(st.integers(0, len(owner))), copy.deepcopy(owner[last]))
        else:
            value = owner.pop(last)
            if how == "rename" and isinstance(owner, dict):
                owner[data.draw(st.sampled_from([f"{last}-x", str(last).upper(), ""]))] = value
            elif how in ("move", "double"):
                targets = [document, *(held for at in nodes(document) if isinstance(held := get(document, at), dict))]
                data.draw(st.sampled_from(targets))[str(last)] = value
    report = check(document)
    assert report.issues == check(document).issues
    text = json.dumps(document, ensure_ascii=False, indent=1)
    assert {(i.error, i.message) for i in validate(text, today=TODAY).errors} == {
        (i.error, i.message) for i in report.errors
    }


@settings(max_examples=some(60), deadline=None)
@given(st.data())
def test_a_key_that_does_not_belong_is_found(data: st.DataObject) -> None:
    """An unknown key is found in the root, a screen, a layout, a component, an item and an action."""
    document = copy.deepcopy(data.draw(st.sampled_from(list(DOCUMENTS.values()))))
    owners = sorted({steps[:-1] for steps in required(document) if "data" not in steps}, key=str)
    at = data.draw(st.sampled_from(owners))
    key = data.draw(st.text("abcdefghij", min_size=12, max_size=14))
    get(document, at)[key] = data.draw(st.sampled_from([None, 1, "x", [], {}]))
    issues = check(document).errors
    assert [(issue.error, issue.pointers[0].path) for issue in issues] == [
        ("INVALID_PROPERTY_KEY", format_pointer((*at, key)))
    ]


@settings(max_examples=some(60), deadline=None)
@given(st.data())
def test_duplicates_are_found(data: st.DataObject) -> None:
    """Of a duplicated screen, input or Footer the copy is reported, or both."""
    document = copy.deepcopy(data.draw(st.sampled_from(list(DOCUMENTS.values()))))
    doubled: list[tuple[Steps, str, str]] = [(("screens", i), "id", "DUPLICATE_SCREEN_IDS")
                                             for i in range(len(document["screens"]))]  # fmt: skip
    for i, screen in enumerate(document["screens"]):
        for at, component in components(screen["layout"]["children"], ("screens", i, "layout", "children")):
            if component["type"] == "Footer":
                doubled.append((at, "type", "COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN"))
            elif "name" in component and component["type"] != "Form":
                doubled.append((at, "name", "DUPLICATE_FORM_COMPONENT_NAMES"))
    (*around, last), key, code = data.draw(st.sampled_from(doubled))
    owner, position = get(document, tuple(around)), int(last)
    owner.insert(position + 1, copy.deepcopy(owner[position]))
    found = {(issue.error, pointer.path) for issue in check(document).errors for pointer in issue.pointers}
    assert (code, format_pointer((*around, position + 1, key))) in found
