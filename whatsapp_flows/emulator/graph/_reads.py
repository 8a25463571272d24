"""
Reading nodes: one, several at once, and the one that a write changed.

Source: Graph guides "Multiple ID read requests" and "Advanced uses" (read-after-write).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ._account_nodes import ACCOUNT_DEFAULT, ACCOUNT_FIELDS, NUMBER_DEFAULT, NUMBER_FIELDS
from ._call import GraphCall, GraphResponse, json_response, text
from ._errors import GraphError, Problem, error_body, graph_error
from ._fields import Field, NodeField, check, parse
from ._flow_node import FLOW_DEFAULT, FLOW_FIELDS, flow_nodes
from ._media_node import MEDIA_DEFAULT, MEDIA_FIELDS, check_age
from ._nodes import NodeView, is_id, node_object
from ._state import NodeKind, World

NodeObject = dict[str, object]

MAX_IDS: Final = 50
# Kind of node -> its fields, and those that a call gets that selects none.
_TABLES: Final[Mapping[NodeKind, tuple[Mapping[str, NodeField[Any]], str]]] = {
    "account": (ACCOUNT_FIELDS, ACCOUNT_DEFAULT),
    "flow": (FLOW_FIELDS, FLOW_DEFAULT),
    "media": (MEDIA_FIELDS, MEDIA_DEFAULT),
    "phone_number": (NUMBER_FIELDS, NUMBER_DEFAULT),
}


def get_node(world: World, call: GraphCall, node_id: str) -> tuple[World, GraphResponse]:
    """An account, a phone number, a file, or a Flow. Selecting `preview` may create or rotate the preview link."""
    world, node = _read(world, call, node_id)
    return world, json_response(node)


def get_nodes(world: World, call: GraphCall, admit: Callable[[str], None]) -> tuple[World, GraphResponse]:
    """
    `GET /?ids=1,2`: several nodes of any kind. If one cannot be read, the call fails.

    `admit` is called with the account of each node: every id counts as one call.
    """
    ids = [each.strip() for each in (text(call, "ids") or "").split(",")]
    if len(ids) > MAX_IDS:
        raise graph_error(Problem.INVALID_PARAMETER, f"(#100) Too many IDs. Maximum: {MAX_IDS}. Provided: {len(ids)}.")
    found: dict[str, NodeObject] = {}
    for node_id in ids:
        admit(owning_account(world, call, node_id))
        world, found[node_id] = _read(world, call, node_id)
    return world, json_response(found)


def owning_account(world: World, call: GraphCall, node_id: str) -> str:
    """The account that a node is or belongs to; an error when there is no such node."""
    if not is_id(node_id):
        raise graph_error(Problem.ALIAS, f"(#803) Some of the aliases you requested do not exist: {node_id}")
    account_id = world.account_of(node_id)
    if account_id is None:
        raise graph_error(Problem.UNKNOWN_NODE, method=call.method.lower(), id=node_id)
    return account_id


def _read(world: World, call: GraphCall, node_id: str) -> tuple[World, NodeObject]:
    """A node with the fields that the call selects; an error when there is no such node."""
    kind = _existing_kind(world, node_id)
    table, default = _TABLES[kind]
    fields = parse(text(call, "fields") or default)
    check(fields, table)
    return _render(world, call, node_id, kind, fields)


def _existing_kind(world: World, node_id: str) -> NodeKind:
    kind = world.kind_of(node_id)
    if kind is None:
        raise graph_error(Problem.UNKNOWN_NODE, method="get", id=node_id)
    return kind


def _render(
    world: World, call: GraphCall, node_id: str, kind: NodeKind, fields: tuple[Field, ...]
) -> tuple[World, NodeObject]:
    if kind == "account":
        return world, node_object(fields, ACCOUNT_FIELDS, NodeView(world, call, world.accounts[node_id]))
    if kind == "phone_number":
        return world, node_object(fields, NUMBER_FIELDS, NodeView(world, call, world.phone_numbers[node_id]))
    if kind == "media":
        view = NodeView(world, call, world.media[node_id])
        check_age(view)
        return world, node_object(fields, MEDIA_FIELDS, view)
    world, nodes = flow_nodes(world, call, [node_id], fields)
    return world, nodes[0]


def with_requested_fields(
    world: World, call: GraphCall, node_id: str, response: GraphResponse
) -> tuple[World, GraphResponse]:
    """
    The response to a successful write, with the `fields` of the node that the call selects added to it.

    `fields` may also name keys of the write's own response. An unknown field fails the response, not the write: as at
    Meta, the error then holds the write's response in `original_response`.
    """
    if not call.parameters.get("fields"):
        return world, response
    original: dict[str, object] = json.loads(response.body)
    node_id = str(original.get("id", node_id))
    try:
        selected = parse(text(call, "fields") or "")
        fields = tuple(field for field in selected if field.name not in original.keys() - {"id"})
        if not fields:
            return world, response
        kind = _existing_kind(world, node_id)
        check(fields, _TABLES[kind][0])
        world, node = _render(world, call, node_id, kind, fields)
    except GraphError as error:
        details = {**error_body(error.spec, call.trace_id)["error"], "original_response": original}
        return world, json_response({"error": details}, error.spec.status)
    return world, json_response({**original, **node})
