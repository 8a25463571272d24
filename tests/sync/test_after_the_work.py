"""The end of a run: results are returned although reading the last state, the token, or the host's own code fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, as_wanted, calls, client_of, desired, planned
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Lock, LockEntry, apply
from whatsapp_flows.transport import Request, Response, Timeout, Transport

WANTED = (desired("one", publish=True), desired("two", publish=True))


class Changed:
    """A transport whose answers are changed on their way."""

    def __init__(self, transport: Transport, change: Callable[[Request, Response], Response]) -> None:
        self._transport, self._change = transport, change

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        return self._change(request, self._transport.send(request, timeout=timeout))

    def close(self) -> None:
        self._transport.close()


def changed(client: FlowsClient, change: Callable[[Request, Response], Response]) -> FlowsClient:
    """The client with its answers changed."""
    return client.wrapping(lambda inner: Changed(inner, change))


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Mon, 01 Jan 0000 00:00:00 GMT",
        "Mon, 99 Jan 2026 00:00:00 GMT",
        "Mon, 01 Jan 2026 99:99:99 +9999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "9" * 5000,
        "\u00b2",
        "",
        "Thu",
    ],
)
def test_an_invalid_date_header_fails_no_call(meta: Emulator, client: FlowsClient, lock_file: Path, date: str) -> None:
    """An answer with an invalid `Date` is used like any other."""

    def dated(request: Request, response: Response) -> Response:
        return replace(response, headers={**response.headers, "date": date})

    lock = Lock(lock_file, account_id=meta.waba_id)
    results = apply(changed(client, dated), planned(client, WANTED, lock), lock=lock)
    assert all(result.ok for result in results)


@pytest.mark.parametrize("flows", [1, 2])
@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "999", "updated_at": "2026-01-01T00:00:00+0000"}',
        b'{"id": 5}',
        b'{"data": [{"id": "999"}, {}]}',
        b'{"id": "999", "updated_at": "99999-01-01T00:00:00+0000"}',
        b'{"id": "999", "updated_at": 1e400}',
        b"[]",
        b"<html>",
        b"",
    ],
)
def test_results_are_returned_whatever_the_last_read_returns(
    meta: Emulator, client: FlowsClient, lock_file: Path, body: bytes, flows: int
) -> None:
    """An unexpected id, an invalid time, an answer that is not JSON."""
    wanted = WANTED[:flows]
    lock = Lock(lock_file, account_id=meta.waba_id)
    plan = planned(client, wanted, lock)
    written = 0

    def late(request: Request, response: Response) -> Response:
        nonlocal written
        written += request.method == "POST"
        return replace(response, body=body) if written == flows and request.method == "GET" else response

    results = apply(changed(client, late), plan, lock=lock, jobs=1)
    assert [result.ok for result in results] == [True] * flows
    as_wanted(meta, wanted)


@pytest.mark.parametrize("mistake", [RuntimeError("token=SECRET"), ValueError(), MemoryError()])
def test_without_a_token_for_the_last_read_the_next_run_downloads(
    meta: Emulator, lock_file: Path, mistake: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The results are returned; the text of the host's exception is in none of them."""

    def token() -> str:
        if "create_flow" in calls(meta):
            raise mistake
        return "token"

    client = client_of(meta).with_options(access_token=token)
    lock = Lock(lock_file, account_id=meta.waba_id)
    (result,) = apply(client, planned(client, WANTED[:1], lock), lock=lock)
    assert result.ok
    assert "SECRET" not in caplog.text


def test_a_lock_that_raises_at_the_end_fails_no_run(
    meta: Emulator, client: FlowsClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A `Lock` of the host's that raises is logged."""

    class Broken(Lock):
        def put(self, entries: Mapping[str, LockEntry | None]) -> None:
            if entries:
                raise RuntimeError("no disk")

    lock = Broken(None, account_id=meta.waba_id)
    results = apply(client, planned(client, WANTED, lock), lock=lock)
    assert all(result.ok for result in results)
    assert "The lock file was not written" in caplog.text


def test_an_exit_in_the_hosts_sleep_is_raised_after_the_restoration(meta: Emulator) -> None:
    """A SystemExit in its `sleep`, for example: the flow is live again, and `apply` raises it."""
    flow = meta.add_flow("One", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")

    def leave(seconds: float) -> None:
        raise SystemExit(3)

    client = FlowsClient("token", meta.waba_id, base_url=meta.url, sleep=leave)
    plan = planned(client, WANTED[:1])
    meta.fail("publish_flow", code=131000, times=1)
    with pytest.raises(SystemExit):
        apply(client, plan, jobs=1)
    assert (meta.flow(flow.id).status, meta.flow(flow.id).flow_json) == ("PUBLISHED", OTHER_FLOW_JSON)


def own_threads() -> set[threading.Thread]:
    """The workers that are running: not the emulator's threads, nor those of a client's connections."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")}


@pytest.mark.parametrize("jobs", [1, 8])
def test_a_run_leaves_no_thread(meta: Emulator, client: FlowsClient, lock_file: Path, jobs: int) -> None:
    """Every thread has ended when `apply` returns or raises."""
    before = own_threads()
    lock = Lock(lock_file, account_id=meta.waba_id)
    apply(client, planned(client, WANTED, lock), lock=lock, jobs=jobs)
    stop = threading.Event()
    stop.set()
    apply(client, planned(client, [desired("three")], lock), lock=lock, jobs=jobs, stop=stop)
    assert own_threads() == before
    assert FLOW_JSON in {flow.flow_json for flow in meta.flows()}
