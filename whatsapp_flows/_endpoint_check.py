"""
The check of a flow's endpoint: what Meta knows about it, and Meta's health check, sent from here.

A conversation like the engine's. The endpoint gets its request on connections of its own: nothing of the client's
session or of its credentials goes there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from . import _operations as operations
from ._dataclasses import replace
from ._endpoint_report import EndpointFinding, EndpointReport
from ._engine import CallPolicy, Conversation, converse, run_blocking
from ._operations import Api
from ._wire import Secret
from .errors import ConfigurationError
from .models import Flow, PublicKey

_FIELDS: Final = "id,name,status,endpoint_uri,data_api_version,whatsapp_business_account"


def check_endpoint(
    api: Api, policy: CallPolicy, flow_id: str, phone_number_id: str | None, app_secret: Secret | None
) -> Conversation[EndpointReport]:
    """Read the flow, its account's phone numbers and their keys, and send a health check for each key."""
    policy = policy.starting_now()
    flow = yield from converse(operations.get_flow(api, flow_id, fields=_FIELDS), policy)
    if not flow.endpoint_uri:
        return EndpointReport(endpoint_uri="", flow_id=flow_id, checks=(_no_url(),))
    numbers = yield from _numbers(api, policy, flow, phone_number_id)
    keys = {}
    for number in numbers:
        keys[number] = yield from converse(operations.get_public_key(api, number), policy)
    checks = [_key_check(number, key) for number, key in keys.items()] or [_no_number()]
    report = EndpointReport(endpoint_uri=flow.endpoint_uri, flow_id=flow_id, checks=tuple(checks))
    groups = _groups({number: key for number, key in keys.items() if not _unusable(key.pem)})
    for pem, sharing in groups.items():
        found = yield from run_blocking(_task(flow, pem, app_secret))
        report = _merged(report, found, sharing if len(groups) > 1 else ())
    return report


def _no_url() -> EndpointFinding:
    return EndpointFinding(
        name="url",
        category="configuration",
        result="failed",
        message="The flow has no endpoint.",
        advice="Set it: update_flow(flow_id, endpoint_uri=...).",
    )


def _no_number() -> EndpointFinding:
    return EndpointFinding(
        name="public-key",
        category="configuration",
        result="failed",
        message="The account has no phone number.",
        advice="Add a phone number, and register the public key of the endpoint for it.",
    )


def _numbers(api: Api, policy: CallPolicy, flow: Flow, phone_number_id: str | None) -> Conversation[tuple[str, ...]]:
    """The number that was asked for, or all numbers of the flow's account."""
    if phone_number_id is not None:
        return (phone_number_id,)
    account = replace(api, waba_id=flow.whatsapp_business_account_id or api.waba_id)
    found = yield from converse(operations.list_phone_numbers(account), policy)
    return tuple(number.id for number in found)


def _key_check(number: str, key: PublicKey) -> EndpointFinding:
    check = EndpointFinding(
        name="public-key",
        category="configuration",
        result="passed",
        message=f"Phone number {number} has a public key, signed by Meta.",
        phone_number_ids=(number,),
    )
    if not key.pem:
        return replace(
            check,
            result="failed",
            message=f"Phone number {number} has no public key.",
            advice="Register the public key of the endpoint: set_public_key(phone_number_id, pem).",
        )
    if reason := _unusable(key.pem):
        return replace(
            check,
            result="failed",
            message=f"The public key of phone number {number} cannot be used: {reason}",
            advice="Register the public key of the endpoint: set_public_key(phone_number_id, pem).",
        )
    if key.status != "VALID":
        return replace(
            check,
            result="failed",
            message=f"The signature of the public key of phone number {number} is {key.status or 'unknown'}.",
            advice="Register the public key again: set_public_key(phone_number_id, pem).",
        )
    return check


def _unusable(pem: str) -> str:
    """Why nothing can be encrypted with a registered key, or an empty text."""
    if not pem:
        return ""
    from ._flow_crypto import read_public_key  # noqa: PLC0415 - needs the extra `endpoint`

    try:
        read_public_key(Secret(pem), name="it")
    except ConfigurationError as error:
        return error.message
    return ""


def _groups(keys: Mapping[str, PublicKey]) -> Mapping[str, tuple[str, ...]]:
    """Each key, whatever its white space, and the numbers that have it."""
    pems: dict[str, str] = {}
    numbers: dict[str, tuple[str, ...]] = {}
    for number, key in keys.items():
        if key.pem:
            pem = pems.setdefault("".join(key.pem.split()), key.pem)
            numbers[pem] = (*numbers.get(pem, ()), number)
    return numbers


def _task(flow: Flow, pem: str, app_secret: Secret | None) -> Callable[[], EndpointReport]:
    def check() -> EndpointReport:
        from .endpoint.caller import check_url  # noqa: PLC0415 - needs the extra `endpoint`

        version = flow.data_api_version or "3.0"
        return check_url(flow.endpoint_uri or "", pem, app_secret, faults=False, version=version)

    return check


def _merged(report: EndpointReport, found: EndpointReport, numbers: tuple[str, ...]) -> EndpointReport:
    """The report with the checks of one more key."""
    times = [seconds for seconds in (report.seconds, found.seconds) if seconds is not None]
    checks = tuple(replace(check, phone_number_ids=numbers) for check in found.checks)
    return replace(report, checks=report.checks + checks, seconds=max(times, default=None))
