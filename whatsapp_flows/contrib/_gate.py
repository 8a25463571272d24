"""What stands before each request of a task: is the flow still ours, and has the account's budget room for it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ..transport import Request, Response, Timeout, Transport
from ._shared import Guard, NoRoomError, SharedState


class Gate:
    """
    Lets through what the account's budget allows, while the flow is ours.

    What was reserved is used first. It belongs to one task, and is used by one thread at a time.
    """

    def __init__(self, state: SharedState, guard: Guard, account: str) -> None:
        self._state = state
        self._guard = guard
        self._account = account
        self._reserved = 0
        self._overdrawn = False

    def around(self, transport: Transport) -> Transport:
        """A transport that sends by `transport` what the gate lets through."""
        return _GatedTransport(self, transport)

    def reserve(self, calls: int, *, unpublishes: bool = False) -> None:
        """
        Take the requests of a whole change out of the budget, or raise `NoRoomError` before the first of them.

        So no flow is left a draft because the budget ended between its upload and its publishing. Nor is one that the
        change `unpublishes`: what it takes to make it live again goes beyond the budget.
        """
        self._state.take(self._account, calls)
        self._reserved, self._overdrawn = calls, unpublishes

    def enter(self, *, authenticated: bool) -> float:
        """
        Make room for one request, which may take as many seconds as are returned: another worker may have the flow
        after that. A download from another host takes nothing out of the budget.
        """
        room = self._guard.renew()
        if authenticated and self._reserved:
            self._state.raise_if_paused(self._account)
            self._reserved -= 1
        elif authenticated and self._overdrawn:
            self._state.raise_if_paused(self._account)
            with suppress(NoRoomError):
                self._state.take(self._account)
        elif authenticated:
            self._state.take(self._account)
        return room


@dataclass(frozen=True, slots=True)
class _GatedTransport:
    """Sends what its gate lets through, and nothing otherwise."""

    gate: Gate
    transport: Transport

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """One request, one answer, within the time that the gate gives."""
        room = self.gate.enter(authenticated=request.authenticated)
        return self.transport.send(request, timeout=timeout.within(room))

    def close(self) -> None:
        """Closes the transport that sends."""
        self.transport.close()
