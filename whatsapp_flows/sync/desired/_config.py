"""
The configuration: `flows.toml`, or `[tool.whatsapp-flows]` in a pyproject.toml.

    [defaults]
    categories = ["OTHER"]
    publish = true

    [flows.solar_installation]
    file = "solar_installation.json"
    name = "Solar Installation Request"

    [env.staging]
    waba_id = "102290129340398"
    name_suffix = " (staging)"

If several tables have a setting, the last of these applies: `[defaults]`, `[flows.KEY]`, `[env.NAME]`,
`[env.NAME.flows.KEY]`. Paths are relative to the file. Every error names the file, line, table and key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..._reading import open_regular, read_regular
from ...errors import ConfigurationError
from ...flow_json import BYTE_ORDER_MARK, MAX_BYTES, read_flow_json
from ._config_file import PYPROJECT, ConfigFile, refuse_secrets
from ._desired import DesiredFlow, Workspace
from ._hints import hint
from ._python_file import PythonFile, flow_of, python_file
from ._toml import TomlPath
from ._variables import VARIABLE, Filled, fill

ENVIRONMENT_NAME: Final = r"[A-Za-z0-9_-]+"


def read_workspace(path: Path, env: str | None = None, *, only: Collection[str] = ()) -> Workspace:
    """
    The flows of the file at `path` in the environment `env`; without one, those outside `[env]`.

    With `only`, the flows with these keys or names; no other Flow JSON file is read. Raises `ConfigurationError` for
    the first error in the file or in a Flow JSON file, and for an unknown environment or flow.
    """
    file = ConfigFile.read(path)
    refuse_secrets(file)
    resolver = _Resolver(file, _checked(file.table, _FILE, file), env)
    chosen = resolver.chosen(only)
    flows, used = [], set[str]()
    for entry in chosen:
        flow, names = resolver.flow(entry)
        flows.append(flow)
        used |= names
    warnings = () if only else (*resolver.unused(used), *_unlisted(path, chosen))
    return Workspace(
        flows=tuple(flows),
        account_id=resolver.account_id,
        environment=env or "",
        lock_file=lock_file_of(path, env),
        source=str(path),
        warnings=warnings,
    )


def find_config(folder: Path) -> Path:
    """The configuration file of a folder: `flows.toml`, or without one a pyproject.toml that has the table."""
    flows_toml, pyproject = folder / "flows.toml", folder / PYPROJECT
    if not flows_toml.exists() and pyproject.exists():
        try:
            ConfigFile.read(pyproject)
        except ConfigurationError:
            return flows_toml
        return pyproject
    return flows_toml


def lock_file_of(path: Path, env: str | None) -> Path:
    """The lock file of a configuration file: `flows.lock.json`, and `flows.staging.lock.json` for an environment."""
    stem = "flows" if path.name == PYPROJECT else path.stem
    return path.with_name(f"{stem}{f'.{env}' if env else ''}.lock.json")


# -- the schema


class _ExpectedError(Exception):
    """The message says what a value should be."""


class _Each(NamedTuple):
    """A table with arbitrary keys; `names` is the pattern of a key, `description` says it in words."""

    value: Any
    names: str = r".+"
    description: str = "that is not empty"


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _ExpectedError("a string that is not empty")
    return value


def _any_text(value: object) -> str:
    if not isinstance(value, str):
        raise _ExpectedError("a string")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item.strip() for item in value):
        raise _ExpectedError('a list of at least one string, like ["OTHER"]')
    return tuple(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _ExpectedError("true or false")
    return value


def _id(value: object) -> str:
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(digits, str) or not (digits.isascii() and digits.isdigit()):
        raise _ExpectedError('an id of digits, like "102290129340398"')
    return digits


_VARIABLES: Final = _Each(_any_text, VARIABLE, "of letters, digits, _ and -")
_SHARED: Final[Mapping[str, Any]] = {
    "categories": _texts,
    "endpoint": _text,
    "application": _id,
    "publish": _flag,
    "replace": _flag,
    "name_suffix": _any_text,
}
_FLOW: Final[Mapping[str, Any]] = {"file": _text, "name": _text, **_SHARED, "variables": _VARIABLES}
_ENVIRONMENT: Final[Mapping[str, Any]] = {
    "waba_id": _id,
    **_SHARED,
    "variables": _VARIABLES,
    "flows": _Each(_FLOW),
}
_FILE: Final[Mapping[str, Any]] = {
    "waba_id": _id,
    "name_suffix": _any_text,
    "defaults": _SHARED,
    "flows": _Each(_FLOW),
    "env": _Each(_ENVIRONMENT, ENVIRONMENT_NAME, "of letters, digits, _ and -"),
    "variables": _VARIABLES,
}


def _checked(value: Any, schema: Any, file: ConfigFile, at: TomlPath = ()) -> Any:
    """The value, checked against the schema."""
    if not isinstance(schema, (_Each, Mapping)):
        try:
            return schema(value)
        except _ExpectedError as expected:
            raise file.error_at(at, f"must be {expected}, not {value!r}.") from None
    if not isinstance(value, dict):
        raise file.table_error(at, f"must be a table, not {value!r}.")
    checked = {}
    for key, inside in value.items():
        here = (*at, key)
        if isinstance(schema, _Each):
            if not re.fullmatch(schema.names, key):
                raise file.table_error(at, f"{key!r} is not a name {schema.description}.", line_of=here)
            checked[key] = _checked(inside, schema.value, file, here)
        elif key not in schema:
            raise file.table_error(at, f"unknown key {key!r}{hint(key, schema)}", line_of=here)
        else:
            checked[key] = _checked(inside, schema[key], file, here)
    return checked


# -- the flows


class _Setting(NamedTuple):
    """A value and its path in the file."""

    value: Any
    at: TomlPath


@dataclass(frozen=True)
class _Entry:
    """A flow before its Flow JSON is read: its settings and its variables."""

    key: str
    name: str
    settings: Mapping[str, _Setting]
    variables: Mapping[str, _Setting]


class _Resolver:
    """Reads the flows of one environment out of the checked tables."""

    def __init__(self, file: ConfigFile, table: Mapping[str, Any], env: str | None) -> None:
        self._file = file
        self._table = table
        self._env = env
        environments = table.get("env", {})
        if env is not None and env not in environments:
            raise ConfigurationError(f"{file.path} has no environment {env!r}{hint(env, environments)}")
        if not table.get("flows"):
            example = file.name_of(("flows", "booking"))
            raise ConfigurationError(f'{file.path} has no flows: add a table like {example} with "file" and "name".')
        for name, environment in environments.items():
            for key in environment.get("flows", {}):
                if key not in table["flows"]:
                    at = ("env", name, "flows", key)
                    raise file.table_error(at, f"names an unknown flow{hint(key, table['flows'])}")
        self.entries = tuple(map(self._entry, table["flows"]))
        self._refuse_shared_names()

    @property
    def account_id(self) -> str | None:
        """The account of the environment, else the one at the top."""
        return next((each["waba_id"] for each in (self._environment, self._table) if "waba_id" in each), None)

    @property
    def _environment(self) -> Mapping[str, Any]:
        return self._table.get("env", {}).get(self._env, {})  # type: ignore[no-any-return]

    def _entry(self, key: str) -> _Entry:
        settings: dict[str, _Setting] = {}
        variables: dict[str, _Setting] = {}
        for at, layer in self._layers(key):
            settings |= {name: _Setting(layer[name], (*at, name)) for name in _FLOW if name in layer}
            inside = layer.get("variables", {})
            variables |= {name: _Setting(text, (*at, "variables", name)) for name, text in inside.items()}
        settings.pop("variables", None)
        place = ("flows", key)
        for required in ("file", "name"):
            if required not in settings:
                raise self._file.table_error(place, f"has no {required}.")
        if "categories" not in settings:
            defaults = self._file.name_of(("defaults",))
            raise self._file.table_error(place, f"has no categories: name at least one, here or in {defaults}.")
        suffix = settings["name_suffix"].value if "name_suffix" in settings else ""
        return _Entry(key, settings["name"].value + suffix, settings, variables)

    def _layers(self, key: str) -> Iterator[tuple[TomlPath, Mapping[str, Any]]]:
        """The tables with the settings of a flow; a later one overrides the earlier ones."""
        top = {name: self._table[name] for name in ("name_suffix", "variables") if name in self._table}
        yield (), top
        yield ("defaults",), self._table.get("defaults", {})
        yield ("flows", key), self._table["flows"][key]
        if self._env is not None:
            yield ("env", self._env), self._environment
            yield ("env", self._env, "flows", key), self._environment.get("flows", {}).get(key, {})

    def _refuse_shared_names(self) -> None:
        """Two flows of one name would overwrite each other in turn."""
        first: dict[str, str] = {}
        for entry in self.entries:
            if entry.name in first:
                other = self._file.name_of(("flows", first[entry.name]))
                raise self._file.error_at(entry.settings["name"].at, f"{entry.name!r} is already the name of {other}.")
            first[entry.name] = entry.key

    def chosen(self, only: Collection[str]) -> Sequence[_Entry]:
        """The flows with these keys or names, in the order of the file; all flows if `only` is empty."""
        known = {entry.name: entry.key for entry in self.entries}
        known |= {entry.key: entry.key for entry in self.entries}
        for name in only:
            if name not in known:
                raise ConfigurationError(f"{self._file.path} has no flow {name!r}{hint(name, known)}")
        keys = {known[name] for name in only}
        return [entry for entry in self.entries if not only or entry.key in keys]

    def flow(self, entry: _Entry) -> tuple[DesiredFlow, frozenset[str]]:
        """The flow with its Flow JSON, and the names of its variables."""
        settings = entry.settings
        values = {key: setting.value for key, setting in settings.items()}
        variables = {name: setting.value for name, setting in entry.variables.items()}
        if "endpoint" in values:
            variables.setdefault("endpoint", values["endpoint"])
        made = python_file(self._file.path.parent, values["file"])
        path = made.path if made is not None else self._file.path.parent / values["file"]
        content, filled = self._content(made or path, settings["file"].at, variables)
        flow = DesiredFlow(
            key=entry.key,
            name=entry.name,
            content=content,
            categories=values["categories"],
            endpoint_uri=values.get("endpoint"),
            application_id=values.get("application"),
            publish=values.get("publish", False),
            replace=values.get("replace", False),
            file=None if made is not None else path,  # a Python file is not written by `pull`
            variables=variables,
            replaced=filled.replaced,
        )
        return flow, filled.used

    def _content(self, source: Path | PythonFile, at: TomlPath, variables: Mapping[str, str]) -> tuple[bytes, Filled]:
        path = source.path if isinstance(source, PythonFile) else source
        try:
            content = flow_of(source) if isinstance(source, PythonFile) else self._read(path)
            text = read_flow_json(content, argument=str(path)).decode()
            filled = fill(text, variables, source=str(path))
            return read_flow_json(filled.text.encode(), argument=str(path)), filled
        except ConfigurationError as error:
            raise self._file.error_at(at, error.message) from None

    @staticmethod
    def _read(path: Path) -> bytes:
        try:
            with open_regular(path) as file:
                return file.read(MAX_BYTES + len(BYTE_ORDER_MARK) + 1)
        except (OSError, ValueError) as exc:
            message = getattr(exc, "strerror", None) or exc
            raise ConfigurationError(f"{path} cannot be read: {message}.") from None

    def unused(self, used: Collection[str]) -> Iterator[str]:
        """A warning for each variable that no file uses."""
        reported: set[str] = set()
        for entry in self.entries:
            for name, setting in entry.variables.items():
                if name not in used and name not in reported:
                    reported.add(name)
                    yield str(self._file.error_at(setting.at, "no file uses this variable.").message)


def _unlisted(source: Path, entries: Sequence[_Entry]) -> Iterator[str]:
    """A warning for each Flow JSON file in the same folders that no table names."""
    values = [entry.settings["file"].value for entry in entries]
    made = [python_file(source.parent, value) for value in values]
    listed = {(source.parent / value).resolve() for value, each in zip(values, made, strict=True) if each is None}
    for folder in sorted({file.parent for file in listed}):
        for path in sorted(folder.glob("*.json")):
            if path.resolve() not in listed and _looks_like_a_flow(path):
                yield f"{source} does not name {os.path.relpath(path, source.parent.resolve())}"


def _looks_like_a_flow(path: Path) -> bool:
    try:
        return b'"screens"' in read_regular(path, MAX_BYTES)
    except OSError:
        return False
