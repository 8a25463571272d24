"""
Sending messages that open a Flow: interactive ones, and templates with FLOW buttons.

Source: "Sending a Flow" and "Messages" pages; the lengths are those of two vendors. Meta accepts messages of other
types too, and reports some of these errors later, by webhook. A message that breaks no rule is stored;
nothing is delivered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..._vocabulary import FLOW_ACTIONS, FLOW_MODES
from ._call import GraphCall, GraphResponse, json_response, parse_int
from ._documents import StoredFlowJson
from ._errors import GraphError, Problem
from ._state import BLOCKED, DEPRECATED, DRAFT, THROTTLED, FlowRecord, MessageRecord, TemplateRecord, World

_HOUR: Final = 3600.0
_THROTTLED_MESSAGES: Final = 10  # of one Flow in an hour ("Flow health and monitoring" page)
_FIRST_ENTRY: Final = "FIRST_ENTRY_SCREEN"
_MESSAGE_VERSION: Final = "3"
_LENGTHS: Final[Mapping[str, int]] = {"header": 60, "body": 1024, "footer": 60}
_MISSING: Final = Problem.PARAMETER_MISSING
_INVALID: Final = Problem.PARAMETER_INVALID
_NOT_SENDABLE: Final[Mapping[str, tuple[Problem, str]]] = {
    "PAUSED": (Problem.TEMPLATE_PAUSED, "Template is paused"),
    "DISABLED": (Problem.TEMPLATE_DISABLED, "Template is disabled"),
}
ANY_RECIPIENT: Final = "*"


def send_message(world: World, call: GraphCall, number_id: str) -> tuple[World, GraphResponse]:
    """Send an interactive message or a template; the answer has the message's id."""
    if call.parameters.get("messaging_product") != "whatsapp":
        raise refused(Problem.INVALID_PARAMETER, "messaging_product must be whatsapp")
    recipient = _recipient(call)
    if not world.phone_numbers[number_id].verified:
        raise refused(Problem.NOT_REGISTERED, "Phone number is not registered")
    send = _TYPES.get(str(call.parameters.get("type", "text")))
    if send is None:
        raise refused(Problem.MESSAGE_TYPE, "The emulator sends messages of the types interactive and template")
    message = replace(
        send(world, call, number_id),
        id=f"wamid.{call.settings.token_for('wamid', world.messages_sent)}",
        to=recipient,
        reply_to=_text(_object(call.parameters.get("context"), "context"), "message_id", "context"),
    )
    contact = {"input": recipient, "user_id" if "." in recipient else "wa_id": recipient.lstrip("+")}
    status = {"message_status": "accepted"} if message.template else {}
    answer = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": message.id, **status}]}
    return world.with_message(message), json_response(answer)


def flow_of_message(world: World, call: GraphCall, number_id: str) -> str:
    """The id of the Flow that a message opens, of a template's first button; empty where that cannot be told."""
    number = world.phone_numbers.get(number_id)
    if number is None:
        return ""
    try:
        if call.parameters.get("type") == "template":
            template = _named_template(world, number.waba_id, _object(call.parameters.get("template"), "template"))
            return template.buttons[0].flow_id if template is not None and template.buttons else ""
        action = _object(_object(call.parameters.get("interactive"), "interactive").get("action"), "action")
        return _named_flow(world, number.waba_id, _object(action.get("parameters"), "parameters")).id
    except GraphError:
        return ""


def refused(problem: Problem, details: str) -> GraphError:
    """The error of a message, with its cause in `error_data.details`, as Meta answers."""
    return GraphError(replace(problem.value, details=details))


def _recipient(call: GraphCall) -> str:
    """The phone number, or the user's id: `to` wins ("Business-scoped user IDs" page)."""
    for name in ("to", "recipient"):
        value = call.parameters.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    raise refused(Problem.INVALID_PARAMETER, "The parameter to is required.")


