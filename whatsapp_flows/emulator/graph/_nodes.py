"""What the nodes of Flows, accounts, phone numbers and files have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ._call import GraphCall
from ._errors import Problem, graph_error
from ._fields import Field, NodeField, project
from ._state import Account, FlowRecord, MediaRecord, PhoneNumber, World

Node = TypeVar("Node", Account, FlowRecord, MediaRecord, PhoneNumber)


@dataclass(frozen=True, slots=True)
class NodeView(Generic[Node]):
    """A node, with the world and the call that its fields depend on."""

    world: World
    call: GraphCall
    node: Node


def node_object(
    fields: tuple[Field, ...], table: Mapping[str, NodeField[NodeView[Node]]], view: NodeView[Node]
) -> dict[str, object]:
    """A node as a JSON object with the given fields. Like Graph, it includes the id even if it is not selected."""
    return {**project(fields, table, view), "id": view.node.id}


def is_id(value: str) -> bool:
    """Whether a text could be the id of a node."""
    return value.isascii() and value.isdigit()


def find_flow(world: World, flow_id: str, method: str) -> FlowRecord:
    """A Flow by its id; code 100, subcode 33 when there is none."""
    flow = world.flows.get(flow_id)
    if flow is None:
        raise graph_error(Problem.UNKNOWN_NODE, method=method.lower(), id=flow_id)
    return flow


def account_object(call: GraphCall, account_id: str) -> dict[str, object]:
    """An account as the nodes that belong to it show it."""
    return {
        "id": account_id,
        "name": f"Account {account_id}",
        "timezone_id": "1",
        "business_type": "ent",
        "message_template_namespace": call.settings.token_for("namespace", account_id)[:32],
    }


def application_object(application_id: str) -> dict[str, object]:
    """An app as the nodes that it is connected to show it."""
    link = f"https://www.facebook.com/games/?app_id={application_id}"
    return {"id": application_id, "name": f"App {application_id}", "link": link}
