"""
Completion: what may be written at a position.

Two languages: JSON, by the tables of the schema; and the references in texts, by the names that the document has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ..flow_json import (
    COMPONENT_TEXTS,
    COMPONENTS,
    KNOWN_VERSIONS,
    RECOMMENDED,
    Property,
    Version,
    describe_property,
    places_of,
    properties_of,
)
from ._cursor import Cursor, cursor_at
from ._describe import describe_component, describe_field, describe_screen
from ._meaning import OPENINGS, Meaning, empty_value, meaning_of, version_of
from ._names import Index, ScreenNames
from ._tree import Array, Object, Scalar, plain, quoted

_SOURCE: Final = re.compile(r"\$\{([A-Za-z_]*)$")
_SCREEN: Final = re.compile(r'\$\{screen\.([^.{}"\\]*)$')
_SOURCE_OF_SCREEN: Final = re.compile(r'\$\{screen\.([^.{}"\\]*)\.([A-Za-z_]*)$')
_NAME: Final = re.compile(r'\$\{(?:screen\.([^.{}"\\]*)\.)?(data|form)\.((?:[^.{}"\\]*\.)*)([^.{}"\\]*)$')
_REST: Final = re.compile(r"[^\s.{}\"\\'`()]*")
_LONGEST_REFERENCE: Final = 1000  # characters before the position that are read
DATA_TYPES: Final = ("string", "number", "integer", "boolean", "object", "array")


class Completion(NamedTuple):
    """
    One proposal: `insert` replaces the text from `start` to `end` (offsets).

    `kind`: "component", "property", "value", "screen", "input", "field" or "source". Proposals come in the order in
    which they should be shown.
    """

    label: str
    kind: str
    insert: str
    start: int
    end: int
    detail: str = ""
    text: str = ""


class _Offer(NamedTuple):
    """A proposal before it has a place: `value` is JSON, or the name of a key."""

    label: str
    kind: str
    value: str
    detail: str = ""
    text: str = ""


def complete(index: Index, offset: int, known: Index | None = None) -> tuple[Completion, ...]:
    """
    The proposals at an offset.

    `known` is an index of an earlier, whole state of the document: its names are proposed too, since a half-written
    text may hide some.
    """
    found = cursor_at(index.root, offset)
    names = _Names(index, known, offset)
    if found.scalar is not None and found.scalar.is_string and found.scalar.start < offset:
        references = _references(index.text, found.scalar, offset, names)
        if references is not None:
            return tuple(references)
    if not index.is_flow and not _may_become_flow(index):
        return ()
    version = version_of(index.version)
    meaning = meaning_of(found.steps, version)
    if found.in_key:
        return tuple(_placed_keys(index.text, found, _keys(found, meaning, version, names)))
    return tuple(_placed_values(index.text, found, _values(found, meaning, version, names)))


def _may_become_flow(index: Index) -> bool:
    """Whether an object has nothing yet that another kind of document has."""
    if not isinstance(index.root, Object):
        return False
    return all(each.key.text in {"version", ""} or not each.key.closed for each in index.root.members)


# -- names


class _Names:
    """The names that may be proposed: those of the text, and those of the last whole one."""

    def __init__(self, index: Index, known: Index | None, offset: int) -> None:
        self._indexes = [index] if known is None else [index, known]
        self._around = index.screen_around(offset)

    @property
    def around(self) -> list[ScreenNames]:
        """The screen that the position is in."""
        return self.screen(self._around.id) if self._around is not None else []

    def screen(self, name: str) -> list[ScreenNames]:
        """The states of a screen."""
        return [found for each in self._indexes if (found := each.screen(name)) is not None]

    def screens(self) -> Mapping[str, ScreenNames]:
        """All screens by their ids."""
        return {screen.id: screen for each in reversed(self._indexes) for screen in each.screens if screen.id}


def _inputs(screens: Iterable[ScreenNames]) -> Iterator[_Offer]:
    seen: set[str] = set()
    for screen in screens:
        for name, components in screen.components.items():
            if name not in seen:
                seen.add(name)
                yield _Offer(name, "input", name, *describe_component(components[0]))


def _fields(screens: Iterable[ScreenNames], path: tuple[str, ...] = ()) -> Iterator[_Offer]:
    seen: set[str] = set()
    for screen in screens:
        for name in _names_under(screen, path):
            if name not in seen:
                seen.add(name)
                yield _Offer(name, "field", name, *describe_field(screen.schema((*path, name))))


def _names_under(screen: ScreenNames, path: tuple[str, ...]) -> Iterable[str]:
    if not path:
        return screen.data
    schema = screen.schema(path)
    inner = schema.get("properties") if schema else None
    return inner if isinstance(inner, dict) else ()


# -- references


def _references(text: str, scalar: Scalar, offset: int, names: _Names) -> Iterator[Completion] | None:
    """The proposals inside ${...}; None outside."""
    before = text[max(scalar.start, offset - _LONGEST_REFERENCE) : offset]
    if "${" not in before:
        return None
    for pattern, offers in _IN_REFERENCES:
        if match := pattern.search(before):
            start = offset - len(match[match.lastindex or 0])
            return _placed_names(text, start, offset, offers(match, names))
    return None


def _sources(match: re.Match[str], names: _Names) -> Iterator[_Offer]:
    yield _Offer("form.", "source", "form.", "values of the inputs of this screen")
    yield _Offer("data.", "source", "data.", "data of this screen")
    yield _Offer("screen.", "source", "screen.", "data and inputs of another screen")


def _sources_of_screen(match: re.Match[str], names: _Names) -> Iterator[_Offer]:
    yield _Offer("form.", "source", "form.", f"values of the inputs of {match[1]}")
    yield _Offer("data.", "source", "data.", f"data of {match[1]}")


def _screens_in_reference(match: re.Match[str], names: _Names) -> Iterator[_Offer]:
    for name, screen in names.screens().items():
        yield _Offer(name, "screen", f"{name}.", describe_screen(screen))


def _names_in_reference(match: re.Match[str], names: _Names) -> Iterator[_Offer]:
    screens = names.around if match[1] is None else names.screen(match[1])
    path = tuple(match[3].split("."))[:-1]
    if match[2] == "form":
        return iter(()) if path else _inputs(screens)
    return _fields(screens, path)


_IN_REFERENCES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], _Names], Iterator[_Offer]]], ...]] = (
    (_NAME, _names_in_reference),
    (_SOURCE_OF_SCREEN, _sources_of_screen),
    (_SCREEN, _screens_in_reference),
    (_SOURCE, _sources),
)


def _placed_names(text: str, start: int, offset: int, offers: Iterable[_Offer]) -> Iterator[Completion]:
    rest = _REST.match(text, offset)
    end = rest.end() if rest else offset
    for each in offers:
        insert = each.value
        stop = end + 1 if insert.endswith(".") and text.startswith(".", end) else end
        if not insert.endswith(".") and not text.startswith(("}", "."), end):
            insert += "}"
        yield Completion(each.label, each.kind, insert, start, stop, each.detail, each.text)


# -- keys


def _keys(found: Cursor, meaning: Meaning, version: Version, names: _Names) -> Iterator[_Offer]:
    container = found.container
    if not isinstance(container, Object):
        return
    given = {each.key.text for each in container.members if each is not found.member}
    for offer in _keys_of(found, meaning, version, names):
        if offer.label not in given:
            yield offer


def _keys_of(found: Cursor, meaning: Meaning, version: Version, names: _Names) -> Iterator[_Offer]:
    if meaning.role in {"object", "component"}:
        if meaning.role == "component":
            yield _Offer("type", "property", " ", "required", "Type of the component.")
        yield from _properties(meaning, version)
    elif meaning.role == "routes":
        yield from (_Offer(name, "screen", " []", describe_screen(each)) for name, each in names.screens().items())
    elif meaning.role == "names":
        yield from (each._replace(value=" ") for each in _inputs(names.around))
    elif meaning.role == "field":
        yield _Offer("type", "property", " ", "required", "Type of the field.")
        yield _Offer("__example__", "property", " ", "required", "A value of the field, which previews show.")
    elif meaning.role == "payload":
        yield from (each._replace(value=" ") for each in _fields(names.screen(_target(found))))


def _target(found: Cursor) -> str:
    """The screen that the action leads to whose payload the position is in."""
    action = found.steps[-2].container if len(found.steps) > 1 else None
    following = action.object("next") if isinstance(action, Object) else None
    return (following.text("name") if following else None) or ""


def _properties(meaning: Meaning, version: Version) -> Iterator[_Offer]:
    """The properties of an object, required ones first, otherwise in the order of Meta's pages."""
    if meaning.shape is None:
        return
    for row in sorted(meaning.rows(version).values(), key=lambda row: not row.required):
        detail = "required" if row.required else ""
        text = describe_property(meaning.shape.name, row)
        yield _Offer(row.name, "property", f" {OPENINGS.get(row.kind, '')}", detail, text)


