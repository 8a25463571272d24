"""A live flow whose change fails or is stopped is published again, or the result says which state it is in."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.sync.support import (
    FLOW_JSON,
    OTHER_FLOW_JSON,
    as_wanted,
    calls,
    client_of,
    desired,
    planned,
    synced,
)
from whatsapp_flows import (
    ExponentialBackoff,
    FixedDelays,
    FlowsClient,
    PermissionDeniedError,
    PublishBlockedError,
    ServiceUnavailableError,
)
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.events import AttemptFailed
from whatsapp_flows.sync import FlowEvent, FlowResult, Lock, Plan, apply
from whatsapp_flows.sync.applying._live import SUFFIX, LiveVersion, OldDocumentFiles
from whatsapp_flows.sync.applying._lock_writer import LockWriter
from whatsapp_flows.sync.applying._safeguard import Safeguard
from whatsapp_flows.sync.calls._stops import AbandonStop, either_stop

FAULTY = {"success": True, "validation_errors": [{"error": "NEW", "message": "what only Meta finds"}]}
WANTED = desired(publish=True, categories=("SURVEY",))


def live(meta: Emulator, name: str = "Booking") -> str:
    """A flow that is live, with another Flow JSON than is wanted; its id."""
    return meta.add_flow(name, flow_json=OTHER_FLOW_JSON, status="PUBLISHED", categories=("OTHER",)).id


def as_before(meta: Emulator, flow_id: str) -> None:
    """Asserts that the flow is live as it was."""
    flow = meta.flow(flow_id)
    assert (flow.status, flow.flow_json, flow.categories) == ("PUBLISHED", OTHER_FLOW_JSON, ("OTHER",))


def old_files(folder: Path) -> list[Path]:
    """The Flow JSONs that are kept beside the lock file."""
    return [path for path in folder.iterdir() if path.name.endswith(".old")]


FAILURES: list[tuple[str, str, dict[str, Any]]] = [
    ("errors in an upload, with a 200", "update_flow_json", {"status": 200, "body": FAULTY, "times": 1}),
    ("an upload that is refused", "update_flow_json", {"code": 100, "times": 1}),
    ("an upload that is not processed", "update_flow_json", {"code": 139001, "subcode": 4016012, "times": 3}),
    ("an upload without an answer", "update_flow_json", {"reset": "after", "times": 3}),
    ("an outage", "update_flow_json", {"code": 131000, "times": 3}),
    ("an endpoint that is down", "publish_flow", {"code": 139002, "subcode": 4233014, "times": 1}),
    ("a permission that is missing", "publish_flow", {"code": 10, "times": 1}),
    ("an integrity block", "publish_flow", {"code": 139000, "times": 1}),
    ("an outage at the publishing", "publish_flow", {"status": 500, "times": 3}),
    ("a rate limit", "publish_flow", {"code": 80008, "times": 1}),
    ("an answer that is none", "publish_flow", {"status": 200, "body": "<html>", "times": 1}),
    ("metadata that are refused at the publishing", "update_flow", {"code": 131000, "times": 3}),
]


@pytest.mark.parametrize(("operation", "fault"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_after_a_failed_change_the_flow_is_live(
    meta: Emulator, client: FlowsClient, lock_file: Path, operation: str, fault: dict[str, Any]
) -> None:
    """With its old Flow JSON and categories; the result has the failure, and the next run tries again."""
    flow_id = live(meta)
    plan = planned(client, [WANTED], lock := Lock(lock_file, account_id=meta.waba_id))
    meta.fail(operation, **fault)
    (result,) = apply(client, plan, lock=lock)
    as_before(meta, flow_id)
    assert (result.ok, result.status, result.status_before) == (False, "PUBLISHED", "PUBLISHED")
    assert result.note
    assert old_files(lock_file.parent) == []
    (again,) = synced(client, WANTED, lock=Lock(lock_file, account_id=meta.waba_id))
    assert (again.ok, again.note) == (True, "")
    as_wanted(meta, [WANTED])
    assert old_files(lock_file.parent) == []


def test_the_result_of_a_restored_flow(meta: Emulator, client: FlowsClient) -> None:
    """It has the failure, and says that the old version is live."""
    live(meta)
    meta.fail("publish_flow", code=139002, subcode=4233014, times=1)
    events: list[FlowEvent] = []
    (result,) = apply(client, planned(client, [WANTED]), on_event=events.append)
    assert isinstance(result.error, PublishBlockedError)
    assert (result.restored, result.note) == (True, "Its old version is live again.")
    assert result.done == ("update", "upload")
    document = json.loads(json.dumps(result.to_json()))
    assert (document["restored"], document["note"], document["old_document"]) == (True, result.note, None)
    assert [event.state for event in events][-3:] == ["publishing", "restoring", "failed"]


def test_an_upload_that_did_not_unpublish_the_flow_is_not_undone(meta: Emulator, client: FlowsClient) -> None:
    """Meta refused it, and the flow is live as before: one read, and no write."""
    live(meta)
    plan = planned(client, [desired(publish=True)])
    meta.fail("update_flow_json", code=100, times=1)
    meta.clear_requests()
    (result,) = apply(client, plan)
    assert (result.status, result.restored, result.note) == ("PUBLISHED", False, "It is live, as it was before.")
    assert calls(meta) == ["get_flow", "update_flow_json", "get_flow"]


def test_a_publish_whose_answers_were_lost_succeeds(meta: Emulator, client: FlowsClient) -> None:
    """The read before the restoration finds the new version live."""
    live(meta)
    plan = planned(client, [desired(publish=True)])
    meta.fail("publish_flow", reset="after", times=3)
    meta.fail("get_flow", reset="before", flow_id=plan.changes[0].flow_id, times=1)
    first = meta.fail("get_flow", code=131000, every=2, times=1)  # the look after the first lost answer
    (result,) = apply(client, plan)
    assert first.seen
    assert (result.ok, result.status, result.restored) == (True, "PUBLISHED", False)
    as_wanted(meta, [desired(publish=True)])


@pytest.mark.parametrize("kept", [True, False])
def test_the_old_version_of_a_flow_that_cannot_be_restored_is_saved(
    meta: Emulator, client: FlowsClient, lock_file: Path, kept: bool
) -> None:
    """In a file that only this user can read; the note has the commands to continue with."""
    flow_id = live(meta)
    lock = Lock(lock_file if kept else None, account_id=meta.waba_id)
    meta.fail("publish_flow", code=139002, subcode=4233014)
    (result,) = synced(client, WANTED, lock=lock)
    left = result.old_document
    assert left is not None
    try:
        assert (left.read_bytes(), left.stat().st_mode & 0o777) == (OTHER_FLOW_JSON, 0o600)
        assert (left.parent == lock_file.parent) is kept
        assert (result.restored, result.status) == (False, "DRAFT")
        assert (
            f"whatsapp-flows flows upload {flow_id} {left}`, then `whatsapp-flows flows publish {flow_id}`"
            in result.note
        )
        assert result.note.startswith("It is DRAFT and holds its old Flow JSON; its old version could not be published")
        assert result.to_json()["old_document"] == str(left)
    finally:
        left.unlink()


def test_the_next_run_restores_what_the_last_one_could_not(
    meta: Emulator, client: FlowsClient, lock_file: Path
) -> None:
    """The saved file says that the flow was live, and with what; a change that fails again ends with that."""
    flow_id = live(meta)
    fault = meta.fail("publish_flow", code=131000)
    (result,) = synced(client, desired(publish=True), lock=Lock(lock_file, account_id=meta.waba_id))
    assert (result.status, len(old_files(lock_file.parent))) == ("DRAFT", 1)
    fault.cancel()
    meta.fail("update_flow_json", status=200, body=FAULTY, times=1)
    (result,) = synced(client, desired(publish=True), lock=Lock(lock_file, account_id=meta.waba_id))
    assert (result.ok, result.restored, meta.flow(flow_id).flow_json) == (False, True, OTHER_FLOW_JSON)
    assert old_files(lock_file.parent) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_only_a_regular_file_counts_as_an_old_version(lock_file: Path) -> None:
    """A FIFO of that name is not waited for, and a file of a terabyte not read."""
    Lock(lock_file, account_id="7").put({})
    os.mkfifo(lock_file.with_name(f"{lock_file.stem}.pipe-1{SUFFIX}"))
    with lock_file.with_name(f"{lock_file.stem}.large-1{SUFFIX}").open("wb") as file:
        file.truncate(2**40)
    documents = OldDocumentFiles(Lock(lock_file, account_id="7"))
    assert [documents.find(key, "1") for key in ("pipe", "large")] == [None, None]


def test_a_plan_from_a_file_downloads_what_is_live_first(meta: Emulator, client: FlowsClient) -> None:
    """The plan has only digests; a document with another digest was changed by somebody else."""
    flow_id = live(meta)
    plan = Plan.from_json(json.loads(json.dumps(planned(client, [WANTED]).to_json())), [WANTED])
    meta.fail("publish_flow", code=139002, subcode=4233014, times=1)
    (result,) = apply(client, plan)
    assert result.restored
    as_before(meta, flow_id)


def test_the_state_of_a_flow_without_a_document_is_reported(meta: Emulator, client: FlowsClient) -> None:
    """There is no old version to restore."""
    meta.add_flow("Booking", status="PUBLISHED")
    meta.fail("publish_flow", code=139002, subcode=4233014)
    (result,) = synced(client, desired(publish=True))
    assert (result.status, result.restored, result.old_document) == ("DRAFT", False, None)


def test_a_flow_that_was_renamed_is_not_written_to(meta: Emulator, client: FlowsClient) -> None:
    """It was renamed in the Builder between the plan and its application."""
    flow_id = live(meta)
    plan = planned(client, [desired(publish=True)])
    client.update_flow(flow_id, name="Somebody's")
    client.publish_flow(flow_id)
    meta.clear_requests()
    (result,) = apply(client, plan)
    assert result.problem == "Booking has changed since the plan was made: it is called Somebody's now."
    assert calls(meta) == ["get_flow"]


def test_a_change_by_somebody_else_is_not_undone(meta: Emulator, client: FlowsClient) -> None:
    """The flow was renamed while the change failed: the result says where the old version is."""
    flow_id = live(meta)
    meta.fail("publish_flow", code=139002, subcode=4233014, times=1)

    def rename(event: FlowEvent) -> None:
        if event.state == "restoring":
            client.update_flow(flow_id, name="Somebody's")

    (result,) = apply(client, planned(client, [desired(publish=True)]), on_event=rename)
    assert (result.restored, result.status, meta.flow(flow_id).flow_json) == (False, "DRAFT", FLOW_JSON)
    assert "has been changed by somebody else: it is Somebody's, DRAFT" in result.note
    assert result.old_document is not None
    result.old_document.unlink()


def test_with_allow_unpublish_a_failed_change_is_undone_too(meta: Emulator, client: FlowsClient) -> None:
    """It may end as a draft with the new Flow JSON, but not with errors in it."""
    flow_id = live(meta)
    fault = meta.fail("update_flow_json", status=200, body=FAULTY, times=1)
    (result,) = synced(client, desired(), allow_unpublish=True)
    assert (result.ok, result.restored, fault.struck) == (False, True, 1) or meta.flow(flow_id).status == "PUBLISHED"
    (result,) = synced(client, desired(), allow_unpublish=True)
    assert (result.ok, meta.flow(flow_id).status) == (True, "DRAFT")


# -- stop and interrupts


def stopper(stop: Callable[[], None], state: str) -> Callable[[FlowEvent], None]:
    """Stops a run when a flow comes into a state."""
    return lambda event: stop() if event.state == state else None


@pytest.mark.parametrize("whose", ["given", "the client's"])
@pytest.mark.parametrize("state", ["uploading", "publishing"])
def test_a_stop_ends_a_live_flow_only_when_it_is_live_again(meta: Emulator, state: str, whose: str) -> None:
    """Its own steps are finished; other flows are not begun."""
    live(meta, "One")
    two = live(meta, "Two")
    stop = threading.Event()
    client = client_of(meta)
    wanted = [desired("one", publish=True, categories=("SURVEY",)), desired("two", publish=True)]
    plan = planned(client, wanted)
    given, client = (stop, client) if whose == "given" else (None, client.with_options(stop=stop))
    one, second = apply(client, plan, jobs=2, stop=given, on_event=stopper(stop.set, state))
    assert (one.ok, one.status, one.done) == (True, "PUBLISHED", ("update", "upload", "publish"))
    assert (second.problem, second.halted, second.status) == ("not begun", "not begun", "PUBLISHED")
    assert meta.flow(two).flow_json == OTHER_FLOW_JSON


def test_a_stop_before_the_first_write_changes_nothing(meta: Emulator, client: FlowsClient) -> None:
    """The flow was only read."""
    flow_id = live(meta)
    stop = threading.Event()
    plan = planned(client, [desired(publish=True)])
    (result,) = apply(client, plan, stop=stop, on_event=stopper(stop.set, "uploading"))
    assert (result.problem, result.status, result.note) == ("not begun", "PUBLISHED", "")
    as_before(meta, flow_id)


def test_a_stop_shortens_a_long_wait(meta: Emulator) -> None:
    """With a real clock: the live flow is tried once more after half a second instead of an hour."""
    flow_id = live(meta)
    stop = threading.Event()
    client = FlowsClient(
        "token", meta.waba_id, base_url=meta.url, retry_policy=FixedDelays((3600,), max_wait=4000),
        on_event=lambda event: stop.set() if isinstance(event, AttemptFailed) else None,
    )  # fmt: skip
    plan = planned(client, [desired(publish=True)])
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=1)
    (result,) = apply(client, plan, stop=stop)
    assert (result.ok, meta.flow(flow_id).status, meta.flow(flow_id).flow_json) == (True, "PUBLISHED", FLOW_JSON)


def test_the_wait_of_a_live_flow_is_shortened_by_the_first_stop_and_ended_by_the_second() -> None:
    """Without a stop it takes its full time."""
    stop = threading.Event()
    abandon = AbandonStop(stop, grace=0.01)
    assert abandon.wait(0.01) is False
    stop.set()
    assert (abandon.wait(3600), abandon.wait(None), abandon.is_set()) == (False, False, False)
    abandon.set()
    assert (abandon.wait(3600), abandon.is_set()) == (True, True)


@pytest.mark.parametrize("own", [True, False])
def test_either_of_two_stops_ends_a_wait(own: bool) -> None:
    """Setting the combined one does not set the client's own."""
    given, client_own = threading.Event(), threading.Event()
    both = either_stop(given, client_own)
    assert (both.is_set(), both.wait(0.01)) == (False, False)
    (client_own if own else given).set()
    assert (both.is_set(), both.wait(3600), both.wait()) == (True, True, True)
    both.set()
    assert (given.is_set(), client_own.is_set()) == (True, own)
    assert either_stop(given, None) is given
    assert either_stop(given, given) is given


