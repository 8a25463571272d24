"""
Operations on Flows. Each takes a world and a call, and returns the next world and a response.

Source: "Flows API" page. Where it is silent, a comment states the assumption.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from ..._vocabulary import FLOW_CATEGORIES
from ...flow_json import MAX_BYTES
from ._call import (
    GraphCall,
    GraphResponse,
    bad_parameter,
    error_response,
    flag,
    identifier,
    json_response,
    required_text,
    text,
    text_list,
)
from ._documents import StoredFlowJson, issue_to_json, stored_flow_json
from ._errors import GraphError, Problem, graph_error
from ._fields import check, parse, project
from ._flow_node import ASSET_FIELDS, asset_items, flow_nodes, selected_fields
from ._lifecycle import apply_transition, publish
from ._nodes import find_flow, is_id
from ._paging import requested_page
from ._state import PUBLISHED, FlowRecord, World

_MAX_NAME: Final = 200  # two vendors' documentation
_MAX_MIGRATED: Final = 100  # "Flows API" page, migrate
_ASSET_DEFAULT: Final = "name,asset_type,download_url"
_MIGRATION_ERROR: Final = "4233041"
_SUCCESS: Final = json_response({"success": True})


def list_flows(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """A page of an account's Flows, in every state, oldest first (Meta documents no order)."""
    fields = selected_fields(call)
    flows, paging = requested_page(call, [(int(flow.id), flow) for flow in world.flows_of(waba_id)])
    world, nodes = flow_nodes(world, call, [flow.id for flow in flows], fields)
    return world, json_response({"data": nodes, **paging})