def _placed_keys(text: str, found: Cursor, offers: Iterable[_Offer]) -> Iterator[Completion]:
    """With the colon, and the beginning of the value, where there is none yet."""
    start, end = _range(text, found)
    has_value = found.member is not None and (found.member.colon or found.member.value is not None)
    for each in offers:
        insert = quoted(each.label) + ("" if has_value else f":{each.value}")
        yield Completion(each.label, each.kind, insert, start, end, each.detail, each.text)


# -- values


def _values(found: Cursor, meaning: Meaning, version: Version, names: _Names) -> Iterator[_Offer]:
    role, row = meaning.role, meaning.row
    if role == "component type":
        yield from _types(meaning.place, version)
    elif role == "component":
        yield from (each._replace(value=_new_component(each.label, meaning.place, version))
                    for each in _types(meaning.place, version))  # fmt: skip
    elif role == "field type":
        yield from (_text(each) for each in DATA_TYPES)
    elif role == "destination":
        taken = _items_beside(found)
        yield from (each for each in _screens(names) if each.label not in taken)
    elif role in {"value", "item"} and row is not None and meaning.shape is not None:
        yield from _property_values(found, meaning, row, version, names)


def _types(place: str, version: Version) -> Iterator[_Offer]:
    for shape in COMPONENTS:
        if place in places_of(shape, version):
            detail = f"since {shape.places[place]}"
            yield _Offer(shape.name, "component", quoted(shape.name), detail, COMPONENT_TEXTS[shape.name])


