"""The same flows for many accounts, and one flow of one account as a task of a queue."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context, resource_tracker
from pathlib import Path
from typing import Any

import pytest

from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, as_wanted, calls, client_of, desired
from whatsapp_flows import AuthenticationError, ConfigurationError, FlowProcessingError, FlowsClient, RetryableError
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.events import AttemptStarted
from whatsapp_flows.sync import AccountResult, Fleet, deploy_flow

ACCOUNTS = ("20100000000000001", "20100000000000002", "20100000000000003")
WANTED = (desired("one", publish=True), desired("two"))


@pytest.fixture
def meta() -> Iterator[Emulator]:
    """An emulator with three accounts."""
    with Emulator() as emulator:
        for number, account in enumerate(ACCOUNTS[1:]):
            emulator.add_account(account)
            emulator.add_phone_number(f"2020000000000010{number}", waba_id=account)
        yield emulator


def client_for(url: str, account: str) -> FlowsClient:
    """What a host writes: the account's own token, from wherever it is kept."""
    return FlowsClient(f"token-of-{account}", account, base_url=url, sleep=lambda seconds: None)


@pytest.mark.parametrize("executor", ["own threads", "threads", "processes"])
def test_every_account_gets_the_flows(meta: Emulator, executor: str) -> None:
    """On any executor, which stays open; results are yielded as accounts finish."""
    kinds: dict[str, Callable[[], Executor]] = {
        "threads": lambda: ThreadPoolExecutor(2),
        "processes": lambda: ProcessPoolExecutor(1, mp_context=get_context("spawn")),
    }
    pool = kinds[executor]() if executor in kinds else None
    fleet = Fleet(client_for=partial(client_for, meta.url), executor=pool)
    results = list(fleet.deploy(WANTED, ACCOUNTS))
    if pool is not None:
        assert pool.submit(str).result() == ""
        pool.shutdown()
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]  # spawn's, which outlives its pool
    assert {result.account_id for result in results} == set(ACCOUNTS)
    assert all(result.ok and result.calls == 3 for result in results)
    for account in ACCOUNTS:
        assert sorted((flow.name, flow.status) for flow in meta.flows(account)) == [
            ("One", "PUBLISHED"),
            ("Two", "DRAFT"),
        ]


def test_each_account_has_its_lock_file(meta: Emulator, tmp_path: Path) -> None:
    """So a second run takes one request for each account."""
    fleet = Fleet(client_for=partial(client_for, meta.url), lock_folder=tmp_path)
    list(fleet.deploy(WANTED, ACCOUNTS))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{account}.lock.json" for account in ACCOUNTS]
    meta.clear_requests()
    assert all(result.ok for result in fleet.deploy(WANTED, ACCOUNTS))
    assert calls(meta) == ["list_flows"] * 3


def test_an_account_that_fails_stops_no_other(meta: Emulator) -> None:
    """A token that is refused, and a function that returns the wrong client."""

    def resolve(account: str) -> FlowsClient:
        if account == ACCOUNTS[1]:
            return client_for(meta.url, ACCOUNTS[2])
        return client_for(meta.url, account)

    meta.fail("list_flows", code=190, times=1)
    results = {it.account_id: it for it in Fleet(client_for=resolve, size=1).deploy(WANTED, ACCOUNTS)}
    first, second, third = (results[account] for account in ACCOUNTS)
    assert isinstance(first.error, AuthenticationError)
    assert isinstance(second.error, ConfigurationError)
    assert (first.ok, second.ok, third.ok) == (False, False, True)
    document = json.loads(json.dumps([first.to_json(), third.to_json()]))
    assert document[0]["error"]["class"] == "AuthenticationError"
    assert [flow["action"] for flow in document[1]["flows"]] == ["create", "create"]


@pytest.mark.parametrize("mistake", [RuntimeError("token=SECRET"), KeyError("x"), None])
def test_an_exception_of_the_hosts_function_fails_that_account(meta: Emulator, mistake: Exception | None) -> None:
    """Without its text, which may hold the token; a value that is not a client fails the account too."""

    def resolve(account: str) -> FlowsClient:
        if account != ACCOUNTS[1]:
            return client_for(meta.url, account)
        if mistake is not None:
            raise mistake
        return None  # type: ignore[return-value]

    results = {it.account_id: it for it in Fleet(client_for=resolve).deploy(WANTED, ACCOUNTS)}
    assert [results[account].ok for account in ACCOUNTS] == [True, False, True]
    error = results[ACCOUNTS[1]].error
    assert isinstance(error, ConfigurationError)
    assert "SECRET" not in str(error)
    assert "client_for" in str(error)


