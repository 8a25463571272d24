"""
One URL for a Flow's endpoint and for webhooks.

A request to the endpoint is a JSON object with `encrypted_flow_data`, which no webhook has. Each is answered by its own
rules: its own app secrets, and 432 for a wrong signature of the one, 403 of the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from .._http_answer import HttpAnswer, Receiver, VerifyingReceiver
from .._receiving import check_combination

_KEY: Final = "encrypted_flow_data"


def combined(endpoint: Receiver, hooks: VerifyingReceiver) -> VerifyingReceiver:
    """
    A receiver for one URL, which passes each request to a `FlowEndpoint` or to `Webhooks`.

    Serve it with any adapter, as either of them. The GET with which Meta verifies a webhook's URL is that of `hooks`.
    `ConfigurationError` for other arguments, and for the two in the other order.
    """
    check_combination(endpoint, hooks)
    return _Combined(endpoint, hooks)


class _Combined:
    def __init__(self, endpoint: Receiver, hooks: VerifyingReceiver) -> None:
        self._endpoint = endpoint
        self._hooks = hooks

    def __repr__(self) -> str:
        return f"combined({self._endpoint!r}, {self._hooks!r})"

    @property
    def max_body(self) -> int:
        """The larger of the two limits, in bytes. Each still refuses what is over its own."""
        return max(self._endpoint.max_body, self._hooks.max_body)

    def verify(self, query: Mapping[str, str], /) -> HttpAnswer:
        """The answer of the webhooks."""
        return self._hooks.verify(query)

    def receive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        """The answer of the one that the body is for."""
        return self._receiver(body).receive(body, headers)

    async def areceive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        """The answer of the one that the body is for."""
        return await self._receiver(body).areceive(body, headers)

    def _receiver(self, body: bytes) -> Receiver:
        """
        The endpoint for a JSON object with the key, else the webhooks.

        A user may have written the key's name into a message, so the JSON decides. It is read only where the name
        stands in the body. A body with the name that is no JSON goes to the endpoint, which answers 400.
        """
        if _KEY.encode() not in body or len(body) > self.max_body:
            return self._hooks
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return self._endpoint
        return self._endpoint if isinstance(document, dict) and _KEY in document else self._hooks
