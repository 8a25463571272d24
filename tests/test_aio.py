"""`AsyncFlowsClient`: the same methods as `FlowsClient`; cancellation, event loops, many tasks."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests

from tests import misbehaving as bad
from tests.misbehaving import Answer, Behaviour, Received, Server, answers, replies
from tests.support import DONE, FLOW, PROCESSING, TOKEN, UPLOADED, WABA, FakeTime, ScriptedTransport, answer, valid_flow
from tests.transport_support import PATIENT, no_wait
from tests.wires import WIRES, Blocking, Wire, event_loop
from whatsapp_flows import (
    AiohttpTransport,
    AsyncFlowsClient,
    CallAborted,
    CallFailed,
    ConfigurationError,
    Event,
    FlowButton,
    FlowProcessingError,
    FlowsClient,
    FlowsError,
    NoAnswerError,
    NotSentError,
    Request,
    Response,
    RetryCounters,
    Timeout,
    TokenUnavailableError,
    aio,
)
from whatsapp_flows import client as sync
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.media import EncryptedMedia, ResponseMedia

pytestmark = pytest.mark.slow

DOCUMENT = json.dumps(valid_flow())
PEM = (Path(__file__).parent / "data" / "public_key.pem").read_text()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Runs a test's coroutine in debug mode; a warning of asyncio fails the test."""
    with event_loop() as loop:
        return loop.run(main())


class AsyncScripted:
    """`ScriptedTransport` for tasks."""

    def __init__(self, *script: Response | BaseException) -> None:
        self.inner = ScriptedTransport(script)

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        return self.inner.send(request, timeout=timeout)

    async def aclose(self) -> None:
        self.inner.close()


class AsyncScene:
    """A client on a scripted transport and a fake clock, with all its events."""

    def __init__(self, *script: Response | BaseException, **options: Any) -> None:
        self.time = FakeTime()
        self.wire = AsyncScripted(*script)
        self.events: list[Event] = []
        usual: dict[str, Any] = {
            "transport": self.wire,
            "sleep": self.sleep,
            "clock": self.time.clock,
            "on_event": self.events.append,
        }
        self.client = AsyncFlowsClient(TOKEN, WABA, **{**usual, **options})

    async def sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)


# The same list

METHODS = [name for name, _ in inspect.getmembers(FlowsClient, inspect.isfunction) if not name.startswith("_")]
RENAMED = {"close": "aclose"}


def test_both_clients_have_the_same_methods() -> None:
    """Except for `close`, which is `aclose` where it is awaited."""
    asynchronous = [n for n, _ in inspect.getmembers(AsyncFlowsClient, inspect.isfunction) if not n.startswith("_")]
    assert sorted(RENAMED.get(name, name) for name in METHODS) == sorted(asynchronous)
    assert inspect.ismethod(AsyncFlowsClient.from_env)


@pytest.mark.parametrize("name", [*METHODS, "from_env"])
def test_a_method_is_the_same_on_both(name: str) -> None:
    """Parameters, their kinds, defaults and types; the result; the documentation, word for word."""
    here, there = getattr(FlowsClient, name), getattr(AsyncFlowsClient, RENAMED.get(name, name))
    mine, its = inspect.signature(here), inspect.signature(there)
    assert [*map(_alike, its.parameters.values())] == [*map(_alike, mine.parameters.values())]
    assert str(its.return_annotation).removeprefix("Async") == mine.return_annotation
    assert inspect.getdoc(there) == inspect.getdoc(here)
    assert inspect.iscoroutinefunction(there) is (name not in {"list_flows", "with_options", "wrapping", "from_env"})


REQUESTS_NOTHING = {"close", "with_options", "wrapping"}


@pytest.mark.parametrize("name", [name for name in METHODS if name not in REQUESTS_NOTHING])
def test_each_method_says_how_to_give_one_call_its_own_options(name: str) -> None:
    """Its documentation names `with_options`."""
    assert "`with_options`" in (inspect.getdoc(getattr(FlowsClient, name)) or "")


