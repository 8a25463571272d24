"""`drift` and `status`: whether the account's flows are what the repository says, and how they are."""

from __future__ import annotations

from collections import Counter
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
from ._difference import diff_lines
from ._json import Json, _issues, as_json, entities_as_json, error_as_json
from ._layout import Name
from ._options import Command
from ._text import Lines, _count, _table, _word, as_text, troubles
from ._text import _issues as _issue_lines
from ._values import Value
from ._workspace import client_for, open_workspace, read_lock, workspace_options

_SOON: Final = 21  # days; Meta's own notice of a version's end speaks of so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifts(Value):
    """What has drifted. `calls` counts HTTP requests."""

    flows: Sequence[FlowDrift]
    calls: int

    @property
    def exit_code(self) -> int:
        """1 when a flow is not what the repository says, or that could not be found out."""
        return int(any(flow.reasons for flow in self.flows))


@dataclass(frozen=True, slots=True, kw_only=True)
class States(Value):
    """How the flows are, on the day of `today`."""

    flows: Sequence[FlowState]
    calls: int
    today: date


@click.command("drift", cls=Command)
@workspace_options
@click.option("--extra", is_flag=True, help="Flows that the file does not name are drift, too.")
@click.pass_obj
def drift_command(app: App, config: Path | None, env: str | None, chosen: tuple[str, ...], extra: bool) -> Drifts:
    """
    Tell which flows at Meta are not what flows.toml says.

    Edited in the Builder, a draft again, deprecated, throttled, blocked, missing; the exit code is then 1. Changes
    nothing.
    """
    if extra and chosen:
        raise click.UsageError("give --extra or --flow, not both.")
    workspace = open_workspace(config, env, chosen)
    narrator = app.narrator()
    with client_for(app, narrator, workspace) as client:
        snapshot = take_snapshot(client, workspace.flows, read_lock(workspace, client, narrator))
    return Drifts(flows=find_drift(workspace.flows, snapshot, extra=extra), calls=app.counters.total.requests)


@click.command("status", cls=Command)
@workspace_options
@click.pass_obj
def status_command(app: App, config: Path | None, env: str | None, chosen: tuple[str, ...]) -> States:
    """
    Show the state and the health of each flow, how long its version can be changed, and its last change.

    Changes nothing.
    """
    workspace = open_workspace(config, env, chosen)
    narrator = app.narrator()
    with client_for(app, narrator, workspace) as client:
        flows = read_states(client, workspace.flows, read_lock(workspace, client, narrator))
    return States(flows=flows, calls=app.counters.total.requests, today=datetime.now(timezone.utc).date())


# -- how it is shown


@as_text.register
def _(value: Drifts) -> Lines:
    table = _table("Flow", "Status", "Drift")
    for flow in value.flows:
        ways = ", ".join(reason.way for reason in flow.reasons)
        table.add_row(
            Name(inert(flow.key or flow.name), "bold"),
            _word(flow.status or "-"),
            Text(ways or "none", style="yellow" if ways else "green"),
        )
    yield table
    for flow in value.flows:
        if flow.reasons:
            yield Text()
            yield from _reasons(flow)
    yield Text()
    words = Counter("drifted" if flow.reasons else "as wanted" for flow in value.flows)
    said = ", ".join(f"{count} {word}" for word, count in words.items())
    yield Text(f"{_count(len(value.flows), 'flow')}: {said}. {_count(value.calls, 'request')}.")


def _reasons(flow: FlowDrift) -> Lines:
    for reason in flow.reasons:
        name = inert(flow.key or flow.name)
        yield Text.assemble((f"{name}: ", "bold"), (f"{reason.way}: ", "yellow"), inert(reason.said))
        if reason.way == "edited":
            yield from diff_lines(flow.changes)
        if reason.way == "errors":
            yield from _issue_lines(flow.issues, "flow.json")


@as_json.register
def _(value: Drifts) -> Json:
    return {
        "calls": value.calls,
        "flows": [
            {
                "key": flow.key or None,
                "name": flow.name,
                "id": flow.flow_id or None,
                "action": flow.way,
                "status": flow.status or None,
                "error": None if flow.error is None else error_as_json(flow.error),
                "reasons": [{"way": reason.way, "message": reason.said} for reason in flow.reasons],
                "changes": flow.changes.as_json(),
                "validation_errors": _issues(flow.issues),
            }
            for flow in value.flows
        ],
    }


@as_text.register
def _(value: States) -> Lines:
    freezes = [_freezes(flow, value.today) for flow in value.flows]
    known = any(cell.plain != "-" for cell in freezes)  # a column that says nothing takes room from the names
    table = _table("Flow", "Status", "Version", "Health", *(["Freezes"] if known else []), "Last change (UTC)",
                   right=("Errors",))  # fmt: skip
    for flow, cell in zip(value.flows, freezes, strict=True):
        table.add_row(
            Name(inert(flow.key), "bold"),
            _word(flow.status or "missing"),
            Text(inert(flow.version) or "-"),
            _word(flow.health or "-"),
            *([cell] if known else []),
            Text(f"{flow.changed_at:%Y-%m-%d %H:%M}" if flow.changed_at is not None else "-"),
            Text(str(flow.errors), style="bold red" if flow.errors else "dim"),
        )
    yield table
    for flow in value.flows:
        if flow.troubles:
            yield Text()
            yield Text(inert(flow.key), style="bold")
            yield from troubles(flow.troubles)
    yield Text()
    states = Counter(flow.status or "missing" for flow in value.flows)
    said = ", ".join(f"{count} {inert(word)}" for word, count in states.items())
    yield Text(f"{_count(len(value.flows), 'flow')}: {said}. {_count(value.calls, 'request')}.")


def _freezes(flow: FlowState, today: date) -> Text:
    """When no change will be taken any more."""
    days = flow.days_left(today)
    if days is None:
        return Text("-")
    if days == 0:
        return Text(f"frozen since {flow.frozen_on}", style="bold red")
    return Text(f"in {_count(days, 'day')}", style="bold red" if days <= _SOON else "yellow")


@as_json.register
def _(value: States) -> Json:
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
