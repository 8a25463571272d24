"""`sync_flows`: deploys rows and writes the results, without an open transaction, one process for each row."""

from __future__ import annotations

import json
import sqlite3
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from tests.contrib.django.support import flow, rows, sent, stored
from tests.support import valid_flow
from whatsapp_flows import ConfigurationError, FlowsClient, Request, Response, Timeout
from whatsapp_flows.contrib.django._memory import RowMemory
from whatsapp_flows.contrib.django.models import SyncStatus, WhatsAppFlow
from whatsapp_flows.contrib.django.services import sync_flows
from whatsapp_flows.emulator import Emulator


def test_a_flow_is_created_and_its_row_says_so(meta: Emulator, client: FlowsClient) -> None:
    """The id, the state and the time are stored; the name at Meta is the friendly one."""
    flow(friendly_name="Booking at Meta", categories=["SURVEY"])
    before = timezone.now()
    (result,) = sync_flows(rows(), client=client)
    row = stored()
    assert (result.ok, result.action, result.sync_status) == (True, "create", "draft")
    assert (row.sync_status, row.sync_error, row.syncing_since) == ("draft", "", None)
    assert row.last_synced_at is not None
    assert row.last_synced_at >= before
    (there,) = meta.flows()
    assert (there.id, there.name, there.status, there.categories) == (
        row.flow_id,
        "Booking at Meta",
        "DRAFT",
        ("SURVEY",),
    )


def test_publish_publishes(meta: Emulator, client: FlowsClient) -> None:
    """A second sync, with or without `publish`, does not change a published flow."""
    flow()
    assert sync_flows(rows(), publish=True, client=client)[0].sync_status == "published"
    (result,) = sync_flows(rows(), client=client)
    assert (result.ok, result.action, stored().sync_status) == (True, "unchanged", "published")
    assert meta.flows()[0].status == "PUBLISHED"


def test_an_unchanged_sync_is_one_call(meta: Emulator, client: FlowsClient) -> None:
    """The rows store what the command line stores in the lock file."""
    flow()
    flow("survey")
    sync_flows(rows(), publish=True, client=client)
    meta.clear_requests()
    sync_flows(rows(), publish=True, client=client)
    assert len(meta.requests) == 1


def test_a_changed_flow_is_published_again(meta: Emulator, client: FlowsClient) -> None:
    """One upload and one publish."""
    flow()
    sync_flows(rows(), publish=True, client=client)
    rows().update(flow_json=valid_flow("SECOND"))
    meta.clear_requests()
    (result,) = sync_flows(rows(), publish=True, client=client)
    assert (result.action, sent(meta)) == ("republish", ["assets", "publish"])


def test_a_live_flow_is_not_made_a_draft(meta: Emulator, client: FlowsClient) -> None:
    """Without publish a change of a published flow is an error of its row, and nothing is sent."""
    flow()
    sync_flows(rows(), publish=True, client=client)
    rows().update(flow_json=valid_flow("SECOND"))
    meta.clear_requests()
    (result,) = sync_flows(rows(), client=client)
    assert not result.ok
    assert sent(meta) == []
    assert stored().sync_status == "error"
    assert "sync it with publish" in stored().sync_error
    assert meta.flows()[0].status == "PUBLISHED"


def test_the_upload_is_sent_again_as_in_the_origin(meta: Emulator, client: FlowsClient) -> None:
    """139001/4016012 twice; the third attempt succeeds."""
    flow()
    sync_flows(rows(), client=client)
    rows().update(flow_json=valid_flow("SECOND"))
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    (result,) = sync_flows(rows(), publish=True, client=client)
    assert (result.ok, result.attempts, stored().sync_status) == (True, 3, "published")


def test_a_failure_has_code_subcode_and_advice(meta: Emulator, client: FlowsClient) -> None:
    """The row has code, subcode and advice, and no token; the time of the last success is kept."""
    flow()
    sync_flows(rows(), client=client)
    synced = stored().last_synced_at
    rows().update(flow_json=valid_flow("SECOND"))
    meta.fail("update_flow_json", code=139001, subcode=4016012)
    (result,) = sync_flows(rows(), client=client)
    row = stored()
    assert result.error is not None
    assert (result.ok, row.sync_status, row.last_synced_at) == (False, "error", synced)
    for word in ("code 139001", "subcode 4016012", "Send exactly the same"):
        assert word in row.sync_error
    assert "EAAG" not in row.sync_error


