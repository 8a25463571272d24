"""What an endpoint tells: events, log lines, slow answers; and what it never tells."""

from __future__ import annotations

import asyncio
import copy
import functools
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from tests.endpoint.exchanges import (
    APP_SECRET,
    DRIVERS,
    PING,
    TOKEN,
    Receive,
    Sent,
    ask,
    endpoint,
    pem,
    receive,
    recording,
    seal,
)
from whatsapp_flows import (
    AnswerRefused,
    ConfigurationError,
    EndpointEvent,
    EndpointRequestFinished,
    ErrorNotified,
    Event,
    QueuedConsumer,
    RetryCounters,
)
from whatsapp_flows.endpoint import Answer, FlowEndpoint, FlowRequest, InvalidToken, RecentAnswers, RequestInfo

both_drivers = pytest.mark.parametrize("receive", DRIVERS, ids=lambda it: it.__name__)


class Clock:
    """A clock that goes on by `step` with each look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 100.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def finished(events: list[Event]) -> EndpointRequestFinished:
    (found,) = (it for it in events if isinstance(it, EndpointRequestFinished))
    events.clear()
    return found


# -- events


@both_drivers
def test_each_request_ends_in_one_event(receive: Receive) -> None:
    """With what it was about, the status, the durations and the sizes."""
    events: list[Event] = []
    clock = Clock()
    target = endpoint(on_event=events.append, clock=clock, max_body=3000)

    @target.data_exchange("CHOOSE")
    def chosen(request: FlowRequest) -> Answer:
        clock.now += 0.25
        return request.close()

    sent = ask()
    answer = receive(target, sent)
    event = finished(events)
    assert event == EndpointRequestFinished(
        call=event.call,
        action="data_exchange",
        screen="CHOOSE",
        status=200,
        outcome="answered",
        duration=0.25,
        handler_duration=0.25,
        key_index=0,
        request_bytes=len(sent.body),
        answer_bytes=len(answer.body),
    )
    assert (event.call.operation, event.latency_alert) == ("receive", None)
    for request, outcome, action, handler, key in [
        (Sent(b"x" * 3001, b"", b""), "too-large", None, None, None),
        (Sent(b"{}", b"", b""), "bad-signature", None, None, None),
        (Sent(b"{}", b"", b"").signed(), "bad-envelope", None, None, None),
        (seal(PING, key=1), "not-decrypted", None, None, None),
        (seal(PING), "ping", "ping", None, 0),
        (ask("INIT", ""), "no-handler", "INIT", None, 0),
    ]:
        receive(target, request)
        event = finished(events)
        assert (event.outcome, event.action, event.screen) == (outcome, action, None)
        assert (event.handler_duration, event.key_index) == (handler, key)
        assert event.request_bytes == len(request.body)


@pytest.mark.parametrize(
    ("action", "screen", "shown"),
    [
        ("data_exchange", "CHOOSE", ("data_exchange", "CHOOSE")),
        ("INIT", "", ("INIT", None)),
        ("BACK", "SUCCESS", ("BACK", "SUCCESS")),
        ("navigate", "Zoë Zeppelin", ("navigate", "other")),
        ("Zoë", "DETAILS", ("other", "DETAILS")),
        ("", "x" * 100_000, ("other", "other")),
    ],
)
def test_the_action_and_the_screen_are_from_short_lists(
    action: str, screen: str, shown: tuple[str, str | None], caplog: pytest.LogCaptureFixture
) -> None:
    """They may label a metric: what a peer makes up does not."""
    caplog.set_level(logging.DEBUG, "whatsapp_flows")
    events: list[Event] = []
    target = endpoint(on_event=events.append)
    recording(target)
    receive(target, ask(action, screen))
    event = finished(events)
    assert (event.action, event.screen) == shown
    assert "Zoë" not in caplog.text
    assert len(caplog.text) < 1000


def test_without_a_flow_a_screen_with_a_handler_is_shown() -> None:
    """Any other name is the peer's."""
    events: list[Event] = []
    target = endpoint(on_event=events.append, flow=None)
    target.data_exchange("A")(lambda request: request.close())
    for screen, shown in [("A", "A"), ("B", "other")]:
        receive(target, ask(screen=screen))
        assert finished(events).screen == shown


