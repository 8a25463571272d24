"""The difference between two Flow JSONs, on a terminal and on a page of GitHub."""

from __future__ import annotations

import re
from typing import Final

from rich.text import Text

from .._inert import inert
from ..sync import FlowJsonDiff
from ._text import Lines

_MOST: Final = 50  # lines of one flow that are shown
_STYLES: Final = {"+": "green", "-": "red", "~": "yellow"}
_FENCES: Final = re.compile("`{3,}")


def diff_lines(diff: FlowJsonDiff) -> Lines:
    """A line for each difference, in its colour; the first fifty."""
    for line in diff.lines()[:_MOST]:
        yield Text(f"  {inert(line)}", style=_STYLES[line[0]])
    if len(diff.differences) > _MOST:
        yield Text(f"  and {len(diff.differences) - _MOST} more")


def diff_markdown(diff: FlowJsonDiff) -> str:
    """
    A code block for GitHub, which colours `+`, `-` and `!`.

    What is in a code block is read as no markup, and its fence is longer than any that stands in it.
    """
    lines = [inert(line) for line in diff.lines()]
    shown = [f"!{line[1:]}" if line[0] == "~" else line for line in lines[:_MOST]]
    shown += [f"# and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    fence = "`" * max((len(found) + 1 for line in shown for found in _FENCES.findall(line)), default=3)
    return "\n".join([f"{fence}diff", *shown, fence])
