"""Progress on stderr: a line for each retry and each flow; on a terminal also an animated line for the current call."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
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
from ._layout import format_duration, wrapped_hanging

# operation -> the text while it runs. Other operations are shown by their names.
_ACTIVITIES: Final[Mapping[str, str]] = {
    "create_flow": "creating",
    "download_flow_json": "downloading",
    "get_flow": "reading",
    "get_health": "reading the health",
    "get_metric": "reading the metric",
    "get_preview": "creating a preview",
    "get_public_key": "reading the public key",
    "list_flows": "listing the account's flows",
    "migrate_flows": "migrating",
    "publish_flow": "publishing",
    "set_public_key": "setting the public key",
    "update_flow": "changing the metadata",
    "update_flow_json": "uploading",
}


# After the first interrupt, running requests end, and a live flow that is a draft for a moment is published again.
_STOPPING_NOTICE: Final = "stopping: finishing what is in progress; press Ctrl-C again to abort"
_MAX_ROWS: Final = 12  # flows in progress that a terminal shows at a time


class ProgressReporter:
    """
    An event listener that shows progress. While `stopping()` is true it also shows that no new flow is started.

    `subject` names what the calls are made for (a flow's key). If it is empty, the call's own subject is shown.
    `per_flow`: flows are changed side by side, and `on_flow_event` reports them by key instead of their calls.
    """

    def __init__(
        self,
        console: Console,
        *,
        clock: Callable[[], float] = time.monotonic,
        stopping: Callable[[], bool] = lambda: False,
        frame_seconds: float = 0.1,
    ) -> None:
        self.subject = ""
        self.per_flow = False
        self._printed = False
        self._console = console
        self.status = LiveStatus("dots" if console.encoding.startswith("utf") else "line", clock, stopping)
        animated = console.is_terminal and not console.is_dumb_terminal
        self._animation = _Animation(self.status, console, frame_seconds) if animated else None

    def __enter__(self) -> ProgressReporter:
        if self._animation is not None:
            self._animation.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # stderr is closed; the report on stdout may still be read
            if self._animation is not None:
                self._animation.stop()
            if self._printed:
                self._console.print()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the animation meanwhile: it would be drawn over other output and over what the user types."""
        running = None if self._animation is None or not self._animation.is_running else self._animation
        if running is not None:
            running.stop()
        try:
            yield
        finally:
            if running is not None:
                running.start()

    def __call__(self, event: Event) -> None:
        """Show an attempt or a wait."""
        if self.per_flow:
            return
        if isinstance(event, AttemptStarted):
            activity = _ACTIVITIES.get(event.call.operation, event.call.operation.replace("_", " "))
            suffix = f" (attempt {event.attempt}/{event.max_attempts})" if event.attempt > 1 else ""
            self.status.set_line(f"{self.subject}: {activity}{suffix}" if self.subject else f"{activity}{suffix}")
        elif isinstance(event, RetryScheduled):
            retry = f"retry {event.next_attempt}/{event.max_attempts} in"
            subject = inert(self.subject or event.call.subject or event.call.operation)
            self._print_retry(subject, event.error, retry, event.delay)
            self.status.set_line(f"{subject}: {retry}", seconds=event.delay)

    def on_flow_event(self, event: FlowEvent) -> None:
        """Show the state of one of several flows that are changed side by side."""
        key = inert(event.key)
        if event.error is not None:
            retry = f"retry {event.attempt}/{event.max_attempts} in"
            self._print_retry(key, event.error, retry, event.wait)
            self.status.set_row(key, f"{key}: {retry}", seconds=event.wait)
        elif event.result is not None:
            self.status.set_row(key, None)
        else:
            suffix = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            self.status.set_row(key, f"{key}: {event.state}{suffix}")

    def _print_retry(self, subject: str, error: FlowsError, retry: str, wait: float) -> None:
        """One line. A terminal shows the retry first and may cut the end of Meta's message; a log has all of it."""
        message = inert((error.user_message or error.message).rstrip(". "))
        retry = f"{retry} {format_duration(wait)}"
        if self._console.is_terminal:
            line = Text.assemble((f"{subject}: ", "bold"), (retry, "yellow"), f": {error.label} error: {message}")
            line.no_wrap, line.overflow = True, "ellipsis"
            self.print_line(line)
        else:
            description = f"{error.label} error detected (retryable): {message}"
            self.print_line(Text.assemble((f"{subject}: ", "bold"), description, (f"; {retry}", "yellow")))

    def print_line(self, line: RenderableType) -> None:
        """Print a line that stays on the screen."""
        self._printed = True
        with nullcontext() if self._animation is None else self._animation.lock:
            self._console.print(wrapped_hanging(line) if self._console.is_terminal else line, crop=False)


class _Animation:
    """
    Draws the status every `frame_seconds`, below the lines that are printed.

    `lock` is held for each frame, and must be held to print a line: rich erases the last frame before it prints, and
    another thread could draw one in between.
    """

    def __init__(self, status: LiveStatus, console: Console, frame_seconds: float) -> None:
        self._frame_seconds = frame_seconds
        self.lock = threading.Lock()
        self._live = Live(status, console=console, transient=True, auto_refresh=False)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        self._ended.clear()
        self._live.start()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the animation and erase it."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._live.stop()

    def _draw(self) -> None:
        with suppress(OSError):  # stderr is closed
            while not self._ended.is_set():
                with self.lock:
                    self._live.refresh()
                self._ended.wait(self._frame_seconds)


class LiveStatus:
    """The animated lines: the current activities, and the seconds left of a wait. Threads may share it."""

    def __init__(self, spinner: str, clock: Callable[[], float], stopping: Callable[[], bool]) -> None:
        self._stopping = stopping
        self._spinner = Spinner(spinner, style="cyan")
        self._clock = clock
        # The dict is replaced and never changed, so the drawing thread always sees a consistent one.
        self._rows: dict[str, tuple[str, float | None]] = {}

    def set_line(self, text: str, *, seconds: float | None = None) -> None:
        """Show one line only. With `seconds`, it counts down."""
        self.set_row("", text, seconds=seconds)

    def set_row(self, key: str, text: str | None, *, seconds: float | None = None) -> None:
        """Show or replace the line of one flow; None removes it."""
        rows = {name: row for name, row in self._rows.items() if name not in {key, ""}}
        if text is not None:
            rows[key] = (inert(text), None if seconds is None else self._clock() + seconds)
        self._rows = rows

    def __rich__(self) -> RenderableType:
        rows = list(self._rows.values())
        lines = [self._line(*row) for row in rows[:_MAX_ROWS]]
        if len(rows) > _MAX_ROWS:
            lines.append(f"and {len(rows) - _MAX_ROWS} more")
        if self._stopping():
            lines.append(_STOPPING_NOTICE)
        self._spinner.update(text=Text("\n".join(lines), overflow="ellipsis", no_wrap=True))
        return self._spinner

    def _line(self, text: str, until: float | None) -> str:
        return text if until is None else f"{text} {max(math.ceil(until - self._clock()), 0)} s"
