"""
A request to an endpoint as a conversation: send it, and after a 421 wait, fetch the key again and send once more.

It does no I/O. It yields steps, and is sent what came of each: the parsed key for `FetchKey`, nothing for `Wait`, and
for a `Post` the response, or the reason why there is none, with the seconds that it took.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any, Final, NamedTuple

from ..._dataclasses import dataclass, replace
from ..._flow_crypto import AnswerChannel, SealingKey, read_public_key, seal_request
from ..._json import compact_json
from ..._wire import Response, Secret
from ...errors import ConfigurationError
from ...signatures import sign, sign_flow_token
from ._reading import read_reply
from ._reply import EndpointReply
from ._tamper import Fault, Tamper, fault_of
from ._targets import Arrival, Post, timed_out

TIME_LIMIT: Final = 10.0
"""Seconds after which Meta gives up a request (documented)."""

RESEND_DELAY: Final = 0.5
"""Seconds that Meta's client waits after a 421 before it sends again (observed)."""

MAX_ANSWER: Final = 2 * 2**20
"""Bytes of an answer that are read: twice what all the data of an exchange may have in all (1 MB, documented)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class FetchKey:
    """Send the public key; `refresh` asks for it where it comes from, instead of taking the one that is known."""

    refresh: bool


class Arrived(NamedTuple):
    """What came of a request, and after how many seconds."""

    arrival: Arrival
    seconds: float


Step = Post | Wait | FetchKey
Steps = Generator[Step, Any, EndpointReply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is the same for all requests of a client."""

    secret: Secret | None
    path: str
    time_limit: float
    max_answer: int


def exchange(content: Mapping[str, Any], action: str, settings: Settings, tamper: Tamper | None) -> Steps:
    """One request, and what the client makes of its answer."""
    fault = fault_of(tamper)
    signed = _with_token_signature(content, settings.secret, fault)
    _check_fault(tamper, fault, settings.secret, token_is_signed="flow_token_signature" in signed)
    plaintext = _plaintext(signed)
    key = yield FetchKey(refresh=False)
    reply = yield from _send(plaintext, key, action, settings, fault)
    if reply.status != 421 or tamper is not None:  # a request with a fault is sent once: its answer is the result
        return reply
    yield Wait(RESEND_DELAY)
    key = yield FetchKey(refresh=True)
    reply = yield from _send(plaintext, key, action, settings, fault)
    return replace(reply, attempts=2)


def _with_token_signature(content: Mapping[str, Any], secret: Secret | None, fault: Fault) -> Mapping[str, Any]:
    """With the signature of the flow token, which Meta adds from data API 4.0 on (documented)."""
    token = content.get("flow_token")
    major = str(content.get("version", "")).partition(".")[0]
    if secret is None or not isinstance(token, str) or not major.isdecimal() or int(major) < 4:
        return content
    return {**content, "flow_token_signature": fault.token_signature(sign_flow_token(token, secret))}


def _check_fault(tamper: Tamper | None, fault: Fault, secret: Secret | None, *, token_is_signed: bool) -> None:
    """Refuse a fault that the request would not have: a test with it could not fail."""
    if fault.needs == "secret" and secret is None:
        raise ConfigurationError(f"tamper={tamper!r} needs app_secrets.")
    if fault.needs == "token signature" and not token_is_signed:
        raise ConfigurationError(f"tamper={tamper!r} needs app_secrets, a flow token, and version 4.0 or later.")


def _plaintext(content: Mapping[str, Any]) -> bytes:
    try:
        return compact_json(content, ascii_only=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        mistake = type(error).__name__
    raise ConfigurationError(f"the request cannot be written as JSON ({mistake}): data must hold JSON values only.")


def _send(plaintext: bytes, key: SealingKey, action: str, settings: Settings, fault: Fault) -> Steps:
    post, channel = _sealed(plaintext, key, settings, fault)
    arrived: Arrived = yield post
    arrival, seconds = arrived
    if seconds >= settings.time_limit:
        arrival = timed_out(settings.time_limit)
    if isinstance(arrival, Response):
        return replace(read_reply(arrival, channel, action), seconds=seconds)
    return EndpointReply(outcome=arrival.outcome, problem=arrival.problem, seconds=seconds)


def _sealed(plaintext: bytes, key: SealingKey, settings: Settings, fault: Fault) -> tuple[Post, AnswerChannel]:
    """The encrypted request and its headers, and what its answer is decrypted with."""
    if fault.public_key is not None:
        key = read_public_key(Secret(fault.public_key))
    sealed, channel = seal_request(key, fault.plaintext(plaintext), random=fault.random(), padding=fault.padding)
    envelope = fault.envelope(json.loads(sealed))
    # As Meta's JSON writer sends it: `/` and everything beyond ASCII is escaped (documented, observed).
    body = fault.body(compact_json(envelope).replace("/", "\\/").encode())
    headers = {"Content-Type": "application/json"}
    signature = None if settings.secret is None else fault.signature(sign(body, settings.secret))
    if signature is not None:
        headers["X-Hub-Signature-256"] = signature
    post = Post(
        body=fault.sent(body),
        headers=headers,
        path=settings.path,
        time_limit=settings.time_limit,
        max_answer=settings.max_answer,
    )
    return post, channel
