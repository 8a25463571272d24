"""How the desired state differs from the actual one: in the metadata, and inside the Flow JSON."""

from ._difference import NO_CHANGES, Difference, FlowJsonDiff
from ._metadata import MetadataChange, metadata_changes, target_name
from ._semantic import compare

__all__ = [
    "NO_CHANGES",
    "Difference",
    "FlowJsonDiff",
    "MetadataChange",
    "compare",
    "metadata_changes",
    "target_name",
]
