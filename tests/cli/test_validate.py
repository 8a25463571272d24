"""`validate`: from files to issues, in each format."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.cli.support import CommandLine, Outcome
from tests.support import valid_flow
from whatsapp_flows.cli._formats import Checked, github, junit, sarif
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.errors import ValidationIssue, ValidationPointer
from whatsapp_flows.flow_json import Report

ROOT = Path(__file__).parents[2]
GOOD = valid_flow()
BAD = {**GOOD, "screens": [{**GOOD["screens"][0], "titel": "😀"}]}
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
    """A valid file, and an invalid one in a subfolder."""
    (tmp_path / "good.json").write_text(json.dumps(GOOD))
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "bad.json").write_text(json.dumps(BAD, ensure_ascii=False), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not looked at")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*argv: object, **more: Any) -> Outcome:
    return CommandLine()("validate", "--no-advice", *argv, **more)


def test_the_examples_are_good() -> None:
    """The project's own flows have no errors and no warnings, and one line says so."""
    outcome = CommandLine()("validate", ROOT / "examples" / "flows")
    assert (outcome.code, outcome.out, outcome.err) == (0, "7 files: no errors, no warnings.\n", "")


def test_an_error_is_reported_with_its_place(folder: Path) -> None:
    """The position first, in a form that editors recognise; the line with a caret; the exit code is 1."""
    outcome = check(".")
    first, line, caret, where, summary = outcome.out.splitlines()
    assert outcome.code == 1
    assert first.startswith("deep/deeper/bad.json:1:")
    assert ": error: INVALID_PROPERTY_KEY: a screen has no property 'titel'." in first
    assert line[caret.index("^") :].startswith('"titel"')
    assert where == "  in screens[0].titel"
    assert summary == "2 files: 1 error, no warnings."


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["good.json"], ["good.json"]),
        (["."], ["deep/deeper/bad.json", "good.json"]),
        (["**/b*.json"], ["deep/deeper/bad.json"]),
        (["de*"], ["deep/deeper/bad.json"]),
        (["good.json", "good.json", "*.json"], ["good.json"]),
        (["-"], ["<stdin>"]),
    ],
)
def test_a_path_may_stand_for_many_files(folder: Path, paths: list[str], names: list[str]) -> None:
    """A file, a folder, a pattern, stdin; each file once."""
    outcome = check(*paths, "--json", stdin=json.dumps(GOOD))
    assert [file["file"] for file in outcome.json["files"]] == names


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "Missing argument 'PATH...'"),
        (("none.json",), "none.json cannot be read: No such file or directory."),
        (("no*.json",), "no*.json: no file matches the pattern."),
        (("empty",), "empty: the folder has no *.json files."),
        (("-", "-", "./-"), "./- cannot be read"),
        (("good.json", "--as-version", "9"), "is not a version of Flow JSON"),
        (("good.json", "--select", "A,,B"), "--select must look like INVALID_ROUTING_MODEL,FJ203."),
        (("good.json", "--ignore", ""), "--ignore must look like"),
        (("good.json", "--format", "tap"), "'tap' is not one of"),
        (("good.json", "--json", "--format", "sarif"), "give --json or --format sarif, not both."),
    ],
)
def test_what_cannot_be_checked_ends_with_2(folder: Path, argv: tuple[str, ...], message: str) -> None:
    """The exit code distinguishes usage errors and unreadable files from errors in a file."""
    (folder / "empty").mkdir()
    outcome = check(*argv, stdin=json.dumps(GOOD))
    assert outcome.code == 2
    assert message in outcome.err


def test_every_file_that_is_given_is_checked(folder: Path) -> None:
    """JSON that is not Flow JSON, and text that is not JSON, are errors."""
    (folder / "package.json").write_text('{"name": "x"}')
    (folder / "broken.json").write_text("{")
    issues = [file["issues"][0]["error"] for file in check("package.json", "broken.json", "--json").json["files"]]
    assert issues == ["MISSING_FLOW_JSON_VERSION", "INVALID_FLOW_JSON"]


