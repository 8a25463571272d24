"""`plan`, `apply` and `sync`: compare an account's flows with flows.toml, and change them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.text import Text

from .._files import replace_file
from ..client import FlowsClient
from ..errors import NotSentError, PlanError
from ..retry import RetryPolicy
from ..sync import (
    DesiredFlow,
    FlowEvent,
    FlowResult,
    Lock,
    Plan,
    PlanOptions,
    RunPace,
    Workspace,
    apply,
    diff,
    paced,
    take_snapshot,
)
from ._app import App, Terminated
from ._deploy_output import result_line
from ._deploy_values import Deployed, Planned
from ._json import json_text
from ._layout import format_duration
from ._markdown import plan_markdown
from ._options import Command
from ._progress import ProgressReporter
from ._storyboards import write_storyboards
from ._values import Value
from ._workspace import client_for, lock_for, open_workspace, workspace_options

F = TypeVar("F", bound=Callable[..., Any])

_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploySettings:
    """The options of the command line for planning and applying."""

    options: PlanOptions
    jobs: int = 8
    calls_per_hour: float | None = None


def deploy_options(command: F) -> F:
    """The options that `plan`, `apply` and `sync` share: `--jobs` to `--force`."""
    options = (
        click.option("--jobs", type=click.IntRange(1, 64), default=8, metavar="N", show_default=True,
                     help="Work on N flows at a time."),
        click.option("--calls-per-hour", type=click.FloatRange(min=1), metavar="N",
                     help="Maximum requests an hour. Default: from Meta's headers, else 200."),
        click.option("--validate", type=click.Choice(["error", "warn", "off"]), default="error", show_default=True,
                     help="For errors in a Flow JSON: block the flow, warn, or do not validate."),
        click.option("--prune", is_flag=True,
                     help="Deprecate live flows that were deployed from this file and are no longer in it."),
        click.option("--prune-limit", type=click.IntRange(0), default=5, metavar="N", show_default=True,
                     help="With --prune: deprecate at most N flows."),
        click.option("--allow-unpublish", is_flag=True,
                     help="Change live flows without publish = true; they become drafts."),
        click.option("--new-account", is_flag=True,
                     help="Deploy to this account although the lock file belongs to another."),
        click.option("--force", is_flag=True, help="Allow any number of changes at once."),
    )  # fmt: skip
    return reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def _settings(*, jobs: int, calls_per_hour: float | None, chosen: Sequence[str], **options: Any) -> DeploySettings:
    if options["prune"] and chosen:
        raise click.UsageError("--prune compares all flows of the file: it cannot be combined with --flow.")
    return DeploySettings(options=PlanOptions(**options), jobs=jobs, calls_per_hour=calls_per_hour)


@click.command("plan", cls=Command)
@workspace_options
@deploy_options
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Save the plan in FILE for apply --plan.")
@click.option("--markdown", is_flag=True, help="Write Markdown for a GitHub summary: >> $GITHUB_STEP_SUMMARY.")
@click.option(
    "--storyboard",
    "storyboards",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write pictures of the screens of changed flows into DIR, before and after: an HTML file for each flow.",
)
@click.option(
    "--detailed-exitcode",
    "detailed",
    is_flag=True,
    help="Exit with 0 if there are no changes, with 2 if there are, with 1 on any error.",
)
@click.pass_obj
def plan_command(
    app: App, /, config: Path | None, env: str | None, chosen: tuple[str, ...], out: Path | None, markdown: bool,
    storyboards: Path | None, detailed: bool, **more: Any,
) -> Planned:  # fmt: skip
    """
    Show what apply would change. Changes nothing.

    Exits with 1 if a flow is blocked or the plan is refused.
    """
    settings = _settings(**more, chosen=chosen)
    workspace = open_workspace(config, env, chosen)
    progress = app.progress_reporter()
    with client_for(app, progress, workspace) as client:
        deployment = Deployment(app, client, progress, lock_for(workspace, client), settings)
        plan = deployment.plan(workspace.flows)
    planned = deployment.report(plan, detailed=detailed)
    if storyboards is not None:
        planned = replace(planned, storyboards=write_storyboards(plan, storyboards))
    if markdown:
        planned = replace(planned, raw=plan_markdown(planned).encode())
    if out is not None:
        replace_file(out, json_text(plan.to_json()).encode())
    return planned


@click.command("apply", cls=Command)
@workspace_options
@deploy_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option(
    "--plan", "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Apply this plan (from plan --out or --json), or nothing if it is stale. It grants no "
    "permission: give flags such as --force again.",
)  # fmt: skip
@click.pass_obj
def apply_command(
    app: App,
    /,
    config: Path | None,
    env: str | None,
    chosen: tuple[str, ...],
    yes: bool,
    file: Path | None,
    **more: Any,
) -> Value:  # fmt: skip
    """Change the account's flows to match flows.toml."""
    settings = _settings(**more, chosen=chosen)
    workspace = open_workspace(config, env, chosen)
    saved = None if file is None else _read_plan(app, file, workspace)
    progress = app.progress_reporter()
    with client_for(app, progress, workspace) as client:
        deployment = Deployment(app, client, progress, lock_for(workspace, client), settings)
        plan = deployment.plan(workspace.flows)
        if saved is not None:
            saved.raise_if_stale(plan)
        needs_confirmation = not (yes or plan.empty)
        plan.raise_if_refused(new_account=needs_confirmation and app.is_interactive)  # the question says so
        if needs_confirmation:
            permitted = replace(plan, permitted=replace(settings.options, new_account=True))
            app.show_on_stderr(deployment.report(permitted))
            if not app.confirm(_question(plan)):
                return Deployed(plan=plan, results=(), calls=app.counters.total.requests, declined=True)
        return deployment.apply(plan, new_account=needs_confirmation)


