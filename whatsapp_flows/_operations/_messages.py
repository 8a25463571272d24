"""
Sending a Flow, in a message of its own or by a template ("Sending a Flow", "Cloud API", Messages).

A message cannot be taken back, and nothing tells afterwards whether a lost request was executed. So there is no
`recover`: it is sent again only where Meta has not got it, or has refused it for a reason that passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from .._classify import unexpected
from .._dataclasses import dataclass, field
from .._json import compact_json
from .._message_checks import (
    BODY_MAX_LENGTH,
    FOOTER_MAX_LENGTH,
    HEADER_MAX_LENGTH,
    call_to_action,
    exactly_one,
    flow_token,
    limited_text,
    message_id,
    one_of,
    recipient,
    screen_data,
)
from .._vocabulary import FLOW_ACTIONS, FLOW_MODES, FlowAction, FlowMode
from .._wire import Operation, Request, Script
from ..errors import ConfigurationError
from ..messages import FlowButtonParameters, SentMessage
from ._arguments import nonempty_text, path_id, template_language, template_name
from ._graph import Api, read_object

_MESSAGE_VERSION: Final = "3"  # the only one since February 2024
_MAX_PARAMETERS: Final = 1000  # of one component of a template; Meta's limit is on the text, 1,024 characters
_PARAMETER_MAX_LENGTH: Final = 1024
_LOST_ADVICE: Final = (
    "The message may be out, and cannot be looked up: send it again only if two messages are better than none, and "
    "then with the same token."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowMessage:
    """A message with a Flow: the arguments of the clients' `send_flow`. `content` checks them."""

    to: str = field(repr=False)
    cta: str = field(repr=False)
    body: str = field(repr=False)
    flow_id: str | None = None
    flow_name: str | None = None
    header: str | None = field(default=None, repr=False)
    footer: str | None = field(default=None, repr=False)
    screen: str | None = None
    data: Mapping[str, object] | str | None = field(default=None, repr=False)
    action: FlowAction = "navigate"
    mode: FlowMode = "published"
    token: str | None = field(default=None, repr=False)
    reply_to: str | None = None

    def content(self, token: str) -> dict[str, object]:
        """The JSON of the request, with no key that has no value."""
        exactly_one(flow_id=self.flow_id, flow_name=self.flow_name)
        one_of("mode", self.mode, FLOW_MODES)
        one_of("action", self.action, FLOW_ACTIONS)
        interactive: dict[str, object] = {"type": "flow"}
        if self.header is not None:
            interactive["header"] = {"type": "text", "text": limited_text("header", self.header, HEADER_MAX_LENGTH)}
        interactive["body"] = {"text": limited_text("body", self.body, BODY_MAX_LENGTH)}
        if self.footer is not None:
            interactive["footer"] = {"text": limited_text("footer", self.footer, FOOTER_MAX_LENGTH)}
        interactive["action"] = {"name": "flow", "parameters": self._parameters(token)}
        return {**_envelope(self.to, self.reply_to), "type": "interactive", "interactive": interactive}

    def _parameters(self, token: str) -> dict[str, object]:
        parameters: dict[str, object] = {"flow_message_version": _MESSAGE_VERSION}
        if self.flow_id is not None:
            parameters["flow_id"] = path_id("flow_id", self.flow_id)
        else:
            parameters["flow_name"] = nonempty_text("flow_name", self.flow_name)
        parameters |= {
            "flow_cta": call_to_action(self.cta),
            "flow_token": token,
            "mode": self.mode,
            "flow_action": self.action,
        }
        if payload := self._payload():
            parameters["flow_action_payload"] = payload
        return parameters

    def _payload(self) -> dict[str, object]:
        """The first screen and its data. Without a screen, Meta opens the first entry screen."""
        if self.action != "navigate" and (self.screen is not None or self.data is not None):
            raise ConfigurationError('screen and data belong to action="navigate": else the endpoint gives them.')
        payload: dict[str, object] = {}
        if self.screen is not None:
            payload["screen"] = nonempty_text("screen", self.screen)
        if self.data is not None:
            payload["data"] = screen_data("data", self.data)
        return payload


