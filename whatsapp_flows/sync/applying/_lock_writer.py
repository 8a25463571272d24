"""What a run writes into the lock file, and when."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ...errors import ConfigurationError
from ..account import ActualFlow, Lock, LockEntry, entry_of
from ..desired import DesiredFlow
from ..planning import Plan

logger: Final = logging.getLogger("whatsapp_flows")


class LockWriter:
    """
    Writes the entries of a run; with `lock` None, none.

    `write_now` is for what must be on the disk before a request is sent. `write_later` hands an entry to a thread of
    its own, which writes several at once, so that no flow waits for the disk.
    """

    def __init__(self, lock: Lock | None) -> None:
        self.lock = lock
        self._queueing = threading.Lock()
        self._unwritten: dict[str, LockEntry | None] = {}
        self._writer = ThreadPoolExecutor(max_workers=1)

    def entry(self, key: str, flow_id: str) -> LockEntry | None:
        """The entry of a flow, if it is about the flow of that id."""
        return None if self.lock is None else self.lock.get(key, flow_id)

    def write_now(self, key: str, entry: LockEntry) -> None:
        """
        The entry is on the disk when this returns.

        A file that cannot be written is logged and ends no deployment; a `Lock` of the host's own may raise.
        """
        self._put({key: entry})

    def write_later(self, key: str, entry: LockEntry | None) -> None:
        """The entry (None: its removal) is on the disk when the run ends, or before."""
        with self._queueing:
            self._unwritten[key] = entry
        try:
            self._writer.submit(self._write_queued)
        except RuntimeError:  # no thread can be started: `close` writes it
            logger.debug("The lock file is written at the end of the run: no thread could be started")

    def write_unchanged(self, plan: Plan) -> None:
        """Write the flows that the plan found as desired, where the file does not have the same already."""
        self._put(
            {
                change.key: entry_of(change.desired, flow)
                for change in plan.changes
                if isinstance(flow := change.actual, ActualFlow) and not change.steps
                if change.desired is not None and flow.digest == change.desired.digest
                if not self._is_current(change.key, change.desired, flow)
            }
        )

    def close(self) -> None:
        """Everything is written when this returns, by this thread if the other has ended early."""
        self._writer.shutdown(wait=True)
        self._write_queued()

    def _is_current(self, key: str, desired: DesiredFlow, flow: ActualFlow) -> bool:
        entry, found = self.entry(key, flow.id), entry_of(desired, flow)
        if entry is None or not entry.holds(flow.updated_at):
            return False
        application = entry.application_id if desired.application_id is not None else found.application_id
        return (entry.name, entry.digest, entry.processed, application, entry.successor) == (
            found.name, found.digest, found.processed, found.application_id, found.successor,
        )  # fmt: skip

    def _write_queued(self) -> None:
        with self._queueing:
            entries, self._unwritten = self._unwritten, {}
        if not entries:
            return
        try:
            self._put(entries)
        # A `Lock` of the host's may raise anything. No signal handler runs in this thread or in that of `close`.
        except Exception:
            logger.exception("The lock file was not written")

    def _put(self, entries: Mapping[str, LockEntry | None]) -> None:
        try:
            if self.lock is not None:
                self.lock.put(entries)
        except ConfigurationError as failure:
            logger.warning("%s", failure)