@click.command("sync", cls=Command)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@workspace_options
@deploy_options
@click.option("--publish", is_flag=True, help="Publish all flows, whatever the file says.")
@click.option("--dry-run", is_flag=True, help="Show what would be changed, and change nothing.")
@click.pass_obj
def sync_command(
    app: App, /, folder: Path | None, config: Path | None, env: str | None, chosen: tuple[str, ...], publish: bool,
    dry_run: bool, **more: Any,
) -> Value:  # fmt: skip
    """
    Plan and apply in one step, without confirmation.

    Changes the account's flows to match FOLDER/flows.toml, or the file given with --config, or ./flows.toml. A live
    flow that differs is blocked unless the file has publish = true for it, because an upload makes it a draft.
    """
    if folder is not None and config is not None:
        raise click.UsageError("give FOLDER or --config, not both.")
    settings = _settings(**more, chosen=chosen)
    workspace = open_workspace(config if folder is None else folder / "flows.toml", env, chosen)
    flows = tuple(replace(flow, publish=True) for flow in workspace.flows) if publish else workspace.flows
    progress = app.progress_reporter()
    with client_for(app, progress, workspace) as client:
        deployment = Deployment(app, client, progress, lock_for(workspace, client), settings)
        try:
            plan = deployment.plan(flows)
        except (KeyboardInterrupt, NotSentError) as interrupt:
            if not (isinstance(interrupt, KeyboardInterrupt) or app.stop.is_set()):
                raise
            return Deployed(results=(), calls=app.counters.total.requests, interrupted=_exit_code(interrupt))
        if dry_run:
            return deployment.report(plan)
        plan.raise_if_refused()
        return deployment.apply(plan)


def _read_plan(app: App, file: Path, workspace: Workspace) -> Plan:
    try:
        document = json.loads(app.read(str(file)))
    except (ValueError, RecursionError):
        raise PlanError(f"{file} is not a plan.") from None
    return Plan.from_json(document, workspace.flows)


def _question(plan: Plan) -> str:
    if plan.other_account:
        return f"Deploy to account {plan.account_id} for the first time, in addition to account {plan.other_account}?"
    return "Apply this plan?"


def _exit_code(interrupt: BaseException) -> int:
    return interrupt.exit_code if isinstance(interrupt, Terminated) else _INTERRUPTED


class Deployment:
    """One run on one account: its client, its pace and its lock file, from the snapshot to the results."""

    def __init__(
        self, app: App, client: FlowsClient, progress: ProgressReporter, lock: Lock, settings: DeploySettings
    ) -> None:
        self.pace = RunPace(
            settings.calls_per_hour, sleep=app.sleep, stop=app.stop,
            on_wait=lambda seconds: progress.status.set_line("waiting for the request budget", seconds=seconds),
        )  # fmt: skip
        self._client = paced(client, self.pace)
        self._app, self._progress, self._lock, self._settings = app, progress, lock, settings

    def plan(self, flows: Sequence[DesiredFlow]) -> Plan:
        """Take a snapshot of the account and compare it. Errors in the files are found before the first request."""
        for flow in flows:
            flow.errors(self._settings.options.today)

        def on_flow(desired: DesiredFlow, flow_id: str) -> None:
            self._progress.subject = desired.key

        snapshot = take_snapshot(self._client, flows, self._lock, jobs=self._settings.jobs, on_flow=on_flow)
        self._progress.subject = ""
        return diff(flows, snapshot, self._settings.options)

    def report(self, plan: Plan, *, detailed: bool = False) -> Planned:
        """The plan, with the requests that it took and the time that applying it takes."""
        return Planned(
            plan=plan, calls=self._app.counters.total.requests, seconds=self.pace.duration(plan.calls),
            calls_per_hour=self.pace.calls_per_hour, detailed=detailed,
        )  # fmt: skip

    def apply(self, plan: Plan, *, new_account: bool = False, retry_policy: RetryPolicy | None = None) -> Deployed:
        """Apply a plan. An interrupt ends it, and the report says what was changed before."""
        results: dict[str, FlowResult] = {}
        interrupted = 0
        pending = len(plan.pending)

        def on_event(event: FlowEvent) -> None:
            self._progress.on_flow_event(event)
            if event.result is not None:
                results[event.key] = event.result
                if event.result.done or (not event.result.ok and event.result.action != "blocked"):
                    started = sum(bool(it.done) or not it.ok for it in results.values() if it.action != "blocked")
                    self._progress.print_line(result_line(event.result, started, pending))

        planning = self._app.counters.total.requests
        wait = self.pace.duration(plan.calls)
        if wait > 0:
            self._progress.print_line(
                Text(f"{plan.calls} requests, which take {format_duration(wait)} within the request budget.")
            )
        self._progress.per_flow = True
        try:
            apply(
                self._client, plan, lock=self._lock, jobs=self._settings.jobs, new_account=new_account,
                stop=self._app.stop, on_event=on_event, retry_policy=retry_policy,
            )  # fmt: skip
            interrupted = _INTERRUPTED if self._app.stop.is_set() and pending else 0
        except KeyboardInterrupt as interrupt:
            interrupted = _exit_code(interrupt)
        total = self._app.counters.total
        return Deployed(
            plan=plan,
            results=tuple(results[change.key] for change in plan.changes if change.key in results),
            calls=total.requests,
            planning_calls=planning,
            retries=total.retries,
            waited=total.seconds_waited,
            interrupted=interrupted,
            lock_problem=self._lock.problem,
        )