OTHERS = {
    "flows.lock.json": {"version": 1, "account_id": "1", "environment": "", "flows": {}},
    "plan.json": {"version": 3, "digest": "x", "account_id": "1", "options": {}, "flows": []},
    "package.json": {"name": "x", "version": "1.0.0"},
    "tsconfig.json": {"compilerOptions": {}},
    "list.json": [1],
    "text.json": "text",
}


@pytest.fixture
def mixed(folder: Path) -> Path:
    """The folder, with the other files that such a folder has."""
    for name, content in OTHERS.items():
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("path", [".", "*.json", "**/*.json"])
def test_what_is_plainly_no_flow_json_is_skipped_in_a_folder(mixed: Path, path: str) -> None:
    """Lock files, plans and other tools' files; the last line and the JSON say how many and which."""
    outcome = check(path)
    assert outcome.out.splitlines()[-1].endswith("warnings. Skipped 6 JSON files that are not Flow JSON.")
    found = check(path, "--json").json
    assert sorted(found["skipped"]) == sorted(OTHERS)
    assert {file["file"] for file in found["files"]} <= {"good.json", "deep/deeper/bad.json"}


def test_the_files_of_a_deployment_are_skipped(mixed: Path) -> None:
    """Those that this library writes itself, as it writes them."""
    (mixed / "flows.toml").write_text('[flows.good]\nname = "Good"\nfile = "good.json"\ncategories = ["OTHER"]\n')
    with Emulator() as meta:
        env = {
            "WHATSAPP_FLOWS_ACCESS_TOKEN": "t",
            "WHATSAPP_FLOWS_WABA_ID": meta.waba_id,
            "WHATSAPP_FLOWS_BASE_URL": meta.url,
        }
        (mixed / "flows.lock.json").unlink()
        assert CommandLine(env=env)("plan", "--out", "plan.json").code == 0
        assert CommandLine(env=env)("sync", ".").code == 0
    assert sorted(check(".", "--json").json["skipped"]) == sorted(OTHERS)


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_that_is_named_is_always_checked(mixed: Path, name: str) -> None:
    """A file that is given by name is checked; --skip-others skips it, for hooks that pass all changed files."""
    outcome = check(".", name, "--json")
    assert outcome.code == 1
    assert name in [file["file"] for file in outcome.json["files"]]
    assert name not in outcome.json["skipped"]
    hook = check(name, "--skip-others", "--json")
    assert (hook.code, hook.json["files"], hook.json["skipped"]) == (0, [], [name])


@pytest.mark.parametrize(
    "content",
    ["{", "{}", '{"version": "7.3"}', '{"version": "7.3", "screnes": []}', '{"screens": 1, "own": 2}',
     '{"routing_model": {}, "name": "x"}', "\ufeff" + json.dumps(GOOD)],
)  # fmt: skip
def test_what_may_be_meant_as_a_flow_json_is_checked(folder: Path, content: str) -> None:
    """A file with a syntax error, and one with a Flow JSON version or key, are not skipped."""
    (folder / "other.json").write_text(content, encoding="utf-8")
    assert "other.json" in [file["file"] for file in check(".", "--json").json["files"]]


def test_a_report_for_another_program_says_what_was_skipped_on_stderr(mixed: Path) -> None:
    """SARIF and JUnit have no place for it."""
    assert check(".", "--format", "sarif").err == "Skipped 6 JSON files that are not Flow JSON.\n"


def test_a_folder_without_any_flow_json_is_a_mistake(mixed: Path) -> None:
    """Nothing was checked, and that is not a success."""
    (mixed / "good.json").unlink()
    (mixed / "deep" / "deeper" / "bad.json").unlink()
    outcome = check(".")
    assert outcome.code == 2
    assert ".: no Flow JSON found, only 6 other JSON files." in outcome.err


