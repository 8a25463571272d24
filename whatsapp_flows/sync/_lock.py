"""
`flows.lock.json`: what was uploaded, and when Meta said it had last changed. A cache, and never the truth.

    {"version": 1, "account_id": "...", "environment": "", "flows": {
        "booking": {"id": "...", "name": "Booking", "digest": "...", "updated_at": "2026-11-03T09:20:11+00:00",
                    "processed": true}}}

An entry spares a download, and counts only when Meta lists the same id with the same `updated_at`. Which flow is meant
is told by its name alone. So a file that is missing, stale, damaged, or another account's costs calls, and can cause
no write; at most it keeps `prune` from doing one. It holds no secret.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .._files import replace_file

LOCK_VERSION: Final = 1
_MAX_BYTES: Final = 64 * 1024 * 1024  # a hundred thousand flows need a third of that


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """
    What is known of one flow.

    `digest` is that of its Flow JSON (`digest_of`) when Meta's `updated_at` was as it stands here; an `updated_at` that
    is empty matches nothing. `processed`: Meta answered an upload of exactly that with success; False: an upload was
    begun, and may be stored without having been processed (139001/4016012); None: it was not uploaded from here.
    """

    id: str
    name: str
    digest: str
    updated_at: str = ""
    processed: bool | None = None


class Lock:
    """
    The entries of one account and environment; with `path`, kept in that file after each change.

    Threads may share it. Two processes may share the file: each writes it whole, with what it finds there of flows
    that it knows nothing about. Raises `ConfigurationError` when the file cannot be written.
    """

    def __init__(self, path: Path | None, *, account_id: str | None, environment: str = "") -> None:
        self._path = path
        self._account_id = account_id
        self._environment = environment
        self._entries = self._read()
        self._changed: dict[str, LockEntry | None] = {}
        self._mine: tuple[tuple[int, int, int] | None, dict[str, LockEntry]] = (None, {})
        self._lines: dict[str, tuple[LockEntry, str]] = {}
        self._unsaved = False
        self._mutex = threading.Lock()
        self._writing = threading.Lock()

    @property
    def kept(self) -> bool:
        """Whether there is a file that outlives the process."""
        return self._path is not None

    def get(self, key: str, flow_id: str) -> LockEntry | None:
        """The entry of a flow, if it is about the flow of that id."""
        with self._mutex:
            entry = self._entries.get(key)
        return entry if entry is not None and entry.id == flow_id else None

    def owner(self, flow_id: str, name: str) -> str | None:
        """The key that the flow of this id and name was deployed under; None if it was not from here."""
        with self._mutex:
            return next((key for key, it in self._entries.items() if (it.id, it.name) == (flow_id, name)), None)

    def put(self, entries: Mapping[str, LockEntry | None]) -> None:
        """
        Remember entries, by key, and forget those that are None.

        The file holds them when this returns, or when another thread that is just writing it has written it again.
        """
        with self._mutex:
            changes = {key: entry for key, entry in entries.items() if self._entries.get(key) != entry}
            if not changes:
                return
            self._changed.update(changes)
            _change(self._entries, changes)
            self._unsaved = True
        self._save()

    def _save(self) -> None:
        """Write what is unsaved. One thread at a time; the others leave it to that one and need not wait."""
        if self._path is None:
            return
        while self._writing.acquire(blocking=False):
            try:
                with self._mutex:
                    if not self._unsaved:
                        return
                    changed = dict(self._changed)
                    self._unsaved = False
                entries = self._on_disk()
                _change(entries, changed)
                replace_file(self._path, self._written(entries))
                self._mine = (self._mark(), entries)
            finally:
                self._writing.release()
            with self._mutex:
                if not self._unsaved:
                    return

    def _written(self, entries: Mapping[str, LockEntry]) -> bytes:
        """A line for each flow, so that a diff of two files can be read."""
        flows = ",\n".join(self._line(key, entries[key]) for key in sorted(entries))
        head = f'"version": {LOCK_VERSION},\n  "account_id": {_shown(self._account_id)},'
        environment = f'"environment": {_shown(self._environment)},'
        return f'{{\n  {head}\n  {environment}\n  "flows": {{\n{flows}\n  }}\n}}\n'.encode()

    def _line(self, key: str, entry: LockEntry) -> str:
        """The line of a flow, made once for each entry: a deployment of thousands writes the file after each."""
        known = self._lines.get(key)
        if known is None or known[0] is not entry:
            known = self._lines[key] = (entry, f"    {_shown(key)}: {_shown(_document(entry))}")
        return known[1]

    def _on_disk(self) -> dict[str, LockEntry]:
        """The entries of the file: what was written last, unless another process has replaced it since."""
        mark = self._mark()
        if mark is None or mark != self._mine[0]:
            return self._read()
        return self._mine[1]

    def _mark(self) -> tuple[int, int, int] | None:
        """What tells one version of the file from another."""
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)

    def _read(self) -> dict[str, LockEntry]:
        """The entries of the file; none if it is not there, not readable, or not about this account."""
        if self._path is None or self._account_id is None:
            return {}
        try:
            with self._path.open("rb") as file:
                document = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        about = {"version": LOCK_VERSION, "account_id": self._account_id, "environment": self._environment}
        if not isinstance(document, dict) or any(document.get(name) != value for name, value in about.items()):
            return {}
        flows = document.get("flows")
        found = flows.items() if isinstance(flows, dict) else ()
        return {key: entry for key, value in found if (entry := _entry(value)) is not None}


def _document(entry: LockEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in LockEntry.__slots__}


_shown = json.dumps


def _change(entries: dict[str, LockEntry], changes: Mapping[str, LockEntry | None]) -> None:
    for key, entry in changes.items():
        if entry is None:
            entries.pop(key, None)
        else:
            entries[key] = entry


def _entry(value: Any) -> LockEntry | None:
    """An entry as it was written; None for anything else."""
    if not isinstance(value, dict) or value.keys() != set(LockEntry.__slots__):
        return None
    processed = value["processed"]
    texts = [value[name] for name in LockEntry.__slots__ if name != "processed"]
    if not all(isinstance(text, str) for text in texts) or not (processed is None or isinstance(processed, bool)):
        return None
    return LockEntry(**value)
