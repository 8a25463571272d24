"""
The transport on requests; the only importer of requests.

It sends through the host's own `Session`, so that proxies, adapters, `verify`, `cert`, hooks and whatever patches
`Session.send` hold. What a failure means is read from the urllib3 cause, because requests folds a stall in the middle
of a body and a refused connection into the same `ConnectionError`:

    what happened                                        urllib3 says                          error
    connection refused, unreachable, unknown host        NewConnectionError                    NotSentError
    time-out while connecting                            ConnectTimeoutError                   NotSentError
    a host or a proxy that is no name                    LocationValueError, InvalidURL        NotSentError
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
import ssl
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3 import exceptions as urllib3
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
    (urllib3.ProxyError, NotSentError),
    (ssl.SSLEOFError, NotSentError),
    (ssl.SSLError, TlsError),
    (urllib3.SSLError, TlsError),
    (urllib3.DecodeError, UnexpectedResponseError),
)

_TLS_DATA: Final = {"read", "write", "recv", "recv_into", "send", "sendall"}  # methods of ssl.SSLSocket

# What `Session.merge_environment_settings` looks at, besides the session and the URL's host.
_PROXY_VARIABLES: Final = tuple(
    spelling
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for spelling in (name, name.upper())
)  # fmt: skip
_VARIABLES: Final = (*_PROXY_VARIABLES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUEST_METHOD")


class RequestsTransport:
    """Sends through a `requests.Session`: the host's, which stays open, or one of its own. Threads may share it."""

    def __init__(self, session: Session | None = None, *, now: Callable[[], float] = time.time) -> None:
        if session is not None and not isinstance(session, Session):
            raise ConfigurationError(f"session must be a requests.Session, not {type(session).__name__}.")
        self._owned = session is None
        self._session = Session() if session is None else session
        self._now = now
        self._settings: dict[object, Mapping[str, Any]] = {}

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """One request, one answer. Raises `NotSentError`, `TlsError`, `NoAnswerError` or `UnexpectedResponseError`."""
        prepared = self._prepared(request)
        try:
            return self._response(self._answer(prepared, timeout), request)
        except (requests.RequestException, urllib3.HTTPError, OSError, ValueError) as exc:
            failure = exc
        # Outside the handler, so that the error does not carry requests' own, which holds the request and its token.
        raise self._translated(failure, request)

    def close(self) -> None:
        """Closes the session, unless it is the host's."""
        if self._owned:
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
        headers: CaseInsensitiveDict[str | bytes] = CaseInsensitiveDict(session.headers)
        for name in [name for name, value in headers.items() if value is None]:
            del headers[name]  # as in requests, where None leaves a header out
        if str(headers.get("User-Agent", "python-requests/")).startswith("python-requests/"):
            headers["User-Agent"] = _USER_AGENT
        if request.content_type:
            headers["Content-Type"] = request.content_type
        if request.body is not None or request.method == "POST":
            headers["Content-Length"] = str(len(request.body or b""))
        headers.pop("Authorization", None)
        if request.token is not None:
            headers["Authorization"] = f"Bearer {request.token.reveal()}"
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = _with_proof(request)
        prepared.headers = headers
        prepared.body = request.body
        prepared.hooks = session.hooks
        prepared.prepare_cookies(session.cookies)
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
        parts = urlsplit(url)
        key = (
            parts.scheme,
            parts.netloc,
            session.trust_env,
            session.verify,
            session.cert,
            tuple(session.proxies.items()),
            tuple(map(os.environ.get, _VARIABLES)),
        )
        settings = self._settings.get(key)
        if settings is None:
            settings = session.merge_environment_settings(url, {}, None, None, None)
            self._settings = {key: settings}
        return settings

    def _translated(self, failure: BaseException, request: Request) -> FlowsError:
        causes = tuple(_causes(failure))
        said = redact(str(causes[-1]) or type(causes[-1]).__name__, (request.token,) if request.token else ())
        error = next((error for kind, error in _CAUSES if any(isinstance(it, kind) for it in causes)), NoAnswerError)
        if type(failure) is OSError:
            error = TlsError  # the only OSError that requests does not wrap: a CA bundle or a certificate is missing
        elif any(map(_data_flowed, causes)) or (error is NotSentError and self._tried_before(request)):
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
        if not isinstance(retries, Retry) or not retries.total:
            return False
        return not retries.allowed_methods or request.method in retries.allowed_methods

    def _response(self, answer: requests.Response, request: Request) -> Response:
        return Response(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=answer.content,
            received_at=self._now(),
            token=request.token,
        )


def _with_proof(request: Request) -> str:
    if not request.proof:
        return request.url
    return f"{request.url}{'&' if '?' in request.url else '?'}{urlencode(request.proof)}"


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


def _data_flowed(cause: BaseException) -> bool:
    """Whether a TLS error came from a read or a write: what is raised in the handshake came from neither."""
    frames = (frame for frame, _ in traceback.walk_tb(cause.__traceback__))
    return isinstance(cause, ssl.SSLError) and any(
        frame.f_globals.get("__name__") == "ssl" and frame.f_code.co_name in _TLS_DATA for frame in frames
    )
