"""What one flow needs of the run that it belongs to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ...client import FlowsClient
from ...retry import RetryPolicy
from ..calls import AbandonStop
from ..planning import PlanOptions
from ._live import OldDocuments
from ._lock_writer import LockWriter
from ._result import FlowEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """
    The run, as a flow sees it. The flows of a run share it.

    Setting `stop` ends the calls of `client`; those of `restoring_client`, which publishes a live flow again, end with
    `abandon` only. `policy` is the retry policy of both. `options` are those of the plan. `report` gives an event to
    the caller, `interrupt` ends the run because of an exception such as `KeyboardInterrupt`. `server_time` is the
    present time by Meta's clock, in ISO 8601 (empty: not known).
    """

    client: FlowsClient
    restoring_client: FlowsClient
    policy: RetryPolicy
    options: PlanOptions
    stop: threading.Event
    abandon: AbandonStop
    lock_writer: LockWriter
    documents: OldDocuments
    report: Callable[[FlowEvent], None]
    interrupt: Callable[[BaseException], None]
    server_time: Callable[[], str]

    def client_for(self, *, at_risk: bool) -> FlowsClient:
        """The client for the next call: for a live flow that may be a draft now, the one that `stop` does not end."""
        return self.restoring_client if at_risk else self.client

    def is_stopped(self, *, at_risk: bool) -> bool:
        """Whether a flow must send no further request."""
        return (self.abandon if at_risk else self.stop).is_set()
