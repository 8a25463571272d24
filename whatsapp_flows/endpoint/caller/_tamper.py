"""
Requests with one fault each, for the answers of an endpoint that a healthy client never sees.

A fault changes how the request is sealed (`random`, `padding`), its envelope, its body, or its signature. Each row
says which status the endpoint should answer.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple, get_args

from ..._flow_crypto import RsaPadding
from ..._wire import short_repr
from ...errors import ConfigurationError

Tamper = Literal[
    "no-signature", "wrong-signature", "short-signature", "other-body",
    "wrong-key", "mgf1-sha1", "sha1", "long-aes-key", "short-iv", "inverted-iv", "flipped-tag", "short-tag",
    "urlsafe-base64", "not-base64", "not-json", "not-an-object", "missing-field", "not-an-envelope",
    "wrong-token-signature",
]  # fmt: skip
"""The faults that a request can be made with."""

# The public half of an RSA key whose private half was never stored: nobody can decrypt what is sealed for it.
FOREIGN_KEY: Final = """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuzHRqJUGHX5sgAW2ioOf
KeSrOQhY7X8PgVW82uNwUTKGRVtyFr7LMjhxM9ce9rm0NVF0j0RTQN9IDKRwFw1h
WnTR56AZNadju0pNk4H0MPPq4DrWD5SsKC580YnkOgaaZPNkmTUvxnRPClRCDXEs
tRnD6S7xnxuLSn2hdY69Lx3rGnRXljhm2o09pGznZ8uYHcib4N1xdh/eTSxxI53i
uTIJxJGmD2xYpPMhZX50JwSSBke79xKB1rSBnmPv3ziRC+eY17oRmdYhOHa8Bayw
azEa8AjkHEzVERbJQO7Bhg0EDNr6/DKb3GSjr3xH23oRW9URCKpz3At1n5c0j+tS
zQIDAQAB
-----END PUBLIC KEY-----
"""

Envelope = dict[str, str]
_DATA, _IV = "encrypted_flow_data", "initial_vector"


def _same(value: bytes) -> bytes:
    return value


class Fault(NamedTuple):
    """
    How a request differs from a healthy one, and the status that answers it.

    `needs` is what the request must have for the fault to be one: it is signed, or its flow token is.
    """

    status: int
    needs: Literal["", "secret", "token signature"] = ""
    public_key: str | None = None
    padding: RsaPadding = "sha256"
    key_bytes: int = 16
    iv_bytes: int = 16
    plaintext: Callable[[bytes], bytes] = _same
    envelope: Callable[[Envelope], Envelope] = dict
    body: Callable[[bytes], bytes] = _same  # before it is signed
    signature: Callable[[str], str | None] = str
    sent: Callable[[bytes], bytes] = _same  # after it is signed
    token_signature: Callable[[str], str] = str

    def random(self) -> Callable[[int], bytes]:
        """Random bytes for the AES key, and then for the IV, in this fault's lengths."""
        lengths = iter((self.key_bytes, self.iv_bytes))
        return lambda _: os.urandom(next(lengths))


def _field(name: str, change: Callable[[bytes], bytes]) -> Callable[[Envelope], Envelope]:
    """An envelope with the bytes of one field changed."""
    return lambda envelope: {**envelope, name: b64encode(change(b64decode(envelope[name]))).decode()}


def _texts(change: Callable[[str], str]) -> Callable[[Envelope], Envelope]:
    """An envelope with all texts changed."""
    return lambda envelope: {name: change(text) for name, text in envelope.items()}


def _flip_last_bit(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _invert(data: bytes) -> bytes:
    return bytes(byte ^ 255 for byte in data)


def _urlsafe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


def _without_iv(envelope: Envelope) -> Envelope:
    return {name: text for name, text in envelope.items() if name != _IV}


def _another_signature(signature: str) -> str:
    return f"{signature[:-1]}{'0' if signature[-1] != '0' else '1'}"


def _another_jwt(token: str) -> str:
    head, _, mac = token.rpartition(".")
    return f"{head}.{'A' if mac[:1] != 'A' else 'B'}{mac[1:]}"


HEALTHY: Final = Fault(200)
FAULTS: Final[Mapping[Tamper, Fault]] = {
    "no-signature": Fault(432, signature=lambda _: None),
    "wrong-signature": Fault(432, "secret", signature=_another_signature),
    "short-signature": Fault(432, "secret", signature=lambda signature: signature[:20]),
    "other-body": Fault(432, "secret", sent=lambda body: body.replace(b"\\/", b"/") + b" "),
    "wrong-key": Fault(421, public_key=FOREIGN_KEY),
    "mgf1-sha1": Fault(421, padding="mgf1-sha1"),
    "sha1": Fault(421, padding="sha1"),
    "long-aes-key": Fault(421, key_bytes=32),
    "short-iv": Fault(421, iv_bytes=12),
    "inverted-iv": Fault(421, envelope=_field(_IV, _invert)),
    "flipped-tag": Fault(421, envelope=_field(_DATA, _flip_last_bit)),
    "short-tag": Fault(421, envelope=_field(_DATA, lambda data: data[:-1])),
    "urlsafe-base64": Fault(421, envelope=_texts(_urlsafe)),
    "not-base64": Fault(421, envelope=_texts(lambda text: f"{text[:8]}*{text[8:]}")),
    "not-json": Fault(421, plaintext=lambda text: text[:-1]),
    "not-an-object": Fault(421, plaintext=lambda text: b"[%b]" % text),
    "missing-field": Fault(400, envelope=_without_iv),
    "not-an-envelope": Fault(400, body=lambda body: body[:-1]),
    "wrong-token-signature": Fault(427, "token signature", token_signature=_another_jwt),
}


def fault_of(tamper: Tamper | None) -> Fault:
    """The row of a fault. Raises `ConfigurationError` for an unknown name."""
    if tamper is None:
        return HEALTHY
    if tamper not in FAULTS:
        raise ConfigurationError(f"tamper must be one of {', '.join(get_args(Tamper))}, not {short_repr(tamper)}.")
    return FAULTS[tamper]
