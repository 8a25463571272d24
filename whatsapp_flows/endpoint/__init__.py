"""
Answering a Flow: Meta's encrypted data-exchange requests in, encrypted answers out. Needs the extra `endpoint`.

    keys = PrivateKeys.from_env()
    pair = generate_key_pair()
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
    from .._http_answer import HttpAnswer, Outcome
    from ._check import check_answer
    from ._facts import FlowFacts
    from ._keys import KeyPair, PrivateKeys, TenantKeys, generate_key_pair
    from ._tokens import Tokens
    from .caller import CallOutcome, EndpointClient, EndpointReply, Tamper

__all__ = [
    "AnswerError",
    "AnswerProblem",
    "CallOutcome",
    "DecryptionError",
    "EndpointClient",
    "EndpointError",
    "EndpointReply",
    "FlowFacts",
    "HttpAnswer",
    "InvalidToken",
    "KeyPair",
    "MediaDownloadError",
    "MediaError",
    "MediaIntegrityError",
    "MediaRefusedError",
    "Outcome",
    "PrivateKeys",
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
    ".._http_answer": ("HttpAnswer", "Outcome"),
    "._check": ("check_answer",),
    "._facts": ("FlowFacts",),
    "._keys": ("KeyPair", "PrivateKeys", "TenantKeys", "generate_key_pair"),
    "._tokens": ("Tokens",),
    ".caller": ("CallOutcome", "EndpointClient", "EndpointReply", "Tamper"),
}

if not TYPE_CHECKING:
    __getattr__ = lazy_names(__name__, _MODULES)
