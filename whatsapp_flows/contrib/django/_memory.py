"""What the engine keeps in a lock file and beside it, kept in the rows: `WhatsAppFlow.sync_memory`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ...sync import LiveVersion, Lock, LockEntry, OldDocuments, digest_of
from .models import WhatsAppFlow


class RowMemory(Lock):
    """
    A lock file whose entries are kept in the rows: an unchanged sync downloads nothing.

    Like the file it is a cache. An entry of another account counts for nothing, but that there is one.
    """

    def __init__(self, account_id: str | None) -> None:
        super().__init__(None, account_id=account_id)
        self._account = account_id
        self._accounts: set[str] = set()
        self._rows: dict[str, WhatsAppFlow] = {}
        self._old: dict[tuple[str, str], str] = {}

    @property
    def kept(self) -> bool:
        """Whether the entries outlive the process."""
        return True

    @property
    def other_account(self) -> str:
        """The account that the rows were deployed to, if that is another one, and none of them to this one yet."""
        return "" if self._account in self._accounts else next(iter(sorted(self._accounts)), "")

    def recall(self, row: WhatsAppFlow) -> None:
        """What a row remembers."""
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

    def of(self, name: str, flow_id: str) -> dict[str, Any]:
        """What the row of that name should remember of this flow."""
        entry, old = self.get(name, flow_id), self._old.get((name, flow_id))
        if entry is None and old is None:
            return {}
        told = LockEntry(id=flow_id, name=self._rows[name].name_at_meta) if entry is None else entry
        return {"account_id": self._account, "entry": told.to_json(), **({} if old is None else {"old": old})}

    def row(self, name: str) -> WhatsAppFlow:
        """The row of that name, which was recalled."""
        return self._rows[name]

    def set_old(self, name: str, flow_id: str, content: bytes | None) -> None:
        """What a live flow has while it is changed, in base64, as no database takes every text; None: nothing."""
        if content is None:
            self._old.pop((name, flow_id), None)
        else:
            self._old[name, flow_id] = base64.b64encode(content).decode()

    def old(self, name: str, flow_id: str) -> bytes | None:
        """What was set, by this run or by one that did not live to put it back."""
        try:
            content = base64.b64decode(self._old.get((name, flow_id), ""), validate=True)
        except ValueError:
            return None
        return content if content and digest_of(content) is not None else None


class RowDocuments(OldDocuments):
    """
    The Flow JSONs of live flows in their rows, while these are changed.

    `write` stores what a row remembers; it is called by the engine's threads, and returns when that is done.
    """

    def __init__(self, memory: RowMemory, write: Callable[[WhatsAppFlow, dict[str, Any]], None]) -> None:
        self._memory, self._write = memory, write

    def keep(self, key: str, version: LiveVersion) -> None:
        """In the database when this returns. What the database raises ends the change, and the flow is still live."""
        row = self._memory.row(key)
        self._memory.set_old(key, version.flow_id, version.content)
        try:
            self._write(row, self._memory.of(key, version.flow_id))
        except BaseException:
            self._memory.set_old(key, version.flow_id, None)
            raise

    def find(self, key: str, flow_id: str) -> bytes | None:
        """What an earlier run kept of a flow, and did not live to put back."""
        return self._memory.old(key, flow_id)

    def discard(self, key: str, flow_id: str) -> None:
        """The flow is live: what the row remembers is written at the end of the run."""
        self._memory.set_old(key, flow_id, None)
