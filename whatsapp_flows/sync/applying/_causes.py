"""
Which failures are not the flow's own: they would meet every other flow of the run as well.

After the first of them nothing more is begun. A class stands for all of its codes, see `_error_codes`; Meta's sources
are in that table.
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
    PermissionDeniedError,  # the token or the app may not: 3, 10, 200-299, 131005
    RateLimitedError,  # the account's or the app's limit, after the policy has given up
    ServiceUnavailableError,  # an outage that outlasted the retries
    TransportError,  # the network
    UnexpectedResponseError,  # an answer that is not Meta's: a proxy on the way
)

# Publishing checks that look at the account and not at the flow ("Flows API error codes", 139002). Those whose
# subcode nobody has published are told by Meta's English title.
_ACCOUNT_CHECKS: Final = frozenset({(139002, 4233012)})  # no signed public key
_ACCOUNT_TITLES: Final = ("missing flows signed public key", "no phone number", "not subscribed")


def is_common(error: FlowsError) -> bool:
    """Whether the next flow would meet the same failure."""
    if isinstance(error, COMMON_CAUSES) or (error.code, error.subcode) in _ACCOUNT_CHECKS:
        return True
    said = f"{error.user_title or ''} {error.message}".lower()
    return error.code == 139002 and any(title in said for title in _ACCOUNT_TITLES)
