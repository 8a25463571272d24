"""The suite detects what a test leaves behind, and files outside the project that a test reads."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.leftovers import Leftovers, listening
from tests.outside import ROOT, allowed_roots, is_outside


@pytest.fixture
def leftovers(monkeypatch: pytest.MonkeyPatch) -> Leftovers:
    """The same plugin again, with a shorter wait."""
    monkeypatch.setenv("FLOWS_TEST_SESSION", "restored afterwards")
    return Leftovers([], patience=0.05)


def test_a_session_that_leaves_nothing_has_no_report(leftovers: Leftovers) -> None:
    """What existed before the session is not reported."""
    assert leftovers.settle() == []


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_processes_are_found_and_ended(leftovers: Leftovers) -> None:
    """A child is reported with its command and the test after which it was seen, and is killed."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    leftovers.note("a test", cheap=False)
    (line,) = leftovers.settle()
    child.communicate()
    assert child.returncode < 0
    assert line.startswith("a child process is left: ")
    assert "input()" in line
    assert line.endswith("first seen after a test")


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_a_process_that_init_has_adopted_is_found(leftovers: Leftovers) -> None:
    """Its parent ends at once: a variable in its environment identifies it."""
    orphan = (
        "import subprocess, sys; command = [sys.executable, '-c', 'import time; time.sleep(20)'];"
        "print(subprocess.Popen(command, stdout=subprocess.DEVNULL).pid)"
    )
    pid = int(subprocess.run([sys.executable, "-c", orphan], check=True, stdout=subprocess.PIPE).stdout)
    (line,) = leftovers.settle()
    assert "time.sleep(20)" in line
    until = time.monotonic() + 30.0
    while _lives(pid):  # SIGKILL is delivered when the process is next run
        assert time.monotonic() < until
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_listening_sockets_are_found(leftovers: Leftovers, tmp_path: Path) -> None:
    """Of each kind; a socket that is only connected or bound is not reported."""
    with socket.socket() as bound, socket.socket(socket.AF_UNIX) as local, socket.create_server(("127.0.0.1", 0)):
        bound.bind(("127.0.0.1", 0))
        local.bind(str(tmp_path / "socket"))
        local.listen()
        assert sorted(line.split()[5] for line in leftovers.settle()) == ["tcp", "unix"]
    assert leftovers.settle() == []
    assert listening() is not None


def test_threads_are_found(leftovers: Leftovers) -> None:
    """By name; a thread that ends in time is not reported."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="left", daemon=True)
    thread.start()
    assert leftovers.settle() == ["a thread is left: left (daemon), first seen after the last test"]
    end.set()
    thread.join()
    assert leftovers.settle() == []


@pytest.mark.parametrize(
    ("path", "outside"),
    [
        (ROOT / "README.md", False),
        ("README.md", False),
        (b"README.md", False),
        (os.__file__, False),
        (pytest.__file__, False),
        ("/etc/hosts", False),
        (3, False),
        (ROOT.parent, True),
        (ROOT.parent / "shared" / "reference", True),
        (f"{ROOT}-other/file", True),
        (b"/home/somebody/.netrc", True),
        ("../outside", True),
    ],
    ids=str,
)
def test_what_is_outside(path: object, outside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but the repository, the interpreter with its packages, the system and temporary files."""
    monkeypatch.chdir(ROOT)
    roots = [root for root in allowed_roots() if not str(ROOT.parent).startswith(root) or root == str(ROOT)]
    assert is_outside(path, roots) is outside


@pytest.mark.parametrize("reach", ["open(outside)", "outside.read_text()", "list(outside.parent.iterdir())"])
def test_reaching_outside_raises(reach: str, tmp_path: Path) -> None:
    """Opening or listing such a file is an error that names it; if it is swallowed, the session reports it."""
    code = (
        "from pathlib import Path\n"
        "from tests.outside import OutsideError, forbid_outside\n"
        f"tried = forbid_outside(({str(ROOT)!r},))\n"
        f"outside = Path({str(tmp_path / 'file')!r})\n"
        f"try:\n    {reach}\n"
        "except OutsideError as error:\n    print(error, len(tried))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{tmp_path}" in done.stdout
    assert done.stdout.endswith(f"which is outside the repository ({os.environ['PYTEST_CURRENT_TEST']}) 1\n")


def test_every_thread_runs_while_it_is_traced() -> None:
    """Although CPython before 3.12 refuses a second trace function while an audit hook delays the first."""
    code = (
        "import sys, threading, time\n"
        "from tests.tracing import install_trace_functions_in_turn\n"
        "def install(frame, event, argument):\n    sys.settrace(None)\n"
        "threading.settrace(install)\n"
        "install_trace_functions_in_turn()\n"
        "sys.addaudithook(lambda event, _: time.sleep(0.001) if event == 'sys.settrace' else None)\n"
        "ran = []\n"
        "threads = [threading.Thread(target=ran.append, args=(1,)) for _ in range(20)]\n"
        "for thread in threads:\n    thread.start()\n"
        "for thread in threads:\n    thread.join()\n"
        "print(len(ran))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("20\n", "")
