"""The result of a validation: the issues in the order of the text, and their form in a terminal."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from ..errors import ErrorDetails, FlowValidationError, ValidationIssue
from .schema import Severity, Version
from .text import FlowJson, parse_json

_WIDTH: Final = 100  # characters of a line that are shown
_TWO_UNITS: Final = re.compile("[\U00010000-\U0010ffff]").finditer


@dataclass(frozen=True, slots=True)
class Report:
    """
    The result of a validation. `version` is the one that was checked against; None if it could not be determined.

    `issues` are in the order of the text, those without a place first.
    """

    issues: tuple[ValidationIssue, ...]
    version: Version | None = None
    text: str | None = field(default=None, repr=False, compare=False)
    """The text that the places refer to; None when there are no issues."""

    @property
    def errors(self) -> tuple[ValidationIssue, ...]:
        """What Meta would report. A flow with errors cannot be published."""
        return tuple(issue for issue in self.issues if issue.severity == Severity.ERROR.value)

    @property
    def warnings(self) -> tuple[ValidationIssue, ...]:
        """Advice, and violations of what Meta documents but does not check."""
        return tuple(issue for issue in self.issues if issue.severity == Severity.WARNING.value)

    @property
    def ok(self) -> bool:
        """No errors; there may be warnings."""
        return not self.errors

    def raise_for_errors(self) -> None:
        """Raise `FlowValidationError` with the errors, if there are any."""
        errors = self.errors
        if errors:
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            message = f"{errors[0].error}{_place(errors[0])}: {errors[0].message}{more}"
            details = ErrorDetails(message=message, advice=FlowValidationError.default_advice)
            raise FlowValidationError(details, errors)

    def render(self, source: FlowJson | None = None, *, name: str = "") -> str:
        """
        The issues as a compiler prints them: place, message, and the line with a caret below.

        `source` is the document that was validated, by default the text that the report has kept. `name` precedes the
        places, as a file name does.
        """
        text = parse_json(source).text if source is not None else self.text or ""
        lines = _Lines(text)
        return "\n".join(_rendered(issue, lines, name) for issue in self.issues)


class _Lines:
    """
    The lines of a text, and the index of a column in a line.

    A document may be one long line with many issues: the wide characters of a line are searched once.
    """

    def __init__(self, text: str) -> None:
        self.lines = [line.removesuffix("\r") for line in text.split("\n")]
        self._wide: dict[int, list[int]] = {}

    def index(self, number: int, column: int) -> int:
        """The index in a line, counted from 1, of a column in UTF-16 units."""
        line = self.lines[number - 1]
        units = column - 1
        if not line.isascii():
            if number not in self._wide:  # the offset of each character of two units, in units
                self._wide[number] = [found.start() + i for i, found in enumerate(_TWO_UNITS(line))]
            units -= bisect_left(self._wide[number], units)
        return min(units, len(line))


def _place(issue: ValidationIssue) -> str:
    if issue.line_start is None:
        return ""
    return f" at line {issue.line_start}, column {issue.column_start}"


def _rendered(issue: ValidationIssue, lines: _Lines, name: str) -> str:
    at = [name] if name else []
    if issue.line_start is not None:
        at += [str(issue.line_start), str(issue.column_start)]
    rule = f" [{issue.rule}]" if issue.rule else ""
    lines_out = [f"{':'.join(at)}{': ' if at else ''}{issue.severity}: {issue.error}: {issue.message}{rule}"]
    lines_out += _excerpt(issue, lines)
    if issue.pointers and issue.pointers[0].path:
        lines_out.append(f"  in {issue.pointers[0].path}")
    lines_out += [f"  also at {p.line_start}:{p.column_start} {p.path}".rstrip() for p in issue.pointers[1:]]
    return "\n".join(lines_out)


def _excerpt(issue: ValidationIssue, lines: _Lines) -> list[str]:
    """The line and the caret. Of a long line, as of a compact document, only the part around the place is shown."""
    if issue.line_start is None or issue.column_start is None or issue.line_start > len(lines.lines):
        return []
    line = lines.lines[issue.line_start - 1]
    start = min(lines.index(issue.line_start, issue.column_start), len(line))
    end = lines.index(issue.line_start, issue.column_end or 0) if issue.line_end == issue.line_start else len(line)
    left = max(0, start - _WIDTH // 3) if len(line) > _WIDTH else 0
    piece = "".join(char if char.isprintable() else " " for char in line[left : left + _WIDTH])
    before, after = "…" if left else "", "…" if left + _WIDTH < len(line) else ""
    carets = "^" * max(1, min(end, left + _WIDTH) - start)
    number = str(issue.line_start)
    return [
        f"  {number} | {before}{piece}{after}",
        f"  {' ' * len(number)} | {' ' * (len(before) + start - left)}{carets}",
    ]