def test_one_failure_stops_no_other_flow(meta: Emulator, client: FlowsClient) -> None:
    """An invalid Flow JSON is not sent, nor a value that is not an object."""
    flow("good")
    WhatsAppFlow.objects.create(name="invalid", flow_json={"version": "7.3", "screens": []})
    WhatsAppFlow.objects.create(name="nothing", flow_json=["no", "flow"])
    results = {result.name: result for result in sync_flows(rows(), client=client)}
    assert {name: result.ok for name, result in results.items()} == {"good": True, "invalid": False, "nothing": False}
    assert [row.sync_status for row in rows()] == ["draft", "error", "error"]
    assert "(MIN_ITEMS_REQUIRED)" in stored("invalid").sync_error
    assert "object" in stored("nothing").sync_error
    assert [there.name for there in meta.flows()] == ["good"]


def test_a_listing_that_fails_fails_every_row(meta: Emulator, client: FlowsClient) -> None:
    """It does not count as an empty listing."""
    flow()
    flow("survey")
    meta.fail("list_flows", code=190)
    assert [result.action for result in sync_flows(rows(), client=client)] == ["failed", "failed"]
    assert [(row.sync_status, "code 190" in row.sync_error) for row in rows()] == [("error", True)] * 2
    assert sent(meta) == []


def test_a_flow_is_found_by_its_name(meta: Emulator, client: FlowsClient) -> None:
    """A stored id that is unknown, or of another flow, is ignored."""
    there = meta.add_flow("booking", flow_json=json.dumps(valid_flow("FIRST")).encode())
    other = meta.add_flow("other", flow_json=json.dumps(valid_flow("FIRST")).encode())
    flow(flow_id=other.id)
    (result,) = sync_flows(rows(), client=client)
    assert (result.ok, result.action, stored().flow_id) == (True, "adopt", there.id)
    assert len(meta.flows()) == 2


@pytest.mark.parametrize(
    ("status", "words"),
    [("THROTTLED", "THROTTLED at Meta"), ("BLOCKED", "BLOCKED"), ("DEPRECATED", "another friendly")],
)
def test_a_flow_that_cannot_be_used_is_an_error(status: str, words: str, meta: Emulator, client: FlowsClient) -> None:
    """Also when there is nothing to change."""
    there = meta.add_flow("booking", flow_json=json.dumps(valid_flow("FIRST")).encode(), status="PUBLISHED")
    meta.set_status(there.id, status)
    flow()
    (result,) = sync_flows(rows(), client=client)
    assert not result.ok
    assert words in stored().sync_error
    rows().update(flow_json=valid_flow("SECOND"))
    assert not sync_flows(rows(), publish=True, client=client)[0].ok
    assert sent(meta) == []


def test_a_dry_run_changes_nothing(meta: Emulator, client: FlowsClient) -> None:
    """Neither at Meta nor in a row; it reports what would be done, and what is blocked."""
    flow()
    flow("survey")
    sync_flows(rows().filter(name="survey"), publish=True, client=client)
    rows().filter(name="survey").update(flow_json=valid_flow("SECOND"))
    WhatsAppFlow.objects.create(name="nothing", flow_json=[])
    before = list(rows().values())
    meta.clear_requests()
    results = {result.name: result for result in sync_flows(rows(), dry_run=True, client=client)}
    assert {name: result.action for name, result in results.items()} == {
        "booking": "create", "survey": "blocked", "nothing": "failed",
    }  # fmt: skip
    assert [results[name].ok for name in ("booking", "survey", "nothing")] == [True, False, False]
    assert sent(meta) == []
    assert list(rows().values()) == before
    meta.fail("list_flows", code=190)
    assert not sync_flows(rows(), dry_run=True, client=client)[0].ok


def test_many_changes_at_once_need_force(meta: Emulator, client: FlowsClient) -> None:
    """As in the engine: more than ten flows, and most of the existing ones."""
    for number in range(12):
        flow(f"flow_{number:02}")
    sync_flows(rows(), client=client)
    rows().update(flow_json=valid_flow("SECOND"))
    assert not any(result.ok for result in sync_flows(rows(), dry_run=True, client=client))
    assert {result.action for result in sync_flows(rows(), client=client)} == {"failed"}
    assert "set force" in stored("flow_00").sync_error
    assert all(result.ok for result in sync_flows(rows(), force=True, client=client))


