"""`EndpointClient` against an endpoint that shares no code with the package."""

from __future__ import annotations

import asyncio
import json
import pickle
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest

from tests.endpoint.plain_crypto import Sealed, gcm_encrypt, sign
from tests.endpoint.plain_endpoint import PlainEndpoint
from whatsapp_flows import ConfigurationError, Secret
from whatsapp_flows.endpoint import EndpointClient, EndpointReply, KeyPair, Tamper
from whatsapp_flows.endpoint.caller import FAULTS
from whatsapp_flows.signatures import verify_flow_token

SECRET = "0123456789abcdef0123456789abcdef"
SCREEN = {"screen": "DETAILS", "data": {"name": "Zoë", "error_message": "Taken."}}
Make = Callable[..., tuple[PlainEndpoint, EndpointClient]]


@pytest.fixture
def make(flow_key_pair: KeyPair) -> Make:
    """An endpoint, and a client with its key and secret; waits are not waited."""

    def make(handle: object = None, **options: Any) -> tuple[PlainEndpoint, EndpointClient]:
        own = {name: options.pop(name) for name in ("wire", "secret") if name in options}
        answer = handle if callable(handle) else lambda _: handle or SCREEN
        endpoint = PlainEndpoint(flow_key_pair.private_pem.reveal(), answer, **{"secret": SECRET, **own})
        given = {"app_secrets": SECRET, "sleep": lambda _: None, **options}
        return endpoint, EndpointClient(endpoint, flow_key_pair.public_pem, **given)

    return make


# -- what is sent


def test_a_ping_is_what_meta_sends(make: Make) -> None:
    """A health check has a version and an action, and no flow token."""
    endpoint, client = make({"data": {"status": "active"}})
    reply = client.ping()
    assert (reply.ok, reply.outcome, reply.status, reply.attempts) == (True, "answered", 200, 1)
    assert reply.plaintext == b'{"data": {"status": "active"}}'
    assert endpoint.arrived[0].content == {"version": "3.0", "action": "ping"}


def test_an_exchange_is_what_meta_sends(make: Make) -> None:
    """The keys are in the order of a real request, without white space, and text beyond ASCII is UTF-8."""
    endpoint, client = make()
    reply = client.exchange("data_exchange", "CHOOSE", {"name": "Zoë", "n": [1, {"a": None}]}, "token-1")
    assert endpoint.arrived[0].content == {
        "data": {"name": "Zoë", "n": [1, {"a": None}]},
        "flow_token": "token-1",
        "screen": "CHOOSE",
        "action": "data_exchange",
        "version": "3.0",
    }
    assert list(endpoint.arrived[0].content) == ["data", "flow_token", "screen", "action", "version"]
    assert (reply.screen, reply.data, reply.error_message) == ("DETAILS", SCREEN["data"], "Taken.")
    assert (reply.params, reply.error_msg, reply.error_key) == (None, None, "")
    assert reply.content_type == "text/plain"


def test_an_opened_flow_sends_an_empty_screen(make: Make) -> None:
    """`INIT` has an empty screen and no data; a client may leave out the screen and the token."""
    endpoint, client = make()
    client.exchange("INIT", token="token-1")
    client.exchange("INIT", None)
    assert [dict(each.content) for each in endpoint.arrived] == [
        {"data": {}, "flow_token": "token-1", "screen": "", "action": "INIT", "version": "3.0"},
        {"data": {}, "action": "INIT", "version": "3.0"},
    ]


def test_an_error_notification_is_what_a_client_sends(make: Make) -> None:
    """The error and its text are the only data."""
    endpoint, client = make({"data": {"acknowledged": True}})
    assert client.notify_error("payload-schema-error", "no date", screen="CHOOSE", token="token-1").ok
    assert endpoint.arrived[0].content == {
        "data": {"error": "payload-schema-error", "error_message": "no date"},
        "flow_token": "token-1",
        "screen": "CHOOSE",
        "action": "data_exchange",
        "version": "3.0",
    }


def test_the_raw_body_is_signed_with_its_escapes(make: Make) -> None:
    """Slashes are escaped, so an endpoint that writes the JSON again before it verifies gets another signature."""
    endpoint, client = make({"data": {"status": "active"}})
    while not endpoint.arrived or b"\\/" not in endpoint.arrived[-1].body:
        client.ping()  # about one request in a thousand has no slash
    body, headers = endpoint.arrived[-1].body, endpoint.arrived[-1].headers
    assert body.isascii()
    assert b"/" not in body.replace(b"\\/", b"")
    assert headers["content-type"] == "application/json"
    assert headers["x-hub-signature-256"] == sign(body, SECRET)
    assert headers["x-hub-signature-256"] != sign(json.dumps(json.loads(body)).encode(), SECRET)


