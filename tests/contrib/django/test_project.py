"""The example project: manage.py in processes of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.contrib.django.postgres import VARIABLE, server
from tests.contrib.django.support import TOKEN
from whatsapp_flows.emulator import Emulator

pytestmark = pytest.mark.unmeasured

PROJECT = Path(__file__).parents[3] / "examples" / "django_crm"
SEVEN = 7
COUNT = "SELECT sync_status, count(*) FROM whatsapp_flows_whatsappflow GROUP BY sync_status"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str | None]:
    """A DSN, or None. The folder is one that the server's own user can reach."""
    with tempfile.TemporaryDirectory(prefix="whatsapp-flows-") as name:
        os.chmod(name, stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
        folder = Path(name, "postgres")
        folder.mkdir()
        with server(folder) as dsn:
            yield dsn


class Process:
    """A run of manage.py."""

    def __init__(self, server: Server, folder: Path, argv: tuple[str, ...], env: dict[str, str]) -> None:
        self._server = server
        self._files = [folder / f"{uuid4()}.{name}" for name in ("out", "err")]
        out, err = map(str, self._files)
        self.pid = server.ask({"argv": argv, "cwd": str(PROJECT), "env": env, "out": out, "err": err})
        self._code: int | None = None

    def kill(self) -> None:
        """SIGKILL, if it has not ended."""
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.done()

    def done(self) -> tuple[int, str, str]:
        """Wait for its end; returns the exit code and the output."""
        if self._code is None:
            self._code = self._server.ask({"wait": self.pid})
        out, err = (path.read_text() for path in self._files)
        return self._code, out, err


class Server:
    """The process of `manage_server.py`."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "error", str(Path(__file__).with_name("manage_server.py"))]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, text=True)

    def ask(self, command: dict[str, Any]) -> int:
        """Send one line, and read one back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def processes() -> Iterator[Server]:
    """Where manage.py is run."""
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "crm.sqlite3"
    migrate({"CRM_SQLITE": str(path)})
    return path


@pytest.fixture(scope="module")
def migrated_postgres(postgres: str | None) -> str:
    """A database to empty."""
    if postgres is None:
        pytest.skip(f"no PostgreSQL: set {VARIABLE}, or install a server")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    migrate({"CRM_DATABASE": postgres})
    return postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The variables that name a migrated database without flows."""
    if request.param == "sqlite":
        return {"CRM_SQLITE": str(shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path))}
    dsn: str = request.getfixturevalue("migrated_postgres")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE whatsapp_flows_whatsappflow")
    return {"CRM_DATABASE": dsn}


def environment(**more: str) -> dict[str, str]:
    """That of a process of manage.py: nothing of the tests' own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "WHATSAPP_FLOWS_"))}
    return {**kept, "PYTHONWARNINGS": "error", "WHATSAPP_FLOWS_ACCESS_TOKEN": TOKEN, **more}


def migrate(database: dict[str, str]) -> None:
    """The project's own migration says nothing."""
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    environ = environment(WHATSAPP_FLOWS_WABA_ID="1", **database)
    made = subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")


Manage = Callable[..., Process]


@pytest.fixture
def manage(database: dict[str, str], meta: Emulator, processes: Server, tmp_path: Path) -> Iterator[Manage]:
    """Starts manage.py; processes that a test leaves running are killed."""
    running: list[Process] = []
    environ = environment(
        **database,
        WHATSAPP_FLOWS_WABA_ID=meta.waba_id,
        WHATSAPP_FLOWS_BASE_URL=meta.url,
        CRM_RETRY_INITIAL="0",
    )

    def start(*arguments: str, **more: str) -> Process:
        process = Process(processes, tmp_path, arguments, {**environ, **more})
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()


def done(process: Process) -> tuple[int, str, str]:
    """The exit code and the output."""
    return process.done()


def until(meta: Emulator, operation: str) -> None:
    """Wait for a request to arrive."""
    for _ in range(600):
        if any(request.operation == operation for request in meta.requests):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {operation}")


def test_the_seven_flows_are_deployed(manage: Manage, meta: Emulator) -> None:
    """A dry run, one flow published, then all; a second run is one call."""
    code, out, err = done(manage("sync_whatsapp_flows", "--dry-run"))
    assert (code, out.count("would be: create"), err, len(meta.flows())) == (0, SEVEN, "", 0)
    code, out, err = done(manage("sync_whatsapp_flows", "--flow", "solar_installation", "--publish"))
    assert (code, out.count("PUBLISHED"), err) == (0, 1, "")
    assert [there.name for there in meta.flows()] == ["Solar Installation Request"]
    code, out, err = done(manage("sync_whatsapp_flows", "--publish"))
    assert (code, out.count("PUBLISHED"), err) == (0, SEVEN, "")
    assert {there.status for there in meta.flows()} == {"PUBLISHED"}
    meta.clear_requests()
    code, out, err = done(manage("sync_whatsapp_flows", "--publish"))
    assert (code, out.count("unchanged"), err, len(meta.requests)) == (0, SEVEN, "", 1)
    assert done(manage("check", "--database", "default", "--fail-level", "WARNING"))[0] == 0
    assert meta.leaks == ()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # an exit code is no matter of the database
def test_a_flow_that_fails_makes_the_command_fail(manage: Manage, meta: Emulator) -> None:
    """Exit 1, with the reason on stderr and the other flows deployed."""
    meta.fail("create_flow", code=100, message="no", times=1)
    code, out, err = done(manage("sync_whatsapp_flows", "--publish"))
    assert (code, out.count("PUBLISHED")) == (1, SEVEN - 1)
    assert "1 of 7 flows is not as wanted." in err
    assert TOKEN not in err
    assert done(manage("sync_whatsapp_flows", "--flow", "nothing"))[0] == 2


def test_a_killed_process_is_recovered_from(manage: Manage, meta: Emulator) -> None:
    """Killed while Meta creates a flow: its rows stay marked, the next run skips them, and `--force` continues."""
    meta.fail("create_flow", delay=3.0)
    process = manage("sync_whatsapp_flows", "--flow", "loan_application", "--publish")
    until(meta, "create_flow")
    process.kill()
    meta.clear_faults()
    code, _, err = done(manage("sync_whatsapp_flows", "--publish"))
    assert code == 1
    assert "loan_application: skipped: Another process has been syncing it since" in err
    assert done(manage("sync_whatsapp_flows", "--publish", "--force"))[0] == 0
    assert len({there.name for there in meta.flows()}) == len(meta.flows()) == SEVEN


def test_two_at_once_make_each_flow_once(manage: Manage, meta: Emulator) -> None:
    """The rows that one has acquired, the other skips or finds done."""
    meta.fail("create_flow", delay=0.2)
    for code, _, err in [done(process) for process in [manage("sync_whatsapp_flows", "--publish") for _ in range(2)]]:
        assert code in {0, 1}
        assert all(": skipped: " in line or "not as wanted" in line for line in err.splitlines())
    assert len(meta.flows()) == SEVEN
    assert {there.status for there in meta.flows()} == {"PUBLISHED"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgres_sees_no_transaction_while_the_command_waits(
    manage: Manage, meta: Emulator, database: dict[str, str]
) -> None:
    """The server reports no transaction while Meta is slow; a connection that the server closes is opened again."""
    meta.fail("create_flow", delay=1.0)
    meta.fail("create_flow", code=1, times=1)
    process = manage("sync_whatsapp_flows", "--flow", "loan_application", "--publish", CRM_RETRY_INITIAL="1")
    until(meta, "create_flow")
    look = "SELECT pid, state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    states: set[Any] = set()
    with psycopg.connect(database["CRM_DATABASE"], autocommit=True) as connection:
        assert connection.execute(COUNT).fetchall() == [("syncing", 1)]
        for _ in range(5):
            seen = connection.execute(look).fetchall()
            states |= {state for _, state in seen}
            time.sleep(0.05)
        for pid, _ in seen:
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        assert done(process)[0] == 0
        assert connection.execute(COUNT).fetchall() == [("published", 1)]
    assert states == {"idle"}
