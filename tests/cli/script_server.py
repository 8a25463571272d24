"""
Runs the console script in forks of one process that has imported it.

Each run is a process of its own, with its own streams and signals, without the second of CPU that the imports take.
The socket whose descriptor is `sys.argv[1]` takes a line of JSON for each run, with the descriptors of its standard
streams, and returns the process id; for {"wait": PID} it returns the exit code.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
from typing import Any, TextIO

import whatsapp_flows.cli  # noqa: F401 - so that the forks need not import it
from whatsapp_flows import RequestsTransport
from whatsapp_flows.__main__ import main

_MODES = ("r", "w", "w")


def run(command: dict[str, Any], descriptors: list[int]) -> None:
    """Run the script with these streams, as Python would start it: a closed stream is None."""
    for number, (name, mode) in enumerate(zip(("stdin", "stdout", "stderr"), _MODES, strict=True)):
        if command[name]:
            os.dup2(descriptors.pop(0), number)
            setattr(sys, name, _stream(name, number, mode, command["encoding"]))
        else:
            os.close(number)
            setattr(sys, name, None)
    if command["new_session"]:
        os.setsid()
    os.chdir(command["cwd"])
    os.environ.update(command["env"])
    sys.argv = ["whatsapp-flows", *command["argv"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
    signal.alarm(60)  # a run that hangs is ended
    if command["stop_grace"] is not None:
        constructor: Any = RequestsTransport.__init__
        constructor.__kwdefaults__["stop_grace"] = command["stop_grace"]
    main()


def _stream(name: str, number: int, mode: str, encoding: str) -> TextIO:
    """As Python opens it: what cannot be written to stderr is lost, and no error at the exit."""
    if name == "stderr":
        return io.TextIOWrapper(open(number, "wb", 0), encoding, "backslashreplace", write_through=True)
    return open(number, mode, encoding=encoding)  # type: ignore[return-value]


def serve() -> None:
    """Run what is asked for until the other end of the socket is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 65536, 3)
        if not message:
            return
        command = json.loads(message)
        if "wait" in command:
            answer = os.waitstatus_to_exitcode(os.waitpid(command["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                control.close()
                run(command, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendall(f"{answer}\n".encode())


if __name__ == "__main__":
    serve()
