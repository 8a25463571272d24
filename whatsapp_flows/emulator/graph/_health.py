"""
The `health_status` of Flows, accounts and phone numbers: for each entity, whether messages can be sent.

Source: "Health status" page.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._call import bad_parameter
from ._lifecycle import failed_checks
from ._state import BLOCKED, DEPRECATED, DRAFT, THROTTLED, Account, FlowRecord, PhoneNumber, World

Entity = dict[str, object]


def flow_health(world: World, flow: FlowRecord, now: float, number_id: str | None) -> dict[str, object]:
    """
    The health of a Flow and of the entities that it depends on; with a phone number, also of that.

    A Flow that was never published is BLOCKED by each publishing check that it fails.
    """
    entities = [_flow_entity(world, flow, now), *_account_entities(world.accounts[flow.waba_id])]
    if flow.application_id is not None:
        entities.append(_available("APP", flow.application_id))
    if number_id is not None:
        number = world.phone_numbers.get(number_id)
        if number is None or number.waba_id != flow.waba_id:
            raise bad_parameter("phone_number", "must be the id of a phone number of this account")
        entities.append(_number_entity(number))
    return _summary(entities)


def account_health(account: Account, app_id: str) -> dict[str, object]:
    """The health of an account, its business and the calling app."""
    return _summary([*_account_entities(account), _available("APP", app_id)])


def number_health(world: World, number: PhoneNumber, app_id: str) -> dict[str, object]:
    """The health of a phone number and of the entities that it depends on."""
    account = world.accounts[number.waba_id]
    return _summary([_number_entity(number), *_account_entities(account), _available("APP", app_id)])


def _summary(entities: Sequence[Entity]) -> dict[str, object]:
    states = {entity["can_send_message"] for entity in entities}
    worst = next(state for state in ("BLOCKED", "LIMITED", "AVAILABLE") if state in states)
    return {"can_send_message": worst, "entities": list(entities)}


def _available(entity_type: str, entity_id: str) -> Entity:
    return {"entity_type": entity_type, "id": entity_id, "can_send_message": "AVAILABLE"}


def _account_entities(account: Account) -> list[Entity]:
    return [_available("WABA", account.id), _available("BUSINESS", account.business_id)]


def _number_entity(number: PhoneNumber) -> Entity:
    state = "AVAILABLE" if number.verified else "BLOCKED"
    return {"entity_type": "PHONE_NUMBER", "id": number.id, "can_send_message": state}


def _flow_entity(world: World, flow: FlowRecord, now: float) -> Entity:
    entity: Entity = {"entity_type": "FLOW", "id": flow.id}
    if flow.status == THROTTLED:
        reason = "The Flow is throttled: 10 messages per hour can be sent."
        return {**entity, "can_send_message": "LIMITED", "additional_info": [reason]}
    errors = [(check.prefix, check.problem.value.title) for check in failed_checks(world, flow, now)]
    if flow.status in (BLOCKED, DEPRECATED):
        errors = [("status", f"The Flow is {flow.status}.")]
    if flow.status not in (BLOCKED, DEPRECATED, DRAFT) or not errors:
        return {**entity, "can_send_message": "AVAILABLE"}
    errors_json = [
        {"error_code": 131000, "error_description": f"{prefix}: {title}", "possible_solution": "See the Flows docs."}
        for prefix, title in errors
    ]
    return {**entity, "can_send_message": "BLOCKED", "errors": errors_json}
