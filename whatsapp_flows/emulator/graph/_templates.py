"""
Message templates with FLOW buttons: creating and listing them.

Source: "Message templates", "Template components" and "Sending a Flow" pages. A template is reviewed at once, after the
answer that it is PENDING; `World.holds_templates` leaves it so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..._vocabulary import FLOW_ACTIONS, TEMPLATE_CATEGORIES
from ._call import GraphCall, GraphResponse, bad_parameter, json_response, required_text, text
from ._documents import stored_flow_json
from ._errors import Problem, graph_error
from ._messages import opening_fault
from ._paging import requested_page
from ._state import PUBLISHED, THROTTLED, FlowRecord, TemplateButton, TemplateRecord, World

_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_VARIABLE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_MAX_BUTTONS: Final = 10
_BUTTON_LENGTH: Final = 25
_LENGTHS: Final[Mapping[str, int]] = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
_SENDABLE: Final = frozenset({PUBLISHED, THROTTLED})
_SOURCES: Final = ("flow_id", "flow_name", "flow_json")


def create_template(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """Create a template. A Flow JSON of a button becomes a published Flow of the account; its name is an assumption."""
    name, language = required_text(call, "name"), required_text(call, "language")
    if not _NAME.fullmatch(name):
        raise bad_parameter("name", "must be lower-case letters, digits and underscores")
    category = required_text(call, "category").upper()
    if category not in TEMPLATE_CATEGORIES:
        raise bad_parameter("category", f"must be one of {', '.join(TEMPLATE_CATEGORIES)}")
    if world.template_named(waba_id, name, language) is not None:
        raise graph_error(Problem.TEMPLATE_EXISTS)
    components = _components(call)
    texts = {kind: _component_text(kind, components) for kind in _LENGTHS}
    if texts["BODY"] is None:
        raise bad_parameter("components", "must have a BODY")
    listed = [button for each in components if _kind(each) == "BUTTONS" for button in _list(each, "buttons")]
    if len(listed) > _MAX_BUTTONS:
        raise bad_parameter("components", f"must not have more than {_MAX_BUTTONS} buttons")
    world, template_id = world.new_template_id()
    buttons: list[TemplateButton] = []
    for index, button in enumerate(listed):
        if str(button.get("type")).upper() == "FLOW":
            world, made = _flow_button(world, call, waba_id, f"{name}_{language}_{index}", {**button, "index": index})
            buttons.append(made)
    template = TemplateRecord(
        id=template_id,
        waba_id=waba_id,
        name=name,
        language=language,
        category=category,
        status="PENDING" if world.holds_templates else "APPROVED",
        header_variables=_variables(texts["HEADER"]),
        body_variables=_variables(texts["BODY"]),
        buttons=tuple(buttons),
        components=tuple(components),
    )
    return world.with_template(template), json_response({"id": template_id, "status": "PENDING", "category": category})


def list_templates(world: World, call: GraphCall, waba_id: str) -> tuple[World, GraphResponse]:
    """A page of an account's templates, oldest first. `name` finds parts of names."""
    name, language, status = text(call, "name") or "", text(call, "language"), text(call, "status")
    found = [
        (int(each.id), each)
        for each in world.templates.values()
        if each.waba_id == waba_id
        and name in each.name
        and language in {None, each.language}
        and status in {None, each.status}
    ]
    templates, paging = requested_page(call, found)
    fields = (text(call, "fields") or "name,status,category,language,components,id").split(",")
    unknown = [field for field in fields if field not in _FIELDS]
    if unknown:
        raise graph_error(Problem.INVALID_PARAMETER, f"(#100) Tried accessing nonexisting field ({unknown[0]})")
    data = [{"id": each.id, **{field: _FIELDS[field](each) for field in fields}} for each in templates]
    return world, json_response({"data": data, **paging})


_FIELDS: Final[Mapping[str, Callable[[TemplateRecord], object]]] = {
    "category": lambda each: each.category,
    "components": lambda each: list(each.components),
    "id": lambda each: each.id,
    "language": lambda each: each.language,
    "name": lambda each: each.name,
    "status": lambda each: each.status,
}


def _flow_button(
    world: World, call: GraphCall, waba_id: str, flow_name: str, button: Mapping[str, Any]
) -> tuple[World, TemplateButton]:
    label = button.get("text")
    if not isinstance(label, str) or not 1 <= len(label) <= _BUTTON_LENGTH:
        raise bad_parameter("buttons", f"must have a text of 1 to {_BUTTON_LENGTH} characters")
    given = [source for source in _SOURCES if button.get(source) is not None]
    if len(given) != 1:
        raise bad_parameter("buttons", "must have exactly one of flow_id, flow_name and flow_json")
    value = str(button[given[0]])
    if given[0] == "flow_json":
        document = stored_flow_json(value.encode("utf-8", "surrogatepass"), call.now)
        if document.issues:
            raise bad_parameter("flow_json", f"is not valid: {document.issues[0].error}")
        world, flow_id = world.new_flow_id()
        flow = FlowRecord(
            id=flow_id, waba_id=waba_id, name=flow_name, categories=("OTHER",), status=PUBLISHED, document=document
        )
        world = world.with_flow(flow)
    else:
        known = world.flows.get(value) if given[0] == "flow_id" else world.flow_named(waba_id, value)
        if known is None or known.waba_id != waba_id:
            raise bad_parameter(given[0], "is not a Flow of this account")
        if known.status not in _SENDABLE or known.document is None:
            raise bad_parameter(given[0], "is not a published Flow")
        flow, document = known, known.document
    action = str(button.get("flow_action") or FLOW_ACTIONS[0]).lower()
    if action not in FLOW_ACTIONS:
        raise bad_parameter("flow_action", f"must be one of {', '.join(FLOW_ACTIONS)}")
    screen = button.get("navigate_screen")
    if fault := opening_fault(document, action, screen):
        raise bad_parameter("buttons", f"cannot open the Flow: {fault}")
    return world, TemplateButton(index=button["index"], flow_id=flow.id, flow_action=action, navigate_screen=screen)


def _components(call: GraphCall) -> list[dict[str, Any]]:
    value = call.parameters.get("components")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise bad_parameter("components", "must be an array of objects")
    return value


def _component_text(kind: str, components: list[dict[str, Any]]) -> str | None:
    """The text of a component, which needs an example for its variables; None when there is none."""
    found = [each for each in components if _kind(each) == kind]
    if not found or (kind == "HEADER" and str(found[0].get("format")).upper() != "TEXT"):
        return None
    value = found[0].get("text")
    if len(found) > 1 or not isinstance(value, str) or not 1 <= len(value) <= _LENGTHS[kind]:
        raise bad_parameter("components", f"must have one {kind}, with a text of 1 to {_LENGTHS[kind]} characters")
    if _variables(value) and not found[0].get("example"):
        raise bad_parameter("components", f"must have an example for the variables of the {kind}")
    return value


def _kind(component: Mapping[str, Any]) -> str:
    return str(component.get("type")).upper()


def _list(component: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = component.get(key)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise bad_parameter("components", f"must have {key} that are an array of objects")
    return value


def _variables(template: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_VARIABLE.findall(template or "")))
