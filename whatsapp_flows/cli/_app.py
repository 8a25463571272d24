"""What one run has in its hands: streams, environment, options, and the client made from them."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, TextIO

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from .._files import replace_file
from .._inert import inert, inert_lines
from .._reading import read_regular
from ..client import FlowsClient
from ..counters import RetryCounters
from ..errors import ConfigurationError, FlowsError
from ._json import Json, as_json, error_as_json, fault_as_json, written
from ._layout import laid_out
from ._progress import Narrator
from ._text import as_text, error_as_text
from ._values import Value

_PREFIX: Final = "WHATSAPP_FLOWS_"
# option -> variable: what the command line says stands in for what the environment says.
_VARIABLES: Final[Mapping[str, str]] = {
    "max_attempts": f"{_PREFIX}MAX_ATTEMPTS",
    "timeout": f"{_PREFIX}TIMEOUT",
    "waba_id": f"{_PREFIX}WABA_ID",
    "base_url": f"{_PREFIX}BASE_URL",
    "api_version": f"{_PREFIX}API_VERSION",
}
MOST_READ: Final = 16 * 2**20
"""Bytes of a file or of stdin; the largest Flow JSON has 10 MB."""

_MOST_TOKEN: Final = 64 * 2**10  # bytes of a file with a token
_TOKEN: Final = f"{_PREFIX}ACCESS_TOKEN"
_REPORT: Final = "This is a fault of whatsapp-flows, not of what you gave it: please report it, with what stands above."
_UNWRAPPED: Final = 10_000  # columns where nobody looks: a row of a table stays one line, for grep


class _InertConsole(Console):
    """
    A console on which nothing but its own styles controls the terminal.

    What comes from elsewhere is made inert where it is put into a text, so that tables are measured right; this is for
    what was not.
    """

    def on_broken_pipe(self) -> None:
        """Nobody reads on: an error like any other, and no end of a process that is at work on live flows."""
        self.quiet = True
        raise  # noqa: PLE0704 - called where it was caught

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments, of which only those that are rich's own controls control anything."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=inert_lines(segment.text))


class NoCommand(click.UsageError):
    """A group was named, and no command of it; the message is its help."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM)."""

    exit_code: ClassVar[int] = 143


class HungUp(Terminated):
    """The terminal has gone (SIGHUP)."""

    exit_code: ClassVar[int] = 129


