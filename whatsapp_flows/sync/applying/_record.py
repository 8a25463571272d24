"""What the lock file says about one flow while it is changed, and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..account import ActualFlow, LockEntry, entry_of
from ..planning import Step
from ._lock_writer import LockWriter
from ._progress import FlowProgress


class FlowRecord:
    """The lock file's entry of one flow. `server_time` is the present time by Meta's clock."""

    def __init__(self, progress: FlowProgress, lock_writer: LockWriter, server_time: Callable[[], str]) -> None:
        self._progress, self._writer, self._server_time = progress, lock_writer, server_time
        self._entry: LockEntry | None = None
        self._written_at = ""

    def begin_upload(self) -> None:
        """On the disk before the upload is sent: if the process ends before the answer, the next run sends it again."""
        self._writer.write_now(self._progress.change.key, self._new_entry(processed=False))

    def complete(self, step: Step) -> None:
        """A step has succeeded; call it after `FlowProgress.complete`."""
        self._written_at = self._server_time()
        if "upload" in self._progress.steps:  # so it does not have the desired Flow JSON yet
            return
        seen = self._progress.seen
        known = seen.processed if step == "update" and seen is not None else True
        processed = known if self._entry is None else self._entry.processed or known
        self._writer.write_later(self._progress.change.key, self._new_entry(processed))

    def finish(self) -> None:
        """
        The flow is as desired: the time of the last write tells the next run that nothing has changed since.

        Only at the end, because a restoration after a failure writes something else.
        """
        if self._entry is not None and self._written_at:
            self._writer.write_later(self._progress.change.key, replace(self._entry, written_at=self._written_at))

    def found(self, actual: ActualFlow) -> None:
        """The flow was found as desired: another run has changed it."""
        self._writer.write_later(self._progress.change.key, entry_of(self._progress.desired, actual))

    def forget(self) -> None:
        """The flow is deprecated: remove its entry."""
        self._writer.write_later(self._progress.change.key, None)

    def discard(self) -> None:
        """What this run has written does not hold any more: `finish` adds nothing to it."""
        self._entry = None

    def note_successor(self, name: str) -> None:
        """
        The name of the flow that is about to replace this one; empty: none was created.

        On the disk before that flow is created: if the process ends before the answer, the next run finds it.
        """
        change = self._progress.change
        before = self._writer.entry(change.key, change.actual.id) if change.actual is not None else None
        if change.action == "replace" and before is not None:
            self._writer.write_now(change.key, replace(before, successor=name))

    def _new_entry(self, processed: bool | None) -> LockEntry:
        progress = self._progress
        desired, seen = progress.desired, progress.seen
        before = seen.application_id if seen is not None else None
        self._entry = LockEntry(
            id=progress.flow_id,
            name=progress.change.name,
            digest=desired.digest,
            processed=processed,
            written=bool(progress.done),
            application_id=desired.application_id if "update" in progress.done else before,
        )
        return self._entry
