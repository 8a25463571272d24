"""The directive `error-table`: Meta's codes, as the library knows them, straight from `ERROR_CODES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from whatsapp_flows import ERROR_CODES, RetryableError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HEAD = ("Code", "Subcode", "Error", "Retry", "What it means", "What to do", "Source")


class ErrorTable(SphinxDirective):
    """All rows, in the order of the table."""

    def run(self) -> list[nodes.Node]:
        rows = [HEAD]
        for row in ERROR_CODES:
            code = str(row.code) if row.last is None else f"{row.code} to {row.last}"
            subcode = str(row.subcode) if row.subcode is not None else f"“{row.title}”" if row.title else ""
            retry = "yes" if issubclass(row.error, RetryableError) else "no"
            rows.append((code, subcode, row.error.__name__, retry, row.meaning, row.advice, row.source))
        group = nodes.tgroup(cols=len(HEAD))
        group += [nodes.colspec(colwidth=width) for width in (8, 10, 18, 5, 25, 30, 10)]
        group += nodes.thead("", self._row(rows[0]))
        group += nodes.tbody("", *map(self._row, rows[1:]))
        return [nodes.table("", group, classes=["error-table"])]

    def _row(self, cells: tuple[str, ...]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", nodes.paragraph(text=cell)) for cell in cells))


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("error-table", ErrorTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
