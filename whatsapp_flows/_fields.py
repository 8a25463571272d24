"""Reads the fields of an answer from Meta. No function raises: one unexpected field must not spoil the whole answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from .errors import ValidationIssue, ValidationPointer

Raw = Mapping[str, Any]
"""A JSON object as Meta sent it."""


def text(found: Raw, key: str) -> str | None:
    """A string, or an integer written as one (ids come as both)."""
    value = found.get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def whole(found: Raw, key: str) -> int | None:
    """An integer, also one written as a string."""
    value = found.get(key)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def real(found: Raw, key: str) -> float | None:
    """A number, also one written as a string."""
    value = found.get(key)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", value):
        return float(value)
    try:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def nested(found: Raw, key: str) -> Raw:
    """An object, or an empty one."""
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def objects(found: Raw, key: str) -> tuple[Raw, ...]:
    """The objects of a list."""
    value = found.get(key)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def strings(found: Raw, key: str) -> tuple[str, ...]:
    """The strings of a list."""
    value = found.get(key)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def moment(found: Raw, key: str) -> datetime | None:
    """A time: ISO 8601 with Meta's colon-less offset, or Unix seconds. None for anything else."""
    value = found.get(key)
    try:
        if isinstance(value, str) and not value.isdigit():
            return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
        seconds = real(found, key)
        return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def validation_issues(found: Raw) -> tuple[ValidationIssue, ...]:
    """The `validation_errors` of an answer, in Meta's order. Lines and columns count from 1; 0 means none."""
    return tuple(
        ValidationIssue(
            error=text(issue, "error") or "",
            message=text(issue, "message") or "",
            error_type=text(issue, "error_type"),
            line_start=whole(issue, "line_start") or None,
            line_end=whole(issue, "line_end") or None,
            column_start=whole(issue, "column_start") or None,
            column_end=whole(issue, "column_end") or None,
            pointers=tuple(_pointers(objects(issue, "pointers"))),
            raw=issue,
        )
        for issue in objects(found, "validation_errors")
    )


def _pointers(found: Iterable[Raw]) -> Iterable[ValidationPointer]:
    for pointer in found:
        yield ValidationPointer(
            path=text(pointer, "path") or "",
            line_start=whole(pointer, "line_start") or None,
            line_end=whole(pointer, "line_end") or None,
            column_start=whole(pointer, "column_start") or None,
            column_end=whole(pointer, "column_end") or None,
        )
