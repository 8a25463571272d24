"""
State that a forked child must not share with its parent: held locks, sockets, queues.

`os.fork` copies the memory of the process, but only the thread that called it. An object that holds such state
registers here, and its `after_fork` runs in the child before anything else does.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class ForkAware(Protocol):
    """An object with state that must be replaced in a forked child."""

    def after_fork(self) -> None:
        """Replace the state. Called in the child, which has one thread only."""


_registered: weakref.WeakSet[ForkAware] = weakref.WeakSet()


def register_after_fork(target: ForkAware) -> None:
    """Call `target.after_fork()` in each forked child from now on. Keeps a weak reference to `target`."""
    _registered.add(target)


class Mutex:
    """A lock that is unlocked in a forked child, even when a thread of the parent held it during the fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        register_after_fork(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()

    def after_fork(self) -> None:
        """Replace the lock: the thread that may have held it does not exist in the child."""
        self._lock = threading.Lock()


def _after_fork_in_child() -> None:
    for target in tuple(_registered):
        target.after_fork()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
