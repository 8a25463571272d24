"""A real Redis server for the tests of workers: Debian's redis-server, on a free port of this machine alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that keeps nothing; skipped where there is none, but not in CI."""
    program = shutil.which("redis-server")
    if program is None:
        assert os.environ.get("CI") != "true", "redis-server is missing: apt-get install redis-server"
        pytest.skip("needs redis-server on the PATH (Debian: apt-get install redis-server)")
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    options = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "no", "daemonize": "no"}
    command = [program, *(str(word) for name, value in options.items() for word in (f"--{name}", value))]
    with Path(folder, "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.kill()


def _wait_for(port: int) -> None:
    with Redis(port=port) as client:
        for _ in range(200):
            try:
                client.ping()
            except RedisConnectionError:
                time.sleep(0.02)
            else:
                return
    raise TimeoutError("redis-server does not answer")


@pytest.fixture
def redis(redis_port: int) -> Iterator[Redis]:
    """An empty database."""
    with Redis(port=redis_port) as client:
        client.flushall()
        yield client
