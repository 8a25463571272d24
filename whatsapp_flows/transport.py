"""How a request is sent: the `Transport` protocols, `Timeout`, and the credentials that a driver adds."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import CoroutineType
from typing import Final, NoReturn, Protocol

from ._dataclasses import dataclass, replace
from ._interrupts import is_interrupt
from ._wire import Request, Response, Secret, appsecret_proof, as_secret, check_seconds
from .errors import ConfigurationError, TokenUnavailableError

__all__ = ["MAX_RESPONSE_BYTES", "STOP_GRACE", "AsyncTransport", "Request", "Response", "Timeout", "Transport"]


MAX_RESPONSE_BYTES: Final = 32 * 2**20
"""The default maximum of a response, in bytes after decompression. Meta's largest Flow JSON has 10 MB."""

STOP_GRACE: Final = 3.0
"""The default `stop_grace`: seconds for which a request goes on after `stop` is set. Most responses arrive by then."""

_TOTAL_FACTOR: Final = 10.0  # the default of `total`, in terms of the longer of the other two


@dataclass(frozen=True, slots=True, init=False)
class Timeout:
    """
    The timeouts of one request, in seconds.

    `connect` limits the time to establish a connection. `read` limits the time between two bytes, sent or received, as
    in requests. `total` limits the whole request, from connecting to the last byte of the response; None is ten times
    the longer of the other two.

    Raises `ConfigurationError` unless all are finite numbers above 0.

    >>> Timeout(connect=5.0, read=30.0).total
    300.0
    """

    connect: float
    read: float
    total: float

    def __init__(self, connect: float = 30.0, read: float = 30.0, total: float | None = None) -> None:
        for name, value in (("connect", connect), ("read", read), ("total", total)):
            object.__setattr__(self, name, value)  # before anything is raised: a traceback may show the repr
        for name, value in (("connect", connect), ("read", read), ("total", total)):
            if value is not None or name != "total":
                check_seconds(f"timeout: {name}", value)
        if total is None:
            object.__setattr__(self, "total", _TOTAL_FACTOR * max(connect, read))

    @classmethod
    def of(cls, value: float | Timeout) -> Timeout:
        """A `Timeout` unchanged; a number of seconds t as connect t, read t, total 10 t."""
        return value if isinstance(value, Timeout) else cls(value, value)

    def within(self, seconds: float) -> Timeout:
        """The same timeouts, each at most `seconds`, which must be above 0: the time that a call has left."""
        if seconds >= self.total and seconds >= self.connect and seconds >= self.read:
            return self
        return Timeout(min(self.connect, seconds), min(self.read, seconds), min(self.total, seconds))


class Transport(Protocol):
    """
    Sends one request and returns the whole response, whatever its status.

    It follows no redirect. It sends `request.token` as the bearer token and `request.proof` in the query, and neither
    of them when `request.authenticated` is false. It raises `NotSentError` when nothing was sent, `TlsError` when the
    server's certificate is not trusted, and `NoAnswerError` whenever the request may have arrived, also when
    `timeout.total` is over. Any other exception ends the call and propagates unchanged. Once `request.stop` is set, it
    goes on for at most `STOP_GRACE` seconds. Many threads may use it at the same time.
    """

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """Send one request and return its response."""

    def close(self) -> None:
        """Close what the transport itself has opened."""


class AsyncTransport(Protocol):
    """
    `Transport` for `AsyncFlowsClient`: many tasks of one event loop may use it at the same time.

    A call that is cancelled leaves no connection open.
    """

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """Send one request and return its response."""

    async def aclose(self) -> None:
        """Close what the transport itself has opened."""


