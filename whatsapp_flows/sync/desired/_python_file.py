"""A Flow that a Python file makes: `file = "booking.py:flow"`."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Final, NamedTuple

from ...errors import ConfigurationError, FlowsError
from ...flow_json import read_flow_json

_FORM: Final = re.compile(r"(?P<file>[^:]+\.py):(?P<name>[^:]+)|(?P<drive>[A-Za-z]:[^:]+\.py):(?P<other>[^:]+)")


class PythonFile(NamedTuple):
    """A file, and the name that it binds to the Flow."""

    path: Path
    name: str


def python_file(folder: Path, value: str) -> PythonFile | None:
    """What `FILE.py:NAME` stands for; None for the name of any other file."""
    found = _FORM.fullmatch(value)
    if found is None:
        return None
    return PythonFile(folder / (found["file"] or found["drive"]), found["name"] or found["other"])


def flow_of(source: PythonFile) -> bytes:
    """
    The Flow JSON of the object, which is a mapping, such as a `builder.Flow`.

    Runs the file; modules beside it can be imported. Raises `ConfigurationError` with what is wrong and where.
    """
    module = _run(source.path)
    found = module.__dict__.get(source.name)
    if found is None:
        raise ConfigurationError(f"{source.path} binds no name {source.name!r}.")
    if not isinstance(found, Mapping):
        kind = type(found).__name__
        raise ConfigurationError(f"{source.name} of {source.path} is a {kind}: it must be a Flow, or another mapping.")
    return read_flow_json(dict(found), argument=f"{source.name} of {source.path}")


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_whatsapp_flow_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except FlowsError as error:
        raise ConfigurationError(f"{path}{_line(error, path)}: {error.message}") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # noqa: BLE001 - the host's file may raise anything
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise ConfigurationError(f"{path}{_line(error, path)}: {text}") from None
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)
    return module


def _line(error: BaseException, path: Path) -> str:
    """The line of the file in which it was raised."""
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return f":{lines[-1]}" if lines else ""
