"""
The operations on Flows: each takes a world and a call, and gives the next world and an answer.

Source: "Flows API" page; where Meta is silent, the assumption stands beside the code.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from .._vocabulary import FLOW_CATEGORIES
from ..flow_json import MAX_BYTES
from ._call import (
    Answer,
    Call,
    bad_parameter,
    flag,
    identifier,
    json_answer,
    positive_number,
    refused,
    required_text,
    text,
    texts,
)
from ._documents import Document, read_document, wire
from ._errors import GraphError, Problem, error
from ._fields import check, parse, project
from ._lifecycle import moved, published
from ._node import ASSET_FIELDS, asset_items, is_id, node_of, selected, shown
from ._paging import page_of, paging_object
from ._state import PUBLISHED, FlowRecord, World

_MAX_NAME: Final = 200  # two vendors' documentation
_MAX_MIGRATED: Final = 100  # "Flows API" page, migrate
_ASSET_DEFAULT: Final = "name,asset_type,download_url"
_MIGRATION_ERROR: Final = "4233041"
_SUCCESS: Final = json_answer({"success": True})


def list_flows(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """A page of an account's Flows, in every state, oldest first (Meta documents no order)."""
    fields = selected(call)
    limit = positive_number(call, "limit", call.settings.page_size)
    items = [(int(flow.id), flow) for flow in world.flows_of(waba_id)]
    page = page_of(items, limit=limit, after=text(call, "after"), before=text(call, "before"))
    world, nodes = shown(world, call, [flow.id for _, flow in page.items], fields)
    url = call.settings.base_url + call.path
    paging = paging_object(page, url=url, query=call.query, limit=limit, token=call.token or "")
    return world, json_answer({"data": nodes, **({"paging": paging} if paging else {})})


