"""The versions of Flow JSON in which something of what a client does has changed. Source: Meta, Flow JSON changelog."""

from __future__ import annotations

from typing import Final

from ..flow_json import Version

FORMS_SINCE: Final = Version(4, 0)
"""References to forms in properties; until 3.1, there are references to data alone ("Dynamic properties")."""
DAYS_SINCE: Final = Version(5, 0)
"""The dates of a DatePicker are days, as YYYY-MM-DD; before, they are milliseconds (date-picker.format)."""
SUMMARY_SINCE: Final = Version(5, 1)
"""The message in the chat has a summary of the answer."""
EXPRESSIONS_SINCE: Final = Version(6, 0)
"""Texts in backticks are expressions."""
NEWEST: Final = Version(99, 99)
"""Stands for a version that cannot be read: nothing is too new for it."""
