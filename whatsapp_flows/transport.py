"""How a request leaves: the `Transport` protocols, `Timeout`, and the credentials that a driver adds."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from inspect import isawaitable, iscoroutine
from typing import Final, NoReturn, Protocol

from ._interrupts import is_interrupt
from ._wire import Request, Response, Secret, appsecret_proof, as_secret, short_repr
from .errors import ConfigurationError, TokenUnavailableError

__all__ = ["MAX_RESPONSE_BYTES", "STOP_GRACE", "AsyncTransport", "Request", "Response", "Timeout", "Transport"]


MAX_RESPONSE_BYTES: Final = 32 * 2**20
"""The largest answer that is read, in bytes after decompression; Meta's largest Flow JSON has 10 MB."""

STOP_GRACE: Final = 3.0
"""Seconds for which a request goes on after `stop` was set: most answers are there by then."""

_TIMES_TOTAL: Final = 10.0  # how many times the longer of the other two `total` is, unless it is given


@dataclass(frozen=True, slots=True, init=False)
class Timeout:
    """
    Seconds to wait: for the connection, for each piece of the answer, and for the whole of one attempt's request.

    `connect` bounds establishing a connection and nothing else. `read` bounds the silence between two pieces, sent or
    received, as in requests. `total` bounds one request from connecting to the last byte of the answer, whatever
    trickles in; None is ten times the longer of the other two.

    Raises `ConfigurationError` unless all are finite and above 0.

    >>> Timeout(connect=5.0, read=30.0).total
    300.0
    """

    connect: float
    read: float
    total: float

    def __init__(self, connect: float = 30.0, read: float = 30.0, total: float | None = None) -> None:
        for name, value in (("connect", connect), ("read", read), ("total", total)):
            object.__setattr__(self, name, value)  # before anything is raised, or the repr would fail in a traceback
        for name, value in (("connect", connect), ("read", read), ("total", total)):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if (value is not None or name != "total") and (not number or not 0 < float(value or 0) < math.inf):
                raise ConfigurationError(
                    f"timeout: {name} must be a number of seconds above 0, not {short_repr(value)}."
                )
        if total is None:
            object.__setattr__(self, "total", _TIMES_TOTAL * max(connect, read))

    @classmethod
    def of(cls, value: float | Timeout) -> Timeout:
        """A `Timeout` as it is; a number of seconds t as connect t, read t, total 10 t."""
        return value if isinstance(value, Timeout) else cls(value, value)

    def within(self, seconds: float) -> Timeout:
        """The same, but none of them longer than this: what is left of a call. `seconds` must be above 0."""
        if seconds >= self.total and seconds >= self.connect and seconds >= self.read:
            return self
        return Timeout(min(self.connect, seconds), min(self.read, seconds), min(self.total, seconds))


class Transport(Protocol):
    """
    Sends one request and returns the whole answer, whatever its status.

    It follows no redirect, adds `request.token` as the bearer and `request.proof` to the query, and sends neither
    when `request.authenticated` is false. It raises `NotSentError` when nothing left, `TlsError` when the other side
    was not trusted, and `NoAnswerError` whenever the request may have arrived, or when `timeout.total` is over. What is
    none of these, a mistake in the transport itself, ends the call and comes out as it is. When `request.stop` is set,
    it does not go on for longer than `STOP_GRACE` seconds. Many threads use it at once.
    """

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """One request, one answer."""

    def close(self) -> None:
        """Lets go of what the transport itself opened."""


class AsyncTransport(Protocol):
    """
    The same for `AsyncFlowsClient`: what `Transport` promises holds, and many tasks of one event loop use it at once.

    A call that is cancelled leaves no connection open.
    """

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """One request, one answer."""

    async def aclose(self) -> None:
        """Lets go of what the transport itself opened."""


