"""The table of statuses, row by row, through `receive` and `areceive`."""

from __future__ import annotations

import json
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from tests.endpoint.exchanges import (
    APP_SECRET,
    DRIVERS,
    PING,
    SIGNATURE,
    TOKEN,
    Receive,
    Sent,
    ask,
    endpoint,
    oaep,
    pem,
    seal,
    signature,
)
from whatsapp_flows.endpoint import (
    Answer,
    Close,
    FlowEndpoint,
    FlowRequest,
    HttpAnswer,
    InvalidToken,
    PrivateKeys,
)

both_drivers = pytest.mark.parametrize("receive", DRIVERS, ids=lambda it: it.__name__)
DATES = {"dates": [{"id": "1"}], "count": 1}


@pytest.fixture
def booking() -> FlowEndpoint:
    """An endpoint whose handlers answer each request."""
    found = endpoint()

    @found.init
    def start(request: FlowRequest) -> Answer:
        return request.show("CHOOSE", **DATES)

    @found.data_exchange("CHOOSE")
    def chosen(request: FlowRequest) -> Answer:
        return request.show("CONFIRM")

    @found.fallback
    def others(request: FlowRequest) -> Answer:
        return request.close()

    return found


def refused(answer: HttpAnswer, status: int, outcome: str) -> None:
    """An answer with this status, without a body."""
    assert (answer.status, answer.outcome, answer.body, dict(answer.headers)) == (status, outcome, b"", {})


def answered(answer: HttpAnswer, status: int = 200, outcome: str = "answered") -> None:
    """An encrypted answer."""
    assert (answer.status, answer.outcome, dict(answer.headers)) == (status, outcome, {"Content-Type": "text/plain"})


# -- size


@both_drivers
@pytest.mark.parametrize("size", [1001, 1002, 5000])
def test_a_body_over_the_limit_is_413(receive: Receive, size: int) -> None:
    """Before its signature is looked at, and whatever it is."""
    target = endpoint(max_body=1000)
    refused(receive(target, Sent(b" " * size, b"", b"").signed()), 413, "too-large")


@both_drivers
def test_a_body_of_the_limit_is_read(receive: Receive) -> None:
    """`max_body` bytes are allowed."""
    sent = seal(PING)
    target = endpoint(max_body=len(sent.body))
    assert target.max_body == len(sent.body)
    answered(receive(target, sent), 200, "ping")
    refused(receive(endpoint(max_body=len(sent.body) - 1), sent), 413, "too-large")


# -- signature


@both_drivers
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha256=" + "0" * 63,
        "sha1=" + "0" * 40,
        "sha256=" + "é" * 64,
        "\udcff",
        b"sha256=".decode() + "0" * 100_000,
    ],
)
def test_a_signature_that_is_missing_malformed_or_wrong_is_432(
    receive: Receive, header: str | None, booking: FlowEndpoint
) -> None:
    """With an empty body."""
    sent = ask()
    headers = {} if header is None else {SIGNATURE: header}
    refused(receive(booking, replace(sent, headers=headers)), 432, "bad-signature")


@both_drivers
def test_a_signature_of_other_bytes_or_another_secret_is_432(receive: Receive, booking: FlowEndpoint) -> None:
    """The raw bytes count: white space, an escape, a prefix, a header in upper case."""
    sent = ask()
    for body in (sent.body + b"\n", sent.body.replace(b"/", b"\\/"), b"", b"{}"):
        refused(receive(booking, replace(sent, body=body + b" ")), 432, "bad-signature")
    refused(receive(booking, sent.signed("another secret")), 432, "bad-signature")
    upper = {SIGNATURE: signature(sent.body).upper()}
    refused(receive(booking, replace(sent, headers=upper)), 432, "bad-signature")


@both_drivers
@pytest.mark.parametrize("name", [SIGNATURE, SIGNATURE.lower(), SIGNATURE.upper(), "x-HUB-signature-256"])
def test_the_names_of_headers_are_in_any_case(receive: Receive, name: str) -> None:
    """As HTTP has it."""
    sent = seal(PING)
    answered(receive(endpoint(), replace(sent, headers={"Host": "a", name: signature(sent.body)})), 200, "ping")


