"""Limits of the transport on requests: time, size, hosts; cookies, forks, and exceptions of the host's code."""

from __future__ import annotations

import gc
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import urllib3.util.connection
from requests.adapters import HTTPAdapter

from tests import misbehaving as bad
from tests.bombs import BOMBS, bomb_of
from tests.forks import in_a_child, needs_fork
from tests.misbehaving import Answer, Behaviour, Received, Server, answers, replies
from tests.transport_support import FLOW_ID, SHORT, TOKEN, assert_is, request_to
from whatsapp_flows import (
    FlowsClient,
    FlowsError,
    NoAnswerError,
    NotSentError,
    Request,
    RequestsTransport,
    Response,
    Timeout,
    UnexpectedResponseError,
)
from whatsapp_flows.transport import MAX_RESPONSE_BYTES

PATIENT = Timeout(10.0, 10.0)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bad.forget_environment(monkeypatch)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bad.certificate_file(tmp_path))


class HostAdapter(HTTPAdapter):
    """An adapter of the host's with retries."""

    def __init__(self) -> None:
        super().__init__(max_retries=2)


@contextmanager
def own() -> Iterator[None]:
    yield None


@contextmanager
def host() -> Iterator[requests.Session]:
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HostAdapter())
        yield session


with_both = pytest.mark.parametrize("session_of", [own, host], ids=["own session", "host's session"])


def exchange(session: requests.Session | None, request: Request, timeout: Timeout, **options: Any) -> Response:
    transport = RequestsTransport(session, **options)
    try:
        return transport.send(request, timeout=timeout)
    finally:
        transport.close()


# Time


@with_both
@pytest.mark.parametrize("behaviour", bad.DRIPPING, ids=str)
def test_total_ends_a_response_that_drips(behaviour: Behaviour, session_of: Any) -> None:
    """The request may have arrived; the connection is closed with the call."""
    with Server(behaviour) as server, session_of() as session:
        started = time.monotonic()
        with pytest.raises(FlowsError, match="no complete answer in time") as caught:
            exchange(session, request_to(server.url, body=b"{}"), SHORT)
        taken = time.monotonic() - started
        assert_is(caught.value, NoAnswerError)
        assert taken > 0.14
        assert server.all_connections_end()


@with_both
def test_a_connection_opened_before_is_bounded_too(session_of: Any) -> None:
    """A host may have used its session before the transport gets it."""
    behaviours = answers(), bad.BODY_DRIPS
    with Server(*behaviours) as server, session_of() as session:
        if session is not None:
            session.get(server.url)
        else:
            exchange(None, request_to(server.url), PATIENT)
        with pytest.raises(NoAnswerError, match="in time"):
            exchange(session, request_to(server.url), SHORT)


