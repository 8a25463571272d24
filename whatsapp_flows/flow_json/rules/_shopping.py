"""
The shopping layouts of 5.2: the routes between them, and what they require.

Sources: Meta's client validator, August 2026. It names no place for the cart that is missing, and no code for the
different sources: there the places, and the code, are our choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..schema import SHOPPING_LAYOUTS, SHOPPING_ROUTES, Document, Finding, Version
from ..text import Pointer
from ._index import index
from ._rule import Rule

ONLY: Final = Version(5, 2)


def forbidden_route(doc: Document) -> Iterator[Finding]:
    """
    Each shopping layout leads to certain layouts only.

    Passes: {"routing_model": {"A": ["B"]}, "screens": [
        {"layout": {"type": "ItemListLayout", "items": "${external_data.meta_catalog.products}"}},
        {"layout": {"type": "CartLayout", "items": "${external_data.meta_catalog.products}"}}]}
    Fails: {"routing_model": {"A": ["B"]}, "screens": [
        {"layout": {"type": "ItemDetailLayout", "item": "${external_data.meta_catalog.product_detail}"}}, {}]}
    """
    routes, layouts = index(doc).routes, _layouts(doc)
    for source, targets in routes.edges.items():
        allowed = SHOPPING_ROUTES.get(layouts.get(source, ""))
        for i, target in enumerate(targets) if allowed is not None else ():
            if target in layouts and layouts[target] not in (allowed or ()):
                message = f"{layouts[source]} does not lead to {layouts[target]}."
                if routes.model is None:
                    yield Finding("INVALID_ROUTING_MODEL", message, index(doc).screens[source].at("id"))
                else:
                    at: Pointer = ("routing_model", source)
                    yield Finding("INVALID_ROUTING_MODEL", message, (*at, i))
                    yield Finding("INVALID_ROUTING_MODEL", message, at, key=True)


def list_without_cart(doc: Document) -> Iterator[Finding]:
    """
    A flow that lists items has a cart.

    Passes: {"screens": [{"layout": {"type": "ItemListLayout"}}, {"layout": {"type": "CartLayout"}}]}
    Fails: {"screens": [{"layout": {"type": "ItemListLayout"}}]}
    """
    if "CartLayout" not in index(doc).by_type:
        for _, layout in index(doc).of("ItemListLayout"):
            yield Finding("MISSING_CART_LAYOUT", "An ItemListLayout needs a CartLayout.", layout.at("type"))


def different_sources(doc: Document) -> Iterator[Finding]:
    """
    All screens use the same source of external_data.

    Passes: {"screens": [{"external_data": {"meta_catalog": {}}}, {"external_data": {"meta_catalog": {}}}]}
    Fails: {"screens": [{"external_data": {"meta_catalog": {}}}, {"external_data": {}}]}
    """
    naming = [screen for screen in doc.screens if isinstance(screen.value.get("external_data"), dict)]
    if len({next(iter(screen.value["external_data"]), "") for screen in naming}) > 1:
        for screen in naming:
            message = "The screens name different sources of external_data; there is one, meta_catalog."
            yield Finding("INVALID_FLOW_JSON", message, screen.at("external_data"))


def _layouts(doc: Document) -> Mapping[str, str]:
    """The type of the layout of each screen that has one."""
    found: dict[str, str] = {}
    for screen in doc.screens:
        layout = screen.value.get("layout")
        kind = layout.get("type") if isinstance(layout, dict) else None
        if isinstance(kind, str):
            found.setdefault(screen.id, kind)
    return found


_SHOPPING: Final = tuple(SHOPPING_LAYOUTS)
RULES: Final = (
    Rule(
        "FJ130",
        "a route that a shopping layout does not take",
        forbidden_route,
        since=ONLY,
        until=ONLY,
        needs=_SHOPPING,
    ),
    Rule(
        "FJ131", "a list of items without a cart", list_without_cart, since=ONLY, until=ONLY, needs=("ItemListLayout",)
    ),
    Rule(
        "FJ132",
        "different sources of external_data",
        different_sources,
        since=ONLY,
        until=ONLY,
        needs=("external_data",),
    ),
)
