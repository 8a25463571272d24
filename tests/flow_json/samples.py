"""Valid documents of several versions, rich in what each version has: what mutations and the fuzzer start from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

TODAY: Final = date(2025, 4, 1)  # the day before versions were frozen for the first time
FLOWS: Final = sorted((Path(__file__).parents[2] / "examples" / "flows").glob("*.json"))
# Flow JSON that others wrote: the files of the folder that FLOW_JSON_CORPUS names, or none.
CORPUS: Final = sorted(Path(os.environ["FLOW_JSON_CORPUS"]).glob("*.json")) if "FLOW_JSON_CORPUS" in os.environ else []
_PNG: Final = "iVBORw0KGgo="
_TEXT: Final = {"type": "string", "__example__": "x"}


def footer(name: str = "complete", **more: Any) -> dict[str, Any]:
    """A Footer whose action has a payload, as the versions before 6.0 want it too."""
    return {"type": "Footer", "label": "Go", "on-click-action": {"name": name, "payload": {}, **more}}


def navigate(screen: str, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A Footer that leads to a screen."""
    return footer("navigate", next={"type": "screen", "name": screen}, payload=dict(payload or {}))


def screen(name: str, *children: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A screen with its components."""
    layout = {"type": "SingleColumnLayout", "children": list(children)}
    return {"id": name, "title": "Title", **more, "layout": layout}


def form(*children: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A Form, as every input needs one until 3.1."""
    return {"type": "Form", "name": "form", **more, "children": list(children)}


def _old(version: str) -> dict[str, Any]:
    """Until 3.1: inputs in a Form, an endpoint, every component there was."""
    items = [{"id": "1", "title": "One", "description": "First", "metadata": "a", "enabled": True}]
    start = screen(
        "START",
        {"type": "TextHeading", "text": "Heading"},
        {"type": "TextSubheading", "text": "${data.name}"},
        {"type": "Image", "src": _PNG, "alt-text": "A dot", "scale-type": "cover", "width": 10},
        form(
            {"type": "TextInput", "name": "a", "label": "A", "input-type": "number", "min-chars": 1, "max-chars": 9},
            {"type": "TextArea", "name": "b", "label": "B", "max-length": 9},
            {"type": "CheckboxGroup", "name": "c", "label": "C", "data-source": items, "min-selected-items": 0},
            {"type": "RadioButtonsGroup", "name": "d", "label": "D", "data-source": "${data.list}"},
            {"type": "Dropdown", "name": "e", "label": "E", "data-source": items},
            {"type": "OptIn", "name": "f", "label": "F", "required": True},
            {"type": "DatePicker", "name": "g", "label": "G", "min-date": "1693526400000"},
            {"type": "EmbeddedLink", "text": "More", "on-click-action": {"name": "data_exchange", "payload": {}}},
            navigate("END", {key: f"${{form.{key}}}" for key in "abcdefg"}),
        ),
        data={
            "name": _TEXT,
            "list": {
                "type": "array",
                "items": {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}},
                "__example__": [{"id": "1", "title": "One"}],
            },
        },
    )
    texts = {"type": "array", "items": {"type": "string"}, "__example__": []}
    data = dict.fromkeys("bdeg", _TEXT) | {
        "a": {"type": "number", "__example__": 1},
        "c": texts,
        "f": {"type": "boolean", "__example__": True},
    }
    end = screen(
        "END",
        {"type": "TextBody", "text": "${data.b}", "font-weight": "bold", "strikethrough": "${data.f}"},
        {"type": "TextCaption", "text": "Caption"},
        footer(payload={key: f"${{data.{key}}}" for key in "abcdefg"}),
        data=data,
        terminal=True,
    )
    more = {"data_channel_uri": "https://example.com/"} if version == "2.1" else {}
    return {
        "version": version,
        "data_api_version": "3.0",
        "routing_model": {"START": ["END"], "END": []},
        **more,
        "screens": [start, end],
    }


def _branching(version: str) -> dict[str, Any]:
    """From 4.0 on: If and Switch, inputs without a Form, pickers, references between screens."""
    inner = {"type": "If", "condition": "!${form.opt}", "then": [{"type": "TextBody", "text": "No"}]}
    start = screen(
        "START",
        {"type": "TextInput", "name": "name", "label": "Name", "init-value": "x", "error-message": "Wrong"},
        {"type": "OptIn", "name": "opt", "label": "Yes"},
        {
            "type": "If",
            "condition": "${form.opt} && (${data.n} > 5 || ${form.name} == 'x')",
            "then": [{"type": "TextBody", "text": "Yes"}, inner],
            "else": [{"type": "TextCaption", "text": "Else"}],
        },
        {
            "type": "Switch",
            "value": "${data.kind}",
            "cases": {"a": [{"type": "TextBody", "text": "A"}], "b": []},
        },
        navigate("END", {"name": "${form.name}"}),
        data={"n": {"type": "number", "__example__": 3}, "kind": _TEXT},
    )
    end = screen(
        "END",
        {"type": "TextBody", "text": "${screen.START.form.name}"},
        {"type": "TextBody", "text": "${data.name}"},
        {"type": "PhotoPicker", "name": "photo", "label": "Photo", "min-uploaded-photos": 1, "max-uploaded-photos": 1,
         "max-file-size-kb": 1000},
        footer(payload={"photo": "${form.photo}", "name": "${screen.START.form.name}"}),
        data={"name": _TEXT},
        terminal=True,
        success=True,
    )  # fmt: skip
    return {"version": version, "screens": [start, end]}


