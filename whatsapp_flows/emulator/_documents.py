"""
The little that the emulator knows of a Flow JSON: does it parse, which version is it, has it screens.

A document that fails is stored all the same, with its errors: that is what Meta does
("Flows API" page, upload). Checking the structure is the validator's business, not ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# "Versioning" page as of March 2026.
PUBLISHABLE_VERSIONS: Final = frozenset({"5.1", "6.0", "6.1", "6.2", "6.3", "7.0", "7.1", "7.2", "7.3"})
FROZEN_VERSIONS: Final = frozenset({"2.1", "3.0", "3.1", "4.0", "5.0"})
PUBLISHABLE_DATA_API_VERSIONS: Final = frozenset({"3.0", "4.0"})
MAX_BYTES: Final = 10 * 1024 * 1024  # "Flows API" page, upload: 10 MB
_VERSION: Final = re.compile(r"\d+\.\d+")


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """One item of `validation_errors`."""

    error: str
    message: str
    path: str = ""
    line: int = 1
    column: int = 1

    def as_json(self) -> dict[str, object]:
        """The shape of the "Flows API" page: the place, and the same place again with its path."""
        place = {
            "line_start": self.line,
            "line_end": self.line,
            "column_start": self.column,
            "column_end": self.column,
        }
        kind = {"error": self.error, "error_type": "FLOW_JSON_ERROR", "message": self.message}
        return {**kind, **place, "pointers": [{**place, "path": self.path}]}


@dataclass(frozen=True, slots=True)
class Document:
    """A Flow JSON as it was uploaded, and what was read from it."""

    content: bytes = field(repr=False)
    version: str | None = None
    data_api_version: str | None = None
    data_channel_uri: str | None = None
    issues: tuple[ValidationIssue, ...] = ()

    @property
    def names_its_endpoint(self) -> bool:
        """Before Flow JSON 3.0 the endpoint stands in the document ("Flows API" page, `endpoint_uri`)."""
        return self.version is not None and int(self.version.partition(".")[0]) < 3

    @property
    def publishable(self) -> bool:
        """Neither of its versions is frozen ("Versioning" page)."""
        return self.version in PUBLISHABLE_VERSIONS and (
            self.data_api_version is None or self.data_api_version in PUBLISHABLE_DATA_API_VERSIONS
        )


def read_document(content: bytes) -> Document:
    """A document of these bytes, with its errors."""
    try:
        parsed = json.loads(content)
    except json.JSONDecodeError as flaw:
        return _broken(content, f"Invalid Flow JSON: {flaw.msg}.", flaw.lineno, flaw.colno)
    except (UnicodeDecodeError, RecursionError):
        return _broken(content, "Invalid Flow JSON: not a readable JSON text.")
    if not isinstance(parsed, dict):
        return _broken(content, "Invalid Flow JSON: the document must be an object.")
    version = parsed.get("version")
    issues = _version_issues(version) + _screen_issues(parsed)
    return Document(
        content,
        version=version if isinstance(version, str) and _VERSION.fullmatch(version) else None,
        data_api_version=_text(parsed, "data_api_version"),
        data_channel_uri=_text(parsed, "data_channel_uri"),
        issues=issues,
    )


def _version_issues(version: object) -> tuple[ValidationIssue, ...]:
    if version is None:
        return (ValidationIssue("MISSING_FLOW_JSON_VERSION", "Flow JSON must have a version.", "version"),)
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        return (ValidationIssue("INVALID_FLOW_JSON_VERSION", "Flow JSON version must look like '7.3'.", "version"),)
    if version not in PUBLISHABLE_VERSIONS | FROZEN_VERSIONS:
        message = f"Flow JSON version {version} is not supported."
        return (ValidationIssue("UNSUPPORTED_FLOW_JSON_VERSION", message, "version"),)
    return ()


def _screen_issues(parsed: Mapping[str, object]) -> tuple[ValidationIssue, ...]:
    screens = parsed.get("screens")
    if screens is None:
        message = "Required property 'screens' is missing."
        return (ValidationIssue("MISSING_REQUIRED_TYPE_PROPERTY", message, "screens"),)
    if not isinstance(screens, list):
        return (ValidationIssue("INVALID_PROPERTY_TYPE", "Expected 'screens' to be an array.", "screens"),)
    if not screens:
        return (ValidationIssue("MIN_ITEMS_REQUIRED", "Expected 'screens' to have at least 1 item.", "screens"),)
    return ()


def _broken(content: bytes, message: str, line: int = 1, column: int = 1) -> Document:
    return Document(content, issues=(ValidationIssue("INVALID_FLOW_JSON", message, "", line, column),))


def _text(parsed: Mapping[str, object], name: str) -> str | None:
    value = parsed.get(name)
    return value if isinstance(value, str) else None
