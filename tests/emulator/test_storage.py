"""The world in a file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.support import NOON, PEM, WABA, Model, endpoint_json, flow_json
from whatsapp_flows.emulator._storage import Storage
from whatsapp_flows.emulator.graph._documents import stored_flow_json
from whatsapp_flows.emulator.graph._state import (
    Account,
    MessageRecord,
    MetricPoint,
    PhoneNumber,
    PreviewLink,
    TemplateButton,
    TemplateRecord,
    World,
)


def _rich() -> Model:
    """A world in which every field of every value is set."""
    model = Model()
    model.ready()
    model.add(
        "full",
        endpoint_json(screens=[]),
        status="THROTTLED",
        endpoint_uri="https://e.example",
        locked=True,
        updated_at=NOON,
        preview=PreviewLink(serial=3, created_at=NOON),
        metrics=(MetricPoint(metric="ENDPOINT_REQUEST_COUNT", at=NOON, data=(("value", 3.5),)),),
    )
    edited = model.add("bare", application_id=None, published=stored_flow_json(b'{"version": "7.3"}\xff', NOON))
    model.world = model.world.with_account(Account(id="3", business_id="4", callbacks={"5": "https://e.example"}))
    model.world = model.world.with_phone_number(PhoneNumber(id="5", waba_id="3", verified=False))
    model.world = replace(model.world, dead_endpoints=frozenset({"a", "*"}), closed_windows=frozenset({"49170"}))
    button = TemplateButton(index=1, flow_id=edited, flow_action="navigate", navigate_screen="START")
    template = TemplateRecord(
        id="6", waba_id=WABA, name="t", language="en", category="UTILITY", status="APPROVED", buttons=(button,),
        header_variables=("1",), body_variables=("a", "b"), components=({"type": "BODY", "text": "x"},),
    )  # fmt: skip
    model.world = replace(model.world.with_template(template), holds_templates=True)
    for number in range(11):  # so that the order is not that of the ids
        message = MessageRecord(
            id=f"wamid.{11 - number}", phone_number_id="5", at=NOON, to="49170", flow_ids=(edited,), tokens=("t",),
            mode="draft", action="navigate", screen="START", data={"a": [1]}, content={"type": "flow"}, reply_to="w",
        )  # fmt: skip
        model.world = model.world.with_message(message)
    return model


def test_a_world_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every field, and the documents byte for byte."""
    world = _rich().world
    with closing(Storage(tmp_path / "world")) as storage:
        assert storage.load() == World()
        storage.save(World(), world)
    with closing(Storage(tmp_path / "world")) as storage:
        assert storage.load() == world
        assert list(storage.load().messages) == list(world.messages)


def test_a_document_keeps_the_errors_of_its_day(tmp_path: Path) -> None:
    """A document that was valid when it was uploaded is valid when it is loaded after its version was frozen."""
    model = Model(now=datetime(2025, 9, 8, tzinfo=timezone.utc).timestamp())
    flow_id = model.add(content=flow_json(version="5.0"), updated_at=NOON)
    with closing(Storage(tmp_path / "world")) as storage:
        storage.save(World(), model.world)
    with closing(Storage(tmp_path / "world")) as storage:
        document = storage.load().flows[flow_id].document
    assert document is not None
    assert (document.issues, document.publishable(NOON)) == ((), False)


def test_only_the_difference_is_written(tmp_path: Path) -> None:
    """Changed, added and deleted entities are written; the others are not."""
    model = _rich()
    before = model.world
    first, second = before.flows
    changed = replace(before.flows[first], name="changed")
    after = before.with_flow(changed).without_flow(second)
    with closing(Storage(tmp_path / "world")) as storage:
        storage.save(World(), before)
        storage.save(before, before)
        storage.save(before, after)
    with closing(Storage(tmp_path / "world")) as storage:
        assert storage.load() == after


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from(["add", "delete", "key"]), max_size=8))
def test_the_file_follows_the_world(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    """After any steps the file holds the last world, with the Flows in their order."""
    path = tmp_path_factory.mktemp("storage") / "world"
    model = Model()
    with closing(Storage(path)) as storage:
        storage.save(World(), model.world)
        for step in steps:
            before = model.world
            if step == "add":
                model.add(f"flow {model.world.ids_given}")
            elif step == "delete" and model.world.flows:
                model.ask("DELETE", next(iter(model.world.flows)))
            elif step == "key":
                (number,) = model.world.phone_numbers_of(WABA)
                model.world = model.world.with_phone_number(replace(number, public_key=PEM))
            storage.save(before, model.world)
    with closing(Storage(path)) as storage:
        world = storage.load()
    assert world == model.world
    assert list(world.flows) == list(model.world.flows)


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """A transaction is written whole or not at all."""
    model = _rich()
    before = model.world
    flow_id = model.add("broken", endpoint_uri=object())
    assert flow_id in model.world.flows
    with closing(Storage(tmp_path / "world")) as storage:
        storage.save(World(), before)
        with pytest.raises(TypeError):
            storage.save(before, model.world)
        storage.save(before, before.without_flow(next(iter(before.flows))))
    with closing(Storage(tmp_path / "world")) as storage:
        assert len(storage.load().flows) == 1


def test_a_file_belongs_to_one_emulator(tmp_path: Path) -> None:
    """A second emulator cannot open it while the first is running."""
    with closing(Storage(tmp_path / "world")), pytest.raises(ValueError, match="cannot be used, database is locked"):
        Storage(tmp_path / "world")
    Storage(tmp_path / "world").close()


def test_a_file_of_the_layout_before_is_read(tmp_path: Path) -> None:
    """Its accounts have no callbacks, and it has no messages; it is written in the current layout from then on."""
    path = tmp_path / "world"
    Storage(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        record = '{"id": "1", "business_id": "2", "subscribed_apps": ["3"]}'
        connection.execute("INSERT INTO entity VALUES ('account', '1', ?, NULL)", (record,))
        connection.execute("PRAGMA user_version = 2")
    with closing(Storage(path)) as storage:
        assert storage.load().accounts == {"1": Account(id="1", business_id="2", subscribed_apps=("3",))}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)


def test_a_foreign_file_is_not_changed(tmp_path: Path) -> None:
    """Neither another database nor any other file."""
    database, text = tmp_path / "database", tmp_path / "text"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    text.write_text("not a database, but a text that is longer than a header of SQLite would ever be, by far, surely")
    for path in (database, text):
        before = path.read_bytes()
        with pytest.raises(ValueError, match="not a database of this emulator"):
            Storage(path)
        assert path.read_bytes() == before


def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match="cannot be used, unable to open"):
        Storage(tmp_path / "nowhere" / "world")
