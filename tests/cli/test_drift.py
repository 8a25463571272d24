"""`drift` and `status`: a table, its details, and an exit code; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.support import valid_flow
from tests.sync.support import FLOW_JSON, write_flows
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator


@pytest.fixture
def meta() -> Iterator[Emulator]:
    """An emulator whose clock advances a second at each reading, because Meta reports times of changes in seconds."""
    with Emulator(tokens={"the-token"}, clock=count(1_790_000_000.0).__next__) as emulator:
        yield emulator


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: CommandLine) -> Path:
    """The current directory, with two flows that are deployed and published."""
    write_flows(tmp_path, {"one": FLOW_JSON, "two": FLOW_JSON}, publish=True)
    monkeypatch.chdir(tmp_path)
    assert cli("apply", "--yes").code == 0
    return tmp_path


@pytest.fixture
def client(meta: Emulator) -> FlowsClient:
    return FlowsClient("the-token", meta.waba_id, base_url=meta.url)


def ids(client: FlowsClient) -> dict[str, str]:
    return {flow.name: flow.id for flow in client.list_flows()}


@pytest.mark.usefixtures("folder")
def test_without_drift(cli: CommandLine, meta: Emulator) -> None:
    """One request, thanks to the lock file, and exit code 0."""
    meta.clear_requests()
    outcome = cli("drift")
    assert (outcome.code, outcome.err, len(meta.requests)) == (0, "", 1)
    assert outcome.out.splitlines() == [
        "Flow  Status     Drift",
        "one   PUBLISHED  none",
        "two   PUBLISHED  none",
        "",
        "2 flows: 2 unchanged. 1 request.",
    ]


@pytest.mark.usefixtures("folder")
def test_with_drift(cli: CommandLine, meta: Emulator, client: FlowsClient) -> None:
    """Every difference is reported; text from Meta cannot act on the terminal."""
    client.update_flow_json(ids(client)["One"], valid_flow("FIRST", name="x\x1b[2J\u202e"))
    client.update_flow(ids(client)["Two"], categories=["SURVEY"])
    meta.clear_requests()
    outcome = cli("drift")
    assert outcome.code == 1
    assert {request.method for request in meta.requests} == {"GET"}
    assert outcome.out.splitlines() == [
        "Flow  Status  Drift",
        "one   DRAFT   edited, draft, errors",
        "two   DRAFT   draft, metadata",
        "",
        "one: edited: its Flow JSON is not that of one.json",
        '  + name "x\\u001b[2J\\u202e"',
        "one: draft: it is a draft, and should be published",
        "one: errors: Meta finds 1 error in its Flow JSON",
        *[line for line in outcome.out.splitlines() if line.startswith("  flow.json:")],
        "",
        "two: draft: it is a draft, and should be published",
        "two: metadata: its categories: SURVEY, and should be OTHER",
        "",
        f"2 flows: 2 drifted. {len(meta.requests)} requests.",
    ]


@pytest.mark.usefixtures("folder")
def test_drift_for_machines(cli: CommandLine, client: FlowsClient) -> None:
    """Every key is always present."""
    client.deprecate_flow(ids(client)["Two"])
    outcome = cli("drift", "--json")
    assert outcome.code == 1
    assert [{**flow, "id": "?"} for flow in outcome.json["flows"]] == [
        {
            "key": key, "name": key.title(), "id": "?", "action": action, "status": status, "error": None,
            "reasons": reasons, "changes": [], "validation_errors": [],
        }
        for key, action, status, reasons in [
            ("one", "none", "PUBLISHED", []),
            ("two", "deprecated", "DEPRECATED", [{"way": "deprecated", "message": "it is deprecated, which is final"}]),
        ]
    ]  # fmt: skip
    assert outcome.json["calls"] == 1


@pytest.mark.usefixtures("folder")
def test_other_flows_of_the_account(cli: CommandLine, client: FlowsClient) -> None:
    """They count as drift only with --extra."""
    client.create_flow("Somebody's", ["OTHER"], flow_json=FLOW_JSON)
    assert cli("drift").code == 0
    outcome = cli("drift", "--extra")
    assert outcome.code == 1
    assert "Somebody's: extra: no table names it" in outcome.out
    assert cli("drift", "--extra", "--flow", "one").code == 2


def test_one_flow(cli: CommandLine, folder: Path, client: FlowsClient) -> None:
    """By its key or its name; the other flow does not count."""
    client.update_flow(ids(client)["Two"], categories=["SURVEY"])
    (folder / "two.json").unlink()
    assert cli("drift", "--flow", "One").code == 0
    assert cli("status", "--flow", "one", "--json").json["flows"][0]["key"] == "one"
    assert cli("drift", "--flow", "onee").err == "error: flows.toml has no flow 'onee': did you mean 'one'?\n"


@pytest.mark.usefixtures("folder")
def test_status(cli: CommandLine, meta: Emulator, client: FlowsClient) -> None:
    """Status, version, health, when it freezes, and the last change; in one request."""
    two = ids(client)["Two"]
    client.deprecate_flow(two)
    meta.clear_requests()
    outcome = cli("status")
    assert (outcome.code, outcome.err, len(meta.requests)) == (0, "", 1)
    changed = {flow.name: f"{flow.updated_at:%Y-%m-%d %H:%M}" for flow in client.list_flows(fields="name,updated_at")}
    assert outcome.out.splitlines() == [
        "Flow  Status      Version  Health     Last change (UTC)  Errors",
        f"one   PUBLISHED   7.3      AVAILABLE  {changed['One']}        0",
        f"two   DEPRECATED  7.3      BLOCKED    {changed['Two']}        0",
        "",
        "2 flows: 1 PUBLISHED, 1 DEPRECATED. 1 request.",
    ]


def test_status_shows_why_a_flow_cannot_be_sent(cli: CommandLine, tmp_path: Path, meta: Emulator) -> None:
    """Meta's errors and suggestions; not those of a deprecated flow."""
    config = write_flows(tmp_path, {"one": FLOW_JSON})
    flow = meta.add_flow("One", flow_json='{"version": "7.3", "screens": []}')
    outcome = cli("status", "--config", config)
    assert "one\n  FLOW " + f"{flow.id}: BLOCKED\n    131000 " in outcome.out
    (state,) = cli("status", "--config", config, "--json").json["flows"]
    (entity,) = state["health_errors"]
    assert (entity["type"], entity["id"], entity["can_send_message"]) == ("FLOW", flow.id, "BLOCKED")
    assert entity["errors"][0]["possible_solution"]


