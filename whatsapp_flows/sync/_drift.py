"""
Whether what is at Meta is what the repository says, and if not, in which way. It does no I/O.

A flow may have drifted in several ways at once: edited in the Builder, and a draft since. Metadata that the repository
leaves open (no `endpoint`, no `application`) cannot drift, and a flow that is published though nobody asked for it has
not drifted either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from ..errors import FlowsError, ValidationIssue
from ..models import FlowStatus
from .account import ActualFlow, Snapshot
from .comparison import NO_CHANGES, FlowJsonDiff, compare, metadata_changes
from .desired import DesiredFlow

Way = Literal[
    "missing", "deprecated", "blocked", "throttled", "draft", "edited", "metadata", "errors", "unread", "extra"
]
"""In which way a flow differs; `draft`: it is wanted published. `unread`: Meta did not say what it holds."""

_STATES: Final[dict[str, tuple[Way, str]]] = {
    FlowStatus.DEPRECATED.value: ("deprecated", "it is out of use for good"),
    FlowStatus.BLOCKED.value: (
        "blocked",
        "Meta has stopped it: nobody can open it, until its endpoint is healthy again",
    ),
    FlowStatus.THROTTLED.value: (
        "throttled",
        "Meta lets it be sent ten times an hour, until its endpoint is healthy again",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One way in which a flow differs, and a sentence without its end about it."""

    way: Way
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDrift:
    """
    One flow, as the repository has it and as Meta does.

    `key` is empty for a flow that the repository does not have. `changes` is what was done to the Flow JSON at Meta.
    `issues` is what Meta says is wrong with it.
    """

    key: str
    name: str
    flow_id: str = ""
    status: str = ""
    reasons: tuple[Reason, ...] = ()
    changes: FlowJsonDiff = NO_CHANGES
    issues: tuple[ValidationIssue, ...] = ()
    error: FlowsError | None = None

    @property
    def way(self) -> Way | Literal["none"]:
        """The first way in which it differs."""
        return self.reasons[0].way if self.reasons else "none"


def find_drift(flows: Iterable[DesiredFlow], snapshot: Snapshot, *, extra: bool = False) -> tuple[FlowDrift, ...]:
    """
    What has drifted: an entry for each wanted flow in their order, and with `extra` one for each other live flow.

    Deprecated flows that the repository does not have are no drift: they cannot be removed.
    """
    drifts = [_drift(desired, snapshot.flows[desired.key]) for desired in flows]
    for other in snapshot.others if extra else ():
        if other.status != FlowStatus.DEPRECATED:
            found = Reason(way="extra", said="the repository does not have it")
            drifts.append(FlowDrift(key="", name=other.name, flow_id=other.id, status=other.status, reasons=(found,)))
    return tuple(drifts)


def _drift(desired: DesiredFlow, actual: ActualFlow | None) -> FlowDrift:
    if actual is None:
        gone = Reason(way="missing", said="the account does not have it")
        return FlowDrift(key=desired.key, name=desired.name, reasons=(gone,))
    reasons = tuple(_reasons(desired, actual))
    edited = any(each.way == "edited" for each in reasons)
    return FlowDrift(
        key=desired.key,
        name=actual.name,
        flow_id=actual.id,
        status=actual.status,
        reasons=reasons,
        changes=compare(desired.content, actual.content) if edited else NO_CHANGES,
        issues=actual.validation_errors,
        error=actual.error,
    )


def _reasons(desired: DesiredFlow, actual: ActualFlow) -> Iterator[Reason]:
    if actual.status in _STATES:
        way, said = _STATES[actual.status]
        yield Reason(way=way, said=said)
    if actual.status == FlowStatus.DEPRECATED:
        return  # the rest can change no more
    if actual.error is not None:
        yield Reason(way="unread", said=str(actual.error))
    elif actual.digest is None:
        yield Reason(way="edited", said="it has no Flow JSON")
    elif actual.digest != desired.digest:
        yield Reason(way="edited", said=f"its Flow JSON is not that of {desired.source}")
    if actual.status == FlowStatus.DRAFT and desired.publish:
        yield Reason(way="draft", said="it is a draft, and should be published")
    for what, wanted, there in metadata_changes(desired, actual):
        yield Reason(way="metadata", said=f"its {what}: {there}, and should be {wanted}")
    if actual.validation_errors:
        count = len(actual.validation_errors)
        yield Reason(way="errors", said=f"Meta finds {count} error{'' if count == 1 else 's'} in its Flow JSON")
