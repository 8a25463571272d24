"""What is there: one listing for all flows, and one download for each that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..client import FlowsClient
from ..errors import FlowsError, NotFoundError
from ..models import Flow, FlowStatus
from ._manifest import DesiredFlow
from ._old_plan import ActualFlow, Unreadable


def observe(
    client: FlowsClient,
    desired: Sequence[DesiredFlow],
    *,
    on_flow: Callable[[DesiredFlow, str], object] = lambda desired, flow_id: None,
) -> tuple[ActualFlow | Unreadable | None, ...]:
    """
    What Meta has for each flow, in the same order; None for what is not there.

    `on_flow` is called with the flow and its id before a download. A listing that fails raises: it never means that
    nothing is there.
    """
    listed = _by_name(client.list_flows(), {flow.name for flow in desired})
    found: list[ActualFlow | Unreadable | None] = []
    for wanted in desired:
        flow = listed.get(wanted.name)
        if flow is not None:
            on_flow(wanted, flow.id)
        found.append(None if flow is None else _with_content(client, flow))
    return tuple(found)


def _by_name(flows: Iterable[Flow], names: set[str]) -> dict[str, Flow]:
    """The flow of each name; a deprecated one only if no other has it."""
    found: dict[str, Flow] = {}
    for flow in flows:
        if flow.name in names and (flow.name not in found or found[flow.name].status == FlowStatus.DEPRECATED):
            found[flow.name] = flow
    return found


def _with_content(client: FlowsClient, flow: Flow) -> ActualFlow | Unreadable:
    status = str(flow.status)
    try:
        content = None if flow.status == FlowStatus.DEPRECATED else client.download_flow_json(flow.id)
    except NotFoundError:
        content = None  # a flow without a Flow JSON
    except FlowsError as error:
        return Unreadable(id=flow.id, status=status, error=error)
    return ActualFlow(
        id=flow.id,
        status=status,
        categories=flow.categories,
        endpoint_uri=flow.endpoint_uri,
        content=content,
        issues=flow.validation_errors,
    )
