"""The console script as processes, each a fork of `script_server.py`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]


@dataclass
class Script:
    """A running script. `stdout` and `stderr` are the streams to read, unless others were given."""

    server: ScriptServer
    pid: int
    stdout: IO[str]
    stderr: IO[str]
    _code: int | None = field(default=None, init=False)

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """The exit code; negative is a signal."""
        if self._code is None:
            self._code = self.server.ask({"wait": self.pid})
            self.stdout.close()
            self.stderr.close()
        return self._code

    def result(self) -> tuple[int, str, str]:
        """Wait for the end: exit code, stdout, stderr."""
        out, err = self.stdout.read(), self.stderr.read()
        return self.wait(), out, err


class ScriptServer:
    """The process that the scripts are forked from."""

    def __init__(self) -> None:
        self._control, other = socket.socketpair()
        with other:
            command = [sys.executable, str(Path(__file__).with_name("script_server.py")), str(other.fileno())]
            path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, pass_fds=[other.fileno()]
            )

    def ask(self, command: dict[str, Any], descriptors: tuple[int, ...] = ()) -> int:
        """Send one line, receive one number."""
        socket.send_fds(self._control, [json.dumps(command).encode()], descriptors)
        return int(self._control.recv(64))

    def start(
        self,
        *argv: object,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        closed: str = "",
        cwd: Path = ROOT,
        encoding: str = "utf-8",
        new_session: bool = False,
        stop_grace: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Script:
        """Start a script. Streams are descriptors, by default pipes and no input, or named in `closed`."""
        read_out, write_out = os.pipe()
        read_err, write_err = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        given = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
        default = {"stdin": nothing, "stdout": write_out, "stderr": write_err}
        streams = {
            name: default[name] if descriptor is None else descriptor
            for name, descriptor in given.items()
            if name not in closed
        }
        command = {
            "argv": [str(word) for word in argv], "cwd": str(cwd), "env": dict(env or {}), "encoding": encoding,
            "new_session": new_session, "stop_grace": stop_grace, **{name: name in streams for name in given},
        }  # fmt: skip
        pid = self.ask(command, tuple(streams.values()))
        for descriptor in default.values():
            os.close(descriptor)
        return Script(self, pid, open(read_out, encoding=encoding), open(read_err, encoding="utf-8"))

    def close(self) -> None:
        self._control.close()
        assert self._process.wait(60) == 0
