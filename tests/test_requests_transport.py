"""The transport on requests: what each failure means, what of the host's session holds, and where the token goes."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import requests_mock
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry

from tests import misbehaving as bad
from tests.misbehaving import Behaviour, Received, Server, answers, replies
from whatsapp_flows import (
    ConfigurationError,
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    InvalidRequestError,
    NoAnswerError,
    NotFoundError,
    NotSentError,
    RetryableError,
    ServiceUnavailableError,
    Timeout,
    TlsError,
    UnexpectedResponseError,
    __version__,
)
from whatsapp_flows._requests import RequestsTransport
from whatsapp_flows._wire import Request, Secret

TOKEN = "EAAGm0PX4ZCpsBA" + "k7Qz9LtR" * 12
APP_SECRET = "0123456789abcdef0123456789abcdef"
FLOW_ID = "1234567890"
UPLOAD_PATH = f"/v25.0/{FLOW_ID}/assets"
DOCUMENT = '{"version": "7.0", "screens": []}'

PATIENT = Timeout(connect=10.0, read=10.0)
QUICK = Timeout(connect=10.0, read=0.15)  # for an answer that does not come
QUICK_TO_CONNECT = Timeout(connect=0.15, read=10.0)  # for a connection, a handshake or a tunnel that does not come


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


def client_for(url: str, session: requests.Session | None = None, **options: Any) -> FlowsClient:
    usual: dict[str, Any] = {"base_url": url, "session": session, "timeout": PATIENT, "sleep": no_wait}
    return FlowsClient(TOKEN, "102290129340398", **{**usual, **options})


def no_wait(_: float) -> None:
    """Time is a parameter."""


def request_to(url: str, *, method: str = "POST", token: str | None = TOKEN, **more: Any) -> Request:
    secret = None if token is None else Secret(token)
    return Request(method=method, url=url, operation="update_flow_json", flow_id=FLOW_ID, token=secret, **more)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """The host's own."""
    with requests.Session() as session:
        yield session


# What happened -> error


@dataclass(frozen=True)
class Row:
    """What the server did, the error that comes of it, and how many requests reached the server whole."""

    behaviour: Behaviour
    error: type[FlowsError]
    arrived: int
    timeout: Timeout = PATIENT
    trusted: bool = True

    def __str__(self) -> str:
        return str(self.behaviour)


TABLE = (
    Row(bad.RESET_BEFORE_READING, NoAnswerError, 0),
    Row(bad.SILENCE, NoAnswerError, 1, QUICK),
    Row(bad.RESET_AFTER_REQUEST, NoAnswerError, 1),
    Row(bad.CLOSE_AFTER_REQUEST, NoAnswerError, 1),
    Row(bad.STALL_IN_HEADERS, NoAnswerError, 1, QUICK),
    Row(bad.CUT_IN_HEADERS, NoAnswerError, 1),
    Row(bad.STALL_BEFORE_BODY, NoAnswerError, 1, QUICK),
    Row(bad.STALL_IN_BODY, NoAnswerError, 1, QUICK),
    Row(bad.STALL_IN_CHUNK, NoAnswerError, 1, QUICK),
    Row(bad.RESET_IN_BODY, NoAnswerError, 1),
    Row(bad.SHORT_BODY, NoAnswerError, 1),
    Row(bad.BAD_CHUNK, NoAnswerError, 1),
    Row(bad.SHORT_CHUNK, NoAnswerError, 1),
    Row(bad.NO_LAST_CHUNK, NoAnswerError, 1),
    Row(bad.DAMAGED_GZIP, UnexpectedResponseError, 1),
    Row(bad.GARBAGE, NoAnswerError, 1),
    Row(bad.HUGE_HEADER, NoAnswerError, 1),
    Row(bad.MANY_HEADERS, NoAnswerError, 1),
    Row(bad.NO_TLS, TlsError, 0),
    Row(bad.TLS_SILENCE, NoAnswerError, 0, QUICK_TO_CONNECT),
    Row(bad.TLS_CUT, NotSentError, 0),
    Row(bad.TLS_RESET, NoAnswerError, 0),
    Row(answers(secured=True), TlsError, 0, trusted=False),
    Row(bad.TLS_CLOSE_AFTER_REQUEST, NoAnswerError, 1),
    Row(bad.TLS_SILENCE_AFTER_REQUEST, NoAnswerError, 1, QUICK),
    Row(bad.TLS_SHORT_BODY, NoAnswerError, 1),
    Row(bad.TLS_DAMAGED_ANSWER, NoAnswerError, 1),
    Row(bad.TLS_DAMAGED_BODY, NoAnswerError, 1),
)

MAY_HAVE_ACTED: Mapping[type[FlowsError], bool] = {
    NotSentError: False,
    TlsError: False,
    NoAnswerError: True,
    UnexpectedResponseError: True,
}
RETRYABLE = {NotSentError, NoAnswerError}

Send = Callable[[str, requests.Session, Timeout], object]


def by_client(url: str, session: requests.Session, timeout: Timeout) -> object:
    client = client_for(url, session, timeout=timeout)
    return client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)


def by_transport(url: str, session: requests.Session, timeout: Timeout) -> object:
    request = request_to(url + UPLOAD_PATH, body=DOCUMENT.encode())
    return RequestsTransport(session).send(request, timeout=timeout)


both_ways = pytest.mark.parametrize("send", [by_client, by_transport])