def _new_component(name: str, place: str, version: Version) -> str:
    """A component with its required properties."""
    shape = next(each for each in COMPONENTS if each.name == name)
    rows = properties_of(shape, version, in_form=place == "Form").values()
    inner = "".join(f', "{row.name}": {empty_value(shape, row)}' for row in rows if row.required)
    return f'{{"type": "{name}"{inner}}}'


def _screens(names: _Names) -> Iterator[_Offer]:
    for name, screen in names.screens().items():
        yield _Offer(name, "screen", quoted(name), describe_screen(screen))


def _text(value: str, detail: str = "", text: str = "") -> _Offer:
    return _Offer(value, "value", quoted(value), detail, text)


def _property_values(
    found: Cursor, meaning: Meaning, row: Property, version: Version, names: _Names
) -> Iterator[_Offer]:
    shape = meaning.shape.name if meaning.shape else ""
    taken = _items_beside(found) if meaning.role == "item" else set()
    special = _SPECIAL.get((shape, row.name))
    if special is not None:
        yield from (each for each in special(version, names) if each.label not in taken)
        return
    about = describe_property(shape, row)
    for value in row.values:
        if value not in taken:
            detail = "default" if value == row.default else ""
            yield _text(value, detail, about)
    if "bool" in row.kind:
        for value in ("true", "false"):
            default = row.default is not None and value == str(row.default).lower()
            yield _Offer(value, "value", value, "default" if default else "", about)


def _versions(version: Version, names: _Names) -> Iterator[_Offer]:
    for known, row in sorted(KNOWN_VERSIONS.items(), reverse=True):
        if row.released is not None and row.frozen is None:
            detail = "recommended" if known == RECOMMENDED else f"released {row.released}"
            yield _text(str(known), detail)


def _data_api(version: Version, names: _Names) -> Iterator[_Offer]:
    return (_text(each) for each in KNOWN_VERSIONS[version].data_api)


_SPECIAL: Final[Mapping[tuple[str, str], Callable[[Version, _Names], Iterator[_Offer]]]] = {
    ("the document", "version"): _versions,
    ("the document", "data_api_version"): _data_api,
    ("the layout", "type"): lambda version, names: (_text(each) for each in KNOWN_VERSIONS[version].layouts),
    ("next", "name"): lambda version, names: _screens(names),
    ("next", "type"): lambda version, names: iter((_text("screen"),)),
    ("a screen", "sensitive"): lambda version, names: (
        each._replace(value=quoted(each.value)) for each in _inputs(names.around)
    ),
}


def _items_beside(found: Cursor) -> set[object]:
    """The other items of the list."""
    if not isinstance(found.container, Array):
        return set()
    return {each for item in found.container.items if item is not found.scalar
            and isinstance(each := plain(item), str)}  # fmt: skip


def _placed_values(text: str, found: Cursor, offers: Iterable[_Offer]) -> Iterator[Completion]:
    start, end = _range(text, found)
    space = " " if found.scalar is None and text[found.offset - 1 : found.offset] == ":" else ""
    for each in offers:
        yield Completion(each.label, each.kind, space + each.value, start, end, each.detail, each.text)


def _range(text: str, found: Cursor) -> tuple[int, int]:
    """
    What a proposal replaces: the scalar. Of a string without its quote, only what is before the position; a blank after
    the position says that the closing quote is the opening one of the next string.
    """
    scalar = found.scalar
    if scalar is None:
        return found.offset, found.offset
    whole = scalar.closed and " " not in text[found.offset : scalar.end]
    return scalar.start, scalar.end if whole else found.offset
