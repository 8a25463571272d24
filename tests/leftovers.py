"""
Nothing stays behind: a session fails if a child process, a listening socket, a thread or a log handler is left at its
end.

A plugin, loaded by `conftest.py`, so that it holds in each worker of pytest-xdist and in the process that controls
them. Who left it is named: threads and handlers are looked for after each test, processes and sockets, which cost a
walk through /proc, after each module. A process is known by an entry of its environment, so that one that init has
adopted is found too. Without /proc only threads and handlers are looked for.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Generator, Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

MARK: Final = "FLOWS_TEST_SESSION"
_PROC: Final = Path("/proc")
_LISTENS: Final = "0A"  # the state of a listening socket in /proc/net/tcp
_ACCEPTS: Final = "00010000"  # the flag of one in /proc/net/unix
_PATIENCE: Final = 30.0  # seconds for processes and threads that are ending


# -- processes, sockets and threads


def children(mark: str) -> dict[int, str]:
    """The processes, by their id, that have `mark` in their environment or this process as their parent."""
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        pid = int(folder.name)
        with suppress(OSError):
            # The command's name stands in brackets, and may hold any character.
            state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            ours = int(parent) == os.getpid() or f"{MARK}={mark}".encode() in (folder / "environ").read_bytes()
            if ours and pid != os.getpid():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                found[pid] = f"{command[:200] or 'zombie'} (parent {parent}, state {state})"
    return found


def listening() -> dict[int, str]:
    """The listening sockets of this process: inode -> address."""
    mine = set()
    with suppress(OSError):
        for entry in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{entry}")
                if target.startswith("socket:["):
                    mine.add(int(target[8:-1]))
    found = {}
    for table, column, value, inode, address in (
        ("tcp", 3, _LISTENS, 9, 1),
        ("tcp6", 3, _LISTENS, 9, 1),
        ("unix", 3, _ACCEPTS, 6, 7),
    ):
        with suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                words = line.split()
                if words[column] == value and int(words[inode]) in mine:
                    found[int(words[inode])] = f"{table} {words[address] if len(words) > address else '(unnamed)'}"
    return found


def threads() -> dict[int, str]:
    """The threads of this process: number -> name."""
    return {id(it): f"{it.name}{' (daemon)' if it.daemon else ''}" for it in threading.enumerate()}


def log_handlers() -> dict[int, str]:
    """The handlers of the root logger and the library's: a stream that they write to may be closed after the test."""
    found = {}
    for name in ("", "whatsapp_flows"):
        for handler in logging.getLogger(name).handlers:
            if not isinstance(handler, logging.NullHandler) and not type(handler).__module__.startswith("_pytest."):
                found[id(handler)] = f"{handler!r} of {name or 'the root'}"
    return found


# -- the plugin


class Leftovers:
    """
    What was not there at the start, and after which test it was first seen.

    `faults` are told as well: others add to it while the session lasts.
    """

    def __init__(self, faults: list[str], *, patience: float = _PATIENCE) -> None:
        self.reported: list[str] = []
        self._faults = faults
        self._patience = patience
        self._mark = uuid.uuid4().hex
        self._first: dict[tuple[str, Hashable], str] = {}
        os.environ[MARK] = self._mark  # each worker of pytest-xdist, though a child, has its own
        self._before = self._present()

    def _present(self, *, cheap: bool = False) -> dict[tuple[str, Hashable], str]:
        kinds = {"thread": threads(), "log handler": log_handlers()}
        if not cheap:
            kinds |= {"child process": children(self._mark), "listening socket": listening()}
        return {(kind, key): what for kind, found in kinds.items() for key, what in found.items()}

    def _new(self, *, cheap: bool = False) -> dict[tuple[str, Hashable], str]:
        return {key: what for key, what in self._present(cheap=cheap).items() if key not in self._before}

    def note(self, where: str, *, cheap: bool) -> None:
        """Remember after which test something was seen for the first time."""
        for key in self._new(cheap=cheap):
            self._first.setdefault(key, where)

    def settle(self) -> list[str]:
        """What is left after a wait, a line each. Processes are killed."""
        until = time.monotonic() + self._patience
        while (left := self._new()) and time.monotonic() < until:
            time.sleep(0.05)
        for kind, pid in left:
            if kind == "child process":
                with suppress(OSError):
                    os.kill(int(str(pid)), signal.SIGKILL)
        return [
            f"a {kind} is left: {what}, first seen after {self._first.get((kind, key), 'the last test')}"
            for (kind, key), what in left.items()
        ]

    # -- hooks

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, bool, bool]:
        """After each test."""
        done = yield
        same = nextitem is not None and nextitem.path == item.path
        self.note(item.nodeid, cheap=same)
        return done

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """After the fixtures of the session and the workers have ended: report, or pass the report on."""
        done = yield
        left = [*self._faults, *self.settle()]
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["leftovers"] = left
        else:
            self.reported += left
            if self.reported and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return done

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended: collect its report."""
        found = getattr(node, "workeroutput", {}).get("leftovers", [])
        self.reported += [f"{node.gateway.id}: {line}" for line in found]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the report below the failures."""
        if self.reported:
            terminalreporter.section("left behind", red=True, bold=True)
            for line in self.reported:
                terminalreporter.line(line)
