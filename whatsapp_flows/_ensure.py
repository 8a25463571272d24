"""
`ensure_flow`: find or create a flow, change its metadata and Flow JSON where they differ, and publish it.

Rule 1: what already is as asked is not written: a second run writes nothing.
Rule 2: a live flow is changed only if the caller asks for it to be published, or allows that it becomes a draft: every
        edit makes it one ("Flows lifecycle").
Rule 3: if it cannot be published again after that, its old Flow JSON and metadata are restored. If that fails too, or
        Meta cannot be reached, the error names the state of the flow, and another call continues from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from . import _operations as operations
from ._conversations import find_flow_by_name, read_document
from ._dataclasses import dataclass, replace
from ._digest import is_same_json
from ._documents import FlowJsonUpload, Validate
from ._engine import CallPolicy, Conversation, converse
from ._operations import Api, NewFlow
from .errors import (
    AuthenticationError,
    ConfigurationError,
    ErrorDetails,
    FlowProcessingError,
    FlowsError,
    FlowValidationError,
    NameTakenError,
    NotFoundError,
    PlanError,
    RateLimitedError,
    ServiceUnavailableError,
    TransportError,
    ValidationIssue,
)
from .flow_json import FlowJson
from .models import EnsuredFlow, Flow, FlowStatus

# After these errors a restore would fail as well: it is not tried, and the caller is told to call again.
_RESTORE_WOULD_FAIL: Final = (TransportError, RateLimitedError, ServiceUnavailableError, AuthenticationError)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureOptions:
    """
    How far a call may go: whether a live flow may become a draft, and how its Flow JSON is validated.

    `check_live`: the new Flow JSON of a live flow is validated with "error", whatever `validate` is.
    """

    allow_unpublish: bool
    validate: Validate
    check_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desired:
    """The flow that the caller asks for; None in it, or no upload, leaves the present value."""

    new: NewFlow
    upload: FlowJsonUpload | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The flow as it is; its Flow JSON (None if it has none, or none is compared); and how it was found."""

    flow: Flow
    content: bytes | None = None
    created: bool = False
    adopted: bool = False

    @property
    def live(self) -> bool:
        return self.flow.status in operations.PUBLISHED_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """What has to be written: parameters of `update_flow`, and the Flow JSON."""

    metadata: Mapping[str, Any]
    upload: FlowJsonUpload | None

    def __bool__(self) -> bool:
        return bool(self.metadata) or self.upload is not None

    @property
    def names(self) -> str:
        """For a message."""
        return " and ".join([*self.metadata, *(["Flow JSON"] if self.upload else [])])


def ensure_flow(
    api: Api, policy: CallPolicy, new: NewFlow, flow_json: FlowJson | None, options: EnsureOptions
) -> Conversation[EnsuredFlow]:
    """Read the flow, compare, change what differs, publish."""
    operations.create_flow(api, new)  # checks the arguments before anything is sent
    upload = None if flow_json is None else (yield from read_document(flow_json, options.validate, "flow_json"))
    desired = _Desired(new=new, upload=upload)
    within = policy.starting_now()
    flow = _usable((yield from find_flow_by_name(api, within, new.name)))
    found = yield from _create(api, within, desired) if flow is None else _read(api, within, desired, flow)
    changes = _compare(desired, found)
    if found.live and changes and not (new.publish or options.allow_unpublish):
        raise _error(
            found.flow,
            PlanError,
            f"the flow {new.name} is live, and its {changes.names} would be changed.",
            "A change makes it a draft: say publish=True to have it published again, or allow_unpublish=True.",
        )
    if found.live and changes.upload is not None and options.check_live:
        yield from read_document(changes.upload.content, "error", "flow_json")
    # A live flow that was changed has to be published again, however long it takes: a deadline for each request.
    after_first_write = policy if found.live and new.publish else within
    return (yield from _apply(api, (within, after_first_write), desired, found, changes))


