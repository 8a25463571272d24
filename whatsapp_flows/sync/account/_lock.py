"""
`flows.lock.json`: what was uploaded, and when Meta said it had last changed. A cache, and never the truth.

    {"version": 1, "account_id": "...", "environment": "", "flows": {
        "booking": {"id": "...", "name": "Booking", "digest": "...", "updated_at": "2026-11-03T09:20:11+00:00",
                    "processed": true, "written": true, "written_at": "", "application_id": null, "successor": ""}}}

An entry says which flow a table means (see `_identity`), spares a download when Meta lists the same id with the same
`updated_at`, and says which flows this tool has written: only those are pruned. A file that is missing, stale or
damaged costs calls, and can cause no write; at most it keeps `prune` from doing one. It holds no secret.

Rule 1: a file that is about another account or environment is never overwritten. The entries are then kept beside it,
        in a file that has the account in its name (see `own_file`).
Rule 2: what cannot be read in a file of our own stays in it as it is: an entry of another shape, a key of a later
        version.
Rule 3: an entry that makes way for that of another flow is kept under KEY@ID if this tool has written it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ..._files import replace_file
from ..._reading import is_no_file, is_too_large, read_regular
from ...errors import ConfigurationError

LOCK_VERSION: Final = 1
_MAX_BYTES: Final = 64 * 1024 * 1024  # a hundred thousand flows need a third of that
_LONGEST_WRITE: Final = timedelta(seconds=5)  # from the change at Meta to the `Date` of its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """
    What is known of one flow. Times are ISO 8601, by Meta's clock; empty: not known.

    `digest` is that of its Flow JSON (`digest_of`) when Meta's `updated_at` was as it stands here. While `updated_at`
    is empty, an `updated_at` just before `written_at`, the answer to our own last write, stands in for it. `processed`:
    Meta answered an upload of exactly that with success; False: an upload was begun, and may be stored without having
    been processed (139001/4016012); None: it was not uploaded from here. `written`: this tool has created the flow or
    written to it. `application_id` is the application that it had then, None if that is not
    known. `successor` is the name of a flow that was about to take its place.
    """

    id: str
    name: str
    digest: str = ""
    updated_at: str = ""
    processed: bool | None = None
    written: bool = False
    written_at: str = ""
    application_id: str | None = None
    successor: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes."""
        return {name: getattr(self, name) for name in LockEntry.__slots__}

    @classmethod
    def from_json(cls, value: object) -> LockEntry | None:
        """
        The entry that `to_json` wrote, in this version or another one; None for what has no id and name.

        What is of a type of its own counts as not known, what is not there as its default.
        """
        if not isinstance(value, Mapping) or not all(_filled(value.get(name)) for name in ("id", "name")):
            return None
        known: dict[str, Any] = {name: value[name] for name in _TEXTS if isinstance(value.get(name), str)}
        known |= {name: value[name] for name in ("processed", "written") if isinstance(value.get(name), bool)}
        return cls(**known)

    @property
    def ours(self) -> bool:
        """
        Whether this tool has written to the flow, rather than only found it.

        Earlier versions did not write `written`: an upload from here proves it as well.
        """
        return self.written or self.processed is not None

    def holds(self, updated_at: str) -> bool:
        """
        Whether a flow that Meta lists with this `updated_at` is as it was when this was noted.

        A time long before our last write is not that of our write either: then the two clocks of Meta, that of its
        answers and that of `updated_at`, do not agree, and nothing is known.
        """
        if self.updated_at or not updated_at:
            return bool(updated_at) and self.updated_at == updated_at
        try:
            since = datetime.fromisoformat(self.written_at) - datetime.fromisoformat(updated_at)
        except (ValueError, TypeError, OverflowError):  # empty, no time, or of no time zone
            return False
        return timedelta() <= since <= _LONGEST_WRITE


_TEXTS: Final = ("id", "name", "digest", "updated_at", "written_at", "application_id", "successor")


