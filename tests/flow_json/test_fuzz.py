"""The fuzzer itself: a short run, and that it sees what it looks for."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.effort import some
from tests.flow_json import fuzz
from tests.flow_json.samples import TODAY, samples
from whatsapp_flows.errors import ValidationPointer
from whatsapp_flows.flow_json import validate

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

MOST: Final = some(250, least=100)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_short_run_finds_nothing(seed: int) -> None:
    """A hundred and more broken documents each get a sound report, with many different codes."""
    outcome = fuzz.fuzz(60, seed, most=MOST)
    assert [problem for problem, _ in outcome.failures] == []
    assert outcome.documents == MOST
    assert len(outcome.codes) > 15


def test_the_same_seed_breaks_the_same_documents() -> None:
    """A run can be repeated by its seed."""
    first, again = (fuzz.fuzz(60, 7, most=30) for _ in range(2))
    assert first.codes == again.codes


def test_time_ends_a_run() -> None:
    """A run ends after the given time."""
    ticks = iter(range(100))
    assert fuzz.fuzz(5, 1, clock=lambda: float(next(ticks))).documents == 2


@pytest.mark.parametrize("path", ["screens[0].title", "screens", "version"])
def test_a_wrong_place_is_seen(path: str) -> None:
    """A pointer whose span holds another value is a failure."""
    content = json.dumps(next(document for _, document in samples()), indent=1).encode()
    report = validate(content.replace(b'"Title"', b'" "'), version="7.3", today=TODAY)
    issue = report.issues[0]
    wrong = ValidationPointer(path=path, line_start=1, line_end=1, column_start=1, column_end=2)
    with pytest.raises((AssertionError, ValueError)):
        fuzz._check_places(replace(issue, pointers=(wrong,)), content.decode().split("\n"), json.loads(content))


def test_whatever_raises_is_seen() -> None:
    """An exception is a failure, reported with the end of its traceback."""
    no_source: Any = 5
    assert "ConfigurationError: source must be" in (fuzz.problem_of(no_source, Counter()) or "")


def test_the_command_prints_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the number of documents and seconds, the codes, and the number of failures."""
    assert fuzz.main(["--seconds", "0.2", "--seed", "3"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("seed 3: ")
    assert output.endswith("0 failures\n")
