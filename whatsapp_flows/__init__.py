"""
A typed SDK for Meta's WhatsApp Flows: the management API with retries and errors that advise, validation, deployment.

Start with `FlowsClient`, or `AsyncFlowsClient` for asyncio. The endpoint of a Flow is in `whatsapp_flows.endpoint`, its
webhooks in `whatsapp_flows.webhooks`, uploaded files in `whatsapp_flows.media`.

This module lists the public names. Each is imported when it is first used, so that a process that makes no call (a
worker's master, a `--help`) does not import requests.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ._aiohttp import AiohttpTransport
    from ._endpoint_events import AnswerRefused, EndpointEvent, EndpointRequestFinished, ErrorNotified
    from ._endpoint_report import EndpointFinding, EndpointReport
    from ._error_codes import ErrorCodes, ErrorRow
    from ._error_rows import ERROR_CODES
    from ._requests import RequestsTransport
    from ._version import __version__
    from ._vocabulary import (
        ButtonIcon,
        FlowAction,
        FlowCategory,
        FlowMode,
        Granularity,
        MetricName,
        TemplateCategory,
    )
    from ._wire import Secret
    from .aio import AsyncClientOptions, AsyncFlowsClient
    from .client import ClientOptions, FlowsClient
    from .counters import Counts, RetryCounters
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
        TokenUnavailableError,
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
        Event,
        EventConsumer,
        RequestFinished,
        RequestStarted,
        ResponseMetadata,
        RetryScheduled,
    )
    from .flow_json import FlowJson
    from .messages import FlowButton, FlowButtonParameters, FlowTemplate, SentMessage
    from .models import (
        Asset,
        CreatedFlow,
        EnsuredFlow,
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
    from .pacing import AsyncPacedTransport, Pace, PacedTransport, Pacer, Slot, pause_before
    from .queued import QueuedConsumer
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
    from .transport import MAX_RESPONSE_BYTES, STOP_GRACE, AsyncTransport, Request, Response, Timeout, Transport
    from .usage import Usage

__all__ = [
    "ERROR_CODES",
    "MAX_RESPONSE_BYTES",
    "STOP_GRACE",
    "AiohttpTransport",
    "AnswerRefused",
    "ApiError",
    "Asset",
    "AsyncClientOptions",
    "AsyncFlowsClient",
    "AsyncPacedTransport",
    "AsyncTransport",
    "AttemptFailed",
    "AttemptStarted",
    "AttemptSucceeded",
    "AuthenticationError",
    "ButtonIcon",
    "Call",
    "CallAborted",
    "CallFailed",
    "CallSucceeded",
    "ClientOptions",
    "ConfigurationError",
    "Counts",
    "CreatedFlow",
    "Decision",
    "EndpointEvent",
    "EndpointFinding",
    "EndpointReport",
    "EndpointRequestFinished",
    "EnsuredFlow",
    "ErrorCodes",
    "ErrorDetails",
    "ErrorNotified",
    "ErrorRow",
    "Event",
    "EventConsumer",
    "ExponentialBackoff",
    "FatalError",
    "FixedDelays",
    "Flow",
    "FlowAction",
    "FlowButton",
    "FlowButtonParameters",
    "FlowCategory",
    "FlowJson",
    "FlowJsonUpdate",
    "FlowMode",
    "FlowProcessingError",
    "FlowStateError",
    "FlowStatus",
    "FlowTemplate",
    "FlowValidationError",
    "FlowsClient",
    "FlowsError",
    "Granularity",
    "Health",
    "HealthEntity",
    "HealthIssue",
    "IntegrityError",
    "InvalidRequestError",
    "Jitter",
    "Metric",
    "MetricName",
    "MetricPoint",
    "MigratedFlow",
    "Migration",
    "MigrationFailure",
    "NameTakenError",
    "NoAnswerError",
    "NoRetry",
    "NotFoundError",
    "NotSentError",
    "Pace",
    "PacedTransport",
    "Pacer",
    "PermissionDeniedError",
    "PhoneNumber",
    "PlanError",
    "Preview",
    "PublicKey",
    "PublishBlockedError",
    "QueuedConsumer",
    "RateLimitedError",
    "Request",
    "RequestFinished",
    "RequestStarted",
    "RequestsTransport",
    "Response",
    "ResponseMetadata",
    "RetryBudget",
    "RetryCounters",
    "RetryPolicy",
    "RetryScheduled",
    "RetryState",
    "RetryableError",
    "Secret",
    "SentMessage",
    "ServiceUnavailableError",
    "Slot",
    "SubscribedApp",
    "TemplateCategory",
    "Timeout",
    "TlsError",
    "TokenUnavailableError",
    "Transport",
    "TransportError",
    "UnexpectedResponseError",
    "UnknownApiError",
    "Usage",
    "ValidationIssue",
    "ValidationPointer",
    "__version__",
    "decorrelated_jitter",
    "equal_jitter",
    "full_jitter",
    "pause_before",
]

# The most used names, and those of the endpoint: found without importing the modules of `_HOMES`.
_DIRECT: Final = {
    "FlowsClient": ".client",
    "AsyncFlowsClient": ".aio",
    **dict.fromkeys(
        ("AnswerRefused", "EndpointEvent", "EndpointRequestFinished", "ErrorNotified"), "._endpoint_events"
    ),
}
# The modules in which the other names are looked up, in this order.
_HOMES: Final = (
    "._version",
    "._vocabulary",
    "._wire",
    ".errors",
    ".retry",
    ".events",
    ".counters",
    ".models",
    ".messages",
    ".transport",
    ".flow_json",
    ".usage",
    ".queued",
    "._endpoint_report",
    "._error_codes",
    "._error_rows",
    "._requests",
    ".client",
    ".pacing",
    "._aiohttp",
    ".aio",
)


def __getattr__(name: str) -> object:
    if name in __all__:
        for home in (_DIRECT[name],) if name in _DIRECT else _HOMES:
            found = vars(import_module(home, __name__))
            if name in found:
                globals()[name] = found[name]
                return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
