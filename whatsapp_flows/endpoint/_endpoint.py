"""`FlowEndpoint`: the options, the handlers, and the two ways to receive a request."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast, overload

from .._flow_facts import FINISH, FlowFacts, FlowSource
from .._http_answer import HttpAnswer
from .._inspection import is_coroutine_function
from .._log import logger
from .._wire import Secret, as_secret, as_secrets, check_count, check_flag, check_seconds, short_repr
from ..errors import ConfigurationError
from ..events import EventConsumer
from ..signatures import AppSecrets
from ..signatures import app_secrets as read_secrets
from ._answers import Answer
from ._driver_sync import drive
from ._exchange import Checks, RequestInfo, Settings, answer_of
from ._handlers import FALLBACK, ON_ERROR, Handler, Handlers, Observer, takes_a_request
from ._keys import Lookup, PrivateKeys, TenantKeys
from ._replay import InProgress, ReplayGuard
from ._reports import Reports
from ._request import FlowRequest
from ._steps import Function
from ._workers import MAX_THREADS, Pools

if TYPE_CHECKING:
    from .caller import EndpointClient

H = TypeVar("H", bound=Handler)
ObserverT = TypeVar("ObserverT", bound=Observer)
DataT = TypeVar("DataT", bound=Mapping[str, Any])
AnswerT = TypeVar("AnswerT", bound="Answer | Awaitable[Answer]")
Typed = Callable[[Callable[[FlowRequest[DataT]], AnswerT]], Callable[[FlowRequest[DataT]], AnswerT]]
"""A decorator of handlers whose request has data of a known type."""

MAX_BODY: Final = 1_572_864
"""Bytes, 1.5 MiB: the 1 MB that Meta allows, in base64, and the envelope."""
TIME_LIMIT: Final = 9.0
"""Seconds; Meta gives up after 10 (documented)."""


class FlowEndpoint:
    """
    Answers the requests of a Flow's client: `receive` for threads, `areceive` for asyncio.

    `keys` are the private keys, or a callable from a `RequestInfo` to the keys of a tenant: PEM texts, `PrivateKeys`,
    or None for an unknown one. It runs in a thread, and texts are parsed once. `app_secrets` are one or several secrets
    of the app that is connected to the Flow; a request must be signed with one. With `verify_signature=False` they may
    be None, and are not used.

    `flow` is the Flow JSON (a path, a mapping, its text or bytes). With it, handlers may be registered for its screens
    only, and each answer is checked as the client does. `checks` says what becomes of an answer that the client would
    refuse: `log` logs the problems and sends it, `raise` answers 500 instead, `off` checks nothing.

    `tokens` is called with each request that goes to a handler, and raises `InvalidToken` for a flow token that is not
    valid. `replay` keeps answers, so that equal bytes get the equal answer: `RecentAnswers()`. Without one the handler
    runs again, since nothing remembers the first answer.

    After `time_limit` seconds the request is answered with 500; None is no limit. A coroutine is cancelled then. A
    plain function cannot be ended: it keeps its thread until it returns, and its result is dropped. `max_threads`
    plain functions run at the same time, in threads with the context of the request; further requests wait for one.
    With `time_limit=None`, `receive` runs them in the thread that calls it, as a framework may need that binds
    connections to threads.

    A body over `max_body` bytes is refused. `on_event` is one callable or several, for `EndpointRequestFinished`,
    `ErrorNotified` and `AnswerRefused`. `clock` gives seconds.

    Raises `ConfigurationError` for an option that makes no sense. Threads, tasks and forked children may share it.
    """

    def __init__(
        self,
        keys: PrivateKeys | TenantKeys[RequestInfo] | Lookup[RequestInfo],
        *,
        app_secrets: AppSecrets | None = None,
        flow: FlowSource | FlowFacts | None = None,
        checks: Checks = "log",
        tokens: Callable[[FlowRequest], object] | None = None,
        replay: ReplayGuard | None = None,
        time_limit: float | None = TIME_LIMIT,
        max_body: int = MAX_BODY,
        on_event: EventConsumer | Iterable[EventConsumer] | None = None,
        clock: Callable[[], float] = time.monotonic,
        verify_signature: bool = True,
        max_threads: int = MAX_THREADS,
    ) -> None:
        # Rebound, so that no local variable of this frame shows a secret. The attributes of the repr come first.
        app_secrets = cast("AppSecrets | None", as_secrets(app_secrets))
        self._app_secrets: tuple[Secret, ...] = ()
        self._handlers = Handlers()
        self._facts: FlowFacts | None = None
        app_secrets = self._app_secrets = _secrets(app_secrets, verify_signature)
        self._facts = None if flow is None else FlowFacts.read(flow)
        if checks not in {"raise", "log", "off"}:
            raise ConfigurationError(f'checks must be "raise", "log" or "off", not {short_repr(checks)}.')
        if time_limit is not None:
            check_seconds("time_limit", time_limit)
        check_count("max_body", max_body)
        check_count("max_threads", max_threads)
        if tokens is not None and not (callable(tokens) and takes_a_request(tokens)):
            raise ConfigurationError("tokens must be a callable that takes one argument, a FlowRequest: see Tokens.")
        if replay is not None and not all(callable(getattr(replay, name, None)) for name in ("get", "put")):
            raise ConfigurationError("replay must have the methods get and put: see ReplayGuard.")
        self._pools = Pools(max_threads)
        self._settings = Settings(
            keys=keys if isinstance(keys, PrivateKeys) else _key_finder(keys),
            app_secrets=app_secrets,
            facts=self._facts,
            checks=checks,
            tokens=None if tokens is None else Function(tokens, "flow tokens"),
            replay=replay,
            time_limit=time_limit,
            max_body=max_body,
            clock=clock,
            handlers=self._handlers,
            reports=Reports(_consumers(on_event), clock, self._knows),
            in_progress=InProgress(),
        )

    # -- handlers

    def init(self, handler: H, /) -> H:
        """Decorator: the handler for `INIT`, when the Flow is opened."""
        return self._handlers.add(("INIT", None), handler)

    @overload
    def data_exchange(self, screen: str, /) -> Callable[[H], H]: ...
    @overload
    def data_exchange(self, screen: str, /, *, data: type[DataT]) -> Typed[DataT, AnswerT]: ...
    @overload
    def data_exchange(self, handler: H, /) -> H: ...
    def data_exchange(self, where: str | H, /, *, data: type[Any] | None = None) -> Any:
        """
        Decorator: the handler for what a screen submits, `@endpoint.data_exchange("CHOOSE")`.

        `data` is a TypedDict of what the screen submits, as `builder.answers` writes it: a type checker then knows
        that the handler takes a `FlowRequest[ChooseData]`. It changes nothing when the endpoint runs.

        Without a screen, for every screen that has no handler of its own. Raises `ConfigurationError` for a second
        handler in one place, and for a screen that the Flow does not have, with the nearest name.
        """
        return self._register("data_exchange", where)

    @overload
    def back(self, screen: str, /) -> Callable[[H], H]: ...
    @overload
    def back(self, handler: H, /) -> H: ...
    def back(self, where: str | H, /) -> Callable[[H], H] | H:
        """
        Decorator: the handler for leaving a screen with the back button, `@endpoint.back("DETAILS")`.

        The client asks only where the screen that is left has `refresh_on_back: true`; a warning is logged where the
        Flow's screen has not. Without a screen, for every screen that has no handler of its own.
        """
        return self._register("BACK", where)

    def on_error(self, observer: ObserverT, /) -> ObserverT:
        """
        Decorator: told of what the client could not use of an earlier answer; see `FlowRequest.error_key`.

        The notification is acknowledged whatever the function returns or raises.
        """
        return self._handlers.add(ON_ERROR, observer)

    def fallback(self, handler: H, /) -> H:
        """Decorator: the handler for every request that has no other one."""
        return self._handlers.add(FALLBACK, handler)

    def _register(self, action: str, where: str | H) -> Callable[[H], H] | H:
        if not isinstance(where, str):
            return self._handlers.add((action, None), where)
        if self._facts is not None:
            self._facts.require_screen(where)
            if action == "BACK" and not self._facts.screens[where].refresh_on_back:
                logger.warning("Flow endpoint: no request for BACK of %s will come: set its refresh_on_back", where)
        return lambda handler: self._handlers.add((action, where), handler)

    # -- requests

    @property
    def max_body(self) -> int:
        """The most bytes that a body may have."""
        return self._settings.max_body

    def receive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        """
        The answer to a request: the raw body, and its headers with names in any case.

        Never raises for what a peer sends, or what a handler raises; `SystemExit` and `KeyboardInterrupt` pass. An
        asynchronous handler is answered with 500: it needs `areceive`. Raises `ConfigurationError` if the body is not
        bytes.
        """
        return drive(answer_of(self._settings, _raw(body), headers), self._pools)

    async def areceive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        """
        The same for asyncio: asynchronous handlers are awaited, plain ones run in a thread.

        The decryption runs on the event loop, for some 0.4 ms: it holds the interpreter lock in a thread as well. A
        cancellation of the caller cancels an asynchronous handler.
        """
        from ._driver_async import drive as drive_async  # noqa: PLC0415 - a host without asyncio does not load it

        return await drive_async(answer_of(self._settings, _raw(body), headers), self._pools)

    # -- tests

    def handles(self, action: str, screen: str | None = None) -> bool:
        """Whether a request with this action, from this screen, has a handler: its own, or one for every screen."""
        return self._handlers.find(action, screen) is not None

    def test_client(
        self,
        public_key: str | bytes | Callable[[], str | bytes | Awaitable[str | bytes]] | None = None,
        app_secrets: AppSecrets | None = None,
        *,
        version: str = "3.0",
        time_limit: float = 10.0,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> EndpointClient:
        """
        An `EndpointClient` that calls this endpoint, for tests; see there for the options.

        Without a key, it encrypts for the endpoint's first one; without a secret, it signs with the endpoint's first
        one. Raises `ConfigurationError` without a key if the endpoint finds its keys for each request.
        """
        # Rebound, so that no local variable of this frame shows a secret.
        app_secrets = cast("AppSecrets | None", as_secrets(app_secrets))
        from .caller import EndpointClient  # noqa: PLC0415 - an endpoint that is served does not load it

        keys = self._settings.keys
        if public_key is None and not isinstance(keys, PrivateKeys):
            raise ConfigurationError("the endpoint finds its keys for each request: give the public_key of a tenant.")
        key = keys.public_pems[0] if public_key is None and isinstance(keys, PrivateKeys) else public_key
        return EndpointClient(
            self,
            cast("str", key),
            (self._app_secrets or None) if app_secrets is None else app_secrets,
            version=version,
            time_limit=time_limit,
            sleep=sleep,
            clock=clock,
        )

    # -- what it is

    def _knows(self, screen: str) -> bool:
        """Whether a screen may be named in logs and events: any other name is the peer's."""
        facts = self._facts
        return screen == FINISH or screen in self._handlers.screens or (facts is not None and screen in facts.screens)

    def __repr__(self) -> str:
        checked = "no flow" if self._facts is None else f"{len(self._facts.screens)} screens"
        signed = "signed" if self._app_secrets else "signature not verified"
        return f"FlowEndpoint({len(self._handlers)} handlers, {checked}, {signed})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a FlowEndpoint is not pickled: it holds private keys; make it where it is used")