class Interrupts:
    """A sleep that is interrupted so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, seconds: float) -> None:
        if self.left:
            self.left -= 1
            raise KeyboardInterrupt


def interrupted(meta: Emulator, times: int, lock: Lock) -> FlowResult:
    """A change of a live flow whose waits are interrupted; its result."""
    client = FlowsClient("token", meta.waba_id, base_url=meta.url, sleep=Interrupts(times))
    client = client.with_options(retry_policy=ExponentialBackoff(initial=1))
    plan = planned(client, [desired(publish=True)], lock)
    meta.fail("publish_flow", code=131000, times=2)
    events: list[FlowEvent] = []
    with pytest.raises(KeyboardInterrupt):
        apply(client, plan, lock=lock, on_event=events.append)
    (result,) = [event.result for event in events if event.result is not None]
    return result


def test_after_one_interrupt_a_live_flow_is_restored(meta: Emulator, lock_file: Path) -> None:
    """And its result says so."""
    flow_id = live(meta)
    result = interrupted(meta, 1, Lock(lock_file, account_id=meta.waba_id))
    assert (result.problem, result.restored, result.note) == ("interrupted", True, "Its old version is live again.")
    as_before(meta, flow_id)


def test_a_second_interrupt_ends_at_once_and_the_result_has_the_state(meta: Emulator, lock_file: Path) -> None:
    """The old Flow JSON is on the disk, and the next run finishes."""
    flow_id = live(meta)
    lock = Lock(lock_file, account_id=meta.waba_id)
    result = interrupted(meta, 2, lock)
    assert (result.problem, result.halted, result.restored) == ("interrupted", "interrupted", False)
    assert result.note.startswith("It")
    (left,) = old_files(lock_file.parent)
    assert (result.old_document, left.read_bytes()) == (left, OTHER_FLOW_JSON)
    meta.clear_faults()
    (result,) = synced(client_of(meta), desired(publish=True), lock=lock)
    assert (result.ok, meta.flow(flow_id).status, old_files(lock_file.parent)) == (True, "PUBLISHED", [])


@pytest.mark.parametrize(("status", "way"), [("DRAFT", "To go on: `"), ("", "See first whether it is live, `")])
def test_no_note_advises_to_upload_to_a_flow_that_may_be_live(lock_file: Path, status: str, way: str) -> None:
    """If the state is not known, the first command reads it: an upload would un-publish a live flow."""
    lock = Lock(lock_file, account_id="1")
    guard = Safeguard("booking", "7", LockWriter(lock), OldDocumentFiles(lock))
    guard.protect(LiveVersion(flow_id="7", name="Booking", content=OTHER_FLOW_JSON))
    guard.before_write("upload")
    guard.give_up(status, "interrupted")
    assert way in guard.note
    assert ("`whatsapp-flows flows get 7`; if it is not: " in guard.note) is (not status)


# -- one common cause


TEN = [f"f{number}" for number in range(10)]


def ten(meta: Emulator, **changes: Any) -> list[Any]:
    """Ten live flows, all of which are to be changed."""
    for key in TEN:
        live(meta, key.title())
    return [desired(key, publish=True, **changes) for key in TEN]


def statuses(meta: Emulator) -> list[str]:
    """The states of the account's flows."""
    return [str(flow.status) for flow in meta.flows()]


