"""
NavigationList: its items, its actions, and what else may be on its screen.

Sources: Meta, Flow JSON reference ("NavigationList"); Meta's client validator, August 2026. The misspelled code is
Meta's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..schema import Component, Document, Finding, Version
from ._component_facts import static_items
from ._index import index
from ._rule import Newer, Rule

KIND: Final = "NavigationList"
SINCE: Final = Version(6, 2)
MAX_LISTS: Final = 2
MAX_BADGES: Final = 1
_END: Final = ("title", "description", "metadata")


def list_with_other_components(doc: Document) -> Iterator[Finding]:
    """
    Beside a NavigationList, its screen may have one more NavigationList, and a Form around them.

    Passes: {"children": [{"type": "NavigationList", "name": "a"}]}
    Fails: {"children": [{"type": "NavigationList", "name": "a"}, {"type": "Footer"}]}
    """
    for i, lists in index(doc).by_screen(KIND).items():
        others = {component.type for component in doc.screens[i].components} - {KIND, "Form"}
        if others or len(lists) > MAX_LISTS:
            message = f"A screen with a NavigationList has at most {MAX_LISTS} of them and nothing else but a Form."
            for found in lists:
                yield Finding("INVALID_COMPONENT_PLACEMENT", message, found.at("type"))


def list_on_terminal_screen(doc: Document) -> Iterator[Finding]:
    """
    A screen with a NavigationList is not terminal.

    Passes: {"screens": [{"children": [{"type": "NavigationList", "name": "a"}]}]}
    Fails: {"screens": [{"terminal": true, "children": [{"type": "NavigationList", "name": "a"}]}]}
    """
    for i in index(doc).by_screen(KIND):
        if doc.screens[i].value.get("terminal") is True:
            message = "The property terminal is not allowed on a screen with a NavigationList."
            yield Finding("INVALID_PROPERTY_KEY", message, doc.screens[i].at())


def large_media_with_end(doc: Document) -> Iterator[Finding]:
    """
    Items with an `end` have no large images.

    Passes: {"children": [{"type": "NavigationList", "media-size": "large", "list-items": [{}]}]}
    Fails: {"children": [{"type": "NavigationList", "media-size": "large", "list-items": [{"end": {"title": "x"}}]}]}
    """
    for _, found in index(doc).of(KIND):
        if found.value.get("media-size") == "large" and any("end" in item for _, item in _items(found)):
            message = "media-size is not large where an item has an end."
            yield Finding("INVALID_PROPERTY_VALUE_FOR_CONDITION", message, found.at())


def wrong_end(doc: Document) -> Iterator[Finding]:
    """
    The end of an item has one or two of title, description and metadata.

    Passes: {"children": [{"type": "NavigationList", "list-items": [{"end": {"title": "x"}}]}]}
    Fails: {"children": [{"type": "NavigationList", "list-items": [{"end": {}}]}]}
    """
    for _, found in index(doc).of(KIND):
        for i, item in _items(found):
            end = item.get("end")
            if isinstance(end, dict) and sum(key in end for key in _END) not in (1, 2):
                message = f"The end of an item has one or two of [{', '.join(_END)}]."
                yield Finding("DUPLICATE_PROPETY_FOR_CONDITION", message, found.at("list-items", i, "end"))


def list_action_at_both_levels(doc: Document) -> Iterator[Finding]:
    """
    on-click-action is given for the list or for its items, not for both.

    Passes: {"children": [{"type": "NavigationList", "on-click-action": {}, "list-items": [{}]}]}
    Fails: {"children": [{"type": "NavigationList", "on-click-action": {}, "list-items": [{"on-click-action": {}}]}]}
    """
    for _, found in index(doc).of(KIND):
        acting = [i for i, item in _items(found) if "on-click-action" in item]
        if acting and "on-click-action" in found.value:
            message = "on-click-action stands at the list or at its items, not at both."
            yield Finding("DUPLICATE_PROPETY_FOR_CONDITION", message, found.at("on-click-action"))
            for i in acting:
                yield Finding("DUPLICATE_PROPETY_FOR_CONDITION", message, found.at("list-items", i, "on-click-action"))


def list_without_action(doc: Document) -> Iterator[Finding]:
    """
    on-click-action is given for the list or for every item. Items behind a reference may have their own.

    Passes: {"children": [{"type": "NavigationList", "list-items": [{"on-click-action": {}}]}]}
    Fails: {"children": [{"type": "NavigationList", "list-items": [{"on-click-action": {}}, {}]}]}
    """
    for _, found in index(doc).of(KIND):
        needed = "on-click-action" not in found.value
        if needed and not all("on-click-action" in item for _, item in _items(found)):
            message = "A NavigationList needs an on-click-action for itself or for every item."
            yield Finding("MISSING_REQUIRED_PROPERTY", message, found.at())


def too_many_badges(doc: Document) -> Iterator[Finding]:
    """
    At most one item of a list has a badge.

    Passes: {"children": [{"type": "NavigationList", "list-items": [{"badge": "New"}, {}]}]}
    Fails: {"children": [{"type": "NavigationList", "list-items": [{"badge": "New"}, {"badge": "New"}]}]}
    """
    for _, found in index(doc).of(KIND):
        if sum("badge" in item for _, item in _items(found)) > MAX_BADGES:
            message = f"At most {MAX_BADGES} item of list-items has a badge."
            yield Finding("MAX_ITEMS_REQUIRED", message, found.at())


def _items(found: Component) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return static_items(found, "list-items")


RULES: Final = (
    Rule(
        "FJ640",
        "a NavigationList that is not alone",
        list_with_other_components,
        since=SINCE,
        needs=(KIND,),
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule("FJ641", "a NavigationList on a terminal screen", list_on_terminal_screen, since=SINCE, needs=(KIND,)),
    Rule("FJ642", "large images beside an end", large_media_with_end, since=SINCE, needs=(KIND,)),
    Rule(
        "FJ643",
        "an end with nothing or with everything",
        wrong_end,
        since=SINCE,
        needs=(KIND,),
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule("FJ644", "actions of the list and of its items", list_action_at_both_levels, since=SINCE, needs=(KIND,)),
    Rule(
        "FJ645",
        "a NavigationList that does nothing",
        list_without_action,
        since=SINCE,
        needs=(KIND,),
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule("FJ646", "more than one badge", too_many_badges, since=SINCE, needs=(KIND,)),
)
