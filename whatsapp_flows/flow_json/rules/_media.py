"""
Media pickers in payloads, and images of a carousel.

Sources: Meta, Flow JSON reference ("Media upload", "ImageCarousel"); Meta's client validator, August 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ..language import is_dynamic
from ..schema import CAROUSEL_IMAGES, MAX_SCHEMA_DEPTH, Component, Document, Finding, Version
from ..text import Pointer
from ._component_facts import MEDIA, static_items
from ._contents import PlacedAction
from ._gaps import NO_PAYLOADS_OR_BINDINGS
from ._index import index
from ._rule import Rule

PAYLOAD: Final = "INVALID_ON_CLICK_ACTION_PAYLOAD"
PICKERS_SINCE: Final = Version(4, 0)
CAROUSEL_SINCE: Final = Version(7, 1)
MAX_FILES: Final = 10
MAX_KILOBYTES: Final = 102_400
DEFAULT_FILES: Final = 30
DEFAULT_KILOBYTES: Final = 25_600
MAX_CAROUSELS: Final = 3

_ASCII_SPACE: Final = str.maketrans("", "", "\t\n\f\r ")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*")
_FILES: Final = {"PhotoPicker": "max-uploaded-photos", "DocumentPicker": "max-uploaded-documents"}


def media_out_of_place(doc: Document) -> Iterator[Finding]:
    """
    Uploaded media are sent by complete and data_exchange only, at the top level of the payload.

    Passes: {"children": [{"type": "PhotoPicker", "name": "a"},
        {"type": "Footer", "on-click-action": {"name": "data_exchange", "payload": {"a": "${form.a}"}}}]}
    Fails: {"children": [{"type": "PhotoPicker", "name": "a"},
        {"type": "Footer", "on-click-action": {"name": "data_exchange", "payload": {"in": {"a": "${form.a}"}}}}]}
    """
    if not index(doc).of(*MEDIA):
        return
    for action in index(doc).actions_named("navigate", "complete", "data_exchange"):
        for pointer, text, depth in _references(action.payload, (*action.pointer, "payload"), 0):
            picker = _picker(doc, action, text)
            if picker and action.name == "navigate":
                yield Finding(PAYLOAD, f"The value of a {picker.type} cannot be handed to another screen.", pointer)
            elif picker and depth > 1:
                yield Finding(PAYLOAD, f"The value of a {picker.type} must stand at the top of the payload.", pointer)


def too_much_media(doc: Document) -> Iterator[Finding]:
    """
    complete sends at most 10 files and 100 MiB. Counted is what the pickers allow, by default 30 files each.

    Passes: {"children": [{"type": "PhotoPicker", "name": "a", "max-uploaded-photos": 2},
        {"type": "Footer", "on-click-action": {"name": "complete", "payload": {"a": "${form.a}"}}}]}
    Fails: {"children": [{"type": "PhotoPicker", "name": "a"},
        {"type": "Footer", "on-click-action": {"name": "complete", "payload": {"a": "${form.a}"}}}]}
    """
    if not index(doc).of(*MEDIA):
        return
    for action in index(doc).actions.get("complete", ()):
        values = (action.payload or {}).values()
        found = [picker for value in values if isinstance(value, str) and (picker := _picker(doc, action, value))]
        counts = [_number(picker, _FILES[picker.type], DEFAULT_FILES) for picker in found]
        kilobytes = sum(
            files * _number(picker, "max-file-size-kb", DEFAULT_KILOBYTES)
            for files, picker in zip(counts, found, strict=True)
        )
        at = (*action.pointer, "payload")
        if doc.version < Version(5, 0):
            if len(found) > 1 or sum(counts) > 1:
                yield Finding(PAYLOAD, "complete sends one file of one picker.", at)
            continue
        if sum(counts) > MAX_FILES:
            message = f"complete sends at most {MAX_FILES} files; the pickers allow {sum(counts)} (each 30 by default)."
            yield Finding(PAYLOAD, message, at)
        if kilobytes > MAX_KILOBYTES:
            message = (
                f"complete sends at most {MAX_KILOBYTES} KB; the pickers allow {kilobytes} (25600 a file by default)."
            )
            yield Finding(PAYLOAD, message, at)


def too_many_images(doc: Document) -> Iterator[Finding]:
    """
    A carousel has at most 3 images.

    Passes: {"children": [{"type": "ImageCarousel", "images": [{}, {}, {}]}]}
    Fails: {"children": [{"type": "ImageCarousel", "images": [{}, {}, {}, {}]}]}
    """
    for _, carousel in index(doc).of("ImageCarousel"):
        images = carousel.value.get("images")
        if isinstance(images, list) and len(images) > CAROUSEL_IMAGES:
            message = f"A carousel has at most {CAROUSEL_IMAGES} images; this has {len(images)}."
            yield Finding("INVALID_PROPERTY_VALUE", message, carousel.at("images"))


def too_many_carousels(doc: Document) -> Iterator[Finding]:
    """
    A flow has at most 3 carousels.

    Passes: {"children": [{"type": "ImageCarousel"}]}
    Fails: {"repeat": 4, "children": [{"type": "ImageCarousel"}]}
    """
    carousels = list(index(doc).of("ImageCarousel"))
    if len(carousels) > MAX_CAROUSELS:
        for _, carousel in carousels:
            message = f"A flow has at most {MAX_CAROUSELS} carousels; this has {len(carousels)}."
            yield Finding("INVALID_PROPERTY_VALUE", message, carousel.at())


def image_without_base64(doc: Document) -> Iterator[Finding]:
    """
    A static image of a carousel is base64.

    Passes: {"children": [{"type": "ImageCarousel", "images": [{"src": "iVBORw0KGgo="}]}]}
    Fails: {"children": [{"type": "ImageCarousel", "images": [{"src": "https://example.com/a.png"}]}]}
    """
    for _, carousel in index(doc).of("ImageCarousel"):
        for i, image in static_items(carousel, "images"):
            source = image.get("src")
            if isinstance(source, str) and not is_dynamic(source) and not _is_base64(source):
                message = f"The image {i} of the carousel is not base64."
                yield Finding("INVALID_PROPERTY_VALUE", message, carousel.at("images", i, "src"))


def _is_base64(text: str) -> bool:
    """
    Whether a browser decodes it: white space is ignored, and padding may be missing, but not wrong.

    WHATWG Infra, "forgiving-base64 decode". A prefix such as `data:image/png;base64,` is invalid.
    """
    dense = text.translate(_ASCII_SPACE)
    if len(dense) % 4 == 0 and dense.endswith("="):
        dense = dense[:-2] if dense.endswith("==") else dense[:-1]
    return len(dense) % 4 != 1 and _BASE64.fullmatch(dense) is not None


def _picker(doc: Document, action: PlacedAction, text: str) -> Component | None:
    """The media picker that a string refers to."""
    found = index(doc).references.resolve(action.screen, text) if text[:1] == "$" else None
    component = found.component if found else None
    return component if component is not None and component.type in MEDIA else None


def _references(value: Any, pointer: Pointer, depth: int) -> Iterator[tuple[Pointer, str, int]]:
    if isinstance(value, str):
        if value[:1] == "$":
            yield pointer, value, depth
    elif isinstance(value, (dict, list)) and depth <= MAX_SCHEMA_DEPTH:
        steps: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for step, inner in steps:
            yield from _references(inner, (*pointer, step), depth + 1)


def _number(component: Component, key: str, default: int) -> int:
    value = component.value.get(key, default)
    return value if isinstance(value, int) else default


_UNCHECKED: Final = NO_PAYLOADS_OR_BINDINGS
PAYLOAD_RULES: Final = (
    Rule(
        "FJ330", "media out of place", media_out_of_place, since=PICKERS_SINCE, skipped_by_meta=_UNCHECKED, needs=MEDIA
    ),
    Rule("FJ331", "too much media", too_much_media, since=PICKERS_SINCE, skipped_by_meta=_UNCHECKED, needs=MEDIA),
)
CAROUSEL_RULES: Final = (
    Rule("FJ740", "too many images in a carousel", too_many_images, since=CAROUSEL_SINCE, needs=("ImageCarousel",)),
    Rule("FJ741", "too many carousels", too_many_carousels, since=CAROUSEL_SINCE, needs=("ImageCarousel",)),
    Rule("FJ742", "an image that is not base64", image_without_base64, since=CAROUSEL_SINCE, needs=("ImageCarousel",)),
)
