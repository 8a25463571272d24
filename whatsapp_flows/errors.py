"""
What can go wrong, and what to do about it.

    FlowsError
    ├─ ConfigurationError (ValueError)   F     the caller's mistake; nothing was sent
    │  └─ TokenUnavailableError       F     the callable that gives the access token raised
    ├─ FlowValidationError               F     Flow JSON refused, here or by Meta; carries the issues
    ├─ TransportError                          no answer of Meta
    │  ├─ NotSentError                   R     refused, unknown host, connect timeout: nothing reached Meta
    │  ├─ NoAnswerError                  R A   sent, and no whole answer came back
    │  └─ TlsError                       F     the certificate or the TLS version is not accepted
    ├─ ApiError                                Meta answered with an error
    │  ├─ FlowProcessingError            R     139001/4016012: saved, processing failed, send again
    │  ├─ RateLimitedError               R     too many calls: wait, then send the same again
    │  ├─ ServiceUnavailableError        R A   Meta is temporarily unavailable
    │  ├─ AuthenticationError            F     get a new token
    │  ├─ PermissionDeniedError          F     grant the token access
    │  ├─ NotFoundError                  F     no such object, or the token has no access to it
    │  ├─ NameTakenError                 F     a flow of that name exists in the account
    │  ├─ FlowStateError                 F     the flow's state forbids it
    │  ├─ PublishBlockedError            F     139002: a publishing check failed
    │  ├─ IntegrityError                 F     the account is blocked or restricted
    │  ├─ InvalidRequestError            F     a parameter is wrong
    │  └─ UnknownApiError                F     no row for this code
    ├─ UnexpectedResponseError           F A   an answer that could not be read
    └─ PlanError                         F     sync: stale plan, too much change

R: also a `RetryableError`. F: also a `FatalError`. A: the server may have acted (`may_have_acted`).

An error holds plain data and rebuilds from its own `args`, so it copies and pickles; it never holds a token,
a request or a response. Its texts are masked where they have the form of a credential. `str()` is one line of printable
characters; `details` has the texts unescaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ._dataclasses import replace
from ._error_values import ErrorDetails, ValidationIssue, ValidationPointer
from ._inert import inert, without_credentials

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "ApiError",
    "AuthenticationError",
    "ConfigurationError",
    "ErrorDetails",
    "FatalError",
    "FlowProcessingError",
    "FlowStateError",
    "FlowValidationError",
    "FlowsError",
    "IntegrityError",
    "InvalidRequestError",
    "NameTakenError",
    "NoAnswerError",
    "NotFoundError",
    "NotSentError",
    "PermissionDeniedError",
    "PlanError",
    "PublishBlockedError",
    "RateLimitedError",
    "RetryableError",
    "ServiceUnavailableError",
    "TlsError",
    "TokenUnavailableError",
    "TransportError",
    "UnexpectedResponseError",
    "UnknownApiError",
    "ValidationIssue",
    "ValidationPointer",
]


class FlowsError(Exception):
    """
    The base class of all errors of this library.

    `details` is one frozen value; its usual fields are properties here. `attempts` holds the failures of the same
    call that came before this one, oldest first, without their tracebacks.
    """

    label: ClassVar[str] = "Error"
    outcome_unknown: ClassVar[bool] = False
    default_advice: ClassVar[str] = ""

    def __init__(self, details: ErrorDetails | str, *more: object) -> None:
        if isinstance(details, str):
            details = ErrorDetails(message=details, advice=self.default_advice)
        details = _masked(details)
        super().__init__(details, *more)
        self.details: ErrorDetails = details
        self.attempts: tuple[FlowsError, ...] = ()

    def __str__(self) -> str:
        d = self.details
        message = d.user_message or d.message
        if d.user_message and d.user_title and d.user_title not in d.user_message:
            message = f"{d.user_title}: {d.user_message}"
        subject = d.operation or ""
        if d.operation and d.flow_id:
            subject = f"{d.operation} of flow {d.flow_id}"
        facts = ", ".join(
            f"{name} {value}"
            for name, value in (
                ("code", d.code),
                ("subcode", d.subcode),
                ("HTTP", d.http_status),
                ("fbtrace_id", d.fbtrace_id),
            )
            if value is not None
        )
        text = f"{subject}: {message}" if subject else message
        if facts:
            text = f"{text} ({facts})"
        # Without an operation the message is our own sentence, which needs no general advice.
        advised = d.operation or d.advice != self.default_advice
        return inert(f"{text} {d.advice}" if d.advice and advised else text)

    def amended(self, **changes: Any) -> Self:
        """The same error, with some of its `details` changed."""
        self.details = _masked(replace(self.details, **changes))
        self.args = (self.details, *self.args[1:])
        return self

    @property
    def may_have_acted(self) -> bool:
        """Whether Meta may have done what was asked, in this attempt or in one before it."""
        return self.outcome_unknown or any(error.outcome_unknown for error in self.attempts)

    @property
    def operation(self) -> str | None:
        """The client method that failed."""
        return self.details.operation

    @property
    def flow_id(self) -> str | None:
        """The flow the call was about, if it was about one."""
        return self.details.flow_id

    @property
    def message(self) -> str:
        """Meta's `message`, or ours."""
        return self.details.message

    @property
    def http_status(self) -> int | None:
        """The HTTP status of the answer, if there was one."""
        return self.details.http_status

    @property
    def code(self) -> int | None:
        """Meta's error code."""
        return self.details.code

    @property
    def subcode(self) -> int | None:
        """Meta's error subcode."""
        return self.details.subcode

    @property
    def user_title(self) -> str | None:
        """Meta's `error_user_title`."""
        return self.details.user_title

    @property
    def user_message(self) -> str | None:
        """Meta's `error_user_msg`: usually the only text that says what happened."""
        return self.details.user_message

    @property
    def fbtrace_id(self) -> str | None:
        """The id that Meta's support asks for; it expires soon."""
        return self.details.fbtrace_id

    @property
    def retry_after(self) -> float | None:
        """Seconds until it makes sense to ask again; None when that is not known."""
        return self.details.retry_after

    @property
    def advice(self) -> str:
        """One sentence: what the caller should do."""
        return self.details.advice