def test_status_for_machines(cli: CommandLine, tmp_path: Path) -> None:
    """A missing flow has no id and no status."""
    config = write_flows(tmp_path, {"one": FLOW_JSON})
    outcome = cli("status", "--config", config, "--json")
    assert outcome.code == 0
    assert outcome.json == {
        "calls": 1,
        "flows": [
            {
                "key": "one", "name": "One", "id": None, "action": "none", "status": None, "error": None,
                "version": None, "health": None, "health_errors": [], "frozen_on": None, "days_until_frozen": None,
                "updated_at": None,
                "validation_errors": 0,
            }
        ],
    }  # fmt: skip
    assert "one   missing  -" in cli("status", "--config", config).out


ENVIRONMENT = '\n[env.staging]\nwaba_id = "{}"\nname_suffix = " (staging)"\n[variables]\nunused = "x"\n'


def test_the_account_of_an_environment(cli: CommandLine, meta: Emulator, folder: Path, client: FlowsClient) -> None:
    """It overrides the environment variable; a different --waba-id is an error; warnings about the file are shown."""
    with (folder / "flows.toml").open("a") as file:
        file.write(ENVIRONMENT.format(meta.waba_id))
    client.create_flow("One (staging)", ["OTHER"], flow_json=FLOW_JSON, publish=True)
    elsewhere = {"WHATSAPP_FLOWS_WABA_ID": "999"}
    outcome = cli("drift", "--env", "staging", env=elsewhere)
    assert "one   PUBLISHED  none" in outcome.out
    assert "two   -          missing" in outcome.out
    assert outcome.err.startswith("note: flows.toml:14: [variables] unused: no file uses this variable.")
    refused = cli("drift", "--env", "staging", "--waba-id", "999")
    assert refused.code == 2
    assert f"--waba-id 999: flows.toml names account {meta.waba_id} in the environment 'staging'." in refused.err
    assert cli("drift", "--env", "staging", "--waba-id", meta.waba_id, env=elsewhere).code == 1
    assert cli("drift", env={"WHATSAPP_FLOWS_WABA_ID": ""}).code == 2


@pytest.mark.parametrize("command", ["plan", "apply --yes", "sync", "drift", "status", "pull"])
def test_a_damaged_lock_file_is_an_error(cli: CommandLine, meta: Emulator, folder: Path, command: str) -> None:
    """Every command that reads the lock file says what to do about it, and sends nothing."""
    (folder / "flows.lock.json").write_text("<<<<<<< HEAD")
    meta.clear_requests()
    outcome = cli(*command.split())
    assert (outcome.code, meta.requests) == (2, ())
    assert "flows.lock.json is damaged: restore it" in " ".join(outcome.err.split())
