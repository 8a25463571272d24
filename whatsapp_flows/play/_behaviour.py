"""How a client behaves, row by row, and how it is known."""

from __future__ import annotations

from typing import Literal

from .._dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    How a behaviour is known: Meta documents it, it was observed in a client, or it is assumed.

    `source` is the page for what is documented; what was observed and when (`Meta's web client, 2026-08`) otherwise.
    """

    kind: Literal["documented", "observed", "assumed"]
    source: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.source}"