class StreamedResponse:
    """
    A response whose body is still to be read: `status`, the headers, and `chunks`. Close it after use.

    Reading raises what `Transport.send` raises.
    """

    def __init__(
        self, *, status: int, headers: Mapping[str, str], read: Callable[[], bytes], close: Callable[[], object]
    ) -> None:
        self.status = status
        self._headers = headers
        self._read = read
        self.close = close

    def header(self, name: str) -> str:
        """The header of that lower-case name; empty when there is none."""
        return next((value for key, value in self._headers.items() if key.lower() == name), "")

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives, with its content coding."""
        return iter(self._read, b"")

    def __enter__(self) -> StreamedResponse:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<StreamedResponse: HTTP {self.status}>"


class Credentials:
    """The access token, or the callable that returns it, and the app's secret. Neither is in its repr."""

    __slots__ = ("_app_secret", "_last", "_now", "_source")

    def __init__(
        self,
        access_token: str | Secret | Callable[[], str | Awaitable[str]],
        app_secret: str | Secret | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._source = access_token if callable(access_token) else _checked(access_token, "access_token")
        self._app_secret = None if app_secret is None else _checked(app_secret, "app_secret")
        self._now = now
        self._last: Secret | None = None  # the callable's last token, which keeps its compiled masking pattern

    def token(self) -> Secret:
        """
        The token to send now.

        Raises `TokenUnavailableError` when the callable that gives the token raises. The error names the type of that
        exception only, since its text may hold the token. An exception of a signal handler passes through.
        """
        if isinstance(self._source, Secret):
            return self._source
        given = _called(self._source)
        if isinstance(given, CoroutineType):
            given.close()  # or Python warns that it was never awaited
        if isinstance(given, Awaitable):
            raise ConfigurationError("access_token returns an awaitable: that is for AsyncFlowsClient.")
        return self._accepted(given)

    async def atoken(self) -> Secret:
        """The same, where the callable may return an awaitable."""
        if isinstance(self._source, Secret):
            return self._source
        given = _called(self._source)
        if isinstance(given, Awaitable):
            given = await _awaited(given)
        return self._accepted(given)

    def sign(self, request: Request, token: Secret | None) -> Request:
        """The request with the token and the app's proof; unchanged when it goes to a host that must not get them."""
        if not request.authenticated or token is None:
            return request
        if self._app_secret is None or request.is_file:
            return replace(request, token=token)
        return replace(request, token=token, proof=appsecret_proof(token, self._app_secret, int(self._now())))

    @property
    def renewable(self) -> bool:
        """Whether the token comes from a callable."""
        return not isinstance(self._source, Secret)

    def _accepted(self, given: object) -> Secret:
        token, last = _checked(given, "access_token"), self._last
        if last is not None and last.is_same(token):
            return last
        self._last = token
        return token

    def __repr__(self) -> str:
        return "Credentials(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: give the other process its own way to get the token")

    @property
    def parts(self) -> tuple[Secret | Callable[[], str | Awaitable[str]], Secret | None]:
        """Where the token comes from, and the app's secret: what another client may share."""
        return self._source, self._app_secret


def _called(source: Callable[[], str | Awaitable[str]]) -> Secret | Awaitable[object] | object:
    """What the callable returns, a string as a `Secret`. The error is raised outside `except`: it has no context."""
    try:
        return as_secret(source())
    except Exception as raised:  # the host's code may raise anything
        if is_interrupt(raised):
            raise
        mistake = type(raised).__name__
    raise _no_token(mistake)


async def _awaited(pending: Awaitable[object]) -> object:
    """The same for what the callable's awaitable returns."""
    try:
        return as_secret(await pending)
    except Exception as raised:
        if is_interrupt(raised):
            raise
        mistake = type(raised).__name__
    raise _no_token(mistake)


def _no_token(mistake: str) -> TokenUnavailableError:
    return TokenUnavailableError(f"access_token: the callable that gives the token raised {mistake}; nothing was sent.")


def _checked(value: object, name: str) -> Secret:
    """A secret that can stand in a header: one word of visible ASCII. Never echoed."""
    secret = as_secret(value)
    del value
    if not isinstance(secret, Secret) or not re.fullmatch(r"[\x21-\x7e]+", secret.reveal()):
        raise ConfigurationError(f"{name} must be a string of visible ASCII characters without blanks (or a callable).")
    return secret
