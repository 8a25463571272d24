"""Timeouts, and the credentials that a driver adds to a request."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import hmac
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from whatsapp_flows import ConfigurationError, Request, Timeout
from whatsapp_flows._wire import Secret
from whatsapp_flows.transport import Credentials

TOKEN = "EAAGm0PX4ZCpsBA" + "k7Qz9LtR" * 12
APP_SECRET = "0123456789abcdef0123456789abcdef"


# Timeout


def test_the_default_timeout_is_half_a_minute() -> None:
    """To connect and to read."""
    assert Timeout() == Timeout(connect=30.0, read=30.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, Timeout(connect=3, read=3)),
        (0.5, Timeout(connect=0.5, read=0.5)),
        (Timeout(connect=1, read=2), Timeout(connect=1, read=2)),
    ],
    ids=repr,
)
def test_a_number_is_connect_and_read(value: float | Timeout, expected: Timeout) -> None:
    """A `Timeout` is returned unchanged."""
    assert Timeout.of(value) == expected


BAD_SECONDS = (0, 0.0, -0.0, -1, -0.5, math.nan, math.inf, -math.inf, True, False, "30", b"30", None, [30], (3, 7), 1j)


@pytest.mark.parametrize("value", BAD_SECONDS, ids=repr)
@pytest.mark.parametrize("name", ["connect", "read"])
def test_seconds_are_a_finite_number_above_0(name: str, value: Any) -> None:
    """Anything else is refused; the message has the argument and its value."""
    with pytest.raises(ConfigurationError, match=rf"\b{name}\b") as caught:
        Timeout(**{name: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("value", BAD_SECONDS, ids=repr)
def test_a_number_is_checked_too(value: Any) -> None:
    """None does not mean no timeout, and a pair is not accepted."""
    with pytest.raises(ConfigurationError):
        Timeout.of(value)


def test_a_timeout_is_a_value() -> None:
    """It is frozen, and compared, hashed, copied and pickled by value."""
    timeout = Timeout(connect=1, read=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        timeout.read = 3  # type: ignore[misc]
    for other in (copy.deepcopy(timeout), pickle.loads(pickle.dumps(timeout))):
        assert other == timeout
        assert hash(other) == hash(timeout)


# Credentials


def request(**changes: Any) -> Request:
    return Request(**{"method": "GET", "url": "https://graph.facebook.com/v25.0/1", "operation": "get_flow", **changes})


def sign(credentials: Credentials, plain: Request) -> Request:
    return credentials.sign(plain, credentials.token())


def token_of(signed: Request) -> str | None:
    return None if signed.token is None else signed.token.reveal()


@pytest.mark.parametrize("given", [TOKEN, Secret(TOKEN), lambda: TOKEN], ids=["str", "Secret", "callable"])
def test_a_request_is_signed_with_the_token(given: str | Secret | Callable[[], str]) -> None:
    """Wherever the token comes from. Nothing else in the request changes, the URL included."""
    plain = request()
    signed = sign(Credentials(given), plain)
    assert token_of(signed) == TOKEN
    assert signed.proof == {}
    assert dataclasses.replace(signed, token=None) == plain
    assert plain.token is None


def test_a_callable_is_called_each_time() -> None:
    """And not before the token is needed."""
    tokens = iter(["first", "second"])
    credentials = Credentials(lambda: next(tokens))
    assert [token_of(sign(credentials, request())) for _ in range(2)] == ["first", "second"]


def test_a_request_to_another_host_is_not_signed() -> None:
    """Nothing is added, and the callable is not called."""
    plain = request(authenticated=False)
    assert not plain.needs_token
    assert Credentials(TOKEN, APP_SECRET).sign(plain, Secret(TOKEN)) is plain


@pytest.mark.parametrize("now", [1_700_000_000, 1_700_000_000.999])
def test_the_proof_is_metas_timestamped_form(now: float) -> None:
    """HMAC-SHA256 with the app's secret over `token|seconds`, and the whole seconds beside it."""
    signed = sign(Credentials(TOKEN, APP_SECRET, now=lambda: now), request())
    expected = hmac.new(APP_SECRET.encode(), f"{TOKEN}|1700000000".encode(), hashlib.sha256).hexdigest()
    assert signed.proof == {"appsecret_proof": expected, "appsecret_time": "1700000000"}


