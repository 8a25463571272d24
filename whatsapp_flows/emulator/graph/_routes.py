"""
The table of routes, and the dispatch from a call to its response.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from . import _accounts, _flows, _messages, _templates
from ._access import authorize
from ._call import GraphCall, GraphResponse, error_response, text
from ._errors import GraphError, Problem, graph_error
from ._fields import parse
from ._flow_node import download
from ._media_node import ENCRYPTED, PROTECTED, download_media
from ._reads import get_node, get_nodes, owning_account, with_requested_fields
from ._state import NodeKind, World

Handler = Callable[[World, GraphCall, str], tuple[World, GraphResponse]]

_CDN: Final = "cdn"
DOWNLOAD: Final = "download_flow_json"
_MEDIA: Final = "download_media"
BATCH: Final = "batch"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: its method and edge, the kind of node that it needs, and its handler."""

    method: str
    edge: str
    operation: str
    kind: NodeKind
    handler: Handler


ROUTES: Final = (
    Route("DELETE", "", "delete_flow", "flow", _flows.delete_flow),
    Route("GET", "", "get_account", "account", get_node),
    Route("GET", "", "get_flow", "flow", get_node),
    Route("GET", "", _MEDIA, "media", get_node),
    Route("GET", "", "get_phone_number", "phone_number", get_node),
    Route("POST", "", "update_flow", "flow", _flows.update_flow),
    Route("GET", "assets", "list_assets", "flow", _flows.list_assets),
    Route("POST", "assets", "update_flow_json", "flow", _flows.update_flow_json),
    Route("POST", "deprecate", "deprecate_flow", "flow", _flows.deprecate_flow),
    Route("GET", "flows", "list_flows", "account", _flows.list_flows),
    Route("POST", "flows", "create_flow", "account", _flows.create_flow),
    Route("GET", "message_templates", "list_message_templates", "account", _templates.list_templates),
    Route("POST", "message_templates", "create_flow_template", "account", _templates.create_template),
    Route("POST", "messages", "send_flow", "phone_number", _messages.send_message),
    Route("POST", "migrate_flows", "migrate_flows", "account", _flows.migrate_flows),
    Route("GET", "phone_numbers", "list_phone_numbers", "account", _accounts.list_phone_numbers),
    Route("POST", "publish", "publish_flow", "flow", _flows.publish_flow),
    Route("DELETE", "subscribed_apps", "unsubscribe_app", "account", _accounts.unsubscribe_app),
    Route("GET", "subscribed_apps", "list_subscribed_apps", "account", _accounts.list_subscribed_apps),
    Route("POST", "subscribed_apps", "subscribe_app", "account", _accounts.subscribe_app),
    Route("GET", "whatsapp_business_encryption", "get_public_key", "phone_number", _accounts.get_public_key),
    Route("POST", "whatsapp_business_encryption", "set_public_key", "phone_number", _accounts.set_public_key),
)
_EDGES: Final = frozenset(route.edge for route in ROUTES)
# These operations are GET /{flow-id}, as `get_flow` is, selecting this one field.
_SPECIAL_READS: Final = {"health_status": "get_health", "metric": "get_metric", "preview": "get_preview"}
GET_NODES: Final = "get_nodes"
_SEND_TEMPLATE: Final = "send_flow_template"  # the same path as `send_flow`
_UNCOUNTED: Final = frozenset({"send_flow", _MEDIA})  # the quota is that of the management API
OPERATIONS: Final = frozenset(
    {*(route.operation for route in ROUTES), *_SPECIAL_READS.values(), _SEND_TEMPLATE, BATCH, DOWNLOAD, GET_NODES}
)

