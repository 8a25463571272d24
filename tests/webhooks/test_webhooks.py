"""`Webhooks`: the verification of the URL, signatures, the answers to a webhook, and its handler."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.webhooks.samples import (
    ALL_CHANGES,
    AVAILABILITY,
    MESSAGE_ID,
    SECRET,
    STATUS_CHANGE,
    USER,
    VERIFY_TOKEN,
    body_of,
    completion,
    messages,
    signed,
    webhook,
)
from whatsapp_flows import ConfigurationError, Secret
from whatsapp_flows.webhooks import (
    FlowCompleted,
    HttpAnswer,
    SignatureError,
    WebhookEvent,
    WebhookFormatError,
    Webhooks,
)

BODY = body_of(webhook(STATUS_CHANGE, messages(completion()), AVAILABILITY))
CHALLENGE = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444"}


def facts(answer: HttpAnswer) -> tuple[int, str]:
    return answer.status, answer.outcome


def both_ways(hooks: Webhooks, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """What `receive` and `areceive` answer alike; an error has no body."""
    answer = hooks.receive(body, headers)
    assert answer == asyncio.run(hooks.areceive(body, headers))
    assert answer.body == b""
    return facts(answer)


# The configuration


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"app_secrets": None},
        {"app_secrets": ""},
        {"app_secrets": "  "},
        {"app_secrets": []},
        {"app_secrets": [SECRET, ""]},
        {"app_secrets": [SECRET, None]},
        {"app_secrets": 7},
        {"app_secrets": SECRET, "verify_token": ""},
        {"app_secrets": SECRET, "verify_token": " "},
        {"app_secrets": SECRET, "verify_token": 7},
        {"app_secrets": SECRET, "handler": "save"},
        {"verify_signature": None},
        {"app_secrets": SECRET, "verify_signature": None},
        {"app_secrets": SECRET, "verify_signature": "false"},
        {"app_secrets": SECRET, "max_body": 0},
        {"app_secrets": SECRET, "max_body": True},
        {"app_secrets": SECRET, "max_body": 1.5},
    ],
    ids=str,
)
def test_what_would_let_anybody_in_is_refused(arguments: dict[str, Any]) -> None:
    """At once, and the message quotes no secret."""
    with pytest.raises(ConfigurationError) as caught:
        Webhooks(**arguments)
    assert SECRET not in str(caught.value)
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    own = [frame for frame in stack if "tests" not in frame.filename]
    assert own
    assert SECRET not in str([frame.locals for frame in own])


def test_a_host_that_has_verified_the_signature_says_so() -> None:
    """Then no header is looked at."""
    for hooks in (Webhooks(verify_signature=False), Webhooks(app_secrets=SECRET, verify_signature=False)):
        assert len(hooks.parse(BODY, {})) == 3


def test_nothing_shows_the_secrets() -> None:
    """Neither the repr nor a pickle."""
    hooks = Webhooks(app_secrets=[SECRET, "older"], verify_token=VERIFY_TOKEN)
    assert repr(hooks) == "Webhooks(app_secrets=2, max_body=3145728, handler=False)"
    with pytest.raises(TypeError, match="Secret is not pickled"):
        pickle.dumps(hooks)


# Meta's GET


def test_the_challenge_is_answered() -> None:
    """As plain text, byte for byte; the token may be a `Secret`."""
    for token in (VERIFY_TOKEN, Secret(VERIFY_TOKEN)):
        answer = Webhooks(app_secrets=SECRET, verify_token=token).verify(CHALLENGE)
        assert (facts(answer), answer.body) == ((200, "verified"), b"1158201444")
        assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "changes",
    [
        {"hub.mode": "unsubscribe"},
        {"hub.mode": None},
        {"hub.verify_token": "another"},
        {"hub.verify_token": ""},
        {"hub.verify_token": None},
        {"hub.verify_token": VERIFY_TOKEN.upper()},
        {"hub.verify_token": "tökén\udc80"},
        {"hub.verify_token": [VERIFY_TOKEN]},
        {"hub.challenge": None},
        {"hub.challenge": ""},
        {"hub.challenge": "1" * 1025},
        {"hub.challenge": ["1"]},
    ],
    ids=str,
)
def test_any_other_get_is_refused(changes: dict[str, Any]) -> None:
    """With 403, and nothing of the request."""
    query = {key: value for key, value in (CHALLENGE | changes).items() if value is not None}
    answer = Webhooks(app_secrets=SECRET, verify_token=VERIFY_TOKEN).verify(query)
    assert (facts(answer), answer.body) == ((403, "not-verified"), b"")


@pytest.mark.parametrize("token", ["", "None", VERIFY_TOKEN])
def test_without_a_token_no_verification_succeeds(token: str) -> None:
    """No text is the right one."""
    answer = Webhooks(app_secrets=SECRET).verify(CHALLENGE | {"hub.verify_token": token})
    assert facts(answer) == (403, "not-verified")


# Signatures


def test_several_secrets_while_one_replaces_another() -> None:
    """Each of them is accepted, also as `Secret`; another one is not."""
    hooks = Webhooks(app_secrets=["new", Secret("old")])
    for secret in ("new", "old"):
        assert both_ways(hooks, BODY, signed(BODY, secret)) == (200, "received")
    assert both_ways(hooks, BODY, signed(BODY, "oldest")) == (403, "bad-signature")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": signed(BODY)["X-Hub-Signature-256"][:-1]},
        {"X-Hub-Signature-256": signed(BODY)["X-Hub-Signature-256"].removeprefix("sha256=")},
        {"X-Hub-Signature-256": "sha256=" + "é" * 64},
        {"X-Hub-Signature": signed(BODY)["X-Hub-Signature-256"]},
        {"X-Hub-Signature-256": None},
        signed(BODY + b" "),
        signed(BODY, VERIFY_TOKEN),
    ],
    ids=str,
)
def test_a_wrong_signature_is_refused(headers: dict[str, Any]) -> None:
    """`parse` raises, the receivers answer 403; the message holds nothing of the request."""
    hooks = Webhooks(app_secrets=SECRET, verify_token=VERIFY_TOKEN)
    with pytest.raises(SignatureError) as caught:
        hooks.parse(BODY, headers)
    assert USER not in str(caught.value)
    assert both_ways(hooks, BODY, headers) == (403, "bad-signature")


@pytest.mark.parametrize("name", ["x-hub-signature-256", "X-HUB-SIGNATURE-256", "X-Hub-Signature-256"])
def test_the_name_of_the_header_is_in_any_case(name: str) -> None:
    """Frameworks write it differently."""
    headers = {"Host": "example.org", name: signed(BODY)["X-Hub-Signature-256"]}
    assert both_ways(Webhooks(app_secrets=SECRET), BODY, headers) == (200, "received")


def test_the_raw_bytes_are_signed() -> None:
    """Escaped letters, slashes and emoji verify as they arrived."""
    body = body_of(webhook(messages(completion({"name": "Zoë/😀 @"})))).replace(b"/", rb"\/")
    (event,) = Webhooks(app_secrets=SECRET).parse(body, signed(body))
    assert isinstance(event, FlowCompleted)
    assert event.answers == {"name": "Zoë/😀 @"}
    with pytest.raises(SignatureError):
        Webhooks(app_secrets=SECRET).parse(json.dumps(json.loads(body), ensure_ascii=False).encode(), signed(body))


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_any_kind_of_bytes_is_read(kind: Callable[[bytes], Any]) -> None:
    """Servers pass what they have."""
    assert len(Webhooks(app_secrets=SECRET).parse(kind(BODY), signed(BODY))) == 3


@pytest.mark.parametrize("body", [BODY.decode(), json.loads(BODY), None])
def test_a_body_that_is_not_bytes_is_the_hosts_mistake(body: Any) -> None:
    """A parsed body cannot be verified: the message asks for the raw one."""
    with pytest.raises(ConfigurationError, match="raw bytes"):
        Webhooks(app_secrets=SECRET).parse(body, signed(BODY))


# The body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"\xff\xfe", "json"),
        (BODY.decode().encode("utf-16"), "json"),
        (b'{"entry": [NaN]}', "json"),
        (b'{"entry": [' + b"9" * 5000 + b"]}", "json"),
        (b"[" * 100_000, "json"),
        (b'{"entry": ' + b"[" * 500 + b"]" * 500 + b"}", "json"),
        (b"null", "shape"),
        (b"[]", "shape"),
        (b"{}", "shape"),
        (b'{"entry": {}}', "shape"),
        (b'{"encrypted_flow_data": "", "encrypted_aes_key": "", "initial_vector": ""}', "shape"),
        (b'{"entry": [' + b"{}," * 10_000 + b"{}]}", "shape"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:20]),
)
def test_what_is_no_webhook_is_a_distinct_error(body: bytes, reason: str) -> None:
    """It is signed, so the signature is not what is wrong."""
    hooks = Webhooks(app_secrets=SECRET)
    with pytest.raises(WebhookFormatError) as caught:
        hooks.parse(body, signed(body))
    assert caught.value.reason == reason
    assert pickle.loads(pickle.dumps(caught.value)).reason == reason
    assert both_ways(hooks, body, signed(body)) == (400, "bad-envelope")


def test_the_largest_webhook_and_the_next() -> None:
    """10,000 events, and 64 levels."""
    hooks = Webhooks(app_secrets=SECRET)
    body = b'{"entry": [' + b"{}," * 9_999 + b"{}]}"
    assert len(hooks.parse(body, signed(body))) == 10_000
    for depth, status in ((63, 200), (64, 400)):
        body = b'{"entry": ' + b"[" * depth + b"]" * depth + b"}"
        assert hooks.receive(body, signed(body)).status == status


def test_a_large_body_is_refused_before_it_is_looked_at() -> None:
    """413, whether or not it is signed."""
    hooks = Webhooks(app_secrets=SECRET, max_body=len(BODY) - 1)
    assert hooks.max_body == len(BODY) - 1
    assert both_ways(hooks, BODY, {}) == (413, "too-large")
    assert both_ways(Webhooks(app_secrets=SECRET, max_body=len(BODY)), BODY, signed(BODY)) == (200, "received")
    with pytest.raises(WebhookFormatError, match="more than 1 bytes"):
        Webhooks(app_secrets=SECRET, max_body=1).parse(BODY, {})


# The handler


def test_the_handler_gets_each_event_in_order() -> None:
    """The same events as `parse` returns, in either driver, and in no other case."""
    seen: list[WebhookEvent] = []
    hooks = Webhooks(app_secrets=SECRET, handler=seen.append)
    assert facts(hooks.receive(BODY, signed(BODY))) == (200, "received")
    assert facts(hooks.receive(BODY, {})) == (403, "bad-signature")
    assert tuple(seen) == hooks.parse(BODY, signed(BODY))
    seen.clear()
    assert facts(asyncio.run(hooks.areceive(BODY, signed(BODY)))) == (200, "received")
    assert tuple(seen) == hooks.parse(BODY, signed(BODY))


class AsyncCallable:
    """A callable object that is asynchronous, without being a coroutine function."""

    def __init__(self) -> None:
        self.seen: list[WebhookEvent] = []

    async def __call__(self, event: WebhookEvent) -> None:
        await asyncio.sleep(0)
        self.seen.append(event)


def test_an_asynchronous_handler_is_awaited_on_the_loop() -> None:
    """A coroutine function on the loop's own thread, and whatever returns an awaitable, too."""
    one = AsyncCallable()
    threads: set[threading.Thread] = set()

    async def two(event: WebhookEvent) -> None:
        threads.add(threading.current_thread())
        await one(event)

    def three(event: WebhookEvent) -> object:
        return two(event)

    for handler in (two, one, partial(two), three):
        one.seen.clear()
        hooks = Webhooks(app_secrets=SECRET, handler=handler)
        assert facts(asyncio.run(hooks.areceive(BODY, signed(BODY)))) == (200, "received")
        assert len(one.seen) == 3
    assert threads == {threading.main_thread()}


