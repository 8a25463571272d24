"""How calls to Meta run: side by side, at a pace, and ended by `stop`."""

from ._pace import DEFAULT_CALLS_PER_HOUR, RunPace, paced, unpaced
from ._side_by_side import side_by_side
from ._stops import GRACE, AbandonStop, EitherStop, either_stop

__all__ = [
    "DEFAULT_CALLS_PER_HOUR",
    "GRACE",
    "AbandonStop",
    "EitherStop",
    "RunPace",
    "either_stop",
    "paced",
    "side_by_side",
    "unpaced",
]
