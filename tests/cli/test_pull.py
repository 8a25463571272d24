"""`pull` and `import`: the flows at Meta, written to files, without unintended overwriting."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.support import valid_flow
from tests.sync.support import FLOW_JSON, write_flows
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator

LAID_OUT = json.dumps(valid_flow("FIRST"), indent=3).encode() + b"\n\n"
EDITED = valid_flow("FIRST")
EDITED["screens"][0]["title"] = "Edited"


@pytest.fixture
def meta() -> Iterator[Emulator]:
    """An emulator whose clock advances a second at each reading, because Meta reports times of changes in seconds."""
    with Emulator(tokens={"the-token"}, clock=count(1_790_000_000.0).__next__) as emulator:
        yield emulator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: CommandLine) -> Path:
    """The current directory, with two flows that are deployed, one of which was edited since."""
    write_flows(tmp_path, {"one": LAID_OUT, "two": FLOW_JSON})
    monkeypatch.chdir(tmp_path)
    assert cli("apply", "--yes").code == 0
    return tmp_path


@pytest.fixture
def client(meta: Emulator) -> FlowsClient:
    return FlowsClient("the-token", meta.waba_id, base_url=meta.url)


@pytest.fixture
def edited(folder: Path, client: FlowsClient) -> Path:
    """The same, after the first flow was edited in the Builder."""
    ids = {flow.name: flow.id for flow in client.list_flows()}
    client.update_flow_json(ids["One"], EDITED)
    return folder


def test_what_was_edited_is_written(cli: CommandLine, edited: Path) -> None:
    """Only the line that differs is changed, and a second run has nothing to do."""
    outcome = cli("pull")
    assert (outcome.code, outcome.err) == (0, "")
    assert (edited / "one.json").read_bytes() == LAID_OUT.replace(b'"Start"', b'"Edited"')
    assert (edited / "two.json").read_bytes() == FLOW_JSON
    assert outcome.out.splitlines() == [
        "Flow  Status  Result     File",
        "one   DRAFT   written    one.json",
        "two   DRAFT   unchanged  two.json",
        "",
        "one: written: one.json",
        '  ~ screen FIRST: title "Start" -> "Edited"',
        "",
        "2 flows: 1 written, 1 unchanged. 2 requests.",
    ]
    again = cli("pull")
    assert (again.code, again.out.splitlines()[-1].partition(".")[0]) == (0, "2 flows: 2 unchanged")
    assert cli("drift").code == 0


def test_a_flow_that_a_python_file_makes_has_no_file_to_write(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compared all the same."""
    (tmp_path / "one.py").write_text(f"flow = {valid_flow('FIRST')!r}\n", "utf-8")
    table = '[flows.one]\nfile = "one.py:flow"\nname = "One"\ncategories = ["OTHER"]\n'
    (tmp_path / "flows.toml").write_text(table, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert cli("apply", "--yes").code == 0
    assert cli("pull").out.splitlines()[:2] == ["Flow  Status  Result     File", "one   DRAFT   unchanged  -"]
    assert cli("pull", "--json").json["flows"][0]["file"] is None


def test_a_dry_run_writes_nothing(cli: CommandLine, edited: Path) -> None:
    """And reports the same."""
    outcome = cli("pull", "--dry-run")
    assert (outcome.code, (edited / "one.json").read_bytes()) == (0, LAID_OUT)
    assert "one: to write: one.json" in outcome.out
    assert "2 flows: 1 to write, 1 unchanged." in outcome.out


@pytest.mark.usefixtures("edited")
def test_pull_for_machines(cli: CommandLine, client: FlowsClient) -> None:
    """With the changes, the reasons of failures, and notes."""
    ids = {flow.name: flow.id for flow in client.list_flows()}
    client.delete_flow(ids["Two"])
    client.update_flow(ids["One"], categories=["SURVEY"])
    outcome = cli("pull", "--json")
    assert outcome.code == 1
    one, two = outcome.json["flows"]
    assert (outcome.json["dry_run"], one["action"], one["error"], one["file"]) == (False, "write", None, "one.json")
    assert [change["property"] for change in one["changes"]] == ["title"]
    assert one["notes"] == ["its categories: SURVEY at Meta, OTHER here"]
    assert (two["action"], two["id"], two["error"]) == ("failed", None, {"message": "the account does not have it"})
    text = cli("pull").out
    assert "one: note: its categories: SURVEY at Meta, OTHER here" in text
    assert "two: failed: the account does not have it" in text


def test_one_flow_is_pulled(cli: CommandLine, edited: Path) -> None:
    """The others are not read."""
    outcome = cli("pull", "--flow", "two")
    assert (outcome.code, (edited / "one.json").read_bytes()) == (0, LAID_OUT)
    assert outcome.out.splitlines()[-1] == "1 flow: 1 unchanged. 1 request."


def test_an_error_of_meta_is_reported(cli: CommandLine, meta: Emulator, edited: Path) -> None:
    """The flow's file stays as it is."""
    meta.fail("download_flow_json", code=190)
    outcome = cli("pull", "--flow", "one", "--json")
    assert (outcome.code, (edited / "one.json").read_bytes()) == (1, LAID_OUT)
    assert outcome.json["flows"][0]["error"]["class"] == "AuthenticationError"


def test_an_account_is_imported(cli: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a folder that is empty; `plan` then has nothing to do."""
    (folder / "new").mkdir()
    monkeypatch.chdir(folder / "new")
    outcome = cli("import")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "Flow  Name  Status  File",
        "one   One   DRAFT   one.json",
        "two   Two   DRAFT   two.json",
        "",
        "2 flows written to flows.toml. 3 requests.",
    ]
    assert sorted(os.listdir()) == ["flows.toml", "one.json", "two.json"]
    plan = cli("plan")
    assert (plan.code, "Nothing to change at Meta." in plan.out) == (0, True)


def test_import_for_machines(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """A flow without a file is reported, and the others are written."""
    ids = {flow.name: flow.id for flow in meta.flows()}
    meta.fail("download_flow_json", code=190, flow_id=ids["Two"])
    outcome = cli("import", "--config", "imported/flows.toml", "--json")
    assert outcome.code == 2  # there is no such folder
    (folder / "imported").mkdir()
    outcome = cli("import", "--config", "imported/flows.toml", "--json")
    assert outcome.code == 1
    assert [(flow["key"], flow["action"], flow["file"]) for flow in outcome.json["flows"]] == [
        ("one", "write", "imported/one.json"),
        ("two", "failed", None),
    ]
    assert outcome.json["flows"][1]["error"]["class"] == "AuthenticationError"
    text = cli("import", "--config", "imported/flows.toml", "--force")
    assert "two: skipped: " in text.out
    assert text.out.splitlines()[-1].startswith("1 flow written to imported/flows.toml.")
    only = cli("import", "--config", "imported/x.toml", "--flow", "two")
    assert (only.code, only.out.splitlines()[-1].partition(".")[0]) == (1, "Nothing was written")
    assert not (folder / "imported" / "x.toml").exists()


def test_the_folder_of_an_import_must_exist(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Without it, the message says what to do, and nothing is sent."""
    meta.clear_requests()
    outcome = cli("import", "--config", "nowhere/flows.toml")
    assert outcome.code == 2
    assert "the folder nowhere does not exist: create it, then import again." in outcome.err
    assert (meta.requests, (folder / "nowhere").exists()) == ((), False)


def test_nothing_is_overwritten(cli: CommandLine, folder: Path) -> None:
    """Without --force it is an error, and nothing is written."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    outcome = cli("import")
    assert outcome.code == 2
    assert "flows.toml, one.json, two.json already exist: give --force to overwrite." in outcome.err
    single = cli("import", "--config", "other.toml", "--flow", "two")
    assert "two.json already exists: give --force" in single.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert cli("import", "--force").code == 0
    assert (folder / "one.json").read_bytes() == json.dumps(valid_flow("FIRST"), indent=2).encode() + b"\n"


def test_an_account_is_imported_as_that_of_an_environment(cli: CommandLine, meta: Emulator, tmp_path: Path) -> None:
    """The account is written to the environment."""
    client = FlowsClient("the-token", meta.waba_id, base_url=meta.url)
    client.create_flow("One", ["OTHER"], flow_json=FLOW_JSON)
    config = tmp_path / "flows.toml"
    assert cli("import", "--config", config, "--env", "live").code == 0
    assert f'[env.live]\nwaba_id = "{meta.waba_id}"\n' in config.read_text()
    assert cli("drift", "--config", config, "--env", "live").code == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--config", "pyproject.toml"], "import does not write pyproject.toml: give a flows.toml"),
        (["--env", "a b"], "--env 'a b': the name of an environment consists of letters, digits, _ and -."),
        ([], "the account has no flows to import."),
    ],
)
def test_what_cannot_be_imported(
    cli: CommandLine, argv: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    outcome = cli("import", *argv)
    assert (outcome.code, os.listdir()) == (2, [])
    assert message in outcome.err


@pytest.mark.parametrize("command", ["drift", "status", "pull"])
def test_another_account_than_that_of_the_lock_file_is_reported(
    cli: CommandLine, edited: Path, meta: Emulator, command: str
) -> None:
    """With both ids; pull does not overwrite the files, and --dry-run shows what it would write."""
    other = "20200000000000007"
    meta.add_account(other)
    before = (edited / "one.json").read_bytes()
    outcome = cli("--waba-id", other, command)
    assert other in outcome.err
    assert meta.waba_id in outcome.err
    assert (outcome.code, (edited / "one.json").read_bytes()) == (1 if command != "status" else outcome.code, before)
    assert "the lock file belongs to account" in cli("--waba-id", other, "pull", "--dry-run").err
