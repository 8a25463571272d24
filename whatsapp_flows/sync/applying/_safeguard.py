"""A live flow while it is changed: what it was, what was sent to it, and the way back."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..._digest import digest_of
from ...client import FlowsClient
from ...errors import FlowsError
from ...models import FlowStatus
from ..account import LockEntry
from ..planning import Step
from ._live import LiveVersion, OldDocuments
from ._memory import Memory
from ._restore import Restoration

_RESTORED = "Its old version is live again."
_UNTOUCHED = "It is live, as it was before."


@dataclass(slots=True)
class Safeguard:
    """
    What keeps one flow from being lost. Without a `live` version there is nothing that could be.

    `sent` are the writes that were sent while the flow was live, or since. `note` says in the end how it is left, and
    `left` is the file that has its old Flow JSON.
    """

    key: str
    flow_id: str
    memory: Memory
    documents: OldDocuments
    live: LiveVersion | None = None
    sent: set[Step] = field(default_factory=set)
    restored: bool = False
    note: str = ""
    left: Path | None = None
    before: LockEntry | None = None

    @property
    def at_risk(self) -> bool:
        """Whether the flow was live, and may be a draft by now."""
        return self.live is not None and bool(self.sent)

    def watch(self, version: LiveVersion | None) -> None:
        """The flow is live, and this is what it has."""
        self.live = version
        self.before = self.memory.entry(self.key, self.flow_id)

    def was_live(self, version: LiveVersion) -> None:
        """The flow is a draft, and was live with this: at risk from the beginning."""
        self.watch(version)
        self.documents.keep(self.key, version)
        self.sent.add("upload")

    def about_to(self, step: Step) -> None:
        """A write is about to be sent. The version that is live is on the disk before the first of them."""
        if self.live is None:
            return
        if not self.sent:
            self.documents.keep(self.key, self.live)
        self.sent.add(step)

    def over(self) -> None:
        """The flow is as it is wanted, or was left alone: the file is no longer needed."""
        self.sent.clear()
        self.documents.discard(self.key, self.flow_id)

    def restore(self, client: FlowsClient, *, new_name: str, status: str, ask: Callable[[], str]) -> Restoration:
        """
        Put the old version back, and publish it. Raises nothing of ours.

        `status` is what is known of the flow, `ask` finds out what Meta says. The way that was gone says whether the
        flow is PUBLISHED now, and whether it had to be published for that; if it is not, the note says why.
        """
        assert self.live is not None  # noqa: S101 - or it would not be at risk
        way = Restoration(client, self.live, self.sent, new_name=new_name)
        try:
            way.run()
        except FlowsError as failure:
            way.status = ask() if failure.may_have_acted else way.status or status or ask()
            if way.status == FlowStatus.PUBLISHED:  # what was sent came through, and its answer was lost
                way.republished = way.back
            else:
                self.give_up(way.status, _in_short(failure), back=way.back)
        return way

    def back(self, *, republished: bool) -> None:
        """The flow is live with what it held: remembered as that, and to be looked at by the next run."""
        assert self.live is not None  # noqa: S101
        self.restored, self.note = republished, _RESTORED if republished else _UNTOUCHED
        digest = digest_of(self.live.content) or ""
        before = self.before
        entry = None if before is None else replace(before, digest=digest, updated_at="", written_at="")
        self.memory.soon(self.key, entry)
        self.over()

    def give_up(self, status: str, why: str, *, back: bool = False) -> None:
        """It could not be brought up again: what it is now, where its old version is, how to go on."""
        assert self.live is not None  # noqa: S101
        state = f"It is {status} and" if status else "Its state is not known, and it"
        holds = "holds its old Flow JSON" if back else "may hold the new Flow JSON"
        self.note = f"{state} {holds}; its old version could not be published again ({why})."
        self.left = self.documents.leave(self.key, self.live)
        if self.left is not None:
            upload = f"`whatsapp-flows flows upload {self.flow_id} {shlex.quote(str(self.left))}`"
            publish = f"`whatsapp-flows flows publish {self.flow_id}`"
            look = f"See first whether it is live, `whatsapp-flows flows get {self.flow_id}`; if it is not: "
            way = "To go on: " if status else look  # an upload would take it down
            self.note += f" The old Flow JSON is in {self.left}. {way}{upload}, then {publish}."


def _in_short(error: FlowsError) -> str:
    """What an error says, and its code."""
    said = (error.user_message or error.message).rstrip(". ")
    return said if error.code is None else f"{said}, code {error.code}"
