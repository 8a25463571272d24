"""
The control API: faults and recorded requests over HTTP, for tests in other languages.

    GET     /_emulator                the number of faults and of requests
    GET     /_emulator/faults         the faults, each with its number
    POST    /_emulator/faults         add one (an object), or several (an array)
    DELETE  /_emulator/faults[/ID]    cancel all of them, or one
    GET     /_emulator/requests       the recorded requests, without secrets; `limit=N` gives the last N
    DELETE  /_emulator/requests       drop the recorded requests

It answers clients on this machine only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .._server import is_loopback
from ._fault_specs import fault_to_json, read_fault, read_faults
from ._faults import Fault, FaultList
from ._wire import SECRET_NAMES, IncomingRequest, RecordedRequest, RequestLog
from .graph import ErrorSpec, GraphResponse, error_body, json_response

CONTROL_PATH: Final = "/_emulator"
NO_TRACE_ID: Final = "A" * 23  # of requests that do not reach the Graph API
_SECRET_PAIR: Final = re.compile(r"(access_token|appsecret_proof|verify_token)=[^&\"\s]+")
_MAX_VALUE: Final = 10_000  # characters of one value; uploaded files can be downloaded
_DEFAULT_LIMIT: Final = 100  # requests


@dataclass(frozen=True, slots=True)
class _ControlCall:
    """A request to the control API: what it names, and what it acts on."""

    request: IncomingRequest
    item: str
    faults: FaultList
    requests: RequestLog


def control(request: IncomingRequest, faults: FaultList, requests: RequestLog) -> GraphResponse:
    """The response to a request to the control API."""
    if not is_loopback(request.peer):
        return control_error(403, "This is for the machine that the emulator runs on")
    collection, _, item = request.path.removeprefix(CONTROL_PATH).strip("/").partition("/")
    handler = _HANDLERS.get((request.method, collection))
    if handler is None:
        known = ", ".join(f"{method} {CONTROL_PATH}/{name}".rstrip("/") for method, name in _HANDLERS)
        return control_error(404, f"Known are {known}")
    try:
        return handler(_ControlCall(request, item, faults, requests))
    except ValueError as error:
        return control_error(400, str(error))


def control_error(status: int, message: str) -> GraphResponse:
    """An error in the form of the Graph API, without a trace id."""
    return json_response(error_body(ErrorSpec(100, None, status, message), NO_TRACE_ID), status)


def _overview(call: _ControlCall) -> GraphResponse:
    return json_response({"faults": len(call.faults), "requests": len(call.requests)})


def _list_faults(call: _ControlCall) -> GraphResponse:
    return json_response({"faults": [fault_to_json(number, fault) for number, fault in call.faults]})


def _add_faults(call: _ControlCall) -> GraphResponse:
    if call.request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise ValueError("Faults are sent as JSON: Content-Type: application/json")
    try:
        content = json.loads(call.request.body)
    except (ValueError, RecursionError):
        raise ValueError("The body is not JSON") from None
    several = isinstance(content, list) or (isinstance(content, Mapping) and "faults" in content)
    rules = read_faults(content) if several else (read_fault(content),)
    added = []
    for rule in rules:
        fault = Fault(rule)
        added.append(fault_to_json(call.faults.add(fault), fault))
    return json_response({"faults": added}, 201)


def _delete_faults(call: _ControlCall) -> GraphResponse:
    item = call.item
    if not item:
        call.faults.clear()
    elif not (item.isascii() and item.isdigit() and len(item) <= 18 and call.faults.cancel(int(item))):
        return control_error(404, f"There is no fault with the number {item[:20]}")
    return json_response({"success": True})


def _list_requests(call: _ControlCall) -> GraphResponse:
    limit = call.request.query.get("limit", str(_DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdigit() and int(limit[:18]) > 0):
        raise ValueError("limit must be a number above zero")
    return json_response({"requests": [_request_to_json(each) for each in tuple(call.requests)[-int(limit[:18]) :]]})


def _delete_requests(call: _ControlCall) -> GraphResponse:
    call.requests.clear()
    return json_response({"success": True})


_HANDLERS: Final[Mapping[tuple[str, str], Callable[[_ControlCall], GraphResponse]]] = {
    ("GET", ""): _overview,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _delete_faults,
    ("GET", "requests"): _list_requests,
    ("DELETE", "requests"): _delete_requests,
}


def _request_to_json(request: RecordedRequest) -> dict[str, object]:
    """A request as JSON, with secrets masked and long values truncated."""
    files = {
        name: {"filename": part.filename, "content_type": part.content_type, "size": len(part.content)}
        for name, part in request.files.items()
    }
    return {
        "operation": request.operation,
        "method": request.method,
        "path": request.path,
        "query": _mask(request.query),
        "headers": _mask(request.headers),
        "form": _mask(request.form),
        "files": files,
        "json": _json_body(request),
        "size": len(request.body),
        "status": request.status,
        "at": request.at,
    }


def _json_body(request: RecordedRequest) -> object:
    """A body that is a JSON object of at most `_MAX_VALUE` bytes; None for any other."""
    if len(request.body) > _MAX_VALUE:
        return None
    try:
        content = request.json
        return _mask(content) if isinstance(content, dict) else None
    except (ValueError, RecursionError):
        return None


def _mask(values: Mapping[str, object]) -> dict[str, object]:
    return {name: "***" if name.lower() in SECRET_NAMES else _mask_value(value) for name, value in values.items()}


def _mask_value(value: object) -> object:
    """A value with its secrets masked, also inside the operations of a batch, and long strings truncated."""
    if isinstance(value, dict):
        return _mask(value)
    if isinstance(value, list):
        return [_mask_value(each) for each in value]
    if not isinstance(value, str):
        return value
    masked = _SECRET_PAIR.sub(r"\1=***", value[:_MAX_VALUE])
    return masked if len(value) <= _MAX_VALUE else f"{masked}... ({len(value)} characters)"
