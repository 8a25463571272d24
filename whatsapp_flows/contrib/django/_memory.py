"""Lock entries and old Flow JSONs in the rows (`WhatsAppFlow.sync_memory`), in place of a lock file."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ...sync import LiveVersion, Lock, LockEntry, OldDocuments, digest_of
from .models import WhatsAppFlow


class RowMemory(Lock):
    """
    A lock whose entries are stored in the rows: a sync without changes downloads nothing.

    Like the lock file it is a cache. Of the entries of another account, only their existence is used.
    """

    def __init__(self, account_id: str | None) -> None:
        super().__init__(None, account_id=account_id)
        self._account = account_id
        self._accounts: set[str] = set()
        self._rows: dict[str, WhatsAppFlow] = {}
        self._old: dict[tuple[str, str], str] = {}

    @property
    def kept(self) -> bool:
        """Whether the entries are persistent."""
        return True

    @property
    def other_account(self) -> str:
        """The other account that the rows were deployed to, if none was deployed to this one yet."""
        return "" if self._account in self._accounts else next(iter(sorted(self._accounts)), "")

    def load(self, row: WhatsAppFlow) -> None:
        """Load the entry of a row."""
        self._rows[row.name] = row
        memory = row.sync_memory if isinstance(row.sync_memory, dict) else {}
        entry, account = LockEntry.from_json(memory.get("entry")), memory.get("account_id")
        if entry is None or not isinstance(account, str):
            return
        self._accounts.add(account)
        if account == self._account:
            self.put({row.name: entry})
            old = memory.get("old")
            if isinstance(old, str):
                self._old[row.name, entry.id] = old

    def to_json(self, name: str, flow_id: str) -> dict[str, Any]:
        """The value of `sync_memory` for the row of that name and this flow."""
        entry, old = self.get(name, flow_id), self._old.get((name, flow_id))
        if entry is None and old is None:
            return {}
        stored = LockEntry(id=flow_id, name=self._rows[name].name_at_meta) if entry is None else entry
        return {"account_id": self._account, "entry": stored.to_json(), **({} if old is None else {"old": old})}

    def row(self, name: str) -> WhatsAppFlow:
        """The loaded row of that name."""
        return self._rows[name]

    def set_old(self, name: str, flow_id: str, content: bytes | None) -> None:
        """Set the Flow JSON that a live flow has while it is changed; None removes it."""
        if content is None:
            self._old.pop((name, flow_id), None)
        else:
            self._old[name, flow_id] = base64.b64encode(content).decode()  # not every database stores every text

    def old(self, name: str, flow_id: str) -> bytes | None:
        """The Flow JSON that was set, by this run or by one that ended before restoring it."""
        try:
            content = base64.b64decode(self._old.get((name, flow_id), ""), validate=True)
        except ValueError:
            return None
        return content if content and digest_of(content) is not None else None


class RowDocuments(OldDocuments):
    """
    The Flow JSONs of live flows, stored in their rows while the flows are changed.

    `write` stores `sync_memory` of a row. The engine's threads call it, and it returns when that is done.
    """

    def __init__(self, memory: RowMemory, write: Callable[[WhatsAppFlow, dict[str, Any]], None]) -> None:
        self._memory, self._write = memory, write

    def keep(self, key: str, version: LiveVersion) -> None:
        """Store one in the database. If that raises, the change ends, and the flow is still live."""
        row = self._memory.row(key)
        self._memory.set_old(key, version.flow_id, version.content)
        try:
            self._write(row, self._memory.to_json(key, version.flow_id))
        except BaseException:
            self._memory.set_old(key, version.flow_id, None)
            raise

    def find(self, key: str, flow_id: str) -> bytes | None:
        """The Flow JSON that an earlier run stored, and ended before restoring it."""
        return self._memory.old(key, flow_id)

    def discard(self, key: str, flow_id: str) -> None:
        """Remove one, since the flow is live. The row is written at the end of the run."""
        self._memory.set_old(key, flow_id, None)