def test_a_plain_handler_does_not_hold_up_the_loop() -> None:
    """It runs in a thread: while it waits for the loop, the loop goes on."""

    async def scenario() -> tuple[int, str]:
        loop = asyncio.get_running_loop()
        reached = asyncio.Event()
        released = threading.Event()

        def handler(_event: WebhookEvent) -> None:
            loop.call_soon_threadsafe(reached.set)
            assert released.wait(30)

        hooks = Webhooks(app_secrets=SECRET, handler=handler)
        answer = asyncio.ensure_future(hooks.areceive(BODY, signed(BODY)))
        await reached.wait()
        released.set()
        return facts(await answer)

    assert asyncio.run(scenario()) == (200, "received")


def test_after_a_failure_meta_delivers_again(caplog: pytest.LogCaptureFixture) -> None:
    """500; the other events are handled; one log line says what failed and where, and not what a user entered."""
    seen: list[WebhookEvent] = []

    def save(event: WebhookEvent) -> None:
        seen.append(event)
        if event.dedupe_key == MESSAGE_ID:
            raise LookupError(f"no such guest: {event.raw}")

    hooks = Webhooks(app_secrets=SECRET, handler=save)
    assert both_ways(hooks, BODY, signed(BODY)) == (500, "handler-failed")
    assert len(seen) == 6
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    for record in caplog.records:
        text = logging.Formatter().format(record)
        assert text.startswith("The webhook handler failed on 1 of 3 events, first on FlowCompleted: LookupError in ")
        assert "save (" in text
        assert "test_webhooks.py" in text
        assert USER not in text


