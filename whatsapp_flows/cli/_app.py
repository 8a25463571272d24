"""One run of the command line: its streams, environment and options, and the client made from them."""

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
from .._wire import Secret
from ..client import FlowsClient
from ..counters import RetryCounters
from ..errors import ConfigurationError, FlowsError
from ._json import Json, as_json, error_as_json, json_text, other_error_as_json
from ._layout import wrapped_hanging
from ._progress import ProgressReporter
from ._text import as_text, error_as_text
from ._values import Value

_PREFIX: Final = "WHATSAPP_FLOWS_"
# option -> environment variable. An option overrides its variable.
_VARIABLES: Final[Mapping[str, str]] = {
    "max_attempts": f"{_PREFIX}MAX_ATTEMPTS",
    "timeout": f"{_PREFIX}TIMEOUT",
    "waba_id": f"{_PREFIX}WABA_ID",
    "base_url": f"{_PREFIX}BASE_URL",
    "api_version": f"{_PREFIX}API_VERSION",
}
MAX_READ_BYTES: Final = 16 * 2**20
"""Bytes read of a file or of stdin; the largest Flow JSON has 10 MB."""

_MAX_TOKEN_BYTES: Final = 64 * 2**10  # of a token file
_TOKEN: Final = f"{_PREFIX}ACCESS_TOKEN"
_BUG_REPORT: Final = "This is a bug in whatsapp-flows. Please report it with the traceback above."
_NO_WRAP_WIDTH: Final = 10_000  # columns of a pipe or file: each row of a table is one line, for grep


class _InertConsole(Console):
    """
    A console that writes no control characters but those of its own styles.

    Text from Meta and from files is made inert before it is put into a `Text`, so that tables are measured correctly.
    This class covers text for which that was forgotten.
    """

    def on_broken_pipe(self) -> None:
        """Raise the error. rich would end the process, which may be changing live flows."""
        self.quiet = True
        raise  # noqa: PLE0704 - rich calls this in its except block

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments, with control characters only in rich's own control segments."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=inert_lines(segment.text))


