"""`flows.toml`: what it may say, and how it is told that it says something wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import valid_flow
from tests.sync.support import FAULTY_FLOW_JSON, FLOW_JSON, write_flows
from whatsapp_flows import ConfigurationError, FlowValidationError
from whatsapp_flows.sync._manifest import FlowEntry, parse_manifest, read_flows, read_manifest

LEAST = """
[defaults]
categories = ["OTHER"]
publish = true
[flows.solar_installation]
file = "solar_installation.json"
name = "Solar Installation Request"
"""
FLOW = '[flows.a]\nfile = "a.json"\nname = "A"\n'


def test_the_least_file_names_a_flow_and_its_file() -> None:
    """A table with `file` and `name` is enough; the rest comes from the defaults, and the path from beside the file."""
    manifest = parse_manifest(LEAST, Path("folder/flows.toml"))
    assert manifest.entries == (
        FlowEntry(
            key="solar_installation",
            name="Solar Installation Request",
            file=Path("folder/solar_installation.json"),
            categories=("OTHER",),
            publish=True,
        ),
    )


def test_a_flow_has_its_own_way() -> None:
    """What a flow's table says wins over the defaults."""
    text = (
        '[defaults]\ncategories = ["OTHER"]\nendpoint = "https://one.example"\npublish = true\n'
        f'{FLOW}categories = ["SURVEY", "SIGN_UP"]\nendpoint = "https://two.example"\npublish = false\n'
        '[flows.b]\nfile = "/elsewhere/b.json"\nname = "B"\n'
    )
    first, second = parse_manifest(text, Path("flows.toml")).entries
    assert (first.categories, first.endpoint_uri, first.publish) == (
        ("SURVEY", "SIGN_UP"),
        "https://two.example",
        False,
    )
    assert (second.categories, second.endpoint_uri, second.publish) == (("OTHER",), "https://one.example", True)
    assert second.file == Path("/elsewhere/b.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flow = {}", "flows.toml has an unknown key 'flow': did you mean 'flows'?"),
        ("zebra = 1", "flows.toml has an unknown key 'zebra': known are defaults, flows."),
        ("[defaults]\ncategory = 1", "flows.toml [defaults] has an unknown key 'category': did you mean 'categories'?"),
        (f"{FLOW}nam = 1", "flows.toml [flows.a] has an unknown key 'nam': did you mean 'name'?"),
        ("[defaults]\npublish = 1", "flows.toml [defaults] publish: true or false, not 1."),
        (f"{FLOW}categories = []", "flows.toml [flows.a] categories: a list of at least one text"),
        (f'{FLOW}categories = "OTHER"', "flows.toml [flows.a] categories: a list of at least one text"),
        (f'{FLOW}categories = [""]', "flows.toml [flows.a] categories: a list of at least one text"),
        (f"{FLOW}endpoint = 3", "flows.toml [flows.a] endpoint: a text that is not empty, not 3."),
        ('[flows.a]\nfile = "a.json"\ncategories = ["OTHER"]', "flows.toml [flows.a] has no name."),
        ('[flows.a]\nname = "A"\ncategories = ["OTHER"]', "flows.toml [flows.a] has no file."),
        ('[flows.a]\nname = " "\ncategories = ["OTHER"]', "flows.toml [flows.a] name: a text that is not empty"),
        (FLOW, "flows.toml [flows.a] has no categories: name at least one, here or in [defaults]."),
        ("flows = 1", "flows.toml [flows] must be a table, not 1."),
        ("[flows]\na = 1", "flows.toml [flows.a] must be a table, not 1."),
        ("defaults = 1", "flows.toml [defaults] must be a table, not 1."),
        ("", "flows.toml names no flow"),
        ("[flows", "flows.toml is not TOML: "),
    ],
)
def test_a_mistake_is_named_with_its_file_table_and_key(text: str, said: str) -> None:
    """Whatever is wrong, the error says where, and what was probably meant."""
    with pytest.raises(ConfigurationError) as caught:
        parse_manifest(text, Path("flows.toml"))
    assert caught.value.message.startswith(said)


