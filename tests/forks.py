"""Real forks: runs a test's function in a child process."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import pytest

T = TypeVar("T")

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

_PATIENCE = 30.0  # seconds


def in_a_child(task: Callable[[], T], *, children: int = 1) -> T:
    """
    The result of `task` in a forked child; it must be picklable.

    Of several `children`, the next one is forked when one does not come to an end. That is for a test whose TLS server
    has its threads in this process: a child that is forked while one of them holds a lock of OpenSSL cannot use TLS.

    The child ends without the parent's clean-up, as a killed worker does. The test fails when the child raises
    or does not end.
    """
    for _ in range(children - 1):
        with suppress(TimeoutError):
            return _in_one_child(task)
    return _in_one_child(task)


def _in_one_child(task: Callable[[], T]) -> T:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # about a fork with threads, from Python 3.12, which is what is tested
        child = os.fork()
    if not child:
        os.close(reading)
        try:
            message = pickle.dumps((True, task()))
        except BaseException:  # noqa: BLE001 - it is passed to the parent
            message = pickle.dumps((False, traceback.format_exc()))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(message)
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
