"""What an `EndpointClient` can send to: endpoints, applications, callables and URLs; and how long it waits for each."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi import Request as FastApiRequest
from fastapi import Response as FastApiResponse
from flask import Flask
from flask import request as flask_request

from tests import misbehaving as bad
from tests.endpoint.plain_endpoint import PlainEndpoint
from whatsapp_flows import ConfigurationError
from whatsapp_flows.endpoint import EndpointClient, EndpointReply, HttpAnswer, KeyPair

SECRET = "an-app-secret-for-tests"
Client = Callable[..., EndpointClient]


@pytest.fixture
def endpoint(flow_key_pair: KeyPair) -> PlainEndpoint:
    return PlainEndpoint(flow_key_pair.private_pem.reveal(), secret=SECRET)


class OwnReceiver:
    """An object of the form of `FlowEndpoint`."""

    max_body = 1000

    def __init__(self, answer: Callable[[bytes, Mapping[str, str]], tuple[int, dict[str, str], bytes]]) -> None:
        self._answer = answer
        self.awaited = 0

    def receive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        status, sent, content = self._answer(body, headers)
        return HttpAnswer(status, sent, content, "ping")

    async def areceive(self, body: bytes, headers: Mapping[str, str], /) -> HttpAnswer:
        self.awaited += 1
        return self.receive(body, headers)


def fastapi_app(endpoint: PlainEndpoint) -> FastAPI:
    app = FastAPI()

    @app.post("/flow")
    async def flow(request: FastApiRequest) -> FastApiResponse:
        status, headers, body = endpoint(await request.body(), dict(request.headers))
        return FastApiResponse(body, status, headers)

    return app


def flask_app(endpoint: PlainEndpoint) -> Flask:
    app = Flask(__name__)

    @app.post("/flow")
    def flow() -> tuple[bytes, int, dict[str, str]]:
        status, headers, body = endpoint(flask_request.get_data(), dict(flask_request.headers))
        return body, status, headers

    return app


def raw_wsgi(endpoint: PlainEndpoint) -> Any:
    """An application in chunks, which closes itself; one of its headers is in upper case."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        assert environ["wsgi.url_scheme"] == "https"
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        status, sent, body = endpoint(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])), headers)
        start_response(f"{status} Whatever", [(name.upper(), value) for name, value in sent.items()])
        yield body[:3]
        yield body[3:]

    return application


