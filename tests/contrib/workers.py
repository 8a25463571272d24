"""Celery workers as processes of their own, which end for certain."""

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
    """Wait until something is so; real time, because another process does it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


class Worker:
    """`celery worker` with the tasks of `celery_host`; `log` is what it says, at the level DEBUG."""

    def __init__(self, options: Mapping[str, Any], log: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "celery", "-A", "tests.contrib.celery_worker:app", "worker", "-l", "DEBUG"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat", *arguments]
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "FLOWS_TEST_HOST": json.dumps(options), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,  # a group of its own, so that its children end with it
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def ready(self) -> Worker:
        """Wait until it takes tasks."""
        eventually(lambda: " ready." in self.log or self.process.poll() is not None, "the worker is ready")
        assert self.process.poll() is None, self.log
        return self

    def children(self) -> list[int]:
        """The processes of its pool."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def kill(self) -> None:
        """SIGKILL, to it and its children: the machine loses power."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ask it to end, and make sure."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
