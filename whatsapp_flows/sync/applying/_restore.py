"""A flow that was live and is a draft now: its old version is stored and published again."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from ...client import FlowsClient
from ...errors import FlowValidationError, PlanError
from ...models import FlowStatus
from ..planning import Step
from ._live import LiveVersion


@dataclass(slots=True)
class Restoration:
    """
    The restoration of one flow.

    `sent` are the writes that were sent to it, whether they succeeded or not: these are undone. `new_name` is the name
    that one of them may have given it. `status` is its state, as far as it is known; `content_restored` says whether
    the old Flow JSON is stored again, `republished` whether the flow had to be published.
    """

    client: FlowsClient
    version: LiveVersion
    sent: Set[Step]
    new_name: str = ""
    status: str = ""
    content_restored: bool = False
    republished: bool = False

    def run(self) -> None:
        """
        Read the flow; then undo what was sent, and publish. A flow that is PUBLISHED is left as it is.

        Raises what the calls raise, and `PlanError` for a flow that somebody else has changed.
        """
        version = self.version
        flow = self.client.get_flow(version.flow_id, fields="id,name,status")
        self.status = str(flow.status)
        if self.status == FlowStatus.PUBLISHED:
            return
        ours = flow.id == version.flow_id and flow.name in {version.name, self.new_name}
        if not ours or self.status != FlowStatus.DRAFT:
            raise PlanError(f"{version.name} has been changed by somebody else: it is {flow.name}, {self.status}.")
        self._undo(renamed=flow.name != version.name)
        self.client.publish_flow(version.flow_id)
        self.status, self.republished = FlowStatus.PUBLISHED.value, True

    def _undo(self, *, renamed: bool) -> None:
        version = self.version
        known = renamed or version.categories or version.endpoint_uri or version.application_id
        if "update" in self.sent and known:
            self.client.update_flow(
                version.flow_id,
                name=version.name if renamed else None,
                categories=version.categories or None,
                endpoint_uri=version.endpoint_uri,
                application_id=version.application_id,
            )
        if "upload" in self.sent:
            # Not validated here: Meta has accepted it before, and the old version must be published in any case.
            upload = self.client.update_flow_json(version.flow_id, version.content, validate="off")
            if upload.validation_errors:
                messages = "; ".join(issue.message for issue in upload.validation_errors[:3])
                raise FlowValidationError(
                    f"Meta finds errors in the old version, too: {messages}", upload.validation_errors
                )
        self.content_restored = True
