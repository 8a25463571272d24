"""The checks of the callers' arguments. A `ConfigurationError` names the argument and what it must be."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import date
from json import dumps
from typing import Final, TypeVar
from urllib.parse import urlsplit

from .._wire import looks_secret, short_repr
from ..errors import ConfigurationError

T = TypeVar("T")

# The fields of a flow when the caller names none: all that are cheap for Meta. The preview, which creates a public
# link, and the health, which runs checks, have methods of their own.
DEFAULT_FIELDS: Final = (
    "id,name,status,categories,validation_errors,json_version,data_api_version,endpoint_uri,updated_at"
)


def path_id(argument: str, value: object) -> str:
    """An id that is one plain path segment; `ConfigurationError` names the argument."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) or looks_secret(value):
        raise ConfigurationError(f"{argument} must be a string of letters, digits, _ and -, not {short_repr(value)}.")
    return value


def identifier(argument: str, value: object) -> str:
    """A name of Meta's, of letters and underscores."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_]+", value):
        raise ConfigurationError(f"{argument} must be one of Meta's names, like DAY, not {short_repr(value)}.")
    return value


def nonempty_text(argument: str, value: object) -> str:
    """A string with more than white space in it, which UTF-8 can encode."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{argument} must be a string that is not empty, not {short_repr(value)}.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{argument} contains a lone surrogate, which UTF-8 cannot encode.") from None
    if value != value.strip():
        raise ConfigurationError(f"{argument} must not begin or end with white space.")
    return value


def template_name(value: object) -> str:
    """The name of a message template ("Message templates", Limitations)."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9_]{1,512}", value):
        raise ConfigurationError(f"name must be lower-case letters, digits and _, not {short_repr(value)}.")
    return value


def template_language(value: object) -> str:
    """The language of a message template, as Meta writes it: en, en_US, fil, zh_CN."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2,3})?", value):
        raise ConfigurationError(f"language must be a code like en, en_US or fil, not {short_repr(value)}.")
    return value


def iso_date(argument: str, value: object) -> str:
    """A date as YYYY-MM-DD, from a `date` or a string of that form."""
    text = f"{value:%Y-%m-%d}" if isinstance(value, date) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ConfigurationError(f"{argument} must be a date or YYYY-MM-DD, not {short_repr(value)}.")
    return text


def item_list(argument: str, value: Iterable[T], kind: str) -> tuple[T, ...]:
    """The items of a list; the caller checks that each is of that kind."""
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)):
        raise ConfigurationError(f"{argument} must be a list of {kind}, not {short_repr(value)}.")
    return tuple(value)


def is_web_url(url: str, *schemes: str) -> bool:
    """Whether it is an absolute URL with a host and one of the schemes."""
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def field_list(fields: str | Sequence[str] | None) -> str:
    if fields is None:
        return DEFAULT_FIELDS
    if not isinstance(fields, str) and not all(isinstance(field, str) for field in fields):
        raise ConfigurationError("fields must be a string, or a list of strings.")
    return nonempty_text("fields", fields if isinstance(fields, str) else ",".join(fields))


def category_list(categories: Sequence[str]) -> str:
    if isinstance(categories, str) or not categories or not all(isinstance(it, str) and it for it in categories):
        raise ConfigurationError('categories must be a list with at least one of Meta\'s categories, like ["OTHER"].')
    return dumps(list(categories))


def name_list(names: Sequence[str]) -> str:
    if isinstance(names, str) or not names:
        raise ConfigurationError("names must be a list with at least one name; None means all flows of the source.")
    return dumps([nonempty_text("names", name) for name in names])


# A 2048-bit RSA SubjectPublicKeyInfo holds the algorithm's id and a modulus of 257 bytes (RFC 5280, RFC 8017).
_RSA_OID: Final = bytes.fromhex("06092a864886f70d010101")
_RSA_2048_MODULUS: Final = bytes.fromhex("0282010100")
_PEM: Final = r"\s*-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*"


def public_pem(pem: str | bytes) -> str:
    """The PEM text of a 2048-bit RSA public key. No error contains the value: it may be the private key."""
    try:
        text = pem.decode("ascii") if isinstance(pem, bytes) else pem
    except UnicodeDecodeError:
        raise ConfigurationError("pem must be PEM text; this is binary (DER?).") from None
    found = re.fullmatch(_PEM, text) if isinstance(text, str) else None
    if found is None:
        if isinstance(text, str) and "PRIVATE KEY" in text:
            raise ConfigurationError("pem is a private key: keep it, and send its public half (openssl pkey -pubout).")
        raise ConfigurationError("pem must be one PEM block, -----BEGIN PUBLIC KEY----- ... -----END PUBLIC KEY-----.")
    if "PRIVATE" in found[1]:
        raise ConfigurationError("pem is a private key: keep it, and send its public half (openssl pkey -pubout).")
    if found[1] != "PUBLIC KEY":
        raise ConfigurationError(
            f"pem must be a PUBLIC KEY block, not {found[1]} (openssl rsa -RSAPublicKey_in -pubout)."
        )
    try:
        der = b64decode("".join(found[2].split()), validate=True)
    except ValueError:
        raise ConfigurationError("pem is damaged: its base64 cannot be read.") from None
    if _RSA_OID not in der or _RSA_2048_MODULUS not in der:
        raise ConfigurationError("pem must hold a 2048-bit RSA key (openssl genrsa 2048).")
    return text
