"""
What accounts and phone numbers show of themselves: a table of fields for each.

Sources: "WhatsApp Business Account" and "Phone numbers" pages, Meta's OpenAPI file (v23.0), and the fields that an
account has in Meta's own SDK for Python (facebook-business 26.0.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ._call import Call, timestamp
from ._fields import Field, NodeField, parse, project
from ._health import account_health, number_health
from ._node import account_object, application_object
from ._state import Account, PhoneNumber, World

ACCOUNT_DEFAULT: Final = "id,name,timezone_id,message_template_namespace"
# `status` is required by the OpenAPI file; the others are what the official collection shows.
NUMBER_DEFAULT: Final = "id,display_phone_number,verified_name,quality_rating,code_verification_status,status"
_ONBOARDED: Final = 1_704_067_200.0  # 2024-01-01: every number of the emulator joined before the tests began
_HEALTH: Final = frozenset({"can_send_message", "entities"})


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account, seen in its world by one call."""

    world: World
    call: Call
    account: Account


@dataclass(frozen=True, slots=True)
class NumberView:
    """One phone number, seen in its world by one call."""

    world: World
    call: Call
    number: PhoneNumber


def account_node(world: World, call: Call, account_id: str, fields: tuple[Field, ...]) -> dict[str, object]:
    """An account as a JSON object; its id is there, asked for or not."""
    view = AccountView(world, call, world.accounts[account_id])
    return {**project(fields, ACCOUNT_FIELDS, view), "id": account_id}


def number_node(world: World, call: Call, number_id: str, fields: tuple[Field, ...]) -> dict[str, object]:
    """A phone number as a JSON object; its id is there, asked for or not."""
    view = NumberView(world, call, world.phone_numbers[number_id])
    return {**project(fields, NUMBER_FIELDS, view), "id": number_id}


def subscription_items(world: World, account_id: str) -> list[dict[str, object]]:
    """The apps that get the webhooks of an account, each with the address that it gave instead of its own."""
    account = world.accounts[account_id]
    return [
        {
            "whatsapp_business_api_data": application_object(app),
            **({"override_callback_uri": account.callbacks[app]} if app in account.callbacks else {}),
        }
        for app in account.subscribed_apps
    ]


def _nothing(*_: object) -> None:
    """The value of a field that nodes have, and that there is nothing to say of here."""


def _business(account: Account) -> dict[str, object]:
    return {"id": account.business_id, "name": f"Business {account.business_id}"}


def _numbers(view: AccountView, field: Field) -> object:
    """The numbers of an account, with what is selected inside the edge."""
    fields = field.inside or parse(NUMBER_DEFAULT)
    numbers = view.world.phone_numbers_of(view.account.id)
    return {"data": [number_node(view.world, view.call, number.id, fields) for number in numbers]}


def _of_account(name: str) -> NodeField[AccountView]:
    return NodeField(lambda view, _: account_object(view.call, view.account.id)[name])


_OWNER: Final = frozenset({"id", "name"})

