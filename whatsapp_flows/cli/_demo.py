"""`demo`: an upload that fails twice and then succeeds, on the emulator. It needs no credentials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click
from rich.text import Text

from .._inert import inert
from ..client import FlowsClient
from ..errors import ConfigurationError
from ..retry import ExponentialBackoff
from ..sync import DesiredFlow, Lock, PlanOptions, read_workspace
from ._app import App
from ._deploy import Deployment, DeploySettings
from ._deploy_values import Deployed
from ._emulate import import_emulator
from ._json import Json, as_json
from ._layout import format_duration
from ._options import Command, attempts_option
from ._text import Lines, as_text
from ._values import Value

_PREFERRED_FAILING_FLOW: Final = "solar_installation"
_FAILURES: Final = 2
_WAIT_SCALE: Final = 0.1  # of the default waits


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSetup(Value):
    """What the demo is going to do. `waits` are its waits in seconds, `real_waits` those of the default policy."""

    url: str
    folder: Path
    failing_flow: str
    failures: int
    waits: Sequence[float]
    real_waits: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport(Value):
    """The result of the demo."""

    setup: DemoSetup
    report: Deployed

    @property
    def exit_code(self) -> int:
        """The exit code of the deployment."""
        return self.report.exit_code


@click.command(cls=Command, api=False, extra=[attempts_option()])
@click.option(
    "--flows", "folder", metavar="DIR", default="examples/flows", show_default=True, help="Folder with a flows.toml.",
    type=click.Path(path_type=Path),
)  # fmt: skip
@click.pass_obj
def demo(app: App, folder: Path) -> DemoReport:
    """Watch an upload fail twice and succeed, against a local emulator. Needs no account."""
    flows = _read_flows(folder)
    failing = next((flow for flow in flows if flow.key == _PREFERRED_FAILING_FLOW), flows[0])
    real = ExponentialBackoff()
    policy = ExponentialBackoff(initial=real.initial * _WAIT_SCALE)
    with import_emulator().Emulator() as emulator:
        setup = DemoSetup(
            url=emulator.url, folder=folder, failing_flow=failing.key, failures=_FAILURES,
            waits=_waits(policy), real_waits=_waits(real),
        )  # fmt: skip
        if not app.options.get("json"):
            app.show(setup)
        draft = emulator.add_flow(failing.name, categories=failing.categories)
        emulator.fail("update_flow_json", code=139001, subcode=4016012, times=_FAILURES, flow_id=draft.id)
        return DemoReport(setup=setup, report=_deploy(app, emulator, flows, policy))


def _read_flows(folder: Path) -> list[DesiredFlow]:
    """The flows of the folder, all to be published."""
    file = folder / "flows.toml"
    if not file.is_file():
        raise ConfigurationError(
            f"{file} does not exist. Run the demo in a checkout of the project, or give a folder with --flows DIR."
        )
    return [replace(flow, publish=True) for flow in read_workspace(file).flows]


def _waits(policy: ExponentialBackoff) -> list[float]:
    return [policy.initial * policy.multiplier**number for number in range(_FAILURES)]


def _deploy(app: App, emulator: Any, flows: Sequence[DesiredFlow], policy: ExponentialBackoff) -> Deployed:
    progress = app.progress_reporter()
    with (
        FlowsClient(
            "emulated",
            emulator.waba_id,
            base_url=emulator.url,
            retry_policy=policy,
            max_attempts=app.options.get("max_attempts", 3),
            sleep=app.sleep,
            stop=app.stop,
            on_event=(app.counters, progress),
        ) as client,
        progress,
    ):
        lock = Lock(None, account_id=emulator.waba_id)
        deployment = Deployment(app, client, progress, lock, DeploySettings(options=PlanOptions()))
        return deployment.apply(deployment.plan(flows), retry_policy=policy)


# -- output


@as_text.register
def _(value: DemoSetup) -> Lines:
    waits, real = (" and ".join(format_duration(wait) for wait in waits) for waits in (value.waits, value.real_waits))
    yield Text.assemble(("Demo: ", "bold"), f"deploy and publish the flows of {inert(str(value.folder))}.")
    yield Text(f"  Meta is replaced by an emulator on this machine, at {value.url}.")
    yield Text(f"  The first {value.failures} uploads of {inert(value.failing_flow)} fail with error 139001/4016012,")
    yield Text("  which Meta returns for a Flow JSON that succeeds when it is sent again.")
    yield Text(f"  The waits between attempts are shortened from {real} to {waits}.")
    yield Text()


@as_json.register
def _(value: DemoSetup) -> Json:
    return {"emulator": value.url, "waits": list(value.waits), "real_waits": list(value.real_waits)}


@as_text.register
def _(value: DemoReport) -> Lines:
    yield from as_text(value.report)
    setup = value.setup
    failing = next((result for result in value.report.results if result.key == setup.failing_flow), None)
    if failing is not None and failing.ok:
        yield Text(
            f"{inert(setup.failing_flow)} succeeded on attempt {failing.attempts}. "
            f"The default waits take {format_duration(sum(setup.real_waits))}."
        )
        yield Text("Next, with an account: whatsapp-flows import, then plan and apply.")


@as_json.register
def _(value: DemoReport) -> Json:
    return {**as_json(value.report), **as_json(value.setup)}