def _masked(details: ErrorDetails) -> ErrorDetails:
    """The details without what has the shape of a credential."""
    texts: dict[str, Any] = {
        name: text
        for name in ("message", "type", "user_title", "user_message", "fbtrace_id")
        if (given := getattr(details, name)) and (text := without_credentials(given)) != given
    }
    return replace(details, **texts) if texts else details


class RetryableError(FlowsError):
    """The same call may succeed later: put it back on the queue."""


class FatalError(FlowsError):
    """The same call will fail again: somebody has to change something first."""


class ConfigurationError(FatalError, ValueError):
    """An argument or a setting is wrong; nothing was sent."""

    label = "Configuration"
    default_advice = "Correct what the message names; nothing was sent."


class TokenUnavailableError(ConfigurationError):
    """
    The host's callable that gives the access token raised; nothing was sent by this attempt.

    The message names the type of its exception alone, since the text may hold the token. What failed may be a vault
    that is down for a moment: who runs the call from a queue may put it back.
    """

    label = "Access token"
    default_advice = "See the log of whatever gives the token; the same call succeeds once it does."


class FlowValidationError(FatalError):
    """The Flow JSON was refused, here or by Meta; `issues` says what is wrong in it, and where."""

    label = "Flow JSON validation"
    default_advice = "Correct the Flow JSON at the places named in `issues` and send it again."

    def __init__(self, details: ErrorDetails | str, issues: tuple[ValidationIssue, ...] = ()) -> None:
        super().__init__(details, issues)
        self.issues = issues


class TransportError(FlowsError):
    """The network failed: there is no answer of Meta."""

    label = "Network"


