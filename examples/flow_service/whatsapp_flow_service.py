"""
A flow service of a Django or Flask project, on whatsapp-flows-sdk.

It keeps the interface of a service written on `requests.post`: methods that return True or False, a log, and
`max_retries`. The retries, the waits, the multipart form, paging, timeouts and the reading of Meta's errors are the
client's. `sync` is the whole job for one flow: found by its name or created, uploaded, published.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from whatsapp_flows import EnsuredFlow, FatalError, Flow, FlowsClient, FlowsError, RetryableError

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class SyncResult:
    """What became of one flow: its id at Meta if it has one, and why it failed if it did."""

    flow_id: str | None
    status: str | None
    error: str | None = None
    retry_after: float | None = None  # seconds; None where another try would fail again

    @property
    def ok(self) -> bool:
        return self.error is None


class WhatsAppFlowService:
    """Creates, uploads and publishes the flows of one WhatsApp Business Account."""

    def __init__(self, client: FlowsClient | None = None) -> None:
        self._client = client or FlowsClient.from_env()

    def create_flow(self, name: str, category: str) -> str | None:
        """The id of the new flow; None if Meta refuses it."""
        try:
            return self._client.create_flow(name, [category]).id
        except FlowsError as error:
            logger.error("Failed to create flow %s: %s", name, error)
            return None

    def update_flow_json(self, flow_id: str, flow_json: Mapping[str, Any], max_retries: int = 3) -> bool:
        """Uploads a Flow JSON. False if it was not stored, or was stored with errors that block its publishing."""
        try:
            update = self._client.update_flow_json(flow_id, flow_json, max_retries=max_retries)
        except FlowsError:
            return False  # the client has logged it
        for issue in update.validation_errors:
            logger.error("Flow %s, line %s: %s: %s", flow_id, issue.line_start, issue.error, issue.message)
        return not update.validation_errors

    def publish_flow(self, flow_id: str) -> bool:
        """Publishes a draft."""
        return self._succeeds(self._client.publish_flow, flow_id)

    def deprecate_flow(self, flow_id: str) -> bool:
        """Retires a published flow. This cannot be undone."""
        return self._succeeds(self._client.deprecate_flow, flow_id)

    def delete_flow(self, flow_id: str) -> bool:
        """Deletes a draft."""
        return self._succeeds(self._client.delete_flow, flow_id)

    def list_flows(self) -> list[Flow]:
        """All flows of the account."""
        return list(self._client.list_flows())

    def get_preview_url(self, flow_id: str) -> str | None:
        """A link that opens the flow in a browser."""
        try:
            return self._client.get_preview(flow_id).url
        except FlowsError as error:
            logger.error("No preview of flow %s: %s", flow_id, error)
            return None

    def sync(self, name: str, category: str, flow_json: Mapping[str, Any], *, publish: bool = False) -> SyncResult:
        """Makes the account's flow of that name what is given here. Writes nothing if it is already."""
        try:
            flow = self._client.ensure_flow(name, [category], flow_json=flow_json, publish=publish, validate="error")
        except RetryableError as error:
            return SyncResult(error.flow_id, None, str(error), error.retry_after or 60.0)
        except FatalError as error:
            return SyncResult(error.flow_id, None, str(error))
        return SyncResult(flow.id, flow.status, _problem(flow))

    def _succeeds(self, method: Callable[[str], None], flow_id: str) -> bool:
        try:
            method(flow_id)
        except FlowsError as error:
            logger.error("%s", error)
            return False
        return True


def _problem(flow: EnsuredFlow) -> str | None:
    """The first of Meta's errors in the Flow JSON."""
    return next((f"{issue.error}: {issue.message}" for issue in flow.validation_errors), None)
