"""
The contract of the adapters: what reaches a receiver, and what is sent of its answer.

One set of tests for each adapter without a server, and for each behind the servers that people run.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import pytest

from tests.contrib.adapters.applications import ASGI, django_wsgi, flask_app, wsgi_app
from tests.contrib.adapters.receivers import ANSWERS, MAX_BODY, PATIENCE, Echo
from tests.contrib.adapters.ways import IN_A_PROCESS, IN_THIS_PROCESS, LAMBDAS, SERVERS, WAYS, WITHOUT_SERVER, Ways
from tests.contrib.adapters.wires import Reply, Sent, wsgi_environ
from whatsapp_flows import ConfigurationError
from whatsapp_flows.contrib import asgi, aws_lambda, fastapi, flask, wsgi
from whatsapp_flows.contrib.django import async_flow_view, flow_view
from whatsapp_flows.endpoint import FlowEndpoint

pytestmark = pytest.mark.xdist_group("adapters")  # one process, in which each server starts once

JSON = (("Content-Type", "application/json"),)
OTHERS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
NO_CHUNKS = {"django on runserver"}  # wsgiref's server does not decode them


def rows(*names: str, without: Collection[str] = ()) -> pytest.MarkDecorator:
    """A test for each way; those that start a process are slow."""
    slow = [pytest.mark.slow]
    return pytest.mark.parametrize(
        "name",
        [pytest.param(name, marks=slow if name in IN_A_PROCESS else []) for name in names if name not in without],
    )


every_way = rows(*WAYS)


def seen(reply: Reply) -> dict[str, Any]:
    """What a receiver says that has reached it."""
    assert reply.status == 200
    return dict(json.loads(reply.body))


BODIES = {
    "as Meta signs it": rb'{"encrypted_flow_data":"a\/b","note":"\u00e9"}',
    "every byte": bytes(range(256)),
    "not UTF-8": b'{"name":"\xff\xfe\xe9"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "line breaks": b"\r\n{}\r\n\r\n",
    "NUL": b"\0",
    "empty": b"",
    "the limit": b"x" * MAX_BODY,
}


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@every_way
def test_the_body_arrives_as_it_was_sent(ways: Ways, name: str) -> None:
    """Every byte of it: a signature is made over the raw bytes."""
    arrived = {kind: seen(ways(name).call(Sent(headers=JSON, body=body))) for kind, body in BODIES.items()}
    assert {kind: it["sha256"] for kind, it in arrived.items()} == {kind: digest(it) for kind, it in BODIES.items()}


@every_way
def test_the_body_is_never_parsed(ways: Ways, name: str) -> None:
    """Whatever it is said to be."""
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""):
        arrived = seen(ways(name).call(Sent(headers=(("Content-Type", content_type),), body=b"a=1&b=%FF")))
        assert (content_type, arrived["sha256"]) == (content_type, digest(b"a=1&b=%FF"))


@every_way
def test_header_names_arrive_in_lower_case(ways: Ways, name: str) -> None:
    """However the peer or a proxy writes them."""
    for header in ("X-Hub-Signature-256", "x-hub-signature-256", "X-HUB-signature-256"):
        headers = seen(ways(name).call(Sent(headers=(*JSON, (header, "sha256=00")), body=b"{}")))["headers"]
        assert headers["x-hub-signature-256"] == "sha256=00"
        assert headers["content-type"] == "application/json"
        assert headers["content-length"] == "2"
        assert set(headers) == {header.lower() for header in headers}


@every_way
def test_a_repeated_header_arrives_once(ways: Ways, name: str) -> None:
    """With its values in order, separated by commas: no second signature can stand in for the first."""
    twice = (("X-Hub-Signature-256", "sha256=00"), ("x-hub-signature-256", "sha256=11"))
    headers = seen(ways(name).call(Sent(headers=twice, body=b"{}")))["headers"]
    assert headers["x-hub-signature-256"].replace(" ", "") == "sha256=00,sha256=11"


@every_way
def test_the_answer_is_sent_as_it_is(ways: Ways, name: str) -> None:
    """Status, content type and body: no charset is added, and nothing to an answer that has none."""
    for wanted, answer in ANSWERS.items():
        reply = ways(name).call(Sent(headers=(("X-Wanted", wanted),), body=b"{}"))
        content_type = {key.lower(): value for key, value in answer.headers.items()}.get("content-type")
        assert (reply.status, reply.header("content-type"), reply.body) == (answer.status, content_type, answer.body)
        assert reply.header("content-length") == str(len(answer.body))


@every_way
def test_other_methods_are_not_allowed(ways: Ways, name: str) -> None:
    """405 without a body, and the methods that are allowed; GET is one of them where the receiver verifies."""
    for path, allowed in (("/flow", "POST"), ("/hook", "GET, POST")):
        for method in OTHERS:
            if method in allowed:
                continue
            reply = ways(name).call(Sent(method=method, path=path))
            assert (method, reply.status, reply.header("allow")) == (method, 405, allowed)
            assert (reply.body, reply.header("content-type")) == (b"", None)


@every_way
def test_a_get_is_verified(ways: Ways, name: str) -> None:
    """By a receiver that does; it is given the query decoded, and its answer is sent."""
    query = "hub.mode=subscribe&hub.challenge=11%2022%26%C3%A9&hub.verify_token=a%2Bb+c&empty="
    reply = ways(name).call(Sent(method="GET", path="/hook", query=query))
    expected = {"hub.mode": "subscribe", "hub.challenge": "11 22&é", "hub.verify_token": "a+b c", "empty": ""}
    assert seen(reply) == expected
    assert reply.header("content-type") == "text/plain"
    refused = ways(name).call(Sent(method="GET", path="/hook"))
    assert (refused.status, refused.body) == (403, b"")


@every_way
def test_a_receiver_that_verifies_takes_posts(ways: Ways, name: str) -> None:
    """As the others do."""
    assert seen(ways(name).call(Sent(path="/hook", body=b"{}")))["size"] == 2


# -- bodies: chunked, too large, cut short


@rows(*WITHOUT_SERVER, *SERVERS, without=NO_CHUNKS)
def test_a_chunked_body_arrives_whole(ways: Ways, name: str) -> None:
    """Although no Content-Length says how long it is."""
    body = bytes(range(256)) * 5
    arrived = seen(ways(name).call(Sent(body=body, chunked=True)))
    assert (arrived["size"], arrived["sha256"]) == (len(body), digest(body))


@every_way
def test_a_body_that_is_too_large_is_cut(ways: Ways, name: str) -> None:
    """The receiver is given one byte over its maximum, whatever the size, and refuses it."""
    for size in (MAX_BODY + 1, MAX_BODY + 2, 20 * MAX_BODY):
        assert ways(name).call(Sent(body=b"x" * size)).status == 413


@rows(*WITHOUT_SERVER)
@pytest.mark.parametrize("chunked", [False, True], ids=["with Content-Length", "chunked"])
def test_a_body_that_is_too_large_is_not_read_to_its_end(ways: Ways, name: str, chunked: bool) -> None:
    """The application takes one byte over the maximum, or the message that it is in; under ASGI Django reads it all."""
    reply = ways(name).call(Sent(body=b"x" * 100_000, chunked=chunked))
    assert reply.status == 413
    most = 100_000 if name.startswith("django") and name in ASGI else MAX_BODY + 100
    assert MAX_BODY < reply.taken <= most


@rows(*SERVERS, without={"django async on uvicorn"})
def test_the_answer_to_a_body_that_is_too_large_does_not_wait_for_its_end(ways: Ways, name: str) -> None:
    """The peer announces a gigabyte, sends a little more than is allowed, and reads its 413."""
    with ways(name).connect(Sent(body=b"x" * (MAX_BODY + 10), missing=2**30)) as connection:
        assert connection.recv(12) == b"HTTP/1.1 413"


@rows(*WITHOUT_SERVER)
def test_a_body_that_ends_early_reaches_no_receiver(ways: Ways, name: str) -> None:
    """It would be taken for a forgery."""
    way = ways(name)
    assert isinstance(way.flow, Echo)
    way.flow.finished.clear()
    if name in ASGI:
        with pytest.raises(ValueError, match="unpack"):  # nothing was sent
            way.call(Sent(body=b"{", missing=5))
    else:
        assert (reply := way.call(Sent(body=b"{", missing=5))).status == 400
        assert reply.body == b""
    assert way.flow.finished == []


@rows("wsgi", "flask", "django")
@pytest.mark.parametrize("length", ["-1", "1e3", "\u0661", "+2", "2, 2", "many"])
def test_a_length_that_is_no_number_is_refused(ways: Ways, name: str, length: str) -> None:
    """Where a server lets it through: nothing is read, and the receiver is not asked."""
    reply = ways(name).call(Sent(headers=(("Content-Length", length),), body=b"{}"))
    assert (reply.status, reply.body, reply.taken) == (400, b"", 0)


@rows(*WITHOUT_SERVER, "wsgi on werkzeug", "flask on werkzeug")
@pytest.mark.parametrize("digits", [16, 5000])
def test_a_length_of_many_digits_is_no_fault_of_the_server(ways: Ways, name: str, digits: int) -> None:
    """Python reads no number of thousands of digits; under WSGI Django takes such a length for 0."""
    django_reads_none = digits > 4300 and name in {"django", "django async under wsgi"}
    reply = ways(name).call(Sent(body=b"x" * (MAX_BODY + 1), length="9" * digits))
    assert reply.status == (400 if django_reads_none else 413)
    reply = ways(name).call(Sent(body=b"{}", length="0" * digits + "2"))
    assert reply.status == (400 if django_reads_none else 200)


@rows("wsgi", "flask", "django")
def test_a_body_shorter_than_a_length_of_many_digits_is_refused(ways: Ways, name: str) -> None:
    """It ended early, as with any other length."""
    assert ways(name).call(Sent(body=b"{}", length="9" * 5000)).status == 400


@pytest.mark.parametrize("application", [wsgi_app, flask_app, django_wsgi])
@pytest.mark.parametrize(("terminated", "size"), [(True, 3), (False, 0)])
def test_a_body_without_length_or_encoding_is_read_where_it_ends_itself(
    application: Callable[[Any], Any], terminated: bool, size: int
) -> None:
    """As HTTP/2 has it; PEP 3333 calls it empty, unless the server says that its input ends (gunicorn, waitress)."""
    environ = wsgi_environ(Sent(), io.BytesIO(b"abc"))
    del environ["CONTENT_LENGTH"]
    environ["wsgi.input_terminated"] = terminated
    answer = application({"/flow": Echo()})(environ, lambda status, headers, exc_info=None: None)
    assert json.loads(b"".join(answer))["size"] == size


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_cannot_be_read_is_refused(chunked: bool) -> None:
    """Servers raise `OSError` when the peer has gone, or when its chunks are malformed."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the peer has gone")

    statuses: list[str] = []
    environ = wsgi_environ(Sent(body=b"{}", chunked=chunked), Broken())
    assert list(wsgi.app(Echo())(environ, lambda status, headers: statuses.append(status))) == [b""]  # type: ignore[arg-type]
    assert statuses == ["400 Bad Request"]


