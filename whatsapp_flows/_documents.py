"""A Flow JSON before it is sent: validated if the caller asks for that."""

from __future__ import annotations

from typing import Final, Literal

from . import flow_json
from ._dataclasses import dataclass, field
from ._log import logger
from ._wire import short_repr
from .errors import ConfigurationError, ValidationIssue

Validate = Literal["off", "warn", "error"]
"""Whether a Flow JSON is validated before it is sent: "off", "warn" (report), or "error" (report, refuse errors)."""

VALIDATION_MODES: Final[tuple[Validate, ...]] = ("off", "warn", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowJsonUpload:
    """The bytes to send, and the issues that validation found in them."""

    content: bytes = field(repr=False)
    issues: tuple[ValidationIssue, ...] = ()


def validation_mode(value: object) -> Validate:
    """One of the three modes; `ConfigurationError` for any other value."""
    for each in VALIDATION_MODES:
        if value == each:
            return each
    raise ConfigurationError(f"validate must be one of {', '.join(VALIDATION_MODES)}, not {short_repr(value)}.")


def prepare_upload(content: bytes, validate: Validate) -> FlowJsonUpload:
    """
    The document as it is sent, without a byte order mark.

    With "warn" the issues are on the result and in the log; with "error" an issue that is an error raises
    `FlowValidationError`, and warnings are treated as with "warn".
    """
    sent = content.removeprefix(flow_json.BYTE_ORDER_MARK)
    if validate == "off":
        return FlowJsonUpload(content=sent)
    report = flow_json.validate(content)
    if validate == "error":
        report.raise_for_errors()
    for issue in report.issues:
        place = f" at line {issue.line_start}, column {issue.column_start}" if issue.line_start else ""
        logger.warning("Flow JSON: %s%s: %s", issue.error, place, issue.message,
                       extra={"severity": issue.severity, "rule": issue.rule})  # fmt: skip
    return FlowJsonUpload(content=sent, issues=report.issues)
