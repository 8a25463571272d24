"""The webhooks that the emulator sends: status changes, completions, and those of a test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests import misbehaving as bad
from tests.emulator.support import NOON, Graph, endpoint_json, flow_json
from whatsapp_flows import FlowsClient, FlowStatus
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.webhooks import (
    EndpointAvailability,
    FlowCompleted,
    FlowStatusChanged,
    HttpAnswer,
    UnknownEvent,
    WebhookEvent,
    Webhooks,
)

SECRET = "app-secret-for-tests"
TOKEN = "verify-token-for-tests"
USER = "491701234567"


class Inbox:
    """A handler that keeps what it gets."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.hooks = Webhooks(app_secrets=SECRET, verify_token=TOKEN, handler=self.events.append)


@pytest.fixture
def inbox(meta: Emulator) -> Inbox:
    """Webhooks that are subscribed to the emulator."""
    inbox = Inbox()
    meta.webhooks_to(inbox.hooks, app_secret=SECRET)
    return inbox


def got(meta: Emulator, inbox: Inbox) -> list[Any]:
    assert meta.wait_for_webhooks()
    return inbox.events


# Status changes


def test_the_status_changes_of_a_flow_are_reported(meta: Emulator, graph: Graph, inbox: Inbox) -> None:
    """On creation without an old status, then on each move but that of an edit back to DRAFT."""
    flow_id = graph.create(meta, "survey")
    graph.upload(flow_id, flow_json())
    graph.post(f"{flow_id}/publish")
    graph.post(flow_id, {"name": "poll"})
    graph.post(f"{flow_id}/publish")
    meta.set_status(flow_id, "THROTTLED")
    meta.set_status(flow_id, "BLOCKED")
    graph.post(f"{flow_id}/deprecate")
    events = got(meta, inbox)
    assert all(isinstance(event, FlowStatusChanged) for event in events)
    assert [(event.old_status, event.new_status) for event in events] == [
        (None, FlowStatus.DRAFT),
        (FlowStatus.DRAFT, FlowStatus.PUBLISHED),
        (FlowStatus.DRAFT, FlowStatus.PUBLISHED),
        (FlowStatus.PUBLISHED, FlowStatus.THROTTLED),
        (FlowStatus.THROTTLED, FlowStatus.BLOCKED),
        (FlowStatus.BLOCKED, FlowStatus.DEPRECATED),
    ]
    assert {event.flow_id for event in events} == {flow_id}
    assert {event.waba_id for event in events} == {meta.waba_id}
    assert events[0].time.timestamp() == NOON
    assert events[1].message == "Flow survey changed from DRAFT to PUBLISHED"


def test_a_call_that_changes_no_status_sends_nothing(meta: Emulator, graph: Graph, inbox: Inbox) -> None:
    """Neither a read, an upload, a refusal, nor a deletion."""
    flow_id = graph.create(meta, "survey")
    graph.upload(flow_id, endpoint_json())
    graph.send("POST", f"{flow_id}/publish")
    graph.get(flow_id)
    graph.send("DELETE", flow_id)
    assert [event.new_status for event in got(meta, inbox)] == [FlowStatus.DRAFT]


def test_flows_of_another_account_name_it(meta: Emulator, inbox: Inbox) -> None:
    """`waba_id` is that of the Flow; two Flows that are created at once are two events."""
    meta.add_account("30")
    meta.add_flow("a", waba_id="30")
    meta.add_flow("a")
    assert [event.waba_id for event in got(meta, inbox)] == ["30", meta.waba_id]


# Completions


@pytest.fixture
def sent(meta: Emulator, inbox: Inbox) -> str:
    """The id of a message that opens a Flow."""
    flow = meta.add_flow("booking", flow_json=flow_json(), status="PUBLISHED")
    number = meta.phone_number_id
    with FlowsClient("t", meta.waba_id, base_url=meta.url, phone_number_id=number) as client:
        message = client.send_flow(USER, flow.id, cta="Book", body="Choose a date", token="tok-1")
    got(meta, inbox).clear()
    return message.id


