"""
Values as text, for readers. `_json` is the same for other programs.

Text that comes from Meta or from a file goes through `inert` into a rich `Text`, which reads no markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import singledispatch
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from .._inert import inert
from ..errors import ConfigurationError, FlowsError, FlowValidationError, ValidationIssue
from ..models import HealthEntity
from ..sync import FlowJsonDiff
from . import _values as values
from ._layout import WrappedName, format_duration

Lines = Iterator[RenderableType]

# Columns of single words and dates, which are never wrapped. Names and sentences in the other columns are.
_UNWRAPPED_COLUMNS: Final = frozenset(
    {"Attempts", "Freezes", "Health", "ID", "Last change (UTC)", "Result", "Status", "Version"}
)
_MAX_DIFF_LINES: Final = 50  # of one flow

_STATUS_STYLES: Final = {
    "created": "green", "adopted": "green", "uploaded": "green", "updated": "green", "published": "green",
    "republished": "green", "replaced": "green", "deprecated": "green", "unchanged": "dim", "blocked": "yellow",
    "failed": "bold red", "interrupted": "bold red", "not begun": "yellow", "kept": "yellow", "restored": "bold red",
    "DRAFT": "yellow", "PUBLISHED": "green", "DEPRECATED": "dim", "BLOCKED": "bold red", "THROTTLED": "bold red",
    "VALID": "green", "MISMATCH": "bold red", "AVAILABLE": "green", "LIMITED": "yellow",
}  # fmt: skip
_DIFF_STYLES: Final = {"+": "green", "-": "red", "~": "yellow"}


@singledispatch
def as_text(value: values.Value) -> Lines:
    """The lines and tables that show a value, from top to bottom."""
    raise NotImplementedError(type(value).__name__)


@as_text.register
def _(value: values.FlowList) -> Lines:
    if not value.flows:
        yield Text("The account has no flows.")
        return
    table = new_table("ID", "Name", "Status", "Categories", right=("Errors",))
    for flow in value.flows:
        errors = len(flow.validation_errors)
        table.add_row(
            Text(inert(flow.id)),
            WrappedName(inert(flow.name)),
            status_text(str(flow.status)),
            Text(inert(", ".join(flow.categories))),
            Text(str(errors), style="bold red" if errors else "dim"),
        )
    yield table


@as_text.register
def _(value: values.FlowDetails) -> Lines:
    flow = value.flow
    table = Table.grid(padding=(0, 2, 0, 0))
    facts = (
        ("id", flow.id),
        ("name", flow.name),
        ("status", str(flow.status)),
        ("categories", ", ".join(flow.categories)),
        ("Flow JSON version", flow.json_version),
        ("data API version", flow.data_api_version),
        ("endpoint", flow.endpoint_uri),
        ("updated", flow.updated_at.isoformat(" ") if flow.updated_at else None),
        ("errors", str(len(flow.validation_errors))),
        ("health", value.health.can_send_message if value.health is not None else None),
    )
    for label, fact in facts:
        if fact:
            table.add_row(Text(label, style="dim"), status_text(fact))
    yield table
    if value.health is not None:
        yield from health_problems(value.health.entities)
    yield from issue_lines(flow.validation_errors, "flow.json")


def health_problems(entities: Iterable[HealthEntity], *, indent: str = "  ") -> Lines:
    """The entities that prevent or limit sending a flow, with Meta's explanations and suggestions."""
    for entity in entities:
        if entity.can_send_message == "AVAILABLE" and not entity.errors:
            continue
        name = inert(f"{entity.entity_type} {entity.id}".strip())
        yield Text.assemble(indent, (f"{name}: ", "bold"), status_text(entity.can_send_message or "unknown"))
        for error in entity.errors:
            code = "" if error.error_code is None else f"{error.error_code} "
            yield Text(f"{indent}  {code}{inert(error.error_description)}")
            if error.possible_solution:
                yield Text(f"{indent}    {inert(error.possible_solution)}", style="dim")
        for info in entity.additional_info:
            yield Text(f"{indent}  {inert(info)}")


@as_text.register
def _(value: values.Completed) -> Lines:
    yield Text(f"{value.done.capitalize()} {value.subject} {inert(value.id)}.{' ' if value.note else ''}{value.note}")


@as_text.register
def _(value: values.Declined) -> Lines:
    yield Text(f"Flow {inert(value.id)} was not changed.")


@as_text.register
def _(_: values.Stopped) -> Lines:
    yield Text("Stopped.")


@as_text.register
def _(value: values.Created) -> Lines:
    created = value.created
    action = "Found" if created.adopted else "Created and published" if value.published else "Created"
    yield Text(f"{action} flow {inert(created.id)}: {inert(value.name)}")
    if created.adopted:
        state = "It is in the requested state." if created.success else "Upload its Flow JSON and publish it."
        yield Text(f"Meta's response was lost, and the flow was then found by its name. {state}")
    yield from _errors_found_by_meta(created.validation_errors)


@as_text.register
def _(value: values.Uploaded) -> Lines:
    attempts = value.update.attempts
    suffix = "" if attempts == 1 else f" on attempt {attempts}"
    yield Text(
        f"Uploaded {value.size:,} bytes to flow {inert(value.flow_id)}{suffix}. It is a draft until you publish it."
    )
    yield from _errors_found_by_meta(value.update.validation_errors)


@as_text.register
def _(value: values.PreviewLink) -> Lines:
    yield Text(inert(value.preview.url), no_wrap=True, overflow="ignore")
    if value.preview.expires_at is not None:
        yield Text(f"Anyone with this link can open the flow until {value.preview.expires_at:%Y-%m-%d %H:%M %Z}.")


