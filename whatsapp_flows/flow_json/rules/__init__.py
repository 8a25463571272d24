"""The rules about the meaning of a Flow JSON (`RULES`) and advice (`ADVICE`), by id; the index that they share."""

from __future__ import annotations

from typing import Final

from . import (
    _actions,
    _bindings,
    _branches,
    _calendar,
    _components,
    _counts,
    _data,
    _dates,
    _forms,
    _lists,
    _media,
    _payloads,
    _routing,
    _screens,
    _shopping,
)
from ._advice import ADVICE
from ._index import index
from ._rule import Newer, Rule

__all__ = ["ADVICE", "RULES", "Newer", "Rule", "index"]

RULES: Final[tuple[Rule, ...]] = (
    *_screens.RULES,
    *_counts.RULES,
    *_shopping.RULES,
    *_routing.RULES,
    *_actions.RULES,
    *_payloads.RULES,
    *_media.PAYLOAD_RULES,
    *_bindings.RULES,
    *_branches.RULES,
    *_data.RULES,
    *_components.RULES,
    *_forms.RULES,
    *_lists.RULES,
    *_dates.RULES,
    *_calendar.RULES,
    *_media.CAROUSEL_RULES,
)
