"""
The webhooks that Meta sends, as values: pure, from what has changed to a change of a webhook.

Source: "Flows webhooks" page. The texts of `message` are our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._webhook_shapes import WebhookChange, completion_change
from .graph import DRAFT, FlowRecord, MessageRecord, World, display_number


def status_changes(before: World, after: World) -> Iterator[WebhookChange]:
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


def _status_change(flow: FlowRecord, old: FlowRecord | None) -> WebhookChange:
    came = f"was created in status {flow.status}" if old is None else f"changed from {old.status} to {flow.status}"
    value = {
        "event": "FLOW_STATUS_CHANGE",
        "message": f"Flow {flow.name} {came}",
        "flow_id": flow.id,
        **({} if old is None else {"old_status": old.status}),
        "new_status": flow.status,
    }
    return WebhookChange(waba_id=flow.waba_id, field="flows", value=value)


def completion(
    sent: MessageRecord, waba_id: str, answers: Mapping[str, Any], message_id: str, now: float
) -> WebhookChange:
    """The `nfm_reply` with which a user's client answers a message that was sent."""
    return completion_change(
        answers,
        waba_id=waba_id,
        phone_number_id=sent.phone_number_id,
        business="".join(filter(str.isdigit, display_number(sent.phone_number_id))),
        user=sent.to.lstrip("+"),
        user_name="Emulated user",
        message_id=message_id,
        context_id=sent.id,
        now=now,
    )
