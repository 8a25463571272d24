"""A live flow while it is changed: its old version, what was sent to it, and its restoration."""

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
from ._lock_writer import LockWriter
from ._restore import Restoration

_RESTORED = "Its old version is live again."
_UNTOUCHED = "It is live, as it was before."


@dataclass(slots=True)
class Safeguard:
    """
    Protects one live flow while it is changed. Without a `live` version there is nothing to protect.

    `sent` are the writes that were sent while the flow was live, or since. In the end `note` says which state it is
    in, and `saved_file` is the file that has its old Flow JSON.
    """

    key: str
    flow_id: str
    lock_writer: LockWriter
    documents: OldDocuments
    live: LiveVersion | None = None
    sent: set[Step] = field(default_factory=set)
    restored: bool = False
    note: str = ""
    saved_file: Path | None = None
    entry_before: LockEntry | None = None

    @property
    def at_risk(self) -> bool:
        """Whether the flow was live, and may be a draft by now."""
        return self.live is not None and bool(self.sent)

    def protect(self, version: LiveVersion | None) -> None:
        """The flow is live, with this version."""
        self.live = version
        self.entry_before = self.lock_writer.entry(self.key, self.flow_id)

    def protect_draft(self, version: LiveVersion) -> None:
        """The flow is a draft, and was live with this version: it is at risk from the beginning."""
        self.protect(version)
        self.documents.keep(self.key, version)
        self.sent.add("upload")

    def before_write(self, step: Step) -> None:
        """Call this before each write: the live version is on the disk before the first of them is sent."""
        if self.live is None:
            return
        if not self.sent:
            self.documents.keep(self.key, self.live)
        self.sent.add(step)

    def release(self) -> None:
        """The flow is as desired, or was not changed: its old version is no longer needed."""
        self.sent.clear()
        self.documents.discard(self.key, self.flow_id)

    def restore(self, client: FlowsClient, *, new_name: str, status: str, ask: Callable[[], str]) -> Restoration:
        """
        Store the old version again, and publish it. Raises no `FlowsError`.

        `status` is the last known status of the flow, `ask` reads it from Meta. The restoration says whether the flow
        is PUBLISHED now, and whether it had to be published for that; if it is not, the note says why.
        """
        assert self.live is not None  # noqa: S101 - or it would not be at risk
        restoration = Restoration(client, self.live, self.sent, new_name=new_name)
        try:
            restoration.run()
        except FlowsError as failure:
            restoration.status = ask() if failure.may_have_acted else restoration.status or status or ask()
            if restoration.status == FlowStatus.PUBLISHED:  # the request succeeded, and its answer was lost
                restoration.republished = restoration.content_restored
            else:
                self.give_up(restoration.status, _summary(failure), content_restored=restoration.content_restored)
        return restoration

    def mark_restored(self, *, republished: bool) -> None:
        """The flow is live with its old version: the lock file says so, and the next run reads the flow again."""
        assert self.live is not None  # noqa: S101
        self.restored, self.note = republished, _RESTORED if republished else _UNTOUCHED
        digest = digest_of(self.live.content) or ""
        before = self.entry_before
        entry = None if before is None else replace(before, digest=digest, updated_at="", written_at="")
        self.lock_writer.write_later(self.key, entry)
        self.release()

    def give_up(self, status: str, why: str, *, content_restored: bool = False) -> None:
        """The flow could not be published again: note its state, where its old version is, and what to do."""
        assert self.live is not None  # noqa: S101
        state = f"It is {status} and" if status else "Its state is not known, and it"
        holds = "holds its old Flow JSON" if content_restored else "may hold the new Flow JSON"
        self.note = f"{state} {holds}; its old version could not be published again ({why})."
        self.saved_file = self.documents.leave(self.key, self.live)
        if self.saved_file is not None:
            upload = f"`whatsapp-flows flows upload {self.flow_id} {shlex.quote(str(self.saved_file))}`"
            publish = f"`whatsapp-flows flows publish {self.flow_id}`"
            look = f"See first whether it is live, `whatsapp-flows flows get {self.flow_id}`; if it is not: "
            first = "To go on: " if status else look  # an upload would un-publish it
            self.note += f" The old Flow JSON is in {self.saved_file}. {first}{upload}, then {publish}."


def _summary(error: FlowsError) -> str:
    """The error's message and code."""
    message = (error.user_message or error.message).rstrip(". ")
    return message if error.code is None else f"{message}, code {error.code}"
