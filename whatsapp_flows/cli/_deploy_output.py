"""Plans and their results as text and as JSON. `_markdown` renders a plan for GitHub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from rich.text import Text

from .._inert import inert
from ..errors import FlowProcessingError
from ..sync import ActualFlow, FlowChange, FlowJsonDiff, FlowResult, Plan, compare, counted, metadata_changes
from ._deploy_values import Deployed, Planned
from ._json import Json, as_json, error_as_json, issues_as_json
from ._layout import WrappedName, format_duration
from ._text import (
    Lines,
    as_text,
    count,
    diff_lines,
    error_details,
    error_summary,
    issue_lines,
    new_table,
    status_text,
)

_PAST_PARTICIPLES: Final = {
    "create": "created", "adopt": "adopted", "upload": "uploaded", "update": "updated", "publish": "published",
    "republish": "republished", "replace": "replaced", "deprecate": "deprecated", "unchanged": "unchanged",
    "blocked": "blocked",
}  # fmt: skip
_SIGNS: Final = {"create": "+", "replace": "+", "deprecate": "-", "blocked": "!"}
_NOT_RECORDED: Final = (
    "The changes are not recorded: the next run compares everything again, and --prune does not know the new flows."
)
_STYLES: Final = {"+": "green", "-": "red", "!": "bold yellow", "~": "yellow"}


def outcome(result: FlowResult) -> str:
    """The result of a flow in one or two words."""
    if result.restored:
        return "restored"
    if result.halted:
        return result.halted
    return _PAST_PARTICIPLES[result.action] if result.ok or result.action == "blocked" else "failed"


def result_line(result: FlowResult, number: int, total: int) -> Text:
    """`[2/7] booking: created 1234, uploaded (attempt 3), published`."""
    parts = [_PAST_PARTICIPLES[step] for step in result.done] or ([] if not result.ok else [outcome(result)])
    if "create" in result.done:
        parts[0] += f" {inert(result.flow_id)}"
        if result.status == "PUBLISHED" and "publish" not in result.done:
            parts.append("published")
    if result.attempts > 1:
        parts.append(f"{result.attempts} attempts")
    if not result.ok:
        parts.append(outcome(result))
    style = "green" if result.ok else "bold red"
    return Text.assemble((f"[{number}/{total}] ", "dim"), (inert(result.key), "bold"), ": ",
                         (", ".join(parts), style))  # fmt: skip


# -- plans


def flow_json_diff(change: FlowChange) -> FlowJsonDiff:
    """What an upload changes in the Flow JSON of an existing flow. For a new flow the difference is empty."""
    known = isinstance(change.actual, ActualFlow) and change.actual.content is not None
    if change.desired is None or not known or "upload" not in change.steps:
        return FlowJsonDiff()
    assert isinstance(change.actual, ActualFlow)  # noqa: S101
    return compare(change.actual.content, change.desired.content)


def _metadata(change: FlowChange) -> list[tuple[str, str, str]]:
    """What an update changes: the property, the desired value, the current value."""
    if change.desired is None or not isinstance(change.actual, ActualFlow) or "update" not in change.steps:
        return []
    return list(metadata_changes(change.desired, change.actual))


def describe_change(plan: Plan, change: FlowChange) -> str:
    """`republish "Booking"; a draft for about 2 s; upload, publish`."""
    parts = [f'{change.action} "{change.name}"']
    if change.blocked:
        parts = [f"blocked: {change.reason}"]
    elif change.reason:
        parts.append(change.reason)
    if change.unpublishes:
        seconds = change.draft_seconds()
        parts.append("becomes a draft" if seconds is None else f"a draft for about {seconds:.0f} s")
    if change.may_replace:
        parts.append("or replace, if Meta refuses the change")
    if change.after:
        parts.append(f"after {_flow_name(plan, change.after)} is live")
    steps = [step for step in change.steps if step != change.action]
    if len(steps) > 1 or (steps and change.action != "republish"):
        parts.append(", ".join(change.steps))
    return inert("; ".join(parts))


def _flow_name(plan: Plan, key: str) -> str:
    return next((change.name for change in plan.changes if change.key == key), key)


def changed_flows(plan: Plan) -> list[FlowChange]:
    """The changes of a plan, without the flows that stay as they are."""
    return [change for change in plan.changes if change.action != "unchanged"]


@as_text.register
def _(value: Planned) -> Lines:
    plan = value.plan
    changed = changed_flows(plan)
    if plan.other_account:
        yield Text(account_warning(plan), style="bold red")
        yield Text()
    for change in changed:
        sign = _SIGNS.get(change.action, "~")
        style = "dim" if change.action == "adopt" else _STYLES[sign]
        yield Text.assemble(
            (f"{sign} ", style), (inert(change.key), "bold"), ": ", (describe_change(plan, change), style)
        )
        yield from issue_lines(change.issues, source_of(change))
        for name, desired, current in _metadata(change):
            yield Text(inert(f"  ~ {name} {current} -> {desired}"), style=_STYLES["~"])
        yield from diff_lines(flow_json_diff(change))
        if change.key in value.storyboards:
            yield Text(inert(f"  {value.storyboards[change.key]}"), style="dim")
    if changed:
        yield Text()
    yield Text(plan_summary(value))
    if plan.refusal:
        yield Text(f"Refused: {plan.refusal}.", style="bold red")


def account_warning(plan: Plan) -> str:
    """That the lock file belongs to another account, with both ids."""
    return (
        f"ANOTHER ACCOUNT: this is account {inert(plan.account_id or '')}, but the lock file belongs to account "
        f"{inert(plan.other_account)}. Nothing was deployed to this account from here."
    )


def source_of(change: FlowChange) -> str:
    """The file of a flow, or an empty string."""
    return inert(change.desired.source) if change.desired is not None else ""


def plan_summary(value: Planned) -> str:
    """`7 flows: 1 to create, 6 unchanged. It takes 2 requests.`"""
    plan = value.plan
    actions = ", ".join(f"{number} {_planned_action(action)}" for action, number in counted(plan.changes)) or "nothing"
    if plan.empty:
        adopts = any(change.action == "adopt" for change in plan.changes)
        end = "Nothing else to do." if plan.blocked else f"Nothing to {'change at Meta' if adopts else 'do'}."
        return f"{count(len(plan.changes), 'flow')}: {actions}. {end}"
    wait = (
        f" and {format_duration(value.seconds)} at {value.calls_per_hour:g} requests an hour"
        if value.seconds > 0
        else ""
    )
    return f"{count(len(plan.changes), 'flow')}: {actions}. It takes {count(plan.calls, 'request')}{wait}."


def _planned_action(action: str) -> str:
    return action if action in {"unchanged", "blocked"} else f"to {action}"


@as_json.register
def _(value: Planned) -> Json:
    document = value.plan.to_json()
    flows = [
        {**flow, "error": _blocked_error(change), "validation_errors": issues_as_json(change.issues),
         "unpublished_seconds": change.draft_seconds(),
         "differences": flow_json_diff(change).as_json(), **_storyboard(value, change)}
        for flow, change in zip(document["flows"], value.plan.changes, strict=True)
    ]  # fmt: skip
    return {**document, "calls": value.calls, "seconds": value.seconds, "dry_run": True, "flows": flows}


def _storyboard(value: Planned, change: FlowChange) -> Json:
    """Only where there is one."""
    path = value.storyboards.get(change.key)
    return {} if path is None else {"storyboard": str(path)}


def _blocked_error(change: FlowChange) -> Json | None:
    if not change.blocked:
        return None
    facts = {} if change.error is None else error_as_json(change.error)
    return {**facts, "message": change.reason, "validation_errors": issues_as_json(change.issues)}


# -- results


@as_text.register
def _(value: Deployed) -> Lines:
    if value.declined or not value.results:
        yield Text("Nothing was changed." if value.declined else "Interrupted: nothing was changed.")
        return
    table = new_table("Flow", "Result", "Status", right=("Attempts",))
    for result in value.results:
        table.add_row(
            WrappedName(inert(result.key), "bold"), status_text(outcome(result)), _status(result),
            Text(str(result.attempts or "-")),
        )  # fmt: skip
    yield table
    for results in _grouped_by_problem(value.results):
        yield Text()
        yield from _problem_lines(value.plan, results)
    yield Text()
    yield Text(_deployed_summary(value))
    if value.lock_problem:
        yield Text(inert(f"{value.lock_problem} {_NOT_RECORDED}"), style="bold red")


def _status(result: FlowResult) -> Text:
    before, now = result.status_before, result.status or ("unknown" if result.flow_id else "-")
    if before not in {"", "DRAFT", now}:
        return Text.assemble(status_text(now), (f" (was {inert(before)})", "bold red"))
    return status_text(now)


_MAX_NAMED: Final = 3  # flows with the same problem that are named; the others are counted


def _grouped_by_problem(results: Iterable[FlowResult]) -> list[list[FlowResult]]:
    """The flows that did not succeed. Those that were not started, for the same reason, form one group."""
    found: dict[tuple[str, str], list[FlowResult]] = {}
    for result in results:
        if not result.ok:
            shared = bool(result.halted) and not result.note
            found.setdefault(("" if shared else result.key, result.problem), []).append(result)
    return list(found.values())


def _problem_lines(plan: Plan | None, results: list[FlowResult]) -> Lines:
    """Why one flow, or several for the same reason, did not succeed."""
    result, more = results[0], len(results) - _MAX_NAMED
    state = outcome(result)
    reason = inert(result.problem if result.error is None else error_summary(result.error))
    if state == result.halted:
        reason = reason.removeprefix(state).removeprefix(": ")
    keys = ", ".join(inert(each.key) for each in results[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
    yield Text.assemble((f"{keys}: ", "bold"), status_text(state), f": {reason}" if reason else "")
    changes = plan.changes if plan is not None else ()
    source = next((source_of(change) for change in changes if change.key == result.key), "")
    yield from issue_lines(result.issues, source)
    if result.error is not None:
        yield from error_details(result.error)
    if result.note:
        yield Text(f"  {inert(result.note)}", style="" if result.restored else "bold red")
    elif isinstance(result.error, FlowProcessingError):
        yield Text("  Meta has stored the Flow JSON. The next run uploads it again.")
    if result.done and not result.ok:
        yield Text(f"  Completed before that: {', '.join(result.done)}.")


def _deployed_summary(report: Deployed) -> str:
    outcomes = Counter(outcome(result) for result in report.results)
    flows = ", ".join(f"{number} {name}" for name, number in outcomes.items())
    waited = f", {format_duration(report.waited)} of waiting" if report.waited else ""
    retries = f" ({report.retries} {'retry' if report.retries == 1 else 'retries'})" if report.retries else ""
    return f"{count(len(report.results), 'flow')}: {flows}. {count(report.calls, 'request')}{retries}{waited}."


@as_json.register
def _(value: Deployed) -> Json:
    return {
        "calls": value.calls,
        "planning_calls": value.planning_calls,
        "retries": value.retries,
        "seconds_waited": value.waited,
        "dry_run": False,
        "interrupted": bool(value.interrupted),
        "lock_error": value.lock_problem or None,
        "digest": value.plan.digest if value.plan is not None else None,
        "flows": [_result(result) for result in value.results],
    }


def _result(result: FlowResult) -> Json:
    error: dict[str, Any] | None = None
    if not result.ok:
        error = {"message": result.problem} if result.error is None else error_as_json(result.error)
    return {**result.to_json(), "error": error, "validation_errors": issues_as_json(result.issues)}
