"""`validate` for other programs: GitHub annotations, SARIF, JUnit."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.cli.support import VALID, check, write_documents
from whatsapp_flows.cli._formats import Checked, github, junit, sarif
from whatsapp_flows.errors import ValidationIssue, ValidationPointer
from whatsapp_flows.flow_json import Report

# The part of the official schema of SARIF 2.1.0 that a result needs. Its objects allow no other keys.
POSITIVE = {"type": "integer", "minimum": 1}


def closed(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


MESSAGE = closed("text", text={"type": "string"})
LOCATION = closed(
    physicalLocation=closed(
        artifactLocation=closed(uri={"type": "string", "pattern": r"^[A-Za-z0-9%/:._~-]+$"}),
        region=closed(startLine=POSITIVE, startColumn=POSITIVE, endLine=POSITIVE, endColumn=POSITIVE),
    ),
    logicalLocations={"type": "array", "items": closed(fullyQualifiedName={"type": "string"})},
    message=MESSAGE,
)
RULE = closed("id", id={"type": "string"}, shortDescription=MESSAGE)
DRIVER = closed(
    "name", name={"type": "string"}, version={"type": "string"},
    rules={"type": "array", "items": RULE, "uniqueItems": True},
)  # fmt: skip
RESULT = closed(
    "message",
    ruleId={"type": "string"},
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["none", "note", "warning", "error"]},
    message=MESSAGE,
    locations={"type": "array", "items": LOCATION},
    relatedLocations={"type": "array", "items": LOCATION, "uniqueItems": True},
    properties={"type": "object"},
)
RUN = closed(
    "tool",
    tool=closed("driver", driver=DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": RESULT},
)
SARIF = closed(
    "version", "runs", **{"$schema": {"type": "string"}}, version={"const": "2.1.0"},
    runs={"type": "array", "items": RUN},
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a valid file, and an invalid one in a subfolder."""
    write_documents(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hostile() -> Checked:
    """A file with a name and issues that try to break out of a format."""
    message = 'a,b:c%\n::error::"<&\x00\ud800\uffff'
    at = ValidationPointer(path="a\x1b", line_start=3, line_end=3, column_start=4, column_end=5)
    place: dict[str, Any] = {"line_start": 1, "line_end": 1, "column_start": 2, "column_end": 7}
    issues = (
        ValidationIssue(error="NOWHERE", message=message),
        ValidationIssue(error="ONE", message=message, **place, pointers=(at, at), rule="FJ1"),
        ValidationIssue(error="MANY", message="m", **{**place, "line_end": 9}, severity="warning"),
        ValidationIssue(error="ONE", message="again", line_start=2),
    )
    return Checked("dir\nx/a,b:c %\ud800.json".replace("\ud800", "\udcff"), Report(issues, None, "😀\n\n"))


def test_annotations_are_workflow_commands(folder: Path) -> None:
    """One a line, the file as a relative path."""
    first, summary = check("./deep", "--format", "github").out.splitlines()
    assert first.startswith("::error file=deep/deeper/bad.json,line=1,col=")
    assert ",endLine=1,title=INVALID_PROPERTY_KEY::a screen has no property 'titel'." in first
    assert summary == "1 file: 1 error, no warnings."
    assert check("-", "--format", "github", stdin="{").out.startswith("::error line=1,col=2,")


def test_nothing_breaks_out_of_an_annotation() -> None:
    """Line ends, commas, colons and percent signs are escaped; columns are for one line only."""
    lines = github([hostile()]).splitlines()
    name = "dir%0Ax/a%2Cb%3Ac %25\udcff.json"
    message = 'a,b:c%25\\n::error::"<&\\x00\\ud800\\uffff'
    assert lines[0] == f"::error file={name},title=NOWHERE::{message}"
    assert lines[1] == f"::error file={name},line=1,col=2,endColumn=7,endLine=1,title=ONE::{message}"
    assert lines[2] == f"::warning file={name},line=1,endLine=9,title=MANY::m"
    assert len(lines) == 5


@pytest.mark.parametrize("files", [[], [hostile()], [hostile(), Checked("<stdin>", hostile().report)]])
def test_sarif_is_of_its_schema(files: list[Checked]) -> None:
    """It has only keys of the official schema."""
    log = json.loads(sarif(files))
    jsonschema.validate(log, SARIF)
    sarif(files).encode()
    (run,) = log["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_has_the_place_in_utf16_units(folder: Path) -> None:
    """A character beyond the BMP counts twice, which `columnKind` declares."""
    text = '{"version":"7.3","screens":[{"title":"😀","id":"A B"}]}'
    (folder / "a b.json").write_text(text, encoding="utf-8")
    outcome = check("./a b.json", "--format", "sarif", "--select", "PATTERN_MISMATCH")
    (run,) = outcome.json["runs"]
    (result,) = run["results"]
    column = text.index('"A B"') + 2
    assert (outcome.code, run["columnKind"]) == (1, "utf16CodeUnits")
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.json"},
        "region": {"startLine": 1, "startColumn": column, "endLine": 1, "endColumn": column + 5},
    }
    jsonschema.validate(outcome.json, SARIF)


def test_sarif_names_an_absolute_path_by_its_uri(folder: Path) -> None:
    """For a file that is given by its absolute path."""
    (run,) = check(folder / "deep", "--format", "sarif").json["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == (folder / "deep" / "deeper" / "bad.json").as_uri()


def test_junit_has_a_case_for_each_file(folder: Path) -> None:
    """It fails with the errors, and its output has the warnings."""
    outcome = check(".", "--format", "junit")
    root = ElementTree.fromstring(outcome.out)
    bad, good = root.iter("testcase")
    failure = bad.find("failure")
    assert (outcome.code, root.get("tests"), root.get("failures")) == (1, "2", "1")
    assert (bad.get("name"), good.get("name"), list(good)) == ("deep/deeper/bad.json", "good.json", [])
    assert failure is not None
    assert failure.get("type") == "INVALID_PROPERTY_KEY"
    assert "^^^" in (failure.text or "")


def test_junit_holds_valid_characters_only() -> None:
    """The XML is well-formed whatever the document contains."""
    text = junit([hostile()])
    (case,) = ElementTree.fromstring(text.encode()).iter("testcase")
    assert case.get("name") == "dir\\nx/a,b:c %\\udcff.json"
    assert "MANY" in (case.findtext("system-out") or "")
    assert "\\x00\\ud800\\uffff" in (case.findtext("failure") or "")


def test_other_programs_get_bytes_in_utf8(folder: Path) -> None:
    """Whatever the encoding of the stream is."""

    class Latin(io.TextIOWrapper):
        """The standard streams in an old locale."""

    (folder / "ä.json").write_text(json.dumps(VALID), encoding="utf-8")
    from whatsapp_flows.cli import run

    out = io.BytesIO()
    stream = Latin(out, encoding="ascii")
    assert run(["validate", "ä.json", "--format", "junit"], stdout=stream, stderr=io.StringIO(), env={}) == 0
    assert 'name="ä.json"' in out.getvalue().decode()
