"""The Flow JSON itself: reading what a caller hands us."""

from ._source import MAX_BYTES, FlowJson, read_flow_json

__all__ = ["MAX_BYTES", "FlowJson", "read_flow_json"]
