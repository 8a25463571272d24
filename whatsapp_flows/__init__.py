"""
A typed SDK for Meta's WhatsApp Flows management API: uploads that get through, errors that say what to do.

`FlowsClient` is the way in, or `AsyncFlowsClient` for asyncio. This is the public list, and nothing else. The names are
loaded when they are first used, so that a process that imports the package and makes no call (a worker's master, a
`--help`) does not pay for requests.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ._error_codes import ERROR_CODES, ErrorCodes, ErrorRow
    from ._version import __version__
    from ._wire import Secret
    from .aio import AsyncFlowsClient
    from .client import FlowsClient
    from .errors import (
        ApiError,
        AuthenticationError,
        ConfigurationError,
        ErrorDetails,
        FatalError,
        FlowProcessingError,
        FlowsError,
        FlowStateError,
        FlowValidationError,
        IntegrityError,
        InvalidRequestError,
        NameTakenError,
        NoAnswerError,
        NotFoundError,
        NotSentError,
        PermissionDeniedError,
        PlanError,
        PublishBlockedError,
        RateLimitedError,
        RetryableError,
        ServiceUnavailableError,
        TlsError,
        TransportError,
        UnexpectedResponseError,
        UnknownApiError,
        ValidationIssue,
        ValidationPointer,
    )
    from .events import (
        AttemptFailed,
        AttemptStarted,
        AttemptSucceeded,
        Call,
        CallAborted,
        CallFailed,
        CallSucceeded,
        Counts,
        Event,
        EventConsumer,
        RetryCounters,
        RetryScheduled,
    )
    from .flow_json import FlowJson
    from .models import (
        Asset,
        CreatedFlow,
        Flow,
        FlowJsonUpdate,
        FlowStatus,
        Health,
        HealthEntity,
        HealthIssue,
        Metric,
        MetricPoint,
        MigratedFlow,
        Migration,
        MigrationFailure,
        PhoneNumber,
        Preview,
        PublicKey,
        SubscribedApp,
    )
    from .retry import (
        Decision,
        ExponentialBackoff,
        FixedDelays,
        Jitter,
        NoRetry,
        RetryBudget,
        RetryPolicy,
        RetryState,
        decorrelated_jitter,
        equal_jitter,
        full_jitter,
    )
    from .transport import AsyncTransport, Request, Response, Timeout, Transport

__all__ = [
    "ERROR_CODES",
    "ApiError",
    "Asset",
    "AsyncFlowsClient",
    "AsyncTransport",
    "AttemptFailed",
    "AttemptStarted",
    "AttemptSucceeded",
    "AuthenticationError",
    "Call",
    "CallAborted",
    "CallFailed",
    "CallSucceeded",
    "ConfigurationError",
    "Counts",
    "CreatedFlow",
    "Decision",
    "ErrorCodes",
    "ErrorDetails",
    "ErrorRow",
    "Event",
    "EventConsumer",
    "ExponentialBackoff",
    "FatalError",
    "FixedDelays",
    "Flow",
    "FlowJson",
    "FlowJsonUpdate",
    "FlowProcessingError",
    "FlowStateError",
    "FlowStatus",
    "FlowValidationError",
    "FlowsClient",
    "FlowsError",
    "Health",
    "HealthEntity",
    "HealthIssue",
    "IntegrityError",
    "InvalidRequestError",
    "Jitter",
    "Metric",
    "MetricPoint",
    "MigratedFlow",
    "Migration",
    "MigrationFailure",
    "NameTakenError",
    "NoAnswerError",
    "NoRetry",
    "NotFoundError",
    "NotSentError",
    "PermissionDeniedError",
    "PhoneNumber",
    "PlanError",
    "Preview",
    "PublicKey",
    "PublishBlockedError",
    "RateLimitedError",
    "Request",
    "Response",
    "RetryBudget",
    "RetryCounters",
    "RetryPolicy",
    "RetryScheduled",
    "RetryState",
    "RetryableError",
    "Secret",
    "ServiceUnavailableError",
    "SubscribedApp",
    "Timeout",
    "TlsError",
    "Transport",
    "TransportError",
    "UnexpectedResponseError",
    "UnknownApiError",
    "ValidationIssue",
    "ValidationPointer",
    "__version__",
    "decorrelated_jitter",
    "equal_jitter",
    "full_jitter",
]

_HOMES: Final = (
    "._version",
    "._wire",
    ".errors",
    ".retry",
    ".events",
    ".models",
    ".transport",
    ".flow_json",
    "._error_codes",
    ".client",
    ".aio",
)


def __getattr__(name: str) -> object:
    if name in __all__:
        for home in _HOMES:
            found = vars(import_module(home, __name__))
            if name in found:
                globals()[name] = found[name]
                return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
