"""Webhooks in the form of Meta's documentation, and how Meta signs them. The HMAC is this file's own."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

SECRET = "app-secret-for-tests"
VERIFY_TOKEN = "verify-token-for-tests"
USER = "16505551234"
MESSAGE_ID = "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA="
SENT_ID = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI4MUJFRUQ1QUE1QzgxRDk4NzEA"
ANSWERS: dict[str, Any] = {"flow_token": "tok-1", "date": "2026-12-01", "guests": "2", "name": "Zoë"}


def body_of(document: Any) -> bytes:
    """As Meta writes it: what is not ASCII is escaped."""
    return json.dumps(document).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a body that is signed with a secret."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def completion(answers: object = None, **changes: Any) -> dict[str, Any]:
    """A message with the answers of a Flow; `changes` are keys of the message, or None for one that is missing."""
    response = json.dumps(ANSWERS if answers is None else answers)
    message = {
        "context": {"from": "15550783881", "id": SENT_ID},
        "from": USER,
        "id": MESSAGE_ID,
        "type": "interactive",
        "interactive": {
            "type": "nfm_reply",
            "nfm_reply": {"response_json": response, "body": "Sent", "name": "flow"},
        },
        "timestamp": "1764453600",
    }
    return {key: value for key, value in (message | changes).items() if value is not None}


def messages(*found: Any, **lists: Any) -> dict[str, Any]:
    """A change of the field `messages`."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": USER, "user_id": "u-1", "parent_user_id": "u-0"}],
        **({"messages": list(found)} if found else {}),
        **lists,
    }
    return {"field": "messages", "value": value}


def flows(event: str, **fields: Any) -> dict[str, Any]:
    """A change of the field `flows`."""
    return {"field": "flows", "value": {"event": event, "flow_id": "6627390910605886", "message": "Told.", **fields}}


def webhook(*changes: Any, time: int | None = 1764453601) -> dict[str, Any]:
    """A webhook with one entry."""
    entry = {"id": "102290129340398", "changes": list(changes)} | ({} if time is None else {"time": time})
    return {"object": "whatsapp_business_account", "entry": [entry]}


ERRORS = [
    {"error_type": "INVALID_SCREEN_TRANSITION", "error_rate": 66.66, "error_count": 2},
    {"error_type": "TIMEOUT", "error_rate": 33.33, "error_count": 1},
]
CLIENT_ERRORS = flows("CLIENT_ERROR_RATE", error_rate=14.28, threshold=10, alert_state="ACTIVATED", errors=ERRORS)
LATENCY = flows(
    "ENDPOINT_LATENCY",
    p90_latency=8000, p50_latency=500, requests_count=34, threshold=7000, alert_state="ACTIVATED",
)  # fmt: skip
AVAILABILITY = flows("ENDPOINT_AVAILABILITY", availability=75, threshold=90, alert_state="ACTIVATED")
STATUS_CHANGE = flows("FLOW_STATUS_CHANGE", old_status="DRAFT", new_status="PUBLISHED")
ALL_CHANGES: tuple[dict[str, Any], ...] = (
    messages(completion()),
    messages({"from": USER, "id": "wamid.T", "type": "text", "text": {"body": "hello"}, "timestamp": "1764453600"}),
    messages(statuses=[{"id": SENT_ID, "status": "delivered", "timestamp": "1764453600", "recipient_id": USER}]),
    STATUS_CHANGE,
    CLIENT_ERRORS,
    flows("ENDPOINT_ERROR_RATE", error_rate=5.5, threshold=5, alert_state="DEACTIVATED", errors=[]),
    LATENCY,
    AVAILABILITY,
    flows("FLOW_VERSION_EXPIRY_WARNING", warning="Version 2.1 freezes soon."),
    {"field": "account_update", "value": {"event": "PARTNER_ADDED"}},
)
