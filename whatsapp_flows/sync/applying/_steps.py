"""
The steps of one flow: each sends the requests of one state, and returns the next state.

Rule 1: a flow that was there when the plan was made is read before its first write. If it differs from what the plan
        saw, the plan is stale for it, unless another run has brought it nearer to its desired state.
Rule 2: a name that is taken, or a lost answer to a `create`, means that the flow exists: it is adopted.
Rule 3: a flow that refuses the edit stays as it is, or is replaced where the plan allows that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ..._digest import digest_of
from ...client import FlowsClient
from ...errors import FlowStateError, NameTakenError, NotFoundError, PlanError, PublishBlockedError, ValidationIssue
from ...models import CreatedFlow, Flow, FlowStatus
from ..account import ActualFlow, find_flow, is_unchanged, read_flow
from ..planning import Step, change_of, replacement_of
from ._context import RunContext
from ._live import LiveVersion
from ._progress import FlowProgress
from ._record import FlowRecord
from ._result import FlowResult, State
from ._safeguard import Safeguard

_STATE_OF: Final[Mapping[Step, State]] = {
    "create": "creating",
    "update": "updating",
    "upload": "uploading",
    "publish": "publishing",
    "deprecate": "deprecating",
}
_FIELDS: Final = "id,name,status,categories,endpoint_uri"


class SuccessorNotLiveError(Exception):
    """The successor of a flow that is to be deprecated is not live."""


class InvalidFlowJsonError(Exception):
    """Meta has stored the Flow JSON and found errors in it: it cannot be published."""

    def __init__(self, message: str, issues: tuple[ValidationIssue, ...]) -> None:
        super().__init__(message)
        self.issues = issues


class FlowSteps:
    """
    The steps of one flow. They raise what the client raises, `PlanError`, and the two errors above.

    `successor` is the result of the flow that a deprecation waits for.
    """

    def __init__(
        self,
        context: RunContext,
        progress: FlowProgress,
        safeguard: Safeguard,
        record: FlowRecord,
        successor: FlowResult | None,
    ) -> None:
        self._context, self._progress, self._successor = context, progress, successor
        self._safeguard, self._record = safeguard, record

    @property
    def _client(self) -> FlowsClient:
        return self._context.client_for(at_risk=self._safeguard.at_risk)

    # -- one step each

    def check(self) -> State:
        progress, seen = self._progress, self._progress.change.actual
        assert seen is not None  # noqa: S101 - a flow that is not there begins with `creating`
        flow = self._read(f"{_FIELDS},updated_at" if seen.updated_at else _FIELDS)
        progress.status = str(flow.status)
        if flow.id != progress.flow_id or flow.name not in {seen.name, progress.change.name}:
            raise PlanError(f"{seen.name} has changed since the plan was made: it is called {flow.name} now.")
        unchanged = flow.name == seen.name and is_unchanged(flow, seen)
        if not isinstance(seen, ActualFlow):
            return self._check_deprecation(unchanged)
        if unchanged:
            self._protect(seen)
            return self._next()
        lock = self._context.lock_writer.lock
        found = read_flow(self._client, progress.desired, progress.flow_id, lock, seen=seen)
        return self._continue_from(found, appeared=False)

    def create(self) -> State:
        progress, name = self._progress, self._progress.change.name
        lock = self._context.lock_writer.lock
        self._record.note_successor(name)
        try:
            created = self._send_create()
        except NameTakenError as taken:
            found = find_flow(self._client, progress.desired, name, lock)
            if found is None or found.status == FlowStatus.DEPRECATED:
                raise taken from None
            return self._continue_from(found, appeared=True)
        except PublishBlockedError as refusal:
            progress.flow_id = refusal.flow_id or ""
            progress.status = FlowStatus.DRAFT.value if progress.flow_id else ""
            if progress.flow_id:
                self._complete("create")
            raise
        progress.flow_id = created.id
        if created.adopted or (not created.success and not created.validation_errors):
            return self._continue_from(read_flow(self._client, progress.desired, created.id, lock), appeared=True)
        published = self._publishes_at_once and not created.validation_errors
        progress.status = (FlowStatus.PUBLISHED if published else FlowStatus.DRAFT).value
        self._complete("create")
        self._raise_if_invalid(created.validation_errors)
        return self._next()

    def update(self) -> State:
        progress = self._progress
        desired, name = progress.desired, progress.change.name
        created = progress.done[:1] == ["create"]
        renamed = name != (progress.change.actual.name if progress.change.actual is not None else "")
        self._safeguard.before_write("update")
        try:
            self._client.update_flow(
                progress.flow_id,
                name=name if renamed and not created else None,
                categories=None if created else desired.categories,
                endpoint_uri=None if created else desired.endpoint_uri,
                application_id=desired.application_id,
            )
        except FlowStateError as refusal:
            return self._replace(refusal)
        progress.status = FlowStatus.DRAFT.value
        self._complete("update")
        return self._next()

    def upload(self) -> State:
        progress = self._progress
        self._safeguard.before_write("upload")
        self._record.begin_upload()
        progress.attempts = 1
        try:
            upload = self._client.update_flow_json(progress.flow_id, progress.desired.content)
        except FlowStateError as refusal:
            return self._replace(refusal)
        progress.status = FlowStatus.DRAFT.value
        self._complete("upload")
        self._raise_if_invalid(upload.validation_errors)
        return self._next()

    def publish(self) -> State:
        progress = self._progress
        try:
            self._client.publish_flow(progress.flow_id)
        except (FlowStateError, PublishBlockedError):
            progress.status = str(self._client.get_flow(progress.flow_id, fields="status").status)
            if progress.status != FlowStatus.PUBLISHED:  # PUBLISHED: another run has published it
                raise
        return self.published()

    def deprecate(self) -> State:
        progress = self._progress
        try:
            self._client.deprecate_flow(progress.flow_id)
        except FlowStateError:
            progress.status = str(self._client.get_flow(progress.flow_id, fields="status").status)
            if progress.status != FlowStatus.DEPRECATED:
                raise
        progress.complete("deprecate")
        return self._deprecated()

    # -- ends of steps

    def published(self) -> State:
        """The new version is live."""
        self._progress.status = FlowStatus.PUBLISHED.value
        self._complete("publish")
        self._safeguard.release()
        return self._next()

    def _next(self) -> State:
        steps = self._progress.steps
        return _STATE_OF[steps[0]] if steps else "done"

    def _complete(self, step: Step) -> None:
        self._progress.complete(step)
        self._record.complete(step)

    def _deprecated(self) -> State:
        self._progress.status = FlowStatus.DEPRECATED.value
        self._record.forget()
        return "done"

    def _raise_if_invalid(self, issues: tuple[ValidationIssue, ...]) -> None:
        if not issues:
            return
        desired = self._progress.desired
        count = f"{len(issues)} error{'' if len(issues) == 1 else 's'}"
        where = desired.file.name if desired.file is not None else "its Flow JSON"
        raise InvalidFlowJsonError(f"Meta found {count} in {where}", desired.in_file(issues))

    def _replace(self, refusal: FlowStateError) -> State:
        """The flow cannot be edited. Create another in its place, if the plan allows it and nothing was written."""
        progress = self._progress
        if not progress.change.may_replace or progress.done:
            raise refusal
        change = replacement_of(progress.change, self._context.options)
        if change.blocked:
            raise refusal
        self._safeguard.release()
        self._safeguard.live = None
        self._record.discard()
        progress.start_over(change)
        return "creating"

    # -- parts of `create`

    @property
    def _publishes_at_once(self) -> bool:
        """Whether the `create` publishes the flow as well: no later step has to come before that."""
        return self._progress.desired.publish and "publish" not in self._progress.steps

    def _send_create(self) -> CreatedFlow:
        progress, desired = self._progress, self._progress.desired
        uploads_later = "upload" in progress.steps
        progress.attempts = 0 if uploads_later else 1
        return self._client.create_flow(
            progress.change.name,
            desired.categories,
            flow_json=None if uploads_later else desired.content,
            publish=self._publishes_at_once,
            endpoint_uri=desired.endpoint_uri,
        )

    # -- parts of `check`

    def _read(self, fields: str) -> Flow:
        try:
            return self._client.get_flow(self._progress.flow_id, fields=fields)
        except NotFoundError:
            raise PlanError(f"{self._progress.change.name} has been deleted since the plan was made.") from None

    def _check_deprecation(self, unchanged: bool) -> State:
        """A deprecation cannot be undone, so the successor is read as well."""
        progress = self._progress
        if not unchanged:
            if progress.status == FlowStatus.DEPRECATED:
                return self._deprecated()
            raise self._stale_plan()
        if progress.change.after:
            assert self._successor is not None  # noqa: S101 - without a result of it, the flow is not begun
            successor = self._client.get_flow(self._successor.flow_id, fields="id,name,status")
            if successor.status != FlowStatus.PUBLISHED:
                raise SuccessorNotLiveError(f"{self._successor.name} is {successor.status}")
        return "deprecating"

    def _continue_from(self, found: ActualFlow, *, appeared: bool) -> State:
        """
        Continue with a flow that is not as the plan saw it, or raise `PlanError`.

        A flow that has appeared is adopted, unless that would take a live flow out of use.
        """
        progress = self._progress
        seen = progress.seen
        rest = change_of(progress.desired, found, self._context.options)
        progress.flow_id, progress.status = found.id, found.status
        progress.adopted = progress.adopted or appeared
        if appeared:
            progress.change = replace(progress.change, actual=found)
        if not rest.steps and not rest.blocked:
            self._record.found(found)
            return "done"
        known = {progress.desired.digest, seen.digest if seen is not None else None}
        if rest.blocked or (not appeared and found.digest not in known):
            raise self._stale_plan()
        if rest.unpublishes and (appeared or not progress.change.unpublishes):
            raise self._stale_plan()
        if not appeared and not set(rest.steps) <= {*progress.steps, "upload"}:
            raise self._stale_plan()
        progress.steps = list(rest.steps)
        if not appeared:
            self._protect(found)
        return self._next()

    def _stale_plan(self) -> PlanError:
        progress = self._progress
        return PlanError(f"{progress.change.name} has changed since the plan was made: it is {progress.status} now.")

    # -- a live flow

    def _protect(self, flow: ActualFlow) -> None:
        """Before the first write: have the version that is live, or was when the plan or an earlier run began."""
        progress = self._progress
        if progress.status == FlowStatus.PUBLISHED:
            content = self._live_content(flow)
            self._safeguard.protect(None if content is None else LiveVersion.of(flow, content))
            return
        seen = progress.seen
        documents = self._context.documents
        kept = documents.find(progress.change.key, progress.flow_id) if progress.desired.publish else None
        if seen is not None and seen.status == FlowStatus.PUBLISHED and seen.content is not None:
            self._safeguard.protect_draft(LiveVersion.of(seen, seen.content))
        elif kept is not None:
            self._safeguard.protect_draft(LiveVersion(flow_id=progress.flow_id, name=flow.name, content=kept))

    def _live_content(self, seen: ActualFlow) -> bytes | None:
        """The Flow JSON that is live, if there is one. Raises `PlanError` if it is not the one that the plan saw."""
        if "upload" not in self._progress.steps:
            return self._progress.desired.content
        if seen.content is not None or seen.digest is None:
            return seen.content
        content = self._client.download_flow_json(self._progress.flow_id)
        if digest_of(content) != seen.digest:
            raise self._stale_plan()
        return content


STEPS: Final[Mapping[State, Callable[[FlowSteps], State]]] = {
    "checking": FlowSteps.check,
    "creating": FlowSteps.create,
    "updating": FlowSteps.update,
    "uploading": FlowSteps.upload,
    "publishing": FlowSteps.publish,
    "deprecating": FlowSteps.deprecate,
}
