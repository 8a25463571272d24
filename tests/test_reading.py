"""Files that are read whole: no FIFO, no device, and nothing that is larger than expected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import FLOW, Scene, answer
from whatsapp_flows import ConfigurationError, UnexpectedResponseError
from whatsapp_flows._operations import _graph
from whatsapp_flows._reading import read_regular
from whatsapp_flows.flow_json import read_flow_json


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    """Nobody writes to it, and nobody waits for that."""
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


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """One of a terabyte, which takes no room on the disk."""
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(OSError, match="more than 100 bytes"):
        read_regular(path, 100)
    path.write_bytes(b"x" * 100)
    assert len(read_regular(path, 100)) == 100


def test_a_list_without_an_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh cursors for ever are told after so many pages; a list that is returned as a whole, by its entries too."""
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
