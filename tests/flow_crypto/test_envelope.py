"""The envelope: Meta's parameters and no others, in both directions, with one error for every fault."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.endpoint import plain_crypto
from tests.endpoint.key_material import pair, private_keys
from tests.endpoint.plain_crypto import RefusedError, Sealed
from whatsapp_flows import Secret
from whatsapp_flows._flow_crypto import AnswerChannel, OpenedRequest, read_public_key, seal_request
from whatsapp_flows.endpoint import DecryptionError, PrivateKeys

AES_KEY = bytes(range(0x10))
IV = bytes(range(0x10, 0x20))
PING = b'{"version":"3.0","action":"ping"}'
# Plaintext -> the base64 of its ciphertext and tag, under AES_KEY and IV. Made with Node's crypto.
REQUESTS = [
    (PING, "vryB0w/BTee4OvmgkgEf9dnfQfwZb8iWi7yl5iotFMJeuQl749lOptdzv/L1T2V2PA=="),
    (
        '{"version":"3.0","action":"data_exchange","screen":"SIGN_UP","data":{"name":"Zoë","age":42},'
        '"flow_token":"tok-1"}'.encode(),
        "vryB0w/BTee4OvmgkgEf9dnfQfwZb8iWi7yl8iI3Er9GXAhvgHcTK86pzqwYnmyfWkXPXC9hilrdIggESC2Kmo9yr+8fHYdtkuM0Jj/y76cf"
        "rvEQn45A8K5fVUHmi8QU9HRwC6fw//Vvnqm9yqYxegjul1QqoY3W9vfZoZNY0gt14g==",
    ),
]
# The same under AES_KEY and the inverted IV.
ANSWERS = [
    (b'{"data":{"status":"active"}}', b"IHgL0mWXHJ6FDPLH6+aygF5BfT+mPzwvzktiKvlmYpg8eFKqJX/07YVStaI="),
    (
        b'{"screen":"SUCCESS","data":{"extension_message_response":{"params":{"flow_token":"tok-1"}}}}',
        b"IHgc0GOTW8rcFKPg39GEti8ofXLnLzQtykslLByiWuknKVb5UGQTvElhhCRwnjNelT69iK3cXFgD6ZNiOvUhoBiAljymWwknZRebUb+FmhGv"
        b"0YDIsu0A5XznXv2K3DxDQlV2+9o9vzD0lDXY",
    ),
]


def opened(request: Sealed, keys: PrivateKeys | None = None) -> OpenedRequest:
    return (keys or private_keys()).open(**request.envelope)


def channel(aes_key: bytes = AES_KEY, iv: bytes = IV) -> AnswerChannel:
    return opened(plain_crypto.seal_request(pair().public_pem, PING, aes_key=aes_key, iv=iv)).channel


@pytest.mark.parametrize(("plaintext", "ciphertext"), REQUESTS)
def test_requests_with_a_known_ciphertext_are_opened_and_made(plaintext: bytes, ciphertext: str) -> None:
    """The vectors of a request, read and written."""
    request = plain_crypto.seal_request(pair().public_pem, plaintext, aes_key=AES_KEY, iv=IV)
    assert request.envelope["encrypted_flow_data"] == ciphertext
    assert opened(request).plaintext == plaintext
    chosen = iter([AES_KEY, IV])
    body, _ = seal_request(read_public_key(Secret(pair().public_pem)), plaintext, random=lambda _: next(chosen))
    assert json.loads(body)["encrypted_flow_data"] == ciphertext
    assert json.loads(body)["initial_vector"] == "EBESExQVFhcYGRobHB0eHw=="


@pytest.mark.parametrize(("plaintext", "body"), ANSWERS)
def test_answers_with_a_known_ciphertext_are_made_and_opened(plaintext: bytes, body: bytes) -> None:
    """The vectors of an answer, written and read: bare base64, under the inverted IV."""
    assert channel().seal(plaintext) == body
    assert channel().open(body) == plaintext


@settings(max_examples=some(25))
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_conversation_is_read_by_an_implementation_that_shares_no_code(question: bytes, reply: bytes) -> None:
    """Requests and answers of any length pass between the package and the plain implementation, in both directions."""
    request = plain_crypto.seal_request(pair().public_pem, question)
    ours = opened(request)
    assert ours.plaintext == question
    assert plain_crypto.open_answer(request, ours.channel.seal(reply)) == reply
    assert plain_crypto.seal_answer(request, reply) == ours.channel.seal(reply)


def test_a_request_of_the_package_is_read_by_an_implementation_that_shares_no_code() -> None:
    """What `seal_request` makes opens in the plain implementation, whose answer opens here; each has its own key."""
    key = read_public_key(Secret(pair().public_pem))
    bodies = []
    for question in (b"", b"{}", os.urandom(1000)):
        body, waiting = seal_request(key, question)
        plaintext, request = plain_crypto.open_request(pair().private_pem.reveal(), json.loads(body))
        assert plaintext == question
        assert waiting.open(plain_crypto.seal_answer(request, b"reply")) == b"reply"
        bodies.append((request.aes_key, request.iv))
    assert len({key for key, _ in bodies}) == len({iv for _, iv in bodies}) == 3


def test_escaped_slashes_are_the_business_of_the_json_parser() -> None:
    """Meta's JSON writer may escape `/`: parsed, the texts are the same."""
    request = plain_crypto.seal_request(pair().public_pem, PING)
    assert private_keys().open(**json.loads(request.body.replace(b"/", rb"\/"))).plaintext == PING