class Credentials:
    """The access token, or where it comes from, and the app's secret. Shows neither."""

    __slots__ = ("_app_secret", "_last", "_now", "_token")

    def __init__(
        self,
        access_token: str | Secret | Callable[[], str | Awaitable[str]],
        app_secret: str | Secret | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._token = access_token if callable(access_token) else _checked(access_token, "access_token")
        self._app_secret = None if app_secret is None else _checked(app_secret, "app_secret")
        self._now = now
        self._last: Secret | None = None  # the callable's last token: what was learnt to mask it is kept with it

    def sign(self, request: Request) -> Request:
        """
        The request with its token, else one that is valid now; unchanged when it goes to a host that must not see one.

        Raises `TokenUnavailableError` when the callable that gives the token raises: its type's name is told, and
        nothing else of it, since the text may hold the token. What a signal's handler raises meanwhile passes through.
        """
        if not request.authenticated:
            return request
        return self._signed(request, request.token or self._current())

    async def asign(self, request: Request) -> Request:
        """The same where the token may have to be awaited."""
        if not request.authenticated:
            return request
        return self._signed(request, request.token or await self._acurrent())

    @property
    def renewable(self) -> bool:
        """Whether the token comes from a callable."""
        return not isinstance(self._token, Secret)

    def another(self, refused: Secret) -> Secret | None:
        """Another token than one that was refused, if the callable has one by now: for a request to be signed with."""
        token = self._current()
        return None if token.is_same(refused) else token

    async def aanother(self, refused: Secret) -> Secret | None:
        """The same where the token may have to be awaited."""
        token = await self._acurrent()
        return None if token.is_same(refused) else token

    def _current(self) -> Secret:
        token = self._token
        if isinstance(token, Secret):
            return token
        given, mistake = None, ""
        try:
            given = as_secret(token())
        except Exception as raised:  # the host's code may raise anything
            if is_interrupt(raised):
                raise
            mistake = type(raised).__name__
        if mistake:
            raise _no_token(mistake)
        if iscoroutine(given):
            given.close()  # or Python warns that nobody awaited it
        if isawaitable(given):
            raise ConfigurationError("access_token returns an awaitable: that is for AsyncFlowsClient.")
        return self._known(_checked(given, "access_token"))

    async def _acurrent(self) -> Secret:
        token = self._token
        if isinstance(token, Secret):
            return token
        given, mistake = None, ""
        try:
            given = as_secret(token())
            if isawaitable(given):
                given = as_secret(await given)
        except Exception as raised:  # the host's code may raise anything
            if is_interrupt(raised):
                raise
            mistake = type(raised).__name__
        if mistake:
            raise _no_token(mistake)
        return self._known(_checked(given, "access_token"))

    def _known(self, token: Secret) -> Secret:
        last = self._last
        if last is not None and last.is_same(token):
            return last
        self._last = token
        return token

    def _signed(self, request: Request, token: Secret) -> Request:
        if self._app_secret is None:
            return replace(request, token=token)
        return replace(request, token=token, proof=appsecret_proof(token, self._app_secret, int(self._now())))

    def __repr__(self) -> str:
        return "Credentials(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: give the other process its own way to get the token")

    @property
    def parts(self) -> tuple[Secret | Callable[[], str | Awaitable[str]], Secret | None]:
        """Where the token comes from, and the app's secret: what another client may share."""
        return self._token, self._app_secret


def _no_token(mistake: str) -> TokenUnavailableError:
    return TokenUnavailableError(f"access_token: the callable that gives the token raised {mistake}; nothing was sent.")


def _checked(value: object, name: str) -> Secret:
    """A secret that can stand in a header: one word of visible ASCII. Never echoed."""
    secret = as_secret(value)
    del value
    if not isinstance(secret, Secret) or not re.fullmatch(r"[\x21-\x7e]+", secret.reveal()):
        raise ConfigurationError(f"{name} must be a string of visible ASCII characters without blanks (or a callable).")
    return secret
