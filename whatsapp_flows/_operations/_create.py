"""
Creating a flow, which must not be done twice.

Rule 1: after a lost answer the name is looked up, and a flow that has it is adopted.
Rule 2: Meta checks the name first, so 139001/4016012 means here that the flow exists. Its Flow JSON is sent again, to
        that flow, and then it is published if that was asked for.
Rule 3: a refusal to publish leaves a draft. The error gets its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._classify import unexpected
from .._dataclasses import dataclass, field, replace
from .._digest import is_same_json
from .._fields import text, validation_issues
from .._wire import Operation, Request, Response, Script
from ..errors import FlowProcessingError, FlowsError, NameTakenError, PublishBlockedError
from ..models import CreatedFlow, Flow, FlowStatus
from ._arguments import category_list, nonempty_text, path_id
from ._flows import download_flow_json, list_flows, publish_flow, update_flow_json
from ._graph import Api, Page, check_success, read_object


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFlow:
    """A flow to create: the arguments of the clients' `create_flow` and `ensure_flow`. `form` checks them."""

    name: str
    categories: Sequence[str]
    flow_json: bytes | None = field(default=None, repr=False)
    publish: bool = False
    clone_flow_id: str | None = None
    endpoint_uri: str | None = None

    def form(self) -> dict[str, str]:
        """The parameters of the request ("Flows API", Creating a Flow)."""
        form = {"name": nonempty_text("name", self.name), "categories": category_list(self.categories)}
        if self.flow_json is not None:
            form["flow_json"] = self.flow_json.decode()
        if self.publish:
            form["publish"] = "true"
        if self.clone_flow_id is not None:
            form["clone_flow_id"] = path_id("clone_flow_id", self.clone_flow_id)
        if self.endpoint_uri is not None:
            form["endpoint_uri"] = nonempty_text("endpoint_uri", self.endpoint_uri)
        return form


def create_flow(api: Api, new: NewFlow) -> Operation[CreatedFlow]:
    """Create a flow; after a lost answer, adopt the one of that name."""
    request = api.post("create_flow", f"{api.account()}/flows", new.form())
    return Operation(
        name="create_flow",
        script=lambda _: _create(api, new, request),
        subject=f"flow name: {new.name}",
        idempotent=False,
        recover=lambda ambiguous_errors: _adopt(api, new, ambiguous_errors),
        is_ambiguous=lambda error: error.outcome_unknown or isinstance(error, FlowProcessingError),
        resolves_ambiguity=lambda refusal: isinstance(refusal, NameTakenError),
    )


def _create(api: Api, new: NewFlow, request: Request) -> Script[CreatedFlow]:
    try:
        response = yield request
    except PublishBlockedError as refusal:
        blocked = refusal
    else:
        return _created(new, request, response)
    raise (yield from _with_draft(api, new.name, blocked))


def _created(new: NewFlow, request: Request, response: Response) -> CreatedFlow:
    found = read_object(response, request)
    flow_id = text(found, "id")
    check_success(found, replace(request, flow_id=flow_id), response, default=flow_id is not None)
    if not flow_id:
        raise unexpected("Meta's answer has no flow id.", request, response)
    issues = validation_issues(found)
    # "publish" is only effective together with a valid flow_json ("Flows API", Creating a Flow).
    unpublished = new.publish and (bool(issues) or (new.flow_json is None and new.clone_flow_id is None))
    return CreatedFlow(id=flow_id, success=not unpublished, validation_errors=issues, raw=found)


def _adopt(api: Api, new: NewFlow, ambiguous_errors: tuple[FlowsError, ...]) -> Script[CreatedFlow | None]:
    """The flow of that name, brought to what was asked for where that is safe; None if there is no such flow."""
    flow = yield from _find_by_name(api, new.name)
    if flow is None:
        return None
    adopted = CreatedFlow(id=flow.id, validation_errors=flow.validation_errors, adopted=True, raw=flow.raw)
    if any(isinstance(error, FlowProcessingError) for error in ambiguous_errors):
        # The JSON is stored, but not processed, until an upload is answered with success.
        if new.flow_json is not None and flow.status == FlowStatus.DRAFT:
            return (yield from _finish(api, adopted, new.flow_json, publish=new.publish))
        return replace(adopted, success=flow.status == FlowStatus.PUBLISHED)
    as_asked = not new.publish or flow.status == FlowStatus.PUBLISHED
    if new.flow_json is not None:
        as_asked = (yield from _has_content(api, flow.id, new.flow_json)) and as_asked
    return replace(adopted, success=as_asked)


def best_match(name: str, flows: Iterable[Flow]) -> Flow | None:
    """The flow of that name, preferably one that is not deprecated. Reads no further than necessary."""
    deprecated = None
    for flow in flows:
        if flow.name == name:
            if flow.status != FlowStatus.DEPRECATED:
                return flow
            deprecated = deprecated or flow
    return deprecated


def _find_by_name(api: Api, name: str) -> Script[Flow | None]:
    """The flow of that name; not a deprecated one, which cannot be what a call has just created."""
    following: Operation[Page[Flow]] | None = list_flows(api)
    while following is not None:
        page = yield from following.script(1)
        match = best_match(name, page.items)
        if match is not None and match.status != FlowStatus.DEPRECATED:
            return match
        following = page.following
    return None


def _with_draft(api: Api, name: str, blocked: PublishBlockedError) -> Script[PublishBlockedError]:
    """The refusal to publish, with the id of the draft that Meta has created nevertheless."""
    try:
        draft = yield from _find_by_name(api, name)
    except FlowsError:
        return blocked  # without the id: the failure of the lookup must not replace the refusal
    return PublishBlockedError(replace(blocked.details, flow_id=draft.id)) if draft else blocked


def _has_content(api: Api, flow_id: str, content: bytes) -> Script[bool]:
    """Whether Meta has stored this document; compared as JSON values, since Meta may format it differently."""
    try:
        stored = yield from download_flow_json(api, flow_id).script(1)
        return is_same_json(stored, content)
    except FlowsError:
        return False  # the comparison is not possible: the caller uploads again, which is harmless


def _finish(api: Api, adopted: CreatedFlow, flow_json: bytes, *, publish: bool) -> Script[CreatedFlow]:
    """The rest of a create that ended in 4016012: upload the same Flow JSON again, then publish if asked to."""
    update = yield from update_flow_json(api, adopted.id, flow_json).script(1)
    if publish and not update.validation_errors:
        yield from publish_flow(api, adopted.id).script(1)
    success = not (publish and update.validation_errors)
    return replace(adopted, validation_errors=update.validation_errors, success=success)