@with_both
def test_a_handshake_or_a_tunnel_that_drips_was_not_sent(session_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of `connect` and `total` is over first."""
    for timeout in (SHORT, Timeout(connect=0.15, read=5.0)):
        with Server(bad.HANDSHAKE_DRIPS) as server, session_of() as session:
            with pytest.raises(FlowsError) as caught:
                exchange(session, request_to(server.url), timeout)
            assert_is(
                caught.value, NoAnswerError if session else NotSentError
            )  # its adapter has retries: an earlier try may have been sent
        with Server(bad.TUNNEL_DRIPS) as proxy, session_of() as session:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            with pytest.raises((NotSentError, NoAnswerError)):
                exchange(session, request_to("https://127.0.0.1:9"), timeout)
            monkeypatch.delenv("HTTPS_PROXY")


@with_both
def test_total_ends_an_upload_that_the_server_reads_slowly(session_of: Any) -> None:
    """Each chunk is read in time; all of them together would take hours."""
    with Server(bad.TAKES_LITTLE) as server, session_of() as session:
        request = request_to(server.url, body=bytes(8_000_000))
        with pytest.raises(NoAnswerError, match="in time"):
            exchange(session, request, SHORT)


@with_both
def test_connect_does_not_limit_an_upload(session_of: Any) -> None:
    """A server that reads the body slowly is connected."""

    def act(connection: bad.Connection) -> bool:
        assert connection.arrives()
        connection.stays_for(0.3)
        connection.skip(8_000_000)
        connection.send(Answer().encoded())
        return True

    with Server(Behaviour("takes its time", act)) as server, session_of() as session:
        request = request_to(server.url, body=bytes(8_000_000))
        assert exchange(session, request, Timeout(connect=0.1, read=5.0)).status == 200


@with_both
def test_a_stop_ends_a_request_under_way(session_of: Any) -> None:
    """After its grace, and nothing is sent again."""
    stop = threading.Event()
    with Server(bad.DRIPPING[3]) as server, session_of() as session:
        stopper = threading.Thread(target=lambda: stop.set() if server.has_received(1) else None)
        stopper.start()
        with closing(RequestsTransport(session, stop_grace=0.05)) as transport:
            client = FlowsClient(TOKEN, base_url=server.url, transport=transport, stop=stop, timeout=30.0)
            with pytest.raises(NoAnswerError, match="stopped"):
                client.get_flow(FLOW_ID)
        stopper.join()
    assert len(server.requests) == 1


# Size


@with_both
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_decompression_bomb_is_too_large(bomb: str, session_of: Any) -> None:
    """No more than the maximum is kept in memory."""
    coding, body = bomb_of(bomb)
    headers = {"Content-Encoding": coding} if coding else {}
    with Server(answers(body, headers=headers)) as server, session_of() as session:
        tracemalloc.start()
        with pytest.raises(UnexpectedResponseError, match="more than 33554432 bytes"):
            exchange(session, request_to(server.url), PATIENT)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2.5 * MAX_RESPONSE_BYTES


@with_both
def test_a_connection_with_an_unread_rest_is_closed(session_of: Any) -> None:
    """After a response over the maximum the connection is not used again."""
    with Server(answers(bytes(3_000_000)), answers()) as server, session_of() as session:
        transport = RequestsTransport(session, max_response_bytes=1_000_000)
        with pytest.raises(UnexpectedResponseError):
            transport.send(request_to(server.url), timeout=PATIENT)
        assert server.all_connections_end()
        assert transport.send(request_to(server.url), timeout=PATIENT).status == 200
        transport.close()


@with_both
@pytest.mark.parametrize(("size", "read"), [(60_000, True), (65_000, True), (70_000, False)])
def test_headers_of_64_kib_are_read(size: int, *, read: bool, session_of: Any) -> None:
    """As one line, or as many."""
    for headers in ({"X": "x" * size}, {f"X{number}": "x" * (size // 64) for number in range(64)}):
        with Server(answers(headers=headers)) as server, session_of() as session:
            if read:
                assert exchange(session, request_to(server.url), PATIENT).status == 200
            elif len(headers) == 1:
                with pytest.raises(FlowsError):
                    exchange(session, request_to(server.url), PATIENT)


@with_both
def test_headers_over_the_maximum_are_refused(session_of: Any) -> None:
    """Many lines of a permitted length: the response cannot be read, and the connection is closed."""
    with Server(answers(headers={f"X{number}": "x" * 2000 for number in range(90)})) as server, session_of() as session:
        with pytest.raises(NoAnswerError, match="more than 65536 bytes of headers"):
            exchange(session, request_to(server.url), PATIENT)
        assert server.all_connections_end()


@with_both
def test_the_overhead_of_chunks_is_limited(session_of: Any) -> None:
    """A body in chunks of one byte, each with a long extension, is not read beyond twice the maximum."""
    chunk = b"1;" + b"x" * 1000 + b"\r\nx\r\n"

    def act(connection: bad.Connection) -> bool:
        connection.receive()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 300)
        connection.linger()
        return False

    with Server(Behaviour("chunks", act)) as server, session_of() as session:
        with pytest.raises(UnexpectedResponseError, match="the answer has more than 1000 bytes"):
            exchange(session, request_to(server.url), PATIENT, max_response_bytes=1000)
        assert server.all_connections_end()


@with_both
def test_interim_responses_are_skipped(session_of: Any) -> None:
    """http.client would take a 103 for the response, and the rest for that of the next request."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"

    def act(connection: bad.Connection) -> bool:
        received = connection.receive()
        if received is not None:
            connection.send(early + Answer(json.dumps({"id": received.target[-1]}).encode()).encoded())
        return received is not None

    with Server(Behaviour("hints", act)) as server, session_of() as session:
        client = FlowsClient(TOKEN, base_url=server.url, session=session)
        assert [client.get_flow(flow, fields=f"id,x{flow}").id for flow in "123"] == ["1", "2", "3"]
        client.close()
    assert server.connections == 1


def test_connections_are_kept_to_a_few_hosts() -> None:
    """One idle connection for each download host would use up the file descriptors."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(answers())) for _ in range(13)]
        transport = RequestsTransport()
        for server in servers:
            transport.send(request_to(server.url), timeout=PATIENT)
        gc.collect()
        for server in servers[:3]:
            assert server.all_connections_end()
        transport.close()


# Cookies


def test_the_own_session_keeps_no_cookies() -> None:
    """None is sent with another token, or from the download host to Graph."""
    with Server(answers(headers={"Set-Cookie": "tenant=one; Path=/"})) as server:
        client = FlowsClient("token-of-one", "1", base_url=server.url)
        client.subscribe_app()
        client.with_options(access_token="token-of-two").subscribe_app()
        client.close()
    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


# Exceptions of the host's code


class _Broken(HTTPAdapter):
    def send(self, *args: Any, **options: Any) -> requests.Response:
        raise self.error

    error: Exception


@pytest.mark.parametrize(
    "error",
    [
        TypeError("mistake"),
        KeyError("mistake"),
        ValueError("mistake"),
        FileNotFoundError("mistake"),
        RuntimeError("mistake"),
    ],
    ids=lambda it: type(it).__name__,
)
@pytest.mark.parametrize("where", ["hook", "adapter"])
def test_an_exception_of_the_hosts_code_propagates(error: Exception, where: str) -> None:
    """Unchanged, after one attempt, with its cause."""

    def fail(*_: object, **__: object) -> None:
        raise error from LookupError("the cause")

    with Server(answers()) as server, requests.Session() as session:
        if where == "hook":
            session.hooks["response"].append(fail)
        else:
            adapter = _Broken()
            adapter.error = error
            error.__cause__ = LookupError("the cause")
            session.mount("http://", adapter)
        client = FlowsClient(TOKEN, "1", base_url=server.url, session=session, sleep=lambda _: pytest.fail("waited"))
        with pytest.raises(type(error)) as caught:
            client.get_flow(FLOW_ID)
        assert caught.value is error
        assert isinstance(caught.value.__cause__, LookupError)
    assert len(server.requests) == (where == "hook")


def test_a_connection_error_of_a_hook_propagates() -> None:
    """Meta has answered: it must not look as if nothing had been sent."""

    def report(*_: object, **__: object) -> None:
        raise requests.ConnectionError("the metrics server is down")

    with Server(answers()) as server, requests.Session() as session:
        session.hooks["response"].append(report)
        with pytest.raises(requests.ConnectionError, match="metrics"):
            FlowsClient(TOKEN, "1", base_url=server.url, session=session).get_flow(FLOW_ID)
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", [ConnectionResetError, TimeoutError, requests.ConnectionError])
def test_a_network_error_of_an_adapter_is_translated(kind: type[Exception]) -> None:
    """Third-party adapters raise requests' exceptions."""
    adapter = _Broken()
    adapter.error = kind("lost")
    with requests.Session() as session:
        session.mount("http://", adapter)
        with pytest.raises(NoAnswerError):
            exchange(session, request_to("http://127.0.0.1:9"), PATIENT)


@with_both
@pytest.mark.parametrize("location", ["http://[", "http://a b:xx/", "http://\xff\xfe/", "//", "http://x:99999/"])
def test_a_malformed_location_is_ignored(location: str, session_of: Any) -> None:
    """The redirect is not followed, and the response counts."""
    with Server(answers(b"{}", 302, {"Location": location})) as server, session_of() as session:
        assert exchange(session, request_to(server.url), PATIENT).status == 302
    assert len(server.requests) == 1


# Forks


def flow(received: Received) -> Answer:
    return Answer(json.dumps({"id": urlsplit(received.target).path.rpartition("/")[2]}).encode())


@needs_fork
@with_both
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "TLS"])
def test_forks_while_requests_are_under_way(secured: bool, session_of: Any) -> None:
    """Each process gets the responses to its own calls, and no call fails."""
    with Server(replies(flow, secured=secured)) as server, session_of() as session:
        client = FlowsClient(TOKEN, base_url=server.url, session=session, max_attempts=1)
        view = client.with_options(waba_id="55")

        def ask(user: FlowsClient, numbers: Any) -> list[str]:
            return [user.get_flow(str(number)).id for number in numbers]

        with ThreadPoolExecutor(4) as pool:
            parts = [range(start, start + 60) for start in range(0, 240, 60)]
            traffic = [pool.submit(ask, client, part) for part in parts]
            for child in range(4):
                numbers = range(1000 * (child + 1), 1000 * (child + 1) + 20)
                user = view if child % 2 else client
                assert in_a_child(lambda user=user, numbers=numbers: ask(user, numbers)) == [*map(str, numbers)]  # type: ignore[misc]
            assert [task.result() for task in traffic] == [[*map(str, part)] for part in parts]
        assert ask(view, [7]) == ["7"]
        client.close()
    assert len(server.requests) == 240 + 80 + 1


