"""
Flow JSON as text: reading a source, parsing it, the positions of its values, writing it in its own layout.

The rest is loaded on first use: a client that only uploads needs `_source` alone.
"""

from typing import TYPE_CHECKING, Final

from ..._lazy import lazy_names
from ._source import BYTE_ORDER_MARK, MAX_BYTES, FlowJson, read_flow_json

if TYPE_CHECKING:
    from ._layout import dump_in_style, json_string, same_scalar, update_text
    from ._messages import short_repr
    from ._parse import ParsedJson, ParseProblem, json_anomalies, parse_json
    from ._positions import Place, Pointer, Span, format_pointer, locate, spans_of

__all__ = [
    "BYTE_ORDER_MARK",
    "MAX_BYTES",
    "FlowJson",
    "ParseProblem",
    "ParsedJson",
    "Place",
    "Pointer",
    "Span",
    "dump_in_style",
    "format_pointer",
    "json_anomalies",
    "json_string",
    "locate",
    "parse_json",
    "read_flow_json",
    "same_scalar",
    "short_repr",
    "spans_of",
    "update_text",
]

_LAZY: Final = {
    "._layout": ("dump_in_style", "json_string", "same_scalar", "update_text"),
    "._messages": ("short_repr",),
    "._parse": ("ParseProblem", "ParsedJson", "json_anomalies", "parse_json"),
    "._positions": ("Place", "Pointer", "Span", "format_pointer", "locate", "spans_of"),
}

__getattr__ = lazy_names(__name__, _LAZY)