@pytest.mark.parametrize("jobs", [1, 8])
@pytest.mark.parametrize(
    "fault",
    [
        {"code": 10},
        {"code": 190},
        {"code": 139000},
        {"code": 368},
        {"code": 80008},
        {"status": 503, "body": "<html>"},
        {"code": 139002, "subcode": 4233012},
        {"code": 139002, "subcode": 4233014},
        {"reset": "before"},
    ],
    ids=str,
)
def test_a_common_cause_unpublishes_one_flow_at_most(
    meta: Emulator, client: FlowsClient, jobs: int, fault: dict[str, Any]
) -> None:
    """Of ten live flows the first goes alone; when it cannot be published, the nine are not begun, and say why."""
    plan = planned(client, ten(meta))
    meta.fail("publish_flow", **fault)
    first, *rest = apply(client, plan, jobs=jobs)
    assert statuses(meta).count("DRAFT") == 1
    assert (first.ok, first.status, first.restored) == (False, "DRAFT", False)
    assert {result.halted for result in rest} == {"not begun"}
    assert all(result.problem.startswith("not begun: F0 ") for result in rest)
    assert calls(meta).count("update_flow_json") <= 2
    assert first.old_document is not None
    first.old_document.unlink()


def test_a_common_cause_that_passes_leaves_all_flows_live(meta: Emulator, client: FlowsClient) -> None:
    """The flow in which it was raised is live again, and the rest was not begun."""
    plan = planned(client, ten(meta))
    meta.fail("publish_flow", code=10, times=1)
    first, *rest = apply(client, plan)
    assert isinstance(first.error, PermissionDeniedError)
    assert (first.restored, statuses(meta)) == (True, ["PUBLISHED"] * 10)
    assert {result.halted for result in rest} == {"not begun"}


