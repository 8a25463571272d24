"""
Advice: what Meta takes, and what still goes wrong for those who use the flow. All of it warnings, with our own codes.

Lengths, list sizes and image sizes stand in the tables of components, beside the properties; one walk over a document
measures them all, and the first rule that asks pays for it.
Sources: Meta, Flow JSON reference; what Meta's client app shows, August 2026.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..language import referenced_names
from ..schema import (
    COMPONENTS,
    ITEMS,
    KNOWN_VERSIONS,
    RECOMMENDED,
    Component,
    Document,
    Finding,
    Property,
    Severity,
    Shape,
    Version,
    properties_of,
)
from ..text import Pointer, short_repr
from ._index import index
from ._play_advice import DOCUMENTED, PLAY_ADVICE
from ._rule import Rule

FREEZES_SOON: Final = timedelta(days=90)
# Meta froze 4.0 ten months after it came, 5.0 after thirteen: a version of a year is near its end.
GROWS_OLD: Final = timedelta(days=365)
# Uploads of 11 kB with 7 screens were seen to fail in processing (139001/4016012) and to pass when sent again; many of
# that size never fail, so advice begins well above them.
LARGE_BYTES: Final = 20 * 1024
LARGE_LABEL: Final = 150  # of a label with label-variant large
DROPDOWN_WITH_IMAGES: Final = 100
# Their values come from what the user enters. A NavigationList is an answer by the screen it leads to.
ANSWERS: Final = frozenset(
    {
        "CalendarPicker",
        "CheckboxGroup",
        "ChipsSelector",
        "DatePicker",
        "DocumentPicker",
        "Dropdown",
        "OptIn",
        "PhotoPicker",
        "RadioButtonsGroup",
        "TextArea",
        "TextInput",
    }
)

_TEXT: Final = frozenset({str})


def freezes_soon(doc: Document) -> Iterator[Finding]:
    """
    A version that Meta freezes within 90 days.

    Passes: {"version": "5.0", "today": "2025-01-01"}
    Fails: {"version": "5.0", "today": "2025-08-01"}
    """
    frozen = KNOWN_VERSIONS[doc.version].frozen
    if frozen and doc.today and doc.today < frozen <= doc.today + FREEZES_SOON:
        message = f"version {doc.version} freezes on {frozen}: nothing of it can be uploaded from then on."
        yield Finding("VERSION_FREEZES_SOON", message, ("version",))


def old_version(doc: Document) -> Iterator[Finding]:
    """
    A version that came more than a year ago, and is older than the one Meta recommends.

    Passes: {"version": "7.0", "today": "2025-12-01"}
    Fails: {"version": "5.1", "today": "2025-12-01"}
    """
    released = KNOWN_VERSIONS[doc.version].released
    if doc.version < RECOMMENDED and released and doc.today and doc.today - released > GROWS_OLD:
        message = (
            f"version {doc.version} is of {released:%B %Y}; Meta has frozen versions after about a year. "
            f"{RECOMMENDED} is recommended."
        )
        yield Finding("OLD_VERSION", message, ("version",))


def large_document(doc: Document) -> Iterator[Finding]:
    """
    A document of a size at which Meta's processing is known to fail at times.

    Passes: {"size": 13000}
    Fails: {"size": 21000}
    """
    if doc.size > LARGE_BYTES:
        message = (
            f"the document has {doc.size} bytes: large ones are at times saved but not processed (139001/4016012). "
            "Send the same again if that happens, or split the flow."
        )
        yield Finding("LARGE_DOCUMENT", message)


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
    An image that a screen reader cannot read out.

    Passes: {"children": [{"type": "Image", "src": "aGVsbG8=", "alt-text": "hello"}]}
    Fails: {"children": [{"type": "Image", "src": "aGVsbG8="}]}
    """
    return _measured(doc, "MISSING_ALT_TEXT")


def unreachable_screens(doc: Document) -> Iterator[Finding]:
    """
    A screen that no way leads to. Asked only where no endpoint and no binding chooses the next screen.

    Passes: {"routes": {"A": ["B"], "B": []}}
    Fails: {"routes": {"A": [], "B": ["A"]}}
    """
    known = index(doc)
    if len(doc.screens) < 2 or "data_api_version" in doc.value or "routing_model" in doc.value:
        return
    if "data_exchange" in known.actions or "NavigationList" in known.by_type:
        return
    if len(known.routes.navigations) < len(known.actions.get("navigate", ())):
        return
    reached = known.routes.reached
    for screen in () if reached.issuperset(known.screens) else doc.screens:
        if screen.id not in reached:
            message = f"no way leads from the first screen to {short_repr(screen.id)}."
            yield Finding("UNREACHABLE_SCREEN", message, screen.at("id"))


