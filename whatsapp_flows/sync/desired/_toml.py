"""
The lines of the tables and keys of a TOML text: `tomllib` reads the values without their places.

A text is scanned only to report an error in it, after `tomllib` has accepted it. So the scanner only finds where keys
and values end, and validates nothing. It is tested against `tomllib` on generated texts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TomlPath = tuple[str | int, ...]
"""Steps from the root of the document: keys, and indices of arrays."""

_STRING: Final = r"""
    \"{3} (?: \\. | [^\\] )*? \"{3,5}  |  '{3} .*? '{3,5}
  | \" (?: \\. | [^"\\] )* \"  |  ' [^']* '
"""
_PART: Final = r"""(?: [A-Za-z0-9_-]+ | " (?: \\. | [^"\\\n] )* " | ' [^'\n]* ' )"""
_KEY: Final = re.compile(rf"{_PART} (?: [ \t]* \. [ \t]* {_PART} )*", re.VERBOSE).match
_SCALAR: Final = re.compile(rf"{_STRING} | [^,\]}}\#\n]+", re.VERBOSE | re.DOTALL).match
_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*").match


def parse_toml(text: str) -> dict[str, Any]:
    """The document. Raises `ValueError` for a text that is not TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def lines_of(text: str) -> dict[TomlPath, int]:
    """Path -> line, for each table (its header, or first key) and each key of a valid TOML text."""
    scanner = _Scanner(text)
    with suppress(RecursionError):  # the lines found so far are enough
        scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[TomlPath, int] = {}
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._arrays: dict[TomlPath, int] = {}  # arrays of tables -> the number of tables so far

    def document(self) -> None:
        table: TomlPath = ()
        while self._after_blank() < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._entry(table)

    def _header(self) -> TomlPath:
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        self._after_blank()
        line = self._line_here()
        *around, last = self._key()
        path = self._inside((), around, line)
        path = (*path, last)
        if many:
            self.lines.setdefault(path, line)
            self._arrays[path] = self._arrays.get(path, 0) + 1
        path = self._last_of(path)
        self.lines[path] = line
        self._after_blank()
        self._at += 2 if many else 1
        return path

    def _entry(self, table: TomlPath) -> None:
        """`key = value`, in a table or an inline table."""
        line = self._line_here()
        *around, last = self._key()
        path = (*self._inside(table, around, line), last)
        self.lines[path] = line
        self._after_blank()
        self._at += 1  # =
        self._value(path)

    def _inside(self, path: TomlPath, steps: list[str], line: int) -> TomlPath:
        for step in steps:
            path = (*path, step)
            self.lines.setdefault(path, line)
            path = self._last_of(path)
        return path

    def _last_of(self, path: TomlPath) -> TomlPath:
        return (*path, self._arrays[path] - 1) if path in self._arrays else path

    def _value(self, path: TomlPath) -> None:
        self._after_blank()
        first = self._text[self._at]
        if first == "{":
            self._items("}", lambda _: self._entry(path))
        elif first == "[":
            self._items("]", lambda index: self._item((*path, index)))
        else:
            self._at = _end(_SCALAR, self._text, self._at)

    def _item(self, path: TomlPath) -> None:
        self.lines[path] = self._line_here()
        self._value(path)

    def _items(self, end: str, read: Callable[[int], None]) -> None:
        self._at += 1
        index = 0
        while self._text[self._after_blank()] != end:
            read(index)
            index += 1
            if self._text[self._after_blank()] == ",":
                self._at += 1
        self._at += 1

    def _key(self) -> list[str]:
        start, self._at = self._at, _end(_KEY, self._text, self._at)
        written = self._text[start : self._at]
        if '"' not in written and "'" not in written:
            return [part.strip() for part in written.split(".")]
        steps: list[str] = []
        found: Any = tomllib.loads(f"{written} = 0")
        while isinstance(found, dict):
            ((step, found),) = found.items()
            steps.append(step)
        return steps

    def _after_blank(self) -> int:
        self._at = _end(_BLANK, self._text, self._at)
        return self._at

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _end(pattern: Callable[[str, int], re.Match[str] | None], text: str, at: int) -> int:
    found = pattern(text, at)
    return found.end() if found else len(text)  # not reached for valid TOML
