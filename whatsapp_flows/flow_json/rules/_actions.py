"""
Actions: where they lead, and conflicts between them. Which component takes which action is in the tables.

Sources: Meta, Flow JSON reference; Meta's client validator, August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..schema import Document, Finding, Version
from ._component_facts import static_items
from ._index import index
from ._routing import nearest_screen
from ._rule import Rule


def unknown_next_screen(doc: Document) -> Iterator[Finding]:
    """
    The next screen of navigate exists in the document. A name that is a reference is not checked.

    Passes: {"screens": [{"go": "B"}, {}]}
    Fails: {"screens": [{"go": "C"}, {}]}
    """
    for action in index(doc).actions.get("navigate", ()):
        if action.target is not None and action.target not in index(doc).screens:
            yield Finding(
                "INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME",
                f"There is no screen {action.target!r}.{nearest_screen(doc, action.target)}",
                (*action.pointer, "next", "name"),
            )  # fmt: skip


def navigation_to_itself(doc: Document) -> Iterator[Finding]:
    """
    navigate leads to another screen than its own.

    Passes: {"screens": [{"go": "B"}, {}]}
    Fails: {"screens": [{"go": "A"}, {}]}
    """
    for action in index(doc).actions.get("navigate", ()):
        if action.target == action.screen.id:
            yield Finding(
                "INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME", f"Screen {action.target!r} navigates to itself.",
                (*action.pointer, "next", "name"),
            )  # fmt: skip


def complete_before_the_end(doc: Document) -> Iterator[Finding]:
    """
    complete is used on terminal screens only.

    Passes: {"screens": [{"terminal": true, "children": [{"type": "Footer", "on-click-action": {"name": "complete"}}]}]}
    Fails: {"screens": [{"children": [{"type": "Footer", "on-click-action": {"name": "complete"}}]}]}
    """
    for action in index(doc).actions.get("complete", ()):
        if action.screen.value.get("terminal") is not True:
            yield Finding(
                "INVALID_COMPLETE_ACTION", f"complete is for terminal screens; {action.screen.id!r} is none.",
                (*action.pointer, "name"),
            )  # fmt: skip


def action_at_both_levels(doc: Document) -> Iterator[Finding]:
    """
    A select action is given for the component or for its items, not for both.

    Passes: {"children": [{"type": "Dropdown", "data-source": [{"on-select-action": {"name": "update_data"}}]}]}
    Fails: {"children": [{"type": "Dropdown", "on-select-action": {"name": "update_data"},
        "data-source": [{"on-select-action": {"name": "update_data"}}]}]}
    """
    for _, component in index(doc).of("CheckboxGroup", "RadioButtonsGroup", "Dropdown"):
        for key in ("on-select-action", "on-unselect-action"):
            if key in component.value:
                for i, item in static_items(component, "data-source"):
                    if key in item:
                        yield Finding(
                            "INVALID_UPDATE_DATA_ACTION_PAYLOAD",
                            f"{component.type} has {key} both for itself and for its items.",
                            component.at("data-source", i, key),
                        )  # fmt: skip


RULES: Final = (
    Rule("FJ302", "navigation to an unknown screen", unknown_next_screen, needs=("navigate",)),
    Rule("FJ303", "navigation to the own screen", navigation_to_itself, needs=("navigate",)),
    Rule("FJ304", "complete on a screen that is not terminal", complete_before_the_end, needs=("complete",)),
    Rule(
        "FJ305",
        "one action at two levels",
        action_at_both_levels,
        since=Version(6, 0),
        needs=("on-select-action", "on-unselect-action"),
    ),
)
