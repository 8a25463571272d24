"""
Changes to the world that Meta or the owner of an account makes outside the Graph API, for tests to set up a scenario.

Each takes a world and returns the next. ValueError for an invalid argument, LookupError for an unknown id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from .graph import METRIC_KEYS, STATUSES, Account, FlowRecord, MetricPoint, PhoneNumber, World, is_id, stored_flow_json

Node = TypeVar("Node")

ALL_ENDPOINTS = "*"


def check_id(node_id: str) -> None:
    """ValueError for a text that cannot be the id of a node."""
    if not is_id(node_id):
        raise ValueError(f"an id is a string of digits, not {node_id!r}")


def existing(nodes: Mapping[str, Node], node_id: str) -> Node:
    """A node by its id; LookupError when there is none."""
    node = nodes.get(node_id)
    if node is None:
        raise LookupError(f"there is nothing with the id {node_id!r}")
    return node


def add_account(world: World, waba_id: str, business_id: str) -> World:
    """The world with an account of a business; an existing account changes its business only."""
    check_id(waba_id)
    check_id(business_id)
    account = world.accounts.get(waba_id) or Account(id=waba_id)
    return world.with_account(replace(account, business_id=business_id))


def add_phone_number(world: World, phone_number_id: str, waba_id: str, *, verified: bool) -> World:
    """The world with a phone number of an account; an existing number keeps its key."""
    check_id(phone_number_id)
    account = existing(world.accounts, waba_id)
    number = world.phone_numbers.get(phone_number_id) or PhoneNumber(id=phone_number_id, waba_id=account.id)
    return world.with_phone_number(replace(number, waba_id=account.id, verified=verified))


def register_again(world: World, phone_number_id: str) -> World:
    """The world in which a phone number was registered anew: Meta's signature of its key is no longer valid."""
    return world.with_phone_number(replace(existing(world.phone_numbers, phone_number_id), key_signed=False))


def add_flow(
    world: World,
    name: str,
    *,
    categories: Iterable[str],
    flow_json: bytes | str | None,
    status: str,
    endpoint_uri: str | None,
    waba_id: str,
    now: float,
) -> tuple[World, FlowRecord]:
    """The world with another Flow of an account, and that Flow. Only its status and the name are checked."""
    content = flow_json.encode() if isinstance(flow_json, str) else flow_json
    account = existing(world.accounts, waba_id)
    _check_status(status)
    if world.flow_named(account.id, name) is not None:
        raise ValueError(f"the account has a Flow named {name!r} already")
    world, flow_id = world.new_flow_id()
    flow = FlowRecord(
        id=flow_id,
        waba_id=account.id,
        name=name,
        categories=tuple(categories),
        status=status,
        endpoint_uri=endpoint_uri,
        document=None if content is None else stored_flow_json(content, now),
        updated_at=now,
    )
    return world.with_flow(flow), flow


def change_flow(world: World, flow_id: str, change: Callable[[FlowRecord], FlowRecord]) -> World:
    """The world with a Flow replaced."""
    return world.with_flow(change(existing(world.flows, flow_id)))


def set_status(world: World, flow_id: str, status: str, now: float) -> World:
    """The world with the status of a Flow replaced."""
    _check_status(status)
    return change_flow(world, flow_id, lambda flow: replace(flow, status=status, updated_at=now))


def set_endpoint_available(world: World, available: bool, endpoint_uri: str | None) -> World:
    """The world in which an endpoint (None: each endpoint) answers Meta's health check, or does not."""
    uri = endpoint_uri or ALL_ENDPOINTS
    if available and uri == ALL_ENDPOINTS:
        return replace(world, dead_endpoints=frozenset())
    return replace(world, dead_endpoints=world.dead_endpoints - {uri} if available else world.dead_endpoints | {uri})


def add_metric(world: World, flow_id: str, metric: str, data: Mapping[str, float], at: float) -> World:
    """The world with a data point of a Flow's metric."""
    if metric not in METRIC_KEYS or not data or not data.keys() <= METRIC_KEYS[metric]:
        raise ValueError(f"not a metric with its keys: {metric!r}, {sorted(data)}")
    point = MetricPoint(metric=metric, at=at, data=tuple(data.items()))
    return change_flow(world, flow_id, lambda flow: replace(flow, metrics=(*flow.metrics, point)))


def _check_status(status: str) -> None:
    if status not in STATUSES:
        raise ValueError(f"status must be one of {', '.join(sorted(STATUSES))}, not {status!r}")
