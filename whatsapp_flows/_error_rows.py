"""
The error codes of the Graph API that concern Flows: one sorted table.

To add a code, add a row here and run `python -m tools.error_table`, which writes docs/errors.md.

Where Meta documents a cause without a subcode, the row has a part of Meta's English `title` instead. What has no row is
classified by `is_transient`, then by the HTTP status, which says least: the Graph API throttles with a 400.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from ._error_codes import ErrorCodes, ErrorRow
from .errors import (
    ApiError,
    AuthenticationError,
    FlowProcessingError,
    FlowStateError,
    IntegrityError,
    InvalidRequestError,
    NameTakenError,
    NotFoundError,
    PermissionDeniedError,
    PublishBlockedError,
    RateLimitedError,
    ServiceUnavailableError,
    UnknownApiError,
)

_META: Final = "https://developers.facebook.com"
_WHATSAPP: Final = f"{_META}/documentation/business-messaging/whatsapp"
# The short names of the column `source`.
_SOURCES: Final[Mapping[str, str]] = {
    "M-flows": f'Meta, "Flows API error codes" ({_META}/docs/whatsapp/flows/reference/error-codes)',
    "M-graph": f'Meta, "Graph API error handling" ({_META}/docs/graph-api/guides/error-handling)',
    "M-health": f'Meta, "Health status" ({_WHATSAPP}/support/health-status)',
    "M-limits": f'Meta, "Graph API rate limits" ({_META}/docs/graph-api/overview/rate-limiting)',
    "M-wa": f'Meta, "WhatsApp Business Platform error codes" ({_WHATSAPP}/support/error-codes)',
    "OpenAPI": "Meta, OpenAPI file v23.0 (https://github.com/facebook/openapi)",
    "seen": "answers of the API that users have published",
}


def _row(
    code: int,
    subcode: int | None,
    error: type[ApiError],
    meaning: str,
    advice: str,
    source: str,
    *,
    title: str | None = None,
    last: int | None = None,
    renewable: bool = False,
) -> Callable[[], ErrorRow]:
    """What makes the row. An empty `advice` is the error class's own; `source` is short names with commas between."""
    sources = "; ".join(_SOURCES[name] for name in source.split(", "))
    return partial(
        ErrorRow, code, subcode, error, meaning, advice or error.default_advice, sources, title, last, renewable
    )


_RENEW: Final = "Get a new access token."
_HUMAN: Final = "Have the token's user log in to Facebook and clear the check, then get a new token."
_SEND_AGAIN: Final = "Send the same request again in a while."
_CHECKS: Final = (
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

# Sorted by code, then subcode, then title; the rows without a subcode come before those with one.
# fmt: off
_ROWS: Final[tuple[Callable[[], ErrorRow], ...]] = (
    _row(0, None, AuthenticationError, "could not authenticate", _RENEW, "M-wa", renewable=True),
    _row(1, None, ServiceUnavailableError, "unknown API error: an outage or a malformed request",
         "Send it again once or twice; if it goes on, look for a mistake in the request.", "M-wa"),
    _row(2, None, ServiceUnavailableError, "temporarily down", _SEND_AGAIN, "M-wa, OpenAPI"),
    _row(3, None, PermissionDeniedError, "the app lacks a capability or permission (with HTTP 500, yet not a fault)",
         "Grant the app the capability in its dashboard.", "M-wa"),
    _row(4, None, RateLimitedError, "application request limit", _LIMIT, "M-limits, OpenAPI"),
    _row(4, 2018001, RateLimitedError, "application request limit", _LIMIT, "M-limits"),
    _row(4, 2446079, RateLimitedError, "application request limit", _LIMIT, "OpenAPI"),
    _row(4, 2446080, RateLimitedError, "application request limit", _LIMIT, "M-limits"),
    _row(10, None, PermissionDeniedError, "permission denied, or the number is not eligible", "", "M-wa"),
    _row(10, 2018218, PermissionDeniedError, "permission denied, or not eligible", "", "M-wa"),
    _row(12, None, InvalidRequestError, "this API version no longer has the call",
         "Use a newer api_version.", "seen"),
    _row(17, None, RateLimitedError, "user request limit", _LIMIT, "M-limits"),
    _row(17, 2446079, RateLimitedError, "user request limit", _LIMIT, "M-limits"),
    _row(32, None, RateLimitedError, "page or user request limit", _LIMIT, "M-limits"),
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
    _row(613, None, RateLimitedError, "custom rate limit", _LIMIT, "M-limits, OpenAPI"),
    _row(613, 1996, RateLimitedError, "an inconsistent, suspicious volume of requests", _LIMIT, "M-limits"),
    _row(803, None, NotFoundError, "the object or alias does not exist", "", "OpenAPI"),
    _row(2064, None, InvalidRequestError, "a Flow message of the On-Premises API, not a Flow call", _SEND_TIME, "M-wa",
         last=2070),
    _row(2500, None, InvalidRequestError, "the path could not be parsed, or the API version does not exist",
         "Check api_version and base_url.", "seen"),
    _row(2635, None, InvalidRequestError, "this API version is retired", "Use a newer api_version.", "M-graph"),
    _row(80000, None, RateLimitedError, "ads insights limit", _LIMIT, "M-limits"),
    _row(80001, None, RateLimitedError, "pages limit", _LIMIT, "M-limits"),
    _row(80002, None, RateLimitedError, "Instagram limit", _LIMIT, "M-limits"),
    _row(80003, None, RateLimitedError, "custom audience limit", _LIMIT, "M-limits"),
    _row(80004, None, RateLimitedError, "ads management limit", _LIMIT, "M-limits"),
    _row(80005, None, RateLimitedError, "lead ads limit", _LIMIT, "M-limits"),
    _row(80006, None, RateLimitedError, "Messenger limit", _LIMIT, "M-limits"),
    _row(80007, None, RateLimitedError, "WhatsApp Business Account limit", _LIMIT, "M-wa, OpenAPI"),
    _row(80007, 2446079, RateLimitedError, "WhatsApp Business Account limit", _LIMIT, "OpenAPI"),
    _row(80008, None, RateLimitedError, "too many calls to this WhatsApp Business Account", _LIMIT, "M-limits, seen"),
    _row(80009, None, RateLimitedError, "catalog management limit", _LIMIT, "M-limits"),
    _row(80014, None, RateLimitedError, "catalog batch limit", _LIMIT, "M-limits"),
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
    _row(139000, None, IntegrityError, "creating or publishing is blocked by integrity checks", _CHECKS, "M-flows"),
    _row(139000, 4233020, IntegrityError, "publishing is blocked: the account does not meet the integrity requirements",
         _CHECKS, "M-flows, seen"),
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


def _rows() -> tuple[ErrorRow, ...]:
    return tuple(make() for make in _ROWS)


ERROR_CODES: Final = ErrorCodes(_rows)
"""The table that clients use unless they are given another one."""
