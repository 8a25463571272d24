"""A table of the documentation that is written from the code, between two comments of a page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

DOCS: Final = Path(__file__).parent.parent / "docs"


class PageTable(NamedTuple):
    """Where a table stands, and what makes it."""

    page: Path
    begin: str
    end: str
    make: Callable[[], str]

    def written_into(self, text: str) -> str:
        """The page with the current table between its two comments."""
        before, _, rest = text.partition(self.begin)
        _, found, after = rest.partition(self.end)
        if not found:
            raise ValueError(f"the page has no {self.begin} ... {self.end}")
        return f"{before}{self.begin}\n\n{self.make()}\n\n{self.end}{after}"

    def run(self, arguments: Sequence[str]) -> int:
        """Writes the page, or compares it with `--check`. Returns the exit code."""
        old = self.page.read_text(encoding="utf-8")
        new = self.written_into(old)
        if "--check" in arguments:
            if new != old:
                print(f"docs/{self.page.name} is out of date: run make generate", file=sys.stderr)
            return int(new != old)
        self.page.write_text(new, encoding="utf-8")
        return 0


def markdown(rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; the first row is its head."""
    head, *body = rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *body))


def cell(text: str) -> str:
    """A cell must not end early."""
    return text.replace("|", "\\|")
