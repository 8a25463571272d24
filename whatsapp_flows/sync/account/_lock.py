"""
`flows.lock.json`: what was uploaded, and the time of its last change at Meta. A cache: Meta is the source of truth.

    {"version": 1, "account_id": "...", "environment": "", "flows": {
        "booking": {"id": "...", "name": "Booking", "digest": "...", "updated_at": "2026-11-03T09:20:11+00:00",
                    "processed": true, "written": true, "written_at": "", "application_id": null, "successor": ""}}}

An entry says which flow a table means (see `_identity`), saves a download when Meta lists the same id with the same
`updated_at`, and says which flows this tool has written: only those are pruned. A file that is missing or stale costs
calls and causes no write; at most `prune` deprecates less. It holds no secret.

Rule 1: a file of another account or environment is never overwritten. The entries are then kept beside it, in a file
        with the account in its name (see `own_file`).
Rule 2: an entry in our own file that cannot be read stays in it unchanged.
Rule 3: an entry that is replaced by that of another flow is kept under KEY@ID if this tool has written that flow.
Rule 4: a damaged file, or one of a later version, is an error rather than an empty file.
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
_MAX_WRITE_TIME: Final = timedelta(seconds=5)  # between a change at Meta and the `Date` of the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """
    What is known of one flow. Times are ISO 8601, by Meta's clock; empty: not known.

    `digest` is the digest of its Flow JSON (`digest_of`) at the time `updated_at`. While `updated_at` is empty, any
    time just before `written_at`, the answer to our own last write, counts as the same. `processed`: True after Meta
    answered an upload of that Flow JSON with success; False: an upload was begun, and may be stored without having been
    processed (139001/4016012); None: it was not uploaded from here. `written`: this tool has created the flow or
    written to it. `application_id` is its application at that time, None if that is not known. `successor` is the name
    of a flow that was about to replace it.
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
        The entry that this or another version's `to_json` wrote; None without an id and a name.

        A value of the wrong type counts as not known, a missing one as its default.
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
        Whether a flow that Meta lists with this `updated_at` has not changed since this entry was written.

        With an `updated_at` long before our last write, the clocks of Meta's answers and of `updated_at` disagree, and
        the result is False.
        """
        if self.updated_at or not updated_at:
            return bool(updated_at) and self.updated_at == updated_at
        try:
            since = datetime.fromisoformat(self.written_at) - datetime.fromisoformat(updated_at)
        except (ValueError, TypeError, OverflowError):  # empty, not a time, or without a time zone
            return False
        return timedelta() <= since <= _MAX_WRITE_TIME


_TEXTS: Final = ("id", "name", "digest", "updated_at", "written_at", "application_id", "successor")


def _filled(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def own_file(path: Path, account_id: str) -> Path:
    """
    The lock file of an account beside that of another one.

    >>> own_file(Path("flows.lock.json"), "102290129340398").name
    'flows.102290129340398.lock.json'
    """
    stem = path.name.removesuffix(".json").removesuffix(".lock")
    return path.with_name(f"{stem}.{re.sub('[^A-Za-z0-9_-]', '_', account_id)}.lock.json")


class Lock:
    """
    The entries of one account and environment; with `path`, written to that file after each change.

    Where that file is about another account or environment, it stays as it is, and a file beside it is used. Threads
    may share a lock. Two processes may share the file: each writes all of it, with the entries of other flows that it
    finds there. Raises `ConfigurationError` when the file cannot be written, is damaged or of a later version, or is
    not a regular file.
    """

    def __init__(self, path: Path | None, *, account_id: str | None, environment: str = "") -> None:
        self._path = path if account_id is not None else None
        self._account_id = account_id
        self._environment = environment
        self._other_account = ""
        self._entries = {key: entry for key, value in self._read().items() if (entry := LockEntry.from_json(value))}
        self._owners: Mapping[str, tuple[str, str]] | None = None
        self._changed: dict[str, LockEntry | None] = {}
        self._last_written: tuple[tuple[int, int, int] | None, dict[str, Any]] = (None, {})
        self._lines: dict[str, tuple[object, str]] = {}
        self._problem = ""
        self._change_count, self._saved_count = 0, 0  # changes so far, and those on the disk
        self._mutex = threading.Lock()
        self._writing = threading.Lock()

    def __repr__(self) -> str:
        place = "in memory" if self._path is None else str(self._path)
        return f"Lock({place}, account_id={self._account_id!r}, entries={len(self._entries)})"

    @property
    def kept(self) -> bool:
        """Whether there is a file that outlives the process."""
        return self._path is not None

    @property
    def path(self) -> Path | None:
        """The file of the entries. It is not the given `path` where that is another account's."""
        return self._path

    @property
    def other_account(self) -> str:
        """
        The account of the file at the given `path`, if that is another one and this account has no file yet.

        A deployment is then the first one to this account. Empty in all other cases.
        """
        return self._other_account

    @property
    def problem(self) -> str:
        """Why the last change is not in the file, as a sentence; empty if it is."""
        return self._problem

    def get(self, key: str, flow_id: str) -> LockEntry | None:
        """The entry of a flow, if it is about the flow of that id."""
        entry = self.entry(key)
        return entry if entry is not None and entry.id == flow_id else None

    def entry(self, key: str) -> LockEntry | None:
        """The entry of a key, with any flow id."""
        with self._mutex:
            entry = self._entries.get(key)
        return entry if entry is not None and not _is_replaced(key, entry) else None

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
        Set entries, by key, and remove those that are None. The file has them when this returns.

        `written` stays true as long as the entry is about the same flow.
        """
        with self._mutex:
            changes = {
                key: entry for key, entry in self._with_replaced(entries).items() if self._entries.get(key) != entry
            }
            if changes:
                self._changed.update(changes)
                _change(self._entries, changes)
                self._owners = None
                self._change_count += 1
            number = self._change_count
        self._save(number)

    def _with_replaced(self, entries: Mapping[str, LockEntry | None]) -> dict[str, LockEntry | None]:
        """The entries to set or remove: one that is replaced by another flow's is kept (rule 3)."""
        changes: dict[str, LockEntry | None] = {}
        for key, entry in entries.items():
            before = self._entries.get(key)
            if entry is None or before is None or _is_replaced(key, before):
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
        Write all changes up to that number.

        One thread writes at a time, with all changes so far; the others wait until it is done.
        """
        if self._path is None:
            return
        with self._writing:
            if self._saved_count >= number:
                return
            with self._mutex:
                changed, count = dict(self._changed), self._change_count
            try:
                values = self._on_disk()
                _change(values, {key: entry and entry.to_json() for key, entry in changed.items()})
                replace_file(self._path, self._render(values))
            except ConfigurationError as failure:
                self._problem = str(failure)
                raise
            self._problem = ""
            self._last_written = (self._file_version(), values)
            self._saved_count = count

    def _render(self, values: Mapping[str, Any]) -> bytes:
        """One line for each flow, for readable diffs."""
        lines = (self._line(key, values[key]) for key in sorted(values))
        flows = ",\n".join(line for line in lines if line)
        head = f'"version": {LOCK_VERSION},\n  "account_id": {_dumps(self._account_id)},'
        environment = f'"environment": {_dumps(self._environment)},'
        return f'{{\n  {head}\n  {environment}\n  "flows": {{\n{flows}\n  }}\n}}\n'.encode()

    def _line(self, key: str, value: object) -> str:
        """The line of a flow. Cached, because a run writes the file after each flow."""
        known = self._lines.get(key)
        if known is None or known[0] is not value:
            try:
                line = f"    {_dumps(key)}: {_dumps(value)}"
            except RecursionError:  # not an entry, but deeply nested JSON
                line = ""
            known = self._lines[key] = (value, line)
        return known[1]

    def _on_disk(self) -> dict[str, Any]:
        """The entries of the file: those last written, unless another process has replaced it since."""
        version = self._file_version()
        if version is None or version != self._last_written[0]:
            return self._read()
        return self._last_written[1]

    def _file_version(self) -> tuple[int, int, int] | None:
        """Identifies the content of the file: another one after each write."""
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)

    def _read(self) -> dict[str, Any]:
        """
        The entries of the file as JSON values; none without a file. Where it is another account's, those of our own.

        Raises `ConfigurationError` for a damaged file, and for one of a later version.
        """
        if self._path is None or self._account_id is None:
            return {}
        document = _read_document(self._path)
        if not self._is_foreign(document):
            return self._flows(self._path, document)
        named, self._path = self._path, own_file(self._path, self._account_id)
        if self._path == named:  # somebody has written another account's entries into it
            raise ConfigurationError(f"{named} is the lock file of another account: move it away.")
        own = _read_document(self._path)
        if self._is_foreign(own):
            raise ConfigurationError(f"{self._path} is not the lock file of account {self._account_id}: move it away.")
        other = document.get("account_id") if isinstance(document, dict) else None
        if own is None and isinstance(other, str) and other != self._account_id:
            self._other_account = other
        return self._flows(self._path, own)

    def _is_foreign(self, document: object) -> bool:
        """Whether a file is about another account or environment, or too large to tell."""
        if not isinstance(document, dict):
            return document is _TOO_LARGE
        expected = (("account_id", self._account_id), ("environment", self._environment))
        return any(isinstance(value := document.get(name), str) and value != ours for name, ours in expected)

    def _flows(self, path: Path, document: object) -> dict[str, Any]:
        if document is None:
            return {}
        found = document if isinstance(document, dict) else {}
        version, flows = found.get("version"), found.get("flows")
        if isinstance(version, int) and version > LOCK_VERSION:
            raise ConfigurationError(
                f"{path} is a lock file of version {version}, and this version of whatsapp-flows-sdk reads version "
                f"{LOCK_VERSION}: upgrade whatsapp-flows-sdk."
            )
        expected = {"version": LOCK_VERSION, "account_id": self._account_id, "environment": self._environment}
        if not isinstance(flows, dict) or any(found.get(name) != value for name, value in expected.items()):
            raise _damaged(path)
        return flows


_TOO_LARGE: Final = object()


def _read_document(path: Path) -> object:
    """The JSON value in a file; None without a file, `_TOO_LARGE` for one that is not read."""
    try:
        return json.loads(read_regular(path, _MAX_BYTES)) or {}  # `null` is not a missing file
    except OSError as failure:
        if is_no_file(failure):
            raise ConfigurationError(f"{path} is no file.") from None
        return _TOO_LARGE if is_too_large(failure) else None
    except (ValueError, RecursionError):
        raise _damaged(path) from None


def _damaged(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is damaged: restore it, from version control for example, or delete it. Without it the next run "
        "downloads every Flow JSON again, and --prune deprecates none of the flows that were deployed before."
    )


def _is_replaced(key: str, entry: LockEntry) -> bool:
    """Whether this is the entry of a flow that was replaced by another (rule 3)."""
    return key.endswith(f"@{entry.id}")


_dumps = json.dumps


def _change(entries: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, entry in changes.items():
        if entry is None:
            entries.pop(key, None)
        else:
            entries[key] = entry
