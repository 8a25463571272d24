"""How far one flow has come."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..account import ActualFlow
from ..desired import DesiredFlow
from ..planning import FlowChange, Step
from ._result import State


@dataclass(slots=True)
class FlowProgress:
    """
    One flow while it is changed: its state, and what is known of it at Meta.

    `steps` are the steps that are left, `done` those that succeeded. `attempts` counts how often the Flow JSON was
    sent.
    """

    change: FlowChange
    flow_id: str
    status: str
    steps: list[Step]
    state: State = "begin"
    done: list[Step] = field(default_factory=list)
    attempts: int = 0
    adopted: bool = False

    @classmethod
    def of(cls, change: FlowChange) -> FlowProgress:
        """The progress of a change before its first step."""
        return cls(change, change.flow_id, change.status, list(change.steps), adopted=change.action == "adopt")

    @property
    def desired(self) -> DesiredFlow:
        """What the flow should be. A deprecation has no desired state."""
        assert self.change.desired is not None  # noqa: S101 - not called for a deprecation
        return self.change.desired

    @property
    def seen(self) -> ActualFlow | None:
        """The flow as the plan saw it, if it was there and is a table's."""
        return self.change.actual if isinstance(self.change.actual, ActualFlow) else None

    def complete(self, step: Step) -> None:
        """A step has succeeded."""
        self.steps.remove(step)
        self.done.append(step)

    def start_over(self, change: FlowChange) -> None:
        """Another flow takes the place of this one, which was not changed."""
        self.change, self.steps, self.flow_id, self.status = change, list(change.steps), "", ""
