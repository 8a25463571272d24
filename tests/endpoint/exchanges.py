"""Requests as Meta's client makes them, and what it reads of the answers: without a helper of the package's."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.endpoint.flows import BOOKING
from whatsapp_flows.endpoint import Answer, FlowEndpoint, FlowRequest, HttpAnswer, PrivateKeys

APP_SECRET = "app-secret-for-tests"
TOKEN = "token-of-this-message-3f9a"
SIGNATURE = "X-Hub-Signature-256"


@lru_cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Key pairs, each made once."""
    return rsa.generate_private_key(65537, 2048)


@lru_cache
def pem(number: int = 0) -> str:
    return rsa_key(number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@lru_cache
def private_keys(number: int = 0) -> PrivateKeys:
    return PrivateKeys(pem(number))


def oaep(digest: hashes.HashAlgorithm | None = None, mgf: hashes.HashAlgorithm | None = None) -> OAEP:
    return OAEP(mgf=MGF1(mgf or hashes.SHA256()), algorithm=digest or hashes.SHA256(), label=None)


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Sent:
    """A request on the wire, and what opens its answer."""

    body: bytes
    aes_key: bytes
    iv: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def signed(self, secret: str = APP_SECRET) -> Sent:
        return replace(self, headers={SIGNATURE: signature(self.body, secret)})

    def opened(self, answer: HttpAnswer) -> Any:
        """The plaintext of an answer: bare base64, sealed with the inverted nonce."""
        nonce = bytes(byte ^ 0xFF for byte in self.iv)
        return json.loads(AESGCM(self.aes_key).decrypt(nonce, b64decode(answer.body, validate=True), None))


def seal(
    plaintext: bytes,
    *,
    key: int = 0,
    padding: OAEP | None = None,
    aes_bytes: int = 16,
    iv_bytes: int = 16,
    encode: Callable[[bytes], bytes] = b64encode,
    spoil: Callable[[bytes], bytes] = bytes,
    **more: object,
) -> Sent:
    """A signed request to the owner of a key, or a spoiled one: `spoil` changes ciphertext and tag."""
    aes_key, iv = os.urandom(aes_bytes), os.urandom(iv_bytes)
    data = spoil(AESGCM(aes_key).encrypt(iv, plaintext, None))
    envelope = {
        "encrypted_flow_data": encode(data).decode(),
        "encrypted_aes_key": encode(rsa_key(key).public_key().encrypt(aes_key, padding or oaep())).decode(),
        "initial_vector": encode(iv).decode(),
        **more,
    }
    return Sent(json.dumps(envelope).encode(), aes_key, iv).signed()


def ask(action: str = "data_exchange", screen: str = "CHOOSE", data: object = None, **more: object) -> Sent:
    """A request, with a flow token."""
    document = {"version": "3.0", "action": action, "screen": screen, "flow_token": TOKEN, "data": data or {}, **more}
    return seal(json.dumps(document).encode())


PING = b'{"version":"3.0","action":"ping"}'


def endpoint(keys: Any = None, **options: Any) -> FlowEndpoint:
    """An endpoint for the booking Flow, without handlers."""
    return FlowEndpoint(keys or private_keys(), **{"app_secrets": APP_SECRET, "flow": BOOKING, **options})


def recording(target: FlowEndpoint) -> list[FlowRequest]:
    """A fallback that closes the Flow; the requests that it got."""
    got: list[FlowRequest] = []

    @target.fallback
    def record(request: FlowRequest) -> Answer:
        got.append(request)
        return request.close()

    return got


Receive = Callable[[FlowEndpoint, Sent], HttpAnswer]


def receive(target: FlowEndpoint, sent: Sent) -> HttpAnswer:
    return target.receive(sent.body, sent.headers)


def areceive(target: FlowEndpoint, sent: Sent) -> HttpAnswer:
    return asyncio.run(target.areceive(sent.body, sent.headers))


DRIVERS = (receive, areceive)
