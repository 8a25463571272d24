"""What became of a request to an endpoint, as Meta's client sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from ..._dataclasses import dataclass, field

CallOutcome = Literal[
    "answered", "token-refused", "not-decrypted", "bad-signature", "unexpected-status", "unreadable", "bad-payload",
    "too-large", "timeout", "not-reached", "not-trusted", "no-answer",
]  # fmt: skip
"""What became of a request; only `answered` is a success."""

# Outcome -> the error that the client reports to the endpoint and in the webhook's alerts ("Error codes", documented).
# Nothing is documented for a refused signature and a refused token: the user sees an error, and no report names them.
CLIENT_ERRORS: Final[Mapping[str, str]] = {
    "not-decrypted": "business-decryption-error",
    "unexpected-status": "unexpected_http_status_code",
    "unreadable": "response-decryption-error",
    "bad-payload": "payload-schema-error",
    "too-large": "no_http_response_error",  # assumed: the limit is documented, the report is not
    "timeout": "timeout_error",
    "not-reached": "no_http_response_error",
    "not-trusted": "no_http_response_error",
    "no-answer": "no_http_response_error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReply:
    """
    What an endpoint answered, as Meta's client takes it.

    `outcome` is `answered` for an answer that the client can use, and otherwise says why it cannot; `problem` says it
    in a sentence. `status` is the HTTP status, None when no answer arrived. `plaintext` is the decrypted body (bytes,
    empty when nothing could be decrypted). `seconds` is the time of the last request, `attempts` is 2 when the request
    was sent again after a 421. `content_type` is the header's value.

    The repr shows no content of the answer, which may hold what a user has entered.
    """

    outcome: CallOutcome
    status: int | None = None
    plaintext: bytes = field(default=b"", repr=False)
    problem: str = ""
    seconds: float = 0.0
    attempts: int = 1
    content_type: str = ""

    @property
    def ok(self) -> bool:
        """Whether the client can use the answer."""
        return self.outcome == "answered"

    @property
    def error_key(self) -> str:
        """The error that the client would report, such as `response-decryption-error`; empty for none."""
        return CLIENT_ERRORS.get(self.outcome, "")

    @property
    def content(self) -> dict[str, Any]:
        """The decrypted JSON object; empty when there is none."""
        return json_object(self.plaintext) or {}

    @property
    def screen(self) -> str | None:
        """The screen that the user gets; `SUCCESS` ends the Flow."""
        return _text(self.content.get("screen"))

    @property
    def data(self) -> dict[str, Any]:
        """The data of that screen; empty when there is none."""
        found = self.content.get("data")
        return found if isinstance(found, dict) else {}

    @property
    def error_message(self) -> str | None:
        """The text of the snackbar on that screen (`data.error_message`)."""
        return _text(self.data.get("error_message"))

    @property
    def params(self) -> dict[str, Any] | None:
        """What a finished Flow sends in the response message; None when it sends none, or is not finished."""
        message = self.data.get("extension_message_response")
        found = message.get("params") if isinstance(message, dict) else None
        return found if self.screen == "SUCCESS" and isinstance(found, dict) else None

    @property
    def error_msg(self) -> str | None:
        """The text of a 427, which says why the flow token is not valid; None when there is none."""
        return _text(self.content.get("error_msg")) if self.outcome == "token-refused" else None


def json_object(content: bytes) -> dict[str, Any] | None:
    """The JSON object in UTF-8, or None."""
    try:
        found = json.loads(content.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")  # Python reads NaN and Infinity, other parsers do not


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
