"""An account is imported as a flows.toml for which its plan has no changes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.support import ScriptedTransport, answer
from tests.sync.support import FLOW_JSON
from whatsapp_flows import ConfigurationError, Flow, FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import diff, read_workspace, take_snapshot
from whatsapp_flows.sync._import import (
    ImportedFlow,
    download_flows,
    file_for,
    key_for,
    keyed,
    list_importable,
    render_config,
)
from whatsapp_flows.sync.desired._toml import parse_toml
from whatsapp_flows.sync.desired._variables import fill


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
def test_a_key_is_a_valid_file_name_everywhere(name: str, key: str) -> None:
    """Of lower-case letters, digits and underscores, never a reserved name, never one that is taken."""
    assert key_for(Flow(id="77", name=name), {"a_b", "a_b_2"}) == key


@given(st.lists(st.text("aA-_.\u00e9\u4e88 \n/", max_size=4), max_size=6))
def test_keys_are_unique(names: list[str]) -> None:
    """For any names."""
    taken: set[str] = set()
    for name in names:
        key = key_for(Flow(id="1", name=name), taken)
        assert key not in taken
        assert key.replace("_", "").isalnum()
        assert key.isascii()
        taken.add(key)


UNUSUAL = "a\"\\\n\r\t\x00\x1b\x7f\x85\u2028\ufeff\u00e9\ud800\udfff\U0001f600{}[]=#' "


@settings(max_examples=some(300))
@given(
    st.lists(
        st.builds(
            Flow,
            id=st.text("0123456789ab/\n", min_size=1, max_size=3),
            name=st.text(UNUSUAL, max_size=6) | st.sampled_from(["EAAG" + "x" * 40, " Booking ", "Booking"]),
            status=st.sampled_from(["DRAFT", "PUBLISHED", "DEPRECATED", "ODD"]),
            categories=st.lists(st.text(UNUSUAL, max_size=3), max_size=2).map(tuple),
            endpoint_uri=st.none() | st.text(UNUSUAL, max_size=5),
            application_id=st.none() | st.text("01a\n\ud800", max_size=3),
        ),
        max_size=5,
        unique_by=lambda flow: flow.id,
    )
)
def test_the_file_has_the_names_of_the_account(flows: list[Flow]) -> None:
    """`read_workspace` accepts it, with the same names; a flow that it cannot hold has a `problem`."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "flows.toml"
        found = keyed(flows, (), config)
        done = [each for each in found if not each.problem]
        config.write_bytes(render_config(done, account_id="7"))
        parse_toml(config.read_bytes().decode())
        for each in done:
            each.file.write_bytes(FLOW_JSON)
        if done:
            assert [flow.name for flow in read_workspace(config).flows] == [each.flow.name for each in done]


@pytest.mark.parametrize(
    ("flow", "problem"),
    [
        ({"name": "half \ud800"}, "its name contains a lone surrogate"),
        ({"endpoint_uri": "https://\udfff"}, "its endpoint contains a lone surrogate"),
        ({"categories": ("\ud800",)}, "its categories contains a lone surrogate"),
        ({"name": "EAAG" + "x" * 40}, "its name looks like an access token"),
        ({"name": "  "}, "it has no name"),
    ],
)
def test_a_flow_that_a_file_cannot_hold_is_reported(flow: dict[str, Any], problem: str) -> None:
    """The others are written."""
    fine = Flow(id="2", name="Fine")
    first, second = keyed([Flow(**{"id": "1", "name": "A", **flow}), fine], (), Path("flows.toml"))
    (unusual,) = [each for each in (first, second) if each.flow.id == "1"]
    assert unusual.problem.startswith(problem)
    assert parse_toml(render_config([each for each in (first, second) if not each.problem], account_id="7").decode())


def test_of_two_flows_of_one_name_the_one_in_use_is_written() -> None:
    """A flows.toml with both would be refused."""
    flows = [Flow(id="1", name="A", status="DEPRECATED"), Flow(id="2", name="A", status="PUBLISHED")]
    assert [each.flow.id for each in keyed(flows, ("A",), Path("f.toml")) if not each.problem] == ["2"]


