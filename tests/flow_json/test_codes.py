"""
Every error code of Meta's: a document that has it, at its place, and a neighbour without it, in each version.

A row is one trigger of a code. In `versions` the error comes, in `warned` a warning (Meta documents the rule, and its
client does not run it there); in any other version the code does not come, unless `elsewhere` says that it may, for
another reason. The neighbour has no error at all. Codes that no document can show are in NOT_LOCAL, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from itertools import pairwise
from typing import Any, Final, NamedTuple

import pytest

from tests.flow_json.samples import TODAY
from whatsapp_flows.flow_json import MAX_BYTES, validate
from whatsapp_flows.flow_json.rules import RULES
from whatsapp_flows.flow_json.schema import KNOWN_VERSIONS, RULE_OF

VERSIONS: Final = tuple(map(str, KNOWN_VERSIONS))
NOT_LOCAL: Final = {
    "UNSUPPORTED_FLOW_JSON_VERSION": "an older name: Meta's client answers INVALID_FLOW_JSON_VERSION",
    "UNAVAILABLE_FLOW_JSON_VERSION": "a version for some accounts only: the account decides, not the document",
    "INVALID_FLOW_JSON_VERSION_STATE": "inside Meta's server",
    "INVALID_DATA_API_VERSION": "listed, never reported: a wrong data_api_version is INVALID_PROPERTY_VALUE",
    "NO_SUPPORTED_DATA_API_VERSION": "a gap in a table of Meta's server; it should not occur",
    "NO_SCHEMA_FOUND": "inside Meta's server",
    "MISSING_REQUIRED_TYPE_PROPERTY": "an older name of MISSING_REQUIRED_PROPERTY",
    "INVALID_TYPE_PROPERTY_VALUE": "a mark inside Meta's client: INVALID_PROPERTY_VALUE is reported",
    "PROPERTY_NAME_MISMATCH": "listed, never reported",
    "KEYWORD_ONE_OF": "an older name of ONE_OF_SCHEMA_VALIDATION_FAILED",
    "INVALID_ONE_OF_SCHEMA": "listed, never reported",
    "INVALID_PROPERTY_TYPE:NUMBER": "listed, never reported: INVALID_PROPERTY_TYPE is",
    "INVALID_PROPERTY_TYPE:STRING": "listed, never reported: INVALID_PROPERTY_TYPE is",
    "INVALID_PROPERTY_TYPE:BOOLEAN": "listed, never reported: INVALID_PROPERTY_TYPE is",
    "INVALID_PROPERTY_TYPE:INTEGER": "listed, never reported: INVALID_PROPERTY_TYPE is",
    "INVALID_PROPERTY": "an older name of every error of structure",
    "MAX_EMBEDDED_LINK_PER_SCREEN": "an older name of COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN",
    "MAX_FOOTER_PER_SCREEN": "an older name of COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN",
    "MAX_IMAGE_PER_SCREEN": "an older name of COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN",
    "MAX_OPT_IN_PER_SCREEN": "an older name of COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN",
    "MORE_THAN_ONE_FOOTER": "an older name of COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN",
    "EMPTY_SWITCH_CASES": "listed, never reported: INVALID_PROPERTY_VALUE is",
}
# All 82: Meta, Flow JSON error codes; Meta's client validator, August 2026.
CODES: Final = frozenset(NOT_LOCAL) | frozenset(
    """
    INVALID_FLOW_JSON MISSING_FLOW_JSON_VERSION INVALID_FLOW_JSON_VERSION INVALID_PROPERTY_KEY
    INVALID_PROPERTY_VALUE INVALID_PROPERTY_VALUE_FORMAT INVALID_PROPERTY_TYPE MISSING_REQUIRED_PROPERTY
    MIN_ITEMS_REQUIRED MAX_ITEMS_REQUIRED MIN_CHARS_REQUIRED MINIMUM_VALUE_REQUIRED MAXIMUM_VALUE_REQUIRED
    PATTERN_MISMATCH INVALID_ENUM_VALUE INVALID_DEPENDENCIES NOT_KEYWORD_SCHEMA_VALIDATION_FAILED
    ONE_OF_SCHEMA_VALIDATION_FAILED INVALID_SCHEMA INVALID_ROUTING_MODEL INVALID_NAVIGATE_ACTION_PAYLOAD
    MISSING_NAVIGATION_ACTION_PAYLOAD INVALID_NAVIGATE_ACTION_STATIC_DATA INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME
    INVALID_UPDATE_DATA_ACTION_PAYLOAD INVALID_ON_CLICK_ACTION_PAYLOAD INVALID_COMPLETE_ACTION
    INVALID_ACTION_PAYLOAD_PROPERTY INVALID_SCREEN_DATA INVALID_SCREEN_DYNAMIC_DATA MAX_SCREENS_NUMBER
    MAX_ALLOWED_COMPONENTS_PER_SCREEN COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN MIN_VALUE_GREATER_THAN_MAX
    SCREEN_ID_IS_RESERVED_KEYWORD DUPLICATE_SCREEN_IDS DUPLICATE_FORM_COMPONENT_NAMES MISSING_TERMINAL_SCREEN
    MISSING_FOOTER_ON_TERMINAL_SCREEN COMPONENTS_OUTSIDE_FORM MISSING_FOOTER_IN_IF_ELSE_BRANCHES
    MISSING_FOOTER_IN_SWITCH_BRANCHES MAXIMUM_IF_NESTING NATIVE_COMPONENT_IN_FORM_INIT_VALUES
    DATA_SOURCE_ITEMS_HAVE_BOTH_IMAGE_AND_COLOR INVALID_DATE_RANGE INVALID_RICHTEXT_PLACEMENT
    INVALID_COMPONENT_PLACEMENT INVALID_TEXT_DYNAMIC_DATA INVALID_SENSITIVE_FIELD INVALID_MIN_MAX_DAYS
    INVALID_DATE_SINGLE_INIT_VALUE_FORMAT INVALID_TYPE MISSING_CALENDAR_PICKER_RANGE_MODE_PROP
    UNEXPECTED_CALENDAR_PICKER_RANGE_MODE_PROP INVALID_PROPERTY_NAME_FOR_CONDITION
    INVALID_PROPERTY_VALUE_FOR_CONDITION DUPLICATE_PROPETY_FOR_CONDITION MISSING_CART_LAYOUT
    INVALID_FOOTER_PAYLOAD_OUTSIDE_FORM
    """.split()  # noqa: SIM905 - sixty names
)

Document = dict[str, Any]
Made = Callable[[str], Any]


class Row(NamedTuple):
    """
    A trigger, the path of the first pointer, what fails and what passes, by the version.

    In the path "~" is the first component of the first screen, "@" the first input, "!" the action of the former; None:
    there is no place.
    """

    code: str
    trigger: str
    at: str | None
    fails: Made
    passes: Made
    versions: tuple[str, ...] = VERSIONS
    warned: tuple[str, ...] = ()
    elsewhere: bool = False
    today: date = TODAY


def span(first: str, last: str = "7.4") -> tuple[str, ...]:
    """The versions from the first to the last."""
    return VERSIONS[VERSIONS.index(first) : VERSIONS.index(last) + 1]


def without(versions: Iterable[str], *gone: str) -> tuple[str, ...]:
    return tuple(version for version in versions if version not in gone)


# -- documents


def footer(name: str = "complete", payload: Any = (), **more: Any) -> Document:
    """A Footer; of `more`, the keys of an action go to the action."""
    action = {key: more.pop(key) for key in ("next", "url") if key in more}
    given = {} if payload is None else {"payload": dict(payload)}
    return {"type": "Footer", "label": "Go", "on-click-action": {"name": name, **given, **action}, **more}


def to(name: str, payload: Any = ()) -> Document:
    return footer("navigate", payload, next={"type": "screen", "name": name})


def screen(name: str, *children: Any, **more: Any) -> Document:
    return {"id": name, "title": "T", **more, "layout": {"type": "SingleColumnLayout", "children": list(children)}}


def one(version: str, *children: Any, root: Document | None = None, end: bool = True, **more: Any) -> Document:
    """A document of one terminal screen, which ends with a Footer if `end`."""
    only = screen("A", *children, *([footer()] if end else []), **{"terminal": True, **more})
    return {"version": version, **(root or {}), "screens": [only]}


def flow(version: str, *screens: Document, **root: Any) -> Document:
    return {"version": version, **root, "screens": list(screens)}


def end(name: str = "B", *children: Any, **more: Any) -> Document:
    """A terminal screen."""
    return screen(name, *children, footer(), terminal=True, **more)


def pair(version: str, payload: Any, data: Any, *children: Any, own: Any = None, **root: Any) -> Document:
    """A screen that navigates with a payload to one with a data model; None leaves out either."""
    more = {} if own is None else {"data": own}
    following = {} if data is None else {"data": data}
    return flow(version, screen("A", *children, to("B", payload), **more), end(**following), **root)


def form(*children: Any, **more: Any) -> Document:
    return {"type": "Form", "name": "form", **more, "children": list(children)}


def inputs(version: str, *children: Any, **more: Any) -> Document:
    """A document with inputs, which stand in a Form until 3.1."""
    return one(version, *(children if version >= "4.0" else [form(*children)]), **more)


def ask(name: str = "a", /, **more: Any) -> Document:
    return {"type": "TextInput", "name": name, "label": "A", **more}


def text(content: Any = "x", **more: Any) -> Document:
    return {"type": "TextBody", "text": content, **more}


def pick(kind: str = "Dropdown", /, *items: Any, **more: Any) -> Document:
    source = list(items) or [{"id": "1", "title": "One"}]
    return {"type": kind, "name": "a", "label": "A", "data-source": source, **more}


def day(kind: str = "DatePicker", /, **more: Any) -> Document:
    return {"type": kind, "name": "a", "label": "A", **more}


def period(**more: Any) -> Document:
    return day("CalendarPicker", **{"mode": "range", "label": {"start-date": "From", "end-date": "To"}, **more})


def photo(**more: Any) -> Document:
    return {"type": "PhotoPicker", "name": "p", "label": "P", **more}


def nav(*items: Any, **more: Any) -> Document:
    listed = [{"id": "1", "main-content": {"title": "One"}, **item} for item in items or ({},)]
    return {"type": "NavigationList", "name": "n", "list-items": listed, **more}


GO: Final = {"name": "navigate", "next": {"type": "screen", "name": "B"}, "payload": {}}


def listing(version: str, *children: Any, **more: Any) -> Document:
    """A screen with NavigationLists, and a terminal one."""
    return flow(version, screen("A", *children, **more), end())


def branch(condition: Any = "${data.b}", then: Any = None, **more: Any) -> Document:
    return {"type": "If", "condition": condition, "then": [text()] if then is None else then, **more}


def field(kind: str = "string", example: Any = "x", **more: Any) -> Document:
    return {"type": kind, "__example__": example, **more}


B: Final = {"b": field("boolean", True)}
NUMBER: Final = field("number", 1)
WHOLE: Final = field("object", {"in": "x"}, properties={"in": {"type": "string"}})
CARD: Final = {"src": "iVBORw0KGgo=", "alt-text": "A dot"}
API: Final = {"data_api_version": "3.0", "routing_model": {"A": []}}


def routed(version: str, model: Any, *names: str, go: str = "", **more: Any) -> Document:
    """Screens by their names, the last one terminal, with a routing model; the first one navigates to `go`."""
    first = screen(names[0], *([to(go)] if go else []))
    between = [screen(name) for name in names[1:-1]]
    return flow(version, first, *between, end(names[-1]), **({} if model is None else {"routing_model": model}), **more)


def star(version: str, count: int, *, model: bool) -> Document:
    """One screen that leads to many."""
    names = ["".join(["B"] * (i + 1)) for i in range(count)]
    if model:
        return routed(version, {"A": names}, "A", *names)
    links = [{"type": "Footer", "label": "Go", "on-click-action": {**GO, "next": {"type": "screen", "name": name}}}
             for name in names]  # fmt: skip
    cases = {f"c{i}": [link] for i, link in enumerate(links)}
    switch = {"type": "Switch", "value": "${data.s}", "cases": cases}
    return flow(version, screen("A", switch, data={"s": field()}), *[end(name) for name in names])


def update(version: str, payload: Any, data: Any, **more: Any) -> Document:
    action = {"name": "update_data", "payload": payload}
    opt = {"type": "OptIn", "name": "o", "label": "O", "on-select-action": action, **more}
    return one(version, opt, **({} if data is None else {"data": data}))


def bound(**data: Any) -> Callable[[str], Document]:
    """A document whose text is bound to its one field."""
    return lambda v: one(v, text("${data.a}"), data=data)


def carousels(version: str, *counts: int) -> Document:
    made = [
        screen(name, *[{"type": "ImageCarousel", "images": [CARD]}] * n) for name, n in zip("CDE", counts, strict=False)
    ]
    links = {"A": ["B", "C", "D", "E"][: len(counts) + 1]}
    return flow(version, screen("A"), *made, end(), routing_model=links)


def nested(version: str, depth: int) -> Document:
    inner: list[Any] = [text()]
    for _ in range(depth):
        inner = [branch(then=inner)]
    return one(version, *inner, data=B)


CHILD: Final = "screens[0].layout.children[0]"


def format_pointer(at: str, version: str) -> str:
    """The path that a row means."""
    first = CHILD if version >= "4.0" else f"{CHILD}.children[0]"
    return at.replace("!", "~.on-click-action").replace("~", CHILD).replace("@", first)


def many(version: str, count: int) -> Document:
    """Many screens, in a tree of routes."""
    names = ["".join("ABCDEFGHIJ"[int(digit)] for digit in str(i)) for i in range(count)]
    model = {name: names[2 * i + 1 : 2 * i + 3] for i, name in enumerate(names)}
    return flow(version, *map(end, names), routing_model=model)


def padded(more: int) -> Made:
    """A document of the largest size, and more bytes."""

    def made(version: str) -> bytes:
        content = json.dumps(one(version)).encode()
        return content + b" " * (MAX_BYTES - len(content) + more)

    return made


def without_footer(version: str, *children: Any) -> Document:
    """A screen that needs no Footer, before a terminal one."""
    return flow(version, screen("A", *children), end(), routing_model={"A": ["B"]})


def linked(version: str, action: Document, **more: Any) -> Document:
    return one(version, {"type": "EmbeddedLink", "text": "x", "on-click-action": action}, **more)


def sent(version: str, payload: Any, *children: Any, **more: Any) -> Document:
    """A terminal screen whose Footer completes with a payload."""
    return one(version, footer(payload=payload), *children, end=False, **more)


def switch(**cases: Any) -> Document:
    return {"type": "Switch", "value": "${data.s}", "cases": cases}


S: Final = {"s": field()}
KEYS_RUN: Final = without(VERSIONS, *span("6.0", "7.2"))
EDGES_RUN: Final = without(VERSIONS, *span("6.3", "7.2"))
RUN: Final = without(VERSIONS, "7.1")
GAP: Final = ("7.1",)


def gap(first: str) -> dict[str, Any]:
    """From a version on, but for 7.1, in which Meta's client skips rules of bindings and payloads."""
    since = span(first)
    return {"versions": without(since, "7.1"), "warned": tuple(version for version in GAP if version in since)}


