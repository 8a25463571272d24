"""
What the Flow node shows of itself: one table of fields, and the links among them.

Source: "Flows API" page, field table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ._call import Answer, Call, as_flag, text, timestamp
from ._documents import wire
from ._errors import Problem, error
from ._fields import Field, NodeField, check, parse, project
from ._health import flow_health
from ._metrics import metric_object
from ._state import FlowRecord, PreviewLink, World

PREVIEW_LIFETIME: Final = 30 * 24 * 3600.0
FLOW_DEFAULT: Final = "id,name,status,categories,validation_errors"


@dataclass(frozen=True, slots=True)
class FlowView:
    """One Flow, seen in its world by one call."""

    world: World
    call: Call
    flow: FlowRecord


def selected(call: Call) -> tuple[Field, ...]:
    """The fields that a call asks of a Flow, checked."""
    fields = parse(text(call, "fields") or FLOW_DEFAULT)
    check(fields, FLOW_FIELDS)
    return fields


def shown(
    world: World, call: Call, flow_ids: Iterable[str], fields: tuple[Field, ...]
) -> tuple[World, list[dict[str, object]]]:
    """Flows as JSON objects, and the world after the preview links that this made or rotated."""
    for flow_id in flow_ids:
        for field in fields:
            if field.name == "preview":
                rotate = as_flag("invalidate", field.argument("invalidate") or "false")
                world = _with_preview(world, world.flows[flow_id], call.now, rotate=rotate)
    return world, [_node(world, call, flow_id, fields) for flow_id in flow_ids]


def _node(world: World, call: Call, flow_id: str, fields: tuple[Field, ...]) -> dict[str, object]:
    # Graph puts the id of a node into every answer, asked for or not.
    answer = project(fields, FLOW_FIELDS, FlowView(world, call, world.flows[flow_id]))
    return answer if "id" in answer else {**answer, "id": flow_id}


def _with_preview(world: World, flow: FlowRecord, now: float, *, rotate: bool) -> World:
    """The world with a valid preview link for a Flow; an old one is kept unless it is rotated or has expired."""
    link = flow.preview
    if link is not None and not rotate and now < link.created_at + PREVIEW_LIFETIME:
        return world
    fresh = PreviewLink(serial=link.serial + 1 if link else 0, created_at=now)
    return world.with_flow(replace(flow, preview=fresh))


def _preview(view: FlowView, _: Field) -> object:
    link = view.flow.preview or PreviewLink(serial=0, created_at=view.call.now)
    token = view.call.settings.token_for("preview", view.flow.id, link.serial)
    return {
        "preview_url": f"https://business.facebook.com/wa/manage/flows/{view.flow.id}/preview/?token={token}",
        "expires_at": timestamp(view.call, link.created_at + PREVIEW_LIFETIME),
    }


def _health(view: FlowView, field: Field) -> object:
    return flow_health(view.world, view.flow, view.call.now, field.argument("phone_number"))


def asset_items(call: Call, flow: FlowRecord) -> list[dict[str, object]]:
    """The assets of a Flow: its JSON, once there is one. The link is signed, expires, and is on another host name."""
    if flow.document is None:
        return []
    expires = f"{int(call.now + call.settings.download_lifetime):x}"
    signature = call.settings.token_for("download", flow.id, expires)
    url = f"{call.settings.cdn_url}/cdn/{flow.id}/flow.json?oe={expires}&oh={signature}"
    return [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": url}]


def download(world: World, call: Call, flow_id: str) -> Answer:
    """
    The file behind a download link.

    A request that brings credentials is refused: a client that sends its token to the
    host of the files has leaked it.
    """
    if call.carries_credentials:
        return _plain(400, "This host takes no credentials")
    expires = call.query.get("oe", "")
    if call.query.get("oh") != call.settings.token_for("download", flow_id, expires):
        return _plain(403, "Bad URL hash")
    if int(expires, 16) < call.now:
        return _plain(403, "URL signature expired")
    flow = world.flows.get(flow_id)
    if flow is None or flow.flow_json is None:
        return _plain(404, "Content not found")
    return Answer(status=200, body=flow.flow_json, content_type="application/json")


def _plain(status: int, sentence: str) -> Answer:
    return Answer(status=status, body=sentence.encode(), content_type="text/plain")


def account_object(call: Call, account_id: str) -> dict[str, object]:
    """An account as a Flow shows it."""
    return {
        "id": account_id,
        "name": f"Account {account_id}",
        "timezone_id": "1",
        "business_type": "ent",
        "message_template_namespace": call.settings.token_for("namespace", account_id)[:32],
    }


def application_object(application_id: str) -> dict[str, object]:
    """An app as Graph shows it."""
    link = f"https://www.facebook.com/games/?app_id={application_id}"
    return {"id": application_id, "name": f"App {application_id}", "link": link}


def is_id(value: str) -> bool:
    """Whether a text could be the id of a node."""
    return value.isascii() and value.isdigit()


def node_of(world: World, flow_id: str, method: str) -> FlowRecord:
    """A Flow by its id; code 100, subcode 33 when there is none."""
    flow = world.flows.get(flow_id)
    if flow is None:
        raise error(Problem.UNKNOWN_NODE, method=method.lower(), id=flow_id)
    return flow


# What an asset shows of itself; an item is made whole, and cut down to what is selected.
ASSET_FIELDS: Final[Mapping[str, NodeField[Mapping[str, object]]]] = {
    name: NodeField(lambda item, field: item[field.name]) for name in ("asset_type", "download_url", "name")
}
_ACCOUNT_KEYS: Final = frozenset({"id", "name", "timezone_id", "business_type", "message_template_namespace"})
_ISSUE_KEYS: Final = frozenset(
    {"error", "error_type", "message", "line_start", "line_end", "column_start", "column_end", "pointers"}
)

FLOW_FIELDS: Final[Mapping[str, NodeField[FlowView]]] = {
    "application": NodeField(
        lambda view, _: application_object(view.flow.application_id) if view.flow.application_id else None,
        inside=frozenset({"id", "name", "link"}),
    ),
    "assets": NodeField(lambda view, _: {"data": asset_items(view.call, view.flow)}, inside=frozenset(ASSET_FIELDS)),
    "categories": NodeField(lambda view, _: list(view.flow.categories)),
    "data_api_version": NodeField(lambda view, _: view.flow.document and view.flow.document.data_api_version),
    "data_channel_uri": NodeField(lambda view, _: view.flow.document and view.flow.document.data_channel_uri),
    "endpoint_uri": NodeField(lambda view, _: view.flow.endpoint_uri),
    "health_status": NodeField(
        _health, arguments=frozenset({"phone_number"}), inside=frozenset({"can_send_message", "entities"})
    ),
    "id": NodeField(lambda view, _: view.flow.id),
    "json_version": NodeField(lambda view, _: view.flow.document and view.flow.document.version),
    "metric": NodeField(
        lambda view, field: metric_object(view.call, view.flow, field),
        arguments=frozenset({"name", "granularity", "since", "until"}),
        inside=frozenset({"granularity", "name", "data_points"}),
    ),
    "name": NodeField(lambda view, _: view.flow.name),
    "preview": NodeField(
        _preview, arguments=frozenset({"invalidate"}), inside=frozenset({"preview_url", "expires_at"})
    ),
    "status": NodeField(lambda view, _: view.flow.status),
    "updated_at": NodeField(lambda view, _: timestamp(view.call, view.flow.updated_at)),
    "validation_errors": NodeField(
        lambda view, _: [wire(issue) for issue in view.flow.document.issues] if view.flow.document else [],
        inside=_ISSUE_KEYS,
    ),
    "whatsapp_business_account": NodeField(
        lambda view, _: account_object(view.call, view.flow.waba_id), inside=_ACCOUNT_KEYS
    ),
}
