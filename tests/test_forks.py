"""Forks: a lock that a thread of the parent holds is free in the child, and connections stay the parent's."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests import misbehaving as bad
from tests.forks import in_a_child, needs_fork
from tests.misbehaving import Answer, Received, Server, replies
from tests.support import TOKEN
from tests.wires import event_loop
from whatsapp_flows import (
    AsyncFlowsClient,
    Call,
    ConfigurationError,
    Event,
    FixedDelays,
    NotSentError,
    Pacer,
    QueuedConsumer,
    Request,
    RetryBudget,
    RetryCounters,
    RetryState,
)
from whatsapp_flows.events import AttemptFailed
from whatsapp_flows.usage import UsageLog

pytestmark = pytest.mark.slow

ASKED = Request(method="GET", url="https://graph.facebook.com/v25.0/1", operation="get_flow", flow_id="1")
CALL = Call(operation="get_flow", id=1)
FAILED = AttemptFailed(call=CALL, attempt=1, max_attempts=3, duration=0.0, requests=1, error=NotSentError("refused"))
STATE = RetryState(operation="get_flow", idempotent=True, error=FAILED.error, attempt=1, max_attempts=3, elapsed=0.0)


@needs_fork
def test_a_lock_that_was_held_is_free_in_a_child() -> None:
    """Every object with a lock may be forked while the lock is held."""
    pacer, budget, counters, log = Pacer(), RetryBudget(FixedDelays((1.0,))), RetryCounters(), UsageLog()

    def work() -> tuple[float, float | None, int, int]:
        counters(FAILED)
        return pacer.before(ASKED).pause, budget.decide(STATE).delay, counters.total.requests, len(log.figures)

    with pacer._lock, pacer._log._lock, budget._lock, counters._lock, log._lock:
        assert in_a_child(work) == (0.0, 1.0, 1, 0)
    assert work() == (0.0, 1.0, 1, 0)


@needs_fork
def test_a_queue_starts_empty_in_a_child() -> None:
    """With its own thread, and it can be closed."""
    received: list[Event] = []
    with QueuedConsumer(received.append) as consumer:
        consumer(FAILED)
        assert consumer.flush(10)

        def work() -> tuple[int, bool]:
            consumer(FAILED)
            return len(received), consumer.close(10) and len(received) == 2

        with consumer._changed:
            assert in_a_child(work) in {(1, True), (2, True)}
    assert len(received) == 1


# asyncio


def flow(received: Received) -> Answer:
    return Answer(json.dumps({"id": urlsplit(received.target).path.rpartition("/")[2]}).encode())


@pytest.fixture
def _trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bad.forget_environment(monkeypatch)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bad.certificate_file(tmp_path))


async def flows(client: AsyncFlowsClient, numbers: Iterable[int]) -> list[str]:
    return [flow.id for flow in await asyncio.gather(*(client.get_flow(str(number)) for number in numbers))]


def called_in_a_child(client: AsyncFlowsClient, numbers: Iterable[int], *, children: int = 1) -> list[str]:
    """The results of calls in a child's own event loop. Then the client is closed, and garbage is collected."""

    async def main() -> list[str]:
        async with client:
            return await flows(client, numbers)

    def task() -> list[str]:
        found = asyncio.run(main())
        gc.collect()
        return found

    return in_a_child(task, children=children)


@needs_fork
@pytest.mark.usefixtures("_trusting")
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "TLS"])
def test_a_child_opens_connections_of_its_own(secured: bool) -> None:
    """So do clients made by `with_options`; and the parent keeps its connection."""

    async def main() -> None:
        client = AsyncFlowsClient(TOKEN, base_url=server.url, max_attempts=1)
        async with client, client.with_options(waba_id="55") as view:
            assert await flows(client, [1]) == ["1"]
            for number in (2, 3):
                assert called_in_a_child(view if number == 2 else client, [number]) == [str(number)]
                assert await flows(client, [number + 10]) == [str(number + 10)]

    with Server(replies(flow, secured=secured)) as server, event_loop() as loop:
        loop.run(main())
    assert server.connections == 3


@needs_fork
@pytest.mark.usefixtures("_trusting")
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "TLS"])
def test_forks_while_requests_are_under_way(secured: bool) -> None:
    """Each process gets the responses to its own calls, and no call fails."""

    async def main() -> None:
        async with AsyncFlowsClient(TOKEN, base_url=server.url, max_attempts=1, max_connections=4) as client:
            traffic = [asyncio.create_task(flows(client, range(start, start + 40))) for start in range(0, 200, 40)]
            for child in range(3):
                await asyncio.sleep(0.005)
                numbers = range(1000 * child, 1000 * child + 20)
                assert called_in_a_child(client, numbers, children=3 if secured else 1) == [
                    str(number) for number in numbers
                ]
            found = [number for part in await asyncio.gather(*traffic) for number in part]
            assert found == [str(number) for number in range(200)]

    with Server(replies(flow, secured=secured)) as server, event_loop(debug=False) as loop:
        loop.run(main())
    # A child that was given up may have sent some of its requests.
    assert len(server.requests) == 260 or (secured and len(server.requests) > 260)


@needs_fork
@pytest.mark.usefixtures("_trusting")
@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
def test_the_end_of_a_child_sends_nothing_on_the_parents_connection(used: bool) -> None:
    """Whether the child used the client or not: no TLS close_notify, and no warning."""
    code = f"""
import asyncio, os, sys, warnings
from whatsapp_flows import AsyncFlowsClient
warnings.simplefilter("ignore")
used, url = {used}, sys.argv[1]
client = AsyncFlowsClient("token", base_url=url, max_attempts=1)
loop = asyncio.new_event_loop()
async def call(number):
    return (await client.get_flow(number)).id
async def call_and_close(number):
    async with client:
        return await call(number)
assert loop.run_until_complete(call("1")) == "1"
child = os.fork()
if not child:
    if used:
        assert asyncio.run(call_and_close("2")) == "2"
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert loop.run_until_complete(call("3")) == "3"
loop.run_until_complete(client.aclose())
loop.close()
"""
    with Server(replies(flow, secured=True)) as server:
        done = subprocess.run(
            [sys.executable, "-c", code, server.url], capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert server.connections == 1 + used


@needs_fork
def test_a_session_of_the_hosts_belongs_to_its_process() -> None:
    """The transport cannot open it again: the error in the child says so."""

    async def call(client: AsyncFlowsClient) -> str:
        try:
            await client.get_flow("2")
        except ConfigurationError as error:
            return str(error)
        return "no error"

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            client = AsyncFlowsClient(TOKEN, base_url=server.url, session=session)
            assert await flows(client, [1]) == ["1"]
            assert "another event loop" in in_a_child(lambda: asyncio.run(call(client)))
            assert await flows(client, [3]) == ["3"]

    with Server(replies(flow)) as server, event_loop() as loop:
        loop.run(main())
    assert server.connections == 1