LINK_TO_C: Final = {
    "type": "EmbeddedLink",
    "text": "x",
    "on-click-action": {"name": "navigate", "next": {"type": "screen", "name": "C"}, "payload": {}},
}
UPDATE: Final = {"name": "update_data", "payload": {}}
UPDATING: Final = {"id": "1", "title": "One", "on-select-action": UPDATE}
COLORED: Final = {"id": "1", "title": "One", "color": "#00FF00"}
RICH: Final = {"type": "RichText", "text": "# Hello"}
MEDIA: Final = field("array", [], items={"type": "string"})
SMALL: Final = photo(**{"max-uploaded-photos": 1, "max-file-size-kb": 100})


def items_of(*names: str, **more: Any) -> Document:
    """A field that holds items of a list."""
    properties = {name: {"type": "string"} for name in names} | more
    return field("array", [], items={"type": "object", "properties": properties})


def updating(name: str) -> Document:
    """Items that bring their action along."""
    action = {"type": "object", "properties": {"name": {"type": "string", "const": name}}}
    return items_of("id", "title", **{"on-select-action": action})


def shopping(version: str, *layouts: str, routes: Any = None, **first: Any) -> Document:
    """Screens A, B, C with shopping layouts, each leading to the next one, the last one terminal."""
    source = "${external_data.meta_catalog."
    rows: dict[str, Document] = {
        "CartLayout": {"items": source + "products}"},
        "ItemDetailLayout": {"item": source + "product_detail}"},
        "ItemListLayout": {"items": source + "product_list}"},
    }
    screens: list[Document] = [
        {"id": name, "title": "T", "external_data": {"meta_catalog": {}}, "layout": {"type": kind, **rows[kind]}}
        for name, kind in zip("ABC", layouts, strict=False)
    ]
    screens[0].update(first)
    screens[-1]["terminal"] = True
    chain = {one["id"]: [two["id"]] for one, two in pairwise(screens)}
    return flow(version, *screens, routing_model=routes or chain)


