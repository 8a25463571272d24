"""Tokens, proofs and quotas."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from tests.emulator.support import NOON, SETTINGS, call
from whatsapp_flows.emulator.graph._access import QuotaCounter, QuotaUsage, authorize, usage_headers
from whatsapp_flows.emulator.graph._errors import GraphError

_SECRET = "app secret"


def _proof(text: str) -> str:
    return hmac.new(_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("token", "known", "expected"),
    [
        ("any", None, None),
        (None, None, (401, 104)),
        ("good", {"good"}, None),
        ("bad", {"good"}, (401, 190)),
        ("any", set(), (401, 190)),
    ],
)
def test_a_call_needs_a_token(token: str | None, known: set[str] | None, expected: tuple[int, int] | None) -> None:
    """Any token is accepted, unless the emulator is given some."""
    settings = replace(SETTINGS, tokens=None if known is None else frozenset(known))
    asked = call("GET", "/", token=token, settings=settings)
    if expected is None:
        authorize(asked)
    else:
        with pytest.raises(GraphError) as error:
            authorize(asked)
        assert (error.value.spec.status, error.value.spec.code) == expected


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"appsecret_proof": _proof("token")}, None),
        ({"appsecret_proof": _proof(f"token|{NOON:.0f}"), "appsecret_time": f"{NOON:.0f}"}, None),
        ({"appsecret_proof": _proof(f"token|{NOON - 300:.0f}"), "appsecret_time": f"{NOON - 300:.0f}"}, None),
        ({"appsecret_proof": _proof(f"token|{NOON - 301:.0f}"), "appsecret_time": f"{NOON - 301:.0f}"}, "Invalid"),
        ({"appsecret_proof": _proof("token|soon"), "appsecret_time": "soon"}, "Invalid"),
        ({"appsecret_proof": _proof("other")}, "Invalid"),
        ({"appsecret_proof": _proof("token"), "appsecret_time": f"{NOON:.0f}"}, "Invalid"),
        ({"appsecret_proof": "é"}, "Invalid"),
        ({}, "require an appsecret_proof"),
    ],
)
def test_an_app_may_demand_a_proof(parameters: dict[str, str], message: str | None) -> None:
    """Plain, or with a time that is at most five minutes old; anything else is code 100 without a subcode."""
    asked = call("GET", "/", query=parameters, settings=replace(SETTINGS, app_secret=_SECRET))
    if message is None:
        authorize(asked)
    else:
        with pytest.raises(GraphError, match=message) as error:
            authorize(asked)
        assert (error.value.spec.code, error.value.spec.subcode) == (100, None)


def test_calls_are_counted_by_account_and_hour() -> None:
    """The quota of an account is its own, and what is older than an hour no longer counts."""
    log = QuotaCounter(4)
    assert [log.count("a", NOON + at).percent for at in range(4)] == [25, 50, 75, 100]
    assert log.count("b", NOON) == QuotaUsage(25)
    assert log.count("a", NOON + 3601) == QuotaUsage(75)


def test_beyond_the_quota_the_minutes_are_reported() -> None:
    """Until enough calls are an hour old; rejected calls count too."""
    log = QuotaCounter(2)
    assert [log.count("a", NOON + at * 60) for at in (0, 10)] == [QuotaUsage(50), QuotaUsage(100)]
    assert log.count("a", NOON + 20 * 60) == QuotaUsage(150, minutes=50)
    assert log.count("a", NOON + 20 * 60) == QuotaUsage(200, minutes=60)


def test_usage_is_reported_in_headers() -> None:
    """One for the app, and an array for the account; the estimate is in minutes."""
    headers = {name: json.loads(value) for name, value in usage_headers("7", QuotaUsage(90, 19)).items()}
    share = {"call_count": 90, "total_time": 90, "total_cputime": 90}
    kind = {"type": "whatsapp_business_management", "estimated_time_to_regain_access": 19}
    assert headers == {"X-App-Usage": share, "X-Business-Use-Case-Usage": {"7": [{**kind, **share}]}}
    assert usage_headers(None, QuotaUsage(1)).keys() == {"X-App-Usage"}
