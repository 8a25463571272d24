"""The progress that is shown while a command waits."""

from __future__ import annotations

import io
import threading
from collections import Counter

import pyte
import pytest
from rich.console import Console
from rich.text import Text

from whatsapp_flows import AttemptStarted, Call, Event, RetryScheduled, ServiceUnavailableError
from whatsapp_flows._inert import inert
from whatsapp_flows.cli._progress import ProgressReporter

CALL = Call(operation="update_flow_json", id=1, flow_id="1", subject="flow ID: 1")
RETRY = RetryScheduled(
    call=CALL, next_attempt=2, max_attempts=3, delay=10.0, reason="", error=ServiceUnavailableError("Down\x1b[2J.")
)


def started(attempt: int = 1, operation: str = "update_flow_json") -> Event:
    """The event of an attempt."""
    return AttemptStarted(call=Call(operation=operation, id=1), attempt=attempt, max_attempts=3)


def frame(progress: ProgressReporter) -> str:
    """The animated line, without the animation."""
    console = Console(file=io.StringIO(), width=80, color_system=None, _environ={})
    console.print(progress.status)
    return console.file.getvalue().strip()[2:]  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize(
    ("about", "event", "line"),
    [
        ("", started(), "uploading"),
        ("booking", started(), "booking: uploading"),
        ("booking", started(2), "booking: uploading (attempt 2/3)"),
        ("", started(operation="subscribe_app"), "subscribe app"),
        ("[red]", RETRY, "[red]: retry 2/3 in 10 s"),
    ],
)
def test_the_line_shows_the_activity(about: str, event: Event, line: str) -> None:
    """The flow, the operation, and the attempt."""
    progress = ProgressReporter(Console(file=io.StringIO()), clock=lambda: 0.0)
    progress.subject = about
    progress(event)
    assert frame(progress) == line


def test_the_line_counts_a_wait_down() -> None:
    """To zero, and no further."""
    times = [0.0, 0.0, 0.5, 9.5, 11.0]
    progress = ProgressReporter(Console(file=io.StringIO()), clock=lambda: times.pop(0))
    progress(RETRY)
    frames = [frame(progress) for _ in range(4)]
    assert frames == [f"flow ID: 1: retry 2/3 in {left} s" for left in (10, 10, 1, 0)]


def test_a_retry_is_a_line_that_stays() -> None:
    """What happened, which attempt is next, and when; nothing in it moves the cursor."""
    written = io.StringIO()
    with ProgressReporter(Console(file=written, width=200)) as progress:
        progress(RETRY)
    assert written.getvalue() == (
        "flow ID: 1: Meta service error detected (retryable): Down\\x1b[2J; retry 2/3 in 10 s\n\n"
    )


def test_a_terminal_of_few_characters_gets_a_plain_animation() -> None:
    """A terminal without braille characters shows a rotating line."""

    class Latin(io.StringIO):
        encoding = "latin-1"

    progress = ProgressReporter(Console(file=Latin()), clock=lambda: 0.0)
    console = Console(file=io.StringIO(), color_system=None)
    console.print(progress.status)
    assert console.file.getvalue().isascii()  # type: ignore[attr-defined]


def test_a_line_is_never_printed_into_a_frame() -> None:
    """Whatever threads print while the animation is drawn, each line stands alone on the screen."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, _environ={"TERM": "xterm"})
    with ProgressReporter(console, frame_seconds=0.0005) as progress:

        def report(key: str) -> None:
            for number in range(60):
                progress.status.set_row(key, f"{key}: working" if number % 7 else None)
                progress.print_line(Text(f"line {key}"))

        threads = [threading.Thread(target=report, args=(key,)) for key in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    screen = pyte.Screen(80, 300)
    pyte.Stream(screen).feed(out.getvalue().replace("\n", "\r\n"))
    assert Counter(line.strip() for line in screen.display if line.strip()) == {f"line {key}": 60 for key in "abcd"}


@pytest.mark.parametrize("text", ["Größe", "[bold]x", "表", "📏", "a b"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Printable characters of any script are shown."""
    assert inert(text) == text
