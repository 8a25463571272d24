"""What both transports have in common: failures and errors, the token, proxies and CA bundles of the environment."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import requests

from tests import misbehaving as bad
from tests.misbehaving import Behaviour, Received, Server, answers, replies
from tests.transport_support import (
    APP_SECRET,
    DOCUMENT,
    FLOW_ID,
    MAY_HAVE_ACTED,
    OURS,
    PATIENT,
    PROCESSING_FAILED,
    QUICK,
    QUICK_TO_CONNECT,
    TOKEN,
    UPLOAD_PATH,
    assert_is,
    assets_at,
    no_wait,
    request_to,
)
from tests.wires import Setup, Wire, over_both
from whatsapp_flows import (
    AiohttpTransport,
    ConfigurationError,
    FlowsClient,
    FlowsError,
    InvalidRequestError,
    NoAnswerError,
    NotFoundError,
    NotSentError,
    RequestsTransport,
    Timeout,
    TlsError,
    UnexpectedResponseError,
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


def client_for(
    wire: Wire, url: str, setup: Setup | None = None, *, access_token: Any = TOKEN, **options: Any
) -> AbstractContextManager[FlowsClient]:
    usual: dict[str, Any] = {"base_url": url, "timeout": PATIENT, "sleep": no_wait}
    return wire.client(access_token, "102290129340398", setup=setup, **{**usual, **options})


# Failure -> error


@dataclass(frozen=True)
class Row:
    """
    What the server did, the error that it causes, and how many requests reached the server whole.

    aiohttp distinguishes more failures of a handshake than requests: `aiohttp` is its error where it differs.
    """

    behaviour: Behaviour
    error: type[FlowsError]
    arrived: int
    timeout: Timeout = PATIENT
    trusted: bool = True
    aiohttp: type[FlowsError] | None = None

    def __str__(self) -> str:
        return str(self.behaviour)

    def error_on(self, wire: Wire) -> type[FlowsError]:
        """The error that the client on this wire raises."""
        return self.aiohttp or self.error if wire.name == "aiohttp" else self.error


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
    Row(bad.TLS_SILENCE, NoAnswerError, 0, QUICK_TO_CONNECT, aiohttp=NotSentError),
    Row(bad.TLS_CUT, NotSentError, 0),
    Row(bad.TLS_RESET, NoAnswerError, 0, aiohttp=NotSentError),
    Row(answers(secured=True), TlsError, 0, trusted=False),
    Row(bad.TLS_CLOSE_AFTER_REQUEST, NoAnswerError, 1),
    Row(bad.TLS_SILENCE_AFTER_REQUEST, NoAnswerError, 1, QUICK),
    Row(bad.TLS_SHORT_BODY, NoAnswerError, 1),
    Row(bad.TLS_DAMAGED_ANSWER, NoAnswerError, 1),
    Row(bad.TLS_DAMAGED_BODY, NoAnswerError, 1),
)

Send = Callable[[Wire, str, Setup | None, Timeout], object]


def by_client(wire: Wire, url: str, setup: Setup | None, timeout: Timeout) -> object:
    with client_for(wire, url, setup, timeout=timeout) as client:
        return client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)


def by_transport(wire: Wire, url: str, setup: Setup | None, timeout: Timeout) -> object:
    return wire.exchange(request_to(url + UPLOAD_PATH, body=DOCUMENT.encode()), timeout, setup=setup)


both_ways = pytest.mark.parametrize("send", [by_client, by_transport])


@over_both
@both_ways
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_failure_says_whether_the_request_may_have_arrived(row: Row, send: Send, wire: Wire, tmp_path: Path) -> None:
    """A failure after the request arrived leaves the outcome open; a failure before does not."""
    setup = Setup(trusted=bad.certificate_file(tmp_path)) if row.trusted else None
    with Server(row.behaviour) as server, pytest.raises(FlowsError) as caught:
        send(wire, server.url, setup, row.timeout)
    assert_is(caught.value, row.error_on(wire))
    assert len(server.requests) == row.arrived
    if row.arrived:
        assert MAY_HAVE_ACTED[row.error]


@over_both
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
@pytest.mark.parametrize(
    "behaviour", [bad.RESET_BEFORE_READING, bad.RESET_AFTER_REQUEST, bad.CLOSE_AFTER_REQUEST], ids=str
)
def test_nothing_is_sent_twice_by_the_http_library(behaviour: Behaviour, method: str, wire: Wire) -> None:
    """The retry policy decides whether to send again after a lost answer, whatever the method is."""
    with Server(behaviour, answers()) as server, pytest.raises(NoAnswerError):
        wire.exchange(request_to(server.url, method=method), PATIENT)
    assert server.connections == 1


@over_both
def test_a_server_that_does_not_read_the_body_times_out(wire: Wire) -> None:
    """`read` limits the time between two chunks that are sent, too."""
    with Server(bad.TAKES_NO_BODY) as server, pytest.raises(FlowsError) as caught:
        wire.exchange(request_to(server.url, body=bytes(8_000_000)), Timeout(connect=0.15, read=0.15))
    assert_is(caught.value, NoAnswerError)
    assert server.all_connections_end()


def test_every_misbehaviour_has_a_row() -> None:
    """Every behaviour of `misbehaving` that leaves no usable response is in the table."""
    assert [row.behaviour for row in TABLE if row.trusted] == list(bad.MISBEHAVIOURS)


@over_both
@both_ways
@pytest.mark.parametrize("place", [bad.refusing, bad.unreachable])
def test_a_request_that_never_connected_was_not_sent(
    place: Callable[[], AbstractContextManager[str]], send: Send, wire: Wire
) -> None:
    """A refused connection, and one that is not accepted in time."""
    with place() as url, pytest.raises(FlowsError) as caught:
        send(wire, url, None, QUICK_TO_CONNECT)
    assert_is(caught.value, NotSentError)


@over_both
@both_ways
@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_an_unknown_host_was_not_sent(code: int, send: Send, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not exist, or a resolver that is down."""

    def resolver(host: str, *_: object, **__: object) -> object:
        raise socket.gaierror(code, f"nobody is called {host}")

    monkeypatch.setattr(socket, "getaddrinfo", resolver)  # tests do not use the machine's DNS
    with pytest.raises(FlowsError) as caught:
        send(wire, "http://nonexistent.invalid", None, PATIENT)
    assert_is(caught.value, NotSentError)


