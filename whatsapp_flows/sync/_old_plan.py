"""
What is to be done: `decide` looks at what is wanted and what is there, and answers with a plan. It does no I/O.

An upload or new metadata move a PUBLISHED flow back to DRAFT (Meta, "Flows lifecycle"), where nobody can use it. So:

    Meta's flow is       and the file     without options   --publish          --force
    not there                             create            create, publish    create
    DRAFT                differs          upload            upload, publish    upload
    DRAFT                is the same      unchanged         publish            upload
    PUBLISHED ...        differs          refused           upload, publish    upload
    PUBLISHED ...        is the same      unchanged         unchanged          unchanged
    DEPRECATED                            refused           refused            refused

Where a row ends in a draft and the file says `publish = true`, it is published too. `PUBLISHED ...` stands for every
state but DRAFT and DEPRECATED: a throttled or blocked flow is in use, and so may be one in a state unknown to us.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

from ..errors import FlowsError, ValidationIssue
from ..models import FlowStatus
from ._manifest import DesiredFlow

Step = Literal["create", "update", "upload", "publish"]
"""`update` is new metadata, `upload` a new Flow JSON."""

Action = Literal["create", "update", "publish", "unchanged", "refused", "unread"]
"""A plan in one word; `unread` means that Meta did not say what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActualFlow:
    """A flow as it is at Meta. `content` is None when it has no Flow JSON."""

    id: str
    status: str
    categories: tuple[str, ...] = ()
    endpoint_uri: str | None = None
    content: bytes | None = field(default=None, repr=False)
    issues: tuple[ValidationIssue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A flow that is there, and whose Flow JSON could not be downloaded."""

    id: str
    status: str
    error: FlowsError


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """`publish`: every flow is wanted published. `force`: live flows may be un-published, drafts are sent again."""

    publish: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPlan:
    """
    What will happen to one flow, in this order.

    `problem` says why something that should be done will not be; there are no `steps` then.
    `flow_id` is empty while there is no flow.
    """

    desired: DesiredFlow
    action: Action
    steps: tuple[Step, ...] = ()
    flow_id: str = ""
    status: str = ""
    problem: str = ""
    issues: tuple[ValidationIssue, ...] = ()
    error: FlowsError | None = None


def decide(desired: DesiredFlow, actual: ActualFlow | Unreadable | None, options: SyncOptions) -> FlowPlan:
    """The plan for one flow: the table at the top of this module."""
    publish: tuple[Step, ...] = ("publish",) if options.publish or desired.publish else ()
    if actual is None:
        return FlowPlan(desired=desired, action="create", steps=("create", "upload", *publish))
    if isinstance(actual, Unreadable):
        return FlowPlan(
            desired=desired, action="unread", flow_id=actual.id, status=actual.status, error=actual.error,
            problem=str(actual.error),
        )  # fmt: skip
    changes = _changes(desired, actual)
    if actual.status == FlowStatus.DEPRECATED:
        return _nothing(desired, actual, "refused", "deprecated, for good; give the flow in the file another name")
    if actual.status != FlowStatus.DRAFT:
        if not changes:
            return _nothing(desired, actual, "unchanged")
        if not (options.publish or options.force):
            return _nothing(desired, actual, "refused", _live(actual.status, again=bool(publish)))
    elif not changes and options.force:
        changes = ("upload",)
    if not changes and actual.issues:
        return _nothing(desired, actual, "unchanged", found_errors(desired, actual.issues), actual.issues)
    if not changes and not publish:
        return _nothing(desired, actual, "unchanged")
    return FlowPlan(
        desired=desired,
        action="update" if changes else "publish",
        steps=(*changes, *publish),
        flow_id=actual.id,
        status=actual.status,
    )


def found_errors(desired: DesiredFlow, issues: tuple[ValidationIssue, ...]) -> str:
    """The sentence about a Flow JSON that Meta has stored and will not publish."""
    return f"Meta found {len(issues)} error{'' if len(issues) == 1 else 's'} in {desired.file.name}"


def _changes(desired: DesiredFlow, actual: ActualFlow) -> tuple[Step, ...]:
    endpoint = desired.endpoint_uri is not None and desired.endpoint_uri != actual.endpoint_uri
    update = endpoint or set(desired.categories) != set(actual.categories)
    upload = _canonical(desired.content) != _canonical(actual.content)
    found: dict[Step, bool] = {"update": update, "upload": upload}
    return tuple(step for step, due in found.items() if due)


def _canonical(content: bytes | None) -> str | None:
    """
    The document without its layout, to compare; None when there is none that can be read.

    Written out again rather than compared as values, because to Python `true` and `1` are equal.
    """
    try:
        return None if content is None else json.dumps(json.loads(content), sort_keys=True)
    except (ValueError, RecursionError):
        return None


def _nothing(
    desired: DesiredFlow,
    actual: ActualFlow,
    action: Action,
    problem: str = "",
    issues: tuple[ValidationIssue, ...] = (),
) -> FlowPlan:
    return FlowPlan(
        desired=desired, action=action, flow_id=actual.id, status=actual.status, problem=problem, issues=issues
    )


def _live(status: str, *, again: bool) -> str:
    if again:
        return f"{status.lower()}; pass --publish to upload and publish again"
    return f"{status.lower()}; pass --publish to upload and publish again, or --force to upload and leave a draft"
