"""
Batches: several operations in one request (`POST /` with `batch`).

Source: Graph guide "Batch requests". Operations run in order, and an operation may depend only on preceding ones.
Assumptions where the guide is silent: an operation whose dependency failed does not run, and its item is null; a value
inserted from another result is percent-encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from ._call import GraphCall, GraphResponse, Part, bad_parameter, error_response, json_response, parse_flag
from ._errors import GraphError, Problem, graph_error

MAX_OPERATIONS: Final = 50
_REFERENCE: Final = re.compile(r"\{result=([^:{}]{1,200}):(\$[^{}]{0,500})\}")
_STEP: Final = re.compile(r"\.(?:([A-Za-z0-9_-]+)|\*)|\[(?:([0-9]{1,6})|'([^']*)'|\*)\]")
_METHODS: Final = frozenset({"DELETE", "GET", "POST", "PUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One operation of a batch, before its references are resolved."""

    method: str
    relative_url: str
    body: str = field(default="", repr=False)
    name: str | None = None
    depends_on: frozenset[str] = frozenset()
    attached: tuple[str, ...] = ()
    omit_on_success: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """One operation of a batch with its references resolved: the parts of an ordinary request."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    files: Mapping[str, Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """The result of one operation; without a response if a fault reset its connection."""

    response: GraphResponse | None
    headers: Mapping[str, str] = field(default_factory=dict)


def read_batch(call: GraphCall) -> tuple[BatchItem, ...]:
    """The operations of a batch. If one is invalid, the whole batch is rejected."""
    value = call.parameters.get("batch")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise graph_error(Problem.BAD_BATCH, "batch parameter must be a JSON array of operations")
    if len(value) > MAX_OPERATIONS:
        message = f"Too many requests in batch message. Maximum batch size is {MAX_OPERATIONS}"
        raise graph_error(Problem.BAD_BATCH, message)
    known: set[str] = set()
    items = []
    for index, raw in enumerate(value):
        item = _read_item(index, raw)
        for name in sorted(item.depends_on - known):
            raise graph_error(
                Problem.BAD_BATCH,
                f"Request {index} cannot depend on an unresolved request with name {name}. "
                "Requests can only depend on preceding requests",
            )
        if item.name is not None:
            known.add(item.name)
        items.append(item)
    return _with_omissions(items, value)


def _read_item(index: int, raw: Mapping[str, object]) -> BatchItem:
    method, url, body = raw.get("method", "GET"), raw.get("relative_url"), raw.get("body") or ""
    name, after, attached = raw.get("name"), raw.get("depends_on"), raw.get("attached_files") or ""
    if not isinstance(method, str) or method.upper() not in _METHODS:
        raise graph_error(Problem.BAD_BATCH, f"Request {index} has no method that is known")
    if not isinstance(url, str) or not url or urlsplit(url).scheme or url.startswith("//"):
        raise graph_error(Problem.BAD_BATCH, f"Request {index} needs a relative_url")
    if not isinstance(body, str) or not isinstance(attached, str):
        raise graph_error(Problem.BAD_BATCH, f"Request {index}: body and attached_files are strings")
    if not isinstance(name, str | None) or not isinstance(after, str | None):
        raise graph_error(Problem.BAD_BATCH, f"Request {index}: name and depends_on are strings")
    referenced = {match[1] for match in _REFERENCE.finditer(f"{url} {body}")}
    return BatchItem(
        method=method.upper(),
        relative_url=url,
        body=body,
        name=name,
        depends_on=frozenset(referenced | ({after} if after else set())),
        attached=tuple(part.strip() for part in attached.split(",") if part.strip()),
    )


def _with_omissions(items: Sequence[BatchItem], raw: Sequence[Mapping[str, object]]) -> tuple[BatchItem, ...]:
    """The response of an item that others depend on is omitted, unless `omit_response_on_success` is false."""
    needed = frozenset[str]().union(*(item.depends_on for item in items))
    flags = (
        parse_flag("omit_response_on_success", each.get("omit_response_on_success", item.name in needed))
        for item, each in zip(items, raw, strict=True)
    )
    return tuple(replace(item, omit_on_success=flag) for item, flag in zip(items, flags, strict=True))


def run_batch(call: GraphCall, run: Callable[[BatchRequest], BatchResult]) -> GraphResponse:
    """Run the operations of a batch in order; HTTP 200 with one entry for each, also if some failed."""
    try:
        items = read_batch(call)
        include_headers = parse_flag("include_headers", call.parameters.get("include_headers", True))
    except GraphError as error:
        return error_response(error, call.trace_id)
    results: dict[str, GraphResponse] = {}
    entries: list[object] = []
    for item in items:
        if not item.depends_on <= results.keys():
            entries.append(None)
            continue
        try:
            result = run(_resolve(call, item, results))
        except GraphError as error:
            result = BatchResult(response=error_response(error, call.trace_id))
        response = result.response
        succeeded = response is not None and response.status < 400
        if response is not None and succeeded and item.name is not None:
            results[item.name] = response
        if response is None or (item.omit_on_success and succeeded):
            entries.append(None)
            continue
        headers = [{"name": name, "value": value} for name, value in result.headers.items()]
        optional = {"headers": headers} if include_headers else {}
        entries.append({"code": response.status, **optional, "body": response.body.decode("utf-8", "replace")})
    return json_response(entries)


def _resolve(call: GraphCall, item: BatchItem, results: Mapping[str, GraphResponse]) -> BatchRequest:
    def value_of(reference: re.Match[str]) -> str:
        return quote(_json_path(json.loads(results[reference[1]].body), reference[2]), safe=",")

    url = urlsplit(_REFERENCE.sub(value_of, item.relative_url))
    body = _REFERENCE.sub(value_of, item.body)
    return BatchRequest(
        method=item.method,
        path="/" + url.path.lstrip("/"),
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        form=dict(parse_qsl(body, keep_blank_values=True)),
        files=_attached_files(call, item.attached),
    )


def _attached_files(call: GraphCall, names: Sequence[str]) -> dict[str, Part]:
    """
    The files of one operation.

    The parts of one request have different names, so the operations of a batch cannot all call their file `file`:
    a single attached file also stands for that name.
    """
    for name in names:
        if name not in call.files:
            raise bad_parameter("attached_files", f"names {name}, and no such file was sent")
    files = {name: call.files[name] for name in names}
    return files if len(files) != 1 else {**files, "file": next(iter(files.values()))}


def _json_path(content: object, path: str) -> str:
    """The values that a JSONPath of names, indices and `*` selects, joined by commas; empty when there are none."""
    values, position = [content], 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise graph_error(Problem.INVALID_PARAMETER, f"(#100) The JSONPath {path} cannot be read")
        values, position = [child for value in values for child in _children(value, step)], step.end()
    return ",".join(value if isinstance(value, str) else json.dumps(value) for value in values)


def _children(value: object, step: re.Match[str]) -> list[object]:
    key, index = step[1] or step[3], step[2]
    if isinstance(value, list):
        if index is not None:
            return value[int(index) : int(index) + 1]
        return [] if key is not None else value
    if isinstance(value, dict):
        if key is not None:
            return [value[key]] if key in value else []
        return [] if index is not None else list(value.values())
    return []
