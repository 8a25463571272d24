"""The commands that need no credentials: `demo`, `emulate`, `explain`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import click

from .._error_codes import ERROR_CODES, ErrorRow
from ..client import FlowsClient
from ..errors import ConfigurationError
from ..retry import ExponentialBackoff
from ..sync import Lock, PlanOptions, read_workspace
from ._app import App
from ._deploy import Given, Session
from ._deploy_values import DemoReport
from ._options import Command, attempts_option
from ._values import DemoStage, Explanation, Serving, Stopped, Value

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
    with _emulator().Emulator() as meta:
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


class _Fault(NamedTuple):
    """A fault of the command line: `update_flow_json:139001/4016012:2`."""

    operation: str
    code: int
    subcode: int | None
    times: int | None

    @classmethod
    def parse(cls, text: str) -> _Fault:
        """From the command line. Raises `click.UsageError` for anything else."""
        found = re.fullmatch(r"([a-z_]+):([0-9]{1,9})(?:/([0-9]{1,9}))?(?::([0-9]{1,9}))?", text)
        if found is None:
            raise click.UsageError(f"--fail {text!r}: it must look like update_flow_json:139001/4016012:2.")
        operation, code, subcode, times = found.groups()
        return cls(operation, int(code), int(subcode) if subcode else None, int(times) if times else None)


@click.command(cls=_Local)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="NAME", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port (a free one).")
@click.option("--database", metavar="FILE", help="Keep the flows in this SQLite file.")
@click.option(
    "--fail", "faults", multiple=True, metavar="OPERATION:CODE[/SUBCODE][:TIMES]",
    help="Let a call fail, as update_flow_json:139001/4016012:2 does twice; repeatable.",
)  # fmt: skip
@click.pass_obj
def emulate(app: App, host: str, port: int, database: str | None, faults: tuple[str, ...]) -> Value:
    """Serve an emulator of Meta's Flows API, until Ctrl-C."""
    parsed = [_Fault.parse(text) for text in faults]
    emulator = _emulator()

    def ready(meta: Any) -> None:
        for fault in parsed:
            meta.fail(fault.operation, code=fault.code, subcode=fault.subcode, times=fault.times)
        app.show(Serving(url=meta.url, waba_id=meta.waba_id, phone_number_id=meta.phone_number_id, faults=faults))
        app.stdout.flush()

    try:
        for fault in parsed:
            emulator.FaultRule(operation=fault.operation, code=fault.code, subcode=fault.subcode, times=fault.times)
        emulator.serve(host=host, port=port, database=database, on_ready=ready, stop=app.stop)
    except ValueError as mistake:
        raise click.UsageError(f"{mistake}.") from None
    except OSError as failure:
        raise ConfigurationError(f"{host}:{port} cannot be listened on: {failure.strerror or failure}.") from None
    return Stopped()


def _emulator() -> ModuleType:
    """The emulator, which needs an extra of its own."""
    try:
        from .. import emulator  # noqa: PLC0415
    except ImportError as missing:
        raise click.UsageError(f"{missing}.") from None
    return emulator


@click.command(cls=_Local)
@click.argument("code", metavar="CODE[/SUBCODE]")
def explain(code: str) -> Explanation:
    """Say what an error code of Meta means, and what to do about it."""
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
