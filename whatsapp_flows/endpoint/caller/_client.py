"""`EndpointClient`: carries out the conversation of a request, blocking or awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from ..._dataclasses import replace
from ..._flow_crypto import SealingKey, read_public_key
from ..._http_answer import Receiver
from ..._wire import as_secret, as_secrets, check_count, check_seconds, short_repr
from ...errors import ConfigurationError
from ...signatures import AppSecrets, sign
from ...signatures import app_secrets as checked_secrets
from ._applications import AsgiApplication, AsgiTarget, WsgiApplication, WsgiTarget
from ._exchange import MAX_ANSWER, TIME_LIMIT, Arrived, FetchKey, Settings, Step, Steps, Wait, exchange
from ._reading import NOTIFICATION
from ._reply import EndpointReply
from ._tamper import Tamper, fault_of
from ._targets import CallableTarget, EndpointCallable, Interface, ReceiverTarget, Target, interface_of, is_url

Pem = str | bytes
EndpointTarget = Receiver | AsgiApplication | WsgiApplication | EndpointCallable | str

_VERSION: Final = "3.0"


class EndpointClient:
    """
    Meta's client, for tests and checks of an endpoint: it signs, encrypts, sends, and decrypts the answer.

    `target` is one of

    - a `FlowEndpoint`, or any object with its methods `receive` and `areceive`;
    - an ASGI application: a callable of three arguments;
    - a WSGI application: a callable of two arguments, the second called `start_response`;
    - any other callable of two arguments, `body` and `headers`, plain or a coroutine function. It returns an
      `HttpAnswer` or a tuple of status, headers and body;
    - a URL: https, or http to this machine.

    `interface` (`"asgi"`, `"wsgi"`, `"callable"`) says what a callable is whose arguments do not. An application gets
    its requests at `path`, on the host `testserver`, without a socket.

    `public_key` is the PEM that is registered at Meta, or a callable that returns it. A callable is called before the
    first request and after each 421, and may be a coroutine function for the awaited methods. A request is signed with
    the first of `app_secrets`; without any it carries no signature, which an endpoint refuses unless it is told not to.
    `version` is the data API version; from 4.0 on the flow token is signed, too.

    After a 421 the client waits 500 ms, fetches the key again, and sends the request once more (observed). It gives up
    a request after `time_limit` seconds, whatever trickles in. What runs in this thread cannot be interrupted: an
    endpoint, a WSGI application or a callable that takes longer is a `timeout` afterwards. At most `max_answer` bytes
    of an answer are read. `sleep` waits between the two requests (None: `time.sleep`, or `asyncio.sleep` when awaited);
    `clock` gives seconds.

    What an endpoint answers is returned, and never raised: see `EndpointReply`. An exception of an application or a
    callable propagates, as in other test clients.

    In a running event loop, await `aping`, `aexchange` and `anotify_error`: an ASGI application then runs in that loop,
    with the connections and locks that belong to it. Without one, `ping`, `exchange` and `notify_error` run each
    request in a loop of its own. `with` (or `async with`) runs all requests in one loop, and the application's lifespan
    around them.

    Raises `ConfigurationError` for a target, a key or a secret that cannot be used. The repr shows none of them.

        client = EndpointClient(endpoint, keys.public_pems[0], app_secret)
        assert client.exchange("INIT", token="token-1").screen == "CHOOSE"
    """

    def __init__(
        self,
        target: EndpointTarget,
        public_key: Pem | Callable[[], Pem | Awaitable[Pem]],
        app_secrets: AppSecrets | None = None,
        *,
        path: str = "/",
        interface: Interface = "auto",
        version: str = _VERSION,
        tamper: Tamper | None = None,
        time_limit: float = TIME_LIMIT,
        max_answer: int = MAX_ANSWER,
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Rebound, so that no local variable of this frame shows a secret.
        app_secrets = cast("AppSecrets | None", as_secrets(app_secrets))
        secrets = None if app_secrets is None else checked_secrets(app_secrets)
        check_count("max_answer", max_answer)
        check_seconds("time_limit", time_limit)
        _check_path(path, target)
        fault_of(tamper)
        self._source = public_key if callable(public_key) else None
        self._key = None if callable(public_key) else _parsed(public_key)
        self._name, self._target = _named(target, interface, max_answer)
        self._settings = Settings(
            secret=secrets[0] if secrets else None, path=path, time_limit=time_limit, max_answer=max_answer
        )
        self._version = version
        self._tamper = tamper
        self._sleep = sleep
        self._clock = clock

    def ping(self, *, tamper: Tamper | None = None) -> EndpointReply:
        """
        Meta's health check. `tamper` makes a request with a fault, and overrides the client's option of that name.

        A request with a fault is sent once, also after a 421.
        """
        return self._run(self._ping(tamper))

    async def aping(self, *, tamper: Tamper | None = None) -> EndpointReply:
        """`ping`, awaited."""
        return await self._arun(self._ping(tamper))

    def exchange(
        self,
        action: str,
        screen: str | None = "",
        data: Mapping[str, Any] | None = None,
        token: str | None = None,
        *,
        tamper: Tamper | None = None,
    ) -> EndpointReply:
        """
        What a user does: `INIT`, `data_exchange` with the data of a screen, `BACK` from a screen.

        `token` is the flow token. `screen` and `token` are left out when they are None, as some clients do. `tamper` as
        for `ping`.
        """
        return self._run(self._exchange(action, screen, data, token, tamper))

    async def aexchange(
        self,
        action: str,
        screen: str | None = "",
        data: Mapping[str, Any] | None = None,
        token: str | None = None,
        *,
        tamper: Tamper | None = None,
    ) -> EndpointReply:
        """`exchange`, awaited."""
        return await self._arun(self._exchange(action, screen, data, token, tamper))

    def notify_error(
        self,
        error: str,
        error_message: str = "",
        *,
        action: str = "data_exchange",
        screen: str | None = None,
        token: str | None = None,
        tamper: Tamper | None = None,
        time_limit: float | None = None,
    ) -> EndpointReply:
        """
        The client's report that it could not use the last answer, such as `payload-schema-error`.

        `action` is that of the request which was answered so. `tamper` as for `ping`. `time_limit`: seconds after
        which this request is given up; None is the client's own.
        """
        return self._run(self._notify(error, error_message, action, screen, token, tamper, time_limit))

    async def anotify_error(
        self,
        error: str,
        error_message: str = "",
        *,
        action: str = "data_exchange",
        screen: str | None = None,
        token: str | None = None,
        tamper: Tamper | None = None,
        time_limit: float | None = None,
    ) -> EndpointReply:
        """`notify_error`, awaited."""
        return await self._arun(self._notify(error, error_message, action, screen, token, tamper, time_limit))

    def signature(self, body: bytes) -> str | None:
        """The `X-Hub-Signature-256` with which this client signs a raw body; None if it signs nothing."""
        secret = self._settings.secret
        return None if secret is None else sign(body, secret)

    def close(self) -> None:
        """Close the connections to a URL, or the event loop of an ASGI application after its shutdown."""
        self._target.close()

    def __enter__(self) -> EndpointClient:
        if isinstance(self._target, AsgiTarget):
            self._target.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> EndpointClient:
        if isinstance(self._target, AsgiTarget):
            await self._target.astart()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if isinstance(self._target, AsgiTarget):
            await self._target.aclose()
        self._target.close()

    def __repr__(self) -> str:
        signed = "signed" if self._settings.secret is not None else "not signed"
        return f"EndpointClient({self._name}, {signed})"

    def _ping(self, tamper: Tamper | None) -> Steps:
        return self._request({"version": self._version, "action": "ping"}, "ping", tamper)

    def _exchange(
        self, action: str, screen: str | None, data: Mapping[str, Any] | None, token: str | None, tamper: Tamper | None
    ) -> Steps:
        return self._request(self._content(action, screen, dict(data or {}), token), action, tamper)

    def _notify(
        self,
        error: str,
        message: str,
        action: str,
        screen: str | None,
        token: str | None,
        tamper: Tamper | None,
        time_limit: float | None,
    ) -> Steps:
        settings = self._settings
        if time_limit is not None:
            check_seconds("time_limit", time_limit)
            settings = replace(settings, time_limit=time_limit)
        data = {"error": error, "error_message": message}
        return self._request(self._content(action, screen, data, token), NOTIFICATION, tamper, settings)

    def _content(
        self, action: str, screen: str | None, data: Mapping[str, Any], token: str | None
    ) -> Mapping[str, Any]:
        """In the order of a real request (observed)."""
        found = {"data": data, "flow_token": token, "screen": screen, "action": action, "version": self._version}
        return {name: value for name, value in found.items() if value is not None}

    def _request(
        self, content: Mapping[str, Any], action: str, tamper: Tamper | None, settings: Settings | None = None
    ) -> Steps:
        return exchange(content, action, settings or self._settings, tamper if tamper is not None else self._tamper)

    def _run(self, steps: Steps) -> EndpointReply:
        outcome: object = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as stop:
                reply: EndpointReply = stop.value
                return reply
            outcome = self._do(step)

    def _do(self, step: Step) -> object:
        if isinstance(step, Wait):
            return (self._sleep or time.sleep)(step.seconds)
        if isinstance(step, FetchKey):
            return self._known(step) or self._learn(_plain(self._called()))
        began = self._clock()
        arrival = self._target.send(step)
        return Arrived(arrival, self._clock() - began)

    async def _arun(self, steps: Steps) -> EndpointReply:
        outcome: object = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as stop:
                reply: EndpointReply = stop.value
                return reply
            outcome = await self._ado(step)

    async def _ado(self, step: Step) -> object:
        if isinstance(step, Wait):
            waited = (self._sleep or asyncio.sleep)(step.seconds)
            return await waited if isinstance(waited, Awaitable) else waited
        if isinstance(step, FetchKey):
            known = self._known(step)
            if known is not None:
                return known
            found = self._called()
            return self._learn(await found if isinstance(found, Awaitable) else found)
        began = self._clock()
        arrival = await self._target.asend(step)
        return Arrived(arrival, self._clock() - began)

    def _known(self, step: FetchKey) -> SealingKey | None:
        """The key, unless the callable has to be asked for it."""
        return None if self._key is None or (step.refresh and self._source is not None) else self._key

    def _called(self) -> Pem | Awaitable[Pem]:
        return cast("Callable[[], Pem | Awaitable[Pem]]", self._source)()

    def _learn(self, pem: Pem) -> SealingKey:
        self._key = _parsed(pem)
        return self._key


def _plain(found: Pem | Awaitable[Pem]) -> Pem:
    if isinstance(found, Awaitable):
        close = getattr(found, "close", None)
        if close is not None:
            close()  # or Python warns that it was never awaited
        raise ConfigurationError("public_key returns an awaitable: await aping, aexchange or anotify_error.")
    return found


def _parsed(pem: object) -> SealingKey:
    text = pem.decode("latin-1") if isinstance(pem, bytes) else pem
    if not isinstance(text, str):
        raise ConfigurationError(f"public_key must be a PEM as text or bytes, or a callable, not {short_repr(pem)}.")
    secret = as_secret(text)
    del pem, text  # it may be a private key, given by mistake
    return read_public_key(secret, name="public_key")


def _named(target: object, interface: Interface, max_answer: int) -> tuple[str, Target]:
    """What the repr calls the target, and the target itself."""
    if is_url(target):
        from ._url import UrlTarget, checked_url  # noqa: PLC0415 - it loads requests

        parts = checked_url(cast("str", target))
        return f"{parts.scheme}://{parts.netloc}", UrlTarget(cast("str", target), max_answer)
    kinds: dict[str, Callable[[Any], Target]] = {
        "receiver": ReceiverTarget, "asgi": AsgiTarget, "wsgi": WsgiTarget, "callable": CallableTarget
    }  # fmt: skip
    kind = interface_of(target, interface)
    return f"{kind} {getattr(target, '__name__', type(target).__name__)}", kinds[kind](target)


def _check_path(path: object, target: object) -> None:
    if not isinstance(path, str) or not path.startswith("/") or not path.isascii() or not path.isprintable():
        raise ConfigurationError(f"path must begin with / and be ASCII, not {short_repr(path)}.")
    if is_url(target) and path != "/":
        raise ConfigurationError("path is for an application: a URL has its own.")
