"""
An endpoint that shares no code with the package, for tests of the caller's side: it answers as Meta documents.

    endpoint = PlainEndpoint(private_pem, lambda request: {"data": {"status": "active"}})
    status, headers, body = endpoint(body, headers)
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.endpoint.plain_crypto import RefusedError, Sealed, open_request, seal_answer, sign

NAMES = ("encrypted_aes_key", "encrypted_flow_data", "initial_vector")
Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Arrived:
    """A request whose body could be decrypted."""

    content: dict[str, Any]
    body: bytes
    headers: Mapping[str, str]
    sealed: Sealed


@dataclass
class PlainEndpoint:
    """
    A callable of body and headers.

    `handle` gets the decrypted request, and returns the answer, or a status and the answer; `wire` may change the
    encrypted answer, and gets the request that it belongs to. `arrived` are the requests that could be decrypted, and
    `statuses` all answers.
    """

    private_pem: str = field(repr=False)
    handle: Callable[[dict[str, Any]], object] = lambda _: {"data": {"status": "active"}}
    secret: str | None = field(default=None, repr=False)
    wire: Callable[[bytes, Sealed], bytes] = lambda body, _: body
    arrived: list[Arrived] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = self._answer(body, {name.lower(): value for name, value in headers.items()})
        self.statuses.append(answer[0])
        return answer

    def _answer(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self.secret is not None:
            signature = headers.get("x-hub-signature-256", "")
            if not hmac.compare_digest(signature.encode(), sign(body, self.secret).encode()):
                return 432, {}, b""
        try:
            envelope = json.loads(body)
            texts = {name: envelope[name] for name in NAMES}
        except (ValueError, KeyError, TypeError):
            return 400, {}, b""
        try:
            for text in texts.values():
                b64decode(text, validate=True)
            plaintext, sealed = open_request(self.private_pem, texts)
            content = json.loads(plaintext)
        except (ValueError, RefusedError):
            return 421, {}, b""
        if len(sealed.aes_key) != 16 or len(sealed.iv) != 16 or not isinstance(content, dict):
            return 421, {}, b""
        self.arrived.append(Arrived(content, body, headers, sealed))
        found = self.handle(content)
        status, answer = found if isinstance(found, tuple) else (200, found)
        sent = self.wire(seal_answer(sealed, json.dumps(answer).encode()), sealed)
        return status, {"Content-Type": "text/plain"}, sent
