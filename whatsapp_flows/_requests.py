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
    body that cannot be unpacked                         DecodeError                           UnexpectedResponseError
    anything else                                                                              NoAnswerError
"""

from __future__ import annotations

import os
import re
import ssl
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3 import exceptions as urllib3
from urllib3.connection import HTTPSConnection
from urllib3.util.retry import Retry

from ._version import __version__
from ._wire import Request, Response, redact
from .errors import (
    ConfigurationError,
    ErrorDetails,
    FlowsError,
    NoAnswerError,
    NotSentError,
    TlsError,
    UnexpectedResponseError,
)
from .transport import Timeout

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
)

_CONNECTIONS: Final = 100  # kept open to one host: as many threads as a busy worker has; requests keeps 10

_POOL: Final = re.compile(r"^\w+\(host=[^)]*\): ")  # what urllib3 puts in front, and the message has already

_TLS_DATA: Final = {"read", "write", "recv", "recv_into", "send", "sendall"}  # methods of ssl.SSLSocket

# What `Session.merge_environment_settings` looks at for a scheme, besides the session and the URL's host.
_VARIABLES: Final = {
    scheme: (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", *more)
    for scheme, more in (("http", ("REQUEST_METHOD",)), ("https", ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")))
}


class RequestsTransport:
    """Sends through a `requests.Session`: the host's, which stays open, or one of its own. Threads may share it."""

    def __init__(self, session: Session | None = None, *, now: Callable[[], float] = time.time) -> None:
        if session is not None and not isinstance(session, Session):
            kind = f"{type(session).__module__.partition('.')[0]}.{type(session).__name__}"
            remedy = " (AsyncFlowsClient takes that one)" if kind == "aiohttp.ClientSession" else ""
            raise ConfigurationError(f"session must be a requests.Session, not {kind}{remedy}.")
        self._owned = session is None
        self._closed = False
        self._session = _own_session() if session is None else session
        self._now = now
        self._settings: dict[object, Mapping[str, Any]] = {}

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """One request, one answer. Raises `NotSentError`, `TlsError`, `NoAnswerError` or `UnexpectedResponseError`."""
        if self._closed:
            raise ConfigurationError("the client that opened these connections has been closed: make another.")
        prepared = self._prepared(request)
        try:
            return self._response(self._answer(prepared, timeout), request)
        except (requests.RequestException, urllib3.HTTPError, OSError, ValueError) as failure:
            error = self._translated(failure, request)
        # Outside the handler, so that the error does not carry requests' own, which holds the request and its token.
        raise error

    def close(self) -> None:
        """Closes the session, unless it is the host's."""
        if self._owned:
            self._closed = True
            self._session.close()

    def _answer(self, prepared: requests.PreparedRequest, timeout: Timeout) -> requests.Response:
        try:
            return self._session.send(
                prepared,
                timeout=(timeout.connect, timeout.read),
                allow_redirects=False,
                **self._environment(str(prepared.url)),
            )
        except requests.HTTPError as refusal:  # a hook of the host's called raise_for_status
            if refusal.response is None:
                raise
            return refusal.response

    def _prepared(self, request: Request) -> requests.PreparedRequest:
        """
        The request as requests sends it, with the session's headers, cookies and hooks.

        Built by hand: `Session.prepare_request` would look into netrc, and encode the body again for each attempt.
        """
        session = self._session
        headers = session.headers.copy() if self._owned else _host_headers(session)
        if request.content_type:
            headers["Content-Type"] = request.content_type
        if request.body is not None or request.method == "POST":
            headers["Content-Length"] = str(len(request.body or b""))
        if request.token is not None:
            headers["Authorization"] = f"Bearer {request.token.reveal()}"
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = request.signed_url
        prepared.headers = headers  # type: ignore[assignment]  # values may be bytes too, which ours are not
        prepared.body = request.body
        prepared.hooks = session.hooks
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

    def _translated(self, failure: BaseException, request: Request) -> FlowsError:
        causes = tuple(_causes(failure))
        said = redact(_POOL.sub("", str(causes[-1])) or type(causes[-1]).__name__, request.token)
        error = next((error for kind, error in _CAUSES if any(isinstance(it, kind) for it in causes)), NoAnswerError)
        if any(_passed(cause, "http.client", {"putheader", "putrequest"}) for cause in causes):
            return ConfigurationError("a header of the session holds characters that HTTP cannot carry.")
        if any(_passed(cause, "requests.adapters", {"cert_verify"}) for cause in causes):
            error = TlsError  # a CA bundle or a certificate is missing
        elif any(isinstance(cause, ssl.SSLError) and _passed(cause, "ssl", _TLS_DATA) for cause in causes) or (
            error is NotSentError and self._tried_before(request)
        ):
            error = NoAnswerError
        return error(
            ErrorDetails(
                message=f"{urlsplit(request.url).netloc}: {said}",
                operation=request.operation,
                flow_id=request.flow_id,
                advice=error.default_advice,
            )
        )

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
        return Response(
            status=answer.status_code,
            headers=answer.headers,
            body=answer.raw.read(decode_content=True) if self._owned else answer.content,
            received_at=self._now(),
            token=request.token,
        )


class _Connection(HTTPSConnection):
    """urllib3's, which uses no kept connection whose socket has something to read; nor one whose TLS library has."""

    @property
    def is_connected(self) -> bool:
        """Whether it is open, and nothing that nobody asked for waits on it."""
        pending = getattr(self.sock, "pending", None)
        return super().is_connected and not (callable(pending) and pending())


class _Adapter(HTTPAdapter):
    """
    requests' adapter without the search for the connection pool, which it would otherwise repeat for each request.

    For a session of our own alone: what a host mounts is the host's.
    """

    def __init__(self, *, pool_maxsize: int) -> None:
        self._pools: dict[object, HTTPConnectionPool] = {}
        super().__init__(pool_maxsize=pool_maxsize)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool for the request's host; one that urllib3 has closed meanwhile is not used again."""
        host = (request.url or "").partition("://")[2].partition("/")[0]
        key = (request.url or "")[:5], host, verify, cert, tuple(proxies.items()) if proxies else ()
        pool = self._pools.get(key)
        if pool is None or pool.pool is None:
            pool = self._pools[key] = super().get_connection_with_tls_context(request, verify, proxies, cert)
            if isinstance(pool, HTTPSConnectionPool):
                pool.ConnectionCls = _Connection
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: HTTPResponse) -> requests.Response:
        """As requests does it, but the cookie jar is opened only for an answer that brings a cookie."""
        if "Set-Cookie" in resp.headers:
            return super().build_response(req, resp)
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


def _own_session() -> Session:
    """A session with the headers that matter; HTTP/1.1 needs neither `Connection` nor `Accept`."""
    session = Session()
    session.headers = CaseInsensitiveDict({"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip, deflate"})
    session.stream = True  # the body is read from urllib3, whose failures say what happened
    session.mount("https://", _Adapter(pool_maxsize=_CONNECTIONS))
    session.mount("http://", _Adapter(pool_maxsize=_CONNECTIONS))
    return session


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
