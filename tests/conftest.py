"""What holds for all tests."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext

import pytest

from tests.effort import use_profile
from tests.leftovers import Leftovers
from tests.outside import ROOT, allowed_roots, forbid_outside
from tests.tracing import imports_measured, install_trace_functions_in_turn, unmeasured

use_profile()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is read outside the repository, and nothing is left behind."""
    if not hasattr(config, "workerinput"):  # workers of pytest-xdist have it from here
        _live_nowhere(config)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts a job in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # or processes that tests start would ignore it too
    named = [path for path in (config.option.basetemp, os.environ.get("FLOW_JSON_CORPUS")) if path]
    install_trace_functions_in_turn()
    leftovers = Leftovers(forbid_outside(allowed_roots(*named)))
    config.pluginmanager.register(leftovers, "leftovers")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Coverage makes everything take three times as long: of collecting the tests, it measures what is imported."""
    with imports_measured():
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """
    The order on several cores: what has to run in one process comes first, or other cores would wait for it at the end.

    What runs mypy comes in the middle: by then `make types`, where it runs beside, has filled the cache.
    """
    if not hasattr(config, "workerinput"):
        return
    groups = {item: mark.args[0] for item in items if (mark := item.get_closest_marker("xdist_group"))}
    first = [item for item in items if groups.get(item, "mypy") != "mypy"]
    mypy, others = ([item for item in items if groups.get(item) == name] for name in ("mypy", None))
    middle = len(others) // 2
    items[:] = [*first, *others[:middle], *mypy, *others[middle:]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """What is marked `unmeasured` is not, nor are property tests: they run the same lines again and again."""
    with _measure(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """As its fixtures."""
    with _measure(item):
        return (yield)


def _measure(item: pytest.Item) -> AbstractContextManager[None]:
    repeats = item.get_closest_marker("unmeasured") or item.get_closest_marker("hypothesis")
    return unmeasured() if repeats else nullcontext()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """
    Write the coverage of a worker before it reports that it has finished.

    pytest-xdist kills a worker that has not ended 10 seconds after that, which on a busy machine is before coverage has
    written its file at the end of the process.
    """
    coverage = sys.modules.get("coverage")
    measured = None if coverage is None else coverage.Coverage.current()
    if measured is not None and hasattr(session.config, "workerinput"):
        measured.save()


def _live_nowhere(config: pytest.Config) -> None:
    """An empty home: no test depends on, or changes, a .netrc or a cache of the user."""
    home = tempfile.TemporaryDirectory(prefix="whatsapp-flows-home-")
    config.add_cleanup(home.cleanup)
    os.environ |= {"HOME": home.name, "USERPROFILE": home.name}
    os.environ.setdefault("MPLCONFIGDIR", str(ROOT / ".cache" / "matplotlib"))  # it takes seconds to be made anew