def assert_is(error: FlowsError, expected: type[FlowsError]) -> None:
    assert type(error) is expected, repr(error)
    assert error.may_have_acted is MAY_HAVE_ACTED[expected]
    assert isinstance(error, RetryableError) is (expected in RETRYABLE)
    assert error.operation == "update_flow_json"
    assert error.flow_id == FLOW_ID
    assert error.http_status is None
    assert error.advice == expected.default_advice
    assert "127.0.0.1:" in error.message or "nonexistent" in error.message


@both_ways
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_failure_says_whether_the_request_may_have_arrived(
    row: Row, send: Send, session: requests.Session, tmp_path: Path
) -> None:
    """What the server does after the request arrived leaves the outcome open; what it does before may not."""
    if row.trusted:
        session.verify = bad.certificate_file(tmp_path)
    with Server(row.behaviour) as server, pytest.raises(FlowsError) as caught:
        send(server.url, session, row.timeout)
    assert_is(caught.value, row.error)
    assert len(server.requests) == row.arrived
    if row.arrived:
        assert MAY_HAVE_ACTED[row.error]


def test_every_misbehaviour_has_a_row() -> None:
    """What the server can do wrong is what the table is about."""
    assert [row.behaviour for row in TABLE if row.trusted] == list(bad.MISBEHAVIOURS)


@both_ways
@pytest.mark.parametrize("place", [bad.refusing, bad.unreachable])
def test_what_never_connected_was_not_sent(
    place: Callable[[], AbstractContextManager[str]], send: Send, session: requests.Session
) -> None:
    """A refused connection, and one that is not accepted in time: nothing reached the server."""
    with place() as url, pytest.raises(FlowsError) as caught:
        send(url, session, QUICK_TO_CONNECT)
    assert_is(caught.value, NotSentError)


@both_ways
@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_an_unknown_host_was_not_sent(
    code: int, send: Send, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a name that does not exist nor a resolver that is down let anything leave."""

    def resolver(host: str, *_: object, **__: object) -> object:
        raise socket.gaierror(code, f"nobody is called {host}")

    monkeypatch.setattr(socket, "getaddrinfo", resolver)  # no test waits for the machine's DNS
    with pytest.raises(FlowsError) as caught:
        send("http://nonexistent.invalid", session, PATIENT)
    assert_is(caught.value, NotSentError)


@both_ways
@pytest.mark.parametrize("host", ["nonexistent..invalid", "nonexistent" + "x" * 60])
def test_a_host_that_cannot_be_a_name_was_not_sent(host: str, send: Send, session: requests.Session) -> None:
    """An empty label, or one of more than 63 characters, is never even looked up."""
    with pytest.raises(FlowsError) as caught:
        send(f"http://{host}", session, PATIENT)
    assert_is(caught.value, NotSentError)


@both_ways
def test_a_proxy_url_that_cannot_be_read_was_not_sent(send: Send, session: requests.Session) -> None:
    """Such as one with no host, which an empty variable in a template leaves behind."""
    session.proxies = {"http": "http:///"}
    with Server(answers()) as server, pytest.raises(FlowsError) as caught:
        send(server.url, session, PATIENT)
    assert_is(caught.value, NotSentError)
    assert server.connections == 0


@pytest.mark.parametrize(
    "retries", [Retry(total=1), Retry(total=None, connect=1, read=1), Retry(total=1, allowed_methods=None)], ids=str
)
def test_a_retry_inside_the_hosts_adapter_does_not_hide_that_it_was_sent(
    retries: Retry, session: requests.Session
) -> None:
    """The adapter's first try reached the server, its second was refused: the server may have acted."""
    session.mount("http://", HTTPAdapter(max_retries=retries))
    with (
        Server(bad.RESET_AFTER_REQUEST, connections=1) as server,
        client_for(server.url, session, max_attempts=1) as client,
        pytest.raises(FlowsError) as caught,
    ):
        client.delete_flow(FLOW_ID)
    assert len(server.requests) == 1
    assert caught.value.may_have_acted


@both_ways
def test_a_proxy_that_cannot_be_reached_was_not_sent(send: Send, session: requests.Session) -> None:
    """The request ended before the proxy."""
    with bad.refusing() as proxy:
        session.proxies = {"http": proxy}
        with pytest.raises(FlowsError) as caught:
            send("http://127.0.0.1:9", session, PATIENT)
    assert_is(caught.value, NotSentError)


@both_ways
@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (answers(status=407), NotSentError),
        (answers(status=502), NotSentError),
        (bad.CLOSE_AFTER_REQUEST, NoAnswerError),
        (bad.SILENCE, NoAnswerError),
    ],
    ids=str,
)
def test_a_proxy_that_opens_no_tunnel_sees_nothing(
    behaviour: Behaviour, error: type[FlowsError], send: Send, session: requests.Session
) -> None:
    """
    Neither the request nor the token.

    A proxy that refuses says so. One that leaves or is silent looks to urllib3 like a server that did, and the doubt
    goes to the safe side.
    """
    with Server(behaviour) as proxy:
        session.proxies = {"https": proxy.url}
        with pytest.raises(FlowsError) as caught:
            send("https://127.0.0.1:9", session, QUICK_TO_CONNECT if behaviour is bad.SILENCE else PATIENT)
    assert_is(caught.value, error)
    assert [(it.method, it.target) for it in proxy.requests] == [("CONNECT", "127.0.0.1:9")]
    assert TOKEN.encode() not in proxy.requests[0].raw_head