class NotSentError(TransportError, RetryableError):
    """Nothing reached Meta: connection refused, unknown host, time-out while connecting."""

    label = "Connection"
    default_advice = "Nothing reached Meta: check the network or the proxy and send the same request again."


class NoAnswerError(TransportError, RetryableError):
    """The request was sent, and no whole answer came back. Meta may have executed it."""

    label = "Connection"
    outcome_unknown = True
    default_advice = "Meta may have acted: read the state before you repeat anything that must not happen twice."


class TlsError(TransportError, FatalError):
    """The server's certificate or its TLS was not accepted; nothing was sent."""

    label = "TLS"
    default_advice = "Check the CA bundle, the proxy and the base URL; do not switch verification off."


class ApiError(FlowsError):
    """Meta answered with an error."""

    label = "Meta API"


class FlowProcessingError(ApiError, RetryableError):
    """139001/4016012: Meta saved the Flow JSON, but processing it failed. Send exactly the same again."""

    label = "Meta flow processing"
    default_advice = "Send exactly the same upload again; if it goes on, ask Meta's support."


class RateLimitedError(ApiError, RetryableError):
    """Too many calls. `retry_after` says in how many seconds to come back: Meta's figure, or the hour of its window."""

    label = "Meta rate limit"
    default_advice = (
        "Stop calling until the limit is lifted (`retry_after`, in seconds, when known): further calls prolong it."
    )


class ServiceUnavailableError(ApiError, RetryableError):
    """Meta is unavailable for the moment; it may have executed the request all the same."""

    label = "Meta service"
    outcome_unknown = True
    default_advice = "Send the same request again in a while; see metastatus.com if it goes on."


class AuthenticationError(ApiError, FatalError):
    """The token is missing, malformed, expired or revoked."""

    label = "Meta authentication"
    default_advice = "Get a new access token."


class PermissionDeniedError(ApiError, FatalError):
    """The token is valid, but lacks a permission for this."""

    label = "Meta permission"
    default_advice = (
        "Grant the token whatsapp_business_management and whatsapp_business_messaging for this account and object."
    )


class NotFoundError(ApiError, FatalError):
    """The object does not exist, or the token has no access to it: Meta reports both in the same way."""

    label = "Meta not found"
    default_advice = "Check the id, the account it belongs to, and that the token has access to that account."


class NameTakenError(ApiError, FatalError):
    """A flow of that name already exists in the WhatsApp Business Account."""

    label = "Meta name conflict"
    default_advice = "Look the flow up by its name and use its id, or choose another name."


class FlowStateError(ApiError, FatalError):
    """The state that the flow is in does not allow the operation."""

    label = "Meta flow state"
    default_advice = "Read the flow's status: the operation is not allowed in it."


class PublishBlockedError(ApiError, FatalError):
    """139002: one of the checks before publishing failed; the advice says which, and what to do."""

    label = "Meta publishing check"
    default_advice = "Read the flow's health (get_health) and validation errors, correct them and publish again."


class IntegrityError(ApiError, FatalError):
    """Meta has blocked or restricted the account."""

    label = "Meta integrity"
    default_advice = "See the account in Meta's Business Support Home and appeal there."


class InvalidRequestError(ApiError, FatalError):
    """Meta refuses a parameter of the request."""

    label = "Meta invalid request"
    default_advice = "Read the message, correct the parameter and send again."


class UnknownApiError(ApiError, FatalError):
    """A code without a row in the table. `ERROR_CODES.with_rows` adds a row."""

    label = "Meta API"
    default_advice = "Look the code up in Meta's documentation, or quote the fbtrace_id to Meta's support."


class UnexpectedResponseError(FatalError):
    """An answer that cannot be read, or lacks what was asked for. Meta may have executed the request."""

    label = "Unexpected response"
    outcome_unknown = True
    default_advice = "Read the state before you repeat the call; a proxy on the way may have answered instead of Meta."


class PlanError(FatalError):
    """A sync plan is stale or would change too much, or a change would take a live flow out of use."""

    label = "Plan"
    default_advice = "Make a new plan and review it."
