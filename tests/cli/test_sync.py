"""`sync`: a folder in, a report out, and an exit code."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.sync.support import FAULTY_FLOW_JSON, FLOW_JSON, OTHER_FLOW_JSON, write_flows
from whatsapp_flows.cli import Terminated
from whatsapp_flows.emulator import Emulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two flows, both wanted published."""
    write_flows(tmp_path, {"one": FLOW_JSON, "two": FLOW_JSON}, publish=True)
    return tmp_path


def statuses(meta: Emulator) -> dict[str, str]:
    """The state of each flow by its name."""
    return {flow.name: flow.status for flow in meta.flows()}


def test_a_folder_becomes_flows(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """New flows are created, uploaded and published; progress is on stderr, the table on stdout."""
    outcome = cli("sync", folder)
    ids = {flow.name: flow.id for flow in meta.flows()}
    assert (outcome.code, statuses(meta)) == (0, {"One": "PUBLISHED", "Two": "PUBLISHED"})
    assert outcome.out.splitlines() == [
        "Flow  Result   Status     Attempts  Bytes",
        "one   created  PUBLISHED         1    233",
        "two   created  PUBLISHED         1    233",
        "",
        "2 flows: 2 created. 7 requests.",
    ]
    assert outcome.err.splitlines() == [
        f"[1/2] one: created {ids['One']}, uploaded, published",
        f"[2/2] two: created {ids['Two']}, uploaded, published",
        "",
    ]


def test_what_has_not_changed_is_left_alone(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """A second run writes nothing, and says so."""
    cli("sync", folder)
    meta.clear_requests()
    outcome = cli("sync", folder)
    assert outcome.code == 0
    assert "2 flows: 2 unchanged. " in outcome.out
    assert outcome.err == ""
    assert {request.method for request in meta.requests} == {"GET"}


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
    """The other one is not touched, and its file not even read."""
    (folder / "one.json").write_text("[")
    outcome = cli("sync", folder, "--flow", word)
    assert (outcome.code, statuses(meta)) == (0, {"Two": "PUBLISHED"})


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--flow", "tow"), "flows.toml has no flow 'tow': did you mean 'two'?"),
        ((), "one.json ([flows.one]): json is not JSON"),
    ],
)
def test_mistakes_are_found_before_the_first_request(
    cli: CommandLine, meta: Emulator, folder: Path, argv: tuple[str, ...], said: str
) -> None:
    """A flow that is not in the file, and a file that is no JSON, are wrong usage."""
    (folder / "one.json").write_text("[")
    outcome = cli("sync", folder, *argv)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert not meta.requests


