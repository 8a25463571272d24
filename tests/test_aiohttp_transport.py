"""The transport on aiohttp: which settings of the host's session apply, and where the token goes."""

from __future__ import annotations

import asyncio
import gzip
import json
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests import misbehaving as bad
from tests.misbehaving import Received, Server, answers
from tests.transport_support import (
    APP_SECRET,
    DOCUMENT,
    FLOW_ID,
    OURS,
    PATIENT,
    PROCESSING_FAILED,
    QUICK,
    TOKEN,
    assert_is,
    assets_at,
    request_to,
)
from tests.wires import event_loop
from whatsapp_flows import (
    AiohttpTransport,
    AsyncFlowsClient,
    ConfigurationError,
    FlowProcessingError,
    FlowsError,
    NoAnswerError,
    NotSentError,
    Timeout,
    TlsError,
)
from whatsapp_flows._aiohttp._bodies import CHUNK, RequestBody
from whatsapp_flows._aiohttp._exchange import message_for


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with event_loop() as loop:
        return loop.run(main())


async def no_wait(_: float) -> None:
    """A `sleep` that does not wait."""


def client_for(url: str, session: aiohttp.ClientSession | None = None, **options: Any) -> AsyncFlowsClient:
    usual: dict[str, Any] = {"base_url": url, "session": session, "timeout": PATIENT, "sleep": no_wait}
    return AsyncFlowsClient(TOKEN, "102290129340398", **{**usual, **options})


def publish(url: str, times: int = 1, **session: Any) -> None:
    """Publishes a flow, once or several times, on a session of the host's with these arguments."""

    async def main() -> None:
        async with aiohttp.ClientSession(**session) as host:
            for _ in range(times):
                await client_for(url, host).publish_flow(FLOW_ID)

    run(main)


# Settings of the host's session


def test_the_hosts_session_stays_open() -> None:
    """Leaving the client's context does not close the host's session."""

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                async with client_for(server.url, session) as client:
                    await client.publish_flow(FLOW_ID)
            async with session.get(server.url) as answer:
                assert answer.ok
                await answer.read()

    with Server(answers()) as server:
        run(main)
    assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize(
    ("hosts", "sent"),
    [
        ({}, OURS),
        ({"User-Agent": "deployer/3.1"}, "deployer/3.1"),
        ({"user-agent": "deployer/3.1"}, "deployer/3.1"),
        ({"User-Agent": "Python/3.11 aiohttp/3.12"}, OURS),
    ],
    ids=repr,
)
def test_the_hosts_user_agent_is_kept(hosts: dict[str, str], sent: str) -> None:
    """Ours is sent only when the session has aiohttp's default."""
    with Server(answers()) as server:
        publish(server.url, headers=hosts)
    assert server.requests[0].headers["user-agent"] == sent


def test_the_sessions_headers_are_sent() -> None:
    """Except for the length and the type of the body, which are the request's own."""

    async def main() -> None:
        headers = {"X-Team": "flows", "Content-Type": "text/plain", "Content-Length": "3"}
        async with aiohttp.ClientSession(headers=headers) as session:
            await client_for(server.url, session).update_flow_json(FLOW_ID, DOCUMENT)

    with Server(answers()) as server:
        run(main)
    (received,) = server.requests
    assert received.headers["x-team"] == "flows"
    assert received.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert received.headers["content-length"] == str(len(received.body))
    assert received.raw_head.lower().count(b"content-length:") == 1


@pytest.mark.parametrize(("name", "value"), [("X-Team", "two\r\nlines"), ("X-Team", "nul\0"), ("X-Te\nam", "one")])
def test_an_invalid_session_header_is_a_configuration_error(name: str, value: str) -> None:
    """Nothing is sent, and the message does not quote the header."""
    with Server(answers()) as server, pytest.raises(ConfigurationError, match="header") as caught:
        publish(server.url, headers={name: value})
    assert server.requests == ()
    assert value not in str(caught.value)