def raw_asgi(endpoint: PlainEndpoint) -> Any:
    """An application that sends its body in parts."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert (scope["type"], scope["scheme"]) == ("http", "https")
        message = await receive()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, sent, body = endpoint(message["body"], headers)
        raw = [(name.encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body[:3], "more_body": True})
        await send({"type": "http.response.body", "body": body[3:]})
        assert (await receive())["type"] == "http.disconnect"

    return application


async def in_a_coroutine(endpoint: PlainEndpoint, body: bytes, headers: Mapping[str, str]) -> Any:
    await asyncio.sleep(0)
    return endpoint(body, headers)


class CallableObject:
    """An object with a method `__call__` of body and headers."""

    def __init__(self, endpoint: PlainEndpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        return HttpAnswer(*self._endpoint(body, headers), "answered")


TARGETS: dict[str, Callable[[PlainEndpoint], Any]] = {
    "a receiver": OwnReceiver,
    "FastAPI": fastapi_app,
    "Flask": flask_app,
    "raw ASGI": raw_asgi,
    "raw WSGI": raw_wsgi,
    "a function": lambda endpoint: endpoint,
    "an HttpAnswer": CallableObject,
    "a coroutine function": lambda endpoint: functools.partial(in_a_coroutine, endpoint),
}


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
@pytest.mark.parametrize("kind", TARGETS)
def test_every_target_is_recognised_and_answers(
    flow_endpoint_client: Client, endpoint: PlainEndpoint, kind: str, awaited: bool
) -> None:
    """The body arrives as it was signed, and status, content type and body come back."""
    client = flow_endpoint_client(TARGETS[kind](endpoint), path="/flow")
    reply, refused = (
        (asyncio.run(client.aping()), asyncio.run(client.aping(tamper="other-body")))
        if awaited
        else (client.ping(), client.ping(tamper="other-body"))
    )
    assert (reply.outcome, reply.status, reply.content_type.partition(";")[0]) == ("answered", 200, "text/plain")
    assert reply.problem == ""
    assert refused.status == 432


def test_an_awaited_receiver_is_awaited(flow_endpoint_client: Client, endpoint: PlainEndpoint) -> None:
    """`areceive` for the awaited methods, `receive` for the others."""
    receiver = OwnReceiver(endpoint)
    client = flow_endpoint_client(receiver)
    client.ping()
    assert receiver.awaited == 0
    asyncio.run(client.aexchange("INIT"))
    assert receiver.awaited == 1


@pytest.mark.parametrize(
    ("target", "word"),
    [
        (lambda: None, "0 arguments"),
        (lambda body: None, "1 arguments"),
        (lambda a, b, c, d: None, "4 arguments"),
        (lambda *arguments: None, "0 arguments"),
        (None, "a NoneType"),
        (b"https://example.com", "a bytes"),
        (Flask, "the class Flask"),
        (max, "arguments"),
    ],
)
def test_what_is_no_target_is_refused(flow_endpoint_client: Client, target: Any, word: str) -> None:
    """The message says what it is."""
    with pytest.raises(ConfigurationError, match=word):
        flow_endpoint_client(target)


def any_arguments(target: Callable[..., Any], *arguments: Any) -> Any:
    return target(*arguments)


def test_the_interface_can_be_given(flow_endpoint_client: Client, endpoint: PlainEndpoint) -> None:
    """For a callable whose arguments do not show what it is."""
    application = flask_app(endpoint)

    def hidden(*arguments: Any) -> Iterable[bytes]:
        return application(*arguments)

    def unusual(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        return application(environ, start)

    def optional(body: bytes, headers: Mapping[str, str], log: object = None) -> Any:
        return endpoint(body, headers)

    for target in (hidden, unusual):
        assert flow_endpoint_client(target, path="/flow", interface="wsgi").ping().ok
    assert flow_endpoint_client(optional).ping().ok
    assert flow_endpoint_client(functools.partial(any_arguments, endpoint), interface="callable").ping().ok
    assert flow_endpoint_client(functools.partial(any_arguments, raw_asgi(endpoint)), interface="asgi").ping().ok


@pytest.mark.parametrize("kind", ["FastAPI", "a coroutine function"])
def test_in_a_running_loop_the_blocking_methods_say_what_to_do(
    flow_endpoint_client: Client, endpoint: PlainEndpoint, kind: str
) -> None:
    """They cannot wait for what needs that loop."""
    client = flow_endpoint_client(TARGETS[kind](endpoint), path="/flow")

    async def test() -> None:
        with pytest.raises(ConfigurationError, match="await aping, aexchange or anotify_error"):
            client.ping()
        assert (await client.aping()).ok

    asyncio.run(test())


def test_an_exception_of_the_application_is_the_tests_to_see(flow_endpoint_client: Client) -> None:
    """It propagates, as in other test clients."""

    def wsgi(environ: Any, start_response: Any) -> Any:
        raise LookupError("my own")

    async def asgi(scope: Any, receive: Any, send: Any) -> Any:
        raise LookupError("my own")

    def plain(body: bytes, headers: Mapping[str, str]) -> Any:
        raise LookupError("my own")

    for target in (wsgi, asgi, plain):
        with pytest.raises(LookupError, match="my own"):
            flow_endpoint_client(target).ping()
        with pytest.raises(LookupError, match="my own"):
            asyncio.run(flow_endpoint_client(target).aping())


@pytest.mark.parametrize("answer", [None, b"body", (200, {}), (200, {}, "text"), ("200", {}, b""), (200, {}, b"", 1)])
def test_a_callable_that_returns_something_else_is_a_mistake(flow_endpoint_client: Client, answer: Any) -> None:
    """The message says what it must return."""

    def target(body: bytes, headers: Mapping[str, str]) -> Any:
        return answer

    with pytest.raises(ConfigurationError, match="HttpAnswer, or status, headers and body"):
        flow_endpoint_client(target).ping()


def test_a_url_has_its_own_path(flow_endpoint_client: Client) -> None:
    """A path beside it would be ignored."""
    with pytest.raises(ConfigurationError, match="path is for an application"):
        flow_endpoint_client("https://example.com/flow", path="/flow")


# -- ASGI: the loop, and the lifespan


class Lived:
    """An application that records its loops and its lifespan."""

    def __init__(self, endpoint: PlainEndpoint) -> None:
        self.log: list[str] = []
        self.loops: list[asyncio.AbstractEventLoop] = []

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
            self.log.append("startup")
            yield {"endpoint": endpoint}
            self.log.append("shutdown")

        self.app = FastAPI(lifespan=lifespan)

        @self.app.post("/")
        async def flow(request: FastApiRequest) -> FastApiResponse:
            self.loops.append(asyncio.get_running_loop())
            status, headers, body = request.state.endpoint(await request.body(), dict(request.headers))
            return FastApiResponse(body, status, headers)


def test_with_runs_the_lifespan_and_one_loop(flow_endpoint_client: Client, endpoint: PlainEndpoint) -> None:
    """Startup before the first request, shutdown after the last; what the startup made is there for the requests."""
    lived = Lived(endpoint)
    with flow_endpoint_client(lived.app) as client:
        assert lived.log == ["startup"]
        assert client.ping().ok
        assert client.ping().ok
    assert lived.log == ["startup", "shutdown"]
    assert lived.loops[0] is lived.loops[1]


def test_async_with_runs_the_lifespan_in_the_running_loop(
    flow_endpoint_client: Client, endpoint: PlainEndpoint
) -> None:
    """The application shares the loop of the test."""
    lived = Lived(endpoint)

    async def test() -> None:
        async with flow_endpoint_client(lived.app) as client:
            assert (await client.aping()).ok
        assert lived.loops == [asyncio.get_running_loop()]

    asyncio.run(test())
    assert lived.log == ["startup", "shutdown"]


def test_without_with_there_is_no_lifespan(flow_endpoint_client: Client, endpoint: PlainEndpoint) -> None:
    """As in Starlette's test client."""
    lived = Lived(endpoint)
    with pytest.raises(AttributeError):
        flow_endpoint_client(lived.app).ping()
    assert lived.log == []


