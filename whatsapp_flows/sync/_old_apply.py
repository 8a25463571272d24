"""What was done: runs the steps of a plan with a client. A failure ends its own flow, and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ..client import FlowsClient
from ..errors import FlowProcessingError, FlowsError, ValidationIssue
from ..models import FlowStatus
from ._old_plan import FlowPlan, Step, found_errors

OnStep = Callable[[FlowPlan, Step, str], object]
"""Called before each step, with the id of the flow, which is empty while it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowResult:
    """
    What became of one flow.

    `done` are the steps that succeeded, `attempts` the uploads sent for it, `status` the state it is in now (empty:
    unknown). `problem` says what is not as it should be, `error` and `issues` the facts behind that.
    """

    plan: FlowPlan
    flow_id: str = ""
    status: str = ""
    done: tuple[Step, ...] = ()
    attempts: int = 0
    problem: str = ""
    issues: tuple[ValidationIssue, ...] = ()
    error: FlowsError | None = None

    @property
    def ok(self) -> bool:
        """Whether the flow is as it should be."""
        return not self.problem


def apply(
    client: FlowsClient, plans: Iterable[FlowPlan], *, on_step: OnStep = lambda plan, step, flow_id: None
) -> Iterator[FlowResult]:
    """
    Carries out the plans in their order, and yields a result after each.

    An interrupt yields what was done to the flow it struck, and then goes on its way.
    """
    for plan in plans:
        result = unapplied(plan)
        try:
            for step in plan.steps:
                on_step(plan, step, result.flow_id)
                result = _STEPS[step](client, result)
                if result.problem:
                    break
        except FlowsError as error:
            result = _failed(client, result, error)
        except KeyboardInterrupt:
            yield replace(result, status="", problem="interrupted")
            raise
        yield result


def unapplied(plan: FlowPlan) -> FlowResult:
    """The result of a plan of which no step has been taken."""
    return FlowResult(
        plan=plan, flow_id=plan.flow_id, status=plan.status, problem=plan.problem, issues=plan.issues, error=plan.error
    )


def _create(client: FlowsClient, result: FlowResult) -> FlowResult:
    wanted = result.plan.desired
    created = client.create_flow(wanted.name, wanted.categories, endpoint_uri=wanted.endpoint_uri)
    return replace(result, flow_id=created.id, status=FlowStatus.DRAFT.value, done=(*result.done, "create"))


def _update(client: FlowsClient, result: FlowResult) -> FlowResult:
    wanted = result.plan.desired
    client.update_flow(result.flow_id, categories=wanted.categories, endpoint_uri=wanted.endpoint_uri)
    return replace(result, status=FlowStatus.DRAFT.value, done=(*result.done, "update"))


def _upload(client: FlowsClient, result: FlowResult) -> FlowResult:
    wanted = result.plan.desired
    upload = client.update_flow_json(result.flow_id, wanted.content)
    issues = upload.validation_errors
    return replace(
        result,
        status=FlowStatus.DRAFT.value,
        done=(*result.done, "upload"),
        attempts=upload.attempts,
        issues=issues,
        problem=found_errors(wanted, issues) if issues else "",
    )


def _publish(client: FlowsClient, result: FlowResult) -> FlowResult:
    client.publish_flow(result.flow_id)
    return replace(result, status=FlowStatus.PUBLISHED.value, done=(*result.done, "publish"))


_STEPS = {"create": _create, "update": _update, "upload": _upload, "publish": _publish}


def _failed(client: FlowsClient, result: FlowResult, error: FlowsError) -> FlowResult:
    """The result of a flow that stopped at an error, in the state that it is in now."""
    in_doubt = error.may_have_acted or isinstance(error, FlowProcessingError)
    return replace(
        result,
        status=_status_now(client, result.flow_id) if in_doubt else result.status,
        attempts=len(error.attempts) + 1 if error.operation == "update_flow_json" else result.attempts,
        problem=str(error),
        error=error,
    )


def _status_now(client: FlowsClient, flow_id: str) -> str:
    """What Meta says, asked once: this comes after a call that has been repeated often enough."""
    if not flow_id:
        return ""
    try:
        return str(client.with_options(max_attempts=1).get_flow(flow_id, fields="status").status)
    except FlowsError:
        return ""
