"""
The webhooks that Meta sends, as values: pure, from what has changed to the bytes of a body.

Source: "Flows webhooks" and "messages webhook reference" pages. The texts of `message` are our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._json import compact_json
from .graph import DRAFT, FlowRecord, MessageRecord, World, display_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change: the account that it is about, the field, and the value."""

    waba_id: str
    field: str
    value: Mapping[str, Any]


def webhook_body(changes: Sequence[Change], now: float) -> bytes:
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


def status_changes(before: World, after: World) -> Iterator[Change]:
    """
    The `FLOW_STATUS_CHANGE` of each Flow that was created, or whose status is another one.

    Meta tells of the creation and of moves to the other states, not of a published Flow that becomes a draft again.
    """
    if before.flows is after.flows:
        return
    for flow in after.flows.values():
        old = before.flows.get(flow.id)
        if old is None or flow.status not in (old.status, DRAFT):
            yield _status_change(flow, old)


def _status_change(flow: FlowRecord, old: FlowRecord | None) -> Change:
    came = f"was created in status {flow.status}" if old is None else f"changed from {old.status} to {flow.status}"
    value = {
        "event": "FLOW_STATUS_CHANGE",
        "message": f"Flow {flow.name} {came}",
        "flow_id": flow.id,
        **({} if old is None else {"old_status": old.status}),
        "new_status": flow.status,
    }
    return Change(waba_id=flow.waba_id, field="flows", value=value)


def completion(sent: MessageRecord, waba_id: str, answers: Mapping[str, Any], message_id: str, now: float) -> Change:
    """The `nfm_reply` with which a user's client answers a message that was sent."""
    user = sent.to.lstrip("+")
    business = "".join(filter(str.isdigit, display_number(sent.phone_number_id)))
    is_number = user.isdigit()  # else the user's id ("Business-scoped user IDs" page)
    message = {
        "context": {"from": business, "id": sent.id},
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
        "metadata": {"display_phone_number": business, "phone_number_id": sent.phone_number_id},
        "contacts": [{"profile": {"name": "Emulated user"}, "wa_id" if is_number else "user_id": user}],
        "messages": [message],
    }
    return Change(waba_id=waba_id, field="messages", value=value)
