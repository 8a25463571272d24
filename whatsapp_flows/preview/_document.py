"""The file that is played: its Flow, or why there is none, and what the validator finds in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from .._json import json_pointer as pointer_of
from ..errors import ConfigurationError, ValidationIssue, ValidationPointer
from ..flow_json import validate
from ..play import PlayedFlow, read_flow
from ._json import Json
from ._watch import FileContent

MAX_FINDINGS: Final = 200
"""Findings that the page shows: each of its updates carries them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A Flow JSON that can be played, however many errors it has; or a sentence about why there is none."""

    flow: PlayedFlow | None = None
    problem: str = ""
    content: bytes = field(default=b"", repr=False)


def read_document(found: FileContent) -> Document:
    """What a file holds. Never raises for its content."""
    if found.problem:
        return Document(problem=_sentence(found.problem))
    try:
        return Document(flow=read_flow(found.content), content=found.content)
    except ConfigurationError as refused:
        issues = validate(found.content).issues
        first = issues[0] if issues else ValidationIssue(error="", message=str(refused))
    place = f" (line {first.line_start}, column {first.column_start})" if first.line_start else ""
    return Document(problem=f"{_sentence(first.message).removesuffix('.')}{place}.", content=found.content)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def findings(document: Document, *, today: date | None = None) -> tuple[Json, ...]:
    """
    The findings of `validate`, each as `{"code", "message", "severity", "path", "line", "column"}`.

    One that stands at several places is several, so that each place shows it.
    """
    if not document.content:
        return ()
    root = {} if document.flow is None else document.flow.document
    places = [(issue, place) for issue in validate(document.content, today=today).issues for place in _places(issue)]
    found = [_entry(issue, place, root) for issue, place in places[:MAX_FINDINGS]]
    if len(places) > MAX_FINDINGS:
        message = f"There are {len(places) - MAX_FINDINGS} more findings: whatsapp-flows validate lists them."
        more = ValidationIssue(error="MORE", message=message, severity="warning")
        found.append(_entry(more, ValidationPointer(), root))
    return tuple(found)


def _places(issue: ValidationIssue) -> tuple[ValidationPointer, ...]:
    return issue.pointers or (ValidationPointer(line_start=issue.line_start, column_start=issue.column_start),)


def _entry(issue: ValidationIssue, place: ValidationPointer, root: Mapping[str, Any]) -> Json:
    return {
        "code": issue.error,
        "message": issue.message,
        "severity": issue.severity,
        "path": json_pointer(place.path or "", root),
        "line": place.line_start,
        "column": place.column_start,
    }


def json_pointer(path: str, root: Mapping[str, Any]) -> str:
    """
    The JSON pointer (RFC 6901) for a path as Meta spells it.

    >>> json_pointer("screens[0].title", {"screens": [{"title": "Start"}]})
    '/screens/0/title'

    A key may hold dots and brackets: of the keys that the document has there, the longest that fits is taken.
    """
    value: Any = root
    steps: list[str] = []
    rest = path
    while rest:
        step, rest = _first_step(rest, value)
        steps.append(step)
        value = _child(value, step)
    return pointer_of(steps)


def _first_step(path: str, value: Any) -> tuple[str, str]:
    """The first step of a path, and the rest without the dot between them."""
    if isinstance(value, Mapping):
        fitting = [key for key in value if path.startswith(key) and path[len(key) : len(key) + 1] in {"", ".", "["}]
        key = max(fitting, key=len, default="")
        if key:
            return key, path[len(key) :].removeprefix(".")
    if path.startswith("["):
        step, _, rest = path[1:].partition("]")
        return step, rest.removeprefix(".")
    end = min((at for sign in ".[" if (at := path.find(sign)) > 0), default=len(path))
    return path[:end], path[end:].removeprefix(".")


def _child(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and step.isascii() and step.isdigit() and int(step[:9]) < len(value):
        return value[int(step[:9])]
    return None
