"""What has happened in a preview, line by line, with times; the oldest lines go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Final, Literal

from .._json import compact_json
from ._json import Json, json_text, plain

MAX_LINES: Final = 200
MAX_BYTES: Final = 256 * 1024
"""Of all details together: a page that is opened gets them all."""

_MAX_DETAIL: Final = 32 * 1024  # bytes of one detail
_MAX_TEXT: Final = 500  # characters

Kind = Literal["request", "answer", "open_url", "complete", "snackbar", "broken", "reload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    `time` is in ISO 8601, UTC. `duration_ms` is how long an answer or a reload took.

    `written` is its text as JSON, which is made once, and compared with each update of the page.
    """

    number: int
    time: str
    kind: Kind
    text: str
    detail: Any = field(default=None, repr=False)
    duration_ms: float | None = None
    size: int = 0
    written: str = field(default="", repr=False)

    def as_json(self) -> Json:
        """The line for the page."""
        return {
            "number": self.number,
            "time": self.time,
            "kind": self.kind,
            "text": self.text,
            "detail": self.detail,
            "duration_ms": self.duration_ms,
        }


class ActionLog:
    """The last lines. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lines: deque[Line] = deque(maxlen=MAX_LINES)
        self._count = 0

    def add(self, kind: Kind, text: str, detail: Any = None, *, duration_ms: float | None = None) -> None:
        """Add a line. A detail that is too large is replaced by its size."""
        self._count += 1
        detail = plain(detail)
        size = len(compact_json(detail))
        if size > _MAX_DETAIL:
            detail, size = f"{size} bytes of JSON", 0
        line = Line(
            number=self._count,
            time=datetime.fromtimestamp(self._clock(), timezone.utc).isoformat(timespec="milliseconds"),
            kind=kind,
            text=text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…",
            detail=detail,
            duration_ms=duration_ms if duration_ms is None else round(duration_ms, 1),
            size=size,
        )
        self._lines.append(replace(line, written=json_text(line.as_json())))
        while sum(each.size for each in self._lines) > MAX_BYTES:
            self._lines.popleft()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines, oldest first."""
        return tuple(self._lines)
