"""What precedes each request of a task: the lease of the flow is renewed, and the account's budget is charged."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ..transport import Request, Response, Timeout, Transport
from ._redis_state import BudgetExceededError, FlowLease, SharedState


class RequestBudget:
    """
    Admits the requests of one task as far as the account's budget allows, while the task holds the flow's lease.

    Reserved requests are used up first. Not for use by several threads at a time.
    """

    def __init__(self, state: SharedState, lease: FlowLease, account: str) -> None:
        self._state = state
        self._lease = lease
        self._account = account
        self._reserved = 0
        self._may_exceed = False

    def around(self, transport: Transport) -> Transport:
        """A transport that sends the admitted requests by `transport`."""
        return _BudgetTransport(self, transport)

    def reserve(self, calls: int, *, unpublishes: bool = False) -> None:
        """
        Charge the requests of a whole change to the budget, or raise `BudgetExceededError` before the first of them.

        So a budget that ends between an upload and its publishing does not leave the flow a draft. If the change
        `unpublishes` a live flow, requests beyond the reserved ones may exceed the budget, to publish it again.
        """
        self._state.charge(self._account, calls)
        self._reserved, self._may_exceed = calls, unpublishes

    def admit(self, *, authenticated: bool) -> float:
        """
        Admit one request; returns how many seconds it may take before the lease ends.

        Downloads from another host, which are not authenticated, are not charged.
        """
        time_left = self._lease.renew()
        if authenticated and self._reserved:
            self._state.raise_if_paused(self._account)
            self._reserved -= 1
        elif authenticated and self._may_exceed:
            self._state.raise_if_paused(self._account)
            with suppress(BudgetExceededError):
                self._state.charge(self._account)
        elif authenticated:
            self._state.charge(self._account)
        return time_left


@dataclass(frozen=True, slots=True)
class _BudgetTransport:
    """Sends what the budget admits."""

    budget: RequestBudget
    transport: Transport

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """Send one request, within the time that the lease allows."""
        time_left = self.budget.admit(authenticated=request.authenticated)
        return self.transport.send(request, timeout=timeout.within(time_left))

    def close(self) -> None:
        """Close the inner transport."""
        self.transport.close()