def test_each_request_has_its_own_proof() -> None:
    """With the token and the time of that request: a proof is valid for 5 minutes."""
    times, tokens = iter([100.0, 400.0]), iter(["first", "second"])
    credentials = Credentials(lambda: next(tokens), Secret(APP_SECRET), now=lambda: next(times))
    for token, at in (("first", "100"), ("second", "400")):
        expected = hmac.new(APP_SECRET.encode(), f"{token}|{at}".encode(), hashlib.sha256).hexdigest()
        assert sign(credentials, request()).proof == {"appsecret_proof": expected, "appsecret_time": at}


BAD_TOKENS = (
    "",
    " ",
    TOKEN + " ",
    TOKEN + "\n",
    "Bearer " + TOKEN,
    TOKEN[:20] + "\r\nX-Evil: 1",
    TOKEN + "\x00",
    TOKEN + "é",
    TOKEN.encode(),
    None,
    190,
    [TOKEN],
)
NO_SECRETS = tuple(value for value in BAD_TOKENS if value is not None)  # None: no proof is asked for


def _id(value: object) -> str:
    return str(value) if value in ("access_token", "app_secret") else f"{type(value).__name__} of {len(repr(value))}"


@pytest.mark.parametrize(
    ("argument", "value"),
    [("access_token", value) for value in BAD_TOKENS] + [("app_secret", value) for value in NO_SECRETS],
    ids=_id,
)
def test_a_credential_is_one_word_of_visible_ascii(argument: str, value: Any) -> None:
    """Anything else is refused at once; the message names the argument and does not quote the value."""
    with pytest.raises(ConfigurationError, match=rf"\b{argument}\b") as caught:
        Credentials(**{"access_token": TOKEN, "app_secret": None, argument: value})
    assert TOKEN[:20] not in f"{caught.value!s} {caught.value!r}"


@pytest.mark.parametrize("value", BAD_TOKENS, ids=_id)
def test_the_result_of_a_callable_is_checked_too(value: Any) -> None:
    """Before it is sent."""
    credentials = Credentials(lambda: value)
    with pytest.raises(ConfigurationError, match="access_token") as caught:
        sign(credentials, request())
    assert TOKEN[:20] not in f"{caught.value!s} {caught.value!r}"


def test_the_error_names_only_the_type_of_the_callables_exception() -> None:
    """Its text may hold the token."""

    def locked() -> str:
        raise LookupError("the vault is locked")

    with pytest.raises(ConfigurationError, match="LookupError") as caught:
        Credentials(locked).token()
    assert "vault" not in str(caught.value)


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps], ids=lambda it: it.__name__)
@pytest.mark.parametrize("keeper", [Credentials(TOKEN, APP_SECRET), Secret(TOKEN)], ids=repr)
def test_credentials_are_neither_copied_nor_pickled(make: Callable[[object], object], keeper: object) -> None:
    """Another process gets its own way to the token."""
    with pytest.raises(TypeError, match="not pickled"):
        make(keeper)


def test_credentials_are_in_no_text() -> None:
    """Neither in a repr nor in a string; two secrets are not equal even when their values are."""
    credentials = Credentials(TOKEN, APP_SECRET)
    signed = sign(credentials, request())
    shown = " ".join(
        f"{it!r} {it!s} {it}" for it in (credentials, Secret(TOKEN), signed, [signed], {"it": credentials})
    )
    assert TOKEN not in shown
    assert APP_SECRET not in shown
    assert signed.proof["appsecret_proof"] not in shown
    assert Secret(TOKEN) != Secret(TOKEN)


def test_parts_can_be_shared_with_another_client() -> None:
    """The same secrets, or the same callable, and never a plain string."""
    token, secret = Credentials(TOKEN, APP_SECRET).parts
    assert isinstance(token, Secret)
    assert isinstance(secret, Secret)
    again = sign(Credentials(token, secret, now=lambda: 1.0), request())
    assert token_of(again) == TOKEN
    assert again.proof == sign(Credentials(TOKEN, APP_SECRET, now=lambda: 1.0), request()).proof

    def source() -> str:
        return TOKEN

    assert Credentials(source).parts == (source, None)
