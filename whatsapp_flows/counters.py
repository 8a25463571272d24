"""`RetryCounters`: an event consumer that counts, for hosts without a metrics system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ._forks import Mutex
from .errors import FlowsError
from .events import AttemptFailed, AttemptStarted, AttemptSucceeded, CallAborted, CallFailed, CallSucceeded, Event

__all__ = ["Counts", "RetryCounters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """
    Totals for one operation, or for one error code.

    `requests` are HTTP requests: an attempt may need several. For an error code, `attempts` are those that ended in
    it, `retries` and `seconds_waited` those it caused, `successes_after_retry` the calls that met it and got through,
    `failures` and `exhausted` those it ended.
    """

    attempts: int = 0
    requests: int = 0
    retries: int = 0
    successes: int = 0
    successes_after_retry: int = 0
    failures: int = 0
    exhausted: int = 0
    aborted: int = 0
    seconds_waited: float = 0.0


class RetryCounters:
    """
    An event consumer that counts, for the numbers that a dashboard asks for. Threads may share it.

    >>> counters = RetryCounters()
    >>> counters.total.retries
    0
    """

    def __init__(self) -> None:
        self._lock = Mutex()
        self._operations: dict[str, Counts] = {}
        self._errors: dict[str, Counts] = {}

    @property
    def total(self) -> Counts:
        """Everything, over all operations."""
        total = Counts()
        for counts in self.by_operation.values():
            total = _added(total, counts)
        return total

    @property
    def by_operation(self) -> Mapping[str, Counts]:
        """Totals per client method, as they stand now."""
        with self._lock:
            return dict(self._operations)

    @property
    def by_error(self) -> Mapping[str, Counts]:
        """Totals per `code/subcode` (`139001/4016012`, `80008`), or per error class where Meta gave no code."""
        with self._lock:
            return dict(self._errors)

    def __call__(self, event: Event) -> None:
        for error, counts in _counted(event):
            with self._lock:
                book = self._operations if error is None else self._errors
                key = event.call.operation if error is None else error_key(error)
                book[key] = _added(book.get(key, Counts()), counts)


def error_key(error: FlowsError) -> str:
    """The key of an error in counters: `139001/4016012`, `80008`, or `NoAnswerError`."""
    if error.code is None:
        return type(error).__name__
    return str(error.code) if error.subcode is None else f"{error.code}/{error.subcode}"


def _added(left: Counts, right: Counts) -> Counts:
    return Counts(**{name: getattr(left, name) + getattr(right, name) for name in Counts.__slots__})


def _counted(event: Event) -> Iterable[tuple[FlowsError | None, Counts]]:
    """What an event adds: for its operation (None), and for the errors it speaks of."""
    if isinstance(event, AttemptStarted):
        retries = 0 if event.after is None else 1
        yield None, Counts(attempts=1, retries=retries, seconds_waited=event.waited)
        if event.after is not None:
            yield event.after, Counts(retries=1, seconds_waited=event.waited)
    elif isinstance(event, AttemptSucceeded):
        yield None, Counts(requests=event.requests)
    elif isinstance(event, AttemptFailed):
        yield None, Counts(requests=event.requests)
        yield event.error, Counts(attempts=1, requests=event.requests)
    elif isinstance(event, CallAborted):
        yield None, Counts(aborted=1)
    elif isinstance(event, CallSucceeded):
        met = {error_key(error): error for error in event.errors}
        yield None, Counts(successes=1, successes_after_retry=1 if met else 0)
        for error in met.values():
            yield error, Counts(successes_after_retry=1)
    elif isinstance(event, CallFailed):
        counts = Counts(failures=1, exhausted=int(event.exhausted), seconds_waited=event.unfinished_wait)
        yield None, counts
        yield event.error, counts
