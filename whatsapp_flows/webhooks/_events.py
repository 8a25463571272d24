"""
The events of Meta's webhooks about Flows, typed and frozen.

A field that Meta leaves out is None or empty, and all that Meta sent about an event is in `raw`. No repr shows what a
user has entered, a flow token, or a phone number; ids of messages contain the user's number, so they are hidden too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from .._client_error_keys import client_error_key
from .._dataclasses import dataclass, field
from .._fields import Raw
from .._json import compact_json
from .._media_values import ResponseMedia, response_media
from ..models import FlowStatus

_MOST_KEY: Final = 200  # characters; a message id of Meta's has some 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """
    What a webhook tells: one message, or one change.

    `waba_id` is the account. `time` is when Meta sent the webhook, where Meta says so. `raw` is everything that Meta
    sent about this event, with the fields that have no attribute.
    """

    waba_id: str = ""
    time: datetime | None = None
    raw: Any = field(default_factory=dict, repr=False, compare=False)

    @property
    def dedupe_key(self) -> str:
        """
        A text of at most 200 characters that is the same each time Meta delivers this event, and different otherwise.

        Meta repeats a webhook until it is answered with 200: store the keys of what has been done, for 7 days.
        """
        return f"{type(self).__name__}:{_digest(self.waba_id, self.time, self.raw)}"


def _digest(waba_id: str, time: datetime | None, raw: Any) -> str:
    """A digest that does not depend on the order of keys, and shows nothing of the content."""
    seconds = None if time is None else time.timestamp()
    return sha256(compact_json([waba_id, seconds, raw], sort_keys=True).encode("ascii")).hexdigest()[:40]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCompleted(WebhookEvent):
    """
    A user has finished a Flow, and this is the message with the answers (field `messages`, `nfm_reply`).

    `answers` is the parsed `response_json`: with an endpoint the `params` of its last answer, without one the payload
    of the `complete` action. Many values arrive as strings. `token` is the flow token in it: None where the client left
    it out (seen on iOS), and `unused` where the Flow was sent without one. `context_id` is then the way back: the id
    of the message that the Flow was sent with. Meta sends no Flow id.

    `sender` is the user's number; it is empty where Meta identifies the user by `user_id` alone: the contact's, or the
    `from_user_id` of the message, of which third-party documentation tells. `sender_name` is the profile's.
    `phone_number_id` and `display_phone_number` are yours. `raw` is the message; `contact` and `metadata` are what Meta
    sent beside it about the user and about your number.
    """

    message_id: str = field(default="", repr=False)
    sender: str = field(default="", repr=False)
    sender_name: str = field(default="", repr=False)
    user_id: str = field(default="", repr=False)
    parent_user_id: str = field(default="", repr=False)
    timestamp: datetime | None = None
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    token: str | None = field(default=None, repr=False)
    context_id: str | None = field(default=None, repr=False)
    context_sender: str | None = field(default=None, repr=False)
    phone_number_id: str = ""
    display_phone_number: str = field(default="", repr=False)
    body: str = field(default="", repr=False)
    contact: Raw = field(default_factory=dict, repr=False, compare=False)
    metadata: Raw = field(default_factory=dict, repr=False, compare=False)

    @property
    def dedupe_key(self) -> str:
        """The message's id, which is the same in each delivery. It contains the user's number: do not log it."""
        key = self.message_id
        if key and len(key) <= _MOST_KEY and key.isascii() and key.isprintable():
            return key
        return f"{type(self).__name__}:{_digest(self.waba_id, None if key else self.time, self.raw)}"

    def media(self, name: str) -> tuple[ResponseMedia, ...]:
        """
        The files of the answer `name`, from a photo or document picker; empty where there are none.

        Raises `MediaRefusedError` for an answer that is no list of files.
        """
        return response_media(self.answers.get(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowEvent(WebhookEvent):
    """
    What Meta's monitoring tells about one Flow (field `flows`): the base class of the events that follow.

    `message` is Meta's own sentence, in English. `raw` is the value of the change.
    """

    flow_id: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStatusChanged(FlowEvent):
    """
    A Flow was created, published, throttled, blocked or deprecated (`FLOW_STATUS_CHANGE`).

    `old_status` is None when the Flow was created. `warning` may then say that its version is about to expire.
    """

    old_status: FlowStatus | str | None = None
    new_status: FlowStatus | str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowErrorCount:
    """
    How often one error occurred in an alert's window. `error_rate` is in percent.

    `error_type` is as Meta wrote it (`INVALID_SCREEN_TRANSITION`); `error_key` is the same error as an error
    notification calls it (`invalid-screen-transition`).
    """

    error_type: str = ""
    error_count: int | None = None
    error_rate: float | None = None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @property
    def error_key(self) -> str:
        """The error's documented key, or its name in lower case with underscores."""
        return client_error_key(self.error_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowAlert(FlowEvent):
    """
    A measure of a Flow has crossed one of Meta's levels.

    `alert_state` is `ACTIVATED`, or `DEACTIVATED` when the measure has recovered. `threshold` is the level.
    """

    alert_state: str = ""
    threshold: float | None = None

    @property
    def is_active(self) -> bool:
        """Whether the alert is on: True unless Meta says that it is over."""
        return self.alert_state.strip().upper() != "DEACTIVATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientErrorRate(FlowAlert):
    """
    The share of a Flow's clients that reported errors within 60 minutes (`CLIENT_ERROR_RATE`).

    `error_rate` and `threshold` are in percent; Meta's levels are 5, 10 and 50. The rate is approximate.
    """

    error_rate: float | None = None
    errors: tuple[FlowErrorCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointErrorRate(FlowAlert):
    """
    The share of requests to the endpoint that failed within 30 minutes (`ENDPOINT_ERROR_RATE`).

    `error_rate` and `threshold` are in percent; Meta's levels are 5, 10 and 50.
    """

    error_rate: float | None = None
    errors: tuple[FlowErrorCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLatency(FlowAlert):
    """
    How long the endpoint took within 30 minutes (`ENDPOINT_LATENCY`).

    `p50_latency`, `p90_latency` and `threshold` are in **milliseconds**, as Meta sends them; the levels of the 90th
    percentile are 1000, 5000 and 7000. `requests_count` is the number of requests that were measured.
    """

    p50_latency: float | None = None
    p90_latency: float | None = None
    requests_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAvailability(FlowAlert):
    """
    The share of requests that the endpoint answered within 10 minutes (`ENDPOINT_AVAILABILITY`).

    `availability` and `threshold` are in percent; Meta's level is 90, and the alert means that it is below.
    """

    availability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowVersionExpiry(FlowEvent):
    """
    A Flow was sent whose Flow JSON or Data API version soon expires (`FLOW_VERSION_EXPIRY_WARNING`).

    `warning` says which; `message` is usually empty. Meta sends it about once for each Flow.
    """

    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(WebhookEvent):
    """
    Anything else: another message, the status of a message, another field, an event that is not known yet.

    `field` is the webhook's field (`messages`, `flows`, `account_update`, ...). `kind` is the type of a message
    (`text`), the state of a status (`delivered`), `errors` for an error, or the name of an event. `problem` is set when
    an event of a known kind could not be read, and says why. `raw` is the message, the status or the change, as Meta
    sent it, or what is left of a change; `contact` and `metadata` are what Meta sent beside a message about the user
    and about your number.
    """

    contact: Raw = field(default_factory=dict, repr=False, compare=False)
    metadata: Raw = field(default_factory=dict, repr=False, compare=False)
    field: str = ""
    kind: str = ""
    problem: str = ""

    @property
    def dedupe_key(self) -> str:
        """As of every event. `time` does not count for a message or a status with an id, which is in `raw`."""
        has_id = self.field == "messages" and isinstance(self.raw, dict) and bool(self.raw.get("id"))
        return f"{type(self).__name__}:{_digest(self.waba_id, None if has_id else self.time, self.raw)}"