def test_a_published_flow_is_not_touched_without_a_word(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """An upload would take it out of use: it is refused, which is told, and makes the exit code 1."""
    flow = meta.add_flow("One", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    outcome = cli("sync", folder, "--flow", "one")
    assert (outcome.code, meta.flow(flow.id).status) == (1, "PUBLISHED")
    assert outcome.out.splitlines()[1:] == [
        "one   refused  PUBLISHED         -    233",
        "",
        "one: refused: published; pass --publish to upload and publish again",
        "",
        "1 flow: 1 refused. 3 requests.",
    ]


@pytest.mark.parametrize(
    ("wish", "option", "status"),
    [
        (True, "--publish", "PUBLISHED"),
        (False, "--publish", "PUBLISHED"),
        (True, "--force", "PUBLISHED"),
        (False, "--force", "DRAFT"),
    ],
)
def test_permission_to_touch_a_published_flow(
    cli: CommandLine, meta: Emulator, tmp_path: Path, wish: bool, option: str, status: str
) -> None:
    """--publish uploads and publishes again; --force uploads, and publishes again if the file wants that."""
    flow = meta.add_flow("One", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=wish)
    outcome = cli("sync", tmp_path, option)
    document = meta.flow(flow.id).document
    assert document is not None
    assert (outcome.code, meta.flow(flow.id).status, document.content) == (0, status, FLOW_JSON)
    assert ("DRAFT (was PUBLISHED)" in outcome.out) == (status == "DRAFT")


def test_a_dry_run_changes_nothing(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """It says what would be done, and sends no write."""
    meta.add_flow("Two", flow_json=OTHER_FLOW_JSON)
    outcome = cli("sync", folder, "--dry-run")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "Flow  Result     Status  Attempts  Bytes",
        "one   to create  -              -    233",
        "two   to update  DRAFT          -    233",
        "",
        "Dry run: nothing was changed. 2 flows: 1 to create, 1 to update. 3 requests.",
    ]
    assert {request.method for request in meta.requests} == {"GET"}
    planned = cli("sync", folder, "--dry-run", "--json").json
    assert planned["dry_run"] is True
    assert [(flow["action"], flow["planned"], flow["done"]) for flow in planned["flows"]] == [
        ("create", ["create", "upload", "publish"], []),
        ("update", ["upload", "publish"], []),
    ]


def test_a_draft_that_is_wanted_published_is_published(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Without a new upload."""
    meta.add_flow("One", flow_json=FLOW_JSON)
    outcome = cli("sync", folder, "--flow", "one")
    assert "one   published  PUBLISHED         -    233" in outcome.out
    assert "update_flow_json" not in [request.operation for request in meta.requests]


def test_the_processing_error_is_outlasted(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Retries are told as they are waited for, and counted."""
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    outcome = cli("sync", folder, "--flow", "one")
    assert (outcome.code, cli.sleeps) == (0, [5.0, 10.0])
    first, second, done, _ = outcome.err.splitlines()
    assert first.startswith("one: Meta flow processing error detected (retryable): ")
    assert first.endswith("; retry 2/3 in 5 s")
    assert second.endswith("; retry 3/3 in 10 s")
    assert done.endswith(", uploaded on attempt 3, published")
    assert outcome.out.splitlines()[-1] == "1 flow: 1 created. 6 requests, 2 of them retries, 15 s of waiting."


def test_a_failure_does_not_stop_the_others(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """The flow that fails is told with its error, the next one goes on, and the exit code is 1."""
    meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    outcome = cli("sync", folder, "--max-attempts", "2")
    assert (outcome.code, statuses(meta)) == (1, {"One": "DRAFT", "Two": "PUBLISHED"})
    lines = outcome.out.splitlines()
    assert lines[1] == "one   failed   DRAFT             2    233"
    assert lines[4].startswith("one: failed: update flow json ")
    assert lines[4].endswith("(code 139001/4016012, HTTP 400, after 2 attempts)")
    assert lines[5].startswith("  Send exactly the same upload again")
    assert lines[6].startswith("  fbtrace_id ")
    assert lines[7] == "  Meta has stored the file, so it will look unchanged: run sync again with --force to send it."
    assert lines[8] == "  Done before that: create."
    assert lines[-1] == "2 flows: 1 failed, 1 created. 8 requests, 1 of them a retry, 5 s of waiting."


def test_errors_in_a_flow_json_are_told_before_the_first_request(
    cli: CommandLine, meta: Emulator, folder: Path
) -> None:
    """All of them, with file, line and column: no flow is touched while one of the files is broken."""
    (folder / "two.json").write_bytes(FAULTY_FLOW_JSON)
    outcome = cli("sync", folder)
    assert (outcome.code, outcome.out) == (1, "")
    said, issue, _ = outcome.err.splitlines()
    assert said == "error: nothing was sent: there are errors in two.json."
    assert issue.startswith(f"  1:31 MIN_ITEMS_REQUIRED: {folder / 'two.json'}: ")
    found = cli("sync", folder, "--dry-run", "--json")
    assert (found.code, found.json["error"]["class"]) == (1, "FlowValidationError")
    assert [issue["error"] for issue in found.json["error"]["validation_errors"]] == ["MIN_ITEMS_REQUIRED"]
    assert not meta.requests


def test_errors_that_only_meta_finds_are_told_with_their_place(
    cli: CommandLine, meta: Emulator, tmp_path: Path
) -> None:
    """File, line and column; the flow is not published."""
    issue = {"error": "NEW_RULE", "message": "Not so.", "line_start": 1, "column_start": 5}
    meta.fail("update_flow_json", status=200, body={"success": True, "validation_errors": [issue]})
    write_flows(tmp_path, {"one": FLOW_JSON}, publish=True)
    outcome = cli("sync", tmp_path)
    assert (outcome.code, statuses(meta)) == (1, {"One": "DRAFT"})
    assert outcome.out.splitlines()[3:6] == [
        "one: failed: Meta found 1 error in one.json",
        f"  {tmp_path / 'one.json'}:1:5 NEW_RULE: Not so.",
        "  Done before that: create, upload.",
    ]


def test_a_listing_that_fails_ends_it(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Nothing is created when nobody knows what is there."""
    meta.fail("list_flows", code=190, subcode=463)
    outcome = cli("sync", folder)
    assert (outcome.code, outcome.out, meta.flows()) == (1, "", ())
    assert outcome.err.startswith("error: list flows: ")


def test_a_download_that_fails_is_told(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """That flow is left alone, the other one synced."""
    meta.add_flow("One", flow_json=FLOW_JSON)
    meta.fail("list_assets", code=10)
    outcome = cli("sync", folder)
    assert outcome.code == 1
    assert "one   failed   DRAFT             -    233" in outcome.out
    assert "two   created  PUBLISHED         1    233" in outcome.out


def test_the_report_is_json_for_machines(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """The number of requests, and for each flow what was done."""
    meta.fail("publish_flow", code=139002, subcode=4233014, flow_id=meta.add_flow("Two", flow_json=FLOW_JSON).id)
    report = cli("sync", folder, "--json").json
    one, two = report["flows"]
    assert report["calls"] == 1 + 2 + 3 + 1
    assert one == {
        "key": "one", "name": "One", "id": meta.flows()[1].id, "action": "create", "ok": True, "status": "PUBLISHED",
        "status_before": None, "planned": ["create", "upload", "publish"], "done": ["create", "upload", "publish"],
        "attempts": 1, "bytes": 233, "error": None, "validation_errors": [],
    }  # fmt: skip
    assert (two["action"], two["ok"], two["status"]) == ("publish", False, "DRAFT")
    assert (two["error"]["class"], two["error"]["subcode"]) == ("PublishBlockedError", 4233014)


def test_a_refusal_is_an_error_for_machines_too(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """With the reason as its message."""
    meta.add_flow("One", status="DEPRECATED")
    (flow,) = cli("sync", folder, "--flow", "one", "--json").json["flows"]
    assert (flow["action"], flow["ok"]) == ("refused", False)
    assert flow["error"] == {"message": "deprecated, for good; give the flow in the file another name"}


def test_files_that_nobody_names_are_noted(cli: CommandLine, folder: Path) -> None:
    """A file beside flows.toml that no table names is easily forgotten."""
    (folder / "three.json").write_bytes(FLOW_JSON)
    assert f"note: {folder / 'flows.toml'} does not name three.json" in cli("sync", folder).err.splitlines()
    assert "note" not in cli("sync", folder, "--flow", "one").err


@pytest.mark.parametrize(("interrupt", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_an_interrupt_says_what_was_done(
    cli: CommandLine, meta: Emulator, folder: Path, interrupt: type[BaseException], code: int
) -> None:
    """It ends the wait at once; the flow it struck and those not begun are told."""

    def interrupted(seconds: float) -> None:
        raise interrupt

    meta.fail("publish_flow", code=131000)
    outcome = cli("sync", folder, sleep=interrupted)
    assert outcome.code == code
    assert outcome.out.splitlines() == [
        "Flow  Result       Status   Attempts  Bytes",
        "one   interrupted  unknown         1    233",
        "two   not begun    -               -    233",
        "",
        "one: interrupted",
        "  Done before that: create, upload.",
        "",
        "two: not begun",
        "",
        "2 flows: 1 interrupted, 1 not begun. 4 requests.",
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


def test_stop_ends_it_after_the_flow_it_is_at(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """A host that sets `stop` gets a report of what was done."""
    stop = threading.Event()
    stop.set()
    outcome = cli("sync", folder, "--json", stop=stop)
    assert outcome.code == 130
    assert outcome.json["interrupted"] is True
    assert [(flow["ok"], flow["error"]) for flow in outcome.json["flows"]] == [
        (True, None),
        (False, {"message": "not begun"}),
    ]


def test_a_terminal_shows_what_is_waited_for(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """An animated line on stderr, which goes away, and colours in the table."""
    outcome = cli("sync", folder, terminal=True, env={"TERM": "xterm-256color"})
    assert outcome.code == 0
    assert "two: publishing" in outcome.err
    assert "\x1b[32mcreated" in outcome.out
