"""
Which operation is legal in which state, and what must hold before a Flow is published.

Source: "Lifecycle" page, states and publishing checks. Where it is silent (editing or
publishing a THROTTLED or BLOCKED Flow) the operation is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ._errors import Problem, error
from ._state import BLOCKED, DEPRECATED, DRAFT, PUBLISHED, THROTTLED, FlowRecord, World

DELETED: Final = "DELETED"

# (operation, state) -> next state. A pair that is missing is refused.
TRANSITIONS: Final[Mapping[tuple[str, str], str]] = {
    ("delete", DRAFT): DELETED,
    ("deprecate", BLOCKED): DEPRECATED,
    ("deprecate", PUBLISHED): DEPRECATED,
    ("deprecate", THROTTLED): DEPRECATED,
    ("edit", DRAFT): DRAFT,
    ("edit", PUBLISHED): DRAFT,
    ("publish", DRAFT): PUBLISHED,
}
_REFUSALS: Final[Mapping[str, Problem]] = {
    "delete": Problem.NOT_DELETABLE,
    "deprecate": Problem.NEVER_PUBLISHED,
    "edit": Problem.NOT_EDITABLE,
    "publish": Problem.NOT_DRAFT,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Flow that is to be published: in which world, and when."""

    world: World
    flow: FlowRecord
    now: float


@dataclass(frozen=True, slots=True)
class PublishingCheck:
    """One condition of publishing: who it concerns, when it holds, and what is said when it does not."""

    problem: Problem
    # How the health status begins its description. `endpoint_uri` and `app_check` are Meta's; the others are ours.
    prefix: str
    endpoint_only: bool
    holds: Callable[[Candidate], bool]


def _has_valid_json(it: Candidate) -> bool:
    return it.flow.document is not None and not it.flow.document.issues


def _has_publishable_version(it: Candidate) -> bool:
    # A document without a readable version fails the check before this one.
    document = it.flow.document
    return document is None or document.version is None or document.publishable(it.now)


def _has_phone_number(it: Candidate) -> bool:
    return any(number.verified for number in it.world.phone_numbers_of(it.flow.waba_id))


def _names_data_channel(it: Candidate) -> bool:
    document = it.flow.document
    return document is None or not document.names_its_endpoint or document.data_channel_uri is not None


def _has_endpoint_uri(it: Candidate) -> bool:
    document = it.flow.document
    return it.flow.endpoint_uri is not None or (document is not None and document.names_its_endpoint)


def _has_public_key(it: Candidate) -> bool:
    return any(number.public_key for number in it.world.phone_numbers_of(it.flow.waba_id))


def _has_application(it: Candidate) -> bool:
    return it.flow.application_id is not None


def _endpoint_answers(it: Candidate) -> bool:
    uri = it.flow.endpoint_uri or (it.flow.document.data_channel_uri if it.flow.document else None)
    return it.world.endpoint_answers(uri or "")


def _is_subscribed(it: Candidate) -> bool:
    return bool(it.world.accounts[it.flow.waba_id].subscribed_apps)


# In the order of the "Lifecycle" page; the first that fails is what publishing answers with.
PUBLISHING_CHECKS: Final = (
    PublishingCheck(Problem.INVALID_JSON, "flow_json", False, _has_valid_json),
    PublishingCheck(Problem.FROZEN_VERSION, "versions", False, _has_publishable_version),
    PublishingCheck(Problem.NO_PHONE_NUMBER, "phone_number", False, _has_phone_number),
    PublishingCheck(Problem.NO_DATA_CHANNEL, "data_channel_uri", True, _names_data_channel),
    PublishingCheck(Problem.NO_ENDPOINT, "endpoint_uri", True, _has_endpoint_uri),
    PublishingCheck(Problem.NO_PUBLIC_KEY, "public_key_check", True, _has_public_key),
    PublishingCheck(Problem.NO_APPLICATION, "app_check", True, _has_application),
    PublishingCheck(Problem.ENDPOINT_DOWN, "endpoint_availability", True, _endpoint_answers),
    PublishingCheck(Problem.NOT_SUBSCRIBED, "webhook_check", True, _is_subscribed),
)


def failed_checks(world: World, flow: FlowRecord, now: float) -> Iterator[PublishingCheck]:
    """The publishing checks that a Flow does not pass at `now`, in order."""
    candidate = Candidate(world, flow, now)
    for check in PUBLISHING_CHECKS:
        if (flow.has_endpoint or not check.endpoint_only) and not check.holds(candidate):
            yield check


def moved(flow: FlowRecord, operation: str, now: float) -> FlowRecord:
    """The Flow after an operation; a refusal when its state does not allow it."""
    status = TRANSITIONS.get((operation, flow.status))
    if status is None or (operation == "edit" and flow.locked):
        already = operation == "deprecate" and flow.status == DEPRECATED
        raise error(Problem.ALREADY_DEPRECATED if already else _REFUSALS[operation])
    return replace(flow, status=status, updated_at=now)


def published(world: World, flow: FlowRecord, now: float) -> FlowRecord:
    """The Flow after publishing; a refusal when it is not a draft or fails a check."""
    after = moved(flow, "publish", now)
    for check in failed_checks(world, flow, now):
        raise error(check.problem)
    return after
