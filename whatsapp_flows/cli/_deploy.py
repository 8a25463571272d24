"""`plan`, `apply` and `sync`: what would be done to an account's flows, and doing it."""

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
from ._deploy_text import result_line
from ._deploy_values import Deployed, Planned
from ._json import written
from ._options import Command
from ._progress import Narrator
from ._values import Value
from ._workspace import client_for, lock_for, open_workspace, workspace_options

F = TypeVar("F", bound=Callable[..., Any])

_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line says about planning and applying."""

    options: PlanOptions
    jobs: int = 8
    calls_per_hour: float | None = None


def deploy_options(command: F) -> F:
    """What planning and applying know: `--jobs` to `--force`."""
    options = (
        click.option("--jobs", type=click.IntRange(1, 64), default=8, metavar="N", show_default=True,
                     help="Work on N flows side by side."),
        click.option("--calls-per-hour", type=click.FloatRange(min=1), metavar="N",
                     help="Make at most N requests an hour (what Meta's headers say, else 200)."),
        click.option("--validate", type=click.Choice(["error", "warn", "off"]), default="error", show_default=True,
                     help="What errors in a Flow JSON do: block it, be told, or not be looked for."),
        click.option("--prune", is_flag=True, help="Deprecate live flows that were written from here and are gone."),
        click.option("--prune-limit", type=click.IntRange(0), default=5, metavar="N", show_default=True,
                     help="With --prune, deprecate at most N flows."),
        click.option("--allow-unpublish", is_flag=True,
                     help="Change live flows that are not wanted published; they become drafts."),
        click.option("--new-account", is_flag=True,
                     help="Deploy to this account, too, though the lock file is that of another."),
        click.option("--force", is_flag=True, help="Change however many flows at once."),
    )  # fmt: skip
    return reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def _given(*, jobs: int, calls_per_hour: float | None, chosen: Sequence[str], **options: Any) -> Given:
    if options["prune"] and chosen:
        raise click.UsageError("--prune looks at all flows of the file: it does not go with --flow.")
    return Given(options=PlanOptions(**options), jobs=jobs, calls_per_hour=calls_per_hour)


@click.command("plan", cls=Command)
@workspace_options
@deploy_options
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Keep the plan in FILE, for apply --plan.")
@click.option("--markdown", is_flag=True, help="Write a summary for GitHub: >> $GITHUB_STEP_SUMMARY.")
@click.option(
    "--detailed-exitcode",
    "detailed",
    is_flag=True,
    help="Exit with 0 if there is nothing to do, 2 if there is, and 1 for every error.",
)
@click.pass_obj
def plan_command(
    app: App, /, config: Path | None, env: str | None, chosen: tuple[str, ...], out: Path | None, markdown: bool,
    detailed: bool, **more: Any,
) -> Planned:  # fmt: skip
    """
    Tell what apply would do to the account's flows, and change nothing.

    The exit code is 1 when a flow is blocked, or when so much must not be done at once. With --detailed-exitcode it is
    2 when there is something to do.
    """
    given = _given(**more, chosen=chosen)
    workspace = open_workspace(config, env, chosen)
    narrator = app.narrator()
    with client_for(app, narrator, workspace) as client:
        session = Session(app, client, narrator, lock_for(workspace, client), given)
        plan = session.plan(workspace.flows)
    planned = Planned(
        plan=plan, calls=app.counters.total.requests, seconds=session.pace.duration(plan.calls),
        calls_per_hour=session.pace.calls_per_hour, as_markdown=markdown, detailed=detailed,
    )  # fmt: skip
    if out is not None:
        replace_file(out, written(plan.to_json()).encode())
    return planned


@click.command("apply", cls=Command)
@workspace_options
@deploy_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--plan", "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Do what this plan says (from plan --out or --json), or nothing if the world has moved. It gives no "
    "permission: say --prune, --allow-unpublish, --force again.",
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
    """Make the account's flows what flows.toml says."""
    given = _given(**more, chosen=chosen)
    workspace = open_workspace(config, env, chosen)
    saved = None if file is None else _saved(app, file, workspace)
    narrator = app.narrator()
    with client_for(app, narrator, workspace) as client:
        session = Session(app, client, narrator, lock_for(workspace, client), given)
        plan = session.plan(workspace.flows)
        if saved is not None:
            saved.raise_if_moved(plan)
        asks = not (yes or plan.empty)
        plan.raise_if_refused(new_account=asks and app.can_ask)  # that is what the question is about
        if asks:
            permitted = replace(plan, permitted=replace(given.options, new_account=True))
            planned = Planned(plan=permitted, seconds=session.pace.duration(plan.calls),
                              calls_per_hour=session.pace.calls_per_hour)  # fmt: skip
            app.announce(planned)
            if not app.confirmed(_question(plan)):
                return Deployed(plan=plan, results=(), calls=app.counters.total.requests, declined=True)
        return session.apply(plan, new_account=asks)


