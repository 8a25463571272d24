"""
Which change may begin now. It does no I/O.

Rule 1: drafts and new flows are published before live flows are un-published. A failure that all flows share then
        happens before a live flow is changed, and a flow that an earlier run left as a draft comes first.
Rule 2: the first live flow that is un-published goes alone; the others follow once one of them is live again. Flows of
        the same endpoint can fail for the same reason, so the first flow of each endpoint goes alone among those.
Rule 3: after a failure that all flows share (see `_causes`), or a live flow that could not be published again, no
        further flow is begun.
Rule 4: a deprecation cannot be undone, so it begins when all other changes have ended. One that has a successor
        (`FlowChange.after`) needs it PUBLISHED. Any other needs that no change failed and that every flow with
        `publish` is live, because nothing says which flow replaces a removed table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...errors import PlanError
from ...models import FlowStatus
from ..planning import FlowChange
from ._causes import is_common
from ._result import FlowResult

_LIVE: Final = FlowStatus.PUBLISHED.value
_ONCE_PUBLISHED: Final = frozenset({_LIVE, "THROTTLED", "BLOCKED"})  # Meta's doing, see "Flows lifecycle"


class Schedule:
    """The changes of one run, in their order."""

    def __init__(self, changes: Iterable[FlowChange]) -> None:
        numbered = list(enumerate(changes))
        self._changes = dict(numbered)
        self._waiting = [number for number, change in numbered if change.action != "deprecate"]
        self._last = [number for number, change in numbered if change.action == "deprecate"]
        self._deprecations = frozenset(self._last)
        self._running: set[int] = set()
        self._proven: set[str] = set()
        self.results: dict[int, FlowResult] = {}
        self.halted = ""

    def next(self) -> int | None:
        """The number of a change that may begin now; None if there is none."""
        if self.halted:
            return None
        for place, number in enumerate(self._waiting):
            if self._may_begin(self._changes[number]):
                del self._waiting[place]
                self._running.add(number)
                return number
        if self._waiting or self._running - self._deprecations:
            return None
        return self._next_deprecation()

    def ended(self, number: int, result: FlowResult) -> None:
        """A change has ended."""
        self._running.discard(number)
        self.results[number] = result
        change = self._changes[number]
        if _at_risk(change) and result.ok and result.status == _LIVE:
            self._proven.add(_endpoint(change))
        if not self.halted:
            self.halted = _why_halted(change, result)

    @property
    def rest(self) -> list[int]:
        """The changes that have not begun."""
        begun = self._running | self.results.keys()
        return [number for number in self._changes if number not in begun]

    def successor(self, change: FlowChange) -> FlowResult | None:
        """The result of the change that a deprecation waits for."""
        return next((it for it in self.results.values() if change.after and it.key == change.after), None)

    def kept(self, change: FlowChange) -> str:
        """Why a flow is not deprecated, though everything else has ended; empty if it may be."""
        if self.halted:
            return self.halted
        if change.after:
            successor = self.successor(change)
            if successor is None:
                return f"{change.after} is not in the plan"
            return "" if successor.ok and successor.status == _LIVE else _not_live(successor)
        for number, result in self.results.items():
            if number not in self._deprecations and not self._settled(number, result):
                return _not_live(result)
        return ""

    # -- what may begin

    def _may_begin(self, change: FlowChange) -> bool:
        if not _at_risk(change):
            return True
        before = (self._changes[number] for number in (*self._waiting, *self._running))
        if any(_publishes_safely(other) for other in before):
            return False
        risky = [self._changes[number] for number in self._running if _at_risk(self._changes[number])]
        if not self._proven:
            return not risky
        endpoint = _endpoint(change)
        return endpoint in self._proven or all(_endpoint(other) != endpoint for other in risky)

    def _next_deprecation(self) -> int | None:
        for place, number in enumerate(self._last):
            if not self.kept(self._changes[number]):
                del self._last[place]
                self._running.add(number)
                return number
        return None

    def _settled(self, number: int, result: FlowResult) -> bool:
        """Whether the change did not fail, and the flow is live if it should be published."""
        desired = self._changes[number].desired
        live = result.status in _ONCE_PUBLISHED or not (desired is not None and desired.publish)
        return live and (result.ok or result.action == "blocked")


def _at_risk(change: FlowChange) -> bool:
    """Whether it un-publishes a live flow and publishes it again."""
    return change.unpublishes and "publish" in change.steps


def _publishes_safely(change: FlowChange) -> bool:
    """Whether it publishes a flow that is not live yet."""
    publishes = change.desired is not None and change.desired.publish
    return bool(change.steps) and publishes and not change.unpublishes


def _endpoint(change: FlowChange) -> str:
    """The endpoint that the flow has after the change; empty if it has none, or it is not known."""
    desired = change.desired.endpoint_uri if change.desired is not None else None
    return desired or getattr(change.actual, "endpoint_uri", None) or ""


def _not_live(result: FlowResult) -> str:
    return f"{result.name} has failed" if result.status == _LIVE else f"{result.name} is not live"


def _why_halted(change: FlowChange, result: FlowResult) -> str:
    """Why no further change is begun after this one; empty if others may begin."""
    error = result.error
    if result.ok or result.halted:
        return ""
    if error is not None and is_common(error):
        return f"{change.name} failed for a reason that is not its own: {error.user_message or error.message}"
    at_risk = bool(result.note) or (change.unpublishes and result.action != "replace")  # a note is about a live flow
    if at_risk and result.status != _LIVE and not isinstance(error, PlanError):
        return f"{change.name} could not be published again"
    return ""
