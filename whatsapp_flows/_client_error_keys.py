"""
The names of the errors that a Flow's client reports, in the one spelling under which they are compared.

An error notification to the endpoint and an alert webhook spell the same error differently:
`invalid-screen-transition` and `INVALID_SCREEN_TRANSITION`, `timeout_error` and `TIMEOUT`.
"""

from __future__ import annotations

from typing import Final

# Source: Meta, "Flows error codes", the errors of the endpoint; the last was observed and is on no page.
CLIENT_ERROR_KEYS: Final = (
    "timeout_error",
    "missing_capability",
    "cannot_be_served",
    "no_http_response_error",
    "unexpected_http_status_code",
    "public-key-missing",
    "public-key-signature-verification",
    "response-decryption-error",
    "invalid-screen-transition",
    "payload-schema-error",
    "business-decryption-error",
    "components-validation-error",
)
# Other names of the same errors. Source: the samples of Meta's "Flows webhooks"; the last is an old misspelling.
_ALIASES: Final = {
    "timeout": "timeout_error",
    "capability_error": "missing_capability",
    "public_key_signiture_verification": "public-key-signature-verification",
}
_BY_FOLDED: Final = {key.replace("-", "_"): key for key in CLIENT_ERROR_KEYS} | _ALIASES


def client_error_key(name: str) -> str:
    """
    The documented key of an error, whatever the case and the separators of its name.

    An unknown name in lower case, with underscores.

    >>> client_error_key("INVALID_SCREEN_TRANSITION")
    'invalid-screen-transition'
    >>> client_error_key("Some-New_Error")
    'some_new_error'
    """
    folded = name.strip().lower().replace("-", "_")
    return _BY_FOLDED.get(folded, folded)
