"""Celery workers in processes of their own, which end with the test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def eventually(true: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until a condition is true, in real time, because another process makes it true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


class WorkerServer:
    """The process of `worker_server.py`, which forks the workers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.contrib.worker_server"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: Mapping[str, object]) -> Any:
        """Send a command, and return the result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, options: Mapping[str, Any], log: Path, *arguments: str) -> Worker:
        """Start a worker with the tasks of `celery_host`."""
        argv = ["-A", "tests.contrib.celery_worker:app", "worker", "-l", "DEBUG"]
        argv += ["--without-gossip", "--without-mingle", "--without-heartbeat", *arguments]
        pid = self.ask({"argv": argv, "env": {"FLOWS_TEST_HOST": json.dumps(options)}, "log": str(log)})
        return Worker(self, pid, log)

    def close(self) -> None:
        """End the process; its workers have ended before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


class Worker:
    """A running `celery worker`; `log` is its output, at the level DEBUG."""

    def __init__(self, server: WorkerServer, pid: int, log: Path) -> None:
        self._server, self._pid, self._log = server, pid, log
        self._exit_code: int | None = None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def ended(self) -> bool:
        """Whether its process has ended."""
        if self._exit_code is None:
            self._exit_code = self._server.ask({"poll": self._pid})
        return self._exit_code is not None

    def ready(self) -> Worker:
        """Wait until it takes tasks."""
        eventually(lambda: " ready." in self.log or self.ended(), "the worker is ready")
        assert not self.ended(), self.log
        return self

    def children(self) -> list[int]:
        """The processes of its pool."""
        found = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def kill(self) -> None:
        """Send SIGKILL to it and its children, as if the machine lost power."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        eventually(self.ended, "the worker has ended")

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Terminate it, and kill it if that takes longer than two seconds."""
        if not self.ended():
            os.kill(self._pid, signal.SIGTERM)
            with contextlib.suppress(AssertionError):
                eventually(self.ended, "the worker ends", 2.0)
        self.kill()
