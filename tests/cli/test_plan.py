"""`plan` and `apply`: accounts, permissions, exit codes, and the output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import CommandLine, Terminal, statuses
from tests.sync.support import FAULTY_FLOW_JSON, FLOW_JSON, OTHER_FLOW_JSON, write_flows
from whatsapp_flows.emulator import Emulator

SECOND = "20100000000000002"


class TestAnotherAccount:
    """The environment names an account that is not the lock file's, and flows.toml names none."""

    @pytest.fixture
    def second(self, cli: CommandLine, meta: Emulator, folder: Path) -> Any:
        """The command line in the second account, after a deployment to the first."""
        meta.add_account(SECOND)
        meta.add_phone_number("20200000000000002", waba_id=SECOND)
        assert cli("sync", folder).code == 0
        meta.clear_requests()

        def run(*argv: object, **more: Any) -> Any:
            return cli(*argv, env={"WHATSAPP_FLOWS_WABA_ID": SECOND}, **more)

        return run

    def test_the_plan_says_it_first(self, second: Any, meta: Emulator, folder: Path) -> None:
        """With both ids, before anything else, and its exit code is 1."""
        outcome = second("plan", "--config", folder / "flows.toml")
        first = outcome.out.splitlines()[0]
        assert (outcome.code, first.startswith("ANOTHER ACCOUNT: ")) == (1, True)
        assert meta.waba_id in first
        assert SECOND in first
        assert second("plan", "--config", folder / "flows.toml", "--json").json["other_account"] == meta.waba_id
        markdown = second("plan", "--config", folder / "flows.toml", "--markdown").out.splitlines()
        assert markdown[2].startswith("**ANOTHER ACCOUNT")

    @pytest.mark.parametrize("command", [("apply", "--yes", "--config"), ("sync", "--config")])
    def test_nothing_is_deployed_without_permission(
        self, second: Any, meta: Emulator, folder: Path, command: tuple[str, ...]
    ) -> None:
        """The first account's lock file is not overwritten either; --force does not permit it."""
        before = (folder / "flows.lock.json").read_bytes()
        outcome = second(*command, folder / "flows.toml", "--force")
        assert outcome.code == 1
        assert "--new-account" in outcome.err
        assert {request.method for request in meta.requests} == {"GET"}
        assert (folder / "flows.lock.json").read_bytes() == before

    def test_with_it_each_account_has_a_lock_file(self, second: Any, cli: CommandLine, folder: Path) -> None:
        """The next run needs no option."""
        before = (folder / "flows.lock.json").read_bytes()
        outcome = second("apply", "--yes", "--new-account", "--config", folder / "flows.toml")
        assert outcome.code == 0
        assert (folder / "flows.lock.json").read_bytes() == before
        assert json.loads((folder / f"flows.{SECOND}.lock.json").read_text())["account_id"] == SECOND
        assert second("apply", "--yes", "--config", folder / "flows.toml").code == 0
        assert "ANOTHER ACCOUNT" not in second("plan", "--config", folder / "flows.toml").out
        assert "2 unchanged" in cli("plan", "--config", folder / "flows.toml").out

    @pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
    def test_at_a_terminal_the_answer_permits_it(self, second: Any, folder: Path, answer: str, code: int) -> None:
        """The question follows the plan, which begins with the warning."""
        outcome = second("apply", "--config", folder / "flows.toml", stdin=Terminal(answer))
        assert outcome.code == code
        asked = outcome.err.index(f"Deploy to account {SECOND} for the first time, in addition to account ")
        assert outcome.err.index("ANOTHER ACCOUNT") < asked
        assert "Refused" not in outcome.err

    def test_without_a_terminal_an_option_must_permit_it(self, second: Any, meta: Emulator, folder: Path) -> None:
        """--yes alone would not suffice, so the message does not mention it, nor a new plan."""
        outcome = second("apply", "--config", folder / "flows.toml")
        assert (outcome.code, meta.flows(SECOND)) == (1, ())
        assert "set new_account (--new-account)" in outcome.err
        assert "--yes" not in outcome.err
        assert "Make the plan again" not in outcome.err


