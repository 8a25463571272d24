"""
The table of error codes in docs/errors.md, written from `ERROR_CODES`.

    python -m tools.error_table            writes the table
    python -m tools.error_table --check    exits with 1 if the page differs from the code

The table stands between two comments of the page. It is plain Markdown, so that it renders on the repository's own site
as well as in the built documentation.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from tools.page_table import DOCS, PageTable, cell, markdown
from whatsapp_flows import ERROR_CODES, ErrorRow, RetryableError

PAGE: Final = DOCS / "errors.md"
BEGIN: Final = "<!-- error table: written by `make generate` -->"
END: Final = "<!-- end of the error table -->"
_LINKED: Final = re.compile(r"(.+) \((https://\S+)\)")
HEAD: Final = ("Code", "Error", "Class", "Meaning", "Action", "Source")


def table() -> str:
    """All rows of `ERROR_CODES`, in their order, as a Markdown table."""
    return markdown([HEAD, *(_cells(row) for row in ERROR_CODES)])


def with_table(page: str) -> str:
    """The page with the current table between its two comments."""
    return PageTable(PAGE, BEGIN, END, table).written_into(page)


def main(arguments: list[str], page: Path = PAGE) -> int:
    """Writes the page, or compares it with `--check`. Returns the exit code."""
    return PageTable(page, BEGIN, END, table).run(arguments)


def _cells(row: ErrorRow) -> tuple[str, ...]:
    kind = "retryable" if issubclass(row.error, RetryableError) else "fatal"
    return _code(row), f"`{row.error.__name__}`", kind, cell(row.meaning), cell(row.advice), _sources(row)


def _code(row: ErrorRow) -> str:
    code = str(row.code) if row.last is None else f"{row.code} to {row.last}"
    if row.subcode is not None:
        return f"{code}/{row.subcode}"
    return code if row.title is None else f"{code} “{cell(row.title)}”"


def _sources(row: ErrorRow) -> str:
    """The names of the sources, as links where they have an address."""
    return "; ".join(_LINKED.sub(r"[\1](\2)", cell(source)) for source in row.source.split("; "))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
