"""
The Flow node: its fields, its preview link, and its downloadable assets.

Source: "Flows API" page, field table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from ._call import GraphCall, GraphResponse, parse_flag, plain_text, text, timestamp
from ._documents import issue_to_json
from ._fields import Field, NodeField, check, parse
from ._health import flow_health
from ._metrics import metric_object
from ._nodes import NodeView, account_object, application_object, node_object
from ._state import FlowRecord, PreviewLink, World

PREVIEW_LIFETIME: Final = 30 * 24 * 3600.0
FLOW_DEFAULT: Final = "id,name,status,categories,validation_errors"


FlowView = NodeView[FlowRecord]


def selected_fields(call: GraphCall) -> tuple[Field, ...]:
    """The Flow fields that a call selects, checked."""
    fields = parse(text(call, "fields") or FLOW_DEFAULT)
    check(fields, FLOW_FIELDS)
    return fields


def flow_nodes(
    world: World, call: GraphCall, flow_ids: Iterable[str], fields: tuple[Field, ...]
) -> tuple[World, list[dict[str, object]]]:
    """Flows as JSON objects, and the world with the preview links that were created or rotated for them."""
    for flow_id in flow_ids:
        for field in fields:
            if field.name == "preview":
                rotate = parse_flag("invalidate", field.argument("invalidate") or "false")
                world = _with_preview(world, world.flows[flow_id], call.now, rotate=rotate)
    views = (NodeView(world, call, world.flows[flow_id]) for flow_id in flow_ids)
    return world, [node_object(fields, FLOW_FIELDS, view) for view in views]


def _with_preview(world: World, flow: FlowRecord, now: float, *, rotate: bool) -> World:
    """The world with a valid preview link for a Flow; a link is kept unless it is rotated or has expired."""
    link = flow.preview
    if link is not None and not rotate and now < link.created_at + PREVIEW_LIFETIME:
        return world
    fresh = PreviewLink(serial=link.serial + 1 if link else 0, created_at=now)
    return world.with_flow(replace(flow, preview=fresh))


def _preview(view: FlowView, _: Field) -> object:
    link = view.node.preview or PreviewLink(serial=0, created_at=view.call.now)
    token = view.call.settings.token_for("preview", view.node.id, link.serial)
    return {
        "preview_url": f"https://business.facebook.com/wa/manage/flows/{view.node.id}/preview/?token={token}",
        "expires_at": timestamp(view.call, link.created_at + PREVIEW_LIFETIME),
    }


def _health(view: FlowView, field: Field) -> object:
    return flow_health(view.world, view.node, view.call.now, field.argument("phone_number"))


def asset_items(call: GraphCall, flow: FlowRecord) -> list[dict[str, object]]:
    """The assets of a Flow: its JSON, if it has one. Its link is signed, expires, and has another host."""
    if flow.document is None:
        return []
    expires = f"{int(call.now + call.settings.download_lifetime):x}"
    signature = call.settings.token_for("download", flow.id, expires)
    url = f"{call.settings.cdn_url}/cdn/{flow.id}/flow.json?oe={expires}&oh={signature}"
    return [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": url}]


def download(world: World, call: GraphCall, flow_id: str) -> GraphResponse:
    """
    The file of a download link.

    A request with credentials is rejected: a client that sends its token to the download host has leaked it.
    """
    if call.carries_credentials:
        return plain_text(400, "This host takes no credentials")
    expires = call.query.get("oe", "")
    if call.query.get("oh") != call.settings.token_for("download", flow_id, expires):
        return plain_text(403, "Bad URL hash")
    if int(expires, 16) < call.now:
        return plain_text(403, "URL signature expired")
    flow = world.flows.get(flow_id)
    if flow is None or flow.flow_json is None:
        return plain_text(404, "Content not found")
    return GraphResponse(status=200, body=flow.flow_json, content_type="application/json")


ASSET_FIELDS: Final[Mapping[str, NodeField[Mapping[str, object]]]] = {
    name: NodeField(lambda item, field: item[field.name]) for name in ("asset_type", "download_url", "name")
}
_ACCOUNT_KEYS: Final = frozenset({"id", "name", "timezone_id", "business_type", "message_template_namespace"})
_ISSUE_KEYS: Final = frozenset(
    {"error", "error_type", "message", "line_start", "line_end", "column_start", "column_end", "pointers"}
)

FLOW_FIELDS: Final[Mapping[str, NodeField[FlowView]]] = {
    "application": NodeField(
        lambda view, _: application_object(view.node.application_id) if view.node.application_id else None,
        inside=frozenset({"id", "name", "link"}),
    ),
    "assets": NodeField(lambda view, _: {"data": asset_items(view.call, view.node)}, inside=frozenset(ASSET_FIELDS)),
    "categories": NodeField(lambda view, _: list(view.node.categories)),
    "data_api_version": NodeField(lambda view, _: view.node.document and view.node.document.data_api_version),
    "data_channel_uri": NodeField(lambda view, _: view.node.document and view.node.document.data_channel_uri),
    "endpoint_uri": NodeField(lambda view, _: view.node.endpoint_uri),
    "health_status": NodeField(
        _health, arguments=frozenset({"phone_number"}), inside=frozenset({"can_send_message", "entities"})
    ),
    "id": NodeField(lambda view, _: view.node.id),
    "json_version": NodeField(lambda view, _: view.node.document and view.node.document.version),
    "metric": NodeField(
        lambda view, field: metric_object(view.call, view.node, field),
        arguments=frozenset({"name", "granularity", "since", "until"}),
        inside=frozenset({"granularity", "name", "data_points"}),
    ),
    "name": NodeField(lambda view, _: view.node.name),
    "preview": NodeField(
        _preview, arguments=frozenset({"invalidate"}), inside=frozenset({"preview_url", "expires_at"})
    ),
    "status": NodeField(lambda view, _: view.node.status),
    "updated_at": NodeField(lambda view, _: timestamp(view.call, view.node.updated_at)),
    "validation_errors": NodeField(
        lambda view, _: [issue_to_json(issue) for issue in view.node.document.issues] if view.node.document else [],
        inside=_ISSUE_KEYS,
    ),
    "whatsapp_business_account": NodeField(
        lambda view, _: account_object(view.call, view.node.waba_id), inside=_ACCOUNT_KEYS
    ),
}
