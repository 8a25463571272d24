"""Which files the paths of a command line stand for, and which of those in a folder are plainly no Flow JSON."""

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
# The keys of a Flow JSON's outermost object, and those of them that other files do not have.
_KEYS: Final = frozenset({"version", "screens", "routing_model", "data_api_version", "data_channel_uri"})
_OWN_KEYS: Final = _KEYS - {"version"}
_VERSION: Final = re.compile(r"(?:[2-9]|[1-9][0-9])\.[0-9]{1,2}")  # the first was 2.1


class Sources(NamedTuple):
    """The files to look at, name -> content, in order; and the names of those that are plainly something else."""

    files: dict[str, bytes]
    skipped: tuple[str, ...]


def one_source(app: App, path: str) -> bytes:
    """The content of a file, or of the only Flow JSON in a folder. Raises `ConfigurationError` if there are more."""
    if not Path(path).is_dir():
        return app.read(path)
    files = read_sources(app, [path]).files
    if len(files) > 1:
        raise ConfigurationError(f"{path} is a folder with {len(files)} Flow JSONs: name one of them.")
    return next(iter(files.values()))


def read_sources(app: App, paths: Sequence[str], *, skip_named: bool = False) -> Sources:
    """
    The files that paths stand for, each once: a file, a folder (all *.json below it), a pattern, or - for stdin.

    What was found in a folder or by a pattern and is plainly no Flow JSON is left out: a lock file, a plan,
    package.json. A file that was named is looked at, whatever it holds, but with `skip_named`. Raises
    `ConfigurationError` for a path that stands for no file, and for a file that cannot be read.
    """
    named = {path for path in paths if path == STDIN or Path(path).is_file()}
    files: dict[str, bytes] = {}
    skipped: dict[str, None] = {}
    for path in paths:
        found = list(_files(path))
        for name in found:
            if name not in files and name not in skipped:
                content = app.read(name)
                if plainly_other(content) and (skip_named or name not in named):
                    skipped[name] = None
                else:
                    files[name] = content
        if not skip_named and files.keys().isdisjoint(found):
            others = f"{len(found)} other JSON file{'' if len(found) == 1 else 's'}"
            raise ConfigurationError(f"{path} cannot be checked: there is no Flow JSON, only {others}.")
    return Sources(files, tuple(skipped))


def skipped_line(names: Sequence[str]) -> str:
    """What is told of them."""
    one = len(names) == 1
    return f"Skipped {len(names)} JSON file{'' if one else 's'} that {'is' if one else 'are'} no Flow JSON."


def plainly_other(content: bytes) -> bool:
    """Whether a text is JSON, and nothing that somebody may have meant as a Flow JSON."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False  # perhaps a broken one
    if not isinstance(document, dict):
        return True
    version = document.get("version")
    meant = isinstance(version, str) and _VERSION.fullmatch(version) is not None
    return not (meant or document.keys() & _OWN_KEYS or document.keys() <= _KEYS)


def _files(path: str) -> Iterator[str]:
    """The files that an argument stands for: there is at least one."""
    if path == STDIN or Path(path).is_file():
        yield path
        return
    found = [path] if Path(path).is_dir() else sorted(glob.glob(path, recursive=True))
    files = [name for one in found for name in _below(Path(one))]
    if files:
        yield from files
    elif Path(path).is_dir():
        raise ConfigurationError(f"{path} cannot be checked: there is no *.json in this folder.")
    elif glob.has_magic(path):
        raise ConfigurationError(f"{path} cannot be checked: no file matches.")
    else:
        yield path  # which cannot be read, or is a pipe


def _below(path: Path) -> Iterator[str]:
    if path.is_dir():
        yield from sorted(str(file) for file in path.rglob("*.json") if file.is_file())
    else:
        yield str(path)
