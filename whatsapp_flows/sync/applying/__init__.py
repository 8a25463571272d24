"""The steps of a plan, carried out at Meta."""

from ._apply import apply
from ._live import LiveVersion, OldDocuments
from ._result import INTERRUPTED, NOT_BEGUN, FlowEvent, FlowResult, OnEvent, State

__all__ = [
    "INTERRUPTED",
    "NOT_BEGUN",
    "FlowEvent",
    "FlowResult",
    "LiveVersion",
    "OldDocuments",
    "OnEvent",
    "State",
    "apply",
]
