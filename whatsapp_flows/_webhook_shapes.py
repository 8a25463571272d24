"""
The webhooks that Meta sends, in Meta's shape and bytes: for the emulator, and for tests of a host's webhook.

Source: "Flows webhooks" and "messages webhook reference" pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._dataclasses import dataclass
from ._json import compact_json


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChange:
    """One change: the account that it is about, the field, and the value."""

    waba_id: str
    field: str
    value: Mapping[str, Any]


def webhook_body(changes: Sequence[WebhookChange], now: float) -> bytes:
    """
    The body of a webhook, written as Meta does: no character beyond ASCII, and slashes escaped.

    TypeError, ValueError or RecursionError for a value that is not JSON.
    """
    entries = [
        {"id": change.waba_id, "time": int(now), "changes": [{"value": change.value, "field": change.field}]}
        for change in changes
    ]
    text = compact_json({"object": "whatsapp_business_account", "entry": entries}, allow_nan=False)
    return text.replace("/", "\\/").encode("ascii")


def completion_change(
    answers: Mapping[str, Any],
    *,
    waba_id: str,
    phone_number_id: str,
    business: str,
    user: str,
    user_name: str,
    message_id: str,
    context_id: str,
    now: float,
) -> WebhookChange:
    """
    The `nfm_reply` with which a user's client answers a message with a Flow.

    `business` and `user` are telephone numbers in digits; a user without a number is a user's id ("Business-scoped user
    IDs" page). `context_id` is the id of the message that was answered.
    """
    is_number = user.isdigit()
    message = {
        "context": {"from": business, "id": context_id},
        **({"from": user} if is_number else {}),
        "id": message_id,
        "type": "interactive",
        "interactive": {
            "type": "nfm_reply",
            "nfm_reply": {"response_json": compact_json(answers, allow_nan=False), "body": "Sent", "name": "flow"},
        },
        "timestamp": str(int(now)),
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": business, "phone_number_id": phone_number_id},
        "contacts": [{"profile": {"name": user_name}, "wa_id" if is_number else "user_id": user}],
        "messages": [message],
    }
    return WebhookChange(waba_id=waba_id, field="messages", value=value)
