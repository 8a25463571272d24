"""
Access tokens, appsecret_proof, and the quota of calls.

Source: "Secure requests" guide (appsecret_proof), "Rate limits" guide (headers, quota).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from ._call import GraphCall, parse_int
from ._errors import Problem, graph_error

_PROOF_LIFETIME: Final = 300.0  # "Secure requests" guide: the timestamped form is valid for 5 minutes
_WINDOW: Final = 3600.0  # the quota is that of a rolling hour
_MAX_COUNTED: Final = 10  # times the limit: bounds the memory, so the reported usage ends at 1000 %
_PROOF_MISSING: Final = "API calls from the server require an appsecret_proof argument"
_PROOF_WRONG: Final = "Invalid appsecret_proof provided in the API argument"


def authorize(call: GraphCall) -> None:
    """Raise for a missing token, an unknown one, or a missing or wrong appsecret_proof if the app requires one."""
    if call.token is None:
        raise graph_error(Problem.TOKEN_REQUIRED)
    tokens = call.settings.tokens
    if tokens is not None and call.token not in tokens:
        raise graph_error(Problem.TOKEN_INVALID)
    if call.settings.app_secret is not None:
        _check_proof(call, call.token, call.settings.app_secret)


def _check_proof(call: GraphCall, token: str, secret: str) -> None:
    proof, time = call.parameters.get("appsecret_proof"), call.parameters.get("appsecret_time")
    if proof is None:
        raise graph_error(Problem.INVALID_PARAMETER, _PROOF_MISSING)
    signed = token
    if time is not None:
        seconds = parse_int(time)
        if seconds is None or abs(call.now - seconds) > _PROOF_LIFETIME:
            raise graph_error(Problem.INVALID_PARAMETER, _PROOF_WRONG)
        signed = f"{token}|{seconds}"
    expected = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), str(proof).encode()):
        raise graph_error(Problem.INVALID_PARAMETER, _PROOF_WRONG)


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """The used percentage of a quota, and the minutes until calls are allowed again (0: they are)."""

    percent: int
    minutes: int = 0


class QuotaCounter:
    """Counts the calls of the last hour for each account. Rejected calls count too ("Rate limits" guide)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._calls: dict[str, deque[float]] = {}

    def count(self, account_id: str, now: float) -> QuotaUsage:
        """Add a call made at `now`; returns the usage."""
        calls = self._calls.setdefault(account_id, deque(maxlen=self._limit * _MAX_COUNTED))
        while calls and calls[0] <= now - _WINDOW:
            calls.popleft()
        calls.append(now)
        percent = len(calls) * 100 // self._limit
        if len(calls) <= self._limit:
            return QuotaUsage(min(percent, 100))
        return QuotaUsage(max(percent, 101), math.ceil((calls[-self._limit] + _WINDOW - now) / 60))


def usage_headers(account_id: str | None, usage: QuotaUsage) -> dict[str, str]:
    """The rate-limit headers: for the app, and for the account that the call concerns."""
    share = {"call_count": usage.percent, "total_time": usage.percent, "total_cputime": usage.percent}
    headers = {"X-App-Usage": json.dumps(share)}
    if account_id is not None:
        kind = {"type": "whatsapp_business_management", "estimated_time_to_regain_access": usage.minutes}
        headers["X-Business-Use-Case-Usage"] = json.dumps({account_id: [{**kind, **share}]})
    return headers
