"""
The errors of the Graph API: one sorted table, and the response body that each becomes.

Codes, subcodes, titles and HTTP statuses are those of Meta's error pages and of
captured responses. An entry has no subcode where none has been published.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

UPDATE_FAILED: Final = "Updating attempt failed"
PUBLISH_FAILED: Final = "Publishing attempt failed"
INVALID: Final = "Invalid parameter"
UNSUPPORTED: Final = (
    "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing "
    "permissions, or does not support this operation"
)


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One error: its codes, its HTTP status and its texts."""

    code: int
    subcode: int | None
    status: int
    message: str
    title: str | None = None
    user_message: str | None = None
    type: str = "OAuthException"
    is_transient: bool | None = None
    details: str | None = None  # in `error_data`, where messages have their human detail


class Problem(Enum):
    """Every error that the emulator can answer with, sorted by code and subcode."""

    # Sources: "Flow error codes" and "WhatsApp error codes" pages; Graph "Error handling" guide; captured
    # responses for every subcode of 100 and 139xxx.
    NOT_AUTHENTICATED = ErrorSpec(0, None, 401, "We were unable to authenticate the app user")
    UNKNOWN = ErrorSpec(1, None, 400, "An unknown error occurred")
    UNAVAILABLE = ErrorSpec(2, None, 503, "Service temporarily unavailable", is_transient=True)
    CAPABILITY = ErrorSpec(3, None, 500, "Application does not have the capability to make this API call")
    APP_LIMIT = ErrorSpec(4, None, 400, "Application request limit reached", is_transient=True)
    PERMISSION = ErrorSpec(10, None, 403, "Application does not have permission for this action")
    USER_LIMIT = ErrorSpec(17, None, 400, "User request limit reached", is_transient=True)
    PAGE_LIMIT = ErrorSpec(32, None, 400, "Page request limit reached")
    OBJECT_GONE = ErrorSpec(33, None, 400, "This object does not exist or was deleted", type="GraphMethodException")
    INVALID_PARAMETER = ErrorSpec(100, None, 400, INVALID, is_transient=False)
    BAD_BATCH = ErrorSpec(100, None, 400, INVALID, type="GraphBatchException")
    TOO_MANY_CLONE_SOURCES = ErrorSpec(
        100, None, 400, INVALID, "Only one clone source can be set", "Send clone_flow_id or clone_template, not both."
    )
    ENDPOINT_IN_JSON = ErrorSpec(
        100, None, 400, INVALID, "Specify Endpoint Uri in Flow JSON", "Before Flow JSON 3.0 the URI is in the JSON."
    )
    INVALID_ENDPOINT = ErrorSpec(
        100, None, 400, INVALID, "Invalid Endpoint URI", "The endpoint URI must be a valid URL"
    )
    UNKNOWN_NODE = ErrorSpec(100, 33, 400, UNSUPPORTED, type="GraphMethodException")
    TEMPLATE_EXISTS = ErrorSpec(
        100, 2388024, 400, INVALID, "Content in This Language Already Exists",
        "There is already content in this language for this template.", is_transient=False,
    )  # fmt: skip
    NAME_TAKEN = ErrorSpec(
        100, 4016019, 400, INVALID, "Flow name is not unique", "A Flow of this name exists already.", is_transient=False
    )
    SESSION_INVALID = ErrorSpec(102, None, 401, "The session is invalid")
    TOKEN_REQUIRED = ErrorSpec(104, None, 401, "An access token is required to request this resource.")
    TOKEN_INVALID = ErrorSpec(190, None, 401, "Invalid OAuth access token - Cannot parse access token")
    TOKEN_EXPIRED = ErrorSpec(190, 463, 401, "Error validating access token: Session has expired")
    ACCESS_DENIED = ErrorSpec(200, None, 403, "Permissions error")
    APPLICATION_LIMIT = ErrorSpec(341, None, 400, "Application limit reached")
    POLICY = ErrorSpec(368, None, 403, "Temporarily blocked for policies violations")
    CUSTOM_LIMIT = ErrorSpec(613, None, 400, "Calls to this API have exceeded the rate limit")
    ALIAS = ErrorSpec(803, None, 404, "Some of the aliases you requested do not exist", type="GraphMethodException")
    BAD_QUERY = ErrorSpec(2500, None, 400, "Unknown path components: {path}")
    WABA_LIMIT = ErrorSpec(80007, None, 400, "(#80007) Rate limit issues", is_transient=True)
    MANAGEMENT_LIMIT = ErrorSpec(
        80008, None, 400, "(#80008) There have been too many calls to this WhatsApp Business account."
    )
    THROUGHPUT = ErrorSpec(130429, None, 400, "Rate limit hit")
    COUNTRY = ErrorSpec(130497, None, 403, "Business account is restricted from messaging users in this country")
    SOMETHING_WRONG = ErrorSpec(131000, None, 500, "Something went wrong")
    NOT_ALLOWED = ErrorSpec(131005, None, 403, "Access denied")
    PARAMETER_MISSING = ErrorSpec(131008, None, 400, "(#131008) Required parameter is missing")
    PARAMETER_INVALID = ErrorSpec(131009, None, 400, "(#131009) Parameter value is not valid")
    SERVICE_DOWN = ErrorSpec(131016, None, 500, "Service unavailable")
    UNDELIVERABLE = ErrorSpec(131026, None, 400, "(#131026) Message undeliverable")
    LOCKED_ACCOUNT = ErrorSpec(131031, None, 403, "Account has been locked")
    WINDOW_CLOSED = ErrorSpec(131047, None, 400, "(#131047) Re-engagement message")
    MESSAGE_TYPE = ErrorSpec(131051, None, 400, "(#131051) Unsupported message type")
    MAINTENANCE = ErrorSpec(131057, None, 500, "Account in maintenance mode")
    TEMPLATE_COUNT = ErrorSpec(
        132000, None, 400, "(#132000) Number of parameters does not match the expected number of params"
    )
    TEMPLATE_UNKNOWN = ErrorSpec(132001, None, 404, "(#132001) Template name does not exist in the translation")
    TEMPLATE_FORMAT = ErrorSpec(132012, None, 400, "(#132012) Parameter format does not match format in the template")
    TEMPLATE_PAUSED = ErrorSpec(132015, None, 400, "(#132015) Template is paused")
    TEMPLATE_DISABLED = ErrorSpec(132016, None, 400, "(#132016) Template is disabled")
    FLOW_BLOCKED = ErrorSpec(132068, None, 400, "(#132068) Flow is blocked")
    FLOW_THROTTLED = ErrorSpec(132069, None, 400, "(#132069) Flow is throttled")
    SERVER_BUSY = ErrorSpec(133004, None, 503, "Server temporarily unavailable")
    NOT_REGISTERED = ErrorSpec(133010, None, 400, "(#133010) Account not registered")
    INTEGRITY = ErrorSpec(
        139000,
        None,
        400,
        "Blocked by Integrity",
        "Blocked By Integrity",
        "This account may not create or publish Flows",
    )
    JSON_NAMES_ENDPOINT = ErrorSpec(
        139001, None, 400, UPDATE_FAILED, "Specify Endpoint Uri in Flow JSON", "Before 3.0 the URI is in the JSON."
    )
    NOT_EDITABLE = ErrorSpec(
        139001, 4016010, 400, UPDATE_FAILED, "Flow can't be updated", "Flow can only be modified in Draft status",
        is_transient=False,
    )  # fmt: skip
    PROCESSING = ErrorSpec(
        139001, 4016012, 400, UPDATE_FAILED, "Error while processing WELJ",
        "Flow JSON has been saved, but processing has failed. Flow serving may not work properly. Please try "
        "uploading flow JSON again or contact support.", is_transient=False,
    )  # fmt: skip
    NOT_DRAFT = ErrorSpec(
        139002, None, 400, PUBLISH_FAILED, "Publishing Flow in invalid state", "Only a Flow in DRAFT can be published"
    )
    NO_DATA_CHANNEL = ErrorSpec(
        139002, None, 400, PUBLISH_FAILED, "Publishing Flow without data_channel_uri", "Set it in the Flow JSON."
    )
    FROZEN_VERSION = ErrorSpec(
        139002, None, 400, PUBLISH_FAILED, "Versions in Flow JSON are not available for publishing", "Upgrade them."
    )
    NO_PHONE_NUMBER = ErrorSpec(
        139002, None, 400, PUBLISH_FAILED, "No phone number connected to the WhatsApp Business Account", "Add one."
    )
    NO_APPLICATION = ErrorSpec(
        139002, None, 400, PUBLISH_FAILED, "No Application Connected to the Flow", "Set application_id on the Flow."
    )
    NOT_SUBSCRIBED = ErrorSpec(
        139002, None, 400, PUBLISH_FAILED, "WABA is not subscribed to Flows Webhooks", "Subscribe an app to the WABA."
    )
    INVALID_JSON = ErrorSpec(
        139002, 4016011, 400, PUBLISH_FAILED, "Flow can't be published",
        "You need to verify that the flow has valid Flow JSON before publishing", is_transient=False,
    )  # fmt: skip
    NO_PUBLIC_KEY = ErrorSpec(
        139002, 4233012, 400, PUBLISH_FAILED, "Missing Flows Signed Public Key", "Upload a key for a phone number."
    )
    ENDPOINT_DOWN = ErrorSpec(
        139002, 4233014, 400, PUBLISH_FAILED, "Endpoint Not Available", "The endpoint did not answer the health check."
    )
    NO_ENDPOINT = ErrorSpec(
        139002, 4233024, 400, PUBLISH_FAILED, "Publishing without endpoint_uri is forbidden", "Set endpoint_uri."
    )
    NEVER_PUBLISHED = ErrorSpec(
        139003, None, 400, "Deprecating attempt failed", "Can't deprecate unpublished flow", "Delete the draft instead."
    )
    ALREADY_DEPRECATED = ErrorSpec(
        139003, None, 400, "Deprecating attempt failed", "Flow is already deprecated", "There is nothing left to do."
    )
    NOT_DELETABLE = ErrorSpec(
        139004, 4016026, 400, "Deleting attempt failed", "Can't delete published Flow", "Deprecate it instead."
    )
    TOO_FEW_REQUESTS = ErrorSpec(
        139006, None, 400, "Metrics threshold is not reached", "Metrics threshold is not reached", "250 are needed."
    )


