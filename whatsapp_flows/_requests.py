"""
The transport on requests; the only importer of requests.

It sends through the host's own `Session`, so that proxies, adapters, `verify`, `cert`, hooks and whatever patches
`Session.send` hold. What a failure means is read from the urllib3 cause, because requests folds a stall in the middle
of a body and a refused connection into the same `ConnectionError`:

    what happened                                        urllib3 says                          error
    connection refused, unreachable, unknown host        NewConnectionError                    NotSentError
    time-out while connecting                            ConnectTimeoutError                   NotSentError
    a host or a proxy that is no name                    LocationValueError, InvalidURL        NotSentError
    a header of the session that HTTP cannot carry       ValueError from http.client           ConfigurationError
    the proxy refuses, or cannot be reached              ProxyError                            NotSentError
    connection closed during the TLS handshake           SSLError(SSLEOFError)                 NotSentError
    certificate, handshake, no TLS on the other side     SSLError                              TlsError
    TLS that breaks while data flows                     SSLError, from a read or a write      NoAnswerError
    silence after the request, stall in mid-body         ReadTimeoutError                      NoAnswerError
    reset or closed after the request                    ProtocolError                         NoAnswerError
    body shorter than promised, bad chunk                IncompleteRead, InvalidChunkLength    NoAnswerError
    not sent, but the host's adapter had tried before    any of the first rows                 NoAnswerError
    the answer has no end in time, `stop` was set        TimeOverError                         NoAnswerError
    the same before anything was sent                    TimeOverError                         NotSentError
    body that cannot be unpacked, or is too large        DamagedError, TooLargeError           UnexpectedResponseError
    a mistake of the host's, in a hook or an adapter     anything else                         comes out as it is
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3 import exceptions as urllib3
from urllib3.util.retry import Retry

from ._bounded import POOLS, Exchange, bound, bounded
from ._decoding import DamagedError, TooLargeError, decoded
from ._forks import register_after_fork
from ._version import __version__
from ._wire import Request, Response, redact, thread_stop
from .errors import (
    ConfigurationError,
    ErrorDetails,
    FlowsError,
    NoAnswerError,
    NotSentError,
    TlsError,
    UnexpectedResponseError,
)
from .transport import MAX_RESPONSE_BYTES, Timeout

Session = requests.Session

_USER_AGENT: Final = f"whatsapp-flows-sdk/{__version__}"

# From the cause, first match wins; what stands in no row may have been sent.
_CAUSES: Final[tuple[tuple[type[BaseException], type[FlowsError]], ...]] = (
    (urllib3.NewConnectionError, NotSentError),
    (urllib3.ConnectTimeoutError, NotSentError),
    (urllib3.LocationValueError, NotSentError),
    (requests.exceptions.InvalidURL, NotSentError),
    (requests.exceptions.InvalidSchema, NotSentError),
    (urllib3.ProxyError, NotSentError),
    (ssl.SSLEOFError, NotSentError),
    (ssl.SSLError, TlsError),
    (urllib3.SSLError, TlsError),
    (urllib3.DecodeError, UnexpectedResponseError),
    (DamagedError, UnexpectedResponseError),
)

# Their texts quote the address, which may be a proxy's, and with it the password that could not be told from a host.
_UNUSABLE: Final = "the address of the host, or of the proxy, cannot be used"
_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (
        requests.exceptions.InvalidSchema,
        "no adapter is mounted for the address, or a SOCKS proxy needs requests[socks]",
    ),
    (requests.exceptions.InvalidURL, _UNUSABLE),
    (urllib3.LocationValueError, _UNUSABLE),
)

# Where an OSError or a ValueError that no exception of requests stands for may come from, to be the network's: any
# other was raised by the host's own code.
_NETWORK: Final = ("requests", "urllib3", "http", "ssl", "socket", "encodings", "idna", __package__)
_HOOKS: Final = "requests.hooks"  # what comes out of it was raised by a hook of the host's

_ADDRESSES: Final = "requests.utils"
_HOSTS: Final = 10  # to which connections are kept: as many as urllib3 itself keeps pools for
_BLOCK: Final = 64 * 1024  # bytes of a body that are read at once

_CONNECTIONS: Final = 100  # kept open to one host: as many threads as a busy worker has; requests keeps 10

_POOL: Final = re.compile(r"^\w+\(host=[^)]*\): ")  # what urllib3 puts in front, and the message has already

_TLS_DATA: Final = {"read", "write", "recv", "recv_into", "send", "sendall"}  # methods of ssl.SSLSocket

# What `Session.merge_environment_settings` looks at for a scheme, besides the session and the URL's host.
_VARIABLES: Final = {
    scheme: (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", *more)
    for scheme, more in (("http", ("REQUEST_METHOD",)), ("https", ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")))
}


class RequestsTransport:
    """
    Sends through a `requests.Session`: the host's, which stays open, or one of its own. Threads may share it.

    An answer of more than `max_response_bytes`, after decompression, is an `UnexpectedResponseError`. A session of our
    own keeps no cookies, and connections to at most ten hosts. After a fork the child opens connections of its own, in
    a session of the host's as well: its adapters are set up anew there, as if they had been unpickled.
    """

    def __init__(
        self,
        session: Session | None = None,
        *,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        now: Callable[[], float] = time.time,
    ) -> None:
        if session is not None and not isinstance(session, Session):
            kind = f"{type(session).__module__.partition('.')[0]}.{type(session).__name__}"
            remedy = " (AsyncFlowsClient takes that one)" if kind == "aiohttp.ClientSession" else ""
            raise ConfigurationError(f"session must be a requests.Session, not {kind}{remedy}.")
        if isinstance(max_response_bytes, bool) or not isinstance(max_response_bytes, int) or max_response_bytes < 1:
            raise ConfigurationError("max_response_bytes must be a whole number of bytes above 0.")
        self._owned = session is None
        self._closed = False
        self._session = _own_session() if session is None else session
        self._limit = max_response_bytes
        self._now = now
        self._settings: dict[object, Mapping[str, Any]] = {}
        self._parents: list[object] = []
        register_after_fork(self)

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """One request, one answer. Raises `NotSentError`, `TlsError`, `NoAnswerError` or `UnexpectedResponseError`."""
        if self._closed:
            raise ConfigurationError("the client that opened these connections has been closed: make another.")
        prepared = self._prepared(request)
        exchange = Exchange(timeout, thread_stop(request), body_bytes=2 * self._limit, clock=time.monotonic)
        try:
            with bounded(exchange):
                return self._response(self._answer(prepared, timeout), request)
        except TooLargeError:
            error = self._too_large(request)
        except (requests.RequestException, urllib3.HTTPError, http.client.HTTPException, DamagedError) as failure:
            if _from_a_hook(failure):
                raise
            error = self._translated(failure, request, exchange)
        except (OSError, ValueError) as failure:
            if _from_a_hook(failure) or not _of_the_network(failure):
                raise
            error = self._translated(failure, request, exchange)
        except TypeError as failure:
            if _frames(failure)[-1] != _ADDRESSES:  # which falls over a proxy without a host
                raise
            error = _error(NotSentError, _UNUSABLE, request)
        # Outside the handler, so that the error does not carry requests' own, which holds the request and its token.
        raise error

    def close(self) -> None:
        """Closes the session, unless it is the host's."""
        if self._owned:
            self._closed = True
            self._session.close()

    def after_fork(self) -> None:
        """
        In a child: other connections than the parent's, whose answers are for the parent.

        Those are kept and never touched: a thread of the parent may have held a lock in there, and closing TLS would
        say so to the server.
        """
        self._settings = {}
        if self._owned:
            self._parents.append(self._session)
            if not self._closed:
                self._session = _own_session()
            return
        for adapter in {id(each): each for each in self._session.adapters.values()}.values():
            if isinstance(adapter, HTTPAdapter):
                self._parents += [adapter.poolmanager, adapter.proxy_manager]
                adapter.__setstate__(adapter.__getstate__())

    def _answer(self, prepared: requests.PreparedRequest, timeout: Timeout) -> requests.Response:
        environment = self._environment(str(prepared.url))
        if not self._owned:
            self._bind(prepared, environment)
        try:
            return self._session.send(
                prepared,
                timeout=(min(timeout.connect, timeout.total), timeout.read),
                allow_redirects=False,
                **{**environment, "stream": True},  # or requests itself would read the body, whatever its size
            )
        except requests.HTTPError as refusal:  # a hook of the host's called raise_for_status
            if refusal.response is None:
                raise
            return refusal.response

    def _bind(self, prepared: requests.PreparedRequest, environment: Mapping[str, Any]) -> None:
        """Has the connections of the host's adapter keep the bounds, if it is one that has connections of urllib3."""
        try:
            adapter = self._session.get_adapter(str(prepared.url))
        except requests.exceptions.InvalidSchema:
            return  # which sending will say
        if isinstance(adapter, HTTPAdapter):
            pool = adapter.get_connection_with_tls_context(
                prepared, environment["verify"], proxies=environment["proxies"], cert=environment["cert"]
            )
            if isinstance(pool, HTTPConnectionPool):
                bound(pool)

    def _prepared(self, request: Request) -> requests.PreparedRequest:
        """
        The request as requests sends it, with the session's headers, cookies and hooks.

        Built by hand: `Session.prepare_request` would look into netrc, and encode the body again for each attempt.
        """
        session = self._session
        headers = session.headers.copy() if self._owned else _host_headers(session)
        headers["Accept-Encoding"] = "gzip, deflate"  # what is unpacked here, within bounds
        if request.content_type:
            headers["Content-Type"] = request.content_type
        if request.body is not None or request.method == "POST":
            headers["Content-Length"] = str(len(request.body or b""))
        if request.token is not None:
            headers["Authorization"] = _Bearer(f"Bearer {request.token.reveal()}")
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = request.signed_url
        prepared.headers = headers  # type: ignore[assignment]  # values may be bytes too, which ours are not
        prepared.body = request.body
        prepared.hooks = session.hooks if self._owned else _with_hook(session.hooks)
        if session.cookies:
            prepared.prepare_cookies(session.cookies)
        else:
            prepared._cookies = session.cookies  # what prepare_cookies does first; requests needs it for a redirect
        return prepared

    def _environment(self, url: str) -> Mapping[str, Any]:
        """
        Proxies, `verify` and `cert`, from the session and the environment.

        requests works them out anew for each request, at a quarter of the cost of the whole; they are kept here for as
        long as everything they depend on stays the same.
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

    def _translated(self, failure: BaseException, request: Request, exchange: Exchange) -> FlowsError:
        causes = tuple(_causes(failure))
        said = redact(_POOL.sub("", str(causes[-1])) or type(causes[-1]).__name__, request.token)
        said = next((words for kind, words in _WORDS if any(isinstance(cause, kind) for cause in causes)), said)
        for value in request.proof.values():
            said = said.replace(value, "[redacted]")
        error = next((error for kind, error in _CAUSES if any(isinstance(it, kind) for it in causes)), NoAnswerError)
        if exchange.too_large:
            return self._too_large(request)
        if exchange.over:
            error, said = (NoAnswerError if exchange.sent else NotSentError), exchange.over
        elif any(_passed(cause, "http.client", {"putheader", "putrequest"}) for cause in causes):
            return ConfigurationError("a header of the session holds characters that HTTP cannot carry.")
        if any(_passed(cause, "requests.adapters", {"cert_verify"}) for cause in causes):
            error = TlsError  # a CA bundle or a certificate is missing
        elif any(isinstance(cause, ssl.SSLError) and _passed(cause, "ssl", _TLS_DATA) for cause in causes) or (
            error is NotSentError and self._tried_before(request)
        ):
            error = NoAnswerError
        if error is NoAnswerError and self._owned and exchange.connects and not exchange.sent:
            error = NotSentError  # silence, but while the connection was still made
        return _error(error, said, request)

    def _too_large(self, request: Request) -> FlowsError:
        return _error(UnexpectedResponseError, f"the answer has more than {self._limit} bytes", request)

    def _tried_before(self, request: Request) -> bool:
        """Whether the host's adapter sends such a request again by itself, so that the last try was not the only."""
        try:
            retries = getattr(self._session.get_adapter(request.url), "max_retries", None)
        except requests.exceptions.InvalidSchema:
            return False
        if not isinstance(retries, Retry) or (retries.total is not None and not retries.total):
            return False  # a total of None has no limit
        return not retries.allowed_methods or request.method in retries.allowed_methods

    def _response(self, answer: requests.Response, request: Request) -> Response:
        try:
            body = decoded(self._packed(answer), *self._coding(answer), self._limit)
        except BaseException:
            answer.close()  # nothing else is to be read from this connection
            raise
        return Response(
            status=answer.status_code, headers=answer.headers, body=body, received_at=self._now(), token=request.token
        )

    def _packed(self, answer: requests.Response) -> bytes:
        """The body as it came, or as a hook of the host's has unpacked it already."""
        if answer._content_consumed or not isinstance(answer.raw, HTTPResponse):
            pieces = answer.iter_content(_BLOCK)
        else:
            pieces = iter(lambda: answer.raw.read(_BLOCK, decode_content=False), b"")
        body = bytearray()
        for piece in pieces:
            body += piece
            if len(body) > self._limit:
                raise TooLargeError
        return bytes(body)

    def _coding(self, answer: requests.Response) -> tuple[str]:
        """How the body is packed that `_packed` returns."""
        plain = answer._content is not False or not isinstance(answer.raw, HTTPResponse)
        return ("" if plain else answer.headers.get("Content-Encoding", ""),)


