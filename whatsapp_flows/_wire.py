"""
Values that cross layers: Secret, Request, Response, Operation; and the redaction of secrets.

A `Script` is the exchange of an operation: a generator that yields a `Request`, is sent the `Response` if it is a
success, has the exception thrown into it if it is an error, and returns the result. It does no I/O, so any driver can
run it.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from json import JSONDecoder, loads
from typing import TYPE_CHECKING, Final, Generic, NoReturn, TypeVar
from urllib.parse import quote, urlencode

from ._dataclasses import dataclass, field
from ._inert import MASK, shaped_like_a_token, without_credentials
from ._json import compact_json
from .errors import ConfigurationError, FlowsError

if TYPE_CHECKING:
    import asyncio

T_co = TypeVar("T_co", covariant=True)

_MAX_REPR: Final = 40
_MIN_SECRET: Final = 8  # a shorter one is a test's placeholder, and masking it would change ordinary words
_PREFIX: Final = 24  # characters that identify a secret: an app's token begins with its id, of up to 17 digits
_ESCAPES: Final = ("\\", "%", "&")  # each way to escape a character begins with one of these
_MAX_FULL_SEARCH: Final = 256 * 1024  # characters that are searched for mixed escapes in a fraction of a second


class Secret:
    """A string that only `reveal()` returns: no repr, log, comparison or pickle shows it."""

    __slots__ = ("_escaped", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._escaped: re.Pattern[str] | None = None

    def reveal(self) -> str:
        """The string itself. Call this where the string is sent, and keep no copy."""
        return self._value

    def mask(self, text: str) -> str:
        """
        `text` without this secret: as it is, and with any of its characters escaped for JSON, a URL or HTML.

        Escapes may be mixed, in upper or lower case, and escaped again; of a truncated secret, the beginning is
        enough. In a text of more than 256 KiB, such as a document, only the spellings that software writes are masked.
        """
        if len(self._value) < _MIN_SECRET:
            return text
        text = text.replace(self._value, MASK)
        if len(text) > _MAX_FULL_SEARCH:
            for spelling in _usual_spellings(self._value):
                text = text.replace(spelling, MASK)
        elif _may_spell(self._value, text) and self._value[:_PREFIX] in _unescaped(text):
            if self._escaped is None:
                self._escaped = _escaped(self._value)
            text = self._escaped.sub(MASK, text)
        return text

    def is_same(self, other: Secret) -> bool:
        """Whether both hold the same string, compared in constant time."""
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: give the other process its own way to get the token")


_ESCAPE: Final = (  # this and the next are compiled when they are first used
    r"\\(?:u00|x|U000000|u\{0{0,6})([2-7][0-9A-Fa-f])|%([2-7][0-9A-Fa-f])|&#(?:0{0,6}([0-9]{2,3})|[xX]0{0,6}([2-7][0-9A-Fa-f]));"
)
_DEPTH: Final = 4  # escapes of escapes
# The escape of a letter, a digit or the start of an escape: cursors and names contain others, but rarely these.
_ALNUM: Final = "(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|2[56]|5[Cc])"
# Each branch begins with a character of its own, so that re finds the first in C.
_SUSPICIOUS: Final = rf"\\(?:u00|x|u\{{0{{0,6}}|U000000){_ALNUM}|%{_ALNUM}|&#|&amp;#"


def _usual_spellings(value: str) -> tuple[str, ...]:
    """The whole value escaped in one way, as software writes JSON and URLs."""
    quoted = quote(value, safe="")
    lowered = re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), quoted)
    codes = [f"{ord(char):04x}" for char in value]
    escaped = ("".join(f"\\u{code}" for code in codes), "".join(f"\\u{code.upper()}" for code in codes))
    return (value.replace("/", "\\/"), quoted, lowered, *escaped)


def _may_spell(secret: str, text: str) -> bool:
    """Whether a text has any escape that could hide the secret. A quick test that settles it for most texts."""
    if not any(escape in text for escape in _ESCAPES):
        return False
    return not secret.isalnum() or re.search(_SUSPICIOUS, text) is not None


def _unescaped(text: str) -> str:
    """The text with escapes of visible ASCII undone and all backslashes dropped, for a fast search."""
    for _ in range(_DEPTH):
        before, text = text, text.replace("%25", "%").replace("&amp;", "&")
        text = re.sub(_ESCAPE, _char, text)
        if text == before:
            break
    return text.replace("\\", "").replace("}", "")


def _char(escape: re.Match[str]) -> str:
    decimal = escape[3]
    code = int(decimal) if decimal else int(escape[1] or escape[2] or escape[4], 16)
    return chr(code) if code < 128 else escape[0]


# How an escape may begin: its own first character may be escaped in turn, as in %5Cu0041 and \u002541.
_BACKSLASH: Final = r"(?:\\|%(?:25){0,4}5[Cc]|\\{1,8}u005[Cc]){1,16}"
_PERCENT: Final = r"(?:%|\\{1,8}u0025)(?:25){0,4}"
_AMPERSAND: Final = r"(?:&|\\{1,8}u0026)(?:amp;){0,4}#"
_ANY_ESCAPE: Final = (
    rf"{_PERCENT}[0-9A-Fa-f]{{2}}|{_BACKSLASH}(?:u[0-9A-Fa-f]{{4}}|u\{{[0-9A-Fa-f]{{1,8}}\}}|U[0-9A-Fa-f]{{8}}|x[0-9A-Fa-f]{{2}}|/)"
    rf"|{_AMPERSAND}[xX]?[0-9A-Fa-f]{{1,8}};"
)


def _escaped(value: str) -> re.Pattern[str]:
    """A pattern for a string of which any character may be escaped; it matches as much of the string as there is."""
    rest = len(value) - _PREFIX
    tail = rf"(?:[\w.~+/=|:-]|{_ANY_ESCAPE}){{0,{4 * rest}}}" if rest > 0 else ""  # some escapes are two
    return re.compile("".join(map(_spellings, value[:_PREFIX])) + tail)


def _spellings(char: str) -> str:
    r"""A character, or an escape of it: %41, %2541, \u0041, \\u0041, \u{41}, \x41, \/, &#65;, &#x41;."""
    code, literal = ord(char), re.escape(char)
    digits = "".join(f"[{digit.upper()}{digit}]" if digit.isalpha() else digit for digit in f"{code:02x}")
    return (
        rf"(?:{literal}|{_BACKSLASH}(?:u00{digits}|u\{{0{{0,6}}{digits}\}}|U0{{6}}{digits}|x{digits}|{literal})"
        rf"|{_PERCENT}{digits}|{_AMPERSAND}(?:0{{0,6}}{code}|[xX]0{{0,6}}{digits});)"
    )


