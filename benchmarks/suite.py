"""
All benchmarks, one after the other, and one page of what they found.

    python benchmarks/suite.py [--write FILE] [--rounds N] [--no-peer] [NAME ...]

Each benchmark is a child of this process and runs alone on the machine, with the peers in the environment that it makes
for itself. Prints the page, or writes it to FILE; says on standard error what it is at. The exit code does not depend
on the figures.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
# In the order of the page.
NAMES: Final = (
    "upload_overhead", "async_throughput", "import_time", "engine_overhead", "validate", "sync", "endpoint", "play",
    "builder",
)  # fmt: skip
_WITHOUT_PEERS: Final = frozenset({"import_time", "play"})
_WITHOUT_ROUNDS: Final = frozenset({"sync"})

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The output of one benchmark, and the description of its method."""

    name: str
    title: str
    method: str
    limits: str
    facts: Record
    versions: Record
    tables: Mapping[str, Sequence[Record]]
    targets: Sequence[Record]


def main(argv: Sequence[str]) -> int:
    """Runs the benchmarks, and writes the page."""
    parser = argparse.ArgumentParser(description="All benchmarks, and one page of what they found.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *NAMES], help=", ".join(NAMES))
    parser.add_argument("--write", metavar="FILE", type=Path, help="write the page there instead of printing it")
    parser.add_argument("--rounds", type=int, help="rounds of each benchmark, where it has rounds")
    parser.add_argument("--no-peer", action="store_true", help="leave the other libraries out, and install nothing")
    chosen = parser.parse_args(argv)
    measured = [_run(name, chosen) for name in chosen.names or NAMES]
    page = "\n".join(_page(measured)) + "\n"
    if chosen.write is None:
        sys.stdout.write(page)
    else:
        chosen.write.write_text(page, encoding="utf-8")
    return 0


def _run(name: str, chosen: argparse.Namespace) -> Measured:
    script = HERE / f"{name}.py"
    options = ["--json"]
    if chosen.rounds is not None and name not in _WITHOUT_ROUNDS:
        options += ["--rounds", str(chosen.rounds)]
    if chosen.no_peer and name not in _WITHOUT_PEERS:
        options.append("--no-peer")
    print(f"running {name}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, str(script), *options], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    title, method, limits = described(script.read_text(encoding="utf-8"))
    return Measured(
        name=name,
        title=title,
        method=method,
        limits=limits,
        facts=found["method"],
        versions=found["versions"],
        tables=found["tables"],
        targets=found["targets"],
    )


def described(source: str) -> tuple[str, str, str]:
    """The first sentence of a benchmark's docstring, its method, and its limits."""
    text = ast.get_docstring(ast.parse(source)) or ""
    title = text.partition("\n")[0]
    method = re.search(r"^Method\. (.*?)(?=^Limits\. |\Z)", text, re.DOTALL | re.MULTILINE)
    limits = re.search(r"^Limits\. (.*)", text, re.DOTALL | re.MULTILINE)
    return title, method[1].strip() if method else "", limits[1].strip() if limits else ""


def _page(measured: Sequence[Measured]) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield f"Measured on {date.today():%d %B %Y} by `make bench`, which writes this page. {_machine()}"
    yield "Compare only figures of one run. `ratio` is the median of the blocks' ratios of medians; `ratio_min` and"
    yield "`ratio_max`, the lowest and the highest block, show the noise."
    yield ""
    yield "## Targets"
    yield ""
    goals = [{"benchmark": each.name, **target} for each in measured for target in each.targets]
    yield from _table(goals)
    for each in measured:
        yield from _section(each)


def _machine() -> str:
    return f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}."


def _section(each: Measured) -> Iterator[str]:
    yield ""
    yield f"## {each.title.rstrip('.')}"
    yield ""
    yield f"`benchmarks/{each.name}.py`. {_as_markdown(each.method)}"
    yield ""
    yield f"Limits. {_as_markdown(each.limits)}" if each.limits else ""
    yield ""
    yield f"Settings: {_facts(each.facts)}. Versions: {_facts(each.versions)}."
    for title, rows in each.tables.items():
        yield ""
        yield f"**{title}**"
        yield ""
        yield from _table(rows)


def _as_markdown(text: str) -> str:
    """A docstring's paragraphs as they are; its indented lists as code."""
    blocks = text.split("\n\n")
    return "\n\n".join(f"```text\n{block}\n```" if block.startswith("    ") else block for block in blocks)


def _facts(facts: Record) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_shown(name, value)}" for name, value in facts.items())


def _table(rows: Iterable[Record]) -> Iterator[str]:
    rows = list(rows)
    if not rows:
        yield "(nothing)"
        return
    names = list(rows[0])
    yield f"| {' | '.join(names)} |"
    yield f"|{'|'.join(' --- ' if isinstance(rows[0][name], str) else ' ---: ' for name in names)}|"
    for row in rows:
        yield f"| {' | '.join(_shown(name, row[name]) for name in names)} |"


def _shown(name: str, value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}" if name.startswith("ratio") or abs(value) < 1 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
