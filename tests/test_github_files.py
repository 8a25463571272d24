"""The GitHub Action of `action.yml`, its steps run against the emulator, and the workflow of a release."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
RELEASE: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())

FLOW_JSON = {
    "version": "7.3",
    "screens": [
        {
            "id": "WELCOME",
            "title": "Welcome",
            "terminal": True,
            "layout": {
                "type": "SingleColumnLayout",
                "children": [
                    {
                        "type": "Footer",
                        "label": "Done",
                        "on-click-action": {"name": "complete", "payload": {}},
                    }
                ],
            },
        }
    ],
}
CONFIG = """
[flows.booking]
name = "Booking"
categories = ["OTHER"]
file = "booking.json"
publish = true

[env.staging.flows.booking]
name = "Booking, staging"
"""


class Runner:
    """A job of GitHub Actions: a checkout, and the steps of the action as a runner would run them."""

    def __init__(self, folder: Path, meta: Emulator) -> None:
        self.checkout = folder / "checkout"
        self.summary = folder / "summary.md"
        self.temp = folder / "temp"
        (self.checkout / "flows").mkdir(parents=True)
        (self.checkout / "flows" / "flows.toml").write_text(CONFIG)
        self.write(FLOW_JSON)
        installed = self.temp / "whatsapp-flows"  # what the step Install makes
        installed.mkdir(parents=True)
        (installed / "bin").symlink_to(Path(sys.executable).parent)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "WHATSAPP_FLOWS_ACCESS_TOKEN": "token-of-the-secret",
            "WHATSAPP_FLOWS_WABA_ID": meta.waba_id,
            "WHATSAPP_FLOWS_BASE_URL": meta.url,
        }
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "flows"]):
            subprocess.run([*git, *command], cwd=self.checkout, check=True, env=self.environment)

    def write(self, document: object) -> None:
        (self.checkout / "flows" / "booking.json").write_text(json.dumps(document))

    def run(self, **inputs: str) -> tuple[list[str], int, str]:
        """The steps that ran after the installation, the exit code of the last, and what they printed."""
        values = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()} | inputs
        ran: list[str] = []
        printed = ""
        for step in ACTION["runs"]["steps"][1:]:
            if "if" in step and not _condition(step["if"], values):
                continue
            ran.append(step["name"])
            env = {name: _value(text, values) for name, text in step["env"].items()}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.checkout,
                env=self.environment | env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            printed += done.stdout
            if done.returncode:
                return ran, done.returncode, printed
        return ran, 0, printed


def _value(expression: str, inputs: dict[str, str]) -> str:
    """`${{ inputs.NAME }}` of an `env` entry."""
    found = re.fullmatch(r"\$\{\{ inputs\.(\w+) \}\}", expression)
    assert found, expression
    return inputs[found[1]]


def _condition(expression: str, inputs: dict[str, str]) -> bool:
    """`${{ inputs.NAME == 'TEXT' }}` of a step."""
    found = re.fullmatch(r"\$\{\{ inputs\.(\w+) == '(\w+)' \}\}", expression)
    assert found, expression
    return inputs[found[1]] == found[2]


@pytest.fixture
def meta() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def runner(tmp_path: Path, meta: Emulator) -> Runner:
    return Runner(tmp_path, meta)


def names(meta: Emulator) -> dict[str, str]:
    """The flows of the account: name -> status."""
    with FlowsClient("token", meta.waba_id, base_url=meta.url) as client:
        return {flow.name or "": str(flow.status) for flow in client.list_flows()}


def test_it_validates_and_plans_and_applies_nothing_by_default(runner: Runner, meta: Emulator) -> None:
    """Without `apply` the plan is in the job summary, and the account is as it was."""
    ran, code, printed = runner.run()
    assert (ran, code) == (["Validate", "Plan"], 0), printed
    assert "Booking" in runner.summary.read_text()
    assert names(meta) == {}


@pytest.mark.slow
def test_it_applies_the_plan_of_the_summary(runner: Runner, meta: Emulator) -> None:
    """With `apply: true` the flow is created and published; the token is in no output."""
    ran, code, printed = runner.run(apply="true")
    assert (ran, code) == (["Validate", "Plan", "Apply"], 0), printed
    assert names(meta) == {"Booking": "PUBLISHED"}
    assert "token-of-the-secret" not in printed + runner.summary.read_text()


@pytest.mark.slow
def test_the_environment_is_one_of_the_configuration(runner: Runner, meta: Emulator) -> None:
    """`environment` chooses a table `[env.NAME]`, for the plan and for its application."""
    _, code, printed = runner.run(apply="true", environment="staging")
    assert code == 0, printed
    assert names(meta) == {"Booking, staging": "PUBLISHED"}


def test_an_error_in_a_flow_json_ends_the_job_before_anything_is_sent(runner: Runner, meta: Emulator) -> None:
    """A file that Meta would refuse is annotated, and no request leaves."""
    runner.write({**FLOW_JSON, "oops": 1})
    ran, code, printed = runner.run(apply="true")
    assert (ran, code != 0) == (["Validate"], True)
    assert "::error file=flows/booking.json,line=1" in printed
    assert meta.requests == ()


def test_inputs_reach_the_shell_as_data() -> None:
    """No script has an expression in its text, where an input could become a command."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_a_config_path_is_data(runner: Runner) -> None:
    """What looks like a command in an input is a file name that does not exist."""
    _, code, printed = runner.run(config="$(touch made)/flows.toml; touch made")
    assert code != 0
    assert "Traceback" not in printed
    assert not list(runner.checkout.rglob("made"))


def test_a_release_needs_its_tag_and_its_section(tmp_path: Path) -> None:
    """A tag that is not the version, or a version without a section in the changelog, is not built."""
    (script,) = [step["run"] for step in RELEASE["jobs"]["build"]["steps"] if "TAG" in step.get("env", {})]
    (tmp_path / "whatsapp_flows").mkdir()
    (tmp_path / "whatsapp_flows" / "_version.py").write_text('"""The version."""\n\n__version__ = "1.2.3"\n')
    changelog = tmp_path / "CHANGELOG.md"

    def run(tag: str) -> int:
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=tmp_path, env={**os.environ, "TAG": tag}, check=False).returncode

    changelog.write_text("# Changes\n\n## Unreleased\n")
    assert run("v1.2.3") == 1
    changelog.write_text("# Changes\n\n## 1.2.3\n")
    assert run("v1.2.3") == 0
    assert run("v1.2.4") == 1


@pytest.mark.slow
def test_the_built_wheel_deploys_the_flows_of_the_checkout(tmp_path: Path) -> None:
    """The step that tries the wheel finds the example flows, although it runs outside of the checkout."""
    (script,) = [step["run"] for step in RELEASE["jobs"]["build"]["steps"] if "clean" in step.get("run", "")]
    installed = tmp_path / "clean" / "bin"  # what the script's first two lines make, which need a package index
    installed.mkdir(parents=True)
    for python in (tmp_path / "python", installed / "python"):
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)
    (installed / "whatsapp-flows").symlink_to(Path(sys.executable).with_name("whatsapp-flows"))
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "a.whl").touch()
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_WORKSPACE": str(ROOT),
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("published")) == (0, 7), done.stderr


def test_only_the_publishing_job_may_ask_for_an_identity() -> None:
    """Trusted publishing: the one job with `id-token: write` runs no code of the repository; no secret is read."""
    jobs = RELEASE["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})] == ["publish"]
    assert all("run" not in step for step in jobs["publish"]["steps"])
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text()
