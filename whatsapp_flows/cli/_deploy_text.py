"""Plans and their results: on a terminal, on a page of GitHub, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from rich.text import Text

from .._inert import inert
from ..errors import FlowProcessingError
from ..sync import ActualFlow, FlowChange, FlowJsonDiff, FlowResult, Plan, compare, counted, metadata_changes
from ._deploy_values import DemoReport, Deployed, Planned
from ._difference import diff_lines, diff_markdown
from ._json import Json, _issues, as_json, error_as_json
from ._layout import Name, seconds
from ._text import Lines, _after, _count, _issue_line, _table, _what, _word, as_text
from ._text import _issues as _issue_lines

_DONE: Final = {
    "create": "created", "adopt": "adopted", "upload": "uploaded", "update": "updated", "publish": "published",
    "republish": "republished", "replace": "replaced", "deprecate": "deprecated", "unchanged": "unchanged",
    "blocked": "blocked",
}  # fmt: skip
_SIGNS: Final = {"create": "+", "replace": "+", "deprecate": "-", "blocked": "!"}
_FORGOTTEN: Final = (
    "What was done is not remembered: the next run compares everything again, and --prune does not know what is new."
)
_STYLES: Final = {"+": "green", "-": "red", "!": "bold yellow", "~": "yellow"}


def outcome(result: FlowResult) -> str:
    """What became of a flow, in a word or two."""
    if result.restored:
        return "restored"
    if result.halted:
        return result.halted
    return _DONE[result.action] if result.ok or result.action == "blocked" else "failed"


def result_line(result: FlowResult, number: int, count: int) -> Text:
    """`[2/7] booking: created 1234, uploaded (attempt 3), published`."""
    words = [_DONE[step] for step in result.done] or ([] if not result.ok else [outcome(result)])
    if "create" in result.done:
        words[0] += f" {inert(result.flow_id)}"
        if result.status == "PUBLISHED" and "publish" not in result.done:
            words.append("published")
    if result.attempts > 1:
        words.append(f"{result.attempts} attempts")
    if not result.ok:
        words.append(outcome(result))
    style = "green" if result.ok else "bold red"
    return Text.assemble((f"[{number}/{count}] ", "dim"), (inert(result.key), "bold"), ": ",
                         (", ".join(words), style))  # fmt: skip


# -- plans


def _difference(change: FlowChange) -> FlowJsonDiff:
    """What an upload changes in the Flow JSON. For a new flow that would be all of it, and says nothing."""
    known = isinstance(change.actual, ActualFlow) and change.actual.content is not None
    if change.desired is None or not known or "upload" not in change.steps:
        return FlowJsonDiff()
    assert isinstance(change.actual, ActualFlow)  # noqa: S101
    return compare(change.actual.content, change.desired.content)


def _metadata(change: FlowChange) -> list[tuple[str, str, str]]:
    """What an update changes: what it is, the value that is wanted, the one that is there."""
    if change.desired is None or not isinstance(change.actual, ActualFlow) or "update" not in change.steps:
        return []
    return list(metadata_changes(change.desired, change.actual))


def _told(planned: Planned, change: FlowChange) -> str:
    """`republish "Booking": a draft for about 2 s`, without the key."""
    what = [f'{change.action} "{change.name}"']
    if change.blocked:
        what = [f"blocked: {change.reason}"]
    elif change.reason:
        what.append(change.reason)
    if change.unpublishes:
        seconds = change.draft_seconds()  # the requests of a flow that is a draft wait for no budget
        what.append("a draft from then on" if seconds is None else f"a draft for about {seconds:.0f} s")
    if change.may_replace:
        what.append("or replaced, if it refuses the edit")
    if change.after:
        what.append(f"after {_name_of(planned.plan, change.after)} is live")
    steps = [step for step in change.steps if step != change.action]
    if len(steps) > 1 or (steps and change.action != "republish"):
        what.append(", ".join(change.steps))
    return inert("; ".join(what))


def _name_of(plan: Plan, key: str) -> str:
    return next((change.name for change in plan.changes if change.key == key), key)


@as_text.register
def _(value: Planned) -> Lines:
    plan = value.plan
    shown = [change for change in plan.changes if change.action != "unchanged"]
    if plan.other_account:
        yield Text(_other_account(plan), style="bold red")
        yield Text()
    for change in shown:
        sign = _SIGNS.get(change.action, "~")
        style = "dim" if change.action == "adopt" else _STYLES[sign]
        yield Text.assemble((f"{sign} ", style), (inert(change.key), "bold"), ": ", (_told(value, change), style))
        yield from _issue_lines(change.issues, _source(change))
        for what, wanted, there in _metadata(change):
            yield Text(inert(f"  ~ {what} {there} -> {wanted}"), style=_STYLES["~"])
        yield from diff_lines(_difference(change))
    if shown:
        yield Text()
    yield Text(_plan_sum(value))
    if plan.refusal:
        yield Text(f"Refused: {plan.refusal}.", style="bold red")


def _other_account(plan: Plan) -> str:
    return (
        f"ANOTHER ACCOUNT: this is account {inert(plan.account_id or '')}, and the lock file is that of account "
        f"{inert(plan.other_account)}. Nothing was deployed here before."
    )


def _source(change: FlowChange) -> str:
    return inert(change.desired.source) if change.desired is not None else ""


def _plan_sum(value: Planned) -> str:
    plan = value.plan
    words = ", ".join(f"{number} {_planned(action)}" for action, number in counted(plan.changes)) or "nothing"
    if plan.empty:
        end = "Nothing else to do." if plan.blocked else "Nothing to do."
        return f"{_count(len(plan.changes), 'flow')}: {words}. {end}"
    wait = f", {value.seconds:.0f} s of waiting at {value.calls_per_hour:g} an hour" if value.seconds > 0 else ""
    return f"{_count(len(plan.changes), 'flow')}: {words}. It takes {_count(plan.calls, 'request')}{wait}."


def _planned(action: str) -> str:
    return action if action in {"unchanged", "blocked"} else f"to {action}"


def plan_markdown(value: Planned) -> str:
    """The plan for a page of GitHub. Names and reasons stand in code, where nothing is read as markup."""
    plan = value.plan
    lines = ["### WhatsApp Flows: plan", ""]
    if plan.other_account:
        lines += [f"**{_other_account(plan)}**", ""]
    lines.append(_plan_sum(value))
    if plan.refusal:
        lines += ["", f"**Refused:** {plan.refusal}."]
    shown = [change for change in plan.changes if change.action != "unchanged"]
    if shown:
        lines += ["", "| flow | action | what |", "| --- | --- | --- |"]
        lines += [f"| {_code(it.key)} | {it.action} | {_code(_told(value, it))} |" for it in shown]
    for change in shown:
        if change.issues:
            lines += ["", f"**{_html(inert(change.key))}**: {_code(change.reason)}", ""] if change.blocked else [""]
            lines += [f"- {_code(_issue_line(issue, _source(change)).plain)}" for issue in change.issues]
        difference = _difference(change)
        if difference:
            lines += ["", f"<details><summary>{_html(inert(change.key))}</summary>", "", diff_markdown(difference), "",
                      "</details>"]  # fmt: skip
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    """As code in a cell of a table."""
    return "`" + inert(text).replace("`", "'").replace("|", "\\|") + "`"


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@as_json.register
def _(value: Planned) -> Json:
    document = value.plan.to_json()
    flows = [
        {**flow, "error": _blocked(change), "validation_errors": _issues(change.issues),
         "unpublished_seconds": change.draft_seconds(),
         "differences": _difference(change).as_json()}
        for flow, change in zip(document["flows"], value.plan.changes, strict=True)
    ]  # fmt: skip
    return {**document, "calls": value.calls, "seconds": value.seconds, "dry_run": True, "flows": flows}


def _blocked(change: FlowChange) -> Json | None:
    if not change.blocked:
        return None
    facts = {} if change.error is None else error_as_json(change.error)
    return {**facts, "message": change.reason, "validation_errors": _issues(change.issues)}


# -- results


@as_text.register
def _(value: Deployed) -> Lines:
    if value.declined or not value.results:
        yield Text("Nothing was changed." if value.declined else "Interrupted: nothing was changed.")
        return
    table = _table("Flow", "Result", "Status", right=("Attempts",))
    for result in value.results:
        table.add_row(
            Name(inert(result.key), "bold"), _word(outcome(result)), _status(result),
            Text(str(result.attempts or "-")),
        )  # fmt: skip
    yield table
    for results in _alike(value.results):
        yield Text()
        yield from _problem(value, results)
    yield Text()
    yield Text(_sum(value))
    if value.lock_problem:
        yield Text(inert(f"{value.lock_problem} {_FORGOTTEN}"), style="bold red")


def _status(result: FlowResult) -> Text:
    before, now = result.status_before, result.status or ("unknown" if result.flow_id else "-")
    if before not in {"", "DRAFT", now}:
        return Text.assemble(_word(now), (f" (was {inert(before)})", "bold red"))
    return _word(now)


_NAMED: Final = 3  # of the flows that were left for one reason, before the rest is counted


def _alike(results: Iterable[FlowResult]) -> list[list[FlowResult]]:
    """The flows that are not as they should be; those that were left for one and the same reason together."""
    found: dict[tuple[str, str], list[FlowResult]] = {}
    for result in results:
        if not result.ok:
            alike = bool(result.halted) and not result.note
            found.setdefault(("" if alike else result.key, result.problem), []).append(result)
    return list(found.values())


def _problem(value: Deployed, results: list[FlowResult]) -> Lines:
    """Why a flow, or several, are not as they should be."""
    result, more = results[0], len(results) - _NAMED
    word = outcome(result)
    what = inert(result.problem if result.error is None else _what(result.error))
    if word == result.halted:
        what = what.removeprefix(word).removeprefix(": ")
    keys = ", ".join(inert(each.key) for each in results[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    yield Text.assemble((f"{keys}: ", "bold"), _word(word), f": {what}" if what else "")
    changes = value.plan.changes if value.plan is not None else ()
    source = next((_source(change) for change in changes if change.key == result.key), "")
    yield from _issue_lines(result.issues, source)
    if result.error is not None:
        yield from _after(result.error)
    if result.note:
        yield Text(f"  {inert(result.note)}", style="" if result.restored else "bold red")
    elif isinstance(result.error, FlowProcessingError):
        yield Text("  Meta has stored the file: the next run sends it again.")
    if result.done and not result.ok:
        yield Text(f"  Done before that: {', '.join(result.done)}.")


def _sum(report: Deployed) -> str:
    words = Counter(outcome(result) for result in report.results)
    flows = ", ".join(f"{count} {word}" for word, count in words.items())
    waited = f", {seconds(report.waited)} of waiting" if report.waited else ""
    retries = f", {report.retries} of them {'a retry' if report.retries == 1 else 'retries'}" if report.retries else ""
    return f"{_count(len(report.results), 'flow')}: {flows}. {_count(report.calls, 'request')}{retries}{waited}."


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
    return {**result.to_json(), "error": error, "validation_errors": _issues(result.issues)}


@as_text.register
def _(value: DemoReport) -> Lines:
    yield from as_text(value.report)
    victim = next((result for result in value.report.results if result.key == value.stage.victim), None)
    if victim is not None and victim.ok:
        yield Text(
            f"{inert(value.stage.victim)} got through on attempt {victim.attempts}. "
            f"The real waits would have been {sum(value.stage.real_waits):g} s."
        )


@as_json.register
def _(value: DemoReport) -> Json:
    return {**as_json(value.report), **as_json(value.stage)}