@pytest.mark.parametrize("secrets", [SECRET, Secret(SECRET), [SECRET, "an older one"], (Secret(SECRET),)])
def test_the_first_secret_signs(make: Make, secrets: Any) -> None:
    """Secrets are given as to `FlowEndpoint`: one or several, the newest first."""
    _, client = make({"data": {"status": "active"}}, app_secrets=secrets)
    assert client.ping().ok


def test_without_a_secret_nothing_is_signed(make: Make) -> None:
    """An endpoint that verifies refuses that, and one that does not gets no header."""
    _, unsigned = make(app_secrets=None)
    assert unsigned.ping().outcome == "bad-signature"
    endpoint, client = make(app_secrets=None, secret=None)
    client.ping()
    assert "x-hub-signature-256" not in endpoint.arrived[0].headers


@pytest.mark.parametrize(("version", "signed"), [("2.0", False), ("3.0", False), ("4.0", True), ("10.1", True)])
def test_the_flow_token_is_signed_from_data_api_4_on(make: Make, version: str, signed: bool) -> None:
    """The signature is a JWT with the token, made with the app secret; a request without a token has none."""
    endpoint, client = make(version=version)
    client.exchange("INIT", token="token-1")
    client.exchange("INIT")
    first, second = (each.content for each in endpoint.arrived)
    assert ("flow_token_signature" in first) is signed
    assert "flow_token_signature" not in second
    if signed:
        assert verify_flow_token(first["flow_token_signature"], "token-1", SECRET) == 0


# -- 421: wait, fetch the key, send once more


def test_after_421_the_key_is_fetched_and_the_request_sent_once_more(
    make: Make, flow_key_pair: KeyPair, other_public_pem: str
) -> None:
    """The client waits 500 ms, asks for the key again, and its second request is another one, with the same content."""
    keys, waits = iter([other_public_pem, flow_key_pair.public_pem]), list[float]()
    endpoint = PlainEndpoint(flow_key_pair.private_pem.reveal(), lambda _: SCREEN)
    client = EndpointClient(endpoint, lambda: next(keys), sleep=waits.append)
    reply = client.exchange("INIT", token="token-1")
    assert (reply.ok, reply.attempts) == (True, 2)
    assert endpoint.statuses == [421, 200]
    assert waits == [0.5]
    assert client.exchange("INIT", token="token-1").attempts == 1  # the key is kept until the next 421


def test_after_a_second_421_the_client_gives_up(make: Make, other_public_pem: str) -> None:
    """It reports `business-decryption-error`; a key that is no callable is used again."""
    waits = list[float]()
    endpoint, _ = make()
    client = EndpointClient(endpoint, other_public_pem, SECRET, sleep=waits.append)
    reply = client.ping()
    assert (reply.outcome, reply.status, reply.attempts) == ("not-decrypted", 421, 2)
    assert reply.error_key == "business-decryption-error"
    assert endpoint.statuses == [421, 421]
    assert waits == [0.5]


@pytest.mark.parametrize("key", ["plain", "coroutine"])
def test_awaited_the_same_happens(make: Make, flow_key_pair: KeyPair, other_public_pem: str, key: str) -> None:
    """The callable for the key and the sleep may be coroutine functions."""
    keys, waits = iter([other_public_pem, flow_key_pair.public_pem]), list[float]()

    async def fetch() -> str:
        return next(keys)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    endpoint, _ = make()
    source: Any = fetch if key == "coroutine" else lambda: next(keys)
    client = EndpointClient(endpoint, source, SECRET, sleep=sleep if key == "coroutine" else waits.append)
    reply = asyncio.run(client.aexchange("INIT", token="token-1"))
    assert (reply.ok, reply.attempts, waits) == (True, 2, [0.5])


def test_a_coroutine_function_for_the_key_has_to_be_awaited(make: Make, flow_key_pair: KeyPair) -> None:
    """The blocking methods refuse it, without a warning of a coroutine that was never awaited."""

    async def fetch() -> str:
        return flow_key_pair.public_pem

    endpoint, _ = make()
    with pytest.raises(ConfigurationError, match="await aping"):
        EndpointClient(endpoint, fetch).ping()


