"""The configuration file: its text, its tables, and errors with their line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ..._inert import shaped_like_a_token
from ..._reading import read_regular
from ...errors import ConfigurationError
from ...flow_json import MAX_BYTES
from ._toml import TomlPath, lines_of, parse_toml

PYPROJECT: Final = "pyproject.toml"
TABLE: Final = ("tool", "whatsapp-flows")

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_TOML_ERROR: Final = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL).fullmatch
_SECRET_KEY: Final = re.compile(
    r"(?:.*[_-])?(?:token|secret|password|api[_-]?key|credentials?)", re.IGNORECASE
).fullmatch
_ADVICE: Final = (
    "secrets must not be in this file. The access token is read from WHATSAPP_FLOWS_ACCESS_TOKEN or --token-file, "
    "the app secret from WHATSAPP_FLOWS_APP_SECRET."
)


@dataclass(frozen=True)
class ConfigFile:
    """The file as it was read. `root` is the path of our table in it."""

    path: Path
    text: str = field(repr=False)
    table: Mapping[str, Any] = field(repr=False)
    root: TomlPath = ()

    @classmethod
    def read(cls, path: Path) -> ConfigFile:
        try:
            text = read_regular(path, MAX_BYTES).decode()
        except UnicodeDecodeError as exc:
            raise ConfigurationError(f"{path} is not UTF-8: byte {exc.start} cannot be decoded.") from None
        except OSError as exc:
            raise ConfigurationError(f"{path} cannot be read: {exc.strerror}.") from None
        try:
            table = parse_toml(text)
        except ValueError as exc:
            raise ConfigurationError(_not_toml(path, text, str(exc))) from None
        if path.name != PYPROJECT:
            return cls(path, text, table)
        for step in TABLE:
            table = table.get(step, {})
            if not isinstance(table, dict) or not table:
                raise ConfigurationError(f"{path} has no [{'.'.join(TABLE)}] table.")
        return cls(path, text, table, TABLE)

    def error_at(self, at: TomlPath, message: str) -> ConfigurationError:
        """An error about a key: the message after the names of its table and the key."""
        *around, key = at
        table = self.name_of(tuple(around))
        return ConfigurationError(f"{self.place(at)}: {f'{table} ' if table else ''}{key}: {message}")

    def table_error(self, at: TomlPath, message: str, *, line_of: TomlPath = ()) -> ConfigurationError:
        """An error about a table: the message after its name. `line_of` is a key in it whose line is named."""
        return ConfigurationError(f"{self.place(line_of or at)}: {f'{self.name_of(at)} {message}'.lstrip()}")

    def place(self, at: TomlPath) -> str:
        """The file and the line of a path, or of the nearest table around it that the file contains."""
        whole = (*self.root, *at)
        line = next((self._lines[whole[:end]] for end in range(len(whole), 0, -1) if whole[:end] in self._lines), 1)
        return f"{self.path}:{line}"

    def name_of(self, at: TomlPath) -> str:
        """The header of a table: `[env.staging.flows."my flow"]`."""
        steps = [str(step) if _BARE_KEY(str(step)) else f'"{step}"' for step in (*self.root, *at)]
        return f"[{'.'.join(steps)}]" if steps else ""

    @cached_property
    def _lines(self) -> Mapping[TomlPath, int]:
        return lines_of(self.text)


def _not_toml(path: Path, text: str, message: str) -> str:
    found = _TOML_ERROR(message)
    if found is None:
        return f"{path}: not valid TOML: {message}."
    line = found[2] or text.rstrip("\n").count("\n") + 1
    return f"{path}:{line}: not valid TOML: {found[1]}{f' at column {found[3]}' if found[3] else ' at the end'}."


def refuse_secrets(file: ConfigFile) -> None:
    """Raise `ConfigurationError` for a secret. Call this before a message shows a part of the file."""
    waiting: list[tuple[TomlPath, Any]] = [((), file.table)]
    while waiting:
        at, value = waiting.pop()
        if at and _is_secret(at[-1]):  # the message must not contain it, not even as the name of a table
            raise ConfigurationError(f"{file.place(at)}: {_ADVICE}")
        if isinstance(value, dict):
            waiting += [((*at, key), inside) for key, inside in value.items()]
        elif isinstance(value, list):
            waiting += [((*at, index), inside) for index, inside in enumerate(value)]
        elif _SECRET_KEY(str(at[-1])) or _is_secret(value):
            raise file.error_at(tuple(step for step in at if isinstance(step, str)), _ADVICE)


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and shaped_like_a_token(value)
