"""The frozen values that the errors hold: the facts of a failure, and the issues of a Flow JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetails:
    """
    The facts of one failure.

    `operation` is the client method's name. `retry_after` says in seconds when to come back: Meta's own figure or, for
    one of its rate limits without a figure, the hour over which it counts (`retry_after_estimated`).
    `user_title` and `user_message` are Meta's, in the language of the request. Meta's support asks for the
    `fbtrace_id`. `advice` is one sentence that says what the caller should do. `lost_flow_json` is the Flow JSON that a
    live flow had, when `ensure_flow` failed and could not put it back.
    """

    message: str
    operation: str | None = None
    flow_id: str | None = None
    http_status: int | None = None
    code: int | None = None
    subcode: int | None = None
    type: str | None = None
    user_title: str | None = None
    user_message: str | None = None
    is_transient: bool | None = None
    fbtrace_id: str | None = None
    retry_after: float | None = None
    retry_after_estimated: bool = False
    advice: str = ""
    lost_flow_json: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPointer:
    """One place that an issue refers to. Lines and columns count from 1; the end column is exclusive."""

    path: str = ""
    line_start: int | None = None
    line_end: int | None = None
    column_start: int | None = None
    column_end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationIssue:
    """
    One entry of Meta's `validation_errors`: what is wrong in a Flow JSON, and where.

    `error` is the stable code (`INVALID_PROPERTY_VALUE`); everything but it and `message` may be missing. `severity`
    ("error" or "warning") and `rule` are those of the local validator; Meta reports errors alone, and names no rule.
    """

    error: str
    message: str
    error_type: str | None = None
    line_start: int | None = None
    line_end: int | None = None
    column_start: int | None = None
    column_end: int | None = None
    pointers: tuple[ValidationPointer, ...] = ()
    severity: str = "error"
    rule: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
