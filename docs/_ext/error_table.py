"""The directive `error-table`: Meta's codes, as the library knows them, straight from `ERROR_CODES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from whatsapp_flows import ERROR_CODES, ErrorRow, RetryableError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HEAD = ("Code", "Error", "What it means", "What to do")


class ErrorTable(SphinxDirective):
    """All rows, in the order of the table."""

    def run(self) -> list[nodes.Node]:
        group = nodes.tgroup(cols=len(HEAD))
        group += [nodes.colspec(colwidth=width) for width in (14, 30, 28, 28)]
        group += nodes.thead("", _row(*HEAD))
        group += nodes.tbody("", *(_row(*_cells(row)) for row in ERROR_CODES))
        return [nodes.table("", group, classes=["error-table"])]


def _cells(row: ErrorRow) -> tuple[str, str, str, str]:
    code = str(row.code) if row.last is None else f"{row.code} to {row.last}"
    if row.subcode is not None:
        code = f"{code}/{row.subcode}"
    elif row.title is not None:
        code = f"{code} “{row.title}”"
    kind = "retryable" if issubclass(row.error, RetryableError) else "fatal"
    return code, f"`{row.error.__name__}` {kind}", f"{row.meaning} ({row.source})", row.advice


def _row(*cells: str) -> nodes.row:
    return nodes.row("", *(nodes.entry("", _paragraph(cell)) for cell in cells))


def _paragraph(text: str) -> nodes.paragraph:
    """What stands between backticks is code."""
    parts = enumerate(text.split("`"))
    return nodes.paragraph("", "", *(nodes.literal(text=it) if odd % 2 else nodes.Text(it) for odd, it in parts if it))


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("error-table", ErrorTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