class _Adapter(HTTPAdapter):
    """
    requests' adapter without the search for the connection pool, which it would otherwise repeat for each request.

    For a session of our own alone: what a host mounts is the host's.
    """

    def __init__(self, *, pool_maxsize: int) -> None:
        self._pools: dict[object, HTTPConnectionPool] = {}
        super().__init__(pool_connections=_HOSTS, pool_maxsize=pool_maxsize)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        """With connections that keep bounds."""
        super().init_poolmanager(connections, maxsize, block, **more)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(proxy, **more)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool for the request's host; one that urllib3 has closed meanwhile is not used again."""
        host = (request.url or "").partition("://")[2].partition("/")[0]
        key = (request.url or "")[:5], host, verify, cert, tuple(proxies.items()) if proxies else ()
        pool = self._pools.get(key)
        if pool is None or pool.pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            while len(self._pools) >= _HOSTS:  # the one that was added first; its connections close with it
                self._pools.pop(next(iter(self._pools)), None)
            self._pools[key] = pool
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: HTTPResponse) -> requests.Response:
        """As requests does it, but for cookies, which are not kept."""
        answer = requests.Response()
        answer.status_code, answer.reason = resp.status, resp.reason or ""
        answer.headers = resp.headers  # type: ignore[assignment]  # as blind to case as requests' own
        answer.raw, answer.url, answer.request = resp, str(req.url), req
        return answer

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Without a proxy, the path."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def close(self) -> None:
        """Forgets the pools, and closes them."""
        self._pools.clear()
        super().close()


