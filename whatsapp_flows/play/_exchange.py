"""
The endpoints that a player can ask, and what becomes of their answers: an `Answer` event, whatever was answered.

    None                          nothing is asked: a Flow that asks is an `EndpointFault`
    a function of one argument    the decrypted request in, the decrypted answer out, without any encryption
    a URL without a public key    the same, as JSON: a server in development
    everything else               through `EndpointClient`, signed and encrypted as by Meta's client

What a function or an application raises propagates, as in other test clients.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from .. import signatures
from .._awaiting import LATE, run_within, within
from .._client_error_keys import CLIENT_ERROR_KEYS
from .._dataclasses import dataclass, field, replace
from .._endpoint_errors import InvalidToken
from .._json import compact_json
from .._wire import Secret, as_secrets, check_seconds, short_repr
from ..errors import ConfigurationError
from ..signatures import AppSecrets
from ._events import Answer, AskEndpoint, Broken, Failure
from ._plain_endpoint import plain_endpoint

if TYPE_CHECKING:
    from ..endpoint import EndpointClient, EndpointReply

Endpoint = object
"""What a player can ask: a `FlowEndpoint` or another receiver, a URL, an ASGI or WSGI application, or a function."""

PublicKey = str | bytes | Callable[[], Any]

TIME_LIMIT: Final = 10.0
"""Seconds after which a client gives up a request (documented: "Flows error codes")."""
NOTICE_LIMIT: Final = 1.0
"""
Seconds after which a notification is given up: nobody waits for its answer, and a hanging endpoint has cost enough.