def test_upgrade_and_graph_read_folders_alike(mixed: Path) -> None:
    """The lock file is neither upgraded nor drawn, and several flows are not one graph."""
    command = CommandLine()
    upgraded = command("upgrade", ".", "--json")
    assert [file["file"] for file in upgraded.json["files"]] == ["deep/deeper/bad.json", "good.json"]
    assert sorted(upgraded.json["skipped"]) == sorted(OTHERS)
    assert command("upgrade", ".").out.endswith("\nSkipped 6 JSON files that are not Flow JSON.\n")
    assert command("graph", "deep").out == command("graph", "deep/deeper/bad.json").out
    outcome = command("graph", ".")
    assert outcome.code == 2
    assert ". is a folder with 2 Flow JSON files: give one of them." in outcome.err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--select", "invalid_property_key"), 1),
        (("--select", "INVALID_ROUTING_MODEL"), 0),
        (("--select", "A, INVALID_PROPERTY_KEY", "--ignore", "B"), 1),
        (("--ignore", "INVALID_PROPERTY_KEY"), 0),
        (("--ignore", "A", "--ignore", "INVALID_PROPERTY_KEY"), 0),
    ],
)
def test_codes_are_selected_and_ignored(folder: Path, options: tuple[str, ...], code: int) -> None:
    """Only the remaining issues count."""
    assert check("deep", *options).code == code


def test_a_rule_is_selected_by_its_id(folder: Path) -> None:
    """The id in brackets."""
    rule = check("deep", "--json").json["files"][0]["issues"][0]["rule"]
    assert check("deep", "--select", rule).code == 1
    assert check("deep", "--ignore", rule).code == 0


def test_advice_does_not_change_the_exit_code(folder: Path) -> None:
    """A warning is shown, except with --no-advice."""
    document = json.dumps({**GOOD, "comment": 1}).replace('"comment": 1', '"version": "7.3"')
    outcome = CommandLine()("validate", "-", stdin=document)
    assert outcome.code == 0
    assert "<stdin>:1:" in outcome.out
    assert ": warning: DUPLICATE_KEY: " in outcome.out
    assert "1 file: no errors, 1 warning.\n" in outcome.out
    assert check("-", stdin=document).out == "1 file: no errors, no warnings.\n"


def test_another_version_may_be_asked_for(folder: Path) -> None:
    """As if the document were of that version."""
    assert check("good.json", "--as-version", "6.0", "--json").json["files"][0]["version"] == "6.0"


@pytest.mark.parametrize("options", [("--json",), ("--format", "json"), ("--json", "--format", "json")])
def test_json_is_one_object(folder: Path, options: tuple[str, ...]) -> None:
    """With every issue and its place."""
    found = check("deep", *options).json
    ((issue,),) = [file["issues"] for file in found["files"]]
    assert (found["ok"], found["errors"], found["warnings"]) == (False, 1, 0)
    assert (issue["error"], issue["line"], issue["path"]) == ("INVALID_PROPERTY_KEY", 1, "screens[0].titel")
    assert issue["end_column"] == issue["column"] + len('"titel"')


def test_a_terminal_is_sent_nothing_that_it_acts_upon(folder: Path) -> None:
    """Control characters of the document and of a file's name are written as escapes."""
    (folder / "a\x1b[2J.json").write_text(json.dumps(GOOD).replace("START", "A\\u001b\\n").replace("Done", "\x9b"))
    outcome = check("a*.json", terminal=True, env={"NO_COLOR": "1"})
    assert outcome.code == 1
    assert all(char.isprintable() or char == "\n" for char in outcome.out)


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

    (folder / "ä.json").write_text(json.dumps(GOOD), encoding="utf-8")
    from whatsapp_flows.cli import run

    out = io.BytesIO()
    stream = Latin(out, encoding="ascii")
    assert run(["validate", "ä.json", "--format", "junit"], stdout=stream, stderr=io.StringIO(), env={}) == 0
    assert 'name="ä.json"' in out.getvalue().decode()


def test_the_hook_runs_the_command() -> None:
    """pre-commit adds the files to the entry."""
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text()
    for line in (
        "- id: whatsapp-flows-validate",
        "language: python",
        "entry: whatsapp-flows validate --skip-others",
        "types: [json]",
    ):
        assert line in hook


def test_a_file_name_does_not_act_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not UTF-8 is an error in that file, and does not end the command."""
    monkeypatch.chdir(tmp_path)
    for name in (b"a\x1b[2Jb.json", b"c\xff.json"):
        Path(os.fsdecode(name)).write_text("{}")
    for kind in ("text", "github", "sarif", "junit"):
        out = CommandLine()("validate", ".", "--format", kind).out
        assert "\x1b" not in out
        out.encode()