@both_drivers
def test_one_of_several_secrets_is_enough(receive: Receive) -> None:
    """While Meta changes from the old secret to the new one."""
    target = endpoint(app_secrets=("new", APP_SECRET))
    answered(receive(target, seal(PING)), 200, "ping")
    answered(receive(target, seal(PING).signed("new")), 200, "ping")
    refused(receive(target, seal(PING).signed("newer")), 432, "bad-signature")


@both_drivers
@pytest.mark.parametrize(
    ("header", "note"),
    [
        (None, "X-Hub-Signature-256 is missing"),
        ("", "is malformed"),
        ("sha256=" + "A" * 64, "is malformed"),
        ("sha1=" + "a" * 64, "is malformed"),
        ("sha256=" + "a" * 64 + "\n", "is malformed"),
        ("sha256=" + "a" * 64, "signed with none of the app_secrets"),
    ],
)
def test_the_log_says_why_a_signature_is_refused(
    receive: Receive, header: str | None, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a part of it."""
    headers = {} if header is None else {SIGNATURE: header}
    receive(endpoint(), replace(seal(PING), headers=headers))
    assert note in caplog.text
    assert "aaaa" not in caplog.text.lower()


# -- envelope


@both_drivers
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"\x80",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 100_000,
        json.dumps({"encrypted_flow_data": "", "encrypted_aes_key": ""}).encode(),
        json.dumps({"encrypted_flow_data": "", "encrypted_aes_key": "", "initial_vector": None}).encode(),
        json.dumps({"encrypted_flow_data": 1, "encrypted_aes_key": "", "initial_vector": ""}).encode(),
        json.dumps({"encrypted_flow_data": "", "encrypted_aes_key": ["a"], "initial_vector": ""}).encode(),
    ],
    ids=lambda it: repr(it[:20]),
)
def test_a_body_without_the_three_texts_is_400(receive: Receive, body: bytes, booking: FlowEndpoint) -> None:
    """No JSON, no object, a text that is missing or none."""
    refused(receive(booking, Sent(body, b"", b"").signed()), 400, "bad-envelope")


# -- decryption


def spoiled() -> Iterator[tuple[str, Sent]]:
    plain = json.dumps({"action": "INIT", "version": "3.0"}).encode()
    yield "another RSA key", seal(plain, key=1)
    yield "MGF1 with SHA-1", seal(plain, padding=oaep(mgf=hashes.SHA1()))
    yield "SHA-1 twice", seal(plain, padding=oaep(hashes.SHA1(), hashes.SHA1()))
    yield "an AES key of 32 bytes", seal(plain, aes_bytes=32)
    yield "a nonce of 12 bytes", seal(plain, iv_bytes=12)
    yield "a changed tag", seal(plain, spoil=lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    yield "a changed ciphertext", seal(plain, spoil=lambda data: bytes([data[0] ^ 1]) + data[1:])
    yield "a short tag", seal(plain, spoil=lambda data: data[:-4])
    yield "no tag", seal(plain, spoil=lambda data: data[:-16])
    yield "no data", seal(plain, spoil=lambda _: b"")
    yield "URL-safe base64", seal(plain * 20, encode=urlsafe_b64encode)
    yield "base64 with line ends", seal(plain, encode=lambda data: b64encode(data) + b"\n")
    yield "base64 without padding", seal(plain, encode=lambda data: b64encode(data).rstrip(b"="))
    yield "base64 with junk", seal(plain, encode=lambda data: b"*" + b64encode(data))
    yield "a text beyond ASCII", seal(plain, initial_vector="é" * 24)
    yield "half a surrogate pair", seal(plain, encrypted_aes_key="\ud800")
    yield "no text", seal(b"")
    yield "no JSON", seal(b"{")
    yield "no object", seal(b'["ping"]')
    yield "a bare text", seal(b'"ping"')
    yield "no UTF-8", seal(b'{"action":"\xff"}')
    yield "UTF-16", seal('{"action":"ping"}'.encode("utf-16"))
    yield "a byte order mark", seal(b"\xef\xbb\xbf" + PING)
    yield "NaN", seal(b'{"action":"INIT","data":{"a":NaN}}')
    yield "a number that is infinite", seal(b'{"action":"INIT","data":{"a":1e999}}')
    yield "deep nesting", seal(b'{"action":"INIT","data":' + b"[" * 100_000)


@both_drivers
def test_what_cannot_be_decrypted_is_421(receive: Receive, booking: FlowEndpoint) -> None:
    """One uniform answer: nothing says which step failed."""
    for what, sent in spoiled():
        answer = receive(booking, sent)
        assert (what, answer) == (what, HttpAnswer(421, {}, b"", "not-decrypted"))


@both_drivers
def test_any_of_several_keys_opens_a_request(receive: Receive) -> None:
    """The newest is first; clients use the older one until they are answered 421."""
    target = endpoint(PrivateKeys(pem(0), pem(1)))
    for key in (0, 1):
        answered(receive(target, seal(PING, key=key)), 200, "ping")


# -- ping


@both_drivers
@pytest.mark.parametrize(
    "document",
    [
        {"version": "3.0", "action": "ping"},
        {"action": "ping"},
        {"action": "ping", "version": 4, "flow_token": "x", "screen": "NOWHERE", "data": {"error": "timeout_error"}},
        {"action": "ping", "data": None, "flow_token": None},
    ],
)
def test_a_ping_is_answered_before_anything_of_the_hosts(receive: Receive, document: dict[str, Any]) -> None:
    """No handler, no token check, no consumer and no replay guard can spoil it."""

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    class Guard:
        get = put = staticmethod(broken)

    target = endpoint(tokens=broken, on_event=broken, replay=Guard())
    target.fallback(broken)  # type: ignore[type-var]
    target.on_error(broken)
    sent = seal(json.dumps(document).encode())
    answer = receive(target, sent)
    answered(answer, 200, "ping")
    assert sent.opened(answer) == {"data": {"status": "active"}}


# -- error notification


@both_drivers
@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("data_exchange", {"error": "payload-schema-error", "error_message": "wrong"}),
        ("INIT", {"error_key": "timeout_error"}),
        ("navigate", {"error": "invalid-screen-transition"}),
        ("BACK", {"error": "", "error_message": ""}),
        ("data_exchange", {"error": "a", "error_key": "b", "error_message": "c"}),
        ("data_exchange", {"error": None, "error_key": "Timeout-Error_2"}),
    ],
)
def test_an_error_notification_is_acknowledged(
    receive: Receive, action: str, data: dict[str, str], booking: FlowEndpoint
) -> None:
    """Whatever its action is; the host is told, and no handler is called."""
    notifications: list[FlowRequest] = []
    booking.on_error(notifications.append)
    sent = ask(action, "", data, flow_token="")
    answer = receive(booking, sent)
    answered(answer, 200, "error-notified")
    assert sent.opened(answer) == {"data": {"acknowledged": True}}
    error = data.get("error")
    assert [it.error_key for it in notifications] == [data.get("error_key") if error is None else error]
    assert notifications[0].error_message == data.get("error_message")


@both_drivers
@pytest.mark.parametrize(
    "data",
    [
        {"error": "other", "name": "Zoë"},
        {"error": {"code": 1}},
        {"error": "my engine is broken"},
        {"error": "Zoë"},
        {"error": "timeout_error\n"},
        {"error": "no power", "error_message": "text"},
        {"error": None, "error_message": "text"},
        {"error_message": "text"},
        {"errors": "x"},
        {},
    ],
)
def test_a_form_with_a_field_named_error_is_no_notification(
    receive: Receive, data: dict[str, object], booking: FlowEndpoint
) -> None:
    """It goes to its handler."""
    answered(receive(booking, ask(data=data)))


@both_drivers
def test_a_notification_is_acknowledged_whatever_the_host_does(receive: Receive, booking: FlowEndpoint) -> None:
    """It raises, or takes too long."""
    release = threading.Event()
    for observer in (lambda _: 1 / 0, lambda _: release.wait(30)):
        target = endpoint(time_limit=0.2)
        target.on_error(observer)
        answered(receive(target, ask(data={"error": "timeout_error"})), 200, "error-notified")
    release.set()


# -- token


@both_drivers
@pytest.mark.parametrize("text", ["This form has expired.", "", 'Zoë said "no" \ud83d', "x" * 5000])
def test_a_refused_token_is_427_with_an_encrypted_text(receive: Receive, text: str) -> None:
    """Whether `tokens` or the handler refuses it, plain or asynchronous, and also where there is no handler."""

    def refuse(request: FlowRequest) -> Answer:
        raise InvalidToken(text)

    async def refuse_later(request: FlowRequest) -> Answer:
        raise InvalidToken(text)

    targets = [endpoint(tokens=refuse), endpoint(tokens=refuse), endpoint()]
    targets[1].init(lambda request: Close())
    targets[2].init(refuse)
    if receive.__name__ == "areceive":
        targets += [endpoint(tokens=refuse_later), endpoint()]
        targets[-1].init(refuse_later)
    for target in targets:
        sent = ask("INIT", "")
        answer = receive(target, sent)
        answered(answer, 427, "token-refused")
        assert sent.opened(answer) == {"error_msg": text or "This form is no longer valid. Please ask for a new one."}


# -- handlers


@both_drivers
@pytest.mark.parametrize("action", ["INIT", "data_exchange", "BACK", "navigate", "", "on_error", "fallback"])
def test_without_a_handler_it_is_500(receive: Receive, action: str) -> None:
    """Also for an action that is the name of a decorator."""
    target = endpoint()
    target.on_error(lambda request: None)
    refused(receive(target, ask(action, "DETAILS")), 500, "no-handler")


NONSENSE: list[object] = [None, {}, {"screen": "CHOOSE", "data": {}}, "CHOOSE", 42, Close, [Close()], HttpAnswer]


@both_drivers
@pytest.mark.parametrize("returned", NONSENSE, ids=repr)
def test_what_is_no_answer_is_500(receive: Receive, returned: object) -> None:
    """A handler returns a `Show`, `Finish` or `Close`."""
    target = endpoint()
    target.fallback(lambda request: returned)  # type: ignore[type-var]
    refused(receive(target, ask()), 500, "handler-failed")


@both_drivers
@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError(TOKEN), TimeoutError(), StopIteration(), MemoryError()])
def test_a_handler_that_raises_is_500(receive: Receive, error: Exception) -> None:
    """Whatever it raises."""

    def broken(request: FlowRequest) -> Answer:
        raise error

    target = endpoint()
    target.fallback(broken)
    refused(receive(target, ask()), 500, "handler-failed")


# -- the answer's check


@both_drivers
@pytest.mark.parametrize(
    "wrong",
    [
        lambda request: request.show("NOWHERE"),
        lambda request: request.show("CHOOSE", dates="none", count=1),
        lambda request: request.show("CONFIRM", unexpected=1),
    ],
)
def test_an_answer_that_the_client_would_refuse(receive: Receive, wrong: Any) -> None:
    """`raise` answers 500, `log` and `off` send it."""
    for checks in ("raise", "log", "off"):
        target = endpoint(checks=checks)
        target.fallback(wrong)
        answer = receive(target, ask())
        if checks == "raise":
            refused(answer, 500, "refused-answer")
        else:
            answered(answer)


# -- answered


@both_drivers
@pytest.mark.parametrize(
    ("answer", "plaintext"),
    [
        (lambda it: it.show("CONFIRM"), {"screen": "CONFIRM", "data": {}}),
        (
            lambda it: it.same_screen(error="Taken.", errors={"date": "Another."}, **DATES),
            {"screen": "CHOOSE", "data": {**DATES, "error_message": "Taken.", "error_messages": {"date": "Another."}}},
        ),
        (
            lambda it: it.finish(id="7"),
            {"screen": "SUCCESS", "data": {"extension_message_response": {"params": {"flow_token": TOKEN, "id": "7"}}}},
        ),
        (lambda it: it.close(), {"screen": "SUCCESS", "data": {}}),
        (
            lambda it: it.show("CONFIRM", text="Zoë \u2028 \ud800"),
            {"screen": "CONFIRM", "data": {"text": "Zoë \u2028 \ud800"}},
        ),
    ],
)
def test_an_answer_is_sent_as_bare_base64(receive: Receive, answer: Any, plaintext: object) -> None:
    """With status 200 and `text/plain`, without quotes."""
    target = endpoint()
    target.fallback(answer)
    sent = ask()
    found = receive(target, sent)
    answered(found)
    assert sent.opened(found) == plaintext
