"""
`ensure_flow`: a flow found or created, its metadata and Flow JSON made what is wanted, and published.

Rule 1: what is as it should be is not written: a second run writes nothing.
Rule 2: a live flow is changed only by who wants it published, or says that it may go out of use: every edit makes it a
        draft ("Flows lifecycle").
Rule 3: if it cannot be published again after that, it gets back what it had. If that fails too, or Meta cannot be
        reached, the error says which state it is left in, and another call goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from . import _operations as operations
from ._conversations import find_flow_by_name, read_document
from ._dataclasses import dataclass, replace
from ._digest import says_the_same
from ._documents import FlowJsonUpload, Validate
from ._engine import CallPolicy, Conversation, converse
from ._operations import Api
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

# After these the next call would fare no better: nothing is put back, and the caller is told to come again.
_NO_USE: Final = (TransportError, RateLimitedError, ServiceUnavailableError, AuthenticationError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What the caller asks for; None leaves as it is."""

    name: str
    categories: tuple[str, ...]
    document: FlowJsonUpload | None
    publish: bool
    endpoint_uri: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The flow as it is, the Flow JSON that it holds (None: none, or it was not asked for), and where it came from."""

    flow: Flow
    content: bytes | None = None
    created: bool = False
    adopted: bool = False

    @property
    def live(self) -> bool:
        return self.flow.status in operations.ONCE_PUBLISHED


def ensure_flow(
    api: Api,
    policy: CallPolicy,
    name: str,
    categories: Sequence[str],
    *,
    flow_json: FlowJson | None,
    publish: bool,
    endpoint_uri: str | None,
    allow_unpublish: bool,
    validate: Validate | None,
    default: Validate,
) -> Conversation[EnsuredFlow]:
    """
    The whole of it: look, decide, change, publish.

    `default` is the client's own `validate`. What will replace the document of a live flow is checked in any case,
    unless this call says "off".
    """
    operations.create_flow(api, name, categories, endpoint_uri=endpoint_uri)  # checks the arguments before anything
    wanted = _Wanted(
        name=name,
        categories=tuple(categories),
        document=None if flow_json is None else (yield from read_document(flow_json, validate or default, "flow_json")),
        publish=publish,
        endpoint_uri=endpoint_uri,
    )
    within = policy.starting_now()
    flow = _living((yield from find_flow_by_name(api, within, name)))
    found = yield from _create(api, within, wanted) if flow is None else _look(api, within, wanted, flow)
    changes = _metadata(wanted, found.flow)
    uploads = wanted.document is not None and not says_the_same(found.content, wanted.document.content)
    if found.live and (changes or uploads) and not (publish or allow_unpublish):
        what = " and ".join([*changes, *(["Flow JSON"] if uploads else [])])
        raise _of(
            found.flow,
            PlanError,
            f"the flow {name} is live, and its {what} would be changed.",
            "A change makes it a draft: say publish=True to have it published again, or allow_unpublish=True.",
        )
    if found.live and uploads and wanted.document is not None and validate is None:
        yield from read_document(wanted.document.content, "error", "flow_json")
    # What has been taken down must come up again, whatever the time: each part of that has a deadline of its own.
    after = policy if found.live and publish else within
    return (yield from _bring(api, (within, after), wanted, found, changes, uploads=uploads))


def _living(flow: Flow | None) -> Flow | None:
    """A deprecated flow is none: nothing can be changed in it."""
    return flow if flow is not None and flow.status != FlowStatus.DEPRECATED else None


def _look(api: Api, policy: CallPolicy, wanted: _Wanted, flow: Flow) -> Conversation[_Found]:
    """The flow with all that will be compared."""
    if wanted.endpoint_uri is not None and flow.endpoint_uri is None:
        # A listing that does not tell is no reason to take a live flow out of use: the flow itself is asked.
        node = yield from converse(operations.get_flow(api, flow.id), policy)
        flow = replace(flow, endpoint_uri=node.endpoint_uri, status=node.status or flow.status)
    content = None
    if wanted.document is not None:
        try:
            content = yield from converse(operations.download_flow_json(api, flow.id), policy)
        except NotFoundError:
            content = None  # it has none yet
    return _Found(flow=flow, content=content)


def _create(api: Api, policy: CallPolicy, wanted: _Wanted) -> Conversation[_Found]:
    """A new draft, without its Flow JSON; the flow that is there if another process was faster."""
    if wanted.publish and wanted.document is None:
        raise ConfigurationError(f"there is no flow {wanted.name} yet: to publish it, ensure_flow needs its flow_json.")
    operation = operations.create_flow(api, wanted.name, wanted.categories, endpoint_uri=wanted.endpoint_uri)
    try:
        made = yield from converse(operation, policy)
    except NameTakenError as refusal:
        taken = refusal
    else:
        if made.adopted:
            node = yield from converse(operations.get_flow(api, made.id), policy)
            return replace((yield from _look(api, policy, wanted, node)), adopted=True)
        flow = Flow(id=made.id, name=wanted.name, status=FlowStatus.DRAFT, categories=wanted.categories,
                    endpoint_uri=wanted.endpoint_uri)  # fmt: skip
        return _Found(flow=flow, created=True)
    try:
        found = yield from find_flow_by_name(api, policy, wanted.name)
        if _living(found) is None:
            raise taken.amended(flow_id=found.id if found is not None else None)
    finally:
        del taken  # as in _bring
    assert found is not None  # noqa: S101 - or it would not live
    return (yield from _look(api, policy, wanted, found))


def _metadata(wanted: _Wanted, flow: Flow) -> Mapping[str, Any]:
    """What `update_flow` has to change."""
    changes: dict[str, Any] = {}
    if set(wanted.categories) != set(flow.categories):
        changes["categories"] = wanted.categories
    if wanted.endpoint_uri not in {None, flow.endpoint_uri}:
        changes["endpoint_uri"] = wanted.endpoint_uri
    return changes


def _bring(
    api: Api,
    policy: tuple[CallPolicy, CallPolicy],
    wanted: _Wanted,
    found: _Found,
    changes: Mapping[str, Any],
    *,
    uploads: bool,
) -> Conversation[EnsuredFlow]:
    """
    The writes, in an order in which each that fails leaves the flow where another call can go on.

    `policy` are those of the first write, and of what comes after it.
    """
    flow, document = found.flow, wanted.document
    within, after = policy
    result = EnsuredFlow(
        id=flow.id,
        name=wanted.name,
        status=flow.status,
        created=found.created,
        adopted=found.adopted,
        validation_errors=() if uploads else flow.validation_errors,
        issues=document.issues if document is not None else (),
    )
    try:
        if changes:
            yield from converse(operations.update_flow(api, flow.id, **changes), within)
            within = after
            result = replace(result, updated=True, status=FlowStatus.DRAFT)
        if uploads and document is not None:
            update = yield from converse(operations.update_flow_json(api, flow.id, document.content), within)
            within = after
            result = replace(
                result,
                uploaded=True,
                status=FlowStatus.DRAFT,
                attempts=update.attempts,
                validation_errors=update.validation_errors,
            )
        if wanted.publish and not result.validation_errors and result.status not in operations.ONCE_PUBLISHED:
            yield from converse(operations.publish_flow(api, flow.id), within)
            result = replace(result, published=True, status=FlowStatus.PUBLISHED)
    except FlowsError as error:
        failure = error
    else:
        if result.validation_errors and found.live and wanted.publish and result.uploaded:
            return (yield from _refused(api, after, found, changes, result))
        return replace(result, success=not (wanted.publish and result.validation_errors))
    if found.live and wanted.publish:
        failure = yield from _failed(api, after, found, changes, result, failure)
    try:
        raise failure.amended(flow_id=failure.flow_id or flow.id)
    finally:
        del failure  # or the exception, its traceback and this frame would keep each other alive


def _refused(
    api: Api, policy: CallPolicy, found: _Found, changes: Mapping[str, Any], result: EnsuredFlow
) -> Conversation[EnsuredFlow]:
    """Meta has stored the Flow JSON of a live flow, and will not publish it: the old one comes back."""
    trouble = yield from _put_back(api, policy, found, changes)
    if trouble is None:
        return replace(
            result, success=False, restored=True, uploaded=False, updated=False, status=FlowStatus.PUBLISHED
        )  # fmt: skip
    raise _of(
        found.flow,
        FlowValidationError,
        f"Meta found {len(result.validation_errors)} errors in the Flow JSON of the live flow {result.name}.",
        _left(found, trouble),
        result.validation_errors,
    ).amended(lost_flow_json=found.content)


def _failed(
    api: Api, policy: CallPolicy, found: _Found, changes: Mapping[str, Any], result: EnsuredFlow, failure: FlowsError
) -> Conversation[FlowsError]:
    """A live flow could not be brought to the end: the failure, with the state that the flow is left in."""
    written = result.updated or result.uploaded or isinstance(failure, FlowProcessingError)
    if not written and not failure.may_have_acted:
        return failure.amended(advice=f"The flow is live as before. {failure.advice}")
    if isinstance(failure, _NO_USE):
        state = "The flow may be a draft with what was sent: call again to have it published."
        return failure.amended(advice=f"{state} {failure.advice}", lost_flow_json=found.content)
    trouble = yield from _put_back(api, policy, found, changes)
    if trouble is None:
        return failure.amended(advice=f"The flow has its old Flow JSON back, and is live. {failure.advice}")
    return failure.amended(advice=f"{_left(found, trouble)} {failure.advice}", lost_flow_json=found.content)


def _left(found: _Found, trouble: FlowsError) -> str:
    said = (trouble.user_message or trouble.message).rstrip(".")
    return f"The flow {found.flow.id} is a draft, and what it had could not be put back ({said})."


def _put_back(
    api: Api, policy: CallPolicy, found: _Found, changes: Mapping[str, Any]
) -> Conversation[FlowsError | None]:  # fmt: skip
    """What a live flow had, published again; the error that it failed with. An endpoint cannot be taken away again."""
    flow = found.flow
    before = {key: value for key in changes if (value := getattr(flow, key))}
    try:
        if before:
            yield from converse(operations.update_flow(api, flow.id, **before), policy)
        if found.content is not None:
            yield from converse(operations.update_flow_json(api, flow.id, found.content), policy)
        yield from converse(operations.publish_flow(api, flow.id), policy)
    except FlowsError as trouble:
        return trouble
    return None


def _of(
    flow: Flow, error: type[FlowsError], message: str, advice: str, issues: tuple[ValidationIssue, ...] = ()
) -> FlowsError:  # fmt: skip
    details = ErrorDetails(message=message, operation="ensure_flow", flow_id=flow.id, advice=advice)
    return error(details, issues) if issues else error(details)
