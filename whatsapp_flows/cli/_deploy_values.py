"""What `plan`, `apply` and `sync` return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..sync import FlowResult, Plan
from ._values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Value):
    """
    A plan.

    `calls`: HTTP requests made for the plan. `seconds`: how long applying it will wait for the budget of
    `calls_per_hour`. `detailed`: --detailed-exitcode was given. `storyboards`: the files of --storyboard, by the keys
    of the flows.
    """

    plan: Plan
    calls: int = 0
    seconds: float = 0.0
    calls_per_hour: float = 0.0
    detailed: bool = False
    storyboards: Mapping[str, Path] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """1 if a flow is blocked or the plan is refused; with `detailed`, 2 if there are changes to apply."""
        if self.plan.blocked or self.plan.refusal:
            return 1
        return 2 if self.detailed and not self.plan.empty else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed(Value):
    """
    The results of a deployment.

    `calls`: HTTP requests; `planning_calls`: those before the first change; `retries`: attempts after the first of a
    call; `waited`: seconds between them. `interrupted`: the exit code of an interrupt, or 0. `declined`: the user
    answered "no". `lock_problem`: why the lock file was not written.
    """

    results: Sequence[FlowResult]
    calls: int
    plan: Plan | None = None
    planning_calls: int = 0
    retries: int = 0
    waited: float = 0.0
    interrupted: int = 0
    declined: bool = False
    lock_problem: str = ""

    @property
    def exit_code(self) -> int:
        """1 if a flow failed or is blocked, or the user declined."""
        return self.interrupted or int(self.declined or not all(result.ok for result in self.results))
