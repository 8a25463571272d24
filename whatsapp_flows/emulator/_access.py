"""
Who may call, and how often.

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

from ._call import Call, text_of_number
from ._errors import Problem, error

_PROOF_LIFETIME: Final = 300.0  # "Secure requests" guide: the timestamped form is valid for 5 minutes
_WINDOW: Final = 3600.0  # the quota is that of a rolling hour
_COUNTED_BEYOND: Final = 10  # times the limit: who hammers on is told 1000 %, and costs no more memory
_PROOF_MISSING: Final = "API calls from the server require an appsecret_proof argument"
_PROOF_WRONG: Final = "Invalid appsecret_proof provided in the API argument"


def authorize(call: Call) -> None:
    """Refuse a call without a token, with one that is not known, or without the proof that the app demands."""
    if call.token is None:
        raise error(Problem.TOKEN_REQUIRED)
    tokens = call.settings.tokens
    if tokens is not None and call.token not in tokens:
        raise error(Problem.TOKEN_INVALID)
    if call.settings.app_secret is not None:
        _check_proof(call, call.token, call.settings.app_secret)


def _check_proof(call: Call, token: str, secret: str) -> None:
    proof, time = call.parameters.get("appsecret_proof"), call.parameters.get("appsecret_time")
    if proof is None:
        raise error(Problem.INVALID_PARAMETER, _PROOF_MISSING)
    signed = token
    if time is not None:
        seconds = text_of_number(time)
        if seconds is None or abs(call.now - seconds) > _PROOF_LIFETIME:
            raise error(Problem.INVALID_PARAMETER, _PROOF_WRONG)
        signed = f"{token}|{seconds}"
    expected = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), str(proof).encode()):
        raise error(Problem.INVALID_PARAMETER, _PROOF_WRONG)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a quota is used, and the minutes until there is some left (0: there is)."""

    percent: int
    minutes: int = 0


class CallLog:
    """The calls of the last hour, account by account. Refused calls count too, as Meta says they do."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._calls: dict[str, deque[float]] = {}

    def count(self, account_id: str, now: float) -> Usage:
        """The usage with one more call, made now."""
        calls = self._calls.setdefault(account_id, deque(maxlen=self._limit * _COUNTED_BEYOND))
        while calls and calls[0] <= now - _WINDOW:
            calls.popleft()
        calls.append(now)
        percent = len(calls) * 100 // self._limit
        if len(calls) <= self._limit:
            return Usage(min(percent, 100))
        return Usage(max(percent, 101), math.ceil((calls[-self._limit] + _WINDOW - now) / 60))


def usage_headers(account_id: str | None, usage: Usage) -> dict[str, str]:
    """The rate-limit headers: of the platform, and of the account that the call was about."""
    share = {"call_count": usage.percent, "total_time": usage.percent, "total_cputime": usage.percent}
    headers = {"X-App-Usage": json.dumps(share)}
    if account_id is not None:
        kind = {"type": "whatsapp_business_management", "estimated_time_to_regain_access": usage.minutes}
        headers["X-Business-Use-Case-Usage"] = json.dumps({account_id: [{**kind, **share}]})
    return headers