def _rich(version: str) -> dict[str, Any]:
    """From 6.3 on: expressions, update_data, open_url, a calendar, chips, a navigation list, a rich text."""
    update = {"name": "update_data", "payload": {"shown": True}}
    hide = {"name": "update_data", "payload": {"shown": False}}
    chips = [{"id": "1", "title": "One"}, {"id": "2", "title": "Two", "enabled": False}]
    go = {"name": "navigate", "next": {"type": "screen", "name": "FORM"}, "payload": {"shown": True, "n": 1}}
    menu = screen(
        "MENU",
        {
            "type": "NavigationList",
            "name": "menu",
            "label": "Menu",
            "list-items": [
                {
                    "id": "1",
                    "main-content": {"title": "One", "description": "First", "metadata": "Of two"},
                    "end": {"title": "5 $"},
                    "start": {"image": _PNG, "alt-text": "A dot"},
                    "badge": "New",
                    "tags": ["a"],
                    "on-click-action": go,
                },
                {"id": "2", "main-content": {"title": "Two"}, "on-click-action": go},
            ],
        },
    )
    filled = screen(
        "FORM",
        {"type": "TextInput", "name": "pin", "label": "Pin", "pattern": "[0-9]{4}", "helper-text": "Four digits"},
        {"type": "ChipsSelector", "name": "chips", "label": "Chips", "data-source": chips, "visible": "${data.shown}"},
        {"type": "CalendarPicker", "name": "days", "mode": "range", "label": {"start-date": "From", "end-date": "To"},
         "min-days": 1, "max-days": 9, "min-date": "2025-01-01", "max-date": "2025-12-31", "include-days": ["Mon"],
         "init-value": {"start-date": "2025-02-01", "end-date": "2025-02-03"}},
        {"type": "Dropdown", "name": "drop", "label": "Drop", "data-source": [
            {"id": "1", "title": "One", "color": "#00FF00", "on-select-action": update, "on-unselect-action": hide}]},
        {"type": "OptIn", "name": "opt", "label": "Yes", "on-select-action": update, "on-unselect-action": hide,
         "on-click-action": {"name": "open_url", "url": "https://example.com/"}},
        {"type": "TextBody", "text": "`'Pin ' ${form.pin}`", "visible": "`${data.n} * 2 > 1 && !${form.opt}`"},
        {"type": "If", "condition": "`${form.opt} || ${data.shown}`", "then": [{"type": "TextBody", "text": "Yes"}]},
        navigate("TERMS", {"chips": "${form.chips}", "sum": "`${data.n} + 1`", "whole": {"pin": "1"}}),
        data={"shown": {"type": "boolean", "__example__": True}, "n": {"type": "number", "__example__": 1}},
        sensitive=["pin"],
    )  # fmt: skip
    terms = screen(
        "TERMS",
        {"type": "RichText", "text": ["# Terms", "Be kind."]},
        footer(payload={key: f"${{screen.FORM.form.{key}}}" for key in ("pin", "chips", "days", "drop", "opt")}),
        data={
            "chips": {"type": "array", "items": {"type": "string"}, "__example__": []},
            "sum": {"type": "number", "__example__": 1},
            "whole": {"type": "object", "properties": {"pin": {"type": "string"}}, "__example__": {"pin": "x"}},
        },
        terminal=True,
    )
    routes = {"MENU": ["FORM"], "FORM": ["TERMS"], "TERMS": []}
    return {"version": version, "routing_model": routes, "screens": [menu, filled, terms]}


def _newest(version: str) -> dict[str, Any]:
    """From 7.1 on: a carousel, a large label, values of a Form by type, an endpoint of the newer API."""
    image = {"src": _PNG, "alt-text": "A dot"}
    actions = {"name": "data_exchange", "payload": {"chips": "${form.chips}"}}
    only = screen(
        "ONLY",
        {"type": "ImageCarousel", "images": [image, image], "aspect-ratio": "16:9"},
        form(
            {"type": "TextInput", "name": "n", "label": "Number", "label-variant": "large", "input-type": "number"},
            {"type": "ChipsSelector", "name": "chips", "label": "Chips", "on-select-action": actions,
             "data-source": [{"id": "1", "title": "One"}, {"id": "2", "title": "Two"}]},
            {"type": "DocumentPicker", "name": "doc", "label": "Document", "allowed-mime-types": ["application/pdf"],
             "max-uploaded-documents": 2},
            {"type": "CalendarPicker", "name": "day", "label": "Day"},
            footer("data_exchange", payload={"doc": "${form.doc}", "n": "${form.n}", "day": "${form.day}"}),
            **{"init-values": {"n": 5, "chips": ["1"]}, "error-messages": {"n": "Too few"}},
        ),
        terminal=True,
        refresh_on_back=True,
    )  # fmt: skip
    api = "4.0" if version >= "7.3" else "3.0"
    return {"version": version, "data_api_version": api, "routing_model": {"ONLY": []}, "screens": [only]}


_MADE: Final = (
    *((_old, version) for version in ("2.1", "3.1")),
    *((_branching, version) for version in ("4.0", "5.1", "7.3")),
    *((_rich, version) for version in ("6.3", "7.0", "7.3")),
    *((_newest, version) for version in ("7.1", "7.3")),
)


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, document): without an error in their own version, and all of them before the first freeze."""
    for make, version in _MADE:
        yield f"{make.__name__.strip('_')}-{version}", json.loads(json.dumps(make(version)))
    for path in FLOWS:
        yield path.stem, json.loads(path.read_bytes())
