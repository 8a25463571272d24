"""
Values that cross layers: Secret, Request, Response, Operation; and the redaction of what must not leave.

A `Script` is how an operation talks: a generator that yields a `Request`, is sent the successful `Response`,
has Meta's refusals thrown into it, and returns the result. It does no I/O, so any driver can run it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, NoReturn, TypeVar
from urllib.parse import quote, urlencode

from .errors import FlowsError

T_co = TypeVar("T_co", covariant=True)

_MASK: Final = "[redacted]"
_LONGEST_SHOWN: Final = 40
_SHORTEST_SECRET: Final = 8  # anything shorter is a test's placeholder, and masking it would maul ordinary words

# Meta's tokens start with EAA and may come back inside an error text or a paging link.
_TOKEN_SHAPED: Final = re.compile(r"(?<![A-Za-z0-9])EAA[A-Za-z0-9]{20,}|(?<=access_token=)[^&\s\"'<>]+")


class Secret:
    """A string that shows itself only to `reveal()`: not in a repr, a log, a comparison or a pickle."""

    __slots__ = ("_spellings", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._spellings: tuple[str, ...] | None = None

    def reveal(self) -> str:
        """The string itself. Call it where it is sent, and keep no copy."""
        return self._value

    def mask(self, text: str) -> str:
        """`text` without this secret, as it is or escaped for JSON or for a URL."""
        if self._spellings is None:
            value, quoted = self._value, quote(self._value, safe="")
            lowered = re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), quoted)
            all_spellings = (value, value.replace("/", "\\/"), quoted, lowered)
            self._spellings = tuple(dict.fromkeys(all_spellings)) if len(value) >= _SHORTEST_SECRET else ()
        for spelling in self._spellings:
            text = text.replace(spelling, _MASK)
        return text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: give the other process its own way to get the token")


T = TypeVar("T")


def hidden(value: T | str) -> T | Secret:
    """A string as a `Secret`, so that no local variable shows it; anything else as it is."""
    return Secret(value) if isinstance(value, str) else value


def redact(text: str, secret: Secret | None = None) -> str:
    """`text` without the secret, in any spelling that Meta echoes, and without anything shaped like a token."""
    return _TOKEN_SHAPED.sub(_MASK, secret.mask(text) if secret else text)


def shown(value: object) -> str:
    """What was given, short enough for a message; not at all if it could be a token or a secret in the wrong place."""
    if isinstance(value, str) and (len(value) > _LONGEST_SHOWN or looks_secret(value)):
        return f"a string of {len(value)} characters"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"a {type(value).__name__}"


def looks_secret(value: str) -> bool:
    """Whether a string has the shape of one of Meta's tokens, or of an app's secret (32 hexadecimal digits)."""
    return bool(_TOKEN_SHAPED.search(value) or re.fullmatch(r"[0-9a-f]{32}", value))


def appsecret_proof(token: Secret, app_secret: Secret, unix_seconds: int) -> dict[str, str]:
    """
    The query parameters that prove knowledge of the app's secret, good for 5 minutes from `unix_seconds`.

    The timestamped form: HMAC-SHA256 over `token|seconds` (Meta, "Secure Graph API Calls").
    """
    message = f"{token.reveal()}|{unix_seconds}".encode()
    proof = hmac.new(app_secret.reveal().encode(), message, hashlib.sha256).hexdigest()
    return {"appsecret_proof": proof, "appsecret_time": str(unix_seconds)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    One HTTP request, as bytes, before a driver adds the credentials.

    `url` is absolute and holds no secret. `operation` and `flow_id` say on whose behalf it is sent. A request that is
    not `authenticated` goes to another host than the API's, and no credential may go with it.
    """

    method: str
    url: str
    operation: str
    flow_id: str | None = None
    body: bytes | None = field(default=None, repr=False)
    content_type: str | None = None
    authenticated: bool = True
    token: Secret | None = None
    proof: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def signed_url(self) -> str:
        """The URL with the proof in its query: what is asked for, and never shown."""
        if not self.proof:
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}{urlencode(self.proof)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """
    One whole HTTP answer. Header names may be in any case; `received_at` is Unix time in seconds.

    `token` is what the request was sent with, so that it can be masked wherever Meta echoes it.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    received_at: float = 0.0
    token: Secret | None = None

    def header(self, name: str) -> str:
        """The header of that lower-case name, however the transport spells it; empty when there is none."""
        found = self.headers.get(name)
        if found is None:
            found = next((value for key, value in self.headers.items() if key.lower() == name), "")
        return found

    def text(self) -> str:
        """The body as text in UTF-8, without the token. Raises `UnicodeDecodeError`."""
        text = self.body.decode()
        return self.token.mask(text) if self.token else text


Script = Generator[Request, Response, T_co]


def _may_have_acted(error: FlowsError) -> bool:
    return error.leaves_doubt


def _never(_: FlowsError) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T_co]):
    """
    One call of the client as a value: how to ask, how to read the answer, and whether it may be asked twice.

    `script` makes a fresh conversation for each attempt, and is given its number, from 1. `recover`, for what must not
    be done twice, is asked with the errors that left the outcome open (`uncertain` says which do): it looks at the
    state, and returns the result if the work turns out to be done, or None if it has to be sent again. `settles`
    is asked of a refusal that follows such an error: True when it may only be the echo of our own first attempt.
    """

    name: str
    script: Callable[[int], Script[T_co]]
    flow_id: str | None = None
    subject: str = ""
    idempotent: bool = True
    recover: Callable[[tuple[FlowsError, ...]], Script[T_co | None]] | None = None
    uncertain: Callable[[FlowsError], bool] = _may_have_acted
    settles: Callable[[FlowsError], bool] = _never

    @property
    def repeatable(self) -> bool:
        """Whether the engine may send it again after an error that leaves the outcome open."""
        return self.idempotent or self.recover is not None
