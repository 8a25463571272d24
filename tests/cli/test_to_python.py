"""`to-python` and `types`: Python source on stdout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.support import CommandLine
from whatsapp_flows.builder import answers, to_python

BOOKING: Final = Path(__file__).parents[2] / "examples" / "endpoint" / "booking.json"
COMMANDS: Final[dict[str, Any]] = {"to-python": to_python, "types": answers}
each_command = pytest.mark.parametrize("command", COMMANDS)


@each_command
def test_the_source_is_written_to_stdout(command: str, tmp_path: Path) -> None:
    """Of a file, of stdin, of the one Flow JSON in a folder; the same as from Python."""
    (tmp_path / "booking.json").write_bytes(BOOKING.read_bytes())
    source = COMMANDS[command](BOOKING)
    for path in (BOOKING, tmp_path):
        outcome = CommandLine()(command, path)
        assert (outcome.code, outcome.out) == (0, source)
    assert CommandLine()(command, "-", stdin=BOOKING.read_text("utf-8")).out == source


@each_command
def test_json_has_the_source(command: str) -> None:
    """With --json."""
    outcome = CommandLine()(command, BOOKING, "--json")
    assert json.loads(outcome.out) == {"source": COMMANDS[command](BOOKING)}


@each_command
@pytest.mark.parametrize("content", ["[]", "{}", "no JSON", '{"version": "9.9", "screens": []}'])
def test_what_is_no_flow_json_is_an_error(command: str, content: str, tmp_path: Path) -> None:
    """Exit code 2, and nothing on stdout."""
    file = tmp_path / "x.json"
    file.write_text(content, "utf-8")
    outcome = CommandLine()(command, file)
    assert (outcome.code, outcome.out) == (2, "")
    assert "json" in outcome.err
