"""
What the emulator is told over HTTP: its faults, and the requests that it remembers. For tests in other languages.

    GET     /_emulator                what there is
    GET     /_emulator/faults         the faults, each with its number
    POST    /_emulator/faults         one more (an object), or several (an array)
    DELETE  /_emulator/faults[/ID]    all of them, or one
    GET     /_emulator/requests       what arrived, without secrets; `limit=N` gives the last N
    DELETE  /_emulator/requests       forget it

It answers to this machine alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from ._browser import is_loopback
from ._call import Answer, json_answer
from ._errors import ErrorRow, error_body
from ._fault_specs import read_fault, read_faults, written_fault
from ._faults import Fault, FaultList
from ._wire import SECRET_NAMES, Received, RecordedRequest, RequestLog

CONTROL_PATH: Final = "/_emulator"
_SECRET_PAIR: Final = re.compile(r"(access_token|appsecret_proof|verify_token)=[^&\"\s]+")
_NO_TRACE: Final = "A" * 23
_SHOWN: Final = 10_000  # characters of one value; what was uploaded can be downloaded
_LISTED: Final = 100  # requests, unless `limit` says otherwise

Handler = Callable[[Received, str, FaultList, RequestLog], Answer]


def control(received: Received, faults: FaultList, requests: RequestLog) -> Answer:
    """The answer to a request to the emulator itself."""
    if not is_loopback(received.peer):
        return _no(403, "This is for the machine that the emulator runs on")
    what, _, item = received.path.removeprefix(CONTROL_PATH).strip("/").partition("/")
    handler = _HANDLERS.get((received.method, what))
    if handler is None:
        known = ", ".join(f"{method} {CONTROL_PATH}/{name}".rstrip("/") for method, name in _HANDLERS)
        return _no(404, f"There are {known}")
    try:
        return handler(received, item, faults, requests)
    except ValueError as mistake:
        return _no(400, str(mistake))


def _overview(_: Received, __: str, faults: FaultList, requests: RequestLog) -> Answer:
    return json_answer({"faults": len(faults), "requests": len(requests)})


def _list_faults(_: Received, __: str, faults: FaultList, ___: RequestLog) -> Answer:
    return json_answer({"faults": [written_fault(number, fault) for number, fault in faults]})


def _add_faults(received: Received, _: str, faults: FaultList, __: RequestLog) -> Answer:
    if received.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise ValueError("Faults are sent as JSON: Content-Type: application/json")
    try:
        content = json.loads(received.body)
    except (ValueError, RecursionError):
        raise ValueError("The body is no JSON") from None
    several = isinstance(content, list) or (isinstance(content, Mapping) and "faults" in content)
    rules = read_faults(content) if several else (read_fault(content),)
    added = []
    for rule in rules:
        fault = Fault(rule)
        added.append(written_fault(faults.add(fault), fault))
    return json_answer({"faults": added}, 201)


def _delete_faults(_: Received, item: str, faults: FaultList, __: RequestLog) -> Answer:
    if not item:
        faults.clear()
    elif not (item.isascii() and item.isdigit() and len(item) <= 18 and faults.cancel(int(item))):
        return _no(404, f"There is no fault with the number {item[:20]}")
    return json_answer({"success": True})


def _list_requests(received: Received, _: str, __: FaultList, requests: RequestLog) -> Answer:
    asked = received.query.get("limit", str(_LISTED))
    if not (asked.isascii() and asked.isdigit() and int(asked[:18]) > 0):
        raise ValueError("limit must be a number above zero")
    return json_answer({"requests": [_written(each) for each in tuple(requests)[-int(asked[:18]) :]]})


def _delete_requests(_: Received, __: str, ___: FaultList, requests: RequestLog) -> Answer:
    requests.clear()
    return json_answer({"success": True})


_HANDLERS: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", ""): _overview,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _delete_faults,
    ("GET", "requests"): _list_requests,
    ("DELETE", "requests"): _delete_requests,
}


def _written(request: RecordedRequest) -> dict[str, object]:
    """A request as JSON. What is secret is masked, and what is long is cut."""
    files = {
        name: {"filename": part.filename, "content_type": part.content_type, "size": len(part.content)}
        for name, part in request.files.items()
    }
    return {
        "operation": request.operation,
        "method": request.method,
        "path": request.path,
        "query": _shown(request.query),
        "headers": _shown(request.headers),
        "form": _shown(request.form),
        "files": files,
        "json": _json_of(request),
        "size": len(request.body),
        "status": request.status,
        "at": request.at,
    }


def _json_of(request: RecordedRequest) -> object:
    """A body that is a JSON object of moderate size; None for another."""
    if len(request.body) > _SHOWN:
        return None
    try:
        content = request.json
        return _shown(content) if isinstance(content, dict) else None
    except (ValueError, RecursionError):
        return None


def _shown(values: Mapping[str, object]) -> dict[str, object]:
    return {name: "***" if name.lower() in SECRET_NAMES else _harmless(value) for name, value in values.items()}


def _harmless(value: object) -> object:
    """A value without secrets, those inside the operations of a batch included; a long text is cut."""
    if isinstance(value, dict):
        return _shown(value)
    if isinstance(value, list):
        return [_harmless(each) for each in value]
    if not isinstance(value, str):
        return value
    masked = _SECRET_PAIR.sub(r"\1=***", value[:_SHOWN])
    return masked if len(value) <= _SHOWN else f"{masked}... ({len(value)} characters)"


def _no(status: int, sentence: str) -> Answer:
    return json_answer(error_body(ErrorRow(100, None, status, sentence), _NO_TRACE), status)