def test_the_completion_of_a_flow_answers_the_message(meta: Emulator, inbox: Inbox, sent: str) -> None:
    """The user, the message that it answers, and the answers with the flow token."""
    message_id = meta.complete_flow(sent, {"date": "2026-12-01", "name": "Zoë / 😀"})
    (event,) = got(meta, inbox)
    assert isinstance(event, FlowCompleted)
    assert (event.sender, event.context_id, event.message_id) == (USER, sent, message_id)
    assert event.answers == {"date": "2026-12-01", "name": "Zoë / 😀", "flow_token": "tok-1"}
    assert (event.token, event.phone_number_id, event.waba_id) == ("tok-1", meta.phone_number_id, meta.waba_id)
    with FlowsClient("t", meta.waba_id, base_url=meta.url) as client:
        (number,) = client.list_phone_numbers()
    digits = "".join(filter(str.isdigit, number.display_phone_number or ""))  # Meta sends the digits alone
    assert event.display_phone_number == event.context_sender == digits != meta.phone_number_id
    assert event.timestamp is not None
    assert event.timestamp.timestamp() == NOON
    assert meta.webhooks[-1].body.isascii()
    assert b"\\/" in meta.webhooks[-1].body


def test_a_completion_is_of_the_last_message_unless_one_is_named(meta: Emulator, inbox: Inbox, sent: str) -> None:
    """By its record or its id; every completion is a message of its own."""
    meta.complete_flow()
    meta.complete_flow(meta.messages[0])
    first, second = got(meta, inbox)
    assert first.context_id == second.context_id == sent
    assert first.dedupe_key != second.dedupe_key


@pytest.mark.parametrize(
    ("answers", "with_token", "token"),
    [({"a": 1}, False, None), ({"flow_token": "own"}, True, "own"), ({"flow_token": "own"}, False, "own")],
)
def test_a_client_may_leave_out_the_token(
    meta: Emulator, inbox: Inbox, sent: str, answers: dict[str, Any], with_token: bool, token: str | None
) -> None:
    """As some do; one that is given is kept."""
    meta.complete_flow(sent, answers, with_token=with_token)
    (event,) = got(meta, inbox)
    assert (event.token, event.context_id) == (token, sent)


def test_a_user_without_a_number_is_known_by_an_id(meta: Emulator, inbox: Inbox, sent: str) -> None:
    """The message then has no sender."""
    user = "US.13491208655302741918"
    with FlowsClient("t", meta.waba_id, base_url=meta.url, phone_number_id=meta.phone_number_id) as client:
        message = client.send_flow(user, meta.flows()[0].id, cta="Book", body="Choose a date")
    meta.complete_flow()
    (event,) = got(meta, inbox)
    assert (event.sender, event.user_id) == ("", user)
    assert event.context_id == message.id != sent


def test_what_cannot_be_completed(meta: Emulator, inbox: Inbox) -> None:
    """No message, an unknown one, a button that is not there, answers that are not JSON."""
    with pytest.raises(LookupError, match="no message was sent"):
        meta.complete_flow()
    with pytest.raises(LookupError, match="there is nothing with the id"):
        meta.complete_flow("wamid.unknown")
    assert got(meta, inbox) == []


@pytest.mark.parametrize("button", [1, -1])
def test_a_button_that_is_not_there(meta: Emulator, sent: str, button: int) -> None:
    """A message has one, a template may have several."""
    with pytest.raises(LookupError, match="no button"):
        meta.complete_flow(sent, button=button)


@pytest.mark.parametrize("answer", [object(), float("nan"), b"bytes"], ids=["object", "nan", "bytes"])
def test_answers_that_are_not_json(meta: Emulator, sent: str, answer: object) -> None:
    """A ValueError, and nothing is sent."""
    with pytest.raises(ValueError, match=r"JSON"):
        meta.complete_flow(sent, {"a": answer})


# Webhooks of a test's own


def test_a_test_can_send_any_webhook(meta: Emulator, inbox: Inbox) -> None:
    """An alert, or a field that this library does not know."""
    value = {"event": "ENDPOINT_AVAILABILITY", "flow_id": "7", "availability": 75, "threshold": 90}
    meta.send_webhook("flows", value)
    meta.send_webhook("account_update", {"event": "VERIFIED"}, waba_id="30")
    alert, other = got(meta, inbox)
    assert isinstance(alert, EndpointAvailability)
    assert isinstance(other, UnknownEvent)
    assert (alert.availability, other.waba_id) == (75.0, "30")


def test_without_a_subscriber_nothing_can_be_sent(meta: Emulator) -> None:
    """It would be lost: a ValueError. A status change is not an error."""
    meta.add_flow("a")
    with pytest.raises(ValueError, match="webhooks_to"):
        meta.send_webhook("flows", {})
    assert meta.wait_for_webhooks()
    assert meta.webhooks == ()


