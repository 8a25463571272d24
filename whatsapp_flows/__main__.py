"""The console script: the one place that looks at the process, and that ends it."""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from importlib.util import find_spec
from types import FrameType
from typing import Final, NoReturn, TextIO

_NEEDED: Final = ("click", "rich")
_COMPLETION: Final = "_WHATSAPP_FLOWS_COMPLETE"


def main() -> NoReturn:
    """Run the command line with this process's arguments, streams and environment, and exit."""
    if any(find_spec(package) is None for package in _NEEDED):
        sys.stderr.write('The command line needs its extra: pip install "whatsapp-flows-sdk[cli]"\n')
        sys.exit(2)
    _open_what_is_closed()
    from .cli import HungUp, Terminated, complete, run  # noqa: PLC0415  needs the extra

    if _COMPLETION in os.environ:
        sys.exit(complete(_COMPLETION, os.environ[_COMPLETION]))

    def terminate(signum: int, frame: FrameType | None) -> NoReturn:
        raise Terminated

    def hang_up(signum: int, frame: FrameType | None) -> NoReturn:
        signal.signal(signum, signal.SIG_IGN)  # the kernel and the shell may both send it, and a second one would count
        raise HungUp

    signal.signal(signal.SIGTERM, terminate)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, hang_up)
    _accept_any_character(sys.stdout)
    try:
        code = run(sys.argv[1:], stdout=sys.stdout, stderr=sys.stderr, env=os.environ, stdin=sys.stdin)
        sys.stdout.flush()
    except OSError as failure:
        # Nobody reads on, as in `| head`, or a disk is full. Python flushes stdout once more at exit, and must not
        # complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
        if failure.errno != errno.EPIPE:
            with suppress(OSError):
                sys.stderr.write(f"error: the output cannot be written: {failure.strerror}.\n")
    sys.exit(code)


def _open_what_is_closed() -> None:
    """Standard streams that whoever started this has closed, as with `>&-`, lead nowhere instead."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for as long as the process lives


def _accept_any_character(stream: TextIO) -> None:
    """A flow's name may hold what the terminal's encoding does not: write its escape then, and go on."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
