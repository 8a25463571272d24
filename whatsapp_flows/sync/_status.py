"""How the flows of a workspace are: their state, health, version, and for how long that may still be changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ..client import FlowsClient
from ..flow_json import KNOWN_VERSIONS, parse_version
from ..models import Flow, FlowStatus, HealthEntity
from .account import PAGES, Lock, identify, listings, may_be_meant
from .desired import DesiredFlow

# `health_status` in a list is documented nowhere: without it, the rest is still worth knowing.
_FIELDS: Final = "id,name,status,validation_errors,json_version,updated_at,health_status"
_WAYS: Final = ((_FIELDS, 100), *PAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowState:
    """
    One flow. `health` is Meta's word for whether it can be sent: AVAILABLE, LIMITED, BLOCKED; empty if it is not told.

    `troubles` are the links of the chain that are not AVAILABLE, with Meta's errors and solutions.
    `frozen_on` is the day from which flows of its version cannot be changed; None as long as Meta has announced none.
    `id` is empty for a flow that is not there.
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
        """Until its version freezes; 0 once it has."""
        return None if self.frozen_on is None else max((self.frozen_on - today).days, 0)


def read_states(client: FlowsClient, flows: Iterable[DesiredFlow], lock: Lock | None = None) -> tuple[FlowState, ...]:
    """The state of each flow, in their order. One request for each hundred flows of the account."""
    wanted = tuple(flows)
    asked = may_be_meant(wanted, lock)
    listed = {flow.id: flow for _, found in listings(client, _WAYS) for flow in found if asked(flow)}
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
    if flow.health is None or flow.status == FlowStatus.DEPRECATED:  # which is blocked because it is deprecated
        return ()
    entities = flow.health.entities
    return tuple(entity for entity in entities if entity.can_send_message != "AVAILABLE" or entity.errors)


def frozen_on(version: str | None) -> date | None:
    """The day from which Meta takes no change to a flow of this version; None if none is known."""
    parsed = parse_version(version or "")
    return KNOWN_VERSIONS[parsed].frozen if parsed is not None and parsed in KNOWN_VERSIONS else None
