"""
Reading nodes: one, many at once, and the one that a write was about.

Source: Graph guides "Multiple ID read requests" and "Advanced uses" (read-after-write).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ._account_nodes import (
    ACCOUNT_DEFAULT,
    ACCOUNT_FIELDS,
    NUMBER_DEFAULT,
    NUMBER_FIELDS,
    account_node,
    number_node,
)
from ._call import Answer, Call, json_answer, text
from ._errors import GraphError, Problem, error, error_body
from ._fields import Field, NodeField, check, parse
from ._node import FLOW_DEFAULT, FLOW_FIELDS, is_id, shown
from ._state import NodeKind, World

Node = dict[str, object]

MOST_IDS: Final = 50
# What kind of node -> its fields, those that are shown unasked, and how it is written.
_TABLES: Final[Mapping[NodeKind, tuple[Mapping[str, NodeField[Any]], str]]] = {
    "account": (ACCOUNT_FIELDS, ACCOUNT_DEFAULT),
    "flow": (FLOW_FIELDS, FLOW_DEFAULT),
    "phone_number": (NUMBER_FIELDS, NUMBER_DEFAULT),
}


def get_node(world: World, call: Call, node_id: str) -> tuple[World, Answer]:
    """An account, a phone number, or a Flow; a preview link is made or rotated on the way."""
    world, node = _node(world, call, node_id)
    return world, json_answer(node)


def get_nodes(world: World, call: Call, admit: Callable[[str], None]) -> tuple[World, Answer]:
    """
    `GET /?ids=1,2`: several nodes of any kind, by id. One that cannot be read fails them all.

    `admit` is told of each: every id counts as one call.
    """
    ids = [each.strip() for each in (text(call, "ids") or "").split(",")]
    if len(ids) > MOST_IDS:
        raise error(Problem.INVALID_PARAMETER, f"(#100) Too many IDs. Maximum: {MOST_IDS}. Provided: {len(ids)}.")
    found: dict[str, Node] = {}
    for node_id in ids:
        account_id = account_of(world, call, node_id)
        admit(account_id)
        world, found[node_id] = _node(world, call, node_id)
    return world, json_answer(found)


def account_of(world: World, call: Call, node_id: str) -> str:
    """The account that a node is, or belongs to; a refusal when there is no such node."""
    if not is_id(node_id):
        raise error(Problem.ALIAS, f"(#803) Some of the aliases you requested do not exist: {node_id}")
    account_id = world.account_of(node_id)
    if account_id is None:
        raise error(Problem.UNKNOWN_NODE, method=call.method.lower(), id=node_id)
    return account_id


def _node(world: World, call: Call, node_id: str) -> tuple[World, Node]:
    """A node that is there, with the fields that the call asks for."""
    kind = world.kind_of(node_id)
    if kind is None:
        raise error(Problem.UNKNOWN_NODE, method="get", id=node_id)
    table, default = _TABLES[kind]
    fields = parse(text(call, "fields") or default)
    check(fields, table)
    return _written(world, call, node_id, kind, fields)


def _written(world: World, call: Call, node_id: str, kind: NodeKind, fields: tuple[Field, ...]) -> tuple[World, Node]:
    if kind == "account":
        return world, account_node(world, call, node_id, fields)
    if kind == "phone_number":
        return world, number_node(world, call, node_id, fields)
    world, nodes = shown(world, call, [node_id], fields)
    return world, nodes[0]


def with_read(world: World, call: Call, node_id: str, answer: Answer) -> tuple[World, Answer]:
    """
    The answer to a write that succeeded, with the `fields` that the call asks of the node in it.

    What the write itself answers can be named too. A field that the node does not have fails the answer, not the
    write: Meta then gives what it would have said in `original_response`.
    """
    if not call.parameters.get("fields"):
        return world, answer
    original: dict[str, object] = json.loads(answer.body)
    node_id = str(original.get("id", node_id))
    try:
        asked = text(call, "fields") or ""
        fields = tuple(field for field in parse(asked) if field.name not in original.keys() - {"id"})
        if not fields:
            return world, answer
        kind = world.kind_of(node_id)
        if kind is None:
            raise error(Problem.UNKNOWN_NODE, method="get", id=node_id)
        check(fields, _TABLES[kind][0])
        world, node = _written(world, call, node_id, kind, fields)
    except GraphError as refusal:
        told = {**error_body(refusal.row, call.trace_id)["error"], "original_response": original}
        return world, json_answer({"error": told}, refusal.row.status)
    return world, json_answer({**original, **node})