class MissingCommandError(click.UsageError):
    """A group without a command; the message is the help of the group."""


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM."""

    exit_code: ClassVar[int] = 143


class HungUp(Terminated):
    """The process received SIGHUP: its terminal was closed."""

    exit_code: ClassVar[int] = 129


@dataclass(slots=True, kw_only=True)
class App:
    """One run. `options` are the options that all commands have in common, as far as they were given."""

    stdin: TextIO | None
    stdout: TextIO
    stderr: TextIO
    env: Mapping[str, str]
    sleep: Callable[[float], object] = time.sleep
    stop: threading.Event = field(default_factory=threading.Event)
    options: dict[str, Any] = field(default_factory=dict)
    counters: RetryCounters = field(default_factory=RetryCounters)
    stdin_was_read: bool = False
    errors_as_json: bool = False
    _progress: ProgressReporter | None = field(default=None, init=False)

    # Output

    def show(self, value: Value) -> None:
        """
        Write a value to stdout: as JSON with --json, else its raw document if it has one, else as text.

        Raises `BrokenPipeError` if stdout cannot be written, for whatever reason.
        """
        try:
            self._show(value)
        except OSError as failure:
            raise BrokenPipeError(failure.errno, failure.strerror) from None

    def _show(self, value: Value) -> None:
        if self.options.get("json"):
            self.stdout.write(json_text(as_json(value)))
        elif value.raw is not None:
            if self.stdout.isatty():  # what Meta stored may hold control characters
                self.stdout.write(inert_lines(value.raw.decode(errors="replace").replace("\t", "    ")))
            else:
                _write_bytes(self.stdout, value.raw)
        else:
            self._print(self.stdout, as_text(value))

    def show_on_stderr(self, value: Value) -> None:
        """Write a value to stderr as text, before a question about it."""
        with self._progress_paused():
            self._print(self.stderr, as_text(value))

    def print_line(self, text: RenderableType) -> None:
        """Write a line to stderr."""
        self.console(self.stderr).print(text)

    def print_error(self, error: FlowsError) -> None:
        """Write an error to stderr: message, advice, trace id. With --json also write an object to stdout."""
        self._print_error_json(error_as_json(error))
        self._print(self.stderr, error_as_text(error))

    def _print_error_json(self, error: Json) -> None:
        if self.options.get("json") or self.errors_as_json:
            self.stdout.write(json_text({"error": error}))

    def _print(self, stream: TextIO, parts: Iterable[RenderableType]) -> None:
        """Write lines and tables. In a pipe or file, lines do not end with the blanks that fill a table."""
        console = self.console(stream)
        if stream.isatty():
            for part in parts:
                console.print(wrapped_hanging(part), crop=False)
            return
        with console.capture() as captured:
            console.print(*parts, sep="\n")
        stream.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))

    def print_usage_error(self, mistake: click.ClickException) -> None:
        """Write what is wrong with the command line, and how to get help."""
        console = self.console(self.stderr)
        context = mistake.ctx if isinstance(mistake, click.UsageError) else None
        where = None if context is None else f"Try '{context.command_path} --help'."
        if isinstance(mistake, MissingCommandError):
            self._print_error_json(other_error_as_json("UsageError", "Missing command.", where))
            console.print(Text(mistake.message))
            return
        self._print_error_json(other_error_as_json("UsageError", mistake.format_message(), where))
        if context is not None:
            console.print(Text(context.get_usage()))
        console.print(Text.assemble(("error: ", "bold red"), mistake.format_message()))
        if where is not None:
            console.print(Text(where))

    def print_interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """Write that the run was interrupted or terminated."""
        event = "terminated" if isinstance(interrupt, Terminated) else "interrupted"
        self._print_error_json(other_error_as_json(event.title(), event))
        self.print_line(event)

    def print_internal_error(self, fault: Exception) -> None:
        """Write the traceback of a bug in this program, for a report."""
        message = f"{type(fault).__name__}: {fault}".removesuffix(": ")
        self._print_error_json(other_error_as_json(type(fault).__name__, message, _BUG_REPORT))
        for line in "".join(traceback.format_exception(fault)).splitlines():
            self.stderr.write(f"{inert(line)}\n")
        self._print(self.stderr, [Text(f"error: {_BUG_REPORT}")])

    def progress_reporter(self) -> ProgressReporter:
        """The progress on stderr of this run. Its animation on a terminal pauses during questions."""
        self._progress = ProgressReporter(self.console(self.stderr), stopping=self.stop.is_set)
        return self._progress

    def _progress_paused(self) -> AbstractContextManager[None]:
        return nullcontext() if self._progress is None else self._progress.paused()

    def console(self, stream: TextIO) -> Console:
        """A console for `stream`: in colour if it is a terminal and NO_COLOR is not set."""
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
        """The columns of a terminal, and no limit for a pipe or a file; COLUMNS overrides both."""
        columns = self.env.get("COLUMNS", "")
        if columns.isascii() and columns.isdigit() and int(columns) > 0:
            return int(columns)
        try:
            return os.get_terminal_size(stream.fileno()).columns or 80 if stream.isatty() else _NO_WRAP_WIDTH
        except (OSError, ValueError):
            return 80

    # Input

    def read(self, file: str, *, limit: int = MAX_READ_BYTES) -> bytes:
        """Read a regular file, or stdin for `-`, of at most `limit` bytes."""
        if file != "-":
            try:
                return read_regular(file, limit)
            except OSError as exc:
                raise ConfigurationError(f"{file} cannot be read: {exc.strerror}.") from None
        if self.stdin is None:
            raise click.UsageError("there is no standard input.")
        if self.stdin_was_read:
            raise click.UsageError("standard input can be read only once.")
        self.stdin_was_read = True
        binary = getattr(self.stdin, "buffer", None)
        content: bytes = self.stdin.read(limit + 1).encode() if binary is None else binary.read(limit + 1)
        if len(content) > limit:
            raise ConfigurationError(f"standard input has more than {limit} bytes.")
        return content

    def write(self, file: str | None, content: bytes) -> Path | None:
        """
        Write a file and return its path; return None for None and `-`, which mean stdout (see `show`).

        A regular file is replaced atomically. A pipe or a device is written to.
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
    def is_interactive(self) -> bool:
        """Whether stdin is a terminal, so that the user can be asked."""
        return self.stdin is not None and self.stdin.isatty()

    def ask_hidden(self, question: str, *, instead: str) -> Secret:
        """
        Ask for a password on the terminal, which does not show it.

        Without a terminal it is a usage error, which says what to do instead.
        """
        if self.stdin is None or not self.is_interactive:
            raise click.UsageError(f"there is no terminal to ask for the password: {instead}.")
        with self._progress_paused(), _hidden_input(self.stdin):
            answer = Secret(self._asked(self.stdin, f"{question}: ").rstrip("\r\n"))
            self._where_visible.write("\n")
        return answer

    @property
    def _where_visible(self) -> TextIO:
        return self.stdout if self.stdout.isatty() and not self.stderr.isatty() else self.stderr

    def _asked(self, stdin: TextIO, question: str) -> str:
        """The line that is typed after a question."""
        self._where_visible.write(inert(question))
        self._where_visible.flush()
        return stdin.readline()

    def ask(self, question: str) -> str | None:
        """The line that is typed after a question, without its end; None at the end of the input."""
        typed = "" if self.stdin is None else self._asked(self.stdin, question)
        if not typed.endswith("\n"):  # the cursor is still on the line of the question
            self._where_visible.write("\n")
        return typed.rstrip("\r\n") if typed else None

    def confirm(self, question: str) -> bool:
        """Ask a yes/no question on the terminal. Without a terminal it is a usage error: --yes is required."""
        if self.stdin is None or not self.is_interactive:
            raise click.UsageError("there is no terminal to confirm on: give --yes.")
        with self._progress_paused():
            _discard_typed_input(self.stdin)
            answer = self._asked(self.stdin, f"{question} [y/N] ")
            if not answer.endswith("\n"):  # end of input: the cursor is still on the line of the question
                self._where_visible.write("\n")
        return answer.strip().lower() in {"y", "yes"}

    @contextmanager
    def client(self, progress: ProgressReporter, *, account: bool = False) -> Iterator[FlowsClient]:
        """A client configured by the environment and the options. `account`: an account id is required."""
        environ = dict(self.env)
        environ |= {_VARIABLES[name]: str(value) for name, value in self.options.items() if name in _VARIABLES}
        if "token_file" in self.options:
            environ[_TOKEN] = self.read(self.options["token_file"], limit=_MAX_TOKEN_BYTES).decode(errors="replace")
        if not environ.get(_TOKEN, "").strip():
            raise click.UsageError(f"no access token: set {_TOKEN}, or give --token-file.")
        if account and not environ.get(_VARIABLES["waba_id"], "").strip():
            raise click.UsageError(f"no WhatsApp Business Account: set {_VARIABLES['waba_id']}, or give --waba-id.")
        with FlowsClient.from_env(environ) as client, progress:
            yield client.with_options(sleep=self.sleep, stop=self.stop, on_event=(self.counters, progress))


