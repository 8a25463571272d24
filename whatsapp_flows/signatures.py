"""
Meta's signatures with an app secret: of a body (`X-Hub-Signature-256`), and of a flow token. Standard library only.

A body is signed as it was received: HMAC-SHA256 over the raw bytes, `sha256=` and lower-case hex. Parsing the JSON and
writing it again changes the bytes (documented: Meta's webhook and endpoint guides).
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from json import dumps, loads
from typing import Final, cast

from ._wire import Secret, as_secrets
from .errors import ConfigurationError

__all__ = ["AppSecrets", "app_secrets", "sign", "sign_flow_token", "verify", "verify_flow_token"]

AppSecrets = str | Secret | Iterable[str | Secret]
"""One app secret, or several while one replaces another."""

_HEADER: Final = "x-hub-signature-256"
_WRITTEN: Final = "X-Hub-Signature-256"  # as Meta writes it, and frameworks that give names as they come
_PREFIX: Final = b"sha256="
_JWT_HEADER: Final = {"alg": "HS256", "typ": "JWT"}
_JWT: Final = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
_MAX_JWT: Final = 8192  # characters; Meta's have a few hundred


class _Known(tuple[Secret, ...]):
    """Secrets that were checked. `macs` has the HMAC of each, which is copied for each body: that costs a third."""

    macs: tuple[hmac.HMAC, ...]


def app_secrets(secrets: AppSecrets) -> tuple[Secret, ...]:
    """
    The secrets as a tuple of `Secret`, which `verify` need not check again.

    Raises `ConfigurationError` for none, for an empty one, with which everybody can sign, and for one with white space
    around it, such as the line end of a file: Meta's secrets have none.
    """
    known = _known(secrets)
    del secrets  # a traceback with local variables is to show no secret: the frame that raises has none
    return _checked(known)


def _checked(known: _Known | str) -> _Known:
    if isinstance(known, str):
        raise ConfigurationError(known)
    return known


def _known(secrets: AppSecrets) -> _Known | str:
    """The secrets, or what is wrong with them."""
    if isinstance(secrets, _Known):
        return secrets
    given = cast("AppSecrets", as_secrets(secrets))
    given = (given,) if isinstance(given, Secret) else given
    if not isinstance(given, tuple) or not all(isinstance(one, Secret) for one in given):
        return "app_secrets must be a string, a Secret, or several of them."
    if not given:
        return "app_secrets is empty: give the app secret of the app that is connected to the Flow."
    if wrong := next(filter(None, map(_fault, given)), ""):
        return wrong
    known = _Known(given)
    known.macs = tuple(hmac.new(_key(one), digestmod="sha256") for one in known)
    return known


def _fault(secret: Secret) -> str:
    """What is wrong with a secret, or an empty text."""
    text = secret.reveal()
    if not text.strip():
        return "an app secret is empty: everybody could sign with it."
    if text != text.strip():
        return "an app secret has white space around it, such as the line end of a file: strip() it."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "an app secret has half a surrogate pair, which UTF-8 does not have: read it again."
    return ""


def signature_header(headers: Mapping[str, str]) -> str | None:
    """The `X-Hub-Signature-256` of a request, whatever the case of its name; None if it is missing or no text."""
    found: object = headers.get(_HEADER, headers.get(_WRITTEN))
    if found is None:
        found = next((value for name, value in headers.items() if name.lower() == _HEADER), None)
    return found if isinstance(found, str) else None


def sign(body: bytes, secret: str | Secret) -> str:
    """
    The value of `X-Hub-Signature-256` for a raw body: `sha256=` and 64 hex digits.

    Raises `ConfigurationError` for a body that is not bytes, and a secret that `app_secrets` refuses.
    """
    known = _known(secret)
    del secret  # as in `app_secrets`
    (mac,) = (keyed.copy() for keyed in _checked(known).macs)
    mac.update(_raw(body))
    return _PREFIX.decode() + mac.hexdigest()


def verify(body: bytes, header: str | None, secrets: AppSecrets) -> int | None:
    """
    The index of the secret that a raw body was signed with; None if the header is missing, malformed or wrong.

    Compares in constant time. Raises `ConfigurationError` for a body that is not bytes, and a secret that `app_secrets`
    refuses.
    """
    known = _known(secrets)
    del secrets
    known = _checked(known)
    signed = _raw(body)
    given = b"" if header is None else header.encode("utf-8", "replace")
    for index, keyed in enumerate(known.macs):
        mac = keyed.copy()
        mac.update(signed)
        if hmac.compare_digest(_PREFIX + mac.hexdigest().encode(), given):
            return index
    return None


def sign_flow_token(flow_token: str, secret: str | Secret) -> str:
    """The `flow_token_signature` of a flow token, as Meta makes it: a JWT (HS256) with the claim `flow_token`."""
    known = _known(secret)
    del secret
    (one,) = _checked(known)
    signed = f"{_encoded(_compact(_JWT_HEADER))}.{_encoded(_compact({'flow_token': flow_token}))}"
    return f"{signed}.{_encoded(hmac.digest(_key(one), signed.encode(), 'sha256'))}"


def verify_flow_token(signature: str, flow_token: str, secrets: AppSecrets) -> int | None:
    """
    The index of the secret that a `flow_token_signature` was made with; None if it is not one of this flow token.

    The algorithm must be HS256 and the claim `flow_token` equal to the token (the claim's name is a field report). No
    other claim is documented, so none is looked at. Raises `ConfigurationError` for a secret that `app_secrets`
    refuses.
    """
    known = _known(secrets)
    del secrets
    known = _checked(known)
    signed, _, mac = signature.rpartition(".")
    if len(signature) > _MAX_JWT or re.fullmatch(_JWT, signature) is None:
        return None
    for index, secret in enumerate(known):
        if hmac.compare_digest(_encoded(hmac.digest(_key(secret), signed.encode(), "sha256")), mac):
            return index if _claims(signed, flow_token) else None
    return None


def _key(secret: Secret) -> bytes:
    return secret.reveal().encode()


def _raw(body: object) -> bytes | bytearray | memoryview:
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise ConfigurationError(f"body must be the raw bytes that are signed, not a {type(body).__name__}.")
    return body


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _compact(value: object) -> bytes:
    return dumps(value, separators=(",", ":")).encode()


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _claims(signed: str, flow_token: str) -> bool:
    """Whether the header of a JWT says HS256 and its payload has the token."""
    try:
        header, payload = (loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in signed.split("."))
    except (ValueError, RecursionError):
        return False
    if not isinstance(header, dict) or not isinstance(payload, dict) or header.get("alg") != _JWT_HEADER["alg"]:
        return False
    claim = payload.get("flow_token")
    return isinstance(claim, str) and hmac.compare_digest(_utf8(claim), _utf8(flow_token))
