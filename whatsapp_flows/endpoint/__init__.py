"""
Answering a Flow: Meta's encrypted data-exchange requests in, encrypted answers out. Needs the extra `endpoint`.

    endpoint = FlowEndpoint(PrivateKeys.from_env(), app_secrets=..., flow="booking.json")

    @endpoint.init
    def start(request: FlowRequest) -> Answer:
        return request.show("CHOOSE", dates=free_dates())

    answer = endpoint.receive(body, headers)            # HttpAnswer: status, headers, body
    answer = await endpoint.areceive(body, headers)
"""

from typing import TYPE_CHECKING, Final

from .. import _flow_crypto as _flow_crypto  # raises ImportError with the command to install, at the import of this
from .._lazy import lazy_names

if TYPE_CHECKING:
    from .._endpoint_errors import (
        AnswerError,
        AnswerProblem,
        DecryptionError,
        EndpointError,
        InvalidToken,
        MediaDownloadError,
        MediaError,
        MediaIntegrityError,
        MediaRefusedError,
        SignatureError,
    )
    from .._endpoint_events import AnswerRefused, EndpointEvent, EndpointRequestFinished, ErrorNotified
    from .._flow_facts import FlowFacts
    from .._http_answer import HttpAnswer, Outcome
    from ._answers import Answer, Close, Finish, Show
    from ._check import check_answer
    from ._endpoint import FlowEndpoint
    from ._exchange import RequestInfo
    from ._keys import KeyPair, PrivateKeys, TenantKeys, generate_key_pair
    from ._replay import RecentAnswers, ReplayGuard
    from ._request import FlowRequest
    from ._tokens import Tokens
    from .caller import CallOutcome, EndpointClient, EndpointReply, Tamper

__all__ = [
    "Answer",
    "AnswerError",
    "AnswerProblem",
    "AnswerRefused",
    "CallOutcome",
    "Close",
    "DecryptionError",
    "EndpointClient",
    "EndpointError",
    "EndpointEvent",
    "EndpointReply",
    "EndpointRequestFinished",
    "ErrorNotified",
    "Finish",
    "FlowEndpoint",
    "FlowFacts",
    "FlowRequest",
    "HttpAnswer",
    "InvalidToken",
    "KeyPair",
    "MediaDownloadError",
    "MediaError",
    "MediaIntegrityError",
    "MediaRefusedError",
    "Outcome",
    "PrivateKeys",
    "RecentAnswers",
    "ReplayGuard",
    "RequestInfo",
    "Show",
    "SignatureError",
    "Tamper",
    "TenantKeys",
    "Tokens",
    "check_answer",
    "generate_key_pair",
]

# Module -> the names that are imported from it when they are first used.
_MODULES: Final = {
    ".._endpoint_errors": (
        "AnswerError",
        "AnswerProblem",
        "DecryptionError",
        "EndpointError",
        "InvalidToken",
        "MediaDownloadError",
        "MediaError",
        "MediaIntegrityError",
        "MediaRefusedError",
        "SignatureError",
    ),
    ".._endpoint_events": ("AnswerRefused", "EndpointEvent", "EndpointRequestFinished", "ErrorNotified"),
    ".._flow_facts": ("FlowFacts",),
    ".._http_answer": ("HttpAnswer", "Outcome"),
    "._answers": ("Answer", "Close", "Finish", "Show"),
    "._check": ("check_answer",),
    "._endpoint": ("FlowEndpoint",),
    "._exchange": ("RequestInfo",),
    "._keys": ("KeyPair", "PrivateKeys", "TenantKeys", "generate_key_pair"),
    "._replay": ("RecentAnswers", "ReplayGuard"),
    "._request": ("FlowRequest",),
    "._tokens": ("Tokens",),
    ".caller": ("CallOutcome", "EndpointClient", "EndpointReply", "Tamper"),
}

if not TYPE_CHECKING:
    __getattr__ = lazy_names(__name__, _MODULES)
