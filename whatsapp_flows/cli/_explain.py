"""`explain`: what an error code means, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import click
from rich.table import Table
from rich.text import Text

from .._error_codes import ErrorRow
from .._error_rows import ERROR_CODES
from ..errors import FlowProcessingError, RetryableError
from ..models import Health
from ._app import App
from ._json import Json, as_json, health_as_json
from ._options import Command
from ._text import Lines, as_text, error_key, health_problems, status_text
from ._values import Value

_LINK: Final = re.compile(r" \((https://[^\s)]+)\)")
_KEY: Final = re.compile(r"([0-9]{1,18})(?:/([0-9]{1,18}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Value):
    """
    The rows of the error table for a code.

    `fallback`: the table has no row for the subcode, and `rows` are those for the code alone. `health` is that of the
    flow given with --flow.
    """

    code: int
    subcode: int | None
    rows: Sequence[ErrorRow]
    fallback: bool = False
    health: Health | None = None

    @property
    def exit_code(self) -> int:
        """1 if the table has no row for the code."""
        return 0 if self.rows else 1


@click.command(cls=Command)
@click.argument("code", metavar="CODE[/SUBCODE]")
@click.option("--flow", "flow_id", metavar="ID", help="Also show the health of this flow.")
@click.option("--phone-number", "phone_number_id", metavar="ID", help="With --flow: its health on this phone number.")
@click.pass_obj
def explain(app: App, code: str, flow_id: str | None, phone_number_id: str | None) -> Explanation:
    """
    Explain a Meta error code and what to do about it.

    Needs no access token, except with --flow.
    """
    explanation = _look_up(code)
    if flow_id is None:
        if phone_number_id is not None:
            raise click.UsageError("--phone-number needs --flow.")
        return explanation
    with app.client(app.progress_reporter()) as client:
        return replace(explanation, health=client.get_health(flow_id, phone_number_id=phone_number_id))


def _look_up(key: str) -> Explanation:
    found = _KEY.fullmatch(key)
    if found is None:
        raise click.UsageError(
            f"{key!r} is not an error code: give a code such as 4, or 139001/4016012 with a subcode."
        )
    code, subcode = int(found[1]), int(found[2]) if found[2] else None
    rows = [row for row in ERROR_CODES if row.covers(code)]
    exact = [row for row in rows if row.subcode == subcode]
    if subcode is None or exact:
        return Explanation(code=code, subcode=subcode, rows=rows if subcode is None else exact)
    general: list[ErrorRow] = [row for row in rows if row.subcode is None]
    return Explanation(code=code, subcode=subcode, rows=general, fallback=True)


# -- output


@as_text.register
def _(value: Explanation) -> Lines:
    key = error_key(value.code, value.subcode)
    if not value.rows:
        yield Text(f"Error {key} is not in the table of known codes.")
        yield Text(
            "The client raises UnknownApiError for it, and does not retry unless Meta marks the error as transient or "
            "answers with HTTP 5xx."
        )
        return
    if value.fallback:
        yield Text(
            f"Subcode {value.subcode} is not in the table of known codes. Code {value.code} is handled as follows."
        )
    for number, rows in enumerate(_grouped(value.rows)):
        if number or value.fallback:
            yield Text()
        yield from _row_lines(rows, with_hint=value.health is None)
    if value.health is not None:
        yield Text()
        yield Text.assemble("health of the flow: ", status_text(value.health.can_send_message or "unknown"))
        yield from health_problems(value.health.entities)


def _grouped(rows: Iterable[ErrorRow]) -> list[list[ErrorRow]]:
    """The rows, those together that differ only in the text of Meta's message."""
    return [list(group) for _, group in groupby(rows, key=lambda row: replace(row, title=""))]


def _row_lines(rows: Sequence[ErrorRow], *, with_hint: bool) -> Lines:
    row = rows[0]
    name = error_key(row.code, row.subcode) + (f" to {row.last}" if row.last else "")
    yield Text.assemble((name, "bold"), f"  {row.meaning}")
    titles = " or ".join(f'"{row.title}"' for row in rows if row.title)
    facts: list[tuple[str, str | Text]] = [("text", f"Meta's message contains {titles}")] if titles else []
    facts += [
        ("error", Text.assemble(row.error.__name__, ", ", _retryability(row))),
        ("effect", _effect(row)),
        ("advice", row.advice),
    ]
    if with_hint and "get_health" in row.advice:
        facts.append(("health", f"to see it, run: whatsapp-flows explain {name} --flow ID"))
    sources = row.source.split("; ")
    facts.append(("source", "\n".join(_LINK.sub("", source) for source in sources)))
    table = Table.grid(padding=(0, 2, 0, 0))
    for label, fact in facts:
        table.add_row(Text(f"  {label}", style="dim"), fact if isinstance(fact, Text) else Text(fact))
    yield table
    for link in _LINK.findall(row.source):
        yield Text(f"    {link}", no_wrap=True, overflow="ignore")


def _is_retryable(row: ErrorRow) -> bool:
    return issubclass(row.error, RetryableError)


def _retryability(row: ErrorRow) -> Text:
    return Text("retryable", style="green") if _is_retryable(row) else Text("fatal", style="red")


def _effect(row: ErrorRow) -> str:
    if row.error is FlowProcessingError:
        return "Meta has saved the Flow JSON"
    return "Meta may have executed the request" if row.error.outcome_unknown else "Meta has not executed the request"


@as_json.register
def _(value: Explanation) -> Json:
    return {
        "code": value.code,
        "subcode": value.subcode,
        "fallback": value.fallback,
        "health": None if value.health is None else health_as_json(value.health),
        "rows": [
            {
                "code": row.code,
                "last_code": row.last or row.code,
                "subcode": row.subcode,
                "title": row.title,
                "error": row.error.__name__,
                "retryable": _is_retryable(row),
                "may_have_acted": row.error.outcome_unknown,
                "meaning": row.meaning,
                "advice": row.advice or None,
                "source": row.source,
            }
            for row in value.rows
        ],
    }
