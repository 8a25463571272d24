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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import FrameType, ModuleType
from typing import Any, Final

_PROCESSES: Final = "COVERAGE_PROCESS_CONFIG"  # coverage starts in a process that has it


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
    """
    Coverage, where it runs, watches neither the block nor the threads and processes that start in it.

    A debugger still does.
    """
    here, threads = sys.gettrace(), threading.gettrace()
    if not _is_coverage(here):
        yield
        return
    processes = os.environ.pop(_PROCESSES, None)
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        if processes is not None:
            os.environ[_PROCESSES] = processes
        threading.settrace(threads)
        sys.settrace(here)


@contextmanager
def imports_measured() -> Iterator[None]:
    """As `unmeasured`, but for the modules of the package that are imported in the block: their lines count."""
    here = sys.gettrace()
    if not _is_coverage(here):
        yield
        return
    finder = _Measured(here)
    sys.meta_path.insert(0, finder)
    try:
        with unmeasured():
            yield
    finally:
        sys.meta_path.remove(finder)


class _Measured(MetaPathFinder):
    """Finds the modules of the package, which run under a trace function."""

    def __init__(self, trace: Any) -> None:
        self._trace = trace

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target) if fullname.startswith("whatsapp_flows.") else None
        if found is None or found.loader is None:
            return None
        execute = found.loader.exec_module

        def measured(module: ModuleType) -> None:
            before = sys.gettrace()
            sys.settrace(self._trace)
            try:
                execute(module)
            finally:
                sys.settrace(before)

        found.loader.exec_module = measured  # type: ignore[method-assign]
        return found


def _is_coverage(trace: Any) -> bool:
    """Whether it is the trace function of coverage: a debugger goes on."""
    coverage = sys.modules.get("coverage")
    return trace is not None and coverage is not None and coverage.Coverage.current() is not None
