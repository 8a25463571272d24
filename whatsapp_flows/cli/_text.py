"""Values as text, for readers. What comes from Meta goes through `inert` into a `Text`, where no markup is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatch
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from .._inert import inert
from ..errors import ConfigurationError, FlowProcessingError, FlowsError, FlowValidationError, ValidationIssue
from ..models import HealthEntity
from . import _values as values
from ._layout import Name, seconds

Lines = Iterator[RenderableType]

# Columns of single words and dates, which are never broken: what is too long is a name or a sentence beside them.
_SHORT: Final = frozenset({"Attempts", "Freezes", "Health", "ID", "Last change (UTC)", "Result", "Status", "Version"})

_STYLES: Final = {
    "created": "green", "adopted": "green", "uploaded": "green", "updated": "green", "published": "green",
    "republished": "green", "replaced": "green", "deprecated": "green", "unchanged": "dim", "blocked": "yellow",
    "failed": "bold red", "interrupted": "bold red", "not begun": "yellow", "kept": "yellow", "restored": "bold red",
    "DRAFT": "yellow", "PUBLISHED": "green", "DEPRECATED": "dim", "BLOCKED": "bold red", "THROTTLED": "bold red",
    "VALID": "green", "MISMATCH": "bold red", "AVAILABLE": "green", "LIMITED": "yellow",
}  # fmt: skip


@singledispatch
def as_text(value: values.Value) -> Lines:
    """What stands on the terminal for a value, from top to bottom."""
    raise NotImplementedError(type(value).__name__)


@as_text.register
def _(value: values.FlowList) -> Lines:
    if not value.flows:
        yield Text("The account has no flows.")
        return
    table = _table("ID", "Name", "Status", "Categories", right=("Errors",))
    for flow in value.flows:
        errors = len(flow.validation_errors)
        table.add_row(
            Text(inert(flow.id)),
            Name(inert(flow.name)),
            _word(str(flow.status)),
            Text(inert(", ".join(flow.categories))),
            Text(str(errors), style="bold red" if errors else "dim"),
        )
    yield table


@as_text.register
def _(value: values.OneFlow) -> Lines:
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
            table.add_row(Text(label, style="dim"), _word(fact))
    yield table
    if value.health is not None:
        yield from troubles(value.health.entities)
    yield from _issues(flow.validation_errors, "flow.json")


def troubles(entities: Iterable[HealthEntity], *, indent: str = "  ") -> Lines:
    """What stands in the way of sending a flow, and what Meta suggests."""
    for entity in entities:
        if entity.can_send_message == "AVAILABLE" and not entity.errors:
            continue
        name = inert(f"{entity.entity_type} {entity.id}".strip())
        yield Text.assemble(indent, (f"{name}: ", "bold"), _word(entity.can_send_message or "unknown"))
        for error in entity.errors:
            code = "" if error.error_code is None else f"{error.error_code} "
            yield Text(f"{indent}  {code}{inert(error.error_description)}")
            if error.possible_solution:
                yield Text(f"{indent}    {inert(error.possible_solution)}", style="dim")
        for info in entity.additional_info:
            yield Text(f"{indent}  {inert(info)}")


@as_text.register
def _(value: values.Done) -> Lines:
    yield Text(f"{value.done.capitalize()} {value.subject} {inert(value.id)}.{' ' if value.note else ''}{value.note}")


@as_text.register
def _(value: values.Declined) -> Lines:
    yield Text(f"Left flow {inert(value.id)} as it is.")


@as_text.register
def _(value: values.Created) -> Lines:
    created = value.created
    how = "Found" if created.adopted else "Created and published" if value.published else "Created"
    yield Text(f"{how} flow {inert(created.id)}: {inert(value.name)}")
    if created.adopted:
        state = "as asked for" if created.success else "not as asked for: upload and publish it"
        yield Text(f"An answer was lost; the flow was found by its name, {state}.")
    yield from _found(created.validation_errors)


@as_text.register
def _(value: values.Uploaded) -> Lines:
    tries = value.update.attempts
    how = "" if tries == 1 else f" on attempt {tries}"
    yield Text(f"Uploaded {value.size:,} bytes to flow {inert(value.flow_id)}{how}. It is a draft until published.")
    yield from _found(value.update.validation_errors)


@as_text.register
def _(value: values.PreviewLink) -> Lines:
    yield Text(inert(value.preview.url), no_wrap=True, overflow="ignore")
    if value.preview.expires_at is not None:
        yield Text(f"Whoever has this link can open the flow, until {value.preview.expires_at:%Y-%m-%d %H:%M %Z}.")


@as_text.register
def _(value: values.Downloaded) -> Lines:
    yield Text(f"Wrote {len(value.content):,} bytes of flow {inert(value.flow_id)} to {value.file}.")


@as_text.register
def _(value: values.Migrated) -> Lines:
    table = _table("Name", "Result", "ID", "Why")
    for flow in value.migration.migrated:
        table.add_row(Name(inert(flow.source_name)), Text("copied", style="green"), Text(inert(flow.migrated_id)), "")
    for failure in value.migration.failed:
        table.add_row(Name(inert(failure.source_name)), _word("failed"), "", Text(inert(failure.error_message)))
    yield table if table.row_count else Text("There was nothing to copy.")


@as_text.register
def _(value: values.Key) -> Lines:
    yield Text.assemble(f"The key of {inert(value.phone_number_id)}: ", _word(value.key.status or "none"))
    yield Text("\n".join(inert(line) for line in value.key.pem.splitlines()) or "Meta holds no key.")


@as_text.register
def _(value: values.DemoStage) -> Lines:
    waits, real = (" and ".join(seconds(wait) for wait in waits) for waits in (value.waits, value.real_waits))
    yield Text.assemble(("Demo: ", "bold"), f"the flows of {value.folder}, synced and published.")
    yield Text(f"  Meta is played by an emulator on this machine, at {value.url}.")
    yield Text(f"  The first {value.faults} uploads of {inert(value.victim)} will fail with 139001/4016012,")
    yield Text("  the error that Meta gives for a document which succeeds when sent again.")
    yield Text(f"  The waits are shortened, to {waits}; the real ones are {real}.")
    yield Text()


@as_text.register
def _(value: values.Serving) -> Lines:
    yield Text.assemble("Meta's Flows API, emulated at ", (value.url, "bold"))
    yield Text(f"  account {value.waba_id}, phone number {value.phone_number_id}")
    for kind, added in (
        ("account", value.accounts), ("phone number", value.phone_numbers), ("fault", value.faults)
    ):  # fmt: skip
        for each in added:
            yield Text(f"  {kind} {inert(each)}")
    yield Text()
    for name, text in (("BASE_URL", value.url), ("WABA_ID", value.waba_id), ("ACCESS_TOKEN", "emulated")):
        if value.any_token or name != "ACCESS_TOKEN":
            yield Text(f"export WHATSAPP_FLOWS_{name}={text}")
    yield Text()
    yield Text("Ctrl-C ends it.", style="dim")


@as_text.register
def _(_: values.Stopped) -> Lines:
    yield Text("Stopped.")


@as_text.register
def _(value: values.Explanation) -> Lines:
    key = values.error_key(value.code, value.subcode)
    if not value.rows:
        yield Text(f"Nobody has documented {key}: it is raised as an UnknownApiError, and not retried.")
        yield Text("If Meta calls it transient, or answers with HTTP 5xx, it is retried all the same.")
        return
    if value.fallback:
        yield Text(f"Nobody has documented {key}; what holds for {value.code} is used:")
    for number, row in enumerate(value.rows):
        if number or value.fallback:
            yield Text()
        name = values.error_key(row.code, row.subcode) + (f" to {row.last}" if row.last else "")
        yield Text.assemble((name, "bold"), f"  {row.meaning}")
        verdict = Text("retryable", style="green") if values.retryable(row) else Text("fatal", style="red")
        acted = "Meta may have acted" if row.error.outcome_unknown else "Meta has not acted"
        if row.error is FlowProcessingError:
            acted = "Meta has saved the Flow JSON"
        facts: list[tuple[str, str | Text]] = [
            ("error", Text.assemble(row.error.__name__, ", ", verdict)),
            ("effect", acted),
            ("advice", row.advice),
            ("source", row.source),
        ]
        if row.title:
            facts.insert(0, ("told by", f'"{row.title}" in Meta\'s text'))
        table = Table.grid(padding=(0, 2, 0, 0))
        if "get_health" in row.advice and value.health is None:
            facts.append(("health", f"whatsapp-flows explain {name} --flow ID shows that of a flow"))
        for label, fact in facts:
            table.add_row(Text(f"  {label}", style="dim"), fact if isinstance(fact, Text) else Text(fact))
        yield table
    if value.health is not None:
        yield Text()
        yield Text.assemble("health of the flow: ", _word(value.health.can_send_message or "unknown"))
        yield from troubles(value.health.entities)


def error_as_text(error: FlowsError) -> Lines:
    """One short block: what happened, what to do, what to quote."""
    yield Text.assemble(("error: ", "bold red"), inert(_what(error)))
    yield from _after(error)


def _what(error: FlowsError) -> str:
    details = error.details
    said = details.user_message or details.message
    if details.user_message and details.user_title and details.user_title not in details.user_message:
        said = f"{details.user_title}: {said}"
    facts = [] if details.code is None else [f"code {values.error_key(details.code, details.subcode)}"]
    facts += [] if details.http_status is None else [f"HTTP {details.http_status}"]
    facts += [f"after {len(error.attempts) + 1} attempts"] if error.attempts else []
    doing = (details.operation or "").replace("_", " ")
    subject = f"{doing} {details.flow_id or ''}".strip()
    return f"{subject}: {said}".removeprefix(": ") + (f" ({', '.join(facts)})" if facts else "")


def _after(error: FlowsError) -> Lines:
    if isinstance(error, FlowValidationError):
        # Without an operation nothing was sent as flow.json, and the message names the file.
        yield from _issues(error.issues, "flow.json" if error.operation else None)
    if error.advice and not isinstance(error, ConfigurationError):  # whose message is the remedy
        yield Text(f"  {error.advice}")
    if error.retry_after and not error.details.retry_after_estimated:  # an estimate stands in the advice
        yield Text(f"  Meta asks to stay away for {seconds(error.retry_after)}.")
    if error.fbtrace_id:
        yield Text(f"  fbtrace_id {inert(error.fbtrace_id)}")


def _found(issues: tuple[ValidationIssue, ...]) -> Lines:
    if issues:
        yield Text(f"Meta found {_count(len(issues), 'error')} in it, and will not publish it:", style="bold red")
        yield from _issues(issues, "flow.json")


def _issues(issues: Iterable[ValidationIssue], file: str | None) -> Lines:
    """One line each."""
    for issue in issues:
        yield Text.assemble("  ", _issue_line(issue, file))


def _issue_line(issue: ValidationIssue, file: str | None) -> Text:
    """It begins with a place that editors understand."""
    place = ":".join(str(part) for part in (file, issue.line_start, issue.column_start) if part is not None)
    path = issue.pointers[0].path if issue.pointers else ""
    where = f" ({inert(path)})" if path else ""
    return Text.assemble((place, "cyan"), " " if place else "", inert(issue.error), ": ", inert(issue.message), where)


def _table(*left: str, right: Iterable[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold underline")
    for name in left:
        table.add_column(name, overflow="fold", no_wrap=name in _SHORT)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _word(word: str) -> Text:
    """A state or a result, in its colour."""
    return Text(inert(word), style=_STYLES.get(word, "green" if word.startswith("to ") else ""))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
