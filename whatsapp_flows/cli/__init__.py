"""
The command line as a function: `run(argv, stdout=..., stderr=..., env=...)` returns the exit code.

    0  success
    1  failure: Meta refused the request, a flow failed or is blocked, the user answered "no", or a bug
    2  usage error: the command line, the environment or a file is wrong, and nothing was sent
       (with --detailed-exitcode: there are changes to apply, and a usage error is 1)
    129, 130, 143  SIGHUP, interrupt, SIGTERM

`run` uses only the environment and the streams that it is given. It needs the extra `cli`.
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

    `sleep` waits between attempts, in seconds. Setting `stop` ends a wait at once, a deployment after the flow that is
    in progress, and `emulate`.
    """
    usage_error = 1 if "--detailed-exitcode" in argv else 2
    app = App(stdin=stdin, stdout=stdout, stderr=stderr, env=env, sleep=sleep, stop=stop or threading.Event())
    app.errors_as_json = _wants_json(argv)
    try:
        with program.make_context(
            PROGRAM, list(argv), obj=app, terminal_width=min(app.width(stdout), _HELP_WIDTH)
        ) as context:
            value = program.invoke(context)
        app.show(value)
    except click.exceptions.Exit as done:  # --help and --version
        return done.exit_code
    except click.ClickException as mistake:
        app.print_usage_error(mistake)
        return usage_error
    except FlowsError as error:
        app.print_error(error)
        return usage_error if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt as interrupt:
        app.print_interrupt(interrupt)
        return interrupt.exit_code if isinstance(interrupt, Terminated) else 130
    except BrokenPipeError:  # the output cannot be written: the caller handles it
        raise
    except Exception as fault:  # noqa: BLE001 - a bug is reported in the requested format, too
        app.print_internal_error(fault)
        return 1
    code: int = value.exit_code
    return code


def _wants_json(argv: Sequence[str]) -> bool:
    """Whether errors are written as JSON, even if the rest of the command line is invalid."""
    options = list(takewhile(lambda argument: argument != "--", argv))
    formats = {*pairwise(options), *(tuple(argument.split("=", 1)) for argument in options)}
    return "--json" in options or ("--format", "json") in formats


def complete(variable: str, instruction: str) -> int:
    """Shell completion by click. `instruction` is the value of the environment variable `variable`."""
    return shell_complete(program, {}, PROGRAM, variable, instruction)
