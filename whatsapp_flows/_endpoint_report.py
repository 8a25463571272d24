"""What a check of an endpoint has found: `client.check_endpoint` returns it, and `whatsapp-flows endpoint check`."""

from __future__ import annotations

from typing import Literal

from ._dataclasses import dataclass

__all__ = ["CheckCategory", "CheckResult", "EndpointFinding", "EndpointReport"]

CheckCategory = Literal["configuration", "reachability", "encryption", "payload"]
"""The categories of Meta's own health check in Flow Builder."""

CheckResult = Literal["passed", "warning", "failed", "skipped"]
"""`skipped` is a check that an earlier failure made impossible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointFinding:
    """
    One check. `message` says what was found, `advice` what to do about it (empty when there is nothing to do).

    `name` is a stable word for programs: `url`, `public-key`, `connection`, `tls`, `answer`, `status`, `signature`,
    `decryption`, `encryption`, `payload`, `content-type`, `latency`, `no-signature`, `wrong-signature`, `foreign-key`.
    `phone_number_ids` are the numbers whose key it is about; empty when it is not about a number.
    """

    name: str
    category: CheckCategory
    result: CheckResult
    message: str
    advice: str = ""
    phone_number_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReport:
    """
    The checks of an endpoint, in the order in which they were made.

    `seconds` is how long the health check took, with connecting; of several keys the longest; None when there was no
    answer. `flow_id` is the Flow whose endpoint it is; None for the check of a URL.
    """

    endpoint_uri: str
    checks: tuple[EndpointFinding, ...]
    seconds: float | None = None
    flow_id: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed; there may be warnings."""
        return not self.failures

    @property
    def failures(self) -> tuple[EndpointFinding, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.result == "failed")

    @property
    def warnings(self) -> tuple[EndpointFinding, ...]:
        """The checks that passed, and show something to improve."""
        return tuple(check for check in self.checks if check.result == "warning")