@over_both
@both_ways
@pytest.mark.parametrize("host", ["nonexistent..invalid", "nonexistent" + "x" * 60])
def test_an_invalid_host_name_was_not_sent(host: str, send: Send, wire: Wire) -> None:
    """An empty label, or one of more than 63 characters, is not looked up."""
    with pytest.raises(FlowsError) as caught:
        send(wire, f"http://{host}", None, PATIENT)
    assert_is(caught.value, NotSentError)


@over_both
@both_ways
def test_an_invalid_proxy_url_was_not_sent(send: Send, wire: Wire) -> None:
    """Such as one without a host, from a template with an empty variable."""
    with Server(answers()) as server, pytest.raises(FlowsError) as caught:
        send(wire, server.url, Setup(proxies={"http": "http:///"}), PATIENT)
    assert_is(caught.value, NotSentError)
    assert server.connections == 0


@over_both
@both_ways
def test_a_proxy_that_cannot_be_reached_was_not_sent(send: Send, wire: Wire) -> None:
    """The request did not reach the proxy."""
    with bad.refusing() as proxy, pytest.raises(FlowsError) as caught:
        send(wire, "http://127.0.0.1:9", Setup(proxies={"http": proxy}), PATIENT)
    assert_is(caught.value, NotSentError)


TUNNELS = (
    Row(answers(status=407), NotSentError, 0),
    Row(answers(status=502), NotSentError, 0),
    Row(bad.CLOSE_AFTER_REQUEST, NoAnswerError, 0, aiohttp=NotSentError),
    Row(bad.SILENCE, NoAnswerError, 0, QUICK_TO_CONNECT, aiohttp=NotSentError),
)


