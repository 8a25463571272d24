"""
The world in one SQLite file.

Each request is a transaction that writes its changes. With a rollback journal and without fsync, the file survives the
end of the process at any moment, but not a crash of the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from .graph import (
    Account,
    FlowRecord,
    MediaRecord,
    MessageRecord,
    MetricPoint,
    PhoneNumber,
    PreviewLink,
    StoredFlowJson,
    TemplateButton,
    TemplateRecord,
    World,
    stored_flow_json,
)

_APPLICATION_ID: Final = 0x57414645  # "WAFE": identifies the emulator's files
_LAYOUT: Final = 4
_READABLE: Final = frozenset({2, 3, _LAYOUT})  # 2: before accounts had `callbacks`; 3: before messages
_META: Final = "world"
_ANY_BYTES: Final = "surrogateescape"
_NO_COUNTERS: Final[Mapping[str, Any]] = {
    "ids_given": 0,
    "messages_sent": 0,
    "dead_endpoints": [],
    "closed_windows": [],
    "holds_templates": False,
}

Entity = Account | PhoneNumber | FlowRecord | TemplateRecord | MessageRecord | MediaRecord


class Storage:
    """An open database. Only one emulator can open it at a time."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """ValueError when the file cannot be opened, is in use, or is not a database of the emulator."""
        with contextlib.ExitStack() as undo:
            try:
                self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
                undo.callback(self._connection.close)
                self._prepare()
            except sqlite3.OperationalError as error:
                raise ValueError(f"{os.fspath(path)}: cannot be used, {error}") from error
            except (sqlite3.DatabaseError, ValueError) as error:
                raise ValueError(f"{os.fspath(path)}: not a database of this emulator") from error
            undo.pop_all()

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA synchronous = OFF")
        execute("BEGIN IMMEDIATE")
        (owner,), (layout,) = execute("PRAGMA application_id").fetchone(), execute("PRAGMA user_version").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and (owner != _APPLICATION_ID or layout not in _READABLE):
            raise ValueError("foreign file")
        execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        execute(f"PRAGMA user_version = {_LAYOUT}")
        execute(
            "CREATE TABLE IF NOT EXISTS entity (kind TEXT, id TEXT, record TEXT NOT NULL, document BLOB,"
            " PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )
        execute("COMMIT")

    def load(self) -> World:
        """The stored world; an empty one for a new file."""
        rows = list(self._connection.execute("SELECT kind, id, record, document FROM entity"))
        kinds: dict[str, dict[str, Any]] = {kind: {} for kind in (*_READERS, _META)}
        for kind, entity_id, record, document in sorted(rows, key=lambda row: (row[0], len(row[1]), row[1])):
            kinds[kind][entity_id] = (json.loads(record), document)
        read = {
            kind: {key: reader(*stored) for key, stored in kinds[kind].items()} for kind, reader in _READERS.items()
        }
        counters: dict[str, Any] = {**_NO_COUNTERS, **kinds[_META].get(_META, ({}, None))[0]}
        return World(
            accounts=read["account"],
            phone_numbers=read["phone_number"],
            flows=read["flow"],
            templates=read["template"],
            messages={each.id: each for each in sorted(read["message"].values(), key=lambda each: each.number)},
            media=read["media"],
            ids_given=counters["ids_given"],
            messages_sent=counters["messages_sent"],
            dead_endpoints=frozenset(counters["dead_endpoints"]),
            closed_windows=frozenset(counters["closed_windows"]),
            holds_templates=counters["holds_templates"],
        )

    def save(self, before: World, after: World) -> None:
        """Write the difference between two worlds, in one transaction."""
        if before is after:
            return
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            for kind, old, new in _collections(before, after):
                self._save_kind(kind, old, new)
            counters = {
                "ids_given": after.ids_given,
                "messages_sent": after.messages_sent,
                "dead_endpoints": sorted(after.dead_endpoints),
                "closed_windows": sorted(after.closed_windows),
                "holds_templates": after.holds_templates,
            }
            self._put(_META, _META, counters, None)

    def _save_kind(self, kind: str, old: Mapping[str, Entity], new: Mapping[str, Entity]) -> None:
        if old is new:
            return
        for entity_id, entity in new.items():
            if old.get(entity_id) is not entity:
                self._put(kind, entity_id, *_to_record(entity))
        for entity_id in old.keys() - new.keys():
            self._connection.execute("DELETE FROM entity WHERE kind = ? AND id = ?", (kind, entity_id))

    def _put(self, kind: str, entity_id: str, record: Mapping[str, object], document: bytes | None) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO entity VALUES (?, ?, ?, ?)", (kind, entity_id, json.dumps(record), document)
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _collections(before: World, after: World) -> Iterator[tuple[str, Mapping[str, Entity], Mapping[str, Entity]]]:
    yield "account", before.accounts, after.accounts
    yield "phone_number", before.phone_numbers, after.phone_numbers
    yield "flow", before.flows, after.flows
    yield "template", before.templates, after.templates
    yield "message", before.messages, after.messages
    yield "media", before.media, after.media


def _to_record(entity: Entity) -> tuple[dict[str, object], bytes | None]:
    """An entity as JSON, and its Flow JSON or its content, which are stored as bytes."""
    if isinstance(entity, MediaRecord):
        return {**asdict(entity), "content": None}, entity.content
    if isinstance(entity, (TemplateRecord, MessageRecord)):
        return asdict(entity), None
    record = {field.name: getattr(entity, field.name) for field in fields(entity) if field.name != "document"}
    if not isinstance(entity, FlowRecord):
        return record, None
    published = entity.published
    record["published"] = published and {
        "content": published.content.decode("utf-8", _ANY_BYTES),
        "uploaded_at": published.uploaded_at,
    }
    record["uploaded_at"] = entity.document.uploaded_at if entity.document else None
    link = entity.preview
    record["preview"] = {"serial": link.serial, "created_at": link.created_at} if link else None
    record["metrics"] = [{"metric": each.metric, "at": each.at, "data": each.data} for each in entity.metrics]
    return record, entity.flow_json


def _read_account(record: dict[str, Any], _: bytes | None) -> Account:
    return Account(**{**record, "subscribed_apps": tuple(record["subscribed_apps"])})


def _read_phone_number(record: dict[str, Any], _: bytes | None) -> PhoneNumber:
    return PhoneNumber(**record)


def _read_flow(record: dict[str, Any], document: bytes | None) -> FlowRecord:
    uploaded_at = record.pop("uploaded_at")
    points = [
        MetricPoint(metric=each["metric"], at=each["at"], data=tuple((key, value) for key, value in each["data"]))
        for each in record["metrics"]
    ]
    read = {
        "categories": tuple(record["categories"]),
        "published": _read_published(record.get("published")),
        "document": None if document is None else stored_flow_json(document, uploaded_at),
        "preview": PreviewLink(**record["preview"]) if record["preview"] else None,
        "metrics": tuple(points),
    }
    return FlowRecord(**{**record, **read})


def _read_published(record: dict[str, Any] | None) -> StoredFlowJson | None:
    return stored_flow_json(record["content"].encode("utf-8", _ANY_BYTES), record["uploaded_at"]) if record else None


def _read_template(record: dict[str, Any], _: bytes | None) -> TemplateRecord:
    read = {name: tuple(record[name]) for name in ("header_variables", "body_variables", "components")}
    buttons = tuple(TemplateButton(**button) for button in record["buttons"])
    return TemplateRecord(**{**record, **read, "buttons": buttons})


def _read_message(record: dict[str, Any], _: bytes | None) -> MessageRecord:
    return MessageRecord(**{**record, "flow_ids": tuple(record["flow_ids"]), "tokens": tuple(record["tokens"])})


def _read_media(record: dict[str, Any], content: bytes | None) -> MediaRecord:
    return MediaRecord(**{**record, "content": content or b""})


_READERS: Final[Mapping[str, Callable[[dict[str, Any], bytes | None], Any]]] = {
    "account": _read_account,
    "flow": _read_flow,
    "media": _read_media,
    "message": _read_message,
    "phone_number": _read_phone_number,
    "template": _read_template,
}
