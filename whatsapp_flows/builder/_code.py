"""
Lays out Python source: calls, lists, dicts and operators, in the layout of common formatters.

What fits into a line stands on one; otherwise each part has a line of its own, with a comma after the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 88
"""Characters of a line: the default of common formatters. A text is not broken."""
_INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class Block:
    """An opening, parts that are separated by commas, and a closing: a call, a list or a dict."""

    opening: str
    parts: tuple[Code, ...]
    closing: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """A part after its label: `name=` or `"key": `."""

    label: str
    part: Code


Code = str | Block | Labelled


def call(name: str, *parts: Code) -> Code:
    """A call."""
    return Block(f"{name}(", parts, ")")


def array(parts: Sequence[Code]) -> Code:
    """A list."""
    return Block("[", tuple(parts), "]")


def mapping(entries: Sequence[tuple[str, Code]]) -> Code:
    """A dict."""
    return Block("{", tuple(Labelled(f"{string(key)}: ", value) for key, value in entries), "}")


def keyword(name: str, part: Code) -> Code:
    """A keyword argument."""
    return Labelled(f"{name}=", part)


def lay_out(code: Code, *, before: str = "", indent: str = "", after: str = "") -> str:
    """The source of a part that follows `before` on its line, and is followed by `after`."""
    line = f"{indent}{before}{flat(code)}{after}"
    if isinstance(code, Labelled):
        return lay_out(code.part, before=before + code.label, indent=indent, after=after)
    if isinstance(code, str) or not code.parts or len(line) <= WIDTH:
        return line
    inner = [lay_out(part, indent=indent + _INDENT, after=",") for part in code.parts]
    return "\n".join([f"{indent}{before}{code.opening}", *inner, f"{indent}{code.closing}{after}"])


def flat(code: Code) -> str:
    """The source on one line."""
    if isinstance(code, str):
        return code
    if isinstance(code, Labelled):
        return code.label + flat(code.part)
    return f"{code.opening}{', '.join(map(flat, code.parts))}{code.closing}"


def string(text: str) -> str:
    """A string literal: in double quotes, unless these need more escapes."""
    if text.count('"') > text.count("'"):
        body = repr(text + '"')[1:-2] if "'" not in text else _escaped(text, "'")
        return f"'{body}'"
    return f'"{_escaped(text, chr(34))}"'


def _escaped(text: str, quote: str) -> str:
    """What stands between the quotes."""
    return "".join(f"\\{char}" if char == quote else char if char in "'\"" else repr(char)[1:-1] for char in text)
