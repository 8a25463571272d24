"""What a host's webhook gets when a user has finished a Flow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, time, timezone
from typing import Any, Final, NamedTuple

from .._json import compact_json
from .._webhook_shapes import completion_change, webhook_body

# Made up, in the form of Meta's: no account and no number has them.
_ACCOUNT: Final = "100000000000001"
_PHONE_NUMBER_ID: Final = "100000000000002"
_BUSINESS: Final = "12025550100"  # 555-01xx is reserved for fiction (North American Numbering Plan)
USER: Final = "12025550101"
SENT: Final = "wamid.the-message-with-the-Flow"


class WebhookBody(NamedTuple):
    """
    The raw body of a webhook, and its headers, with the signature: `hooks.receive(*player.webhook_body())`.

    The repr shows the size alone: the body holds what the user has entered.
    """

    body: bytes
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"WebhookBody(<{len(self.body)} bytes>, {', '.join(self.headers)})"


def completion_body(payload: Mapping[str, Any], *, user: str, context_id: str, today: date) -> bytes:
    """
    The body with the `nfm_reply` of a payload, at noon (UTC) of that day.

    The ids of account, phone number and message are made up; equal payloads of one user make the same message, so a
    host that looks for duplicates sees one.
    """
    now = datetime.combine(today, time(12), timezone.utc).timestamp()
    digest = hashlib.sha256(compact_json([user, context_id, payload]).encode()).hexdigest()
    change = completion_change(
        payload,
        waba_id=_ACCOUNT,
        phone_number_id=_PHONE_NUMBER_ID,
        business=_BUSINESS,
        user=user,
        user_name="Test user",
        message_id=f"wamid.{digest[:32]}",
        context_id=context_id,
        now=now,
    )
    return webhook_body([change], now)