def test_the_sessions_cookies_are_sent_and_kept() -> None:
    """The jar is the host's: its cookies are sent, and those of the response are stored."""

    async def main() -> None:
        jar = aiohttp.CookieJar(unsafe=True)  # accepts cookies of an IP address
        jar.update_cookies({"sticky": "node-7"}, URL(server.url))
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            for _ in range(2):
                await client_for(server.url, session).publish_flow(FLOW_ID)

    with Server(answers(headers={"Set-Cookie": "seen=1; Path=/"}), answers()) as server:
        run(main)
    first, second = (received.headers["cookie"] for received in server.requests)
    assert first == "sticky=node-7"
    assert sorted(second.split("; ")) == ["seen=1", "sticky=node-7"]


def test_a_session_of_our_own_keeps_no_cookies() -> None:
    """A cookie that a server sets is sent neither to it again nor to the files' host."""

    async def main() -> None:
        async with client_for(server.url_at("localhost")) as client:
            await client.publish_flow(FLOW_ID)
            await client.publish_flow(FLOW_ID)

    with Server(answers(headers={"Set-Cookie": "seen=1; Path=/"})) as server:
        run(main)
    assert [("cookie" in received.headers) for received in server.requests] == [False, False]


def test_a_session_that_raises_for_status_changes_no_error() -> None:
    """Meta's error response is read and classified, and retried as usual."""

    async def main() -> None:
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            client = client_for(server.url, session)
            with pytest.raises(FlowProcessingError):
                await client.update_flow_json(FLOW_ID, DOCUMENT, max_retries=1)
            assert (await client.update_flow_json(FLOW_ID, DOCUMENT)).success

    with Server(answers(PROCESSING_FAILED, 400), answers()) as server:
        run(main)
    assert len(server.requests) == 2


def test_a_session_that_does_not_decompress_changes_nothing() -> None:
    """The transport decodes the body itself."""
    packed = gzip.compress(b'{"success": true}')
    with Server(answers(packed, headers={"Content-Encoding": "gzip"})) as server:
        publish(server.url, auto_decompress=False)


def test_the_sessions_own_timeouts_do_not_apply() -> None:
    """The client's timeouts apply, as with every transport."""
    with Server(answers()) as server:
        publish(server.url, timeout=aiohttp.ClientTimeout(total=1e-9))

    async def main() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            await client_for(server.url, session, timeout=QUICK, max_attempts=1).publish_flow(FLOW_ID)

    with Server(bad.SILENCE) as server, pytest.raises(NoAnswerError):
        run(main)


def limit_of(transport: AiohttpTransport) -> int:
    """As its repr says."""
    return int(repr(transport).partition("max_connections=")[2].partition(",")[0])


def test_the_limit_of_the_hosts_connector_is_kept() -> None:
    """The lowest of all given limits applies."""

    async def main() -> list[int]:
        limits = []
        rows: list[tuple[dict[str, Any], int | None]] = [
            ({"limit": 7}, None),
            ({"limit": 7}, 3),
            ({"limit": 0}, None),
            ({"limit": 0, "limit_per_host": 5}, 50),
            ({}, 1000),
        ]
        for connector, wanted in rows:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(**connector)) as session:
                limits.append(limit_of(AiohttpTransport(session, max_connections=wanted)))
        return limits

    assert run(main) == [7, 3, 100, 5, 100]
    assert limit_of(AiohttpTransport()) == 100


