"""
How much of what is made up at random a run of the tests tries.

An ordinary run tries a part, the same each time: it fails for a change, not by chance. `THOROUGH=1` tries all that a
test asks for, and other examples in each run; `make thorough` does so.
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import settings

THOROUGH: Final = os.environ.get("THOROUGH", "") not in {"", "0"}
_PART: Final = 5


def some(count: int, *, least: int = 10) -> int:
    """Of so many examples, those that an ordinary run tries: a fifth, but no fewer than `least`."""
    return count if THOROUGH else min(count, max(count // _PART, least))


def use_profile() -> None:
    """What holds for Hypothesis: no time limit for an example, since a busy machine must not fail a test."""
    settings.register_profile("ordinary", deadline=None, max_examples=some(100), derandomize=True, database=None)
    settings.register_profile("thorough", deadline=None)
    settings.load_profile("thorough" if THOROUGH else "ordinary")