class Watching:
    """A transport that inspects the database during each request."""

    def __init__(self, client: FlowsClient) -> None:
        self.inner = client._transport
        self.seen: list[str] = []
        connection.ensure_connection()
        self.handle = connection.connection

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        self.look()
        return self.inner.send(request, timeout=timeout)

    def look(self, seconds: float = 0.0) -> None:
        """Another connection can write, so no transaction is open; nor does Django report one."""
        with sqlite3.connect(connection.settings_dict["NAME"], timeout=2, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            (status,) = other.execute("SELECT sync_status FROM whatsapp_flows_whatsappflow").fetchone()
            other.execute("ROLLBACK")
        other.close()
        self.seen.append(status)
        assert not self.handle.in_transaction

    def close(self) -> None: ...


def test_no_transaction_is_open_while_anything_is_sent_or_waited_for(meta: Emulator, client: FlowsClient) -> None:
    """The database reports none, at each request and wait; the row is marked meanwhile."""
    flow()
    watching = Watching(client)
    meta.fail("create_flow", code=1, times=1)
    meta.fail("list_flows", code=2, times=1)
    (result,) = sync_flows(rows(), publish=True, client=client.with_options(transport=watching, sleep=watching.look))
    assert result.ok
    assert len(watching.seen) > len(meta.requests) >= 4
    assert set(watching.seen[:-1]) == {"syncing"}  # the last call only fills the memory; the outcome is known by then


def test_a_transaction_of_the_callers_is_refused(meta: Emulator, client: FlowsClient) -> None:
    """Nothing is sent, and no row is marked; after the commit it is accepted. A dry run is always accepted."""
    flow()
    with pytest.raises(ConfigurationError, match="on_commit"), transaction.atomic():
        sync_flows(rows(), client=client)
    assert (meta.requests, stored().sync_status) == ((), "draft")
    with transaction.atomic():
        assert sync_flows(rows(), dry_run=True, client=client)[0].ok
        done: list[Any] = []
        transaction.on_commit(lambda: done.extend(sync_flows(rows(), client=client)))
    assert done[0].ok


def test_autocommit_switched_off_is_a_transaction_too(client: FlowsClient) -> None:
    """Django opens one with the first statement, so other processes would not see the lease."""
    flow()
    chosen = list(rows())
    connection.set_autocommit(False)
    try:
        with pytest.raises(ConfigurationError, match="inside a database transaction"):
            sync_flows(chosen, client=client)
    finally:
        connection.rollback()
        connection.set_autocommit(True)


def mark(age: timedelta) -> None:
    rows().update(sync_status=SyncStatus.SYNCING, syncing_since=timezone.now() - age)


def test_a_row_that_another_process_syncs_is_skipped(meta: Emulator, client: FlowsClient) -> None:
    """It is reported as a problem, since its result is not known yet; nothing is sent."""
    flow()
    mark(timedelta(minutes=29))
    (result,) = sync_flows(rows(), client=client)
    assert (result.action, result.ok, result.sync_status) == ("skipped", False, "syncing")
    assert "Another process has been syncing it since" in result.problem
    assert meta.requests == ()


@pytest.mark.parametrize(("age", "force"), [(timedelta(minutes=31), False), (timedelta(0), True)])
def test_a_row_left_by_a_killed_process_is_taken(age: timedelta, force: bool, client: FlowsClient) -> None:
    """After the lease, or by force."""
    flow()
    mark(age)
    assert sync_flows(rows(), force=force, client=client)[0].ok
    assert stored().sync_status == "draft"


def test_two_processes_make_one_flow(meta: Emulator, client: FlowsClient) -> None:
    """While the first waits, the second skips; only one create arrives."""
    flow()
    meta.fail("create_flow", code=1, times=1)
    second: list[Any] = []

    def meanwhile(seconds: float) -> None:
        worker = threading.Thread(target=other_process)
        worker.start()
        worker.join()

    def other_process() -> None:
        second.extend(sync_flows(rows(), client=client))
        connection.close()

    (first,) = sync_flows(rows(), client=client.with_options(sleep=meanwhile))
    assert (first.ok, second[0].action) == (True, "skipped")
    assert len(meta.flows()) == 1


def test_the_outcome_of_a_row_that_was_taken_over_is_not_written(meta: Emulator, client: FlowsClient) -> None:
    """The process that holds the row now writes it; both found the same flow."""
    flow()
    meta.fail("create_flow", code=1, times=1)

    def meanwhile(seconds: float) -> None:
        worker = threading.Thread(target=taken)
        worker.start()
        worker.join()

    def taken() -> None:
        rows().update(syncing_since=timezone.now())
        connection.close()

    (result,) = sync_flows(rows(), client=client.with_options(sleep=meanwhile))
    assert "taken the row over" in result.problem
    assert stored().sync_status == "syncing"


def test_an_interrupt_leaves_no_row_marked(meta: Emulator, client: FlowsClient) -> None:
    """An interrupt before the plan, and one during a wait, mark the rows as interrupted."""
    flow()
    flow("survey")

    def struck(seconds: float) -> None:
        raise KeyboardInterrupt

    meta.fail("list_flows", code=2, times=1)
    with pytest.raises(KeyboardInterrupt):
        sync_flows(rows(), client=client.with_options(sleep=struck))
    assert {row.sync_error for row in rows()} == {"Interrupted: sync it again."}
    meta.fail("create_flow", code=1)
    with pytest.raises(KeyboardInterrupt):
        sync_flows(rows(), client=client.with_options(sleep=struck))
    assert [row.sync_status for row in rows()] == ["error", "error"]
    meta.clear_faults()
    assert all(result.ok for result in sync_flows(rows(), client=client))


def test_entries_of_another_account_are_ignored(meta: Emulator, client: FlowsClient) -> None:
    """An invalid value is ignored as well."""
    flow()
    sync_flows(rows(), client=client)
    memory = stored().sync_memory
    assert memory["account_id"] == meta.waba_id
    changed: Any
    for changed in ({**memory, "account_id": "1"}, {**memory, "entry": {"id": 1}}, [], "x"):
        rows().update(sync_memory=changed)
        meta.clear_requests()
        assert sync_flows(rows(), client=client)[0].ok
        assert len(meta.requests) > 1


def test_another_account_than_that_of_the_rows_needs_permission(meta: Emulator, client: FlowsClient) -> None:
    """It needs `new_account`, and `force` is not enough; a dry run reports it."""
    flow()
    sync_flows(rows(), publish=True, client=client)
    second = "20100000000000002"
    meta.add_account(second)
    meta.add_phone_number("20200000000000002", waba_id=second)
    there = client.with_options(waba_id=second)
    meta.clear_requests()
    for dry_run, force in ((True, False), (True, True), (False, False), (False, True)):
        (result,) = sync_flows(rows(), publish=True, client=there, dry_run=dry_run, force=force)
        assert not result.ok
        assert (
            f"this is account {second}, and so far the flows were deployed to account {meta.waba_id}" in result.problem
        )
    assert {request.method for request in meta.requests} == {"GET"}
    assert sync_flows(rows(), publish=True, client=there, new_account=True)[0].ok
    assert sync_flows(rows(), publish=True, client=there)[0].ok


def test_the_settings_make_the_client(meta: Emulator, configured: dict[str, Any]) -> None:
    """Without a client of the caller's; its retries follow the settings."""
    flow()
    meta.fail("create_flow", code=1, times=2)
    assert sync_flows(rows())[0].ok
    configured["MAX_ATTEMPTS"] = 1
    rows().update(flow_json=valid_flow("SECOND"))
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=1)
    assert not sync_flows(rows())[0].ok
    assert sync_flows(rows().none()) == ()