class GraphError(Exception):
    """Raised by an operation; becomes an error response."""

    def __init__(self, spec: ErrorSpec) -> None:
        super().__init__(spec)
        self.spec = spec


def graph_error(problem: Problem, message: str | None = None, **parts: str) -> GraphError:
    """The exception for a problem, with another message, or with values for the placeholders of its own."""
    spec = problem.value
    return GraphError(replace(spec, message=message or spec.message.format(**parts)))


def spec_for(code: int, subcode: int | None) -> ErrorSpec:
    """
    The error for a code and subcode that a test asks for.

    An unlisted pair gets the entry of its code, with this subcode and without the texts, which describe another
    cause. An unlisted code gets a minimal entry.
    """
    of_code = [problem.value for problem in Problem if problem.value.code == code]
    exact = [spec for spec in of_code if spec.subcode == subcode]
    if exact:
        return exact[0]
    known = of_code[0] if of_code else ErrorSpec(code, None, 403 if 200 <= code <= 299 else 400, f"(#{code}) Error")
    message = known.message if "{" not in known.message else INVALID
    return replace(known, subcode=subcode, message=message, title=None, user_message=None)


def error_body(spec: ErrorSpec, trace_id: str) -> dict[str, dict[str, object]]:
    """The JSON object that Graph answers with; like Graph, it omits keys without a value."""
    fields = {
        "message": spec.message,
        "type": spec.type,
        "code": spec.code,
        "error_subcode": spec.subcode,
        "is_transient": spec.is_transient,
        "error_user_title": spec.title,
        "error_user_msg": spec.user_message,
        "error_data": {"messaging_product": "whatsapp", "details": spec.details} if spec.details else None,
        "fbtrace_id": trace_id,
    }
    return {"error": {key: value for key, value in fields.items() if value is not None}}