def create_flow(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """
    Create a draft: empty, with a Flow JSON, or as a copy of another Flow.

    With `publish`, a failed publishing check still creates the draft, and the response is an error without its id.
    Several clients have reported that.
    """
    name = _free_name(world, waba_id, required_text(call, "name"))
    categories = _categories(text_list(call, "categories") or ())
    source = _clone_source(world, call)
    sent = _flow_json_parameter(call)
    document = sent or (source.document if source else None)
    endpoint_uri = _endpoint_uri(call)
    if endpoint_uri and document and document.names_its_endpoint:
        raise graph_error(Problem.ENDPOINT_IN_JSON)
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
            world = world.with_flow(publish(world, flow, call.now))
        except GraphError as error:
            return world, error_response(error, call.trace_id)
    # With a Flow JSON, the response also has its validation errors.
    issues = (
        {} if sent is None else {"success": True, "validation_errors": [issue_to_json(each) for each in sent.issues]}
    )
    return world, json_response({"id": flow_id, **issues})


def update_flow(world: World, call: GraphCall, flow_id: str) -> tuple[World, GraphResponse]:
    """Change the metadata; a published Flow becomes a DRAFT. A call without a change succeeds."""
    flow = find_flow(world, flow_id, call.method)
    name, categories, uri = text(call, "name"), text_list(call, "categories"), _endpoint_uri(call)
    application_id = identifier(call, "application_id")
    if name is None and categories is None and uri is None and application_id is None:
        return world, _SUCCESS
    flow = apply_transition(flow, "edit", call.now)
    if name is not None:
        flow = replace(flow, name=_free_name(world, flow.waba_id, name, flow_id))
    if categories is not None:
        flow = replace(flow, categories=_categories(categories))
    if uri is not None:
        if flow.document is not None and flow.document.names_its_endpoint:
            raise graph_error(Problem.JSON_NAMES_ENDPOINT)
        flow = replace(flow, endpoint_uri=uri)
    if application_id is not None:
        if not is_id(application_id):
            raise bad_parameter("application_id", "must be the id of an app")
        flow = replace(flow, application_id=application_id)
    return world.with_flow(flow), _SUCCESS


def delete_flow(world: World, call: GraphCall, flow_id: str) -> tuple[World, GraphResponse]:
    """Delete a draft. Its name becomes free again (an assumption)."""
    deleted = apply_transition(find_flow(world, flow_id, call.method), "delete", call.now)
    return world.without_flow(deleted.id), _SUCCESS


def publish_flow(world: World, call: GraphCall, flow_id: str) -> tuple[World, GraphResponse]:
    """Publish a draft that passes every check."""
    flow = find_flow(world, flow_id, call.method)
    return world.with_flow(publish(world, flow, call.now)), _SUCCESS


def deprecate_flow(world: World, call: GraphCall, flow_id: str) -> tuple[World, GraphResponse]:
    """Deprecate a Flow that was published. Its name stays taken (an assumption, the stricter one)."""
    flow = find_flow(world, flow_id, call.method)
    return world.with_flow(apply_transition(flow, "deprecate", call.now)), _SUCCESS


def list_assets(world: World, call: GraphCall, flow_id: str) -> tuple[World, GraphResponse]:
    """The Flow JSON with its download link."""
    flow = find_flow(world, flow_id, call.method)
    fields = parse(text(call, "fields") or _ASSET_DEFAULT)
    check(fields, ASSET_FIELDS)
    assets, paging = requested_page(call, list(enumerate(asset_items(call, flow))))
    return world, json_response({"data": [project(fields, ASSET_FIELDS, asset) for asset in assets], **paging})


def update_flow_json(world: World, call: GraphCall, flow_id: str) -> tuple[World, GraphResponse]:
    """
    Replace the Flow JSON; a published Flow becomes a DRAFT.

    An invalid Flow JSON is stored too: the response is HTTP 200 with its errors.
    """
    flow = find_flow(world, flow_id, call.method)
    part = call.files.get("file")
    if part is None:
        raise bad_parameter("file", "must be uploaded as a multipart file")
    if text(call, "name") != "flow.json":
        raise bad_parameter("name", "must be flow.json")
    if text(call, "asset_type") != "FLOW_JSON":
        raise bad_parameter("asset_type", "must be FLOW_JSON")
    document = _read_flow_json(call, part.content, "file")
    flow = replace(apply_transition(flow, "edit", call.now), document=document)
    issues = [issue_to_json(issue) for issue in document.issues]
    return world.with_flow(flow), json_response({"success": True, "validation_errors": issues})


def migrate_flows(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """
    Copy the Flows of another account; a name that is taken here is reported as failed.

    The copy of a published Flow is published without new checks; any other copy is a draft.
    """
    source_id = identifier(call, "source_waba_id")
    if not source_id:
        raise bad_parameter("source_waba_id", "is required")
    source = world.accounts.get(source_id)
    if source is None:
        raise graph_error(Problem.UNKNOWN_NODE, method="get", id=source_id)
    if source.business_id != world.accounts[waba_id].business_id:
        raise graph_error(Problem.ACCESS_DENIED, "(#200) Both accounts must belong to the same business")
    names = text_list(call, "source_flow_names", commas=True)
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
    return world, json_response({"migrated_flows": migrated, "failed_flows": failed})


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
    # Meta sends this error code as a string; all others are numbers.
    return {
        "source_name": name,
        "error_code": _MIGRATION_ERROR,
        "error_message": f"Flows Migration Error: {reason}",
    }


def _free_name(world: World, waba_id: str, name: str, own_id: str | None = None) -> str:
    """The name, if no other Flow of the account has it. Deprecated Flows count; names are compared exactly."""
    if not 1 <= len(name) <= _MAX_NAME:
        raise bad_parameter("name", f"must be 1 to {_MAX_NAME} characters long")
    other = world.flow_named(waba_id, name)
    if other is not None and other.id != own_id:
        raise graph_error(Problem.NAME_TAKEN)
    return name


def _categories(categories: tuple[str, ...]) -> tuple[str, ...]:
    if not categories:
        raise bad_parameter("categories", "must have at least one item")
    for category in categories:
        if category not in FLOW_CATEGORIES:
            raise bad_parameter("categories", f"must be one of {sorted(FLOW_CATEGORIES)}")
    return categories


def _endpoint_uri(call: GraphCall) -> str | None:
    uri = text(call, "endpoint_uri")
    if uri is None:
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise graph_error(Problem.INVALID_ENDPOINT) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise graph_error(Problem.INVALID_ENDPOINT)
    return uri


def _clone_source(world: World, call: GraphCall) -> FlowRecord | None:
    """The Flow to copy, of any account. The values of `clone_template` are undocumented, so all are rejected."""
    flow_id, template = identifier(call, "clone_flow_id"), identifier(call, "clone_template")
    if flow_id and template:
        raise graph_error(Problem.TOO_MANY_CLONE_SOURCES)
    if template:
        raise bad_parameter("clone_template", "is not a known template")
    return find_flow(world, flow_id, "get") if flow_id else None


def _flow_json_parameter(call: GraphCall) -> StoredFlowJson | None:
    """The Flow JSON of a create: a string, or a file part of that name (an assumption)."""
    part = call.files.get("flow_json")
    if part is not None:
        return _read_flow_json(call, part.content, "flow_json")
    content = text(call, "flow_json")
    return None if content is None else _read_flow_json(call, content.encode("utf-8", "surrogatepass"), "flow_json")


def _read_flow_json(call: GraphCall, content: bytes, parameter: str) -> StoredFlowJson:
    if len(content) > MAX_BYTES:
        raise bad_parameter(parameter, "must not be larger than 10 MB")
    return stored_flow_json(content, call.now)
