"""`sync`: from a folder to a report and an exit code."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tests.cli.support import CommandLine, statuses
from tests.sync.support import FAULTY_FLOW_JSON, FLOW_JSON, OTHER_FLOW_JSON, write_flows
from whatsapp_flows.cli import Terminated
from whatsapp_flows.emulator import Emulator


def test_a_folder_becomes_flows(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """New flows are created and published; progress goes to stderr, the table to stdout; a lock file is written."""
    outcome = cli("sync", folder, "--jobs", "1")
    ids = {flow.name: flow.id for flow in meta.flows()}
    assert (outcome.code, statuses(meta)) == (0, {"One": "PUBLISHED", "Two": "PUBLISHED"})
    assert outcome.out.splitlines() == [
        "Flow  Result   Status     Attempts",
        "one   created  PUBLISHED         1",
        "two   created  PUBLISHED         1",
        "",
        "2 flows: 2 created. 3 requests.",
    ]
    assert outcome.err.splitlines() == [
        f"[1/2] one: created {ids['One']}, published",
        f"[2/2] two: created {ids['Two']}, published",
        "",
    ]
    assert json.loads((folder / "flows.lock.json").read_text())["flows"]["one"]["id"] == ids["One"]


def test_what_has_not_changed_costs_one_request(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """A second run writes nothing, and says so."""
    cli("sync", folder)
    meta.clear_requests()
    outcome = cli("sync", folder)
    assert outcome.code == 0
    assert "2 flows: 2 unchanged. 1 request." in outcome.out
    assert outcome.err == ""
    assert [request.operation for request in meta.requests] == ["list_flows"]


def test_the_manifest_is_found(cli: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In FOLDER, at --config, or in the current directory."""
    (folder / "flows.toml").rename(folder / "other.toml")
    assert cli("sync", "--config", folder / "other.toml").code == 0
    (folder / "other.toml").rename(folder / "flows.toml")
    monkeypatch.chdir(folder)
    assert cli("sync").code == 0
    (folder / "flows.toml").unlink()
    outcome = cli("sync")
    assert (outcome.code, outcome.err) == (2, "error: flows.toml cannot be read: No such file or directory.\n")


@pytest.mark.parametrize("word", ["two", "Two"])
def test_one_flow_is_chosen_by_its_table_or_its_name(cli: CommandLine, meta: Emulator, folder: Path, word: str) -> None:
    """The other one is not changed, and its file not read."""
    (folder / "one.json").write_text("[")
    outcome = cli("sync", folder, "--flow", word)
    assert (outcome.code, statuses(meta)) == (0, {"Two": "PUBLISHED"})


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--flow", "tow"), "flows.toml has no flow 'tow': did you mean 'two'?"),
        ((), "flows.toml:5: [flows.one] file: "),
    ],
)
def test_mistakes_are_found_before_the_first_request(
    cli: CommandLine, meta: Emulator, folder: Path, argv: tuple[str, ...], message: str
) -> None:
    """A flow that is not in the file, and a file that is not JSON, are usage errors."""
    (folder / "one.json").write_text("[")
    outcome = cli("sync", folder, *argv)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert not meta.requests


