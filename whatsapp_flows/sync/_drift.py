"""
The differences between the desired and the actual state. It does no I/O.

A flow may have drifted in several ways at once: an edit in the Builder also makes it a draft. Metadata that flows.toml
does not set (no `endpoint`, no `application`) cannot drift, and neither does a flow that is published without
`publish = true`.
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

DriftKind = Literal[
    "missing", "deprecated", "blocked", "throttled", "draft", "edited", "metadata", "errors", "unread", "extra"
]
"""How a flow differs. `draft`: it should be published. `unread`: its Flow JSON could not be read."""

_STATES: Final[dict[str, tuple[DriftKind, str]]] = {
    FlowStatus.DEPRECATED.value: ("deprecated", "it is deprecated, which is final"),
    FlowStatus.BLOCKED.value: (
        "blocked",
        "Meta has blocked it: nobody can open it until its endpoint is healthy again",
    ),
    FlowStatus.THROTTLED.value: (
        "throttled",
        "Meta limits it to ten messages an hour until its endpoint is healthy again",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One way in which a flow differs, and a message without a full stop."""

    kind: DriftKind
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDrift:
    """
    The drift of one flow.

    `key` is empty for a flow that no table names. `changes` are the changes to the Flow JSON at Meta, `issues` the
    errors that Meta finds in it.
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
    def kind(self) -> DriftKind | Literal["none"]:
        """The kind of the first reason."""
        return self.reasons[0].kind if self.reasons else "none"


def find_drift(flows: Iterable[DesiredFlow], snapshot: Snapshot, *, extra: bool = False) -> tuple[FlowDrift, ...]:
    """
    The drift of each desired flow, in their order, and with `extra` an entry for each other flow.

    Other flows that are deprecated do not count: they cannot be removed.
    """
    drifts = [_drift(desired, snapshot.flows[desired.key]) for desired in flows]
    for other in snapshot.others if extra else ():
        if other.status != FlowStatus.DEPRECATED:
            found = Reason(kind="extra", message="no table names it")
            drifts.append(FlowDrift(key="", name=other.name, flow_id=other.id, status=other.status, reasons=(found,)))
    return tuple(drifts)


def _drift(desired: DesiredFlow, actual: ActualFlow | None) -> FlowDrift:
    if actual is None:
        missing = Reason(kind="missing", message="the account does not have it")
        return FlowDrift(key=desired.key, name=desired.name, reasons=(missing,))
    reasons = tuple(_reasons(desired, actual))
    edited = any(each.kind == "edited" for each in reasons)
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
        kind, message = _STATES[actual.status]
        yield Reason(kind=kind, message=message)
    if actual.status == FlowStatus.DEPRECATED:
        return  # nothing else can change any more
    if actual.error is not None:
        yield Reason(kind="unread", message=str(actual.error))
    elif actual.digest is None:
        yield Reason(kind="edited", message="it has no Flow JSON")
    elif actual.digest != desired.digest:
        yield Reason(kind="edited", message=f"its Flow JSON is not that of {desired.source}")
    if actual.status == FlowStatus.DRAFT and desired.publish:
        yield Reason(kind="draft", message="it is a draft, and should be published")
    for change in metadata_changes(desired, actual):
        message = f"its {change.field}: {change.actual}, and should be {change.desired}"
        yield Reason(kind="metadata", message=message)
    if actual.validation_errors:
        count = len(actual.validation_errors)
        yield Reason(kind="errors", message=f"Meta finds {count} error{'' if count == 1 else 's'} in its Flow JSON")
