"""`Webhooks`: what Meta posts to a webhook, verified and read."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Final, cast

from .. import signatures
from .._endpoint_errors import SignatureError, WebhookFormatError
from .._http_answer import HttpAnswer, Outcome
from .._inspection import is_coroutine_function
from .._interrupts import is_interrupt
from .._log import logger, place_of
from .._wire import Secret, as_secret, as_secrets, check_count, check_flag
from ..errors import ConfigurationError
from ._events import WebhookEvent
from ._parsing import events_of
from ._reading import read_json

MAX_BODY: Final = 3 * 1024 * 1024
"""Bytes. Meta's webhooks have up to 3 MB (Meta, "Webhooks")."""

# No browser shall take an answer for a page: the challenge is text that the request brought along.
_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
_MAX_CHALLENGE: Final = 1024  # characters; Meta's are numbers of some ten digits

Handler = Callable[[WebhookEvent], object]
"""What is called with each event. It may be `async def`: `areceive` then awaits it."""


class Webhooks:
    """
    The receiving side of Meta's webhooks: the verification of the URL, and typed events.

    `app_secrets` is the secret of the app that owns the webhook, or several while one replaces another. Without one,
    `verify_signature=False` must be said: for a host behind something that has verified the signature. `verify_token`
    is the text that you enter beside the URL in the App Dashboard; without one, no verification succeeds. `handler` is
    called with each event by `receive` and `areceive`; `parse` and `verify` need none. `max_body` is in bytes.

    Raises `ConfigurationError` for an empty secret or token, and for None as secret while signatures are verified.
    Safe to share between threads. It holds secrets, and is not pickled.
    """

    def __init__(
        self,
        *,
        app_secrets: signatures.AppSecrets | None = None,
        verify_token: str | Secret | None = None,
        handler: Handler | None = None,
        max_body: int = MAX_BODY,
        verify_signature: bool = True,
    ) -> None:
        # Rebound, so that no local variable of this frame shows a secret.
        app_secrets = cast("signatures.AppSecrets | None", as_secrets(app_secrets))
        verify_token = as_secret(verify_token)
        self._secrets: tuple[Secret, ...] | None = None  # first, so that a half-made object has a repr
        self._max_body = MAX_BODY
        self._handler: Handler = _acknowledge
        check_flag("verify_signature", verify_signature)
        if app_secrets is None and verify_signature:
            raise ConfigurationError(
                "app_secrets is missing: give the secret of the app that owns the webhook. Without one, anybody could "
                "send webhooks; verify_signature=False allows that."
            )
        if handler is not None and not callable(handler):
            raise ConfigurationError(f"handler must be callable with an event, not a {type(handler).__name__}.")
        check_count("max_body", max_body)
        self._secrets = signatures.app_secrets(app_secrets) if app_secrets is not None and verify_signature else None
        self._verify_token = None if verify_token is None else _checked_token(verify_token)
        self._handler = handler or _acknowledge
        self._max_body = max_body

    @property
    def max_body(self) -> int:
        """The largest body that is read, in bytes."""
        return self._max_body

    def __repr__(self) -> str:
        secrets = 0 if self._secrets is None else len(self._secrets)
        return (
            f"Webhooks(app_secrets={secrets}, max_body={self._max_body}, handler={self._handler is not _acknowledge})"
        )

    def verify(self, query: Mapping[str, str], /) -> HttpAnswer:
        """
        The answer to Meta's GET with which the URL is verified: the challenge, or 403.

        `query` is the parsed query string. The request is not signed; the token is compared in constant time.
        """
        challenge, token = query.get("hub.challenge"), query.get("hub.verify_token")
        if (
            self._verify_token is not None
            and query.get("hub.mode") == "subscribe"
            and isinstance(token, str)
            and hmac.compare_digest(_utf8(token), _utf8(self._verify_token.reveal()))
            and isinstance(challenge, str)
            and 0 < len(challenge) <= _MAX_CHALLENGE
        ):
            return HttpAnswer(200, _HEADERS, challenge.encode("utf-8", "replace"), "verified")
        return _empty(403, "not-verified")

    def parse(self, body: bytes, headers: Mapping[str, str]) -> tuple[WebhookEvent, ...]:
        """
        The events of a webhook, in Meta's order: every entry, change and message.

        `body` is the raw body, as it arrived; the names of `headers` are in any case. Raises `SignatureError` when it
        is not signed with one of the secrets, and `WebhookFormatError` when it is no webhook. An event that cannot be
        read or is not known is an `UnknownEvent`.
        """
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise ConfigurationError(f"body must be the raw bytes of the request, not a {type(body).__name__}.")
        if len(body) > self._max_body:
            raise WebhookFormatError(f"The body has more than {self._max_body} bytes", "too-large")
        content = bytes(body)
        signature = signatures.signature_header(headers)
        if self._secrets is not None and signatures.verify(content, signature, self._secrets) is None:
            raise SignatureError("The webhook is not signed with one of the app secrets")
        return events_of(read_json(content))

    def receive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        """
        The answer to a webhook, after the handler was called with each of its events.

        200 when all went well; Meta then forgets the webhook. 403 for a wrong signature, 413 for a body over
        `max_body`, 400 for one that is no webhook, 500 when the handler raised on an event: the others are handled all
        the same, and Meta delivers **all** of them again, so skip each `dedupe_key` that is done. A handler that is
        `async def` needs `areceive`, and is 500 here.
        """
        events = self._opened(body, headers)
        if isinstance(events, HttpAnswer):
            return events
        failures = _Failures(len(events))
        for event in events:
            try:
                _refuse_awaitable(self._handler(event))
            except Exception as raised:  # a host's handler may raise anything
                if is_interrupt(raised):
                    raise
                failures.add(event, raised)
        return failures.answer()

    async def areceive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        """The same for asyncio: a handler that is `async def` is awaited, and another one runs in a thread."""
        events = self._opened(body, headers)
        if isinstance(events, HttpAnswer):
            return events
        failures = _Failures(len(events))
        for event in events:
            try:
                await _handled(self._handler, event)
            except Exception as raised:  # a host's handler may raise anything
                if is_interrupt(raised):
                    raise
                failures.add(event, raised)
        return failures.answer()

    def _opened(self, body: bytes, headers: Mapping[str, str]) -> tuple[WebhookEvent, ...] | HttpAnswer:
        """The events of a body, or the answer to one that is refused."""
        try:
            events = self.parse(body, headers)
        except SignatureError:
            return _empty(403, "bad-signature")
        except WebhookFormatError as error:
            return _empty(413, "too-large") if error.reason == "too-large" else _empty(400, "bad-envelope")
        if self._handler is _acknowledge:
            logger.warning("A webhook with %d events was acknowledged, but Webhooks has no handler", len(events))
            return _empty(200, "received")
        return events


