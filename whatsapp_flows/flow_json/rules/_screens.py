"""The document and its screens: ids, terminal screens, what needs an endpoint. Sources: Meta, Flow JSON reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..schema import Document, Finding, Severity, Version
from ._contents import DUPLICATE_ID, NO_TERMINAL_SCREEN
from ._index import index
from ._rule import Newer, Rule

MAX_SCREENS: Final = 100
RESERVED: Final = ("success", "SUCCESS")


def too_many_screens(doc: Document) -> Iterator[Finding]:
    """
    A flow has at most 100 screens.

    Passes: {"screens": [{}, {}]}
    Fails: {"repeat": 101}
    """
    count = len(doc.screens)
    for screen in doc.screens[MAX_SCREENS:]:
        yield Finding("MAX_SCREENS_NUMBER", f"A flow has at most {MAX_SCREENS} screens; this has {count}.", screen.at())


def duplicate_screen_id(doc: Document) -> Iterator[Finding]:
    """
    No two screens have the same id.

    Passes: {"screens": [{"id": "A"}, {"id": "B"}]}
    Fails: {"screens": [{"id": "A"}, {"id": "A"}]}
    """
    first = index(doc).screens
    if len(first) < len(doc.screens):
        for screen in doc.screens:
            if first[screen.id] is not screen:
                yield Finding("DUPLICATE_SCREEN_IDS", f"Another screen has the id {screen.id!r}.", screen.at("id"))


def reserved_screen_id(doc: Document) -> Iterator[Finding]:
    """
    SUCCESS ends a flow and is no screen. Meta's documentation writes it in capitals, its client in lower case.

    Passes: {"screens": [{"id": "DONE"}]}
    Fails: {"screens": [{"id": "success"}]}
    """
    for name in RESERVED:
        if screen := index(doc).screens.get(name):
            severity = None if name == "success" else Severity.WARNING
            yield Finding(
                "SCREEN_ID_IS_RESERVED_KEYWORD", f"The id {name!r} is reserved.", screen.at("id"), severity=severity
            )


def no_terminal_screen(doc: Document) -> Iterator[Finding]:
    """
    At least one screen is terminal.

    Passes: {"screens": [{}, {"terminal": true}]}
    Fails: {"screens": [{}, {"terminal": false}]}
    """
    if not index(doc).terminal_screens:
        yield Finding("MISSING_TERMINAL_SCREEN", "No screen has terminal set to true.", ("screens",))


def no_successful_end(doc: Document) -> Iterator[Finding]:
    """
    At least one terminal screen counts as success, which is the default.

    Meta's client also accepts a screen without `terminal`; where there is such a screen, this is a warning.

    Passes: {"screens": [{"terminal": true, "success": false}, {"terminal": true}]}
    Fails: {"screens": [{"terminal": true, "success": false}]}
    """
    ends = index(doc).terminal_screens
    if ends and all(screen.value.get("success") is False for screen in ends):
        undecided = any("terminal" not in screen.value for screen in doc.screens)
        for screen in ends:
            yield Finding(
                "INVALID_PROPERTY_VALUE", "No terminal screen has success true: at least one must.",
                screen.at("success"), severity=Severity.WARNING if undecided else None,
            )  # fmt: skip


def exchange_without_endpoint(doc: Document) -> Iterator[Finding]:
    """
    data_exchange calls an endpoint, so the document needs data_api_version.

    Passes: {"data_api_version": "3.0", "children": [{"type": "Footer", "on-click-action": {"name": "data_exchange"}}]}
    Fails: {"children": [{"type": "Footer", "on-click-action": {"name": "data_exchange"}}]}
    """
    if "data_api_version" not in doc.value:
        for action in index(doc).actions.get("data_exchange", ()):
            yield Finding(
                "MISSING_REQUIRED_PROPERTY", "The action data_exchange needs data_api_version in the document.",
                (*action.pointer, "name"),
            )  # fmt: skip


def endpoint_without_routing_model(doc: Document) -> Iterator[Finding]:
    """
    A document with data_api_version has a routing_model.

    Passes: {"data_api_version": "3.0", "routing_model": {}}
    Fails: {"data_api_version": "3.0"}
    """
    if "data_api_version" in doc.value and "routing_model" not in doc.value:
        yield Finding("MISSING_REQUIRED_PROPERTY", "A document with data_api_version needs a routing_model.")


def refresh_without_endpoint(doc: Document) -> Iterator[Finding]:
    """
    refresh_on_back calls an endpoint, so the document needs data_api_version.

    Passes: {"data_api_version": "3.0", "screens": [{"refresh_on_back": true}]}
    Fails: {"screens": [{"refresh_on_back": true}]}
    """
    if "data_api_version" not in doc.value:
        for screen in doc.screens:
            if screen.value.get("refresh_on_back") is True:
                yield Finding(
                    "INVALID_PROPERTY_VALUE", "refresh_on_back is for documents with data_api_version.",
                    screen.at("refresh_on_back"),
                )  # fmt: skip


def unknown_sensitive_field(doc: Document) -> Iterator[Finding]:
    """
    `sensitive` names components of its screen.

    Passes: {"screens": [{"sensitive": ["pin"], "children": [{"type": "TextInput", "name": "pin"}]}]}
    Fails: {"screens": [{"sensitive": ["pim"], "children": [{"type": "TextInput", "name": "pin"}]}]}
    """
    for screen in doc.screens:
        listed = screen.value.get("sensitive")
        if isinstance(listed, list):
            names = index(doc).names[screen.position]
            for i, name in enumerate(listed):
                if isinstance(name, str) and name not in names:
                    yield Finding(
                        "INVALID_SENSITIVE_FIELD", f"Screen {screen.id!r} has no component named {name!r}.",
                        screen.at("sensitive", i),
                    )  # fmt: skip


def reserved_meta(doc: Document) -> Iterator[Finding]:
    """
    `meta` is reserved for Meta's own generator.

    Passes: {}
    Fails: {"meta": {"lead_gen_ai": true}}
    """
    if "meta" in doc.value:
        yield Finding("INVALID_FLOW_JSON", "The property meta is not for documents of your own.", ("meta",))


RULES: Final = (
    Rule("FJ101", "too many screens", too_many_screens),
    Rule("FJ102", "a screen id given twice", duplicate_screen_id, needs=(DUPLICATE_ID,)),
    Rule("FJ103", "a reserved screen id", reserved_screen_id, needs=RESERVED),
    Rule("FJ104", "no terminal screen", no_terminal_screen, needs=(NO_TERMINAL_SCREEN,)),
    Rule(
        "FJ105",
        "no terminal screen counts as success",
        no_successful_end,
        since=Version(3, 1),
        needs=("success",),
    ),
    Rule("FJ106", "data_exchange without an endpoint", exchange_without_endpoint, needs=("data_exchange",)),
    Rule("FJ107", "an endpoint without a routing model", endpoint_without_routing_model, needs=("data_api_version",)),
    Rule("FJ108", "refresh_on_back without an endpoint", refresh_without_endpoint, needs=("refresh_on_back",)),
    Rule(
        "FJ109",
        "a sensitive field that is not there",
        unknown_sensitive_field,
        since=Version(5, 1),
        needs=("sensitive",),
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule("FJ110", "a property reserved for Meta", reserved_meta, since=Version(5, 1), needs=("meta",)),
)