@both_ways
def test_a_stall_behind_a_proxy_was_sent(send: Send, session: requests.Session) -> None:
    """A proxy that took the request and then went silent is not one that refused it."""
    with Server(bad.SILENCE) as proxy:
        session.proxies = {"http": proxy.url}
        with pytest.raises(FlowsError) as caught:
            send("http://127.0.0.1:9", session, QUICK)
    assert_is(caught.value, NoAnswerError)
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("streaming", [False, True])
def test_a_session_that_streams_still_hands_over_whole_answers(streaming: bool, session: requests.Session) -> None:
    """With `session.stream` the body is read by us, and its failures are ours too."""
    session.stream = streaming
    transport = RequestsTransport(session)
    with Server(answers(b"whole"), bad.SHORT_BODY) as server:
        assert transport.send(request_to(server.url), timeout=PATIENT).body == b"whole"
        with pytest.raises(NoAnswerError):
            transport.send(request_to(server.url), timeout=PATIENT)


def test_the_answer_is_a_plain_value(session: requests.Session) -> None:
    """Status, lower-case headers, body and time of arrival, whatever the status is; and the token, to be masked."""
    transport = RequestsTransport(session, now=lambda: 1_700_000_000.5)
    request = request_to("")
    with Server(answers(b"{}", 418, {"X-FB-Trace-ID": "Abc"})) as server:
        answer = transport.send(request_to(server.url), timeout=PATIENT)
    assert (answer.status, answer.body, answer.received_at) == (418, b"{}", 1_700_000_000.5)
    assert answer.headers["x-fb-trace-id"] == "Abc"
    assert answer.token is not None
    assert request.token is not None
    assert answer.token.reveal() == request.token.reveal()


@both_ways
@pytest.mark.parametrize(("attribute", "content"), [("verify", None), ("cert", None), ("verify", "no certificate")])
def test_a_missing_certificate_is_tls_trouble(
    attribute: str, content: str | None, send: Send, session: requests.Session, tmp_path: Path
) -> None:
    """A CA bundle or a client certificate that is not there, or is none: nothing is sent, and no retry will help."""
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    setattr(session, attribute, str(path))
    with Server(answers(secured=True)) as server, pytest.raises(FlowsError) as caught:
        send(server.url, session, PATIENT)
    assert type(caught.value) is TlsError
    assert "127.0.0.1:" in caught.value.message
    assert server.requests == ()


# Connections


def test_an_idle_connection_that_was_closed_is_replaced() -> None:
    """A keep-alive connection that the server closed between two requests costs the second one nothing."""
    with Server(bad.ANSWER_AND_CLOSE, answers()) as server, client_for(server.url) as client:
        client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
        assert server.all_connections_end()
        client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
    assert (len(server.requests), server.connections) == (2, 2)


def test_a_kept_connection_that_is_closed_on_the_second_request_may_have_acted() -> None:
    """Once the second request is on its way, nobody can tell a late close from a lost answer."""
    with Server(answers(), bad.CLOSE_AFTER_REQUEST) as server, client_for(server.url) as client:
        client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
        with pytest.raises(NoAnswerError):
            client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
    assert (len(server.requests), server.connections) == (2, 1)


def test_connections_are_kept() -> None:
    """Calls after each other share one connection, refusals included."""
    with Server(answers(status=400), answers()) as server, client_for(server.url) as client:
        with pytest.raises(InvalidRequestError):
            client.publish_flow(FLOW_ID)
        client.publish_flow(FLOW_ID)
    assert (len(server.requests), server.connections) == (2, 1)


def test_a_client_closes_its_own_session() -> None:
    """Leaving the client's context ends the connections that it opened."""
    with Server(answers()) as server:
        with client_for(server.url) as client:
            client.publish_flow(FLOW_ID)
        assert server.all_connections_end()


def test_the_hosts_session_stays_open(session: requests.Session) -> None:
    """Leaving the client's context leaves the host's connection as it is."""
    with Server(answers()) as server:
        for _ in range(2):
            with client_for(server.url, session) as client:
                client.publish_flow(FLOW_ID)
        assert session.get(server.url, timeout=10).ok
    assert (len(server.requests), server.connections) == (3, 1)


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", [lambda it: it.publish_flow(FLOW_ID), lambda it: it.get_flow(FLOW_ID)])
def test_no_redirect_is_followed(status: int, call: Callable[[FlowsClient], object]) -> None:
    """A redirect is an error that names its status; the place that it names hears nothing."""
    with Server(answers()) as elsewhere, Server(bad.redirects(elsewhere.url_at("localhost"), status)) as server:
        with client_for(server.url, max_attempts=1) as client, pytest.raises(UnexpectedResponseError) as caught:
            call(client)
        assert caught.value.http_status == status
    assert (len(server.requests), len(elsewhere.requests), elsewhere.connections) == (1, 0, 0)


def test_no_redirect_of_a_download_is_followed() -> None:
    """Nor is one that the files' host answers."""
    with (
        Server(answers()) as elsewhere,
        Server(bad.redirects(elsewhere.url)) as cdn,
        Server(assets_at(cdn.url)) as api,
        client_for(api.url, max_attempts=1) as client,
        pytest.raises(UnexpectedResponseError),
    ):
        client.download_flow_json(FLOW_ID)
    assert (len(cdn.requests), elsewhere.connections) == (1, 0)


# What of the host's session holds


