"""`pull` and `import`: what is at Meta, written into files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.text import Text

from .._files import replace_file
from .._inert import inert
from .._reading import read_regular
from ..errors import ConfigurationError, PlanError
from ..flow_json import MAX_BYTES
from ..sync import (
    ENVIRONMENT_NAME,
    PYPROJECT,
    DesiredFlow,
    FlowPull,
    ImportedFlow,
    Workspace,
    download_flows,
    list_importable,
    plan_pull,
    render_config,
    take_snapshot,
)
from ._app import App
from ._difference import diff_lines
from ._json import Json, as_json, error_as_json
from ._options import Command
from ._text import Lines, _count, _table, _word, as_text
from ._values import Value
from ._workspace import about_another, client_for, open_workspace, read_lock, workspace_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulls(Value):
    """What was written, or would be."""

    flows: Sequence[FlowPull]
    calls: int
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """1 when a flow's file could not be written."""
        return int(any(flow.action == "failed" for flow in self.flows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports(Value):
    """The files that were made of an account."""

    config: Path
    flows: Sequence[ImportedFlow]
    calls: int

    @property
    def exit_code(self) -> int:
        """1 when a flow has no file."""
        return int(any(flow.problem for flow in self.flows))


@click.command("pull", cls=Command)
@workspace_options
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.pass_obj
def pull_command(app: App, config: Path | None, env: str | None, chosen: tuple[str, ...], dry_run: bool) -> Pulls:
    """
    Write the Flow JSONs that Meta has into the files of flows.toml.

    A file is changed only where Meta says something else; its layout and its variables stay. Changes nothing at Meta.
    """
    workspace = open_workspace(config, env)
    wanted = workspace.select(chosen)
    narrator = app.narrator()
    with client_for(app, narrator, replace(workspace, warnings=())) as client:
        lock = read_lock(workspace, client, narrator)
        if lock.other_account and not dry_run:
            raise PlanError(
                f"{about_another(lock, client)} Its flows are not written over the files: give the other account, or "
                "move the lock file away."
            )
        snapshot = take_snapshot(client, wanted, lock)
    pulls = plan_pull(wanted, snapshot, _texts(wanted), _others(workspace, wanted))
    for pull in pulls if not dry_run else ():
        if pull.action == "write" and pull.file is not None:
            replace_file(pull.file, pull.content)
    return Pulls(flows=pulls, calls=app.counters.total.requests, dry_run=dry_run)


def _texts(flows: Sequence[DesiredFlow]) -> dict[Path, str]:
    """What the files say, which were read before; one that has changed since may be anything."""
    texts: dict[Path, str] = {}
    for file in {flow.file for flow in flows if flow.file is not None}:
        try:
            texts[file] = read_regular(file, MAX_BYTES).decode()
        except (OSError, ValueError) as failure:
            said = getattr(failure, "strerror", None) or failure
            raise ConfigurationError(f"{file} cannot be read: {said}.") from None
    return texts


def _others(workspace: Workspace, wanted: Sequence[DesiredFlow]) -> list[DesiredFlow]:
    keys = {flow.key for flow in wanted}
    return [flow for flow in workspace.flows if flow.key not in keys]


@click.command("import", cls=Command)
@workspace_options
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.pass_obj
def import_command(app: App, config: Path | None, env: str | None, chosen: tuple[str, ...], force: bool) -> Imports:
    """
    Make a flows.toml and a Flow JSON file for each flow out of an account.

    With --env the account is written as that of the environment. Deprecated flows are left out unless they are named.
    Nothing is overwritten without --force, and nothing is changed at Meta.
    """
    target = config or Path("flows.toml")
    if target.name == PYPROJECT:
        raise click.UsageError(f"{target} is not written: import into a flows.toml, and copy its tables.")
    if env is not None and not re.fullmatch(ENVIRONMENT_NAME, env):
        raise click.UsageError(f"--env {env!r}: an environment has a name of letters, digits, _ and -.")
    narrator = app.narrator()
    with app.client(narrator, account=True) as client:
        found = list_importable(client, chosen, target)
        if not found:
            raise ConfigurationError("the account has no flow to import.")
        if not force:
            _refuse_to_overwrite([target, *(each.file for each in found)])
        flows = tuple(download_flows(client, found))
        done = [flow for flow in flows if not flow.problem]
        for flow in done:
            replace_file(flow.file, flow.content)
        if done:
            replace_file(target, render_config(done, account_id=client.waba_id or "", env=env))
    return Imports(config=target, flows=flows, calls=app.counters.total.requests)


def _refuse_to_overwrite(files: Sequence[Path]) -> None:
    there = [str(file) for file in files if file.exists()]
    if there:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""
        verb = "is" if len(there) == 1 else "are"
        raise ConfigurationError(f"{', '.join(there[:3])}{more} {verb} there already: give --force to overwrite.")


# -- how it is shown


@as_text.register
def _(value: Pulls) -> Lines:
    done = {"write": "to write" if value.dry_run else "written"}
    table = _table("Flow", "Status", "Result", "File")
    for flow in value.flows:
        table.add_row(
            Text(inert(flow.key), style="bold"),
            _word(flow.status or "-"),
            _word(done.get(flow.action, flow.action)),
            Text(inert(str(flow.file))),
        )
    yield table
    for flow in value.flows:
        if flow.action != "unchanged" or flow.notes:
            yield Text()
            yield from _pull_lines(flow, done)
    yield Text()
    words = Counter(done.get(flow.action, flow.action) for flow in value.flows)
    said = ", ".join(f"{count} {word}" for word, count in words.items())
    yield Text(f"{_count(len(value.flows), 'flow')}: {said}. {_count(value.calls, 'request')}.")


def _pull_lines(flow: FlowPull, done: dict[str, str]) -> Lines:
    name = (f"{inert(flow.key)}: ", "bold")
    if flow.problem:
        yield Text.assemble(name, ("failed: ", "bold red"), inert(flow.problem))
    if flow.action == "write":
        yield Text.assemble(name, f"{done['write']}: {inert(str(flow.file))}")
        yield from diff_lines(flow.changes)
    for note in flow.notes:
        yield Text.assemble(name, ("note: ", "yellow"), inert(note))


@as_json.register
def _(value: Pulls) -> Json:
    return {
        "calls": value.calls,
        "dry_run": value.dry_run,
        "flows": [
            {
                "key": flow.key,
                "name": flow.name,
                "id": flow.flow_id or None,
                "action": flow.action,
                "status": flow.status or None,
                "error": _error(flow),
                "file": str(flow.file),
                "changes": flow.changes.as_json(),
                "notes": list(flow.notes),
            }
            for flow in value.flows
        ],
    }


@as_text.register
def _(value: Imports) -> Lines:
    table = _table("Flow", "Name", "Status", "File")
    for each in value.flows:
        table.add_row(
            Text(each.key, style="bold"),
            Text(inert(each.flow.name)),
            _word(str(each.flow.status)),
            Text("-" if each.problem else inert(str(each.file))),
        )
    yield table
    failed = [each for each in value.flows if each.problem]
    if failed:
        yield Text()
    for each in failed:
        yield Text.assemble((f"{each.key}: ", "bold"), ("left out: ", "bold red"), inert(each.problem))
    yield Text()
    done = len(value.flows) - len(failed)
    wrote = f"{_count(done, 'flow')} in {inert(str(value.config))}" if done else "nothing was written"
    yield Text(f"{wrote}. {_count(value.calls, 'request')}.")


@as_json.register
def _(value: Imports) -> Json:
    return {
        "calls": value.calls,
        "config": str(value.config),
        "flows": [
            {
                "key": each.key,
                "name": each.flow.name,
                "id": each.flow.id,
                "action": "failed" if each.problem else "write",
                "status": str(each.flow.status),
                "error": _error(each),
                "file": None if each.problem else str(each.file),
            }
            for each in value.flows
        ],
    }


def _error(flow: FlowPull | ImportedFlow) -> Json | None:
    if not flow.problem:
        return None
    return {"message": flow.problem} if flow.error is None else error_as_json(flow.error)
