"""
Which handler answers which request: one table, and the way from a request to its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from . import _accounts, _flows
from ._access import authorize
from ._call import Answer, Call, json_answer, text
from ._errors import GraphError, Problem, error, error_body
from ._fields import parse
from ._node import download, is_id
from ._state import World

Handler = Callable[[World, Call, str], tuple[World, Answer]]

_CDN: Final = "cdn"
DOWNLOAD: Final = "download_flow_json"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: how it is asked for, and who answers. The node is an account, or anything else."""

    method: str
    edge: str
    operation: str
    of_account: bool
    handler: Handler


ROUTES: Final = (
    Route("DELETE", "", "delete_flow", False, _flows.delete_flow),
    Route("GET", "", "get_flow", False, _flows.get_flow),
    Route("POST", "", "update_flow", False, _flows.update_flow),
    Route("GET", "assets", "list_assets", False, _flows.list_assets),
    Route("POST", "assets", "update_flow_json", False, _flows.update_flow_json),
    Route("POST", "deprecate", "deprecate_flow", False, _flows.deprecate_flow),
    Route("GET", "flows", "list_flows", True, _flows.list_flows),
    Route("POST", "flows", "create_flow", True, _flows.create_flow),
    Route("POST", "migrate_flows", "migrate_flows", True, _flows.migrate_flows),
    Route("GET", "phone_numbers", "list_phone_numbers", True, _accounts.list_phone_numbers),
    Route("POST", "publish", "publish_flow", False, _flows.publish_flow),
    Route("DELETE", "subscribed_apps", "unsubscribe_app", True, _accounts.unsubscribe_app),
    Route("GET", "subscribed_apps", "list_subscribed_apps", True, _accounts.list_subscribed_apps),
    Route("POST", "subscribed_apps", "subscribe_app", True, _accounts.subscribe_app),
    Route("GET", "whatsapp_business_encryption", "get_public_key", False, _accounts.get_public_key),
    Route("POST", "whatsapp_business_encryption", "set_public_key", False, _accounts.set_public_key),
)
_EDGES: Final = frozenset(route.edge for route in ROUTES)
# GET /{flow-id} is one call on the wire; a call that selects one of these alone is named after it.
_SPECIAL_READS: Final = {"health_status": "get_health", "metric": "get_metric", "preview": "get_preview"}
OPERATIONS: Final = frozenset({*(route.operation for route in ROUTES), *_SPECIAL_READS.values(), DOWNLOAD})

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


def target_of(call: Call) -> Target:
    """What a request is about, as far as its path tells."""
    first, node_id, edge, *rest = [part for part in call.path.split("/") if part] + [""] * 3
    if first == _CDN and call.method == "GET":
        return Target(DOWNLOAD, node_id)
    version = served_version(first)
    if version is None or not node_id or rest[:1] not in ([], [""]):
        return Target(version=version)
    for route in ROUTES:
        if (route.method, route.edge) == (call.method, edge):
            return Target(_operation(route, call), node_id, version, route, edge_known=True)
    return Target(None, node_id, version, edge_known=edge in _EDGES)


def _operation(route: Route, call: Call) -> str:
    """The name of the client's method that sends this."""
    if route.operation != "get_flow":
        return route.operation
    try:
        names = {field.name for field in parse(text(call, "fields") or "")}
    except GraphError:
        return route.operation
    return _SPECIAL_READS.get(names.pop(), route.operation) if len(names) == 1 else route.operation


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
        route, account_id = _understood(world, call, target)
        admit(account_id)
        return route.handler(world, call, target.node_id)
    except GraphError as refusal:
        return world, json_answer(error_body(refusal.row, call.trace_id), refusal.row.status)


def _understood(world: World, call: Call, target: Target) -> tuple[Route, str]:
    """The route of a request and the account it is about; refuses one that makes no sense or is not allowed."""
    if target.version is None:
        raise error(Problem.BAD_QUERY, path=call.path)
    authorize(call)
    if call.unreadable is not None:
        raise error(Problem.INVALID_PARAMETER, f"(#100) {call.unreadable}")
    if not target.edge_known:
        raise error(Problem.BAD_QUERY, path=call.path)
    if not is_id(target.node_id):
        raise error(Problem.ALIAS, f"(#803) Some of the aliases you requested do not exist: {target.node_id}")
    account_id = world.account_of(target.node_id)
    is_account = target.node_id in world.accounts
    if target.route is None or account_id is None or is_account != target.route.of_account:
        raise error(Problem.UNKNOWN_NODE, method=call.method.lower(), id=target.node_id)
    return target.route, account_id
