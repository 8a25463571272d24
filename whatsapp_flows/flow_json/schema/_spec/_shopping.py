"""
Version 5.2, which was never public: layouts that show a catalogue, and the sources of its items.

Such a layout has no components; it is one itself. Source: Meta's client validator, August 2026; Meta documents nothing
of it. The inner structure of `cart` is not described.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ._rows import Property, Shape

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
    Property("show-media", "bool"),
    Property("show-discount-strikethrough", "bool"),
    Property("show-description", "bool"),
    Property("on-view-cart-click-action", "action:on-click", values=_GOES_ON),
)

SHOPPING_LAYOUTS: Final[Mapping[str, Shape]] = {
    shape.name: shape
    for shape in (
        Shape(
            "CartLayout",
            (
                Property("type", "any", required=True),
                Property("items", "source", required=True, values=_PRODUCTS),
                Property("cta-label", "string"),
                Property("on-cta-click-action", "action:on-click", values=("complete", *_GOES_ON)),
                Property("coupons", "array<object>|binding", item="coupon"),
                Property("in-cart-items", "array<object>|binding", item="in_cart_item"),
                Property("cart", "object|binding"),
                Property("error-message", "string"),
            ),
        ),
        Shape(
            "CategoryListLayout",
            (
                Property("type", "any", required=True),
                Property("categories", "source|binding", required=True, values=_CATEGORIES),
                Property("on-last-level-click-action", "action:on-click", values=_GOES_ON),
                Property("on-view-cart-click-action", "action:on-click", values=_GOES_ON),
            ),
        ),
        Shape(
            "ItemDetailLayout",
            (
                Property("type", "any", required=True),
                Property("item", "source", required=True, values=_DETAIL),
                *_SHOWS,
                Property("on-add-to-cart-click-action", "action:on-click", values=_GOES_ON),
                Property("on-remove-from-cart-click-action", "action:on-click", values=_GOES_ON),
            ),
        ),
        Shape(
            "ItemListLayout",
            (
                Property("type", "any", required=True),
                Property("items", "source", required=True, values=_LISTS),
                *_SHOWS,
                Property("on-item-click-action", "action:on-click", values=_GOES_ON),
            ),
        ),
    )
}

SHOPPING_ITEMS: Final[Mapping[str, Shape]] = {
    "coupon": Shape(
        "a coupon", (Property("id", "string"), Property("code", "string"), Property("description", "string"))
    ),
    "in_cart_item": Shape("an item of the cart", (Property("retailer_id", "string"), Property("quantity", "string"))),
    "external_data": Shape("external_data", (Property("meta_catalog", "object", item="meta_catalog"),)),
    "meta_catalog": Shape(
        "meta_catalog",
        (
            Property("categories", "object", item="all_of_it"),
            Property("product_catalog", "object", item="all_of_it"),
            Property("product_detail", "object", item="product_detail"),
            Property("product_list", "object", item="product_list"),
            Property("products", "object", item="products"),
        ),
    ),
    "all_of_it": Shape("a part of the catalogue without a payload", ()),
    "product_detail": Shape("product_detail", (Property("payload", "object", item="one_product"),)),
    "product_list": Shape("product_list", (Property("payload", "object", item="one_category"),)),
    "products": Shape("products", (Property("payload", "object", item="some_products"),)),
    "one_product": Shape("the payload", (Property("product_id", "any-string"),)),
    "one_category": Shape("the payload", (Property("category", "any-string"),)),
    "some_products": Shape("the payload", (Property("product_ids", "array<string>|binding"),)),
}

SHOPPING_ROUTES: Final[Mapping[str, frozenset[str]]] = {
    "CategoryListLayout": frozenset({"ItemListLayout", "CartLayout"}),
    "ItemDetailLayout": frozenset({"CartLayout"}),
    "ItemListLayout": frozenset({"ItemDetailLayout", "CartLayout"}),
}
"""The layouts to which a screen with one of these may lead; a cart may lead to any layout."""

SHOPPING_ACTIONS: Final = frozenset(
    row.name for shape in SHOPPING_LAYOUTS.values() for row in shape.properties if row.kind == "action:on-click"
)
