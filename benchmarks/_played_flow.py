"""A valid Flow whose first screen is full: what a player and a page have to keep up with."""

from __future__ import annotations

from typing import Any, Final

SHOWN: Final = 50
"""Components of the full screen. Meta, Flow JSON reference: the most that a screen may have."""
_OPTIONS: Final = 10  # of each group


def full_screen_flow() -> dict[str, Any]:
    """A Flow of two screens; the first has 50 components, half of them fields, with branches and expressions."""
    fields = [component for number in range(8) for component in _fields(number)]
    texts = [component for number in range(8) for component in _texts(number)]
    names = [field["name"] for field in fields]
    footer = {
        "type": "Footer",
        "label": "Continue",
        "on-click-action": {
            "name": "navigate",
            "next": {"type": "screen", "name": "END"},
            "payload": {name: f"${{form.{name}}}" for name in names[::3]},
        },
    }
    branch = {"type": "If", "condition": "${form.agree}", "then": [_body("Agreed")], "else": [_body("Not yet agreed")]}
    agree = {"type": "OptIn", "name": "agree", "label": "I agree", "required": True}
    children = [component for pair in zip(fields, texts, strict=True) for component in pair]
    return {
        "version": "7.3",
        "screens": [
            _screen("START", [*children[:-3], agree, branch, footer]),
            _screen(
                "END",
                [
                    _body("Done"),
                    {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {}}},
                ],
                terminal=True,
                data={name: {"type": "string", "__example__": "x"} for name in names[::3]},
            ),
        ],
    }


def _screen(name: str, children: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"id": name, "title": name.title(), **more, "layout": {"type": "SingleColumnLayout", "children": children}}


def _fields(number: int) -> tuple[dict[str, Any], ...]:
    options = [{"id": f"o{each}", "title": f"Option {each}"} for each in range(_OPTIONS)]
    return (
        {"type": "TextInput", "name": f"text{number}", "label": f"Text {number}", "required": True, "min-chars": 2,
         "helper-text": "At least two characters"},
        {"type": "RadioButtonsGroup", "name": f"one{number}", "label": f"One of {number}", "data-source": options},
        {"type": "CheckboxGroup", "name": f"some{number}", "label": f"Some of {number}", "data-source": options,
         "max-selected-items": 3},
    )  # fmt: skip


def _texts(number: int) -> tuple[dict[str, Any], ...]:
    return (
        _body(f"`'You wrote: ' ${{form.text{number}}}`"),
        {**_body(f"Chosen: {number}"), "visible": f"`${{form.one{number}}} != ''`"},
        {
            "type": "TextBody",
            "markdown": True,
            "text": "Some **bold** and *italic* text, and a [link](https://example.com).",
        },
    )


def _body(text: str) -> dict[str, Any]:
    return {"type": "TextBody", "text": text}
