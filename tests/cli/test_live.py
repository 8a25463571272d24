"""What an operator reads if live flows could not be changed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.sync.support import FLOW_JSON, OTHER_FLOW_JSON, write_flows
from whatsapp_flows.cli import run
from whatsapp_flows.emulator import Emulator

KEYS = [f"f{number}" for number in range(10)]


@pytest.fixture
def folder(tmp_path: Path, meta: Emulator) -> Path:
    """Ten live flows, all of which are to be changed."""
    for key in KEYS:
        meta.add_flow(key.title(), flow_json=OTHER_FLOW_JSON, status="PUBLISHED")
    write_flows(tmp_path, dict.fromkeys(KEYS, FLOW_JSON), publish=True)
    return tmp_path


def test_a_flow_that_could_not_be_restored_has_advice(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """The other nine are in one line. Following the advice restores the flow."""
    fault = meta.fail("publish_flow", code=139002, subcode=4233014)
    config = ("--config", folder / "flows.toml")
    outcome = cli("apply", *config, "--yes")
    assert outcome.code == 1
    flow_id = meta.flows()[0].id
    left = folder / f"flows.lock.f0-{flow_id}.old"
    upload = f"`whatsapp-flows flows upload {flow_id} {left}`"
    way_on = f"To go on: {upload}, then `whatsapp-flows flows publish {flow_id}`."
    lines = outcome.out.splitlines()
    assert "f1, f2, f3 and 6 more: not begun: F0 could not be published again" in lines
    assert any(line.startswith("  It is DRAFT and holds its old Flow JSON") and line.endswith(way_on) for line in lines)
    assert [flow.status for flow in meta.flows()] == ["DRAFT"] + ["PUBLISHED"] * 9
    fault.cancel()
    assert cli("flows", "upload", flow_id, left).code == 0
    assert cli("flows", "publish", flow_id).code == 0
    assert (meta.flow(flow_id).status, meta.flow(flow_id).flow_json) == ("PUBLISHED", OTHER_FLOW_JSON)
    assert cli("apply", *config, "--yes").code == 0
    assert not left.exists()


def test_one_that_was_restored_says_so(cli: CommandLine, meta: Emulator, folder: Path) -> None:
    """In the table, in the line of progress and in JSON; the other nine are published."""
    meta.fail("publish_flow", code=139002, subcode=4233014, times=1)
    outcome = cli("apply", "--config", folder / "flows.toml", "--yes")
    assert outcome.code == 1
    assert "  Its old version is live again." in outcome.out.splitlines()
    assert "[1/10] f0: uploaded, restored" in outcome.err.splitlines()
    assert "10 flows: 1 restored, 9 republished." in outcome.out
    meta.fail("publish_flow", code=139002, subcode=4233014, times=1)
    first = cli("apply", "--config", folder / "flows.toml", "--yes", "--json").json["flows"][0]
    assert (first["restored"], first["note"], first["old_document"]) == (True, "Its old version is live again.", None)


def test_a_deprecation_says_what_it_waits_for_and_why_it_did_not_happen(
    cli: CommandLine, meta: Emulator, tmp_path: Path
) -> None:
    """In the plan as text, Markdown and JSON; and in the report."""
    config = write_flows(tmp_path, {"booking": FLOW_JSON}, publish=True)
    assert cli("apply", "--config", config, "--yes").code == 0
    config.write_text(config.read_text().replace("Booking", "Termin"))
    options = ("--config", config, "--prune")
    reported = 'deprecate "Booking"; replaced by another flow; after Termin is live'
    assert reported in cli("plan", *options).out
    assert reported in cli("plan", *options, "--markdown").out
    assert [flow["after"] for flow in cli("plan", *options, "--json").json["flows"]] == [None, "booking"]
    meta.fail("create_flow", code=100, times=1)
    outcome = cli("apply", *options, "--yes")
    assert f"booking@{meta.flows()[0].id}: kept: Termin is not live" in outcome.out.splitlines()
    assert (outcome.code, meta.flows()[0].status) == (1, "PUBLISHED")
    assert cli("apply", *options, "--yes").code == 0
    assert [flow.status for flow in meta.flows()] == ["DEPRECATED", "PUBLISHED"]


def test_an_interrupt_says_that_the_flow_is_live_again(meta: Emulator, folder: Path) -> None:
    """It arrives between two attempts to publish; with a second interrupt, the report says how the flow is left."""
    env = {
        "WHATSAPP_FLOWS_ACCESS_TOKEN": "the-token", "WHATSAPP_FLOWS_WABA_ID": meta.waba_id,
        "WHATSAPP_FLOWS_BASE_URL": meta.url,
    }  # fmt: skip
    for times, reported in (
        (1, ["f0: restored: interrupted", "  Its old version is live again."]),
        (2, ["f0: interrupted", "  Its state is not known, and it may hold the new Flow JSON; its old version could"]),
    ):
        left = [times]

        def sleep(seconds: float, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] >= 0:
                raise KeyboardInterrupt

        meta.clear_faults()
        meta.fail("publish_flow", code=131000, times=2)
        out = io.StringIO()
        argv = ["apply", "--config", str(folder / "flows.toml"), "--yes"]
        err = io.StringIO()
        code = run(argv, stdout=out, stderr=err, env=env, sleep=sleep)
        assert code == 130, (times, err.getvalue())
        lines = out.getvalue().splitlines()
        at = lines.index(reported[0])
        assert lines[at + 1].startswith(reported[1])
        assert "f1, f2, f3 and 6 more: not begun" in lines
