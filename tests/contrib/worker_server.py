"""
Runs `celery worker` in forks of one process that has imported Celery and the library: each is a process of its own,
without the 1.7 seconds of CPU time that the imports take.

Reads a line of JSON for each command: `{"argv": [...], "env": {...}, "log": PATH}` forks and writes the process id;
`{"poll": PID}` writes the exit code, or null while the process runs.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

IMPORTED = (
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.solo",
    "celery.worker.strategy",
    "kombu.transport.redis",
    "requests",
    "tests.contrib.celery_host",
    "whatsapp_flows._requests",
)


def run(command: dict[str, Any]) -> None:
    """Do what `python -m celery ...` does, in a process group of its own, so that the pool ends with its worker."""
    os.setsid()
    log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(command["env"])
    sys.argv = ["celery", *command["argv"]]
    import_module("celery.__main__").main()


def exit_code(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def main() -> None:
    """Serve until the input ends."""
    for name in IMPORTED:
        import_module(name)
    for line in sys.stdin:
        command = json.loads(line)
        if "poll" in command:
            print(json.dumps(exit_code(command["poll"])), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            run(command)
            return
        print(json.dumps(pid), flush=True)


if __name__ == "__main__":
    main()