@needs_fork
@with_both
def test_the_end_of_a_child_closes_no_connection_of_the_parent(session_of: Any) -> None:
    """The parent keeps its connection, TLS included, after a child has closed its client."""
    with Server(replies(flow, secured=True)) as server, session_of() as session:
        client = FlowsClient(TOKEN, base_url=server.url, session=session, max_attempts=1)
        assert client.get_flow("1").id == "1"

        def work() -> str:
            found = client.get_flow("2").id
            client.close()
            return found

        assert in_a_child(work) == "2"
        assert client.get_flow("3").id == "3"
        client.close()
    assert server.connections == 2


def test_the_repr_of_headers_does_not_show_the_token() -> None:
    """A traceback with local variables shows the headers of the request."""
    seen: list[str] = []

    def look(answer: requests.Response, **_: object) -> None:
        seen.append(repr(answer.request.headers))
        assert answer.request.headers["Authorization"] == f"Bearer {TOKEN}"

    with Server(answers()) as server, requests.Session() as session:
        session.hooks["response"].append(look)
        exchange(session, request_to(server.url), PATIENT)
    assert TOKEN not in seen[0]
    assert "Bearer ***" in seen[0]


# Connecting


@pytest.mark.parametrize("timeout", [Timeout(0.3, 5.0), Timeout(5.0, 5.0, 0.3)], ids=["connect", "total"])
def test_many_dead_addresses_take_no_longer_than_one(timeout: Timeout, monkeypatch: pytest.MonkeyPatch) -> None:
    """`connect` limits all addresses together, and nothing is sent; one after the other takes half a minute."""
    with bad.addresses(monkeypatch, 100):
        began = time.monotonic()
        with pytest.raises(FlowsError) as caught:
            exchange(None, request_to("http://flows.nonexistent:80"), timeout)
        assert 0.25 < time.monotonic() - began < 15
    assert_is(caught.value, NotSentError)