def test_a_common_cause_later_affects_only_flows_in_progress(meta: Emulator, client: FlowsClient) -> None:
    """Three were published before; each of the flows in progress is restored or saved."""
    plan = planned(client, ten(meta))
    published: list[str] = []

    def cut(event: FlowEvent) -> None:
        if event.result is not None and event.result.ok:
            published.append(event.key)
            if len(published) == 3:
                meta.fail("publish_flow", code=10)

    results = apply(client, plan, jobs=4, on_event=cut)
    down = [result for result in results if result.status == "DRAFT"]
    assert len(down) == statuses(meta).count("DRAFT") <= 4
    left = [result for result in results if result.halted == "not begun"]
    assert left
    assert len(down) + len(left) + sum(result.ok for result in results) == 10
    for result in down:
        assert result.old_document is not None
        result.old_document.unlink()


def test_a_failure_of_one_flow_alone_stops_no_other(meta: Emulator, client: FlowsClient) -> None:
    """Errors in one Flow JSON: nine are published."""
    plan = planned(client, ten(meta))
    meta.fail("update_flow_json", status=200, body=FAULTY, times=1, flow_id=plan.changes[0].flow_id)
    first, *rest = apply(client, plan, jobs=4)
    assert (first.ok, first.status) == (False, "PUBLISHED")
    assert all(result.ok for result in rest)