# -- how answers are read


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"screen": "A", "data": {}}, "answered"),
        ({"screen": "A", "data": {}, "version": "3.0"}, "answered"),
        ({"screen": "SUCCESS", "data": {"extension_message_response": {"params": {"flow_token": "t"}}}}, "answered"),
        ({"screen": "SUCCESS", "data": {}}, "answered"),
        ({"screen": "A"}, "bad-payload"),
        ({"data": {}}, "bad-payload"),
        ({"screen": 1, "data": {}}, "bad-payload"),
        ({"screen": "A", "data": []}, "bad-payload"),
        ([], "bad-payload"),
        ("A", "bad-payload"),
        (None, "bad-payload"),
    ],
)
def test_an_answer_has_a_screen_and_data(make: Make, answer: object, outcome: str) -> None:
    """A client takes an object with a text `screen` and an object `data` (observed)."""
    _, client = make(lambda _: answer)
    reply = client.exchange("INIT")
    assert reply.outcome == outcome
    assert reply.error_key == ("" if reply.ok else "payload-schema-error")
    assert bool(reply.problem) is not reply.ok
    assert json.loads(reply.plaintext) == answer


def test_a_number_that_json_does_not_have_is_no_json(make: Make) -> None:
    """Python reads NaN, and no client does."""
    _, client = make({"screen": "A", "data": {"n": float("nan")}})
    assert client.exchange("INIT").outcome == "bad-payload"


def test_what_a_finished_flow_sends(make: Make) -> None:
    """`params` are what the response message will hold; an end without them sends none."""
    params = {"flow_token": "t", "booking": 7}
    _, client = make({"screen": "SUCCESS", "data": {"extension_message_response": {"params": params}}})
    assert client.exchange("data_exchange", "A").params == params
    answers: list[dict[str, object]] = [{}, {"extension_message_response": {}}, {"extension_message_response": 1}]
    for data in answers:
        _, client = make({"screen": "SUCCESS", "data": data})
        assert client.exchange("data_exchange", "A").params is None


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        ({"data": {"status": "active"}}, True),
        ({"version": "3.0", "data": {"status": "active", "more": 1}}, True),
        ({"data": {"status": "inactive"}}, False),
        ({"status": "active"}, False),
        ({"data": {"acknowledged": True}}, False),
        ({"screen": "A", "data": {}}, False),
    ],
)
def test_a_ping_needs_its_own_answer(make: Make, answer: object, ok: bool) -> None:
    """Also when it is sent as an exchange with that action."""
    _, client = make(answer)
    assert client.ping().ok is ok
    assert client.exchange("ping", None).ok is ok


@pytest.mark.parametrize(("value", "ok"), [(True, True), (1, False), ("true", False), (False, False), (None, False)])
def test_an_error_notification_needs_its_acknowledgement(make: Make, value: object, ok: bool) -> None:
    """`{"data": {"acknowledged": true}}`, and nothing else."""
    _, client = make({"data": {"acknowledged": value}})
    assert client.notify_error("timeout_error").ok is ok


@pytest.mark.parametrize(
    ("answer", "text"),
    [({"error_msg": "Order again."}, "Order again."), ({"error_msg": 1}, None), ({}, None)],
)
def test_the_text_of_a_427_is_decrypted(make: Make, answer: object, text: str | None) -> None:
    """The flow token is refused, and its text is what the user sees."""
    _, client = make(lambda _: (427, answer))
    reply = client.exchange("INIT", token="token-1")
    assert (reply.outcome, reply.status, reply.error_msg) == ("token-refused", 427, text)
    assert reply.error_key == ""
    assert ("general" in reply.problem) is (text is None)


def test_a_plain_text_of_a_427_is_a_decryption_error(make: Make) -> None:
    """The client decrypts any body that is not empty (observed)."""
    _, client = make(lambda _: (427, {}), wire=lambda *_: b'{"error_msg": "Order again."}')
    reply = client.exchange("INIT")
    assert (reply.outcome, reply.error_key, reply.error_msg) == ("unreadable", "response-decryption-error", None)


def test_a_427_without_a_body_shows_a_general_text(make: Make) -> None:
    """It is a refused token all the same."""
    _, client = make(lambda _: (427, {}), wire=lambda *_: b"")
    reply = client.exchange("INIT")
    assert (reply.outcome, reply.error_msg) == ("token-refused", None)


@pytest.mark.parametrize(
    ("status", "outcome", "error_key", "word"),
    [
        (432, "bad-signature", "", "signature"),
        (400, "unexpected-status", "unexpected_http_status_code", "encrypted"),
        (401, "unexpected-status", "unexpected_http_status_code", "credentials"),
        (404, "unexpected-status", "unexpected_http_status_code", "nothing is at"),
        (302, "unexpected-status", "unexpected_http_status_code", "redirect"),
        (500, "unexpected-status", "unexpected_http_status_code", "500"),
        (204, "unexpected-status", "unexpected_http_status_code", "204"),
        (418, "unexpected-status", "unexpected_http_status_code", "none of the statuses"),
    ],
)
def test_other_statuses(flow_key_pair: KeyPair, status: int, outcome: str, error_key: str, word: str) -> None:
    """Their body is not read, whatever it holds."""
    reply = EndpointClient(lambda body, headers: (status, {}, b"secret"), flow_key_pair.public_pem).ping()
    assert (reply.outcome, reply.status, reply.error_key, reply.plaintext) == (outcome, status, error_key, b"")
    assert word in reply.problem


