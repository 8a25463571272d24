"""
Messages that open a Flow: the buttons of a template, and what Meta answers when a message is sent.

Messages are sent by the clients: `send_flow`, `create_flow_template`, `send_flow_template`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._dataclasses import dataclass, field
from ._fields import Raw, objects, text
from ._message_checks import BUTTON_MAX_LENGTH, exactly_one, limited_text, one_of
from ._vocabulary import FLOW_ACTIONS
from ._wire import short_repr
from .errors import ConfigurationError
from .flow_json import FlowJson

if TYPE_CHECKING:
    from ._vocabulary import ButtonIcon, FlowAction

__all__ = ["FlowButton", "FlowButtonParameters", "FlowTemplate", "SentMessage"]


@dataclass(frozen=True, slots=True)
class FlowButton:
    """
    A button of a template that opens a Flow. Raises `ConfigurationError` for what Meta would refuse.

    `text` is the label, at most 25 characters. Exactly one of `flow_id`, `flow_name` and `flow_json` says which Flow;
    one that is named by id or name must be published. The template keeps the id even if the name was given.
    `flow_json` is a mapping, text, bytes, a path or a binary file, as for `create_flow`.

    `flow_action`: "navigate" opens `navigate_screen` (None: the Flow's first entry screen), "data_exchange" asks the
    endpoint for the first screen. `icon` is "DOCUMENT", "PROMOTION" or "REVIEW".
    """

    text: str
    flow_id: str | None = field(default=None, kw_only=True)
    flow_name: str | None = field(default=None, kw_only=True)
    flow_json: FlowJson | None = field(default=None, kw_only=True, repr=False)
    flow_action: FlowAction = field(default="navigate", kw_only=True)
    navigate_screen: str | None = field(default=None, kw_only=True)
    icon: ButtonIcon | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        limited_text("text", self.text, BUTTON_MAX_LENGTH)
        exactly_one(flow_id=self.flow_id, flow_name=self.flow_name, flow_json=self.flow_json)
        one_of("flow_action", self.flow_action, FLOW_ACTIONS)
        if self.navigate_screen is not None and self.flow_action != "navigate":
            raise ConfigurationError(
                'navigate_screen belongs to flow_action="navigate": the endpoint names the screen.'
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowButtonParameters:
    """
    What one FLOW button of a template opens with, for `send_flow_template`.

    `index` is the position of the button among all buttons of the template, from 0. `token` is the flow token; None
    makes an unpredictable one. `data` is for the first screen, and must not be given for a "data_exchange" button.
    """

    index: int = 0
    token: str | None = field(default=None, repr=False)
    data: Mapping[str, object] | str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.index, bool) or not isinstance(self.index, int) or self.index < 0:
            raise ConfigurationError(f"index must be a whole number of at least 0, not {short_repr(self.index)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """
    Meta has accepted a message, which does not say that it was delivered: the `messages` webhook tells.

    `id` is the message's (wamid). Store it with `token`: a completed Flow comes back with the token, and where a phone
    leaves that out, with `id` as `context.id`. `tokens` are those of all buttons, in the order of their index; one for
    `send_flow`. `status` is Meta's `message_status`, only for templates: "accepted", "held_for_quality_assessment" or
    "paused".

    The repr has the status alone: `id` encodes the recipient's phone number, and `raw` has it as well.
    """

    id: str = field(repr=False)
    token: str = field(repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)
    status: str | None = None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw, tokens: tuple[str, ...]) -> SentMessage:
        """From `{contacts, messages}`. `id` is empty where Meta's answer has none."""
        message = next(iter(objects(found, "messages")), {})
        return cls(
            id=text(message, "id") or "",
            token=tokens[0],
            tokens=tokens,
            status=text(message, "message_status"),
            raw=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTemplate:
    """
    A message template with a FLOW button. It can be sent when its `status` is "APPROVED"; a new one is "PENDING".

    `category` is the one that Meta assigned, perhaps not the one that was asked for. `adopted`: an answer was lost, and
    the template was found by its name and language; it may have been there before.
    """

    id: str
    status: str = ""
    category: str = ""
    adopted: bool = False
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, found: Raw) -> FlowTemplate:
        """From `{id, status, category}`. `id` is empty where Meta's answer has none."""
        return cls(
            id=text(found, "id") or "",
            status=text(found, "status") or "",
            category=text(found, "category") or "",
            raw=found,
        )
