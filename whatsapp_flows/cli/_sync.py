"""`sync`: read, plan, apply, and tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.text import Text

from ..client import FlowsClient
from ..counters import RetryCounters
from ..sync._manifest import DesiredFlow
from ..sync._old_apply import FlowResult, OnStep, apply, unapplied
from ..sync._old_observe import observe
from ..sync._old_plan import FlowPlan, Step, SyncOptions, decide
from ._app import App, Terminated
from ._inert import inert
from ._progress import Narrator
from ._values import SyncReport

_DONE = {"create": "created", "update": "updated", "upload": "uploaded", "publish": "published"}


def synchronise(
    app: App,
    client: FlowsClient,
    narrator: Narrator,
    wanted: Sequence[DesiredFlow],
    options: SyncOptions,
    *,
    dry_run: bool = False,
    on_step: OnStep = lambda plan, step, flow_id: None,
) -> SyncReport:
    """
    Make the account's flows what is wanted, one after the other, or only say what would be done.

    An interrupt ends it; the report says what was done before.
    """
    plans: list[FlowPlan] = []
    results: list[FlowResult] = []
    interrupted = 0

    def begin(plan: FlowPlan, step: Step, flow_id: str) -> None:
        narrator.about = plan.desired.key
        on_step(plan, step, flow_id)

    def reading(desired: DesiredFlow, flow_id: str) -> None:
        narrator.about = desired.key

    try:
        actual = observe(client, wanted, on_flow=reading)
        plans = [decide(flow, found, options) for flow, found in zip(wanted, actual, strict=True)]
        for result in () if dry_run else apply(client, plans, on_step=begin):
            results.append(result)
            if result.plan.steps:
                narrator.say(_line(result, len(results), len(plans)))
            if app.stop.is_set():
                raise KeyboardInterrupt
    except KeyboardInterrupt as interrupt:
        interrupted = Terminated.exit_code if isinstance(interrupt, Terminated) else 130
    results += [_unbegun(plan, dry_run=dry_run) for plan in plans[len(results) :]]
    return _report(results, app.counters, dry_run=dry_run, interrupted=interrupted)


def _unbegun(plan: FlowPlan, *, dry_run: bool) -> FlowResult:
    result = unapplied(plan)
    return replace(result, problem="not begun") if plan.steps and not dry_run else result


def _report(results: Sequence[FlowResult], counters: RetryCounters, *, dry_run: bool, interrupted: int) -> SyncReport:
    total = counters.total
    return SyncReport(
        results=tuple(results),
        calls=total.requests,
        retries=total.retries,
        waited=total.seconds_waited,
        dry_run=dry_run,
        interrupted=interrupted,
    )


def _line(result: FlowResult, number: int, count: int) -> Text:
    """`[2/7] booking: created 1234, uploaded on attempt 3, published`."""
    words = [_DONE[step] for step in result.done]
    if "create" in result.done:
        words[0] += f" {inert(result.flow_id)}"
    if result.attempts > 1 and "upload" in result.done:
        words[result.done.index("upload")] += f" on attempt {result.attempts}"
    if not result.ok:
        words.append("failed")
    style = "green" if result.ok else "bold red"
    return Text.assemble((f"[{number}/{count}] ", "dim"), (inert(result.plan.desired.key), "bold"), ": ",
                         (", ".join(words), style))  # fmt: skip
