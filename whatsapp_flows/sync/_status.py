"""The status of the flows of a workspace: state, health, version, and the day on which that version freezes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ..client import FlowsClient
from ..flow_json import KNOWN_VERSIONS, parse_version
from ..models import Flow, FlowStatus, HealthEntity
from .account import LISTING_QUERIES, Lock, candidate_filter, identify, listings
from .desired import DesiredFlow

# `health_status` in a listing is not documented. If Meta refuses it, the other fields are read without it.
_FIELDS: Final = "id,name,status,validation_errors,json_version,updated_at,health_status"
_QUERIES: Final = ((_FIELDS, 100), *LISTING_QUERIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowState:
    """
    The status of one flow. `id` is empty if the account does not have it.

    `health` says whether it can be sent: AVAILABLE, LIMITED or BLOCKED; empty if Meta did not report it. `troubles` are
    the entities that are not AVAILABLE, with Meta's errors and solutions. `frozen_on` is the day from which flows of
    its version cannot be changed; None if Meta has announced none.
    """

    key: str
    name: str
    id: str = ""
    status: str = ""
    version: str = ""
    health: str = ""
    troubles: tuple[HealthEntity, ...] = ()
    frozen_on: date | None = None
    changed_at: datetime | None = None
    errors: int = 0

    def days_left(self, today: date) -> int | None:
        """The days until its version freezes; 0 after that."""
        return None if self.frozen_on is None else max((self.frozen_on - today).days, 0)


def read_states(client: FlowsClient, flows: Iterable[DesiredFlow], lock: Lock | None = None) -> tuple[FlowState, ...]:
    """The state of each flow, in their order. One request for each hundred flows of the account."""
    wanted = tuple(flows)
    is_candidate = candidate_filter(wanted, lock)
    listed = {flow.id: flow for _, found in listings(client, _QUERIES) for flow in found if is_candidate(flow)}
    identities = identify(wanted, listed.values(), lock)
    return tuple(_state(desired, listed.get(identities[desired.key].flow_id)) for desired in wanted)


def _state(desired: DesiredFlow, flow: Flow | None) -> FlowState:
    if flow is None:
        return FlowState(key=desired.key, name=desired.name)
    return FlowState(
        key=desired.key,
        name=flow.name,
        id=flow.id,
        status=str(flow.status),
        version=flow.json_version or "",
        health=flow.health.can_send_message if flow.health is not None else "",
        troubles=_troubles(flow),
        frozen_on=frozen_on(flow.json_version),
        changed_at=flow.updated_at,
        errors=len(flow.validation_errors),
    )


def _troubles(flow: Flow) -> tuple[HealthEntity, ...]:
    if flow.health is None or flow.status == FlowStatus.DEPRECATED:  # a deprecated flow is always BLOCKED
        return ()
    entities = flow.health.entities
    return tuple(entity for entity in entities if entity.can_send_message != "AVAILABLE" or entity.errors)


def frozen_on(version: str | None) -> date | None:
    """The day from which flows of this version cannot be changed; None if none is known."""
    parsed = parse_version(version or "")
    return KNOWN_VERSIONS[parsed].frozen if parsed is not None and parsed in KNOWN_VERSIONS else None
