"""How text is laid out in the columns of a terminal: words are kept whole where possible."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.text import Text

# What precedes the text of a line: blanks, and the sign of a change.
_INDENT: Final = re.compile(r" *(?:[-+~!] )?")
# A part of a name, with the separators that end it.
_NAME_PART: Final = re.compile(r"[^-_./ ]*[-_./ ]*")


def format_duration(seconds: float) -> str:
    """A duration for readers, rounded up: `0.1 s`, `15 s`, `10 min`, `2 h 30 min`."""
    tenths = math.ceil(round(seconds * 10, 6)) / 10
    if tenths < 10:
        return f"{tenths:g} s"
    if tenths < 120:
        return f"{math.ceil(tenths)} s"
    hours, minutes = divmod(math.ceil(tenths / 60), 60)
    return f"{hours} h {minutes} min".removesuffix(" 0 min") if hours else f"{minutes} min"


class HangingLine:
    """
    A text whose continuation lines are indented as far as its first line, including the sign of a change.

    `indent` is how far that is, in characters, if it is not told by the text. A text with `no_wrap` stays on one line;
    rich ignores that attribute of a `Text` that is printed by itself.
    """

    def __init__(self, text: Text, indent: int | None = None) -> None:
        self._text = text
        self._indent = indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if self._text.no_wrap:
            yield self._text
            return
        found = _INDENT.match(self._text.plain)
        indent = self._indent if self._indent is not None else 0 if found is None else found.end()
        before, rest = self._text.divide([indent]) if indent else (Text(), self._text)
        for number, line in enumerate(rest.wrap(console, max(options.max_width - indent, 1))):
            yield Text.assemble(before if number == 0 else " " * indent, line)


class WrappedName:
    """A name in a cell of a table, which is wrapped after its separators (`-`, `_`, `.`, `/`, blank) if it is long."""

    def __init__(self, name: str, style: str = "") -> None:
        self._name, self._style = name, style

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(max(map(cell_len, self._parts()), default=0), cell_len(self._name)).with_maximum(
            options.max_width
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        lines = [""]
        for part in self._parts():
            if lines[-1] and cell_len(lines[-1] + part.rstrip()) > options.max_width:
                lines.append("")
            lines[-1] += part
        yield Text("\n".join(line.rstrip(" ") for line in lines), style=self._style, overflow="fold")

    def _parts(self) -> list[str]:
        return [part for part in _NAME_PART.findall(self._name) if part]


def wrapped_hanging(part: RenderableType) -> RenderableType:
    """A line of text, wrapped with a hanging indent. Tables are returned as they are."""
    return HangingLine(part) if isinstance(part, Text) else part
