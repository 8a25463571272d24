"""
Meta's webhooks about Flows: a request's bytes and headers in, typed events out. Needs no extra, and opens no socket.

    hooks = Webhooks(app_secrets="...", verify_token="...")
    for event in hooks.parse(body, headers):
        ...

`Webhooks` and `combined` can be served by each adapter in `whatsapp_flows.contrib`.
"""

from __future__ import annotations

from .._endpoint_errors import SignatureError, WebhookFormatError
from .._http_answer import HttpAnswer
from ._combined import combined
from ._events import (
    ClientErrorRate,
    EndpointAvailability,
    EndpointErrorRate,
    EndpointLatency,
    FlowAlert,
    FlowCompleted,
    FlowErrorCount,
    FlowEvent,
    FlowStatusChanged,
    FlowVersionExpiry,
    UnknownEvent,
    WebhookEvent,
)
from ._webhooks import MAX_BODY, Webhooks

__all__ = [
    "MAX_BODY",
    "ClientErrorRate",
    "EndpointAvailability",
    "EndpointErrorRate",
    "EndpointLatency",
    "FlowAlert",
    "FlowCompleted",
    "FlowErrorCount",
    "FlowEvent",
    "FlowStatusChanged",
    "FlowVersionExpiry",
    "HttpAnswer",
    "SignatureError",
    "UnknownEvent",
    "WebhookEvent",
    "WebhookFormatError",
    "Webhooks",
    "combined",
]
