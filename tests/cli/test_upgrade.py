"""`upgrade`: a diff, the decisions left to the user, and files that are replaced atomically."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import CommandLine

FOOTER = {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {}}}


@pytest.fixture
def command() -> CommandLine:
    """The command line, without credentials."""
    return CommandLine()


def document(version: str = "5.1", *children: Any) -> dict[str, Any]:
    layout = {"type": "SingleColumnLayout", "children": [*children, FOOTER]}
    return {"version": version, "screens": [{"id": "A", "title": "T", "terminal": True, "layout": layout}]}


def written(path: Path, value: Any, **how: Any) -> Path:
    path.write_text(json.dumps(value, **{"indent": 2, **how}) + "\n")
    return path


def test_a_diff_is_shown_and_nothing_is_written(command: CommandLine, tmp_path: Path) -> None:
    """Without --write."""
    file = written(tmp_path / "flow.json", document())
    before = file.read_bytes()
    outcome = command("upgrade", file)
    assert (outcome.code, outcome.err, file.read_bytes()) == (0, "", before)
    assert outcome.out.splitlines() == [
        f"--- {file}",
        f"+++ {file}",
        "@@ -1,5 +1,5 @@",
        " {",
        '-  "version": "5.1",',
        '+  "version": "7.3",',
        '   "screens": [',
        "     {",
        '       "id": "A",',
        f"{file}: would be upgraded from 5.1 to 7.3",
        '  changed version: the version ("5.1" -> "7.3")',
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{\n    "version": "5.1",\n    "own": [\n        1\n    ]\n}',
         '{\n    "version": "7.3",\n    "own": [\n        1\n    ]\n}'),
        ('{\n\t"version": "5.1"\n}\n', '{\n\t"version": "7.3"\n}\n'),
        ('{\r\n  "version": "5.1"\r\n}\r\n', '{\r\n  "version": "7.3"\r\n}\r\n'),
        ('{"version":"5.1","own":1}', '{"version":"7.3","own":1}'),
        ('{"version": "5.1", "own": 1}\n', '{"version": "7.3", "own": 1}\n'),
        ('{"version":"5.1","own":"\\u00e9"}', '{"version":"7.3","own":"\\u00e9"}'),
        ('{"version":"5.1","own":"é"}', '{"version":"7.3","own":"é"}'),
        ('{"version":"5.1","own":"é\\ud800"}', '{"version":"7.3","own":"é\\ud800"}'),
    ],
    ids=["4 spaces", "tabs", "CRLF", "compact", "one line", "escapes", "UTF-8", "half a character"],
)  # fmt: skip
def test_a_file_is_written_as_it_was(command: CommandLine, tmp_path: Path, old: str, new: str) -> None:
    """Indentation, line ends, escapes, and the end of the last line."""
    file = tmp_path / "flow.json"
    file.write_bytes(old.encode())
    outcome = command("upgrade", file, "--write")
    assert outcome.code == 0
    assert file.read_bytes().decode() == new
    assert f"{file}: upgraded from 5.1 to 7.3" in outcome.out.splitlines()
    assert os.listdir(tmp_path) == ["flow.json"]


def test_a_file_of_that_version_is_not_rewritten(command: CommandLine, tmp_path: Path) -> None:
    """Whatever its layout is."""
    file = tmp_path / "flow.json"
    content = json.dumps(document("7.3")).replace(":", "  :")
    file.write_text(content)
    outcome = command("upgrade", file, "--write")
    assert (outcome.code, outcome.out) == (0, f"{file}: already has version 7.3\n")
    assert file.read_text() == content


def test_what_is_left_to_decide_makes_the_exit_code_1(command: CommandLine, tmp_path: Path) -> None:
    """The errors that the validator finds in the result are counted, and the first few are shown."""
    groups = [{"type": "CheckboxGroup", "name": f"c{n}", "data-source": [{"id": "1", "title": "t"}]} for n in range(4)]
    unknown = [{"type": "TextBody", "text": "t", f"own{n}": 1} for n in range(3)]
    file = written(tmp_path / "flow.json", document("3.1", *groups, *unknown))
    outcome = command("upgrade", file)
    lines = outcome.out.splitlines()
    place = "screens[0].layout.children[0]"
    assert outcome.code == 1
    assert f"  decide {place}: a CheckboxGroup needs a label from 4.0 on: write one." in lines
    assert "  4 errors in the result:" in lines
    assert len([line for line in lines if "MISSING_REQUIRED_PROPERTY" in line]) == 1
    assert len([line for line in lines if "INVALID_PROPERTY_KEY" in line]) == 2
    assert lines[-1] == "    and 1 more"


def test_an_error_alone_does_not(command: CommandLine, tmp_path: Path) -> None:
    """The validator found it before the upgrade, too."""
    broken = document()
    broken["own"] = 1
    outcome = command("upgrade", written(tmp_path / "flow.json", broken))
    assert outcome.code == 0
    assert "  1 error in the result:" in outcome.out.splitlines()


def test_several_files_as_json(command: CommandLine, tmp_path: Path) -> None:
    """Each once, in the order given."""
    old = written(tmp_path / "old.json", document("5.1", {"type": "TextBody", "text": "`x`"}))
    new = written(tmp_path / "new.json", {**document("6.0"), "own": 1})
    outcome = command("upgrade", old, new, old, "--to", "6.0", "--json")
    assert outcome.code == 1
    first, second = outcome.json["files"]
    assert (first["file"], first["from"], first["to"]) == (str(old), "5.1", "6.0")
    assert (first["changed"], first["written"]) == (True, False)
    assert first["changes"] == [{"path": "version", "what": "the version", "before": '"5.1"', "after": '"6.0"'}]
    assert [point["path"] for point in first["undecided"]] == ["screens[0].layout.children[0].text"]
    assert '+  "version": "6.0",' in first["diff"].splitlines()
    assert (second["changed"], second["diff"], second["changes"]) == (False, "", [])
    assert [error["error"] for error in second["errors"]] == ["INVALID_PROPERTY_KEY"]


def test_several_files_as_text(command: CommandLine, tmp_path: Path) -> None:
    """With a blank line between them; on a terminal, too, with control characters escaped."""
    one = written(tmp_path / "one.json", {**document(), "own": "\u202e"}, ensure_ascii=False)
    two = written(tmp_path / "two.json", document("7.3"))
    outcome = command("upgrade", one, two, terminal=True, env={"COLUMNS": "300", "NO_COLOR": "1"})
    assert outcome.code == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", outcome.out)  # bold remains: NO_COLOR forbids colours
    assert f"\n\n{two}: already has version 7.3" in "\n".join(line.rstrip() for line in shown.splitlines())
    assert "\u202e" not in outcome.out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "a Flow JSON is a JSON object"),
        ('{"version": "7.4"}', "cannot be downgraded"),
        ('{"version": "1"}', "is not a version of Flow JSON"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_wrong_file_is_wrong_usage(command: CommandLine, tmp_path: Path, content: str | bytes, words: str) -> None:
    """The message names it, and no other file is written."""
    right = written(tmp_path / "right.json", document())
    before = right.read_bytes()
    wrong = tmp_path / "wrong.json"
    wrong.write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = command("upgrade", right, wrong, "--write")
    assert (outcome.code, right.read_bytes()) == (2, before)
    assert str(wrong) in outcome.err
    assert words in outcome.err


@pytest.mark.parametrize("argv", [(), ("-",), ("nowhere.json",), ("benchmarks",)])
def test_wrong_usage(command: CommandLine, argv: tuple[str, ...]) -> None:
    """At least one existing file must be given."""
    assert command("upgrade", *argv).code == 2


def test_an_unknown_version_is_wrong_usage(command: CommandLine, tmp_path: Path) -> None:
    """Of --to."""
    outcome = command("upgrade", written(tmp_path / "flow.json", document()), "--to", "9.9")
    assert (outcome.code, outcome.out) == (2, "")
    assert "'9.9' is not a version" in outcome.err


@pytest.mark.unmeasured
def test_a_document_too_deep_to_be_read_or_written_is_refused(command: CommandLine, tmp_path: Path) -> None:
    """Whatever Python's limits for reading and writing are: never a traceback."""
    codes = set()
    for depth in (100, *range(900, 1010, 5), 100_000):
        file = tmp_path / "flow.json"
        file.write_text('{"version": "5.1",\n "own": ' + "[" * depth + "]" * depth + "}")
        outcome = command("upgrade", file)
        assert outcome.code == 0 or (outcome.code == 2 and "nested too deeply" in outcome.err)
        codes.add(outcome.code)
    assert codes == {0, 2}


def test_a_link_is_followed_and_the_mode_is_kept(command: CommandLine, tmp_path: Path) -> None:
    """The file is replaced, not the link to it."""
    file = written(tmp_path / "flow.json", document())
    file.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(file)
    assert command("upgrade", link, "--write").code == 0
    assert link.is_symlink()
    assert json.loads(file.read_text())["version"] == "7.3"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize("failing", ["os.replace", "os.fsync"])
def test_a_failed_write_leaves_the_old_file(
    command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """And nothing beside it."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    file = written(tmp_path / "flow.json", document())
    before = file.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(failing, fail)
        outcome = command("upgrade", file, "--write")
    assert outcome.code == 2
    assert "flow.json cannot be written: No space left on device." in outcome.err
    assert (os.listdir(tmp_path), file.read_bytes()) == (["flow.json"], before)
