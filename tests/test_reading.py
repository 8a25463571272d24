"""Reading whole files: no FIFO, no device, and nothing over the maximum size."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

import whatsapp_flows
from tests.support import FLOW, Scene, answer
from whatsapp_flows import ConfigurationError, UnexpectedResponseError
from whatsapp_flows._operations import _graph
from whatsapp_flows._reading import read_regular
from whatsapp_flows.flow_json import read_flow_json

PACKAGE = Path(whatsapp_flows.__file__).parent


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    """Opening it does not block, although it has no writer."""
    fifo = tmp_path / "flow.json"
    os.mkfifo(fifo)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        read_flow_json(fifo)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        Scene().client.update_flow_json(FLOW, fifo)
    with pytest.raises(OSError, match="not a regular file"):
        read_regular("/dev/zero", 10)
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path, 10)


OPENERS = {"open", "open_code", "read_bytes", "read_text", "fdopen"}
MAY_OPEN = {
    "_reading.py",
    "_files.py",
    "__main__.py",
    "sync/applying/_live.py",
}  # what these others open, they write to
NO_FILES = {
    ("emulator/_emulator.py", "open"),  # a method of the emulator's own
    ("endpoint/_exchange.py", "open"),  # `PrivateKeys.open` decrypts
    ("endpoint/caller/_reading.py", "open"),  # and so does `AnswerChannel.open`
    ("lsp/_server.py", "open"),  # standard output, for the protocol alone
}


def test_files_are_opened_for_reading_in_one_place() -> None:
    """Only `_reading`, which checks FIFOs, devices and sizes, opens files."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_bytes())) if name not in MAY_OPEN else ():
            function = node.func if isinstance(node, ast.Call) else None
            called = getattr(function, "attr", getattr(function, "id", ""))
            if called in OPENERS:
                found.add((name, called))
    assert found == NO_FILES


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """A sparse file of a terabyte."""
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(OSError, match="more than 100 bytes"):
        read_regular(path, 100)
    path.write_bytes(b"x" * 100)
    assert len(read_regular(path, 100)) == 100


def test_a_list_without_an_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of pages is limited, and of a list that is returned as a whole, the number of entries too."""
    monkeypatch.setattr(_graph, "MAX_PAGES", 20)
    pages = [answer({"data": [{"id": "1"}], "paging": {"next": "x", "cursors": {"after": f"c{n}"}}}) for n in range(40)]
    scene = Scene(*pages)
    with pytest.raises(UnexpectedResponseError, match="more than 20 pages"):
        list(scene.client.list_flows())
    assert len(scene.transport.requests) == 20
    monkeypatch.setattr(_graph, "MAX_ITEMS", 5)
    scene = Scene(*pages)
    with pytest.raises(UnexpectedResponseError, match="more than 5 entries"):
        scene.client.list_phone_numbers()
