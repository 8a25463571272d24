"""`demo` and `explain`: commands that need no credentials."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from .._error_codes import ERROR_CODES, ErrorRow
from ..client import FlowsClient
from ..errors import ConfigurationError
from ..retry import ExponentialBackoff
from ..sync import Lock, PlanOptions, read_workspace
from ._app import App
from ._deploy import Given, Session
from ._deploy_values import DemoReport
from ._emulate import emulator_room
from ._options import Command, attempts_option
from ._values import DemoStage, Explanation

_STAR: Final = "solar_installation"
_FAULTS: Final = 2
_SHORTENED: Final = 0.1


class _Local(Command):
    """A command that calls no API but the emulator's."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(api=False, **settings)


@click.command(cls=_Local, extra=[attempts_option()])
@click.option(
    "--flows", "folder", metavar="DIR", default="examples/flows", show_default=True, help="Where flows.toml is.",
    type=click.Path(path_type=Path),
)  # fmt: skip
@click.pass_obj
def demo(app: App, folder: Path) -> DemoReport:
    """See an upload fail twice and get through, on an emulator of Meta."""
    if not (folder / "flows.toml").is_file():
        raise ConfigurationError(
            f"{folder / 'flows.toml'} is not there: run the demo where the project's examples are, or give --flows DIR."
        )
    wanted = [replace(flow, publish=True) for flow in read_workspace(folder / "flows.toml").flows]
    star = next((flow.key for flow in wanted if flow.key == _STAR), wanted[0].key)
    real = ExponentialBackoff()
    policy = ExponentialBackoff(initial=real.initial * _SHORTENED)
    waits = [policy.initial * policy.multiplier**n for n in range(_FAULTS)]
    with emulator_room().Emulator() as meta:
        stage = DemoStage(
            url=meta.url, folder=folder, victim=star, faults=_FAULTS, waits=waits,
            real_waits=[wait / _SHORTENED for wait in waits],
        )  # fmt: skip
        if not app.given.get("json"):
            app.show(stage)

        victim = next(flow for flow in wanted if flow.key == star)
        draft = meta.add_flow(victim.name, categories=victim.categories)
        meta.fail("update_flow_json", code=139001, subcode=4016012, times=_FAULTS, flow_id=draft.id)
        narrator = app.narrator()
        with (
            FlowsClient(
                "emulated",
                meta.waba_id,
                base_url=meta.url,
                retry_policy=policy,
                max_attempts=app.given.get("max_attempts", 3),
                sleep=app.sleep,
                stop=app.stop,
                on_event=(app.counters, narrator),
            ) as client,
            narrator,
        ):
            session = Session(app, client, narrator, Lock(None, account_id=meta.waba_id), Given(options=PlanOptions()))
            report = session.apply(session.plan(wanted), retry_policy=policy)
    return DemoReport(stage=stage, report=report)


@click.command(cls=Command)
@click.argument("code", metavar="CODE[/SUBCODE]")
@click.option("--flow", "flow_id", metavar="ID", help="Also ask Meta for the health of this flow.")
@click.option("--phone-number", "phone_number_id", metavar="ID", help="The health for this number.")
@click.pass_obj
def explain(app: App, code: str, flow_id: str | None, phone_number_id: str | None) -> Explanation:
    """
    Say what an error code of Meta means, and what to do about it.

    Needs no token, unless the health of a flow is asked for.
    """
    explanation = _explained(code)
    if flow_id is None:
        if phone_number_id is not None:
            raise click.UsageError("--phone-number needs --flow.")
        return explanation
    with app.client(app.narrator()) as client:
        return replace(explanation, health=client.get_health(flow_id, phone_number_id=phone_number_id))


def _explained(code: str) -> Explanation:
    found = re.fullmatch(r"([0-9]{1,9})(?:/([0-9]{1,9}))?", code)
    if found is None:
        raise click.UsageError(f"{code!r} is no code: it must look like 4, or 139001/4016012.")
    number, subcode = int(found[1]), int(found[2]) if found[2] else None
    rows = [row for row in ERROR_CODES if row.covers(number)]
    exact = [row for row in rows if row.subcode == subcode]
    if subcode is None or exact:
        return Explanation(code=number, subcode=subcode, rows=rows if subcode is None else exact)
    general: list[ErrorRow] = [row for row in rows if row.subcode is None]
    return Explanation(code=number, subcode=subcode, rows=general, fallback=True)
