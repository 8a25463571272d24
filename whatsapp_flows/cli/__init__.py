"""
The command line as a function: `run(argv, stdout=..., stderr=..., env=...)` returns the exit code.

    0  done
    1  Meta refused, a flow failed or was refused, the answer was "no", or this program is at fault
    2  wrong usage: the command line, the environment or a given file is wrong, and nothing was sent
       (with --detailed-exitcode: there is something to do, and wrong usage is 1)
    129, 130, 143  the terminal has gone, interrupted, terminated

It reads no environment and no stream but those it is given, and needs the extra `cli`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Final, TextIO

import click
from click.shell_completion import shell_complete

from ..errors import ConfigurationError, FlowsError
from ._app import App, HungUp, Terminated
from ._commands import PROGRAM, program

_HELP_WIDTH: Final = 80

__all__ = ["HungUp", "Terminated", "complete", "run"]


def run(
    argv: Sequence[str],
    *,
    stdout: TextIO,
    stderr: TextIO,
    env: Mapping[str, str],
    stdin: TextIO | None = None,
    sleep: Callable[[float], object] = time.sleep,
    stop: threading.Event | None = None,
) -> int:
    """
    Run one command, and return its exit code.

    `sleep` waits between attempts, in seconds. Setting `stop` ends a wait at once, a sync after the flow it is at,
    and `emulate`.
    """
    wrong = 1 if "--detailed-exitcode" in argv else 2
    app = App(stdin=stdin, stdout=stdout, stderr=stderr, env=env, sleep=sleep, stop=stop or threading.Event())
    app.tells_errors_as_json = _asks_for_json(argv)
    try:
        with program.make_context(
            PROGRAM, list(argv), obj=app, terminal_width=min(app.width(stdout), _HELP_WIDTH)
        ) as context:
            value = program.invoke(context)
        app.show(value)
    except click.exceptions.Exit as done:  # --help and --version
        return done.exit_code
    except click.ClickException as mistake:
        app.complain_of_usage(mistake)
        return wrong
    except FlowsError as error:
        app.complain(error)
        return wrong if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt as interrupt:
        app.complain_of_interrupt(interrupt)
        return interrupt.exit_code if isinstance(interrupt, Terminated) else 130
    except BrokenPipeError:  # the output cannot be written, which is the caller's to know
        raise
    except Exception as fault:  # noqa: BLE001 - the last one that can say it in the form that was asked for
        app.complain_of_fault(fault)
        return 1
    code: int = value.exit_code
    return code


def _asks_for_json(argv: Sequence[str]) -> bool:
    """Whether errors are to be JSON, also when the command line cannot be read as a whole."""
    options = list(takewhile(lambda word: word != "--", argv))
    formats = {*pairwise(options), *(tuple(word.split("=", 1)) for word in options)}
    return "--json" in options or ("--format", "json") in formats


def complete(variable: str, instruction: str) -> int:
    """Shell completion, as click does it: `instruction` is the value of the environment's `variable`."""
    return shell_complete(program, {}, PROGRAM, variable, instruction)
