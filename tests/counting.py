"""What a task costs, counted and not timed: the same figure on a busy machine, and on a slow one."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any, Final


def steps(task: Callable[[], object], *, at_most: int | None = None) -> int:
    """
    How many lines Python runs in `task` (each turn of a loop is one), with the calls of functions in C.

    With `at_most` the test fails as soon as there are more, so that exponential work does not run to its end.
    """
    count = 0

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        assert at_most is None or count <= at_most, f"more than {at_most} steps"
        return line

    def call(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "c_call"

    before = sys.gettrace()
    sys.settrace(line)
    sys.setprofile(call)
    try:
        task()
    finally:
        sys.setprofile(None)
        sys.settrace(before)
    return count


SMALL: Final = 1_024  # bytes: what one line allocates apart from copies of its data


def copied(task: Callable[[], object]) -> int:
    """
    How many bytes `task` allocates, freed ones too: the memory that each line of Python takes at its peak, summed.

    It sees the copies that code in C makes: a slice, a join, a set, a message that lists everything.
    """
    count = current = 0

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count, current
        count += max(tracemalloc.get_traced_memory()[1] - current - SMALL, 0)
        tracemalloc.reset_peak()
        current = tracemalloc.get_traced_memory()[0]
        return line

    before, collected = sys.gettrace(), gc.isenabled()
    gc.disable()
    tracemalloc.start(1)
    sys.settrace(line)
    try:
        task()
    finally:
        sys.settrace(before)
        tracemalloc.stop()
        if collected:
            gc.enable()
    return count