def create_flow(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """
    A new draft, from nothing, from a JSON or from another Flow.

    With `publish`, a failed publishing check still leaves the draft behind: the answer is an
    error without an id. Several clients have met that.
    """
    name = _free_name(world, waba_id, required_text(call, "name"))
    categories = _categories(texts(call, "categories") or ())
    source = _clone_source(world, call)
    sent = _json_parameter(call)
    document = sent or (source.document if source else None)
    endpoint_uri = _endpoint_uri(call)
    if endpoint_uri and document and document.names_its_endpoint:
        raise error(Problem.ENDPOINT_IN_JSON)
    world, flow_id = world.new_flow_id()
    flow = FlowRecord(
        id=flow_id,
        waba_id=waba_id,
        name=name,
        categories=categories,
        # Whether a clone keeps the endpoint of its source is not documented; we assume it does.
        endpoint_uri=endpoint_uri or (source.endpoint_uri if source else None),
        application_id=call.settings.app_id,
        document=document,
        updated_at=call.now,
    )
    world = world.with_flow(flow)
    # "Only effective together with a valid flow_json": without one, publishing is refused with 139002.
    if flag(call, "publish"):
        try:
            world = world.with_flow(published(world, flow, call.now))
        except GraphError as refusal:
            return world, refused(refusal, call.trace_id)
    # With a JSON, the answer also tells how it was received.
    received = {} if sent is None else {"success": True, "validation_errors": [wire(issue) for issue in sent.issues]}
    return world, json_answer({"id": flow_id, **received})


def update_flow(world: World, call: Call, flow_id: str) -> tuple[World, Answer]:
    """New metadata; a published Flow goes back to DRAFT. A call that changes nothing is accepted."""
    flow = node_of(world, flow_id, call.method)
    name, categories, uri = text(call, "name"), texts(call, "categories"), _endpoint_uri(call)
    application_id = identifier(call, "application_id")
    if name is None and categories is None and uri is None and application_id is None:
        return world, _SUCCESS
    flow = moved(flow, "edit", call.now)
    if name is not None:
        flow = replace(flow, name=_free_name(world, flow.waba_id, name, flow_id))
    if categories is not None:
        flow = replace(flow, categories=_categories(categories))
    if uri is not None:
        if flow.document is not None and flow.document.names_its_endpoint:
            raise error(Problem.JSON_NAMES_ENDPOINT)
        flow = replace(flow, endpoint_uri=uri)
    if application_id is not None:
        if not is_id(application_id):
            raise bad_parameter("application_id", "must be the id of an app")
        flow = replace(flow, application_id=application_id)
    return world.with_flow(flow), _SUCCESS


def delete_flow(world: World, call: Call, flow_id: str) -> tuple[World, Answer]:
    """A draft is gone for good, and its name is free again (whether Meta frees it is unknown)."""
    gone = moved(node_of(world, flow_id, call.method), "delete", call.now)
    return world.without_flow(gone.id), _SUCCESS


def publish_flow(world: World, call: Call, flow_id: str) -> tuple[World, Answer]:
    """A draft that passes every check goes live."""
    flow = node_of(world, flow_id, call.method)
    return world.with_flow(published(world, flow, call.now)), _SUCCESS


def deprecate_flow(world: World, call: Call, flow_id: str) -> tuple[World, Answer]:
    """A Flow that was published is retired; its name stays taken (unknown at Meta, so we assume the stricter)."""
    flow = node_of(world, flow_id, call.method)
    return world.with_flow(moved(flow, "deprecate", call.now)), _SUCCESS


def list_assets(world: World, call: Call, flow_id: str) -> tuple[World, Answer]:
    """The Flow JSON and where to fetch it."""
    flow = node_of(world, flow_id, call.method)
    fields = parse(text(call, "fields") or _ASSET_DEFAULT)
    check(fields, ASSET_FIELDS)
    items = list(enumerate(asset_items(call, flow)))
    limit = positive_number(call, "limit", call.settings.page_size)
    page = page_of(items, limit=limit, after=text(call, "after"), before=text(call, "before"))
    url = call.settings.base_url + call.path
    paging = paging_object(page, url=url, query=call.query, limit=limit, token=call.token or "")
    data = [project(fields, ASSET_FIELDS, item) for _, item in page.items]
    return world, json_answer({"data": data, **({"paging": paging} if paging else {})})


def update_flow_json(world: World, call: Call, flow_id: str) -> tuple[World, Answer]:
    """
    A new document; a published Flow goes back to DRAFT.

    A faulty document is stored too, and answered with HTTP 200 and its errors.
    """
    flow = node_of(world, flow_id, call.method)
    part = call.files.get("file")
    if part is None:
        raise bad_parameter("file", "must be uploaded as a multipart file")
    if text(call, "name") != "flow.json":
        raise bad_parameter("name", "must be flow.json")
    if text(call, "asset_type") != "FLOW_JSON":
        raise bad_parameter("asset_type", "must be FLOW_JSON")
    document = _document(call, part.content, "file")
    flow = replace(moved(flow, "edit", call.now), document=document)
    issues = [wire(issue) for issue in document.issues]
    return world.with_flow(flow), json_answer({"success": True, "validation_errors": issues})


def migrate_flows(world: World, call: Call, waba_id: str) -> tuple[World, Answer]:
    """
    Copies of another account's Flows; a name that is taken here is reported and skipped.

    A published source yields a published copy without new checks; anything else a draft.
    """
    source_id = identifier(call, "source_waba_id")
    if not source_id:
        raise bad_parameter("source_waba_id", "is required")
    source = world.accounts.get(source_id)
    if source is None:
        raise error(Problem.UNKNOWN_NODE, method="get", id=source_id)
    if source.business_id != world.accounts[waba_id].business_id:
        raise error(Problem.ACCESS_DENIED, "(#200) Both accounts must belong to the same business")
    names = texts(call, "source_flow_names", commas=True)
    wanted = dict.fromkeys(names if names is not None else [flow.name for flow in world.flows_of(source_id)])
    if len(wanted) > _MAX_MIGRATED:
        raise bad_parameter("source_flow_names", f"must not stand for more than {_MAX_MIGRATED} Flows")
    migrated: list[dict[str, str]] = []
    failed: list[dict[str, str]] = []
    for name in wanted:
        original = world.flow_named(source_id, name)
        if original is None:
            failed.append(_not_migrated(name, "Flow name not found in source WABA."))
        elif world.flow_named(waba_id, name) is not None:
            failed.append(_not_migrated(name, "Flow with the same name exists in destination WABA."))
        else:
            world, copy_id = _copied(world, original, waba_id, call.now)
            migrated.append({"source_name": name, "source_id": original.id, "migrated_id": copy_id})
    return world, json_answer({"migrated_flows": migrated, "failed_flows": failed})


def _copied(world: World, original: FlowRecord, waba_id: str, now: float) -> tuple[World, str]:
    world, copy_id = world.new_flow_id()
    copy = FlowRecord(
        id=copy_id,
        waba_id=waba_id,
        name=original.name,
        categories=original.categories,
        endpoint_uri=original.endpoint_uri,
        application_id=original.application_id,
        document=original.document,
        updated_at=now,
    )
    if original.status == PUBLISHED:
        copy = replace(copy, status=PUBLISHED)
    return world.with_flow(copy), copy_id


def _not_migrated(name: str, reason: str) -> dict[str, str]:
    # The code is a text here, and a number everywhere else.
    return {
        "source_name": name,
        "error_code": _MIGRATION_ERROR,
        "error_message": f"Flows Migration Error: {reason}",
    }


def _free_name(world: World, waba_id: str, name: str, own_id: str | None = None) -> str:
    """A name that no other Flow of the account has, deprecated ones included; compared exactly."""
    if not 1 <= len(name) <= _MAX_NAME:
        raise bad_parameter("name", f"must be 1 to {_MAX_NAME} characters long")
    other = world.flow_named(waba_id, name)
    if other is not None and other.id != own_id:
        raise error(Problem.NAME_TAKEN)
    return name


def _categories(categories: tuple[str, ...]) -> tuple[str, ...]:
    if not categories:
        raise bad_parameter("categories", "must have at least one item")
    for category in categories:
        if category not in FLOW_CATEGORIES:
            raise bad_parameter("categories", f"must be one of {sorted(FLOW_CATEGORIES)}")
    return categories


def _endpoint_uri(call: Call) -> str | None:
    uri = text(call, "endpoint_uri")
    if uri is None:
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise error(Problem.INVALID_ENDPOINT) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise error(Problem.INVALID_ENDPOINT)
    return uri


def _clone_source(world: World, call: Call) -> FlowRecord | None:
    """The Flow to copy. Any account's will do; the values of `clone_template` are not documented, so none is known."""
    flow_id, template = identifier(call, "clone_flow_id"), identifier(call, "clone_template")
    if flow_id and template:
        raise error(Problem.TOO_MANY_CLONE_SOURCES)
    if template:
        raise bad_parameter("clone_template", "is not a known template")
    return node_of(world, flow_id, "get") if flow_id else None


def _json_parameter(call: Call) -> Document | None:
    """The Flow JSON of a create: a text, or the content of a file part of that name (not documented; we assume it)."""
    part = call.files.get("flow_json")
    if part is not None:
        return _document(call, part.content, "flow_json")
    content = text(call, "flow_json")
    return None if content is None else _document(call, content.encode("utf-8", "surrogatepass"), "flow_json")


def _document(call: Call, content: bytes, parameter: str) -> Document:
    if len(content) > MAX_BYTES:
        raise bad_parameter(parameter, "must not be larger than 10 MB")
    return read_document(content, call.now)
