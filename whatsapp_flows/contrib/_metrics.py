"""The metrics of the exporters: one table, and the measurements that each event adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from .._client_error_keys import CLIENT_ERROR_KEYS, client_error_key
from .._error_rows import ERROR_CODES
from .._forks import Mutex
from ..errors import FlowsError
from ..events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CallAborted,
    CallFailed,
    CallSucceeded,
    Event,
    RequestFinished,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """
    One metric. `name` has dots, as OpenTelemetry writes it; `unit` is a UCUM unit.

    `labels` distinguish its series. `buckets` are the upper bounds of a histogram, in the metric's unit.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


_ERROR: Final = ("error", "code", "subcode")
_WHOLE_CALL: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_WAITING: Final = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0)  # around 5, 10, 20, 40, 60
# OpenTelemetry, "Semantic conventions for HTTP metrics", and our time-out of 30 s.
ONE_REQUEST: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0)

CALLS: Final = Metric(
    name="whatsapp_flows.calls",
    kind="counter",
    unit="{call}",
    help="Calls that ended, by outcome: success, failure, exhausted (no attempts left) or aborted.",
    labels=("operation", "outcome", *_ERROR),
)
ATTEMPTS: Final = Metric(
    name="whatsapp_flows.attempts",
    kind="counter",
    unit="{attempt}",
    help="Attempts that ended, by outcome: success or failure.",
    labels=("operation", "outcome", *_ERROR),
)
RETRIES: Final = Metric(
    name="whatsapp_flows.retries",
    kind="counter",
    unit="{attempt}",
    help="Attempts after the first of a call, by the error that led to them.",
    labels=("operation", *_ERROR),
)
SUCCESSES_AFTER_RETRY: Final = Metric(
    name="whatsapp_flows.successes_after_retry",
    kind="counter",
    unit="{call}",
    help="Calls that succeeded after at least one failed attempt.",
    labels=("operation",),
)
FAILURES_AFTER_RETRY: Final = Metric(
    name="whatsapp_flows.failures_after_retry",
    kind="counter",
    unit="{call}",
    help="Calls that failed after more than one attempt.",
    labels=("operation",),
)
WAIT: Final = Metric(
    name="whatsapp_flows.wait",
    kind="histogram",
    unit="s",
    help="Seconds waited between two attempts.",
    labels=("operation",),
    buckets=_WAITING,
)
CALL_DURATION: Final = Metric(
    name="whatsapp_flows.call.duration",
    kind="histogram",
    unit="s",
    help="Seconds of whole calls, including waits.",
    labels=("operation", "outcome"),
    buckets=_WHOLE_CALL,
)
REQUEST_DURATION: Final = Metric(
    name="whatsapp_flows.request.duration",
    kind="histogram",
    unit="s",
    help="Seconds of HTTP requests, by status; none without a response.",
    labels=("operation", "status"),
    buckets=ONE_REQUEST,
)
USAGE: Final = Metric(
    name="whatsapp_flows.usage",
    kind="gauge",
    unit="1",
    help="Used share of a rate limit, from 0 to 1, as last reported by Meta; object app is the limit of the whole app.",
    labels=("object", "limit", "figure"),
)
REGAIN_ACCESS: Final = Metric(
    name="whatsapp_flows.regain_access",
    kind="gauge",
    unit="s",
    help="Seconds until Meta accepts calls again, as last reported; 0 when it does.",
    labels=("object", "limit"),
)

METRICS: Final = (
    CALLS,
    ATTEMPTS,
    RETRIES,
    SUCCESSES_AFTER_RETRY,
    FAILURES_AFTER_RETRY,
    WAIT,
    CALL_DURATION,
    REQUEST_DURATION,
    USAGE,
    REGAIN_ACCESS,
)

OTHER: Final = "other"  # replaces label values beyond the bounds

MAX_OBJECTS: Final = 1000  # rate limits whose usage is reported: as many as `client.usage` keeps
_MAX_UNKNOWN_CODES: Final = 100  # pairs of code and subcode without a row in the error table
_MAX_HOSTS: Final = 20  # graph.facebook.com, and the hosts of Meta's download links
_MAX_SCREENS: Final = 200  # of all endpoints that share a consumer; a Flow has some ten
_MAX_CLIENT_ERRORS: Final = 20  # errors that a Flow's client reports, without those that are known
_MAX_KEYS: Final = 10  # private keys of one endpoint

_KNOWN_CODES: Final = frozenset((row.code, row.subcode) for row in ERROR_CODES if row.last is None)

K = TypeVar("K")


