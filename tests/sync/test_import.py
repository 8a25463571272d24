"""An account becomes a flows.toml that plans nothing for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import ScriptedTransport, answer
from tests.sync.support import FLOW_JSON
from whatsapp_flows import ConfigurationError, Flow, FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import diff, read_workspace, take_snapshot
from whatsapp_flows.sync._import import Imported, config_for, download, file_for, find_flows, key_for
from whatsapp_flows.sync._toml import parse_toml
from whatsapp_flows.sync._variables import fill


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Solar Installation Request", "solar_installation_request"),
        ("Réunion: 2 Ünits!", "reunion_2_units"),
        ("../../etc/passwd", "etc_passwd"),
        ("予約", "flow_77"),
        ("", "flow_77"),
        ("CON", "con_flow"),
        ("x" * 300, "x" * 60),
        ("a b", "a_b_3"),
    ],
)
def test_a_key_is_a_file_name_everywhere(name: str, key: str) -> None:
    """Of small letters, digits and underscores, never a device, never one that is taken."""
    assert key_for(Flow(id="77", name=name), {"a_b", "a_b_2"}) == key


@given(st.lists(st.text("aA-_.\u00e9\u4e88 \n/", max_size=4), max_size=6))
def test_keys_never_meet(names: list[str]) -> None:
    """Whatever the names are."""
    taken: set[str] = set()
    for name in names:
        key = key_for(Flow(id="1", name=name), taken)
        assert key not in taken
        assert key.replace("_", "").isalnum()
        assert key.isascii()
        taken.add(key)


@given(st.text('a"\\\n\x7f\x00\u00e9{}', max_size=6), st.text('a"\\\n\x7f{}', max_size=6))
def test_any_name_can_be_written(name: str, endpoint: str) -> None:
    """As TOML that says the same."""
    flow = Flow(id="1", name=name, categories=("OTHER",), endpoint_uri=endpoint, application_id="5")
    text = config_for([Imported(key="a", flow=flow, file=Path("x/a.json"))], account_id="7", env="test").decode()
    document = parse_toml(text)
    assert document["env"] == {"test": {"waba_id": "7"}}
    found = document["flows"]["a"]
    assert (found["file"], found["name"], found.get("endpoint", "")) == ("a.json", name, endpoint)


documents = st.recursive(
    st.text('a"\\{}\u00e9\ud83d', max_size=4) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a{"', max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.text("ab", max_size=2), documents, max_size=3))
def test_a_file_says_what_meta_has(document: dict[str, Any]) -> None:
    """Once it is read again, with the variables that it has not."""
    text = file_for(json.dumps(document).encode()).decode()
    assert json.loads(fill(text, {}, source="").text) == document


def test_a_document_that_is_none_is_refused() -> None:
    """And one that is nested too deeply."""
    with pytest.raises(ConfigurationError, match="it must be a JSON object"):
        file_for(b"[]")
    with pytest.raises(ConfigurationError, match="it is nested too deeply"):
        file_for(b'{"a":' * 900 + b"1" + b"}" * 900)


def test_what_was_imported_plans_nothing(meta: Emulator, client: FlowsClient, tmp_path: Path) -> None:
    """A draft, a published flow, one with an endpoint."""
    client.create_flow("A draft", ["SURVEY"], flow_json=FLOW_JSON)
    client.create_flow("Live {{1}}", ["OTHER"], flow_json=FLOW_JSON, publish=True)
    client.create_flow("With endpoint", ["OTHER"], flow_json=FLOW_JSON, endpoint_uri="https://a.example/x")
    config = tmp_path / "flows.toml"
    found = list(download(client, find_flows(client, (), config)))
    for each in found:
        each.file.write_bytes(each.content)
    config.write_bytes(config_for(found, account_id=meta.waba_id))
    workspace = read_workspace(config)
    assert (workspace.account_id, workspace.warnings) == (meta.waba_id, ())
    assert [(flow.key, flow.publish) for flow in workspace.flows] == [
        ("a_draft", False), ("live_1", True), ("with_endpoint", False),
    ]  # fmt: skip
    plan = diff(workspace.flows, take_snapshot(client, workspace.flows))
    assert [change.action for change in plan.changes] == ["unchanged"] * 3


def test_what_cannot_be_imported_stops_nothing_else(meta: Emulator, client: FlowsClient, tmp_path: Path) -> None:
    """Each is told with its reason."""
    for name in ("one", "two", "three"):
        client.create_flow(name, ["OTHER"], flow_json=FLOW_JSON)
    ids = {flow.name: flow.id for flow in client.list_flows()}
    meta.fail("download_flow_json", code=190, flow_id=ids["two"])
    found = list(download(client, find_flows(client, (), tmp_path / "flows.toml")))
    assert [(each.key, bool(each.problem), each.error is not None) for each in found] == [
        ("one", False, False), ("three", False, False), ("two", True, True),
    ]  # fmt: skip


def test_a_flow_that_has_no_flow_json_is_told() -> None:
    """Of one that has none Meta lists no file; what is none cannot be written."""
    empty, odd = (Flow(id=name, name=name) for name in ("empty", "odd"))
    transport = ScriptedTransport([answer({"data": []})])
    asset = {"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": "https://cdn.example/1"}
    transport.script += [answer({"data": [asset]}), answer(b"[]")]
    client = FlowsClient("token", "1", transport=transport, max_attempts=1)
    found = [Imported(key=flow.name, flow=flow, file=Path("x.json")) for flow in (empty, odd)]
    assert [each.problem for each in download(client, found, jobs=1)] == [
        "it has no Flow JSON",
        "its Flow JSON cannot be written: it must be a JSON object, not list",
    ]


def test_flows_are_chosen_by_name_or_key(client: FlowsClient, tmp_path: Path) -> None:
    """Deprecated ones only if they are; a word that is neither is refused."""
    client.create_flow("One", ["OTHER"], flow_json=FLOW_JSON)
    old = client.create_flow("Old One", ["OTHER"], flow_json=FLOW_JSON, publish=True).id
    client.deprecate_flow(old)
    config = tmp_path / "flows.toml"
    assert [each.key for each in find_flows(client, (), config)] == ["one"]
    assert [each.key for each in find_flows(client, ("Old One",), config)] == ["old_one"]
    assert [each.key for each in find_flows(client, ("old_one", "one"), config)] == ["old_one", "one"]
    with pytest.raises(ConfigurationError, match=r"the account has no flow 'Onee': did you mean 'One'\?"):
        find_flows(client, ("Onee",), config)
