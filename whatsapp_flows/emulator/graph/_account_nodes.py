"""
The nodes of accounts and phone numbers: a table of fields for each.

Sources: "WhatsApp Business Account" and "Phone numbers" pages, Meta's OpenAPI file (v23.0), and the fields that an
account has in Meta's own SDK for Python (facebook-business 26.0.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ._call import timestamp
from ._fields import Field, NodeField, parse
from ._health import account_health, number_health
from ._nodes import NodeView, account_object, application_object, node_object
from ._state import Account, PhoneNumber, World

ACCOUNT_DEFAULT: Final = "id,name,timezone_id,message_template_namespace"
# `status` is required by the OpenAPI file; the others are what the official collection shows.
NUMBER_DEFAULT: Final = "id,display_phone_number,verified_name,quality_rating,code_verification_status,status"
_ONBOARDED: Final = 1_704_067_200.0  # 2024-01-01: before any test starts
_HEALTH: Final = frozenset({"can_send_message", "entities"})


AccountView = NodeView[Account]
NumberView = NodeView[PhoneNumber]


def subscription_items(world: World, account_id: str) -> list[dict[str, object]]:
    """The apps subscribed to the webhooks of an account, with their callback overrides."""
    account = world.accounts[account_id]
    return [
        {
            "whatsapp_business_api_data": application_object(app),
            **({"override_callback_uri": account.callbacks[app]} if app in account.callbacks else {}),
        }
        for app in account.subscribed_apps
    ]


def display_number(phone_number_id: str) -> str:
    """The number that people see, made of the id of a phone number."""
    return f"+1 555-{phone_number_id[-7:-4]}-{phone_number_id[-4:]}"


def _absent(*_: object) -> None:
    """The value of a field that exists, and has no value in the emulator."""


def _business(account: Account) -> dict[str, object]:
    return {"id": account.business_id, "name": f"Business {account.business_id}"}


def _numbers(view: AccountView, field: Field) -> object:
    """The phone numbers of an account, with the fields that are selected inside the edge."""
    fields = field.inside or parse(NUMBER_DEFAULT)
    numbers = view.world.phone_numbers_of(view.node.id)
    views = (NodeView(view.world, view.call, number) for number in numbers)
    return {"data": [node_object(fields, NUMBER_FIELDS, each) for each in views]}


def _of_account(name: str) -> NodeField[AccountView]:
    return NodeField(lambda view, _: account_object(view.call, view.node.id)[name])


_OWNER: Final = frozenset({"id", "name"})

NUMBER_FIELDS: Final[Mapping[str, NodeField[NumberView]]] = {
    "account_mode": NodeField(lambda *_: "LIVE"),
    "certificate": NodeField(lambda view, _: view.call.settings.token_for("certificate", view.node.id)),
    "code_verification_status": NodeField(lambda view, _: "VERIFIED" if view.node.verified else "UNVERIFIED"),
    "conversational_automation": NodeField(_absent),
    "country_code": NodeField(lambda *_: "US"),
    "country_dial_code": NodeField(lambda *_: "1"),
    "display_phone_number": NodeField(lambda view, _: display_number(view.node.id)),
    "eligibility_for_api_business_global_search": NodeField(_absent),
    "health_status": NodeField(
        lambda view, _: number_health(view.world, view.node, view.call.settings.app_id), inside=_HEALTH
    ),
    "host_platform": NodeField(lambda *_: "CLOUD_API"),
    "id": NodeField(lambda view, _: view.node.id),
    "is_official_business_account": NodeField(lambda *_: False),
    "is_on_biz_app": NodeField(lambda *_: False),
    "is_pin_enabled": NodeField(lambda *_: False),
    "is_preverified_number": NodeField(lambda *_: False),
    "last_onboarded_time": NodeField(lambda view, _: timestamp(view.call, _ONBOARDED)),
    "messaging_limit_tier": NodeField(lambda *_: "TIER_1K"),
    "name_status": NodeField(lambda view, _: "APPROVED" if view.node.verified else "PENDING_REVIEW"),
    "new_certificate": NodeField(_absent),
    "new_display_name": NodeField(_absent),
    "new_name_status": NodeField(lambda *_: "NONE"),
    "platform_type": NodeField(lambda *_: "CLOUD_API"),
    "quality_rating": NodeField(lambda *_: "GREEN"),
    "quality_score": NodeField(lambda *_: {"score": "GREEN"}, inside=frozenset({"score"})),
    "search_visibility": NodeField(lambda *_: "VISIBLE"),
    # The OpenAPI file has LINKED where the page of the node has CONNECTED; the file takes precedence.
    "status": NodeField(lambda view, _: "LINKED" if view.node.verified else "PENDING"),
    "throughput": NodeField(lambda *_: {"level": "STANDARD"}, inside=frozenset({"level"})),
    "unified_cert_status": NodeField(lambda view, _: "APPROVED" if view.node.verified else "NAME_PENDING_REVIEW"),
    "username": NodeField(_absent),
    "verified_name": NodeField(lambda view, _: f"Business {view.node.id}"),
    "webhook_configuration": NodeField(
        lambda view, _: _webhooks(view), inside=frozenset({"application", "phone_number", "whatsapp_business_account"})
    ),
    "whatsapp_business_manager_messaging_limit": NodeField(lambda *_: "TIER_1K"),
}

ACCOUNT_FIELDS: Final[Mapping[str, NodeField[AccountView]]] = {
    "account_review_status": NodeField(lambda *_: "APPROVED"),
    "auth_international_rate_eligibility": NodeField(_absent),
    "business_type": _of_account("business_type"),
    "business_verification_status": NodeField(lambda *_: "verified"),
    "country": NodeField(lambda *_: "US"),
    "creation_time": NodeField(lambda *_: int(_ONBOARDED)),
    "currency": NodeField(lambda *_: "USD"),
    "disable_marketing_messages_on_cloud_api": NodeField(lambda *_: False),
    "health_status": NodeField(lambda view, _: account_health(view.node, view.call.settings.app_id), inside=_HEALTH),
    "id": NodeField(lambda view, _: view.node.id),
    "is_enabled_for_insights": NodeField(lambda *_: True),
    "is_shared_with_partners": NodeField(lambda *_: False),
    "linked_commerce_account": NodeField(_absent),
    "marketing_messages_ad_account": NodeField(_absent),
    "marketing_messages_lite_api_status": NodeField(lambda *_: "INELIGIBLE"),
    "marketing_messages_onboarding_status": NodeField(_absent),
    "message_template_namespace": _of_account("message_template_namespace"),
    "name": _of_account("name"),
    "on_behalf_of_business_info": NodeField(_absent, inside=_OWNER),
    "owner_business": NodeField(lambda view, _: _business(view.node), inside=_OWNER),
    "owner_business_info": NodeField(lambda view, _: _business(view.node), inside=_OWNER),
    "ownership_type": NodeField(lambda *_: "SELF"),
    "phone_numbers": NodeField(_numbers, inside=frozenset(NUMBER_FIELDS)),
    "primary_business_location": NodeField(lambda *_: "US"),
    "primary_funding_id": NodeField(_absent),
    "purchase_order_number": NodeField(_absent),
    "service_pricing_policy": NodeField(_absent),
    "status": NodeField(lambda *_: "ACTIVE"),
    "subscribed_apps": NodeField(
        lambda view, _: {"data": subscription_items(view.world, view.node.id)},
        inside=frozenset({"whatsapp_business_api_data", "override_callback_uri"}),
    ),
    "template_auto_archival_enabled": NodeField(lambda *_: False),
    "timezone_id": _of_account("timezone_id"),
    "whatsapp_business_manager_messaging_limit": NodeField(lambda *_: "TIER_1K"),
    "whatsapp_manager_marketing_messages_max_price_enroll_status": NodeField(_absent),
}


def _webhooks(view: NumberView) -> dict[str, object]:
    """The callback override that the calling app has set for the account of a number, if any."""
    callback = view.world.accounts[view.node.waba_id].callbacks.get(view.call.settings.app_id)
    return {"whatsapp_business_account": callback} if callback else {}