NUMBER_FIELDS: Final[Mapping[str, NodeField[NumberView]]] = {
    "account_mode": NodeField(lambda *_: "LIVE"),
    "certificate": NodeField(lambda view, _: view.call.settings.token_for("certificate", view.number.id)),
    "code_verification_status": NodeField(lambda view, _: "VERIFIED" if view.number.verified else "UNVERIFIED"),
    "conversational_automation": NodeField(_nothing),
    "country_code": NodeField(lambda *_: "US"),
    "country_dial_code": NodeField(lambda *_: "1"),
    "display_phone_number": NodeField(lambda view, _: f"+1 555-{view.number.id[-7:-4]}-{view.number.id[-4:]}"),
    "eligibility_for_api_business_global_search": NodeField(_nothing),
    "health_status": NodeField(
        lambda view, _: number_health(view.world, view.number, view.call.settings.app_id), inside=_HEALTH
    ),
    "host_platform": NodeField(lambda *_: "CLOUD_API"),
    "id": NodeField(lambda view, _: view.number.id),
    "is_official_business_account": NodeField(lambda *_: False),
    "is_on_biz_app": NodeField(lambda *_: False),
    "is_pin_enabled": NodeField(lambda *_: False),
    "is_preverified_number": NodeField(lambda *_: False),
    "last_onboarded_time": NodeField(lambda view, _: timestamp(view.call, _ONBOARDED)),
    "messaging_limit_tier": NodeField(lambda *_: "TIER_1K"),
    "name_status": NodeField(lambda view, _: "APPROVED" if view.number.verified else "PENDING_REVIEW"),
    "new_certificate": NodeField(_nothing),
    "new_display_name": NodeField(_nothing),
    "new_name_status": NodeField(lambda *_: "NONE"),
    "platform_type": NodeField(lambda *_: "CLOUD_API"),
    "quality_rating": NodeField(lambda *_: "GREEN"),
    "quality_score": NodeField(lambda *_: {"score": "GREEN"}, inside=frozenset({"score"})),
    "search_visibility": NodeField(lambda *_: "VISIBLE"),
    # The list's OpenAPI schema has LINKED where the node's page has CONNECTED; the file wins.
    "status": NodeField(lambda view, _: "LINKED" if view.number.verified else "PENDING"),
    "throughput": NodeField(lambda *_: {"level": "STANDARD"}, inside=frozenset({"level"})),
    "unified_cert_status": NodeField(lambda view, _: "APPROVED" if view.number.verified else "NAME_PENDING_REVIEW"),
    "username": NodeField(_nothing),
    "verified_name": NodeField(lambda view, _: f"Business {view.number.id}"),
    "webhook_configuration": NodeField(
        lambda view, _: _webhooks(view), inside=frozenset({"application", "phone_number", "whatsapp_business_account"})
    ),
    "whatsapp_business_manager_messaging_limit": NodeField(lambda *_: "TIER_1K"),
}

ACCOUNT_FIELDS: Final[Mapping[str, NodeField[AccountView]]] = {
    "account_review_status": NodeField(lambda *_: "APPROVED"),
    "auth_international_rate_eligibility": NodeField(_nothing),
    "business_type": _of_account("business_type"),
    "business_verification_status": NodeField(lambda *_: "verified"),
    "country": NodeField(lambda *_: "US"),
    "creation_time": NodeField(lambda *_: int(_ONBOARDED)),
    "currency": NodeField(lambda *_: "USD"),
    "disable_marketing_messages_on_cloud_api": NodeField(lambda *_: False),
    "health_status": NodeField(lambda view, _: account_health(view.account, view.call.settings.app_id), inside=_HEALTH),
    "id": NodeField(lambda view, _: view.account.id),
    "is_enabled_for_insights": NodeField(lambda *_: True),
    "is_shared_with_partners": NodeField(lambda *_: False),
    "linked_commerce_account": NodeField(_nothing),
    "marketing_messages_ad_account": NodeField(_nothing),
    "marketing_messages_lite_api_status": NodeField(lambda *_: "INELIGIBLE"),
    "marketing_messages_onboarding_status": NodeField(_nothing),
    "message_template_namespace": _of_account("message_template_namespace"),
    "name": _of_account("name"),
    "on_behalf_of_business_info": NodeField(_nothing, inside=_OWNER),
    "owner_business": NodeField(lambda view, _: _business(view.account), inside=_OWNER),
    "owner_business_info": NodeField(lambda view, _: _business(view.account), inside=_OWNER),
    "ownership_type": NodeField(lambda *_: "SELF"),
    "phone_numbers": NodeField(_numbers, inside=frozenset(NUMBER_FIELDS)),
    "primary_business_location": NodeField(lambda *_: "US"),
    "primary_funding_id": NodeField(_nothing),
    "purchase_order_number": NodeField(_nothing),
    "service_pricing_policy": NodeField(_nothing),
    "status": NodeField(lambda *_: "ACTIVE"),
    "subscribed_apps": NodeField(
        lambda view, _: {"data": subscription_items(view.world, view.account.id)},
        inside=frozenset({"whatsapp_business_api_data", "override_callback_uri"}),
    ),
    "template_auto_archival_enabled": NodeField(lambda *_: False),
    "timezone_id": _of_account("timezone_id"),
    "whatsapp_business_manager_messaging_limit": NodeField(lambda *_: "TIER_1K"),
    "whatsapp_manager_marketing_messages_max_price_enroll_status": NodeField(_nothing),
}


def _webhooks(view: NumberView) -> dict[str, object]:
    """Where the webhooks of a number go: the address of its account, if the calling app has given one."""
    callback = view.world.accounts[view.number.waba_id].callbacks.get(view.call.settings.app_id)
    return {"whatsapp_business_account": callback} if callback else {}
