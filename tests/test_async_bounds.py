"""Limits of the transport on aiohttp: time, however slowly data arrives; size, however it is compressed; hosts."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import misbehaving as bad
from tests.bombs import BOMBS, bomb_of
from tests.misbehaving import Answer, Behaviour, Server, answers
from tests.transport_support import DOCUMENT, FLOW_ID, SHORT, TOKEN, assert_is, request_to
from tests.wires import event_loop
from whatsapp_flows import (
    AiohttpTransport,
    AsyncFlowsClient,
    FlowsError,
    NoAnswerError,
    NotSentError,
    Timeout,
    UnexpectedResponseError,
)
from whatsapp_flows._aiohttp._deadlines import Deadline, DeadlineError
from whatsapp_flows._decoding import BodyTooLargeError, DecodingError, decoded
from whatsapp_flows.transport import MAX_RESPONSE_BYTES


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bad.forget_environment(monkeypatch)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bad.certificate_file(tmp_path))


def run(main: Callable[[], Coroutine[Any, Any, Any]], make: Any = None) -> Any:
    with event_loop(make) as loop:
        return loop.run(main())


# Time


@pytest.mark.parametrize("uvloop", [False, True], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("behaviour", bad.DRIPPING, ids=str)
def test_total_ends_a_response_that_drips(behaviour: Behaviour, uvloop: bool) -> None:
    """The request may have arrived, and the connection is closed with the call."""

    async def main() -> float:
        started = asyncio.get_running_loop().time()
        transport = AiohttpTransport()
        with pytest.raises(FlowsError, match="no complete answer in time") as caught:
            await transport.send(request_to(server.url, body=DOCUMENT.encode()), timeout=SHORT)
        taken = asyncio.get_running_loop().time() - started
        assert_is(caught.value, NoAnswerError)
        assert await asyncio.to_thread(server.all_connections_end)
        await transport.aclose()
        return taken

    make = pytest.importorskip("uvloop").new_event_loop if uvloop else None
    with Server(behaviour) as server:
        assert run(main, make) > 0.14


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_handshake_that_drips_was_not_sent(method: str) -> None:
    """Whichever of `connect` and `total` is over first; with a body or without."""

    async def main(timeout: Timeout) -> None:
        transport = AiohttpTransport()
        body = DOCUMENT.encode() if method == "POST" else None
        with pytest.raises(FlowsError) as caught:
            await transport.send(request_to(server.url, method=method, body=body), timeout=timeout)
        assert_is(caught.value, NotSentError)
        await transport.aclose()

    for timeout in (SHORT, Timeout(connect=0.15, read=5.0), Timeout(connect=0.15, read=0.15, total=0.15)):
        with Server(bad.HANDSHAKE_DRIPS) as server:
            run(lambda timeout=timeout: main(timeout))  # type: ignore[misc]


def test_a_tunnel_that_drips_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """`connect` limits the wait for the proxy's answer."""

    async def main(timeout: Timeout) -> None:
        transport = AiohttpTransport()
        with pytest.raises(FlowsError) as caught:
            await transport.send(request_to("https://127.0.0.1:9"), timeout=timeout)
        assert_is(caught.value, NotSentError)
        await transport.aclose()

    for timeout in (SHORT, Timeout(connect=0.15, read=5.0)):
        with Server(bad.TUNNEL_DRIPS) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            run(lambda timeout=timeout: main(timeout))  # type: ignore[misc]


def test_total_ends_an_upload_that_the_server_reads_slowly() -> None:
    """Each chunk is read in time; all of them together would take hours."""

    async def main() -> None:
        transport = AiohttpTransport()
        with pytest.raises(NoAnswerError, match="in time"):
            await transport.send(request_to(server.url, body=bytes(8_000_000)), timeout=SHORT)
        await transport.aclose()

    with Server(bad.TAKES_LITTLE) as server:
        run(main)


