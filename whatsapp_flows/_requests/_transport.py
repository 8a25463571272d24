"""
`RequestsTransport`: sends through the host's own `Session`, or through one of its own.

The host's proxies, adapters, `verify`, `cert` and hooks apply, and so does whatever patches `Session.send`. What a
failure means is decided in `_failures`; the deadlines of an exchange are kept by `_connections`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3.util.retry import Retry

from .._decoding import BodyTooLargeError, decoded
from .._forks import register_after_fork
from .._http import (
    CLOSED,
    MAX_CONNECTIONS,
    MAX_HOSTS,
    USER_AGENT,
    check_session,
    check_stop_grace,
    is_default_user_agent,
    message_headers,
)
from .._wire import Request, Response, check_count, thread_stop
from ..errors import ConfigurationError
from ..transport import MAX_RESPONSE_BYTES, STOP_GRACE, StreamedResponse, Timeout
from ._connections import POOLS, Exchange, bound, bounded
from ._failures import FAILURES, error_for, is_transport_failure

Session = requests.Session
T = TypeVar("T")

_READ_SIZE: Final = 64 * 1024  # bytes of a body that are read at once

# What `Session.merge_environment_settings` reads for a scheme, besides the session and the URL's host.
_VARIABLES: Final = {
    scheme: (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", *more)
    for scheme, more in (("http", ("REQUEST_METHOD",)), ("https", ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")))
}


class RequestsTransport:
    """
    Sends through a `requests.Session`: the host's, which stays open, or one of its own. Threads may share it.

    A response of more than `max_response_bytes`, after decompression, is an `UnexpectedResponseError`. A request that
    is under way when the client's `stop` is set goes on for at most `stop_grace` seconds. `now` is Unix time in
    seconds, for `Response.received_at`.

    A session of its own keeps no cookies, and connections to at most ten hosts. After a fork the child opens
    connections of its own. It does so for a host's session as well, whose adapters are set up again as after
    unpickling.

    >>> transport = RequestsTransport(requests.Session(), max_response_bytes=2**20)
    >>> client = FlowsClient("token", transport=transport)
    """

    def __init__(
        self,
        session: Session | None = None,
        *,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        stop_grace: float = STOP_GRACE,
        now: Callable[[], float] = time.time,
    ) -> None:
        check_session(session, Session, "a requests.Session")
        check_count("max_response_bytes", max_response_bytes)
        check_stop_grace(stop_grace)
        self._owned = session is None
        self._closed = False
        self._session = _own_session() if session is None else session
        self._max_response_bytes = max_response_bytes
        self._stop_grace = stop_grace
        self._now = now
        self._settings: dict[object, Mapping[str, Any]] = {}
        self._abandoned: list[object] = []
        register_after_fork(self)

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """Send one request. Raises `NotSentError`, `TlsError`, `NoAnswerError` or `UnexpectedResponseError`."""
        prepared, exchange = self._begun(request, timeout)
        limit = exchange.max_response_bytes
        return self._carry_out(
            lambda: self._response(self._answer(prepared, timeout), request, limit), request, exchange
        )

    def stream(self, request: Request, /, *, timeout: Timeout) -> StreamedResponse:
        """
        Send one request, and return its response before the body is read: close it, or use it as a context manager.

        `timeout.total` ends with the last chunk of the body. Raises what `send` raises, and so does reading.
        """
        prepared, exchange = self._begun(request, timeout)
        answer = self._carry_out(lambda: self._answer(prepared, timeout), request, exchange)
        chunks = _chunks(answer, exchange.max_response_bytes)
        return StreamedResponse(
            status=answer.status_code,
            headers=answer.headers,
            read=lambda: self._carry_out(lambda: next(chunks, b""), request, exchange),
            close=answer.close,
        )

    def _begun(self, request: Request, timeout: Timeout) -> tuple[requests.PreparedRequest, Exchange]:
        if self._closed:
            raise ConfigurationError(CLOSED)
        exchange = Exchange(
            timeout,
            thread_stop(request),
            stop_grace=self._stop_grace,
            max_response_bytes=request.response_limit(self._max_response_bytes),
            clock=time.monotonic,
        )
        return self._prepared(request), exchange

    def _carry_out(self, task: Callable[[], T], request: Request, exchange: Exchange) -> T:
        """The result of a part of the exchange; the failure of one as an error of the tree."""
        try:
            with bounded(exchange):
                return task()
        except FAILURES as failure:
            if not is_transport_failure(failure):
                raise
            error = error_for(failure, request, exchange, own_session=self._owned, sent_before=self._may_retry(request))
        # Outside the handler, so that the error has no reference to requests' own, which holds the request and token.
        raise error

    def close(self) -> None:
        """Close the session, unless it is the host's."""
        if self._owned:
            self._closed = True
            self._session.close()

    def after_fork(self) -> None:
        """
        Open other connections in a child than the parent's, whose responses are for the parent.

        The parent's connections are kept and never used: a thread of the parent may have held one of their locks, and
        closing TLS would send a close_notify alert to the server.
        """
        self._settings = {}
        if self._owned:
            self._abandoned.append(self._session)
            if not self._closed:
                self._session = _own_session()
            return
        for adapter in {id(each): each for each in self._session.adapters.values()}.values():
            if isinstance(adapter, HTTPAdapter):
                self._abandoned += [adapter.poolmanager, adapter.proxy_manager]
                adapter.__setstate__(adapter.__getstate__())

    def __repr__(self) -> str:
        session = "own session" if self._owned else f"session of type {type(self._session).__name__}"
        closed = ", closed" if self._closed else ""
        limits = f"max_response_bytes={self._max_response_bytes}, stop_grace={self._stop_grace:g}"
        return f"<RequestsTransport: {session}{closed}, {limits}>"

    def _answer(self, prepared: requests.PreparedRequest, timeout: Timeout) -> requests.Response:
        environment = self._environment(str(prepared.url))
        if not self._owned:
            self._bind(prepared, environment)
        try:
            return self._session.send(
                prepared,
                timeout=(min(timeout.connect, timeout.total), timeout.read),
                allow_redirects=False,
                **{**environment, "stream": True},  # otherwise requests would read the body, whatever its size
            )
        except requests.HTTPError as status_error:  # a hook of the host's called raise_for_status
            if status_error.response is None:
                raise
            return status_error.response

    def _bind(self, prepared: requests.PreparedRequest, environment: Mapping[str, Any]) -> None:
        """Make the connections of the host's adapter bounded ones, if they are urllib3's."""
        try:
            adapter = self._session.get_adapter(str(prepared.url))
        except requests.exceptions.InvalidSchema:
            return  # sending will raise it
        if isinstance(adapter, HTTPAdapter):
            pool = adapter.get_connection_with_tls_context(
                prepared, environment["verify"], proxies=environment["proxies"], cert=environment["cert"]
            )
            if isinstance(pool, HTTPConnectionPool):
                bound(pool)

    def _prepared(self, request: Request) -> requests.PreparedRequest:
        """
        The request as requests sends it, with the session's headers, cookies and hooks.

        `Session.prepare_request` is not used: it would read netrc, and encode the body again for each attempt.
        """
        session = self._session
        headers = session.headers.copy() if self._owned else _host_headers(session)
        headers.update(message_headers(request))
        if request.token is not None:
            headers["Authorization"] = _Bearer(f"Bearer {request.token.reveal()}")
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = request.signed_url
        prepared.headers = headers  # type: ignore[assignment]  # requests allows bytes as values too; ours are text
        prepared.body = request.body
        prepared.hooks = session.hooks if self._owned else _with_hook(session.hooks)
        if session.cookies:
            prepared.prepare_cookies(session.cookies)
        else:
            prepared._cookies = session.cookies  # as prepare_cookies does first; requests reads it for a redirect
        return prepared

    def _environment(self, url: str) -> Mapping[str, Any]:
        """
        Proxies, `verify` and `cert`, from the session and the environment.

        requests computes them for each request, which takes a quarter of the whole time. They are cached here until
        one of the values that they depend on changes.
        """
        session = self._session
        if type(session).merge_environment_settings is not Session.merge_environment_settings:
            return session.merge_environment_settings(url, {}, None, None, None)
        scheme, _, host, *_ = url.split("/", 3)
        key = (
            scheme,
            host,
            session.trust_env,
            session.verify,
            session.cert,
            tuple(session.proxies.items()),
            tuple(map(os.environ.get, _VARIABLES.get(scheme[:-1], ()))),
        )
        settings = self._settings.get(key)
        if settings is None:
            settings = session.merge_environment_settings(url, {}, None, None, None)
            self._settings = {key: settings}
        return settings

    def _may_retry(self, request: Request) -> bool:
        """Whether the host's adapter retries such a request by itself, so that an earlier try may have been sent."""
        try:
            retries = getattr(self._session.get_adapter(request.url), "max_retries", None)
        except requests.exceptions.InvalidSchema:
            return False
        if not isinstance(retries, Retry) or (retries.total is not None and not retries.total):
            return False  # a total of None is unlimited
        return not retries.allowed_methods or request.method in retries.allowed_methods

    def _response(self, answer: requests.Response, request: Request, limit: int) -> Response:
        try:
            encoded = b"".join(_chunks(answer, limit))
            coding = "" if _is_decoded(answer) else answer.headers.get("Content-Encoding", "")
            body = decoded(encoded, coding, limit)
        except BaseException:
            answer.close()  # the rest of the body must not be read from this connection
            raise
        return Response(
            status=answer.status_code, headers=answer.headers, body=body, received_at=self._now(), token=request.token
        )


