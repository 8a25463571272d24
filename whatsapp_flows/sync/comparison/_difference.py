"""The difference between two Flow JSON documents as a value, and as a line of text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["added", "removed", "changed", "renamed", "moved"]
Subject = Literal["document", "route", "screen", "component"]

_MAX_SHOWN: Final = 60  # characters of a value
_CONTEXT: Final = 15  # of these, before the first one that differs
_PLAIN: Final = re.compile(r"[\w.-]+").fullmatch
_SIGNS: Final[Mapping[Kind, str]] = {"added": "+", "removed": "-", "changed": "~", "renamed": "~", "moved": "~"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    One difference between two documents.

    `screen` is the id of the screen, the new one if it was renamed. `component` is its type, and its name or text.
    `property` is the path inside it, such as `data-source[2].title`; for a route, the screen where it begins. `before`
    and `after` are values as short JSON, ids (renamed), or paths (moved); None for a missing value. `path` is the place
    in the new document, or in the old one if it was removed, as Meta writes it.
    """

    kind: Kind
    subject: Subject
    screen: str = ""
    component: str = ""
    property: str = ""
    before: str | None = None
    after: str | None = None
    path: str = ""

    def __str__(self) -> str:
        """A line: `~ START: TextInput "email": label "Mail" -> "E-mail"`."""
        about = f"screen {self.screen}" if self.subject == "screen" else self.screen
        about = ": ".join(part for part in (about, self.component) if part)
        return f"{_SIGNS[self.kind]} {about}{self._details(': ' if about else '')}"

    def _details(self, gap: str) -> str:
        value = self.after if self.before is None else self.before
        if self.subject == "route":
            return f"route {self.property} -> {value}"
        if self.kind == "renamed":
            return f", which was {self.before}"
        if self.kind == "moved":
            return f" moved from {self.before} to {self.after}"
        if not self.property:
            return "" if value is None else f" {value}"
        if self.kind == "changed":
            value = f"{self.before} -> {self.after}"
        return f"{gap}{self.property} {value}"


@dataclass(frozen=True, slots=True)
class FlowJsonDiff:
    """All differences, in the order of the documents. It is false when there is none."""

    differences: tuple[Difference, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.differences)

    def lines(self) -> list[str]:
        """A line for each; what Meta or a file wrote may stand in it."""
        return [str(each) for each in self.differences]

    def as_json(self) -> list[dict[str, Any]]:
        """An object for each, in which every key is always there."""
        return [
            {
                "kind": each.kind,
                "subject": each.subject,
                "screen": each.screen or None,
                "component": each.component or None,
                "property": each.property or None,
                "before": each.before,
                "after": each.after,
                "path": each.path,
            }
            for each in self.differences
        ]


NO_CHANGES: Final = FlowJsonDiff()


def quoted_id(text: str) -> str:
    """An id or a type, in quotes if it is not a plain word."""
    return text if _PLAIN(text) and len(text) <= _MAX_SHOWN else short(text)


def short(value: Any) -> str:
    """The beginning of a value, as JSON."""
    return _cut(_written(value), 0)


def short_pair(before: Any, after: Any) -> tuple[str, str]:
    """Two values as JSON; long ones begin shortly before the first difference."""
    both = _written(before), _written(after)
    start = 0
    if max(map(len, both)) > _MAX_SHOWN:
        common = next((at for at, (one, other) in enumerate(zip(*both, strict=False)) if one != other), _MAX_SHOWN)
        start = max(common - _CONTEXT, 0)
    return _cut(both[0], start), _cut(both[1], start)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, start: int) -> str:
    """At most `_MAX_SHOWN` characters, with an ellipsis where some are left out."""
    end = start + _MAX_SHOWN
    return ("\u2026" if start else "") + text[start:end] + ("\u2026" if len(text) > end else "")
