"""What `plan`, `apply` and `sync` return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..sync import FlowResult, Plan
from ._values import DemoStage, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Value):
    """
    What would be done.

    `calls` counts the HTTP requests that the plan took, `seconds` is how long its application will wait for the budget
    of `calls_per_hour`.
    """

    plan: Plan
    calls: int = 0
    seconds: float = 0.0
    calls_per_hour: float = 0.0
    as_markdown: bool = False
    detailed: bool = False

    @property
    def exit_code(self) -> int:
        """1 when a flow is blocked, or the plan as a whole; if it was asked for, 2 when there is something to do."""
        if self.plan.blocked or self.plan.refusal:
            return 1
        return 2 if self.detailed and not self.plan.empty else 0

    @property
    def raw(self) -> bytes | None:
        """The summary for GitHub, when that was asked for."""
        from ._deploy_text import plan_markdown  # noqa: PLC0415 - which renders this value

        return plan_markdown(self).encode() if self.as_markdown else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed(Value):
    """
    What became of each flow, and what it took.

    `calls` counts HTTP requests, `planning_calls` those of them before the first change, `retries` the attempts that
    were not the first, `waited` the seconds between. `interrupted` is the exit code of an interrupt, or 0. `declined`:
    the answer to the question was no. `lock_problem` is why the lock file was not written.
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
        """1 when a flow failed or was blocked."""
        return self.interrupted or int(self.declined or not all(result.ok for result in self.results))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport(Value):
    """What the demo has shown."""

    stage: DemoStage
    report: Deployed

    @property
    def exit_code(self) -> int:
        """That of the deployment."""
        return self.report.exit_code
