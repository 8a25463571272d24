"""The plan: the changes that lead from the actual state to the desired one."""

from ._change import Action, Blocked, FlowChange, PlanOptions, Step, counted
from ._diff import change_of, diff, replacement_of
from ._plan import Plan

__all__ = [
    "Action",
    "Blocked",
    "FlowChange",
    "Plan",
    "PlanOptions",
    "Step",
    "change_of",
    "counted",
    "diff",
    "replacement_of",
]
