"""How text is laid out in the columns of a terminal: no word is broken that need not be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.text import Text

# What stands before a line: blanks, and the sign of a change.
_BEFORE: Final = re.compile(r" *(?:[-+~!] )?")
# A piece of a name ends after what joins words in names.
_PIECE: Final = re.compile(r"[^-_./ ]*[-_./ ]*")


def seconds(value: float) -> str:
    """A time as people say it, rounded up: `0.1 s`, `4.1 s`, `15 s`."""
    shown = math.ceil(round(value * 10, 6)) / 10
    return f"{math.ceil(shown)} s" if shown >= 10 else f"{shown:g} s"


class Line:
    """
    A text whose further lines begin below the first: after its blanks, and after the sign of a change.

    One that is not to be wrapped stays one line; rich forgets that of a `Text` that is printed by itself.
    """

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if self._text.no_wrap:
            yield self._text
            return
        found = _BEFORE.match(self._text.plain)
        indent = 0 if found is None else found.end()
        before, rest = self._text.divide([indent]) if indent else (Text(), self._text)
        for number, line in enumerate(rest.wrap(console, max(options.max_width - indent, 1))):
            yield Text.assemble(before if number == 0 else " " * indent, line)


class Name:
    """A name in a cell of a table: where it is too long, it goes on after a character that joins words."""

    def __init__(self, name: str, style: str = "") -> None:
        self._name, self._style = name, style

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(max(map(cell_len, self._pieces()), default=0), cell_len(self._name)).with_maximum(
            options.max_width
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        lines = [""]
        for piece in self._pieces():
            if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > options.max_width:
                lines.append("")
            lines[-1] += piece
        yield Text("\n".join(line.rstrip(" ") for line in lines), style=self._style, overflow="fold")

    def _pieces(self) -> list[str]:
        return [piece for piece in _PIECE.findall(self._name) if piece]


def laid_out(part: RenderableType) -> RenderableType:
    """A line as it stands on a terminal."""
    return Line(part) if isinstance(part, Text) else part
