"""
Classification of error responses: which exception an answer of Meta becomes.

The (code, subcode) row of the table decides; then the code's own row, then `is_transient`, then the HTTP status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ._error_codes import ErrorCodes
from ._wire import Request, Response, Secret, redact, without_private
from .errors import (
    ApiError,
    AuthenticationError,
    ErrorDetails,
    FlowsError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServiceUnavailableError,
    UnexpectedResponseError,
    UnknownApiError,
)
from .usage import BUSINESS_HEADER, MAX_HINT_SECONDS, read_usage

# Meta counts over "a rolling one hour window" (Meta, "Rate limits"): for apps, users and business objects alike.
_HOUR: Final = 3600.0
_WAIT_AN_HOUR: Final = (
    "Stop calling and come back in an hour: Meta does not say how long the limit holds, and counts the calls of the "
    "last hour, refused ones included."
)

_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServiceUnavailableError,
    429: RateLimitedError,
}


def classify(response: Response, request: Request, codes: ErrorCodes) -> FlowsError:
    """
    The exception for an error response.

    The (code, subcode) row wins over the code's own row, and both win over `is_transient` and the HTTP status.
    The token is masked wherever Meta echoes it.
    """
    is_content = request.is_file and response.status < 300  # of a person, as in 206: nothing of it is shown
    body = {} if is_content else _error_object(response)
    code, subcode = _whole(body.get("code")), _whole(body.get("error_subcode"))
    transient = body.get("is_transient")
    title, user_message = (
        _text(body.get("error_user_title")),
        _text(body.get("error_user_msg")) or _error_data(body, response.token),
    )
    message = _text(body.get("message"))
    texts = [text for text in (title, user_message, message) if text]
    row = codes.find(code, subcode, texts=texts) if code is not None else None
    error: type[FlowsError] = row.error if row else _without_row(response.status, code, transient is True)
    wait, advice = retry_after(response), row.advice if row else error.default_advice
    estimated = wait is None and row is not None and issubclass(error, RateLimitedError)
    if estimated:
        wait = _HOUR
        advice = _WAIT_AN_HOUR if advice == error.default_advice else advice
    return error(
        ErrorDetails(
            operation=request.operation,
            flow_id=request.flow_id,
            message=_public(message, request) or f"HTTP {response.status} without a readable error",
            http_status=response.status,
            code=code,
            subcode=subcode,
            type=_text(body.get("type")),
            user_title=_public(title, request),
            user_message=_public(user_message, request),
            is_transient=transient if isinstance(transient, bool) else None,
            fbtrace_id=_text(body.get("fbtrace_id")) or _trace_id(response),
            retry_after=wait,
            retry_after_estimated=estimated,
            advice=advice,
        )
    )


def _public(text: str | None, request: Request) -> str | None:
    """Meta's text without what is private to the request: Meta quotes parameters that it refuses."""
    return without_private(text, request) if text and request.private else text


def is_error(response: Response, request: Request) -> bool:
    """Whether it is an error: a status that is not 2xx (for a file: not 200), or an `error` object of the API's."""
    if request.is_file:
        return response.status != 200  # 206 is a part of it
    if not 200 <= response.status < 300:
        return True
    return request.authenticated and b'"error"' in response.body and bool(_error_object(response))


def unexpected(message: str, request: Request, response: Response | None = None) -> UnexpectedResponseError:
    """The error for a 2xx answer without what was asked for."""
    return UnexpectedResponseError(
        ErrorDetails(
            message=message,
            operation=request.operation,
            flow_id=request.flow_id,
            http_status=response.status if response else None,
            fbtrace_id=_trace_id(response) if response else None,
            advice=UnexpectedResponseError.default_advice,
        )
    )


def retry_after(response: Response) -> float | None:
    """
    Seconds that Meta asks to wait: the larger of Retry-After and the business usage header; None if neither.

    `estimated_time_to_regain_access` is in minutes (Meta, "Rate limits"). A header that cannot be read is ignored, and
    none counts for more than a day.
    """
    hints = (
        _retry_after_header(response.header("retry-after"), response),
        max((usage.regain_access for usage in read_usage("", response.header(BUSINESS_HEADER))), default=0.0),
    )
    longest = min(max(hints), MAX_HINT_SECONDS)
    return longest if longest > 0 else None


def _retry_after_header(value: str, response: Response) -> float:
    """Seconds, from either form of the header; a date is read against the server's own Date, whose clock wrote it."""
    value = value.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return float(value)
    until = _unix_time(value)
    if until is None:
        return 0.0
    return until - (_unix_time(response.header("date")) or response.received_at)


def _unix_time(http_date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()  # HTTP dates are in GMT
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _without_row(status: int, code: int | None, transient: bool) -> type[FlowsError]:
    """The class for a code without a row, or for an answer without a code."""
    if transient or status >= 500:
        return ServiceUnavailableError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if code is not None:
        return UnknownApiError
    return InvalidRequestError if 400 <= status < 500 else UnexpectedResponseError


_MAX_ERROR_BYTES: Final = 256 * 1024  # bytes: Meta's error responses have some hundreds


def _error_object(response: Response) -> Mapping[str, Any]:
    """The `error` object of a body; a bare string becomes its message; empty when there is neither."""
    if len(response.body) > _MAX_ERROR_BYTES:
        return {}
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    error = found.get("error") if isinstance(found, dict) else None
    if isinstance(error, str):
        error = {"message": error}
    return _redacted(error, response.token) if isinstance(error, dict) else {}


def _redacted(found: Mapping[str, Any], token: Secret | None) -> Mapping[str, Any]:
    """An object without the token: an escape inside an escape shows it only once it is parsed."""
    return {name: redact(value, token) if isinstance(value, str) else value for name, value in found.items()}


def _trace_id(response: Response) -> str | None:
    found = response.header("x-fb-trace-id")
    return redact(found, response.token) if found else None


def _error_data(body: Mapping[str, Any], token: Secret | None) -> str | None:
    """The human detail in `error_data`, which is an object with `details`, or a string, or something else."""
    data = body.get("error_data")
    return _text(_redacted(data, token).get("details") if isinstance(data, dict) else data)


def _whole(value: object) -> int | None:
    """An integer that may have been written as a string (Meta does both)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