@over_both
@both_ways
@pytest.mark.parametrize("row", TUNNELS, ids=str)
def test_a_proxy_that_opens_no_tunnel_sees_nothing(row: Row, send: Send, wire: Wire) -> None:
    """
    It sees neither the request nor the token.

    A proxy that refuses the tunnel is recognised. urllib3 cannot tell one that closes or is silent from a server that
    does, so those requests may have been sent.
    """
    with Server(row.behaviour) as proxy, pytest.raises(FlowsError) as caught:
        send(wire, "https://127.0.0.1:9", Setup(proxies={"https": proxy.url}), row.timeout)
    assert_is(caught.value, row.error_on(wire))
    assert [(it.method, it.target) for it in proxy.requests] == [("CONNECT", "127.0.0.1:9")]
    assert TOKEN.encode() not in proxy.requests[0].raw_head


@over_both
@both_ways
def test_a_stall_behind_a_proxy_was_sent(send: Send, wire: Wire) -> None:
    """The proxy took the request and then went silent."""
    with Server(bad.SILENCE) as proxy, pytest.raises(FlowsError) as caught:
        send(wire, "http://127.0.0.1:9", Setup(proxies={"http": proxy.url}), QUICK)
    assert_is(caught.value, NoAnswerError)
    assert len(proxy.requests) == 1


@over_both
def test_the_response_is_a_plain_value(wire: Wire) -> None:
    """Status, lower-case header names, body, time of arrival and token, whatever the status is."""
    request = request_to("")
    with Server(answers(b"{}", 418, {"X-FB-Trace-ID": "Abc", "X-Odd": "caf\xe9"})) as server:
        answer = wire.exchange(request_to(server.url), PATIENT, now=lambda: 1_700_000_000.5)
    assert (answer.status, answer.body, answer.received_at) == (418, b"{}", 1_700_000_000.5)
    assert answer.headers["x-fb-trace-id"] == "Abc"
    assert answer.header("x-odd") == "caf\xe9"
    assert answer.token is not None
    assert request.token is not None
    assert answer.token.reveal() == request.token.reveal()


@over_both
def test_the_certificate_that_the_session_trusts_is_trusted(wire: Wire, tmp_path: Path) -> None:
    """A session that trusts the server's own certificate makes a call."""
    with Server(answers(secured=True)) as server:
        for url in (server.url, server.url_at("localhost")):
            with client_for(wire, url, Setup(trusted=bad.certificate_file(tmp_path))) as client:
                client.publish_flow(FLOW_ID)
    assert len(server.requests) == 2


UNUSUAL_LINKS = {
    "/file?oh=a%2Fb&x=%7e%7E&y=[1]": "/file?oh=a%2Fb&x=%7e%7E&y=[1]",
    "/a%0d%0ab/./c/../d": None,
    "/file?a=1\r\nX-Injected: yes": None,
    "/file?a=1 HTTP/1.1\r\n\r\nGET /second": None,
    "/gr\xf6\xdfe": "/gr%C3%B6%C3%9Fe",
}


@over_both
@pytest.mark.parametrize("path", UNUSUAL_LINKS, ids=range(len(UNUSUAL_LINKS)))
def test_a_download_link_cannot_add_headers(path: str, wire: Wire) -> None:
    """A download link is sent unchanged where possible; whatever it contains, it makes one request and no header."""
    with Server(answers(DOCUMENT.encode())) as cdn:
        wire.exchange(request_to(cdn.url + path, method="GET", token=None), PATIENT)
    (received,) = cdn.requests
    assert not {"x-injected"} & set(received.headers)
    expected = UNUSUAL_LINKS[path]
    if expected is not None and wire.name == "aiohttp":
        assert received.target == expected


# Connections


@over_both
def test_an_idle_connection_that_was_closed_is_replaced(wire: Wire) -> None:
    """A kept connection that the server closed between two requests fails no request."""
    with Server(bad.ANSWER_AND_CLOSE, answers()) as server, client_for(wire, server.url) as client:
        client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
        assert server.all_connections_end()
        client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
    assert (len(server.requests), server.connections) == (2, 2)


@over_both
def test_a_kept_connection_that_is_closed_on_the_second_request_may_have_acted(wire: Wire) -> None:
    """Once the second request is sent, a late close cannot be told from a lost answer."""
    with Server(answers(), bad.CLOSE_AFTER_REQUEST) as server, client_for(wire, server.url) as client:
        client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
        with pytest.raises(NoAnswerError):
            client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
    assert (len(server.requests), server.connections) == (2, 1)