@click.command("sync", cls=Command)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@workspace_options
@deploy_options
@click.option("--publish", is_flag=True, help="Publish all of them, whatever the file says.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@click.pass_obj
def sync_command(
    app: App, /, folder: Path | None, config: Path | None, env: str | None, chosen: tuple[str, ...], publish: bool,
    dry_run: bool, **more: Any,
) -> Value:  # fmt: skip
    """
    Make the account's flows what FOLDER/flows.toml says: plan and apply in one, without a question.

    A live flow that differs is blocked unless it is wanted published, because an upload takes it out of use.
    """
    if folder is not None and config is not None:
        raise click.UsageError("give FOLDER or --config, not both.")
    given = _given(**more, chosen=chosen)
    workspace = open_workspace(config if folder is None else folder / "flows.toml", env, chosen)
    flows = tuple(replace(flow, publish=True) for flow in workspace.flows) if publish else workspace.flows
    narrator = app.narrator()
    with client_for(app, narrator, workspace) as client:
        session = Session(app, client, narrator, lock_for(workspace, client), given)
        try:
            plan = session.plan(flows)
        except (KeyboardInterrupt, NotSentError) as interrupt:
            if not (isinstance(interrupt, KeyboardInterrupt) or app.stop.is_set()):
                raise
            return Deployed(results=(), calls=app.counters.total.requests, interrupted=_code(interrupt))
        if dry_run:
            return Planned(
                plan=plan, calls=app.counters.total.requests, seconds=session.pace.duration(plan.calls),
                calls_per_hour=session.pace.calls_per_hour,
            )  # fmt: skip
        plan.raise_if_refused()
        return session.apply(plan)


def _saved(app: App, file: Path, workspace: Workspace) -> Plan:
    try:
        document = json.loads(app.read(str(file)))
    except (ValueError, RecursionError):
        raise PlanError(f"{file} is no plan.") from None
    return Plan.from_json(document, workspace.flows)


def _question(plan: Plan) -> str:
    if plan.other_account:
        return f"Deploy to account {plan.account_id} for the first time, beside account {plan.other_account}?"
    return "Do this?"


def _code(interrupt: BaseException) -> int:
    return interrupt.exit_code if isinstance(interrupt, Terminated) else _INTERRUPTED


class Session:
    """One account's client, its pace and its lock file, from the snapshot to the results."""

    def __init__(self, app: App, client: FlowsClient, narrator: Narrator, lock: Lock, given: Given) -> None:
        self.pace = RunPace(
            given.calls_per_hour, sleep=app.sleep, stop=app.stop,
            on_wait=lambda seconds: narrator.now.tell("waiting for the rate budget", seconds=seconds),
        )  # fmt: skip
        self._client = paced(client, self.pace)
        self._app, self._narrator, self._lock, self._given = app, narrator, lock, given

    def plan(self, flows: Sequence[DesiredFlow]) -> Plan:
        """A new snapshot, and what it differs in. What is wrong in the files is found before the first request."""
        for flow in flows:
            flow.errors(self._given.options.today)

        def reading(desired: DesiredFlow, flow_id: str) -> None:
            self._narrator.about = desired.key

        snapshot = take_snapshot(self._client, flows, self._lock, jobs=self._given.jobs, on_flow=reading)
        self._narrator.about = ""
        return diff(flows, snapshot, self._given.options)

    def apply(self, plan: Plan, *, new_account: bool = False, retry_policy: RetryPolicy | None = None) -> Deployed:
        """Do it. An interrupt ends it, and the report says what was done before."""
        results: dict[str, FlowResult] = {}
        interrupted = 0
        pending = len(plan.pending)

        def heard(event: FlowEvent) -> None:
            self._narrator.flow(event)
            if event.result is not None:
                results[event.key] = event.result
                if event.result.done or (not event.result.ok and event.result.action != "blocked"):
                    begun = sum(bool(it.done) or not it.ok for it in results.values() if it.action != "blocked")
                    self._narrator.say(result_line(event.result, begun, pending))

        planning = self._app.counters.total.requests
        wait = self.pace.duration(plan.calls)
        if wait > 0:
            self._narrator.say(Text(f"{plan.calls} requests: {wait:.0f} s of waiting for the rate budget."))
        self._narrator.deploying = True
        try:
            apply(
                self._client, plan, lock=self._lock, jobs=self._given.jobs, new_account=new_account,
                stop=self._app.stop, on_event=heard, retry_policy=retry_policy,
            )  # fmt: skip
            interrupted = _INTERRUPTED if self._app.stop.is_set() and pending else 0
        except KeyboardInterrupt as interrupt:
            interrupted = _code(interrupt)
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
