"""`pull` and `import`: write the flows at Meta into files."""

from __future__ import annotations

import re
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
from ._json import Json, as_json, error_as_json
from ._layout import WrappedName
from ._options import Command
from ._text import Lines, as_text, count, diff_lines, new_table, status_text, totals
from ._values import Value
from ._workspace import client_for, open_workspace, other_account_message, read_lock, workspace_options


@dataclass(frozen=True, slots=True, kw_only=True)
class PullReport(Value):
    """The files that were written, or with `dry_run` would be."""

    flows: Sequence[FlowPull]
    calls: int
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """1 if a flow could not be pulled."""
        return int(any(flow.action == "failed" for flow in self.flows))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport(Value):
    """The files that were created from an account."""

    config: Path
    flows: Sequence[ImportedFlow]
    calls: int

    @property
    def exit_code(self) -> int:
        """1 if a flow could not be imported."""
        return int(any(flow.problem for flow in self.flows))


@click.command("pull", cls=Command)
@workspace_options
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.pass_obj
def pull_command(app: App, config: Path | None, env: str | None, chosen: tuple[str, ...], dry_run: bool) -> PullReport:
    """
    Update the files of flows.toml with the Flow JSON that Meta has.

    Changes a file only where its content differs; keeps its formatting and variables. Changes nothing at Meta.
    """
    workspace = open_workspace(config, env)
    selected = workspace.select(chosen)
    progress = app.progress_reporter()
    with client_for(app, progress, replace(workspace, warnings=())) as client:
        lock = read_lock(workspace, client, progress)
        if lock.other_account and not dry_run:
            raise PlanError(
                f"{other_account_message(lock, client)} pull does not overwrite the files with flows of this account: "
                "use the other account, or move the lock file away."
            )
        snapshot = take_snapshot(client, selected, lock)
    pulls = plan_pull(selected, snapshot, _file_texts(selected), _unselected(workspace, selected))
    for pull in pulls if not dry_run else ():
        if pull.action == "write" and pull.file is not None:
            replace_file(pull.file, pull.content)
    return PullReport(flows=pulls, calls=app.counters.total.requests, dry_run=dry_run)


def _file_texts(flows: Sequence[DesiredFlow]) -> dict[Path, str]:
    """The contents of the flows' files. They were read before, but may have changed since."""
    texts: dict[Path, str] = {}
    for file in {flow.file for flow in flows if flow.file is not None}:
        try:
            texts[file] = read_regular(file, MAX_BYTES).decode()
        except (OSError, ValueError) as failure:
            reason = getattr(failure, "strerror", None) or failure
            raise ConfigurationError(f"{file} cannot be read: {reason}.") from None
    return texts


def _unselected(workspace: Workspace, selected: Sequence[DesiredFlow]) -> list[DesiredFlow]:
    keys = {flow.key for flow in selected}
    return [flow for flow in workspace.flows if flow.key not in keys]


@click.command("import", cls=Command)
@workspace_options
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@click.pass_obj
def import_command(
    app: App, config: Path | None, env: str | None, chosen: tuple[str, ...], force: bool
) -> ImportReport:
    """
    Create a flows.toml and Flow JSON files from an account.

    With --env, the account is written as that of the environment. Deprecated flows are imported only if they are given
    with --flow. Existing files are overwritten only with --force. Changes nothing at Meta.
    """
    target = config or Path("flows.toml")
    if target.name == PYPROJECT:
        raise click.UsageError(f"import does not write {target}: give a flows.toml with --config, and copy its tables.")
    if env is not None and not re.fullmatch(ENVIRONMENT_NAME, env):
        raise click.UsageError(f"--env {env!r}: the name of an environment consists of letters, digits, _ and -.")
    if not target.parent.is_dir():
        raise ConfigurationError(f"the folder {target.parent} does not exist: create it, then import again.")
    progress = app.progress_reporter()
    with app.client(progress, account=True) as client:
        found = list_importable(client, chosen, target)
        if not found:
            raise ConfigurationError("the account has no flows to import.")
        if not force:
            _refuse_to_overwrite([target, *(each.file for each in found)])
        flows = tuple(download_flows(client, found))
        done = [flow for flow in flows if not flow.problem]
        for flow in done:
            replace_file(flow.file, flow.content)
        if done:
            replace_file(target, render_config(done, account_id=client.waba_id or "", env=env))
    return ImportReport(config=target, flows=flows, calls=app.counters.total.requests)


def _refuse_to_overwrite(files: Sequence[Path]) -> None:
    existing = [str(file) for file in files if file.exists()]
    if existing:
        more = f" and {len(existing) - 3} more" if len(existing) > 3 else ""
        verb = "exists" if len(existing) == 1 else "exist"
        raise ConfigurationError(f"{', '.join(existing[:3])}{more} already {verb}: give --force to overwrite.")


# -- output


@as_text.register
def _(value: PullReport) -> Lines:
    results = {"write": "to write" if value.dry_run else "written"}
    table = new_table("Flow", "Status", "Result", "File")
    for flow in value.flows:
        table.add_row(
            WrappedName(inert(flow.key), "bold"),
            status_text(flow.status or "-"),
            status_text(results.get(flow.action, flow.action)),
            WrappedName(inert(str(flow.file)) if flow.file else "-"),
        )
    yield table
    for flow in value.flows:
        if flow.action != "unchanged" or flow.notes:
            yield Text()
            yield from _pull_lines(flow, results)
    yield Text()
    yield totals((results.get(flow.action, flow.action) for flow in value.flows), value.calls)


def _pull_lines(flow: FlowPull, results: dict[str, str]) -> Lines:
    name = (f"{inert(flow.key)}: ", "bold")
    if flow.problem:
        yield Text.assemble(name, ("failed: ", "bold red"), inert(flow.problem))
    if flow.action == "write":
        yield Text.assemble(name, f"{results['write']}: {inert(str(flow.file))}")
        yield from diff_lines(flow.changes)
    for note in flow.notes:
        yield Text.assemble(name, ("note: ", "yellow"), inert(note))


@as_json.register
def _(value: PullReport) -> Json:
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
                "file": None if flow.file is None else str(flow.file),
                "changes": flow.changes.as_json(),
                "notes": list(flow.notes),
            }
            for flow in value.flows
        ],
    }


@as_text.register
def _(value: ImportReport) -> Lines:
    table = new_table("Flow", "Name", "Status", "File")
    for each in value.flows:
        table.add_row(
            WrappedName(inert(each.key), "bold"),
            WrappedName(inert(each.flow.name)),
            status_text(str(each.flow.status)),
            WrappedName("-" if each.problem else inert(str(each.file))),
        )
    yield table
    failed = [each for each in value.flows if each.problem]
    if failed:
        yield Text()
    for each in failed:
        yield Text.assemble((f"{each.key}: ", "bold"), ("skipped: ", "bold red"), inert(each.problem))
    yield Text()
    done = len(value.flows) - len(failed)
    result = f"{count(done, 'flow')} written to {inert(str(value.config))}" if done else "Nothing was written"
    yield Text(f"{result}. {count(value.calls, 'request')}.")


@as_json.register
def _(value: ImportReport) -> Json:
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
