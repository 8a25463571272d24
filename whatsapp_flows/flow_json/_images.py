"""
Where the images of an endpoint's answer stand: the image properties of components that are bound to a data model.

The properties and the sizes are those of the tables. Works on a document whose structure has not been checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ._raw_document import SHAPES, components_of, screens_of
from .language import parse_reference
from .schema import ITEMS, NEWEST, Property, Version, parse_version, properties_of
from .text import Pointer

_MAX_IMAGES: Final = 3
"""On a screen, and in a carousel. Source: Meta, "Image" and "ImageCarousel"."""
_MAX_IMAGE_BYTES: Final = 307_200
"""300 kB. Source: Meta, "Image". A row with a limit of its own has that."""
_COUNTED: Final = ("Image", "ImageCarousel")


class ImagePlace(NamedTuple):
    """
    A place of images in the data of a screen: `path` leads from the data to the text, with None for each item of an
    array.

    `most_bytes` is the largest image, decoded. `counted` is a name that places share whose images are counted together;
    empty where they are not counted. Of those there may be `most_images`.
    """

    screen: str
    path: tuple[str | None, ...]
    component: str
    most_bytes: int
    counted: str = ""
    most_images: int = _MAX_IMAGES


def image_places(document: dict[str, Any]) -> Iterator[ImagePlace]:
    """The places of images in the data of all screens of a Flow JSON."""
    found = document.get("version")
    version = (parse_version(found) if isinstance(found, str) else None) or NEWEST
    for pointer, screen in screens_of(document):
        name = screen.get("id")
        if not isinstance(name, str):
            continue
        for place, component in components_of(screen, pointer):
            kind = component["type"]
            rows = _rows(kind, version)
            counted = _counted(kind, name, place) if rows else ""
            for path_screen, path, most in _bound(component, rows, version):
                yield ImagePlace(path_screen or name, path, kind, most, counted)


@lru_cache(maxsize=512)
def _rows(kind: str, version: Version) -> Mapping[str, Property]:
    """The properties of a component or an item that hold images, or items that do."""
    rows = properties_of(SHAPES[kind] if kind in SHAPES else ITEMS[kind], version)
    return {name: row for name, row in rows.items() if _is_image(row) or (row.item and _rows(row.item, version))}


def _counted(component: str, screen: str, place: Pointer) -> str:
    if component not in _COUNTED:
        return ""
    return screen if component == "Image" else f"{screen}{place}"


_Bound = tuple[str | None, tuple[str | None, ...], int]
"""The screen that a reference names, the path in its data, the largest image."""


def _bound(value: Mapping[str, Any], rows: Mapping[str, Property], version: Version) -> Iterator[_Bound]:
    """The references of an object's image properties; of its items where the whole list is bound as well."""
    for row in rows.values():
        held = value.get(row.name)
        if _is_image(row):
            yield from _referred(held, (), row.advised_bytes or _MAX_IMAGE_BYTES)
        elif row.item:
            inner = _rows(row.item, version)
            for each in held if isinstance(held, list) else (held,):
                if isinstance(each, dict):
                    yield from _bound(each, inner, version)
            step = () if row.kind == "object" else (None,)
            for path, most in _images_in(inner, version):
                yield from _referred(held, (*step, *path), most)


def _images_in(rows: Mapping[str, Property], version: Version) -> Iterator[tuple[tuple[str | None, ...], int]]:
    """The paths from an item to its images, for items that are bound as a whole."""
    for row in rows.values():
        if _is_image(row):
            yield (row.name,), row.advised_bytes or _MAX_IMAGE_BYTES
        elif row.item:
            step = () if row.kind == "object" else (None,)
            for path, most in _images_in(_rows(row.item, version), version):
                yield (row.name, *step, *path), most


def _is_image(row: Property) -> bool:
    return row.kind == "base64"


def _referred(value: Any, rest: tuple[str | None, ...], most: int) -> Iterator[_Bound]:
    reference = parse_reference(value) if isinstance(value, str) else None
    if reference is not None and reference.source == "data":
        yield reference.screen, (*reference.path, *rest), most