def test_a_dead_address_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each address has its share of the time."""
    with Server(answers()) as server, bad.addresses(monkeypatch, 2, server.port):
        assert exchange(None, request_to(f"http://flows.nonexistent:{server.port}"), Timeout(0.6, 5.0)).status == 200


def test_a_stop_ends_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its grace."""
    stop = threading.Event()
    stop.set()
    with bad.addresses(monkeypatch, 1), pytest.raises(FlowsError, match="stopped while") as caught:
        exchange(None, request_to("http://flows.nonexistent:80", stop=stop), PATIENT, stop_grace=0.05)
    assert_is(caught.value, NotSentError)


def test_an_unknown_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does not exist, or whose name is invalid."""
    for host in ("flows.nonexistent", f"{'x' * 64}.nonexistent"):
        with pytest.raises(FlowsError, match=host[:12]) as caught:
            exchange(None, request_to(f"http://{host}"), PATIENT)
        assert_is(caught.value, NotSentError)


def test_a_replaced_create_connection_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function of urllib3 that hosts replace to resolve names themselves."""
    asked = []

    def create(address: tuple[str, int], *more: Any, **options: Any) -> socket.socket:
        asked.append(address)
        return socket.create_connection(("127.0.0.1", server.port))

    monkeypatch.setattr(urllib3.util.connection, "create_connection", create)
    with Server(answers()) as server:
        assert exchange(None, request_to("http://flows.nonexistent:80"), PATIENT).status == 200
    assert asked == [("flows.nonexistent", 80)]
