"""The endpoints of others, each in an environment of its own, behind a socket on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.interop.sources import CACHE, FLOWS_TOOLS
from whatsapp_flows.endpoint import KeyPair, generate_key_pair

HERE: Final = Path(__file__).parent
SECRET: Final = "an-app-secret-for-interop"
PASSPHRASE: Final = "a passphrase"
PYWA_PACKAGES: Final = ("pywa[cryptography]==4.5.0", "starlette", "fastapi", "flask", "uvicorn")
_PATIENCE: Final = 30.0  # seconds until a server listens


class SkippedError(Exception):
    """A peer that cannot run here, and why."""


@dataclass
class Running:
    """A peer that is running; it is started again by the next request after it has ended."""

    start: Callable[[], tuple[subprocess.Popen[str], str]]
    process: subprocess.Popen[str] = field(init=False)
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.process, self.url = self.start()

    def has_ended(self, within: float = 1.0) -> bool:
        """Whether its process ends within so many seconds; it is started again then."""
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        self.process.communicate()
        self.__post_init__()
        return True

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.communicate(timeout=_PATIENCE)


@dataclass(frozen=True)
class Peer:
    """An endpoint of others: its name, and how it is started with a key pair."""

    name: str
    start: Callable[[KeyPair], tuple[subprocess.Popen[str], str]]

    @contextmanager
    def running(self) -> Iterator[tuple[Running, KeyPair]]:
        """The peer with a key pair of its own. Raises `SkippedError`."""
        pair = generate_key_pair(PASSPHRASE)
        running = Running(lambda: self.start(pair))
        try:
            yield running, pair
        finally:
            running.stop()


def environment(pair: KeyPair, **more: str) -> dict[str, str]:
    """The variables of a peer. Nothing of it leaves this machine: other hosts are a proxy that does not exist."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "APP_SECRET": SECRET,
        "PRIVATE_KEY": pair.private_pem.reveal(),
        "PASSPHRASE": PASSPHRASE,
        "NO_PROXY": "127.0.0.1",
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9"),
        **more,
    }


def _pywa(framework: str) -> Callable[[KeyPair], tuple[subprocess.Popen[str], str]]:
    def start(pair: KeyPair) -> tuple[subprocess.Popen[str], str]:
        command = [str(python_with("pywa-endpoint", PYWA_PACKAGES)), "-B", str(HERE / "drivers" / "serve_pywa.py")]
        process = _spawn([*command, framework], environment(pair), announces=True)
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port.isdigit():
            process.kill()
            raise RuntimeError(f"pywa did not start: see {CACHE / 'peer.log'}")
        return process, f"http://127.0.0.1:{port}/flow"

    return start


def _node(pair: KeyPair) -> tuple[subprocess.Popen[str], str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SkippedError("there is no node with npm")
    folder = CACHE / "node-endpoint"
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(FLOWS_TOOLS.folder() / "examples" / "endpoint" / "nodejs" / "basic", folder)
        subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=300)
        (folder / "installed").touch()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    process = _spawn([node, str(folder / "src" / "server.js")], environment(pair, PORT=str(port)), announces=False)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"http://127.0.0.1:{port}/"
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"Meta's example did not start: see {CACHE / 'peer.log'}")


def _spawn(command: Sequence[str], variables: Mapping[str, str], *, announces: bool) -> subprocess.Popen[str]:
    """A process that writes into a log; one that `announces` has a pipe for its stdout."""
    with (CACHE / "peer.log").open("a") as log:
        stdout = subprocess.PIPE if announces else log
        return subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=stdout, stderr=log, text=True)


def python_with(name: str, packages: Sequence[str]) -> Path:
    """The interpreter of an environment with these packages, which is made if it does not exist."""
    home = CACHE / name
    python, stamp = home / "bin" / "python", home / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(packages):
        print(f"Installing {' '.join(packages)}", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
        stamp.write_text("\n".join(packages))
    return python


PEERS: Final = (
    Peer("pywa on Starlette", _pywa("starlette")),
    Peer("pywa on FastAPI", _pywa("fastapi")),
    Peer("pywa on Flask", _pywa("flask")),
    Peer("Meta's Node example", _node),
)