def test_a_client_without_an_account_is_refused(client: FlowsClient) -> None:
    """Before any row is marked."""
    flow()
    with pytest.raises(ConfigurationError, match="WABA_ID"):
        sync_flows(rows(), client=client.with_options(waba_id=None))
    assert stored().sync_status == "draft"


def test_a_deleted_row_is_reported(client: FlowsClient) -> None:
    """It was deleted after it was selected."""
    chosen = [flow()]
    rows().delete()
    chosen[0].pk = 1
    (result,) = sync_flows(chosen, client=client)
    assert (result.action, result.problem) == ("skipped", "The row is gone.")


class Held:
    """A transport whose first request waits for the test."""

    def __init__(self, client: FlowsClient) -> None:
        self.inner = client._transport
        self.arrived, self.released = threading.Event(), threading.Event()

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        self.arrived.set()
        assert self.released.wait(30)
        return self.inner.send(request, timeout=timeout)

    def close(self) -> None: ...


def test_a_run_that_lives_keeps_its_rows_beyond_the_lease(meta: Emulator, client: FlowsClient) -> None:
    """During a request longer than SYNC_LEASE, a second run finds the rows leased."""
    flow()
    flow("survey")
    held = Held(client)
    done: list[Any] = []

    def living() -> None:
        done.extend(sync_flows(rows(), client=client.with_options(transport=held)))
        connection.close()

    with override_settings(WHATSAPP_FLOWS={"SYNC_LEASE": 1}):
        first = threading.Thread(target=living)
        first.start()
        assert held.arrived.wait(30)
        claimed_at = stored().syncing_since
        assert claimed_at is not None
        lapsed = claimed_at + timedelta(seconds=1)
        while timezone.now() <= lapsed:
            threading.Event().wait(0.05)
        second = sync_flows(rows(), client=client)
        held.released.set()
        first.join()
    assert [result.action for result in second] == ["skipped", "skipped"]
    assert [result.ok for result in done] == [True, True]
    assert [(row.sync_status, row.syncing_since) for row in rows()] == [("draft", None)] * 2