# -- what can be served


SERVE: dict[str, Callable[[Any], object]] = {
    "asgi": asgi.app,
    "wsgi": wsgi.app,
    "fastapi": lambda receiver: fastapi.router(receiver, "/flow"),
    "flask": lambda receiver: flask.blueprint(receiver, "/flow"),
    "django": flow_view,
    "django async": async_flow_view,
    "lambda": aws_lambda.handler,
}


@pytest.mark.parametrize("serve", SERVE.values(), ids=SERVE)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "NoneType cannot be served, because it has no max_body, receive, areceive"),
        ("endpoint", "str cannot be served"),
        (FlowEndpoint, "FlowEndpoint cannot be served, because it has no max_body"),
        (SimpleNamespace(max_body=1, receive=print), "it has no areceive"),
    ],
)
def test_what_is_no_receiver_is_refused_at_once(serve: Callable[[Any], object], given: object, message: str) -> None:
    """Rather than at the first request."""
    with pytest.raises(ConfigurationError, match=message):
        serve(given)


# -- disconnects


@rows(*SERVERS, without={"django async on uvicorn", *NO_CHUNKS})
def test_the_answer_to_chunks_that_are_too_large_does_not_wait_for_their_end(ways: Ways, name: str) -> None:
    """Nor where the peer says nothing of the length."""
    with ways(name).connect(Sent(body=b"x" * (MAX_BODY + 10), chunked=True)) as connection:
        assert connection.recv(12) == b"HTTP/1.1 413"