def unreadable(body: bytes, sealed: Sealed, kind: str) -> bytes:
    """An answer as a common mistake would send it."""
    texts: Mapping[str, Callable[[], bytes]] = {
        "empty": lambda: b"",
        "quoted": lambda: json.dumps(body.decode()).encode(),
        "enveloped": lambda: json.dumps({"encrypted_flow_data": body.decode()}).encode(),
        "plain": lambda: b'{"data": {"status": "active"}}',
        "plain text": lambda: b'"active"',
        "a list": lambda: b"[]",
        "a number": lambda: b"12",
        "wrapped": lambda: body[:20] + b"\n" + body[20:] + b"\n",
        "urlsafe": lambda: urlsafe_b64encode(b64decode(body)),
        "without padding": lambda: body.rstrip(b"="),
        "bytes": lambda: b64decode(body),
        "twice": lambda: b64encode(body),
        "html": lambda: b"<html>It works!</html>",
        "request's IV": lambda: b64encode(gcm_encrypt(sealed.aes_key, sealed.iv, b"{}")),
        "other key": lambda: b64encode(gcm_encrypt(bytes(16), sealed.iv, b"{}")),
        "cut": lambda: b64encode(b64decode(body)[:10]),
    }
    return texts[kind]()


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("empty", "empty"),
        ("quoted", "JSON quotes"),
        ("enveloped", "inside a JSON object"),
        ("plain", "plain JSON"),
        ("plain text", "plain JSON"),
        ("a list", "not base64"),
        ("a number", "not base64"),
        ("wrapped", "white space"),
        ("urlsafe", "URL-safe"),
        ("without padding", "padding"),
        ("bytes", "the encrypted bytes"),
        ("twice", "twice"),
        ("html", "not base64"),
        ("request's IV", "inverted"),
        ("other key", "another key"),
        ("cut", "another key"),
    ],
)
def test_a_body_that_cannot_be_decrypted_is_explained(make: Make, kind: str, word: str) -> None:
    """The client reports one error for all of them; `problem` says which mistake it is."""
    # 17 bytes of ciphertext: its base64 has padding; repeated until it has a letter that the alphabets differ in
    answer = {"data": {"status": "active"}}
    for _ in range(100):
        endpoint, client = make(answer, wire=lambda body, sealed: unreadable(body, sealed, kind))
        reply = client.ping()
        if reply.outcome == "unreadable":
            break
    assert (reply.outcome, reply.error_key, reply.status) == ("unreadable", "response-decryption-error", 200)
    assert (reply.plaintext, reply.content, reply.screen, reply.data) == (b"", {}, None, {})
    assert word in reply.problem
    assert endpoint.statuses == [200]


# -- faults


@pytest.mark.parametrize("tamper", get_args(Tamper))
def test_each_fault_gets_its_status(make: Make, tamper: Tamper) -> None:
    """An endpoint as Meta documents it refuses each; the request is sent once, also after 421."""
    endpoint, client = make(lambda _: (427, {"error_msg": "no"}), version="4.0")
    for _ in range(5):
        reply = client.exchange("INIT", "", {"name": "Zoë"}, "token-1", tamper=tamper)
        if endpoint.statuses[-1] == FAULTS[tamper].status:
            break
    assert (endpoint.statuses[-1], reply.attempts) == (FAULTS[tamper].status, 1)
    if tamper == "wrong-token-signature":
        assert verify_flow_token(endpoint.arrived[-1].content["flow_token_signature"], "token-1", SECRET) is None


def test_every_fault_has_a_row() -> None:
    """The table has the names of the type, and no other."""
    assert set(FAULTS) == set(get_args(Tamper))


def test_a_fault_may_be_the_clients_own(make: Make) -> None:
    """Each call can have another."""
    _, client = make(tamper="wrong-signature")
    assert client.ping().status == 432
    assert client.ping(tamper="flipped-tag").status == 421
    assert asyncio.run(client.aping()).status == 432
    assert asyncio.run(client.anotify_error("timeout_error")).status == 432