def test_any_message_of_metas_can_be_stored(meta: Emulator, client: FlowsClient) -> None:
    """NUL, lone surrogates and control characters of its message are escaped in the row."""
    flow()
    meta.fail("create_flow", code=100, message="a\0b\ud800c\x1b[2J")
    (result,) = sync_flows(rows(), client=client)
    assert not result.ok
    assert r"a\x00b\ud800c\x1b[2J" in stored().sync_error


@pytest.mark.parametrize(("setting", "given", "creates"), [("error", None, 0), ("off", None, 1), ("error", "warn", 1)])
def test_what_the_validator_finds_can_be_overridden(
    setting: str, given: Any, creates: int, meta: Emulator, client: FlowsClient
) -> None:
    """By the settings, or for one call: then the flow is sent."""
    WhatsAppFlow.objects.create(name="invalid", flow_json={"version": "7.3", "screens": []})
    with override_settings(WHATSAPP_FLOWS={"VALIDATE": setting}):
        sync_flows(rows(), validate=given, client=client)
    assert len(meta.flows()) == creates


def test_a_mode_that_is_none_is_refused(client: FlowsClient) -> None:
    """Before any row is marked."""
    flow()
    with override_settings(WHATSAPP_FLOWS={"VALIDATE": "maybe"}), pytest.raises(ConfigurationError, match="VALIDATE"):
        sync_flows(rows(), client=client)
    with pytest.raises(ConfigurationError, match="validate"):
        sync_flows(rows(), validate="maybe", client=client)  # type: ignore[arg-type]
    assert stored().sync_status == "draft"


def live_and_changed(meta: Emulator, client: FlowsClient) -> None:
    """A flow that is published, and whose row has a new version that Meta will not publish."""
    flow()
    assert sync_flows(rows(), publish=True, client=client)[0].ok
    rows().update(flow_json=valid_flow("SECOND"))
    meta.fail("publish_flow", code=139002, times=1)


def there(meta: Emulator) -> tuple[str, bool]:
    """The state of the flow at Meta, and whether it has its first version."""
    (found,) = meta.flows()
    assert found.document is not None
    return found.status, b"FIRST" in found.document.content


def test_a_live_flow_is_restored_after_a_failed_change(meta: Emulator, client: FlowsClient) -> None:
    """The row has Meta's error, and that the old version is live; the stored version is removed."""
    live_and_changed(meta, client)
    (result,) = sync_flows(rows(), publish=True, client=client)
    assert not result.ok
    assert there(meta) == ("PUBLISHED", True)
    assert "139002" in stored().sync_error
    assert "live again" in stored().sync_error
    assert "old" not in stored().sync_memory


def test_the_next_run_restores_what_a_killed_one_left(meta: Emulator, client: FlowsClient) -> None:
    """The live version is stored in the row before the first write, and restored by the next run."""
    live_and_changed(meta, client)
    meta.fail("update_flow_json", code=1, every=2)  # the second, which would put the old version back
    once = client.with_options(max_attempts=1)
    assert not sync_flows(rows(), publish=True, client=once)[0].ok
    assert there(meta) == ("DRAFT", False)
    assert "old" in stored().sync_memory
    meta.clear_faults()
    meta.fail("publish_flow", code=139002, times=1)
    assert not sync_flows(rows(), publish=True, client=client)[0].ok
    assert there(meta) == ("PUBLISHED", True)
    assert "old" not in stored().sync_memory


def test_a_database_that_fails_leaves_a_live_flow_alone(meta: Emulator, client: FlowsClient) -> None:
    """A live flow is not changed unless its version was stored."""
    live_and_changed(meta, client)
    meta.clear_requests()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE OF sync_memory ON whatsapp_flows_whatsappflow "
            "WHEN NEW.sync_memory LIKE '%old%' BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    try:
        (result,) = sync_flows(rows(), publish=True, client=client)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse")
    assert not result.ok
    assert sent(meta) == []
    assert there(meta) == ("PUBLISHED", True)


@pytest.mark.parametrize("damaged", ["%%%", "", "bm8gSlNPTg==", 7])
def test_a_kept_version_that_cannot_be_read_is_none(damaged: Any) -> None:
    """It is never sent to Meta."""
    row = flow(sync_memory={"account_id": "1", "entry": {"id": "2", "name": "booking"}, "old": damaged})
    memory = RowMemory("1")
    memory.load(row)
    assert memory.old("booking", "2") is None