class LabelBounds:
    """
    Bounds the number of values of a label.

    Codes, limits, hosts and client errors come from elsewhere, and each new value is a new series in the memory of this
    process and of its collector.

    Thread-safe. `max_objects` is the maximum number of rate limits (object and type) that are reported.
    """

    def __init__(self, max_objects: int = MAX_OBJECTS) -> None:
        self._max_objects = max_objects
        self._lock = Mutex()
        self._codes: set[tuple[int, int | None]] = set()
        self._objects: set[tuple[str, str]] = set()
        self._hosts: set[tuple[str, int]] = set()
        self._screens: set[str] = set()
        self._client_errors: set[str] = set()

    def code(self, code: int | None, subcode: int | None) -> tuple[str, str]:
        """The labels of Meta's code and subcode: empty without one, "other" beyond the bounds."""
        if code is None:
            return "", "" if subcode is None else OTHER
        if (code, subcode) in _KNOWN_CODES or self._admits(self._codes, (code, subcode), _MAX_UNKNOWN_CODES):
            return str(code), "" if subcode is None else str(subcode)
        return (str(code) if (code, None) in _KNOWN_CODES else OTHER), "" if subcode is None else OTHER

    def admits_limit(self, object_id: str, kind: str) -> bool:
        """Whether the usage of this limit is reported. "other" cannot stand for it: one series cannot mix limits."""
        return self._admits(self._objects, (object_id, kind), self._max_objects)

    def host(self, name: str, port: int) -> str:
        """The host of a request, or "other"."""
        return name if self._admits(self._hosts, (name, port), _MAX_HOSTS) else OTHER

    def screen(self, name: str | None) -> str:
        """The screen of a request to an endpoint: empty without one, "other" beyond the bounds."""
        return name if name and self._admits(self._screens, name, _MAX_SCREENS) else OTHER if name else ""

    def client_error(self, name: str) -> str:
        """The error that a Flow's client reports, in its one spelling; "other" for unknown ones beyond the bounds."""
        key = client_error_key(name)
        known = key in CLIENT_ERROR_KEYS or self._admits(self._client_errors, key, _MAX_CLIENT_ERRORS)
        return key if known else OTHER

    @staticmethod
    def key(index: int | None) -> str:
        """The index of a private key; empty without one."""
        return "" if index is None else str(index) if index < _MAX_KEYS else OTHER

    @staticmethod
    def status(status: int | None) -> str:
        """The HTTP status, "none" without a response, "other" outside the classes of RFC 9110."""
        if status is None:
            return "none"
        return str(status) if 100 <= status <= 599 else OTHER

    def _admits(self, seen: set[K], value: K, maximum: int) -> bool:
        if value in seen:
            return True
        with self._lock:
            if len(seen) < maximum:
                seen.add(value)
        return value in seen


Measurement = tuple[Metric, float, tuple[str, ...]]  # the last: the values of the metric's labels, in order


def measurements(event: Event, bounds: LabelBounds) -> Iterator[Measurement]:
    """What an event adds to counters and histograms, and sets gauges to."""
    name = event.call.operation
    if isinstance(event, AttemptStarted):
        if event.after is not None:
            yield RETRIES, 1, (name, *_error_labels(event.after, bounds))
            yield WAIT, event.waited, (name,)
    elif isinstance(event, RequestFinished):
        yield REQUEST_DURATION, event.duration, (name, bounds.status(event.status))
        yield from _usage(event, bounds)
    elif isinstance(event, AttemptSucceeded):
        yield ATTEMPTS, 1, (name, "success", *_NO_ERROR)
    elif isinstance(event, AttemptFailed):
        yield ATTEMPTS, 1, (name, "failure", *_error_labels(event.error, bounds))
    elif isinstance(event, CallSucceeded):
        yield from _call_ended(name, "success", _NO_ERROR, event.elapsed)
        if event.errors:
            yield SUCCESSES_AFTER_RETRY, 1, (name,)
    elif isinstance(event, CallFailed):
        outcome = "exhausted" if event.exhausted else "failure"
        yield from _call_ended(name, outcome, _error_labels(event.error, bounds), event.elapsed)
        if event.attempts > 1:
            yield FAILURES_AFTER_RETRY, 1, (name,)
        if event.unfinished_wait:
            yield WAIT, event.unfinished_wait, (name,)
    elif isinstance(event, CallAborted):
        yield from _call_ended(name, "aborted", (event.exception, "", ""), event.elapsed)


_NO_ERROR: Final = ("", "", "")


def _error_labels(error: FlowsError, bounds: LabelBounds) -> tuple[str, str, str]:
    """Error class, code and subcode; empty without a code."""
    return type(error).__name__, *bounds.code(error.code, error.subcode)


def _call_ended(operation: str, outcome: str, labels: tuple[str, str, str], elapsed: float) -> Iterator[Measurement]:
    yield CALLS, 1, (operation, outcome, *labels)
    yield CALL_DURATION, elapsed, (operation, outcome)


def _usage(event: RequestFinished, bounds: LabelBounds) -> Iterator[Measurement]:
    for usage in event.usage:
        limit = ("app" if usage.object_id is None else usage.object_id, usage.type)
        if not bounds.admits_limit(*limit):
            continue
        for figure in ("call_count", "total_cputime", "total_time"):
            yield USAGE, getattr(usage, figure) / 100.0, (*limit, figure)
        yield REGAIN_ACCESS, usage.regain_access, limit
