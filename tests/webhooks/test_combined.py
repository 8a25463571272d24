"""`combined`: one URL for an endpoint and for webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.webhooks.samples import SECRET, VERIFY_TOKEN, body_of, completion, messages, signed, webhook
from whatsapp_flows import ConfigurationError
from whatsapp_flows.webhooks import HttpAnswer, Webhooks, combined


class Endpoint:
    """A receiver that tells what it got, with the status of the endpoint's signature check."""

    max_body = 2000

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def receive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        self.bodies.append(body)
        return HttpAnswer(432, {}, b"", "bad-signature")

    async def areceive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        return self.receive(body, headers)


ENVELOPE = {"encrypted_flow_data": "a", "encrypted_aes_key": "b", "initial_vector": "c"}
MENTIONED = body_of(webhook(messages(completion({"note": "encrypted_flow_data"}))))
AS_VALUE = body_of(webhook(messages({"type": "text", "text": {"body": "encrypted_flow_data"}})))


@pytest.mark.parametrize(
    ("body", "is_for_endpoint"),
    [
        (body_of(ENVELOPE), True),
        (json.dumps(ENVELOPE, indent=2).encode(), True),
        (body_of({"entry": [], **ENVELOPE}), True),
        (b'{"encrypted_flow_data": "', True),
        (b'{"encrypted_flow_data": ' + b"[" * 1500, True),
        (body_of(webhook(messages(completion()))), False),
        (MENTIONED, False),
        (AS_VALUE, False),
        (body_of([ENVELOPE]), False),
        (body_of({"value": ENVELOPE}), False),
        (b"", False),
        (b"\xff", False),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_the_json_decides(body: bytes, is_for_endpoint: bool) -> None:
    """A top-level `encrypted_flow_data` is a request to the endpoint; the name in a user's text is not."""
    endpoint = Endpoint()
    both = combined(endpoint, Webhooks(app_secrets=SECRET))
    statuses = {both.receive(body, {}).status, asyncio.run(both.areceive(body, {})).status}
    assert statuses == ({432} if is_for_endpoint else {403})
    assert endpoint.bodies == [body] * (2 if is_for_endpoint else 0)


def test_webhooks_are_answered_by_their_own_rules() -> None:
    """Their secret, their challenge, and their limit."""
    hooks = Webhooks(app_secrets=SECRET, verify_token=VERIFY_TOKEN, max_body=4000)
    both = combined(Endpoint(), hooks)
    assert both.receive(MENTIONED, signed(MENTIONED)).status == 200
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "7"}
    assert both.verify(query).body == b"7"
    assert both.verify({}).status == 403
    assert both.max_body == 4000
    assert both.receive(b'{"encrypted_flow_data": "' + b" " * 4000, {}).status == 413


HOOKS = Webhooks(app_secrets=SECRET)


@pytest.mark.parametrize(
    ("endpoint", "hooks", "message"),
    [
        (HOOKS, Endpoint(), "the endpoint first"),
        (HOOKS, HOOKS, "the endpoint first"),
        (Endpoint(), Endpoint(), "the endpoint first"),
        (combined(Endpoint(), HOOKS), HOOKS, "the endpoint first"),
        (None, HOOKS, "NoneType cannot be served"),
        (Endpoint(), None, "NoneType cannot be served"),
    ],
)
def test_other_arguments_are_refused_at_once(endpoint: Any, hooks: Any, message: str) -> None:
    """Swapped, each would answer the requests of the other: every one with a wrong signature."""
    with pytest.raises(ConfigurationError, match=message):
        combined(endpoint, hooks)


def test_the_repr_names_both() -> None:
    """And no secret."""
    assert repr(combined(Endpoint(), Webhooks(app_secrets=SECRET))).endswith(
        "Webhooks(app_secrets=1, max_body=3145728, handler=False))"
    )
