"""What other implementations of an endpoint get wrong, each with the request that shows it."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.endpoint.exchanges import APP_SECRET, PING, SIGNATURE, ask, endpoint, pem, private_keys, rsa_key, seal
from whatsapp_flows import ConfigurationError
from whatsapp_flows.endpoint import Answer, FlowEndpoint, FlowRequest, HttpAnswer, InvalidToken, PrivateKeys


def answering(**options: Any) -> tuple[FlowEndpoint, list[FlowRequest]]:
    """An endpoint that finishes each request, and the requests that its fallback got."""
    target, got = endpoint(**options), list[FlowRequest]()

    @target.fallback
    def record(request: FlowRequest) -> Answer:
        got.append(request)
        return request.finish()

    return target, got


# -- pywa 4.5.0


def test_objects_in_the_data_stay_objects() -> None:
    """pywa makes them the list of their keys."""
    target, got = answering()
    data = {"shop": {"name": "North", "open": {"mon": [9, 17]}}, "tags": [{"id": "1"}]}
    request = ask(data=data)
    target.receive(request.body, request.headers)
    assert got[0].data == data


def test_a_request_without_a_signature_is_refused() -> None:
    """pywa verifies no endpoint request, on any framework; here it takes a word to leave it out."""
    target, got = answering()
    assert target.receive(ask().body, {}).status == 432
    assert not got
    with pytest.raises(ConfigurationError, match="verify_signature=False"):
        FlowEndpoint(private_keys())
    unsigned, got = answering(app_secrets=None, verify_signature=False)
    assert unsigned.receive(ask().body, {}).status == 200


@pytest.mark.parametrize("given", [None, 0, "", "false"])
@pytest.mark.parametrize("secrets", [None, "app-secret"])
def test_only_false_leaves_the_signature_out(given: Any, secrets: str | None) -> None:
    """An unset variable, which is None or empty, is no decision: neither with a secret nor without."""
    with pytest.raises(ConfigurationError, match="verify_signature must be True or False"):
        FlowEndpoint(private_keys(), app_secrets=secrets, verify_signature=given)


def test_a_field_named_error_does_not_swallow_the_answer() -> None:
    """pywa takes any data with an `error` for a notification, and drops what the handler returns."""
    target, got = answering()
    request = ask(data={"error": "the machine does not start", "name": "Zoë"})
    answer = target.receive(request.body, request.headers)
    assert request.opened(answer)["screen"] == "SUCCESS"
    assert got[0].data["error"] == "the machine does not start"


def test_a_wrong_password_is_reported_when_the_key_is_read() -> None:
    """With pywa every request is answered 421, without a word."""
    locked = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right"))
    with pytest.raises(ConfigurationError, match="password"):
        PrivateKeys(locked, password="wrong")


@pytest.mark.parametrize("own_first", [True, False])
def test_a_screens_own_handler_wins_over_the_one_for_all(own_first: bool) -> None:
    """In pywa, the one for all screens wins."""
    target = endpoint()
    called: list[str] = []

    def own(request: FlowRequest) -> Answer:
        called.append("own")
        return request.close()

    def every(request: FlowRequest) -> Answer:
        called.append("every")
        return request.close()

    if own_first:
        target.data_exchange("CHOOSE")(own)
    target.data_exchange(every)
    if not own_first:
        target.data_exchange("CHOOSE")(own)
    for screen in ("CHOOSE", "DETAILS"):
        request = ask(screen=screen)
        target.receive(request.body, request.headers)
    assert called == ["own", "every"]


@pytest.mark.parametrize("missing", ["action", "version", "data", "flow_token", "screen"])
def test_a_field_that_is_missing_is_no_exception(missing: str) -> None:
    """pywa raises a KeyError for an `action` or a `version` that is not there."""
    document = {"action": "INIT", "version": "3.0", "data": {}, "flow_token": "t", "screen": ""}
    del document[missing]
    target, got = answering()
    request = seal(json.dumps(document).encode())
    assert target.receive(request.body, request.headers).status == 200
    assert len(got) == 1


def test_a_handler_that_returns_none_is_no_exception() -> None:
    """In pywa it escapes into the framework, which shows its error page."""
    target = endpoint()
    target.init(lambda request: None)  # type: ignore[type-var]
    request = ask("INIT", "")
    answer = target.receive(request.body, request.headers)
    assert (answer.status, answer.body, answer.outcome) == (500, b"", "handler-failed")


def test_an_answer_is_text_plain() -> None:
    """pywa sends JSON's or HTML's type."""
    target, _ = answering()
    request = ask()
    assert target.receive(request.body, request.headers).headers == {"Content-Type": "text/plain"}


def test_a_plain_handler_does_not_block_the_loop() -> None:
    """Under FastAPI, pywa runs it on the event loop, and everything else waits."""
    target, released = endpoint(), threading.Event()

    @target.init
    def waits(request: FlowRequest) -> Answer:
        assert released.wait(20)
        return request.close()

    async def main() -> HttpAnswer:
        request = ask("INIT", "")
        answer = asyncio.ensure_future(target.areceive(request.body, request.headers))
        await asyncio.sleep(0)
        released.set()  # reached while the handler waits: the loop is free
        return await answer

    assert asyncio.run(main()).outcome == "answered"


def test_a_replaced_key_still_opens_requests() -> None:
    """pywa has one private key, so a rotation fails for whoever's client has the old public key."""
    target, _ = answering(keys=PrivateKeys(pem(0), pem(1)))
    for key in (0, 1):
        request = seal(PING, key=key)
        assert target.receive(request.body, request.headers).outcome == "ping"


