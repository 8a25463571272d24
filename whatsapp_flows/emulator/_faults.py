"""
Faults: which requests fail, how often, and how.

1. The faults are checked in the order in which they were added; only the first that applies takes effect.
2. `times`, `every` and `probability` count the requests that a fault was checked against.
3. The random source is a parameter, so the same seed gives the same faults.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from .graph import OPERATIONS, GraphResponse, Problem, error_body, json_response, spec_for

Reset = Literal["before", "after"]
MAX_FAULTS: Final = 1_000  # each is checked against every request
_PROCESSING: Final = (Problem.PROCESSING.value.code, Problem.PROCESSING.value.subcode)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """
    Which requests fail, how often, and how.

    ValueError for a rule that contradicts itself or can never apply.
    """

    operation: str | None = None
    flow_id: str | None = None
    code: int | None = None
    subcode: int | None = None
    message: str | None = None
    is_transient: bool | None = None
    status: int | None = None
    body: bytes | str | Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float | None = None
    reset: Reset | None = None
    truncate: int | None = None
    times: int | None = None
    every: int | None = None
    probability: float | None = None

    def __post_init__(self) -> None:
        for invalid, message in self._validity():
            if invalid:
                raise ValueError(message)

    def _validity(self) -> tuple[tuple[bool, str], ...]:
        answers = self.code is not None or self.status is not None or self.body is not None
        described = self.subcode is not None or self.message is not None or self.is_transient is not None
        has_effect = answers or self.headers or self.delay is not None or self.reset or self.truncate is not None
        return (
            (
                self.operation is not None and self.operation not in OPERATIONS,
                f"operation must be None or one of {', '.join(sorted(OPERATIONS))}, not {self.operation!r}",
            ),
            (self.code is None and described, "subcode, message and is_transient describe an error: give its code"),
            (self.code is not None and self.body is not None, "give a code or a body, not both"),
            (not _is_json(self.body), "a body that is a mapping must be JSON"),
            (self.status is not None and not 200 <= self.status <= 599, "status must be from 200 to 599"),
            (
                self.delay is not None and not 0 <= self.delay <= threading.TIMEOUT_MAX,
                "delay must be a number of seconds that is not negative",
            ),
            (self.truncate is not None and self.truncate < 0, "truncate must not be negative"),
            (self.reset not in (None, "before", "after"), "reset must be None, 'before' or 'after'"),
            (
                self.reset is not None and (answers or bool(self.headers) or self.truncate is not None),
                "a reset connection has no answer: leave out code, status, body, headers and truncate",
            ),
            (
                not all(part.isascii() and part.isprintable() for item in self.headers.items() for part in item),
                "headers must be printable ASCII",
            ),
            (self.times is not None and self.times < 1, "times must be at least 1"),
            (self.every is not None and self.every < 1, "every must be at least 1"),
            (self.probability is not None and not 0 <= self.probability <= 1, "probability must be from 0 to 1"),
            (self.every is not None and self.probability is not None, "give every or probability, not both"),
            (not has_effect, "say what goes wrong: code, status, body, headers, delay, reset or truncate"),
        )

    def matches(self, operation: str | None, flow_id: str | None) -> bool:
        """Whether the rule covers a request."""
        return self.operation in (None, operation) and self.flow_id in (None, flow_id)

    def executes_request(self, operation: str | None) -> bool:
        """
        Whether the request takes effect although it fails.

        True for a rule that affects the response alone, and for 139001/4016012 on an upload: according to Meta's
        message, the JSON has been saved.
        """
        if (self.code, self.subcode) == _PROCESSING:
            return operation == "update_flow_json"
        return self.reset != "before" and self.code is None and self.status is None and self.body is None

    def response(self, trace_id: str) -> GraphResponse | None:
        """The response that replaces the real one; None when the rule defines none."""
        if self.code is not None:
            spec = spec_for(self.code, self.subcode)
            spec = replace(spec, message=self.message or spec.message)
            if self.is_transient is not None:
                spec = replace(spec, is_transient=self.is_transient)
            return json_response(error_body(spec, trace_id), self.status or spec.status)
        if self.status is None and self.body is None:
            return None
        if isinstance(self.body, Mapping):
            return json_response(self.body, self.status or 200)
        content = self.body.encode() if isinstance(self.body, str) else self.body or b""
        return GraphResponse(status=self.status or 200, body=content, content_type="text/html; charset=UTF-8")


def _is_json(body: object) -> bool:
    """False for a mapping that cannot be serialized to JSON."""
    try:
        return not isinstance(body, Mapping) or bool(json_response(body))
    except (TypeError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class FaultCounts:
    """How many requests a rule was checked against (`seen`), and how many it made fail (`struck`)."""

    seen: int = 0
    struck: int = 0


def next_counts(rule: FaultRule, counts: FaultCounts, chance: Callable[[], float]) -> tuple[FaultCounts, bool]:
    """The counts after another request that the rule covers, and whether the rule applies to it."""
    seen = counts.seen + 1
    applies = rule.times is None or counts.struck < rule.times
    if rule.every is not None:
        applies = applies and seen % rule.every == 0
    if rule.probability is not None:
        applies = applies and chance() < rule.probability
    return FaultCounts(seen, counts.struck + applies), applies


class Fault:
    """An added rule: its counts, and a way to cancel it."""

    def __init__(self, rule: FaultRule) -> None:
        self.rule: Final = rule
        self._counts = FaultCounts()
        self._cancelled = False

    @property
    def seen(self) -> int:
        """The number of requests that the rule was checked against."""
        return self._counts.seen

    @property
    def struck(self) -> int:
        """The number of requests that it made fail."""
        return self._counts.struck

    def cancel(self) -> None:
        """Make no further request fail."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        """Whether it has been cancelled."""
        return self._cancelled

    def applies_to(self, operation: str | None, flow_id: str | None, chance: Callable[[], float]) -> bool:
        """Whether a request fails; counts it."""
        if self._cancelled or not self.rule.matches(operation, flow_id):
            return False
        self._counts, applies = next_counts(self.rule, self._counts, chance)
        return applies

    def __repr__(self) -> str:
        return f"Fault({self.rule!r}, seen={self.seen}, struck={self.struck})"


class FaultList:
    """The active faults in the order in which they were added, each with its number."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._added = 0

    def __iter__(self) -> Iterator[tuple[int, Fault]]:
        return iter([(number, fault) for number, fault in self._faults.items() if not fault.cancelled])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def add(self, fault: Fault) -> int:
        """Append a fault; returns its number. ValueError at `MAX_FAULTS`."""
        self._faults = dict(self)
        if len(self._faults) >= MAX_FAULTS:
            raise ValueError(f"there are {MAX_FAULTS} faults already: cancel some")
        self._added += 1
        self._faults[self._added] = fault
        return self._added

    def cancel(self, number: int) -> bool:
        """Cancel a fault by its number; False if there is none."""
        fault = self._faults.pop(number, None)
        if fault is None or fault.cancelled:
            return False
        fault.cancel()
        return True

    def clear(self) -> None:
        """Cancel all faults."""
        for _, fault in self:
            fault.cancel()
        self._faults = {}

    def first_match(self, operation: str | None, flow_id: str | None, chance: Callable[[], float]) -> FaultRule | None:
        """The rule of the first fault that applies to a request; None when none does."""
        return next((fault.rule for _, fault in self if fault.applies_to(operation, flow_id, chance)), None)
