"""
The command line as a function: `run(argv, stdout=..., stderr=..., env=...)` returns the exit code.

    0  done
    1  Meta refused, a flow failed or was refused, or the answer was "no"
    2  wrong usage: the command line, the environment or a given file is wrong, and nothing was sent
       (with --detailed-exitcode: there is something to do, and wrong usage is 1)
    130, 143  interrupted, terminated

It reads no environment and no stream but those it is given, and needs the extra `cli`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TextIO

import click
from click.shell_completion import shell_complete

from ..errors import ConfigurationError, FlowsError
from ._app import App, Terminated
from ._commands import PROGRAM, program

_HELP_WIDTH: Final = 80

__all__ = ["Terminated", "complete", "run"]


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
    try:
        with program.make_context(
            PROGRAM, list(argv), obj=app, terminal_width=min(app.width(stdout), _HELP_WIDTH)
        ) as context:
            value = program.invoke(context)
        app.show(value)
    except click.exceptions.Exit as done:  # --help and --version
        return done.exit_code
    except click.UsageError as mistake:
        app.complain_of_usage(mistake)
        return wrong
    except FlowsError as error:
        app.complain(error)
        return wrong if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt as interrupt:
        app.say("interrupted")
        return Terminated.exit_code if isinstance(interrupt, Terminated) else 130
    code: int = value.exit_code
    return code


def complete(variable: str, instruction: str) -> int:
    """Shell completion, as click does it: `instruction` is the value of the environment's `variable`."""
    return shell_complete(program, {}, PROGRAM, variable, instruction)
