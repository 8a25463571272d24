"""
No test reads outside the repository: opening or listing a file that is neither the project's, the interpreter's,
the system's nor temporary is an error that names it.

An audit hook, because it also sees what libraries open. It cannot be removed again, and sees nothing of other
processes.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]

# What belongs to the system: devices, settings, programs and their data.
_SYSTEM: Final = (
    "/proc", "/dev", "/sys", "/etc", "/usr", "/bin", "/lib", "/lib64", "/opt", "/run", "/var",
    "/System", "/Library", "/private",
)  # fmt: skip
# event of the interpreter -> where in its arguments the path is
_EVENTS: Final = {"open": 0, "os.listdir": 0, "os.scandir": 0, "sqlite3.connect": 0}


class OutsideError(AssertionError):
    """A test opened or listed a file that other machines do not have."""


def allowed_roots(*more: str | os.PathLike[str]) -> tuple[str, ...]:
    """The folders that tests may read: by their names, and with links resolved."""
    interpreter = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *sysconfig.get_paths().values())
    packages = (*site.getsitepackages(), *(path for path in sys.path if path))
    given = (ROOT, tempfile.gettempdir(), *_SYSTEM, *interpreter, *packages, *more)
    named = {os.path.abspath(path) for path in given}
    return tuple(sorted(named | {os.path.realpath(path) for path in named}))


def is_outside(path: object, roots: Iterable[str]) -> bool:
    """Whether it is a path, and below none of the roots."""
    if not isinstance(path, str | bytes | os.PathLike):
        return False  # a descriptor that is open already, or the working directory
    place = os.path.abspath(os.fsdecode(path))
    return not any(place == root or place.startswith(root + os.sep) for root in roots)


def forbid_outside(roots: tuple[str, ...]) -> list[str]:
    """Make opening such a file an error from now on. Returns the list of attempts, in case the error is swallowed."""
    tried: list[str] = []

    def check(event: str, arguments: tuple[Any, ...]) -> None:
        place = _EVENTS.get(event)
        if place is not None and is_outside(arguments[place], roots):
            test = os.environ.get("PYTEST_CURRENT_TEST", "while tests are collected")
            description = f"{event} of {arguments[place]!r}, which is outside the repository ({test})"
            tried.append(description)
            raise OutsideError(description)

    sys.addaudithook(check)
    return tried
