"""
Advice about what can be measured: the lengths of texts, the sizes of lists and images. All of it warnings.

The limits stand in the tables of components, beside the properties. One walk over a document measures them all, on
behalf of the first rule that asks. Sources: Meta, Flow JSON reference; what Meta's client app shows, August 2026.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..schema import (
    COMPONENTS,
    DROPDOWN_WITH_IMAGES,
    ITEMS,
    LARGE_LABEL,
    Component,
    Document,
    Finding,
    Property,
    Severity,
    Shape,
    Version,
    properties_of,
)
from ..text import Pointer
from ._index import index
from ._rule import DOCUMENTED, Rule

_TEXT: Final = frozenset({str})


def cut_texts(doc: Document) -> Iterator[Finding]:
    """
    A text longer than the client app shows.

    Passes: {"children": [{"type": "TextHeading", "text": "Short"}]}
    Fails: {"children": [{"type": "TextHeading", "text": "Far too long to be a heading of anything, as the app shows eighty characters and no more"}]}
    """  # noqa: E501
    return _measured(doc, "TEXT_IS_CUT")


def list_sizes(doc: Document) -> Iterator[Finding]:
    """
    A list with fewer or more items than the client app takes.

    Passes: {"children": [{"type": "ChipsSelector", "name": "a", "label": "A", "data-source": [{"id": "1", "title": "1"}, {"id": "2", "title": "2"}]}]}
    Fails: {"children": [{"type": "ChipsSelector", "name": "a", "label": "A", "data-source": [{"id": "1", "title": "1"}]}]}
    """  # noqa: E501
    return _measured(doc, "LIST_SIZE")


def large_images(doc: Document) -> Iterator[Finding]:
    """
    An image of more bytes than Meta allows or recommends at its place.

    Passes: {"children": [{"type": "Image", "src": "aGVsbG8=", "alt-text": "hello"}]}
    Fails: {"children": [{"type": "Image", "src": "aGVsbG8=", "alt-text": "hello"}], "src repeated": 60000}
    """
    return _measured(doc, "IMAGE_TOO_LARGE")


def missing_alt_text(doc: Document) -> Iterator[Finding]:
    """
    An image without a text for screen readers.

    Passes: {"children": [{"type": "Image", "src": "aGVsbG8=", "alt-text": "hello"}]}
    Fails: {"children": [{"type": "Image", "src": "aGVsbG8="}]}
    """
    return _measured(doc, "MISSING_ALT_TEXT")


# -- limits


class _Limit(NamedTuple):
    """A property with something to measure, and the limits of its items."""

    row: Property
    inner: _Limits
    wants_alt_text: bool


class _Limits(NamedTuple):
    """
    What is measured in an object; and the same again in a form for a fast test: `texts` with their display lengths,
    `images`, and `lists` with the least and most items and the limits of the items.
    """

    limits: tuple[_Limit, ...] = ()
    texts: tuple[tuple[str, int], ...] = ()
    images: tuple[str, ...] = ()
    lists: tuple[tuple[str, int, int, _Limits], ...] = ()


@lru_cache(maxsize=128)
def _limits_for(version: Version, names: frozenset[str]) -> Mapping[str, _Limits]:
    """What is measured in the components of documents that use these names. Cached: similar documents are frequent."""
    return {
        shape.name: limits
        for shape in COMPONENTS
        if shape.name in names and (limits := _limits(shape, version, (names, names))).limits
    }


def _limits(shape: Shape, version: Version, names: tuple[frozenset[str], ...]) -> _Limits:
    """The limits of the properties whose name is in the first set; the next set is for the items. No set: of all."""
    rows = properties_of(shape, version)
    alt = rows.get("alt-text")
    made = (
        _Limit(
            row,
            _limits(ITEMS[row.item], version, names[1:]) if row.item else _Limits(),
            row.advised_bytes is not None and alt is not None and not alt.required,
        )
        for row in rows.values()
        if not names or row.name in names[0]
    )
    found = tuple(
        each
        for each in made
        if each.row.display_length or each.row.advised_items or each.row.advised_bytes or each.inner.limits
    )
    return _Limits(
        found,
        tuple(
            (row.name, min(row.display_length, LARGE_LABEL) if row.name == "label" else row.display_length)
            for row, _, _ in found
            if row.display_length is not None
        ),
        tuple(row.name for row, _, _ in found if row.advised_bytes),
        tuple((row.name, *_few(row), inner) for row, inner, _ in found if row.advised_items or inner.limits),
    )


_MEASURED: Final = frozenset(
    name
    for shape in (*COMPONENTS, *ITEMS.values())
    for row in shape.properties
    if row.display_length or row.advised_items or row.advised_bytes or row.item
    for name in (shape.name, row.name)
)


def _few(row: Property) -> tuple[int, int]:
    """The least and most items of a list that certainly has a valid size."""
    least, most = row.advised_items or (0, sys.maxsize)
    return least, min(most, DROPDOWN_WITH_IMAGES)


# -- measuring


def _measured(doc: Document, code: str) -> Iterator[Finding]:
    found: dict[str, list[Finding]] | None = doc.cache.get("advice.measured")
    if found is None:
        found = doc.cache["advice.measured"] = {}
        known = index(doc)
        for kind, held in _limits_for(doc.version, known.features & _MEASURED).items():
            for _, component in known.by_type.get(kind, ()):
                if not _within(component.value, held):
                    for finding in _over(component.value, component.pointer, held.limits, component):
                        found.setdefault(finding.code, []).append(finding)
    return iter(found.get(code, ()))


def _within(value: Mapping[str, Any], limits: _Limits) -> bool:
    """Whether an object certainly has no finding: short texts, short lists, no images. False is not certain."""
    for name, cut in limits.texts:
        if name in value and not (type(held := value[name]) is str and len(held) <= cut):
            return False
    for name in limits.images:
        if name in value:
            return False
    for name, least, most, inner in limits.lists:
        held = value.get(name)
        if type(held) is dict:
            if not _within(held, inner):
                return False
        elif type(held) is list and not (least <= len(held) <= most and _all_within(held, inner)):
            return False
    return True


def _all_within(items: list[Any], limits: _Limits) -> bool:
    """`_within` for many objects, name by name: large documents consist mostly of lists."""
    objects = [item for item in items if type(item) is dict]
    for name, cut in limits.texts:
        texts = [item[name] for item in objects if name in item]
        if not _TEXT.issuperset(map(type, texts)) or max(map(len, texts), default=0) > cut:
            return False
    if limits.images or limits.lists:
        rest = limits._replace(texts=())
        return all(_within(item, rest) for item in objects)
    return True


def _over(value: Mapping[str, Any], at: Pointer, limits: tuple[_Limit, ...], component: Component) -> Iterator[Finding]:
    for row, inner, wants_alt_text in limits:
        held = value.get(row.name)
        if held is None:
            continue
        if row.display_length is not None and not (type(held) is str and len(held) <= row.display_length):
            yield from _cut(held, (*at, row.name), row, value, component)
        if row.advised_bytes is not None and type(held) is str and held[:2] != "${":
            yield from _image(held, (*at, row.name), row, component)
            if wants_alt_text and "alt-text" not in value:
                message = f"an image of {component.type} without 'alt-text' says nothing to a screen reader."
                yield Finding("MISSING_ALT_TEXT", message, at)
        if row.advised_items is not None and type(held) is list:
            yield from _size(held, (*at, row.name), row, component)
        if inner.limits:
            for index_, each in enumerate(held) if type(held) is list else ((None, held),):
                if type(each) is dict:
                    here = (*at, row.name) if index_ is None else (*at, row.name, index_)
                    yield from _over(each, here, inner.limits, component)


def _cut(held: Any, at: Pointer, row: Property, owner: Mapping[str, Any], component: Component) -> Iterator[Finding]:
    cut = LARGE_LABEL if row.name == "label" and owner.get("label-variant") == "large" else row.display_length or 0
    texts = [held] if type(held) is str else list(held.values() if type(held) is dict else held)
    longest = max((len(text) for text in texts if type(text) is str and not _is_dynamic(text)), default=0)
    if longest > cut:
        message = f"{row.name!r} of {component.type} has {longest} characters; the app shows {cut}."
        yield Finding("TEXT_IS_CUT", message, at)


def _is_dynamic(text: str) -> bool:
    return "${" in text or text[:1] == "`"


def _image(held: str, at: Pointer, row: Property, component: Component) -> Iterator[Finding]:
    size = len(held) * 3 // 4
    if size > (row.advised_bytes or 0):
        message = f"an image of {component.type} has {size // 1024} KB; it may have {(row.advised_bytes or 0) // 1024}."
        yield Finding("IMAGE_TOO_LARGE", message, at)


def _size(held: list[Any], at: Pointer, row: Property, component: Component) -> Iterator[Finding]:
    least, most = row.advised_items or (0, 0)
    if component.type == "Dropdown" and any(type(item) is dict and "image" in item for item in held):
        most = DROPDOWN_WITH_IMAGES
    if not least <= len(held) <= most:
        message = f"{row.name!r} of {component.type} has {len(held)} items; the app takes {least} to {most}."
        yield Finding("LIST_SIZE", message, at)


MEASURES: Final[tuple[Rule, ...]] = tuple(
    Rule(id=id_, name=name, check=check, severity=Severity.WARNING, evidence=evidence)
    for id_, name, check, evidence in (
        ("FJ904", "text is cut", cut_texts, "documented: Meta, components; observed: Meta's client, August 2026"),
        ("FJ905", "list size", list_sizes, DOCUMENTED),
        ("FJ906", "image too large", large_images, DOCUMENTED),
        ("FJ907", "missing alt-text", missing_alt_text, DOCUMENTED),
    )
)  # fmt: skip