Meta asks an endpoint to answer within a second (documented: "Implementing Endpoint for Flows").
"""
VERSION: Final = "3.0"

FUNCTION: Final = "function"
_INTERFACES: Final = ("auto", FUNCTION, "asgi", "wsgi", "callable")
"""What can be said of a callable: those of `EndpointClient`, and a function of the decrypted request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    A request to the endpoint. With an `error`, it is a notification: the client could not use the last answer, and
    `data` says why.
    """

    number: int
    action: str
    screen: str
    data: Mapping[str, Any] = field(repr=False)
    flow_token: str = field(repr=False)
    error: str = ""


def call_of(ask: AskEndpoint, data: Mapping[str, Any]) -> Call:
    """The request that a session asks for, with its data as an endpoint gets them."""
    return Call(number=ask.number, action=ask.action, screen=ask.screen, data=data, flow_token=ask.flow_token)


def _limit(call: Call, options: LineOptions) -> float:
    """Seconds that a request may take."""
    return min(options.time_limit, NOTICE_LIMIT) if call.error else options.time_limit


# What cannot be told to the endpoint: it was not reached, or does not decrypt.
_UNTOLD: Final = frozenset({"no_http_response_error", "business-decryption-error", "public-key-missing"})
_TOLD: Final = frozenset(CLIENT_ERROR_KEYS) - _UNTOLD


def notice_of(call: Call, broken: Broken) -> Call | None:
    """The notification that the client could not use the answer to a call; None for what is not told."""
    if broken.key not in _TOLD:
        return None
    return replace(call, data={"error": broken.key, "error_message": broken.message}, error=broken.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions:
    """How an endpoint is asked: see `FlowPlayer`."""

    secrets: tuple[Secret, ...] | None = field(repr=False)
    public_key: PublicKey | None = field(repr=False)
    path: str
    interface: str
    time_limit: float
    version: str
    sleep: Callable[[float], object] | None
    clock: Callable[[], float]


def line_options(
    public_key: PublicKey | None, app_secret: AppSecrets | None, *, version: object, time_limit: float = TIME_LIMIT
) -> LineOptions:
    """
    The options of who asks in no test: real time, an application at its root.

    `version` is the `data_api_version` of the Flow, whatever that is.
    """
    app_secret = cast("AppSecrets | None", as_secrets(app_secret))  # no local variable shows a secret
    return LineOptions(
        secrets=None if app_secret is None else signatures.app_secrets(app_secret),
        public_key=public_key,
        path="/",
        interface="auto",
        time_limit=time_limit,
        version=version if isinstance(version, str) else VERSION,
        sleep=None,
        clock=time.monotonic,
    )


class Line(Protocol):
    """An endpoint that can be asked. `opens`: whether it answers INIT."""

    opens: bool

    def ask(self, call: Call, /) -> Answer: ...

    async def aask(self, call: Call, /) -> Answer: ...

    def signature(self, body: bytes, /) -> str | None: ...

    def start(self) -> None: ...

    def close(self) -> None: ...

    async def astart(self) -> None: ...

    async def aclose(self) -> None: ...


def line_to(endpoint: Endpoint, options: LineOptions) -> Line:
    """
    The way to an endpoint, by its kind.

    Raises `ConfigurationError` for what is no endpoint, or one whose key or secret is missing, and `ImportError`
    without the extra `endpoint` for anything but a function, or a URL without a public key.
    """
    _check_kind(endpoint)
    if options.interface not in _INTERFACES:
        raise ConfigurationError(
            f"interface must be one of {', '.join(_INTERFACES)}, not {short_repr(options.interface)}."
        )
    check_seconds("time_limit", options.time_limit)
    if options.interface == FUNCTION or (options.interface == "auto" and is_function(endpoint)):
        function = cast("Callable[[dict[str, Any]], Any]", endpoint)
        return FunctionLine(lambda content, _: function(content), options)
    if isinstance(endpoint, str) and options.public_key is None:
        return PlainLine(plain_endpoint(endpoint), options)
    return ClientLine(endpoint, options)


def _check_kind(endpoint: object) -> None:
    if isinstance(endpoint, type):
        kind = f"the class {endpoint.__name__}"
    elif isinstance(endpoint, str) or callable(endpoint) or hasattr(endpoint, "areceive"):
        return
    else:
        kind = f"of type {type(endpoint).__name__}"
    raise ConfigurationError(f"endpoint must be a FlowEndpoint, an application, a URL or a function, not {kind}.")


def is_function(endpoint: object) -> bool:
    """Whether an endpoint is a function of the decrypted request: a callable that takes one argument."""
    if not callable(endpoint) or isinstance(endpoint, type) or hasattr(endpoint, "areceive"):
        return False
    try:
        parameters = inspect.signature(endpoint).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [
        each
        for each in parameters
        if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD} and each.default is each.empty
    ]
    return len(needed) == 1 or (not needed and any(each.kind is each.VAR_POSITIONAL for each in parameters))


# -- a function


class FunctionLine:
    """
    A function from a decrypted request to a decrypted answer, plain or a coroutine function.

    It is also given the seconds that the request may take.
    """

    opens = True

    def __init__(self, function: Callable[[dict[str, Any], float], Any], options: LineOptions) -> None:
        self._function = function
        self._options = options

    def ask(self, call: Call, /) -> Answer:
        began, seconds = self._options.clock(), _limit(call, self._options)
        try:
            found = self._function(_content(call, self._options.version), seconds)
            if isinstance(found, Awaitable):
                found = run_within(seconds, found, instead="use AsyncFlowPlayer")
        except InvalidToken as refused:
            return _refused(call, refused)
        return self._read(call, found, began, seconds)

    async def aask(self, call: Call, /) -> Answer:
        began, seconds = self._options.clock(), _limit(call, self._options)
        try:
            found = self._function(_content(call, self._options.version), seconds)
            if isinstance(found, Awaitable):
                found = await within(seconds, found)
        except InvalidToken as refused:
            return _refused(call, refused)
        return self._read(call, found, began, seconds)

    def _read(self, call: Call, found: Any, began: float, seconds: float) -> Answer:
        if found is LATE or self._options.clock() - began >= seconds:
            return Answer(number=call.number, failure="timeout", message=f"No complete answer within {seconds:g} s.")
        if isinstance(found, Answer):
            return replace(found, number=call.number)
        plaintext = getattr(found, "plaintext", None)  # of a Show, Finish or Close
        found = plaintext(call.flow_token) if callable(plaintext) else found
        try:
            return Answer(number=call.number, content=json.loads(compact_json(found, allow_nan=False)))
        except (TypeError, ValueError, RecursionError) as mistake:
            kind = type(mistake).__name__
        raise ConfigurationError(
            f"endpoint returned a {type(found).__name__} that cannot be written as JSON ({kind}): it must return what "
            "the endpoint answers, as a dict."
        )

    def signature(self, body: bytes, /) -> str | None:
        return _signature(body, self._options)

    def start(self) -> None:
        """Nothing is opened."""

    def close(self) -> None:
        """Nothing is open."""

    async def astart(self) -> None:
        """Nothing is opened."""

    async def aclose(self) -> None:
        """Nothing is open."""


class PlainLine(FunctionLine):
    """A URL that is asked in plain JSON: see `_plain_endpoint`. Awaited, it is asked on a thread."""

    async def aask(self, call: Call, /) -> Answer:
        return await asyncio.to_thread(self.ask, call)


def _content(call: Call, version: str) -> dict[str, Any]:
    """The decrypted request, a copy of its own; in the order of a real one."""
    content = {
        "data": call.data,
        "flow_token": call.flow_token,
        "screen": call.screen,
        "action": call.action,
        "version": version,
    }
    copy: dict[str, Any] = json.loads(compact_json(content))
    return copy


def _refused(call: Call, refused: InvalidToken) -> Answer:
    return Answer(number=call.number, failure="token-refused", message=refused.message)


# -- everything that is encrypted

# Outcome of a call -> what the player is told. An answer with a wrong shape is handed on: the player refuses it. A 421
# comes here only after a second request (endpoint.421).
_FAILURES: Final[Mapping[str, Failure]] = {
    "token-refused": "token-refused",
    "not-decrypted": "not-decrypted",
    "bad-signature": "status",
    "unexpected-status": "status",
    "unreadable": "unreadable",
    "timeout": "timeout",
    "too-large": "unreachable",
    "not-reached": "unreachable",
    "not-trusted": "unreachable",
    "no-answer": "unreachable",
}


class ClientLine:
    """An endpoint that is asked through `EndpointClient`."""

    def __init__(self, endpoint: Endpoint, options: LineOptions) -> None:
        self._client, self.opens = _client_of(endpoint, options)
        self._options = options

    def ask(self, call: Call, /) -> Answer:
        client, place = self._client, _place(call)
        if call.error:
            limit = _limit(call, self._options)
            reply = client.notify_error(call.error, call.data["error_message"], **place, time_limit=limit)
        else:
            reply = client.exchange(data=call.data, **place)
        return answer_of(call.number, reply)

    async def aask(self, call: Call, /) -> Answer:
        client, place = self._client, _place(call)
        if call.error:
            limit = _limit(call, self._options)
            reply = await client.anotify_error(call.error, call.data["error_message"], **place, time_limit=limit)
        else:
            reply = await client.aexchange(data=call.data, **place)
        return answer_of(call.number, reply)

    def signature(self, body: bytes, /) -> str | None:
        return _signature(body, self._options) or self._client.signature(body)

    def start(self) -> None:
        self._client.__enter__()

    def close(self) -> None:
        self._client.close()

    async def astart(self) -> None:
        await self._client.__aenter__()

    async def aclose(self) -> None:
        await self._client.__aexit__(None, None, None)


def _place(call: Call) -> dict[str, Any]:
    return {"action": call.action, "screen": call.screen, "token": call.flow_token}


def answer_of(number: int, reply: EndpointReply) -> Answer:
    """What the player is told of a reply."""
    failure = _FAILURES.get(reply.outcome)
    if failure is not None:
        message = (reply.error_msg or "") if failure == "token-refused" else reply.problem
        return Answer(number=number, failure=failure, message=message)
    try:
        return Answer(number=number, content=json.loads(reply.plaintext))
    except (ValueError, RecursionError):
        return Answer(number=number, failure="unreadable", message=reply.problem)


def _client_of(endpoint: Endpoint, options: LineOptions) -> tuple[EndpointClient, bool]:
    """The client of an endpoint, and whether the endpoint answers INIT, as far as that is known."""
    from ..endpoint import EndpointClient, FlowEndpoint  # noqa: PLC0415 - the extra is needed here, not before

    common: dict[str, Any] = {
        "version": options.version,
        "time_limit": options.time_limit,
        "sleep": options.sleep,
        "clock": options.clock,
    }
    if isinstance(endpoint, FlowEndpoint):
        client = endpoint.test_client(options.public_key, options.secrets, **common)
        return client, endpoint.handles("INIT")
    if options.public_key is None:
        raise ConfigurationError(
            f"public_key is missing: requests to {_called(endpoint)} are encrypted for it, and signed with app_secret"
            f"{_UNLESS if callable(endpoint) else ''}."
        )
    target, interface = cast("Any", endpoint), cast("Any", options.interface)
    client = EndpointClient(
        target, options.public_key, options.secrets, path=options.path, interface=interface, **common
    )
    return client, True


_UNLESS: Final = "; a function of the decrypted request takes one argument, and needs none"


def _called(endpoint: object) -> str:
    return "a callable" if callable(endpoint) else type(endpoint).__name__


def _signature(body: bytes, options: LineOptions) -> str | None:
    return signatures.sign(body, options.secrets[0]) if options.secrets else None