def to_cart(version: str, target: str) -> Document:
    """A list of items whose items lead on, without a routing model; from the cart all ways are free."""
    made = shopping(version, "ItemListLayout", "CartLayout")
    del made["routing_model"]
    items, cart = made["screens"]
    cart["id"], cart["terminal"] = "C", False
    items["layout"]["on-item-click-action"] = GO | {"next": {"type": "screen", "name": target}}
    cart["layout"]["on-cta-click-action"] = GO | {"next": {"type": "screen", "name": "END"}}
    return flow(version, items, cart, end("END"))


def placed(component: Document, count: int) -> Made:
    """Several of a component, with different names, and a Footer if there is none."""
    made = [component | ({"name": "abcdefg"[i]} if "name" in component else {}) for i in range(count)]
    return lambda v: one(v, *made, end=component["type"] != "Footer", root=API)


ROWS: Final = (
    Row("INVALID_FLOW_JSON", "no JSON", None, lambda v: "{", one),
    Row("INVALID_FLOW_JSON", "no object", None, lambda v: "[]", one),
    Row("INVALID_FLOW_JSON", "over 10 MB", None, padded(1), padded(0)),
    Row("INVALID_FLOW_JSON", "meta", "meta", lambda v: one(v, root={"meta": {}}), one, span("5.1")),
    Row("MISSING_FLOW_JSON_VERSION", "no version", "", lambda v: {"screens": one(v)["screens"]}, one),
    Row("INVALID_FLOW_JSON_VERSION", "a number", "version", lambda v: one(v) | {"version": float(v)}, one),
    Row("INVALID_FLOW_JSON_VERSION", "no version", "version", lambda v: one(v) | {"version": "seven"}, one),
    Row("INVALID_FLOW_JSON_VERSION", "unknown", "version", lambda v: one(v) | {"version": "6.9"}, one),
    Row("INVALID_FLOW_JSON_VERSION", "archived", "version", lambda v: one(v) | {"version": "4.1"}, one),
    Row("INVALID_FLOW_JSON_VERSION", "frozen", "version", one, lambda v: one("7.3"), span("2.1", "5.0"),
        today=date(2026, 1, 1)),
    # -- structure
    Row("INVALID_PROPERTY_KEY", "unknown key", "~.colour", lambda v: one(v, text(colour="x")),
        lambda v: one(v, text())),
    Row("INVALID_PROPERTY_KEY", "at the root", "extra", lambda v: one(v, root={"extra": 1}), one),
    Row("INVALID_PROPERTY_KEY", "the endpoint", "data_channel_uri",
        lambda v: one(v, root={"data_channel_uri": "https://example.com"}), one, span("3.0")),
    Row("INVALID_PROPERTY_KEY", "of a later version", "~.markdown", lambda v: one(v, text(markdown=True)),
        lambda v: one(v, text()), span("2.1", "5.0")),
    Row("INVALID_PROPERTY_KEY", "an initial value in a Form", "~.children[0].init-value",
        lambda v: one(v, form(ask(**{"init-value": "x"}))), lambda v: one(v, form(ask()))),
    Row("INVALID_PROPERTY_KEY", "a NavigationList at the end", "screens[0]",
        lambda v: listing(v, nav(**{"on-click-action": GO}), terminal=True),
        lambda v: listing(v, nav(**{"on-click-action": GO})), span("6.2")),
    Row("INVALID_PROPERTY_VALUE", "data_api_version", "data_api_version",
        lambda v: one(v, root=API | {"data_api_version": "2.0"}), lambda v: one(v, root=API)),
    Row("INVALID_PROPERTY_VALUE", "data_api_version 4.0", "data_api_version",
        lambda v: one(v, root=API | {"data_api_version": "4.0"}), lambda v: one(v, root=API), span("2.1", "7.2")),
    Row("INVALID_PROPERTY_VALUE", "data_api_version 3.1", "data_api_version",
        lambda v: one(v, root=API | {"data_api_version": "3.1"}), lambda v: one(v, root=API),
        without(VERSIONS, "5.2")),
    Row("INVALID_PROPERTY_VALUE", "an unknown component", "~.type", lambda v: one(v, {"type": "Nothing"}),
        lambda v: one(v, text())),
    Row("INVALID_PROPERTY_VALUE", "in a Form", "~.children[0].type", lambda v: one(v, form({"type": "Nothing"})),
        lambda v: one(v, form(text()))),
    Row("INVALID_PROPERTY_VALUE", "an unknown layout", "screens[0].layout.type",
        lambda v: flow(v, end() | {"layout": {"type": "Grid", "children": []}}), one),
    Row("INVALID_PROPERTY_VALUE", "no success", "screens[0].success", lambda v: one(v, success=False),
        lambda v: one(v, success=True), span("3.1")),
    Row("INVALID_PROPERTY_VALUE", "refresh without endpoint", "screens[0].refresh_on_back",
        lambda v: one(v, refresh_on_back=True), lambda v: one(v, refresh_on_back=True, root=API)),
    Row("INVALID_PROPERTY_VALUE", "a condition", "~.condition", lambda v: one(v, branch("${data.b} =="), data=B),
        lambda v: one(v, branch("${data.b} == true"), data=B), **gap("4.0")),
    Row("INVALID_PROPERTY_VALUE", "no condition", "~.condition", lambda v: one(v, branch("")),
        lambda v: one(v, branch(), data=B), **gap("4.0")),
    Row("INVALID_PROPERTY_VALUE", "an empty then", "~.then", lambda v: one(v, branch(then=[]), data=B),
        lambda v: one(v, branch(), data=B), **gap("4.0")),
    Row("INVALID_PROPERTY_VALUE", "no case", "~.cases", lambda v: one(v, switch(), data=S),
        lambda v: one(v, switch(a=[]), data=S), span("4.0")),
    Row("INVALID_PROPERTY_VALUE", "an end that goes on", "!.name",
        lambda v: flow(v, screen("A", to("B"), terminal=True), end()), lambda v: flow(v, screen("A", to("B")), end()),
        span("7.3")),
    Row("INVALID_PROPERTY_VALUE", "four images", "~.images",
        lambda v: one(v, {"type": "ImageCarousel", "images": [CARD] * 4}),
        lambda v: one(v, {"type": "ImageCarousel", "images": [CARD] * 3}), span("7.1")),
    Row("INVALID_PROPERTY_VALUE", "four carousels", "screens[1].layout.children[0]", lambda v: carousels(v, 2, 2),
        lambda v: carousels(v, 2, 1), span("7.1")),
    Row("INVALID_PROPERTY_VALUE", "an image by its address", "~.images[0].src",
        lambda v: one(v, {"type": "ImageCarousel", "images": [CARD | {"src": "https://example.com/a.png"}]}),
        lambda v: one(v, {"type": "ImageCarousel", "images": [CARD]}), span("7.1")),
    Row("INVALID_PROPERTY_VALUE", "an initial value", "~.init-values",
        lambda v: one(v, form(ask(), **{"init-values": {"a": 5}})),
        lambda v: one(v, form(ask(), **{"init-values": {"a": "5"}})), span("7.0")),
    Row("INVALID_PROPERTY_VALUE", "an unused initial value", "~.init-values",
        lambda v: one(v, form(ask(), **{"init-values": {"b": "5"}})),
        lambda v: one(v, form(ask(), **{"init-values": {"a": "5"}})), span("7.0")),
    Row("INVALID_PROPERTY_VALUE", "an error message", "~.error-messages",
        lambda v: one(v, form(ask(), **{"error-messages": {"a": 5}})),
        lambda v: one(v, form(ask(), **{"error-messages": {"a": "5"}})), span("7.0")),
    Row("INVALID_PROPERTY_VALUE", "an expression", "~.text", lambda v: one(v, text("`1 +`")),
        lambda v: one(v, text("`'1' (1 + 2)`")), span("6.0")),
    Row("INVALID_PROPERTY_VALUE", "the type of an expression", "~.visible", lambda v: one(v, text(visible="`1 + 1`")),
        lambda v: one(v, text(visible="`1 < 2`")), span("6.0")),
    Row("INVALID_PROPERTY_VALUE", "a condition that is an expression", "~.condition",
        lambda v: one(v, branch("`${data.b} && 5`"), data=B), lambda v: one(v, branch("`!${data.b}`"), data=B),
        span("6.0"), elsewhere=True),
    Row("INVALID_PROPERTY_VALUE", "a mixed RichText", "~.text",
        lambda v: without_footer(v, {"type": "RichText", "text": "# ${data.a}"}),
        lambda v: without_footer(v, {"type": "RichText", "text": "# Hello"}), span("6.0")),
    Row("INVALID_PROPERTY_VALUE_FORMAT", "uri", "data_channel_uri", lambda v: one(v, root={"data_channel_uri": "x"}),
        lambda v: one(v, root={"data_channel_uri": "https://example.com"}), ("2.1",)),
    Row("INVALID_PROPERTY_VALUE_FORMAT", "regex", "@.pattern",
        lambda v: inputs(v, ask(pattern="[", **{"helper-text": "x"})),
        lambda v: inputs(v, ask(pattern="[a]", **{"helper-text": "x"})), span("6.2")),
    Row("INVALID_PROPERTY_VALUE_FORMAT", "url", "!.url", lambda v: linked(v, {"name": "open_url", "url": "nowhere"}),
        lambda v: linked(v, {"name": "open_url", "url": "https://example.com"}), span("6.0")),
    Row("INVALID_PROPERTY_TYPE", "a number for a text", "~.text", lambda v: one(v, text(5)), lambda v: one(v, text())),
    Row("INVALID_PROPERTY_TYPE", "null", "~.text", lambda v: one(v, text(None)), lambda v: one(v, text())),
    Row("INVALID_PROPERTY_TYPE", "a text for a boolean", "~.visible", lambda v: one(v, text(visible="yes")),
        lambda v: one(v, text(visible=True))),
    Row("INVALID_PROPERTY_TYPE", "of an example", "screens[0].data.a.__example__", bound(a=field("string", 5)),
        bound(a=field())),
    Row("MISSING_REQUIRED_PROPERTY", "a label", "@", lambda v: inputs(v, {"type": "TextInput", "name": "a"}),
        lambda v: inputs(v, ask())),
    Row("MISSING_REQUIRED_PROPERTY", "a type", "~", lambda v: one(v, {"text": "x"}), lambda v: one(v, text())),
    Row("MISSING_REQUIRED_PROPERTY", "the label of a group", "@",
        lambda v: inputs(v, {k: x for k, x in pick("CheckboxGroup").items() if k != "label"}),
        lambda v: inputs(v, pick("CheckboxGroup")), span("4.0")),
    Row("MISSING_REQUIRED_PROPERTY", "a layout", "screens[0]",
        lambda v: flow(v, {"id": "A", "title": "T"}, end(), routing_model={"A": ["B"]}), without_footer,
        span("6.0")),
    Row("MISSING_REQUIRED_PROPERTY", "an example", "screens[0].data.a", bound(a={"type": "string"}), bound(a=field())),
    Row("MISSING_REQUIRED_PROPERTY", "in an example", "screens[0].data.a.__example__",
        lambda v: one(v, data={"a": WHOLE | {"required": ["in", "out"]}}),
        lambda v: one(v, data={"a": WHOLE | {"required": ["in"]}})),
    Row("MISSING_REQUIRED_PROPERTY", "the next screen", "!", lambda v: one(v, footer("navigate"), end=False),
        lambda v: pair(v, {}, None)),
    Row("MISSING_REQUIRED_PROPERTY", "an endpoint", "!.name", lambda v: one(v, footer("data_exchange"), end=False),
        lambda v: one(v, footer("data_exchange"), end=False, root=API)),
    Row("MISSING_REQUIRED_PROPERTY", "a routing model", "", lambda v: one(v, root={"data_api_version": "3.0"}),
        lambda v: one(v, root=API)),
    Row("MISSING_REQUIRED_PROPERTY", "help for a pattern", "@", lambda v: inputs(v, ask(pattern="a")),
        lambda v: inputs(v, ask(pattern="a", **{"helper-text": "x"})), span("6.2")),
    Row("MISSING_REQUIRED_PROPERTY", "the action of a list", "~", lambda v: listing(v, nav({}, {})),
        lambda v: listing(v, nav({}, **{"on-click-action": GO})), span("6.2")),
    Row("MIN_ITEMS_REQUIRED", "a source", "@.data-source", lambda v: inputs(v, pick() | {"data-source": []}),
        lambda v: inputs(v, pick())),
    Row("MIN_ITEMS_REQUIRED", "screens", "screens", flow, one),
    Row("MIN_ITEMS_REQUIRED", "sensitive", "screens[0].sensitive", lambda v: one(v, ask(), sensitive=[]),
        lambda v: one(v, ask(), sensitive=["a"]), span("5.1")),
    Row("MAX_ITEMS_REQUIRED", "tags", "~.list-items[0].tags",
        lambda v: listing(v, nav({"tags": [*"abcd"]}, **{"on-click-action": GO})),
        lambda v: listing(v, nav({"tags": [*"abc"]}, **{"on-click-action": GO})), span("6.2")),
    Row("MAX_ITEMS_REQUIRED", "badges", "~",
        lambda v: listing(v, nav({"badge": "a"}, {"badge": "b"}, **{"on-click-action": GO})),
        lambda v: listing(v, nav({"badge": "a"}, {}, **{"on-click-action": GO})), span("6.2")),
    Row("MIN_CHARS_REQUIRED", "an id", "screens[0].id", lambda v: flow(v, end("")), one),
    Row("MIN_CHARS_REQUIRED", "a label", "~.label", lambda v: one(v, footer(label=""), end=False), one),
    Row("MIN_CHARS_REQUIRED", "an example", "screens[0].data.a.__example__", bound(a=field("string", "", minLength=1)),
        bound(a=field("string", "x", minLength=1))),
    Row("MINIMUM_VALUE_REQUIRED", "a count", "@.min-selected-items",
        lambda v: inputs(v, pick("CheckboxGroup", **{"min-selected-items": -1})),
        lambda v: inputs(v, pick("CheckboxGroup", **{"min-selected-items": 0}))),
    Row("MINIMUM_VALUE_REQUIRED", "an example", "screens[0].data.a.__example__",
        lambda v: one(v, data={"a": field("number", 1, minimum=2)}),
        lambda v: one(v, data={"a": field("number", 2, minimum=2)})),
    Row("MAXIMUM_VALUE_REQUIRED", "a count", "~.max-uploaded-photos",
        lambda v: one(v, photo(**{"max-uploaded-photos": 31})), lambda v: one(v, photo(**{"max-uploaded-photos": 30})),
        span("4.0")),
    Row("PATTERN_MISMATCH", "a screen's id", "screens[0].id", lambda v: flow(v, end("A 1")),
        lambda v: flow(v, end("A_B"))),
    Row("PATTERN_MISMATCH", "a key of the routing model", "routing_model.A-B",
        lambda v: one(v, root={"routing_model": {"A": [], "A-B": []}}),
        lambda v: one(v, root={"routing_model": {"A": []}})),
    Row("PATTERN_MISMATCH", "no binding", "~.visible", lambda v: one(v, text(visible="yes")),
        lambda v: one(v, text(visible="${data.b}"), data=B)),
    Row("PATTERN_MISMATCH", "a blank title", "screens[0].title", lambda v: one(v, title=" "), one, span("5.1")),
    Row("PATTERN_MISMATCH", "a blank caption", "~.center-caption",
        lambda v: one(v, footer(**{"center-caption": " "}), end=False),
        lambda v: one(v, footer(**{"center-caption": "x"}), end=False), span("6.0")),
    Row("PATTERN_MISMATCH", "a bound name", "@.name", lambda v: inputs(v, ask("${data.a}")),
        lambda v: inputs(v, ask("a")), span("6.0")),
    Row("PATTERN_MISMATCH", "a name in backticks", "@.name", lambda v: inputs(v, ask("`a`")),
        lambda v: inputs(v, ask("a`")), span("6.0")),
    Row("PATTERN_MISMATCH", "a color", "@.data-source[0].color",
        lambda v: inputs(v, pick("Dropdown", {"id": "1", "title": "1", "color": "red"})),
        lambda v: inputs(v, pick("Dropdown", {"id": "1", "title": "1", "color": "#FF0000"})), span("5.0")),
    Row("PATTERN_MISMATCH", "a key of cases", "~.cases[1]", lambda v: one(v, switch(**{"1": []}), data=S),
        lambda v: one(v, switch(a=[]), data=S), span("4.0")),
    Row("PATTERN_MISMATCH", "what a Switch asks", "~.value", lambda v: one(v, switch(a=[]) | {"value": "x"}),
        lambda v: one(v, switch(a=[]), data=S), span("4.0")),
    Row("INVALID_ENUM_VALUE", "a list", "@.input-type", lambda v: inputs(v, ask(**{"input-type": "name"})),
        lambda v: inputs(v, ask(**{"input-type": "email"}))),
    Row("INVALID_ENUM_VALUE", "excluded by a pattern", "@.input-type",
        lambda v: inputs(v, ask(pattern="a", **{"input-type": "email", "helper-text": "x"})),
        lambda v: inputs(v, ask(pattern="a", **{"input-type": "text", "helper-text": "x"})), span("6.2")),
    Row("INVALID_ENUM_VALUE", "an action of others", "!.name", lambda v: linked(v, {"name": "complete", "payload": {}}),
        lambda v: linked(v, {"name": "data_exchange", "payload": {}}, root=API)),
    Row("INVALID_ENUM_VALUE", "an action of a later version", "@.on-select-action.name",
        lambda v: inputs(v, pick(**{"on-select-action": {"name": "update_data", "payload": {}}})),
        lambda v: inputs(v, pick(**{"on-select-action": {"name": "data_exchange", "payload": {}}}), root=API),
        span("2.1", "5.2")),
    Row("INVALID_ENUM_VALUE", "of an example", "screens[0].data.a.__example__", bound(a=field(enum=["y"])),
        bound(a=field(enum=["x"]))),
    Row("INVALID_DEPENDENCIES", "a caption at one side", "~",
        lambda v: one(v, footer(**{"left-caption": "x"}), end=False),
        lambda v: one(v, footer(**{"left-caption": "x", "right-caption": "x"}), end=False)),
    Row("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", "all captions", "~",
        lambda v: one(v, footer(**{f"{side}-caption": "x" for side in ("left", "center", "right")}), end=False),
        lambda v: one(v, footer(**{"center-caption": "x"}), end=False)),
    Row("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", "success on the way", "screens[0].success",
        lambda v: flow(v, screen("A", to("B"), success=True), end()),
        lambda v: flow(v, screen("A", to("B")), end(success=True)), span("3.1")),
    Row("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", "next", "!.next",
        lambda v: one(v, footer(next={"type": "screen", "name": "A"}), end=False), one),
    Row("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", "url", "!.url",
        lambda v: one(v, footer(url="https://example.com"), end=False), one, span("6.0")),
    Row("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", "payload", "!.payload",
        lambda v: linked(v, {"name": "open_url", "url": "https://example.com", "payload": {}}),
        lambda v: linked(v, {"name": "open_url", "url": "https://example.com"}), span("6.0")),
    Row("ONE_OF_SCHEMA_VALIDATION_FAILED", "a Form in a Form", "~.children[0].type", lambda v: one(v, form(form())),
        lambda v: one(v, form())),
    Row("ONE_OF_SCHEMA_VALIDATION_FAILED", "of a later version", "~.type",
        lambda v: one(v, pick("ChipsSelector")), one, span("2.1", "6.2")),
    Row("ONE_OF_SCHEMA_VALIDATION_FAILED", "an unknown component in a branch", "~.then[0].type",
        lambda v: one(v, branch(then=[{"type": "Nothing"}]), data=B), lambda v: one(v, branch(), data=B), span("4.0"),
        elsewhere=True),
    Row("ONE_OF_SCHEMA_VALIDATION_FAILED", "a Form in a case", "~.cases.a[0].type",
        lambda v: one(v, switch(a=[form()]), data=S), lambda v: one(v, switch(a=[text()]), data=S), span("4.0"),
        elsewhere=True),
    Row("ONE_OF_SCHEMA_VALIDATION_FAILED", "an input without Form", "~", lambda v: one(v, ask()),
        lambda v: one(v, form(ask())), span("2.1", "3.1")),
    Row("INVALID_SCHEMA", "a length", "screens[0].data.a.__example__", bound(a=field(maxLength=0)),
        bound(a=field(maxLength=1))),
    Row("INVALID_SCHEMA", "no message", "~.error-message", lambda v: one(v, photo(**{"error-message": {}})),
        lambda v: one(v, photo(**{"error-message": {"1": "x"}})), span("4.0")),
    # -- routes
    Row("INVALID_ROUTING_MODEL", "missing screen", "screens[1].id", lambda v: routed(v, {"A": ["C"]}, *"ABC"),
        lambda v: routed(v, {"A": ["B"], "B": ["C"]}, *"ABC")),
    Row("INVALID_ROUTING_MODEL", "unknown source", "routing_model.X", lambda v: routed(v, {"A": ["B"], "X": []}, *"AB"),
        lambda v: routed(v, {"A": ["B"], "B": []}, *"AB")),
    Row("INVALID_ROUTING_MODEL", "unknown destination", "routing_model.A[1]",
        lambda v: routed(v, {"A": ["B", "X"]}, *"AB"), lambda v: routed(v, {"A": ["B"]}, *"AB")),
    Row("INVALID_ROUTING_MODEL", "loop", "routing_model.A", lambda v: routed(v, {"A": ["B", "A"]}, *"AB"),
        lambda v: routed(v, {"A": ["B"]}, *"AB")),
    Row("INVALID_ROUTING_MODEL", "11 branches", "routing_model.A", lambda v: star(v, 11, model=True),
        lambda v: star(v, 10, model=True)),
    Row("INVALID_ROUTING_MODEL", "11 navigations", "screens[0]", lambda v: star(v, 11, model=False),
        lambda v: star(v, 10, model=False), span("4.0")),
    Row("INVALID_ROUTING_MODEL", "back route", "routing_model.B[0]",
        lambda v: routed(v, {"A": ["B"], "B": ["A", "C"]}, *"ABC"),
        lambda v: routed(v, {"A": ["B"], "B": ["C"]}, *"ABC")),
    Row("INVALID_ROUTING_MODEL", "no entry", "routing_model",
        lambda v: routed(v, {"A": ["B"], "B": ["C"], "C": ["A"]}, *"ABC"),
        lambda v: routed(v, {"A": ["B"], "B": ["C"], "C": []}, *"ABC"), EDGES_RUN, span("6.3", "7.2")),
    Row("INVALID_ROUTING_MODEL", "no entry by navigation", "screens",
        lambda v: flow(v, screen("A", to("B")), screen("B", to("A"), LINK_TO_C), end("C")),
        lambda v: flow(v, screen("A", to("B")), screen("B", LINK_TO_C), end("C")), EDGES_RUN, span("6.3", "7.2")),
    Row("INVALID_ROUTING_MODEL", "loose", "screens[1].id", lambda v: routed(v, {"A": ["C"], "B": []}, *"ABC"),
        lambda v: routed(v, {"A": ["C"], "B": ["C"]}, *"ABC")),
    Row("INVALID_ROUTING_MODEL", "loose by navigation", "screens[1].id", lambda v: flow(v, screen("A"), end()),
        lambda v: flow(v, screen("A", to("B")), end())),
    Row("INVALID_ROUTING_MODEL", "no such route", "screens[0].id",
        lambda v: routed(v, {"A": ["B"], "B": ["C"]}, *"ABC", go="C"),
        lambda v: routed(v, {"A": ["B"], "B": ["C"]}, *"ABC", go="B"), EDGES_RUN, span("6.3", "7.2")),
    # -- actions and payloads
    Row("INVALID_NAVIGATE_ACTION_PAYLOAD", "no data model", "!.payload", lambda v: pair(v, {"a": "x"}, None),
        lambda v: pair(v, {}, None), KEYS_RUN, span("6.0", "7.2")),
    Row("INVALID_NAVIGATE_ACTION_PAYLOAD", "unknown key", "!.payload.b",
        lambda v: pair(v, {"a": "x", "b": "x"}, {"a": field()}),
        lambda v: pair(v, {"a": "x"}, {"a": field()}), KEYS_RUN,
        span("6.0", "7.2")),
    Row("INVALID_NAVIGATE_ACTION_PAYLOAD", "missing key", "!.payload", lambda v: pair(v, {}, {"a": field()}),
        lambda v: pair(v, {"a": "x"}, {"a": field()}), KEYS_RUN, span("6.0", "7.2")),
    Row("INVALID_NAVIGATE_ACTION_PAYLOAD", "another type", "!.payload.a",
        lambda v: pair(v, {"a": "${data.n}"}, {"a": field()}, own={"n": NUMBER}),
        lambda v: pair(v, {"a": "${data.n}"}, {"a": field()}, own={"n": field()}), RUN, GAP),
    Row("INVALID_NAVIGATE_ACTION_PAYLOAD", "other properties", "screens[0].data.n",
        lambda v: pair(v, {"a": "${data.n}"}, {"a": WHOLE | {"properties": {}}}, own={"n": WHOLE}),
        lambda v: pair(v, {"a": "${data.n}"}, {"a": WHOLE}, own={"n": WHOLE}), RUN, GAP),
    Row("INVALID_NAVIGATE_ACTION_PAYLOAD", "unknown properties", "screens[1].data.a",
        lambda v: pair(v, {"a": "${data.n}"}, {"a": field("object", {})}, own={"n": WHOLE}),
        lambda v: pair(v, {"a": "${data.n}"}, {"a": WHOLE}, own={"n": WHOLE}), RUN, GAP),
    Row("MISSING_NAVIGATION_ACTION_PAYLOAD", "no payload", "!", lambda v: pair(v, None, {"a": field()}),
        lambda v: pair(v, None, None), KEYS_RUN, span("6.0", "7.2")),
    Row("INVALID_NAVIGATE_ACTION_STATIC_DATA", "type", "!.payload.a", lambda v: pair(v, {"a": 5}, {"a": field()}),
        lambda v: pair(v, {"a": "5"}, {"a": field()}), RUN, GAP),
    Row("INVALID_NAVIGATE_ACTION_STATIC_DATA", "unknown field", "!.payload.b",
        lambda v: pair(v, {"a": "x", "b": "x"}, {"a": field()}),
        lambda v: pair(v, {"a": "x"}, {"a": field()}), RUN, GAP),
    Row("INVALID_NAVIGATE_ACTION_STATIC_DATA", "missing property", "!.payload.a",
        lambda v: pair(v, {"a": {}}, {"a": WHOLE}), lambda v: pair(v, {"a": {"in": "x"}}, {"a": WHOLE}), RUN, GAP),
    Row("INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME", "unknown", "!.next.name", lambda v: without_footer(v, to("X")),
        lambda v: without_footer(v, to("B"))),
    Row("INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME", "own", "!.next.name", lambda v: without_footer(v, to("A")),
        lambda v: without_footer(v, to("B"))),
    Row("INVALID_UPDATE_DATA_ACTION_PAYLOAD", "no data model", "~.on-select-action.payload",
        lambda v: update(v, {"a": "x"}, None), lambda v: update(v, {"a": "x"}, {"a": field()}), **gap("6.0")),
    Row("INVALID_UPDATE_DATA_ACTION_PAYLOAD", "unknown key", "~.on-select-action.payload.b",
        lambda v: update(v, {"b": "x"}, {"a": field()}), lambda v: update(v, {"a": "x"}, {"a": field()}), **gap("6.0")),
    Row("INVALID_UPDATE_DATA_ACTION_PAYLOAD", "static type", "~.on-select-action.payload.a",
        lambda v: update(v, {"a": 5}, {"a": field()}), lambda v: update(v, {"a": "x"}, {"a": field()}), **gap("6.0")),
    Row("INVALID_UPDATE_DATA_ACTION_PAYLOAD", "type of an expression", "~.on-select-action.payload.a",
        lambda v: update(v, {"a": "`1 + 1`"}, {"a": field()}), lambda v: update(v, {"a": "`1 + 1`"}, {"a": NUMBER}),
        **gap("6.0")),
    Row("INVALID_UPDATE_DATA_ACTION_PAYLOAD", "bound type", "~.on-select-action.payload.a",
        lambda v: update(v, {"a": "${form.o}"}, {"a": field()}), lambda v: update(v, {"a": "${form.o}"}, {"a": B["b"]}),
        **gap("6.0")),
    Row("INVALID_UPDATE_DATA_ACTION_PAYLOAD", "both levels", "~.data-source[0].on-select-action",
        lambda v: one(v, pick("Dropdown", UPDATING, **{"on-select-action": UPDATE})),
        lambda v: one(v, pick("Dropdown", UPDATING)),
        span("6.0")),
    Row("INVALID_UPDATE_DATA_ACTION_PAYLOAD", "its own value", "~.on-select-action.payload.a",
        lambda v: update(v, {"a": "${data.a}"}, {"a": field()}),
        lambda v: update(v, {"a": "${data.b}"}, {"a": field(), "b": field()}), span("6.0")),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "no such input", "!.payload.x", lambda v: sent(v, {"x": "${form.x}"}),
        lambda v: sent(v, {"x": "${form.a}"}, *(form(ask()),)), RUN, GAP),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "no such field", "!.payload.x", lambda v: sent(v, {"x": "${data.x}"}),
        lambda v: sent(v, {"x": "${data.s}"}, data=S), RUN, GAP),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "no such screen", "!.payload.x",
        lambda v: sent(v, {"x": "${screen.X.data.s}"}, data=S), lambda v: sent(v, {"x": "${data.s}"}, data=S),
        RUN, GAP),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "a Form", "!.payload.x",
        lambda v: sent(v, {"x": "${form.form}"}, form(ask())),
        lambda v: sent(v, {"x": "${form.a}"}, form(ask())), RUN, GAP),
    Row("INVALID_FOOTER_PAYLOAD_OUTSIDE_FORM", "an answer of the Form", "!.payload.x",
        lambda v: sent(v, {"x": "${form.a}"}, form(ask())), lambda v: sent(v, {"x": "a"}, form(ask())),
        (), span("2.1", "3.1")),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "a picker handed on", "!.payload.p",
        lambda v: flow(v, screen("A", to("B", {"p": "${form.p}"}), photo()), end(data={"p": MEDIA})),
        lambda v: flow(v, screen("A", to("B", {"p": []}), photo()), end(data={"p": MEDIA})), **gap("4.0")),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "a picker inside", "!.payload.in.p",
        lambda v: sent(v, {"in": {"p": "${form.p}"}}, photo()),
        lambda v: sent(v, {"p": "${form.p}"}, SMALL), **gap("4.0")),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "too many files", "!.payload",
        lambda v: sent(v, {"p": "${form.p}"}, photo(**{"max-file-size-kb": 100})),
        lambda v: sent(v, {"p": "${form.p}"}, SMALL), **gap("4.0")),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "too many bytes", "!.payload",
        lambda v: sent(v, {"p": "${form.p}"}, photo(**{"max-uploaded-photos": 10})),
        lambda v: sent(v, {"p": "${form.p}"}, photo(**{"max-uploaded-photos": 10, "max-file-size-kb": 10_240})),
        without(span("5.0"), "7.1"), GAP, elsewhere=True),
    Row("INVALID_ON_CLICK_ACTION_PAYLOAD", "two files in 4.0", "!.payload",
        lambda v: sent(v, {"p": "${form.p}"}, photo(**{"max-uploaded-photos": 2})),
        lambda v: sent(v, {"p": "${form.p}"}, SMALL), ("4.0",)),
    Row("INVALID_COMPLETE_ACTION", "on the way", "!.name",
        lambda v: without_footer(v, footer()), lambda v: without_footer(v, to("B"))),
    Row("INVALID_ACTION_PAYLOAD_PROPERTY", "navigate", "!.payload.a",
        lambda v: pair(v, {"a": "`1 +`"}, {"a": field()}), lambda v: pair(v, {"a": "`'1'`"}, {"a": field()}),
        **gap("6.0")),
    Row("INVALID_ACTION_PAYLOAD_PROPERTY", "update_data", "~.on-select-action.payload.a",
        lambda v: update(v, {"a": "`${data.z}`"}, {"a": field()}), lambda v: update(v, {"a": "`'x'`"}, {"a": field()}),
        **gap("6.0")),
    Row("INVALID_ACTION_PAYLOAD_PROPERTY", "complete", "!.payload.x", lambda v: sent(v, {"x": "`1 +`"}),
        lambda v: sent(v, {"x": "`1 + 1`"}), span("7.2")),
    # -- data
    Row("INVALID_SCREEN_DATA", "an example inside", "screens[0].data.a.properties.in.__example__",
        lambda v: one(v, data={"a": WHOLE | {"properties": {"in": field()}}}), lambda v: one(v, data={"a": WHOLE})),
    Row("INVALID_SCREEN_DATA", "items without type", "screens[0].data.a.items",
        lambda v: one(v, data={"a": field("array", [], items={})}),
        lambda v: one(v, data={"a": field("array", [], items={"type": "string"})})),
    Row("INVALID_SCREEN_DATA", "no text", "screens[0].data.a.type", lambda v: one(v, data={"a": field() | {"type": 5}}),
        lambda v: one(v, data={"a": field()})),
    Row("INVALID_SCREEN_DATA", "no items", "screens[0].data.a", lambda v: one(v, data={"a": field("array", [])}),
        lambda v: one(v, data={"a": field("array", [], items={"type": "string"})})),
    Row("INVALID_SCREEN_DATA", "items that describe nothing", "screens[0].data.a",
        lambda v: one(v, data={"a": field("array", [], items=5)}),
        lambda v: one(v, data={"a": field("array", [], items=True)}), (), VERSIONS),
    Row("INVALID_SCREEN_DATA", "no schema", "screens[0].data.a.__example__",
        lambda v: one(v, data={"a": field("float", 1.5)}), lambda v: one(v, data={"a": field("number", 1.5)})),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "no such field", "~.text", bound(), bound(a=field()), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "another type", "~.visible",
        lambda v: one(v, text(visible="${data.s}"), data=S),
        lambda v: one(v, text(visible="${data.b}"), data=B), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "several types", "~.text", bound(a=NUMBER), bound(a=field()), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "items without a key", "@.data-source",
        lambda v: inputs(v, pick() | {"data-source": "${data.a}"}, data={"a": items_of("id")}),
        lambda v: inputs(v, pick() | {"data-source": "${data.a}"}, data={"a": items_of("id", "title")}), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "the own screen", "~.text",
        lambda v: one(v, text("${screen.A.data.s}"), data=S), lambda v: one(v, text("${data.s}"), data=S), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "no such screen", "~.text", lambda v: one(v, text("${screen.X.data.s}")),
        lambda v: one(v, text()), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "no such input", "~.text", lambda v: one(v, text("${form.x}")),
        lambda v: inputs(v, ask(), text("${form.a}")), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "a Form", "~.text", lambda v: one(v, text("${form.form}"), form(ask())),
        lambda v: one(v, text("${form.a}"), form(ask())), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "into an array", "~.text",
        lambda v: one(v, text("${data.a.id}"), data={"a": items_of("id")}),
        lambda v: one(v, text("${data.a.in}"), data={"a": WHOLE}), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "a hyphen", "~.text",
        lambda v: one(v, text("${data.a-b}"), data={"a-b": field()}), bound(a=field()), RUN, GAP),
    Row("INVALID_SCREEN_DYNAMIC_DATA", "const", "~.data-source",
        lambda v: one(v, pick() | {"data-source": "${data.a}"}, data={"a": updating("navigate")}),
        lambda v: one(v, pick() | {"data-source": "${data.a}"}, data={"a": updating("update_data")}), **gap("6.0")),
    Row("INVALID_PROPERTY_VALUE", "const of an example", "screens[0].data.a.__example__", bound(a=field(const="y")),
        bound(a=field(const="x"))),
    # -- the shopping layouts
    Row("MISSING_CART_LAYOUT", "a list", "screens[0].layout.type", lambda v: shopping(v, "ItemListLayout"),
        lambda v: shopping(v, "ItemListLayout", "CartLayout"), ("5.2",)),
    Row("INVALID_ROUTING_MODEL", "from a detail to a list", "routing_model.B[0]",
        lambda v: shopping(v, "ItemListLayout", "ItemDetailLayout", "CartLayout", routes={"B": ["A"], "A": ["C"]}),
        lambda v: shopping(v, "ItemListLayout", "ItemDetailLayout", "CartLayout"), ("5.2",)),
    Row("INVALID_ROUTING_MODEL", "from a list to a screen without goods", "screens[0].id",
        lambda v: to_cart(v, "END"), lambda v: to_cart(v, "C"), ("5.2",)),
    Row("INVALID_FLOW_JSON", "two sources of goods", "screens[0].external_data",
        lambda v: shopping(v, "ItemDetailLayout", "CartLayout", external_data={}),
        lambda v: shopping(v, "ItemDetailLayout", "CartLayout"), ("5.2",)),
    # -- counts
    Row("MAX_SCREENS_NUMBER", "101 screens", "screens[100]", lambda v: many(v, 101), lambda v: many(v, 100)),
    Row("MAX_ALLOWED_COMPONENTS_PER_SCREEN", "over the client's limit", "screens[0].layout.children[100].type",
        lambda v: one(v, *[text()] * 101), lambda v: one(v, *[text()] * 49)),
    Row("MAX_ALLOWED_COMPONENTS_PER_SCREEN", "over the documented limit", "screens[0].layout.children[50].type",
        lambda v: one(v, *[text()] * 99), lambda v: one(v, *[text()] * 49), (), VERSIONS),
    *(
        Row("COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN", f"{most + 1} {made['type']}", at,
            placed(made, most + 1),
            placed(made, most), span(since))
        for made, most, since, at in (
            ({"type": "EmbeddedLink", "text": "x", "on-click-action": {"name": "data_exchange", "payload": {}}}, 2,
        "2.1",
             "screens[0].layout.children[2].type"),
            ({"type": "Image", "src": "x"}, 3, "2.1", "screens[0].layout.children[3].type"),
            ({"type": "OptIn", "label": "O", "name": ""}, 5, "4.0", "screens[0].layout.children[5].type"),
            (footer(), 1, "2.1", "screens[0].layout.children[1].type"),
            (form(), 1, "7.0", "screens[0].layout.children[1].type"),
            (photo(), 1, "4.0", "screens[0].layout.children[1].type"),
            ({"type": "DocumentPicker", "name": "", "label": "D"}, 1, "4.0", "screens[0].layout.children[1].type"),
            ({"type": "ImageCarousel", "images": [CARD]}, 2, "7.1", "screens[0].layout.children[2].type"),
        )
    ),
    Row("COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN", "3 NavigationLists", "screens[0].layout.children[2].type",
        lambda v: listing(v, *[nav(name=name, **{"on-click-action": GO}) for name in "abc"]),
        lambda v: listing(v, *[nav(name=name, **{"on-click-action": GO}) for name in "ab"]), span("6.2")),
    Row("COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN", "both pickers", "~.type",
        lambda v: one(v, photo(), photo(type="DocumentPicker", name="d")), lambda v: one(v, photo()), span("4.0")),
    Row("COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN", "a Footer beside branches", "~.then[0].type",
        lambda v: one(v, branch(then=[footer()], **{"else": [footer()]}), data=B),
        lambda v: one(v, branch(then=[footer()], **{"else": [footer()]}), data=B, end=False), span("4.0")),
    Row("MIN_VALUE_GREATER_THAN_MAX", "characters", "@.min-chars",
        lambda v: inputs(v, ask(**{"min-chars": 3, "max-chars": 2})),
        lambda v: inputs(v, ask(**{"min-chars": 2, "max-chars": 2}))),
    Row("MIN_VALUE_GREATER_THAN_MAX", "choices", "@.min-selected-items",
        lambda v: inputs(v, pick("CheckboxGroup", **{"min-selected-items": 3, "max-selected-items": 2})),
        lambda v: inputs(v, pick("CheckboxGroup", **{"min-selected-items": 2, "max-selected-items": 2}))),
    Row("MIN_VALUE_GREATER_THAN_MAX", "photos", "~.min-uploaded-photos",
        lambda v: one(v, photo(**{"min-uploaded-photos": 3, "max-uploaded-photos": 2})), lambda v: one(v, photo()),
        span("4.0")),
    # -- screens and names
    Row("SCREEN_ID_IS_RESERVED_KEYWORD", "success", "screens[0].id", lambda v: flow(v, end("success")), one),
    Row("SCREEN_ID_IS_RESERVED_KEYWORD", "SUCCESS", "screens[0].id",
        lambda v: flow(v, end("SUCCESS")), one, (), VERSIONS),
    Row("DUPLICATE_SCREEN_IDS", "twice", "screens[1].id", lambda v: flow(v, end("A"), end("A")),
        lambda v: pair(v, {}, None)),
    Row("DUPLICATE_FORM_COMPONENT_NAMES", "twice", "@.name", lambda v: inputs(v, ask(), ask()),
        lambda v: inputs(v, ask(), ask("b"))),
    Row("MISSING_TERMINAL_SCREEN", "none", "screens", lambda v: flow(v, screen("A")), one),
    Row("MISSING_FOOTER_ON_TERMINAL_SCREEN", "no Footer", "screens[0]", lambda v: one(v, end=False), one,
        without(VERSIONS, *span("5.1", "7.2")), span("5.1", "7.2")),
    Row("COMPONENTS_OUTSIDE_FORM", "beside a Form", "screens[0].layout.children[1]", lambda v: one(v, form(), ask()),
        lambda v: one(v, form(ask())), span("4.0")),
    Row("MISSING_FOOTER_IN_IF_ELSE_BRANCHES", "no else", "~",
        lambda v: one(v, branch(then=[footer()]), data=B, end=False),
        lambda v: one(v, branch(then=[footer()], **{"else": [footer()]}), data=B, end=False), (), span("4.0")),
    Row("MISSING_FOOTER_IN_IF_ELSE_BRANCHES", "one branch", "~",
        lambda v: one(v, branch(then=[footer()], **{"else": [text()]}), data=B, end=False),
        lambda v: one(v, branch(then=[footer()], **{"else": [footer()]}), data=B, end=False), (), span("4.0")),
    Row("MISSING_FOOTER_IN_SWITCH_BRANCHES", "some cases", "~",
        lambda v: one(v, switch(a=[footer()], b=[]), data=S, end=False),
        lambda v: one(v, switch(a=[footer()], b=[footer()]), data=S, end=False), (), span("4.0")),
    Row("MAXIMUM_IF_NESTING", "four deep", "~", lambda v: nested(v, 4), lambda v: nested(v, 3), span("4.0")),
    Row("NATIVE_COMPONENT_IN_FORM_INIT_VALUES", "a picker", "~.init-values.p",
        lambda v: one(v, form(photo(), **{"init-values": {"p": "x"}})),
        lambda v: one(v, form(photo(), **{"init-values": {}})), span("4.0")),
    Row("INVALID_SENSITIVE_FIELD", "no component", "screens[0].sensitive[0]", lambda v: one(v, ask(), sensitive=["b"]),
        lambda v: one(v, ask(), sensitive=["a"]), span("5.1")),
    # -- components
    Row("DATA_SOURCE_ITEMS_HAVE_BOTH_IMAGE_AND_COLOR", "mixed", "@.data-source[0].color",
        lambda v: inputs(v, pick("Dropdown", COLORED, {"id": "2", "title": "2", "image": "x"})),
        lambda v: inputs(v, pick("Dropdown", COLORED, COLORED | {"id": "2"})), span("5.0")),
    Row("INVALID_DATE_RANGE", "form", "@.min-date", lambda v: inputs(v, day(**{"min-date": "31.01.2026"})),
        lambda v: inputs(v, day(**{"min-date": "2026-01-31" if v >= "5.0" else "1769817600000"})), span("5.0"),
        span("2.1", "4.0")),
    Row("INVALID_DATE_RANGE", "order", "@.min-date",
        lambda v: inputs(v, day(**{"min-date": "2026-02-01", "max-date": "2026-01-31"})),
        lambda v: inputs(v, day(**{"min-date": "2026-01-31", "max-date": "2026-02-01"})), span("5.0"), elsewhere=True),
    Row("INVALID_DATE_RANGE", "range", "@.unavailable-dates[0]",
        lambda v: inputs(v, day(**{"min-date": "2026-01-31", "unavailable-dates": ["2026-01-30"]})),
        lambda v: inputs(v, day(**{"min-date": "2026-01-31", "unavailable-dates": ["2026-01-31"]})), span("5.0"),
        elsewhere=True),
    Row("INVALID_DATE_RANGE", "form in a calendar", "~.max-date",
        lambda v: one(v, day("CalendarPicker", **{"max-date": "31.01.2026"})),
        lambda v: one(v, day("CalendarPicker", **{"max-date": "2026-01-31"})), span("6.1")),
    Row("INVALID_DATE_RANGE", "a period backwards", "~.init-value.start-date",
        lambda v: one(v, period(**{"init-value": {"start-date": "2026-02-01", "end-date": "2026-01-31"}})),
        lambda v: one(v, period(**{"init-value": {"start-date": "2026-01-31", "end-date": "2026-02-01"}})),
        span("6.1")),
    Row("INVALID_RICHTEXT_PLACEMENT", "not alone", "~.type", lambda v: without_footer(v, RICH, text()),
        lambda v: without_footer(v, RICH),
        span("5.1", "5.2")),
    Row("INVALID_COMPONENT_PLACEMENT", "not alone", "~.type", lambda v: without_footer(v, RICH, text()),
        lambda v: without_footer(v, RICH),
        span("6.0")),
    Row("INVALID_COMPONENT_PLACEMENT", "with a Footer", "~.type", lambda v: without_footer(v, RICH, to("B")),
        lambda v: without_footer(v, RICH), span("6.0", "6.2")),
    Row("INVALID_COMPONENT_PLACEMENT", "a NavigationList that is not alone", "~.type",
        lambda v: listing(v, nav(**{"on-click-action": GO}), text()),
        lambda v: listing(v, nav(**{"on-click-action": GO})), span("6.2")),
    Row("INVALID_TEXT_DYNAMIC_DATA", "in an array", "~.type", lambda v: one(v, text(["a", "${data.s}"]), data=S),
        lambda v: one(v, text(["a", "b"]), data=S), span("5.1")),
    Row("INVALID_MIN_MAX_DAYS", "over", "~.min-days", lambda v: one(v, period(**{"min-days": 3, "max-days": 2})),
        lambda v: one(v, period(**{"min-days": 2, "max-days": 2})), span("6.1")),
    Row("INVALID_DATE_SINGLE_INIT_VALUE_FORMAT", "form", "~.init-value",
        lambda v: one(v, day("CalendarPicker", **{"init-value": "31.01.2026"})),
        lambda v: one(v, day("CalendarPicker", **{"init-value": "2026-01-31"})), span("6.1")),
    Row("INVALID_TYPE", "a period for a day", "~.label",
        lambda v: one(v, day("CalendarPicker", label={"start-date": "x", "end-date": "y"})),
        lambda v: one(v, day("CalendarPicker")), span("6.1")),
    Row("INVALID_TYPE", "a day for a period", "~.label", lambda v: one(v, period(label="x")),
        lambda v: one(v, period()),
        span("6.1")),
    Row("MISSING_CALENDAR_PICKER_RANGE_MODE_PROP", "no end", "~.label",
        lambda v: one(v, period(label={"start-date": "x"})), lambda v: one(v, period(required={"start-date": True})),
        span("6.1")),
    Row("UNEXPECTED_CALENDAR_PICKER_RANGE_MODE_PROP", "more", "~.required.middle",
        lambda v: one(v, period(required={"start-date": True, "middle": True})),
        lambda v: one(v, period(required={"start-date": True, "end-date": True})), span("6.1")),
    Row("INVALID_PROPERTY_NAME_FOR_CONDITION", "for periods", "~.min-days",
        lambda v: one(v, day("CalendarPicker", **{"min-days": 2})), lambda v: one(v, period(**{"min-days": 2})),
        span("6.1")),
    Row("INVALID_PROPERTY_VALUE_FOR_CONDITION", "large and an end", "~",
        lambda v: listing(v, nav({"end": {"title": "x"}}, **{"on-click-action": GO, "media-size": "large"})),
        lambda v: listing(v, nav({"end": {"title": "x"}}, **{"on-click-action": GO})), span("6.2")),
    Row("DUPLICATE_PROPETY_FOR_CONDITION", "an end with everything", "~.list-items[0].end",
        lambda v: listing(v, nav({"end": dict.fromkeys(("title", "description", "metadata"), "x")},
        **{"on-click-action": GO})),
        lambda v: listing(v, nav({"end": {"title": "x", "metadata": "x"}}, **{"on-click-action": GO})), span("6.2")),
    Row("DUPLICATE_PROPETY_FOR_CONDITION", "an action at both levels", "!",
        lambda v: listing(v, nav({"on-click-action": GO}, **{"on-click-action": GO})),
        lambda v: listing(v, nav({"on-click-action": GO})), span("6.2")),
)  # fmt: skip


