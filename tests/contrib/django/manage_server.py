"""
Runs manage.py in forks of one process that has imported what it imports: each is a process of its own, without the
second and a half of CPU that the imports take. Django itself is set up in the fork, as manage.py does it.

Reads a line of JSON for each command (`argv`, `cwd`, `env`, and the files `out` and `err`), forks, and writes the
process id; for {"wait": PID} it writes the exit code.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

IMPORTED = (
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.forms",
    "django.template.backends.django",
    "requests",
    "whatsapp_flows._requests",
    "whatsapp_flows.client",
    "whatsapp_flows.flow_json",
    "whatsapp_flows.sync",
)


def run(command: dict[str, Any]) -> None:
    """Do what `python manage.py ...` does, with the same exit code."""
    os.chdir(command["cwd"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(command["env"])
    sys.argv = ["manage.py", *command["argv"]]
    sys.path[0] = command["cwd"]
    signal.alarm(60)  # a command that hangs is ended
    runpy.run_path(str(Path(command["cwd"], "manage.py")), run_name="__main__")


def main() -> None:
    """Serve until the input ends."""
    for name in IMPORTED:
        import_module(name)
    for line in sys.stdin:
        command = json.loads(line)
        if "wait" in command:
            print(os.waitstatus_to_exitcode(os.waitpid(command["wait"], 0)[1]), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            run(command)
            return
        print(pid, flush=True)


if __name__ == "__main__":
    main()
