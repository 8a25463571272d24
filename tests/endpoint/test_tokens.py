"""Flow tokens without storage: signed, unpredictable, valid for a time."""

from __future__ import annotations

import base64
import math
import pickle
import traceback
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_flows import ConfigurationError
from whatsapp_flows.endpoint import InvalidToken, Tokens
from whatsapp_flows.signatures import sign_flow_token

SECRET, OTHER = "a secret of the host", "another secret"
APP_SECRET = "app-secret-for-tests"


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Request:
    flow_token: str | None = None
    token_signature: str | None = None


def refusal(tokens: Tokens, token: str | None, signature: str | None = None) -> str:
    """The reason for which a request is refused."""
    with pytest.raises(InvalidToken) as caught:
        tokens(Request(token, signature))
    assert str(caught.value) == tokens.text
    assert pickle.loads(pickle.dumps(caught.value)).reason == caught.value.reason
    return caught.value.reason


def test_a_token_is_valid_until_it_expires() -> None:
    """A token is accepted, as often as it comes, for the seconds of `valid_for`; then no more."""
    clock = Clock()
    tokens = Tokens(SECRET, valid_for=60, clock=clock)
    token = tokens.new()
    for now in (0.0, 0.5, 59.999):
        clock.now = 1_000_000.0 + now
        tokens(Request(token))
        assert tokens.subject(token) is None
    clock.now = 1_000_060.0
    assert refusal(tokens, token) == "expired"


def test_the_default_is_three_days_on_the_real_clock() -> None:
    """Without further options, a token is valid now, and for 3 days."""
    tokens = Tokens(SECRET)
    tokens(Request(tokens.new()))
    assert tokens.valid_for == 3 * 24 * 3600


@pytest.mark.parametrize("token", [None, "", "unused"])
def test_a_request_without_a_token_is_refused(token: str | None) -> None:
    """A message that was sent without a token has none, or Meta's literal `unused`: it stands for no session."""
    assert refusal(Tokens(SECRET), token) == "missing"