documents = st.recursive(
    st.text('a"\\{}\u00e9\ud83d', max_size=4) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a{"', max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.text("ab", max_size=2), documents, max_size=3))
def test_an_imported_file_has_metas_content(document: dict[str, Any]) -> None:
    """When it is read again, with its braces escaped."""
    text = file_for(json.dumps(document).encode()).decode()
    assert json.loads(fill(text, {}, source="").text) == document


def test_an_invalid_document_is_refused() -> None:
    """And one that is nested too deeply."""
    with pytest.raises(ConfigurationError, match="it must be a JSON object"):
        file_for(b"[]")
    with pytest.raises(ConfigurationError, match="it is nested too deeply"):
        file_for(b'{"a":' * 900 + b"1" + b"}" * 900)


def test_the_plan_of_an_imported_account_is_empty(meta: Emulator, client: FlowsClient, tmp_path: Path) -> None:
    """A draft, a published flow, one with an endpoint."""
    client.create_flow("A draft", ["SURVEY"], flow_json=FLOW_JSON)
    client.create_flow("Live {{1}}", ["OTHER"], flow_json=FLOW_JSON, publish=True)
    client.create_flow("With endpoint", ["OTHER"], flow_json=FLOW_JSON, endpoint_uri="https://a.example/x")
    config = tmp_path / "flows.toml"
    found = list(download_flows(client, list_importable(client, (), config)))
    for each in found:
        each.file.write_bytes(each.content)
    config.write_bytes(render_config(found, account_id=meta.waba_id))
    workspace = read_workspace(config)
    assert (workspace.account_id, workspace.warnings) == (meta.waba_id, ())
    assert [(flow.key, flow.publish) for flow in workspace.flows] == [
        ("a_draft", False), ("live_1", True), ("with_endpoint", False),
    ]  # fmt: skip
    plan = diff(workspace.flows, take_snapshot(client, workspace.flows))
    assert [change.action for change in plan.changes] == ["unchanged"] * 3


def test_a_flow_that_cannot_be_imported_stops_no_other(meta: Emulator, client: FlowsClient, tmp_path: Path) -> None:
    """Each has its reason."""
    for name in ("one", "two", "three"):
        client.create_flow(name, ["OTHER"], flow_json=FLOW_JSON)
    ids = {flow.name: flow.id for flow in client.list_flows()}
    meta.fail("download_flow_json", code=190, flow_id=ids["two"])
    found = list(download_flows(client, list_importable(client, (), tmp_path / "flows.toml")))
    assert [(each.key, bool(each.problem), each.error is not None) for each in found] == [
        ("one", False, False), ("three", False, False), ("two", True, True),
    ]  # fmt: skip


def test_a_flow_without_a_flow_json_is_reported() -> None:
    """Meta lists no file for it; an invalid file cannot be written."""
    empty, unusual = (Flow(id=name, name=name) for name in ("empty", "odd"))
    transport = ScriptedTransport([answer({"data": []})])
    asset = {"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": "https://cdn.example/1"}
    transport.script += [answer({"data": [asset]}), answer(b"[]")]
    client = FlowsClient("token", "1", transport=transport, max_attempts=1)
    found = [ImportedFlow(key=flow.name, flow=flow, file=Path("x.json")) for flow in (empty, unusual)]
    assert [each.problem for each in download_flows(client, found, jobs=1)] == [
        "it has no Flow JSON",
        "its Flow JSON cannot be written: it must be a JSON object, not list",
    ]


def test_flows_are_chosen_by_name_or_key(client: FlowsClient, tmp_path: Path) -> None:
    """Deprecated ones only if they are chosen; an unknown word is refused."""
    client.create_flow("One", ["OTHER"], flow_json=FLOW_JSON)
    old = client.create_flow("Old One", ["OTHER"], flow_json=FLOW_JSON, publish=True).id
    client.deprecate_flow(old)
    config = tmp_path / "flows.toml"
    assert [each.key for each in list_importable(client, (), config)] == ["one"]
    assert [each.key for each in list_importable(client, ("Old One",), config)] == ["old_one"]
    assert [each.key for each in list_importable(client, ("old_one", "one"), config)] == ["old_one", "one"]
    with pytest.raises(ConfigurationError, match=r"the account has no flow 'Onee': did you mean 'One'\?"):
        list_importable(client, ("Onee",), config)