def _alike(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(annotation=str(parameter.annotation).replace("AsyncTransport", "Transport"))


ITS_OWN = {"access_token", "session", "transport", "max_connections", "sleep", "stop"}


def test_the_constructor_is_the_same_but_for_what_asyncio_changes() -> None:
    """The constructor's documentation names each option that differs."""
    mine, its = inspect.signature(FlowsClient).parameters, inspect.signature(AsyncFlowsClient).parameters
    assert [name for name in its if name != "max_connections"] == list(mine)
    assert {name for name in its if its[name] != mine.get(name)} == ITS_OWN
    assert {name for name in mine if its[name].default != mine[name].default} == {"sleep"}
    assert {name for name in ITS_OWN if f"`{name}`" not in (AsyncFlowsClient.__init__.__doc__ or "")} == set()


def test_with_options_has_the_options_of_the_constructor() -> None:
    """All of them, and no other."""
    assert set(aio.Options.__annotations__) == set(inspect.signature(AsyncFlowsClient).parameters)
    assert set(sync.Options.__annotations__) == set(inspect.signature(FlowsClient).parameters)


OTHER = "20100000000000055"
TO = "491701234567"
Step = Callable[[Any, dict[str, str]], Any]


def _created(key: str, call: Callable[[Any], Any]) -> Step:
    def step(client: Any, ids: dict[str, str]) -> Any:
        created = call(client)
        ids[key] = created.id
        return created

    return step


# Every method, with every kind of answer that the emulator has.
LIFE: list[tuple[str, Step]] = [
    ("create_flow", _created("elsewhere", lambda c: c.with_options(waba_id=OTHER).create_flow("elsewhere", ["OTHER"]))),
    ("create_flow", _created("flow", lambda c: c.create_flow("flow", ["OTHER", "SURVEY"]))),
    ("create_flow", _created("whole", lambda c: c.create_flow("whole", ["OTHER"], flow_json=DOCUMENT, publish=True))),
    ("create_flow", lambda c, _: c.create_flow("flow", ["OTHER"])),
    ("ensure_flow", lambda c, _: c.ensure_flow("ensured", ["OTHER"], flow_json=DOCUMENT, publish=True)),
    ("ensure_flow", lambda c, _: c.ensure_flow("ensured", ["OTHER"], flow_json=DOCUMENT, publish=True)),
    ("ensure_flow", lambda c, _: c.ensure_flow("ensured", ["SURVEY"])),
    ("update_flow", lambda c, ids: c.update_flow(ids["flow"], name="renamed", endpoint_uri="https://example.com/x")),
    ("update_flow", lambda c, ids: c.update_flow(ids["flow"])),
    ("update_flow_json", lambda c, ids: c.update_flow_json(ids["flow"], valid_flow())),
    ("update_flow_json", lambda c, ids: c.update_flow_json(ids["flow"], {"version": "7.3"}, validate="warn")),
    ("update_flow_json", lambda c, ids: c.update_flow_json(ids["flow"], {"version": "7.3"}, validate="error")),
    ("update_flow_json", lambda c, ids: c.update_flow_json(ids["flow"], b"no JSON")),
    ("update_flow_json", lambda c, ids: c.update_flow_json(ids["flow"], DOCUMENT, max_retries=-1)),
    ("update_flow_json", lambda c, ids: c.update_flow_json(ids["flow"], Path(__file__).parent / "no such file")),
    ("update_flow_json", lambda c, ids: c.update_flow_json(ids["flow"], DOCUMENT, max_retries=2)),
    ("list_flows", lambda c, _: list(c.list_flows(page_size=1))),
    ("list_flows", lambda c, _: list(c.list_flows(fields="id", page_size=0))),
    ("find_flow_by_name", lambda c, _: c.find_flow_by_name("whole")),
    ("find_flow_by_name", lambda c, _: c.find_flow_by_name("nobody")),
    ("get_flow", lambda c, ids: c.get_flow(ids["flow"])),
    ("get_flow", lambda c, _: c.get_flow("404")),
    ("get_health", lambda c, ids: c.get_health(ids["flow"])),
    ("get_preview", lambda c, ids: c.get_preview(ids["flow"], invalidate=True)),
    ("get_metric", lambda c, ids: c.get_metric(ids["flow"], "ENDPOINT_REQUEST_COUNT", "DAY", since="2026-01-01")),
    ("list_assets", lambda c, ids: c.list_assets(ids["flow"])),
    ("download_flow_json", lambda c, ids: c.download_flow_json(ids["flow"])),
    ("list_phone_numbers", lambda c, _: c.list_phone_numbers()),
    ("check_endpoint", lambda c, ids: c.check_endpoint(ids["flow"])),
    ("set_public_key", lambda c, _: c.set_public_key(c.list_phone_numbers()[0].id, PEM)),
    ("get_public_key", lambda c, _: c.get_public_key(c.list_phone_numbers()[0].id)),
    ("subscribe_app", lambda c, _: c.subscribe_app()),
    ("list_subscribed_apps", lambda c, _: c.list_subscribed_apps()),
    ("publish_flow", lambda c, ids: c.publish_flow(ids["flow"])),
    ("publish_flow", lambda c, ids: c.publish_flow(ids["flow"])),
    ("delete_flow", lambda c, ids: c.delete_flow(ids["flow"])),
    ("deprecate_flow", lambda c, ids: c.deprecate_flow(ids["flow"])),
    ("send_flow", lambda c, ids: c.send_flow(TO, ids["whole"], cta="Go", body="A", token="t1", data={"a": 1})),
    ("send_flow", lambda c, ids: c.send_flow(TO, ids["whole"], cta="Go", body="A", token="t1", screen="NO")),
    ("send_flow", lambda c, _: c.send_flow("49 170", flow_name="whole", cta="Go", body="A")),
    ("create_flow_template", lambda c, ids: c.create_flow_template("booking", "en", body="A", buttons=[
        FlowButton("Go", flow_id=ids["whole"])])),
    ("create_flow_template", lambda c, _: c.create_flow_template("json", "en", body="A", buttons=[
        FlowButton("Go", flow_json=DOCUMENT)], validate="error")),
    ("create_flow_template", lambda c, ids: c.create_flow_template("booking", "en", body="A", buttons=[
        FlowButton("Go", flow_id=ids["whole"])])),
    ("send_flow_template", lambda c, _: c.send_flow_template(TO, "booking", "en", token="t2")),
    ("send_flow_template", lambda c, _: c.send_flow_template(TO, "nothing", "en", token="t2")),
    ("download_media", lambda c, ids: c.download_media(ResponseMedia.from_json(ids["file"]), ids["path"])),
    ("download_media", lambda c, ids: c.download_media(EncryptedMedia.from_json(ids["secret file"]), ids["path"])),
    ("download_media", lambda c, ids: c.download_media(ResponseMedia(id="404"), ids["path"])),
    ("download_media", lambda c, ids: c.download_media(ResponseMedia.from_json(ids["file"]), ids["path"], max_bytes=1)),
    ("migrate_flows", lambda c, _: c.migrate_flows(OTHER, ["elsewhere", *(f"n{number}" for number in range(150))])),
    ("with_options", lambda c, _: repr(c.with_options(waba_id=OTHER))),
    ("wrapping", lambda c, _: repr(c.wrapping(lambda inner: inner))),
]  # fmt: skip

FAULTS: list[dict[str, Any]] = [
    {"operation": "update_flow_json", "code": 139001, "subcode": 4016012, "times": 1},
    {"operation": "create_flow", "status": 503, "times": 1},
    {"operation": "get_preview", "code": 80008, "times": 1},
]


def plain(value: object, meta: Emulator) -> Any:
    """A result or an error without its port."""
    if isinstance(value, FlowsError):
        seen: Any = [type(value).__name__, asdict(value.details), [plain(it, meta) for it in value.attempts]]
    else:
        seen = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        if isinstance(value, (list, tuple)):
            seen = [plain(it, meta) for it in value]
    return re.sub(r"(127\.0\.0\.1|localhost):\d+|Async", "", repr(seen))


def live(wire: Wire, folder: Path) -> tuple[list[Any], list[Any], list[str]]:
    """The lifecycle of flows with one client: the results, the requests and the events."""
    results: list[Any] = []
    events: list[Event] = []
    ids: dict[str, str] = {"path": str(folder / "file")}
    moment = FakeTime()
    with Emulator(clock=lambda: 1_800_000_000.0) as meta:
        meta.add_account(OTHER)
        ids["file"] = json.dumps(meta.add_media(b"a file"))
        ids["secret file"] = json.dumps(meta.add_encrypted_media(b"another file"))
        for fault in FAULTS:
            meta.fail(**fault)
        with wire.client(
            TOKEN, meta.waba_id, base_url=meta.url, sleep=moment.sleep, clock=moment.clock, on_event=events.append,
            app_secret=None, max_attempts=2, phone_number_id=meta.phone_number_id,
        ) as client:  # fmt: skip
            for _, step in LIFE:
                try:
                    results.append(plain(step(client, ids), meta))
                except FlowsError as error:
                    results.append(plain(error, meta))
        asked = [(it.method, it.path, it.query, it.body) for it in meta.requests]
    heard = [re.sub(r"id=\d+|(127\.0\.0\.1|localhost):\d+", "", f"{event!r}") for event in events]
    return results, asked, heard


def test_both_clients_do_the_same_against_the_emulator(tmp_path: Path) -> None:
    """Every method: the same results and errors, the same requests to the byte, the same events."""
    (mine, asked, heard), (its, asked_there, heard_there) = (live(wire, tmp_path) for wire in WIRES)
    for (name, _), here, there in zip(LIFE, mine, its, strict=True):
        assert here == there, name
    assert asked == asked_there
    assert heard == heard_there
    assert {name for name, _ in LIFE} == set(METHODS) - {"close"}
    assert sum("Error" not in result[:40] for result in mine) > len(METHODS)


# The driver


def test_waits_are_those_of_the_policy() -> None:
    """5 and 10 seconds, by the client's own sleep and clock."""
    scene = AsyncScene(PROCESSING, PROCESSING, UPLOADED)
    assert run(lambda: scene.client.update_flow_json(FLOW, DOCUMENT)).attempts == 3
    assert scene.time.sleeps == [5.0, 10.0]


def test_a_token_callable_may_be_asynchronous() -> None:
    """It is awaited before each attempt; a plain one is called."""

    tokens = iter(["token-number-1", "token-number-2"] * 2)

    async def fresh() -> str:
        await asyncio.sleep(0)
        return next(tokens)

    for access_token in (fresh, lambda: next(tokens)):
        scene = AsyncScene(PROCESSING, UPLOADED)
        client = scene.client.with_options(access_token=access_token)
        run(lambda client=client: client.update_flow_json(FLOW, DOCUMENT))  # type: ignore[misc]
        sent = [request.token.reveal() for request in scene.wire.inner.requests if request.token]
        assert sent == ["token-number-1", "token-number-2"]


def test_a_token_callable_that_raises_is_reported_without_its_text() -> None:
    """Plain or asynchronous. No exception of the chain contains the text, which may hold the token."""

    async def broken() -> str:
        raise LookupError(f"the vault refused {TOKEN}")

    def broken_at_once() -> str:
        raise LookupError(f"the vault refused {TOKEN}")

    for access_token in (broken, broken_at_once):
        scene = AsyncScene()
        with pytest.raises(TokenUnavailableError, match="LookupError") as caught:
            run(lambda scene=scene, token=access_token: scene.client.with_options(access_token=token).subscribe_app())  # type: ignore[misc]
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert TOKEN not in str(caught.value)
        assert scene.wire.inner.requests == []


def test_a_consumer_that_raises_never_breaks_a_call(caplog: pytest.LogCaptureFixture) -> None:
    """The exception is logged, and the other consumers get the event."""

    def broken(event: Event) -> None:
        raise RuntimeError(type(event).__name__)

    counters = RetryCounters()
    scene = AsyncScene(PROCESSING, UPLOADED, on_event=[broken, counters])
    assert run(lambda: scene.client.update_flow_json(FLOW, DOCUMENT)).success
    assert counters.total.retries == 1
    assert any("consumer failed" in record.getMessage() for record in caplog.records)


def test_with_options_shares_the_transport() -> None:
    """A client for another customer, on the same connections; the host's transport stays open."""
    scene = AsyncScene(DONE, DONE)

    async def main() -> None:
        async with scene.client.with_options(access_token="another-customers-token", waba_id="55") as view:
            await view.subscribe_app()
        await scene.client.subscribe_app()

    run(main)
    tokens = [request.token.reveal() for request in scene.wire.inner.requests if request.token]
    assert tokens == ["another-customers-token", TOKEN]
    assert not scene.wire.inner.closed


def test_a_list_is_fetched_as_it_is_iterated() -> None:
    """A page at a time; leaving the iteration early sends no further request."""
    page = answer({"data": [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}],
                   "paging": {"next": "https://x?after=A", "cursors": {"after": "A"}}})  # fmt: skip
    scene = AsyncScene(page, answer({"data": [{"id": "3", "name": "c"}]}), page)

    async def main() -> list[str]:
        every = [flow.id async for flow in scene.client.list_flows()]
        async for flow in scene.client.list_flows():
            every.append(flow.id)
            break
        return every

    assert run(main) == ["1", "2", "3", "1"]
    assert len(scene.wire.inner.requests) == 3