@as_text.register
def _(value: values.Downloaded) -> Lines:
    yield Text(f"Wrote {len(value.content):,} bytes of flow {inert(value.flow_id)} to {inert(str(value.file))}.")


@as_text.register
def _(value: values.Migrated) -> Lines:
    table = new_table("Name", "Result", "ID", "Reason")
    for flow in value.migration.migrated:
        table.add_row(
            WrappedName(inert(flow.source_name)), Text("copied", style="green"), Text(inert(flow.migrated_id)), ""
        )
    for failure in value.migration.failed:
        table.add_row(
            WrappedName(inert(failure.source_name)), status_text("failed"), "", Text(inert(failure.error_message))
        )
    yield table if table.row_count else Text("The source account has no flows to copy.")


@as_text.register
def _(value: values.Key) -> Lines:
    yield Text.assemble(
        f"Public key of phone number {inert(value.phone_number_id)}: ", status_text(value.key.status or "none")
    )
    yield Text("\n".join(inert(line) for line in value.key.pem.splitlines()) or "No key is set.")


# -- errors


def error_as_text(error: FlowsError) -> Lines:
    """An error as one block: what happened, what to do, and the trace id for Meta's support."""
    yield Text.assemble(("error: ", "bold red"), inert(error_summary(error)))
    yield from error_details(error)


def error_summary(error: FlowsError) -> str:
    """`publish flow 123: Flow can't be published: ... (code 139002/4016011, HTTP 400)`."""
    details = error.details
    message = details.user_message or details.message
    if details.user_message and details.user_title and details.user_title not in details.user_message:
        message = f"{details.user_title}: {message}"
    facts = [] if details.code is None else [f"code {error_key(details.code, details.subcode)}"]
    facts += [] if details.http_status is None else [f"HTTP {details.http_status}"]
    facts += [f"after {len(error.attempts) + 1} attempts"] if error.attempts else []
    operation = (details.operation or "").replace("_", " ")
    subject = f"{operation} {details.flow_id or ''}".strip()
    return f"{subject}: {message}".removeprefix(": ") + (f" ({', '.join(facts)})" if facts else "")


def error_details(error: FlowsError) -> Lines:
    """The lines below the summary: validation errors, advice, how long to wait, the trace id."""
    if isinstance(error, FlowValidationError):
        # Meta's positions are those of the uploaded flow.json. A local error names its file in the message.
        yield from issue_lines(error.issues, "flow.json" if error.operation else None)
    if error.advice and not isinstance(error, ConfigurationError):  # a ConfigurationError's message says what to do
        yield Text(f"  {error.advice}")
    if error.retry_after and not error.details.retry_after_estimated:  # the advice names an estimate
        yield Text(f"  Meta asks to wait {format_duration(error.retry_after)} before the next request.")
    if error.fbtrace_id:
        yield Text(f"  fbtrace_id {inert(error.fbtrace_id)}")


def error_key(code: int, subcode: int | None) -> str:
    """`139001/4016012`, or `4`."""
    return str(code) if subcode is None else f"{code}/{subcode}"


def _errors_found_by_meta(issues: tuple[ValidationIssue, ...]) -> Lines:
    if issues:
        yield Text(f"Meta found {count(len(issues), 'error')}. The flow cannot be published:", style="bold red")
        yield from issue_lines(issues, "flow.json")


# -- parts that several commands use


def issue_lines(issues: Iterable[ValidationIssue], file: str | None) -> Lines:
    """One line for each validation error."""
    for issue in issues:
        yield Text.assemble("  ", issue_line(issue, file))


def issue_line(issue: ValidationIssue, file: str | None) -> Text:
    """`flow.json:3:7 CODE: message (path)`, a form in which editors recognise the position."""
    place = ":".join(str(part) for part in (file, issue.line_start, issue.column_start) if part is not None)
    path = issue.pointers[0].path if issue.pointers else ""
    where = f" ({inert(path)})" if path else ""
    return Text.assemble((place, "cyan"), " " if place else "", inert(issue.error), ": ", inert(issue.message), where)


def diff_lines(diff: FlowJsonDiff) -> Lines:
    """A coloured line for each difference, up to a maximum."""
    lines, omitted = shortened(diff)
    for line in lines:
        yield Text(f"  {line}", style=_DIFF_STYLES[line[0]])
    if omitted:
        yield Text(f"  and {omitted} more")


def shortened(diff: FlowJsonDiff) -> tuple[list[str], int]:
    """The lines that are shown of a diff, and the number of those that are not."""
    return [inert(line) for line in diff.lines()[:_MAX_DIFF_LINES]], max(len(diff.differences) - _MAX_DIFF_LINES, 0)


def new_table(*left: str, right: Iterable[str] = ()) -> Table:
    """A table without borders, with these columns aligned to the left and to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold underline")
    for name in left:
        table.add_column(name, overflow="fold", no_wrap=name in _UNWRAPPED_COLUMNS)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def status_text(status: str) -> Text:
    """A status or a result, in its colour."""
    return Text(inert(status), style=_STATUS_STYLES.get(status, "green" if status.startswith("to ") else ""))


def count(number: int, noun: str) -> str:
    """`1 flow`, `2 flows`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def totals(statuses: Iterable[str], requests: int) -> Text:
    """The last line of a report: `3 flows: 2 published, 1 missing. 4 requests.`"""
    counts = Counter(statuses)
    parts = ", ".join(f"{number} {inert(status)}" for status, number in counts.items())
    return Text(f"{count(counts.total(), 'flow')}: {parts}. {count(requests, 'request')}.")