def test_traces_and_a_response_class_of_the_hosts_are_used() -> None:
    """Instrumentation sees every request, and the document as it is written."""
    seen: list[str] = []

    class HostsResponse(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            seen.append("read")
            return await super().read()

    async def note(_: object, __: object, params: Any) -> None:
        seen.append(type(params).__name__)

    async def main() -> None:
        trace = aiohttp.TraceConfig()
        for signal in (trace.on_request_start, trace.on_request_chunk_sent, trace.on_request_end):
            signal.append(note)
        async with aiohttp.ClientSession(trace_configs=[trace], response_class=HostsResponse) as session:
            await client_for(server.url, session).update_flow_json(FLOW_ID, DOCUMENT)

    with Server(answers()) as server:
        run(main)
    assert seen == ["TraceRequestStartParams", "TraceRequestChunkSentParams", "TraceRequestEndParams", "read"]


def test_trust_env_of_the_session_applies(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp's `trust_env`, which is off by default."""
    with Server(answers()) as server, Server(answers()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        publish(server.url)
        publish(server.url, trust_env=True)
    assert (len(server.requests), len(proxy.requests)) == (1, 1)


# Middlewares


def test_the_hosts_middlewares_are_called() -> None:
    """In their order, around each request."""
    seen: list[str] = []

    def noting(name: str) -> aiohttp.ClientMiddlewareType:
        async def middleware(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            seen.append(name)
            request.headers["Authorization"] = "Basic host"
            return await handler(request)

        return middleware

    with Server(answers()) as server:
        publish(server.url, middlewares=(noting("outer"), noting("inner")))
    assert seen == ["outer", "inner"]
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


async def retrying(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A middleware of the host's that repeats a failed request."""
    try:
        return await handler(request)
    except aiohttp.ClientError:
        return await handler(request)


def test_a_retry_in_a_middleware_may_have_acted() -> None:
    """Its first try reached the server and its second was refused: the server may have acted."""

    async def main() -> None:
        async with aiohttp.ClientSession(middlewares=(retrying,)) as session:
            await client_for(server.url, session, max_attempts=1).delete_flow(FLOW_ID)

    with Server(bad.RESET_AFTER_REQUEST, connections=1) as server, pytest.raises(NoAnswerError):
        run(main)
    assert len(server.requests) == 1


def test_a_retry_in_a_middleware_that_never_connects_was_not_sent() -> None:
    """When no try connects, nothing was sent."""

    async def main(url: str) -> None:
        async with aiohttp.ClientSession(middlewares=(retrying,)) as session:
            await client_for(url, session, max_attempts=1).delete_flow(FLOW_ID)

    with bad.refusing() as url, pytest.raises(NotSentError):
        run(lambda: main(url))


def test_a_middleware_that_raises_after_a_response_may_have_acted() -> None:
    """The server has answered by then."""

    async def late(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        answer = await handler(request)
        answer.close()
        raise aiohttp.ClientConnectionError("the host does not like it")

    with Server(answers()) as server, pytest.raises(NoAnswerError):
        publish_once(server.url, middlewares=(late,))


def publish_once(url: str, **session: Any) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession(**session) as host:
            await client_for(url, host, max_attempts=1).publish_flow(FLOW_ID)

    run(main)


def test_another_exception_of_a_middleware_propagates() -> None:
    """It propagates unchanged, and nothing is sent again."""

    class HostError(Exception):
        """An exception of the host's."""

    async def raising(_: aiohttp.ClientRequest, __: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        raise HostError

    with Server(answers()) as server, pytest.raises(HostError):
        publish(server.url, middlewares=(raising,))
    assert server.connections == 0


# The token, and other credentials


def _netrc(monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, Any]:
    path = folder / "netrc"
    path.write_text("machine 127.0.0.1 login me password hunter2\ndefault login me password hunter2\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    return {"trust_env": True}


def _session_auth(_: pytest.MonkeyPatch, __: Path) -> dict[str, Any]:
    return {"auth": ("me", "hunter2")}


def _session_header(_: pytest.MonkeyPatch, __: Path) -> dict[str, Any]:
    return {"headers": {"authorization": "Basic bWU6aHVudGVyMg=="}}


@asynccontextmanager
async def session_with(options: dict[str, Any]) -> AsyncIterator[aiohttp.ClientSession]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the deprecation of `auth`, which hosts still use
        if "auth" in options:
            options["auth"] = aiohttp.BasicAuth(*options["auth"])
        session = aiohttp.ClientSession(**options)
    async with session:
        yield session


@pytest.mark.parametrize("install", [_netrc, _session_auth, _session_header], ids=lambda it: it.__name__.strip("_"))
def test_no_other_credential_is_sent(
    install: Callable[[pytest.MonkeyPatch, Path], dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing replaces the token or is sent beside it, and the files' host gets no credential at all."""
    options = install(monkeypatch, tmp_path)

    async def main() -> None:
        async with session_with(options) as session:
            client = client_for(api.url, session, app_secret=APP_SECRET)
            assert await client.download_flow_json(FLOW_ID) == DOCUMENT.encode()

    with Server(answers(DOCUMENT.encode())) as cdn, Server(assets_at(cdn.url_at("localhost"))) as api:
        run(main)
    (asked,), (received,) = api.requests, cdn.requests
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.raw_head.lower().count(b"authorization:") == 1
    assert "authorization" not in received.headers
    assert received.target == "/file?oh=signature"
    assert (received.method, received.body) == ("GET", b"")
    assert set(received.headers) <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


def test_the_session_is_unchanged() -> None:
    """The host's own next request is sent without the token."""

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            before = dict(session.headers)
            await client_for(server.url, session).publish_flow(FLOW_ID)
            async with session.get(server.url) as answer:
                await answer.read()
            assert dict(session.headers) == before

    with Server(answers()) as server:
        run(main)
    assert "authorization" not in server.requests[1].headers


# The environment


def test_a_missing_ca_bundle_is_a_tls_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A missing or invalid file, or a folder without the right certificate: nothing is sent."""
    (tmp_path / "no certificate").write_text("no certificate")
    with Server(answers(secured=True)) as server:
        for bundle in (tmp_path / "missing", tmp_path / "no certificate", tmp_path):
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

            async def main() -> None:
                async with client_for(server.url) as client:
                    await client.publish_flow(FLOW_ID)

            with pytest.raises(TlsError):
                run(main)
        assert server.requests == ()


@pytest.mark.parametrize(("proxy", "error"), [("socks5://127.0.0.1:9", ConfigurationError), ("http:///", NotSentError)])
def test_an_unusable_proxy_is_not_bypassed(
    proxy: str, error: type[FlowsError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent, neither to the proxy nor to the server."""
    monkeypatch.setenv("HTTP_PROXY", proxy)

    async def main() -> None:
        async with client_for(server.url, max_attempts=1) as client:
            await client.publish_flow(FLOW_ID)

    with Server(answers()) as server, pytest.raises(error):
        run(main)
    assert server.connections == 0


def test_a_proxy_without_a_scheme_is_an_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As requests reads such a variable; NO_PROXY may name a port."""

    async def main() -> None:
        async with client_for(server.url) as client:
            await client.publish_flow(FLOW_ID)

    with Server(answers()) as server, Server(answers()) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url.removeprefix("http://"))
        run(main)
        monkeypatch.setenv("NO_PROXY", f"127.0.0.1:{server.port}")
        run(main)
    assert (len(proxy.requests), len(server.requests)) == (1, 1)


def test_a_ca_bundle_is_read_once_and_connections_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also when requests alternate between the API and the host of the files."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bad.certificate_file(tmp_path))
    files = answers(DOCUMENT.encode(), secured=True)

    async def main() -> None:
        async with client_for(api.url) as client:
            for _ in range(3):
                assert await client.download_flow_json(FLOW_ID) == DOCUMENT.encode()

    with Server(files) as cdn:
        listed = json.dumps({"data": [{"asset_type": "FLOW_JSON", "download_url": f"{cdn.url}/file"}]}).encode()
        with Server(answers(listed, secured=True)) as api:
            run(main)
    assert (len(api.requests), api.connections, len(cdn.requests), cdn.connections) == (3, 1, 3, 1)


# Failures


def test_a_wrong_fingerprint_is_a_tls_error() -> None:
    """A host that pins a certificate gets that one or an error."""

    async def main() -> None:
        connector = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(bytes(32)))
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(TlsError):
                await client_for(server.url, session, max_attempts=1).publish_flow(FLOW_ID)
            assert await asyncio.to_thread(server.all_connections_end)  # aiohttp sends its TLS close_notify first
            await asyncio.sleep(0.05)

    with Server(answers(secured=True)) as server:
        run(main)
    assert server.requests == ()


@pytest.mark.parametrize("body", [None, DOCUMENT.encode()], ids=["no body", "body"])
def test_a_connection_that_ends_before_the_first_byte_was_not_sent(body: bytes | None) -> None:
    """A connection that is closed before anything is written: the server cannot have acted."""

    class Closed(aiohttp.TCPConnector):
        async def connect(self, *args: Any, **options: Any) -> Any:
            connection = await super().connect(*args, **options)
            assert connection.transport is not None
            connection.transport.abort()
            return connection

    async def main() -> None:
        async with aiohttp.ClientSession(connector=Closed()) as session:
            await AiohttpTransport(session).send(request_to(server.url, body=body), timeout=PATIENT)

    with Server(answers()) as server, pytest.raises(FlowsError) as caught:
        run(main)
    assert_is(caught.value, NotSentError)
    assert server.requests == ()


def test_a_message_quotes_neither_the_request_nor_the_response() -> None:
    """Neither the proof in the URL, nor what the server sent instead of HTTP."""

    async def main(url: str) -> FlowsError:
        async with client_for(url, app_secret=APP_SECRET, timeout=QUICK, max_attempts=1) as client:
            with pytest.raises(FlowsError) as caught:
                await client.get_flow(FLOW_ID)
            return caught.value

    for behaviour in bad.MISBEHAVIOURS:
        if behaviour.scheme == "http":
            with Server(behaviour) as server:
                message = str(run(lambda url=server.url: main(url)))  # type: ignore[misc]
            assert "appsecret" not in message
            assert "fields=" not in message
            assert "\n" not in message
            assert "b'" not in message


def test_a_middleware_that_quotes_the_url_shows_no_proof() -> None:
    """Nor the token, whatever text the host's code makes of the request."""

    async def quoting(request: aiohttp.ClientRequest, _: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        raise ValueError(f"{request.url} with {TOKEN}")

    async def main() -> None:
        async with aiohttp.ClientSession(middlewares=(quoting,)) as session:
            client = client_for("http://127.0.0.1:9", session, app_secret=APP_SECRET, max_attempts=1)
            with pytest.raises(NotSentError) as caught:
                await client.publish_flow(FLOW_ID)
            assert "appsecret_proof=[redacted]&appsecret_time=[redacted] with [redacted]" in caught.value.message

    run(main)


def test_every_failure_has_a_message() -> None:
    """A failure without a text is named by its type."""
    assert message_for(ValueError()) == "ValueError"
    assert message_for(aiohttp.ClientOSError(104, "Can not write request body for https://x?appsecret_proof=1")) == (
        "Connection reset by peer"
    )
    assert message_for(aiohttp.ClientOSError()) == "the connection failed"


def test_the_document_is_a_payload_like_any_other() -> None:
    """aiohttp and middlewares may read it as text, or write it themselves."""

    class Writer:
        def __init__(self) -> None:
            self.written: list[bytes] = []

        async def write(self, piece: memoryview) -> None:
            self.written.append(bytes(piece))

    async def main() -> None:
        content, writer = DOCUMENT.encode() * 3000, Writer()
        body = RequestBody(content, 1.0)
        assert body.decode() == DOCUMENT * 3000
        assert body.size == len(content)
        await body.write(writer)
        assert b"".join(writer.written) == content
        assert max(map(len, writer.written)) == CHUNK

    run(main)


def test_an_own_session_is_opened_by_the_first_request() -> None:
    """A client may be made without an event loop, and closed unused."""
    client = AsyncFlowsClient(TOKEN)
    assert json.dumps(repr(client))
    run(client.aclose)


def test_a_long_response_arrives_whole() -> None:
    """In many chunks, compressed or not."""
    content = b'{"x": "' + b"y" * 300_000 + b'"}'

    def serve(received: Received) -> bad.Answer:
        if "/plain" in received.target:
            return bad.Answer(content)
        return bad.Answer(gzip.compress(content), headers={"Content-Encoding": "gzip"})

    async def main() -> list[bytes]:
        transport = AiohttpTransport()
        bodies = []
        for path in ("/plain", "/packed"):
            request = request_to(server.url + path, method="GET", token=None)
            bodies.append((await transport.send(request, timeout=Timeout(5, 5))).body)
        await transport.aclose()
        return bodies

    with Server(bad.replies(serve)) as server:
        assert run(main) == [content, content]
