"""
Versions for which Meta documents a rule that its client validator does not run.

Source: Meta's client validator, August 2026. The gaps look unintended, and 7.3 closes most of them. Whether
Meta's server has them too is unknown. Findings in a gap are warnings.
"""

from __future__ import annotations

from typing import Final

from ..schema import Version

FIRST: Final = Version(0, 0)
LAST: Final = Version(32766, 99)  # the largest number that Meta reads as a version

NO_PAYLOAD_KEYS: Final = ((Version(6, 0), Version(7, 2)),)
NO_ENTRY_OR_EDGES: Final = ((Version(6, 3), Version(7, 2)),)
NO_PAYLOADS_OR_BINDINGS: Final = ((Version(7, 1), Version(7, 1)),)
NO_TERMINAL_FOOTER: Final = ((Version(5, 1), Version(7, 2)),)
NEVER_RUN: Final = ((FIRST, LAST),)