def test_two_files_may_not_claim_one_name() -> None:
    """Two tables with one name are refused, for they would overwrite each other."""
    text = '[defaults]\ncategories = ["OTHER"]\n' + FLOW + FLOW.replace("flows.a", "flows.b")
    with pytest.raises(
        ConfigurationError, match=r"flows.toml \[flows.b\] name: 'A' is the name of \[flows.a\] already."
    ):
        parse_manifest(text, Path("flows.toml"))


def test_flows_are_chosen_by_key_or_name(tmp_path: Path) -> None:
    """A word chooses by key or by name, the order stays that of the file, and no word means all."""
    manifest = read_manifest(write_flows(tmp_path, {"one": FLOW_JSON, "two": FLOW_JSON, "three": FLOW_JSON}))
    assert [entry.key for entry in manifest.select(())] == ["one", "two", "three"]
    assert [entry.key for entry in manifest.select(["Three", "one", "one"])] == ["one", "three"]


def test_an_unknown_word_is_refused(tmp_path: Path) -> None:
    """A flow that is not in the file is refused, with what was probably meant."""
    manifest = read_manifest(write_flows(tmp_path, {"solar": FLOW_JSON}))
    with pytest.raises(ConfigurationError, match=r"has no flow 'solr': did you mean 'solar'\?"):
        manifest.select(["solr"])


def test_files_that_no_table_names_are_known(tmp_path: Path) -> None:
    """A JSON file beside flows.toml that no table names can be told of."""
    manifest = write_flows(tmp_path, {"listed": FLOW_JSON})
    (tmp_path / "forgotten.json").write_bytes(FLOW_JSON)
    assert read_manifest(manifest).unlisted() == (tmp_path / "forgotten.json",)


def test_the_flow_json_is_read_as_it_is(tmp_path: Path) -> None:
    """The bytes of the file are what will be sent."""
    manifest = read_manifest(write_flows(tmp_path, {"one": FLOW_JSON}, publish=True, endpoint="https://a.example"))
    (flow,) = read_flows(manifest.entries)
    assert (flow.content, flow.publish, flow.endpoint_uri) == (FLOW_JSON, True, "https://a.example")
    assert "FIRST" not in repr(flow)


@pytest.mark.parametrize(
    ("content", "said"), [(b"[]", "json must be a JSON object"), (b"{", "json is not JSON"), (None, "cannot be read")]
)
def test_a_file_that_holds_no_flow_json_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A file that is missing, or holds no JSON object, is named together with its table."""
    manifest = read_manifest(write_flows(tmp_path, {"one": content or b""}))
    if content is None:
        (tmp_path / "one.json").unlink()
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_flows(manifest.entries)
    assert caught.value.message.startswith(f"{tmp_path / 'one.json'} ([flows.one]): ")


def test_errors_in_any_file_are_told_together(tmp_path: Path) -> None:
    """What Meta would refuse is refused here: all errors of all files, each with its file and its place."""
    documents = {"one": FAULTY_FLOW_JSON, "two": FLOW_JSON, "three": b'{"version": "7.3"}'}
    with pytest.raises(FlowValidationError) as caught:
        read_flows(read_manifest(write_flows(tmp_path, documents)).entries)
    assert caught.value.message == "nothing was sent: there are errors in one.json, three.json."
    assert [(issue.error, issue.message.split(": ")[0], issue.line_start) for issue in caught.value.issues] == [
        ("MIN_ITEMS_REQUIRED", str(tmp_path / "one.json"), 1),
        ("MISSING_REQUIRED_PROPERTY", str(tmp_path / "three.json"), 1),
    ]


def test_warnings_do_not_stop(tmp_path: Path) -> None:
    """What Meta accepts is accepted: a version that this library does not know yet is checked as the newest."""
    newer = json.dumps(valid_flow(version="99.0")).encode()
    assert read_flows(read_manifest(write_flows(tmp_path, {"one": newer})).entries)


def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing flows.toml, and one that is no text, are told by their path."""
    with pytest.raises(ConfigurationError, match=r"flows.toml cannot be read: No such file or directory."):
        read_manifest(tmp_path / "flows.toml")
    (tmp_path / "flows.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"flows.toml is not UTF-8: byte 0"):
        read_manifest(tmp_path / "flows.toml")