@over_both
def test_connections_are_kept(wire: Wire) -> None:
    """Consecutive calls share one connection, error responses included."""
    with Server(answers(status=400), answers()) as server, client_for(wire, server.url) as client:
        with pytest.raises(InvalidRequestError):
            client.publish_flow(FLOW_ID)
        client.publish_flow(FLOW_ID)
    assert (len(server.requests), server.connections) == (2, 1)


@over_both
def test_a_client_closes_its_own_session(wire: Wire) -> None:
    """Leaving the client's context closes the connections that it opened."""
    with Server(answers()) as server:
        with client_for(wire, server.url) as client:
            client.publish_flow(FLOW_ID)
        assert server.all_connections_end()


@over_both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", [lambda it: it.publish_flow(FLOW_ID), lambda it: it.get_flow(FLOW_ID)])
def test_no_redirect_is_followed(wire: Wire, status: int, call: Callable[[FlowsClient], object]) -> None:
    """A redirect is an error that names its status; its target gets no request."""
    with Server(answers()) as elsewhere, Server(bad.redirects(elsewhere.url_at("localhost"), status)) as server:
        with client_for(wire, server.url, max_attempts=1) as client, pytest.raises(UnexpectedResponseError) as caught:
            call(client)
        assert caught.value.http_status == status
    assert (len(server.requests), len(elsewhere.requests), elsewhere.connections) == (1, 0, 0)


@over_both
def test_no_redirect_of_a_download_is_followed(wire: Wire) -> None:
    """Neither does the target of a redirect from the files' host."""
    with (
        Server(answers()) as elsewhere,
        Server(bad.redirects(elsewhere.url)) as cdn,
        Server(assets_at(cdn.url)) as api,
        client_for(wire, api.url, max_attempts=1) as client,
        pytest.raises(UnexpectedResponseError),
    ):
        client.download_flow_json(FLOW_ID)
    assert (len(cdn.requests), elsewhere.connections) == (1, 0)