def _host_headers(session: Session) -> CaseInsensitiveDict[str]:
    """The host's headers, but none of its credentials, and our User-Agent unless the host has chosen one."""
    headers = CaseInsensitiveDict({name: value for name, value in session.headers.items() if value is not None})
    headers.pop("Authorization", None)
    if str(headers.get("User-Agent", "python-requests/")).startswith("python-requests/"):
        headers["User-Agent"] = _USER_AGENT
    return headers


class _OwnSession(Session):
    """A session that keeps no cookies, and does not look where a redirect would lead: none is followed."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: a `Location` that cannot be read would be an error, and the answer lost."""
        return None


def _own_session() -> Session:
    """A session with the headers that matter; HTTP/1.1 needs neither `Connection` nor `Accept`."""
    session = _OwnSession()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers = CaseInsensitiveDict({"User-Agent": _USER_AGENT})
    session.mount("https://", _Adapter(pool_maxsize=_CONNECTIONS))
    session.mount("http://", _Adapter(pool_maxsize=_CONNECTIONS))
    return session


class _Bearer(str):
    """The header's value, which a traceback that shows local variables, or a repr of the headers, does not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'Bearer ***'"


def _with_hook(hooks: Mapping[str, Any]) -> dict[str, Any]:
    """
    The host's hooks, and one after them that puts `Location` aside.

    requests looks where a redirect leads although it is not followed: it would read the body, whatever its size, and
    fail for an address that makes no sense.
    """
    given = hooks.get("response") or ()
    return {**hooks, "response": [*((given,) if callable(given) else given), _without_location]}


def _without_location(answer: requests.Response, **_: object) -> None:
    answer.headers.pop("Location", None)


def _error(kind: type[FlowsError], said: str, request: Request) -> FlowsError:
    return kind(
        ErrorDetails(
            message=f"{urlsplit(request.url).netloc.rpartition('@')[2]}: {said}",
            operation=request.operation,
            flow_id=request.flow_id,
            advice=kind.default_advice,
        )
    )


def _frames(failure: BaseException) -> list[str]:
    """The modules that an exception came through, the innermost last."""
    return [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(failure.__traceback__)]


def _from_a_hook(failure: BaseException) -> bool:
    return _HOOKS in _frames(failure)


def _of_the_network(failure: BaseException) -> bool:
    """Whether an OSError or a ValueError was raised where bytes are sent, and not by an adapter of the host's."""
    if isinstance(failure, (ConnectionError, TimeoutError, ssl.SSLError, socket.gaierror)):
        return True
    return _frames(failure)[-1].partition(".")[0] in _NETWORK


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """
    The exception and those inside it, outermost first.

    requests and urllib3 hand the cause on as an argument or as `reason`; `__context__` may be of another story.
    """
    seen: set[int] = set()
    following: object = failure
    while isinstance(following, BaseException) and id(following) not in seen:
        seen.add(id(following))
        yield following
        inner = [
            part for part in (getattr(following, "reason", None), *following.args) if isinstance(part, BaseException)
        ]
        following = inner[0] if inner else None


def _passed(cause: BaseException, module: str, functions: Collection[str]) -> bool:
    """Whether an exception came out of one of these functions: what the handshake raises came from no read or write."""
    frames = (frame for frame, _ in traceback.walk_tb(cause.__traceback__))
    return any(frame.f_globals.get("__name__") == module and frame.f_code.co_name in functions for frame in frames)
