"""Valid Flow JSON of any size, for the benchmarks of documents and of many flows."""

from __future__ import annotations

import json
from typing import Any, Final

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LONGEST_LIST: Final = 200  # items, as many as the client app takes
_ITEM_BYTES: Final = 89  # of one item, about
_SCREEN_BYTES: Final = 1_100  # of a screen without its lists, about


def made_flow(*, screens: int, size: int) -> str:
    """
    A valid document of Flow JSON 7.3 with so many screens and about so many bytes, indented by one blank.

    Each screen takes fields from the one before it, shows them, asks with lists and a text, and hands the answers on.
    """
    per_screen = max(2, (size // screens - _SCREEN_BYTES) // _ITEM_BYTES)
    lists = [min(_LONGEST_LIST, per_screen - first) for first in range(0, per_screen, _LONGEST_LIST)]
    document = {"version": "7.3", "screens": [_screen(number, screens, lists) for number in range(screens)]}
    return json.dumps(document, indent=1)


def screen_id(number: int) -> str:
    """SCREEN_A, SCREEN_B ... SCREEN_AA: letters only, as Meta requires."""
    letters = ""
    while True:
        number, letter = divmod(number, len(ALPHABET))
        letters = ALPHABET[letter] + letters
        if not number:
            return f"SCREEN_{letters}"
        number -= 1


def _screen(number: int, screens: int, lists: list[int]) -> dict[str, Any]:
    last = number == screens - 1
    names = ["remark", *(f"choice_{index}" for index in range(len(lists)))]
    payload = {f"answer_{name}": f"${{form.{name}}}" for name in names}
    action: dict[str, Any] = {"name": "complete", "payload": payload}
    if not last:
        action = {
            "name": "navigate",
            "next": {"type": "screen", "name": screen_id(number + 1)},
            "payload": payload,
        }
    screen: dict[str, Any] = {"id": screen_id(number), "title": f"Screen {number + 1}"}
    if number:
        screen["data"] = {name: {"type": "string", "__example__": "An example of it"} for name in payload}
    if last:
        screen["terminal"] = True
    shown = [{"type": "TextBody", "text": f"${{data.{name}}}"} for name in payload] if number else []
    children = [
        {"type": "TextHeading", "text": f"Question {number + 1}: what would you like?"},
        *shown,
        *(
            {"type": "Dropdown", "name": name, "label": "Choose one", "data-source": _items(count)}
            for name, count in zip(names[1:], lists, strict=True)
        ),
        {"type": "TextInput", "name": "remark", "label": "Remark", "helper-text": "Anything that matters"},
        {"type": "Footer", "label": "Continue", "on-click-action": action},
    ]
    return {**screen, "layout": {"type": "SingleColumnLayout", "children": children}}


def _items(count: int) -> list[dict[str, str]]:
    return [{"id": f"item_{number}", "title": f"The item with the number {number}"} for number in range(count)]
