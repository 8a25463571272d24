"""An object of a host's module, by its name on the command line: `module:attribute`."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from traceback import extract_tb
from typing import Final

from ..errors import ConfigurationError, FlowsError

_FORM: Final = "name the object as MODULE:NAME, such as examples.endpoint.service:endpoint"


@contextmanager
def import_named(name: str) -> Iterator[object]:
    """
    The object; inside the block, modules of the current folder can be imported.

    ConfigurationError says what is wrong: the form, the module, an exception while it is imported, or the attribute.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *attribute.split("."))):
        raise ConfigurationError(f"{name!r} is no name of an object: {_FORM}.")
    folder = os.getcwd()
    sys.path.insert(0, folder)
    try:
        yield _attribute(_import(module_name), module_name, attribute)
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)


def _import(name: str) -> object:
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is not None and (name == missing.name or name.startswith(f"{missing.name}.")):
            raise ConfigurationError(
                f"there is no module {missing.name}: neither installed, nor in this folder."
            ) from None
        raise ConfigurationError(f"{name} cannot be imported: {missing}{_place(missing)}.") from None
    except FlowsError:
        raise
    except Exception as failure:  # noqa: BLE001 - the host's module may raise anything
        text = f"{type(failure).__name__}: {failure}".removesuffix(": ")
        raise ConfigurationError(f"{name} cannot be imported: {text}{_place(failure)}.") from None


def _place(failure: BaseException) -> str:
    """Where it was raised, in the host's own file."""
    frames = [frame for frame in extract_tb(failure.__traceback__) if not frame.filename.startswith("<")]
    ours = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    return f" ({ours[-1].filename}, line {ours[-1].lineno})" if ours else ""


def _attribute(module: object, module_name: str, attribute: str) -> object:
    found = module
    for part in attribute.split("."):
        names = [name for name in dir(found) if not name.startswith("_")]
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, names, 1)
            hint = f": do you mean {near[0]}?" if near else "."
            raise ConfigurationError(f"{module_name} has no {attribute}{hint}")
        found = getattr(found, part)
    return found
