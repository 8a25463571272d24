"""An HTTP answer as a value, and what a web framework's adapter needs of the object that gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from ._dataclasses import dataclass, field

Outcome = Literal[
    "too-large", "bad-signature", "bad-envelope", "not-decrypted", "ping", "error-notified", "token-refused",
    "no-handler", "handler-failed", "too-slow", "refused-answer", "answered", "verified", "not-verified", "received",
    "method-not-allowed",
]  # fmt: skip
"""What became of a request; `verified`, `not-verified` and `received` are those of a webhook, the last an adapter's."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """
    What is to be sent: `status`, `headers`, `body` (bytes, empty for most errors) and, for logs and tests, `outcome`.

    The body may hold what a user has entered, so the repr gives its length alone.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    outcome: Outcome

    def __repr__(self) -> str:
        return f"HttpAnswer(status={self.status}, outcome={self.outcome!r}, body=<{len(self.body)} bytes>)"


class Receiver(Protocol):
    """
    What adapters serve: `FlowEndpoint`, `Webhooks`, and the two combined.

    `body` is the raw body, at most `max_body` + 1 bytes of it: an adapter reads no further, and a longer body is
    answered with 413. The names of `headers` are in any case. Neither method raises for what a peer sends.
    """

    @property
    def max_body(self) -> int: ...

    def receive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer: ...

    async def areceive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer: ...


class VerifyingReceiver(Receiver, Protocol):
    """A receiver that also answers Meta's GET, with which a webhook is set up. `query` is the parsed query string."""

    def verify(self, query: Mapping[str, str], /) -> HttpAnswer: ...
