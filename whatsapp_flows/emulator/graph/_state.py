"""
The state of the emulator, called the world: frozen values that are replaced, not changed.

An operation takes a world and returns the next one. A failed call keeps the previous world, so it has no effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from ._documents import StoredFlowJson

DRAFT: Final = "DRAFT"
PUBLISHED: Final = "PUBLISHED"
THROTTLED: Final = "THROTTLED"
BLOCKED: Final = "BLOCKED"
DEPRECATED: Final = "DEPRECATED"
NodeKind = Literal["account", "flow", "media", "phone_number"]
STATUSES: Final = frozenset({DRAFT, PUBLISHED, THROTTLED, BLOCKED, DEPRECATED})

# Above 2^53, as Meta's are: a client that parses ids as floats (or in JavaScript, as numbers) fails in its tests.
DEFAULT_WABA_ID: Final = "20100000000000001"
DEFAULT_PHONE_NUMBER_ID: Final = "20200000000000001"
DEFAULT_APP_ID: Final = "20300000000000001"
DEFAULT_BUSINESS_ID: Final = "20400000000000001"
_FIRST_FLOW_ID: Final = 21_000_000_000_000_001
_FIRST_TEMPLATE_ID: Final = 22_000_000_000_000_001
_FIRST_MEDIA_ID: Final = 23_000_000_000_000_001
_FLOW_ID_STEP: Final = 7_919_131  # arbitrary: Meta's ids are not consecutive either
_MAX_MESSAGES: Final = 10_000  # the newest that are kept
_MAX_MEDIA: Final = 1_000  # the newest that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A WhatsApp Business Account."""

    id: str
    business_id: str = DEFAULT_BUSINESS_ID
    subscribed_apps: tuple[str, ...] = ()
    # App -> its callback override.
    callbacks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A phone number of an account, and its public key; `key_signed` is false after the number was registered anew."""

    id: str
    waba_id: str
    verified: bool = True
    public_key: str | None = None
    key_signed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLink:
    """The current preview link of a Flow; `serial` counts the links before it."""

    serial: int
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """A data point of an endpoint metric."""

    metric: str
    at: float
    data: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRecord:
    """A Flow, with its metadata, its Flow JSON and its metrics."""

    id: str
    waba_id: str
    name: str
    categories: tuple[str, ...]
    status: str = DRAFT
    endpoint_uri: str | None = None
    application_id: str | None = DEFAULT_APP_ID
    document: StoredFlowJson | None = None
    # The Flow JSON that is still sent while a published Flow is edited ("Sending a Flow" page, `mode`).
    published: StoredFlowJson | None = None
    locked: bool = False
    updated_at: float = 0.0
    preview: PreviewLink | None = None
    metrics: tuple[MetricPoint, ...] = field(default=(), repr=False)

    @property
    def flow_json(self) -> bytes | None:
        """The Flow JSON, byte for byte as it was uploaded."""
        return self.document.content if self.document else None

    @property
    def endpoint(self) -> str | None:
        """The URI of its endpoint; below Flow JSON 3.0 the document may have it."""
        return self.endpoint_uri or (self.document.data_channel_uri if self.document else None)

    @property
    def has_endpoint(self) -> bool:
        """Whether its JSON declares a data API version: then it uses an endpoint ("Flow JSON" page)."""
        return self.document is not None and self.document.data_api_version is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateButton:
    """A FLOW button of a template, at a position among all of its buttons."""

    index: int
    flow_id: str
    flow_action: str
    navigate_screen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRecord:
    """A message template in one language, with its FLOW buttons and the variables of its texts."""

    id: str
    waba_id: str
    name: str
    language: str
    category: str
    status: str
    header_variables: tuple[str, ...] = ()
    body_variables: tuple[str, ...] = ()
    buttons: tuple[TemplateButton, ...] = ()
    components: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """
    A message that was sent: to whom, with which Flows, and how they open.

    `flow_ids` and `tokens` are those of the buttons, one for an interactive message. `action`, `screen` and `data` are
    those of the first. `template` and `language` are None for an interactive message, `mode` is None for a template.
    `content` is the `interactive` or `template` object of the request. `at` is in Unix seconds; `number` counts the
    messages from 0.
    """

    id: str = ""
    number: int = 0
    phone_number_id: str
    at: float
    to: str = field(default="", repr=False)
    flow_ids: tuple[str, ...] = ()
    tokens: tuple[str, ...] = field(default=(), repr=False)
    mode: str | None = None
    action: str | None = None
    screen: str | None = None
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    template: str | None = None
    language: str | None = None
    reply_to: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def flow_id(self) -> str | None:
        """The Flow of the first button; None for a template without one."""
        return next(iter(self.flow_ids), None)

    @property
    def token(self) -> str | None:
        """The flow token of the first button."""
        return next(iter(self.tokens), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRecord:
    """A file that a person has uploaded. `content` is what is served: encrypted, where an endpoint got it."""

    id: str
    waba_id: str
    added_at: float
    mime_type: str
    is_encrypted: bool = False
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All accounts, phone numbers, Flows, templates, sent messages and uploaded files."""

    accounts: Mapping[str, Account] = field(default_factory=dict)
    phone_numbers: Mapping[str, PhoneNumber] = field(default_factory=dict)
    flows: Mapping[str, FlowRecord] = field(default_factory=dict)
    templates: Mapping[str, TemplateRecord] = field(default_factory=dict)
    messages: Mapping[str, MessageRecord] = field(default_factory=dict)
    media: Mapping[str, MediaRecord] = field(default_factory=dict)
    ids_given: int = 0
    messages_sent: int = 0
    # Endpoint URIs that do not answer the health check; "*" stands for all.
    dead_endpoints: frozenset[str] = frozenset()
    # Endpoint URIs that failed the last real check. Not stored: the next check decides.
    failed_endpoints: frozenset[str] = frozenset()
    # Recipients whose last message is over 24 hours old, without a plus sign; "*" stands for all.
    closed_windows: frozenset[str] = frozenset()
    # Whether new templates stay PENDING.
    holds_templates: bool = False

    def with_account(self, account: Account) -> World:
        """The world with an account added or replaced."""
        return replace(self, accounts={**self.accounts, account.id: account})

    def with_phone_number(self, number: PhoneNumber) -> World:
        """The world with a phone number added or replaced."""
        return replace(self, phone_numbers={**self.phone_numbers, number.id: number})

    def with_flow(self, flow: FlowRecord) -> World:
        """The world with a Flow added or replaced."""
        return replace(self, flows={**self.flows, flow.id: flow})

    def with_template(self, template: TemplateRecord) -> World:
        """The world with a template added or replaced."""
        return replace(self, templates={**self.templates, template.id: template})

    def with_message(self, message: MessageRecord) -> World:
        """The world with another message; the oldest beyond 10,000 are dropped."""
        kept = dict(list(self.messages.items())[1 - _MAX_MESSAGES :])
        numbered = replace(message, number=self.messages_sent)
        return replace(self, messages={**kept, message.id: numbered}, messages_sent=self.messages_sent + 1)

    def with_media(self, media: MediaRecord) -> World:
        """The world with another file; the oldest beyond 1,000 are dropped."""
        kept = dict(list(self.media.items())[1 - _MAX_MEDIA :])
        return replace(self, media={**kept, media.id: media})

    def without_flow(self, flow_id: str) -> World:
        """The world without a Flow."""
        return replace(self, flows={each: flow for each, flow in self.flows.items() if each != flow_id})

    def new_flow_id(self) -> tuple[World, str]:
        """A new id; later ids are greater."""
        return replace(self, ids_given=self.ids_given + 1), str(_FIRST_FLOW_ID + self.ids_given * _FLOW_ID_STEP)

    def new_template_id(self) -> tuple[World, str]:
        """A new id; later ids are greater."""
        return replace(self, ids_given=self.ids_given + 1), str(_FIRST_TEMPLATE_ID + self.ids_given * _FLOW_ID_STEP)

    def new_media_id(self) -> tuple[World, str]:
        """A new id; later ids are greater."""
        return replace(self, ids_given=self.ids_given + 1), str(_FIRST_MEDIA_ID + self.ids_given * _FLOW_ID_STEP)

    def template_named(self, waba_id: str, name: str, language: str) -> TemplateRecord | None:
        """The template of an account with this name and language, which are unique together."""
        wanted = (waba_id, name, language)
        return next((it for it in self.templates.values() if (it.waba_id, it.name, it.language) == wanted), None)

    def flows_of(self, waba_id: str) -> Iterator[FlowRecord]:
        """The Flows of an account, oldest first."""
        return (flow for flow in self.flows.values() if flow.waba_id == waba_id)

    def flow_named(self, waba_id: str, name: str) -> FlowRecord | None:
        """The Flow of an account with this name; names are unique within an account."""
        return next((flow for flow in self.flows_of(waba_id) if flow.name == name), None)

    def phone_numbers_of(self, waba_id: str) -> Iterator[PhoneNumber]:
        """The phone numbers of an account."""
        return (number for number in self.phone_numbers.values() if number.waba_id == waba_id)

    def endpoint_answers(self, uri: str) -> bool:
        """Whether the health check of an endpoint succeeds."""
        return self.dead_endpoints.isdisjoint({uri, "*"}) and uri not in self.failed_endpoints

    def with_checked_endpoint(self, uri: str, passed: bool) -> World:
        """The world after a real check of an endpoint."""
        failed = self.failed_endpoints - {uri} if passed else self.failed_endpoints | {uri}
        return replace(self, failed_endpoints=failed)

    def kind_of(self, node_id: str) -> NodeKind | None:
        """The kind of a node; None for an unknown id."""
        if node_id in self.accounts:
            return "account"
        if node_id in self.flows:
            return "flow"
        if node_id in self.media:
            return None if self.media[node_id].is_encrypted else "media"
        return "phone_number" if node_id in self.phone_numbers else None

    def account_of(self, node_id: str) -> str | None:
        """The account that a node is or belongs to; None for an unknown id."""
        if node_id in self.accounts:
            return node_id
        node = self.flows.get(node_id) or self.phone_numbers.get(node_id) or self.media.get(node_id)
        return node.waba_id if node else None


def default_world(waba_id: str, phone_number_ids: tuple[str, ...]) -> World:
    """One account with verified phone numbers, without subscriptions and public keys."""
    return with_missing(World(), waba_id, phone_number_ids)


def with_missing(world: World, waba_id: str, phone_number_ids: tuple[str, ...]) -> World:
    """A world with an account and its phone numbers added, as far as it does not have them."""
    if waba_id not in world.accounts:
        world = world.with_account(Account(id=waba_id))
    for number_id in phone_number_ids:
        if number_id not in world.phone_numbers:
            world = world.with_phone_number(PhoneNumber(id=number_id, waba_id=waba_id))
    return world