def test_the_first_flow_of_an_endpoint_goes_alone(meta: Emulator, client: FlowsClient) -> None:
    """Although a flow without an endpoint has been published before."""
    for key in ("plain", *TEN):
        meta.add_flow(key.title(), flow_json=OTHER_FLOW_JSON, status="PUBLISHED", endpoint_uri="https://a.example")
    wanted = [desired("plain", publish=True)]
    meta.flow(meta.flows()[0].id)
    wanted += [desired(key, publish=True, endpoint_uri="https://b.example") for key in TEN]
    plan = planned(client, wanted)
    for change in plan.changes[1:]:
        meta.fail("publish_flow", code=139002, subcode=4233014, flow_id=change.flow_id)
    first, second, *rest = apply(client, plan, jobs=8, force=True)
    assert (first.ok, second.status) == (True, "DRAFT")
    assert {result.halted for result in rest} == {"not begun"}
    assert statuses(meta).count("DRAFT") == 1
    assert second.old_document is not None
    second.old_document.unlink()


@pytest.mark.parametrize("fault", [{"code": 10}, {"code": 139002, "subcode": 4233014}], ids=str)
def test_the_next_run_tries_the_unpublished_flow_first(
    meta: Emulator, client: FlowsClient, lock_file: Path, fault: dict[str, Any]
) -> None:
    """While it cannot be published, the nine live flows are not changed."""
    lock = Lock(lock_file, account_id=meta.waba_id)
    wanted = ten(meta)
    meta.fail("publish_flow", **fault)
    for _run in range(3):
        first, *rest = synced(client, *wanted, lock=lock, jobs=8)
        assert (first.ok, first.status) == (False, "DRAFT")
        assert {result.halted for result in rest} == {"not begun"}
        assert statuses(meta).count("DRAFT") == 1
    meta.clear_faults()
    assert all(result.ok for result in synced(client, *wanted, lock=lock, jobs=8))
    assert statuses(meta) == ["PUBLISHED"] * 10
    assert old_files(lock_file.parent) == []


