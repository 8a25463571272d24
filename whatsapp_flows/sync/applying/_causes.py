"""
Which failures have a cause that all flows of the run share: the next flow would fail in the same way.

After the first of them no further flow is begun. A class stands for all of its codes; `_error_codes` has them, with
Meta's sources.
"""

from __future__ import annotations

from typing import Final

from ...errors import (
    AuthenticationError,
    FlowsError,
    IntegrityError,
    PermissionDeniedError,
    RateLimitedError,
    ServiceUnavailableError,
    TransportError,
    UnexpectedResponseError,
)

COMMON_CAUSES: Final[tuple[type[FlowsError], ...]] = (
    AuthenticationError,  # the token: 0, 102, 104, 190
    IntegrityError,  # the account is blocked or restricted: 139000, 368, 131031
    PermissionDeniedError,  # the token or the app lacks a permission: 3, 10, 200-299, 131005
    RateLimitedError,  # the limit of the account or the app, after all retries
    ServiceUnavailableError,  # an outage, after all retries
    TransportError,  # the network
    UnexpectedResponseError,  # an answer that is not Meta's: a proxy on the way
)

# Publishing checks of the account rather than the flow ("Flows API error codes", 139002). Where no subcode is
# documented, Meta's English title identifies the check.
_ACCOUNT_CHECKS: Final = frozenset({(139002, 4233012)})  # no signed public key
_ACCOUNT_TITLES: Final = ("missing flows signed public key", "no phone number", "not subscribed")


def is_common(error: FlowsError) -> bool:
    """Whether the next flow would fail in the same way."""
    if isinstance(error, COMMON_CAUSES) or (error.code, error.subcode) in _ACCOUNT_CHECKS:
        return True
    message = f"{error.user_title or ''} {error.message}".lower()
    return error.code == 139002 and any(title in message for title in _ACCOUNT_TITLES)
