"""Values as JSON, for machines: every key is always there, and null stands for what is not."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch
from typing import Any, Final

from ..errors import FlowsError, FlowValidationError, RetryableError, ValidationIssue
from ..models import Flow, Health, HealthEntity
from . import _values as values

Json = dict[str, Any]

_DEEPEST: Final = 200  # levels of a document that is shown; the writer of JSON recurses


def written(value: Json) -> str:
    """
    The text of an object. NaN and the infinities, which are no JSON, are null, wherever they came from.

    All of it is ASCII, so that no terminal acts upon it.
    """
    return json.dumps(_finite(value), indent=2, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inside) for inside in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _depth(value: Any) -> int:
    """How deep a value is nested."""
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
    """The object that stands for a value."""
    raise NotImplementedError(type(value).__name__)


@as_json.register
def _(value: values.FlowList) -> Json:
    return {"flows": [_flow(flow) for flow in value.flows]}


@as_json.register
def _(value: values.OneFlow) -> Json:
    return {**_flow(value.flow), "health": None if value.health is None else health_as_json(value.health)}


def health_as_json(health: Health) -> Json:
    """Whether a flow can be sent, and what stands in the way."""
    return {"can_send_message": health.can_send_message or None, "entities": entities_as_json(health.entities)}


def entities_as_json(entities: Iterable[HealthEntity]) -> list[Json]:
    """The links of the chain."""
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
def _(value: values.Done) -> Json:
    return {"id": value.id, "done": value.done}


@as_json.register
def _(value: values.Declined) -> Json:
    return {"id": value.id, "done": None}


@as_json.register
def _(value: values.Created) -> Json:
    created = value.created
    return {
        "id": created.id,
        "name": value.name,
        "published": value.published and created.success,
        "adopted": created.adopted,
        "success": created.success,
        "validation_errors": _issues(created.validation_errors),
    }


@as_json.register
def _(value: values.Uploaded) -> Json:
    return {
        "id": value.flow_id,
        "bytes": value.size,
        "attempts": value.update.attempts,
        "validation_errors": _issues(value.update.validation_errors),
    }


@as_json.register
def _(value: values.PreviewLink) -> Json:
    return {"id": value.flow_id, "url": value.preview.url, "expires_at": _time(value.preview.expires_at)}


@as_json.register
def _(value: values.Downloaded) -> Json:
    return {
        "id": value.flow_id,
        "bytes": len(value.content),
        "file": None if value.file is None else str(value.file),
        "flow_json": _document(value.content),
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


@as_json.register
def _(value: values.DemoStage) -> Json:
    return {"emulator": value.url, "waits": list(value.waits), "real_waits": list(value.real_waits)}


@as_json.register
def _(value: values.Serving) -> Json:
    return {
        "url": value.url,
        "waba_id": value.waba_id,
        "phone_number_id": value.phone_number_id,
        "accounts": list(value.accounts),
        "phone_numbers": list(value.phone_numbers),
        "faults": list(value.faults),
    }


@as_json.register
def _(_: values.Stopped) -> Json:
    return {"stopped": True}


@as_json.register
def _(value: values.Explanation) -> Json:
    return {
        "code": value.code,
        "subcode": value.subcode,
        "fallback": value.fallback,
        "health": None if value.health is None else health_as_json(value.health),
        "rows": [
            {
                "code": row.code,
                "last_code": row.last or row.code,
                "subcode": row.subcode,
                "title": row.title,
                "error": row.error.__name__,
                "retryable": values.retryable(row),
                "may_have_acted": row.error.outcome_unknown,
                "meaning": row.meaning,
                "advice": row.advice or None,
                "source": row.source,
            }
            for row in value.rows
        ],
    }


def error_as_json(error: FlowsError) -> Json:
    """The facts of an error."""
    return {
        "class": type(error).__name__,
        "retryable": isinstance(error, RetryableError),
        "message": error.user_message or error.message,
        "code": error.code,
        "subcode": error.subcode,
        "http_status": error.http_status,
        "fbtrace_id": error.fbtrace_id,
        "retry_after": error.retry_after,
        "attempts": len(error.attempts) + 1,
        "advice": error.advice or None,
        "validation_errors": _issues(error.issues) if isinstance(error, FlowValidationError) else [],
    }


def fault_as_json(name: str, message: str, advice: str | None = None) -> Json:
    """What went wrong beside the errors of the library, with the same keys."""
    return {
        **dict.fromkeys(error_as_json(FlowsError(""))),
        "class": name,
        "retryable": False,
        "message": message,
        "attempts": 0,
        "advice": advice,
        "validation_errors": [],
    }


def _flow(flow: Flow) -> Json:
    return {
        "id": flow.id,
        "name": flow.name,
        "status": str(flow.status),
        "categories": list(flow.categories),
        "json_version": flow.json_version,
        "data_api_version": flow.data_api_version,
        "endpoint_uri": flow.endpoint_uri,
        "updated_at": _time(flow.updated_at),
        "validation_errors": _issues(flow.validation_errors),
    }


def _issues(issues: Iterable[ValidationIssue]) -> list[Json]:
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


def _document(content: bytes) -> Any:
    """The document itself, or null when it is not JSON, or nested deeper than any Flow JSON."""
    try:
        document = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return document if _depth(document) <= _DEEPEST else None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
