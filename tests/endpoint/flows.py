"""The Flows that answers are checked against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[2] / "examples"
EXAMPLES = sorted((_FOLDER / "flows").glob("*.json"))
WITH_ENDPOINT = _FOLDER / "endpoint" / "booking.json"

SLOTS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "title": {"type": "string"}, "image": {"type": "string"}},
    },
    "__example__": [{"id": "9", "title": "9:00", "image": "aGVsbG8="}],
}
TEXT: dict[str, Any] = {"type": "string", "__example__": "x"}


def image(reference: str) -> dict[str, Any]:
    return {"type": "Image", "src": reference, "alt-text": "a picture"}


BOOKING: dict[str, Any] = {
    "version": "7.3",
    "data_api_version": "4.0",
    "routing_model": {"CHOOSE": ["DETAILS", "PHOTOS"], "DETAILS": ["CONFIRM"], "PHOTOS": ["CONFIRM"], "CONFIRM": []},
    "screens": [
        {
            "id": "CHOOSE",
            "title": "Choose",
            "data": {"dates": SLOTS, "count": {"type": "integer", "__example__": 2}},
            "layout": {
                "type": "SingleColumnLayout",
                "children": [
                    {
                        "type": "Form",
                        "name": "f",
                        "children": [
                            {
                                "type": "RadioButtonsGroup",
                                "name": "date",
                                "label": "When",
                                "data-source": "${data.dates}",
                            },
                            {
                                "type": "Footer",
                                "label": "Go",
                                "on-click-action": {"name": "data_exchange", "payload": {}},
                            },
                        ],
                    }
                ],
            },
        },
        {
            "id": "DETAILS",
            "title": "Details",
            "refresh_on_back": True,
            "data": {
                "price": {"type": "number", "__example__": 9.5},
                "open": {"type": "boolean", "__example__": True},
                "shop": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "stars": {"type": "integer", "maximum": 5}},
                    "__example__": {"name": "North", "stars": 4},
                },
            },
            "layout": {"type": "SingleColumnLayout", "children": []},
        },
        {
            "id": "PHOTOS",
            "title": "Photos",
            "data": {
                **dict.fromkeys(("a", "b", "c"), TEXT),
                "d": {"type": "string", "__example__": ""},
                "shown": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"src": {"type": "string"}}},
                    "__example__": [{"src": "aGVsbG8=", "alt-text": "hello"}],
                },
                "places": {"type": "array", "items": {"type": "object"}, "__example__": []},
            },
            "layout": {
                "type": "SingleColumnLayout",
                "children": [
                    *(image(f"${{data.{name}}}") for name in ("a", "b", "c")),
                    {"type": "If", "condition": "${form.x}", "then": [image("${data.d}")]},
                    {"type": "ImageCarousel", "images": "${data.shown}"},
                    {"type": "NavigationList", "name": "n", "list-items": "${data.places}"},
                ],
            },
        },
        {
            "id": "CONFIRM",
            "title": "Confirm",
            "terminal": True,
            "layout": {"type": "SingleColumnLayout", "children": []},
        },
    ],
}


def examples(screen: Mapping[str, Any]) -> dict[str, Any]:
    """The data that a screen's model gives as examples."""
    found: dict[str, Any] = json.loads(json.dumps(screen.get("data", {})))
    return {name: field["__example__"] for name, field in found.items()}
