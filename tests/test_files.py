"""Files that are the old ones or the new ones."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from whatsapp_flows import ConfigurationError
from whatsapp_flows._files import replace_file


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    """What others may read of a file that `open` makes, they may read of this one."""
    (tmp_path / "other").touch()
    replace_file(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_old_file_keeps_its_mode(tmp_path: Path) -> None:
    """Also where a link leads to it."""
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By the name that was given."""
    with pytest.raises(ConfigurationError, match=r"there/file cannot be written: No such file or directory\."):
        replace_file(tmp_path / "there" / "file", b"")


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file is there, and nothing beside it."""
    (tmp_path / "file").write_bytes(b"old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "file", b"new")
    assert (os.listdir(tmp_path), (tmp_path / "file").read_bytes()) == (["file"], b"old")
