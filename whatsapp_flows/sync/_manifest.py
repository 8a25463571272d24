"""
What is wanted: `flows.toml` and the Flow JSON files it names, read and checked before anything is sent.

    [defaults]
    categories = ["OTHER"]
    publish = true

    [flows.solar_installation]
    file = "solar_installation.json"
    name = "Solar Installation Request"

`defaults` may hold `categories`, `endpoint` and `publish`; a flow's own key wins. Paths are relative to the file.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from ..errors import ConfigurationError, ErrorDetails, FlowValidationError
from ..flow_json import read_flow_json, validate

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_TABLES: Final = ("defaults", "flows")
_SHARED: Final = ("categories", "endpoint", "publish")
_OWN: Final = ("file", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowEntry:
    """One table of `flows.toml`. Without `endpoint_uri` the flow's endpoint is left as it is."""

    key: str
    name: str
    file: Path
    categories: tuple[str, ...]
    endpoint_uri: str | None = None
    publish: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredFlow(FlowEntry):
    """A flow as it should be: its table, and its Flow JSON as bytes."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole `flows.toml`, in the order of the file."""

    source: Path
    entries: tuple[FlowEntry, ...]

    def select(self, wanted: Collection[str]) -> tuple[FlowEntry, ...]:
        """
        The entries with these keys or names, in the order of the file; all of them when none is named.

        Raises `ConfigurationError` for a word that is neither.
        """
        keys = {entry.key for entry in self.entries}
        by_name = {entry.name: entry.key for entry in self.entries}
        for word in wanted:
            if word not in keys and word not in by_name:
                raise ConfigurationError(
                    f"{self.source} has no flow {word!r}{_hint(word, [*by_name.values(), *by_name])}"
                )
        chosen = {word if word in keys else by_name[word] for word in wanted} or keys
        return tuple(entry for entry in self.entries if entry.key in chosen)

    def unlisted(self) -> tuple[Path, ...]:
        """The `*.json` files beside `flows.toml` that no entry names."""
        listed = {entry.file.resolve() for entry in self.entries}
        return tuple(path for path in sorted(self.source.parent.glob("*.json")) if path.resolve() not in listed)


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`. Raises `ConfigurationError` that names the file, and the table and key at fault."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as exc:
        raise ConfigurationError(f"{path} is not UTF-8: byte {exc.start} cannot be decoded.") from None
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc.strerror}.") from None
    return parse_manifest(text, path)


def parse_manifest(text: str, source: Path) -> Manifest:
    """The manifest in `text`; `source` is where it stands, for paths and errors."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(f"{source} is not TOML: {exc}.") from None
    _refuse_unknown(document, _TABLES, f"{source}")
    defaults = _table(document.get("defaults", {}), f"{source} [defaults]")
    _refuse_unknown(defaults, _SHARED, f"{source} [defaults]")
    shared = _shared(defaults, f"{source} [defaults]")
    tables = _table(document.get("flows", {}), f"{source} [flows]")
    if not tables:
        raise ConfigurationError(f'{source} names no flow: add a table like [flows.booking] with "file" and "name".')
    entries = tuple(_entry(key, table, shared, source) for key, table in tables.items())
    _refuse_shared_names(entries, source)
    return Manifest(source=source, entries=entries)


def read_flows(entries: Iterable[FlowEntry]) -> tuple[DesiredFlow, ...]:
    """
    The entries with their Flow JSON, in which the validator finds no error; warnings do not count.

    Raises `ConfigurationError` for the first file that holds none, and `FlowValidationError` with the errors of all
    files, each named by its file.
    """
    flows = tuple(_with_content(entry) for entry in entries)
    _refuse_errors(flows)
    return flows


def _refuse_errors(flows: Iterable[DesiredFlow]) -> None:
    found = {flow.file: validate(flow.content, advice=False).errors for flow in flows}
    broken = [file.name for file, errors in found.items() if errors]
    if broken:
        message = f"nothing was sent: there are errors in {', '.join(broken)}."
        details = ErrorDetails(message=message, advice=FlowValidationError.default_advice)
        issues = [replace(each, message=f"{file}: {each.message}") for file, errors in found.items() for each in errors]
        raise FlowValidationError(details, tuple(issues))


def _with_content(entry: FlowEntry) -> DesiredFlow:
    try:
        content = read_flow_json(entry.file)
    except ConfigurationError as exc:
        raise ConfigurationError(f"{entry.file} ([flows.{entry.key}]): {exc.message}") from None
    return DesiredFlow(
        key=entry.key,
        name=entry.name,
        file=entry.file,
        categories=entry.categories,
        endpoint_uri=entry.endpoint_uri,
        publish=entry.publish,
        content=content,
    )


def _entry(key: str, found: object, shared: Mapping[str, Any], source: Path) -> FlowEntry:
    place = f"{source} [flows.{key}]"
    table = _table(found, place)
    _refuse_unknown(table, (*_OWN, *_SHARED), place)
    both = {**shared, **_shared(table, place)}
    if "categories" not in both:
        raise ConfigurationError(f"{place} has no categories: name at least one, here or in [defaults].")
    return FlowEntry(
        key=key,
        name=_text(table, "name", place),
        file=source.parent / _text(table, "file", place),
        categories=both["categories"],
        endpoint_uri=both.get("endpoint"),
        publish=both.get("publish", False),
    )


def _shared(table: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The keys that a flow may take from the defaults, checked."""
    found: dict[str, Any] = {}
    if "categories" in table:
        found["categories"] = _texts(table, "categories", place)
    if "endpoint" in table:
        found["endpoint"] = _text(table, "endpoint", place)
    if "publish" in table:
        if not isinstance(table["publish"], bool):
            raise ConfigurationError(f"{place} publish: true or false, not {table['publish']!r}.")
        found["publish"] = table["publish"]
    return found


def _text(table: Mapping[str, Any], key: str, place: str) -> str:
    if key not in table:
        raise ConfigurationError(f"{place} has no {key}.")
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{place} {key}: a text that is not empty, not {value!r}.")
    return value


def _texts(table: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    value = table[key]
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item.strip() for item in value):
        raise ConfigurationError(f'{place} {key}: a list of at least one text, like ["OTHER"], not {value!r}.')
    return tuple(value)


def _table(found: object, place: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise ConfigurationError(f"{place} must be a table, not {found!r}.")
    return found


def _refuse_unknown(table: Mapping[str, Any], known: Collection[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigurationError(f"{place} has an unknown key {key!r}{_hint(key, known)}")


def _refuse_shared_names(entries: Iterable[FlowEntry], source: Path) -> None:
    """Two tables with one name would take turns at overwriting the same flow."""
    first: dict[str, str] = {}
    for entry in entries:
        if entry.name in first:
            raise ConfigurationError(
                f"{source} [flows.{entry.key}] name: {entry.name!r} is the name of [flows.{first[entry.name]}] already."
            )
        first[entry.name] = entry.key


def _hint(word: str, known: Collection[str]) -> str:
    """What was probably meant; what there is when nothing is close."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f": did you mean {close[0]!r}?" if close else f": known are {', '.join(known)}."
