"""A storyboard as PNG files."""

from __future__ import annotations

import os
import struct
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.preview.browser import MISSING, in_ci, program
from tests.preview.test_headless_browser import program as script
from tests.preview.test_storyboard import field, flow, screen, text
from whatsapp_flows import ConfigurationError
from whatsapp_flows.preview import screenshots
from whatsapp_flows.preview._screenshots import names_of
from whatsapp_flows.preview._storyboard import storyboard

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

TODAY = date(2026, 9, 1)
ONE = flow(screen("START", text("Hello")))


def size(file: Path) -> tuple[int, int]:
    """Width and height of a PNG, which stand after its signature (PNG, "IHDR")."""
    head = file.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_a_real_browser_takes_the_pictures(tmp_path: Path) -> None:
    """As high as the screen, in a folder that is made; nothing else is left there."""
    if program() is None:
        assert not in_ci(), MISSING
        pytest.skip(MISSING)
    lines = [text(f"Line {number}") for number in range(60)]
    taken: list[tuple[int, int]] = []
    document = flow(screen("START", *lines), screen("END", text("Bye")))
    files = screenshots(
        document, tmp_path / "a" / "b", scale=1, today=TODAY, on_taken=lambda *count: taken.append(count)
    )
    names = ["01-START-As it opens.png", "02-END-As it opens.png"]
    assert [file.name for file in files] == names
    assert sorted(os.listdir(tmp_path / "a" / "b")) == names
    assert taken == [(1, 2), (2, 2)]
    width, height = size(files[0])
    assert 300 < width < 500
    assert height > 1_500


@pytest.mark.skipif(sys.platform == "win32", reason="its browsers are shell scripts")
@pytest.mark.parametrize(
    ("does", "message"),
    [
        ("exit 7", "exit code 7"),
        ("echo '<html><body></body></html>'", "The browser did not draw the page"),
        ("""echo '<html data-sizes="[[1,2],[3,4]]">'""", "The browser did not draw the page"),
        ("""echo '<html data-sizes="[[0,0]]">'""", "The browser did not draw the page"),
        ("""echo '<html data-sizes="[[1e999,2]]">'""", "The browser did not draw the page"),
        ("""echo '<html data-sizes="[null]">'""", "The browser did not draw the page"),
        ("""echo '<html data-sizes="[[300,600]]">'""", "chromium has written no picture"),
        ("sleep 100", r"chromium took over 0\.3 s"),
    ],
)
def test_a_browser_that_fails_leaves_nothing(tmp_path: Path, does: str, message: str) -> None:
    """Neither a picture nor a profile, whatever it prints."""
    folder = tmp_path / "pictures"
    with pytest.raises(ConfigurationError, match=message):
        screenshots(ONE, folder, browser=script(tmp_path, does), timeout=0.3 if "sleep" in does else 60, today=TODAY)
    assert os.listdir(folder) == []


@pytest.mark.skipif(sys.platform == "win32", reason="its browsers are shell scripts")
def test_a_failure_ends_the_other_browsers(tmp_path: Path) -> None:
    """The second picture fails at once; the first one would take 100 seconds."""
    does = """
case "$*" in
  *'#sizes'*) echo '<html data-sizes="[[300,600],[300,600],[300,600]]">' ;;
  *'#picture=0'*) sleep 100 ;;
  *) exit 3 ;;
esac
"""
    with pytest.raises(ConfigurationError, match="exit code 3"):
        screenshots(flow(screen("START", field("a"))), tmp_path / "p", browser=script(tmp_path, does), today=TODAY)
    assert os.listdir(tmp_path / "p") == []


def test_without_a_browser_nothing_is_made(tmp_path: Path) -> None:
    """The folder neither."""
    with pytest.raises(ConfigurationError, match="missing is not a program"):
        screenshots(ONE, tmp_path / "pictures", browser=tmp_path / "missing", today=TODAY)
    assert not (tmp_path / "pictures").exists()


@pytest.mark.parametrize(("folder", "message"), [("file/pictures", "Not a directory"), ("file", "it is not a folder")])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, folder: str, message: str) -> None:
    """With the reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=f"{folder} cannot be written: {message}"):
        screenshots(ONE, tmp_path / folder, browser=sys.executable, today=TODAY)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("START", "01-START-As it opens.png"),
        ("../../etc/x", "01-._._etc_x-As it opens.png"),
        ("a\\b:c", "01-a_b_c-As it opens.png"),
        ("CON", "01-CON-As it opens.png"),
        ("x" * 300, f"01-{'x' * 60}-As it opens.png"),
        ("\u202egpj", "01-gpj-As it opens.png"),
        ("-rf", "01--rf-As it opens.png"),
    ],
)
def test_names_are_safe(name: str, found: str) -> None:
    """Whatever the id of a screen holds: one component of a path, in order."""
    assert names_of(storyboard(flow(screen(name)), today=TODAY)) == [found]


def test_names_are_distinct() -> None:
    """Also where a file system ignores case."""
    document: dict[str, Any] = flow(*(screen(f"A{sign}") for sign in "/\\:"))
    assert len({name.casefold() for name in names_of(storyboard(document, today=TODAY))}) == 3
