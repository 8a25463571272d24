"""
From the JSON of a webhook to its events.

Every entry, every change, and every message and status of a change is read by itself: one that cannot be read becomes
an `UnknownEvent`, and the others are not affected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .._dataclasses import dataclass
from .._endpoint_errors import WebhookFormatError
from .._fields import Raw, moment, nested, objects, real, text, whole
from ..models import flow_status
from ._events import (
    ClientErrorRate,
    EndpointAvailability,
    EndpointErrorRate,
    EndpointLatency,
    FlowCompleted,
    FlowErrorCount,
    FlowEvent,
    FlowStatusChanged,
    FlowVersionExpiry,
    UnknownEvent,
    WebhookEvent,
)
from ._reading import read_json

MAX_EVENTS: Final = 10_000
"""The events of one webhook. Meta documents up to 1,000 updates in a batch."""


def events_of(document: Any) -> tuple[WebhookEvent, ...]:
    """The events of a parsed body, in Meta's order. Raises `WebhookFormatError` when it is no webhook at all."""
    entries = document.get("entry") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise WebhookFormatError("The body is not a webhook: it is no object with a list `entry`", "shape")
    found: list[WebhookEvent] = []
    for event in _in_entries(entries):
        if len(found) == MAX_EVENTS:
            raise WebhookFormatError(f"The webhook has more than {MAX_EVENTS} events", "shape")
        found.append(event)
    return tuple(found)


def _in_entries(entries: list[Any]) -> Iterator[WebhookEvent]:
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list):
            yield UnknownEvent(problem="the entry has no list of changes", raw=entry)
            continue
        envelope: Mapping[str, Any] = {"waba_id": text(entry, "id") or "", "time": moment(entry, "time")}
        for change in changes:
            name = text(change, "field") or "" if isinstance(change, dict) else ""
            value = change.get("value") if isinstance(change, dict) else None
            if not isinstance(value, dict):
                yield UnknownEvent(**envelope, field=name, problem="the change has no object `value`", raw=change)
            elif name == "messages":
                yield from _in_messages(value, envelope)
            elif name == "flows":
                yield _flow_event(value, envelope)
            else:
                yield UnknownEvent(**envelope, field=name, raw=value)


# Messages


@dataclass(frozen=True, slots=True)
class _Messages:
    """What the messages of a change share. `contacts` is by phone number and by user id."""

    metadata: Raw
    envelope: Mapping[str, Any]
    contacts: Mapping[str, Raw]
    only_contact: Raw

    def contact_of(self, message: Raw) -> Raw:
        """The contact of the sender, by number or by user id; else the only one of the change, or an empty one."""
        ids = (text(message, key) or "" for key in ("from", "from_user_id"))
        return next((self.contacts[key] for key in ids if key in self.contacts), self.only_contact)


def _in_messages(value: Raw, envelope: Mapping[str, Any]) -> Iterator[WebhookEvent]:
    """The messages of a change, then statuses, errors, and what else it has; the change itself without any of them."""
    empty = True
    found = objects(value, "contacts")
    contacts = {key: each for each in found for key in (text(each, "user_id"), text(each, "wa_id")) if key}
    only = found[0] if len(found) == 1 else {}
    change = _Messages(nested(value, "metadata"), envelope, contacts, only)
    for key, read in _LISTS.items():
        items = value.get(key)
        for item in items if isinstance(items, list) else ():
            empty = False
            yield read(item, change)
    if empty:
        yield UnknownEvent(**envelope, field="messages", raw=value)
    elif rest := {key: each for key, each in value.items() if not _is_read(key, each)}:
        yield UnknownEvent(**envelope, metadata=change.metadata, field="messages", raw=rest)


def _is_read(key: str, value: Any) -> bool:
    return key in _SHARED or (key in _LISTS and (value is None or isinstance(value, list)))


def _message(message: Any, change: _Messages) -> WebhookEvent:
    envelope = change.envelope
    if not isinstance(message, dict):
        return UnknownEvent(**envelope, field="messages", problem="the message is not an object", raw=message)
    kind = text(message, "type") or ""
    contact = change.contact_of(message)
    beside: Mapping[str, Any] = {"contact": contact, "metadata": change.metadata}
    interactive = nested(message, "interactive")
    reply = nested(interactive, "nfm_reply")
    if kind != "interactive" or text(interactive, "type") != "nfm_reply" or text(reply, "name") != "flow":
        return UnknownEvent(**envelope, **beside, field="messages", kind=kind, raw=message)
    answers = _answers(reply)
    if answers is None:
        problem = "response_json is not a JSON object"
        return UnknownEvent(**envelope, **beside, field="messages", kind="nfm_reply", problem=problem, raw=message)
    context = nested(message, "context")
    return FlowCompleted(
        **envelope,
        **beside,
        message_id=text(message, "id") or "",
        sender=text(message, "from") or "",
        sender_name=text(nested(contact, "profile"), "name") or "",
        user_id=text(message, "from_user_id") or text(contact, "user_id") or "",
        parent_user_id=text(message, "from_parent_user_id") or text(contact, "parent_user_id") or "",
        timestamp=moment(message, "timestamp"),
        answers=answers,
        token=text(answers, "flow_token"),
        context_id=text(context, "id"),
        context_sender=text(context, "from"),
        phone_number_id=text(change.metadata, "phone_number_id") or "",
        display_phone_number=text(change.metadata, "display_phone_number") or "",
        body=text(reply, "body") or "",
        raw=message,
    )


