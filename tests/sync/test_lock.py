"""The lock file: a cache that costs calls when it is wrong, and causes no write."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, as_wanted, calls, desired, synced
from whatsapp_flows import ConfigurationError, FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Lock, LockEntry
from whatsapp_flows.sync.applying._lock_writer import LockWriter

ENTRY = LockEntry(id="1", name="Booking", digest="d", updated_at="t", processed=True)


def test_entries_are_read_again(lock_file: Path) -> None:
    """For the same account, environment and flow."""
    Lock(lock_file, account_id="7", environment="staging").put({"booking": ENTRY})
    again = Lock(lock_file, account_id="7", environment="staging")
    assert again.get("booking", "1") == ENTRY
    assert again.get("booking", "2") is None
    assert again.owner("1", "Booking") == "booking"
    assert again.owner("1", "Another name") is None


def test_an_entry_is_removed(lock_file: Path) -> None:
    """With None."""
    lock = Lock(lock_file, account_id="7")
    lock.put({"one": ENTRY, "two": ENTRY})
    lock.put({"one": None})
    assert list(json.loads(lock_file.read_text())["flows"]) == ["two"]


def test_without_a_file_the_entries_are_in_memory() -> None:
    """As for a workspace that was made in Python."""
    lock = Lock(None, account_id="7")
    lock.put({"booking": ENTRY})
    assert (lock.kept, lock.get("booking", "1")) == (False, ENTRY)


@pytest.mark.parametrize(
    ("account", "environment"), [("8", ""), ("7", "staging"), (None, "")], ids=["account", "environment", "unknown"]
)
def test_a_file_of_another_account_is_never_overwritten(lock_file: Path, account: str | None, environment: str) -> None:
    """Or of another environment: our entries go into a file of our own beside it."""
    Lock(lock_file, account_id="7").put({"booking": ENTRY})
    before = lock_file.read_bytes()
    lock = Lock(lock_file, account_id=account, environment=environment)
    assert lock.get("booking", "1") is None
    lock.put({"survey": ENTRY})
    assert lock_file.read_bytes() == before
    again = Lock(lock_file, account_id=account, environment=environment)
    assert again.get("survey", "1") == (ENTRY if account is not None else None)
    names = {path.name for path in lock_file.parent.iterdir()}
    assert names == {lock_file.name, *([f"flows.{account}.lock.json"] if account else [])}


def test_the_other_account_is_reported_until_this_one_has_a_file(lock_file: Path) -> None:
    """A deployment before that is the first one to this account."""
    assert Lock(lock_file, account_id="7").other_account == ""
    Lock(lock_file, account_id="7").put({"booking": ENTRY})
    assert Lock(lock_file, account_id="7").other_account == ""
    lock = Lock(lock_file, account_id="8")
    assert (lock.other_account, lock.path) == ("7", lock_file.with_name("flows.8.lock.json"))
    lock.put({"booking": ENTRY})
    assert Lock(lock_file, account_id="8").other_account == ""


def test_a_file_that_becomes_another_accounts_is_not_changed(lock_file: Path) -> None:
    """Two runs for two accounts may begin before there is a file."""
    first, second = Lock(lock_file, account_id="7"), Lock(lock_file, account_id="8")
    first.put({"booking": ENTRY})
    second.put({"booking": ENTRY})
    first.put({"survey": ENTRY})
    assert list(json.loads(lock_file.read_text())["flows"]) == ["booking", "survey"]
    assert json.loads(lock_file.with_name("flows.8.lock.json").read_text())["account_id"] == "8"


def test_a_file_that_is_too_large_is_neither_read_nor_overwritten(lock_file: Path) -> None:
    """It may be of another account."""
    with lock_file.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    lock = Lock(lock_file, account_id="7")
    lock.put({"booking": ENTRY})
    assert lock_file.stat().st_size == 64 * 1024 * 1024 + 1
    assert Lock(lock_file, account_id="7").get("booking", "1") == ENTRY


def test_only_a_regular_file_is_opened(lock_file: Path) -> None:
    """To open a FIFO would block."""
    os.mkfifo(lock_file)
    with pytest.raises(ConfigurationError, match="is no file"):
        Lock(lock_file, account_id="7")


OLD = {"id": "1", "name": "Booking", "digest": "d", "updated_at": "t", "processed": True}


@pytest.mark.parametrize(
    ("value", "entry"),
    [
        (OLD, LockEntry(id="1", name="Booking", digest="d", updated_at="t", processed=True)),
        ({"id": "1", "name": "Booking"}, LockEntry(id="1", name="Booking")),
        ({**OLD, "later": [1], "processed": "perhaps"}, LockEntry(id="1", name="Booking", digest="d", updated_at="t")),
        ({**OLD, "digest": 7, "updated_at": None}, LockEntry(id="1", name="Booking", processed=True)),
        ({**OLD, "id": 7}, None),
        ({**OLD, "id": ""}, None),
        ({"digest": "d"}, None),
        ("x", None),
        (None, None),
        ([OLD], None),
    ],
)
def test_entries_of_another_shape(lock_file: Path, value: object, entry: LockEntry | None) -> None:
    """What can be read of them counts, and they stay in the file as they are until their flow has another."""
    document = {"version": 1, "account_id": "7", "environment": "", "flows": {"booking": value, "odd": 7}}
    lock_file.write_text(json.dumps(document))
    lock = Lock(lock_file, account_id="7")
    assert lock.entry("booking") == entry
    lock.put({"survey": ENTRY})
    assert json.loads(lock_file.read_text())["flows"] == {"booking": value, "odd": 7, "survey": ENTRY.to_json()}
    assert LockEntry.from_json(ENTRY.to_json()) == ENTRY


@pytest.mark.parametrize(
    ("processed", "written", "ours"),
    [(True, None, True), (False, None, True), (None, None, False), (None, True, True), (None, False, False)],
)
def test_which_flows_count_as_written_by_us(
    lock_file: Path, processed: bool | None, written: bool | None, ours: bool
) -> None:
    """An older file does not say it: an upload from here proves it, and nothing else does."""
    value = {**OLD, "processed": processed, **({} if written is None else {"written": written})}
    lock_file.write_text(json.dumps({"version": 1, "account_id": "7", "environment": "", "flows": {"booking": value}}))
    assert (Lock(lock_file, account_id="7").owner("1", "Booking") == "booking") == ours


def test_written_stays_true_for_the_same_flow(lock_file: Path) -> None:
    """A later run that finds the flow unchanged keeps it; another flow under the key does not inherit it."""
    lock = Lock(lock_file, account_id="7")
    lock.put({"booking": LockEntry(id="1", name="Booking", written=True)})
    lock.put({"booking": LockEntry(id="1", name="Booking", digest="d")})
    assert lock.owner("1", "Booking") == "booking"
    lock.put({"booking": LockEntry(id="2", name="Booking")})
    assert (lock.owner("2", "Booking"), lock.owner("1", "Booking")) == (None, "booking")
    assert lock.entry("booking@1") is None
    lock.put({"booking": LockEntry(id="1", name="Booking", written=True)})
    assert list(json.loads(lock_file.read_text())["flows"]) == ["booking"]


@pytest.mark.parametrize(
    ("updated_at", "written_at", "listed", "holds"),
    [
        ("2026-11-03T09:00:00+00:00", "", "2026-11-03T09:00:00+00:00", True),
        ("2026-11-03T09:00:00+00:00", "2026-11-03T10:00:00+00:00", "2026-11-03T09:00:01+00:00", False),
        ("", "2026-11-03T09:00:00+00:00", "2026-11-03T09:00:00+00:00", True),
        ("", "2026-11-03T09:00:00+00:00", "2026-11-03T08:59:55+00:00", True),
        ("", "2026-11-03T09:00:00+00:00", "2026-11-03T08:59:54+00:00", False),
        ("", "2026-11-03T09:00:00+00:00", "2026-11-03T11:00:00+02:00", True),
        ("", "2026-11-03T09:00:00.5+00:00", "2026-11-03T09:00:01+00:00", False),
        ("", "2026-11-03T09:00:00+00:00", "2026-11-03T09:00:02+00:00", False),
        ("", "2026-11-03T09:00:00+00:00", "", False),
        ("", "", "2026-11-03T09:00:00+00:00", False),
        ("", "2026-11-03T09:00:00", "2026-11-03T09:00:00+00:00", False),
        ("", "9999-12-31T23:59:59+00:00", "2026-11-03T09:00:00+00:00", False),
        ("", "yesterday", "2026-11-03T09:00:00+00:00", False),
        ("t", "", "t", True),
        ("", "", "", False),
    ],
)
def test_which_times_count_as_unchanged(updated_at: str, written_at: str, listed: str, holds: bool) -> None:
    """Meta's `updated_at`, or, while that is not known, one just before the answer to our own last write."""
    entry = LockEntry(id="1", name="n", updated_at=updated_at, written_at=written_at)
    assert entry.holds(listed) == holds


