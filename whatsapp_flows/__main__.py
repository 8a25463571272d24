"""The console script: it connects the command line to this process, its signals and its exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from importlib.util import find_spec
from types import FrameType
from typing import Final, NoReturn, TextIO

_REQUIRED: Final = ("click", "rich")
_COMPLETION: Final = "_WHATSAPP_FLOWS_COMPLETE"
_INTERRUPTED: Final = 128 + signal.SIGINT


def main() -> NoReturn:
    """Run the command line with this process's arguments, streams and environment, and exit."""
    try:
        _run()
    except KeyboardInterrupt as interrupt:  # while modules are imported, or after the command has ended
        with suppress(AttributeError, OSError):  # there may be no stderr yet
            sys.stderr.write("interrupted\n")
        sys.exit(getattr(interrupt, "exit_code", _INTERRUPTED))


def _run() -> NoReturn:
    """The language server starts without the other commands, which are half of the imports: an editor waits for it."""
    if sys.argv[1:] == ["lsp"] and find_spec("pygls") is not None:
        from .lsp import serve  # noqa: PLC0415  needs the extra

        _replace_closed_streams()
        sys.exit(serve())
    if any(find_spec(package) is None for package in _REQUIRED):
        sys.stderr.write('The command line needs its extra: pip install "whatsapp-flows-sdk[cli]"\n')
        sys.exit(2)
    _replace_closed_streams()
    from .cli import HungUp, Terminated, complete, run  # noqa: PLC0415  needs the extra

    if _COMPLETION in os.environ:
        sys.exit(complete(_COMPLETION, os.environ[_COMPLETION]))

    def terminate(signum: int, frame: FrameType | None) -> NoReturn:
        raise Terminated

    def hang_up(signum: int, frame: FrameType | None) -> NoReturn:
        signal.signal(signum, signal.SIG_IGN)  # the kernel and the shell may both send it
        raise HungUp

    signal.signal(signal.SIGTERM, terminate)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, hang_up)
    _escape_unencodable(sys.stdout)
    try:
        code = run(sys.argv[1:], stdout=sys.stdout, stderr=sys.stderr, env=os.environ, stdin=sys.stdin)
        sys.stdout.flush()
    except OSError as failure:
        # The reader has closed the pipe (`| head`), or the disk is full. Python flushes stdout again at exit, and that
        # must not raise another error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
        if failure.errno != errno.EPIPE:
            with suppress(OSError):
                sys.stderr.write(f"error: cannot write the output: {failure.strerror}.\n")
    sys.exit(code)


def _replace_closed_streams() -> None:
    """Open os.devnull in place of standard streams that the parent process has closed, as with `>&-`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for as long as the process lives


def _escape_unencodable(stream: TextIO) -> None:
    """Write characters that the stream's encoding does not have as escapes."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
