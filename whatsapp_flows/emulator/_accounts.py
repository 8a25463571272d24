"""
The operations on what surrounds Flows: phone numbers, public keys, app subscriptions.

Source: "Business encryption" and "Webhooks" pages, and Meta's OpenAPI file (v23.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ._call import Answer, Call, bad_parameter, json_answer, positive_number, required_text, text
from ._errors import Problem, error
from ._fields import Field, NodeField, check, parse, project
from ._keys import rsa_bits
from ._node import application_object
from ._paging import page_of, paging_object
from ._state import PhoneNumber, World

_KEY_BITS: Final = 2048
_SUCCESS: Final = json_answer({"success": True})
# `status` is required by the OpenAPI file; the others are what the official collection shows.
_NUMBER_DEFAULT: Final = "id,display_phone_number,verified_name,quality_rating,code_verification_status,status"
_KEY_DEFAULT: Final = "business_public_key,business_public_key_signature_status"


def list_phone_numbers(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """A page of the numbers connected to an account."""
    fields = _selected(call, _NUMBER_DEFAULT, _NUMBER_FIELDS)
    limit = positive_number(call, "limit", call.settings.page_size)
    items = list(enumerate(world.phone_numbers_of(waba_id)))
    page = page_of(items, limit=limit, after=text(call, "after"), before=text(call, "before"))
    data = [{**project(fields, _NUMBER_FIELDS, number), "id": number.id} for _, number in page.items]
    url = call.settings.base_url + call.path
    paging = paging_object(page, url=url, query=call.query, limit=limit, token=call.token or "")
    return world, json_answer({"data": data, **({"paging": paging} if paging else {})})


def get_public_key(world: World, call: Call, number_id: str) -> tuple[World, Answer]:
    """The key of a number; without one, a blank and MISMATCH (example in the OpenAPI file)."""
    number = _number(world, call, number_id)
    fields = _selected(call, _KEY_DEFAULT, _KEY_FIELDS)
    return world, json_answer({"data": [project(fields, _KEY_FIELDS, number)]})


def set_public_key(world: World, call: Call, number_id: str) -> tuple[World, Answer]:
    """One key per number: a new one replaces the old."""
    number = _number(world, call, number_id)
    pem = required_text(call, "business_public_key")
    if rsa_bits(pem) != _KEY_BITS:
        raise bad_parameter("business_public_key", "must be a valid 2048-bit RSA public key in PEM format")
    return world.with_phone_number(replace(number, public_key=pem)), _SUCCESS


def list_subscribed_apps(world: World, _: Call, waba_id: str) -> tuple[World, Answer]:
    """The apps that get the webhooks of an account."""
    apps = world.accounts[waba_id].subscribed_apps
    return world, json_answer({"data": [{"whatsapp_business_api_data": application_object(app)} for app in apps]})


def subscribe_app(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """The token's app gets the webhooks of an account."""
    account = world.accounts[waba_id]
    apps = tuple(dict.fromkeys((*account.subscribed_apps, call.settings.app_id)))
    return world.with_account(replace(account, subscribed_apps=apps)), _SUCCESS


def unsubscribe_app(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """The token's app gets them no longer."""
    account = world.accounts[waba_id]
    apps = tuple(app for app in account.subscribed_apps if app != call.settings.app_id)
    return world.with_account(replace(account, subscribed_apps=apps)), _SUCCESS


def _number(world: World, call: Call, number_id: str) -> PhoneNumber:
    number = world.phone_numbers.get(number_id)
    if number is None:
        raise error(Problem.UNKNOWN_NODE, method=call.method.lower(), id=number_id)
    return number


def _selected(call: Call, default: str, table: Mapping[str, NodeField[PhoneNumber]]) -> tuple[Field, ...]:
    fields = parse(text(call, "fields") or default)
    check(fields, table)
    return fields


_NUMBER_FIELDS: Final[Mapping[str, NodeField[PhoneNumber]]] = {
    "account_mode": NodeField(lambda *_: "LIVE"),
    "code_verification_status": NodeField(lambda number, _: "VERIFIED" if number.verified else "UNVERIFIED"),
    "display_phone_number": NodeField(lambda number, _: f"+1 555-{number.id[-7:-4]}-{number.id[-4:]}"),
    "id": NodeField(lambda number, _: number.id),
    "quality_rating": NodeField(lambda *_: "GREEN"),
    "status": NodeField(lambda number, _: "LINKED" if number.verified else "PENDING"),
    "verified_name": NodeField(lambda number, _: f"Business {number.id}"),
}
_KEY_FIELDS: Final[Mapping[str, NodeField[PhoneNumber]]] = {
    "business_public_key": NodeField(lambda number, _: number.public_key or " "),
    "business_public_key_signature_status": NodeField(
        lambda number, _: "VALID" if number.public_key is not None else "MISMATCH"
    ),
}