def _answers(reply: Raw) -> Raw | None:
    """`response_json`: a text on the wire, an object in Meta's samples. None when it is neither."""
    found = reply.get("response_json")
    if isinstance(found, str):
        try:
            found = read_json(found)
        except WebhookFormatError:
            return None
    return found if isinstance(found, dict) else None


def _status(status: Any, change: _Messages) -> WebhookEvent:
    if not isinstance(status, dict):
        return UnknownEvent(**change.envelope, field="messages", problem="the status is not an object", raw=status)
    kind = text(status, "status") or ""
    return UnknownEvent(**change.envelope, metadata=change.metadata, field="messages", kind=kind, raw=status)


def _error(error: Any, change: _Messages) -> WebhookEvent:
    return UnknownEvent(**change.envelope, metadata=change.metadata, field="messages", kind="errors", raw=error)


# The lists of a change of the field `messages`. Source: Meta, "messages webhook reference".
_LISTS: Final[Mapping[str, Callable[[Any, _Messages], WebhookEvent]]] = {
    "messages": _message,
    "statuses": _status,
    "errors": _error,
}
_SHARED: Final = frozenset({"messaging_product", "metadata", "contacts"})


# Monitoring


@dataclass(frozen=True, slots=True)
class _Kind:
    """What one name in `event` stands for: the class, and what it has beyond `flow_id` and `message`."""

    event: type[FlowEvent]
    fields: Callable[[Raw], Mapping[str, Any]]


def _flow_event(value: Raw, envelope: Mapping[str, Any]) -> WebhookEvent:
    name = text(value, "event") or ""
    kind = _KINDS.get(name.strip().upper().replace("-", "_"))
    if kind is None:
        return UnknownEvent(**envelope, field="flows", kind=name, raw=value)
    return kind.event(
        **envelope,
        flow_id=text(value, "flow_id") or "",
        message=text(value, "message") or "",
        raw=value,
        **kind.fields(value),
    )


def _status_change(value: Raw) -> Mapping[str, Any]:
    return {
        "old_status": flow_status(value, "old_status") or None,
        "new_status": flow_status(value, "new_status"),
        "warning": text(value, "warning") or "",
    }


def _alert(value: Raw) -> Mapping[str, Any]:
    return {"alert_state": text(value, "alert_state") or "", "threshold": real(value, "threshold")}


def _error_rate(value: Raw) -> Mapping[str, Any]:
    errors = tuple(
        FlowErrorCount(
            error_type=text(error, "error_type") or "",
            error_count=whole(error, "error_count"),
            error_rate=real(error, "error_rate"),
            raw=error,
        )
        for error in objects(value, "errors")
    )
    return {**_alert(value), "error_rate": real(value, "error_rate"), "errors": errors}


def _latency(value: Raw) -> Mapping[str, Any]:
    return {
        **_alert(value),
        "p50_latency": real(value, "p50_latency"),
        "p90_latency": real(value, "p90_latency"),
        "requests_count": whole(value, "requests_count"),
    }


def _availability(value: Raw) -> Mapping[str, Any]:
    return {**_alert(value), "availability": real(value, "availability")}


def _version_expiry(value: Raw) -> Mapping[str, Any]:
    return {"warning": text(value, "warning") or ""}


# Source: Meta, "Flows webhooks". The last is described there, but is missing from the list of values of `event`.
_KINDS: Final[Mapping[str, _Kind]] = {
    "FLOW_STATUS_CHANGE": _Kind(FlowStatusChanged, _status_change),
    "CLIENT_ERROR_RATE": _Kind(ClientErrorRate, _error_rate),
    "ENDPOINT_ERROR_RATE": _Kind(EndpointErrorRate, _error_rate),
    "ENDPOINT_LATENCY": _Kind(EndpointLatency, _latency),
    "ENDPOINT_AVAILABILITY": _Kind(EndpointAvailability, _availability),
    "FLOW_VERSION_EXPIRY_WARNING": _Kind(FlowVersionExpiry, _version_expiry),
}
