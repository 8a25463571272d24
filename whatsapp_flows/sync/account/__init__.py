"""The actual state: the account's flows as Meta lists them, which of them a table means, and the lock file."""

from ._identity import Identity, Source, candidate_filter, generation_name, identify
from ._listing import LISTING_QUERIES, list_all, listings
from ._lock import Lock, LockEntry
from ._snapshot import ActualFlow, OtherFlow, Snapshot, entry_of, find_flow, is_unchanged, read_flow, take_snapshot

__all__ = [
    "LISTING_QUERIES",
    "ActualFlow",
    "Identity",
    "Lock",
    "LockEntry",
    "OtherFlow",
    "Snapshot",
    "Source",
    "candidate_filter",
    "entry_of",
    "find_flow",
    "generation_name",
    "identify",
    "is_unchanged",
    "list_all",
    "listings",
    "read_flow",
    "take_snapshot",
]
