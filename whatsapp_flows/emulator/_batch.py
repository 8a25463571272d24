"""
Batches: several operations in one request (`POST /` with `batch`).

Source: Graph guide "Batch requests". Operations run in order, and one may only depend on those before it. Where the
guide is silent we assume: an operation whose dependency failed is not run and is answered with null; a value that is
put into another operation is percent-encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from ._call import Answer, Call, Part, as_flag, bad_parameter, json_answer, refused
from ._errors import GraphError, Problem, error

MOST_OPERATIONS: Final = 50
_REFERENCE: Final = re.compile(r"\{result=([^:{}]{1,200}):(\$[^{}]{0,500})\}")
_STEP: Final = re.compile(r"\.(?:([A-Za-z0-9_-]+)|\*)|\[(?:([0-9]{1,6})|'([^']*)'|\*)\]")
_METHODS: Final = frozenset({"DELETE", "GET", "POST", "PUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a batch, as it was asked for."""

    method: str
    relative_url: str
    body: str = field(default="", repr=False)
    name: str | None = None
    needs: frozenset[str] = frozenset()
    attached: tuple[str, ...] = ()
    # An answer that others were built on is left out when it is a success.
    omit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An operation with its references resolved: what a request of its own would bring."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    files: Mapping[str, Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one operation; its answer is None when the connection was lost on the way."""

    answer: Answer | None
    headers: Mapping[str, str] = field(default_factory=dict)


def operations_of(call: Call) -> tuple[Operation, ...]:
    """The operations of a batch; a refusal of all when one cannot be read."""
    value = call.parameters.get("batch")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise error(Problem.BAD_BATCH, "batch parameter must be a JSON array of operations")
    if len(value) > MOST_OPERATIONS:
        raise error(Problem.BAD_BATCH, f"Too many requests in batch message. Maximum batch size is {MOST_OPERATIONS}")
    known: set[str] = set()
    operations = []
    for at, raw in enumerate(value):
        operation = _operation(at, raw)
        for name in sorted(operation.needs - known):
            raise error(
                Problem.BAD_BATCH,
                f"Request {at} cannot depend on an unresolved request with name {name}. "
                "Requests can only depend on preceding requests",
            )
        if operation.name is not None:
            known.add(operation.name)
        operations.append(operation)
    return _with_omissions(operations, value)


def _operation(at: int, raw: Mapping[str, object]) -> Operation:
    method, url, body = raw.get("method", "GET"), raw.get("relative_url"), raw.get("body") or ""
    name, after, attached = raw.get("name"), raw.get("depends_on"), raw.get("attached_files") or ""
    if not isinstance(method, str) or method.upper() not in _METHODS:
        raise error(Problem.BAD_BATCH, f"Request {at} has no method that is known")
    if not isinstance(url, str) or not url or urlsplit(url).scheme or url.startswith("//"):
        raise error(Problem.BAD_BATCH, f"Request {at} needs a relative_url")
    if not isinstance(body, str) or not isinstance(attached, str):
        raise error(Problem.BAD_BATCH, f"Request {at}: body and attached_files are strings")
    if not isinstance(name, str | None) or not isinstance(after, str | None):
        raise error(Problem.BAD_BATCH, f"Request {at}: name and depends_on are strings")
    needs = {found[1] for found in _REFERENCE.finditer(f"{url} {body}")} | ({after} if after else set())
    return Operation(
        method=method.upper(),
        relative_url=url,
        body=body,
        name=name,
        needs=frozenset(needs),
        attached=tuple(part.strip() for part in attached.split(",") if part.strip()),
    )


def _with_omissions(operations: Sequence[Operation], raw: Sequence[Mapping[str, object]]) -> tuple[Operation, ...]:
    """An answer that others are built on is left out, unless `omit_response_on_success` says otherwise."""
    needed = frozenset[str]().union(*(operation.needs for operation in operations))
    flags = (
        as_flag("omit_response_on_success", each.get("omit_response_on_success", operation.name in needed))
        for operation, each in zip(operations, raw, strict=True)
    )
    return tuple(replace(operation, omit=omit) for operation, omit in zip(operations, flags, strict=True))


def run_batch(call: Call, run: Callable[[Asked], Outcome]) -> Answer:
    """Run the operations of a batch in order; HTTP 200 with an item for each, whatever became of it."""
    try:
        operations = operations_of(call)
        headers_wanted = as_flag("include_headers", call.parameters.get("include_headers", True))
    except GraphError as refusal:
        return refused(refusal, call.trace_id)
    results: dict[str, Answer] = {}
    items: list[object] = []
    for operation in operations:
        if not operation.needs <= results.keys():
            items.append(None)
            continue
        try:
            outcome = run(_resolved(call, operation, results))
        except GraphError as refusal:
            outcome = Outcome(answer=refused(refusal, call.trace_id))
        answer = outcome.answer
        succeeded = answer is not None and answer.status < 400
        if answer is not None and succeeded and operation.name is not None:
            results[operation.name] = answer
        if answer is None or (operation.omit and succeeded):
            items.append(None)
            continue
        listed = [{"name": name, "value": value} for name, value in outcome.headers.items()]
        shown = {"headers": listed} if headers_wanted else {}
        items.append({"code": answer.status, **shown, "body": answer.body.decode("utf-8", "replace")})
    return json_answer(items)


def _resolved(call: Call, operation: Operation, results: Mapping[str, Answer]) -> Asked:
    def value_of(found: re.Match[str]) -> str:
        return quote(_selected(json.loads(results[found[1]].body), found[2]), safe=",")

    url = urlsplit(_REFERENCE.sub(value_of, operation.relative_url))
    body = _REFERENCE.sub(value_of, operation.body)
    return Asked(
        method=operation.method,
        path="/" + url.path.lstrip("/"),
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        form=dict(parse_qsl(body, keep_blank_values=True)),
        files=_attached(call, operation.attached),
    )


def _attached(call: Call, names: Sequence[str]) -> dict[str, Part]:
    """
    The files of one operation. Parts of one request need names of their own, so a batch of uploads cannot call each
    of them `file`: a single one is taken for that.
    """
    for name in names:
        if name not in call.files:
            raise bad_parameter("attached_files", f"names {name}, and no such file was sent")
    files = {name: call.files[name] for name in names}
    return files if len(files) != 1 else {**files, "file": next(iter(files.values()))}


def _selected(content: object, path: str) -> str:
    """What a JSONPath of names, indices and `*` selects, joined by commas; an empty text when that is nothing."""
    found, at = [content], 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise error(Problem.INVALID_PARAMETER, f"(#100) The JSONPath {path} cannot be read")
        found, at = [inner for each in found for inner in _inside(each, step)], step.end()
    return ",".join(_as_text(each) for each in found)


def _inside(value: object, step: re.Match[str]) -> list[object]:
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


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
