"""
Version 5.2, which never was public: layouts that show a catalogue, and where their goods come from.

A layout of these holds no components; it is one. Source: Meta's client validator, August 2026; Meta documents nothing
of it. The deeper parts of what a cart holds (`cart`) are not described.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ._rows import P, Shape

_CATEGORIES: Final = ("${external_data.meta_catalog.categories}",)
_DETAIL: Final = ("${external_data.meta_catalog.product_detail}",)
_PRODUCTS: Final = ("${external_data.meta_catalog.products}",)
_LISTS: Final = (
    "${external_data.meta_catalog.product_catalog}",
    "${external_data.meta_catalog.product_list}",
    *_PRODUCTS,
)
_GOES_ON: Final = ("data_exchange", "navigate")
_SHOWS: Final = (
    P("show-media", "bool"),
    P("show-discount-strikethrough", "bool"),
    P("show-description", "bool"),
    P("on-view-cart-click-action", "action:on-click", values=_GOES_ON),
)

SHOPPING_LAYOUTS: Final[Mapping[str, Shape]] = {
    shape.name: shape
    for shape in (
        Shape(
            "CartLayout",
            (
                P("type", "any", required=True),
                P("items", "source", required=True, values=_PRODUCTS),
                P("cta-label", "string"),
                P("on-cta-click-action", "action:on-click", values=("complete", *_GOES_ON)),
                P("coupons", "array<object>|binding", item="coupon"),
                P("in-cart-items", "array<object>|binding", item="in_cart_item"),
                P("cart", "object|binding"),
                P("error-message", "string"),
            ),
        ),
        Shape(
            "CategoryListLayout",
            (
                P("type", "any", required=True),
                P("categories", "source|binding", required=True, values=_CATEGORIES),
                P("on-last-level-click-action", "action:on-click", values=_GOES_ON),
                P("on-view-cart-click-action", "action:on-click", values=_GOES_ON),
            ),
        ),
        Shape(
            "ItemDetailLayout",
            (
                P("type", "any", required=True),
                P("item", "source", required=True, values=_DETAIL),
                *_SHOWS,
                P("on-add-to-cart-click-action", "action:on-click", values=_GOES_ON),
                P("on-remove-from-cart-click-action", "action:on-click", values=_GOES_ON),
            ),
        ),
        Shape(
            "ItemListLayout",
            (
                P("type", "any", required=True),
                P("items", "source", required=True, values=_LISTS),
                *_SHOWS,
                P("on-item-click-action", "action:on-click", values=_GOES_ON),
            ),
        ),
    )
}

SHOPPING_ITEMS: Final[Mapping[str, Shape]] = {
    "coupon": Shape("a coupon", (P("id", "string"), P("code", "string"), P("description", "string"))),
    "in_cart_item": Shape("an item of the cart", (P("retailer_id", "string"), P("quantity", "string"))),
    "external_data": Shape("external_data", (P("meta_catalog", "object", item="meta_catalog"),)),
    "meta_catalog": Shape(
        "meta_catalog",
        (
            P("categories", "object", item="all_of_it"),
            P("product_catalog", "object", item="all_of_it"),
            P("product_detail", "object", item="product_detail"),
            P("product_list", "object", item="product_list"),
            P("products", "object", item="products"),
        ),
    ),
    "all_of_it": Shape("a part of the catalogue without a payload", ()),
    "product_detail": Shape("product_detail", (P("payload", "object", item="one_product"),)),
    "product_list": Shape("product_list", (P("payload", "object", item="one_category"),)),
    "products": Shape("products", (P("payload", "object", item="some_products"),)),
    "one_product": Shape("the payload", (P("product_id", "any-string"),)),
    "one_category": Shape("the payload", (P("category", "any-string"),)),
    "some_products": Shape("the payload", (P("product_ids", "array<string>|binding"),)),
}

SHOPPING_ROUTES: Final[Mapping[str, frozenset[str]]] = {
    "CategoryListLayout": frozenset({"ItemListLayout", "CartLayout"}),
    "ItemDetailLayout": frozenset({"CartLayout"}),
    "ItemListLayout": frozenset({"ItemDetailLayout", "CartLayout"}),
}
"""The layouts to which a screen with one of these may lead; from a cart the way is free."""

SHOPPING_ACTIONS: Final = frozenset(
    row.name for shape in SHOPPING_LAYOUTS.values() for row in shape.properties if row.kind == "action:on-click"
)