def _discard_typed_input(stdin: TextIO) -> None:
    """Discard what was typed before the question was shown, so that it does not answer it."""
    if sys.platform != "win32":
        import termios  # noqa: PLC0415 - not available on Windows

        with suppress(OSError, ValueError, termios.error):  # a stream that only claims to be a terminal
            termios.tcflush(stdin.fileno(), termios.TCIFLUSH)


@contextmanager
def _hidden_input(stdin: TextIO) -> Iterator[None]:
    """What is typed does not appear; what was typed before does not count."""
    if sys.platform == "win32":
        yield
        return
    import termios  # noqa: PLC0415 - not available on Windows

    try:
        before = termios.tcgetattr(stdin.fileno())
    except (OSError, ValueError, termios.error):  # a stream that only claims to be a terminal
        yield
        return
    hidden = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(stdin.fileno(), termios.TCSAFLUSH, hidden)
    try:
        yield
    finally:
        termios.tcsetattr(stdin.fileno(), termios.TCSADRAIN, before)


def _write_bytes(stream: TextIO, content: bytes) -> None:
    """Write bytes unchanged; to a stream that takes text only, decoded."""
    binary = getattr(stream, "buffer", None)
    if binary is None:
        stream.write(content.decode(errors="replace"))
        return
    stream.flush()
    binary.write(content)
    binary.flush()