# Who gets them


async def _asynchronous(_body: bytes, _headers: Mapping[str, str]) -> int:
    return 200


@pytest.mark.parametrize(
    ("function", "status"),
    [
        (lambda _body, _headers: None, 200),
        (lambda _body, _headers: 204, 204),
        (lambda _body, _headers: HttpAnswer(503, {}, b"", "received"), 503),
        (lambda _body, _headers: True, 200),
        (_asynchronous, 200),
    ],
    ids=["none", "a status", "an answer", "true", "asynchronous"],
)
def test_a_function_gets_body_and_headers(meta: Emulator, function: Callable[..., Any], status: int) -> None:
    """Its status counts; 200 without one."""
    meta.webhooks_to(function, app_secret=SECRET, attempts=1)
    meta.send_webhook("flows", {"event": "X"})
    assert meta.wait_for_webhooks()
    (delivery,) = meta.webhooks
    assert (delivery.status, delivery.ok, delivery.attempts) == (status, status == 200, 1)
    assert delivery.content["entry"][0]["changes"][0] == {"value": {"event": "X"}, "field": "flows"}
    assert Webhooks(app_secrets=SECRET).parse(delivery.body, delivery.headers)
    assert "flows" not in repr(delivery)


def test_an_asynchronous_handler_is_awaited(meta: Emulator) -> None:
    """`Webhooks` with a handler that is `async def`."""
    seen: list[WebhookEvent] = []

    async def handle(event: WebhookEvent) -> None:
        seen.append(event)

    meta.webhooks_to(Webhooks(app_secrets=SECRET, handler=handle), app_secret=SECRET)
    meta.send_webhook("flows", {"event": "X"})
    assert meta.wait_for_webhooks()
    assert len(seen) == 1


def test_what_fails_is_delivered_again(meta: Emulator) -> None:
    """The same bytes, up to three times; then it is given up, and the next one is delivered."""
    bodies: list[bytes] = []

    def handle(body: bytes, _headers: Mapping[str, str]) -> int:
        bodies.append(body)
        if len(bodies) == 1:
            raise RuntimeError("secret of the host")
        return 500 if len(bodies) < 5 else 200

    meta.webhooks_to(handle, app_secret=SECRET)
    meta.send_webhook("flows", {"event": "1"})
    meta.send_webhook("flows", {"event": "2"})
    assert meta.wait_for_webhooks()
    assert [(each.status, each.attempts) for each in meta.webhooks] == [(500, 3), (200, 2)]
    assert bodies[0] == bodies[1] == bodies[2] != bodies[3] == bodies[4]
    assert meta.webhooks[0].target == "handle"


def test_a_function_that_raises_has_no_status(meta: Emulator) -> None:
    """The delivery names the type of the exception, and not its text."""

    def handle(_body: bytes, _headers: Mapping[str, str]) -> None:
        raise RuntimeError("secret of the host")

    meta.webhooks_to(handle, app_secret=SECRET, attempts=2)
    meta.send_webhook("flows", {})
    assert meta.wait_for_webhooks()
    (delivery,) = meta.webhooks
    assert (delivery.status, delivery.problem, delivery.attempts) == (None, "RuntimeError", 2)


def test_a_url_gets_them_signed(meta: Emulator) -> None:
    """A POST with the signature; the query of the URL is kept, and no redirect is followed."""
    with bad.Server(bad.redirects("http://127.0.0.1:1/"), bad.answers()) as server:
        meta.webhooks_to(f"{server.url}/hooks?tenant=1", app_secret=SECRET)
        meta.send_webhook("flows", {"event": "X"})
        assert meta.wait_for_webhooks()
        first, second = server.requests
        assert (second.method, second.target) == ("POST", "/hooks?tenant=1")
        assert second.headers["content-type"] == "application/json"
        assert Webhooks(app_secrets=SECRET).parse(second.body, second.headers)
        assert first.body == second.body
        assert meta.webhooks[0].target == server.url
        assert (meta.webhooks[0].status, meta.webhooks[0].attempts) == (200, 2)


def test_a_url_that_does_not_answer(meta: Emulator) -> None:
    """The delivery is given up, and says why."""
    with bad.Server(bad.answers()) as server:
        url = server.url
    meta.webhooks_to(url, app_secret=SECRET)
    meta.send_webhook("flows", {"event": "X"})
    assert meta.wait_for_webhooks()
    assert meta.webhooks[0].status is None
    assert meta.webhooks[0].problem