class Recorder(BaseAdapter):
    """An adapter of the host's: answers 200 and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[requests.PreparedRequest, Mapping[str, Any]]] = []
        self.closed = False

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        assert not args
        self.sent.append((request, options))
        answer = requests.Response()
        answer.status_code = 200
        answer.raw = io.BytesIO(b'{"success": true}')
        answer.request = request
        answer.url = request.url or ""
        return answer

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def recorder(session: requests.Session) -> Recorder:
    adapter = Recorder()
    session.mount("https://", adapter)
    return adapter


def publish(session: requests.Session, url: str = "https://graph.facebook.com") -> None:
    client_for(url, session).publish_flow(FLOW_ID)


def test_a_mounted_adapter_is_used(session: requests.Session, recorder: Recorder) -> None:
    """With the client's time-outs, without redirects, and only for what it was mounted for."""
    with client_for("https://graph.facebook.com", session, timeout=Timeout(connect=3, read=7)) as client:
        client.publish_flow(FLOW_ID)
    ((request, options),) = recorder.sent
    assert (request.method, request.url) == ("POST", f"https://graph.facebook.com/v25.0/{FLOW_ID}/publish")
    assert options["timeout"] == (3, 7)
    assert request.headers["Content-Length"] == "0"
    assert not recorder.closed


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("verify", False),
        ("verify", "/etc/ssl/ours.pem"),
        ("cert", "/etc/ssl/client.pem"),
        ("cert", ("/etc/ssl/client.pem", "/etc/ssl/client.key")),
    ],
    ids=repr,
)
def test_verify_and_cert_are_handed_on(
    attribute: str, value: object, session: requests.Session, recorder: Recorder
) -> None:
    """As the session has them, in every form that requests documents."""
    setattr(session, attribute, value)
    publish(session)
    assert recorder.sent[0][1][attribute] == value


def test_verify_is_on_unless_the_host_says_otherwise(session: requests.Session, recorder: Recorder) -> None:
    """An untouched session verifies."""
    publish(session)
    assert recorder.sent[0][1]["verify"] is True


def test_a_change_of_the_session_holds_from_the_next_request_on(session: requests.Session, recorder: Recorder) -> None:
    """What is remembered between requests does not outlive what it was made from."""
    client = client_for("https://graph.facebook.com", session)
    for proxies, verify, cert in (
        ({}, True, None),
        ({"https": "http://one"}, True, None),
        ({"https": "http://two"}, True, None),
        ({"https": "http://two"}, "/ours.pem", None),
        ({"https": "http://two"}, "/ours.pem", "/client.pem"),
        ({}, True, None),
    ):
        session.proxies, session.verify, session.cert = proxies, verify, cert
        client.publish_flow(FLOW_ID)
        options = recorder.sent[-1][1]
        assert (options["proxies"], options["verify"], options["cert"]) == (proxies, verify, cert)


