"""A line for each request that a server of the command line answers."""

from __future__ import annotations

import threading
from typing import TextIO


class LineLog:
    """
    Writes lines from several threads to a stream.

    After a failed write, such as to a pipe that was closed, nothing more is written: the server goes on.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Write a line at once."""
        with self._lock:
            if self._stream is None:
                return
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None
