"""
Operations on phone numbers, public keys and app subscriptions.

Source: "Business encryption" and "Webhooks" pages, and Meta's OpenAPI file (v23.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ._account_nodes import NUMBER_DEFAULT, NUMBER_FIELDS, subscription_items
from ._call import GraphCall, GraphResponse, bad_parameter, json_response, required_text, text
from ._fields import Field, NodeField, check, parse, project
from ._keys import rsa_bits
from ._nodes import NodeView, node_object
from ._paging import requested_page
from ._state import PhoneNumber, World

_KEY_BITS: Final = 2048
_SUCCESS: Final = json_response({"success": True})
_KEY_DEFAULT: Final = "business_public_key,business_public_key_signature_status"
_APP_DEFAULT: Final = "whatsapp_business_api_data,override_callback_uri"
_APP_KEYS: Final = frozenset({"id", "link", "name"})


def list_phone_numbers(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """A page of the numbers connected to an account."""
    fields = parse(text(call, "fields") or NUMBER_DEFAULT)
    check(fields, NUMBER_FIELDS)
    numbers, paging = requested_page(call, list(enumerate(world.phone_numbers_of(waba_id))))
    data = [node_object(fields, NUMBER_FIELDS, NodeView(world, call, number)) for number in numbers]
    return world, json_response({"data": data, **paging})


def get_public_key(world: World, call: GraphCall, number_id: str) -> tuple[World, GraphResponse]:
    """The key of a number; if it has none, a space and MISMATCH (example in the OpenAPI file)."""
    fields = parse(text(call, "fields") or _KEY_DEFAULT)
    check(fields, _KEY_FIELDS)
    return world, json_response({"data": [project(fields, _KEY_FIELDS, world.phone_numbers[number_id])]})


def set_public_key(world: World, call: GraphCall, number_id: str) -> tuple[World, GraphResponse]:
    """Replace the key of a number."""
    pem = required_text(call, "business_public_key")
    if rsa_bits(pem) != _KEY_BITS:
        raise bad_parameter("business_public_key", "must be a valid 2048-bit RSA public key in PEM format")
    number = replace(world.phone_numbers[number_id], public_key=pem, key_signed=True)
    return world.with_phone_number(number), _SUCCESS


def list_subscribed_apps(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """The apps subscribed to the webhooks of an account."""
    fields = _nested_in_app(parse(text(call, "fields") or _APP_DEFAULT))
    check(fields, _APP_FIELDS)
    return world, json_response(
        {"data": [project(fields, _APP_FIELDS, app) for app in subscription_items(world, waba_id)]}
    )


def _nested_in_app(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The OpenAPI file selects `id,name,link` at the top, and these belong to the nested object of the app."""
    own = tuple(field for field in fields if field.name in _APP_KEYS)
    others = tuple(field for field in fields if field.name not in _APP_KEYS)
    return (*others, Field("whatsapp_business_api_data", inside=own)) if own else others


def subscribe_app(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """
    Subscribe the token's app to the webhooks of an account, optionally with a callback override.

    Meta verifies the override with a request that carries `verify_token`; the emulator sends none. A call without an
    override removes an earlier one ("Webhook overrides" page).
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
    return world, json_response({"success": True, "data": subscription_items(world, waba_id)})


def unsubscribe_app(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """Unsubscribe the token's app."""
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
        lambda number, _: "VALID" if number.public_key is not None and number.key_signed else "MISMATCH"
    ),
}