def test_the_certificate_that_the_session_trusts_is_trusted(session: requests.Session, tmp_path: Path) -> None:
    """`verify` with the server's own certificate is a call that works."""
    session.verify = bad.certificate_file(tmp_path)
    with Server(answers(secured=True)) as server:
        publish(session, server.url)
        publish(session, server.url_at("localhost"))
    assert len(server.requests) == 2


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_ca_bundle_is_used(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is read again when it changes; without it the certificate is refused."""
    with Server(answers(secured=True)) as server, client_for(server.url) as client:
        with pytest.raises(TlsError):
            client.publish_flow(FLOW_ID)
        monkeypatch.setenv(variable, bad.certificate_file(tmp_path))
        client.publish_flow(FLOW_ID)


def test_a_session_that_does_not_trust_the_environment_ignores_it(
    session: requests.Session, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`trust_env = False` holds for proxies and CA bundles, also from one request to the next."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ours.pem")
    client = client_for("https://graph.facebook.com", session)
    client.publish_flow(FLOW_ID)
    session.trust_env = False
    client.publish_flow(FLOW_ID)
    trusting, distrusting = (options for _, options in recorder.sent)
    assert (dict(trusting["proxies"]), trusting["verify"]) == ({"https": "http://127.0.0.1:9"}, "/ours.pem")
    assert (dict(distrusting["proxies"]), distrusting["verify"]) == ({}, True)


def test_the_sessions_proxy_is_used(session: requests.Session) -> None:
    """It gets the whole URL; the server itself is not connected to."""
    with Server(answers()) as server, Server(answers()) as proxy:
        session.proxies = {"http": proxy.url}
        publish(session, server.url)
        (received,) = proxy.requests
        assert received.target == f"{server.url}/v25.0/{FLOW_ID}/publish"
    assert server.connections == 0


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_the_environments_proxy_is_used_and_read_again(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting, changing and unsetting the variable holds from the next request on."""
    with (
        Server(answers()) as server,
        Server(answers()) as one,
        Server(answers()) as two,
        client_for(server.url) as client,
    ):
        for place in (server, one, two, server):
            if place is server:
                monkeypatch.delenv(variable, raising=False)
            else:
                monkeypatch.setenv(variable, place.url)
            before = len(place.requests)
            client.publish_flow(FLOW_ID)
            assert len(place.requests) == before + 1
    assert (len(server.requests), len(one.requests), len(two.requests)) == (2, 1, 1)


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_honoured_and_read_again(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that stands in NO_PROXY is spoken to directly, from the next request on."""
    with Server(answers()) as server, Server(answers()) as proxy, client_for(server.url) as client:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        client.publish_flow(FLOW_ID)
        monkeypatch.setenv(variable, "127.0.0.1")
        client.publish_flow(FLOW_ID)
    assert (len(proxy.requests), len(server.requests)) == (1, 1)


def test_a_cgi_script_takes_no_proxy_from_a_request_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CGI, HTTP_PROXY is a header that anybody may send (httpoxy): it is dropped as soon as that is known."""
    with Server(answers()) as server, Server(answers()) as proxy, client_for(server.url) as client:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        client.publish_flow(FLOW_ID)
        monkeypatch.setenv("REQUEST_METHOD", "GET")
        client.publish_flow(FLOW_ID)
    assert (len(proxy.requests), len(server.requests)) == (1, 1)


@pytest.mark.parametrize("direct", ["127.0.0.1", "localhost"])
def test_no_proxy_is_asked_about_each_host(direct: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API by way of the proxy and its files directly, or the other way round, in one call."""
    content = DOCUMENT.encode()

    def serve(received: Received) -> bad.Answer:
        if "/file" in received.target:
            return bad.Answer(content)
        link = {"asset_type": "FLOW_JSON", "download_url": f"http://localhost:{server.port}/file"}
        return bad.Answer(json.dumps({"data": [link]}).encode())

    with Server(replies(serve)) as server, Server(replies(serve)) as proxy, client_for(server.url) as client:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", direct)
        assert client.download_flow_json(FLOW_ID) == content
    api, files = (server, proxy) if direct == "127.0.0.1" else (proxy, server)
    assert [urlsplit(it.target).path for it in api.requests] == [f"/v25.0/{FLOW_ID}/assets"]
    assert [urlsplit(it.target).path for it in files.requests] == ["/file"]


def test_a_session_class_with_its_own_settings_is_asked_each_time() -> None:
    """A subclass that overrides `merge_environment_settings` decides, and nothing of it is remembered."""

    class Session(requests.Session):
        asked = 0

        def merge_environment_settings(self, *args: Any, **options: Any) -> Any:
            self.asked += 1
            return {**super().merge_environment_settings(*args, **options), "verify": f"/bundle-{self.asked}.pem"}

    with Session() as session:
        recorder = Recorder()
        session.mount("https://", recorder)
        publish(session)
        publish(session)
    assert [options["verify"] for _, options in recorder.sent] == ["/bundle-1.pem", "/bundle-2.pem"]


def test_a_session_class_with_its_own_send_is_used() -> None:
    """Instrumentation that overrides or patches `Session.send` sees every request."""

    class Session(requests.Session):
        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            request.headers["X-Trace"] = "42"
            assert options["allow_redirects"] is False
            return super().send(request, **options)

    with Server(answers()) as server, Session() as session:
        publish(session, server.url)
    assert server.requests[0].headers["x-trace"] == "42"


OURS = f"whatsapp-flows-sdk/{__version__}"


@pytest.mark.parametrize(
    ("hosts", "sent"),
    [
        ({}, OURS),
        ({"User-Agent": "deployer/3.1"}, "deployer/3.1"),
        ({"user-agent": "deployer/3.1"}, "deployer/3.1"),
        ({"User-Agent": "python-requests/2.32.0"}, OURS),
    ],
    ids=repr,
)
def test_the_hosts_user_agent_is_kept(hosts: dict[str, str], sent: str, session: requests.Session) -> None:
    """Ours is sent when the host has none but that of requests."""
    session.headers.update(hosts)
    with Server(answers()) as server:
        publish(session, server.url)
    assert server.requests[0].headers["user-agent"] == sent


def test_our_own_session_names_the_library() -> None:
    """A client without a session of the host's says who calls."""
    with Server(answers()) as server, client_for(server.url) as client:
        client.publish_flow(FLOW_ID)
    assert server.requests[0].headers["user-agent"] == OURS


def test_the_sessions_headers_are_sent(session: requests.Session) -> None:
    """But not where they would change what is sent: length and type of the body are the request's own."""
    session.headers.update({"X-Team": "flows", "Content-Type": "text/plain", "Content-Length": "3"})
    with Server(answers()) as server:
        client_for(server.url, session).update_flow_json(FLOW_ID, DOCUMENT)
    (received,) = server.requests
    assert received.headers["x-team"] == "flows"
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert received.headers["content-length"] == str(len(received.body))
    assert received.raw_head.lower().count(b"content-length:") == 1


def test_a_session_header_that_is_none_is_left_out(session: requests.Session) -> None:
    """As in requests, where None removes a header."""
    session.headers["Accept-Encoding"] = None  # type: ignore[assignment]
    with Server(answers()) as server:
        publish(session, server.url)
    assert "None" not in server.requests[0].raw_head.decode()


@pytest.mark.parametrize("value", ["two\r\nlines", "snow \u2603"])
def test_a_session_header_that_http_cannot_carry_is_our_callers_mistake(value: str, session: requests.Session) -> None:
    """Nothing was sent, trying again is of no use, and what the header holds is not shown."""
    session.headers["X-Team"] = value
    with Server(answers()) as server, pytest.raises(ConfigurationError, match="header") as caught:
        publish(session, server.url)
    assert server.requests == ()
    assert value not in str(caught.value)


def test_an_adapter_that_is_not_requests_own_says_nothing_of_retries(session: requests.Session) -> None:
    """A host's adapter without `max_retries`, or none at all for the scheme: what failed to connect was not sent."""

    class Refusing(BaseAdapter):
        def send(self, *_: Any, **__: Any) -> requests.Response:
            raise requests.exceptions.InvalidURL("refused")

        def close(self) -> None:
            return

    session.mount("http://", Refusing())
    for _ in ("the host's adapter", "none at all"):
        with pytest.raises(FlowsError) as caught:
            by_client("http://127.0.0.1:9", session, PATIENT)
        assert_is(caught.value, NotSentError)
        session.adapters.clear()


def test_the_sessions_cookies_are_sent_and_kept(session: requests.Session) -> None:
    """The jar is the host's: its cookies go out, and the answer's come in."""
    session.cookies.set("sticky", "node-7", domain="127.0.0.1")
    session.cookies.set("other", "no", domain="elsewhere.invalid")
    with Server(answers(headers={"Set-Cookie": "seen=1; Path=/"}), answers()) as server:
        publish(session, server.url)
        publish(session, server.url)
    first, second = (received.headers["cookie"] for received in server.requests)
    assert first == "sticky=node-7"
    assert sorted(second.split("; ")) == ["seen=1", "sticky=node-7"]


def test_response_hooks_are_called(session: requests.Session) -> None:
    """Once for each answer, refusals included."""
    seen: list[int] = []
    session.hooks["response"].append(lambda response, **_: seen.append(response.status_code))
    with Server(answers(), answers(status=400)) as server:
        publish(session, server.url)
        with pytest.raises(InvalidRequestError):
            publish(session, server.url)
    assert seen == [200, 400]


def raise_for_status(response: requests.Response, **_: Any) -> None:
    response.raise_for_status()


PROCESSING_FAILED = json.dumps(
    {"error": {"message": "Saved, but", "code": 139001, "error_subcode": 4016012, "is_transient": False}}
).encode()


@pytest.mark.parametrize("streaming", [False, True])
def test_a_hook_that_raises_for_status_changes_no_error(streaming: bool, session: requests.Session) -> None:
    """Meta's refusal is read and classified all the same, and it is retried as ever."""
    session.hooks["response"].append(raise_for_status)
    session.stream = streaming
    with Server(answers(PROCESSING_FAILED, 400), answers()) as server:
        client = client_for(server.url, session)
        with pytest.raises(FlowProcessingError) as caught:
            client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
        assert client.update_flow_json(FLOW_ID, DOCUMENT).success
    assert caught.value.subcode == 4016012
    assert len(server.requests) == 2


def test_a_hook_that_raises_for_status_hides_no_broken_answer(session: requests.Session) -> None:
    """A refusal whose body breaks off is a lost answer, with the hook as without it."""
    session.hooks["response"].append(raise_for_status)
    short = answers(b'{"error"', 400, {"Content-Length": "100", "Connection": "close"})
    closes = Behaviour("short refusal", lambda connection: short.act(connection) and False)
    with Server(closes) as server, pytest.raises(FlowsError) as caught:
        by_client(server.url, session, PATIENT)
    assert_is(caught.value, NoAnswerError)


def test_what_else_a_hook_raises_is_the_hosts_own(session: requests.Session) -> None:
    """An exception that is none of requests' passes through, and nothing is sent again."""

    class HostError(Exception):
        """The host's."""

    def stop(_: requests.Response, **__: Any) -> None:
        raise HostError

    session.hooks["response"].append(stop)
    with Server(answers()) as server, pytest.raises(HostError):
        client_for(server.url, session).update_flow_json(FLOW_ID, DOCUMENT)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "make", [lambda: OSError(28, "No space left"), lambda: OSError("no tape"), lambda: FileNotFoundError("log")]
)
def test_what_a_hook_fails_on_is_not_taken_for_a_request_that_never_left(
    make: Callable[[], OSError], session: requests.Session
) -> None:
    """An OSError of the host's own, which looks like one of the network's, does not say that nothing was sent."""

    raised = make()

    def write_down(response: requests.Response, **__: Any) -> None:
        response.close()
        raise raised

    session.hooks["response"].append(write_down)
    with Server(answers()) as server, pytest.raises((OSError, FlowsError)) as caught:
        by_client(server.url, session, PATIENT)
    assert len(server.requests) == 1
    assert caught.value is raised or getattr(caught.value, "may_have_acted", False)


# The token, and what might take its place


class HostAuth(AuthBase):
    """The host's way to sign its own requests."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.calls += 1
        request.headers["Authorization"] = "Host secret"
        return request


def _netrc(_: requests.Session, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    path = folder / "netrc"
    path.write_text("machine 127.0.0.1 login me password hunter2\ndefault login me password hunter2\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


def _session_auth(session: requests.Session, _: pytest.MonkeyPatch, __: Path) -> None:
    session.auth = ("me", "hunter2")


def _custom_auth(session: requests.Session, _: pytest.MonkeyPatch, __: Path) -> None:
    session.auth = HostAuth()


def _session_header(session: requests.Session, _: pytest.MonkeyPatch, __: Path) -> None:
    session.headers["authorization"] = "Basic bWU6aHVudGVyMg=="


Credentials = Callable[[requests.Session, pytest.MonkeyPatch, Path], None]
every_other_credential = pytest.mark.parametrize(
    "install", [_netrc, _session_auth, _custom_auth, _session_header], ids=lambda it: it.__name__.strip("_")
)


@every_other_credential
def test_nothing_replaces_the_bearer(
    install: Credentials, session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither netrc nor the session's own credentials take the token's place, or stand beside it."""
    install(session, monkeypatch, tmp_path)
    with Server(answers()) as server:
        publish(session, server.url)
        client_for(server.url, session).update_flow_json(FLOW_ID, DOCUMENT)
    for received in server.requests:
        assert received.headers["authorization"] == f"Bearer {TOKEN}"
        assert received.raw_head.lower().count(b"authorization:") == 1


def test_netrc_would_have_been_read(session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file of the test above is one that requests itself believes."""
    _netrc(session, monkeypatch, tmp_path)
    with Server(answers()) as server:
        session.get(server.url, headers={"Authorization": "Bearer mine"}, timeout=10)
    assert server.requests[0].headers["authorization"].startswith("Basic ")


@every_other_credential
def test_no_credential_goes_to_the_files_host(
    install: Credentials, session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The host that serves a flow's files sees no token, no proof, and no other credential either."""
    install(session, monkeypatch, tmp_path)
    with Server(answers(DOCUMENT.encode())) as cdn, Server(assets_at(cdn.url_at("localhost"))) as api:
        client = client_for(api.url, session, app_secret=APP_SECRET)
        assert client.download_flow_json(FLOW_ID) == DOCUMENT.encode()
    (received,) = cdn.requests
    assert "authorization" not in received.headers
    assert received.target == "/file?oh=signature"


def assets_at(url: str) -> Behaviour:
    """The API's list of a flow's files, which are at `url`."""
    assets = [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": f"{url}/file?oh=signature"}]
    return answers(json.dumps({"data": assets}).encode())


def test_the_hosts_auth_object_is_never_called(session: requests.Session) -> None:
    """It might write its secret anywhere."""
    auth = HostAuth()
    session.auth = auth
    with Server(answers()) as server:
        publish(session, server.url)
    assert auth.calls == 0


def test_the_session_is_left_as_it_was(session: requests.Session) -> None:
    """The host's session learns nothing of the token: its next request goes out without it."""
    before = dict(session.headers)
    with Server(answers()) as server:
        publish(session, server.url)
        session.get(server.url, timeout=10)
    assert dict(session.headers) == before
    assert session.auth is None
    assert "authorization" not in server.requests[1].headers


def test_a_callable_token_is_asked_before_each_attempt() -> None:
    """A token that was renewed between two attempts is the one that is sent."""
    tokens = iter([f"{TOKEN}1", f"{TOKEN}2"])
    with (
        Server(bad.RESET_AFTER_REQUEST, answers()) as server,
        FlowsClient(lambda: next(tokens), base_url=server.url, sleep=no_wait) as client,
    ):
        client.update_flow_json(FLOW_ID, DOCUMENT)
    assert [it.headers["authorization"] for it in server.requests] == [f"Bearer {TOKEN}1", f"Bearer {TOKEN}2"]


# appsecret_proof


def query_of(received: Received) -> dict[str, list[str]]:
    return parse_qs(urlsplit(received.target).query, keep_blank_values=True)


def assert_proven(received: Received, token: str) -> None:
    """The proof is Meta's: HMAC-SHA256 with the app's secret, over `token|time`."""
    query = query_of(received)
    (sent_at,), (proof,) = query["appsecret_time"], query["appsecret_proof"]
    assert proof == hmac.new(APP_SECRET.encode(), f"{token}|{sent_at}".encode(), hashlib.sha256).hexdigest()
    assert abs(time.time() - int(sent_at)) < 60


@pytest.mark.parametrize(
    ("call", "method", "own_query"),
    [
        (lambda it: it.update_flow_json(FLOW_ID, DOCUMENT), "POST", set()),
        (lambda it: it.publish_flow(FLOW_ID), "POST", set()),
        (lambda it: it.delete_flow(FLOW_ID), "DELETE", set()),
        (lambda it: it.get_flow(FLOW_ID), "GET", {"fields"}),
        (lambda it: list(it.list_flows()), "GET", {"fields", "limit"}),
    ],
)
def test_every_call_of_the_api_carries_the_proof(
    call: Callable[[FlowsClient], object], method: str, own_query: set[str]
) -> None:
    """In the query, behind what is there already, whatever the method."""
    body = json.dumps({"success": True, "id": FLOW_ID, "data": []}).encode()
    with Server(answers(body)) as server, client_for(server.url, app_secret=APP_SECRET) as client:
        call(client)
    (received,) = server.requests
    assert received.method == method
    assert set(query_of(received)) == own_query | {"appsecret_proof", "appsecret_time"}
    assert_proven(received, TOKEN)
    assert APP_SECRET.encode() not in received.raw_head + received.body


def test_without_a_secret_there_is_no_proof() -> None:
    """The query is the call's own."""
    with Server(answers()) as server, client_for(server.url) as client:
        client.publish_flow(FLOW_ID)
    assert query_of(server.requests[0]) == {}


def test_the_proof_is_made_anew_for_each_attempt() -> None:
    """For the token that goes with it."""
    tokens = iter([f"{TOKEN}1", f"{TOKEN}2"])
    with (
        Server(bad.CLOSE_AFTER_REQUEST, answers()) as server,
        FlowsClient(lambda: next(tokens), base_url=server.url, app_secret=APP_SECRET, sleep=no_wait) as client,
    ):
        client.update_flow_json(FLOW_ID, DOCUMENT)
    first, second = server.requests
    assert_proven(first, f"{TOKEN}1")
    assert_proven(second, f"{TOKEN}2")


# The bytes


@pytest.mark.parametrize(
    "document",
    [
        {"version": "7.0", "screens": [], "title": "Größe \N{PARTY POPPER}"},
        DOCUMENT,
        DOCUMENT.encode(),
        io.BytesIO(DOCUMENT.encode()),
    ],
    ids=lambda it: type(it).__name__,
)
def test_each_attempt_sends_the_same_bytes(document: Any) -> None:
    """A file is read once, a mapping serialised once; what is sent again is the same to the byte."""
    with (
        Server(answers(PROCESSING_FAILED, 400), bad.RESET_IN_BODY, answers(status=503), answers()) as server,
        client_for(server.url) as client,
    ):
        assert client.update_flow_json(FLOW_ID, document, max_retries=4).attempts == 4
    assert len(server.requests) == 4
    assert len({(it.method, it.target, it.body, it.headers["content-type"]) for it in server.requests}) == 1
    assert b'"version":' in server.requests[0].body


def test_each_attempt_of_an_empty_post_is_the_same() -> None:
    """A POST without a body says so: Content-Length: 0, and no chunks."""
    with Server(answers(PROCESSING_FAILED, 400), answers()) as server, client_for(server.url) as client:
        client.publish_flow(FLOW_ID)
    for received in server.requests:
        assert received.headers["content-length"] == "0"
        assert "transfer-encoding" not in received.headers
        assert "content-type" not in received.headers
    assert len(server.requests) == 2


def test_a_get_has_no_body() -> None:
    """Neither a length nor a type of one."""
    with Server(answers(json.dumps({"id": FLOW_ID}).encode())) as server, client_for(server.url) as client:
        client.get_flow(FLOW_ID)
    assert not {"content-length", "content-type", "transfer-encoding"} & set(server.requests[0].headers)


def test_each_reply_belongs_to_its_request() -> None:
    """What is answered on one connection is read in order, also after a refusal."""
    with (
        Server(replies(echo_of_the_id)) as server,
        client_for(server.url) as client,
    ):
        ids = [client.get_flow(flow_id).id for flow_id in ("1", "2", "3")]
        with pytest.raises(NotFoundError):
            client.get_flow("404")
        ids.append(client.get_flow("5").id)
    assert ids == ["1", "2", "3", "5"]


def echo_of_the_id(received: Received) -> bad.Answer:
    flow_id = urlsplit(received.target).path.rpartition("/")[2]
    return bad.Answer(json.dumps({"id": flow_id}).encode(), 404 if flow_id == "404" else 200)


# requests-mock, which hosts test with


def test_requests_mock_works_as_a_fixture(requests_mock: requests_mock.Mocker, session: requests.Session) -> None:
    """With the host's session and with a session of our own."""
    requests_mock.post(f"https://graph.facebook.com{UPLOAD_PATH}", json={"success": True})
    for one in (session, None):
        with client_for("https://graph.facebook.com", one) as client:
            assert client.update_flow_json(FLOW_ID, DOCUMENT).success
    assert requests_mock.call_count == 2
    last = requests_mock.last_request
    assert last is not None
    assert last.headers["Authorization"] == f"Bearer {TOKEN}"
    assert DOCUMENT in last.text


def test_requests_mock_works_as_an_adapter(session: requests.Session) -> None:
    """Mounted on the host's session: answers, refusals and exceptions of requests become what they become on a wire."""
    adapter = requests_mock.Adapter()
    session.mount("https://", adapter)
    url = f"https://graph.facebook.com{UPLOAD_PATH}"
    adapter.register_uri(
        "POST",
        url,
        [
            {"exc": requests.exceptions.ConnectTimeout},
            {"exc": requests.exceptions.ReadTimeout},
            {"status_code": 503, "text": "<html>"},
            {"json": {"success": True}},
        ],
    )
    transport = RequestsTransport(session)
    request = request_to(url, body=b"x")
    for _ in range(2):
        with pytest.raises(NoAnswerError):  # a bare exception without urllib3's cause: it may have been sent
            transport.send(request, timeout=PATIENT)
    assert transport.send(request, timeout=PATIENT).status == 503
    assert transport.send(request, timeout=PATIENT).body == b'{"success": true}'


def test_an_adapter_that_tries_again_by_itself_is_the_hosts_choice(session: requests.Session) -> None:
    """urllib3's own retries on the host's adapter stay as they are; we see the last answer."""
    retries = Retry(total=1, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    session.mount("http://", HTTPAdapter(max_retries=retries))
    with Server(answers(status=503), answers()) as server:
        publish(session, server.url)
    assert len(server.requests) == 2


def test_503_without_the_hosts_retries_is_ours(session: requests.Session) -> None:
    """An untouched adapter sends once, and the engine decides."""
    with Server(answers(status=503), answers()) as server, pytest.raises(ServiceUnavailableError):
        client_for(server.url, session, max_attempts=1).update_flow_json(FLOW_ID, DOCUMENT)
    assert len(server.requests) == 1


def test_nothing_is_swallowed_but_failures_of_the_network(session: requests.Session) -> None:
    """An interrupt in the middle of a request ends the call as it is."""

    class Interrupting(Recorder):
        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            super().send(request, *args, **options)
            raise KeyboardInterrupt

    adapter = Interrupting()
    session.mount("https://", adapter)
    with pytest.raises(KeyboardInterrupt):
        publish(session)
    assert len(adapter.sent) == 1
