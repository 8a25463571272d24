"""The same flows for many accounts, and one flow of one account as a task of a queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, as_wanted, calls, client_of, desired
from whatsapp_flows import AuthenticationError, ConfigurationError, FlowProcessingError, FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Fleet, deploy_flow

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
    """On any executor, which stays open; results come as accounts get ready."""
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
    assert {result.account_id for result in results} == set(ACCOUNTS)
    assert all(result.ok and result.calls == 3 for result in results)
    for account in ACCOUNTS:
        assert sorted((flow.name, flow.status) for flow in meta.flows(account)) == [
            ("One", "PUBLISHED"),
            ("Two", "DRAFT"),
        ]


def test_each_account_has_its_lock_file(meta: Emulator, tmp_path: Path) -> None:
    """So a second run costs one request for each."""
    fleet = Fleet(client_for=partial(client_for, meta.url), lock_folder=tmp_path)
    list(fleet.deploy(WANTED, ACCOUNTS))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{account}.lock.json" for account in ACCOUNTS]
    meta.clear_requests()
    assert all(result.ok for result in fleet.deploy(WANTED, ACCOUNTS))
    assert calls(meta) == ["list_flows"] * 3


def test_an_account_that_fails_stops_no_other(meta: Emulator) -> None:
    """A token that is refused, and a resolver that gives the wrong client."""

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


# -- one flow


def test_one_flow_from_plain_values_to_plain_values(meta: Emulator, client: FlowsClient) -> None:
    """What it gives back under "seen" finds the flow with one call the next time, however large the account is."""
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
def test_what_is_stale_costs_calls_and_causes_no_write(
    meta: Emulator, client: FlowsClient, damage: dict[str, object]
) -> None:
    """A flow of that id that is not there, another name, another content, another form."""
    made = deploy_flow(client, WANTED[0].to_json())
    meta.clear_requests()
    assert deploy_flow(client, WANTED[0].to_json(), seen={**made["seen"], **damage})["ok"]
    assert {request.method for request in meta.requests} == {"GET"}
    as_wanted(meta, WANTED[:1])


def test_a_retryable_error_comes_out_for_the_queue(meta: Emulator, client: FlowsClient) -> None:
    """Nothing was waited for; the same task done again finishes."""
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=1)
    with pytest.raises(FlowProcessingError):
        deploy_flow(client, WANTED[0].to_json())
    assert calls(meta).count("update_flow_json") == 1
    assert deploy_flow(client, WANTED[0].to_json())["status"] == "PUBLISHED"
    as_wanted(meta, WANTED[:1])


def test_any_other_failure_is_in_the_answer(meta: Emulator) -> None:
    """With what a host needs to decide; options are those of a plan."""
    meta.add_flow("Two", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    client = client_of(meta)
    blocked = deploy_flow(client, WANTED[1].to_json())
    assert (blocked["action"], blocked["ok"], blocked["error"]["retryable"]) == ("blocked", False, False)
    assert deploy_flow(client, WANTED[1].to_json(), options={"allow_unpublish": True})["status"] == "DRAFT"
    assert meta.flows()[0].flow_json == FLOW_JSON
