"""
Variables in Flow JSON files: `{{name}}` in a string stands for a value of the configuration.

Variables are replaced in string values, not in keys, and values are escaped, so that the result is valid JSON of the
same structure. `{{{{` stands for `{{` itself. A text without `{{` is not changed at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeVar

from ...errors import ConfigurationError, ValidationIssue, ValidationPointer
from ...flow_json import json_string, same_scalar, update_text
from ._hints import hint

T = TypeVar("T", ValidationIssue, ValidationPointer)

VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_-]*"

_MARK: Final = re.compile(rf"\{{\{{\{{\{{|\{{\{{[ \t]*({VARIABLE})[ \t]*\}}\}}|\{{\{{")
_STRING: Final = re.compile(
    r'("[^"\\]*(?:\\.[^"\\]*)*")([ \t\r\n]*:)?|".*', re.DOTALL
)  # the last alternative: a string without an end
_BRACE: Final = re.compile(r"\\u007b", re.IGNORECASE)


class Replaced(NamedTuple):
    """
    A string with replaced variables: its line, its columns in the filled text, and those in the file.

    Columns begin at 1, the end is exclusive, and they count UTF-16 units, as Meta and the validator do.
    """

    line: int
    start: int
    end: int
    file_start: int
    file_end: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its variables replaced, their names, and the places of the strings that have them."""

    text: str
    used: frozenset[str]
    replaced: tuple[Replaced, ...] = ()


def fill(text: str, variables: Mapping[str, str], *, source: str) -> Filled:
    """
    Replace the variables in a JSON text.

    Raises `ConfigurationError` for an unknown variable, and for a `{{` that does not begin one. The message has the
    `source`, the line, and a suggestion.
    """
    if "{{" not in text and not _BRACE.search(text):
        return Filled(text, frozenset())
    used: set[str] = set()
    file = _Cursor(text)
    replaced: list[Replaced] = []

    def value(found: re.Match[str]) -> str:
        if found[1] is None or found[2]:  # it has no end, or it is a key
            return found[0]
        written: str = json.loads(found[1], strict=False)
        if "{{" not in written:
            return found[0]
        line, start = file.go_to(found.start())
        filled = json_string(_filled(written, variables, used, f"{source}:{line}"))
        _, end = file.go_to(found.end())
        same_line = replaced[-1] if replaced and replaced[-1].line == line else None
        shift = same_line.end - same_line.file_end if same_line is not None else 0
        replaced.append(Replaced(line, start + shift, start + shift + _units(filled), start, end))
        return filled

    return Filled(_STRING.sub(value, text), frozenset(used), tuple(replaced))


class _Cursor:
    """Moves forward through a text, and knows its line and column."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line, self._column = text, 0, 1, 1

    def go_to(self, offset: int) -> tuple[int, int]:
        lines = self._text.count("\n", self._at, offset)
        if lines:
            self._line += lines
            self._at, self._column = self._text.rindex("\n", self._at, offset) + 1, 1
        self._column += _units(self._text[self._at : offset])
        self._at = offset
        return self._line, self._column


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def in_file(issues: Iterable[ValidationIssue], places: Iterable[Replaced]) -> tuple[ValidationIssue, ...]:
    """Issues of a filled text as issues of its file. A place inside a filled string becomes one near it."""
    of_line: dict[int, list[Replaced]] = {}
    for place in places:
        of_line.setdefault(place.line, []).append(place)
    if not of_line:
        return tuple(issues)

    def column(line: int | None, there: int | None) -> int | None:
        if line is None or there is None:
            return there
        before = [place for place in of_line.get(line, ()) if there > place.start]
        if not before:
            return there
        last = before[-1]
        if there >= last.end:
            return last.file_end + there - last.end
        return min(last.file_start + there - last.start, last.file_end)

    def placed(issue: T) -> T:
        return replace(
            issue,
            column_start=column(issue.line_start, issue.column_start),
            column_end=column(issue.line_end, issue.column_end),
        )

    return tuple(replace(placed(issue), pointers=tuple(map(placed, issue.pointers))) for issue in issues)


def unfill(text: str, variables: Mapping[str, str], document: Mapping[str, Any]) -> str:
    """
    The text of a file, changed so that `fill` makes it `document`. `pull` writes it.

    A string keeps its variables where the document has their values, at the same place or, if things have moved, at
    another. Everything else is taken from the document, with `{{` escaped.
    """
    written = json.loads(text)
    templates: dict[str, str] = {}
    for each in _strings(written):
        filled = _filled_or_none(each, variables)
        if filled is not None:
            templates.setdefault(filled, each)
    return update_text(text, _unfilled(document, written, variables, templates))


def escaped(document: Any) -> Any:
    """The document with every `{{` in its strings escaped."""
    return _unfilled(document, None, {}, {})


def _filled(text: str, variables: Mapping[str, str], used: set[str], place: str = "") -> str:
    def put(mark: re.Match[str]) -> str:
        if mark[0] == "{{{{":
            return "{{"
        name = mark[1]
        if name is None:
            raise ConfigurationError(
                f'{place}: "{{{{" does not begin a variable: write {{{{name}}}}, or {{{{{{{{ for "{{{{".'
            )
        if name not in variables:
            raise ConfigurationError(f"{place}: unknown variable {name!r}{hint(name, variables)}")
        used.add(name)
        return variables[name]

    return _MARK.sub(put, text)


def _filled_or_none(text: str, variables: Mapping[str, str]) -> str | None:
    """The value of a string of a file; None if it has no variable, or an unknown one."""
    names = [mark[1] for mark in _MARK.finditer(text) if mark[0] != "{{{{"]
    if not names or any(name not in variables for name in names):
        return None
    return _filled(text, variables, set())


def _strings(document: Any) -> list[str]:
    """All string values, in the order of the document."""
    found: list[str] = []
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)
    return found


def _unfilled(value: Any, written: Any, variables: Mapping[str, str], templates: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        known = written if isinstance(written, dict) else {}
        return {key: _unfilled(inner, known.get(key), variables, templates) for key, inner in value.items()}
    if isinstance(value, list):
        beside = written if isinstance(written, list) else []
        return [
            _unfilled(inner, beside[index] if index < len(beside) else None, variables, templates)
            for index, inner in enumerate(value)
        ]
    if not isinstance(value, str):
        return value
    if isinstance(written, str) and _stands_for(written, value, variables):
        return written
    return templates.get(value) or value.replace("{{", "{{{{")


def _stands_for(written: str, value: str, variables: Mapping[str, str]) -> bool:
    if "{{" not in written:
        return same_scalar(written, value)
    marks = list(_MARK.finditer(written))
    known = all(mark[0] == "{{{{" or (mark[1] is not None and mark[1] in variables) for mark in marks)
    return known and _filled(written, variables, set()) == value
