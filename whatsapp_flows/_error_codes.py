"""
(code, subcode) -> error: one sorted table, one reader.

A row with a `title` stands for a cause whose subcode nobody has published: it is looked for by Meta's English words,
and only after the subcode has found nothing, because Meta translates its texts. Then comes the code's own row, then
`is_transient`, then the HTTP status, which says least: Graph throttles with a 400.

Sources: M-flows, Meta's "Flows API error codes"; M-wa, "WhatsApp Business Platform error codes"; M-health, "Health
status"; M-graph, "Graph API error handling" and "rate limiting"; OpenAPI, Meta's OpenAPI file v23.0; seen, captured by
third parties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ._dataclasses import dataclass
from ._wire import Request, Response, Secret, redact
from .errors import (
    ApiError,
    AuthenticationError,
    ErrorDetails,
    FlowProcessingError,
    FlowsError,
    FlowStateError,
    IntegrityError,
    InvalidRequestError,
    NameTakenError,
    NotFoundError,
    PermissionDeniedError,
    PublishBlockedError,
    RateLimitedError,
    ServiceUnavailableError,
    UnexpectedResponseError,
    UnknownApiError,
)
from .usage import BUSINESS_HEADER, LONGEST_HINT, read_usage


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """
    One row: codes `code` to `last`, a subcode (None: any), the error class, what it means, what to do, who says so.

    `title` is a part of Meta's English title or message, in lower case, for a cause without a known subcode.
    `renewable`: another token may cure it.
    """

    code: int
    subcode: int | None
    error: type[ApiError]
    meaning: str
    advice: str
    source: str
    title: str | None = None
    last: int | None = None
    renewable: bool = False

    def covers(self, code: int) -> bool:
        """Whether this row speaks of `code`."""
        return self.code <= code <= (self.last or self.code)


def _row(code: int, subcode: int | None, error: type[ApiError], meaning: str, advice: str, source: str,
         *, title: str | None = None, last: int | None = None, renewable: bool = False) -> ErrorRow:  # fmt: skip
    return ErrorRow(code, subcode, error, meaning, advice or error.default_advice, source, title, last, renewable)


# Meta counts over "a rolling one hour window" (M-graph, "Rate limits"): for apps, users and business objects alike.
_HOUR: Final = 3600.0
_RENEW: Final = "Get a new access token."
_HUMAN: Final = "Have the token's user log in to Facebook and clear the check, then get a new token."
_SEND_AGAIN: Final = "Send the same request again in a while."
_HEALTH: Final = (
    "Read the flow's health, get_health(flow_id, phone_number_id=...): it names the cause, such as a display name that "
    "was declined, a payment method that is missing (141006) or a business that is not verified (141010); if it is all "
    "AVAILABLE, ask Meta's support."
)
_ENDPOINT: Final = (
    'Set one, update_flow(flow_id, endpoint_uri=...) or endpoint = "..." in flows.toml, or remove data_api_version '
    "from the Flow JSON: a flow without an endpoint has none."
)
_OLD_VERSION: Final = "Upgrade the Flow JSON's version and data_api_version: `whatsapp-flows upgrade` does most of it."
_SEND_TIME: Final = "See Meta's WhatsApp error codes: it is about sending messages, not about Flow calls."
_LIMIT: Final = ""  # RateLimitedError's own advice
_UNTOLD: Final = (
    "Stop calling and come back in an hour: Meta does not say how long the limit holds, and counts the calls of the "
    "last hour, refused ones included."
)

# Sorted by code, then subcode, then title; the rows without a subcode come before those with one.
# fmt: off
_ROWS: Final[tuple[ErrorRow, ...]] = (
    _row(0, None, AuthenticationError, "could not authenticate", _RENEW, "M-wa", renewable=True),
    _row(1, None, ServiceUnavailableError, "unknown API error: an outage or a malformed request",
         "Send it again once or twice; if it goes on, look for a mistake in the request.", "M-wa"),
    _row(2, None, ServiceUnavailableError, "temporarily down", _SEND_AGAIN, "M-wa, OpenAPI"),
    _row(3, None, PermissionDeniedError, "the app lacks a capability or permission (with HTTP 500, yet not a fault)",
         "Grant the app the capability in its dashboard.", "M-wa"),
    _row(4, None, RateLimitedError, "application request limit", _LIMIT, "M-graph, OpenAPI"),
    _row(4, 2018001, RateLimitedError, "application request limit", _LIMIT, "M-graph"),
    _row(4, 2446079, RateLimitedError, "application request limit", _LIMIT, "OpenAPI"),
    _row(4, 2446080, RateLimitedError, "application request limit", _LIMIT, "M-graph"),
    _row(10, None, PermissionDeniedError, "permission denied, or the number is not eligible", "", "M-wa"),
    _row(10, 2018218, PermissionDeniedError, "permission denied, or not eligible", "", "M-wa"),
    _row(12, None, InvalidRequestError, "this API version no longer has the call",
         "Use a newer api_version.", "seen"),
    _row(17, None, RateLimitedError, "user request limit", _LIMIT, "M-graph"),
    _row(17, 2446079, RateLimitedError, "user request limit", _LIMIT, "M-graph"),
    _row(32, None, RateLimitedError, "page or user request limit", _LIMIT, "M-graph"),
    _row(33, None, NotFoundError, "the object was deleted, or the id is wrong", "", "M-wa"),
    _row(100, None, InvalidRequestError, "invalid parameter", "", "M-wa, OpenAPI"),
    _row(100, None, NotFoundError, "a flow with that id does not exist",
         "Check the flow id, its account and the token's access to it.", "M-flows",
         title="flow with specified id does not exist"),
    _row(100, None, AuthenticationError, "appsecret_proof wrong",
         "Use the app_secret of the app that issued the token, and check this machine's clock.", "seen",
         title="invalid appsecret_proof"),
    _row(100, None, InvalidRequestError, "invalid endpoint URI", "Give a valid https URL as endpoint_uri.", "M-flows",
         title="invalid endpoint uri"),
    _row(100, None, InvalidRequestError, "invalid data_api_version in the Flow JSON",
         "Correct or upgrade data_api_version in the Flow JSON.", "M-flows",
         title="invalid flow json data_api_version"),
    _row(100, None, InvalidRequestError, "invalid version of the Flow JSON",
         "Correct or upgrade the version in the Flow JSON.", "M-flows", title="invalid flow json version"),
    _row(100, None, NameTakenError, "a flow of that name exists in the account", "", "M-flows",
         title="name is not unique"),
    _row(100, None, NotFoundError, "no such object, or no permission to see it", "", "seen", title="object with id"),
    _row(100, None, InvalidRequestError, "only one clone source can be set",
         "Send clone_flow_id or clone_template, not both.", "M-flows", title="only one clone source"),
    _row(100, None, AuthenticationError, "appsecret_proof required, and absent",
         "Give the client its app_secret.", "seen", title="require an appsecret_proof"),
    _row(100, None, InvalidRequestError, "endpoint_uri given for a clone of Flow JSON below 3.0",
         "Leave endpoint_uri out: below Flow JSON 3.0 it stands in the document.", "M-flows",
         title="specify endpoint uri in flow json"),
    _row(100, None, InvalidRequestError, "more than 50 ids in one read", "Read at most 50 ids at once.", "seen",
         title="too many ids"),
    _row(100, 33, NotFoundError, "no such object, or no permission to see it", "", "seen"),
    _row(100, 4016019, NameTakenError, "a flow of that name exists in the account",
         "Look the flow up by its name and use its id, or choose another name.", "M-flows, seen"),
    _row(102, None, AuthenticationError, "session invalid", _RENEW, "M-graph", renewable=True),
    _row(102, 458, AuthenticationError, "the user has not installed the app",
         "Have the token's user grant the app access again.", "M-graph"),
    _row(102, 459, AuthenticationError, "the user has to log in and clear a checkpoint", _HUMAN, "M-graph"),
    _row(102, 460, AuthenticationError, "the password was changed", _RENEW, "M-graph", renewable=True),
    _row(102, 463, AuthenticationError, "the token has expired", _RENEW, "M-graph", renewable=True),
    _row(102, 464, AuthenticationError, "the user is unconfirmed", _HUMAN, "M-graph"),
    _row(102, 467, AuthenticationError, "the token was revoked", _RENEW, "M-graph", renewable=True),
    _row(102, 492, PermissionDeniedError, "the token's user lacks a role on the page",
         "Give the token's user the role on the page.", "M-graph"),
    _row(104, None, AuthenticationError, "access token required, or its signature is wrong", _RENEW,
         "M-graph, OpenAPI", renewable=True),
    _row(190, None, AuthenticationError, "token expired or invalid", _RENEW, "M-wa", renewable=True),
    _row(190, 458, AuthenticationError, "the user has not installed the app",
         "Have the token's user grant the app access again.", "M-graph"),
    _row(190, 459, AuthenticationError, "the user has to log in and clear a checkpoint", _HUMAN, "M-graph"),
    _row(190, 460, AuthenticationError, "the password was changed", _RENEW, "M-graph", renewable=True),
    _row(190, 463, AuthenticationError, "the token has expired",
         "Get a new access token; a system user's can be permanent.", "M-graph", renewable=True),
    _row(190, 464, AuthenticationError, "the user is unconfirmed", _HUMAN, "M-graph"),
    _row(190, 467, AuthenticationError, "the token was revoked", _RENEW, "M-graph", renewable=True),
    _row(190, 492, PermissionDeniedError, "the token's user lacks a role on the page",
         "Give the token's user the role on the page.", "M-graph"),
    _row(192, None, InvalidRequestError, "invalid phone number", "", "M-graph"),
    _row(200, None, PermissionDeniedError, "permission missing", "", "M-wa", last=299),
    _row(200, 1349174, PermissionDeniedError, "the app may not use this object", "", "OpenAPI"),
    _row(200, 1349175, PermissionDeniedError, "the app is not linked to the account", "", "OpenAPI"),
    _row(200, 1349176, PermissionDeniedError, "the app is not linked to the account", "", "OpenAPI"),
    _row(341, None, RateLimitedError, "application limit, by downtime or throttling", _LIMIT, "M-graph"),
    _row(368, None, IntegrityError, "blocked for a policy violation, or restricted",
         "See the account's quality page in Meta's Business Support Home and appeal there.", "M-graph, M-wa"),
    _row(506, None, InvalidRequestError, "duplicate post", "Do not send the same content twice.", "M-graph"),
    _row(613, None, RateLimitedError, "custom rate limit", _LIMIT, "M-graph, OpenAPI"),
    _row(613, 1996, RateLimitedError, "an inconsistent, suspicious volume of requests", _LIMIT, "M-graph"),
    _row(803, None, NotFoundError, "the object or alias does not exist", "", "OpenAPI"),
    _row(2064, None, InvalidRequestError, "a Flow message of the On-Premises API, not a Flow call", _SEND_TIME, "M-wa",
         last=2070),
    _row(2500, None, InvalidRequestError, "the path could not be parsed, or the API version does not exist",
         "Check api_version and base_url.", "seen"),
    _row(2635, None, InvalidRequestError, "this API version is retired", "Use a newer api_version.", "M-graph"),
    _row(80000, None, RateLimitedError, "ads insights limit", _LIMIT, "M-graph"),
    _row(80001, None, RateLimitedError, "pages limit", _LIMIT, "M-graph"),
    _row(80002, None, RateLimitedError, "Instagram limit", _LIMIT, "M-graph"),
    _row(80003, None, RateLimitedError, "custom audience limit", _LIMIT, "M-graph"),
    _row(80004, None, RateLimitedError, "ads management limit", _LIMIT, "M-graph"),
    _row(80005, None, RateLimitedError, "lead ads limit", _LIMIT, "M-graph"),
    _row(80006, None, RateLimitedError, "Messenger limit", _LIMIT, "M-graph"),
    _row(80007, None, RateLimitedError, "WhatsApp Business Account limit", _LIMIT, "M-wa, OpenAPI"),
    _row(80007, 2446079, RateLimitedError, "WhatsApp Business Account limit", _LIMIT, "OpenAPI"),
    _row(80008, None, RateLimitedError, "too many calls to this WhatsApp Business Account", _LIMIT, "M-graph, seen"),
    _row(80009, None, RateLimitedError, "catalog management limit", _LIMIT, "M-graph"),
    _row(80014, None, RateLimitedError, "catalog batch limit", _LIMIT, "M-graph"),
    _row(130429, None, RateLimitedError, "Cloud API throughput", _LIMIT, "M-wa"),
    _row(130429, 2494055, RateLimitedError, "Cloud API throughput", _LIMIT, "M-wa"),
    _row(130497, None, IntegrityError, "the account may not write to that country",
         "See Meta's list of countries for this kind of business.", "M-wa"),
    _row(131000, None, ServiceUnavailableError, "something went wrong at Meta", _SEND_AGAIN, "M-wa"),
    _row(131005, None, PermissionDeniedError, "access denied", "", "M-wa"),
    _row(131008, None, InvalidRequestError, "a required parameter is missing", "", "M-wa"),
    _row(131009, None, InvalidRequestError, "a parameter's value is not valid", "", "M-wa"),
    _row(131016, None, ServiceUnavailableError, "service unavailable", _SEND_AGAIN, "M-wa"),
    _row(131026, None, InvalidRequestError, "a message cannot be delivered, as to a phone whose app is too old",
         _SEND_TIME, "M-wa"),
    _row(131031, None, IntegrityError, "the account is locked",
         "See the account in Meta's Business Support Home and appeal there.", "M-wa"),
    _row(131047, None, InvalidRequestError, "a message outside of the 24 hours", _SEND_TIME, "M-wa"),
    _row(131048, None, RateLimitedError, "spam limit of the number",
         "Look at the number's quality in WhatsApp Manager: this limit is a long one.", "M-wa"),
    _row(131056, None, RateLimitedError, "too many messages to the same number", _LIMIT, "M-wa"),
    _row(131057, None, ServiceUnavailableError, "the account is in maintenance mode",
         "Send the same request again in some minutes.", "M-wa"),
    _row(132000, None, InvalidRequestError, "a template message error", _SEND_TIME, "M-wa", last=132016),
    _row(132068, None, FlowStateError, "the flow is blocked",
         "Correct the flow's endpoint: Meta unblocks it by itself when it is healthy.", "M-wa"),
    _row(132069, None, FlowStateError, "the flow is throttled, and 10 messages went out this hour",
         "Correct the flow's endpoint: Meta frees it by itself when it is healthy.", "M-wa"),
    _row(133000, None, FlowStateError, "an earlier deregistration of the number is not complete",
         "Register the phone number first; Flow calls do not do that.", "M-wa"),
    _row(133004, None, ServiceUnavailableError, "server temporarily unavailable", _SEND_AGAIN, "M-wa"),
    _row(133005, None, InvalidRequestError, "wrong two-step PIN of the number", "Give the number's PIN.", "M-wa"),
    _row(133006, None, FlowStateError, "the number has to be verified", "Verify the phone number first.", "M-wa"),
    _row(133008, None, FlowStateError, "too many PIN guesses", "Wait as long as the message says.", "M-wa"),
    _row(133009, None, FlowStateError, "PIN entered too fast", "Wait as long as the message says.", "M-wa"),
    _row(133010, None, FlowStateError, "the number is not registered", "Register the phone number first.", "M-wa"),
    _row(133015, None, FlowStateError, "the number was deleted a moment ago", "Wait 5 minutes.", "M-wa"),
    _row(133016, None, RateLimitedError, "too many registrations of the number", _LIMIT, "M-wa"),
    _row(135000, None, InvalidRequestError, "generic user error", "", "M-wa"),
    _row(139000, None, IntegrityError, "creating or publishing is blocked by integrity checks", _HEALTH, "M-flows"),
    _row(139000, 4233020, IntegrityError, "publishing is blocked: the account does not meet the integrity requirements",
         _HEALTH, "M-flows, seen"),
    _row(139001, None, FlowStateError, "the flow cannot be updated",
         "Read the flow's status: clone a flow that refuses edits.", "M-flows"),
    _row(139001, None, FlowProcessingError, "the Flow JSON was saved, but processing it failed", "", "M-flows, seen",
         title="error while processing"),
    _row(139001, None, FlowProcessingError, "the Flow JSON was saved, but processing it failed", "", "M-flows, seen",
         title="processing has failed"),
    _row(139001, None, InvalidRequestError, "endpoint_uri given for Flow JSON below 3.0",
         "Leave endpoint_uri out: below Flow JSON 3.0 it stands in the document.", "M-flows",
         title="specify endpoint uri in flow json"),
    _row(139001, 4016010, FlowStateError, "the flow is not in a state that can be edited",
         "Read the flow's status: clone the flow and edit the clone.", "M-flows, seen"),
    _row(139001, 4016012, FlowProcessingError, "the Flow JSON was saved, but processing it failed",
         "Send exactly the same upload again; if it goes on, ask Meta's support.", "M-flows, seen"),
    _row(139002, None, PublishBlockedError, "a publishing check failed",
         "Read the flow's health (get_health) and validation errors, correct them and publish again.", "M-flows"),
    _row(139002, None, PublishBlockedError, "the endpoint does not answer",
         "Make the endpoint answer Meta's ping; the same request can succeed then.", "M-flows",
         title="endpoint not available"),
    _row(139002, None, FlowStateError, "the flow is not a draft",
         "Read the flow's status: if it is PUBLISHED there is nothing to do.", "M-flows", title="invalid state"),
    _row(139002, None, PublishBlockedError, "no public key is signed",
         "Upload a public key for the phone number (set_public_key).", "M-flows",
         title="missing flows signed public key"),
    _row(139002, None, PublishBlockedError, "no application is connected to the flow",
         "Connect one: update_flow(flow_id, application_id=...).", "M-flows", title="no application connected"),
    _row(139002, None, PublishBlockedError, "no phone number is connected to the account",
         "Add a verified phone number to the WhatsApp Business Account.", "M-flows", title="no phone number"),
    _row(139002, None, PublishBlockedError, "the Flow JSON's versions can no longer be published",
         _OLD_VERSION, "M-flows", title="not available for publishing"),
    _row(139002, None, PublishBlockedError, "the account is not subscribed to Flows webhooks",
         "Tick `flows` in the app's webhook settings and call subscribe_app().", "M-flows", title="not subscribed"),
    _row(139002, None, PublishBlockedError, "the Flow JSON is missing or has validation errors",
         "Read the flow's validation_errors, correct them, upload and publish again.", "M-flows, seen",
         title="valid flow json before publishing"),
    _row(139002, None, PublishBlockedError, "the flow has no data_channel_uri",
         "Set data_channel_uri in the Flow JSON, or upgrade it to 3.0 and set endpoint_uri.", "M-flows",
         title="without data_channel_uri"),
    _row(139002, None, PublishBlockedError, "the flow has no endpoint_uri", _ENDPOINT, "M-flows",
         title="without endpoint_uri"),
    _row(139002, None, PublishBlockedError, "the flow has no endpoint_uri", _ENDPOINT, "seen",
         title="without specifying 'endpoint_uri'"),
    _row(139002, 4016011, PublishBlockedError, "the Flow JSON is missing or has validation errors",
         "Read the flow's validation_errors, correct them, upload and publish again.", "M-flows, seen"),
    _row(139002, 4233012, PublishBlockedError, "no public key is signed",
         "Upload a public key for the phone number (set_public_key).", "seen"),
    _row(139002, 4233014, PublishBlockedError, "the endpoint does not answer",
         "Make the endpoint answer Meta's ping; the same request can succeed then.", "seen"),
    _row(139002, 4233024, PublishBlockedError, "the flow has no endpoint_uri", _ENDPOINT, "seen"),
    _row(139002, 4233046, PublishBlockedError, "the Flow JSON's versions can no longer be published", _OLD_VERSION,
         "seen"),
    _row(139003, None, FlowStateError, "the flow cannot be deprecated",
         "Read the flow's status: delete a draft, leave a deprecated flow alone.", "M-flows"),
    _row(139003, None, FlowStateError, "the flow is already deprecated", "There is nothing to do.", "M-flows",
         title="already deprecated"),
    _row(139003, None, FlowStateError, "a flow that was never published cannot be deprecated",
         "Delete the draft instead.", "M-flows", title="unpublished flow"),
    _row(139004, None, FlowStateError, "a published flow cannot be deleted", "Deprecate it instead.", "M-flows"),
    _row(139004, 4016026, FlowStateError, "a published flow cannot be deleted", "Deprecate it instead.", "seen"),
    _row(139005, None, UnknownApiError, "in Meta's range of Flow codes, but described nowhere", "", "M-flows"),
    _row(139006, None, FlowStateError, "fewer than 250 requests: the flow has no metrics yet",
         "Ask again when the flow has been used more.", "M-flows"),
    _row(139100, None, InvalidRequestError, "an error of the API that blocks users, not of Flow calls",
         "See Meta's WhatsApp error codes.", "M-wa", last=139103),
    _row(141002, None, FlowStateError, "in a flow's health: the template is not approved",
         "See the template in WhatsApp Manager.", "M-health"),
    _row(141006, None, IntegrityError, "in a flow's health: there is an error with the payment method",
         "Add a valid payment method to the WhatsApp Business Account.", "M-health, OpenAPI"),
    _row(141010, None, IntegrityError, "in a flow's health: the business is not verified",
         "Start or finish the business verification in Meta's business settings.", "M-health, OpenAPI"),
    _row(141014, None, IntegrityError, "in a flow's health: the WhatsApp Business Account is banned",
         "See the account in Meta's Business Support Home and appeal there.", "M-health, OpenAPI"),
    _row(200005, None, InvalidRequestError, "a template analytics error, not of Flow calls",
         "See Meta's WhatsApp error codes.", "M-wa", last=200007),
    _row(2388000, None, InvalidRequestError, "a template or phone number error, not of Flow calls",
         "See Meta's WhatsApp error codes.", "M-wa", last=2388999),
    _row(2494100, None, InvalidRequestError, "a phone number error, not of Flow calls",
         "See Meta's WhatsApp error codes.", "M-wa"),
    _row(2593000, None, InvalidRequestError, "a synchronisation error, not of Flow calls",
         "See Meta's WhatsApp error codes.", "M-wa", last=2593999),
    _row(4233041, None, InvalidRequestError, "one flow could not be migrated",
         "Read the message: the name exists in the destination, or not in the source.", "M-flows, OpenAPI"),
)
# fmt: on


class ErrorCodes:
    """
    An immutable table of (code, subcode) rows, with one reader: `find`.

    Iterating gives the rows in order.
    """

    def __init__(self, rows: tuple[ErrorRow, ...]) -> None:
        self._rows = rows
        self._exact = {(row.code, row.subcode): row for row in rows if row.title is None and row.last is None}
        self._ranges = tuple(row for row in rows if row.last is not None)
        self._titled = tuple(row for row in rows if row.title is not None)

    def __iter__(self) -> Iterator[ErrorRow]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, code: int, subcode: int | None = None, *, texts: Sequence[str] = ()) -> ErrorRow | None:
        """
        The row for a code and subcode; Meta's `texts`, the title first, decide where no subcode is known.

        None when no row speaks of the code.
        """
        if subcode is not None and (row := self._exact.get((code, subcode))):
            return row
        for text in texts:
            named = [row for row in self._titled if row.code == code and (row.title or "") in text.lower()]
            if named:
                return max(named, key=lambda row: len(row.title or ""))
        return self._exact.get((code, None)) or next((row for row in self._ranges if row.covers(code)), None)

    def renewable(self, error: FlowsError) -> bool:
        """Whether another token may cure an error: no human and no setting is needed first."""
        if not isinstance(error, AuthenticationError):
            return False
        row = None if error.code is None else self.find(error.code, error.subcode)
        return row is None or row.renewable or row.source == "host"

    def with_rows(self, rows: Mapping[tuple[int, int | None], type[ApiError] | ErrorRow]) -> ErrorCodes:
        """
        A table with these rows added, or put in the place of all rows with the same code and subcode.

        A class stands for a row with its own advice; an `ErrorRow` says everything itself.

        >>> table = ERROR_CODES.with_rows({(139001, 4016099): FlowProcessingError})
        >>> table.find(139001, 4016099).error.__name__
        'FlowProcessingError'
        """
        added = tuple(
            row if isinstance(row, ErrorRow) else _row(code, subcode, row, "added by the host", "", "host")
            for (code, subcode), row in rows.items()
        )
        kept = tuple(row for row in self._rows if row.last or (row.code, row.subcode) not in rows)
        return ErrorCodes(tuple(sorted(kept + added, key=_order)))


def _order(row: ErrorRow) -> tuple[int, int, str]:
    return (row.code, -1 if row.subcode is None else row.subcode, row.title or "")


ERROR_CODES: Final = ErrorCodes(_ROWS)

_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServiceUnavailableError,
    429: RateLimitedError,
}


def classify(response: Response, request: Request, codes: ErrorCodes = ERROR_CODES) -> FlowsError:
    """
    The error that a refusal stands for.

    The (code, subcode) row wins over the code's own row, and both win over `is_transient` and the HTTP status.
    The token is masked wherever Meta echoes it.
    """
    body = _error_object(response)
    code, subcode = _whole(body.get("code")), _whole(body.get("error_subcode"))
    transient = body.get("is_transient")
    title, said = (
        _text(body.get("error_user_title")),
        _text(body.get("error_user_msg")) or _error_data(body, response.token),
    )
    message = _text(body.get("message"))
    texts = [text for text in (title, said, message) if text]
    row = codes.find(code, subcode, texts=texts) if code is not None else None
    error: type[FlowsError] = row.error if row else _without_row(response.status, code, transient is True)
    come_back, advice = retry_after(response), row.advice if row else error.default_advice
    estimated = come_back is None and row is not None and issubclass(error, RateLimitedError)
    if estimated:
        come_back, advice = _HOUR, _UNTOLD
    return error(
        ErrorDetails(
            operation=request.operation,
            flow_id=request.flow_id,
            message=message or f"HTTP {response.status} without a readable error",
            http_status=response.status,
            code=code,
            subcode=subcode,
            type=_text(body.get("type")),
            user_title=title,
            user_message=said,
            is_transient=transient if isinstance(transient, bool) else None,
            fbtrace_id=_text(body.get("fbtrace_id")) or _trace_id(response),
            retry_after=come_back,
            retry_after_estimated=estimated,
            advice=advice,
        )
    )


def is_error(response: Response, request: Request) -> bool:
    """Whether an answer is a refusal: any status but 2xx, or from the API an `error` object whatever the status."""
    if not 200 <= response.status < 300:
        return True
    return request.authenticated and b'"error"' in response.body and bool(_error_object(response))


def unexpected(message: str, request: Request, response: Response | None = None) -> UnexpectedResponseError:
    """The error for a 2xx answer that says nothing we can use."""
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
    Seconds that Meta wants us to stay away: the larger of Retry-After and the business usage header; None if neither.

    `estimated_time_to_regain_access` is in minutes (Meta, "Rate limits"). Both headers are hints: one that cannot be
    read is no error, and none is believed for more than a day.
    """
    hints = (
        _retry_after_header(response.header("retry-after"), response),
        max((usage.regain_access for usage in read_usage("", response.header(BUSINESS_HEADER))), default=0.0),
    )
    longest = min(max(hints), LONGEST_HINT)
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


_MOST_OF_AN_ERROR: Final = 256 * 1024  # bytes: Meta's have some hundreds, and an answer that large is none


def _error_object(response: Response) -> Mapping[str, Any]:
    """The `error` object of a body; a bare string becomes its message; empty when there is nothing of the kind."""
    if len(response.body) > _MOST_OF_AN_ERROR:
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