def _usable(flow: Flow | None) -> Flow | None:
    """None for a deprecated flow, in which nothing can be changed."""
    return flow if flow is not None and flow.status != FlowStatus.DEPRECATED else None


def _read(api: Api, policy: CallPolicy, desired: _Desired, flow: Flow) -> Conversation[_Found]:
    """The flow with everything that is compared."""
    if desired.new.endpoint_uri is not None and flow.endpoint_uri is None:
        # The listing may leave the endpoint out, which must not lead to a change of a live flow: read the flow itself.
        node = yield from converse(operations.get_flow(api, flow.id), policy)
        flow = replace(flow, endpoint_uri=node.endpoint_uri, status=node.status or flow.status)
    content = None
    if desired.upload is not None:
        try:
            content = yield from converse(operations.download_flow_json(api, flow.id), policy)
        except NotFoundError:
            content = None  # it has no Flow JSON yet
    return _Found(flow=flow, content=content)


def _create(api: Api, policy: CallPolicy, desired: _Desired) -> Conversation[_Found]:
    """A new draft, without its Flow JSON; the existing flow if another process was faster."""
    new = desired.new
    if new.publish and desired.upload is None:
        raise ConfigurationError(f"there is no flow {new.name} yet: to publish it, ensure_flow needs its flow_json.")
    operation = operations.create_flow(api, replace(new, publish=False))
    try:
        created = yield from converse(operation, policy)
    except NameTakenError as refusal:
        taken = refusal
    else:
        if created.adopted:
            node = yield from converse(operations.get_flow(api, created.id), policy)
            return replace((yield from _read(api, policy, desired, node)), adopted=True)
        flow = Flow(id=created.id, name=new.name, status=FlowStatus.DRAFT, categories=tuple(new.categories),
                    endpoint_uri=new.endpoint_uri)  # fmt: skip
        return _Found(flow=flow, created=True)
    try:
        found = yield from find_flow_by_name(api, policy, new.name)
        if _usable(found) is None:
            raise taken.amended(flow_id=found.id if found is not None else None)
    finally:
        del taken  # break the cycle of exception, traceback and this frame
    assert found is not None  # noqa: S101 - or it would not be usable
    return (yield from _read(api, policy, desired, found))


def _compare(desired: _Desired, found: _Found) -> _Changes:
    """What has to be written for the flow to be as desired."""
    new, flow, upload = desired.new, found.flow, desired.upload
    metadata: dict[str, Any] = {}
    if set(new.categories) != set(flow.categories):
        metadata["categories"] = tuple(new.categories)
    if new.endpoint_uri not in {None, flow.endpoint_uri}:
        metadata["endpoint_uri"] = new.endpoint_uri
    same = upload is None or is_same_json(found.content, upload.content)
    return _Changes(metadata=metadata, upload=None if same else upload)


def _apply(
    api: Api, policies: tuple[CallPolicy, CallPolicy], desired: _Desired, found: _Found, changes: _Changes
) -> Conversation[EnsuredFlow]:
    """
    The writes, in an order in which another call can continue after each that fails.

    `policies` are those of the first write, and of the ones after it.
    """
    flow, publish = found.flow, desired.new.publish
    policy, after_first_write = policies
    result = EnsuredFlow(
        id=flow.id,
        name=desired.new.name,
        status=flow.status,
        created=found.created,
        adopted=found.adopted,
        validation_errors=() if changes.upload else flow.validation_errors,
        issues=desired.upload.issues if desired.upload is not None else (),
    )
    try:
        if changes.metadata:
            yield from converse(operations.update_flow(api, flow.id, **changes.metadata), policy)
            policy = after_first_write
            result = replace(result, updated=True, status=FlowStatus.DRAFT)
        if changes.upload is not None:
            update = yield from converse(operations.update_flow_json(api, flow.id, changes.upload.content), policy)
            policy = after_first_write
            result = replace(
                result,
                uploaded=True,
                status=FlowStatus.DRAFT,
                attempts=update.attempts,
                validation_errors=update.validation_errors,
            )
        if publish and not result.validation_errors and result.status not in operations.PUBLISHED_STATUSES:
            yield from converse(operations.publish_flow(api, flow.id), policy)
            result = replace(result, published=True, status=FlowStatus.PUBLISHED)
    except FlowsError as error:
        failure = error
    else:
        if result.validation_errors and found.live and publish and result.uploaded:
            return (yield from _after_validation_errors(api, after_first_write, found, changes, result))
        return replace(result, success=not (publish and result.validation_errors))
    if found.live and publish:
        failure = yield from _after_failure(api, after_first_write, found, changes, result, failure)
    try:
        raise failure.amended(flow_id=failure.flow_id or flow.id)
    finally:
        del failure  # break the cycle of exception, traceback and this frame


