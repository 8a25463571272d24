"""How the flows of a workspace are: their state, health, version, and for how long that may still be changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ..client import FlowsClient
from ..errors import FlowsError, InvalidRequestError
from ..flow_json._spec import KNOWN, parse_version
from ..models import Flow, FlowStatus
from ._desired import DesiredFlow
from ._snapshot import _GENERATION, PAGE_SIZE, list_all

# `health_status` in a list is documented nowhere: without it, the rest is still worth knowing.
_FIELDS: Final = "id,name,status,validation_errors,json_version,updated_at,health_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowState:
    """
    One flow. `health` is Meta's word for whether it can be sent: AVAILABLE, LIMITED, BLOCKED; empty if it is not told.

    `frozen_on` is the day from which flows of its version cannot be changed; None as long as Meta has announced none.
    `id` is empty for a flow that is not there.
    """

    key: str
    name: str
    id: str = ""
    status: str = ""
    version: str = ""
    health: str = ""
    frozen_on: date | None = None
    changed_at: datetime | None = None
    errors: int = 0

    def days_left(self, today: date) -> int | None:
        """Until its version freezes; 0 once it has."""
        return None if self.frozen_on is None else max((self.frozen_on - today).days, 0)


def read_states(client: FlowsClient, flows: Iterable[DesiredFlow]) -> tuple[FlowState, ...]:
    """The state of each flow, in their order. One request for each hundred flows of the account."""
    wanted = {flow.name: flow for flow in flows}
    found: dict[str, tuple[tuple[bool, int], Flow]] = {}
    for flow in _listed(client):
        name, number = _generation(flow.name, wanted)
        rank = (flow.status != FlowStatus.DEPRECATED, number)  # a deprecated one only if no other is left
        if name in wanted and (name not in found or rank > found[name][0]):
            found[name] = (rank, flow)
    return tuple(_state(desired, found[name][1] if name in found else None) for name, desired in wanted.items())


def _generation(name: str, wanted: Collection[str]) -> tuple[str, int]:
    """The name that the repository knows, and which generation of it this is."""
    found = None if name in wanted else _GENERATION.fullmatch(name)
    return (name, 1) if found is None else (found[1], int(found[2]))


def _listed(client: FlowsClient) -> Iterator[Flow]:
    flows = client.list_flows(fields=_FIELDS, page_size=PAGE_SIZE)
    try:
        first = next(flows, None)
    except FlowsError as refusal:
        if not isinstance(refusal, InvalidRequestError):
            raise
        yield from list_all(client)
        return
    if first is not None:
        yield first
        yield from flows


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
        frozen_on=frozen_on(flow.json_version),
        changed_at=flow.updated_at,
        errors=len(flow.validation_errors),
    )


def frozen_on(version: str | None) -> date | None:
    """The day from which Meta takes no change to a flow of this version; None if none is known."""
    parsed = parse_version(version or "")
    return KNOWN[parsed].frozen if parsed is not None and parsed in KNOWN else None
