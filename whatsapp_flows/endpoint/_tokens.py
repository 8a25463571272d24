"""
Flow tokens that need no storage: unpredictable, signed, and valid for a time.

A token is the base64 (URL-safe, without padding) of

    expiry, 5 bytes | random, 16 bytes | subject, 0 to 96 bytes | HMAC-SHA256 of what is before it, 32 bytes

with the expiry in seconds since 1970, big-endian. Without a subject that is 71 characters, at most 199: a vendor says
that a flow token may have 200 (field report; Meta documents no limit).
"""

from __future__ import annotations

import hmac
import math
import re
import secrets as random
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final, Protocol, cast

from .. import signatures
from .._endpoint_errors import NO_LONGER_VALID, InvalidToken
from .._wire import Secret, as_secrets
from ..errors import ConfigurationError

VALID_FOR: Final = 259_200.0
"""Seconds: 3 days. Meta suggests 2 to 3 days ("Implementing Endpoint for Flows")."""
MAX_SUBJECT: Final = 96
"""Bytes of a subject."""

_UNUSED: Final = "unused"  # what Meta puts in where a message has no token
_EXPIRY: Final = 5
_RANDOM: Final = 16
_MAC: Final = 32
_SHORTEST: Final = _EXPIRY + _RANDOM + _MAC
_CONTEXT: Final = b"whatsapp-flows flow token\n"  # so that no other signature made with the secret is one of a token
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{71,199}").fullmatch


class TokenRequest(Protocol):
    """What is read of a `FlowRequest`."""

    @property
    def flow_token(self) -> str | None: ...
    @property
    def token_signature(self) -> str | None: ...


class Tokens:
    """
    Makes flow tokens, and refuses all others: `FlowEndpoint(..., tokens=Tokens(secret, valid_for=86_400))`.

    `secret` is one or several of your own, newest first: the first signs, all verify. `valid_for` is in seconds, from
    `new` on; the default is 3 days. With `app_secrets`, the signature that Meta's client sends beside a token (from
    Flow JSON 7.3 and data API 4.0 on) is verified as well; a request without one is not refused. `text` is what the
    user reads whose token is refused. `clock` gives the seconds since 1970.

    A token is known to nobody but the receiver of its message, and cannot be made without the secret. It can be used
    until it expires, more than once. Raises `ConfigurationError` for an empty secret or a `valid_for` that is not
    positive.
    """

    def __init__(
        self,
        secret: signatures.AppSecrets,
        *,
        valid_for: float = VALID_FOR,
        app_secrets: signatures.AppSecrets | None = None,
        text: str = NO_LONGER_VALID,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Replaced, so that no local variable of this frame shows a secret.
        given = as_secrets(secret)
        del secret
        known = given if isinstance(given, tuple) else (given,)
        of_app = None if app_secrets is None else as_secrets(app_secrets)
        del app_secrets
        if not known or not all(isinstance(one, Secret) and one.reveal().strip() for one in known):
            raise ConfigurationError("secret must be a text that is not empty, or several: with it, tokens are signed.")
        if isinstance(valid_for, bool) or not isinstance(valid_for, (int, float)) or not 0 < valid_for < math.inf:
            raise ConfigurationError("valid_for must be a positive number of seconds.")
        if not isinstance(text, str) or not text.strip():
            raise ConfigurationError("text must be what the user reads, a text that is not empty.")
        self._secrets: tuple[Secret, ...] = known
        self._app_secrets = None if of_app is None else signatures.app_secrets(cast("signatures.AppSecrets", of_app))
        self._clock = clock
        self.valid_for = float(valid_for)
        self.text = text

    def __repr__(self) -> str:
        return f"Tokens(valid_for={self.valid_for}, secrets={len(self._secrets)})"

    def new(self, subject: str | None = None) -> str:
        """
        A new token, valid from now for `valid_for` seconds.

        `subject` is a name of yours for what the token stands for, such as the id of an order: up to 96 bytes in
        UTF-8. It is signed, not encrypted: whoever has the token can read it.
        """
        named = b"" if subject is None else _subject_bytes(subject)
        expiry = min(math.ceil(self._clock() + self.valid_for), 2 ** (8 * _EXPIRY) - 1)
        signed = expiry.to_bytes(_EXPIRY, "big") + random.token_bytes(_RANDOM) + named
        return _encoded(signed + _mac(self._secrets[0], signed))

    def subject(self, token: str | None) -> str | None:
        """
        The subject of a token; None if it was made without.

        Raises `InvalidToken` for a token that is missing, not one of these secrets, or expired.
        """
        fault, subject = self._read(token)
        del token  # a traceback with local variables is to show no token: the frame that raises has none
        if fault:
            raise InvalidToken(self.text, fault)
        return subject

    def _read(self, token: str | None) -> tuple[str, str | None]:
        """What is wrong with a token, or an empty text; and its subject."""
        if token is None or token in {"", _UNUSED}:
            return "missing", None
        content = _decoded(token)
        signed, mac = content[:-_MAC], content[-_MAC:]
        if len(content) < _SHORTEST or not any(hmac.compare_digest(_mac(one, signed), mac) for one in self._secrets):
            return "forged", None
        if self._clock() >= int.from_bytes(signed[:_EXPIRY], "big"):
            return "expired", None
        return "", signed[_EXPIRY + _RANDOM :].decode() or None

    def __call__(self, request: TokenRequest, /) -> None:
        """Refuse a request whose token is not valid with `InvalidToken`: what `FlowEndpoint(tokens=...)` calls."""
        self.subject(request.flow_token)
        if not self._is_signed(request.flow_token or "", request.token_signature):
            raise InvalidToken(self.text, "signature")

    def _is_signed(self, token: str, signature: str | None) -> bool:
        """Whether Meta's signature is one of the token; also without the app secret, and without a signature."""
        secrets = self._app_secrets
        return (
            secrets is None or signature is None or signatures.verify_flow_token(signature, token, secrets) is not None
        )


def _subject_bytes(subject: str) -> bytes:
    try:
        named = subject.encode()
    except (AttributeError, UnicodeEncodeError):
        raise ConfigurationError("subject must be a text that has a UTF-8 form.") from None
    if not 0 < len(named) <= MAX_SUBJECT:
        raise ConfigurationError(f"subject has {len(named)} bytes; it may have 1 to {MAX_SUBJECT}.")
    return named


def _mac(secret: Secret, signed: bytes) -> bytes:
    return hmac.digest(secret.reveal().encode("utf-8", "surrogatepass"), _CONTEXT + signed, "sha256")


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(token: str) -> bytes:
    """What a token is the base64 of; empty if it is not written as `new` writes it."""
    if _TOKEN(token) is None or len(token) % 4 == 1:
        return b""
    content = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return content if _encoded(content) == token else b""
