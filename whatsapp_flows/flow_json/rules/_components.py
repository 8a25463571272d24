"""
Properties of a component that depend on each other, and components that exclude each other on a screen.

Sources: Meta, Flow JSON reference ("Components"); Meta's client validator, August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..schema import SHOPPING_LAYOUTS, Component, Document, Finding, Screen, Version, is_number
from ._component_facts import static_items
from ._gaps import NO_TERMINAL_FOOTER
from ._index import index
from ._rule import Newer, Rule

_MIN_AND_MAX: Final = {
    "CheckboxGroup": ("min-selected-items", "max-selected-items"),
    "DocumentPicker": ("min-uploaded-documents", "max-uploaded-documents"),
    "PhotoPicker": ("min-uploaded-photos", "max-uploaded-photos"),
    "TextInput": ("min-chars", "max-chars"),
}
_ENDING: Final = ("complete", "data_exchange")


def min_over_max(doc: Document) -> Iterator[Finding]:
    """
    A minimum is at most its maximum.

    Passes: {"children": [{"type": "TextInput", "name": "a", "min-chars": 2, "max-chars": 5}]}
    Fails: {"children": [{"type": "TextInput", "name": "a", "min-chars": 5, "max-chars": 2}]}
    """
    for kind, (least, most) in _MIN_AND_MAX.items():
        for _, component in index(doc).of(kind):
            low, high = component.value.get(least), component.value.get(most)
            if is_number(low) and is_number(high) and low > high:
                message = f"{least} {low} is over {most} {high} in {_named(component)}."
                yield Finding("MIN_VALUE_GREATER_THAN_MAX", message, component.at(least))


def image_and_color(doc: Document) -> Iterator[Finding]:
    """
    The items of one list have images or colors, not both.

    Passes: {"children": [{"type": "Dropdown", "data-source": [{"color": "#00FF00"}, {"color": "#FF0000"}]}]}
    Fails: {"children": [{"type": "Dropdown", "data-source": [{"color": "#00FF00"}, {"image": "iVBO"}]}]}
    """
    for _, component in index(doc).of("CheckboxGroup", "RadioButtonsGroup", "Dropdown"):
        colors = [i for i, item in static_items(component, "data-source") if "color" in item]
        images = [i for i, item in static_items(component, "data-source") if "image" in item] if colors else []
        message = f"The items of {_named(component)} have images or colors, not both."
        for key, places in (("color", colors), ("image", images)) if images else ():
            for i in places:
                at = component.at("data-source", i, key)
                yield Finding("DATA_SOURCE_ITEMS_HAVE_BOTH_IMAGE_AND_COLOR", message, at)


def pattern_without_help(doc: Document) -> Iterator[Finding]:
    """
    An input with a pattern has helper-text.

    Passes: {"children": [{"type": "TextInput", "name": "a", "pattern": "[0-9]{4}", "helper-text": "Four digits"}]}
    Fails: {"children": [{"type": "TextInput", "name": "a", "pattern": "[0-9]{4}"}]}
    """
    for _, component in index(doc).of("TextInput"):
        if "pattern" in component.value and "helper-text" not in component.value:
            message = f"{_named(component)} has a pattern, so it needs helper-text."
            yield Finding("MISSING_REQUIRED_PROPERTY", message, component.at())


def rich_text_not_alone(doc: Document) -> Iterator[Finding]:
    """
    A RichText stands alone on its screen; from 6.3 on a Footer may stand beside it.

    Passes: {"children": [{"type": "RichText"}]}
    Fails: {"children": [{"type": "RichText"}, {"type": "TextBody"}]}
    """
    beside = {"Footer"} if doc.version >= Version(6, 3) else set()
    for i, texts in index(doc).by_screen("RichText").items():
        others = {component.type for component in doc.screens[i].components} - beside - {"RichText"}
        if not others and len(texts) == 1:
            continue
        where = "with nothing but a Footer" if beside else "alone"
        message = f"A RichText stands {where} on its screen, only once."
        if doc.version < Version(6, 0):
            if others:  # before 6.0, several RichTexts are allowed
                yield Finding("INVALID_RICHTEXT_PLACEMENT", message, texts[0].at("type"))
            continue
        for text in texts:
            yield Finding("INVALID_COMPONENT_PLACEMENT", message, text.at("type"))


def terminal_without_footer(doc: Document) -> Iterator[Finding]:
    """
    A terminal screen has a Footer, which ends the flow.

    Passes: {"screens": [{"terminal": true, "children": [{"type": "Footer"}]}]}
    Fails: {"screens": [{"terminal": true}]}
    """
    bare = [screen for screen in index(doc).terminal_screens if _first_footer(screen) is None and not _shops(screen)]
    if bare:
        message = f"Terminal screens need a Footer: {', '.join(screen.id for screen in bare)}."
        for screen in bare:
            yield Finding("MISSING_FOOTER_ON_TERMINAL_SCREEN", message, screen.at())


def terminal_not_ending(doc: Document) -> Iterator[Finding]:
    """
    The first Footer of a terminal screen ends the flow.

    Passes: {"screens": [{"terminal": true, "children": [{"type": "Footer", "on-click-action": {"name": "complete"}}]}]}
    Fails: {"screens": [{"terminal": true, "go": "B"}, {}]}
    """
    for screen in index(doc).terminal_screens:
        footer = _first_footer(screen)
        action = footer.value.get("on-click-action") if footer else None
        name = action.get("name") if isinstance(action, dict) else None
        if footer and isinstance(name, str) and name not in _ENDING:
            message = f"The Footer of a terminal screen takes one of [{', '.join(_ENDING)}], not {name!r}."
            yield Finding("INVALID_PROPERTY_VALUE", message, footer.at("on-click-action", "name"))


def _first_footer(screen: Screen) -> Component | None:
    return next((component for component in screen.components if component.type == "Footer"), None)


def _shops(screen: Screen) -> bool:
    return any(component.type in SHOPPING_LAYOUTS for component in screen.components[:1])


def _named(component: Component) -> str:
    return f"{component.type} {component.value.get('name', '')!r}"


RULES: Final = (
    Rule("FJ601", "a minimum over its maximum", min_over_max),
    Rule("FJ602", "images and colors mixed", image_and_color, since=Version(5, 0), needs=("color",)),
    Rule("FJ603", "a pattern without helper-text", pattern_without_help, since=Version(6, 2), needs=("pattern",)),
    Rule(
        "FJ607", "a RichText that is not alone", rich_text_not_alone, since=Version(5, 1), needs=("RichText",),
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule(
        "FJ608", "a terminal screen without Footer", terminal_without_footer, skipped_by_meta=NO_TERMINAL_FOOTER,
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
    Rule(
        "FJ609", "a terminal screen that does not end", terminal_not_ending, since=Version(7, 3), needs=("Footer",),
        newer=Newer.IF_ALL_IS_KNOWN,
    ),
)  # fmt: skip