# -- Meta's Node example


@pytest.mark.parametrize("headers", [{}, {SIGNATURE: "sha256=abc"}, {SIGNATURE: ""}, {SIGNATURE: "sha256=" + "0" * 65}])
def test_a_signature_that_is_missing_or_of_another_length(headers: dict[str, str]) -> None:
    """Each ends the process of the example: it compares buffers of different lengths."""
    target, _ = answering()
    assert target.receive(ask().body, headers).status == 432
    request = ask()
    assert target.receive(request.body, request.headers).status == 200


@pytest.mark.parametrize(("action", "screen"), [("BACK", "DETAILS"), ("BACK", ""), ("data_exchange", "NOWHERE")])
def test_back_and_an_unknown_screen_are_answered(action: str, screen: str) -> None:
    """The example throws for both, which ends its process."""
    target = endpoint()
    request = ask(action, screen)
    answer = target.receive(request.body, request.headers)
    assert (answer.status, answer.outcome) == (500, "no-handler")
    target.fallback(lambda request: request.close())
    assert target.receive(request.body, request.headers).status == 200


def test_a_wrong_tag_is_421() -> None:
    """The example answers 500, and devlooped's library too, so that the client never fetches the key again."""
    target, _ = answering()
    request = seal(PING, spoil=lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    answer = target.receive(request.body, request.headers)
    assert (answer.status, answer.body) == (421, b"")


def test_a_megabyte_of_data_is_taken() -> None:
    """The example's body parser refuses what is over 100 kB, and Meta allows 1 MB."""
    target, got = answering()
    request = ask(data={"photo": "x" * 1_000_000})
    assert target.receive(request.body, request.headers).status == 200
    assert len(got[0].data["photo"]) == 1_000_000


def test_a_ping_has_no_token_and_needs_none() -> None:
    """The example's check of tokens, once it is enabled, refuses pings: it stands before them."""

    def refuse(request: FlowRequest) -> None:
        raise InvalidToken("expired")

    target, _ = answering(tokens=refuse)
    request = seal(PING)
    assert target.receive(request.body, request.headers).outcome == "ping"


# -- meta-cloud-api


def test_the_app_secret_signs_and_no_other() -> None:
    """meta-cloud-api verifies with the token of the webhook's verification."""
    target, _ = answering()
    request = ask()
    assert target.receive(request.body, request.signed("verify-token").headers).status == 432
    assert target.receive(request.body, request.signed(APP_SECRET).headers).status == 200


@pytest.mark.parametrize(("version", "read"), [("3.0", "3.0"), ("4.0", "4.0"), (4, "4"), (None, ""), (["x"], "")])
def test_every_version_is_taken(version: object, read: str) -> None:
    """meta-cloud-api takes "3.0" alone; error notifications carry a number (observed)."""
    target, got = answering()
    request = ask(version=version)
    assert target.receive(request.body, request.headers).status == 200
    assert got[0].version == read


def test_a_foreign_key_is_421() -> None:
    """meta-cloud-api never answers 421, so that a client keeps the old key for good."""
    target, _ = answering()
    request = seal(PING, key=1)
    assert target.receive(request.body, request.headers).status == 421


def test_an_acknowledgement_is_encrypted() -> None:
    """meta-cloud-api sends it in the clear."""
    target, _ = answering()
    request = ask(data={"error": "timeout_error", "error_message": "late"})
    answer = target.receive(request.body, request.headers)
    assert b"acknowledged" not in answer.body
    assert request.opened(answer) == {"data": {"acknowledged": True}}


# -- kapso, guilhermejansen, frappe_whatsapp, devlooped


def test_ping_and_init_are_not_taken_for_a_submitted_screen() -> None:
    """kapso's example does."""
    target, called = endpoint(), list[str]()

    def record(request: FlowRequest) -> Answer:
        called.append(request.action)
        return request.close()

    target.data_exchange(record)
    target.init(record)
    for request in (seal(PING), ask("INIT", "")):
        assert target.receive(request.body, request.headers).status == 200
    assert called == ["INIT"]


def test_421_stays_421_and_nothing_limits_the_rate() -> None:
    """guilhermejansen's answers 400, and 429 when several users have the same proxy of Meta's."""
    target, _ = answering()
    foreign, own = seal(PING, key=1), seal(PING)
    assert target.receive(foreign.body, foreign.headers).status == 421
    assert {target.receive(own.body, own.headers).status for _ in range(200)} == {200}


def test_the_text_of_an_exception_is_not_sent() -> None:
    """frappe_whatsapp sends it, and what it quotes, to whoever asked."""
    target = endpoint()

    @target.init
    def broken(request: FlowRequest) -> Answer:
        raise LookupError(request.flow_token)

    request = ask("INIT", "")
    answer = target.receive(request.body, request.headers)
    assert (answer.status, answer.body, answer.headers) == (500, b"", {})


def test_a_nonce_of_12_bytes_is_421() -> None:
    """devlooped's library takes it; Meta's client sends 16 bytes and refuses others (observed)."""
    target, _ = answering()
    request = seal(PING, iv_bytes=12)
    assert target.receive(request.body, request.headers).status == 421


def test_the_key_is_not_parsed_again() -> None:
    """devlooped's library parses it for each request, which takes a hundred times as long as the decryption."""
    target, _ = answering(time_limit=None)
    entered: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        entered.add(frame.f_code.co_name)

    request = ask()
    sys.setprofile(note)
    try:
        target.receive(request.body, request.headers)
    finally:
        sys.setprofile(None)
    assert "open_envelope" in entered
    assert not entered & {"read_private_key", "_parsed"}


def test_a_changed_header_changes_nothing_else() -> None:
    """Headers beside the signature are not looked at, whatever they hold."""
    target, _ = answering()
    request = ask()
    unusual = {"Content-Type": "text/html", "Content-Length": "-1", "Transfer-Encoding": "x", **request.headers}
    assert target.receive(request.body, unusual).status == 200
    assert target.receive(replace(request, body=b"").body, unusual).status == 432