def test_every_code_has_a_row_or_a_reason() -> None:
    """All 82 codes, none twice."""
    assert len(CODES) == 82
    assert {row.code for row in ROWS} | set(NOT_LOCAL) == CODES
    assert not {row.code for row in ROWS} & set(NOT_LOCAL)


def test_every_rule_has_a_row() -> None:
    """Each rule has findings in some document of the table, through the whole pipeline."""
    rules = {rule.id for rule in RULES} | set(RULE_OF.values()) - {RULE_OF["INVALID_FLOW_JSON"]}  # of deep nesting
    for row in ROWS:
        version = (*row.versions, *row.warned)[-1]
        rules -= {issue.rule or "" for issue in validate(row.fails(version), today=row.today, advice=False).issues}
    assert rules == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code}: {row.trigger}")
def test_a_code_is_reported_for_the_failing_document_only(row: Row) -> None:
    """The failing document has the error at its place; its neighbour has neither the error nor a warning of it."""
    for version in VERSIONS:
        source = row.fails(version)
        report = validate(source, today=row.today)
        found = {(issue.severity, issue.pointers[0].path if issue.pointers else None)
                 for issue in report.issues if issue.error == row.code}  # fmt: skip
        severity = "error" if version in row.versions else "warning" if version in row.warned else None
        if severity is None:
            assert row.elsewhere or not found, (version, report.render())
            continue
        at = None if row.at is None else format_pointer(row.at, version)
        assert (severity, at) in found, (version, report.render())
        assert {each for each, place in found if place == at} == {severity}, (version, report.render())
        neighbour = validate(row.passes(version), today=row.today, advice=False)
        assert neighbour.ok, (version, neighbour.render())
        assert row.code not in {issue.error for issue in neighbour.issues}, (version, neighbour.render())
