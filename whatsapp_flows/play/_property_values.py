"""
What the value of a property is, given the kind that the tables name: a text, a boolean, a list of items.

`fitted` takes a value that stands in a document, or that a reference has brought, and returns it in the form in which
`Node.props` holds it; `NOTHING` if it is no value of that kind. No value is read again for references: a text that came
from data is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeAlias

from ..flow_json import COMPONENTS, ITEMS, Property, Shape, Version, places_of, properties_of
from ._evaluate import text_of
from ._fields import ENDS


class Nothing(Enum):
    """The type of `NOTHING`."""

    NOTHING = "nothing"


NOTHING: Final = Nothing.NOTHING
"""No value: None may be one."""
Fit: TypeAlias = Callable[[Property, Any, Version], Any]

_SHAPES: Final = {shape.name: shape for shape in COMPONENTS}
_LISTS: Final = (list, tuple)


@lru_cache(maxsize=512)
def rows_of(kind: str, version: Version) -> dict[str, Property]:
    """The properties that a component has in a version, by name; none, if it does not exist."""
    shape = _SHAPES.get(kind)
    return properties_of(shape, version) if shape is not None and places_of(shape, version) else {}


@lru_cache(maxsize=256)
def item_rows(item: str, version: Version) -> dict[str, Property]:
    """The properties of an item of a list, by the name of its shape."""
    shape: Shape | None = ITEMS.get(item)
    return properties_of(shape, version) if shape is not None else {}


def fitted(row: Property, value: Any, version: Version) -> Any:
    """The value as one of the row's kind, or `NOTHING`."""
    fit = _FITS.get(row.kind)
    return NOTHING if fit is None else fit(row, value, version)


def _text(row: Property, value: Any, version: Version) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return text_of(value)
    return NOTHING


def _boolean(row: Property, value: Any, version: Version) -> Any:
    return bool(value) if value is None or isinstance(value, bool) else NOTHING


def _number(row: Property, value: Any, version: Version) -> Any:
    if isinstance(value, str):  # Meta's page calls min-chars, max-chars and max-length strings
        try:
            value = float(value)
        except ValueError:
            return NOTHING
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:  # or no number
        return NOTHING
    return int(value) if float(value).is_integer() else value


_LARGEST: Final = 2**53  # beyond it, JavaScript's numbers are no longer exact


def _whole(row: Property, value: Any, version: Version) -> Any:
    number = _number(row, value, version)
    return number if isinstance(number, int) else NOTHING


def _one_of(row: Property, value: Any, version: Version) -> Any:
    return value if isinstance(value, str) and value in row.values else NOTHING


def _texts(row: Property, value: Any, version: Version) -> Any:
    if not isinstance(value, _LISTS):
        return NOTHING
    return tuple(text for each in value if (text := _text(row, each, version)) is not NOTHING)


def _some_of(row: Property, value: Any, version: Version) -> Any:
    return tuple(each for each in value if each in row.values) if isinstance(value, _LISTS) else NOTHING


def _text_or_texts(row: Property, value: Any, version: Version) -> Any:
    fit = _texts if isinstance(value, _LISTS) else _text
    return fit(row, value, version)


def _ends(fit: Fit) -> Fit:
    """A value, or one for each end of a range."""

    def fit_ends(row: Property, value: Any, version: Version) -> Any:
        if not isinstance(value, dict):
            return fit(row, value, version)
        found = {end: fit(row, value[end], version) for end in ENDS if end in value}
        return {end: each for end, each in found.items() if each is not NOTHING}

    return fit_ends


def _mapping(row: Property, value: Any, version: Version) -> Any:
    if not isinstance(value, dict):
        return NOTHING
    return item_of(row.item, value, version) if row.item else value


def _items(row: Property, value: Any, version: Version) -> Any:
    if not isinstance(value, _LISTS):
        return NOTHING
    return tuple(item_of(row.item, each, version) for each in value if isinstance(each, dict))


def _messages(row: Property, value: Any, version: Version) -> Any:
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if isinstance(each, str)}
    return _text(row, value, version)


def _action(row: Property, value: Any, version: Version) -> Any:
    """What an action does, and where it leads; not what it hands over."""
    if not isinstance(value, dict):
        return NOTHING
    following = value.get("next")
    known = {"name": value.get("name"), "url": value.get("url")}
    found: dict[str, Any] = {key: each for key, each in known.items() if isinstance(each, str)}
    if isinstance(following, dict):
        found["next"] = {key: following[key] for key in ("type", "name") if isinstance(following.get(key), str)}
    return found


def item_of(item: str, value: dict[str, Any], version: Version) -> dict[str, Any]:
    """An item with the properties that the version has, and with defaults; what is of a wrong kind is left out."""
    found = {}
    for name, row in item_rows(item, version).items():
        each = _FITS[row.kind](row, value[name], version) if name in value else NOTHING
        if each is not NOTHING:
            found[name] = each
        elif row.default is not None:
            found[name] = row.default
    return found


_FITS: Final[dict[str, Fit]] = {
    **dict.fromkeys(("text", "string", "label1", "name", "base64", "url"), _text),
    **dict.fromkeys(("bool", "static-bool", "loose-bool"), _boolean),
    "number": _number,
    **dict.fromkeys(("int", "static-int"), _whole),
    **dict.fromkeys(("enum", "enum|binding"), _one_of),
    **dict.fromkeys(("array<enum>", "array<enum>|binding"), _some_of),
    **dict.fromkeys(("array<string>", "array<string>|binding"), _texts),
    **dict.fromkeys(("text|array<text>", "string|array<string>"), _text_or_texts),
    "array<object>|binding": _items,
    "calendar<string>": _ends(_text),
    "calendar<bool>": _ends(_boolean),
    **dict.fromkeys(("object", "object|binding"), _mapping),
    "string|object": _messages,
    **dict.fromkeys(("action:on-click", "action:on-select"), _action),
}
"""Kind of the tables -> how a value becomes one. Lists of components are none of them."""
