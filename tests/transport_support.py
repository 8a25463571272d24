"""What the tests of the transports share: requests, timeouts, and the check of an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.misbehaving import Behaviour, answers
from whatsapp_flows import (
    FlowsError,
    NoAnswerError,
    NotSentError,
    RetryableError,
    Timeout,
    TlsError,
    UnexpectedResponseError,
    __version__,
)
from whatsapp_flows._wire import Request, Secret

TOKEN = "EAAGm0PX4ZCpsBA" + "k7Qz9LtR" * 12
APP_SECRET = "0123456789abcdef0123456789abcdef"
FLOW_ID = "1234567890"
UPLOAD_PATH = f"/v25.0/{FLOW_ID}/assets"
DOCUMENT = '{"version": "7.0", "screens": []}'
OURS = f"whatsapp-flows-sdk/{__version__}"

PATIENT = Timeout(connect=10.0, read=10.0)
SHORT = Timeout(connect=5.0, read=5.0, total=0.15)  # for responses without an end
QUICK = Timeout(connect=10.0, read=0.15)  # for a response that does not arrive
QUICK_TO_CONNECT = Timeout(connect=0.15, read=10.0)  # for a connection, a handshake or a tunnel that is not established

PROCESSING_FAILED = json.dumps(
    {"error": {"message": "Saved, but", "code": 139001, "error_subcode": 4016012, "is_transient": False}}
).encode()

MAY_HAVE_ACTED: Mapping[type[FlowsError], bool] = {
    NotSentError: False,
    TlsError: False,
    NoAnswerError: True,
    UnexpectedResponseError: True,
}
RETRYABLE = {NotSentError, NoAnswerError}


def no_wait(_: float) -> None:
    """A `sleep` that does not wait."""


def request_to(url: str, *, method: str = "POST", token: str | None = TOKEN, **more: Any) -> Request:
    secret = None if token is None else Secret(token)
    return Request(method=method, url=url, operation="update_flow_json", flow_id=FLOW_ID, token=secret, **more)


def assert_is(error: FlowsError, expected: type[FlowsError]) -> None:
    assert type(error) is expected, repr(error)
    assert error.may_have_acted is MAY_HAVE_ACTED[expected]
    assert isinstance(error, RetryableError) is (expected in RETRYABLE)
    assert error.operation == "update_flow_json"
    assert error.flow_id == FLOW_ID
    assert error.http_status is None
    assert error.advice == expected.default_advice
    assert "127.0.0.1:" in error.message or "nonexistent" in error.message


def assets_at(url: str) -> Behaviour:
    """The API's list of a flow's files, with download links to `url`."""
    assets = [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": f"{url}/file?oh=signature"}]
    return answers(json.dumps({"data": assets}).encode())
