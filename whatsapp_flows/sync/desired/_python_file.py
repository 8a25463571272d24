"""A Flow that a Python file makes: `file = "booking.py:flow"`."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from traceback import extract_tb
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

    Runs the file; modules beside it can be imported. What it prints goes to the standard error. Raises
    `ConfigurationError` with what is wrong and where.
    """
    names = _run(source.path)
    if source.name not in names:
        flows = ", ".join(name for name, value in names.items() if isinstance(value, Mapping) and name[:1] != "_")
        found = f"; it binds {flows}" if flows else ""
        raise ConfigurationError(f"{source.path} binds no name {source.name!r}{found}.")
    made = names[source.name]
    if not isinstance(made, Mapping):
        kind = type(made).__name__
        raise ConfigurationError(f"{source.name} of {source.path} is a {kind}: it must be a Flow, or another mapping.")
    try:
        document = dict(made)
    except FlowsError as error:
        raise ConfigurationError(f"{source.name} of {source.path}: {error.message}") from None
    return read_flow_json(document, argument=f"{source.name} of {source.path}")


def _run(path: Path) -> Mapping[str, object]:
    """The names that a file binds. Its modules are forgotten: another folder may have some of the same names."""
    spec = importlib.util.spec_from_file_location(f"_whatsapp_flow_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    folder = path.parent.resolve()
    before, writes_no_bytecode = set(sys.modules), sys.dont_write_bytecode
    # Bytecode is found by size and whole second of its source: a change within the second would not be read.
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))
    sys.modules[spec.name] = module  # a dataclass looks its module up
    try:
        with redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except FlowsError as error:
        raise ConfigurationError(f"{path}{_line(error, path)}: {error.message}") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the host's file may raise anything
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise ConfigurationError(f"{path}{_line(error, path)}: {text}") from None
    finally:
        sys.dont_write_bytecode = writes_no_bytecode
        with suppress(ValueError):
            sys.path.remove(str(folder))
        _forget(folder, sys.modules.keys() - before)
    return module.__dict__


def _forget(folder: Path, names: Iterable[str]) -> None:
    """Remove the modules that were found directly in a folder, and those within them."""
    beside = {name for name in names if name.startswith("_whatsapp_flow_") or _is_beside(folder, name)}
    for name in list(names):
        if name.partition(".")[0] in beside:
            del sys.modules[name]


def _is_beside(folder: Path, name: str) -> bool:
    """Whether a module is a file of the folder, or a package in it."""
    module = sys.modules[name]
    file = getattr(module, "__file__", None)
    places = [Path(file).parent] if isinstance(file, str) else [Path(each) for each in getattr(module, "__path__", ())]
    return any(each in (folder, folder / name) for each in places)


def _line(error: BaseException, path: Path) -> str:
    """The line of the file in which it was raised."""
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if Path(frame.filename) == path.absolute()]
    return f":{lines[-1]}" if lines else ""
