"""Meta's clock, read from the `Date` header of its answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ...transport import Request, Response, Timeout, Transport


class ServerClock:
    """
    How far Meta's clock is ahead of ours.

    Each thread uses its own last answer, because a `Date` has whole seconds only. `now` is Unix time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._thread = threading.local()

    def reading(self, transport: Transport) -> Transport:
        """The transport; this clock reads the answers that come through it."""
        return _DateReader(transport, self)

    def read(self, response: Response) -> None:
        """Take the time of an answer. One without a valid `Date` changes nothing."""
        try:
            date = parsedate_to_datetime(response.header("date")).timestamp()
        except (TypeError, ValueError, OverflowError, OSError, IndexError):  # no date, or not a valid one
            return
        self._thread.ahead = date - response.received_at

    def time(self) -> str:
        """The present time by Meta's clock, in ISO 8601; empty before this thread has had an answer with a `Date`."""
        try:
            return datetime.fromtimestamp(self._now() + self._thread.ahead, timezone.utc).isoformat()
        except (AttributeError, ValueError, OverflowError, OSError):  # no answer yet, or a year out of range
            return ""


@dataclass(frozen=True, slots=True)
class _DateReader:
    """A transport that gives the answers of the API, not those of the CDN, to a clock."""

    transport: Transport
    clock: ServerClock

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        response = self.transport.send(request, timeout=timeout)
        if request.authenticated:
            self.clock.read(response)
        return response

    def close(self) -> None:
        self.transport.close()
