"""
A Redis server for the tests of workers, on a free port of this machine alone.

Debian's redis-server; where there is none, fakeredis in a thread of this process: the same tests run everywhere.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

HAS_SERVER: Final = shutil.which("redis-server") is not None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that keeps nothing. CI has the real one."""
    if not HAS_SERVER:
        assert os.environ.get("CI") != "true", "redis-server is missing: apt-get install redis-server"
        with _imitation() as port:
            yield port
        return
    folder = tmp_path_factory.mktemp("redis")
    options = {"bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "no", "daemonize": "no"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    for _ in range(5):  # another process may take a port before Redis does
        port = free_port()
        command = ["redis-server", "--port", str(port), *words]
        with Path(folder, "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                if _answers(port, server):
                    yield port
                    return
            finally:
                server.kill()
    raise AssertionError(f"redis-server does not answer: {Path(folder, 'log').read_text()[-500:]}")


@contextmanager
def _imitation() -> Iterator[int]:
    from fakeredis import TcpFakeServer  # imported here: it takes half a second

    with TcpFakeServer(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.join()


def _answers(port: int, server: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + 30
    with Redis(port=port) as client:
        while server.poll() is None and time.monotonic() < until:
            try:
                client.ping()
            except RedisConnectionError:
                time.sleep(0.02)
            else:
                return server.poll() is None
    return False


@pytest.fixture
def redis(redis_port: int) -> Iterator[Redis]:
    """An empty database."""
    with Redis(port=redis_port) as client:
        client.flushall()
        yield client
