"""`validate`: from files to issues, in each format."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.support import VALID, CommandLine, check, write_documents
from whatsapp_flows.emulator import Emulator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a valid file, and an invalid one in a subfolder."""
    write_documents(tmp_path)
    (tmp_path / "notes.txt").write_text("not looked at")
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    outcome = check(*paths, "--json", stdin=json.dumps(VALID))
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
    outcome = check(*argv, stdin=json.dumps(VALID))
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
     '{"routing_model": {}, "name": "x"}', "\ufeff" + json.dumps(VALID)],
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
    document = json.dumps({**VALID, "comment": 1}).replace('"comment": 1', '"version": "7.3"')
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
    (folder / "a\x1b[2J.json").write_text(json.dumps(VALID).replace("START", "A\\u001b\\n").replace("Done", "\x9b"))
    outcome = check("a*.json", terminal=True, env={"NO_COLOR": "1"})
    assert outcome.code == 1
    assert all(char.isprintable() or char == "\n" for char in outcome.out)


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