def test_a_lock_file_that_cannot_be_written_is_reported(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """The deployment continues, and the report says that it is not recorded."""
    (folder / "flows.lock.json").symlink_to(folder / "gone" / "lock.json")
    outcome = cli("apply", "--yes", "--config", folder / "flows.toml")
    assert (outcome.code, statuses(meta)) == (0, {"One": "PUBLISHED", "Two": "PUBLISHED"})
    message = outcome.out.splitlines()[-1]
    assert "flows.lock.json cannot be written: it is a link to " in message
    assert message.endswith("--prune does not know the new flows.")
    again = cli("sync", folder, "--json").json
    assert "cannot be written" in again["lock_error"]
    (folder / "flows.lock.json").unlink()
    assert cli("sync", folder, "--json").json["lock_error"] is None


def test_no_line_of_a_pipe_is_cut(cli: CommandLine, folder: Path) -> None:
    """Errors in a Flow JSON are complete, however small COLUMNS is."""
    (folder / "one.json").write_bytes(FLOW_JSON.replace(b'"terminal": true', b'"terminol": true'))
    narrow = cli("plan", "--config", folder / "flows.toml", env={"COLUMNS": "40"})
    assert "INVALID_PROPERTY_KEY" in narrow.out
    assert narrow.out == cli("plan", "--config", folder / "flows.toml").out


def test_a_name_needs_the_account(cli: CommandLine) -> None:
    """The message names the option for it."""
    outcome = cli("flows", "get", "Booking", env={"WHATSAPP_FLOWS_WABA_ID": ""})
    assert outcome.code == 2
    assert "--waba-id" in outcome.err


def test_a_plan_file_gives_no_permission(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """A plan that was made with --prune is applied only with --prune."""
    cli("sync", folder)
    write_flows(folder, {"one": FLOW_JSON}, publish=True)
    config, file = ("--config", folder / "flows.toml"), folder / "plan.json"
    cli("plan", *config, "--prune", "--out", file)
    refused = cli("apply", *config, "--plan", file, "--yes")
    assert refused.code == 1
    assert "prune = true" in refused.err
    assert statuses(meta)["Two"] == "PUBLISHED"
    assert cli("apply", *config, "--plan", file, "--yes", "--prune").code == 0
    assert statuses(meta)["Two"] == "DEPRECATED"


def test_force_in_a_plan_file_is_not_obeyed(cli: CommandLine, meta: Emulator, tmp_path: Path) -> None:
    """It must be on the command line of `apply`."""
    write_flows(tmp_path, {f"f{number}": FLOW_JSON for number in range(11)})
    for number in range(11):
        meta.add_flow(f"F{number}", flow_json=OTHER_FLOW_JSON)
    config, file = ("--config", tmp_path / "flows.toml"), tmp_path / "plan.json"
    cli("plan", *config, "--out", file)
    document = json.loads(file.read_text())
    document["options"] |= {"force": True, "max_changes": 1.0}
    file.write_text(json.dumps({**document, "refusal": ""}))
    assert cli("apply", *config, "--plan", file, "--yes").code == 1
    assert {request.method for request in meta.requests} == {"GET"}
    assert cli("apply", *config, "--plan", file, "--yes", "--force").code == 0


@pytest.mark.parametrize(
    "damage", [{"flows": 7}, {"options": {"today": "x"}}, {"account_id": []}, {"listed": "many"}, {"digest": None}]
)
def test_a_plan_file_of_other_types_is_reported(cli: CommandLine, folder: Path, damage: dict[str, Any]) -> None:
    """As an invalid plan, without a traceback."""
    config, file = ("--config", folder / "flows.toml"), folder / "plan.json"
    cli("plan", *config, "--out", file)
    file.write_text(json.dumps({**json.loads(file.read_text()), **damage}))
    outcome = cli("apply", *config, "--plan", file, "--yes")
    assert (outcome.code, outcome.err.startswith("error: ")) == (1, True)
    assert "plan" in outcome.err


def test_detailed_exit_codes(cli: CommandLine, folder: Path) -> None:
    """As in Terraform: 0 for no changes, 2 for changes, 1 for every error, usage errors included."""
    config = ("--config", folder / "flows.toml")
    assert cli("plan", *config, "--detailed-exitcode").code == 2
    assert cli("plan", *config).code == 0
    cli("sync", folder)
    assert cli("plan", *config, "--detailed-exitcode").code == 0
    (folder / "one.json").write_bytes(FAULTY_FLOW_JSON)
    assert cli("plan", *config, "--detailed-exitcode").code == 1
    (folder / "one.json").write_text("{")
    assert cli("plan", *config, "--detailed-exitcode").code == 1
    assert cli("plan", *config, "--detailed-exitcode", "--nonsense").code == 1
    assert cli("plan", *config, "--nonsense").code == 2


def test_what_is_blocked_is_not_nothing(cli: CommandLine, folder: Path) -> None:
    """The summary of a plan with a blocked flow says so."""
    cli("sync", folder)
    (folder / "one.json").write_bytes(FAULTY_FLOW_JSON)
    assert cli("plan", "--config", folder / "flows.toml").out.splitlines()[-1] == (
        "2 flows: 1 unchanged, 1 blocked. Nothing else to do."
    )


@pytest.mark.parametrize(("mode", "code"), [("error", 1), ("warn", 0), ("off", 0)])
def test_validation_can_be_overridden(cli: CommandLine, folder: Path, mode: str, code: int) -> None:
    """So that a Flow JSON that Meta accepts and this library does not know can be deployed."""
    (folder / "one.json").write_bytes(FAULTY_FLOW_JSON)
    outcome = cli("plan", "--config", folder / "flows.toml", "--validate", mode)
    assert outcome.code == code
    assert ("MIN_ITEMS_REQUIRED" in outcome.out) == (mode != "off")
    assert ('+ one: create "One"' in outcome.out) == (mode != "error")


def test_the_summary_says_why_a_flow_is_blocked(cli: CommandLine, folder: Path) -> None:
    """With file, line, column and code, like the text."""
    (folder / "two.json").write_bytes(FAULTY_FLOW_JSON)
    out = cli("plan", "--config", folder / "flows.toml", "--markdown").out
    assert "| `two` | blocked | `blocked: 1 error in two.json` |" in out
    assert f"- `{folder / 'two.json'}:1:31 MIN_ITEMS_REQUIRED: " in out


def test_a_column_is_that_of_the_file(cli: CommandLine, tmp_path: Path) -> None:
    """Not that of the text after the variables were replaced."""
    text = '{"name": "{{long}}", "version": "7.3", "screens": []}'
    config = write_flows(tmp_path, {"one": text.encode()})
    config.write_text(config.read_text() + f'\n[variables]\nlong = "{"x" * 200}"\n')
    out = cli("plan", "--config", config).out
    assert f"one.json:1:{text.index('[]') + 1} MIN_ITEMS_REQUIRED" in out
    assert f"one.json:1:{text.index('[]') + 1} MIN_ITEMS_REQUIRED" in cli("plan", "--config", config, "--markdown").out


def test_a_deprecation_says_what_it_waits_for(cli: CommandLine, folder: Path) -> None:
    """The table was renamed, and the flow with the old name is live."""
    cli("sync", folder)
    config = folder / "flows.toml"
    config.write_text(config.read_text().replace('name = "Two"', 'name = "Termin"'))
    out = cli("plan", "--config", config, "--prune").out.splitlines()
    assert '+ two: create "Termin"' in out
    assert next(line for line in out if line.startswith("- two@")).endswith("after Termin is live")


def test_status_and_drift_mean_the_flow_that_the_lock_file_has(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Like the plan: another tool's generation does not count, and a renamed flow does."""
    cli("sync", folder)
    ids = {flow.name: flow.id for flow in meta.flows()}
    meta.add_flow("One (generation 2)", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    config = ("--config", folder / "flows.toml")
    assert {flow["id"] for flow in cli("status", *config, "--json").json["flows"]} == set(ids.values())
    drift = cli("drift", *config, "--json").json
    assert [(flow["id"], flow["action"]) for flow in drift["flows"]] == [(ids["One"], "none"), (ids["Two"], "none")]