def _chunks(answer: requests.Response, limit: int) -> Iterator[bytes]:
    """
    The body as it was received, or as a hook of the host's has decoded it already, in chunks.

    Raises `BodyTooLargeError` with the first byte too many.
    """
    if answer._content_consumed or not isinstance(answer.raw, HTTPResponse):
        chunks = answer.iter_content(_READ_SIZE)
    else:
        chunks = iter(lambda: answer.raw.read(_READ_SIZE, decode_content=False), b"")
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BodyTooLargeError(limit)
        yield chunk


def _is_decoded(answer: requests.Response) -> bool:
    """Whether `_chunks` has returned the decoded body: a hook or a mock had read it."""
    return answer._content is not False or not isinstance(answer.raw, HTTPResponse)


class _Adapter(HTTPAdapter):
    """
    requests' adapter with a cache of connection pools, which requests would look up for each request.

    Only for a session of our own; a host mounts its own adapters.
    """

    def __init__(self, *, pool_maxsize: int) -> None:
        self._pools: dict[object, HTTPConnectionPool] = {}
        super().__init__(pool_connections=MAX_HOSTS, pool_maxsize=pool_maxsize)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        """As in requests, with bounded connections."""
        super().init_poolmanager(connections, maxsize, block, **more)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """As in requests, with bounded connections."""
        manager = super().proxy_manager_for(proxy, **more)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool for the request's host, unless urllib3 has closed it."""
        host = (request.url or "").partition("://")[2].partition("/")[0]
        key = (request.url or "")[:5], host, verify, cert, tuple(proxies.items()) if proxies else ()
        pool = self._pools.get(key)
        if pool is None or pool.pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            while len(self._pools) >= MAX_HOSTS:  # drop the oldest; its connections close with it
                self._pools.pop(next(iter(self._pools)), None)
            self._pools[key] = pool
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: HTTPResponse) -> requests.Response:
        """As in requests, without cookies."""
        answer = requests.Response()
        answer.status_code, answer.reason = resp.status, resp.reason or ""
        answer.headers = resp.headers  # type: ignore[assignment]  # case-insensitive, as requests' own
        answer.raw, answer.url, answer.request = resp, str(req.url), req
        return answer

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """The path, or what requests sends to a proxy."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def close(self) -> None:
        """Close the pools."""
        self._pools.clear()
        super().close()


def _host_headers(session: Session) -> CaseInsensitiveDict[str]:
    """The session's headers without Authorization, and with our User-Agent unless the host has chosen one."""
    headers = CaseInsensitiveDict({name: value for name, value in session.headers.items() if value is not None})
    headers.pop("Authorization", None)
    if is_default_user_agent(headers.get("User-Agent", "python-requests/"), "python-requests"):
        headers["User-Agent"] = USER_AGENT
    return headers


class _OwnSession(Session):
    """A session that does not read `Location`: no redirect is followed."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: an invalid `Location` would raise, and the response would be lost."""
        return None


def _own_session() -> Session:
    """A session without cookies, and with User-Agent as its only header: HTTP/1.1 needs no `Connection` or `Accept`."""
    session = _OwnSession()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers = CaseInsensitiveDict({"User-Agent": USER_AGENT})
    session.mount("https://", _Adapter(pool_maxsize=MAX_CONNECTIONS))
    session.mount("http://", _Adapter(pool_maxsize=MAX_CONNECTIONS))
    return session


class _Bearer(str):
    """A header value whose repr hides it, in the repr of the headers and in tracebacks with local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'Bearer ***'"


def _with_hook(hooks: Mapping[str, Any]) -> dict[str, Any]:
    """
    The host's hooks, and one after them that removes `Location`.

    requests resolves a redirect even when it does not follow it: it would read the body, whatever its size, and raise
    for an invalid address.
    """
    given = hooks.get("response") or ()
    return {**hooks, "response": [*((given,) if callable(given) else given), _without_location]}


def _without_location(answer: requests.Response, **_: object) -> None:
    answer.headers.pop("Location", None)