def _secrets(secrets: AppSecrets | None, verify_signature: bool) -> tuple[Secret, ...]:
    secrets = as_secret(secrets) if isinstance(secrets, str) else secrets
    check_flag("verify_signature", verify_signature)
    if verify_signature and secrets is None:
        raise ConfigurationError(
            "app_secrets is missing: give the secret of the app that is connected to the Flow. Without one, anybody "
            "who knows the public key can send requests; verify_signature=False allows that."
        )
    return () if secrets is None or not verify_signature else read_secrets(secrets)


def _key_finder(keys: object) -> Function:
    if isinstance(keys, (str, bytes, Secret)):
        raise ConfigurationError("keys must be PrivateKeys: PrivateKeys(pem).")
    if isinstance(keys, TenantKeys):
        return Function(keys.keys_of, "private keys")
    if not callable(keys) or is_coroutine_function(keys):
        kind = "an asynchronous function" if callable(keys) else f"a {type(keys).__name__}"
        raise ConfigurationError(f"keys must be PrivateKeys, or a plain callable that returns them, not {kind}.")
    return Function(TenantKeys[RequestInfo](keys).keys_of, "private keys")


def _consumers(given: object) -> tuple[EventConsumer, ...]:
    if given is None:
        return ()
    consumers = (given,) if callable(given) or not isinstance(given, Iterable) else tuple(given)
    if not all(callable(each) and not is_coroutine_function(each) for each in consumers):
        raise ConfigurationError("on_event must be a plain callable, or several.")
    return consumers


def _raw(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    raise ConfigurationError(f"body must be the raw bytes of the request, not a {type(body).__name__}.")
