"""
How Meta's client reads an answer: by its status, then decrypted, then by what the action asks for.

A body that cannot be decrypted is looked at again, to say which of the usual mistakes it is.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..._endpoint_errors import DecryptionError
from ..._flow_crypto import AnswerChannel
from ..._wire import Response
from ._reply import CallOutcome, EndpointReply, json_object

# Status -> what it means, for the statuses whose body is not read ("Error codes", documented).
_STATUSES: Final[Mapping[int, tuple[CallOutcome, str]]] = {
    421: ("not-decrypted", "The endpoint says that it cannot decrypt the request: its private key is another one."),
    432: ("bad-signature", "The endpoint says that the signature is wrong: its app secret is another one."),
}
_HINTS: Final[Mapping[int, str]] = {
    400: "it does not take the request for an encrypted one",
    401: "it asks for credentials, which Meta does not have",
    403: "something before it refuses the request",
    404: "nothing is at that path",
    405: "it does not take POST",
    413: "something before it limits the size of a request too tightly",
    429: "it limits the rate of requests, which come from Meta for all users",
    500: "it failed",
    502: "a proxy before it got no answer",
    503: "it is not available",
    504: "a proxy before it got no answer in time",
}


def read_reply(response: Response, channel: AnswerChannel, action: str) -> EndpointReply:
    """What the client makes of a response."""
    content_type = response.header("content-type")
    if response.status in _STATUSES:
        outcome, problem = _STATUSES[response.status]
        return EndpointReply(outcome=outcome, status=response.status, problem=problem, content_type=content_type)
    if response.status not in {200, 427}:
        problem = _unexpected(response)
        return EndpointReply(
            outcome="unexpected-status", status=response.status, problem=problem, content_type=content_type
        )
    if response.status == 427 and not response.body:  # observed: the user sees a general text
        return EndpointReply(outcome="token-refused", status=427, problem=_NO_TEXT, content_type=content_type)
    try:
        plaintext = channel.open(response.body)
    except DecryptionError:
        plaintext, outcome, problem = b"", _UNREADABLE, diagnosis(response.body, channel)
    else:
        outcome, problem = _judged(plaintext, response.status, action)
    return EndpointReply(
        outcome=outcome, status=response.status, plaintext=plaintext, problem=problem, content_type=content_type
    )


_UNREADABLE: Final[CallOutcome] = "unreadable"
_NO_TEXT: Final = "The flow token is refused without a text: the user sees a general one."


def _unexpected(response: Response) -> str:
    if 300 <= response.status < 400:
        return f"HTTP {response.status}: the endpoint redirects, and no redirect is followed."
    hint = _HINTS.get(response.status)
    return f"HTTP {response.status}: {hint}." if hint else f"HTTP {response.status} is none of the statuses of Flows."


def _judged(plaintext: bytes, status: int, action: str) -> tuple[CallOutcome, str]:
    """Whether a decrypted answer is what the client expects of the action."""
    content = json_object(plaintext)
    if content is None:
        return "bad-payload", "The decrypted answer is not a JSON object in UTF-8."
    if status == 427:
        text = content.get("error_msg")
        return "token-refused", "The flow token is refused." if isinstance(text, str) and text else _NO_TEXT
    fits, expected = _EXPECTED.get(action, _EXPECTED[""])
    return ("answered", "") if fits(content) else ("bad-payload", f"The decrypted answer must be {expected}.")


def _is_screen(content: Mapping[str, Any]) -> bool:
    return isinstance(content.get("screen"), str) and isinstance(content.get("data"), dict)


def _says(key: str, value: object) -> Callable[[Mapping[str, Any]], bool]:
    def says(content: Mapping[str, Any]) -> bool:
        data = content.get("data")
        return isinstance(data, dict) and data.get(key) == value and type(data[key]) is type(value)

    return says


NOTIFICATION: Final = "error notification"
"""In place of the action, for a request that reports an error."""

# What an answer must be: for a health check, for an error notification (documented), and for a screen (observed).
_EXPECTED: Final[Mapping[str, tuple[Callable[[Mapping[str, Any]], bool], str]]] = {
    "ping": (_says("status", "active"), '{"data": {"status": "active"}}'),
    NOTIFICATION: (_says("acknowledged", True), '{"data": {"acknowledged": true}}'),
    "": (_is_screen, "an object with a text `screen` and an object `data`"),
}


# -- bodies that cannot be decrypted


def diagnosis(body: bytes, channel: AnswerChannel) -> str:
    """Which mistake made a body that the client cannot decrypt, in a sentence."""
    if not body:
        return "The body is empty."
    document = _json(body)
    if isinstance(document, str):
        inside = _opens(document.encode(), channel)
        return "The body is in JSON quotes: send the bare base64 text." if inside else _PLAIN
    if isinstance(document, dict):
        sealed = [value for value in document.values() if isinstance(value, str) and _opens(value.encode(), channel)]
        return "The body is base64 inside a JSON object: send the bare base64 text." if sealed else _PLAIN
    for repaired, sentence in _REPAIRS:
        candidate = repaired(body)
        if candidate is not None and _opens(candidate, channel):
            return sentence
    if _decoded(body) is None:
        return "The body is not base64: it must be encrypted, and sent as bare base64."
    if _opens(body, channel, inverted=False):
        return "The answer is encrypted with the IV of the request: every bit of it must be inverted."
    return "The answer is encrypted with another key than that of the request, or with another IV, or is damaged."


_PLAIN: Final = "The body is not encrypted: it is plain JSON."


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _decoded(body: bytes) -> bytes | None:
    try:
        return b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        return None


def _opens(body: bytes, channel: AnswerChannel, *, inverted: bool = True) -> bool:
    try:
        channel.open(body, inverted=inverted)
    except DecryptionError:
        return False
    return True


# A repair of the body -> the mistake, if the repaired body can be decrypted.
_REPAIRS: Final[tuple[tuple[Callable[[bytes], bytes | None], str], ...]] = (
    (lambda body: b"".join(body.split()), "The base64 text has white space: send it bare, without line breaks."),
    (lambda body: body.translate(bytes.maketrans(b"-_", b"+/")), "The base64 text has the URL-safe alphabet."),
    (lambda body: body + b"=" * (-len(body) % 4), "The base64 text has no padding."),
    (b64encode, "The body is the encrypted bytes: send them as base64."),
    (_decoded, "The body is encoded in base64 twice."),
)