def test_an_unexpected_exception_fails_that_account(meta: Emulator) -> None:
    """A transport of the host's raises one."""

    class Broken:
        def send(self, request: object, /, *, timeout: object) -> None:
            raise ZeroDivisionError

        def close(self) -> None: ...

    def resolve(account: str) -> FlowsClient:
        client = client_for(meta.url, account)
        return client.with_options(transport=Broken()) if account == ACCOUNTS[1] else client  # type: ignore[arg-type]

    results = {it.account_id: it for it in Fleet(client_for=resolve).deploy(WANTED, ACCOUNTS)}
    assert [results[account].ok for account in ACCOUNTS] == [True, False, True]


class Endless:
    """Accounts without an end, which says how many were taken."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        while True:
            self.taken += 1
            yield str(self.taken)


def no_account(account: str) -> FlowsClient:
    """A host that has no client for it."""
    raise LookupError(account)


def leave_by_break(results: Iterator[AccountResult]) -> None:
    """After the third result."""
    for number, _ in enumerate(results, 1):
        if number == 3:
            break


def leave_by_closing(results: Iterator[AccountResult]) -> None:
    """After the third result."""
    assert len(list(islice(results, 3))) == 3
    results.close()  # type: ignore[attr-defined]


def leave_by_an_exception(results: Iterator[AccountResult]) -> None:
    """After the third result."""

    def fail() -> None:
        for number, _ in enumerate(results, 1):
            assert number < 3 or 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail()


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_closing, leave_by_an_exception])
@pytest.mark.parametrize("executor", ["own threads", "threads"])
def test_leaving_the_iteration_ends_it(leave: Callable[[Iterator[AccountResult]], None], executor: str) -> None:
    """Accounts are taken only when one can begin; no thread and no work is left behind."""
    before = set(threading.enumerate())
    accounts = Endless()
    with ThreadPoolExecutor(4) as pool:
        fleet = Fleet(client_for=no_account, size=4, executor=pool if executor == "threads" else None)
        leave(fleet.deploy(WANTED, accounts))
        taken = accounts.taken
        assert taken <= 3 + 2 * 4
    assert (accounts.taken, set(threading.enumerate())) == (taken, before)


def test_an_account_in_progress_ends_when_the_iteration_is_left(meta: Emulator) -> None:
    """As `apply` ends: a live flow that was written to is live again, and nothing else is begun."""
    flow = meta.add_flow("One", flow_json=OTHER_FLOW_JSON, status="PUBLISHED", waba_id=ACCOUNTS[1])
    reached, go_on = threading.Event(), threading.Event()

    def resolve(account: str) -> FlowsClient:
        def hold(event: object) -> None:
            if isinstance(event, AttemptStarted) and event.call.operation == "publish_flow":
                reached.set()
                go_on.wait(30)

        client = client_for(meta.url, account)
        return client.with_options(on_event=hold) if account == ACCOUNTS[1] else client

    results = Fleet(client_for=resolve, size=2).deploy(WANTED, [*ACCOUNTS[1::-1]])
    assert next(results).account_id == ACCOUNTS[0]
    assert reached.wait(30)
    threading.Timer(0.05, go_on.set).start()
    results.close()  # type: ignore[attr-defined]
    assert (meta.flow(flow.id).status, meta.flow(flow.id).flow_json) == ("PUBLISHED", FLOW_JSON)
    assert [flow.name for flow in meta.flows(ACCOUNTS[1])] == ["One"]


def test_stop_ends_a_fleet(meta: Emulator) -> None:
    """The results of accounts in progress are yielded, and no other account is begun."""
    stop = threading.Event()
    results = Fleet(client_for=partial(client_for, meta.url), size=1).deploy(WANTED, ACCOUNTS, stop=stop)
    assert next(results).ok
    stop.set()
    assert len(list(results)) <= 1


def test_a_clients_own_stop_ends_its_account_alone(meta: Emulator) -> None:
    """The host has set it on that client."""
    stop = threading.Event()
    stop.set()

    def resolve(account: str) -> FlowsClient:
        client = client_for(meta.url, account)
        return client.with_options(stop=stop) if account == ACCOUNTS[0] else client

    results = {it.account_id: it for it in Fleet(client_for=resolve, size=1).deploy(WANTED, ACCOUNTS)}
    assert [results[account].ok for account in ACCOUNTS] == [False, True, True]
    assert not meta.flows(ACCOUNTS[0])


def test_a_fork_during_the_iteration_does_not_hang(meta: Emulator) -> None:
    """The child has no threads and waits for none; the parent continues."""
    results = Fleet(client_for=partial(client_for, meta.url), size=1).deploy(WANTED, ACCOUNTS)
    first = next(results)
    child = os.fork()
    if child == 0:
        results.close()  # type: ignore[attr-defined]
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert [first.ok, *(result.ok for result in results)] == [True, True, True]


def test_a_broken_executor_fails_its_accounts(meta: Emulator) -> None:
    """The state of their flows is not known."""

    class Lossy(ThreadPoolExecutor):
        def submit(self, *call: Any, **more: Any) -> Any:
            future = super().submit(*call, **more)
            lost: Future[AccountResult] = Future()
            future.add_done_callback(lambda _: lost.set_exception(BrokenExecutor("gone")))
            return lost

    with Lossy(1) as pool:
        results = list(Fleet(client_for=partial(client_for, meta.url), executor=pool).deploy(WANTED, ACCOUNTS))
    assert [str(result.error) for result in results if "BrokenExecutor" in str(result.error)]
    assert {result.account_id for result in results} == set(ACCOUNTS)


# -- one flow


def test_deploy_flow_takes_and_returns_plain_values(meta: Emulator, client: FlowsClient) -> None:
    """With "seen" of an earlier result, one call finds the flow, however large the account is."""
    task = json.loads(json.dumps(WANTED[0].to_json()))
    made = deploy_flow(client, task)
    assert (made["key"], made["action"], made["status"], made["ok"]) == ("one", "create", "PUBLISHED", True)
    meta.clear_requests()
    again = deploy_flow(client, task, seen=json.loads(json.dumps(made["seen"])))
    assert (again["action"], again["id"]) == ("unchanged", made["id"])
    assert "list_flows" not in calls(meta)
    meta.clear_requests()
    assert deploy_flow(client, task, seen=again["seen"])["ok"]
    assert calls(meta) == ["get_flow"]


@pytest.mark.parametrize("damage", [{"id": "5"}, {"name": "Another"}, {"digest": "0"}, {"more": 1}])
def test_a_stale_seen_value_costs_calls_and_causes_no_write(
    meta: Emulator, client: FlowsClient, damage: dict[str, object]
) -> None:
    """An unknown id, another name, another content, another form."""
    made = deploy_flow(client, WANTED[0].to_json())
    meta.clear_requests()
    assert deploy_flow(client, WANTED[0].to_json(), seen={**made["seen"], **damage})["ok"]
    assert {request.method for request in meta.requests} == {"GET"}
    as_wanted(meta, WANTED[:1])


def test_a_retryable_error_is_raised_for_the_queue(meta: Emulator, client: FlowsClient) -> None:
    """Nothing was waited for; the repeated task finishes."""
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=1)
    with pytest.raises(FlowProcessingError):
        deploy_flow(client, WANTED[0].to_json())
    assert calls(meta).count("update_flow_json") == 1
    assert deploy_flow(client, WANTED[0].to_json())["status"] == "PUBLISHED"
    as_wanted(meta, WANTED[:1])


def test_any_other_failure_is_in_the_result(meta: Emulator) -> None:
    """With what a host needs to decide; options are those of a plan."""
    meta.add_flow("Two", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    client = client_of(meta)
    blocked = deploy_flow(client, WANTED[1].to_json())
    assert (blocked["action"], blocked["ok"], blocked["error"]["retryable"]) == ("blocked", False, False)
    assert deploy_flow(client, WANTED[1].to_json(), options={"allow_unpublish": True})["status"] == "DRAFT"
    assert meta.flows()[0].flow_json == FLOW_JSON


def test_a_stopped_task_is_retryable(meta: Emulator, client: FlowsClient) -> None:
    """The queue repeats the task, and that finishes."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(RetryableError):
        deploy_flow(client.with_options(stop=stop), WANTED[0].to_json())
    assert not meta.flows()
    assert deploy_flow(client, WANTED[0].to_json())["ok"]