def test_connect_does_not_limit_an_upload() -> None:
    """A server that reads the body slowly is connected."""

    def act(connection: bad.Connection) -> bool:
        assert connection.arrives()
        connection.stays_for(0.3)
        connection.skip(8_000_000)
        connection.send(Answer().encoded())
        return True

    async def main() -> int:
        transport = AiohttpTransport()
        timeout = Timeout(connect=0.1, read=5.0)
        answer = await transport.send(request_to(server.url, body=bytes(8_000_000)), timeout=timeout)
        await transport.aclose()
        return answer.status

    with Server(Behaviour("takes its time", act)) as server:
        assert run(main) == 200


def test_the_deadline_of_the_call_limits_the_queue() -> None:
    """Only the deadline of the call counts in the queue; nothing is sent then."""

    async def main() -> None:
        transport = AiohttpTransport(max_connections=1)
        first = asyncio.create_task(transport.send(request_to(server.url), timeout=Timeout(5, 5)))
        await asyncio.sleep(0.01)
        with pytest.raises(FlowsError) as caught:
            await transport.send(request_to(server.url, time_left=0.1), timeout=Timeout(5, 5))
        assert_is(caught.value, NotSentError)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await transport.aclose()

    with Server(bad.SILENCE) as server:
        run(main)


async def raising(error: Exception) -> None:
    """Raises when it is cancelled."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise error from None


def test_a_deadline_lets_other_cancellations_through() -> None:
    """Work in time is left alone; a task that is cancelled from outside stays cancelled."""

    async def main() -> None:
        with Deadline(5.0), Deadline(None):
            await asyncio.sleep(0)
        with pytest.raises(DeadlineError), Deadline(5.0), Deadline(0.0):
            await asyncio.Event().wait()
        with pytest.raises(LookupError), Deadline(0.0):
            await raising(LookupError())

        async def work() -> None:
            with Deadline(5.0):
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)


# Size


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_decompression_bomb_is_too_large(bomb: str) -> None:
    """No more than the maximum is kept in memory; a response of exactly the maximum is read."""
    coding, body = bomb_of(bomb)

    async def main() -> int:
        async with AsyncFlowsClient(TOKEN, base_url=server.url, max_attempts=1) as client:
            tracemalloc.start()
            with pytest.raises(UnexpectedResponseError, match="more than 33554432 bytes"):
                await client.get_flow(FLOW_ID)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

    headers = {"Content-Encoding": coding} if coding else {}
    with Server(answers(body, headers=headers)) as server, event_loop(debug=False) as loop:
        assert loop.run(main()) < 2 * MAX_RESPONSE_BYTES  # the server's own copy included


REFUSED: dict[str, tuple[str, bytes]] = {
    "cut off": ("gzip", gzip.compress(b"{}")[:-1]),
    "not packed at all": ("gzip", b"{}"),
    "another coding": ("br", b"{}"),
    "coded too often": ("gzip, gzip, gzip, gzip", b"{}"),
    "too many members": ("gzip", gzip.compress(b"") * 17),
    "endless codings": (", ".join(["gzip"] * 4000), b"{}"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_damaged_body_is_refused(case: str) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(DecodingError):
        decoded(REFUSED[case][1], REFUSED[case][0], 100)


@given(
    body=st.binary(max_size=200),
    codings=st.lists(st.sampled_from(["gzip", "x-gzip", "deflate", "raw", "identity"]), max_size=3),
)
def test_codings_are_decoded_in_any_order(body: bytes, codings: list[str]) -> None:
    """Up to the maximum, and not beyond."""
    content = body
    for coding in codings:
        window = {"deflate": 15, "raw": -15}.get(coding, 31)
        packer = zlib.compressobj(wbits=window)
        content = content if coding == "identity" else packer.compress(content) + packer.flush()
    names = ",".join(codings).replace("raw", "deflate")
    assert decoded(content, names, max(1000, len(body))) == body
    if body and codings and set(codings) != {"identity"}:
        with pytest.raises(BodyTooLargeError):
            decoded(gzip.compress(bytes(1001)), "gzip", 1000)


def test_members_and_padding_are_read() -> None:
    """A gzip stream of several members, and zeros after the last, which some servers send."""
    assert decoded(gzip.compress(b"ab") + gzip.compress(b"cd") + bytes(3), "gzip", 4) == b"abcd"
    assert decoded(b"", "gzip", 4) == b""


# The event loop


class CountingExecutor(ThreadPoolExecutor):
    """The default executor of a loop, which `asyncio.to_thread` uses; counts what was submitted."""

    submitted = 0

    def submit(self, *args: Any, **options: Any) -> Any:
        self.submitted += 1
        return super().submit(*args, **options)


def test_a_large_answer_is_read_in_a_thread() -> None:
    """A large response, or error, is parsed in a thread while the loop goes on; a small one is parsed at once."""
    flow = {"id": "1", "name": "n", "status": "DRAFT", "numbers": [1, 1.5, None, "x"]}

    async def main(url: str) -> list[str]:
        asyncio.get_running_loop().set_default_executor(executor)
        async with AsyncFlowsClient(TOKEN, "1", base_url=url, max_attempts=1) as client:
            return [flow.id async for flow in client.list_flows()]

    for times, status, expected in ((10, 200, False), (3000, 200, True), (3000, 500, True)):
        executor = CountingExecutor(1)
        body = json.dumps({"data": [flow] * times}).encode()
        with Server(answers(body, status)) as server:
            if status == 200:
                assert run(lambda url=server.url: main(url)) == ["1"] * times  # type: ignore[misc]
            else:
                with pytest.raises(FlowsError):
                    run(lambda url=server.url: main(url))  # type: ignore[misc]
        assert bool(executor.submitted) is expected


@pytest.mark.parametrize("status", [200, 500])
def test_json_over_the_maximum_is_not_parsed(status: int) -> None:
    """
    It would block every other thread: a result is refused, and an error response becomes an error without details.
    """

    async def main() -> str:
        async with AsyncFlowsClient(TOKEN, "1", base_url=server.url, max_attempts=1) as client:
            with pytest.raises(FlowsError) as caught:
                await client.find_flow_by_name("n")
            return caught.value.message

    body = b'{"data": [' + b"{}," * (8 * 2**20 // 3) + b"{}]}"
    with Server(answers(body, status)) as server:
        message = run(main)
    assert message.startswith("Meta's answer has more than" if status == 200 else "HTTP 500 without a readable error")


@pytest.mark.parametrize("name", ["X", "X-Long-Name"])
def test_a_header_of_64_kib_is_read(name: str) -> None:
    """Name and line end included, as the other transport reads it."""
    value = "x" * (64 * 1024 - len(f"{name}: \r\n"))

    async def main() -> str:
        transport = AiohttpTransport()
        answer = await transport.send(request_to(server.url), timeout=Timeout(5, 5))
        await transport.aclose()
        return answer.header(name.lower())

    with Server(answers(headers={name: value})) as server:
        assert run(main) == value


# Connecting


@pytest.mark.parametrize("timeout", [Timeout(0.3, 5.0), Timeout(5.0, 5.0, 0.3)], ids=["connect", "total"])
def test_many_dead_addresses_take_no_longer_than_one(timeout: Timeout, monkeypatch: pytest.MonkeyPatch) -> None:
    """`connect` limits all addresses together, and nothing is sent."""

    async def main() -> float:
        transport = AiohttpTransport()
        began = asyncio.get_running_loop().time()
        with pytest.raises(FlowsError) as caught:
            await transport.send(request_to("http://flows.nonexistent:80"), timeout=timeout)
        assert_is(caught.value, NotSentError)
        taken = asyncio.get_running_loop().time() - began
        await transport.aclose()
        return taken

    with bad.addresses(monkeypatch, 6):
        assert 0.25 < run(main) < 1.0


# Stop


@pytest.mark.parametrize("uvloop", [False, True], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("behaviour", [bad.BODY_DRIPS, bad.SILENCE, bad.TAKES_LITTLE], ids=str)
def test_a_stop_ends_a_request_under_way(behaviour: Behaviour, uvloop: bool) -> None:
    """After its grace, without another attempt; no task and no connection is left."""

    async def main() -> None:
        stop = asyncio.Event()
        transport = AiohttpTransport(stop_grace=0.05)
        async with AsyncFlowsClient(TOKEN, base_url=server.url, timeout=10.0, stop=stop, transport=transport) as client:
            loop = asyncio.get_running_loop()
            on_first_byte.append(lambda: loop.call_soon_threadsafe(stop.set))
            began = asyncio.get_running_loop().time()
            with pytest.raises(NoAnswerError, match="stopped while it was under way"):
                await client.update_flow_json(FLOW_ID, {"version": "7.3", "screens": [], "x": "x" * 8_000_000})
            assert asyncio.get_running_loop().time() - began < 3
            assert await asyncio.to_thread(server.all_connections_end)
            with pytest.raises(NotSentError, match="told to stop"):
                await client.get_flow(FLOW_ID)
        await transport.aclose()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    on_first_byte: list[Callable[[], object]] = []

    def act(connection: bad.Connection) -> bool:
        assert connection.arrives()
        on_first_byte[0]()
        return behaviour.act(connection)

    with Server(replace(behaviour, act=act)) as server:
        run(main, pytest.importorskip("uvloop").new_event_loop if uvloop else None)


def test_a_request_within_the_grace_is_not_ended() -> None:
    """Its response counts, and no task is left to watch `stop`."""

    async def main() -> None:
        stop = asyncio.Event()
        async with AsyncFlowsClient(TOKEN, base_url=server.url, stop=stop) as client:
            assert (await client.get_flow(FLOW_ID)).id == FLOW_ID
            stops.append(stop)
            assert (await client.get_flow(FLOW_ID)).id == FLOW_ID
        assert stop.is_set()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    stops: list[asyncio.Event] = []

    def reply(_: bad.Received) -> Answer:
        if stops:
            loop.call_soon_threadsafe(stops[0].set)
        return Answer(json.dumps({"id": FLOW_ID}).encode())

    with Server(bad.replies(reply)) as server, event_loop() as loop_of:
        loop = loop_of._loop
        loop_of.run(main())


def test_a_stop_ends_the_queue_too() -> None:
    """A request that still waits for a connection is not sent."""

    async def main() -> list[Any]:
        stop = asyncio.Event()
        transport = AiohttpTransport(max_connections=1, stop_grace=0.05)
        async with AsyncFlowsClient(
            TOKEN, base_url=server.url, timeout=10.0, stop=stop, transport=transport, max_attempts=1
        ) as client:
            asyncio.get_running_loop().call_later(0.05, stop.set)
            found = await asyncio.gather(*(client.get_flow(FLOW_ID) for _ in range(3)), return_exceptions=True)
        await transport.aclose()
        return found

    with Server(bad.SILENCE) as server:
        kinds = [type(it) for it in run(main)]
    assert (kinds[0], kinds[1:]) == (NoAnswerError, [NotSentError] * 2)


# Hosts


def test_connections_are_kept_to_the_last_ten_hosts() -> None:
    """Each download may come from another host; a host that is used again and again keeps its connection."""

    async def main() -> None:
        transport = AiohttpTransport()
        for server in servers[1:]:
            for used in (servers[0], server):
                await transport.send(request_to(used.url, method="GET"), timeout=Timeout(5.0, 5.0))
        await asyncio.sleep(0)  # a closed connection notifies its server in the next iteration of the loop
        assert await asyncio.to_thread(lambda: all(server.all_connections_end() for server in servers[1:5]))
        assert [server.open_connections for server in servers] == [1, *[0] * 4, *[1] * 9]
        assert servers[0].connections == 1
        await transport.aclose()

    with ExitStack() as resources:
        servers = [resources.enter_context(Server(answers())) for _ in range(14)]
        run(main)
