"""The user's browser is found, run with an empty profile, and always ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from whatsapp_flows import ConfigurationError
from whatsapp_flows.preview._browser import PROGRAMS, Browser, find_browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="its browsers are shell scripts"),
]


def program(folder: Path, script: str, name: str = "chromium") -> Path:
    """A program that stands for a browser."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def running(folder: Path, script: str, *, timeout: float = 60, stop: threading.Event | None = None) -> Browser:
    """Runs of such a program."""
    return Browser(program(folder, script), folder, timeout=timeout, scale=2, stop=stop or threading.Event())


def test_the_first_known_browser_on_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the list."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in reversed(PROGRAMS):
        file = program(tmp_path, "", name)
        assert find_browser() == file


def test_without_a_browser_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, or which option to give."""
    monkeypatch.setenv("PATH", str(tmp_path))
    if sys.platform != "linux":
        pytest.skip("an installed browser is found beside PATH")
    with pytest.raises(ConfigurationError, match=r"No browser was found\. Install Chromium or .* --browser\."):
        find_browser()


def test_a_browser_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its path, or by a name on PATH."""
    file = program(tmp_path, "", "my-browser")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser(file) == find_browser("my-browser") == file


@pytest.mark.parametrize("given", ["missing", "folder", "text.txt"])
def test_what_cannot_be_run_is_named(tmp_path: Path, given: str) -> None:
    """A missing file, a folder, and a file that is no program."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("text")
    with pytest.raises(ConfigurationError, match=f"{given} is not a program that can be run as a browser"):
        find_browser(tmp_path / given)


def test_the_output_is_returned_and_the_profile_removed(tmp_path: Path) -> None:
    """The profile is an empty folder of its own in the given folder; standard input is empty."""
    script = """
for word; do case $word in --user-data-dir=*) profile=${word#--user-data-dir=};; esac; done
for word; do last=$word; done
cat
test -d "$profile" && echo "$profile" "$last"
touch "$profile/state"
mkdir "$profile/cache"
"""
    profile, address = running(tmp_path, script).dom("file:///page.html#sizes").split()
    assert (Path(profile).parent, address) == (tmp_path, "file:///page.html#sizes")
    assert os.listdir(tmp_path) == ["chromium"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo one >&2; printf 'no \\033[2J\\n' >&2; exit 3", r"chromium ended with exit code 3: no \\x1b\[2J"),
        ("exit 1", "exit code 1: it has said nothing"),
        ("kill -SEGV $$", f"exit code -{int(signal.SIGSEGV)}"),
        ("exit 0", "chromium has written no picture"),
    ],
)  # fmt: skip
def test_a_browser_that_fails_is_reported(tmp_path: Path, script: str, message: str) -> None:
    """With its exit code and the last line of what it has said, made harmless."""
    with pytest.raises(ConfigurationError, match=message):
        running(tmp_path, script).picture("file:///page.html", tmp_path / "a.png", width=300, height=600)
    assert os.listdir(tmp_path) == ["chromium"]


def test_a_browser_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """After its time, whatever it has started."""
    with pytest.raises(ConfigurationError, match=r"chromium took over 0\.2 s, and was ended"):
        running(tmp_path, "sleep 100 & sleep 100", timeout=0.2).dom("file:///page.html")


def test_runs_end_when_they_are_stopped(tmp_path: Path) -> None:
    """Whoever waits for several stops the others when one fails."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(ConfigurationError, match="chromium was ended"):
        running(tmp_path, "sleep 100", stop=stop).dom("file:///page.html")


def test_what_is_no_program_of_this_machine_is_named(tmp_path: Path) -> None:
    """A file with the right to be run, in a format that the system does not know."""
    file = tmp_path / "chromium"
    file.write_bytes(b"\x7fELF broken")
    file.chmod(0o755)
    browser = Browser(file, tmp_path, timeout=1, scale=1, stop=threading.Event())
    with pytest.raises(ConfigurationError, match="chromium cannot be run: Exec format error"):
        browser.dom("file:///page.html")