def unused_fields(doc: Document) -> Iterator[Finding]:
    """
    A field of a screen's data that nothing reads.

    Passes: {"data": {"name": {"type": "string", "__example__": "Ann"}}, "children": [{"type": "TextBody", "text": "${data.name}"}]}
    Fails: {"data": {"name": {"type": "string", "__example__": "Ann"}}, "children": [{"type": "TextBody", "text": "Hello"}]}
    """  # noqa: E501
    known = index(doc)
    for screen in known.references.screens_with_unread:
        for name in screen.value.get("data", ()):
            if name == "required" or known.references.is_read(screen, "data", name):
                continue
            if (screen.id, "data", name) not in _references(doc):
                message = f"nothing reads the field {short_repr(name)} of screen {short_repr(screen.id)}."
                yield Finding("UNUSED_DATA_FIELD", message, screen.at("data", name), key=True)


def lost_answers(doc: Document) -> Iterator[Finding]:
    """
    An answer of the user that no payload sends and nothing reads.

    Passes: {"children": [{"type": "TextInput", "name": "a", "label": "A"}], "payload": {"a": "${form.a}"}}
    Fails: {"children": [{"type": "TextInput", "name": "a", "label": "A"}], "payload": {}}
    """
    known = index(doc)
    for screen in known.references.screens_with_unread:
        for component in screen.components:
            if component.type not in ANSWERS or known.references.is_read(
                screen, "form", name := component.value["name"]
            ):
                continue
            if (screen.id, "form", name) not in _references(doc):
                message = (
                    f"the answer {short_repr(name)} of screen {short_repr(screen.id)} is in no payload: it is lost."
                )
                yield Finding("ANSWER_NOT_SENT", message, component.at("name"))


def _references(doc: Document) -> frozenset[tuple[str, str, str]]:
    """All references of a document: (screen, data or form, name), wherever they stand in a text."""
    found: frozenset[tuple[str, str, str]] | None = doc.cache.get("advice.references")
    if found is None:
        found = doc.cache["advice.references"] = frozenset(
            (there or screen.id, kind, name)
            for screen in doc.screens
            for text in _bound_texts(screen.value)
            for there, kind, name in referenced_names(text)
        )
    return found


def _bound_texts(value: Any) -> list[str]:
    """The strings with a binding in them, at any depth."""
    found, ahead = [], [value]
    while ahead:
        held = ahead.pop()
        if type(held) is str:
            if "${" in held:
                found.append(held)
        elif type(held) is dict:
            ahead.extend(held.values())
        elif type(held) is list:
            ahead.extend(held)
    return found


# -- what is measured


class _Limit(NamedTuple):
    """A row with something to measure, and the limits of what its items hold."""

    row: Property
    inner: _Limits
    wants_alt_text: bool


class _Limits(NamedTuple):
    """
    All that is measured in an object, and the same once more for a quick look: `texts` with the lengths they are cut
    at, `images`, and `lists` with the fewest and most items and the limits of what they hold.
    """

    limits: tuple[_Limit, ...] = ()
    texts: tuple[tuple[str, int], ...] = ()
    images: tuple[str, ...] = ()
    lists: tuple[tuple[str, int, int, _Limits], ...] = ()


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


@lru_cache(maxsize=128)
def _limits_for(version: Version, names: frozenset[str]) -> Mapping[str, _Limits]:
    """What is measured in the components of a document that uses these names: documents of one make are frequent."""
    return {
        shape.name: limits
        for shape in COMPONENTS
        if shape.name in names and (limits := _limits(shape, version, (names, names))).limits
    }


def _limits(shape: Shape, version: Version, names: tuple[frozenset[str], ...]) -> _Limits:
    """Of the properties that have one of the names: the first for this shape, the next for its items; then of all."""
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
    """The fewest items that need no closer look, and the most."""
    least, most = row.advised_items or (0, sys.maxsize)
    return least, min(most, DROPDOWN_WITH_IMAGES)


def _within(value: Mapping[str, Any], limits: _Limits) -> bool:
    """Whether nothing in an object needs a closer look: its texts are short, its lists too, and there is no image."""
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
    """The same of many objects, name by name: lists are what large documents are made of."""
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


ADVICE: Final[tuple[Rule, ...]] = (
    *(
        Rule(id=id_, name=name, check=check, severity=Severity.WARNING, evidence=evidence)
        for id_, name, check, evidence in (
            ("FJ901", "version freezes soon", freezes_soon, "documented: Meta, changelog"),
            ("FJ902", "old version", old_version, "documented: Meta, changelog"),
            ("FJ903", "large document", large_document, "observed: field reports of 139001/4016012"),
            ("FJ904", "text is cut", cut_texts, "documented: Meta, components; observed: Meta's client, August 2026"),
            ("FJ905", "list size", list_sizes, DOCUMENTED),
            ("FJ906", "image too large", large_images, DOCUMENTED),
            ("FJ907", "missing alt-text", missing_alt_text, DOCUMENTED),
            ("FJ908", "unreachable screen", unreachable_screens, DOCUMENTED),
            ("FJ909", "unused data field", unused_fields, DOCUMENTED),
            ("FJ910", "answer not sent", lost_answers, DOCUMENTED),
        )
    ),
    *PLAY_ADVICE,
)