def test_an_invalid_argument_of_a_list_is_refused_at_once() -> None:
    """Not when the first flow is requested."""
    with pytest.raises(ConfigurationError, match="page_size"):
        AsyncScene().client.list_flows(page_size=0)


# Stopping and cancelling


async def within(seconds: float, call: Coroutine[Any, Any, Any]) -> Any:
    """`asyncio.timeout` around a call, or what Python 3.10 has in its place."""
    if sys.version_info >= (3, 11):
        async with asyncio.timeout(seconds):
            return await call
    return await asyncio.wait_for(call, seconds)


async def for_ever(_: float) -> None:
    await asyncio.Event().wait()


def test_stop_ends_a_wait_at_once() -> None:
    """The last error is raised, and nothing more is sent."""

    async def main() -> None:
        stop = asyncio.Event()
        scene = AsyncScene(PROCESSING, UPLOADED, stop=stop, sleep=for_ever)
        asyncio.get_running_loop().call_later(0.01, stop.set)
        with pytest.raises(FlowProcessingError):
            await scene.client.update_flow_json(FLOW, DOCUMENT)
        assert len(scene.wire.inner.requests) == 1
        failed = scene.events[-1]
        assert isinstance(failed, CallFailed)
        assert failed.reason == "the wait was stopped"

    run(main)


