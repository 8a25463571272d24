"""Which endpoints Meta checks before it publishes a Flow, and with which key. The check itself is the edge's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ._state import PUBLISHED, World


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCheck:
    """An endpoint to send a ping to, encrypted with this public key."""

    uri: str
    public_key: str


def pending_checks(before: World, after: World) -> Iterator[PendingCheck]:
    """
    The endpoints of the Flows that `after` would publish, each with the first key of the account.

    Publishing needs a key, so such an account has one. With several numbers, Meta's choice of the key is not known.
    """
    for flow in after.flows.values():
        old = before.flows.get(flow.id)
        if flow is old or flow.status != PUBLISHED or (old is not None and old.status == PUBLISHED):
            continue
        keys = [number.public_key for number in after.phone_numbers_of(flow.waba_id) if number.public_key]
        if flow.has_endpoint and flow.endpoint and keys:
            yield PendingCheck(uri=flow.endpoint, public_key=keys[0])
