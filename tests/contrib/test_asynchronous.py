"""The exporters under the asyncio client: many calls at once in one thread, each with its own spans."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry import trace

from tests.contrib.test_opentelemetry import Sdk, facts
from whatsapp_flows.emulator import Emulator

aio = pytest.importorskip("whatsapp_flows.aio")
CALLS = 20
FAILURES = 30


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


def client(meta: Emulator, sdk: Sdk) -> Any:
    return aio.AsyncFlowsClient(
        "token", meta.waba_id, base_url=meta.url, on_event=sdk.consumer, sleep=_at_once, max_attempts=FAILURES + 1
    )


def test_calls_side_by_side_keep_their_spans_apart() -> None:
    """Each is a child of the span in which it was begun; each request belongs to its own call."""
    sdk = Sdk()

    async def main(meta: Emulator) -> None:
        async with client(meta, sdk) as flows:
            flow = await flows.create_flow("Booking", ["OTHER"])
            with sdk.provider.get_tracer("host").start_as_current_span("host") as host:
                meta.fail("get_flow", code=2, times=FAILURES)
                await asyncio.gather(*(flows.get_flow(flow.id) for _ in range(CALLS)))
                assert trace.get_current_span() is host

    with Emulator() as meta:
        asyncio.run(main(meta))
    spans = sdk.spans
    (host,) = (span for span in spans if span.name == "host")
    calls = {span.context.span_id: span for span in spans if span.name == "get_flow" and span.context}
    requests = [span for span in spans if span.name == "GET"]
    assert len(calls) == CALLS
    assert all(call.parent == host.context for call in calls.values())
    assert len(requests) == CALLS + FAILURES
    for number, call in calls.items():
        own = [request for request in requests if request.parent and request.parent.span_id == number]
        assert len(own) == facts(call)["whatsapp_flows.attempts"]
    sdk.consumer.close()
    sdk.meters.shutdown()


def test_a_call_that_is_cancelled_ends_its_spans() -> None:
    """Both say so, and nothing of the call is kept."""
    sdk = Sdk()

    async def main(meta: Emulator) -> None:
        async with client(meta, sdk) as flows:
            meta.fail("list_phone_numbers", delay=5)
            task = asyncio.ensure_future(flows.list_phone_numbers())
            while not sdk.consumer._traces:
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert trace.get_current_span() is trace.INVALID_SPAN

    with Emulator() as meta:
        asyncio.run(main(meta))
    assert [facts(span)["error.type"] for span in sdk.spans] == ["CancelledError"] * 2
    assert sdk.consumer._traces == {}
    sdk.consumer.close()
    sdk.meters.shutdown()


def test_usage_is_kept_by_the_asynchronous_client() -> None:
    """The same figures as of the other client."""
    sdk = Sdk()

    async def main(meta: Emulator) -> Any:
        async with client(meta, sdk) as flows:
            meta.set_usage(50)
            await flows.list_phone_numbers()
            return flows.usage

    with Emulator() as meta:
        app, account = asyncio.run(main(meta))
    assert (app.call_count, account.object_id) == (50.0, meta.waba_id)
    sdk.consumer.close()
    sdk.meters.shutdown()
