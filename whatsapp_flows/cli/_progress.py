"""What is told on stderr while a command waits: a line for each retry and flow; on a terminal also what goes on now."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from ..events import AttemptStarted, Event, RetryScheduled
from ._inert import inert

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


class Narrator:
    """
    An event consumer that tells what is waited for.

    `about` is what the calls are made for (a flow's key); empty, a call's own subject is told.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.about = ""
        self._said = False
        self._console = console
        self.now = _Now("dots" if console.encoding.startswith("utf") else "line", clock)
        animated = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(self.now, console=console, transient=True, refresh_per_second=10) if animated else None

    def __enter__(self) -> Narrator:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self._said:
            self._console.print()

    def __call__(self, event: Event) -> None:
        """Hear of an attempt or a wait."""
        if isinstance(event, AttemptStarted):
            doing = _DOING.get(event.call.operation, event.call.operation.replace("_", " "))
            again = f" (attempt {event.attempt}/{event.max_attempts})" if event.attempt > 1 else ""
            self.now.tell(f"{self.about}: {doing}{again}" if self.about else f"{doing}{again}")
        elif isinstance(event, RetryScheduled):
            error = event.error
            said = (error.user_message or error.message).rstrip(". ")
            retry = f"retry {event.next_attempt}/{event.max_attempts} in"
            subject = inert(self.about or event.call.subject or event.call.operation)
            self.say(
                Text.assemble(
                    (f"{subject}: ", "bold"),
                    inert(f"{error.label} error detected (retryable): {said}"),
                    (f"; {retry} {event.delay:g} s", "yellow"),
                )
            )
            self.now.tell(f"{subject}: {retry}", seconds=event.delay)

    def say(self, line: RenderableType) -> None:
        """A line that stays."""
        self._said = True
        self._console.print(line)


class _Now:
    """The animated line: what goes on, and how many seconds of a wait are left."""

    def __init__(self, spinner: str, clock: Callable[[], float]) -> None:
        self._spinner = Spinner(spinner, style="cyan")
        self._clock = clock
        self._state: tuple[str, float | None] = ("", None)  # one value, so that the drawing thread never sees half

    def tell(self, text: str, *, seconds: float | None = None) -> None:
        self._state = (inert(text), None if seconds is None else self._clock() + seconds)

    def __rich__(self) -> RenderableType:
        text, until = self._state
        left = "" if until is None else f" {max(math.ceil(until - self._clock()), 0)} s"
        self._spinner.update(text=Text(text + left, overflow="ellipsis", no_wrap=True))
        return self._spinner