def test_nothing_is_sent_after_stop() -> None:
    """`stop` is checked before each request: a call that begins afterwards sends nothing, and its error says so."""

    async def main() -> None:
        stop = asyncio.Event()
        stop.set()
        scene = AsyncScene(UPLOADED, stop=stop, sleep=for_ever)
        with pytest.raises(NotSentError, match="told to stop"):
            await scene.client.update_flow_json(FLOW, DOCUMENT)
        assert scene.wire.inner.requests == []

    run(main)


def test_a_stop_that_is_not_set_changes_nothing() -> None:
    """The full wait takes place, and an exception of the host's sleep passes through."""

    async def broken(_: float) -> None:
        raise LookupError("no clock")

    async def main() -> None:
        scene = AsyncScene(PROCESSING, UPLOADED, stop=asyncio.Event())
        assert (await scene.client.update_flow_json(FLOW, DOCUMENT)).attempts == 2
        with pytest.raises(LookupError):
            await AsyncScene(PROCESSING, stop=asyncio.Event(), sleep=broken).client.update_flow_json(FLOW, DOCUMENT)

    run(main)


@pytest.mark.parametrize("stoppable", [False, True])
def test_cancelling_ends_a_wait_at_once(stoppable: bool) -> None:
    """With `CancelledError`, and a `CallAborted` event."""

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await within(0.01, AsyncScene(PROCESSING, sleep=for_ever).client.update_flow_json(FLOW, DOCUMENT))
        waiting = asyncio.Event()

        async def sleep(seconds: float) -> None:
            waiting.set()
            await for_ever(seconds)

        scene = AsyncScene(PROCESSING, sleep=sleep, stop=asyncio.Event() if stoppable else None)
        call = asyncio.create_task(scene.client.update_flow_json(FLOW, DOCUMENT))
        await waiting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        aborted = scene.events[-1]
        assert isinstance(aborted, CallAborted)
        assert aborted.exception == "CancelledError"

    run(main)