def test_an_asynchronous_handler_needs_areceive(caplog: pytest.LogCaptureFixture) -> None:
    """`receive` cannot await it: 500, so that nothing is lost, and the log says what to do."""
    hooks = Webhooks(app_secrets=SECRET, handler=AsyncCallable())
    assert facts(hooks.receive(BODY, signed(BODY))) == (500, "handler-failed")
    assert "serve it with areceive" in caplog.text


def test_an_awaitable_without_close_is_refused_too() -> None:
    """Whatever is awaitable was not done."""

    class Awaitable:
        def __await__(self) -> Any:
            yield

    hooks = Webhooks(app_secrets=SECRET, handler=lambda _event: Awaitable())
    assert facts(hooks.receive(BODY, signed(BODY))) == (500, "handler-failed")


def test_without_a_handler_a_webhook_is_acknowledged_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Meta is told 200; a warning names the number of events."""
    assert both_ways(Webhooks(app_secrets=SECRET), BODY, signed(BODY)) == (200, "received")
    assert caplog.messages == ["A webhook with 3 events was acknowledged, but Webhooks has no handler"] * 2


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_goes_on(stop: type[BaseException]) -> None:
    """It is not the handler's failure."""

    def handler(_event: WebhookEvent) -> None:
        raise stop

    with pytest.raises(stop):
        Webhooks(app_secrets=SECRET, handler=handler).receive(BODY, signed(BODY))


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals")
def test_the_exception_of_a_signal_handler_goes_on() -> None:
    """A worker's time limit is not the handler's failure, in either driver."""

    class TimeLimitError(Exception):
        pass

    def expire(_number: int, _frame: object) -> None:
        raise TimeLimitError

    async def later(_event: WebhookEvent) -> None:
        signal.raise_signal(signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, expire)
    try:
        hooks = Webhooks(app_secrets=SECRET, handler=lambda _event: signal.raise_signal(signal.SIGUSR1))
        with pytest.raises(TimeLimitError):
            hooks.receive(BODY, signed(BODY))
        with pytest.raises(TimeLimitError):
            asyncio.run(Webhooks(app_secrets=SECRET, handler=later).areceive(BODY, signed(BODY)))
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_cancellation_goes_on() -> None:
    """A client that has gone, or a server that stops, ends the handler."""

    async def scenario() -> None:
        async def handler(_event: WebhookEvent) -> None:
            await asyncio.Event().wait()

        task = asyncio.ensure_future(Webhooks(app_secrets=SECRET, handler=handler).areceive(BODY, signed(BODY)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


# Whatever arrives

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(body=st.binary(max_size=300), header=st.none() | st.text(max_size=80))
@settings(max_examples=some(200))
def test_random_bytes_never_raise(body: bytes, header: str | None) -> None:
    """Signed or not: 403, or 400 for those that are signed."""
    hooks = Webhooks(app_secrets=SECRET)
    headers = {} if header is None else {"X-Hub-Signature-256": header}
    assert facts(hooks.receive(body, headers)) == (403, "bad-signature")
    assert hooks.receive(body, signed(body)).status in {200, 400}


@given(data=st.data())
@settings(max_examples=some(120))
def test_a_mutated_webhook_never_raises_and_loses_nothing(data: st.DataObject) -> None:
    """Any value in any place: 200, or 400 for what is no JSON; each event has a key, and the last entry is read."""
    document = json.loads(body_of(webhook(*ALL_CHANGES)))
    place: Any = document["entry"][0]["changes"]
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not (isinstance(place[key], (dict, list)) and place[key]) or data.draw(st.integers(0, 3)) == 0:
            break
        place = place[key]
    place[key] = data.draw(JSON)
    document["entry"] += webhook(AVAILABILITY)["entry"]
    body = body_of(document)
    seen: list[WebhookEvent] = []
    answer = Webhooks(app_secrets=SECRET, handler=seen.append).receive(body, signed(body))
    if answer.status == 400:
        assert b"NaN" in body or b"Infinity" in body
        return
    assert facts(answer) == (200, "received")
    assert type(seen[-1]).__name__ == "EndpointAvailability"
    for event in seen:
        assert event.dedupe_key.isprintable()
        assert len(event.dedupe_key) <= 200
        assert type(event).__name__ in repr(event)
        hash(event)
    assert pickle.loads(pickle.dumps(seen)) == seen
