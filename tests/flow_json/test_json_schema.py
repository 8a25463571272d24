"""The JSON schema of a version: valid documents pass, and what it refuses, `validate` reports too."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any, Final

import fastjsonschema
import jsonschema
import pytest

from tests.cli.support import CommandLine
from tests.effort import some
from tests.flow_json.fuzz import broken
from tests.flow_json.samples import CORPUS, TODAY, samples
from whatsapp_flows.flow_json import (
    COMPONENT_TEXTS,
    COMPONENTS,
    ITEMS,
    KNOWN_VERSIONS,
    Version,
    describe_property,
    json_schema,
    parse_version,
    validate,
)

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final[dict[str, Any]] = {
    **{f"sample {name}": document for name, document in samples()},
    **{
        path.stem: json.loads(path.read_text("utf-8"))
        for path in (*sorted((ROOT / "examples").glob("*/*.json")), *CORPUS)
    },
}


@cache
def checker(version: Version) -> jsonschema.Draft7Validator:
    """One validator for each version."""
    return jsonschema.Draft7Validator(json_schema(version))


@cache
def second_checker(version: Version) -> Any:
    """A validator of another make."""
    return fastjsonschema.compile(json_schema(version))


def refused(document: Any, version: Version) -> list[str]:
    """The places at which the schema refuses something."""
    return ["/".join(map(str, error.absolute_path)) for error in checker(version).iter_errors(document)]


def second_refuses(document: Any, version: Version) -> bool:
    """Whether the other validator refuses the document."""
    try:
        second_checker(version)(document)
    except fastjsonschema.JsonSchemaException:
        return True
    return False


@pytest.mark.parametrize("version", KNOWN_VERSIONS, ids=str)
def test_the_schema_is_one(version: Version) -> None:
    """By the meta-schema of draft 7."""
    jsonschema.Draft7Validator.check_schema(json_schema(version))


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", DOCUMENTS)
def test_valid_documents_pass(name: str) -> None:
    """In two validators that share no code."""
    document = DOCUMENTS[name]
    version = parse_version(document["version"])
    assert version is not None
    assert refused(document, version) == []
    assert not second_refuses(document, version)


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(some(10, least=2)))
def test_what_the_schema_refuses_validate_reports(seed: int) -> None:
    """Of broken documents; and both validators agree."""
    chance = random.Random(seed)
    made = [document for _, document in samples()]
    seen = 0
    for _ in range(60):
        try:
            document = json.loads(broken(chance, made))
        except (ValueError, RecursionError):
            continue
        version = (
            parse_version(document["version"])
            if isinstance(document, dict) and isinstance(document.get("version"), str)
            else None
        )
        if version is None or version not in KNOWN_VERSIONS:
            continue
        places = refused(document, version)
        assert bool(places) == second_refuses(document, version), document
        if places:
            seen += 1
            report = validate(json.dumps(document), today=TODAY, version=str(version))
            found = {pointer.path for issue in report.issues for pointer in issue.pointers}
            assert report.issues, places
            assert all(any(_near(place, path or "") for path in found) for place in places), (places, found)
    assert seen > 5


def _near(place: str, path: str) -> bool:
    """Whether an issue stands at the place, within it, or at the key of a part of it."""
    written = "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in place.split("/") if step).lstrip(".")
    return path.startswith(written) or written.startswith(path)


WRONG: Final[dict[str, Any]] = {
    "an unknown component": {"type": "TextBdy", "text": "x"},
    "an unknown property": {"type": "TextBody", "text": "x", "colour": "red"},
    "a missing property": {"type": "TextInput", "name": "a"},
    "a value out of a list": {"type": "TextInput", "name": "a", "label": "A", "input-type": "nummer"},
    "a text for a boolean": {"type": "TextBody", "text": "x", "visible": "yes"},
    "a blank text": {"type": "TextBody", "text": " "},
    "no options": {"type": "Dropdown", "name": "a", "label": "A", "data-source": []},
    "an option without a title": {"type": "Dropdown", "name": "a", "label": "A", "data-source": [{"id": "1"}]},
    "navigation without a target": {"type": "EmbeddedLink", "text": "x", "on-click-action": {"name": "navigate"}},
    "an action that does not belong here": {"type": "Footer", "label": "x", "on-click-action": {"name": "open_url"}},
    "one caption of two": {
        "type": "Footer",
        "label": "x",
        "left-caption": "l",
        "on-click-action": {"name": "complete"},
    },
    "an option group in an If in a Form": {
        "type": "Form",
        "name": "f",
        "children": [{"type": "RichText", "text": "x"}],
    },
    "a message in a Form": {
        "type": "Form",
        "name": "f",
        "children": [{"type": "TextInput", "name": "a", "label": "A", "error-message": "x"}],
    },
}


@pytest.mark.parametrize("mistake", WRONG)
def test_mistakes_are_underlined(mistake: str) -> None:
    """Where they are: below the first component."""
    layout = {"type": "SingleColumnLayout", "children": [WRONG[mistake]]}
    document = {"version": "7.3", "screens": [{"id": "A", "title": "A", "terminal": True, "layout": layout}]}
    places = refused(document, Version(7, 3))
    assert places
    assert all(place.startswith("screens/0/layout/children/0") for place in places)


def test_newer_properties_are_unknown_in_older_versions() -> None:
    """Each version has its own."""
    component = {"type": "TextInput", "name": "a", "label": "A", "label-variant": "large"}
    for version, expected in ((Version(6, 3), 1), (Version(7, 0), 0)):
        layout = {"type": "SingleColumnLayout", "children": [component]}
        document = {"version": str(version), "screens": [{"id": "A", "title": "A", "terminal": True, "layout": layout}]}
        assert len(refused(document, version)) == expected


def test_everything_is_described() -> None:
    """Each component and each property has a sentence, which an editor shows."""
    assert set(COMPONENT_TEXTS) == {shape.name for shape in COMPONENTS}
    for shape in (
        *COMPONENTS,
        *(ITEMS[name] for name in ("data_source_item", "chips_item", "nav_item", "carousel_item")),
    ):
        for row in shape.properties:
            assert describe_property(shape.name, row)[:1].isupper(), (shape.name, row.name)
    text = json_schema(Version(7, 3))["definitions"]["TextInput"]["properties"]
    assert text["label"]["description"] == "Text that names it. Required; 20 characters are shown."
    assert text["input-type"]["default"] == "text"
    assert text["pattern"]["description"].endswith("Since 6.2.")


def test_the_command_writes_the_schema() -> None:
    """For the version that is asked for, 7.3 otherwise."""
    assert json.loads(CommandLine()("schema").out) == json_schema(Version(7, 3))
    assert json.loads(CommandLine()("schema", "--version", "6.0").out) == json_schema(Version(6, 0))
    for version in ("9.9", "x", ""):
        outcome = CommandLine()("schema", "--version", version)
        assert outcome.code == 2
        assert "7.3" in outcome.err
