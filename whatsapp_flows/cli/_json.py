"""
Values as JSON, for other programs. Every key is always present; null means "not known" or "none".

`_text` is the same for readers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch
from typing import Any, Final

from ..errors import (
    ApiError,
    FlowsError,
    FlowValidationError,
    RetryableError,
    TransportError,
    UnexpectedResponseError,
    ValidationIssue,
)
from ..models import Flow, Health, HealthEntity
from . import _values as values

Json = dict[str, Any]

_MAX_DEPTH: Final = 200  # levels of nesting in a Flow JSON that is written: `json.dumps` recurses


def json_text(value: Json) -> str:
    """
    The text of an object. NaN and infinities, which JSON does not have, become null.

    The text is ASCII, so it holds no control character that a terminal would act upon.
    """
    return json.dumps(_without_non_finite(value), indent=2, allow_nan=False) + "\n"


def _without_non_finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_non_finite(inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_non_finite(inside) for inside in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _depth(value: Any) -> int:
    """How many levels a value is nested, without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inside
            for each in level
            for inside in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
        ]
    return depth


@singledispatch
def as_json(value: values.Value) -> Json:
    """A value as a JSON object."""
    raise NotImplementedError(type(value).__name__)


@as_json.register
def _(value: values.FlowList) -> Json:
    return {"flows": [_flow_as_json(flow) for flow in value.flows]}


@as_json.register
def _(value: values.FlowDetails) -> Json:
    return {**_flow_as_json(value.flow), "health": None if value.health is None else health_as_json(value.health)}


def health_as_json(health: Health) -> Json:
    """Whether a flow can be sent, and the entities that prevent it."""
    return {"can_send_message": health.can_send_message or None, "entities": entities_as_json(health.entities)}


def entities_as_json(entities: Iterable[HealthEntity]) -> list[Json]:
    """The entities that sending a flow depends on."""
    return [
        {
            "type": entity.entity_type,
            "id": entity.id or None,
            "can_send_message": entity.can_send_message or None,
            "errors": [
                {
                    "code": error.error_code,
                    "description": error.error_description,
                    "possible_solution": error.possible_solution or None,
                }
                for error in entity.errors
            ],
            "additional_info": list(entity.additional_info),
        }
        for entity in entities
    ]


@as_json.register
def _(value: values.Completed) -> Json:
    return {"id": value.id, "done": value.done}


@as_json.register
def _(value: values.Declined) -> Json:
    return {"id": value.id, "done": None}


@as_json.register
def _(_: values.Stopped) -> Json:
    return {"stopped": True}


@as_json.register
def _(value: values.Created) -> Json:
    created = value.created
    return {
        "id": created.id,
        "name": value.name,
        "published": value.published and created.success,
        "adopted": created.adopted,
        "success": created.success,
        "validation_errors": issues_as_json(created.validation_errors),
    }


@as_json.register
def _(value: values.Uploaded) -> Json:
    return {
        "id": value.flow_id,
        "bytes": value.size,
        "attempts": value.update.attempts,
        "validation_errors": issues_as_json(value.update.validation_errors),
    }


@as_json.register
def _(value: values.PreviewLink) -> Json:
    return {"id": value.flow_id, "url": value.preview.url, "expires_at": _isoformat(value.preview.expires_at)}


@as_json.register
def _(value: values.Downloaded) -> Json:
    return {
        "id": value.flow_id,
        "bytes": len(value.content),
        "file": None if value.file is None else str(value.file),
        "flow_json": _parsed_flow_json(value.content),
    }


@as_json.register
def _(value: values.Migrated) -> Json:
    return {
        "migrated": [
            {"name": flow.source_name, "source_id": flow.source_id, "id": flow.migrated_id, "adopted": flow.adopted}
            for flow in value.migration.migrated
        ],
        "failed": [
            {"name": flow.source_name, "code": flow.error_code, "message": flow.error_message}
            for flow in value.migration.failed
        ],
    }


@as_json.register
def _(value: values.Key) -> Json:
    return {"phone_number_id": value.phone_number_id, "status": value.key.status, "pem": value.key.pem or None}


def error_as_json(error: FlowsError) -> Json:
    """
    The fields of an error.

    `attempts` is the number of attempts, the last one included; 0 for an error that is raised before the first one.
    """
    return {
        "class": type(error).__name__,
        "retryable": isinstance(error, RetryableError),
        "message": error.user_message or error.message,
        "code": error.code,
        "subcode": error.subcode,
        "http_status": error.http_status,
        "fbtrace_id": error.fbtrace_id,
        "retry_after": error.retry_after,
        "attempts": attempts_of(error),
        "advice": error.advice or None,
        "validation_errors": issues_as_json(error.issues) if isinstance(error, FlowValidationError) else [],
    }


def attempts_of(error: FlowsError) -> int:
    """How many attempts a call made. Errors found before sending (wrong arguments, a refused plan) made none."""
    sent = isinstance(error, (ApiError, TransportError, UnexpectedResponseError)) or (
        isinstance(error, FlowValidationError) and error.operation is not None  # without one, it is found locally
    )
    return len(error.attempts) + sent


def other_error_as_json(name: str, message: str, advice: str | None = None) -> Json:
    """An error that is not one of the library's (usage, an interrupt, a bug), with the same keys."""
    return {
        **dict.fromkeys(error_as_json(FlowsError(""))),
        "class": name,
        "retryable": False,
        "message": message,
        "attempts": 0,
        "advice": advice,
        "validation_errors": [],
    }


def _flow_as_json(flow: Flow) -> Json:
    return {
        "id": flow.id,
        "name": flow.name,
        "status": str(flow.status),
        "categories": list(flow.categories),
        "json_version": flow.json_version,
        "data_api_version": flow.data_api_version,
        "endpoint_uri": flow.endpoint_uri,
        "updated_at": _isoformat(flow.updated_at),
        "validation_errors": issues_as_json(flow.validation_errors),
    }


def issues_as_json(issues: Iterable[ValidationIssue]) -> list[Json]:
    return [
        {
            "error": issue.error,
            "message": issue.message,
            "line": issue.line_start,
            "column": issue.column_start,
            "path": issue.pointers[0].path if issue.pointers else None,
        }
        for issue in issues
    ]


def _parsed_flow_json(content: bytes) -> Any:
    """The document, or None if it is not JSON or is nested deeper than any Flow JSON."""
    try:
        document = json.loads(content, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    return document if _depth(document) <= _MAX_DEPTH else None


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _isoformat(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
