"""
A PostgreSQL server for the tests, where there is one.

`WHATSAPP_FLOWS_TEST_POSTGRES` names a database that may be emptied ("host=... dbname=... user=..."); without it a
server binary of the machine is started on the loopback address, in a folder of its own.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "WHATSAPP_FLOWS_TEST_POSTGRES"
_DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, newest release first; None without a server."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = sorted(_DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def server(folder: Path) -> Iterator[str | None]:
    """The DSN of a database; None where there is none."""
    given = os.environ.get(VARIABLE)
    binaries = programs()
    if given or binaries is None:
        yield given
        return
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user is not None:
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / program, *arguments], check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=60
        )

    run("initdb", "-D", str(data), "-U", "crm", "--auth=trust", "--no-sync")
    run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
    try:
        yield f"host=127.0.0.1 port={port} dbname=postgres user=crm"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
