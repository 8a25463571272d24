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


class Memory:
    """
    The lock file of a run; with None, nothing is remembered.

    What must be on the disk before a request is written at once (`begun`); the rest by a thread of its own (`soon`),
    so that no flow waits for a disk, and what comes together is written together.
    """

    def __init__(self, lock: Lock | None) -> None:
        self.lock = lock
        self._noting = threading.Lock()
        self._unwritten: dict[str, LockEntry | None] = {}
        self._writer = ThreadPoolExecutor(max_workers=1)

    @property
    def kept(self) -> bool:
        """Whether what is remembered outlives the process."""
        return self.lock is not None and self.lock.kept

    def entry(self, key: str, flow_id: str) -> LockEntry | None:
        """What is remembered of a flow."""
        return None if self.lock is None else self.lock.get(key, flow_id)

    def begun(self, key: str, entry: LockEntry) -> None:
        """
        On the disk when this returns.

        The file is a cache, so a disk that is full stops no deployment; a lock of the host's own may raise.
        """
        self._put({key: entry})

    def soon(self, key: str, entry: LockEntry | None) -> None:
        """On the disk when the run ends, or before."""
        with self._noting:
            self._unwritten[key] = entry
        self._writer.submit(self._write)

    def found(self, plan: Plan) -> None:
        """What the snapshot has found to be as it should be, as far as the file does not say the same already."""
        self._put(
            {
                change.key: entry_of(change.desired, flow)
                for change in plan.changes
                if isinstance(flow := change.actual, ActualFlow) and not change.steps
                if change.desired is not None and flow.digest == change.desired.digest
                if not self._knows(change.key, change.desired, flow)
            }
        )

    def _knows(self, key: str, desired: DesiredFlow, flow: ActualFlow) -> bool:
        entry, now = self.entry(key, flow.id), entry_of(desired, flow)
        if entry is None or not entry.holds(flow.updated_at):
            return False
        application = entry.application_id if desired.application_id is not None else now.application_id
        return (entry.name, entry.digest, entry.processed, application, entry.successor) == (
            now.name, now.digest, now.processed, now.application_id, now.successor,
        )  # fmt: skip

    def last(self, entries: Mapping[str, LockEntry | None]) -> None:
        """Written after all work is done: whatever goes wrong with it is told in the log alone."""
        try:
            self._put(entries)
        except Exception:  # a lock of the host's own may raise anything
            logger.exception("The lock file was not written")

    def close(self) -> None:
        """Everything is written when this returns."""
        self._writer.shutdown(wait=True)

    def _write(self) -> None:
        with self._noting:
            entries, self._unwritten = self._unwritten, {}
        if entries:
            self.last(entries)

    def _put(self, entries: Mapping[str, LockEntry | None]) -> None:
        try:
            if self.lock is not None:
                self.lock.put(entries)
        except ConfigurationError as failure:
            logger.warning("%s", failure)
