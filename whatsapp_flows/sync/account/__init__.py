"""The actual state: the account's flows as Meta lists them, which of them a table means, and the lock file."""

from ._identity import Identity, Source, generation_name, identify, may_be_meant
from ._listing import PAGES, list_all, listings
from ._lock import Lock, LockEntry
from ._snapshot import ActualFlow, OtherFlow, Snapshot, entry_of, find_again, is_as_seen, look_again, take_snapshot

__all__ = [
    "PAGES",
    "ActualFlow",
    "Identity",
    "Lock",
    "LockEntry",
    "OtherFlow",
    "Snapshot",
    "Source",
    "entry_of",
    "find_again",
    "generation_name",
    "identify",
    "is_as_seen",
    "list_all",
    "listings",
    "look_again",
    "may_be_meant",
    "take_snapshot",
]
