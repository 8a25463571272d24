"""
A plan as Markdown, for the summary page of a GitHub job.

Names, reasons and differences come from files and from Meta. They stand in code, where GitHub reads no markup, or are
escaped.
"""

from __future__ import annotations

import re
from typing import Final

from .._inert import inert
from ..sync import FlowChange, FlowJsonDiff
from ._deploy_output import account_warning, changed_flows, describe_change, flow_json_diff, plan_summary, source_of
from ._deploy_values import Planned
from ._storyboards import relative_link
from ._text import issue_line, shortened

_FENCES: Final = re.compile("`{3,}")


def plan_markdown(value: Planned) -> str:
    """The summary, a table of the changes, then the validation errors and the differences of each flow."""
    plan, changes = value.plan, changed_flows(value.plan)
    lines = ["### WhatsApp Flows: plan", ""]
    if plan.other_account:
        lines += [f"**{account_warning(plan)}**", ""]
    lines.append(plan_summary(value))
    if plan.refusal:
        lines += ["", f"**Refused:** {plan.refusal}."]
    if changes:
        lines += ["", "| flow | action | change |", "| --- | --- | --- |"]
        lines += [f"| {_name(value, it)} | {it.action} | {_code(describe_change(plan, it))} |" for it in changes]
    if value.storyboards:
        lines += ["", "The link of a flow leads to pictures of its screens."]
    for change in changes:
        lines += [*_issues(change), *_differences(change)]
    return "\n".join([*lines, ""])


def _name(value: Planned, change: FlowChange) -> str:
    """The key of a flow; a link to its storyboard, if it has one."""
    path = value.storyboards.get(change.key)
    return _code(change.key) if path is None else f"[{_code(change.key)}](<{relative_link(path)}>)"


def _issues(change: FlowChange) -> list[str]:
    if not change.issues:
        return []
    heading = ["", f"**{_html(inert(change.key))}**: {_code(change.reason)}", ""] if change.blocked else [""]
    return heading + [f"- {_code(issue_line(issue, source_of(change)).plain)}" for issue in change.issues]


def _differences(change: FlowChange) -> list[str]:
    """The differences, in a section that the reader unfolds."""
    difference = flow_json_diff(change)
    if not difference:
        return []
    summary = f"<details><summary>{_html(inert(change.key))}</summary>"
    return ["", summary, "", diff_markdown(difference), "", "</details>"]


def diff_markdown(diff: FlowJsonDiff) -> str:
    """A code block in which GitHub colours `+`, `-` and `!`. Its fence is longer than any fence in its lines."""
    lines, omitted = shortened(diff)
    lines = [f"!{line[1:]}" if line[0] == "~" else line for line in lines]
    lines += [f"# and {omitted} more"] if omitted else []
    fence = "`" * max((len(found) + 1 for line in lines for found in _FENCES.findall(line)), default=3)
    return "\n".join([f"{fence}diff", *lines, fence])


def _code(text: str) -> str:
    """Inline code, in the cell of a table."""
    return "`" + inert(text).replace("`", "'").replace("|", "\\|") + "`"


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
