"""The watcher: what counts as a change, and what a file may do while it is file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from whatsapp_flows.preview._watch import FileContent, Watcher, read_content

OLD = 946_684_800  # seconds; long before the tests


class Watched:
    """A file with a watcher that looks when a test says so, and the contents that it has reported."""

    def __init__(self, path: Path, *, now: float = OLD + 1_000_000.0, limit: int = 1000) -> None:
        self.path = path
        self.seen: list[FileContent] = []
        self.now = now
        known = read_content(path, limit)
        self.watcher = Watcher(path, self.seen.append, known, limit=limit, clock=lambda: self.now)

    def look(self, times: int = 2) -> list[str]:
        """What is reported when it looks: contents, and problems in brackets."""
        self.seen.clear()
        for _ in range(times):
            self.watcher.look()
        return [f"[{each.problem}]" if each.problem else each.content.decode() for each in self.seen]


@pytest.fixture
def saved(tmp_path: Path) -> Watched:
    path = tmp_path / "flow.json"
    write(path, "one", OLD)
    return Watched(path)


def write(path: Path, text: str, at: float) -> None:
    """Write a file with a timestamp."""
    path.write_text(text)
    os.utime(path, (at, at))


def replaced(path: Path, text: str, at: float) -> None:
    """Replace a file by rename, as editors save."""
    write(path.with_suffix(".new"), text, at)
    os.replace(path.with_suffix(".new"), path)


@pytest.mark.parametrize("save", [write, replaced], ids=["in place", "by rename"])
def test_a_saved_file_is_reported_once(saved: Watched, save: Callable[[Path, str, float], None]) -> None:
    """The new content is reported after two looks that found the same file, and only once."""
    assert saved.look(5) == []
    save(saved.path, "two", OLD + 10)
    assert saved.look(1) == []
    assert saved.look(5) == ["two"]
    save(saved.path, "one", OLD + 20)
    assert saved.look() == ["one"]


def test_the_same_content_is_no_change(saved: Watched) -> None:
    """Touching a file, or writing what it had, reports nothing."""
    write(saved.path, "one", OLD + 10)
    assert saved.look(5) == []
    replaced(saved.path, "one", OLD + 20)
    assert saved.look(5) == []


def test_a_file_that_is_being_written_is_not_read(saved: Watched) -> None:
    """As long as it grows between two looks, nothing is reported."""
    for length in range(4, 9):
        write(saved.path, "x" * length, OLD + length)
        assert saved.look(1) == []
    assert saved.look(1) == ["xxxxxxxx"]


def test_two_changes_with_one_timestamp(saved: Watched) -> None:
    """A file that was written a moment ago is read again, although its timestamp and size are the same."""
    saved.now = OLD + 10.5
    write(saved.path, "two", OLD + 10)
    assert saved.look() == ["two"]
    content = saved.path.stat()
    with saved.path.open("r+") as file:
        file.write("six")
    os.utime(saved.path, ns=(content.st_atime_ns, content.st_mtime_ns))
    assert saved.look(1) == ["six"]


def test_a_file_that_vanishes_and_comes_back(saved: Watched) -> None:
    """That it is gone is reported once; when it is there again, its content is, even the old one."""
    saved.path.unlink()
    assert saved.look(5) == ["[the file is not there]"]
    write(saved.path, "one", OLD)
    assert saved.look(5) == ["one"]


def test_a_rename_that_is_seen_half_is_not_reported(saved: Watched) -> None:
    """An editor that deletes the file and then writes it: one look without a file is no news."""
    saved.path.unlink()
    assert saved.look(1) == []
    write(saved.path, "two", OLD + 10)
    assert saved.look() == ["two"]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (Path.mkdir, "[the file cannot be read: Is a directory]"),
        (os.mkfifo, "[the file cannot be read: it is not a regular file]"),
        (lambda path: path.symlink_to(path), "[the file cannot be read: Too many levels of symbolic links]"),
        (lambda path: path.write_text("x" * 1001), "[the file cannot be read: it has more than 1000 bytes]"),
    ],
    ids=["folder", "pipe", "loop of links", "too large"],
)
def test_what_is_no_file_to_read(saved: Watched, make: Callable[[Path], object], problem: str) -> None:
    """A folder, a pipe, a loop and a file over the limit are reported as a problem, and do not block."""
    saved.path.unlink()
    make(saved.path)
    assert saved.look(3) == [problem]


def test_a_link_that_is_turned(saved: Watched, tmp_path: Path) -> None:
    """A link to a folder of files that is replaced, as mounted configuration is, shows as a change."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "flow.json", name, OLD)
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "a")
    linked = Watched(link / "flow.json")
    (tmp_path / "next").symlink_to(tmp_path / "b")
    os.replace(tmp_path / "next", link)
    assert linked.look() == ["b"]


def test_the_thread_looks_until_it_is_closed(tmp_path: Path) -> None:
    """A started watcher reports from its own thread; closing it ends the thread, also from there and twice."""
    path = tmp_path / "flow.json"
    write(path, "one", OLD)
    found = threading.Event()
    watcher: Watcher

    def changed(_: FileContent) -> None:
        watcher.close()
        found.set()

    watcher = Watcher(path, changed, FileContent(), limit=1000, interval=0.001)
    watcher.start()
    assert found.wait(30)
    watcher.close()
    watcher.close()


def test_closing_what_was_not_started(saved: Watched) -> None:
    """It has no thread to wait for."""
    saved.watcher.close()


def test_a_file_that_changes_while_it_is_read(saved: Watched) -> None:
    """What was read is thrown away, and the file is read again when it has settled."""

    class Changing:
        """A path whose file is written again between the reading of its content and the look after it."""

        uses = 0

        def __fspath__(self) -> str:
            self.uses += 1
            if self.uses == 4:  # two looks, the reading, and the look after it
                write(saved.path, "three", OLD + 30)
            return str(saved.path)

    seen: list[FileContent] = []
    watcher = Watcher(Changing(), seen.append, FileContent(content=b"one"), limit=1000)
    write(saved.path, "two", OLD + 20)
    assert [watcher.look() for _ in range(4)] == [False, False, False, True]
    assert seen == [FileContent(content=b"three")]
