"""
The errors of the runtime side: the endpoint, webhooks and media.

    FlowsError
    └─ EndpointError                     F
       ├─ SignatureError                 F     not signed with one of the app secrets
       ├─ WebhookFormatError             F     signed, but not the JSON of a webhook
       ├─ DecryptionError                F     opened by none of the private keys, or not what Meta sends
       ├─ AnswerError                    F     an answer that the Flow's client would refuse
       ├─ InvalidToken                   F     raised by the host: the flow token is not valid (any more)
       └─ MediaError                     F     a file that somebody uploaded
          ├─ MediaDownloadError          F     it could not be downloaded
          ├─ MediaIntegrityError         F     what was downloaded is not what was uploaded
          └─ MediaRefusedError           F     its address or its size is not allowed

F: also a `FatalError`. No message holds a key, a flow token, or what a user has entered.
"""

from __future__ import annotations

from typing import Final

from ._dataclasses import dataclass
from ._error_values import ErrorDetails
from .errors import FatalError

__all__ = [
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
    "WebhookFormatError",
]


NO_LONGER_VALID: Final = "This form is no longer valid. Please ask for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerProblem:
    """
    One reason why the Flow's client would refuse an answer.

    `key` is the error that the client would report: `invalid-screen-transition`, `payload-schema-error` or
    `components-validation-error`. `path` is the JSON pointer of the place in the answer. `message` names keys and
    types, never a value.
    """

    key: str
    message: str
    path: str = ""


class EndpointError(FatalError):
    """The base class of the errors of the endpoint, of webhooks and of media."""

    label = "Endpoint"


class SignatureError(EndpointError):
    """The body is not signed with one of the app secrets: the header is missing, malformed or of another body."""

    label = "Signature"
    default_advice = "Check that the app secret is that of the app which is connected to the Flow or the webhook."


class WebhookFormatError(EndpointError):
    """
    A body that is not the JSON of a webhook. Nothing of it is in the message.

    `reason` is one of `too-large`, `json` (not UTF-8, not JSON, nested too deeply) and `shape` (no list `entry`, or
    more events than Meta puts into one webhook).
    """

    label = "Webhook"
    default_advice = "Pass the raw bytes of the request's body, as they arrived."

    def __init__(self, details: ErrorDetails | str, reason: str = "") -> None:
        super().__init__(details, reason)
        self.reason = reason


class DecryptionError(EndpointError):
    """
    A body that none of the private keys opens, or that is not what Meta sends.

    `reason` is a short word for a log (`rsa`, `tag`, `base64`, `key-size`, `iv-size`, `json`, ...); it is never sent
    to the peer.
    """

    label = "Decryption"
    default_advice = "Compare the private key with the registered public key: whatsapp-flows keys check."

    def __init__(self, details: ErrorDetails | str, reason: str = "") -> None:
        super().__init__(details, reason)
        self.reason = reason


class AnswerError(EndpointError):
    """An answer that the Flow's client would refuse; `problems` says why."""

    label = "Answer"
    default_advice = "Correct the handler, or the Flow JSON, at the places named in `problems`."

    def __init__(self, details: ErrorDetails | str, problems: tuple[AnswerProblem, ...] = ()) -> None:
        super().__init__(details, problems)
        self.problems = problems


class InvalidToken(EndpointError):  # noqa: N818 - the name of the contract, which handlers write
    """
    The flow token is not valid, or not any more: raise it in a handler or in `tokens`.

    The user sees the text, and the message's button is disabled for good. Without a text, or with an empty one, it is
    "This form is no longer valid. Please ask for a new one." `reason` is a short word for a log; `Tokens` gives
    `missing`, `forged`, `expired` or `signature`.
    """

    label = "Flow token"
    default_advice = "Send the user a new message with a new token."

    def __init__(self, details: ErrorDetails | str = "", reason: str = "") -> None:
        if isinstance(details, str) and not details.strip():
            details = NO_LONGER_VALID
        super().__init__(details, reason)
        self.reason = reason


class MediaError(EndpointError):
    """The base class of the errors of a file that somebody uploaded."""

    label = "Media"


class MediaDownloadError(MediaError):
    """The file could not be downloaded: no connection, no whole answer in time, or a status other than 200."""

    default_advice = "Try again later: Meta keeps an uploaded file for up to 20 days."


class MediaIntegrityError(MediaError):
    """
    What was downloaded is not what was uploaded.

    `check` names the failed check: `length`, `encrypted-hash`, `mac`, `padding` or `plaintext-hash` of an encrypted
    file, `length` or `sha256` of a file of a response message.
    """

    default_advice = "Download it again; if it fails again, ask the user to upload the file again."

    def __init__(self, details: ErrorDetails | str, check: str = "") -> None:
        super().__init__(details, check)
        self.check = check


class MediaRefusedError(MediaError):
    """
    The address, the size or the description of a file is not allowed.

    Nothing was sent to the address, and nothing beyond the size was read.
    """

    default_advice = "Treat the request as hostile, or allow the host or the size."