def test_keys_are_tried_in_turn_and_the_index_says_which_one_fits() -> None:
    """While a key is being replaced, requests for the new and the old one are opened."""
    keys = private_keys(0, 1, 2)
    for index in range(3):
        assert opened(plain_crypto.seal_request(pair(index).public_pem, PING), keys).key_index == index
    with pytest.raises(DecryptionError) as caught:
        opened(plain_crypto.seal_request(pair(3).public_pem, PING), keys)
    assert caught.value.reason == "rsa"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def changed(**fields: str) -> dict[str, str]:
    return plain_crypto.seal_request(pair().public_pem, PING, aes_key=AES_KEY, iv=IV).envelope | fields


def sealed(aes_key: bytes = AES_KEY, iv: bytes = IV, number: int = 0, **hashes: str) -> dict[str, str]:
    return plain_crypto.seal_request(pair(number).public_pem, PING, aes_key=aes_key, iv=iv, **hashes).envelope


DATA = base64.b64decode(REQUESTS[0][1])
UNPADDED = b64(bytes(51))
URL_SAFE = REQUESTS[0][1].replace("/", "_").replace("+", "-")
FAULTS: dict[str, tuple[Callable[[], dict[str, str]], str]] = {
    "MGF1 with SHA-1": (lambda: sealed(mgf="sha1"), "rsa"),
    "SHA-1 for both": (lambda: sealed(digest="sha1", mgf="sha1"), "rsa"),
    "SHA-1 with MGF1-SHA-256": (lambda: sealed(digest="sha1"), "rsa"),
    "another RSA key": (lambda: sealed(number=1), "rsa"),
    "an RSA ciphertext that is too short": (lambda: changed(encrypted_aes_key=b64(bytes(255))), "rsa"),
    "an RSA ciphertext that is too long": (lambda: changed(encrypted_aes_key=b64(bytes(257))), "rsa"),
    "an RSA ciphertext above the modulus": (lambda: changed(encrypted_aes_key=b64(b"\xff" * 256)), "rsa"),
    "an RSA ciphertext of zeros": (lambda: changed(encrypted_aes_key=b64(bytes(256))), "rsa"),
    "no RSA ciphertext": (lambda: changed(encrypted_aes_key=""), "rsa"),
    "an AES key of 32 bytes": (lambda: sealed(aes_key=bytes(32)), "key-size"),
    "an AES key of 24 bytes": (lambda: sealed(aes_key=bytes(24)), "key-size"),
    "an AES key of 15 bytes, as RSA-OAEP carries it": (
        lambda: changed(
            encrypted_aes_key=b64(plain_crypto.oaep_encrypt(plain_crypto.public_numbers(pair().public_pem), bytes(15)))
        ),
        "key-size",
    ),
    "an IV of 12 bytes": (lambda: sealed(iv=bytes(12)), "iv-size"),
    "an IV of 17 bytes": (lambda: sealed(iv=bytes(17)), "iv-size"),
    "no IV": (lambda: changed(initial_vector=""), "iv-size"),
    "another IV": (lambda: changed(initial_vector=b64(bytes(16))), "tag"),
    "the inverted IV": (lambda: changed(initial_vector=b64(plain_crypto.inverted(IV))), "tag"),
    "a flipped bit of the tag": (lambda: changed(encrypted_flow_data=b64(DATA[:-1] + bytes([DATA[-1] ^ 1]))), "tag"),
    "a flipped bit of the ciphertext": (
        lambda: changed(encrypted_flow_data=b64(bytes([DATA[0] ^ 1]) + DATA[1:])),
        "tag",
    ),
    "a tag of 15 bytes": (lambda: changed(encrypted_flow_data=b64(DATA[:-1])), "tag"),
    "a tag of 12 bytes": (lambda: changed(encrypted_flow_data=b64(DATA[:-4])), "tag"),
    "no tag": (lambda: changed(encrypted_flow_data=b64(DATA[:-16])), "tag"),
    "less than a tag": (lambda: changed(encrypted_flow_data=b64(DATA[:3])), "tag"),
    "no data": (lambda: changed(encrypted_flow_data=""), "tag"),
    "URL-safe base64": (lambda: changed(encrypted_flow_data=URL_SAFE), "base64"),
    "base64 without its padding": (lambda: changed(encrypted_flow_data=REQUESTS[0][1].rstrip("=")), "base64"),
    "a padding of one where none belongs": (lambda: changed(encrypted_flow_data=UNPADDED + "="), "base64"),
    "a padding of two where none belongs": (lambda: changed(encrypted_flow_data=UNPADDED + "=="), "base64"),
    "a padding of four where none belongs": (lambda: changed(encrypted_flow_data=UNPADDED + "===="), "base64"),
    "a padding of two where one belongs": (
        lambda: changed(encrypted_flow_data=b64(bytes(50)) + "="),
        "base64",
    ),
    "a padding of three where two belong": (lambda: changed(initial_vector=b64(IV) + "="), "base64"),
    "a padding of six where two belong": (lambda: changed(encrypted_aes_key=b64(bytes(256)) + "===="), "base64"),
    "nothing but padding": (lambda: changed(initial_vector="===="), "base64"),
    "base64 with a line end": (lambda: changed(encrypted_flow_data=REQUESTS[0][1] + "\n"), "base64"),
    "base64 with a space": (lambda: changed(encrypted_flow_data=" " + REQUESTS[0][1]), "base64"),
    "base64 with text behind it": (lambda: changed(initial_vector=b64(IV) + "AAAA"), "base64"),
    "base64 in JSON quotes": (lambda: changed(initial_vector=f'"{b64(IV)}"'), "base64"),
    "hexadecimal": (lambda: changed(initial_vector=IV.hex()[:-1]), "base64"),
    "a letter beyond ASCII": (lambda: changed(initial_vector="é" + b64(IV)[1:]), "base64"),
    "half a surrogate pair": (lambda: changed(initial_vector="\ud800" + b64(IV)[1:]), "base64"),
    "base64 of the AES key that is damaged": (lambda: changed(encrypted_aes_key="%"), "base64"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_one_and_the_same_error(name: str) -> None:
    """What cannot be decrypted raises `DecryptionError` with one text; only `reason`, which is for a log, differs."""
    make, reason = FAULTS[name]
    with pytest.raises(DecryptionError) as caught:
        private_keys(0, 2).open(**make())
    assert str(caught.value).startswith("The body cannot be decrypted.")
    with pytest.raises(DecryptionError) as other:
        private_keys().open("", "", "%")
    assert str(caught.value) == str(other.value)
    assert caught.value.reason == reason
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


ZEROS = seal_request(read_public_key(Secret(pair().public_pem)), b"", random=bytes)[1]


@given(st.binary(max_size=40), st.integers(0, 4))
def test_bytes_have_one_length_in_base64(data: bytes, more: int) -> None:
    """Whatever the data, it is read with the padding that it needs, and with no more."""
    reason = "tag" if more == 0 else "base64"
    with pytest.raises(DecryptionError) as caught:
        ZEROS.open(base64.b64encode(data) + b"=" * more)
    assert caught.value.reason == reason


def test_bits_that_base64_ignores_are_ignored() -> None:
    """The last character before the padding may have bits beyond the data: the same request (see `replay_key`)."""
    assert b64(IV).endswith("w==")
    other = b64(IV).removesuffix("w==") + "x=="
    assert private_keys().open(**changed(initial_vector=other)).plaintext == PING


@settings(max_examples=some(25))
@given(st.integers(0, 255), st.integers(0, 7))
def test_no_bit_of_the_wrapped_key_may_change(at: int, bit: int) -> None:
    """A changed bit of the RSA ciphertext is never decrypted."""
    wrapped = bytearray(base64.b64decode(changed()["encrypted_aes_key"]))
    wrapped[at] ^= 1 << bit
    with pytest.raises(DecryptionError):
        private_keys().open(**changed(encrypted_aes_key=b64(bytes(wrapped))))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b64(plain_crypto.gcm_encrypt(AES_KEY, IV, b"{}")).encode(), "tag"),
        (b'"' + ANSWERS[0][1] + b'"', "base64"),
        (ANSWERS[0][1] + b"\n", "base64"),
        (b64(bytes(51)).encode() + b"=", "base64"),
        (ANSWERS[0][1][:-4], "tag"),
        (b'{"screen":"A","data":{}}', "base64"),
        (b"", "tag"),
    ],
    ids=[
        "the IV is not inverted",
        "quoted as JSON",
        "a line end",
        "surplus padding",
        "cut off",
        "not encrypted",
        "empty",
    ],
)
def test_an_answer_that_the_client_cannot_read(body: bytes, reason: str) -> None:
    """The caller's side refuses what Meta's client refuses; the plain implementation agrees."""
    with pytest.raises(DecryptionError) as caught:
        channel().open(body)
    assert caught.value.reason == reason
    with pytest.raises((RefusedError, ValueError)):
        plain_crypto.open_answer(plain_crypto.Sealed({}, AES_KEY, IV), body)


def test_neither_the_plaintext_nor_the_key_is_shown_or_pickled() -> None:
    """The repr of an opened request has no content; the channel refuses to be pickled or copied deeply."""
    found = opened(plain_crypto.seal_request(pair().public_pem, b'{"name":"Zoe"}', aes_key=AES_KEY))
    assert repr(found) == "OpenedRequest(key_index=0)"
    assert repr(found.channel) == "<AnswerChannel: secret>"
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="is not pickled"):
            attempt(found.channel)
