"""
`diff` compares the desired state with the actual one, and returns a plan. It does no I/O.

An upload or new metadata move a PUBLISHED flow back to DRAFT (Meta, "Flows lifecycle"), where nobody can use it. So:

    Meta's flow is        as desired               different
    missing                                        create
    DRAFT                 unchanged, or publish    upload or update; then publish, if `publish` is set
    PUBLISHED             unchanged                republish if `publish` is set; else blocked, or with
                                                   `allow_unpublish` upload or update, which leave a draft
    THROTTLED, BLOCKED    unchanged                blocked; with `replace`, replace
    DEPRECATED            blocked                  blocked; with `replace`, replace
    in another state      unchanged                blocked

A change is also blocked if the validator finds errors in what it sends, if Meta would not publish the flow without an
endpoint, and if Meta may not accept its name. An unchanged flow that the lock file does not have yet is adopted.
Whether a PUBLISHED flow refuses edits, as some old ones do, is only known after the attempt; with `replace`, it is then
replaced by another flow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ...models import FlowStatus
from ..account import ActualFlow, OtherFlow, Snapshot, generation_name
from ..comparison import metadata_changes, target_name
from ..desired import DesiredFlow
from ._change import Action, Blocked, FlowChange, PlanOptions, Step
from ._names import MAX_NAME_LENGTH, TakenNames
from ._plan import Plan

# Up to this size the `create` contains the Flow JSON. A larger one is uploaded as a file ("Flows API": up to 10 MB).
_INLINE_BYTES: Final = 1024 * 1024
_LIVE: Final = frozenset({"PUBLISHED", "THROTTLED", "BLOCKED"})
_RESTRICTED: Final = frozenset({"THROTTLED", "BLOCKED"})


def diff(desired: Iterable[DesiredFlow], snapshot: Snapshot, options: PlanOptions | None = None) -> Plan:
    """
    The plan that leads from the actual state to the desired one.

    With `prune`, `desired` must be all flows of a workspace: others that this tool has written are deprecated.
    """
    options = options or PlanOptions()
    names = _names(snapshot)
    changes = [_with_valid_name(change_of(flow, snapshot.flows.get(flow.key), options), names) for flow in desired]
    wanted = {change.key for change in changes}
    pruned = [_deprecation(other, wanted) for other in snapshot.others if options.prune and _is_ours(other)]
    return Plan(
        account_id=snapshot.account_id,
        changes=(*changes, *pruned),
        options=options,
        listed=snapshot.listed,
        remembers=snapshot.remembers,
        other_account=snapshot.other_account,
    )


def _is_ours(other: OtherFlow) -> bool:
    """Whether the lock file says that this tool has written it. Others are not deprecated: accounts may be shared."""
    return bool(other.key) and other.status in _LIVE


def _deprecation(other: OtherFlow, wanted: set[str]) -> FlowChange:
    replaced = other.key in wanted
    return FlowChange(
        key=f"{other.key}@{other.id}" if replaced else other.key,
        name=other.name,
        action="deprecate",
        steps=("deprecate",),
        actual=other,
        reason="replaced by another flow" if replaced else "no table names it",
        after=other.key if replaced else "",
    )


def _names(snapshot: Snapshot) -> TakenNames:
    meant = [(flow.id, flow.name) for flow in snapshot.flows.values() if flow is not None]
    return TakenNames([*meant, *((other.id, other.name) for other in snapshot.others)])


def _with_valid_name(change: FlowChange, names: TakenNames) -> FlowChange:
    """The change, or blocked if a flow would get a name that Meta may not accept."""
    renamed = isinstance(change.actual, ActualFlow) and change.name != change.actual.name
    if not change.steps or not (change.steps[0] == "create" or renamed):
        return change
    created = change.steps[0] == "create"
    refusal = names.refusal(change.key, change.name, "" if created else change.flow_id)
    return _blocked(change, "name", f"{refusal}; give it another name") if refusal else change


# -- one flow


def change_of(desired: DesiredFlow, actual: ActualFlow | None, options: PlanOptions) -> FlowChange:
    """The change of one flow: the table at the top of this module."""
    base = FlowChange(key=desired.key, name=desired.name, action="unchanged", desired=desired, actual=actual)
    if actual is None:
        return _validated(_creation(base, desired), options)
    base = replace(base, name=actual.name or desired.name)
    if actual.error is not None:
        return replace(base, action="blocked", blocked="unread", error=actual.error, reason=str(actual.error))
    if actual.status == FlowStatus.DEPRECATED:
        return _deprecated(base, desired, actual, options)
    steps = _differences(desired, actual)
    if "update" in steps and actual.source == "lock":
        base = replace(base, name=target_name(desired, actual))
    if actual.status == FlowStatus.DRAFT:
        return _draft(base, desired, actual, steps, options)
    if not steps:
        return base if actual.known else replace(base, action="adopt", reason="found by its name")
    if actual.status in _RESTRICTED:
        if desired.replace:
            return _replacement(base, desired, actual, options)
        return _blocked(base, "state", f"{actual.status.lower()}, and cannot be edited; replace = true replaces it")
    if actual.status != FlowStatus.PUBLISHED:
        return _blocked(base, "state", f"in the unknown state {actual.status}")
    if desired.publish:
        change = replace(base, action="republish", steps=(*steps, "publish"), may_replace=desired.replace)
        return _validated(replace(change, unpublishes=True), options)
    if options.allow_unpublish:
        change = replace(base, action=_action(steps), steps=steps, unpublishes=True, may_replace=desired.replace)
        return _validated(change, options)
    remedy = "publish = true publishes it again, --allow-unpublish leaves it a draft"
    return _blocked(base, "unpublish", f"published, and a change would make it a draft; {remedy}")


def _draft(
    base: FlowChange, desired: DesiredFlow, actual: ActualFlow, steps: tuple[Step, ...], options: PlanOptions
) -> FlowChange:
    upload = "upload" in steps
    if not upload and (actual.processed is False or (desired.publish and actual.processed is None)):
        # Meta may have stored it without processing it (139001/4016012). Without a record of that, it is sent again.
        steps, resent = (*steps, "upload"), True
    else:
        resent = False
    if not upload and desired.publish and actual.validation_errors:
        count = len(actual.validation_errors)
        reason = f"Meta found {count} error{'' if count == 1 else 's'} in {_file(desired)}"
        return replace(_blocked(base, "validation", reason), issues=actual.validation_errors)
    if desired.publish:
        action: Action = "publish" if not steps or (resent and steps == ("upload",)) else _action(steps)
        return _validated(replace(base, action=action, steps=(*steps, "publish")), options)
    if steps:
        return _validated(replace(base, action=_action(steps), steps=steps), options)
    return base if actual.known else replace(base, action="adopt", reason="found by its name")


def _action(steps: tuple[Step, ...]) -> Action:
    return "upload" if "upload" in steps else "update"


def _creation(base: FlowChange, desired: DesiredFlow) -> FlowChange:
    """
    One request, where possible.

    A large Flow JSON is uploaded as a file, and a `create` cannot set an application: publishing comes after both.
    """
    later: list[Step] = []
    if desired.application_id is not None:
        later.append("update")
    if len(desired.content) > _INLINE_BYTES:
        later.append("upload")
    if later and desired.publish:
        later.append("publish")
    return replace(base, action="create", steps=("create", *later))


def _replacement(base: FlowChange, desired: DesiredFlow, actual: ActualFlow, options: PlanOptions) -> FlowChange:
    name = generation_name(desired.name, actual.last_generation + 1)
    if len(name) > MAX_NAME_LENGTH:
        return _blocked(base, "name", f"the name of its replacement would have over {MAX_NAME_LENGTH} characters")
    reason = f"{actual.name} is {actual.status.lower()}"
    change = replace(_creation(base, desired), action="replace", name=name, reason=reason)
    return _validated(change, options)


def replacement_of(change: FlowChange, options: PlanOptions | None = None) -> FlowChange:
    """The change that creates another flow in place of one that cannot be edited."""
    if change.desired is None or not isinstance(change.actual, ActualFlow):
        return change
    return _replacement(replace(change, unpublishes=False), change.desired, change.actual, options or PlanOptions())


def _deprecated(base: FlowChange, desired: DesiredFlow, actual: ActualFlow, options: PlanOptions) -> FlowChange:
    if desired.replace:
        return _replacement(base, desired, actual, options)
    if actual.known:
        return _blocked(base, "deprecated", "deprecated, which is final; give it another name, or set replace = true")
    return _blocked(base, "name", "a deprecated flow has this name; give it another name, or set replace = true")


def _blocked(base: FlowChange, why: Blocked, reason: str) -> FlowChange:
    name = base.actual.name if isinstance(base.actual, ActualFlow) and base.actual.name else base.name
    return replace(
        base, name=name, action="blocked", blocked=why, reason=reason, steps=(), unpublishes=False, may_replace=False
    )  # fmt: skip


def _validated(change: FlowChange, options: PlanOptions) -> FlowChange:
    """The change, or blocked if the validator finds errors in what it sends, or Meta would not publish it."""
    desired = change.desired
    if desired is None:
        return change
    errors = desired.errors(options.today) if options.validate != "off" else ()
    if not errors or options.validate == "warn":
        return _with_endpoint(replace(change, issues=errors), desired)
    frozen = any(error.error == "INVALID_FLOW_JSON_VERSION" for error in errors)
    count = f"{len(errors)} error{'' if len(errors) == 1 else 's'}"
    reason = errors[0].message.rstrip(".") if frozen else count
    blocked = _blocked(change, "frozen" if frozen else "validation", f"{reason} in {_file(desired)}")
    return replace(blocked, issues=errors)


def _with_endpoint(change: FlowChange, desired: DesiredFlow) -> FlowChange:
    """The change, or blocked if it would publish a flow that needs an endpoint and has none (139002/4233024)."""
    existing = change.actual if isinstance(change.actual, ActualFlow) and change.steps[:1] != ("create",) else None
    endpoint = desired.endpoint_uri or (existing.endpoint_uri if existing is not None else None)
    unknown = existing is not None and "endpoint_uri" in existing.unreported
    if not desired.publish or endpoint or unknown or not desired.needs_endpoint:
        return change
    remedy = f'set endpoint = "https://..." for it, or remove data_api_version from {_file(desired)}'
    return _blocked(
        change, "endpoint", f"it has a data_api_version and no endpoint, so Meta will not publish it: {remedy}"
    )


def _file(desired: DesiredFlow) -> str:
    return desired.file.name if desired.file is not None else "its Flow JSON"


def _differences(desired: DesiredFlow, actual: ActualFlow) -> tuple[Step, ...]:
    """The writes that would make them the same. What is not configured, or Meta did not report, is not compared."""
    found: dict[Step, bool] = {
        "update": bool(metadata_changes(desired, actual)),
        "upload": desired.digest != actual.digest,
    }
    return tuple(step for step, due in found.items() if due)