def unresponsive(beginning: bytes) -> Behaviour:
    """Completes the TLS handshake, reads the request, sends this much, and then ignores everything, a close too."""

    def act(connection: bad.Connection) -> bool:
        if connection.receive() is not None:
            connection.send(beginning)
            connection.wait_for_the_end()
        return False

    return Behaviour(f"unresponsive after {len(beginning)} bytes", act, "https", secured=True)


STUCK: tuple[Behaviour, ...] = (
    unresponsive(b""),
    unresponsive(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"),
    bad.SILENCE,
    bad.STALL_IN_HEADERS,
    bad.STALL_IN_BODY,
    bad.STALL_IN_CHUNK,
    bad.TAKES_NO_BODY,
    bad.TLS_SILENCE,
    bad.TLS_SILENCE_AFTER_REQUEST,
)
LARGE = b'{"a": "' + b"x" * 8_000_000 + b'"}'


@asynccontextmanager
async def session_for(server: Server, folder: Path) -> AsyncIterator[aiohttp.ClientSession]:
    import ssl

    trusted = ssl.create_default_context(cafile=bad.certificate_file(folder))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as session:
        yield session


@pytest.mark.parametrize("uvloop", [False, True], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("behaviour", STUCK, ids=str)
def test_a_call_that_is_cut_short_leaves_no_connection_open(behaviour: Behaviour, uvloop: bool, tmp_path: Path) -> None:
    """In the handshake, in the request, before or in the response; the session stays usable."""

    document = LARGE if behaviour is bad.TAKES_NO_BODY else DOCUMENT

    async def main() -> None:
        with Server(behaviour, answers()) as server:
            async with session_for(server, tmp_path) as session:
                client = AsyncFlowsClient(TOKEN, base_url=server.url, session=session, timeout=PATIENT)
                started = time.monotonic()
                with pytest.raises(asyncio.TimeoutError):
                    await within(0.4, client.update_flow_json(FLOW, document))
                assert time.monotonic() - started < 9  # the server answers later than that, if at all
                assert server.connections == 1
                assert await asyncio.to_thread(server.all_connections_end)
                if behaviour.scheme == "http":
                    assert (await client.update_flow_json(FLOW, DOCUMENT)).success

    with event_loop(_uvloop() if uvloop else None) as loop:
        loop.run(main())


def _uvloop() -> Any:
    return pytest.importorskip("uvloop").new_event_loop


def test_a_call_that_is_cancelled_while_connecting_leaves_no_connection_open() -> None:
    """Nor a task."""

    async def main() -> None:
        with bad.unreachable() as url:
            async with AsyncFlowsClient(TOKEN, WABA, base_url=url, timeout=PATIENT) as client:
                with pytest.raises(asyncio.TimeoutError):
                    await within(0.1, client.subscribe_app())

    run(main)


# Many tasks


def echo(received: Received) -> Answer:
    return Answer(json.dumps({"id": urlsplit(received.target).path.rpartition("/")[2]}).encode())


@pytest.mark.parametrize("hosts_session", [False, True], ids=["own session", "host's session"])
def test_thousands_of_calls_share_a_few_connections(hosts_session: bool) -> None:
    """Each gets its own response; the limit of concurrent requests holds, and no time-out applies to the queue."""
    calls, limit = 2000, 8
    counters = RetryCounters()

    async def main() -> list[str]:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit)) if hosts_session else None
        async with AsyncFlowsClient(
            TOKEN, base_url=server.url, session=session, max_connections=None if session else limit,
            timeout=Timeout(connect=2, read=30), on_event=counters, max_attempts=1,
        ) as client:  # fmt: skip
            flows = await asyncio.gather(*(client.get_flow(str(number)) for number in range(calls)))
        if session:
            await session.close()
        return [flow.id for flow in flows]

    with Server(replies(echo)) as server, event_loop(debug=False) as loop:
        assert loop.run(main()) == [str(number) for number in range(calls)]
    assert server.connections <= limit
    assert counters.total.successes == calls