def _after_validation_errors(
    api: Api, policy: CallPolicy, found: _Found, changes: _Changes, result: EnsuredFlow
) -> Conversation[EnsuredFlow]:
    """Meta has stored the new Flow JSON of a live flow, but will not publish it: restore the old one."""
    trouble = yield from _restore(api, policy, found, changes)
    if trouble is None:
        return replace(
            result, success=False, restored=True, uploaded=False, updated=False, status=FlowStatus.PUBLISHED
        )  # fmt: skip
    raise _error(
        found.flow,
        FlowValidationError,
        f"Meta found {len(result.validation_errors)} errors in the Flow JSON of the live flow {result.name}.",
        _left_as_draft(found, trouble),
        result.validation_errors,
    ).amended(lost_flow_json=found.content)


def _after_failure(
    api: Api, policy: CallPolicy, found: _Found, changes: _Changes, result: EnsuredFlow, failure: FlowsError
) -> Conversation[FlowsError]:
    """A change of a live flow has failed: restore it if possible; the failure, with the state of the flow."""
    written = result.updated or result.uploaded or isinstance(failure, FlowProcessingError)
    if not written and not failure.may_have_acted:
        return failure.amended(advice=f"The flow is live as before. {failure.advice}")
    if isinstance(failure, _RESTORE_WOULD_FAIL):
        state = "The flow may be a draft with what was sent: call again to have it published."
        return failure.amended(advice=f"{state} {failure.advice}", lost_flow_json=found.content)
    trouble = yield from _restore(api, policy, found, changes)
    if trouble is None:
        return failure.amended(advice=f"The flow has its old Flow JSON back, and is live. {failure.advice}")
    return failure.amended(advice=f"{_left_as_draft(found, trouble)} {failure.advice}", lost_flow_json=found.content)


def _left_as_draft(found: _Found, trouble: FlowsError) -> str:
    reason = (trouble.user_message or trouble.message).rstrip(".")
    return f"The flow {found.flow.id} is a draft, and what it had could not be put back ({reason})."


def _restore(api: Api, policy: CallPolicy, found: _Found, changes: _Changes) -> Conversation[FlowsError | None]:
    """Publish again what a live flow had; the error if that fails. An endpoint that was added cannot be removed."""
    flow = found.flow
    before = {name: value for name in changes.metadata if (value := getattr(flow, name))}
    try:
        if before:
            yield from converse(operations.update_flow(api, flow.id, **before), policy)
        if found.content is not None:
            yield from converse(operations.update_flow_json(api, flow.id, found.content), policy)
        yield from converse(operations.publish_flow(api, flow.id), policy)
    except FlowsError as trouble:
        return trouble
    return None


def _error(
    flow: Flow, error: type[FlowsError], message: str, advice: str, issues: tuple[ValidationIssue, ...] = ()
) -> FlowsError:  # fmt: skip
    details = ErrorDetails(message=message, operation="ensure_flow", flow_id=flow.id, advice=advice)
    return error(details, issues) if issues else error(details)
