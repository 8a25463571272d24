"""
What coverage watches, and that threads can be traced while an audit hook is installed.

CPython before 3.12 refuses to install a trace function while another thread is at it ("Cannot install a trace function
while another trace function is being installed", a flag of the whole process in `_PyEval_SetTrace`). The audit hook of
`tests.outside` is called in the middle of it, where threads are switched. Without a lock a thread then ends before its
target has run, once in some ten thousand threads under coverage.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


def install_trace_functions_in_turn() -> None:
    """From now on `sys.settrace`, and the trace function that new threads start with, wait for each other."""
    first = threading.gettrace()
    if first is None or sys.version_info >= (3, 12):
        return
    lock, settrace = threading.RLock(), sys.settrace

    def set_in_turn(function: Any) -> None:
        with lock:
            settrace(function)

    def first_in_turn(frame: FrameType, event: Any, argument: Any) -> Any:
        with lock:  # coverage installs its own function here, from C
            return first(frame, event, argument)

    # A child never begins with a lock that a thread of its parent holds.
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    sys.settrace = set_in_turn
    threading.settrace(first_in_turn)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Coverage, where it runs, watches neither the block nor the threads that start in it; a debugger still does."""
    coverage = sys.modules.get("coverage")
    here, threads = sys.gettrace(), threading.gettrace()
    if here is None or coverage is None or coverage.Coverage.current() is None:
        yield
        return
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(threads)
        sys.settrace(here)