@over_both
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_ca_bundle_is_used(
    wire: Wire, variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is read again when it changes; without it the certificate is refused."""
    with Server(answers(secured=True)) as server, client_for(wire, server.url) as client:
        with pytest.raises(TlsError):
            client.publish_flow(FLOW_ID)
        monkeypatch.setenv(variable, bad.certificate_file(tmp_path))
        client.publish_flow(FLOW_ID)


@over_both
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_the_environments_proxy_is_used_and_read_again(
    wire: Wire, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setting, changing and unsetting the variable applies from the next request on."""
    with (
        Server(answers()) as server,
        Server(answers()) as one,
        Server(answers()) as two,
        client_for(wire, server.url) as client,
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


@over_both
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_honoured_and_read_again(wire: Wire, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host in NO_PROXY is contacted directly, from the next request on."""
    with Server(answers()) as server, Server(answers()) as proxy, client_for(wire, server.url) as client:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        client.publish_flow(FLOW_ID)
        monkeypatch.setenv(variable, "127.0.0.1")
        client.publish_flow(FLOW_ID)
    assert (len(proxy.requests), len(server.requests)) == (1, 1)


@over_both
def test_a_cgi_script_takes_no_proxy_from_a_request_header(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CGI, HTTP_PROXY is a header that any client may send (httpoxy): it is ignored there."""
    with Server(answers()) as server, Server(answers()) as proxy, client_for(wire, server.url) as client:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        client.publish_flow(FLOW_ID)
        monkeypatch.setenv("REQUEST_METHOD", "GET")
        client.publish_flow(FLOW_ID)
    assert (len(proxy.requests), len(server.requests)) == (1, 1)


@over_both
@pytest.mark.parametrize("direct", ["127.0.0.1", "localhost"])
def test_no_proxy_applies_to_each_host(wire: Wire, direct: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API through the proxy and its files directly, or the reverse, in one call."""
    content = DOCUMENT.encode()

    def serve(received: Received) -> bad.Answer:
        if "/file" in received.target:
            return bad.Answer(content)
        link = {"asset_type": "FLOW_JSON", "download_url": f"http://localhost:{server.port}/file"}
        return bad.Answer(json.dumps({"data": [link]}).encode())

    with Server(replies(serve)) as server, Server(replies(serve)) as proxy, client_for(wire, server.url) as client:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", direct)
        assert client.download_flow_json(FLOW_ID) == content
    api, files = (server, proxy) if direct == "127.0.0.1" else (proxy, server)
    assert [urlsplit(it.target).path for it in api.requests] == [f"/v25.0/{FLOW_ID}/assets"]
    assert [urlsplit(it.target).path for it in files.requests] == ["/file"]


@over_both
def test_our_own_session_names_the_library(wire: Wire) -> None:
    """The User-Agent of a session of our own."""
    with Server(answers()) as server, client_for(wire, server.url) as client:
        client.publish_flow(FLOW_ID)
    assert server.requests[0].headers["user-agent"] == OURS


@over_both
def test_a_token_callable_is_called_before_each_attempt(wire: Wire) -> None:
    """A token that was renewed between two attempts is sent."""
    tokens = iter([f"{TOKEN}1", f"{TOKEN}2"])
    with (
        Server(bad.RESET_AFTER_REQUEST, answers()) as server,
        client_for(wire, server.url, access_token=lambda: next(tokens)) as client,
    ):
        client.update_flow_json(FLOW_ID, DOCUMENT)
    assert [it.headers["authorization"] for it in server.requests] == [f"Bearer {TOKEN}1", f"Bearer {TOKEN}2"]


def query_of(received: Received) -> dict[str, list[str]]:
    return parse_qs(urlsplit(received.target).query, keep_blank_values=True)


def assert_proven(received: Received, token: str) -> None:
    """The proof is Meta's: HMAC-SHA256 with the app's secret, over `token|time`."""
    query = query_of(received)
    (sent_at,), (proof,) = query["appsecret_time"], query["appsecret_proof"]
    assert proof == hmac.new(APP_SECRET.encode(), f"{token}|{sent_at}".encode(), hashlib.sha256).hexdigest()
    assert abs(time.time() - int(sent_at)) < 60


@over_both
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
    wire: Wire, call: Callable[[FlowsClient], object], method: str, own_query: set[str]
) -> None:
    """In the query, after the call's own parameters, whatever the method."""
    body = json.dumps({"success": True, "id": FLOW_ID, "data": []}).encode()
    with Server(answers(body)) as server, client_for(wire, server.url, app_secret=APP_SECRET) as client:
        call(client)
    (received,) = server.requests
    assert received.method == method
    assert set(query_of(received)) == own_query | {"appsecret_proof", "appsecret_time"}
    assert_proven(received, TOKEN)
    assert APP_SECRET.encode() not in received.raw_head + received.body


@over_both
def test_without_a_secret_there_is_no_proof(wire: Wire) -> None:
    """The query has the call's own parameters only."""
    with Server(answers()) as server, client_for(wire, server.url) as client:
        client.publish_flow(FLOW_ID)
    assert query_of(server.requests[0]) == {}


@over_both
def test_each_attempt_has_its_own_proof(wire: Wire) -> None:
    """For the token that is sent with it."""
    tokens = iter([f"{TOKEN}1", f"{TOKEN}2"])
    with (
        Server(bad.CLOSE_AFTER_REQUEST, answers()) as server,
        client_for(wire, server.url, access_token=lambda: next(tokens), app_secret=APP_SECRET) as client,
    ):
        client.update_flow_json(FLOW_ID, DOCUMENT)
    first, second = server.requests
    assert_proven(first, f"{TOKEN}1")
    assert_proven(second, f"{TOKEN}2")


@over_both
@pytest.mark.parametrize(
    "document",
    [
        lambda: {"version": "7.0", "screens": [], "title": "Größe \N{PARTY POPPER}"},
        lambda: DOCUMENT,
        DOCUMENT.encode,
        lambda: io.BytesIO(DOCUMENT.encode()),
    ],
    ids=["mapping", "text", "bytes", "file"],
)
def test_each_attempt_sends_the_same_bytes(wire: Wire, document: Callable[[], Any]) -> None:
    """A file is read once, and a mapping serialised once."""
    with (
        Server(answers(PROCESSING_FAILED, 400), bad.RESET_IN_BODY, answers(status=503), answers()) as server,
        client_for(wire, server.url) as client,
    ):
        assert client.update_flow_json(FLOW_ID, document(), max_retries=4).attempts == 4
    assert len(server.requests) == 4
    assert len({(it.method, it.target, it.body, it.headers["content-type"]) for it in server.requests}) == 1
    assert b'"version":' in server.requests[0].body


@over_both
def test_each_attempt_of_an_empty_post_is_the_same(wire: Wire) -> None:
    """A POST without a body has Content-Length: 0, and is not chunked."""
    with Server(answers(PROCESSING_FAILED, 400), answers()) as server, client_for(wire, server.url) as client:
        client.publish_flow(FLOW_ID)
    for received in server.requests:
        assert received.headers["content-length"] == "0"
        assert "transfer-encoding" not in received.headers
        assert "content-type" not in received.headers
    assert len(server.requests) == 2


@over_both
def test_a_get_has_no_body(wire: Wire) -> None:
    """It has neither a length nor a type of one."""
    with Server(answers(json.dumps({"id": FLOW_ID}).encode())) as server, client_for(wire, server.url) as client:
        client.get_flow(FLOW_ID)
    assert not {"content-length", "content-type", "transfer-encoding"} & set(server.requests[0].headers)


@over_both
def test_the_maximum_of_a_response_is_an_argument(wire: Wire) -> None:
    """A response of exactly that many bytes is read."""
    with Server(answers(b"x" * 1000)) as server:
        assert len(wire.exchange(request_to(server.url), PATIENT, max_response_bytes=1000).body) == 1000
        with pytest.raises(UnexpectedResponseError, match="more than 999 bytes"):
            wire.exchange(request_to(server.url), PATIENT, max_response_bytes=999)


@pytest.mark.parametrize("transport", [RequestsTransport, AiohttpTransport])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_response_bytes", (0, -1, True, 1.5, "1000", None)),
        ("stop_grace", (-1, True, float("nan"), float("inf"), "3", None)),
        ("session", (object(), "session", 3)),
    ],
)
def test_arguments_out_of_range_are_refused(transport: Callable[..., object], name: str, values: Any) -> None:
    """Before anything is sent; the message names the argument."""
    for value in values:
        with pytest.raises(ConfigurationError, match=f"^{name} must be"):
            transport(**{name: value})


def test_the_repr_of_a_transport_has_its_limits() -> None:
    """A host's session is named by its type, since its repr is the host's."""

    async def main() -> list[str]:
        async with aiohttp.ClientSession(headers={"X": TOKEN}) as session:
            own = AiohttpTransport(max_connections=7)
            shown = [repr(AiohttpTransport(session, stop_grace=1, max_response_bytes=1000)), repr(own)]
            await own.aclose()
            return [*shown, repr(own)]

    own = RequestsTransport()
    with requests.Session() as session:
        session.headers["X"] = TOKEN
        shown = [repr(RequestsTransport(session, stop_grace=0.5)), repr(own)]
    own.close()
    limits = "max_response_bytes=33554432, stop_grace=3"
    assert [*shown, repr(own), *asyncio.run(main())] == [
        "<RequestsTransport: session of type Session, max_response_bytes=33554432, stop_grace=0.5>",
        f"<RequestsTransport: own session, {limits}>",
        f"<RequestsTransport: own session, closed, {limits}>",
        "<AiohttpTransport: session of type ClientSession, max_connections=100, max_response_bytes=1000, stop_grace=1>",
        f"<AiohttpTransport: own session, max_connections=7, {limits}>",
        f"<AiohttpTransport: own session, closed, max_connections=7, {limits}>",
    ]


@over_both
def test_each_response_belongs_to_its_request(wire: Wire) -> None:
    """Responses on one connection are read in order, also after an error response."""
    with (
        Server(replies(echo_of_the_id)) as server,
        client_for(wire, server.url) as client,
    ):
        ids = [client.get_flow(flow_id).id for flow_id in ("1", "2", "3")]
        with pytest.raises(NotFoundError):
            client.get_flow("404")
        ids.append(client.get_flow("5").id)
    assert ids == ["1", "2", "3", "5"]


def echo_of_the_id(received: Received) -> bad.Answer:
    flow_id = urlsplit(received.target).path.rpartition("/")[2]
    return bad.Answer(json.dumps({"id": flow_id}).encode(), 404 if flow_id == "404" else 200)