def send_flow(api: Api, message: FlowMessage, phone_number_id: str | None) -> Operation[SentMessage]:
    """Send a message that opens a Flow. All attempts have the same token."""
    token = flow_token(message.token)
    content = message.content(token)
    path = f"{api.sender(phone_number_id)}/messages"
    request = api.post_json("send_flow", path, content, flow_id=message.flow_id, private=partial(_texts, content))
    subject = f"flow name: {message.flow_name}" if message.flow_id is None else f"flow ID: {message.flow_id}"
    return _send(request, (token,), subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """A template message with FLOW buttons: the arguments of the clients' `send_flow_template`."""

    to: str = field(repr=False)
    name: str
    language: str
    buttons: tuple[FlowButtonParameters, ...]
    header_parameters: Sequence[str] | Mapping[str, str] = field(default=(), repr=False)
    body_parameters: Sequence[str] | Mapping[str, str] = field(default=(), repr=False)
    reply_to: str | None = None

    def content(self, tokens: tuple[str, ...]) -> dict[str, object]:
        """
        The JSON of the request.

        Each FLOW button has its component: without one, Meta refuses the whole message with 131009.
        """
        components: list[dict[str, object]] = [
            {"type": kind, "parameters": parameters}
            for kind, given in (("header", self.header_parameters), ("body", self.body_parameters))
            if (parameters := _text_parameters(f"{kind}_parameters", given))
        ]
        components += [
            _button_component(button, token) for button, token in zip(self.buttons, tokens, strict=True)
        ]  # fmt: skip
        template = {
            "name": template_name(self.name),
            "language": {"code": template_language(self.language)},
            "components": components,
        }
        return {**_envelope(self.to, self.reply_to), "type": "template", "template": template}


def template_buttons(
    token: str | None, data: Mapping[str, object] | str | None, buttons: tuple[FlowButtonParameters, ...]
) -> tuple[FlowButtonParameters, ...]:
    """The buttons in the order of their index; without any, one at position 0 with this token and data."""
    if not buttons:
        return (FlowButtonParameters(token=token, data=data),)
    if token is not None or data is not None:
        raise ConfigurationError("give token and data, or buttons, not both.")
    if not all(isinstance(button, FlowButtonParameters) for button in buttons):
        raise ConfigurationError("buttons must be a list of FlowButtonParameters.")
    if len({button.index for button in buttons}) != len(buttons):
        raise ConfigurationError("buttons must each have an index of its own.")
    return tuple(sorted(buttons, key=lambda button: button.index))


def send_flow_template(api: Api, message: TemplateMessage, phone_number_id: str | None) -> Operation[SentMessage]:
    """Send a template message. All attempts have the same tokens."""
    tokens = tuple(flow_token(button.token) for button in message.buttons)
    content = message.content(tokens)
    path = f"{api.sender(phone_number_id)}/messages"
    request = api.post_json("send_flow_template", path, content, private=partial(_texts, content))
    return _send(request, tokens, f"template: {message.name}")


def _send(request: Request, tokens: tuple[str, ...], subject: str) -> Operation[SentMessage]:
    def script(_: int) -> Script[SentMessage]:
        answer = yield request
        sent = SentMessage.parse(read_object(answer, request), tokens)
        if not sent.id:
            raise unexpected("Meta's answer has no message id.", request, answer)
        return sent

    return Operation(
        name=request.operation,
        script=script,
        flow_id=request.flow_id,
        subject=subject,
        idempotent=False,
        lost_advice=_LOST_ADVICE,
    )


def _envelope(to: str, reply_to: str | None) -> dict[str, object]:
    envelope: dict[str, object] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **recipient(to),
    }
    if reply_to is not None:
        envelope["context"] = {"message_id": message_id("reply_to", reply_to)}
    return envelope


def _button_component(button: FlowButtonParameters, token: str) -> dict[str, object]:
    action: dict[str, object] = {"flow_token": token}
    if button.data is not None:
        action["flow_action_data"] = screen_data("data", button.data)
    return {
        "type": "button",
        "sub_type": "flow",
        "index": str(button.index),
        "parameters": [{"type": "action", "action": action}],
    }


def _text_parameters(argument: str, given: Sequence[str] | Mapping[str, str]) -> list[dict[str, str]]:
    """The values of variables: of `{{1}}`, `{{2}}` from a sequence, of `{{name}}` from a mapping."""
    if isinstance(given, str) or not isinstance(given, (Mapping, Sequence)) or len(given) > _MAX_PARAMETERS:
        raise ConfigurationError(f"{argument} must be a list of texts, or a mapping from names to texts.")
    if isinstance(given, Mapping):
        return [
            {"type": "text", "parameter_name": nonempty_text(argument, name), "text": _value(argument, value)}
            for name, value in given.items()
        ]
    return [{"type": "text", "text": _value(argument, value)} for value in given]


def _value(argument: str, value: object) -> str:
    return limited_text(f"each of {argument}", value, _PARAMETER_MAX_LENGTH)


# The keys whose values are names of Meta's or ids: an error may quote them.
_PUBLIC: Final = frozenset(
    {"type", "sub_type", "index", "name", "code", "mode", "flow_action", "flow_id", "flow_name", "flow_message_version",
     "messaging_product", "recipient_type", "screen", "parameter_name"}
)  # fmt: skip


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _texts(content: Mapping[str, object]) -> list[str]:
    """
    What no error may quote, the longest first: the recipient, the tokens, the texts, and every text and number in the
    data. Its keys are names of the Flow's, and may be quoted if they look like names.
    """
    return sorted(set(_private(content, public=_PUBLIC)), key=len, reverse=True)


def _private(value: Any, *, public: frozenset[str]) -> Iterator[str]:
    """The texts and numbers of a value; `public` is empty within a screen's data, where every key is the host's own."""
    if isinstance(value, str):
        yield value
        if value.startswith("+"):
            yield value[1:]  # Meta writes phone numbers without the sign
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield compact_json(value)
        if isinstance(value, float) and value.is_integer():
            yield str(int(value))  # JSON has one type for both, and a server may write 5.0 as 5
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not public and not _NAME.fullmatch(str(key)):
                yield str(key)
            if key not in public:
                is_data = key in {"data", "flow_action_data"}
                yield from _private(inner, public=frozenset() if is_data else public)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _private(inner, public=public)
