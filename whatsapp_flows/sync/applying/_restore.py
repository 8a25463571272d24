"""A flow that was live and is a draft now: made again what it was, and published."""

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
    The way back of one flow.

    `sent` are the writes that were sent to it, whatever came of them: these are undone. `new_name` is the name that one
    of them may have given it. `status` is the state that it
    is in as far as it is known, `back` says whether the old Flow JSON is stored again, `republished` whether the flow
    had to be published.
    """

    client: FlowsClient
    version: LiveVersion
    sent: Set[Step]
    new_name: str = ""
    status: str = ""
    back: bool = False
    republished: bool = False

    def run(self) -> None:
        """
        Look first; then undo what was sent, and publish. Nothing is done to a flow that is PUBLISHED.

        Raises what the calls raise, and `PlanError` for a flow that is somebody else's by now.
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
            # Checked by Meta when it was published; our own check must not stand in the way.
            upload = self.client.update_flow_json(version.flow_id, version.content, validate="off")
            if upload.validation_errors:
                said = "; ".join(issue.message for issue in upload.validation_errors[:3])
                raise FlowValidationError(
                    f"Meta finds errors in the old version, too: {said}", upload.validation_errors
                )
        self.back = True
