"""The files that the paths on a command line stand for, without the JSON files in folders that are not Flow JSON."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import ConfigurationError
from ._app import App

STDIN: Final = "-"
# The keys of the root object of a Flow JSON, and those of them that other JSON files do not have.
_KEYS: Final = frozenset({"version", "screens", "routing_model", "data_api_version", "data_channel_uri"})
_OWN_KEYS: Final = _KEYS - {"version"}
_VERSION: Final = re.compile(r"(?:[2-9]|[1-9][0-9])\.[0-9]{1,2}")  # the first version was 2.1


class Sources(NamedTuple):
    """The Flow JSON files, name -> content, in order; and the names of the files that were skipped."""

    files: dict[str, bytes]
    skipped: tuple[str, ...]


def read_one_source(app: App, path: str) -> bytes:
    """Read a file, or the only Flow JSON in a folder. Raises `ConfigurationError` if the folder has more than one."""
    if not Path(path).is_dir():
        return app.read(path)
    files = read_sources(app, [path]).files
    if len(files) > 1:
        raise ConfigurationError(f"{path} is a folder with {len(files)} Flow JSON files: give one of them.")
    return next(iter(files.values()))


def read_sources(app: App, paths: Sequence[str], *, skip_named: bool = False) -> Sources:
    """
    Read the files that the paths stand for, each once: a file, a folder (all *.json below it), a pattern, - for stdin.

    JSON files in a folder or matched by a pattern that are clearly not Flow JSON (a lock file, a plan, package.json)
    are skipped. A file that is given by name is skipped only with `skip_named`. Raises `ConfigurationError` for a path
    without files, and for a file that cannot be read.
    """
    named = {path for path in paths if path == STDIN or Path(path).is_file()}
    files: dict[str, bytes] = {}
    skipped: dict[str, None] = {}
    for path in paths:
        found = list(_files(path))
        for name in found:
            if name not in files and name not in skipped:
                content = app.read(name)
                if is_other_json(content) and (skip_named or name not in named):
                    skipped[name] = None
                else:
                    files[name] = content
        if not skip_named and files.keys().isdisjoint(found):
            others = f"{len(found)} other JSON file{'' if len(found) == 1 else 's'}"
            raise ConfigurationError(f"{path}: no Flow JSON found, only {others}.")
    return Sources(files, tuple(skipped))


def skipped_summary(names: Sequence[str]) -> str:
    """The line that reports skipped files."""
    one = len(names) == 1
    return f"Skipped {len(names)} JSON file{'' if one else 's'} that {'is' if one else 'are'} not Flow JSON."


def is_other_json(content: bytes) -> bool:
    """Whether a file is valid JSON and clearly not a Flow JSON, not even one with mistakes."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False  # it may be a Flow JSON with a syntax error
    if not isinstance(document, dict):
        return True
    version = document.get("version")
    has_version = isinstance(version, str) and _VERSION.fullmatch(version) is not None
    return not (has_version or document.keys() & _OWN_KEYS or document.keys() <= _KEYS)


def _files(path: str) -> Iterator[str]:
    """The files that an argument stands for. Raises `ConfigurationError` if there are none."""
    if path == STDIN or Path(path).is_file():
        yield path
        return
    found = [path] if Path(path).is_dir() else sorted(glob.glob(path, recursive=True))
    files = [name for one in found for name in _below(Path(one))]
    if files:
        yield from files
    elif Path(path).is_dir():
        raise ConfigurationError(f"{path}: the folder has no *.json files.")
    elif glob.has_magic(path):
        raise ConfigurationError(f"{path}: no file matches the pattern.")
    else:
        yield path  # a pipe, or a missing file, for which reading reports the error


def _below(path: Path) -> Iterator[str]:
    if path.is_dir():
        yield from sorted(str(file) for file in path.rglob("*.json") if file.is_file())
    else:
        yield str(path)