def test_many_writers_are_on_the_disk_when_they_return(lock_file: Path) -> None:
    """Also when another thread was just writing: an upload that is begun must not be lost by a kill."""
    lock = Lock(lock_file, account_id="7")
    missing: list[str] = []

    def note(key: str) -> None:
        lock.put({key: ENTRY})
        if key not in json.loads(lock_file.read_text())["flows"]:
            missing.append(key)

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(note, [f"f{number}" for number in range(80)]))
    assert not missing


def test_entries_are_written_although_the_writers_thread_ended_early(
    lock_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread may end before it has run anything: out of memory, or another thread being traced at the same time."""

    def end(frame: FrameType, event: str, argument: object) -> None:
        raise MemoryError

    monkeypatch.setattr(threading, "excepthook", lambda arguments: None)
    writer, traced = LockWriter(Lock(lock_file, account_id="7")), threading.gettrace()
    threading.settrace(end)
    try:
        writer.write_later("booking", ENTRY)
    finally:
        threading.settrace(traced)
    writer.close()
    assert Lock(lock_file, account_id="7").get("booking", "1") == ENTRY


def test_entries_are_written_although_no_thread_can_be_started(lock_file: Path) -> None:
    """As in a container that limits the number of processes: the stack of a new thread does not fit into memory."""
    writer, before = LockWriter(Lock(lock_file, account_id="7")), threading.stack_size(2**40)
    try:
        writer.write_later("booking", ENTRY)
    finally:
        threading.stack_size(before)
    writer.close()
    assert Lock(lock_file, account_id="7").get("booking", "1") == ENTRY


def test_a_run_without_changes_does_not_write_the_file(lock_file: Path) -> None:
    """So a checkout stays clean."""
    lock = Lock(lock_file, account_id="7")
    lock.put({"booking": ENTRY})
    lock_file.unlink()
    lock.put({"booking": ENTRY})
    assert not lock_file.exists()


def test_two_processes_keep_each_others_entries(lock_file: Path) -> None:
    """Each writes the whole file, with the entries that it finds there."""
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
    "empty": lambda text: "",
    "truncated": lambda text: text[: len(text) // 2],
    "null": lambda text: "null",
    "not an object": lambda text: "[1, 2]",
    "nested": lambda text: "[" * 100_000,
    "binary": lambda text: "\x00\x00",
    "merge conflict": lambda text: f"<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n",
    "flows are a list": lambda text: json.dumps({**json.loads(text), "flows": [1]}),
    "no version": lambda text: json.dumps({**json.loads(text), "version": None}),
    "the account is a number": lambda text: json.dumps({**json.loads(text), "account_id": 7}),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_an_error_that_says_what_to_do(lock_file: Path, name: str) -> None:
    """It does not count as empty, and stays as it is."""
    Lock(lock_file, account_id="7").put({"booking": ENTRY})
    damaged = DAMAGES[name](lock_file.read_text())
    lock_file.write_text(damaged)
    with pytest.raises(ConfigurationError, match=r"flows\.lock\.json is damaged: restore it.* or delete it"):
        Lock(lock_file, account_id="7")
    assert lock_file.read_text() == damaged


def test_a_file_of_a_later_version_is_an_error_that_says_what_to_do(lock_file: Path) -> None:
    """It does not count as empty, and stays as it is."""
    later = json.dumps({"version": 2, "account_id": "7", "environment": "", "entries": []})
    lock_file.write_text(later)
    with pytest.raises(ConfigurationError, match=r"of version 2.* reads version 1: upgrade whatsapp-flows-sdk"):
        Lock(lock_file, account_id="7")
    assert lock_file.read_text() == later


def test_a_file_that_is_damaged_during_a_run_is_not_overwritten(lock_file: Path) -> None:
    """`put` raises, and `problem` says why; with the file restored, the next `put` writes all changes."""
    lock = Lock(lock_file, account_id="7")
    lock.put({"booking": ENTRY})
    before = lock_file.read_text()
    lock_file.write_text("damaged by another process")
    with pytest.raises(ConfigurationError, match="is damaged"):
        lock.put({"survey": ENTRY})
    assert (lock_file.read_text(), "is damaged" in lock.problem) == ("damaged by another process", True)
    lock_file.write_text(before)
    lock.put({"order": ENTRY})
    assert (sorted(json.loads(lock_file.read_text())["flows"]), lock.problem) == (["booking", "order", "survey"], "")


STALE: dict[str, Callable[[str], str]] = {
    "another account": lambda text: json.dumps({**json.loads(text), "account_id": "666"}),
    "entries are texts": lambda text: json.dumps({**json.loads(text), "flows": {"booking": "x"}}),
    "an id is a number": flow_of(lambda entry: entry.update(id=7)),
    "an entry is short": flow_of(lambda entry: entry.pop("digest")),
    "another id": flow_of(lambda entry: entry.update(id="21000000000000999")),
    "another digest": flow_of(lambda entry: entry.update(digest="0" * 64)),
    "another time": flow_of(lambda entry: entry.update(updated_at="2001-01-01T00:00:00+00:00")),
    "not processed": flow_of(lambda entry: entry.update(processed="perhaps")),
}


@pytest.mark.parametrize("name", STALE)
def test_a_stale_file_costs_calls_and_causes_no_write(
    meta: Emulator, client: FlowsClient, lock_file: Path, name: str
) -> None:
    """Whatever its entries say, the next run finds the flows as desired, and sends only GET requests."""
    flows = [desired("booking", publish=True), desired("survey")]
    synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id))
    lock_file.write_text(STALE[name](lock_file.read_text()))
    meta.clear_requests()
    results = synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id), prune=True)
    assert all(result.ok for result in results)
    assert {request.method for request in meta.requests} == {"GET"}
    as_wanted(meta, flows)
    meta.clear_requests()
    synced(client, *flows, lock=Lock(lock_file, account_id=meta.waba_id))
    assert calls(meta) == ["list_flows"]


def test_a_stale_file_hides_no_change(meta: Emulator, client: FlowsClient, lock_file: Path) -> None:
    """A flow that was edited in the Builder has another time, so it is read, and changed back."""
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
    """It is logged, and the flow is deployed."""
    folder = tmp_path / "gone" / "flows.lock.json"
    (result,) = synced(client, desired(publish=True), lock=Lock(folder, account_id=meta.waba_id))
    assert (result.ok, result.status) == (True, "PUBLISHED")
    assert "cannot be written" in caplog.text


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
ENTRIES = st.dictionaries(
    st.sampled_from([*LockEntry.__slots__, "later"]), ANY | st.sampled_from(["1", "Booking", "2026-11-03"]), max_size=9
)


@settings(max_examples=some(150), suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(st.sampled_from(["booking", "booking@1", "x"]), ENTRIES | ANY, max_size=3),
    st.sampled_from([("version", 1), ("account_id", "8"), ("environment", "staging")]),
    ANY,
)
def test_any_content_of_the_file_is_read_and_written(
    tmp_path_factory: pytest.TempPathFactory, flows: dict[str, Any], change: tuple[str, Any], extra: Any
) -> None:
    """No entry is invented, what was put is found again, and another account's file is unchanged."""
    path = tmp_path_factory.mktemp("lock") / "flows.lock.json"
    document = {
        "version": 1,
        "account_id": "7",
        "environment": "",
        "flows": flows,
        "extra": extra,
        change[0]: change[1],
    }
    path.write_text(json.dumps(document))
    before = path.read_bytes()
    lock = Lock(path, account_id="7")
    found = lock.entry("booking")
    assert found is None or isinstance(flows.get("booking"), dict)
    lock.put({"survey": ENTRY})
    assert Lock(path, account_id="7").get("survey", "1") == ENTRY
    if change != ("version", 1):
        assert path.read_bytes() == before