def test_an_application_without_a_lifespan_works_with_with(
    flow_endpoint_client: Client, endpoint: PlainEndpoint
) -> None:
    """It raises for the lifespan scope, or returns from it at once, which the specification allows."""

    async def returns(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await raw_asgi(endpoint)(scope, receive, send)

    for application in (raw_asgi(endpoint), returns):
        with flow_endpoint_client(application) as client:
            assert client.ping().ok


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
def test_a_failing_lifespan_is_an_error(flow_endpoint_client: Client, phase: str) -> None:
    """With the application's own message."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            asked = message["type"].rpartition(".")[2]
            if asked == phase:
                await send({"type": f"lifespan.{phase}.failed", "message": "no database"})
                return
            await send({"type": f"lifespan.{asked}.complete"})

    with pytest.raises(RuntimeError, match=f"{phase} failed: no database"), flow_endpoint_client(application):
        pass


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"type": "http.response.start", "status": 200, "headers": []}],
        [
            {"type": "http.response.start", "status": 200},
            {"type": "http.response.body", "body": b"x", "more_body": True},
        ],
    ],
    ids=["nothing", "no body", "half a body"],
)
def test_an_incomplete_response_is_no_answer(flow_endpoint_client: Client, messages: list[dict[str, Any]]) -> None:
    """The client would see a closed connection."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    reply = flow_endpoint_client(application).ping()
    assert (reply.outcome, reply.status, reply.error_key) == ("no-answer", None, "no_http_response_error")


# -- WSGI: the protocol


def test_the_protocol_of_wsgi(flow_endpoint_client: Client, endpoint: PlainEndpoint) -> None:
    """`write`, a second `start_response` with an error, an iterable that is closed, and one that never starts."""
    closed: list[bool] = []

    class Chunks(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def writes(environ: dict[str, Any], start_response: Any) -> Chunks:
        status, headers, body = endpoint(environ["wsgi.input"].read(), {"X-Hub-Signature-256": environ[SIGNATURE]})
        start_response(f"{status} OK", list(headers.items()))(body)
        return Chunks()

    def corrects(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        start_response("503 No", [], (ValueError, ValueError("x"), None))
        return [b""]

    def fails_late(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])(b"some")
        start_response("503 No", [], (ValueError, ValueError("late"), None))
        return []

    def never_starts(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return [b"x"]

    assert flow_endpoint_client(writes).ping().ok
    assert closed == [True]
    assert flow_endpoint_client(corrects).ping().status == 503
    assert flow_endpoint_client(never_starts).ping().outcome == "no-answer"
    with pytest.raises(ValueError, match="late"):
        flow_endpoint_client(fails_late).ping()


SIGNATURE = "HTTP_X_HUB_SIGNATURE_256"


def test_the_path_and_its_query_arrive(flow_endpoint_client: Client) -> None:
    """For applications that tell their tenants apart by them."""
    seen: list[tuple[str, ...]] = []

    def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append((environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_HOST"]))
        start_response("404 Not Found", [])
        return []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        seen.append((scope["path"], scope["query_string"].decode(), host))
        await send({"type": "http.response.start", "status": 404})
        await send({"type": "http.response.body"})

    for application in (wsgi, asgi):
        reply = flow_endpoint_client(application, path="/flow%20of/7?tenant=a%20b").ping()
        assert (reply.status, reply.error_key) == (404, "unexpected_http_status_code")
    assert seen == [("/flow of/7", "tenant=a%20b", "testserver")] * 2


# -- time and size


def replied_late(flow_endpoint_client: Client, target: Any, clock: Any) -> EndpointReply:
    return flow_endpoint_client(target, clock=clock, path="/flow").ping()


@pytest.mark.parametrize("kind", ["a receiver", "Flask", "raw WSGI", "a function"])
@pytest.mark.parametrize(("seconds", "outcome"), [(9.9, "answered"), (10.0, "timeout"), (60.0, "timeout")])
def test_meta_gives_up_after_ten_seconds(
    flow_endpoint_client: Client, endpoint: PlainEndpoint, flows_clock: Any, kind: str, seconds: float, outcome: str
) -> None:
    """A handler that takes longer has not answered, although it has."""

    def slow(_: object) -> object:
        flows_clock.sleep(seconds)
        return {"data": {"status": "active"}}

    endpoint.handle = slow
    reply = replied_late(flow_endpoint_client, TARGETS[kind](endpoint), flows_clock)
    assert (reply.outcome, reply.seconds) == (outcome, seconds)
    assert reply.error_key == ("timeout_error" if outcome == "timeout" else "")
    assert (reply.status, reply.plaintext == b"") == ((None, True) if outcome == "timeout" else (200, False))


@pytest.mark.parametrize("kind", ["a receiver", "raw ASGI", "a coroutine function"])
def test_what_is_awaited_is_cancelled_at_the_limit(flow_endpoint_client: Client, kind: str) -> None:
    """An application that never answers does not hold up the test."""
    cancelled: list[bool] = []

    async def forever(*_: object) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    class Stuck(OwnReceiver):
        areceive = forever

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        await forever()

    targets = {"a receiver": Stuck(lambda *_: (200, {}, b"")), "raw ASGI": asgi, "a coroutine function": forever}
    client = flow_endpoint_client(
        targets[kind], time_limit=0.01, interface="auto" if kind != "a coroutine function" else "callable"
    )
    reply = asyncio.run(client.aping())
    assert (reply.outcome, reply.problem) == ("timeout", "No complete answer within 0.01 s.")
    assert cancelled == [True]
    if kind != "a receiver":
        assert client.ping().outcome == "timeout"


@pytest.mark.parametrize("kind", ["a receiver", "FastAPI", "Flask", "raw ASGI", "raw WSGI", "a function"])
def test_a_large_answer_is_not_read_to_its_end(
    flow_endpoint_client: Client, endpoint: PlainEndpoint, kind: str
) -> None:
    """The limit is in bytes of the body."""
    endpoint.wire = lambda body, _: body * 100
    client = flow_endpoint_client(TARGETS[kind](endpoint), path="/flow", max_answer=1000)
    reply = client.ping()
    assert (reply.outcome, reply.status, reply.problem) == ("too-large", None, "The answer has more than 1,000 bytes.")


# -- URLs


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/flow",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://[2001:db8::1]/",
        "ftp://example.com/",
        "example.com/flow",
        "https:///flow",
        "https://",
        "",
        "https://user:sesame@example.com/",
        "https://user@example.com/",
        "https://example.com:port/",
        "https://[/",
        "https://example.com/a b",
        "https://example.com/a\nb",
        "https://ex\u00e4mple.com/",
    ],
)
def test_a_url_is_https_unless_it_is_this_machine(flow_endpoint_client: Client, url: str) -> None:
    """Anything else is refused before it is used, and the message does not repeat it."""
    with pytest.raises(ConfigurationError, match="the URL of the endpoint must") as caught:
        flow_endpoint_client(url)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://localhost:8000/flow",
        "http://app.localhost/",
        "http://127.8.0.1/",
        "http://[::1]/",
    ],
)
def test_a_url_shows_its_host_alone(flow_endpoint_client: Client, url: str) -> None:
    """A path or a query may hold a secret."""
    host = "/".join(url.split("/")[:3])
    assert repr(flow_endpoint_client(f"{host}/flow?key=sesame")) == f"EndpointClient({host}, signed)"


def served(endpoint: PlainEndpoint, *, secured: bool = False) -> bad.Behaviour:
    """The endpoint behind a socket."""

    def reply(received: bad.Received) -> bad.Answer:
        status, headers, body = endpoint(received.body, received.headers)
        return bad.Answer(body, status, headers)

    return bad.replies(reply, secured=secured)


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
@pytest.mark.parametrize("secured", [False, True], ids=["http", "https"])
def test_an_endpoint_at_a_url(
    flow_endpoint_client: Client, endpoint: PlainEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    secured: bool, awaited: bool,
) -> None:  # fmt: skip
    """The request is a POST of JSON with the signature, to the path and query of the URL; the fragment stays here."""
    bad.forget_environment(monkeypatch)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bad.certificate_file(tmp_path))
    with bad.Server(served(endpoint, secured=secured)) as server:
        client = flow_endpoint_client(f"{server.url}/flow?tenant=a#part")
        reply = asyncio.run(client.aping()) if awaited else client.ping()
        assert (reply.outcome, reply.content_type, reply.problem) == ("answered", "text/plain", "")
        client.close()
    (received,) = server.requests
    assert (received.method, received.target) == ("POST", "/flow?tenant=a")
    assert received.headers["content-type"] == "application/json"
    assert "authorization" not in received.headers
    assert "cookie" not in received.headers