def test_a_cancelled_call_frees_its_place() -> None:
    """Calls that are cancelled in the queue, or during a request, do not reduce the limit."""

    async def main() -> None:
        async with AsyncFlowsClient(TOKEN, base_url=server.url, max_connections=1, timeout=PATIENT) as client:
            waiting = [asyncio.create_task(client.get_flow("1")) for _ in range(20)]
            await asyncio.sleep(0.05)
            for call in waiting:
                call.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            assert (await client.get_flow("7")).id == "7"

    with Server(bad.SILENCE, replies(echo)) as server:
        run(main)


def answers_until(close_now: threading.Event) -> Behaviour:
    """Answers once, and closes the connection when it is told to."""

    def act(connection: bad.Connection) -> bool:
        if connection.receive() is not None:
            connection.send(Answer().encoded())
            close_now.wait(30)
        return False

    return Behaviour("answers until told", act)


@pytest.mark.parametrize("uvloop", [False, True], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("document", [DOCUMENT, LARGE, None], ids=["small", "large", "none"])
def test_a_kept_connection_that_ended_while_the_loop_was_busy_is_not_used(
    document: str | bytes | None, uvloop: bool
) -> None:
    """A blocked loop has not processed the end of the connection: it is checked before it is used."""
    close_now = threading.Event()

    async def main() -> None:
        async with AsyncFlowsClient(TOKEN, base_url=server.url, timeout=PATIENT, max_attempts=1) as client:
            await client.publish_flow(FLOW)
            await asyncio.sleep(0.01)
            close_now.set()
            assert server.all_connections_end()  # this blocks
            if document is None:
                await client.publish_flow(FLOW)
            else:
                await client.update_flow_json(FLOW, document)

    with Server(answers_until(close_now), answers()) as server, event_loop(_uvloop() if uvloop else None) as loop:
        loop.run(main())
    assert (len(server.requests), server.connections) == (2, 2)


def test_uvloop_runs_the_client() -> None:
    """Calls, and a retry after a lost answer."""

    async def main() -> None:
        async with AsyncFlowsClient(TOKEN, base_url=server.url, sleep=_no_wait, timeout=PATIENT) as client:
            assert (await client.update_flow_json(FLOW, LARGE)).attempts == 2
            assert (await client.update_flow_json(FLOW, DOCUMENT, max_retries=1)).success

    with Server(bad.RESET_AFTER_REQUEST, answers()) as server, event_loop(_uvloop()) as loop:
        loop.run(main())
    assert len(server.requests) == 3


async def _no_wait(seconds: float) -> None:
    no_wait(seconds)


# asyncio's own rules


def test_a_large_document_does_not_block_the_loop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Files are read, and large documents parsed and validated, in a thread."""
    screens = [{**valid_flow(f"S_{number}")["screens"][0], "terminal": False} for number in range(1500)]
    path = tmp_path / "flow.json"
    path.write_text(json.dumps({"version": "7.3", "screens": screens}))
    threads: set[str] = set()
    beats = Counter[str]()

    async def main() -> None:
        async def beat() -> None:
            while True:
                beats["beats"] += 1
                await asyncio.sleep(0.005)

        heart = asyncio.create_task(beat())
        scene = AsyncScene(UPLOADED)
        update = await scene.client.update_flow_json(FLOW, path, validate="warn")
        heart.cancel()
        assert update.issues
        threads.update(record.threadName or "" for record in caplog.records if record.name == "whatsapp_flows")

    caplog.set_level(logging.WARNING)
    run(main)
    assert beats["beats"] > 1
    assert threads
    assert all(name.startswith("asyncio_") for name in threads)


def test_a_document_is_sent_without_a_copy() -> None:
    """However often it is sent, and however large it is."""

    async def main() -> tuple[int, int]:
        transport = AiohttpTransport()
        request = Request(method="POST", url=server.url, operation="update_flow_json", body=LARGE)
        await transport.send(request, timeout=PATIENT)
        tracemalloc.start()
        for _ in range(3):
            await transport.send(request, timeout=PATIENT)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await transport.aclose()
        return peak, len(LARGE)

    with Server(_SWALLOWS) as server, event_loop(debug=False) as loop:
        peak, size = loop.run(main())
    assert peak < size / 8


def _swallow(connection: bad.Connection) -> bool:
    connection.skip(len(LARGE))
    connection.send(Answer().encoded())
    return True


_SWALLOWS = Behaviour("swallows", _swallow)


# Mistakes


def test_a_closed_client_refuses_calls() -> None:
    """Both clients, with connections of their own or of the host's."""

    async def main() -> None:
        for client in (AsyncFlowsClient(TOKEN, WABA), AsyncScene().client):
            await client.aclose()
            await client.aclose()
            with pytest.raises(ConfigurationError, match="has been closed"):
                await client.subscribe_app()

    run(main)
    for client in (FlowsClient(TOKEN, WABA), FlowsClient(TOKEN, WABA, transport=ScriptedTransport())):
        client.close()
        with pytest.raises(ConfigurationError, match="has been closed"):
            client.subscribe_app()


def test_closing_ends_what_is_under_way() -> None:
    """A call in the middle of a request ends with an error."""

    async def main() -> None:
        client = AsyncFlowsClient(TOKEN, base_url=server.url, timeout=PATIENT, sleep=_no_wait)
        call = asyncio.create_task(client.get_flow("1"))
        await asyncio.sleep(0.1)
        await client.aclose()
        with pytest.raises(FlowsError):
            await call

    with Server(bad.SILENCE) as server:
        run(main)


def test_closing_ends_calls_in_the_queue() -> None:
    """With an error: they will get no connection."""

    async def main() -> None:
        client = AsyncFlowsClient(TOKEN, base_url=server.url, timeout=PATIENT, max_connections=1, max_attempts=1)
        first, second = (asyncio.create_task(client.get_flow(flow)) for flow in "12")
        await asyncio.sleep(0.1)
        await client.aclose()
        with pytest.raises(NoAnswerError):
            await first
        with pytest.raises(ConfigurationError, match="has been closed"):
            await second

    with Server(bad.SILENCE) as server:
        run(main)


def test_a_client_belongs_to_one_event_loop() -> None:
    """A host's session to its own loop; a session of the client to the loop of the first call."""
    with Server(answers()) as server, event_loop() as one, event_loop() as other:

        async def opened() -> aiohttp.ClientSession:
            return aiohttp.ClientSession()

        session = one.run(opened())
        client = AsyncFlowsClient(TOKEN, WABA, base_url=server.url, session=session)
        own = AsyncFlowsClient(TOKEN, WABA, base_url=server.url)
        one.run(client.subscribe_app())
        one.run(own.subscribe_app())
        for it in (client, own):
            with pytest.raises(ConfigurationError, match="another event loop"):
                other.run(it.subscribe_app())
        with pytest.raises(ConfigurationError, match="another event loop"):
            other.run(own.aclose())
        one.run(session.close())
        with pytest.raises(ConfigurationError, match="session has been closed"):
            one.run(client.subscribe_app())
        one.run(own._transport.aclose())


async def _aiohttp_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


def test_each_client_refuses_the_options_of_the_other() -> None:
    """Sessions, transports, events and sleeps, when the client is made; the error names the right client."""

    async def async_consumer(event: Event) -> None:
        """Would never be awaited."""

    async def async_token() -> str:
        return TOKEN

    with event_loop() as loop, requests.Session() as of_requests:
        of_aiohttp = loop.run(_aiohttp_session())
        mistakes: list[tuple[type, dict[str, Any], str]] = [
            (FlowsClient, {"session": of_aiohttp}, "not aiohttp.ClientSession .AsyncFlowsClient takes"),
            (AsyncFlowsClient, {"session": of_requests}, "not requests.Session .FlowsClient takes"),
            (AsyncFlowsClient, {"session": 5}, "not builtins.int"),
            (FlowsClient, {"transport": AsyncScripted()}, "AsyncFlowsClient"),
            (AsyncFlowsClient, {"transport": ScriptedTransport()}, "AsyncTransport"),
            (AsyncFlowsClient, {"transport": AsyncScripted(), "session": of_aiohttp}, "not both"),
            (AsyncFlowsClient, {"transport": AsyncScripted(), "max_connections": 5}, "max_connections"),
            (AsyncFlowsClient, {"max_connections": 0}, "max_connections"),
            (AsyncFlowsClient, {"max_connections": True}, "max_connections"),
            (FlowsClient, {"stop": asyncio.Event()}, "stop must be a threading.Event"),
            (AsyncFlowsClient, {"stop": threading.Event()}, "stop must be an asyncio.Event"),
            (AsyncFlowsClient, {"sleep": time.sleep}, "sleep"),
            (FlowsClient, {"on_event": async_consumer}, "plain callable"),
            (AsyncFlowsClient, {"on_event": [print, async_consumer]}, "plain callable"),
            (AsyncFlowsClient, {"validate": "yes"}, "validate"),
            (AsyncFlowsClient, {"api_version": "25"}, "api_version"),
        ]
        for kind, options, message in mistakes:
            with pytest.raises(ConfigurationError, match=message):
                kind(TOKEN, WABA, **options)
        loop.run(of_aiohttp.close())
    with pytest.raises(ConfigurationError, match="AsyncFlowsClient"):
        FlowsClient(async_token, WABA).subscribe_app()  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="max_connections"):
        AsyncFlowsClient(TOKEN).with_options(max_connections=5)


