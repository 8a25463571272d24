"""
The tables of everything but the components: root, screen, layout, items, actions.

One row a property. Sources: Meta, Flow JSON reference; Meta's client validator, August 2026.
"""

from __future__ import annotations

from typing import Final

from ._rows import ActionRow, Property, Shape
from ._shopping import SHOPPING_ITEMS

ROOT: Final = Shape(
    "the document",
    (
        Property("version", "any", required=True),  # checked before everything else
        Property("data_api_version", "data-api"),
        Property("routing_model", "routing"),
        Property("screens", "screens", required=True, min_items=1),
        Property("data_channel_uri", "string", until="2.1", format="uri"),
        Property("meta", "object", since="5.1", item="meta"),
    ),
    hints={"data_channel_uri": "Since 3.0 the endpoint is set with endpoint_uri of the Flows API."},
)

SCREEN: Final = Shape(
    "a screen",
    (
        Property("id", "screen-id", required=True),
        Property("title", "text", required=True),  # required by Meta's client, optional on Meta's page
        Property("data", "data"),
        Property("terminal", "static-bool"),
        Property("success", "static-bool", since="3.1"),
        Property("refresh_on_back", "static-bool"),
        Property("sensitive", "array<string>", since="5.1", min_items=1),
        Property("layout", "layout", until="5.2"),
        Property("layout", "layout", required=True, since="6.0"),
        Property("external_data", "object", since="5.2", until="5.2", item="external_data"),
    ),
    only_if=(("success", "terminal"),),
)

LAYOUT: Final = Shape(
    "the layout",
    (Property("type", "any", required=True), Property("children", "components", required=True)),
)

ITEMS: Final = {
    **SHOPPING_ITEMS,
    "meta": Shape("meta", (Property("lead_gen_ai", "static-bool"),)),
    "data_source_item": Shape(
        "an item of data-source",
        (
            Property("id", "string", required=True),
            Property("title", "string", required=True, display_length=80),  # Meta's page says 30
            Property("description", "string", display_length=300),
            Property("metadata", "string", display_length=20),
            Property("enabled", "static-bool", until="4.0", default=True),
            Property("enabled", "loose-bool", since="5.0", default=True),
            Property("color", "string", since="5.0", format="color"),
            Property("image", "base64", since="5.0", until="5.2", advised_bytes=307200),
            Property("image", "base64", since="6.0", advised_bytes=102400),
            Property("alt-text", "text", since="5.0"),
            Property("on-select-action", "action:on-select", since="6.0", values=("update_data",)),
            Property("on-unselect-action", "action:on-select", since="6.0", values=("update_data",)),
        ),
    ),
    "chips_item": Shape(
        "an item of data-source",
        (
            Property("id", "text", required=True),
            Property("title", "text", required=True, display_length=20),
            Property("enabled", "bool", default=True),
            Property("on-select-action", "action:on-select", values=("update_data",)),
            Property("on-unselect-action", "action:on-select", values=("update_data",)),
        ),
    ),
    "carousel_item": Shape(
        "an item of images",
        (Property("src", "base64", required=True), Property("alt-text", "string", required=True)),
    ),
    "nav_item": Shape(
        "an item of list-items",
        (
            Property("id", "text", required=True),
            Property("main-content", "object", required=True, item="nav_main"),
            Property("end", "object", item="nav_end"),
            Property("start", "object", item="nav_start"),
            Property("badge", "text", display_length=15),
            Property("tags", "array<string>", min_items=1, max_items=3, display_length=15),
            Property("enabled", "static-bool", default=True),
            Property("on-click-action", "action:on-click", values=("data_exchange", "navigate")),
        ),
    ),
    "nav_main": Shape(
        "main-content",
        (
            Property("title", "text", required=True, display_length=30),
            Property("description", "text", display_length=20),
            Property("metadata", "text", display_length=80),
        ),
    ),
    "nav_end": Shape(
        "end",
        (
            Property("title", "text", display_length=10),
            Property("description", "text", display_length=10),
            Property("metadata", "text", display_length=10),
        ),
    ),
    "nav_start": Shape(
        "start", (Property("image", "base64", required=True, advised_bytes=102400), Property("alt-text", "text"))
    ),
}

# The keys of an on-click-action; which action has which of the last three is in ACTIONS.
ON_CLICK: Final = Shape(
    "on-click-action",
    (
        Property("name", "enum", required=True),
        Property("payload", "object"),
        Property("next", "object", item="next"),
        Property("url", "url", since="6.0"),
    ),
)
ON_SELECT: Final = Shape(
    "the action", (Property("name", "enum", required=True), Property("payload", "object", required=True))
)
NEXT: Final = Shape("next", (Property("name", "string", required=True), Property("type", "string", required=True)))

ACTIONS: Final = (
    ActionRow("complete"),
    ActionRow("data_exchange"),
    ActionRow("navigate", needs="next"),
    ActionRow("open_url", needs="url", without="payload"),
)
