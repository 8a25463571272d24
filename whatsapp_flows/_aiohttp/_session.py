"""The `ClientSession` that a transport sends through: the host's, or one of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from yarl import URL

from .._http import (
    CLOSED,
    MAX_CONNECTIONS,
    MAX_HEADER_BYTES,
    MAX_HOSTS,
    USER_AGENT,
    check_session,
    is_default_user_agent,
    message_headers,
)
from .._wire import Request, Response
from ..errors import ConfigurationError
from ..transport import Timeout
from ._bodies import abort
from ._exchange import Exchange
from ._proxies import ProxyEnvironment


class AiohttpSession:
    """Sends exchanges through a session of the host's or of its own. One of its own is opened by the first exchange."""

    def __init__(
        self, session: aiohttp.ClientSession | None, *, max_response_bytes: int, now: Callable[[], float]
    ) -> None:
        check_session(session, aiohttp.ClientSession, "an aiohttp.ClientSession")
        self._owned = session is None
        self._session = session
        self._loop: object = getattr(session, "_loop", None)  # aiohttp has deprecated the public name
        self._environment = ProxyEnvironment()
        self._closed = False
        self._max_response_bytes = max_response_bytes
        self._now = now

    @property
    def description(self) -> str:
        """Whose session it is, and whether it is closed: for a repr."""
        if self._owned:
            return "own session, closed" if self._closed else "own session"
        return f"session of type {type(self._session).__name__}"

    def connection_limit(self, requested: int | None) -> int:
        """How many requests may be under way at once: `wanted`, or less when the host's connector allows less."""
        connector = self._session.connector if self._session is not None else None
        allowed = [requested] if requested is not None else []
        if connector is not None:
            allowed += [limit for limit in (connector.limit, connector.limit_per_host) if limit]
        return min(allowed, default=MAX_CONNECTIONS)

    def current(self) -> aiohttp.ClientSession:
        """The session. Raises `ConfigurationError` when it is closed or belongs to another event loop."""
        if self._closed:
            raise ConfigurationError(CLOSED)
        if self._session is None:
            self._session, self._loop = _own_session(), asyncio.get_running_loop()
        self._check_loop()
        if self._session.closed:
            raise ConfigurationError("the session has been closed: give the client an open one.")
        return self._session

    def exchange(self, request: Request, timeout: Timeout) -> Exchange:
        """The exchange of a request, for `send`."""
        return Exchange(request, timeout, request.response_limit(self._max_response_bytes))

    async def send(self, exchange: Exchange) -> Response:
        """Send the request, and read the whole response. Raises what aiohttp raises."""
        session, request = self.current(), exchange.request
        url = _url(request.signed_url)
        exchange.connector = session.connector
        answer = await session.request(
            request.method,
            url,
            data=exchange.body,
            headers=_headers(session, request),
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=False,  # aiohttp would decode in the event loop, older versions without a limit
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            timeout=exchange.limits,
            middlewares=(exchange.outer, *getattr(session, "_middlewares", ()), exchange.inner),
            **(self._environment_options(url) if self._owned else {}),
        )
        transport, process = answer.connection.transport if answer.connection else None, os.getpid()
        try:
            body = await answer.read()
        except BaseException:
            abort(transport, process)
            raise
        finally:
            answer.close()
            if self._owned:
                _close_excess_hosts(session.connector)
        return Response(
            status=answer.status,
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.raw_headers},
            body=body,
            received_at=self._now(),
            token=request.token,
        )

    def after_fork(self) -> None:
        """Forget a session of our own in a child: its connections are the parent's."""
        if self._owned and self._session is not None:
            _abandon(self._session)
            self._session = self._loop = None

    async def aclose(self) -> None:
        """Close the session, unless it is the host's."""
        if self._owned:
            self._closed = True
            if self._session is not None and not self._session.closed:
                self._check_loop()
                await self._session.close()

    def _check_loop(self) -> None:
        if self._loop not in {None, asyncio.get_running_loop()}:
            raise ConfigurationError(
                "the session belongs to another event loop: make one client in each, inside a coroutine."
            )

    def _environment_options(self, url: URL) -> dict[str, Any]:
        """The proxy and the CA bundle of the environment, for a session of our own."""
        return {
            "proxy": self._environment.proxy(url.scheme, url.host or "", url.port or 0),
            "ssl": self._environment.trust() if url.scheme == "https" else True,
        }


def _own_session() -> aiohttp.ClientSession:
    """A session without cookies. Its connector has no limit: the transport limits the requests under way."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT},
    )


_abandoned: Final[list[object]] = []  # connectors in a forked child: the garbage collector might close them


def _abandon(session: aiohttp.ClientSession) -> None:
    """
    Forget a session in a forked child without closing its connections.

    Closing one would send a TLS close_notify on the parent's socket, and remove it from the parent's epoll, which the
    child shares. `detach` leaves the connector open, and its mark of being closed has no public name.
    """
    connector: Any = session.connector
    session.detach()
    if connector is not None:
        connector._closed = True
        _abandoned.append(connector)


def _headers(session: aiohttp.ClientSession, request: Request) -> dict[str, str]:
    """The headers of the request, with our User-Agent unless the host has chosen one."""
    headers = message_headers(request)
    if is_default_user_agent(session.headers.get("User-Agent", "Python/"), "Python"):
        headers["User-Agent"] = USER_AGENT
    return headers


def _url(text: str) -> URL:
    """The URL unchanged when nothing in it needs quoting, since a signed link must not change; otherwise quoted."""
    return URL(text, encoded=text.isascii() and text.isprintable() and " " not in text)


def _close_excess_hosts(connector: aiohttp.BaseConnector | None) -> None:
    """
    Close the idle connections to other hosts than the last ten: each download may come from another host.

    aiohttp has no such limit. It moves what it uses to the end of its dictionary.
    """
    idle = getattr(connector, "_conns", {})
    while len(idle) > MAX_HOSTS:
        for protocol, _ in idle.pop(next(iter(idle))):
            protocol.close()