T = TypeVar("T")


def as_secret(value: T | str) -> T | Secret:
    """A string as a `Secret`, so that no local variable shows it; any other value unchanged."""
    return Secret(value) if isinstance(value, str) else value


def as_secrets(value: object) -> object:
    """Several strings as a tuple of `Secret`, one as a `Secret`; any other value unchanged. Raises nothing."""
    if isinstance(value, (str, Secret)) or not isinstance(value, Iterable):
        return as_secret(value)
    whole = isinstance(value, tuple) and all(isinstance(one, Secret) for one in value)
    return value if whole else tuple(map(as_secret, value))


def redact(text: str, secret: Secret | None = None) -> str:
    """`text` without the secret, however it is escaped, and without anything in the form of a credential."""
    return without_credentials(secret.mask(text) if secret else text)


def without_private(text: str, request: Request) -> str:
    """
    `text` without the texts that are private to the request.

    A short word is masked where it stands alone: as a part of other words it says nothing, like a single character.
    """
    words: set[str] = set()
    plain = _unescaped(text)
    for value in request.private() if request.private else ():
        if len(value) < 2:
            continue
        spellings = [value, *_json_spellings(value)]
        if len(value) < _MIN_SECRET and re.fullmatch(r"\w+", value):
            words.add(value)
            spellings = [each for each in spellings if each != value]
        for spelling in spellings:
            text = text.replace(spelling, MASK)
        if len(value) >= _MIN_SECRET and value[:_PREFIX] in plain:
            text = Secret(value).mask(text)
    return re.sub(r"\w+", lambda word: MASK if word[0] in words else word[0], text) if words else text