@pytest.mark.parametrize(
    ("given", "reported"),
    [
        ("payload-schema-error", "payload-schema-error"),
        ("INVALID_SCREEN_TRANSITION", "invalid-screen-transition"),
        ("public-key-signiture-verification", "public-key-signature-verification"),
        ("Some-New_Error", "some_new_error"),
        ("4915112345678", "other"),
        ("", "other"),
        ("x" * 65, "other"),
    ],
)
def test_an_error_notification_is_an_event_of_the_same_request(
    given: str, reported: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With the key alone: the client's text may quote what was answered."""
    events: list[Event] = []
    target = endpoint(on_event=events.append)
    receive(target, ask(data={"error": given, "error_message": "Zoë Zeppelin"}))
    first, last = events
    assert isinstance(first, ErrorNotified)
    assert (first.error, first.action, first.screen) == (reported, "data_exchange", "CHOOSE")
    assert first.call == last.call
    assert f"the client reports {reported}, data_exchange of CHOOSE" in caplog.text
    assert "Zeppelin" not in caplog.text


@both_drivers
@pytest.mark.parametrize(("checks", "outcome"), [("log", "answered"), ("raise", "refused-answer")])
def test_a_refused_answer_is_an_event(
    receive: Receive, checks: str, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With Meta's key, the place and a sentence without a value; each problem is a line of the log."""
    events: list[Event] = []
    target = endpoint(on_event=events.append, checks=checks)
    target.fallback(lambda request: request.show("CHOOSE", dates="Zoë Zeppelin", count=1))
    receive(target, ask())
    first, last = events
    assert isinstance(first, AnswerRefused)
    assert first.sent is (checks == "log")
    assert [(it.key, it.path) for it in first.problems] == [("payload-schema-error", "/data/dates")]
    assert first.call == last.call
    assert finished(events).outcome == outcome
    record = next(it for it in caplog.records if getattr(it, "key", None) == "payload-schema-error")
    assert record.levelno == (logging.WARNING if checks == "log" else logging.ERROR)
    assert "data_exchange of CHOOSE" in record.getMessage()
    assert "Zeppelin" not in caplog.text


CHOSEN = "Zeppelin-7f3b"
PEERS = (CHOSEN, CHOSEN + "x" * 500_000, CHOSEN + "\n2026 ERROR")


@both_drivers
@pytest.mark.parametrize("name", PEERS, ids=["short", "long", "two lines"])
def test_names_that_a_peer_has_chosen_are_not_told(
    receive: Receive, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its keys, copied into an answer, and its screen, shown again: no record or event has them, or is long."""
    for shown, sent in [
        (lambda request: request.show("CONFIRM", **request.data), ask(screen="DETAILS", data={name: 1})),
        (lambda request: request.show("SUCCESS", **request.data), ask(data={name: 1})),
        (lambda request: request.show("CONFIRM", x={k: {1} for k in request.data}), ask(data={name + "!": 1})),
        (lambda request: request.same_screen(), ask(screen=name)),
        (lambda request: request.same_screen(), ask("INIT", name)),
        (lambda request: request.show(request.screen), ask("BACK", name)),
    ]:
        events: list[Event] = []
        target = endpoint(on_event=events.append)
        target.fallback(shown)
        caplog.clear()
        receive(target, sent)
        text = caplog.text + "".join(map(repr, events))
        assert "ERROR" in caplog.text or "WARNING" in caplog.text
        assert CHOSEN not in text
        assert len(text) < 3000


def test_a_misspelled_screen_is_reported_with_the_nearest_name(caplog: pytest.LogCaptureFixture) -> None:
    """Unless the request comes from an unknown screen: the handler may have repeated its name."""
    target = endpoint()
    target.fallback(lambda request: request.show("DETIALS"))
    for sent, text in [
        (ask(), "The Flow has no screen 'DETIALS'. Did you mean 'DETAILS'?"),
        (ask("INIT", ""), "The Flow has no screen 'DETIALS'. Did you mean 'DETAILS'?"),
        (ask("BACK", "unknown"), "The Flow has no such screen."),
    ]:
        caplog.clear()
        DRIVERS[0](target, sent)
        assert text in caplog.text


def test_an_end_without_a_flow_token_is_sent_to_a_client_that_gave_none(caplog: pytest.LogCaptureFixture) -> None:
    """Some clients leave the token out of their requests: the handler can do nothing about it."""
    target = endpoint(checks="raise")
    target.fallback(lambda request: request.finish(date="1"))
    assert DRIVERS[0](target, ask(flow_token=None)).outcome == "answered"


def test_events_can_be_copied_pickled_and_queued() -> None:
    """And they pass through the consumers that a client has."""
    events: list[Event] = []
    with QueuedConsumer(events.append) as queue:
        target = endpoint(on_event=[queue, RetryCounters()])
        target.fallback(lambda request: request.show("CONFIRM", a=1))
        receive(target, ask())
        receive(target, ask(data={"error": "timeout_error"}))
    assert [type(it).__name__ for it in events] == [
        "AnswerRefused",
        "EndpointRequestFinished",
        "ErrorNotified",
        "EndpointRequestFinished",
    ]
    for event in events:
        assert isinstance(event, EndpointEvent)
        assert pickle.loads(pickle.dumps(event)) == copy.deepcopy(event) == event
        json.dumps(asdict(event))


def test_a_consumer_that_fails_does_not_spoil_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    """Its first failure is logged."""

    def broken(event: Event) -> None:
        raise RuntimeError("the exporter is down")

    target = endpoint(on_event=broken)
    recording(target)
    assert [receive(target, ask()).outcome for _ in range(3)] == ["answered"] * 3
    assert caplog.text.count("An event consumer failed on EndpointRequestFinished") == 1


# -- log


@pytest.mark.parametrize(
    ("seconds", "alert"), [(0.9, None), (1.0, 1.0), (4.9, 1.0), (5.0, 5.0), (6.9, 5.0), (7.0, 7.0), (60.0, 7.0)]
)
def test_a_slow_answer_is_reported_at_metas_alert_levels(
    seconds: float, alert: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    """1, 5 and 7 seconds: the highest that was reached."""
    events: list[Event] = []
    clock = Clock()
    target = endpoint(on_event=events.append, clock=clock, time_limit=None)

    @target.init
    def slow(request: FlowRequest) -> Answer:
        clock.now += seconds
        return request.close()

    receive(target, ask("INIT", ""))
    assert finished(events).latency_alert == alert
    lines = [it for it in caplog.records if "Meta alerts at" in it.getMessage()]
    assert [vars(it)["latency_alert"] for it in lines] == ([] if alert is None else [alert])
    if alert is not None:
        assert lines[0].getMessage() == f"Flow endpoint: INIT took {seconds:.1f} s; Meta alerts at {alert:g} s"


def test_a_record_has_its_facts_in_extra(caplog: pytest.LogCaptureFixture) -> None:
    """So that nobody has to parse the text; a quiet answer is at the level DEBUG."""
    target = endpoint()
    recording(target)
    receive(target, ask())
    assert not caplog.records
    caplog.set_level(logging.DEBUG, "whatsapp_flows")
    sent = ask()
    answer = receive(target, sent)
    (record,) = caplog.records
    assert record.getMessage() == "Flow endpoint: answered (HTTP 200), data_exchange of CHOOSE"
    facts = vars(record)
    assert {name: facts[name] for name in ("action", "screen", "status", "outcome", "key_index")} == {
        "action": "data_exchange",
        "screen": "CHOOSE",
        "status": 200,
        "outcome": "answered",
        "key_index": 0,
    }
    assert (facts["request_bytes"], facts["answer_bytes"]) == (len(sent.body), len(answer.body))


@pytest.mark.parametrize(
    ("sent", "line", "level"),
    [
        (
            Sent(b"{}", b"", b""),
            "bad-signature (HTTP 432), a request that was not opened: X-Hub-Signature-256 is missing",
            logging.WARNING,
        ),
        (Sent(b"{}", b"", b"").signed(), "bad-envelope (HTTP 400), a request that was not opened", logging.WARNING),
        (seal(PING, key=1), "not-decrypted (HTTP 421), a request that was not opened: rsa", logging.WARNING),
        (seal(PING, iv_bytes=12), "not-decrypted (HTTP 421), a request that was not opened: iv-size", logging.WARNING),
        (seal(b"{"), "not-decrypted (HTTP 421), a request that was not opened: json", logging.WARNING),
        (ask(), "no-handler (HTTP 500), data_exchange of CHOOSE: register a handler, or a fallback", logging.ERROR),
    ],
)
def test_a_refusal_is_a_line_with_its_reason(
    sent: Sent, line: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is for the operator, and never sent."""
    receive(endpoint(), sent)
    (record,) = caplog.records
    assert (record.getMessage(), record.levelno) == (f"Flow endpoint: {line}", level)


def deep(text: str) -> Answer:
    raise LookupError(f"no row for {text}")


@both_drivers
def test_a_handler_that_raises_is_named_by_type_and_place(receive: Receive, caplog: pytest.LogCaptureFixture) -> None:
    """The line of the handler and the line that raised, in the host's code; not the text, which may quote anything."""
    target = endpoint()

    @target.fallback
    def chosen(request: FlowRequest) -> Answer:
        return deep(str(request.flow_token))

    receive(target, ask())
    (record,) = caplog.records
    first, second = chosen.__code__.co_firstlineno + 2, deep.__code__.co_firstlineno + 1
    assert record.getMessage() == (
        "Flow endpoint: handler-failed (HTTP 500), data_exchange of CHOOSE: "
        f"LookupError in deep ({__file__}:{second}), from chosen ({__file__}:{first})"
    )
    assert record.exc_info is None


def test_an_exception_without_a_frame_of_the_hosts_is_named_by_type(caplog: pytest.LogCaptureFixture) -> None:
    """As of a built-in function."""
    target = endpoint()
    target.fallback(len)  # type: ignore[type-var]
    receive(target, ask())
    assert caplog.records[0].getMessage().endswith("data_exchange of CHOOSE: TypeError")


@pytest.mark.parametrize(
    ("returned", "text"), [(None, "returned nothing"), ({"screen": "A"}, "returned a dict"), ("A", "returned a str")]
)
def test_what_is_no_answer_is_named_by_its_type(returned: object, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """With the handler, and what to return."""
    target = endpoint()

    @target.data_exchange("CHOOSE")  # type: ignore[type-var]
    def chosen(request: FlowRequest) -> object:
        return returned

    receive(target, ask())
    message = caplog.records[0].getMessage()
    assert "the handler for data_exchange of CHOOSE, " in message
    assert f"chosen, {text}: return a Show, Finish or Close" in message


# -- secrecy

NAME, CARD, TEXT = "Zeppelin-7f3b", "4111-1111-1111", "a text of the host's 55aa"
SECRETS = (NAME, CARD, TEXT, TOKEN, APP_SECRET, *(line for line in pem().splitlines() if len(line) > 40))


def troubled(consume: Callable[[Event], object]) -> Iterator[tuple[FlowEndpoint, Sent]]:
    """Endpoints and requests of which each goes wrong in another way."""
    make = functools.partial(endpoint, on_event=consume)
    data = {"name": NAME, "card": CARD}

    def raises(request: FlowRequest) -> Answer:
        raise RuntimeError(f"{request.data} {request.flow_token} {TEXT}")

    async def raises_later(request: FlowRequest) -> Answer:
        raise RuntimeError(f"{request.data} {request.flow_token} {TEXT}")

    async def too_long(request: FlowRequest) -> Answer:
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            raise RuntimeError(f"{request.data} {TEXT}") from None
        return request.close()

    def refuses(request: FlowRequest) -> Answer:
        raise InvalidToken(TEXT)

    def finds(info: RequestInfo) -> Any:
        raise RuntimeError(TEXT + pem())

    class Guard:
        def get(self, key: str) -> None:
            raise RuntimeError(TEXT)

        def put(self, key: str, answer: object) -> None:
            raise RuntimeError(TEXT)

    handlers: list[Any] = [raises, raises_later, too_long, refuses]
    handlers += [lambda request: data, lambda request: request.show("NOWHERE", **data)]
    handlers += [lambda request: request.show("CHOOSE", dates=[data], count=CARD, more=NAME)]
    handlers += [lambda request: request.finish(name={NAME}), lambda request: request.show(CARD, x=object())]
    for handler in handlers:
        for checks in ("raise", "log"):
            target = make(checks=checks, time_limit=0.2)
            target.fallback(handler)
            target.on_error(raises)
            yield target, ask(data=data, flow_token_signature=TOKEN)
            yield target, ask(NAME, CARD, data)
    yield target, ask(data={"error": f"{NAME} {CARD}", "error_message": TEXT})
    for options in ({"tokens": refuses}, {"tokens": raises}, {"keys": finds}, {"replay": Guard()}):
        target = make(**options)
        recording(target)
        yield target, ask(data=data)
    target = make(replay=RecentAnswers(), flow=None)
    target.fallback(refuses)
    yield target, ask(data=data)
    yield target, seal(f'{{"name":"{NAME}"'.encode())
    yield target, Sent(f'{{"encrypted_flow_data":"{CARD}"'.encode(), b"", b"").signed()
    yield target, Sent(NAME.encode(), b"", b"", {"X-Hub-Signature-256": TOKEN})


@both_drivers
def test_nothing_of_a_user_a_token_or_a_key_is_reported(
    receive: Receive, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in a log record, an event, a repr, or on standard error, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    reported: list[str] = []
    count = 0

    def consume(event: Event) -> None:
        reported.append(repr(event))

    for target, sent in troubled(consume):
        answer = receive(target, sent)
        reported += [repr(answer), repr(target), repr(target._settings), repr(target._settings.replay)]
        count += 1
    assert count > 40
    for record in caplog.records:
        reported += [record.getMessage(), repr(vars(record)), logging.Formatter().format(record)]
    reported += capfd.readouterr()
    for secret in SECRETS:
        assert not [text for text in reported if secret in text], secret


def test_no_traceback_of_the_options_shows_a_secret() -> None:
    """A tracker of errors shows the local variables of each frame."""
    for options in ({"checks": "no"}, {"max_body": -1}, {"flow": "no such file"}, {"on_event": 5}):
        with pytest.raises(ValueError) as caught:
            endpoint(**options)
        stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        shown = [str(it.locals) for it in stack if "whatsapp_flows/endpoint" in it.filename]
        assert shown
        assert not [text for text in shown if APP_SECRET in text]


@pytest.mark.parametrize("given", [APP_SECRET + "\n", [APP_SECRET, ""], APP_SECRET + "\ud800"])
def test_no_traceback_of_a_refused_secret_shows_it(given: Any) -> None:
    """Not in a frame of the endpoint either, whose repr is whole by then."""
    with pytest.raises(ConfigurationError) as caught:
        endpoint(app_secrets=given)
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    shown = [str(it.locals) for it in stack if "whatsapp_flows/endpoint" in it.filename]
    assert "FlowEndpoint(0 handlers" in shown[0]
    assert not [text for text in shown if APP_SECRET in text]
