"""`demo`: an upload that fails twice and succeeds, without credentials."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.sync.support import FLOW_JSON, write_flows

EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"


def test_the_demo_shows_an_upload_that_succeeds_after_retries() -> None:
    """Seven flows are published; solar_installation takes three attempts; the output says that waits are shortened."""
    cli = CommandLine()
    outcome = cli("demo", "--flows", EXAMPLES)
    assert (outcome.code, cli.sleeps) == (0, [0.5, 1.0])
    assert "The waits between attempts are shortened from 5 s and 10 s to 0.5 s and 1 s." in outcome.out
    assert "solar_installation             uploaded  PUBLISHED         3" in outcome.out.splitlines()
    assert outcome.out.count("PUBLISHED") == 7
    assert "7 flows: 1 uploaded, 6 created. 13 requests (2 retries), 1.5 s of waiting." in outcome.out
    assert outcome.out.splitlines()[-1] == "Next, with an account: whatsapp-flows import, then plan and apply."
    first, second = (line for line in outcome.err.splitlines() if "; retry" in line)
    assert first.startswith("solar_installation: Meta flow processing error detected (retryable): ")
    assert first.endswith("; retry 2/3 in 0.5 s")
    assert second.endswith("; retry 3/3 in 1 s")


def test_the_demo_has_its_report_as_json() -> None:
    """One object, and nothing else on stdout."""
    report = CommandLine()("demo", "--flows", EXAMPLES, "--json").json
    assert (report["calls"], report["waits"], report["real_waits"]) == (13, [0.5, 1.0], [5.0, 10.0])
    assert {flow["status"] for flow in report["flows"]} == {"PUBLISHED"}


def test_the_demo_reports_a_failure() -> None:
    """With too few attempts the upload fails, and the exit code is 1."""
    outcome = CommandLine()("demo", "--flows", EXAMPLES, "--max-attempts", "2")
    assert outcome.code == 1
    assert "solar_installation: failed: update flow json" in outcome.out
    assert "succeeded on attempt" not in outcome.out


def test_the_demo_takes_other_flows(tmp_path: Path) -> None:
    """The first of them is the one that fails twice."""
    write_flows(tmp_path, {"one": FLOW_JSON, "two": FLOW_JSON})
    outcome = CommandLine()("demo", "--flows", tmp_path)
    assert outcome.code == 0
    assert "one succeeded on attempt 3." in outcome.out


def test_the_demo_says_where_it_finds_flows(tmp_path: Path) -> None:
    """An installed package has no examples."""
    outcome = CommandLine()("demo", "--flows", tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "flows.toml does not exist. Run the demo in a checkout of the project, or give a folder" in outcome.err


@pytest.mark.parametrize("command", ["demo", "emulate"])
def test_without_its_extra_the_emulator_says_which(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the command that installs it."""
    for name in [name for name in sys.modules if name.startswith("whatsapp_flows.emulator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("whatsapp_flows.emulator", raising=False)
    monkeypatch.setitem(sys.modules, "werkzeug", None)
    outcome = CommandLine()(command, *(["--flows", EXAMPLES] if command == "demo" else []))
    assert outcome.code == 2
    assert 'pip install "whatsapp-flows-sdk[emulator]"' in outcome.err
