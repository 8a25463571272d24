"""
Fault rules: when the emulator misbehaves, and how.

Rule 1: the rules are asked in the order they were added, and the first that strikes is the only one.
Rule 2: a rule counts the requests that it was asked about; `times`, `every` and `probability` are about those.
Rule 3: chance is a parameter, so the same seed gives the same faults.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from ._call import Answer, json_answer
from ._errors import Problem, error_body, row_for
from ._routes import OPERATIONS

Reset = Literal["before", "after"]
MOST_FAULTS: Final = 1_000  # each is asked about every request
_PROCESSING: Final = (Problem.PROCESSING.value.code, Problem.PROCESSING.value.subcode)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """
    One rule: which requests, how often, and what happens to them.

    ValueError for a rule that contradicts itself or that can never strike.
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
        for mistaken, sentence in self._mistakes():
            if mistaken:
                raise ValueError(sentence)

    def _mistakes(self) -> tuple[tuple[bool, str], ...]:
        answers = self.code is not None or self.status is not None or self.body is not None
        described = self.subcode is not None or self.message is not None or self.is_transient is not None
        acts = answers or self.headers or self.delay is not None or self.reset or self.truncate is not None
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
            (not acts, "say what goes wrong: code, status, body, headers, delay, reset or truncate"),
        )

    def concerns(self, operation: str | None, flow_id: str | None) -> bool:
        """Whether the rule is about such a request."""
        return self.operation in (None, operation) and self.flow_id in (None, flow_id)

    def works_first(self, operation: str | None) -> bool:
        """
        Whether the request is carried out all the same.

        So it is for a rule that only disturbs the answer, and for 139001/4016012 on an
        upload: Meta says of it that the JSON has been saved.
        """
        if (self.code, self.subcode) == _PROCESSING:
            return operation == "update_flow_json"
        return self.reset != "before" and self.code is None and self.status is None and self.body is None

    def answer(self, trace_id: str) -> Answer | None:
        """What is answered in place of the truth; None when the rule does not say."""
        if self.code is not None:
            row = row_for(self.code, self.subcode)
            row = replace(row, message=self.message or row.message)
            if self.is_transient is not None:
                row = replace(row, is_transient=self.is_transient)
            return json_answer(error_body(row, trace_id), self.status or row.status)
        if self.status is None and self.body is None:
            return None
        if isinstance(self.body, Mapping):
            return json_answer(self.body, self.status or 200)
        content = self.body.encode() if isinstance(self.body, str) else self.body or b""
        return Answer(status=self.status or 200, body=content, content_type="text/html; charset=UTF-8")


def _is_json(body: object) -> bool:
    """Whether a body that is meant to become JSON can."""
    try:
        return not isinstance(body, Mapping) or bool(json_answer(body))
    except (TypeError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class Tally:
    """How many requests a rule was asked about, and how many it struck."""

    seen: int = 0
    struck: int = 0


def asked(rule: FaultRule, tally: Tally, chance: Callable[[], float]) -> tuple[Tally, bool]:
    """The tally after one more request that the rule concerns, and whether it strikes there."""
    seen = tally.seen + 1
    strikes = rule.times is None or tally.struck < rule.times
    if rule.every is not None:
        strikes = strikes and seen % rule.every == 0
    if rule.probability is not None:
        strikes = strikes and chance() < rule.probability
    return Tally(seen, tally.struck + strikes), strikes


class Fault:
    """The handle of a rule that was added: what it is, what it did, and an end to it."""

    def __init__(self, rule: FaultRule) -> None:
        self.rule: Final = rule
        self._tally = Tally()
        self._cancelled = False

    @property
    def seen(self) -> int:
        """Requests that the rule was asked about."""
        return self._tally.seen

    @property
    def struck(self) -> int:
        """Requests that it struck."""
        return self._tally.struck

    def cancel(self) -> None:
        """Never strike again."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        """Whether it has been cancelled."""
        return self._cancelled

    def strikes(self, operation: str | None, flow_id: str | None, chance: Callable[[], float]) -> bool:
        """Ask the rule about a request."""
        if self._cancelled or not self.rule.concerns(operation, flow_id):
            return False
        self._tally, strikes = asked(self.rule, self._tally, chance)
        return strikes

    def __repr__(self) -> str:
        return f"Fault({self.rule!r}, seen={self.seen}, struck={self.struck})"


class FaultList:
    """The faults that were added and not cancelled, in order, each with a number of its own."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._added = 0

    def __iter__(self) -> Iterator[tuple[int, Fault]]:
        return iter([(number, fault) for number, fault in self._faults.items() if not fault.cancelled])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def add(self, fault: Fault) -> int:
        """Put a fault behind the others; its number comes back. ValueError when there are too many."""
        self._faults = dict(self)
        if len(self._faults) >= MOST_FAULTS:
            raise ValueError(f"there are {MOST_FAULTS} faults already: cancel some")
        self._added += 1
        self._faults[self._added] = fault
        return self._added

    def cancel(self, number: int) -> bool:
        """Cancel one; whether it was there."""
        fault = self._faults.pop(number, None)
        if fault is None or fault.cancelled:
            return False
        fault.cancel()
        return True

    def clear(self) -> None:
        """Cancel them all."""
        for _, fault in self:
            fault.cancel()
        self._faults = {}

    def striking(self, operation: str | None, flow_id: str | None, chance: Callable[[], float]) -> FaultRule | None:
        """The rule of the first fault that strikes a request; None when none does."""
        struck = (fault for _, fault in self if fault.strikes(operation, flow_id, chance))
        fault = next(struck, None)
        return fault.rule if fault else None
