"""
The health check of an endpoint before its Flow is published: a real ping, encrypted and signed as Meta's.

Nothing is sent to a host that was not asked for: by default to this machine alone.
"""

from __future__ import annotations

import importlib.util
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from .._log import logger
from .._server import is_loopback
from ..errors import ConfigurationError
from .graph import PendingCheck

_KEPT: Final = 1_000  # results
_BAD_SIGNATURE: Final = "bad-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChecks:
    """
    Which endpoints the emulator checks before it publishes a Flow, and how.

    Those on this machine (`localhost` and loopback addresses), and those on `hosts`; every other endpoint counts as
    healthy, and nothing is sent to it. A ping is signed with `app_secret`; None: with the emulator's, else with the
    first that `webhooks_to` was given. Without any it is not signed, and the answer 432 counts as healthy, with a
    warning in the log: whether the endpoint has the registered key is then not known. An endpoint gets `time_limit`
    seconds, as from Meta.
    """

    hosts: Collection[str] = ()
    app_secret: str | None = field(default=None, repr=False)
    time_limit: float = 10.0

    def __post_init__(self) -> None:
        if isinstance(self.hosts, str) or not all(isinstance(host, str) and host for host in self.hosts):
            raise ValueError("hosts is a collection of host names")
        if not 0 < self.time_limit <= 60:
            raise ValueError("time_limit must be above 0, and at most 60 seconds")

    def covers(self, uri: str) -> bool:
        """Whether an endpoint is checked."""
        try:
            host = urlsplit(uri).hostname or ""
        except ValueError:
            return False
        local = is_loopback(host) or host == "localhost" or host.endswith(".localhost")
        return local or host in {each.lower() for each in self.hosts}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCheck:
    """
    The health check of one endpoint: whether it passed, and if not, why.

    `outcome` is that of `EndpointReply`, such as `answered`, `not-decrypted` or `not-reached`; `problem` is a sentence.
    `seconds` is the time that the endpoint took.
    """

    uri: str
    ok: bool
    outcome: str
    problem: str = ""
    seconds: float = 0.0


class EndpointChecker:
    """Sends the pings, and keeps the results."""

    def __init__(self, checks: EndpointChecks | None, app_secret: str | None, sleep: Callable[[float], object]) -> None:
        self._checks = checks
        self._secret = (checks.app_secret if checks else None) or app_secret
        self._sleep = sleep
        self.results: deque[EndpointCheck] = deque(maxlen=_KEPT)

    def sign_with(self, app_secret: str) -> None:
        """Sign pings with this secret, unless there is one already."""
        self._secret = self._secret or app_secret

    def wants(self, pending: PendingCheck) -> bool:
        """Whether this endpoint is to be checked. Needs the extra `endpoint`."""
        if self._checks is None or not self._checks.covers(pending.uri):
            return False
        return importlib.util.find_spec("cryptography") is not None

    def check(self, pending: PendingCheck) -> bool:
        """Whether an endpoint answers a ping as Meta expects. Takes up to `time_limit` seconds."""
        result = self._result(pending)
        self.results.append(result)
        if not result.ok:
            logger.warning("The endpoint %s failed its health check: %s", result.uri, result.problem)
        elif result.outcome == _BAD_SIGNATURE:
            logger.warning(
                "The endpoint %s refused a ping without a signature (432), so its key was not checked: give app_secret "
                "to Emulator, to EndpointChecks or to webhooks_to",
                result.uri,
            )
        return result.ok

    def _result(self, pending: PendingCheck) -> EndpointCheck:
        from ..endpoint import EndpointClient  # noqa: PLC0415  needs the extra `endpoint`

        checks = self._checks or EndpointChecks()
        try:
            client = EndpointClient(
                pending.uri, pending.public_key, self._secret, time_limit=checks.time_limit, sleep=self._sleep
            )
        except ConfigurationError as error:
            return EndpointCheck(uri=pending.uri, ok=False, outcome="not-reached", problem=error.message)
        try:
            reply = client.ping()
        finally:
            client.close()
        unsigned = self._secret is None and reply.outcome == _BAD_SIGNATURE
        return EndpointCheck(
            uri=pending.uri,
            ok=reply.ok or unsigned,
            outcome=reply.outcome,
            problem="not signed: the emulator has no app secret" if unsigned else reply.problem,
            seconds=reply.seconds,
        )