@dataclass(slots=True, kw_only=True)
class App:
    """One run. `given` are the options of the command line that every command knows."""

    stdin: TextIO | None
    stdout: TextIO
    stderr: TextIO
    env: Mapping[str, str]
    sleep: Callable[[float], object] = time.sleep
    stop: threading.Event = field(default_factory=threading.Event)
    given: dict[str, Any] = field(default_factory=dict)
    counters: RetryCounters = field(default_factory=RetryCounters)
    stdin_is_read: bool = False
    tells_errors_as_json: bool = False
    _narrator: Narrator | None = field(default=None, init=False)

    # Out

    def show(self, value: Value) -> None:
        """
        Write a value to stdout: as JSON when that was asked for, as raw bytes, or as text.

        Raises `BrokenPipeError` when it cannot be written, because nobody reads or for another reason.
        """
        try:
            self._show(value)
        except OSError as failure:
            raise BrokenPipeError(failure.errno, failure.strerror) from None

    def _show(self, value: Value) -> None:
        if self.given.get("json"):
            self.stdout.write(written(as_json(value)))
        elif value.raw is not None:
            if self.stdout.isatty():  # somebody reads it, and what Meta stored is not for a terminal to act upon
                self.stdout.write(inert_lines(value.raw.decode(errors="replace").replace("\t", "    ")))
            else:
                _write_bytes(self.stdout, value.raw)
        else:
            self._print(self.stdout, as_text(value))

    def announce(self, value: Value) -> None:
        """A value on stderr, as text: what a question is about."""
        with self._still():
            self._print(self.stderr, as_text(value))

    def say(self, text: RenderableType) -> None:
        """A line on stderr."""
        self.console(self.stderr).print(text)

    def complain(self, error: FlowsError) -> None:
        """What happened, the advice and the trace id, on stderr; with --json also an object on stdout."""
        self._tell(error_as_json(error))
        self._print(self.stderr, error_as_text(error))

    def _tell(self, error: Json) -> None:
        if self.given.get("json") or self.tells_errors_as_json:
            self.stdout.write(written({"error": error}))

    def _print(self, stream: TextIO, parts: Iterable[RenderableType]) -> None:
        """Write it, without the blanks that tables end their lines with when nobody's terminal needs them."""
        console = self.console(stream)
        if stream.isatty():
            for part in parts:
                console.print(laid_out(part), crop=False)
            return
        with console.capture() as captured:
            console.print(*parts, sep="\n")
        stream.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))

    def complain_of_usage(self, mistake: click.ClickException) -> None:
        """What is wrong with the command line, and where to read how it goes."""
        console = self.console(self.stderr)
        context = mistake.ctx if isinstance(mistake, click.UsageError) else None
        where = None if context is None else f"Try '{context.command_path} --help'."
        if isinstance(mistake, NoCommand):
            self._tell(fault_as_json("UsageError", "Missing command.", where))
            console.print(Text(mistake.message))
            return
        self._tell(fault_as_json("UsageError", mistake.format_message(), where))
        if context is not None:
            console.print(Text(context.get_usage()))
        console.print(Text.assemble(("error: ", "bold red"), mistake.format_message()))
        if where is not None:
            console.print(Text(where))

    def complain_of_interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """Somebody wanted no more of it."""
        word = "terminated" if isinstance(interrupt, Terminated) else "interrupted"
        self._tell(fault_as_json(word.title(), word))
        self.say(word)

    def complain_of_fault(self, fault: Exception) -> None:
        """This program is at fault: the traceback, which whoever mends it needs."""
        said = f"{type(fault).__name__}: {fault}".removesuffix(": ")
        self._tell(fault_as_json(type(fault).__name__, said, _REPORT))
        for line in "".join(traceback.format_exception(fault)).splitlines():
            self.stderr.write(f"{inert(line)}\n")
        self._print(self.stderr, [Text(f"error: {_REPORT}")])

    def narrator(self) -> Narrator:
        """Tells on stderr what is waited for; with an animation on a terminal, which stops while something is asked."""
        self._narrator = Narrator(self.console(self.stderr), stopping=self.stop.is_set)
        return self._narrator

    def _still(self) -> AbstractContextManager[None]:
        return nullcontext() if self._narrator is None else self._narrator.paused()

    def console(self, stream: TextIO) -> Console:
        """A console that writes to `stream`, in colour only when it is a terminal and NO_COLOR is not set."""
        return _InertConsole(
            file=stream,
            force_terminal=stream.isatty(),
            width=self.width(stream),
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=not stream.isatty(),
            legacy_windows=False,
            _environ=dict(self.env),
        )

    def width(self, stream: TextIO) -> int:
        """The columns of a terminal; endless for anything else, unless COLUMNS says otherwise."""
        columns = self.env.get("COLUMNS", "")
        if columns.isascii() and columns.isdigit() and int(columns) > 0:
            return int(columns)
        try:
            return os.get_terminal_size(stream.fileno()).columns or 80 if stream.isatty() else _UNWRAPPED
        except (OSError, ValueError):
            return 80

    # In

    def read(self, file: str, *, most: int = MOST_READ) -> bytes:
        """The content of a regular file, or of stdin for `-`, of at most so many bytes."""
        if file != "-":
            try:
                return read_regular(file, most)
            except OSError as exc:
                raise ConfigurationError(f"{file} cannot be read: {exc.strerror}.") from None
        if self.stdin is None or self.stdin_is_read:
            raise click.UsageError("standard input is there to be read once, and only once.")
        self.stdin_is_read = True
        binary = getattr(self.stdin, "buffer", None)
        content: bytes = self.stdin.read(most + 1).encode() if binary is None else binary.read(most + 1)
        if len(content) > most:
            raise ConfigurationError(f"standard input has more than {most} bytes.")
        return content

    def write(self, file: str | None, content: bytes) -> Path | None:
        """
        Write a file, and say which; None and `-` are stdout, which `show` writes to.

        A file is the old one or the new one, whatever happens; a pipe or a device is written to.
        """
        if file is None or file == "-":
            return None
        path = Path(file)
        if not path.exists() or path.is_file():
            replace_file(path, content)
            return path
        try:
            path.write_bytes(content)
        except OSError as exc:
            raise ConfigurationError(f"{file} cannot be written: {exc.strerror}.") from None
        return path

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody at a terminal."""
        return self.stdin is not None and self.stdin.isatty()

    def confirmed(self, question: str) -> bool:
        """The answer of somebody at a terminal. Without a terminal --yes has to be on the command line."""
        if self.stdin is None or not self.can_ask:
            raise click.UsageError("say --yes when there is no terminal to ask.")
        seen = self.stdout if self.stdout.isatty() and not self.stderr.isatty() else self.stderr
        with self._still():
            _forget_typing(self.stdin)
            seen.write(f"{inert(question)} [y/N] ")
            seen.flush()
            answer = self.stdin.readline()
            if not answer.endswith("\n"):  # the end of the input, which moves no cursor
                seen.write("\n")
        return answer.strip().lower() in {"y", "yes"}

    @contextmanager
    def client(self, narrator: Narrator, *, account: bool = False) -> Iterator[FlowsClient]:
        """A client set up by the environment and the command line; with `account`, one that knows the account."""
        environ = dict(self.env)
        environ |= {_VARIABLES[name]: str(value) for name, value in self.given.items() if name in _VARIABLES}
        if "token_file" in self.given:
            environ[_TOKEN] = self.read(self.given["token_file"], most=_MOST_TOKEN).decode(errors="replace")
        if not environ.get(_TOKEN, "").strip():
            raise click.UsageError(f"there is no access token: set {_TOKEN}, or name a file with --token-file.")
        if account and not environ.get(_VARIABLES["waba_id"], "").strip():
            raise click.UsageError(f"there is no account: set {_VARIABLES['waba_id']}, or give --waba-id.")
        with FlowsClient.from_env(environ) as client, narrator:
            yield client.with_options(sleep=self.sleep, stop=self.stop, on_event=(self.counters, narrator))


def _forget_typing(stdin: TextIO) -> None:
    """What was typed before a question was there to be read does not answer it."""
    if sys.platform != "win32":
        import termios  # noqa: PLC0415 - not there on Windows

        with suppress(OSError, ValueError, termios.error):  # no terminal, but a stream that says that it is one
            termios.tcflush(stdin.fileno(), termios.TCIFLUSH)


def _write_bytes(stream: TextIO, content: bytes) -> None:
    """Bytes as they are; to a stream of text, as text."""
    binary = getattr(stream, "buffer", None)
    if binary is None:
        stream.write(content.decode(errors="replace"))
        return
    stream.flush()
    binary.write(content)
    binary.flush()
