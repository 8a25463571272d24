"""
A stored Flow JSON: its validation errors, and the properties that the emulator uses.

A Flow JSON with errors is stored too, as at Meta ("Flows API" page, upload).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone
from typing import Any, Final

from ...errors import ValidationIssue, ValidationPointer
from ...flow_json import KNOWN_VERSIONS, parse_json, parse_version, validate

_NEWER: Final = "UNKNOWN_NEWER_VERSION"
_BAD_VERSION: Final = "INVALID_FLOW_JSON_VERSION"


@dataclass(frozen=True, slots=True)
class StoredFlowJson:
    """A Flow JSON as it was uploaded, the time of the upload (Unix seconds), and its properties."""

    content: bytes = field(repr=False)
    uploaded_at: float
    version: str | None = None
    data_api_version: str | None = None
    data_channel_uri: str | None = None
    issues: tuple[ValidationIssue, ...] = ()
    entry_screens: tuple[str, ...] = ()

    @property
    def names_its_endpoint(self) -> bool:
        """Whether the endpoint belongs in the document: before Flow JSON 3.0 ("Flows API" page, `endpoint_uri`)."""
        version = parse_version(self.version or "")
        return version is not None and version.major < 3

    def publishable(self, now: float) -> bool:
        """Whether its version is released, and not frozen at `now` ("Versioning" page)."""
        version = parse_version(self.version or "")
        row = KNOWN_VERSIONS.get(version) if version else None
        return row is not None and row.released is not None and (row.frozen is None or _day(now) < row.frozen)


def stored_flow_json(content: bytes, now: float) -> StoredFlowJson:
    """A Flow JSON uploaded at `now`, with the errors that it has on that day (UTC)."""
    properties = parse_json(content).value or {}
    version = _text(properties, "version")
    report = validate(content, advice=False, today=_day(now))
    unknown = tuple(_bad_version(issue, version) for issue in report.issues if issue.error == _NEWER)
    return StoredFlowJson(
        content,
        uploaded_at=now,
        version=version if version and parse_version(version) else None,
        data_api_version=_text(properties, "data_api_version"),
        data_channel_uri=_text(properties, "data_channel_uri"),
        # Meta rejects an unknown version. The validator only warns of a newer one, which Meta may support already.
        issues=unknown or report.errors,
        entry_screens=_entry_screens(properties),
    )


def _entry_screens(properties: Mapping[str, Any]) -> tuple[str, ...]:
    """The screens to which no other leads, by the routing model or, without one, by the navigate actions."""
    screens = [each for each in _objects(properties.get("screens")) if isinstance(each.get("id"), str)]
    model = properties.get("routing_model")
    if isinstance(model, Mapping):
        entered = {each for targets in model.values() if isinstance(targets, list) for each in map(str, targets)}
    else:
        entered = {target for screen in screens for target in _navigations(screen) if target != screen["id"]}
    return tuple(screen["id"] for screen in screens if screen["id"] not in entered)


def _navigations(value: object) -> Iterator[str]:
    """The screens that the navigate actions inside a value lead to."""
    if isinstance(value, Mapping):
        following = value.get("next")
        if value.get("name") == "navigate" and isinstance(following, Mapping):
            yield str(following.get("name"))
        for inner in value.values():
            yield from _navigations(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _navigations(inner)


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _bad_version(issue: ValidationIssue, version: str | None) -> ValidationIssue:
    """Meta's error for an unknown version, at the position of the validator's warning."""
    message = f"There is no version {version} of Flow JSON."
    return replace(issue, error=_BAD_VERSION, error_type="FLOW_JSON_ERROR", severity="error", message=message)


def issue_to_json(issue: ValidationIssue) -> dict[str, object]:
    """
    One item of `validation_errors` ("Flows API" page, upload).

    Lines and columns are always present, and 0 if unknown; other keys without a value are omitted.
    """
    values = {
        "error": issue.error,
        "error_type": issue.error_type,
        "message": issue.message,
        **_place(issue),
        "pointers": [{**_place(pointer), "path": pointer.path} for pointer in issue.pointers] or None,
    }
    return {key: value for key, value in values.items() if value is not None}


def _place(at: ValidationIssue | ValidationPointer) -> dict[str, object]:
    return {
        "line_start": at.line_start or 0,
        "line_end": at.line_end or 0,
        "column_start": at.column_start or 0,
        "column_end": at.column_end or 0,
    }


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, timezone.utc).date()


def _text(properties: Mapping[str, object], name: str) -> str | None:
    value = properties.get(name)
    return value if isinstance(value, str) else None
