"""`RetryCounters`: an event consumer that counts attempts, retries and outcomes, for hosts without a metrics system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._dataclasses import dataclass
from ._forks import Mutex
from .errors import FlowsError
from .events import AttemptFailed, AttemptStarted, AttemptSucceeded, CallAborted, CallFailed, CallSucceeded, Event

__all__ = ["Counts", "RetryCounters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """
    Totals for one operation, or for one error code.

    `requests` are HTTP requests: an attempt may need several. For an error code, `attempts` counts the attempts that
    failed with it, `retries` and `seconds_waited` the retries after it, `successes_after_retry` the calls that
    succeeded after it, `failures` and `exhausted` the calls that failed with it.

    >>> Counts(attempts=3, retries=2).as_dict()["retries"]
    2
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

    def as_dict(self) -> dict[str, float]:
        """The figures by name."""
        return {name: getattr(self, name) for name in Counts.__slots__}


class RetryCounters:
    """
    An event consumer that counts attempts, retries and outcomes, for a dashboard. Threads may share it.

    Its repr has the totals that are not zero; `as_dict()` has all figures.

    >>> counters = RetryCounters()
    >>> client = FlowsClient("token", on_event=counters)
    >>> counters
    RetryCounters()
    >>> counters.total.retries
    0
    """

    def __init__(self) -> None:
        self._lock = Mutex()
        self._operations: dict[str, Counts] = {}
        self._errors: dict[str, Counts] = {}

    @property
    def total(self) -> Counts:
        """The totals over all operations."""
        total = Counts()
        for counts in self.by_operation.values():
            total = _added(total, counts)
        return total

    @property
    def by_operation(self) -> Mapping[str, Counts]:
        """A copy of the totals per client method."""
        with self._lock:
            return dict(self._operations)

    @property
    def by_error(self) -> Mapping[str, Counts]:
        """A copy of the totals per `code/subcode` (`139001/4016012`, `80008`), or per error class without a code."""
        with self._lock:
            return dict(self._errors)

    def __call__(self, event: Event) -> None:
        for error, counts in _counted(event):
            with self._lock:
                totals = self._operations if error is None else self._errors
                key = event.call.operation if error is None else error_key(error)
                totals[key] = _added(totals.get(key, Counts()), counts)

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """All figures as plain values, for JSON: `total`, `by_operation` and `by_error`."""
        return {
            "total": self.total.as_dict(),
            "by_operation": {name: counts.as_dict() for name, counts in self.by_operation.items()},
            "by_error": {key: counts.as_dict() for key, counts in self.by_error.items()},
        }

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}={value:g}" for name, value in self.total.as_dict().items() if value)
        return f"RetryCounters({figures})"


def error_key(error: FlowsError) -> str:
    """The key of an error in counters: `139001/4016012`, `80008`, or `NoAnswerError`."""
    if error.code is None:
        return type(error).__name__
    return str(error.code) if error.subcode is None else f"{error.code}/{error.subcode}"


def _added(left: Counts, right: Counts) -> Counts:
    return Counts(**{name: getattr(left, name) + getattr(right, name) for name in Counts.__slots__})


def _counted(event: Event) -> Iterable[tuple[FlowsError | None, Counts]]:
    """The counts that an event adds: to its operation (None), and to each error that it reports."""
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
        errors = {error_key(error): error for error in event.errors}
        yield None, Counts(successes=1, successes_after_retry=1 if errors else 0)
        for error in errors.values():
            yield error, Counts(successes_after_retry=1)
    elif isinstance(event, CallFailed):
        counts = Counts(failures=1, exhausted=int(event.exhausted), seconds_waited=event.unfinished_wait)
        yield None, counts
        yield event.error, counts
