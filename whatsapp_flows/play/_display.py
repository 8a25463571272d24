"""
What a client shows of the value of a property: texts cut at their display lengths, lists within their limits, images.

The limits are those of the tables of Flow JSON, beside the properties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..flow_json import CAROUSEL_IMAGES, DROPDOWN_WITH_IMAGES, LARGE_LABEL, Property, Version
from ._behaviour import BEHAVIOUR
from ._components import ITEM_LISTS
from ._pictures import picture_of
from ._property_values import item_rows
from ._values import Issue

Report = Callable[[Issue], object]


def displayed(kind: str, row: Property, value: Any, owner: Mapping[str, Any], version: Version, report: Report) -> Any:
    """
    What a client shows of the value of a property of a component of a kind; None for an image that cannot be drawn.

    `owner` is the component as it is written.
    """
    if row.kind == "base64":
        return _image(row, value, report)
    if row.item and isinstance(value, tuple):
        return _list(kind, row, value, version, report)
    limit = _length(row, owner)
    return value if limit is None else _cut(row.name, value, limit, _ROWS.get((kind, row.name), "text.cut"), report)


_ROWS: Final = {("OptIn", "label"): "opt-in.label"}


def _length(row: Property, owner: Mapping[str, Any]) -> int | None:
    large = row.name == "label" and owner.get("label-variant") == "large"
    return LARGE_LABEL if large else row.display_length


def _cut(name: str, value: Any, limit: int, behaviour: str, report: Report) -> Any:
    """The text, or each of several, without what is beyond the limit."""
    if isinstance(value, str):
        if len(value) <= limit:
            return value
        _report(report, behaviour, f"{name!r} has {len(value)} characters: the first {limit} are shown.")
        return value[:limit]
    if isinstance(value, tuple):
        return tuple(_cut(name, each, limit, behaviour, report) for each in value)
    return {key: _cut(name, each, limit, behaviour, report) for key, each in value.items()}


def _image(row: Property, value: str, report: Report) -> str | None:
    picture = picture_of(value)
    if picture.problem:
        _report(report, "image.types", f"{row.name!r} {picture.problem}: no image is shown.")
        return None
    if row.advised_bytes is not None and picture.size > row.advised_bytes:
        most = row.advised_bytes // 1024
        _report(report, "image.size", f"{row.name!r} has {picture.size // 1024} kB: more than {most} kB may not load.")
    return picture.url


def _list(kind: str, row: Property, items: tuple[Any, ...], version: Version, report: Report) -> tuple[Any, ...]:
    if kind == "NavigationList":
        most = row.advised_items[1] if row.advised_items else len(items)
        if len(items) > most:
            _report(
                report,
                "navigation-list.limit",
                f"{row.name!r} has {len(items)} items: with more than {most}, the list is not drawn.",
                blocking=True,
            )
            return ()
    elif kind == "ImageCarousel":
        if len(items) > CAROUSEL_IMAGES:
            _report(
                report,
                "carousel.images",
                f"{row.name!r} has {len(items)} images: the first {CAROUSEL_IMAGES} are shown.",
            )
            items = items[:CAROUSEL_IMAGES]
    else:
        least, most = row.advised_items or (0, len(items))
        if kind == "Dropdown" and any("image" in item for item in items):
            most = DROPDOWN_WITH_IMAGES
        if not least <= len(items) <= most:
            _report(report, "list.size", f"{row.name!r} has {len(items)} items: a client takes {least} to {most}.")
    if not items:
        _report(report, "list.size", f"{row.name!r} has no items.")
    by_text: dict[str, Issue] = {}
    shown = tuple(_item(row.item, item, version, lambda issue: by_text.setdefault(issue.text, issue)) for item in items)
    for issue in list(by_text.values())[:_MAX_ISSUES]:
        report(issue)
    _identified(row, shown, report)
    return shown


_MAX_ISSUES: Final = 10  # about the items of one list


def _item(name: str, item: Mapping[str, Any], version: Version, report: Report) -> dict[str, Any]:
    """An item as it is shown; an image that cannot be drawn is left out."""
    rows = item_rows(name, version)
    found: dict[str, Any] = {}
    for key, value in item.items():
        row = rows[key]
        if row.item and isinstance(value, Mapping):
            found[key] = _item(row.item, value, version, report)
        elif row.kind == "base64":
            url = _image_of_item(name, row, value, report)
            if url is not None:
                found[key] = url
        elif row.display_length is not None:
            behaviour = "navigation-list.texts" if name.startswith("nav_") else "text.cut"
            found[key] = _cut(key, value, row.display_length, behaviour, report)
        else:
            found[key] = value
    return found


def _image_of_item(name: str, row: Property, value: str, report: Report) -> str | None:
    """The image of an item. In a NavigationList, one that is too large is replaced (navigation-list.image)."""
    if name == "nav_start" and row.advised_bytes is not None and picture_of(value).size > row.advised_bytes:
        size = picture_of(value).size // 1024
        most = row.advised_bytes // 1024
        message = f"{row.name!r} has {size} kB: over {most} kB, something else is shown in its place."
        _report(report, "navigation-list.image", message)
        return None
    return _image(row, value, report)


def _identified(row: Property, items: tuple[Mapping[str, Any], ...], report: Report) -> None:
    """An issue if items have no id, or one that another has."""
    if row.name not in ITEM_LISTS:
        return
    ids = [item.get("id", "") for item in items]
    if not all(ids):
        _report(report, "list.ids", f"{row.name!r} has items without an id: they cannot be chosen.")
    if len(set(ids)) < len(ids):
        _report(report, "list.ids", f"{row.name!r} has items with the same id: they are chosen together.")


def _report(report: Report, row: str, text: str, *, blocking: bool = False) -> None:
    report(Issue(text, BEHAVIOUR[row].evidence, blocking))