@pytest.mark.parametrize("change", ["a draft", "a new flow"])
def test_a_flow_that_is_not_live_is_published_first(meta: Emulator, client: FlowsClient, change: str) -> None:
    """It meets the missing permission, and the ten live flows are not changed."""
    if change == "a draft":
        meta.add_flow("Late", flow_json=OTHER_FLOW_JSON)
    plan = planned(client, [*ten(meta), desired("late", publish=True)])
    meta.fail("publish_flow", code=10)
    meta.fail("create_flow", code=10)
    *rest, late = apply(client, plan, jobs=8, force=True)
    assert isinstance(late.error, PermissionDeniedError)
    assert {result.halted for result in rest} == {"not begun"}
    assert statuses(meta).count("PUBLISHED") == 10


def test_after_an_outage_no_flow_is_begun(meta: Emulator, client: FlowsClient) -> None:
    """New flows as well: no further requests, and no flow is left incomplete."""
    plan = planned(client, [desired(key) for key in TEN])
    meta.fail("create_flow", code=131000)
    first, *rest = apply(client, plan, jobs=1)
    assert isinstance(first.error, ServiceUnavailableError)
    assert {result.halted for result in rest} == {"not begun"}
    assert calls(meta).count("create_flow") <= 3


# -- the law

OPERATIONS = ("get_flow", "update_flow", "update_flow_json", "publish_flow", "download_flow_json", "list_assets")
WAYS: tuple[dict[str, Any], ...] = (
    {"code": 139001, "subcode": 4016012},
    {"code": 139001, "subcode": 4016010},
    {"code": 139002, "subcode": 4233014},
    {"code": 100},
    {"code": 10},
    {"code": 190},
    {"code": 139000},
    {"code": 80008},
    {"code": 131000},
    {"status": 500, "body": ""},
    {"status": 200, "body": FAULTY},
    {"status": 200, "body": "<html>"},
    {"reset": "before"},
    {"reset": "after"},
    {"truncate": 3},
)
faults = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(WAYS), st.integers(1, 4), st.integers(1, 3)), max_size=4
)