def _json_spellings(value: str) -> tuple[str, ...]:
    """A text inside JSON, with and without escapes beyond ASCII, and inside a text of JSON that is in JSON itself."""
    if value.isascii() and value.isprintable() and not {'"', "\\"} & set(value):
        return ()
    escaped, plain = compact_json(value)[1:-1], compact_json(value, ascii_only=False)[1:-1]
    return compact_json(escaped)[1:-1], compact_json(plain, ascii_only=False)[1:-1], escaped, plain


def short_repr(value: object) -> str:
    """A value as short text for a message; only its length if it could be a token or a secret."""
    if isinstance(value, str) and (len(value) > _MAX_REPR or looks_secret(value)):
        return f"a string of {len(value)} characters"
    text = repr(value)
    return text if len(text) <= _MAX_REPR else f"a {type(value).__name__}"


def check_count(name: str, value: object) -> None:
    """Raise `ConfigurationError` unless `value` is a whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{name} must be a whole number above 0, not {short_repr(value)}.")


def check_flag(name: str, value: object) -> None:
    """Raise `ConfigurationError` unless `value` is True or False: an unset variable is not to pass for a decision."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {short_repr(value)}.")


def check_seconds(name: str, value: object) -> None:
    """Raise `ConfigurationError` unless `value` is a number of seconds above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ConfigurationError(f"{name} must be a number of seconds above 0, not {short_repr(value)}.")


def looks_secret(value: str) -> bool:
    """Whether a string has the form of one of Meta's tokens, or of an app's secret (32 hexadecimal digits)."""
    return bool(shaped_like_a_token(value) or re.fullmatch(r"[0-9a-f]{32}", value))


def appsecret_proof(token: Secret, app_secret: Secret, unix_seconds: int) -> dict[str, str]:
    """
    The query parameters that prove knowledge of the app's secret, valid for 5 minutes from `unix_seconds`.

    The timestamped form: HMAC-SHA256 over `token|seconds` (Meta, "Secure Graph API Calls").
    """
    message = f"{token.reveal()}|{unix_seconds}".encode()
    proof = hmac.new(app_secret.reveal().encode(), message, hashlib.sha256).hexdigest()
    return {"appsecret_proof": proof, "appsecret_time": str(unix_seconds)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    One HTTP request, as bytes, before a driver adds the credentials.

    `url` is absolute and contains no secret. `operation` and `flow_id` name the call that it belongs to. A request that
    is not `authenticated` goes to another host than the API's, and must carry no credential. One that `is_file` asks
    for a file that a user has uploaded, not for an answer of the API: it carries no proof, accepts no compression, and
    its status alone tells an error, any but 200, since the file may hold anything. `headers` are sent besides those
    that follow from the request itself.

    `max_response_bytes` is the limit of this response, where it is below the transport's own; None: the transport's.
    `private` returns the texts of a message that no error may quote: its recipient, its token, what it says.

    `time_left` is the number of seconds that the call has left when the transport gets the request; None when the call
    has no deadline. The time-out that the transport gets with it is never longer. `stop` is the client's, an
    `asyncio.Event` for `AsyncFlowsClient`: once it is set, the request is aborted within `STOP_GRACE` seconds.
    """

    method: str
    url: str
    operation: str
    flow_id: str | None = None
    body: bytes | None = field(default=None, repr=False)
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authenticated: bool = True
    is_file: bool = False
    max_response_bytes: int | None = None
    token: Secret | None = None
    proof: Mapping[str, str] = field(default_factory=dict, repr=False)
    private: Callable[[], Sequence[str]] | None = field(default=None, repr=False, compare=False)
    time_left: float | None = None
    stop: threading.Event | asyncio.Event | None = field(default=None, repr=False, compare=False)

    @property
    def needs_token(self) -> bool:
        """Whether the driver has to add the access token."""
        return self.authenticated and self.token is None

    @property
    def signed_url(self) -> str:
        """The URL with the proof in its query, for sending only: never show it."""
        if not self.proof:
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}{urlencode(self.proof)}"

    def response_limit(self, transport_limit: int) -> int:
        """The bytes that the response may have after decompression: the lower of this request's limit and the other."""
        return transport_limit if self.max_response_bytes is None else min(self.max_response_bytes, transport_limit)