_VERSION: Final = re.compile("v[0-9]")
# "Graph API versions" page, September 2026. The oldest live version serves calls to an expired one.
_LIVE_VERSIONS: Final = tuple(f"v{major}.0" for major in range(20, 27))
_EXPIRED_VERSIONS: Final = frozenset(
    {"v1.0", *(f"v2.{minor}" for minor in range(13)), *(f"v3.{minor}" for minor in range(4))}
    | {f"v{major}.0" for major in range(4, 20)}
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a call addresses: an operation, a node, and the version that serves it."""

    operation: str | None = None
    node_id: str = ""
    version: str | None = None
    # None: an unknown path (`edge_known` is false), or a known one with another method.
    route: Route | None = None
    edge_known: bool = False
    # The Flow that a message opens; None for other calls.
    sent_flow_id: str | None = None
    # Of an uploaded file: the part of the download host that serves it.
    media_part: str = ""

    @property
    def subject_id(self) -> str | None:
        """What `flow_id` of a fault is compared with: the Flow of a message, the node of any other call."""
        return (self.node_id if self.sent_flow_id is None else self.sent_flow_id) or None


def resolve_target(world: World, call: GraphCall) -> Target:
    """What a call addresses, by its path and the kind of its node."""
    first, *rest = [part for part in call.path.split("/") if part] or [""]
    if first == _CDN and call.method == "GET":
        part, media_id, *_ = [*rest, "", ""]
        if part in {PROTECTED, ENCRYPTED}:
            return Target(_MEDIA, media_id, media_part=part)
        return Target(DOWNLOAD, part)
    version, parts = served_version(first), rest
    if version is None and not is_version(first):
        # The oldest live version serves calls without a version.
        version, parts = _LIVE_VERSIONS[0], [first, *rest]
    node_id, edge, *more = [*(part for part in parts if part), "", ""][:3]
    if version is None or any(more):
        return Target(version=version)
    if not node_id:
        return Target(_root_operation(call), version=version)
    known = [route for route in ROUTES if (route.method, route.edge) == (call.method, edge)]
    if not known:
        return Target(None, node_id, version, edge_known=edge in _EDGES)
    kind = world.kind_of(node_id) or "flow"
    route = next((route for route in known if route.kind == kind), known[0])
    sent = _messages.flow_of_message(world, call, node_id) if route.operation == "send_flow" else None
    return Target(_operation(route, call), node_id, version, route, edge_known=True, sent_flow_id=sent)


def _root_operation(call: GraphCall) -> str | None:
    """The operation of a path that names no node."""
    if call.method == "GET" and "ids" in call.parameters:
        return GET_NODES
    return BATCH if call.method == "POST" and "batch" in call.parameters else None


def _operation(route: Route, call: GraphCall) -> str:
    """The name of the client's method that sends this call."""
    if route.operation == "send_flow" and call.parameters.get("type") == "template":
        return _SEND_TEMPLATE
    if route.operation != "get_flow":
        return route.operation
    try:
        names = {field.name for field in parse(text(call, "fields") or "")}
    except GraphError:
        return route.operation
    return _SPECIAL_READS.get(names.pop(), route.operation) if len(names) == 1 else route.operation


def takes_no_credentials(path: str) -> bool:
    """Whether a path is one of the download host that a client must not send its token to."""
    first, part, *_ = [*filter(None, path.split("/")), "", ""]
    return first == _CDN and part != PROTECTED


def is_version(part: str) -> bool:
    """Whether a part of a path is a version, live or not."""
    return _VERSION.match(part) is not None


def served_version(requested: str) -> str | None:
    """The version that serves calls to a version; None for an unknown one."""
    if requested in _EXPIRED_VERSIONS:
        return _LIVE_VERSIONS[0]
    return requested if requested in _LIVE_VERSIONS else None


def handle(
    world: World, call: GraphCall, target: Target, admit: Callable[[str], None] = lambda _: None
) -> tuple[World, GraphResponse]:
    """
    The next world, and the response to a call.

    `admit` is called with the account that the call concerns. It raises when the account has no quota left.
    """
    if target.operation == DOWNLOAD:
        return world, download(world, call, target.node_id)
    if target.media_part:
        return world, download_media(world, call, target.media_part, target.node_id)
    try:
        _check_call(call, target)
        if target.operation == GET_NODES:
            return get_nodes(world, call, admit)
        route, account_id = _find_route(world, call, target)
        if route.operation not in _UNCOUNTED:
            admit(account_id)
        world, response = route.handler(world, call, target.node_id)
    except GraphError as error:
        return world, error_response(error, call.trace_id)
    if route.method == "GET" or response.status != 200:
        return world, response
    return with_requested_fields(world, call, target.node_id, response)


def _check_call(call: GraphCall, target: Target) -> None:
    """Raise for a malformed or unauthorized call, before the world is looked at: the error must not reveal nodes."""
    if target.version is None:
        raise graph_error(Problem.BAD_QUERY, path=call.path)
    authorize(call)
    if call.unreadable is not None:
        raise graph_error(Problem.INVALID_PARAMETER, f"(#100) {call.unreadable}")


def _find_route(world: World, call: GraphCall, target: Target) -> tuple[Route, str]:
    """The route of a call, and the account that it concerns."""
    if not target.edge_known:
        raise graph_error(Problem.BAD_QUERY, path=call.path)
    account_id = owning_account(world, call, target.node_id)
    if target.route is None or target.route.kind != world.kind_of(target.node_id):
        raise graph_error(Problem.UNKNOWN_NODE, method=call.method.lower(), id=target.node_id)
    return target.route, account_id