class _Failures:
    """The events of one webhook on which the handler failed: counted, and logged once, without what was in them."""

    def __init__(self, events: int) -> None:
        self.events = events
        self.count = 0
        self.first = ""

    def add(self, event: WebhookEvent, raised: Exception) -> None:
        """Another failure."""
        self.count += 1
        self.first = self.first or f"{type(event).__name__}: {_failure(raised)}"

    def answer(self) -> HttpAnswer:
        """500 after a failure: Meta delivers the webhook again."""
        if not self.count:
            return _empty(200, "received")
        logger.error("The webhook handler failed on %d of %d events, first on %s", self.count, self.events, self.first)
        return _empty(500, "handler-failed")


def _failure(raised: Exception) -> str:
    """What a handler raised, and where: not its text, which may quote what a user has entered."""
    if isinstance(raised, _AwaitableError):
        return "the handler is asynchronous: serve it with areceive (ASGI)"
    return place_of(raised)


def _acknowledge(_event: WebhookEvent) -> None:
    """In place of a handler, where none was given."""


class _AwaitableError(Exception):
    """An asynchronous handler was called by `receive`."""


def _refuse_awaitable(returned: object) -> None:
    if hasattr(returned, "__await__"):
        close = getattr(returned, "close", None)  # of a coroutine, which would warn that it was never awaited
        if callable(close):
            close()
        raise _AwaitableError


async def _handled(handler: Handler, event: WebhookEvent) -> None:
    """Has an asynchronous handler awaited, and any other called in a thread."""
    returned = handler(event) if is_coroutine_function(handler) else await _in_thread(handler, event)
    if hasattr(returned, "__await__"):  # of a callable object, or of a function that returns a coroutine
        await returned


async def _in_thread(handler: Handler, event: WebhookEvent) -> object:
    from asyncio import to_thread  # noqa: PLC0415  who is here has loaded it

    return await to_thread(handler, event)


def _checked_token(token: object) -> Secret:
    if not isinstance(token, Secret) or not token.reveal().strip():
        raise ConfigurationError("verify_token must be a text that is not empty: everybody could register the URL.")
    return token


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _empty(status: int, outcome: Outcome) -> HttpAnswer:
    return HttpAnswer(status, _HEADERS, b"", outcome)
