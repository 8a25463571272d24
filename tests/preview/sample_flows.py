"""
The Flow of `flows/gallery.json`, which has every component, in each version of Flow JSON: what a version does not have
is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from whatsapp_flows.flow_json import KNOWN_VERSIONS, Version
from whatsapp_flows.flow_json.schema import COMPONENTS, ITEMS, Shape, places_of, properties_of

GALLERY: Final = Path(__file__).with_name("flows") / "gallery.json"
RELEASED: Final = tuple(str(version) for version, row in KNOWN_VERSIONS.items() if row.released is not None)

_SHAPES: Final = {shape.name: shape for shape in COMPONENTS}
_INPUTS_ANYWHERE: Final = Version(4, 0)
_LINKS: Final = Version(6, 0)
_RICH_TEXT_WITH_FOOTER: Final = Version(6, 3)
_DAYS_AS_TEXT: Final = Version(5, 0)
_LISTS_OF_TEXTS: Final = Version(5, 1)


def gallery(version: str) -> dict[str, Any]:
    """The gallery in a version."""
    major, minor = version.split(".")
    wanted = Version(int(major), int(minor))
    document: dict[str, Any] = json.loads(GALLERY.read_text(encoding="utf-8"))
    document["version"] = version
    document["screens"] = [screen for screen in document["screens"] if _fit_screen(screen, wanted)]
    _repair_routes(document["screens"])
    return document


def kinds(document: dict[str, Any]) -> set[str]:
    """The types of the components of a document."""
    return {component["type"] for screen in document["screens"] for component in _all(screen["layout"]["children"])}


def exists(kind: str, version: str) -> bool:
    """Whether a component exists in a version."""
    major, minor = version.split(".")
    return bool(places_of(_SHAPES[kind], Version(int(major), int(minor))))


def _all(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for component in components:
        yield component
        for key in ("children", "then", "else"):
            yield from _all(component.get(key, []))
        for case in component.get("cases", {}).values():
            yield from _all(case)


def _fit_screen(screen: dict[str, Any], version: Version) -> bool:
    """Take out what the version does not have; False if the screen has nothing left to show."""
    if version < Version(3, 1):
        screen.pop("success", None)
    has_form = any(each["type"] == "Form" for each in screen["layout"]["children"])
    in_form = has_form or version < _INPUTS_ANYWHERE
    children = list(_fitting(screen["layout"]["children"], version, in_form=in_form))
    if version < _RICH_TEXT_WITH_FOOTER and any(each["type"] == "RichText" for each in children):
        children = [each for each in children if each["type"] == "RichText"]
    if in_form and not has_form:
        children = [{"type": "Form", "name": "form", "children": children}]
    screen["layout"]["children"] = children
    return any(each["type"] not in {"Footer", "Form"} for each in _all(children))


def _fitting(components: list[dict[str, Any]], version: Version, *, in_form: bool) -> Iterator[dict[str, Any]]:
    for component in components:
        shape = _SHAPES[component["type"]]
        if not places_of(shape, version):
            continue
        _keep_known(component, shape, version, in_form=in_form)
        _as_it_was(component, version)
        for key in ("children", "then", "else"):
            if key in component:
                component[key] = list(_fitting(component[key], version, in_form=in_form))
        if component.get("on-click-action", {}).get("name") == "open_url" and version < _LINKS:
            continue
        yield component


def _keep_known(holder: dict[str, Any], shape: Shape, version: Version, *, in_form: bool = False) -> None:
    known = properties_of(shape, version, in_form=in_form)
    for key in [key for key in holder if key not in known and key != "type"]:
        del holder[key]
    for key, row in known.items():
        items = holder.get(key) if row.item and row.kind.startswith("array") else None
        for item in items if isinstance(items, list) else []:
            _keep_known(item, ITEMS[row.item], version)


def _as_it_was(component: dict[str, Any], version: Version) -> None:
    """What older versions write in another form: days as milliseconds, one text in place of several."""
    if component["type"] == "DatePicker" and version < _DAYS_AS_TEXT:
        for key in ("min-date", "max-date"):
            if key in component:
                component[key] = _milliseconds(component[key])
        if "unavailable-dates" in component:
            component["unavailable-dates"] = [_milliseconds(day) for day in component["unavailable-dates"]]
    if isinstance(component.get("text"), list) and version < _LISTS_OF_TEXTS:
        component["text"] = " ".join(component["text"])
    if version < _INPUTS_ANYWHERE and component["type"] == "Footer":
        action = component["on-click-action"]
        action["payload"] = {"done": "yes"} if action["name"] == "complete" else {}


def _milliseconds(day: str) -> str:
    return str(int(datetime.fromisoformat(day).replace(tzinfo=timezone.utc).timestamp()) * 1000)


def _repair_routes(screens: list[dict[str, Any]]) -> None:
    """A Footer leads to the next screen that is left; a link to a screen that is not left leads to the last one."""
    names = [screen["id"] for screen in screens]
    onward = {screen["id"] for screen in screens if {"Footer", "NavigationList"} & kinds({"screens": [screen]})}
    for index, screen in enumerate(screens):
        for component in _all(screen["layout"]["children"]):
            action = component.get("on-click-action", {})
            if action.get("name") != "navigate":
                continue
            if component["type"] == "Footer" and action["next"]["name"] not in onward:
                action["next"]["name"] = next(name for name in names[index + 1 :] if name in onward)
            elif action["next"]["name"] not in names:
                action["next"]["name"] = names[-1]
        for component in _all(screen["layout"]["children"]):
            payload = component.get("on-click-action", {}).get("payload", {})
            for key, value in list(payload.items()):
                if value.startswith("${screen.") and not _leads_somewhere(value, screens):
                    del payload[key]


def _leads_somewhere(reference: str, screens: list[dict[str, Any]]) -> bool:
    _, name, _, field = reference[2:-1].split(".")
    screen = next((screen for screen in screens if screen["id"] == name), None)
    return screen is not None and any(each.get("name") == field for each in _all(screen["layout"]["children"]))