# -- what is refused, and what is not shown


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"tamper": "everything"}, "tamper must be one of"),
        ({"time_limit": 0}, "time_limit"),
        ({"time_limit": True}, "time_limit"),
        ({"time_limit": float("inf")}, "time_limit"),
        ({"time_limit": "10"}, "time_limit"),
        ({"max_answer": 0}, "max_answer"),
        ({"interface": "cgi"}, "interface"),
        ({"path": "flow"}, "path"),
        ({"path": "/fl\u00f6w"}, "path"),
        ({"path": "/a\nb"}, "path"),
        ({"app_secrets": ""}, "empty"),
        ({"app_secrets": []}, "app_secrets"),
    ],
)
def test_options_that_cannot_be_used_are_refused(make: Make, options: dict[str, Any], word: str) -> None:
    """At once, with the name of the option."""
    with pytest.raises(ConfigurationError, match=word):
        make(**options)


def test_an_unknown_fault_of_a_call_is_refused(make: Make) -> None:
    """Before anything is sent."""
    endpoint, client = make()
    with pytest.raises(ConfigurationError, match="tamper"):
        client.ping(tamper="everything")  # type: ignore[arg-type]
    assert endpoint.statuses == []


@pytest.mark.parametrize("tamper", ["wrong-signature", "short-signature", "other-body", "wrong-token-signature"])
def test_a_fault_that_the_request_would_not_have_is_refused(make: Make, tamper: Tamper) -> None:
    """Without a secret nothing is signed: a test that expects a refusal could pass for another reason."""
    endpoint, client = make(app_secrets=None, secret=None, version="4.0")
    with pytest.raises(ConfigurationError, match="needs app_secrets"):
        client.exchange("INIT", token="token-1", tamper=tamper)
    assert endpoint.statuses == []


@pytest.mark.parametrize(("version", "token"), [("3.0", "token-1"), ("4.0", None)])
def test_a_token_that_is_not_signed_has_no_wrong_signature(make: Make, version: str, token: str | None) -> None:
    """Data API 4.0 and a flow token are needed."""
    _, client = make(version=version)
    with pytest.raises(ConfigurationError, match="and version 4"):
        client.exchange("INIT", token=token, tamper="wrong-token-signature")


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan"), float("inf"), "\ud800"])
def test_data_that_is_no_json_is_refused(make: Make, value: object) -> None:
    """Before anything is sent, and without the data in the message."""
    endpoint, client = make()
    with pytest.raises(ConfigurationError, match="JSON values only"):
        client.exchange("data_exchange", "CHOOSE", {"name": value})
    assert endpoint.statuses == []


def test_a_private_key_is_refused_and_not_shown(make: Make, flow_key_pair: KeyPair) -> None:
    """Also when a callable returns it."""
    private = flow_key_pair.private_pem.reveal()
    line = private.splitlines()[5]
    endpoint, _ = make()
    with pytest.raises(ConfigurationError, match="private key") as caught:
        EndpointClient(endpoint, private)
    assert line not in str(caught.value)
    with pytest.raises(ConfigurationError, match="private key"):
        EndpointClient(endpoint, private.encode).ping()
    with pytest.raises(ConfigurationError, match="public_key"):
        EndpointClient(endpoint, 12)  # type: ignore[arg-type]


def test_nothing_secret_is_shown(make: Make) -> None:
    """Neither a secret, nor a key, nor what a user has entered."""
    _, client = make({"screen": "DETAILS", "data": {"name": "Zoë"}})
    reply = client.exchange("INIT", token="token-1")
    assert repr(client) == "EndpointClient(callable PlainEndpoint, signed)"
    assert "Zo" not in repr(reply)
    assert "not signed" in repr(make(app_secrets=None)[1])
    assert pickle.loads(pickle.dumps(reply)) == reply
    assert reply == EndpointReply(
        outcome="answered", status=200, plaintext=reply.plaintext, seconds=reply.seconds, content_type="text/plain"
    )
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(client)


def test_the_fixture_of_the_plugin(
    flow_endpoint_client: Callable[..., EndpointClient], flow_key_pair: KeyPair, flow_app_secret: str, flows_clock: Any
) -> None:
    """The client has the key and the secret of the fixtures, and its waits advance the clock of the test."""
    endpoint = PlainEndpoint(flow_key_pair.private_pem.reveal(), secret=flow_app_secret)
    assert flow_endpoint_client(endpoint).ping().ok
    assert flow_endpoint_client(endpoint, app_secrets="another").ping().status == 432
    refused = flow_endpoint_client(lambda body, headers: (421, {}, b""))
    assert (refused.ping().attempts, flows_clock.sleeps) == (2, [0.5])
