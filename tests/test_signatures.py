"""Signatures: over raw bytes, with one of several secrets; and Meta's signature of a flow token."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endpoint import plain_crypto
from whatsapp_flows import ConfigurationError, Secret
from whatsapp_flows.signatures import app_secrets, sign, sign_flow_token, verify, verify_flow_token

SECRET = "app-secret-for-tests"
BODY = rb'{"encrypted_flow_data":"a\/b","note":"\u00e9"}'
HEADER = "sha256=1c58431f8623400171fc095410ccd0b49aad5b3e60e6d98ba7c8ecf5caa09bf3"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJmbG93X3Rva2VuIjoidG9rLTEifQ.YpnH7YPuXN4XQ-ZIsLzPQYFcV5xnYWGTq9B7UFPWU-o"


def test_the_known_signatures() -> None:
    """The vectors of the header and of the flow token's JWT, made and verified."""
    assert sign(BODY, SECRET) == HEADER
    assert verify(BODY, HEADER, SECRET) == 0
    assert sign_flow_token("tok-1", SECRET) == JWT
    assert verify_flow_token(JWT, "tok-1", SECRET) == 0


@given(st.binary(max_size=200), st.text("0aé€ ").map("s{}s".format))
def test_a_signature_is_the_hmac_of_the_raw_bytes(body: bytes, secret: str) -> None:
    """Bodies that are no JSON and no text are signed as they are; the plain implementation agrees."""
    assert sign(body, Secret(secret)) == plain_crypto.sign(body, secret)
    assert verify(body, sign(body, secret), ["another", secret]) == 1


@pytest.mark.parametrize(
    "secrets",
    [SECRET, Secret(SECRET), [SECRET], (Secret(SECRET),), iter([SECRET])],
    ids=["text", "Secret", "list", "tuple of Secret", "iterator"],
)
def test_secrets_are_given_as_text_or_secret_one_or_several(secrets: str) -> None:
    """Every form of the argument."""
    assert verify(BODY, HEADER, secrets) == 0


def test_the_index_says_which_secret_was_used() -> None:
    """While a secret is being replaced, both are accepted, and a metric can say when the old one is no longer used."""
    assert [verify(BODY, sign(BODY, used), ["new", "old"]) for used in ("new", "old", "other")] == [0, 1, None]
    tokens = [sign_flow_token("t", used) for used in ("new", "old", "other")]
    assert [verify_flow_token(token, "t", ["new", "old"]) for token in tokens] == [0, 1, None]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        HEADER[:-1],
        HEADER + "0",
        HEADER.replace("sha256=", ""),
        HEADER.replace("sha256", "sha1"),
        HEADER.upper(),
        " " + HEADER,
        HEADER + "\n",
        f"{HEADER},{HEADER}",
        "sha256=" + "é" * 64,
        "sha256=\ud800" + HEADER[8:],
        "sha256=" + "0" * 64,
        "sha256=" + base64.b64encode(bytes.fromhex(HEADER[7:])).decode(),
        sign(BODY + b"\n", SECRET),
        sign(json.dumps(json.loads(BODY), ensure_ascii=False).encode(), SECRET),
        sign(BODY, "another"),
    ],
)
def test_a_header_that_is_missing_malformed_or_wrong_is_none(header: str | None) -> None:
    """No header raises, whatever its length and letters are; a body written anew has another signature."""
    assert verify(BODY, header, SECRET) is None


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ([], "app_secrets is empty"),
        ("", "an app secret is empty"),
        (["good", ""], "an app secret is empty"),
        ("  ", "an app secret is empty"),
        (Secret(""), "an app secret is empty"),
        (SECRET + "\n", "an app secret has white space around it"),
        (" " + SECRET, "an app secret has white space around it"),
        (["good", Secret(SECRET + "\r\n")], "an app secret has white space around it"),
        ("topsecret\ud800", "an app secret has half a surrogate pair"),
        (b"bytes", "must be a string"),
        ([None], "must be a string"),
    ],
)
def test_an_empty_secret_is_refused(secrets: list[str], message: str) -> None:
    """Everybody can sign with an empty secret, as with an environment variable that is not set."""
    for use in (
        lambda: app_secrets(secrets),
        lambda: verify(BODY, HEADER, secrets),
        lambda: verify_flow_token(JWT, "tok-1", secrets),
    ):
        with pytest.raises(ConfigurationError, match=message):
            use()


