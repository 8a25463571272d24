"""Files are replaced atomically."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from whatsapp_flows import ConfigurationError
from whatsapp_flows._files import create_file, replace_file


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    """A new file has the permissions of one that `open` creates."""
    (tmp_path / "other").touch()
    replace_file(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_old_file_keeps_its_mode(tmp_path: Path) -> None:
    """Also if it is written through a link."""
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error has the path that was given."""
    with pytest.raises(ConfigurationError, match=r"there/file cannot be written: No such file or directory\."):
        replace_file(tmp_path / "there" / "file", b"")


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file is unchanged, without another file beside it."""
    (tmp_path / "file").write_bytes(b"old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "file", b"new")
    assert (os.listdir(tmp_path), (tmp_path / "file").read_bytes()) == (["file"], b"old")


def test_a_link_to_nothing_is_not_written_through(tmp_path: Path) -> None:
    """A dangling link does not choose which file is created."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere/file")
    with pytest.raises(ConfigurationError, match=r"link cannot be written: it is a link to .*elsewhere/file"):
        replace_file(tmp_path / "link", b"new")
    assert os.listdir(tmp_path / "elsewhere") == []
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "link"]


def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    """It is reported as a file that cannot be written."""
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(ConfigurationError, match="link cannot be written"):
        replace_file(tmp_path / "link", b"new")


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    """Folders, pipes and devices are not replaced."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "folder", tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(ConfigurationError, match="it is not a regular file"):
            replace_file(path, b"new")
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]


def in_a_process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """
    Python code in a process of its own, with `replace_file`.

    Its coverage is not measured: a process that is killed, or cannot write, would leave a damaged coverage file.
    """
    head = (
        "import os, resource, signal, sys; from pathlib import Path; from whatsapp_flows._files import replace_file\n"
    )
    command = [sys.executable, "-c", head + code, *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


FULL = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
replace_file(Path(sys.argv[1]), b"x" * 5000)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The old file is complete, without another file beside it; the error states the reason."""
    (tmp_path / "file").write_bytes(b"old")
    done = in_a_process(FULL, tmp_path / "file")
    assert done.stderr.strip().endswith(f"ConfigurationError: {tmp_path / 'file'} cannot be written: File too large.")
    assert (os.listdir(tmp_path), (tmp_path / "file").read_bytes()) == (["file"], b"old")


KILLED = """
setattr(os, sys.argv[2], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
replace_file(Path(sys.argv[1]), b"newer")
"""


@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_what_a_killed_writer_leaves_is_cleared_away(tmp_path: Path, step: str) -> None:
    """The old file is complete, and the next write deletes what is left beside it."""
    (tmp_path / "file").write_bytes(b"old")
    assert in_a_process(KILLED, tmp_path / "file", step).returncode in {-signal.SIGKILL, 0}
    assert (tmp_path / "file").read_bytes() in {b"old", b"newer"}
    replace_file(tmp_path / "file", b"new")
    assert (os.listdir(tmp_path), (tmp_path / "file").read_bytes()) == (["file"], b"new")


def test_on_linux_a_writer_killed_while_it_writes_leaves_nothing(tmp_path: Path) -> None:
    """The file has no name before it is complete."""
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("the system has no files without a name")
    assert in_a_process(KILLED, tmp_path / "file", "fsync").returncode == -signal.SIGKILL
    assert os.listdir(tmp_path) == []


def test_where_files_need_a_name_it_is_the_same(tmp_path: Path) -> None:
    """On systems that cannot create files without a name."""
    replace_file(tmp_path / "file", b"old", unnamed=0)
    replace_file(tmp_path / "file", b"new", unnamed=0)
    assert (os.listdir(tmp_path), (tmp_path / "file").read_bytes()) == (["file"], b"new")


def test_only_leftovers_of_dead_writers_of_that_file_are_cleared_away(tmp_path: Path) -> None:
    """A file that is being written is kept, and so are files of other names."""
    others = {".file.0123abcd.tmp2", ".other.0123abcd.tmp", ".file.tmp", "file.0123abcd.tmp", ".file.0123abcg.tmp"}
    for name in (*others, ".file.0123abcd.tmp", ".file.89abcdef.tmp"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".file.00000000.tmp").symlink_to("other")
    with (tmp_path / ".file.89abcdef.tmp").open("rb") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        replace_file(tmp_path / "file", b"new")
    assert set(os.listdir(tmp_path)) == {*others, "file", ".file.89abcdef.tmp", ".file.00000000.tmp"}


def test_a_created_file_has_its_mode_from_the_start(tmp_path: Path) -> None:
    """Whatever the umask is. A file that exists, a link, and a missing folder are errors that change nothing."""
    before = os.umask(0)
    try:
        create_file(tmp_path / "key", b"secret", mode=0o600)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to("elsewhere")
    for name, reason in (("key", "File exists"), ("link", "File exists"), ("no/key", "No such file or directory")):
        with pytest.raises(ConfigurationError, match=rf"{name} cannot be written: {reason}\."):
            create_file(tmp_path / name, b"other", mode=0o600)
    assert (tmp_path / "key").read_bytes() == b"secret"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "link"]


CREATED = """
from whatsapp_flows._files import create_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3, 3))
create_file(Path(sys.argv[1]), b"secret", mode=0o600)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the limit of a file's size")
def test_a_created_file_that_cannot_be_written_whole_is_deleted(tmp_path: Path) -> None:
    """A full disk leaves no half of a key behind."""
    done = in_a_process(CREATED, tmp_path / "key")
    assert "key cannot be written: File too large." in done.stderr
    assert not list(tmp_path.iterdir())