@settings(max_examples=some(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(faults=faults, jobs=st.sampled_from([1, 3]), moments=st.none() | st.integers(0, 12))
def test_a_live_flow_is_live_after_any_faults_or_its_result_says_that_it_is_not(
    tmp_path_factory: pytest.TempPathFactory,
    faults: list[tuple[str, dict[str, Any], int, int]],
    jobs: int,
    moments: int | None,
) -> None:
    """Whatever fails, and wherever it is stopped; nothing is lost: the old Flow JSON is at Meta or in a file."""
    lock_file = tmp_path_factory.mktemp("live") / "flows.lock.json"
    with Emulator() as meta:
        client = client_of(meta)
        wanted = [desired(f"f{number}", publish=True, categories=("SURVEY",)) for number in range(3)]
        for flow in wanted:
            live(meta, flow.name)
        lock = Lock(lock_file, account_id=meta.waba_id)
        plan = planned(client, wanted, lock)
        for operation, way, times, every in faults:
            if (operation, way.get("body")) == ("publish_flow", FAULTY):
                continue  # it would say that a flow is published which is not: no look is made after a success
            meta.fail(operation, times=times, every=every, **way)
        stop, reported = threading.Event(), 0

        def hear(event: FlowEvent) -> None:
            nonlocal reported
            reported += 1
            if reported == moments:
                stop.set()

        results = apply(client, plan, lock=lock, jobs=jobs, stop=stop, on_event=hear)
        assert len(results) == 3
        for result in results:
            found = meta.flow(result.flow_id)
            if found.status == "PUBLISHED":
                assert found.flow_json in {FLOW_JSON, OTHER_FLOW_JSON}
                assert result.status in {"PUBLISHED", ""}
                continue
            assert not result.ok
            assert result.status in {"DRAFT", ""}
            assert result.note
            assert result.old_document is not None
            assert result.old_document.read_bytes() == OTHER_FLOW_JSON
        meta.clear_faults()
        assert all(result.ok for result in synced(client, *wanted, lock=Lock(lock_file, account_id=meta.waba_id)))
        as_wanted(meta, wanted)
        assert old_files(lock_file.parent) == []