def thread_stop(request: Request) -> threading.Event | None:
    """The client's `stop` if it is a `threading.Event`."""
    return request.stop if isinstance(request.stop, threading.Event) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """
    A complete HTTP response. Header names may be in any case; `received_at` is Unix time in seconds.

    `token` is the one that the request was sent with, so that it can be masked where Meta echoes it.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    received_at: float = 0.0
    token: Secret | None = None

    def header(self, name: str) -> str:
        """The header of that lower-case name, in whatever case the transport has it; empty when there is none."""
        found = self.headers.get(name)
        if found is None:
            found = next((value for key, value in self.headers.items() if key.lower() == name), "")
        return found

    def json(self) -> object:
        """The body as JSON, without the token. Raises `ValueError`, also for more than 8 MiB, or `RecursionError`."""
        if len(self.body) > MAX_JSON_BYTES:
            raise ValueError(f"more than {MAX_JSON_BYTES} bytes of JSON")
        text = self.text()
        return loads(text) if len(text) <= INLINE_PARSE_MAX_BYTES else _loads_interruptible(text)

    def text(self) -> str:
        """The body as text in UTF-8, without the token. Raises `UnicodeDecodeError`."""
        text = self.body.decode()
        return self.token.mask(text) if self.token else text


INLINE_PARSE_MAX_BYTES: Final = 64 * 1024
"""Bytes of JSON that take a few milliseconds to parse; a page of a hundred flows has half as many."""

MAX_JSON_BYTES: Final = 8 * 2**20
"""The largest JSON that is parsed, in bytes: ten times a page of a thousand flows. Other content may be larger."""


def _same(found: object) -> object:
    return found


def _whole(digits: str) -> int:
    return int(digits)


def _decimal(digits: str) -> float:
    return float(digits)


# The parser is written in C and holds the interpreter lock until it is done, which blocks all other threads and event
# loops. These hooks make it call Python, where other threads get their turn.
_loads_interruptible: Final = JSONDecoder(object_hook=_same, parse_int=_whole, parse_float=_decimal).decode

Script = Generator[Request, Response, T_co]


def _may_have_acted(error: FlowsError) -> bool:
    return error.outcome_unknown


def _never(_: FlowsError) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T_co]):
    """
    One call of the client as a value: how to ask, how to read the answer, and whether it may be asked twice.

    `script` makes a fresh conversation for each attempt; its argument is the number of the attempt, from 1. `recover`
    is for what must not be done twice. It gets the earlier errors after which the outcome is unknown (those for which
    `is_ambiguous` is true), reads the state at Meta, and returns the result if the work turns out to be done, or None
    if the request has to be sent again. `resolves_ambiguity` is asked about a refusal that follows such an error: True
    if our own first attempt may be the reason for the refusal, so that `recover` has to look again.

    `lost_advice` is the advice of an error after which the outcome is unknown; empty: the error's own.
    """

    name: str
    script: Callable[[int], Script[T_co]]
    flow_id: str | None = None
    subject: str = ""
    idempotent: bool = True
    recover: Callable[[tuple[FlowsError, ...]], Script[T_co | None]] | None = None
    is_ambiguous: Callable[[FlowsError], bool] = _may_have_acted
    resolves_ambiguity: Callable[[FlowsError], bool] = _never
    lost_advice: str = ""

    @property
    def repeatable(self) -> bool:
        """Whether the engine may send it again after an error that leaves the outcome open."""
        return self.idempotent or self.recover is not None
