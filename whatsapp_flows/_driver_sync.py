"""
What `FlowsClient` is built on: its options, and the driver that sends requests and sleeps, in the caller's thread.

`_driver_async` is its counterpart for asyncio. Each is written by hand; the methods of the clients are one list.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from ._base_client import BaseClient
from ._dataclasses import dataclass, field
from ._documents import Validate
from ._engine import Conversation, GetToken, Reply, Step, Wait, converse
from ._error_codes import ErrorCodes
from ._error_rows import ERROR_CODES
from ._inspection import is_coroutine_function
from ._leases import Lease, lease
from ._operations import Page
from ._requests import RequestsTransport, Session
from ._settings import CommonOptions, CommonValues, normalized
from ._wire import Operation, Request, Response, as_secret
from .errors import ConfigurationError
from .events import EventConsumer
from .retry import RetryPolicy
from .transport import Credentials, Timeout, Transport

T = TypeVar("T")

# A host may replace time.sleep later; a client with the default `sleep` waits on `stop` all the same.
_SLEEP: Final = time.sleep


class Options(CommonOptions, total=False):
    """The options of a client, for `with_options`."""

    access_token: str | Callable[[], str]
    session: Session | None
    transport: Transport | None
    sleep: Callable[[float], object]
    stop: threading.Event | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions(CommonValues):
    """
    What `FlowsClient.options` returns: every option but the secrets.

    `session` and `transport` are those that were given to the client, or that `wrapping` made; None for a client that
    opens connections of its own.
    """

    session: Session | None
    transport: Transport | None
    sleep: Callable[[float], object] = field(repr=False)
    stop: threading.Event | None


class Driver(BaseClient[ClientOptions, Transport]):
    """The constructor of `FlowsClient`, and how it carries out the engine's steps."""

    def __init__(
        self,
        access_token: str | Callable[[], str],
        waba_id: str | None = None,
        *,
        phone_number_id: str | None = None,
        api_version: str = "v25.0",
        base_url: str = "https://graph.facebook.com",
        app_secret: str | None = None,
        max_attempts: int = 3,
        retry_policy: RetryPolicy | None = None,
        timeout: float | Timeout = 30.0,
        session: Session | None = None,
        transport: Transport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        stop: threading.Event | None = None,
        error_codes: ErrorCodes = ERROR_CODES,
        on_event: EventConsumer | Iterable[EventConsumer] | None = None,
        validate: Validate = "off",
    ) -> None:
        """
        `access_token` is a string, or a callable that returns one. The callable is called before each request, and
        once more when Meta has refused its token (docs/retries.md).

        `waba_id` is required by the methods that concern an account, `phone_number_id` by those that send a message,
        unless the call names the sender. `app_secret` adds Meta's `appsecret_proof`. `max_attempts` is how often a call
        is sent at most; `retry_policy` decides when (default: after 5, 10, 20 ... seconds, see `ExponentialBackoff`).
        `timeout` is in seconds, or a `Timeout`.

        `session` is a `requests.Session` of yours: its proxies, adapters, `verify`, `cert` and hooks apply, and it
        stays open. `transport` is any `Transport`, instead of a session. Setting `stop`, a `threading.Event`, ends a
        wait at once, and the call raises its last error. `sleep` and `clock` replace `time.sleep` and
        `time.monotonic`. `on_event` is called with every attempt, retry, success and failure. `error_codes` is the
        table of Meta's error codes. `validate` says whether a Flow JSON is checked before it is sent: "off", "warn"
        (findings are on the result and in the log) or "error" (`FlowValidationError`, and nothing is sent).

        One client serves many threads.
        """
        token, secret = as_secret(access_token), as_secret(app_secret)
        del access_token, app_secret  # so that a traceback with local variables does not show them
        credentials = Credentials(token, secret)
        given = normalized({"timeout": timeout, "max_attempts": max_attempts, "on_event": on_event})
        options = ClientOptions(
            waba_id=waba_id,
            phone_number_id=phone_number_id,
            api_version=api_version,
            base_url=base_url,
            retry_policy=retry_policy,
            session=session,
            transport=transport,
            sleep=sleep,
            clock=clock,
            stop=stop,
            error_codes=error_codes,
            validate=validate,
            **given,
        )
        self._configure(options, credentials, None)

    def _configure(self, options: ClientOptions, credentials: Credentials, lease: Lease[Transport] | None) -> None:
        _check_options(options)
        super()._configure(options, credentials, lease)
        self._sleep = options.sleep
        self._stop: threading.Event | None = options.stop

    def _connect(self, options: ClientOptions) -> Lease[Transport]:
        if options.transport is not None:
            return lease(options.transport, owned=False)
        return lease(RequestsTransport(options.session), owned=True)

    def _call(self, operation: Operation[T]) -> T:
        return self._run(converse(operation, self._settings.policy))

    def _pages(self, operation: Operation[Page[T]]) -> Iterator[T]:
        following: Operation[Page[T]] | None = operation
        while following is not None:
            page = self._call(following)
            yield from page.items
            following = page.following

    def _run(self, conversation: Conversation[T]) -> T:
        """Carry out the steps of a conversation until it returns or raises."""
        reply: Reply = None
        try:
            while True:
                try:
                    step = conversation.send(reply)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                try:
                    reply = self._do(step)
                except BaseException as error:  # noqa: BLE001 - the engine raises it again unless it can handle it
                    reply = error
        finally:
            reply = None  # break the cycle of exception, traceback and this frame

    def _do(self, step: Step) -> Reply:
        if isinstance(step, Request):
            return self._send(step)
        if isinstance(step, Wait):
            return self._wait(step.seconds)
        if isinstance(step, GetToken):
            return self._settings.credentials.token()
        step.task()
        return None

    def _send(self, request: Request) -> Response | bool:
        """The response; False when the request was not sent, because the client is stopped or no time is left."""
        self._check_open()
        if self._is_stopped():
            return False
        began = self._settings.policy.clock()
        token = self._settings.credentials.token() if request.needs_token else request.token
        prepared = self._prepared(request, token, began)
        if prepared is None:
            return False
        signed, timeout = prepared
        return self._transport.send(signed, timeout=timeout)

    def _wait(self, seconds: float) -> bool:
        """Wait; False when `stop` was set meanwhile. Only a wait by the default `sleep` ends as soon as it is set."""
        if self._stop is not None and self._sleep is _SLEEP:
            return not self._stop.wait(seconds)
        if not self._is_stopped():
            self._sleep(seconds)
        return not self._is_stopped()


def _check_options(options: ClientOptions) -> None:
    """Refuse options that would fail at the first call."""
    if options.session is not None and options.transport is not None:
        raise ConfigurationError("give the client a session or a transport, not both.")
    send = getattr(options.transport, "send", None)
    if options.transport is not None and not callable(send):
        raise ConfigurationError("transport must have a send method: see Transport.")
    if send is not None and is_coroutine_function(send):
        raise ConfigurationError("transport sends with a coroutine: that is for AsyncFlowsClient.")
    wait = getattr(options.stop, "wait", None)
    if options.stop is not None and (not callable(wait) or is_coroutine_function(wait)):
        raise ConfigurationError("stop must be a threading.Event.")


@dataclass(frozen=True, slots=True)
class SharedTransport:
    """A transport that other clients use too, and that cannot be closed through this value."""

    transport: Transport

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        return self.transport.send(request, timeout=timeout)

    def close(self) -> None:
        """Does nothing: the transport is closed with the last client that uses it."""
