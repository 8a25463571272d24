"""Real forks: a test's function called in a child process, which ends there and then."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

_PATIENCE = 20.0  # seconds


def in_a_child(task: Callable[[], T]) -> T:
    """
    What `task` returns in a forked child; it must be picklable.

    The child ends without the parent's clean-up, as a worker does that is killed. What it raised fails the test, and so
    does a child that does not come to an end.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork with threads, from Python 3.12: our very case
        child = os.fork()
    if not child:
        os.close(reading)
        try:
            said = pickle.dumps((True, task()))
        except BaseException:  # noqa: BLE001 - it is told to the parent
            said = pickle.dumps((False, traceback.format_exc()))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        try:
            done, outcome = pickle.loads(_read_within(pipe.fileno(), _PATIENCE))
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            os.waitpid(child, 0)
    assert done, f"in the child: {outcome}"
    result: T = outcome
    return result


def _read_within(descriptor: int, seconds: float) -> bytes:
    deadline = time.monotonic() + seconds
    pieces: list[bytes] = []
    while select.select([descriptor], [], [], max(deadline - time.monotonic(), 0.0))[0]:
        piece = os.read(descriptor, 65536)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
    raise TimeoutError("the child does not come to an end")
