"""`drift` and `status`: compare the account's flows with flows.toml, and show their state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from .._inert import inert
from ..sync import FlowDrift, FlowState, find_drift, read_states, take_snapshot
from ._app import App
from ._json import Json, as_json, entities_as_json, error_as_json, issues_as_json
from ._layout import WrappedName
from ._options import Command
from ._text import (
    Lines,
    as_text,
    count,
    diff_lines,
    health_problems,
    issue_lines,
    new_table,
    status_text,
    totals,
)
from ._values import Value
from ._workspace import client_for, open_workspace, read_lock, workspace_options

_FREEZE_WARNING_DAYS: Final = 21  # as long as the notice period in Meta's announcements


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport(Value):
    """The drift of each flow. `calls`: HTTP requests."""

    flows: Sequence[FlowDrift]
    calls: int

    @property
    def exit_code(self) -> int:
        """1 if a flow differs, or could not be compared."""
        return int(any(flow.reasons for flow in self.flows))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport(Value):
    """The state of each flow on the day `today`. `calls`: HTTP requests."""

    flows: Sequence[FlowState]
    calls: int
    today: date


@click.command("drift", cls=Command)
@workspace_options
@click.option("--extra", is_flag=True, help="Also report flows that are not in the file.")
@click.pass_obj
def drift_command(app: App, config: Path | None, env: str | None, chosen: tuple[str, ...], extra: bool) -> DriftReport:
    """
    Show which flows at Meta differ from flows.toml.

    Finds flows that were edited elsewhere, are drafts again, deprecated, throttled, blocked or missing, and then exits
    with 1. Changes nothing.
    """
    if extra and chosen:
        raise click.UsageError("give --extra or --flow, not both.")
    workspace = open_workspace(config, env, chosen)
    progress = app.progress_reporter()
    with client_for(app, progress, workspace) as client:
        snapshot = take_snapshot(client, workspace.flows, read_lock(workspace, client, progress))
    return DriftReport(flows=find_drift(workspace.flows, snapshot, extra=extra), calls=app.counters.total.requests)


@click.command("status", cls=Command)
@workspace_options
@click.pass_obj
def status_command(app: App, config: Path | None, env: str | None, chosen: tuple[str, ...]) -> StatusReport:
    """
    Show the status, health and version of each flow.

    "Freezes" is when Meta stops accepting changes to a flow of that version. Changes nothing.
    """
    workspace = open_workspace(config, env, chosen)
    progress = app.progress_reporter()
    with client_for(app, progress, workspace) as client:
        flows = read_states(client, workspace.flows, read_lock(workspace, client, progress))
    return StatusReport(flows=flows, calls=app.counters.total.requests, today=datetime.now(timezone.utc).date())


# -- output


@as_text.register
def _(value: DriftReport) -> Lines:
    table = new_table("Flow", "Status", "Drift")
    for flow in value.flows:
        ways = ", ".join(reason.kind for reason in flow.reasons)
        table.add_row(
            WrappedName(inert(flow.key or flow.name), "bold"),
            status_text(flow.status or "-"),
            Text(ways or "none", style="yellow" if ways else "green"),
        )
    yield table
    for flow in value.flows:
        if flow.reasons:
            yield Text()
            yield from _reasons(flow)
    yield Text()
    yield totals(("drifted" if flow.reasons else "unchanged" for flow in value.flows), value.calls)


def _reasons(flow: FlowDrift) -> Lines:
    for reason in flow.reasons:
        name = inert(flow.key or flow.name)
        yield Text.assemble((f"{name}: ", "bold"), (f"{reason.kind}: ", "yellow"), inert(reason.message))
        if reason.kind == "edited":
            yield from diff_lines(flow.changes)
        if reason.kind == "errors":
            yield from issue_lines(flow.issues, "flow.json")


@as_json.register
def _(value: DriftReport) -> Json:
    return {
        "calls": value.calls,
        "flows": [
            {
                "key": flow.key or None,
                "name": flow.name,
                "id": flow.flow_id or None,
                "action": flow.kind,
                "status": flow.status or None,
                "error": None if flow.error is None else error_as_json(flow.error),
                "reasons": [{"way": reason.kind, "message": reason.message} for reason in flow.reasons],
                "changes": flow.changes.as_json(),
                "validation_errors": issues_as_json(flow.issues),
            }
            for flow in value.flows
        ],
    }


@as_text.register
def _(value: StatusReport) -> Lines:
    freezes = [_freezes(flow, value.today) for flow in value.flows]
    known = any(cell.plain != "-" for cell in freezes)  # an empty column would take room from the names
    table = new_table("Flow", "Status", "Version", "Health", *(["Freezes"] if known else []), "Last change (UTC)",
                   right=("Errors",))  # fmt: skip
    for flow, cell in zip(value.flows, freezes, strict=True):
        table.add_row(
            WrappedName(inert(flow.key), "bold"),
            status_text(flow.status or "missing"),
            Text(inert(flow.version) or "-"),
            status_text(flow.health or "-"),
            *([cell] if known else []),
            Text(f"{flow.changed_at:%Y-%m-%d %H:%M}" if flow.changed_at is not None else "-"),
            Text(str(flow.errors), style="bold red" if flow.errors else "dim"),
        )
    yield table
    for flow in value.flows:
        if flow.troubles:
            yield Text()
            yield Text(inert(flow.key), style="bold")
            yield from health_problems(flow.troubles)
    yield Text()
    yield totals((flow.status or "missing" for flow in value.flows), value.calls)


def _freezes(flow: FlowState, today: date) -> Text:
    """When Meta stops accepting changes."""
    days = flow.days_left(today)
    if days is None:
        return Text("-")
    if days == 0:
        return Text(f"frozen since {flow.frozen_on}", style="bold red")
    return Text(f"in {count(days, 'day')}", style="bold red" if days <= _FREEZE_WARNING_DAYS else "yellow")


@as_json.register
def _(value: StatusReport) -> Json:
    return {
        "calls": value.calls,
        "flows": [
            {
                "key": flow.key,
                "name": flow.name,
                "id": flow.id or None,
                "action": "none",
                "status": flow.status or None,
                "error": None,
                "version": flow.version or None,
                "health": flow.health or None,
                "health_errors": entities_as_json(flow.troubles),
                "frozen_on": None if flow.frozen_on is None else flow.frozen_on.isoformat(),
                "days_until_frozen": flow.days_left(value.today),
                "updated_at": None if flow.changed_at is None else flow.changed_at.isoformat(),
                "validation_errors": flow.errors,
            }
            for flow in value.flows
        ],
    }
