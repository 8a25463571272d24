"""What is told on stderr while a command waits: a line for each retry and flow; on a terminal also what goes on now."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from .._inert import inert
from ..errors import FlowsError
from ..events import AttemptStarted, Event, RetryScheduled
from ..sync import FlowEvent
from ._layout import laid_out, seconds

# operation -> what goes on while it runs; any other is told by its name.
_DOING: Final[Mapping[str, str]] = {
    "create_flow": "creating",
    "download_flow_json": "downloading",
    "get_flow": "reading",
    "list_flows": "listing the account's flows",
    "publish_flow": "publishing",
    "update_flow": "changing categories and endpoint",
    "update_flow_json": "uploading",
}


# What ends after the first interrupt: the requests under way, and live flows that are drafts for a moment.
_STOPPING: Final = "stopping: what is under way ends first; Ctrl-C again lets go of it"
_MOST_ROWS: Final = 12  # flows at once that a terminal shows


class Narrator:
    """
    An event consumer that tells what is waited for, and while `stopping` is true that no more is begun.

    `about` is what the calls are made for (a flow's key); empty, a call's own subject is told.
    """

    def __init__(
        self,
        console: Console,
        *,
        clock: Callable[[], float] = time.monotonic,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.about = ""
        self.deploying = False
        self._said = False
        self._console = console
        self.now = _Now("dots" if console.encoding.startswith("utf") else "line", clock, stopping)
        animated = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(self.now, console=console, transient=True, refresh_per_second=10) if animated else None

    def __enter__(self) -> Narrator:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # whoever looked has gone, and the report may still be read
            if self._live is not None:
                self._live.stop()
            if self._said:
                self._console.print()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing moves meanwhile: the animation would be drawn over what others write, and over what is typed."""
        moves = self._live is not None and self._live.is_started
        if self._live is not None and moves:
            self._live.stop()
        try:
            yield
        finally:
            if self._live is not None and moves:
                self._live.start()

    def __call__(self, event: Event) -> None:
        """Hear of an attempt or a wait."""
        if self.deploying:  # many flows at once: `flow` hears of them by name
            return
        if isinstance(event, AttemptStarted):
            doing = _DOING.get(event.call.operation, event.call.operation.replace("_", " "))
            again = f" (attempt {event.attempt}/{event.max_attempts})" if event.attempt > 1 else ""
            self.now.tell(f"{self.about}: {doing}{again}" if self.about else f"{doing}{again}")
        elif isinstance(event, RetryScheduled):
            retry = f"retry {event.next_attempt}/{event.max_attempts} in"
            subject = inert(self.about or event.call.subject or event.call.operation)
            self._say_retry(subject, event.error, retry, event.delay)
            self.now.tell(f"{subject}: {retry}", seconds=event.delay)

    def flow(self, event: FlowEvent) -> None:
        """Hear of one of several flows that are worked on side by side."""
        key = inert(event.key)
        if event.error is not None:
            retry = f"retry {event.attempt}/{event.max_attempts} in"
            self._say_retry(key, event.error, retry, event.wait)
            self.now.row(key, f"{key}: {retry}", seconds=event.wait)
        elif event.result is not None:
            self.now.row(key, None)
        else:
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            self.now.row(key, f"{key}: {event.state}{again}")

    def _say_retry(self, subject: str, error: FlowsError, retry: str, wait: float) -> None:
        """One line: on a terminal what matters comes first, and the end of Meta's words may be cut; a log has all."""
        said = inert((error.user_message or error.message).rstrip(". "))
        retry = f"{retry} {seconds(wait)}"
        if self._console.is_terminal:
            line = Text.assemble((f"{subject}: ", "bold"), (retry, "yellow"), f": {error.label} error: {said}")
            line.no_wrap, line.overflow = True, "ellipsis"
            self.say(line)
        else:
            told = f"{error.label} error detected (retryable): {said}"
            self.say(Text.assemble((f"{subject}: ", "bold"), told, (f"; {retry}", "yellow")))

    def say(self, line: RenderableType) -> None:
        """A line that stays."""
        self._said = True
        self._console.print(laid_out(line) if self._console.is_terminal else line, crop=False)


class _Now:
    """The animated lines: what goes on, and how many seconds of a wait are left. Threads may share it."""

    def __init__(self, spinner: str, clock: Callable[[], float], stopping: Callable[[], bool]) -> None:
        self._stopping = stopping
        self._spinner = Spinner(spinner, style="cyan")
        self._clock = clock
        # Values that are replaced and never changed, so that the drawing thread never sees half of one.
        self._rows: dict[str, tuple[str, float | None]] = {}

    def tell(self, text: str, *, seconds: float | None = None) -> None:
        """The one line that there is, when nothing goes on side by side."""
        self.row("", text, seconds=seconds)

    def row(self, key: str, text: str | None, *, seconds: float | None = None) -> None:
        """The line of one flow; None takes it away."""
        rows = {name: row for name, row in self._rows.items() if name not in {key, ""}}
        if text is not None:
            rows[key] = (inert(text), None if seconds is None else self._clock() + seconds)
        self._rows = rows

    def __rich__(self) -> RenderableType:
        rows = list(self._rows.values())
        lines = [self._line(*row) for row in rows[:_MOST_ROWS]]
        if len(rows) > _MOST_ROWS:
            lines.append(f"and {len(rows) - _MOST_ROWS} more")
        if self._stopping():
            lines.append(_STOPPING)
        self._spinner.update(text=Text("\n".join(lines), overflow="ellipsis", no_wrap=True))
        return self._spinner

    def _line(self, text: str, until: float | None) -> str:
        return text if until is None else f"{text} {max(math.ceil(until - self._clock()), 0)} s"