def test_a_callers_certificate_authority_does_not_matter(
    flow_endpoint_client: Client, endpoint: PlainEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is not trusted is said, and nothing is sent."""
    bad.forget_environment(monkeypatch)
    with bad.Server(served(endpoint, secured=True)) as server:
        reply = flow_endpoint_client(server.url).ping()
    assert (reply.outcome, reply.error_key) == ("not-trusted", "no_http_response_error")
    assert server.requests == ()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(
    flow_endpoint_client: Client, endpoint: PlainEndpoint, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """The other host gets nothing."""
    bad.forget_environment(monkeypatch)
    with bad.Server(served(endpoint)) as other, bad.Server(bad.redirects(other.url, status)) as server:
        reply = flow_endpoint_client(server.url).ping()
    assert (reply.outcome, reply.status, other.connections) == ("unexpected-status", status, 0)
    assert "no redirect is followed" in reply.problem


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (bad.CLOSE_AFTER_REQUEST, "no-answer"),
        (bad.RESET_AFTER_REQUEST, "no-answer"),
        (bad.SHORT_BODY, "no-answer"),
        (bad.GARBAGE, "no-answer"),
        (bad.DAMAGED_GZIP, "no-answer"),
        (bad.HUGE_HEADER, "no-answer"),
        (bad.NO_TLS, "not-trusted"),
        (bad.TLS_CUT, "not-reached"),
    ],
    ids=str,
)
def test_a_server_that_misbehaves(
    flow_endpoint_client: Client, monkeypatch: pytest.MonkeyPatch, behaviour: bad.Behaviour, outcome: str
) -> None:
    """No exception, and nothing of the request in the problem."""
    bad.forget_environment(monkeypatch)
    with bad.Server(behaviour) as server:
        reply = flow_endpoint_client(f"{server.url}/sesame").ping()
    assert (reply.outcome, reply.status, reply.error_key) == (outcome, None, "no_http_response_error")
    assert reply.problem
    assert "sesame" not in reply.problem


@pytest.mark.parametrize(
    "behaviour",
    [bad.SILENCE, bad.STALL_IN_BODY, bad.BODY_DRIPS, bad.DRIPPING[0], bad.HANDSHAKE_DRIPS, bad.TLS_SILENCE],
    ids=str,
)
@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_a_url_is_given_up_at_the_limit_whatever_trickles_in(
    flow_endpoint_client: Client, monkeypatch: pytest.MonkeyPatch, behaviour: bad.Behaviour, awaited: bool
) -> None:
    """The limit is for the whole request, also while bytes arrive."""
    bad.forget_environment(monkeypatch)
    with bad.Server(behaviour) as server:
        client = flow_endpoint_client(server.url, time_limit=0.1)
        reply = asyncio.run(client.aping()) if awaited else client.ping()
    assert (reply.outcome, reply.error_key, reply.attempts) == ("timeout", "timeout_error", 1)


def test_a_refused_connection_is_reported(flow_endpoint_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has arrived."""
    bad.forget_environment(monkeypatch)
    with bad.refusing() as url:
        assert flow_endpoint_client(url).ping().outcome == "not-reached"


def test_a_large_answer_of_a_url_is_not_read_to_its_end(
    flow_endpoint_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body of 2 MiB by default."""
    bad.forget_environment(monkeypatch)
    with bad.Server(bad.answers(b"x" * (2 * 2**20 + 1))) as server:
        reply = flow_endpoint_client(server.url).ping()
    assert (reply.outcome, reply.problem) == ("too-large", "The answer has more than 2,097,152 bytes.")


def test_a_cancelled_request_ends(flow_endpoint_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that carries it goes on for a moment, and no longer."""
    bad.forget_environment(monkeypatch)

    async def test(url: str) -> None:
        task = asyncio.ensure_future(flow_endpoint_client(url).aping())
        assert await asyncio.to_thread(server.has_received, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with bad.Server(bad.SILENCE) as server:
        asyncio.run(test(server.url))
        assert server.all_connections_end()
    assert json.loads(server.requests[0].body)