def _send_interactive(world: World, call: GraphCall, number_id: str) -> MessageRecord:
    content = _object(call.parameters.get("interactive"), "interactive")
    if content.get("type") != "flow":
        raise refused(Problem.MESSAGE_TYPE, "The emulator sends interactive messages of the type flow")
    if not content.get("body"):
        raise refused(_MISSING, "interactive.body is required")
    for part, most in _LENGTHS.items():
        text = _text(_object(content.get(part), part), "text", part)
        if part in content and not 1 <= len(text or "") <= most:
            raise refused(_INVALID, f"interactive.{part}.text must have 1 to {most} characters")
    action = _object(content.get("action"), "action")
    parameters = _object(action.get("parameters"), "parameters")
    if action.get("name") != "flow" or not parameters:
        raise refused(_MISSING, "interactive.action must have the name flow, and parameters")
    if parameters.get("flow_message_version") != _MESSAGE_VERSION:
        raise refused(_INVALID, "flow_message_version must be 3")
    if not _text(parameters, "flow_cta"):
        raise refused(_MISSING, "flow_cta is required")
    _check_window(world, call)
    flow = _named_flow(world, world.phone_numbers[number_id].waba_id, parameters)
    mode, opening = _choice(parameters, "mode", FLOW_MODES), _choice(parameters, "flow_action", FLOW_ACTIONS)
    document = _sendable(world, flow, mode, call.now)
    payload = _object(parameters.get("flow_action_payload"), "flow_action_payload")
    if opening == "data_exchange" and "flow_action_payload" in parameters:
        raise refused(_INVALID, "flow_action_payload must only be there for flow_action navigate")
    screen = _text(payload, "screen")
    if fault := opening_fault(document, opening, screen):
        raise refused(_INVALID, fault)
    return MessageRecord(
        phone_number_id=number_id,
        at=call.now,
        flow_ids=(flow.id,),
        tokens=(_text(parameters, "flow_token") or "unused",),
        mode=mode,
        action=opening,
        screen=screen,
        data=_data(payload, "data"),
        content=content,
    )


def _send_template(world: World, call: GraphCall, number_id: str) -> MessageRecord:
    content = _object(call.parameters.get("template"), "template")
    template = _named_template(world, world.phone_numbers[number_id].waba_id, content)
    if template is not None and template.status in _NOT_SENDABLE:
        raise refused(*_NOT_SENDABLE[template.status])
    if template is None or template.status != "APPROVED":
        raise refused(Problem.TEMPLATE_UNKNOWN, "The template does not exist in that language, or is not approved")
    components = content.get("components", [])
    if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
        raise refused(_INVALID, "template.components must be an array of objects")
    for part, variables in (("header", template.header_variables), ("body", template.body_variables)):
        _check_variables(part, variables, components)
    actions = _flow_actions(template, components)
    for button, action in actions:
        flow = world.flows.get(button.flow_id)
        if flow is None:
            raise refused(_INVALID, "The Flow of a button does not exist any more")
        _sendable(world, flow, "published", call.now)
        if button.flow_action == "data_exchange" and "flow_action_data" in action:
            raise refused(_INVALID, "flow_action_data must only be there for flow_action navigate")
    button, first = actions[0] if actions else (None, {})
    return MessageRecord(
        phone_number_id=number_id,
        at=call.now,
        flow_ids=tuple(each.flow_id for each, _ in actions),
        tokens=tuple(_text(action, "flow_token") or "unused" for _, action in actions),
        action=button.flow_action if button else None,
        screen=button.navigate_screen if button else None,
        data=_data(first, "flow_action_data"),
        template=template.name,
        language=template.language,
        content=content,
    )


_TYPES: Final = {"interactive": _send_interactive, "template": _send_template}


def _sendable(world: World, flow: FlowRecord, mode: str, now: float) -> StoredFlowJson:
    """The Flow JSON that a message opens; an error when the Flow cannot be sent in this mode."""
    if flow.status == BLOCKED:
        raise refused(Problem.FLOW_BLOCKED, "Flow is in blocked state")
    recent = sum(flow.id in message.flow_ids and message.at > now - _HOUR for message in world.messages.values())
    if flow.status == THROTTLED and recent >= _THROTTLED_MESSAGES:
        raise refused(Problem.FLOW_THROTTLED, "Flow is in throttled state, and 10 messages were sent in the last hour")
    if flow.status == DEPRECATED:
        raise refused(_INVALID, "Flow is deprecated")  # the code is an assumption
    document = flow.published if mode == "published" and flow.status == DRAFT else flow.document
    if document is None:
        raise refused(_INVALID, f"Flow has nothing that can be sent in mode {mode}")
    return document


def opening_fault(document: StoredFlowJson, action: str, screen: object) -> str | None:
    """Why a Flow cannot open so: on a screen that is no entry screen, or at an endpoint that it does not have."""
    if action == "data_exchange":
        return None if document.data_api_version else "flow_action data_exchange needs a Flow with an endpoint"
    known = screen in (None, _FIRST_ENTRY, *document.entry_screens)
    return None if known else "The screen is not an entry screen of the Flow"