def in_a_fresh_interpreter(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_without_aiohttp_the_error_says_what_to_install() -> None:
    """When a client or a transport is made. An async client on a transport of the host's works without aiohttp."""
    printed = in_a_fresh_interpreter("""
import sys
sys.modules["aiohttp"] = None
from whatsapp_flows import *
FlowsClient("token")
class Wire:
    async def send(self, request, /, *, timeout): ...
    async def aclose(self): ...
print(AsyncFlowsClient("token", transport=Wire()))
for make in (lambda: AsyncFlowsClient("token"), AiohttpTransport):
    try:
        make()
    except ImportError as error:
        print(error)
""")
    assert printed.splitlines()[0].startswith("AsyncFlowsClient(waba_id=None")
    needed = 'AsyncFlowsClient and AiohttpTransport need aiohttp: pip install "whatsapp-flows-sdk[async]"'
    assert printed.splitlines()[1:] == [needed, needed]


def test_the_transport_can_be_imported_without_importing_aiohttp() -> None:
    """aiohttp is imported when the first transport is made."""
    printed = in_a_fresh_interpreter("""
import asyncio, sys
from whatsapp_flows import AiohttpTransport
print("aiohttp" in sys.modules)
async def main():
    await AiohttpTransport().aclose()
asyncio.run(main())
print("aiohttp" in sys.modules)
""")
    assert printed.split() == ["False", "True"]


def test_the_blocking_wrapper_of_the_tests_is_no_client() -> None:
    """What runs above really is `AsyncFlowsClient`."""
    with WIRES[1].client(TOKEN) as client:
        assert isinstance(client, Blocking)
        assert isinstance(client.client, AsyncFlowsClient)


def test_a_lost_answer_is_looked_up_by_the_async_client_too() -> None:
    """A create whose answer was lost makes no second flow."""
    listed = answer({"data": [{"id": "9", "name": "Solar", "status": "DRAFT"}]})
    scene = AsyncScene(NoAnswerError("silence"), listed)
    created = run(lambda: scene.client.create_flow("Solar", ["OTHER"]))
    assert (created.id, created.adopted) == ("9", True)
