"""
Which handler answers which request: one table, and the way from a request to its answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from . import _accounts, _flows
from ._access import authorize
from ._call import Answer, Call, refused, text
from ._errors import GraphError, Problem, error
from ._fields import parse
from ._node import download
from ._reads import account_of, get_node, get_nodes, with_read
from ._state import NodeKind, World

Handler = Callable[[World, Call, str], tuple[World, Answer]]

_CDN: Final = "cdn"
DOWNLOAD: Final = "download_flow_json"
BATCH: Final = "batch"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: how it is asked for, of which kind of node, and who answers."""

    method: str
    edge: str
    operation: str
    kind: NodeKind
    handler: Handler


ROUTES: Final = (
    Route("DELETE", "", "delete_flow", "flow", _flows.delete_flow),
    Route("GET", "", "get_account", "account", get_node),
    Route("GET", "", "get_flow", "flow", get_node),
    Route("GET", "", "get_phone_number", "phone_number", get_node),
    Route("POST", "", "update_flow", "flow", _flows.update_flow),
    Route("GET", "assets", "list_assets", "flow", _flows.list_assets),
    Route("POST", "assets", "update_flow_json", "flow", _flows.update_flow_json),
    Route("POST", "deprecate", "deprecate_flow", "flow", _flows.deprecate_flow),
    Route("GET", "flows", "list_flows", "account", _flows.list_flows),
    Route("POST", "flows", "create_flow", "account", _flows.create_flow),
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
# GET /{flow-id} is one call on the wire; a call that selects one of these alone is named after it.
_SPECIAL_READS: Final = {"health_status": "get_health", "metric": "get_metric", "preview": "get_preview"}
GET_NODES: Final = "get_nodes"
OPERATIONS: Final = frozenset(
    {*(route.operation for route in ROUTES), *_SPECIAL_READS.values(), BATCH, DOWNLOAD, GET_NODES}
)

_VERSION: Final = re.compile("v[0-9]")
# "Graph API versions" page, September 2026. An expired version is served by the oldest that lives.
_LIVE_VERSIONS: Final = tuple(f"v{major}.0" for major in range(20, 27))
_EXPIRED_VERSIONS: Final = frozenset(
    {"v1.0", *(f"v2.{minor}" for minor in range(13)), *(f"v3.{minor}" for minor in range(4))}
    | {f"v{major}.0" for major in range(4, 20)}
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about: the operation, the node it names, and the version that serves it."""

    operation: str | None = None
    node_id: str = ""
    version: str | None = None
    # None: there is no such path (`edge_known` is false), or not with this method.
    route: Route | None = None
    edge_known: bool = False


def target_of(world: World, call: Call) -> Target:
    """What a request is about, as far as its path and the kind of its node tell."""
    first, *rest = [part for part in call.path.split("/") if part] or [""]
    if first == _CDN and call.method == "GET":
        return Target(DOWNLOAD, next(iter(rest), ""))
    version, parts = served_version(first), rest
    if version is None and not names_version(first):
        # Without a version, the oldest that lives answers.
        version, parts = _LIVE_VERSIONS[0], [first, *rest]
    node_id, edge, *more = [*(part for part in parts if part), "", ""][:3]
    if version is None or any(more):
        return Target(version=version)
    if not node_id:
        return Target(_of_root(call), version=version)
    known = [route for route in ROUTES if (route.method, route.edge) == (call.method, edge)]
    if not known:
        return Target(None, node_id, version, edge_known=edge in _EDGES)
    kind = world.kind_of(node_id) or "flow"
    route = next((route for route in known if route.kind == kind), known[0])
    return Target(_operation(route, call), node_id, version, route, edge_known=True)


def _of_root(call: Call) -> str | None:
    """The operation of a path that names no node."""
    if call.method == "GET" and "ids" in call.parameters:
        return GET_NODES
    return BATCH if call.method == "POST" and "batch" in call.parameters else None


def _operation(route: Route, call: Call) -> str:
    """The name of the client's method that sends this."""
    if route.operation != "get_flow":
        return route.operation
    try:
        names = {field.name for field in parse(text(call, "fields") or "")}
    except GraphError:
        return route.operation
    return _SPECIAL_READS.get(names.pop(), route.operation) if len(names) == 1 else route.operation


def names_version(part: str) -> bool:
    """Whether a part of a path stands for a version, live or not."""
    return _VERSION.match(part) is not None


def served_version(asked: str) -> str | None:
    """The version that answers when one is asked for; None for a text that names none."""
    if asked in _EXPIRED_VERSIONS:
        return _LIVE_VERSIONS[0]
    return asked if asked in _LIVE_VERSIONS else None


def handle(
    world: World, call: Call, target: Target, admit: Callable[[str], None] = lambda _: None
) -> tuple[World, Answer]:
    """
    The answer to a request, and the world after it.

    `admit` is told the account that the request is about, and may refuse: the quota.
    """
    if target.operation == DOWNLOAD:
        return world, download(world, call, target.node_id)
    try:
        _understood(call, target)
        if target.operation == GET_NODES:
            return get_nodes(world, call, admit)
        route, account_id = _routed(world, call, target)
        admit(account_id)
        world, answer = route.handler(world, call, target.node_id)
    except GraphError as refusal:
        return world, refused(refusal, call.trace_id)
    if route.method == "GET" or answer.status != 200:
        return world, answer
    return with_read(world, call, target.node_id, answer)


def _understood(call: Call, target: Target) -> None:
    """Refuses a request that makes no sense, or that may not be made: a stranger learns nothing of what exists."""
    if target.version is None:
        raise error(Problem.BAD_QUERY, path=call.path)
    authorize(call)
    if call.unreadable is not None:
        raise error(Problem.INVALID_PARAMETER, f"(#100) {call.unreadable}")


def _routed(world: World, call: Call, target: Target) -> tuple[Route, str]:
    """The route of a request and the account it is about; a refusal when there is none."""
    if not target.edge_known:
        raise error(Problem.BAD_QUERY, path=call.path)
    account_id = account_of(world, call, target.node_id)
    if target.route is None or target.route.kind != world.kind_of(target.node_id):
        raise error(Problem.UNKNOWN_NODE, method=call.method.lower(), id=target.node_id)
    return target.route, account_id
