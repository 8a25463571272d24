"""
The Flow JSON itself: reading what a caller hands us, and finding Meta's errors in it before Meta does.

The validator and its tables are loaded when they are first used: a client that only uploads does not pay for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ._source import BYTE_ORDER_MARK, MAX_BYTES, FlowJson, read_flow_json

if TYPE_CHECKING:
    from ._report import Report
    from ._upgrade import Upgrade, upgrade
    from ._validate import validate

__all__ = ["BYTE_ORDER_MARK", "MAX_BYTES", "FlowJson", "Report", "Upgrade", "read_flow_json", "upgrade", "validate"]

_HOMES: Final = {"Report": "._report", "Upgrade": "._upgrade", "upgrade": "._upgrade", "validate": "._validate"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        found: object = getattr(import_module(_HOMES[name], __name__), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
