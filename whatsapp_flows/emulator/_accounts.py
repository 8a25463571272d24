"""
The operations on what surrounds Flows: phone numbers, public keys, app subscriptions.

Source: "Business encryption" and "Webhooks" pages, and Meta's OpenAPI file (v23.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ._account_nodes import NUMBER_DEFAULT, NUMBER_FIELDS, number_node, subscription_items
from ._call import Answer, Call, bad_parameter, json_answer, positive_number, required_text, text
from ._fields import Field, NodeField, check, parse, project
from ._keys import rsa_bits
from ._paging import page_of, paging_object
from ._state import PhoneNumber, World

_KEY_BITS: Final = 2048
_SUCCESS: Final = json_answer({"success": True})
_KEY_DEFAULT: Final = "business_public_key,business_public_key_signature_status"
_APP_DEFAULT: Final = "whatsapp_business_api_data,override_callback_uri"
_APP_KEYS: Final = frozenset({"id", "link", "name"})


def list_phone_numbers(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """A page of the numbers connected to an account."""
    fields = parse(text(call, "fields") or NUMBER_DEFAULT)
    check(fields, NUMBER_FIELDS)
    limit = positive_number(call, "limit", call.settings.page_size)
    items = list(enumerate(world.phone_numbers_of(waba_id)))
    page = page_of(items, limit=limit, after=text(call, "after"), before=text(call, "before"))
    data = [number_node(world, call, number.id, fields) for _, number in page.items]
    url = call.settings.base_url + call.path
    paging = paging_object(page, url=url, query=call.query, limit=limit, token=call.token or "")
    return world, json_answer({"data": data, **({"paging": paging} if paging else {})})


def get_public_key(world: World, call: Call, number_id: str) -> tuple[World, Answer]:
    """The key of a number; without one, a blank and MISMATCH (example in the OpenAPI file)."""
    fields = parse(text(call, "fields") or _KEY_DEFAULT)
    check(fields, _KEY_FIELDS)
    return world, json_answer({"data": [project(fields, _KEY_FIELDS, world.phone_numbers[number_id])]})


def set_public_key(world: World, call: Call, number_id: str) -> tuple[World, Answer]:
    """One key per number: a new one replaces the old."""
    pem = required_text(call, "business_public_key")
    if rsa_bits(pem) != _KEY_BITS:
        raise bad_parameter("business_public_key", "must be a valid 2048-bit RSA public key in PEM format")
    return world.with_phone_number(replace(world.phone_numbers[number_id], public_key=pem)), _SUCCESS


def list_subscribed_apps(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """The apps that get the webhooks of an account."""
    fields = _inside_the_app(parse(text(call, "fields") or _APP_DEFAULT))
    check(fields, _APP_FIELDS)
    return world, json_answer(
        {"data": [project(fields, _APP_FIELDS, app) for app in subscription_items(world, waba_id)]}
    )


def _inside_the_app(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The OpenAPI file selects `id,name,link` here, and they stand inside the app's object."""
    own = tuple(field for field in fields if field.name in _APP_KEYS)
    others = tuple(field for field in fields if field.name not in _APP_KEYS)
    return (*others, Field("whatsapp_business_api_data", inside=own)) if own else others


def subscribe_app(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """
    The token's app gets the webhooks of an account: at its own address, or at the one given here.

    Meta calls that address first, with the `verify_token`; the emulator calls nobody. Without an address, one that was
    given before is taken back ("Webhook overrides" page).
    """
    account, app, uri = world.accounts[waba_id], call.settings.app_id, text(call, "override_callback_uri")
    apps = tuple(dict.fromkeys((*account.subscribed_apps, app)))
    callbacks = {key: value for key, value in account.callbacks.items() if key != app}
    if uri is not None:
        if not uri.startswith("https://"):
            raise bad_parameter("override_callback_uri", "must be an https URL")
        required_text(call, "verify_token")
        callbacks[app] = uri
    world = world.with_account(replace(account, subscribed_apps=apps, callbacks=callbacks))
    if uri is None:
        return world, _SUCCESS
    return world, json_answer({"success": True, "data": subscription_items(world, waba_id)})


def unsubscribe_app(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """The token's app gets them no longer."""
    account, app = world.accounts[waba_id], call.settings.app_id
    apps = tuple(each for each in account.subscribed_apps if each != app)
    callbacks = {key: value for key, value in account.callbacks.items() if key != app}
    return world.with_account(replace(account, subscribed_apps=apps, callbacks=callbacks)), _SUCCESS


_APP_FIELDS: Final[Mapping[str, NodeField[Mapping[str, object]]]] = {
    "override_callback_uri": NodeField(lambda item, _: item.get("override_callback_uri")),
    "whatsapp_business_api_data": NodeField(lambda item, _: item["whatsapp_business_api_data"], inside=_APP_KEYS),
}
_KEY_FIELDS: Final[Mapping[str, NodeField[PhoneNumber]]] = {
    "business_public_key": NodeField(lambda number, _: number.public_key or " "),
    "business_public_key_signature_status": NodeField(
        lambda number, _: "VALID" if number.public_key is not None else "MISMATCH"
    ),
}