@rows(*SERVERS)
def test_a_peer_that_goes_while_it_sends_ends_nothing(ways: Ways, name: str) -> None:
    """The next request is answered."""
    way = ways(name)
    for chunked in (False, True, False):
        way.connect(Sent(body=b"{", missing=500, chunked=chunked)).close()
    assert seen(way.call(Sent(body=b"{}")))["size"] == 2


@rows(*IN_THIS_PROCESS)
def test_a_handler_is_completed_although_the_peer_has_gone(ways: Ways, name: str) -> None:
    """What it has begun, such as a booking, is not cut off; and the next request is answered."""
    way = ways(name)
    echo = way.flow
    assert isinstance(echo, Echo)
    for event in (echo.entered, echo.gate, echo.done):
        event.clear()
    with way.connect(Sent(headers=(("X-Wait", "gate"),), body=b"{}")):
        assert echo.entered.wait(PATIENCE)
    assert seen(way.call(Sent(body=b"{}")))["size"] == 2  # meanwhile, and after the server has seen the end
    echo.gate.set()
    assert echo.done.wait(PATIENCE)
    assert seen(way.call(Sent(body=b"{}")))["size"] == 2


# -- two at once


@rows(*WITHOUT_SERVER, *LAMBDAS, *SERVERS, without={"django plain under asgi"})
def test_two_requests_are_answered_at_once(ways: Ways, name: str) -> None:
    """Each waits for the other: neither blocks a loop or a server."""
    meeting = Sent(headers=(("X-Wait", "meet"),), body=b"{}")
    assert [reply.status for reply in ways(name).together([meeting, meeting])] == [200, 200]


@rows(*IN_THIS_PROCESS)
def test_two_connections_do_not_mix(ways: Ways, name: str) -> None:
    """Twelve requests at once, each answered with its own body."""
    requests = [Sent(body=bytes([number]) * 50) for number in range(12)]
    replies = ways(name).together(requests)
    assert [seen(reply)["sha256"] for reply in replies] == [digest(sent.body) for sent in requests]
