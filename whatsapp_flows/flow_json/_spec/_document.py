"""
The tables of everything but the components: root, screen, layout, items, actions.

One row a property. Sources: Meta, Flow JSON reference; Meta's client validator, August 2026.
"""

from __future__ import annotations

from typing import Final

from ._rows import Action, P, Shape
from ._shopping import SHOPPING_ITEMS

ROOT: Final = Shape(
    "the document",
    (
        P("version", "any", required=True),  # checked before everything else
        P("data_api_version", "data-api"),
        P("routing_model", "routing"),
        P("screens", "screens", required=True, least=1),
        P("data_channel_uri", "string", until="2.1", format="uri"),
        P("meta", "object", since="5.1", item="meta"),
    ),
    hints={"data_channel_uri": "Since 3.0 the endpoint is set with endpoint_uri of the Flows API."},
)

SCREEN: Final = Shape(
    "a screen",
    (
        P("id", "screen-id", required=True),
        P("title", "text", required=True),  # required by Meta's client, optional on Meta's page
        P("data", "data"),
        P("terminal", "static-bool"),
        P("success", "static-bool", since="3.1"),
        P("refresh_on_back", "static-bool"),
        P("sensitive", "array<string>", since="5.1", least=1),
        P("layout", "layout", until="5.2"),
        P("layout", "layout", required=True, since="6.0"),
        P("external_data", "object", since="5.2", until="5.2", item="external_data"),
    ),
    only_if=(("success", "terminal"),),
)

LAYOUT: Final = Shape(
    "the layout",
    (P("type", "any", required=True), P("children", "components", required=True)),
)

ITEMS: Final = {
    **SHOPPING_ITEMS,
    "meta": Shape("meta", (P("lead_gen_ai", "static-bool"),)),
    "data_source_item": Shape(
        "an item of data-source",
        (
            P("id", "string", required=True),
            P("title", "string", required=True, cut=80),  # Meta's page says 30
            P("description", "string", cut=300),
            P("metadata", "string", cut=20),
            P("enabled", "static-bool", until="4.0"),
            P("enabled", "loose-bool", since="5.0"),
            P("color", "string", since="5.0", format="color"),
            P("image", "base64", since="5.0", until="5.2", size=307200),
            P("image", "base64", since="6.0", size=102400),
            P("alt-text", "text", since="5.0"),
            P("on-select-action", "action:on-select", since="6.0", values=("update_data",)),
            P("on-unselect-action", "action:on-select", since="6.0", values=("update_data",)),
        ),
    ),
    "chips_item": Shape(
        "an item of data-source",
        (
            P("id", "text", required=True),
            P("title", "text", required=True, cut=20),
            P("enabled", "bool"),
            P("on-select-action", "action:on-select", values=("update_data",)),
            P("on-unselect-action", "action:on-select", values=("update_data",)),
        ),
    ),
    "carousel_item": Shape(
        "an item of images",
        (P("src", "base64", required=True), P("alt-text", "string", required=True)),
    ),
    "nav_item": Shape(
        "an item of list-items",
        (
            P("id", "text", required=True),
            P("main-content", "object", required=True, item="nav_main"),
            P("end", "object", item="nav_end"),
            P("start", "object", item="nav_start"),
            P("badge", "text", cut=15),
            P("tags", "array<string>", least=1, most=3, cut=15),
            P("enabled", "static-bool"),
            P("on-click-action", "action:on-click", values=("data_exchange", "navigate")),
        ),
    ),
    "nav_main": Shape(
        "main-content",
        (
            P("title", "text", required=True, cut=30),
            P("description", "text", cut=20),
            P("metadata", "text", cut=80),
        ),
    ),
    "nav_end": Shape(
        "end",
        (P("title", "text", cut=10), P("description", "text", cut=10), P("metadata", "text", cut=10)),
    ),
    "nav_start": Shape("start", (P("image", "base64", required=True, size=102400), P("alt-text", "text"))),
}

# The keys of an on-click-action; which action has which of the last three is in ACTIONS.
ON_CLICK: Final = Shape(
    "on-click-action",
    (
        P("name", "enum", required=True),
        P("payload", "object"),
        P("next", "object", item="next"),
        P("url", "url", since="6.0"),
    ),
)
ON_SELECT: Final = Shape("the action", (P("name", "enum", required=True), P("payload", "object", required=True)))
NEXT: Final = Shape("next", (P("name", "string", required=True), P("type", "string", required=True)))

ACTIONS: Final = (
    Action("complete"),
    Action("data_exchange"),
    Action("navigate", needs="next"),
    Action("open_url", needs="url", without="payload"),
)