def test_a_target_can_be_verified_as_meta_does(meta: Emulator) -> None:
    """By its verify token: `Webhooks`, or a URL."""
    hooks = Webhooks(app_secrets=SECRET, verify_token=TOKEN)
    meta.webhooks_to(hooks, app_secret=SECRET, verify_token=TOKEN)
    with pytest.raises(ValueError, match="403"):
        meta.webhooks_to(hooks, app_secret=SECRET, verify_token="another")

    def reply(received: bad.Received) -> bad.Answer:
        _, _, query = received.target.partition("?")
        pairs = dict(pair.split("=") for pair in query.split("&"))
        answer = hooks.verify({name.replace("%2E", "."): value for name, value in pairs.items()})
        return bad.Answer(answer.body, answer.status, answer.headers)

    with bad.Server(bad.replies(reply)) as server:
        meta.webhooks_to(f"{server.url}/hooks", app_secret=SECRET, verify_token=TOKEN)
        with pytest.raises(ValueError, match="403"):
            meta.webhooks_to(f"{server.url}/hooks", app_secret=SECRET, verify_token="another")


class _OnlyReceives:
    max_body = 10

    def receive(self, _body: bytes, _headers: Mapping[str, str], /) -> HttpAnswer:
        raise NotImplementedError

    async def areceive(self, _body: bytes, _headers: Mapping[str, str], /) -> HttpAnswer:
        return HttpAnswer(200, {}, b"", "received")


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        (print, {"app_secret": None}, "app_secret"),
        (print, {"attempts": 0}, "attempts"),
        (print, {"verify_token": TOKEN}, "verify_token"),
        (_OnlyReceives(), {"verify_token": TOKEN}, "verify_token"),
        ("ftp://example.org", {}, "URL"),
        ("example.org", {}, "URL"),
        ("https://user:password@example.org/", {}, "password"),
        (7, {}, "not a int"),
    ],
    ids=["no secret", "attempts", "function", "no verify", "scheme", "no scheme", "password", "number"],
)
def test_what_cannot_get_webhooks(meta: Emulator, target: Any, options: dict[str, Any], message: str) -> None:
    """A ValueError at once."""
    with pytest.raises(ValueError, match=message):
        meta.webhooks_to(target, **{"app_secret": SECRET, **options})


def test_the_number_of_targets_is_bounded(meta: Emulator) -> None:
    """A hundred."""
    for _ in range(100):
        meta.webhooks_to(print, app_secret=SECRET)
    with pytest.raises(ValueError, match="100"):
        meta.webhooks_to(print, app_secret=SECRET)


def test_the_emulators_own_secret_signs() -> None:
    """Unless another one is given."""
    seen: list[WebhookEvent] = []
    with Emulator(app_secret=SECRET) as meta:
        meta.webhooks_to(Webhooks(app_secrets=SECRET, handler=seen.append))
        meta.webhooks_to(Webhooks(app_secrets="another", handler=seen.append), app_secret="another")
        meta.add_flow("a")
        assert meta.wait_for_webhooks()
    assert len(seen) == 2


def test_a_slow_target_delays_no_request(meta: Emulator, graph: Graph) -> None:
    """Requests are answered while a delivery waits; what exceeds the queue is dropped, and the end does not hang."""
    released = threading.Event()

    def handle(_body: bytes, _headers: Mapping[str, str]) -> None:
        assert released.wait(30)

    meta.webhooks_to(handle, app_secret=SECRET)
    flow_id = graph.create(meta, "survey")
    assert graph.get(flow_id)["id"] == flow_id
    assert not meta.wait_for_webhooks(0)
    for _ in range(1_100):
        meta.send_webhook("flows", {})
    released.set()
    assert meta.wait_for_webhooks()
    assert len(meta.webhooks) == 1_000


def test_subscribers_survive_an_outage() -> None:
    """After `close` and `start` the same targets get the same kinds of webhooks."""
    inbox = Inbox()
    meta = Emulator()
    meta.webhooks_to(inbox.hooks, app_secret=SECRET)
    for name in ("a", "b"):
        with meta:
            meta.add_flow(name)
    assert [event.message for event in inbox.events] == [
        "Flow a was created in status DRAFT",
        "Flow b was created in status DRAFT",
    ]
