"""A Flow JSON, read once for many events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedFlow:
    """A Flow JSON that can be played: made by `read_flow`. Two are equal if their documents are."""

    document: Mapping[str, Any] = field(repr=False)
