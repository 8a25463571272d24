"""A real pseudo-terminal for the command line, and the screen that its user sees."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import struct
import termios
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final

import pyte

from whatsapp_flows.cli import run

_TIMEOUT: Final = 30.0  # seconds for what a test waits for, on a busy machine


class Terminal:
    """
    A terminal of 80 columns, with enough lines that nothing scrolls away.

    `start` runs a command in a thread of this process; `press` types, `lines` is the screen, `code` the exit code.
    `other_end` is a descriptor for another process.
    """

    def __init__(self, *, columns: int = 80, env: Mapping[str, str] | None = None) -> None:
        self.env = {"TERM": "xterm-256color", **(env or {})}
        self.code: int | None = None
        self.written = b""
        self._screen = pyte.Screen(columns, 300)
        self._stream = pyte.ByteStream(self._screen)
        self._keyboard, self.other_end = pty.openpty()
        fcntl.ioctl(self.other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 300, columns, 0, 0))
        self._thread: threading.Thread | None = None

    def start(
        self,
        *argv: object,
        stop: threading.Event | None = None,
        sleep: Callable[[float], object] = lambda seconds: None,
    ) -> None:
        """Run a command. Its waits take no time unless `sleep` waits."""

        def work() -> None:
            with (
                io.TextIOWrapper(open(os.dup(self.other_end), "rb", buffering=0), encoding="utf-8") as stdin,
                open(os.dup(self.other_end), "w", encoding="utf-8", newline="") as stdout,
                open(os.dup(self.other_end), "w", encoding="utf-8", newline="") as stderr,
            ):
                self.code = run(
                    [str(word) for word in argv],
                    stdin=stdin, stdout=stdout, stderr=stderr, env=self.env, sleep=sleep, stop=stop,
                )  # fmt: skip

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._keyboard, keys.encode())

    def listen(self, seconds: float) -> bytes:
        """What is written during that time."""
        received = b""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._keyboard], [], [], left)[0]:
                received += self._hear()
        return received

    def _hear(self) -> bytes:
        received = os.read(self._keyboard, 65536)
        self.written += received
        self._stream.feed(received)
        return received

    @property
    def lines(self) -> list[str]:
        """The lines on the screen, without empty lines at the end."""
        lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    def until(self, text: str) -> None:
        """Wait until a text is on the screen."""
        end = time.monotonic() + _TIMEOUT
        while text not in self.text:
            assert time.monotonic() < end, f"{text!r} is not on the screen:\n{self.text}"
            self.listen(0.02)

    def end(self) -> int:
        """Wait for the end of the command, read its output, and return its exit code."""
        assert self._thread is not None
        end = time.monotonic() + _TIMEOUT
        while self._thread.is_alive():
            assert time.monotonic() < end, f"it does not end:\n{self.text}"
            self.listen(0.01)
        self._thread.join()
        self.listen(0.01)
        assert self.code is not None
        return self.code

    def run(self, *argv: object) -> int:
        """Start a command and wait for its end."""
        self.start(*argv)
        return self.end()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self.other_end)
        os.close(self._keyboard)
        if self._thread is not None:
            self._thread.join(_TIMEOUT)
