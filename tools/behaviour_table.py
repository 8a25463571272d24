"""
The table of behaviour in docs/client-behaviour.md, written from `BEHAVIOUR`.

    python -m tools.behaviour_table            writes the table
    python -m tools.behaviour_table --check    exits with 1 if the page differs from the code
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tools.page_table import DOCS, PageTable, cell, markdown
from whatsapp_flows.play import BEHAVIOUR

PAGE: Final = DOCS / "client-behaviour.md"
BEGIN: Final = "<!-- table of behaviour: written by `make generate` -->"
END: Final = "<!-- end of the table of behaviour -->"


def table() -> str:
    """All rows of `BEHAVIOUR`, in their order, as a Markdown table."""
    rows = (
        (f"`{row.id}`", cell(f"{row.fact[0].upper()}{row.fact[1:]}."), row.evidence.kind, cell(row.evidence.source))
        for row in BEHAVIOUR.values()
    )
    return markdown([("Id", "What a client does", "Known", "Source"), *rows])


def main(arguments: list[str], page: Path = PAGE) -> int:
    """Writes the page, or compares it with `--check`. Returns the exit code."""
    return PageTable(page, BEGIN, END, table).run(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