def _filled(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def own_file(path: Path, account_id: str) -> Path:
    """
    The lock file of an account beside one that is about another.

    >>> own_file(Path("flows.lock.json"), "102290129340398").name
    'flows.102290129340398.lock.json'
    """
    stem = path.name.removesuffix(".json").removesuffix(".lock")
    return path.with_name(f"{stem}.{re.sub('[^A-Za-z0-9_-]', '_', account_id)}.lock.json")


class Lock:
    """
    The entries of one account and environment; with `path`, kept in that file after each change.

    Where that file is about another account or environment, they are kept in a file of their own beside it, and it
    stays as it is. Threads may share it. Two processes may share the file: each writes it whole, with what it finds
    there of flows that it knows nothing about. Raises `ConfigurationError` when the file cannot be written, or is
    something other than a file.
    """

    def __init__(self, path: Path | None, *, account_id: str | None, environment: str = "") -> None:
        self._path = path if account_id is not None else None
        self._account_id = account_id
        self._environment = environment
        self._beside = ""
        self._entries = {key: entry for key, value in self._found().items() if (entry := LockEntry.from_json(value))}
        self._owners: Mapping[str, tuple[str, str]] | None = None
        self._changed: dict[str, LockEntry | None] = {}
        self._mine: tuple[tuple[int, int, int] | None, dict[str, Any]] = (None, {})
        self._lines: dict[str, tuple[object, str]] = {}
        self._problem = ""
        self._noted, self._saved = 0, 0  # how many changes there were, and how many of them are on the disk
        self._mutex = threading.Lock()
        self._writing = threading.Lock()

    @property
    def kept(self) -> bool:
        """Whether there is a file that outlives the process."""
        return self._path is not None

    @property
    def path(self) -> Path | None:
        """The file that the entries are kept in: that of the account where the one that was named is another's."""
        return self._path

    @property
    def other_account(self) -> str:
        """
        The account that the file that was named is about, if that is another one and this one has no file yet.

        A deployment is then the first one to this account, beside that to the other. Empty in all other cases.
        """
        return self._beside

    @property
    def problem(self) -> str:
        """Why the file does not hold what was put last, in a sentence; empty if it does."""
        return self._problem

    def get(self, key: str, flow_id: str) -> LockEntry | None:
        """The entry of a flow, if it is about the flow of that id."""
        entry = self.entry(key)
        return entry if entry is not None and entry.id == flow_id else None

    def entry(self, key: str) -> LockEntry | None:
        """The entry of a flow, whichever flow of the account it is about."""
        with self._mutex:
            entry = self._entries.get(key)
        return entry if entry is not None and not _is_earlier(key, entry) else None

    def owner(self, flow_id: str, name: str) -> str | None:
        """The key that the flow of this id and name was written under; None if it was not written from here."""
        with self._mutex:
            if self._owners is None:
                self._owners = {
                    entry.id: (key.removesuffix(f"@{entry.id}"), entry.name)
                    for key, entry in self._entries.items()
                    if entry.ours
                }
            key, known = self._owners.get(flow_id, (None, ""))
        return key if known == name else None

    def put(self, entries: Mapping[str, LockEntry | None]) -> None:
        """
        Remember entries, by key, and forget those that are None. When this returns, the file holds them.

        That a flow was written is not forgotten as long as the entry is about that flow.
        """
        with self._mutex:
            changes = {key: entry for key, entry in self._moves(entries).items() if self._entries.get(key) != entry}
            if changes:
                self._changed.update(changes)
                _change(self._entries, changes)
                self._owners = None
                self._noted += 1
            number = self._noted
        self._save(number)

    def _moves(self, entries: Mapping[str, LockEntry | None]) -> dict[str, LockEntry | None]:
        """The changes to the entries that are there: what makes way for another flow is kept (rule 3)."""
        changes: dict[str, LockEntry | None] = {}
        for key, entry in entries.items():
            before = self._entries.get(key)
            if entry is None or before is None or _is_earlier(key, before):
                changes[key] = entry
            elif before.id == entry.id:
                changes[key] = replace(entry, written=True) if before.ours and not entry.ours else entry
            else:
                changes[key] = entry
                changes[f"{key}@{before.id}"] = replace(before, successor="") if before.ours else None
            if entry is not None and f"{key}@{entry.id}" in self._entries:
                changes[f"{key}@{entry.id}"] = None
        return changes

    def _save(self, number: int) -> None:
        """
        Have the change of that number on the disk, and those before it.

        One thread writes at a time, what has come together is written together, and all wait until it is done.
        """
        if self._path is None:
            return
        with self._writing:
            if self._saved >= number:
                return
            with self._mutex:
                changed, noted = dict(self._changed), self._noted
            values = self._on_disk()
            _change(values, {key: entry and entry.to_json() for key, entry in changed.items()})
            try:
                replace_file(self._path, self._written(values))
            except ConfigurationError as failure:
                self._problem = str(failure)
                raise
            self._problem = ""
            self._mine = (self._mark(), values)
            self._saved = noted

    def _written(self, values: Mapping[str, Any]) -> bytes:
        """A line for each flow, so that a diff of two files can be read."""
        lines = (self._line(key, values[key]) for key in sorted(values))
        flows = ",\n".join(line for line in lines if line)
        head = f'"version": {LOCK_VERSION},\n  "account_id": {_shown(self._account_id)},'
        environment = f'"environment": {_shown(self._environment)},'
        return f'{{\n  {head}\n  {environment}\n  "flows": {{\n{flows}\n  }}\n}}\n'.encode()

    def _line(self, key: str, value: object) -> str:
        """The line of a flow, made once for each entry: a deployment of thousands writes the file after each."""
        known = self._lines.get(key)
        if known is None or known[0] is not value:
            try:
                line = f"    {_shown(key)}: {_shown(value)}"
            except RecursionError:  # somebody's nest of lists, which is no entry
                line = ""
            known = self._lines[key] = (value, line)
        return known[1]

    def _on_disk(self) -> dict[str, Any]:
        """The entries of the file: what was written last, unless another process has replaced it since."""
        mark = self._mark()
        if mark is None or mark != self._mine[0]:
            return self._found()
        return self._mine[1]

    def _mark(self) -> tuple[int, int, int] | None:
        """What tells one version of the file from another."""
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)

    def _found(self) -> dict[str, Any]:
        """
        The entries of the file as they are written there; none if it is not there or damaged.

        From a file that is another's it goes on to our own.
        """
        if self._path is None or self._account_id is None:
            return {}
        document = _read(self._path)
        if not self._is_foreign(document):
            return self._flows(document)
        named, self._path = self._path, own_file(self._path, self._account_id)
        if self._path == named:  # somebody has written another account's entries into it
            raise ConfigurationError(f"{named} is the lock file of another account: move it away.")
        mine = _read(self._path)
        if self._is_foreign(mine):
            raise ConfigurationError(f"{self._path} is not the lock file of account {self._account_id}: move it away.")
        other = document.get("account_id") if isinstance(document, dict) else None
        if mine is None and isinstance(other, str) and other != self._account_id:
            self._beside = other
        return self._flows(mine)

    def _is_foreign(self, document: object) -> bool:
        """Whether a file is about another account or environment, or too large to tell."""
        if not isinstance(document, dict):
            return document is _TOO_LARGE
        about = (("account_id", self._account_id), ("environment", self._environment))
        return any(isinstance(said := document.get(name), str) and said != mine for name, mine in about)

    def _flows(self, document: object) -> dict[str, Any]:
        if not isinstance(document, dict) or document.get("version") != LOCK_VERSION:
            return {}
        about = {"account_id": self._account_id, "environment": self._environment}
        flows = document.get("flows")
        if not isinstance(flows, dict) or any(document.get(name) != value for name, value in about.items()):
            return {}
        return flows


_TOO_LARGE: Final = object()


def _read(path: Path) -> object:
    """What a file says; None for one that is not there or is no JSON, `_TOO_LARGE` for one that is not read."""
    try:
        return json.loads(read_regular(path, _MAX_BYTES))
    except OSError as failure:
        if is_no_file(failure):
            raise ConfigurationError(f"{path} is no file.") from None
        return _TOO_LARGE if is_too_large(failure) else None
    except (ValueError, RecursionError):
        return None


def _is_earlier(key: str, entry: LockEntry) -> bool:
    """Whether this is the entry of a flow that made way for another (rule 3)."""
    return key.endswith(f"@{entry.id}")


_shown = json.dumps


def _change(entries: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, entry in changes.items():
        if entry is None:
            entries.pop(key, None)
        else:
            entries[key] = entry
