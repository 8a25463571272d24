"""
Thousands of requests that are changed at random: no exception leaves `receive`, and none is answered with 500.

Four parts are changed: the body, the headers, the fields of the envelope, and the plaintext, which is encrypted
correctly after the change. Whatever the endpoint answers with 200 or 427 opens with the key of the request.
"""

from __future__ import annotations

import json
import os
import random
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.effort import some
from tests.endpoint.exchanges import (
    SIGNATURE,
    Sent,
    areceive,
    ask,
    endpoint,
    receive,
    signature,
)
from whatsapp_flows.endpoint import Answer, FlowEndpoint, FlowRequest, InvalidToken, RecentAnswers

pytestmark = pytest.mark.unmeasured

PER_PART = some(2_500)
ALLOWED = {200, 400, 413, 421, 427, 432}
ATOMS: list[Any] = [
    None, True, False, 0, -1, 2**63, 10**400, 1.5, -0.0, 1e308, "", "x", "\x00", "\ud800", "Zoë \u2028", "SUCCESS",
    "ping", "INIT", "BACK", "data_exchange", "navigate", "CHOOSE", "x" * 5_000, [], {}, [[]], {"": {}}, {"error": ""},
    {"error": "timeout_error", "error_message": "late"}, {"__proto__": {}}, [None] * 50,
]  # fmt: skip
NAMES = ["error", "error_key", "error_message", "screen", "flow_token", "x" * 300, "\ud800"]
TEXTS = [
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1" * 5_000, b"[" * 5_000, b'{"a":' * 2_000, b'"\\ud800"', b'"\\x"',
    b'"\x01"', b"\xff", b"\xef\xbb\xbf", b"//", b"'a'", b"{,}", b'{"a":1,"a":2}', b"\x00", b"tru", b"0x10", b"1.",
    b"+1", b"",
]  # fmt: skip


class Fuzzer:
    """Changes, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.template = ask(data={"date": "1", "more": [1, {"a": "b"}]})
        self.wrapped = json.loads(self.template.body)["encrypted_aes_key"]

    def document(self) -> dict[str, Any]:
        return {
            "version": "3.0",
            "action": self.random.choice(["data_exchange", "INIT", "BACK", "ping"]),
            "screen": self.random.choice(["CHOOSE", "DETAILS", "CONFIRM", ""]),
            "data": {"date": "1", "list": [1, {"a": None}], "deep": {"b": {"c": [True]}}},
            "flow_token": "token",
            "flow_token_signature": "a.b.c",
        }

    def value(self, value: Any) -> Any:
        """A JSON value with a change somewhere in it."""
        pick = self.random
        if isinstance(value, dict) and value and pick.random() < 0.8:
            changed = dict(value)
            key = pick.choice(list(changed))
            change = pick.randrange(4)
            if change == 0:
                del changed[key]
            elif change == 1:
                changed[pick.choice(["error", "error_key", "error_message", "screen", "x" * 300, "\ud800"])] = (
                    pick.choice(ATOMS)
                )
            else:
                changed[key] = self.value(changed[key])
            return changed
        if isinstance(value, list) and value and pick.random() < 0.5:
            return [self.value(each) for each in value] * pick.randrange(3)
        return pick.choice(ATOMS)

    def bytes_(self, content: bytes) -> bytes:
        """Bytes with some that are changed, put in, left out or repeated."""
        pick = self.random
        changed = bytearray(content)
        for _ in range(pick.randrange(1, 6)):
            at = pick.randrange(len(changed) + 1)
            change = pick.randrange(5)
            if change == 0 and at < len(changed):
                changed[at] ^= 1 << pick.randrange(8)
            elif change == 1:
                changed[at:at] = pick.choice(TEXTS)
            elif change == 2:
                del changed[at : at + pick.randrange(20)]
            elif change == 3:
                changed[at:at] = changed[: pick.randrange(50)]
            else:
                changed[at : at + 1] = pick.choice([b'"', b"{", b"}", b"[", b":", b",", b"\\", b"0"])
        return bytes(changed)

    def sealed(self, plaintext: bytes) -> Sent:
        """A plaintext, encrypted with the template's AES key and another nonce: RSA encryption once is enough."""
        iv = os.urandom(16)
        envelope = {
            "encrypted_flow_data": b64encode(AESGCM(self.template.aes_key).encrypt(iv, plaintext, None)).decode(),
            "encrypted_aes_key": self.wrapped,
            "initial_vector": b64encode(iv).decode(),
        }
        return Sent(json.dumps(envelope).encode(), self.template.aes_key, iv).signed()

    # -- the four parts

    def plaintext(self) -> Sent:
        document = self.value(self.document())
        for _ in range(self.random.randrange(3)):
            document = self.value(document)
        text = json.dumps(document).encode()
        return self.sealed(self.bytes_(text) if self.random.random() < 0.3 else text)

    def body(self) -> Sent:
        body = self.bytes_(self.template.body)
        return replace(self.template, body=body).signed()

    def envelope(self) -> Sent:
        document: Any = json.loads(self.template.body)
        name = self.random.choice(list(document))
        change = self.random.randrange(3)
        if change == 0:
            document = self.value(document)
        elif change == 1:
            document[name] = self.bytes_(document[name].encode()).decode("latin-1")
        else:
            document[name] = b64encode(os.urandom(self.random.choice([0, 1, 12, 15, 16, 17, 255, 256, 257]))).decode()
        return replace(self.template, body=json.dumps(document).encode()).signed()

    def headers(self) -> Sent:
        right = signature(self.template.body)
        values = [self.bytes_(right.encode()).decode("latin-1"), right.upper(), right[7:], f" {right}", "é"]
        value: Any = self.random.choice([*values, "", None, b"sha256=", 7, right, "x" * 100_000, "\ud800"])
        name: Any = self.random.choice([SIGNATURE, SIGNATURE.lower(), SIGNATURE + " ", "X-Hub-Signature", "", "\ud800"])
        return replace(self.template, headers={"Host": "a", name: value, "X-Forwarded-For": "\n"})


def responsive() -> FlowEndpoint:
    """An endpoint that gives back what it gets, and refuses some tokens."""

    def check(request: FlowRequest) -> None:
        if request.flow_token is None:
            raise InvalidToken("There is no token.")

    target = endpoint(tokens=check, replay=RecentAnswers(), time_limit=None, flow=None, max_body=20_000)
    target.on_error(repr)

    @target.fallback
    def echo(request: FlowRequest) -> Answer:
        if request.action == "INIT":
            return request.finish(echo=request.raw)
        return request.show(request.screen or "CHOOSE", echo=request.raw, token=request.flow_token)

    return target


def requests(part: Callable[[], Sent], count: int) -> Iterator[Sent]:
    for _ in range(count):
        yield part()


@pytest.mark.slow
@pytest.mark.parametrize("part", ["plaintext", "body", "envelope", "headers"])
def test_changed_requests_are_answered(part: str, caplog: pytest.LogCaptureFixture) -> None:
    """Without an exception, and without a 500; what is sealed opens."""
    caplog.set_level("CRITICAL", "whatsapp_flows")
    fuzzer, target, statuses = Fuzzer(20261129), responsive(), Counter[int]()
    for number, sent in enumerate(requests(getattr(fuzzer, part), PER_PART)):
        answer = target.receive(sent.body, sent.headers)
        statuses[answer.status] += 1
        assert answer.status in ALLOWED, (number, answer)
        if answer.body:
            sent.opened(answer)
        assert bool(answer.body) is (answer.status in {200, 427}), (number, answer)
    expected = {"plaintext": {200, 421, 427}, "body": {400, 421}, "envelope": {400, 421}, "headers": {200, 432}}[part]
    assert expected <= set(statuses), statuses


@pytest.mark.parametrize("part", ["plaintext", "body", "envelope", "headers"])
def test_both_drivers_answer_changed_requests_alike(part: str) -> None:
    """Status and body, for a part of them."""
    fuzzer = Fuzzer(7)
    for sent in requests(getattr(fuzzer, part), 40):
        assert receive(responsive(), sent) == areceive(responsive(), sent)
