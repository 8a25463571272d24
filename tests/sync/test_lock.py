"""The lock file: a cache that costs calls when it is wrong, and causes no write."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, as_wanted, calls, desired, synced
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Lock, LockEntry

ENTRY = LockEntry(id="1", name="Booking", digest="d", updated_at="t", processed=True)


def test_entries_outlive_the_process(lock_file: Path) -> None:
    """They are found again for the same account and environment, and for the same flow."""
    Lock(lock_file, account_id="7", environment="staging").put({"booking": ENTRY})
    again = Lock(lock_file, account_id="7", environment="staging")
    assert again.get("booking", "1") == ENTRY
    assert again.get("booking", "2") is None
    assert again.owner("1", "Booking") == "booking"
    assert again.owner("1", "Another name") is None


def test_an_entry_is_forgotten(lock_file: Path) -> None:
    """None takes it out of the file."""
    lock = Lock(lock_file, account_id="7")
    lock.put({"one": ENTRY, "two": ENTRY})
    lock.put({"one": None})
    assert list(json.loads(lock_file.read_text())["flows"]) == ["two"]


def test_without_a_file_it_lives_in_memory() -> None:
    """As for a workspace that was made in Python."""
    lock = Lock(None, account_id="7")
    lock.put({"booking": ENTRY})
    assert (lock.kept, lock.get("booking", "1")) == (False, ENTRY)


@pytest.mark.parametrize(
    ("account", "environment"), [("8", ""), ("7", "staging"), (None, "")], ids=["account", "environment", "unknown"]
)
def test_a_foreign_file_holds_nothing(lock_file: Path, account: str | None, environment: str) -> None:
    """Another account's, or another environment's; it is written over when there is something to remember."""
    Lock(lock_file, account_id="7").put({"booking": ENTRY})
    lock = Lock(lock_file, account_id=account, environment=environment)
    assert lock.get("booking", "1") is None


def test_a_run_writes_nothing_when_nothing_is_new(lock_file: Path) -> None:
    """So a checkout stays clean."""
    lock = Lock(lock_file, account_id="7")
    lock.put({"booking": ENTRY})
    lock_file.unlink()
    lock.put({"booking": ENTRY})
    assert not lock_file.exists()


def test_two_processes_keep_each_others_entries(lock_file: Path) -> None:
    """Each writes the file whole, with what it finds there."""
    first, second = Lock(lock_file, account_id="7"), Lock(lock_file, account_id="7")
    first.put({"one": ENTRY})
    second.put({"two": ENTRY})
    assert list(json.loads(lock_file.read_text())["flows"]) == ["one", "two"]


def test_many_threads_lose_nothing(lock_file: Path) -> None:
    """When all have returned, the file holds everything."""
    lock = Lock(lock_file, account_id="7")
    threads = [threading.Thread(target=lock.put, args=({f"f{number}": ENTRY},)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads(lock_file.read_text())["flows"]) == 40
    assert [path.name for path in lock_file.parent.iterdir()] == [lock_file.name]


def flow_of(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """A damage to each flow's entry."""

    def damage(text: str) -> str:
        document = json.loads(text)
        for entry in document["flows"].values():
            change(entry)
        return json.dumps(document)

    return damage


DAMAGES: dict[str, Callable[[str], str]] = {
    "missing": lambda text: "",
    "truncated": lambda text: text[: len(text) // 2],
    "no object": lambda text: "[1, 2]",
    "nested": lambda text: "[" * 100_000,
    "binary": lambda text: "\x00\x00",
    "flows are a list": lambda text: json.dumps({**json.loads(text), "flows": [1]}),
    "another version": lambda text: json.dumps({**json.loads(text), "version": 2}),
    "another account": lambda text: json.dumps({**json.loads(text), "account_id": "666"}),
    "entries are texts": lambda text: json.dumps({**json.loads(text), "flows": {"booking": "x"}}),
    "an id is a number": flow_of(lambda entry: entry.update(id=7)),
    "an entry is short": flow_of(lambda entry: entry.pop("digest")),
    "another id": flow_of(lambda entry: entry.update(id="21000000000000999")),
    "another digest": flow_of(lambda entry: entry.update(digest="0" * 64)),
    "another time": flow_of(lambda entry: entry.update(updated_at="2001-01-01T00:00:00+00:00")),
    "not processed": flow_of(lambda entry: entry.update(processed="perhaps")),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_costs_calls_and_causes_no_write(
    meta: Emulator, client: FlowsClient, lock_file: Path, name: str
) -> None:
    """Whatever it says, the next run finds the flows as they should be, and sends nothing but reads."""
    flows = [desired("booking", publish=True), desired("survey")]
    synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id))
    lock_file.write_text(DAMAGES[name](lock_file.read_text()))
    meta.clear_requests()
    results = synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id), prune=True)
    assert all(result.ok for result in results)
    assert {request.method for request in meta.requests} == {"GET"}
    as_wanted(meta, flows)
    meta.clear_requests()
    synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id))
    assert calls(meta) == ["list_flows"]


def test_a_stale_file_hides_no_change(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """A flow that was edited in the Builder has another time, so it is read, and made what is wanted again."""
    wanted = desired()
    synced(client, wanted, lock=Lock(lock_file, account_id=meta.waba_id))
    (flow,) = meta.flows()
    later = client.with_options()
    meta.set_status(flow.id, "DRAFT")
    later.update_flow_json(flow.id, OTHER_FLOW_JSON)
    stale = json.loads(lock_file.read_text())
    stale["flows"]["booking"]["updated_at"] = "2001-01-01T00:00:00+00:00"
    lock_file.write_text(json.dumps(stale))
    (result,) = synced(client, wanted, lock=Lock(lock_file, account_id=meta.waba_id))
    assert (result.action, meta.flow(flow.id).flow_json) == ("upload", FLOW_JSON)


def test_a_file_that_cannot_be_written_stops_no_deployment(
    meta: Emulator, client: FlowsClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told in the log, and the flow is deployed."""
    folder = tmp_path / "gone" / "flows.lock.json"
    (result,) = synced(client, desired(publish=True), lock=Lock(folder, account_id=meta.waba_id))
    assert (result.ok, result.status) == (True, "PUBLISHED")
    assert "cannot be written" in caplog.text
