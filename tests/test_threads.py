"""One client serves many threads: every call gets its own response, and everything is counted once."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from urllib.parse import urlsplit

import pytest
import requests

from tests import misbehaving as bad
from tests.misbehaving import Answer, Received, Server, replies
from whatsapp_flows import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CallFailed,
    CallSucceeded,
    Counts,
    Event,
    FlowsClient,
    NotFoundError,
    RequestFinished,
    RequestStarted,
    RetryCounters,
    RetryScheduled,
)

pytestmark = pytest.mark.slow

THREADS = 16
CALLS = 400
REQUESTS = (RequestStarted, RequestFinished)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


def error(code: int, subcode: int | None = None, status: int = 400) -> Answer:
    body = {"error": {"message": "No", "code": code, "error_subcode": subcode}}
    return Answer(json.dumps(body).encode(), status)


class Meta:
    """
    Answers each call about flow N with N.

    Every third flow fails once with a retryable error; every seventh does not exist.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()

    def __call__(self, received: Received) -> Answer:
        host = received.headers["host"]
        path = urlsplit(received.target).path
        if path.startswith("/file/"):
            return Answer(json.dumps({"file": path.removeprefix("/file/")}).encode())
        flow_id = path.split("/")[2]
        with self._lock:
            self._seen[flow_id] += 1
            first = self._seen[flow_id] == 1
        if int(flow_id) % 7 == 0:
            return error(33, status=404)
        if int(flow_id) % 3 == 0 and first:
            return error(139001, 4016012) if received.method == "POST" else error(2, status=503)
        url = f"http://{host.replace('127.0.0.1', 'localhost')}/file/{flow_id}"
        assets = [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": url}]
        return Answer(json.dumps({"success": True, "id": flow_id, "data": assets}).encode())


class EventLog:
    """Records every event, and the thread that it came from."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: dict[int, list[tuple[Event, int]]] = defaultdict(list)

    def __call__(self, event: Event) -> None:
        with self._lock:
            self.calls[event.call.id].append((event, threading.get_ident()))


def upload(client: FlowsClient, flow_id: str) -> object:
    return client.update_flow_json(flow_id, {"version": "7.0", "flow": flow_id}).raw["id"]


def read(client: FlowsClient, flow_id: str) -> object:
    return client.get_flow(flow_id).id


def download(client: FlowsClient, flow_id: str) -> object:
    return json.loads(client.download_flow_json(flow_id))["file"]


KINDS: tuple[Callable[[FlowsClient, str], object], ...] = (upload, read, download, upload)
OPERATIONS = ("update_flow_json", "get_flow", "download_flow_json", "update_flow_json")
FLOWS = tuple(str(number) for number in range(1000, 1000 + CALLS))
MISSING = tuple(flow for flow in FLOWS if int(flow) % 7 == 0)
RETRIED = tuple(flow for flow in FLOWS if int(flow) % 3 == 0 and flow not in MISSING)


def kind_of(flow: str) -> Callable[[FlowsClient, str], object]:
    return KINDS[int(flow) % len(KINDS)]


@pytest.mark.parametrize("hosts_session", [False, True], ids=["own session", "host's session"])
def test_many_threads_share_one_client(hosts_session: bool) -> None:
    """Every call gets its own response, the events of a call belong together, and the counters add up."""
    log, counters, waits = EventLog(), RetryCounters(), Counter[float]()

    def call(client: FlowsClient, flow: str) -> object:
        try:
            return kind_of(flow)(client, flow)
        except NotFoundError as missing:
            return missing.flow_id, "missing"

    with (
        Server(replies(Meta())) as server,
        requests.Session() if hosts_session else nullcontext() as session,
        FlowsClient(
            "token", base_url=server.url, session=session, sleep=lambda _: None, on_event=[log, counters]
        ) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        answers = list(pool.map(lambda flow: call(client, flow), FLOWS))

    assert answers == [(flow, "missing") if flow in MISSING else flow for flow in FLOWS]
    assert_bodies_belong_to_their_flows(server.requests)

    spoken_of, requests_seen = [], Counter[type[Event]]()
    for events in log.calls.values():
        (flow_id,) = {event.call.flow_id for event, _ in events}
        assert flow_id is not None
        assert len({thread for _, thread in events}) == 1
        kinds = [type(event) for event, _ in events]
        requests_seen.update(kind for kind in kinds if kind in REQUESTS)
        assert [kind for kind in kinds if kind not in REQUESTS] == expected_events(flow_id)
        assert {event.call.operation for event, _ in events} == {operation_of(flow_id)}
        waits.update(event.delay for event, _ in events if isinstance(event, RetryScheduled))
        spoken_of.append(flow_id)
    assert sorted(spoken_of) == list(FLOWS)

    assert requests_seen == dict.fromkeys(REQUESTS, len(server.requests))
    assert waits == {5.0: len(RETRIED)}
    assert counters.total == Counts(
        attempts=CALLS + len(RETRIED),
        requests=len(server.requests),
        retries=len(RETRIED),
        successes=CALLS - len(MISSING),
        successes_after_retry=len(RETRIED),
        failures=len(MISSING),
        exhausted=0,
        seconds_waited=5.0 * len(RETRIED),
    )
    per_operation = Counter(map(operation_of, FLOWS))
    assert {name: it.successes + it.failures for name, it in counters.by_operation.items()} == per_operation
    assert counters.by_error["33"].failures == len(MISSING)
    assert sum(counters.by_error[key].retries for key in ("139001/4016012", "2")) == len(RETRIED)


def operation_of(flow: str) -> str:
    return OPERATIONS[int(flow) % len(KINDS)]


def expected_events(flow: str) -> list[type[Event]]:
    if flow in MISSING:
        return [AttemptStarted, AttemptFailed, CallFailed]
    once = [AttemptStarted, AttemptSucceeded, CallSucceeded]
    return [AttemptStarted, AttemptFailed, RetryScheduled, *once] if flow in RETRIED else once


def assert_bodies_belong_to_their_flows(received: tuple[Received, ...]) -> None:
    """Each uploaded document is that of its flow."""
    uploads = [it for it in received if it.method == "POST"]
    assert uploads
    for it in uploads:
        flow_id = it.target.split("/")[2]
        assert f'"flow":"{flow_id}"'.encode() in it.body.replace(b" ", b"")


def test_call_ids_are_not_used_twice() -> None:
    """Not by another client either: two clients that share a consumer have different call ids."""
    log = EventLog()
    with Server(replies(Meta())) as server:
        clients = [FlowsClient("token", base_url=server.url, on_event=log) for _ in range(4)]
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda number: clients[number % 4].get_flow("1000"), range(64)))
        for client in clients:
            client.close()
    assert len(log.calls) == 64
    assert all(len(events) == 5 for events in log.calls.values())


def test_each_thread_keeps_a_connection() -> None:
    """As many connections are kept as threads run at once; none is closed and opened again."""
    together = threading.Barrier(THREADS, timeout=30)

    def reply(_: Received) -> Answer:
        together.wait()  # all threads have a request under way
        return Answer(b'{"id": "1"}')

    with (
        Server(replies(reply)) as server,
        FlowsClient("token", base_url=server.url) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        for _ in range(3):
            list(pool.map(lambda _: client.get_flow("1"), range(THREADS)))
    assert server.connections == THREADS


def test_the_token_callable_runs_in_the_calling_thread() -> None:
    """A token of a thread is sent with that thread's requests."""
    local = threading.local()

    def call(number: int) -> str:
        local.token = f"token-of-{number}"
        return client.get_flow(str(number)).id

    def reply(received: Received) -> Answer:
        flow_id = urlsplit(received.target).path.split("/")[2]
        right = received.headers["authorization"] == f"Bearer token-of-{flow_id}"
        return Answer(json.dumps({"id": flow_id if right else "another's"}).encode())

    with (
        Server(replies(reply)) as server,
        FlowsClient(lambda: local.token, base_url=server.url) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        assert list(pool.map(call, range(200))) == [str(number) for number in range(200)]
