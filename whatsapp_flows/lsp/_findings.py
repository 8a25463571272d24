"""The findings of the validator, placed as an editor shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from ..errors import ValidationIssue
from ..flow_json import parse_json, validate_further
from ._names import Index, is_flow_json
from ._tree import utf16_length

MAX_SHOWN: Final = 1000
"""Findings that are shown. One issue of the validator may have many places."""


class Found(NamedTuple):
    """
    A finding at one place: lines and columns from 0, in UTF-16 units.

    A place of several lines is cut to its first, so that a whole screen is not underlined for what it lacks.
    """

    code: str
    rule: str
    message: str
    is_error: bool
    line: int
    column: int
    end_line: int
    end_column: int


class Checked(NamedTuple):
    """What the validator says of a text. `whole`: it is a Flow JSON, and not half written."""

    found: tuple[Found, ...]
    whole: bool


def check(index: Index, *, today: date | None = None) -> Checked:
    """
    What the validator finds in a text, in the order of the text; nothing in a document that is no Flow JSON.

    Never raises for the content. `today` decides which versions are frozen; None is the current date.
    """
    text = index.text
    try:
        source = text.encode()
    except UnicodeEncodeError:  # half of an emoji: it is being written
        source = text.encode(errors="replace")
    value = parse_json(source).value  # faster than the tree, which is for what is half written
    if not (Index(text).is_flow if value is None else is_flow_json(value)):  # this runs in a thread: no shared index
        return Checked((), whole=False)
    report = validate_further(source, today=today)
    lines = text.split("\n") if report.issues else []
    found = [each for issue in report.issues for each in _placed(issue, lines)]
    shown = sorted(found, key=place_of)[:MAX_SHOWN]
    return Checked(tuple(shown), whole=value is not None)


def place_of(found: Found) -> tuple[int, int]:
    """Where it begins: what findings are sorted by."""
    return found.line, found.column


def still_in_place(found: Iterable[Found], before: str, now: str) -> Iterator[Found]:
    """The findings of an earlier text on lines that have not changed since, with their lines of now."""
    start = _common(before, now)
    size = min(len(before), len(now)) - start
    end = min(_common(before[::-1], now[::-1]), size)
    first = before.count("\n", 0, start)  # the first line that has changed
    last = before.count("\n", 0, len(before) - end)
    moved = now.count("\n") - before.count("\n")
    for each in found:
        if each.line < first:
            yield each
        elif each.line > last:
            yield each._replace(line=each.line + moved, end_line=each.end_line + moved)


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at the beginning, by halving: comparing slices is fast."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _placed(issue: ValidationIssue, lines: list[str]) -> Iterator[Found]:
    places = [(each.line_start, each.column_start, each.line_end, each.column_end) for each in issue.pointers or ()]
    for place in places or [(issue.line_start, issue.column_start, issue.line_end, issue.column_end)]:
        line, column, end_line, end_column = (max((value or 1) - 1, 0) for value in place)
        if lines[0].startswith("\ufeff"):  # a byte order mark, which the validator does not count
            column, end_column = column + (line == 0), end_column + (end_line == 0)
        line = min(line, len(lines) - 1)
        if end_line > line:
            end_line, end_column = line, utf16_length(lines[line].rstrip())
        is_error = issue.severity == "error"
        yield Found(issue.error, issue.rule or "", issue.message, is_error, line, column, end_line, end_column)