def _check_window(world: World, call: GraphCall) -> None:
    if not world.closed_windows.isdisjoint({ANY_RECIPIENT, _recipient(call).lstrip("+")}):
        details = "More than 24 hours have passed since the recipient last replied to the sender number"
        raise refused(Problem.WINDOW_CLOSED, details)


def _named_flow(world: World, waba_id: str, parameters: Mapping[str, Any]) -> FlowRecord:
    flow_id, name = _text(parameters, "flow_id"), _text(parameters, "flow_name")
    if (flow_id is None) == (name is None):
        raise refused(_INVALID if flow_id else _MISSING, "Exactly one of flow_id and flow_name is required")
    flow = world.flows.get(flow_id) if flow_id is not None else world.flow_named(waba_id, name or "")
    if flow is None or flow.waba_id != waba_id:
        raise refused(_INVALID, "Flow does not exist in the account of the phone number")
    return flow


def _named_template(world: World, waba_id: str, content: Mapping[str, Any]) -> TemplateRecord | None:
    language = _text(_object(content.get("language"), "language"), "code") or ""
    return world.template_named(waba_id, _text(content, "name") or "", language)


def _flow_actions(template: TemplateRecord, components: list[dict[str, Any]]) -> list[tuple[Any, Mapping[str, Any]]]:
    """Each FLOW button of a template with the action of its component, which must be there, with or without one."""
    found: list[tuple[Any, Mapping[str, Any]]] = []
    given = [each for each in components if each.get("type") == "button"]
    flows = {button.index: button for button in template.buttons}
    for component in given:
        is_flow = component.get("sub_type") == "flow"
        if is_flow and parse_int(component.get("index")) not in flows:
            raise refused(_INVALID, "A button component has the index of no FLOW button")
    for index, button in flows.items():
        of_button = [each for each in given if parse_int(each.get("index")) == index]
        if len(of_button) != 1 or of_button[0].get("sub_type") != "flow":
            raise refused(_INVALID, f"buttons: Button at index {index} of type Flow needs its component")
        parameters = of_button[0].get("parameters", [])
        if not isinstance(parameters, list) or not all(isinstance(each, dict) for each in parameters):
            raise refused(_INVALID, "parameters of a button must be an array of objects")
        action = parameters[0].get("action", {}) if parameters else {}
        if not isinstance(action, dict) or None in action.values():
            raise refused(_INVALID, "action of a button must be an object, without null")
        found.append((button, action))
    return found


def _check_variables(part: str, variables: tuple[str, ...], components: list[dict[str, Any]]) -> None:
    """Raise unless each variable of a part has its parameter: by position, or by name."""
    given = [each.get("parameters", []) for each in components if str(each.get("type")).lower() == part]
    parameters = [each for listed in given if isinstance(listed, list) for each in listed]
    if len(parameters) != len(variables):
        details = f"{part}: number of parameters ({len(parameters)}) does not match the expected ({len(variables)})"
        raise refused(Problem.TEMPLATE_COUNT, details)
    for position, (variable, parameter) in enumerate(zip(variables, parameters, strict=True), 1):
        named = not variable.isdigit()
        names = {each.get("parameter_name") for each in parameters if isinstance(each, dict)}
        if (
            not isinstance(parameter, dict)
            or parameter.get("type") != "text"
            or not isinstance(parameter.get("text"), str)
            or (variable not in names if named else names != {None})
        ):
            raise refused(Problem.TEMPLATE_FORMAT, f"{part}: parameter {position} does not match the template")


def _object(value: object, name: str) -> Mapping[str, Any]:
    """An object, given as one or as JSON text; an empty one when it is absent."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = ...
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refused(_INVALID, f"{name} must be an object")
    return value


def _text(found: Mapping[str, Any], key: str, inside: str = "parameters") -> str | None:
    value = found.get(key)
    if value is None and key not in found:
        return None
    if not isinstance(value, str):
        raise refused(_INVALID, f"{inside}.{key} must be a string")
    return value


def _choice(parameters: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    """One of the known values; the first when it is absent."""
    value = _text(parameters, name)
    if value is not None and value.lower() not in known:
        raise refused(_INVALID, f"{name} must be one of {', '.join(known)}")
    return known[0] if value is None else value.lower()


def _data(found: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The data of the first screen: an object that is not empty, or JSON text of one."""
    if key not in found:
        return None
    data = _object(found[key], key)
    if not data:
        raise refused(_INVALID, f"{key} must not be empty")
    return data
