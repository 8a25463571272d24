"""`plan` and `apply`: confirmation, saved plans, --force, --prune, Markdown, the request budget."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import CommandLine, Terminal, statuses
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, write_flows
from whatsapp_flows.emulator import Emulator


def test_apply_asks_for_confirmation(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """The plan is shown, and nothing is changed without a yes; without a terminal, --yes is required."""
    config = ("--config", folder / "flows.toml")
    declined = cli("apply", *config, stdin=Terminal("n\n"))
    assert (declined.code, declined.out) == (1, "Nothing was changed.\n")
    assert '+ one: create "One"' in declined.err
    assert "Apply this plan? [y/N]" in declined.err
    assert cli("apply", *config).code == 2
    assert not meta.flows()
    assert cli("apply", *config, stdin=Terminal("y\n")).code == 0
    assert len(meta.flows()) == 2
    assert cli("apply", *config).code == 0  # there is nothing to ask about


@pytest.mark.parametrize("how", ["out", "json"])
def test_a_plan_that_was_kept_is_applied(cli: CommandLine, meta: Emulator, folder: Path, how: str) -> None:
    """As it was reviewed: from --out, or from --json."""
    config, file = ("--config", folder / "flows.toml"), folder / "plan.json"
    if how == "out":
        cli("plan", *config, "--out", file)
    else:
        file.write_text(cli("plan", *config, "--json").out)
    outcome = cli("apply", *config, "--plan", file, "--yes")
    assert (outcome.code, statuses(meta)) == (0, {"One": "PUBLISHED", "Two": "PUBLISHED"})


def test_a_stale_plan_is_refused(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Because of a change at Meta or in the files; or because the file is not a plan."""
    config, file = ("--config", folder / "flows.toml"), folder / "plan.json"
    cli("plan", *config, "--out", file)
    meta.add_flow("One", flow_json=OTHER_FLOW_JSON)
    outcome = cli("apply", *config, "--plan", file, "--yes")
    assert outcome.code == 1
    assert "the plan is stale: these have changed since it was made: one." in outcome.err
    (folder / "one.json").write_bytes(OTHER_FLOW_JSON)
    assert "the flows in the files have changed since the plan" in cli("apply", *config, "--plan", file, "--yes").err
    file.write_text("{")
    assert "is not a plan" in cli("apply", *config, "--plan", file, "--yes").err
    assert {request.method for request in meta.requests} == {"GET"}


def test_too_much_at_once_needs_force(cli: CommandLine, meta: Emulator, tmp_path: Path) -> None:
    """`plan` says so and exits with 1; `apply` refuses; --force permits it."""
    write_flows(tmp_path, {f"f{number}": FLOW_JSON for number in range(11)})
    for number in range(11):
        meta.add_flow(f"F{number}", flow_json=OTHER_FLOW_JSON)
    config = ("--config", tmp_path / "flows.toml")
    planned = cli("plan", *config)
    assert planned.code == 1
    assert planned.out.splitlines()[-1].startswith("Refused: 11 of the 11 existing flows would be changed")
    refused = cli("apply", *config, "--yes")
    assert refused.code == 1
    assert "set force (--force) to allow it" in refused.err
    assert cli("apply", *config, "--yes", "--force").code == 0


def test_flows_that_left_the_file_are_pruned(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """Only with --prune, which looks at the whole file."""
    cli("sync", folder)
    write_flows(folder, {"one": FLOW_JSON}, publish=True)
    assert cli("sync", folder).code == 0
    assert statuses(meta) == {"One": "PUBLISHED", "Two": "PUBLISHED"}
    assert cli("sync", folder, "--prune", "--flow", "one").code == 2
    planned = cli("plan", "--config", folder / "flows.toml", "--prune")
    assert '- two: deprecate "Two"; no table names it' in planned.out.splitlines()
    assert cli("sync", folder, "--prune").code == 0
    assert statuses(meta) == {"One": "PUBLISHED", "Two": "DEPRECATED"}


def test_a_summary_for_github(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """A table, and the differences in folded sections; nothing in it is read as markup."""
    meta.add_flow("Two", flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    outcome = cli("plan", "--config", folder / "flows.toml", "--markdown")
    assert outcome.out.splitlines()[:7] == [
        "### WhatsApp Flows: plan",
        "",
        "2 flows: 1 to create, 1 to republish. It takes 4 requests.",
        "",
        "| flow | action | change |",
        "| --- | --- | --- |",
        '| `one` | create | `create "One"` |',
    ]
    assert "<details><summary>two</summary>" in outcome.out
    assert "```diff" in outcome.out


def test_the_wait_for_the_budget_is_announced(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """With the duration of the run, and the number of requests an hour."""
    planned = cli("plan", "--config", folder / "flows.toml", "--calls-per-hour", "2")
    assert "It takes 2 requests and 30 min at 2 requests an hour." in planned.out
    outcome = cli("sync", folder, "--calls-per-hour", "2", "--jobs", "1")
    assert outcome.code == 0
    assert "2 requests, which take 30 min within the request budget." in outcome.err
    assert cli.sleeps