@pytest.mark.parametrize(
    "token",
    [
        "x", " ", "UNUSED", "a" * 70, "a" * 71, "a" * 73, "a" * 199, "a" * 5000, "ë" * 71, "\ud800" * 71, "=" * 72,
        "a" * 70 + "\n",
        base64.urlsafe_b64encode(bytes(53)).decode(), base64.b64encode(b"\xff" * 53).decode()[:71],
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(token: str) -> None:
    """Text that these tokens do not look like, of any length, is refused like a forged one."""
    assert refusal(Tokens(SECRET), token) == "forged"


@given(st.text(max_size=16), st.data())
def test_a_token_that_was_changed_anywhere_is_refused(subject: str, data: st.DataObject) -> None:
    """Another character at any place, one more or one less: none makes another valid token."""
    tokens = Tokens(SECRET)
    token = tokens.new(subject.encode("utf-8", "ignore").decode() or None)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCZabcz0189-_=+/ ").filter(lambda character: character != token[at]))
    for changed in (token[:at] + other + token[at + 1 :], token[:at] + token[at + 1 :], token + other, token + "="):
        assert refusal(tokens, changed) == "forged"


def test_a_token_of_another_secret_is_refused() -> None:
    """Only who knows the secret makes tokens."""
    assert refusal(Tokens(SECRET), Tokens(OTHER).new()) == "forged"


def test_a_secret_is_replaced_without_refusing_anybody() -> None:
    """The first secret signs; tokens of the older ones are accepted while they are in the list."""
    old, both, new = Tokens(OTHER), Tokens([SECRET, OTHER]), Tokens((SECRET,))
    both(Request(old.new()))
    new(Request(both.new()))
    assert refusal(new, old.new()) == "forged"


@pytest.mark.parametrize("subject", ["order-17", "x", "ë" * 48, "a" * 96, "tab\t", "\x00"])
def test_a_token_carries_a_subject(subject: str) -> None:
    """A name of up to 96 bytes comes back from the token, which has at most 199 characters."""
    tokens = Tokens(SECRET)
    token = tokens.new(subject)
    assert tokens.subject(token) == subject
    assert len(token) <= 199
    tokens(Request(token))


@pytest.mark.parametrize("subject", ["", "a" * 97, "ë" * 49, "\ud800", 5, b"x"])
def test_what_is_no_subject(subject: Any) -> None:
    """A subject that is empty, too long or no text is the caller's mistake."""
    with pytest.raises(ConfigurationError, match="subject"):
        Tokens(SECRET).new(subject)


def test_tokens_are_unpredictable() -> None:
    """Two tokens of the same moment and subject differ, in the random part and in the signature."""
    tokens = Tokens(SECRET, clock=Clock())
    made = {tokens.new("order-17") for _ in range(1000)}
    assert len(made) == 1000
    assert all(len({token[start : start + 8] for token in made}) == 1000 for start in (8, len(max(made)) - 10))
    assert {len(tokens.new()) for _ in range(10)} == {71}


# -- Meta's own signature of the token


def test_the_signature_of_the_client_is_verified() -> None:
    """With the app secret, a signature that is there has to be one of this token; none is tolerated."""
    tokens = Tokens(SECRET, app_secrets=[APP_SECRET, "older"])
    token = tokens.new()
    for signature in (None, sign_flow_token(token, APP_SECRET), sign_flow_token(token, "older")):
        tokens(Request(token, signature))
    for signature in ("", "x", sign_flow_token(token, OTHER), sign_flow_token(tokens.new(), APP_SECRET)):
        assert refusal(tokens, token, signature) == "signature"


def test_the_signature_alone_is_not_enough() -> None:
    """A signed token that is not ours, or is missing, is refused."""
    tokens = Tokens(SECRET, app_secrets=APP_SECRET)
    assert refusal(tokens, "unused", sign_flow_token("unused", APP_SECRET)) == "missing"
    assert refusal(tokens, "tok-1", sign_flow_token("tok-1", APP_SECRET)) == "forged"


def test_without_the_app_secret_the_signature_is_not_read() -> None:
    """A host that has no app secret at hand accepts its own tokens."""
    tokens = Tokens(SECRET)
    tokens(Request(tokens.new(), "no signature"))


# -- set up


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"secret": ""}, "secret"), ({"secret": " "}, "secret"), ({"secret": []}, "secret"),
        ({"secret": None}, "secret"), ({"secret": 5}, "secret"), ({"secret": b"x"}, "secret"),
        ({"app_secrets": APP_SECRET + "\n"}, "white space"),
        ({"secret": [SECRET, ""]}, "secret"), ({"secret": [5]}, "secret"), ({"secret": [b"x"]}, "secret"),
        ({"valid_for": 0}, "valid_for"), ({"valid_for": -1}, "valid_for"), ({"valid_for": math.inf}, "valid_for"),
        ({"valid_for": math.nan}, "valid_for"), ({"valid_for": True}, "valid_for"), ({"valid_for": "60"}, "valid_for"),
        ({"app_secrets": ""}, "app secret"), ({"app_secrets": []}, "app_secrets"),
        ({"text": ""}, "text"), ({"text": None}, "text"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_up(options: dict[str, Any], reason: str) -> None:
    """An empty secret, a time that is none and an empty text are mistakes, found at once."""
    with pytest.raises(ConfigurationError, match=reason):
        Tokens(**{"secret": SECRET, **options})


def test_the_text_is_the_hosts() -> None:
    """The user whose token is refused reads the text that the host has given."""
    tokens = Tokens(SECRET, text="Le formulaire a expiré.")
    with pytest.raises(InvalidToken, match=r"Le formulaire a expiré\."):
        tokens.subject(None)


def test_a_very_long_time_is_the_end_of_time() -> None:
    """A time beyond what a token can hold is cut, not wrong."""
    tokens = Tokens(SECRET, valid_for=1e300)
    tokens(Request(tokens.new()))


@pytest.mark.parametrize("reason", ["forged", "expired", "signature"])
def test_no_traceback_of_a_refusal_shows_the_token(reason: str) -> None:
    """The frames of the package that raise have no token among their local variables."""
    clock = Clock()
    tokens = Tokens(SECRET, app_secrets=APP_SECRET, clock=clock)
    token = "forged-token" * 8 if reason == "forged" else tokens.new()
    clock.now += 1e9 if reason == "expired" else 0
    request = type("R", (), {"flow_token": token, "token_signature": "signature-of-it"})()
    with pytest.raises(InvalidToken) as caught:
        tokens(request)
    assert caught.value.reason == reason
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    own = [frame for frame in stack if "whatsapp_flows/endpoint" in frame.filename]
    assert own
    assert not [frame for frame in own if token in str(frame.locals) or "signature-of-it" in str(frame.locals)]


def test_secrets_do_not_show() -> None:
    """Neither the repr nor a pickle holds a secret; a secret may have any characters."""
    tokens = Tokens([SECRET, "\ud800"], app_secrets=APP_SECRET)
    tokens(Request(tokens.new()))
    assert repr(tokens) == "Tokens(valid_for=259200.0, secrets=2)"
    with pytest.raises(TypeError):
        pickle.dumps(tokens)