@pytest.mark.parametrize(
    "use",
    [app_secrets, lambda given: verify(BODY, HEADER, given), lambda given: verify_flow_token(JWT, "tok-1", given)],
    ids=["app_secrets", "verify", "verify_flow_token"],
)
def test_no_traceback_of_a_refused_secret_shows_another(use: Callable[[list[str]], object]) -> None:
    """The frames of the module hold secrets as `Secret` only."""
    given = ["0123456789abcdef0123456789abcdef", ""]
    with pytest.raises(ConfigurationError) as caught:
        use(given)
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    own = [frame for frame in stack if frame.filename.endswith("signatures.py") and "tests" not in frame.filename]
    assert own
    assert not [frame for frame in own if "0123456789abcdef" in str(frame.locals)]


@pytest.mark.parametrize(
    "use",
    [
        lambda secret: sign("text", secret),  # type: ignore[arg-type]
        lambda secret: verify("text", HEADER, secret),  # type: ignore[arg-type]
        lambda secret: sign(BODY, secret + "\ud800"),
        lambda secret: verify(BODY, HEADER, secret + "\ud800"),
        lambda secret: app_secrets(secret + "\n"),
        lambda secret: sign(BODY, secret + "\n"),
        lambda secret: sign_flow_token("t", secret + "\ud800"),
        lambda secret: sign(BODY, ""),
    ],
)
def test_a_mistake_is_reported_without_the_secret(use: Callable[[str], object]) -> None:
    """Neither the message, nor the exception before it, nor a frame of the module has it."""
    with pytest.raises(ConfigurationError) as caught:
        use("topsecret-3f9a")
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "topsecret" not in repr(caught.value)
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    own = [frame for frame in stack if "tests" not in frame.filename]
    assert own
    assert not [frame for frame in own if "topsecret" in str(frame.locals)]


def jwt(header: object, payload: object, secret: str = SECRET) -> str:
    """A JWT that is signed correctly, whatever it says; made without the package."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode() if not isinstance(part, bytes) else part)
        for part in (header, payload)
    ]
    signed = b".".join(part.rstrip(b"=") for part in parts)
    mac = bytes.fromhex(plain_crypto.sign(signed, secret).removeprefix("sha256="))
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


HS256 = {"alg": "HS256", "typ": "JWT"}


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        (jwt(HS256, {"flow_token": "tok-1"}), 0),
        (jwt({"alg": "HS256"}, {"flow_token": "tok-1", "exp": 1}), 0),
        (jwt(HS256, {"flow_token": "tok-2"}), None),
        (jwt(HS256, {"flow_token": 1}), None),
        (jwt(HS256, {"token": "tok-1"}), None),
        (jwt(HS256, ["flow_token"]), None),
        (jwt(["alg"], {"flow_token": "tok-1"}), None),
        (jwt(HS256, b"not JSON"), None),
        (jwt(HS256, b"\xff\xfe"), None),
        (jwt(HS256, b"[" * 3000), None),
        (jwt({"alg": "none"}, {"flow_token": "tok-1"}), None),
        (jwt({"alg": "HS512"}, {"flow_token": "tok-1"}), None),
        (jwt({"alg": "RS256"}, {"flow_token": "tok-1"}), None),
        (jwt({"typ": "JWT"}, {"flow_token": "tok-1"}), None),
        (jwt(HS256, {"flow_token": "tok-1"}, "another"), None),
        (JWT.rpartition(".")[0] + ".", None),
        (JWT.rpartition(".")[0], None),
        (JWT + ".", None),
        (JWT + "=", None),
        (JWT[:-1], None),
        (JWT.replace("-", "+"), None),
        (JWT.replace(".", "\n."), None),
        (jwt(HS256, {"flow_token": "tok-1", "more": "x" * 8000}), None),
        ("", None),
        ("..", None),
        ("é.é.é", None),
    ],
)
def test_a_flow_token_signature_is_a_jwt_of_that_token(signature: str, expected: int | None) -> None:
    """HS256 alone, an exact MAC, and the claim `flow_token`; other claims do not count, since none is documented."""
    assert verify_flow_token(signature, "tok-1", SECRET) == expected


def test_a_flow_token_of_any_text_is_signed() -> None:
    """Letters beyond ASCII, and half a surrogate pair, which JSON can carry."""
    for token in ("Zoë", "\U0001f600", "\ud800", ""):
        assert verify_flow_token(sign_flow_token(token, SECRET), token, SECRET) == 0