def test_a_published_flow_is_not_changed_without_permission(cli: CommandLine, meta: Emulator, tmp_path: Path) -> None:
    """An upload would make it a draft: it is blocked, with the reason, and the exit code is 1."""
    flow = meta.add_flow("One", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    write_flows(tmp_path, {"one": FLOW_JSON})
    outcome = cli("sync", tmp_path, "--flow", "one")
    assert (outcome.code, meta.flow(flow.id).status) == (1, "PUBLISHED")
    assert outcome.out.splitlines()[1:] == [
        "one   blocked  PUBLISHED         -",
        "",
        "one: blocked: published, and a change would make it a draft; publish = true publishes it again, "
        "--allow-unpublish leaves it a draft",
        "",
        "1 flow: 1 blocked. 2 requests.",
    ]


@pytest.mark.parametrize(
    ("publish", "options", "status"),
    [(True, (), "PUBLISHED"), (False, ("--publish",), "PUBLISHED"), (False, ("--allow-unpublish",), "DRAFT")],
)
def test_permission_to_touch_a_published_flow(
    cli: CommandLine, meta: Emulator, tmp_path: Path, publish: bool, options: tuple[str, ...], status: str
) -> None:
    """The file or --publish publishes it again; --allow-unpublish leaves a draft, and the report says so."""
    flow = meta.add_flow("One", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=publish)
    outcome = cli("sync", tmp_path, *options)
    document = meta.flow(flow.id).document
    assert document is not None
    assert (outcome.code, meta.flow(flow.id).status, document.content) == (0, status, FLOW_JSON)
    assert ("DRAFT (was PUBLISHED)" in outcome.out) == (status == "DRAFT")


@pytest.mark.parametrize("command", [("sync", "--dry-run", "--config"), ("plan", "--config")])
def test_a_plan_changes_nothing(cli: CommandLine, meta: Emulator, folder: Path, command: tuple[str, ...]) -> None:
    """It shows the changes, with the differences of the Flow JSON, and sends only reads."""
    meta.add_flow("Two", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    outcome = cli(*command, folder / "flows.toml")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        '+ one: create "One"',
        '~ two: republish "Two"; a draft for about 2 s; upload, publish',
        "  ~ screen FIRST, which was SECOND",
        "",
        "2 flows: 1 to create, 1 to republish. It takes 4 requests.",
    ]
    assert {request.method for request in meta.requests} == {"GET"}
    assert not (folder / "flows.lock.json").exists()
    planned = cli(*command, folder / "flows.toml", "--json").json
    assert (planned["dry_run"], planned["calls"], planned["planned_calls"]) == (True, 2, 4)
    one, two = planned["flows"]
    assert (one["key"], one["name"], one["id"], one["action"], one["status"], one["error"]) == (
        "one", "One", None, "create", None, None,
    )  # fmt: skip
    assert (two["action"], two["steps"], two["unpublished_seconds"]) == ("republish", ["upload", "publish"], 2.0)
    assert [difference["kind"] for difference in two["differences"]] == ["renamed"]


def test_a_draft_that_is_wanted_published_is_published(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """After one more upload if it is not known that Meta processed the last one."""
    meta.add_flow("One", flow_json=FLOW_JSON)
    outcome = cli("sync", folder, "--flow", "one")
    assert "one   published  PUBLISHED         1" in outcome.out


def test_the_processing_error_is_retried(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Retries are reported and counted; the waits have jitter, so that flows do not retry in step."""
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    outcome = cli("sync", folder, "--flow", "one")
    assert outcome.code == 0
    assert [2.5 <= cli.sleeps[0] <= 5, 5 <= cli.sleeps[1] <= 10] == [True, True]
    first, second, done, _ = outcome.err.splitlines()
    assert first.startswith("one: Meta flow processing error detected (retryable): ")
    assert "; retry 2/3 in " in first
    assert "; retry 3/3 in " in second
    assert done == "[1/1] one: uploaded, published, 3 attempts"
    assert "1 flow: 1 uploaded. 7 requests (2 retries), " in outcome.out.splitlines()[-1]


def test_a_failure_does_not_stop_the_others(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """The failed flow is reported with its error, the next one continues, and the exit code is 1."""
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    outcome = cli("sync", folder, "--max-attempts", "2", "--jobs", "1")
    assert (outcome.code, statuses(meta)) == (1, {"One": "DRAFT", "Two": "PUBLISHED"})
    lines = outcome.out.splitlines()
    assert lines[1] == "one   failed   DRAFT             2"
    assert lines[4].startswith("one: failed: update flow json ")
    assert lines[4].endswith("(code 139001/4016012, HTTP 400, after 2 attempts)")
    assert lines[5].startswith("  Send exactly the same upload again")
    assert lines[6].startswith("  fbtrace_id ")
    assert lines[7] == "  Meta has stored the Flow JSON. The next run uploads it again."
    assert "2 flows: 1 failed, 1 created. " in lines[-1]
    again = cli("sync", folder)
    assert (again.code, statuses(meta)) == (0, {"One": "PUBLISHED", "Two": "PUBLISHED"})


def test_errors_in_a_flow_json_keep_it_from_being_sent(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """All of them, with file, line and column; the other flows go on."""
    (folder / "two.json").write_bytes(FAULTY_FLOW_JSON)
    found = cli("plan", "--config", folder / "flows.toml")
    assert found.code == 1
    assert "! two: blocked: 1 error in two.json" in found.out.splitlines()
    assert f"  {folder / 'two.json'}:1:31 MIN_ITEMS_REQUIRED: " in found.out
    (_, two) = cli("plan", "--config", folder / "flows.toml", "--json").json["flows"]
    assert (two["blocked"], [issue["error"] for issue in two["error"]["validation_errors"]]) == (
        "validation", ["MIN_ITEMS_REQUIRED"],
    )  # fmt: skip
    outcome = cli("sync", folder)
    assert (outcome.code, statuses(meta)) == (1, {"One": "PUBLISHED"})
    assert f"  {folder / 'two.json'}:1:31 MIN_ITEMS_REQUIRED: " in outcome.out


def test_errors_that_only_meta_finds_are_reported_with_their_place(
    cli: CommandLine, meta: Emulator, tmp_path: Path
) -> None:
    """File, line and column; the flow is not published."""
    issue = {"error": "NEW_RULE", "message": "Not so.", "line_start": 1, "column_start": 5}
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.fail("update_flow_json", status=200, body={"success": True, "validation_errors": [issue]})
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=True)
    outcome = cli("sync", tmp_path)
    assert (outcome.code, statuses(meta)) == (1, {"One": "DRAFT"})
    assert outcome.out.splitlines()[3:6] == [
        "one: failed: Meta found 1 error in one.json",
        f"  {tmp_path / 'one.json'}:1:5 NEW_RULE: Not so.",
        "  Completed before that: upload.",
    ]


def test_a_listing_that_fails_ends_it(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Nothing is created if the existing flows are not known."""
    meta.fail("list_flows", code=190, subcode=463)
    outcome = cli("sync", folder)
    assert (outcome.code, outcome.out, meta.flows()) == (1, "", ())
    assert outcome.err.startswith("error: list flows: ")


def test_a_download_that_fails_is_reported(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """That flow is not changed, the other one is deployed."""
    meta.add_flow("One", flow_json=FLOW_JSON)
    meta.fail("download_flow_json", status=500)
    outcome = cli("sync", folder)
    assert outcome.code == 1
    assert "one   blocked  DRAFT             -" in outcome.out
    assert "two   created  PUBLISHED         1" in outcome.out
    (one, _) = cli("plan", "--config", folder / "flows.toml", "--json").json["flows"]
    assert (one["blocked"], one["error"]["class"]) == ("unread", "ServiceUnavailableError")


def test_the_report_is_json_for_machines(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """The number of requests, and for each flow what was done."""
    meta.fail("publish_flow", code=139002, subcode=4233014, flow_id=meta.add_flow("Two", flow_json=FLOW_JSON).id)
    report = cli("sync", folder, "--json").json
    one, two = report["flows"]
    assert report["calls"] == len(meta.requests)
    assert one == {
        "key": "one", "name": "One", "id": meta.flows()[1].id, "action": "create", "ok": True, "status": "PUBLISHED",
        "status_before": None, "done": ["create"], "attempts": 1, "adopted": False, "error": None,
        "validation_errors": [],
    }  # fmt: skip
    assert (two["action"], two["ok"], two["status"]) == ("publish", False, "DRAFT")
    assert (two["error"]["class"], two["error"]["subcode"]) == ("PublishBlockedError", 4233014)


def test_a_blocked_flow_is_an_error_for_machines_too(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """With the reason as its message."""
    meta.add_flow("One", status="DEPRECATED")
    (flow,) = cli("sync", folder, "--flow", "one", "--json").json["flows"]
    assert (flow["action"], flow["ok"]) == ("blocked", False)
    assert flow["error"] == {"message": "a deprecated flow has this name; give it another name, or set replace = true"}


def test_files_that_no_table_names_are_noted(cli: CommandLine, folder: Path) -> None:
    """A file beside flows.toml that no table names is reported in a note."""
    (folder / "three.json").write_bytes(FLOW_JSON)
    assert f"note: {folder / 'flows.toml'} does not name three.json" in cli("sync", folder).err.splitlines()
    assert "note" not in cli("sync", folder, "--flow", "one").err


@pytest.mark.parametrize(("interrupt", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interrupt_says_what_was_done(
    cli: CommandLine, meta: Emulator, folder: Path, interrupt: type[BaseException], code: int
) -> None:
    """It ends the wait at once; the report has the interrupted flow and those not begun."""

    def interrupted(seconds: float) -> None:
        raise interrupt

    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.fail("publish_flow", code=131000)
    outcome = cli("sync", folder, "--jobs", "1", sleep=interrupted)
    assert outcome.code == code
    assert outcome.out.splitlines() == [
        "Flow  Result       Status   Attempts",
        "one   interrupted  unknown         1",
        "two   not begun    -               -",
        "",
        "one: interrupted",
        "  Completed before that: upload.",
        "",
        "two: not begun",
        "",
        "2 flows: 1 interrupted, 1 not begun. 5 requests.",
    ]


def test_an_interrupt_before_the_first_write_says_that_nothing_was_changed(
    cli: CommandLine, meta: Emulator, folder: Path
) -> None:
    """While the account is listed there is nothing to undo."""

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    meta.fail("list_flows", code=131000)
    outcome = cli("sync", folder, sleep=interrupted)
    assert (outcome.code, outcome.out) == (130, "Interrupted: nothing was changed.\n")


def test_stop_ends_it_before_the_next_request(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """A host that sets `stop` gets a report of what was done: here, nothing."""
    stop = threading.Event()
    stop.set()
    outcome = cli("sync", folder, "--json", stop=stop)
    assert (outcome.code, outcome.json["interrupted"], outcome.json["flows"]) == (130, True, [])
    assert not meta.requests


def test_stop_in_the_middle_is_reported(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """The wait ends; the report says what was completed, and which flows were not begun."""
    stop = threading.Event()
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    meta.fail("publish_flow", code=131000)
    outcome = cli("sync", folder, "--json", "--jobs", "1", stop=stop, sleep=lambda seconds: stop.set())
    assert outcome.code == 130
    assert [flow["error"]["message"] for flow in outcome.json["flows"]] == ["interrupted", "not begun"]


def test_a_terminal_shows_what_is_waited_for(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Animated lines on stderr, one for each flow in progress, which disappear; and colours in the table."""
    outcome = cli("sync", folder, terminal=True, env={"TERM": "xterm-256color"})
    assert outcome.code == 0
    assert "creating" in outcome.err
    assert "\x1b[32mcreated" in outcome.out
