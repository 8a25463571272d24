"""
One request and its answer, as a generator that does no I/O: bytes and headers in, an `HttpAnswer` out.

It yields the steps that it wants done (`_steps`), and a driver does them. The checks, in this order: size, signature,
envelope, decryption, ping, error notification, replay, token, handler, the answer's check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from json import JSONDecoder
from typing import Any, Final, Literal

from .._answer_check import answer_problems
from .._dataclasses import dataclass, field
from .._endpoint_errors import DecryptionError, InvalidToken
from .._flow_crypto import AnswerChannel, not_decrypted
from .._flow_facts import FlowFacts
from .._http_answer import HttpAnswer, Outcome
from .._interrupts import is_interrupt
from .._json import compact_json
from .._log import place_of
from .._wire import Secret
from ..errors import ConfigurationError
from ..signatures import signature_header, verify
from ._answers import Close, Finish, Show, encoded, unwritable
from ._handlers import Handlers
from ._keys import PrivateKeys
from ._replay import InProgress, RecentAnswers, ReplayGuard, replay_key
from ._reports import Exchange, Reports, described
from ._request import FlowRequest, read_request
from ._steps import Function, HandlerError, Run, Steps, TooSlow, Wait

Checks = Literal["raise", "log", "off"]

_STATUS: Final[Mapping[Outcome, int]] = {
    "too-large": 413,
    "bad-signature": 432,  # documented
    "bad-envelope": 400,
    "not-decrypted": 421,  # documented: the client fetches the public key again and sends the request once more
    "ping": 200,
    "error-notified": 200,
    "token-refused": 427,  # documented: the message's button is disabled
    "no-handler": 500,
    "handler-failed": 500,
    "too-slow": 500,
    "refused-answer": 500,
    "answered": 200,
}
_KEY, _DATA, _VECTOR = "encrypted_aes_key", "encrypted_flow_data", "initial_vector"
_decode: Final = JSONDecoder().decode
_ACTIVE: Final = b'{"data":{"status":"active"}}'
_ACKNOWLEDGED: Final = b'{"data":{"acknowledged":true}}'
_KEPT: Final = frozenset({"answered", "token-refused"})  # what a replay guard keeps: what seals a text of the host's
_GUARD_SECONDS: Final = 1.0  # for `get` and for `put` of a host's guard, and a third of the time left at most

Envelope = tuple[str, str, str]
"""The three texts of a request, in base64: the AES key, the data, the initial vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo:
    """
    What is known of a request before it is decrypted: for a callable `keys`, which chooses the keys of a tenant.

    `headers` have lower-case names. `app_secret_index` says which of the app secrets signed the request; None if
    signatures are not verified.
    """

    headers: Mapping[str, str] = field(repr=False)
    app_secret_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of an endpoint, as an exchange uses them."""

    keys: PrivateKeys | Function
    """A function finds the keys of one request, where there are many tenants."""
    app_secrets: tuple[Secret, ...]
    facts: FlowFacts | None
    checks: Checks
    tokens: Function | None
    replay: ReplayGuard | None
    time_limit: float | None
    max_body: int
    clock: Callable[[], float]
    handlers: Handlers
    reports: Reports
    in_progress: InProgress

    def left(self, exchange: Exchange) -> float | None:
        """The seconds that a request has left; None without a limit. Raises `TooSlow` if there are none."""
        if self.time_limit is None:
            return None
        left = exchange.started + self.time_limit - self.clock()
        if left <= 0:
            raise TooSlow
        return left


def answer_of(settings: Settings, body: bytes, headers: Mapping[str, str]) -> Steps[HttpAnswer]:
    """The answer to a request. Nothing that a peer sends, and nothing that the host's functions do, raises."""
    exchange = Exchange(settings.clock())
    try:
        answer = yield from _outcome(settings, exchange, body, headers)
    except TooSlow:
        answer = _http("too-slow")
        exchange.note = "the time limit has passed"
    except HandlerError as raised:
        answer = _http("handler-failed")
        exchange.note = str(raised)
    except Exception as raised:
        if is_interrupt(raised):
            raise
        answer = _http("handler-failed")
        exchange.note = place_of(raised)
    settings.reports.finished(exchange, answer, len(body))
    return answer


def _http(outcome: Outcome, body: bytes = b"") -> HttpAnswer:
    return HttpAnswer(_STATUS[outcome], {"Content-Type": "text/plain"} if body else {}, body, outcome)


