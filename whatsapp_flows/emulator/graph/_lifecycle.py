"""
The states of a Flow, the transitions between them, and the checks before publishing.

Source: "Lifecycle" page. Where it is silent (editing or publishing a THROTTLED or BLOCKED Flow), the operation is
rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ._errors import Problem, graph_error
from ._state import BLOCKED, DEPRECATED, DRAFT, PUBLISHED, THROTTLED, FlowRecord, World

DELETED: Final = "DELETED"

# (operation, state) -> next state. Other pairs are rejected.
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
class PublishCandidate:
    """A Flow to publish, with what the checks depend on."""

    world: World
    flow: FlowRecord
    now: float


@dataclass(frozen=True, slots=True)
class PublishingCheck:
    """One condition of publishing, and the error when it is not met."""

    problem: Problem
    # The start of the description in the health status. `endpoint_uri` and `app_check` are Meta's, the others assumed.
    prefix: str
    endpoint_only: bool
    holds: Callable[[PublishCandidate], bool]


def _has_valid_json(candidate: PublishCandidate) -> bool:
    return candidate.flow.document is not None and not candidate.flow.document.issues


def _has_publishable_version(candidate: PublishCandidate) -> bool:
    # A document without a readable version fails the check before this one.
    document = candidate.flow.document
    return document is None or document.version is None or document.publishable(candidate.now)


def _has_phone_number(candidate: PublishCandidate) -> bool:
    return any(number.verified for number in candidate.world.phone_numbers_of(candidate.flow.waba_id))


def _names_data_channel(candidate: PublishCandidate) -> bool:
    document = candidate.flow.document
    return document is None or not document.names_its_endpoint or document.data_channel_uri is not None


def _has_endpoint_uri(candidate: PublishCandidate) -> bool:
    document = candidate.flow.document
    return candidate.flow.endpoint_uri is not None or (document is not None and document.names_its_endpoint)


def _has_public_key(candidate: PublishCandidate) -> bool:
    return any(number.public_key for number in candidate.world.phone_numbers_of(candidate.flow.waba_id))


def _has_application(candidate: PublishCandidate) -> bool:
    return candidate.flow.application_id is not None


def _endpoint_answers(candidate: PublishCandidate) -> bool:
    return candidate.world.endpoint_answers(candidate.flow.endpoint or "")


def _is_subscribed(candidate: PublishCandidate) -> bool:
    return bool(candidate.world.accounts[candidate.flow.waba_id].subscribed_apps)


# In the order of the "Lifecycle" page; publishing fails with the first that is not met.
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
    """The publishing checks that a Flow fails at `now`, in order."""
    candidate = PublishCandidate(world, flow, now)
    for check in PUBLISHING_CHECKS:
        if (flow.has_endpoint or not check.endpoint_only) and not check.holds(candidate):
            yield check


def apply_transition(flow: FlowRecord, operation: str, now: float) -> FlowRecord:
    """The Flow after an operation; an error when its state does not allow it."""
    status = TRANSITIONS.get((operation, flow.status))
    if status is None or (operation == "edit" and flow.locked):
        already = operation == "deprecate" and flow.status == DEPRECATED
        raise graph_error(Problem.ALREADY_DEPRECATED if already else _REFUSALS[operation])
    # While a published Flow is edited, messages in the mode `published` still open what was published.
    published = flow.document if operation == "edit" and flow.status == PUBLISHED else flow.published
    return replace(flow, status=status, published=published if status == DRAFT else None, updated_at=now)


def publish(world: World, flow: FlowRecord, now: float) -> FlowRecord:
    """The published Flow; an error when it is not a draft or fails a check."""
    published = apply_transition(flow, "publish", now)
    for check in failed_checks(world, flow, now):
        raise graph_error(check.problem)
    return published
