"""The log of actions: its times and its bounds."""

from __future__ import annotations

from whatsapp_flows.preview._action_log import MAX_BYTES, MAX_LINES, ActionLog


def test_a_line() -> None:
    """It has a number, the time in UTC, and a detail that is JSON."""
    now = 1_700_000_000.25
    log = ActionLog(lambda: now)
    log.add("request", "data_exchange of A", {"screen": "A", "data": {"x": (1,)}})
    log.add("answer", "Screen B", None, duration_ms=12.34)
    assert [line.as_json() for line in log.lines] == [
        {
            "number": 1,
            "time": "2023-11-14T22:13:20.250+00:00",
            "kind": "request",
            "text": "data_exchange of A",
            "detail": {"screen": "A", "data": {"x": [1]}},
            "duration_ms": None,
        },
        {
            "number": 2,
            "time": "2023-11-14T22:13:20.250+00:00",
            "kind": "answer",
            "text": "Screen B",
            "detail": None,
            "duration_ms": 12.3,
        },
    ]


def test_the_number_of_lines_is_bounded() -> None:
    """The oldest lines go, and the numbers go on."""
    log = ActionLog(lambda: 0.0)
    for _ in range(MAX_LINES + 5):
        log.add("snackbar", "Sorry")
    assert [line.number for line in log.lines] == list(range(6, MAX_LINES + 6))


def test_a_detail_is_bounded() -> None:
    """One that is too large is replaced by its size, and a long text is cut."""
    log = ActionLog(lambda: 0.0)
    log.add("answer", "x" * 1000, "y" * 40_000)
    assert (len(log.lines[0].text), log.lines[0].detail) == (501, "40002 bytes of JSON")


def test_all_details_together_are_bounded() -> None:
    """The oldest lines go when the details of all are too large."""
    log = ActionLog(lambda: 0.0)
    for _ in range(20):
        log.add("answer", "large", "y" * 30_000)
    assert sum(len(line.detail) for line in log.lines) <= MAX_BYTES
    assert [line.number for line in log.lines] == list(range(13, 21))