def _outcome(settings: Settings, exchange: Exchange, body: bytes, headers: Mapping[str, str]) -> Steps[HttpAnswer]:
    if len(body) > settings.max_body:
        return _http("too-large")
    secret = None
    if settings.app_secrets:
        secret = verify(body, signature_header(headers), settings.app_secrets)
        if secret is None:
            exchange.note = _unsigned(signature_header(headers))
            return _http("bad-signature")
    envelope = _read_envelope(body)
    if envelope is None:
        return _http("bad-envelope")
    return (yield from _opened(settings, exchange, envelope, headers, secret))


def _unsigned(signature: str | None) -> str:
    """Why a signature is refused; nothing of it is shown."""
    if signature is None:
        return "X-Hub-Signature-256 is missing"
    if re.fullmatch(r"sha256=[0-9a-f]{64}", signature) is None:
        return "X-Hub-Signature-256 is malformed: it is not sha256= and 64 lower-case hex digits"
    return "signed with none of the app_secrets, or the body was changed on its way"


def _read_envelope(body: bytes) -> Envelope | None:
    """The three texts of a request; None if they are not there."""
    try:
        document = _decode(body.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    key, data, vector = document.get(_KEY), document.get(_DATA), document.get(_VECTOR)
    if isinstance(key, str) and isinstance(data, str) and isinstance(vector, str):
        return key, data, vector
    return None


# -- once for each request


def _once(
    settings: Settings,
    guard: ReplayGuard,
    exchange: Exchange,
    envelope: Envelope,
    request: FlowRequest,
    channel: AnswerChannel,
) -> Steps[HttpAnswer]:
    """The answer that was kept for an equal request, or that of one in progress, or a new one."""
    key = replay_key(*envelope)
    while (earlier := settings.in_progress.begin(key)) is not None:
        answer: HttpAnswer | None = yield Wait(earlier, settings.left(exchange))
        if answer is not None:
            return answer
    answer = None
    try:
        answer = yield from _guarded(settings, exchange, guard.get, "get", key)
        if answer is None:
            answer = yield from _handled(settings, exchange, request, channel)
            if answer.outcome in _KEPT:
                first = yield from _guarded(settings, exchange, guard.put, "put", key, answer)
                answer = answer if first is None else first  # another process was first: a nonce seals one answer
        return answer
    finally:
        settings.in_progress.end(key, answer)


def _guarded(
    settings: Settings, exchange: Exchange, method: Callable[..., Any], name: str, *arguments: object
) -> Steps[HttpAnswer | None]:
    """What a guard returns; None if it fails, since a request is rather answered than lost."""
    if isinstance(settings.replay, RecentAnswers):
        kept: HttpAnswer | None = method(*arguments)
        return kept
    try:
        left = settings.left(exchange)
        seconds = None if left is None else min(left / 3, _GUARD_SECONDS)
        found = yield Run((Function(method, name),), arguments, seconds, "guard")
    except TooSlow:
        settings.reports.failed(f"{name} of the replay guard", HandlerError("it took too long"))
        return None
    except Exception as raised:  # noqa: BLE001 - a host's guard may raise anything
        settings.reports.failed(f"{name} of the replay guard", raised)
        return None
    return found if isinstance(found, HttpAnswer) else None


# -- the opened request


def _opened(
    settings: Settings,
    exchange: Exchange,
    envelope: Envelope,
    headers: Mapping[str, str],
    secret: int | None,
) -> Steps[HttpAnswer]:
    keys = settings.keys
    try:
        if isinstance(keys, Function):
            lowered = {name.lower(): value for name, value in headers.items()}
            info = RequestInfo(headers=lowered, app_secret_index=secret)
            keys = yield from _found_keys(settings, exchange, keys, info)
        opened = keys.open(*envelope)
        request = read_request(opened.plaintext)
        if request is None:
            raise not_decrypted("json")
    except DecryptionError as refused:
        exchange.note = refused.reason
        return _http("not-decrypted")
    settings.reports.decrypted(exchange, request, opened.key_index)
    if request.action == "ping":
        return _http("ping", opened.channel.seal(_ACTIVE))
    if (error := request.error_key) is not None:
        yield from _error_notified(settings, exchange, request, error)
        return _http("error-notified", opened.channel.seal(_ACKNOWLEDGED))
    if settings.replay is None:
        return (yield from _handled(settings, exchange, request, opened.channel))
    return (yield from _once(settings, settings.replay, exchange, envelope, request, opened.channel))


def _found_keys(settings: Settings, exchange: Exchange, lookup: Function, info: RequestInfo) -> Steps[PrivateKeys]:
    """The keys of a tenant. What is wrong with a PEM is told, since our message shows nothing of it."""
    try:
        keys: PrivateKeys = yield Run((lookup,), (info,), settings.left(exchange))
    except (DecryptionError, TooSlow):
        raise
    except Exception as raised:
        if is_interrupt(raised):
            raise
        exchange.failed = "no private keys"
        if isinstance(raised, ConfigurationError) and _is_ours(raised):
            raise HandlerError(f"the function for keys: {raised}") from raised
        raise
    return keys


def _is_ours(error: Exception) -> bool:
    """Whether this package has raised the error, and not a function of the host's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else trace.tb_frame.f_globals.get("__name__", "")
    return str(module).partition(".")[0] == __name__.partition(".")[0]


def _error_notified(settings: Settings, exchange: Exchange, request: FlowRequest, error: str) -> Steps[None]:
    """Tell the host; the notification is acknowledged whatever it does."""
    settings.reports.error_notified(exchange, error)
    observer = settings.handlers.on_error
    if observer is None:
        return
    try:
        yield from _measured(settings, exchange, (observer,), request)
    except Exception as raised:  # noqa: BLE001 - a host's function may raise anything
        settings.reports.failed("the handler for error notifications", raised)


def _measured(
    settings: Settings, exchange: Exchange, functions: tuple[Function, ...], request: FlowRequest
) -> Steps[object]:
    """Call functions of the host's with a request, and count the time that they take."""
    began = settings.clock()
    try:
        return (yield Run(functions, (request,), settings.left(exchange)))
    finally:
        exchange.handler_duration = (exchange.handler_duration or 0.0) + settings.clock() - began


def _handled(settings: Settings, exchange: Exchange, request: FlowRequest, channel: AnswerChannel) -> Steps[HttpAnswer]:
    handler = settings.handlers.find(request.action, request.screen)
    answer: object = None
    try:
        for group in _groups(settings.tokens, handler):
            answer = yield from _measured(settings, exchange, group, request)
    except InvalidToken as refused:
        text = refused.details.user_message or refused.details.message
        return _http("token-refused", channel.seal(compact_json({"error_msg": text}).encode()))
    if handler is None:
        exchange.note = "register a handler, or a fallback"
        return _http("no-handler")
    if not isinstance(answer, (Show, Finish, Close)):
        raise HandlerError(f"{described(handler)} returned {_kind(answer)}: return a Show, Finish or Close")
    plaintext = answer.plaintext(request.flow_token)
    try:
        content = encoded(plaintext)
    except (TypeError, ValueError, RecursionError) as raised:
        found = f"{described(handler)} returned what JSON cannot hold: {unwritable(plaintext)}"
        raise HandlerError(found) from raised
    if _refused(settings, exchange, request, plaintext, len(content)):
        return _http("refused-answer")
    return _http("answered", channel.seal(content))


def _groups(tokens: Function | None, handler: Function | None) -> tuple[tuple[Function, ...], ...]:
    """Plain functions run together in one thread; with an asynchronous one among them, each runs by itself."""
    if tokens is None or handler is None:
        alone = handler if tokens is None else tokens
        return () if alone is None else ((alone,),)
    return ((tokens,), (handler,)) if tokens.is_async or handler.is_async else ((tokens, handler),)


def _kind(answer: object) -> str:
    return "nothing" if answer is None else f"a {type(answer).__qualname__}"


def _refused(
    settings: Settings, exchange: Exchange, request: FlowRequest, plaintext: Mapping[str, Any], size: int
) -> bool:
    """Whether an answer is not sent, since the client would refuse it."""
    if settings.facts is None or settings.checks == "off":
        return False
    known = request.screen if request.screen == exchange.screen else ""  # problems are logged: no name of a peer's
    named = known == request.screen
    problems = answer_problems(settings.facts, known, request.action, plaintext, size, named=named)
    if not problems:
        return False
    settings.reports.answer_refused(exchange, problems, sent=settings.checks == "log")
    return settings.checks == "raise"
