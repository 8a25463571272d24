"""
What a forked child must not take over from its parent: locks that a thread of the parent holds, sockets, queues.

`os.fork` copies the memory of the process, and of its threads only the one that called it. Whoever holds what the child
cannot use is told in the child, before anything else runs there.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forked(Protocol):
    """Who wants to hear of forks."""

    def after_fork(self) -> None:
        """Called in the child, where only one thread is left."""


_told: weakref.WeakSet[Forked] = weakref.WeakSet()


def tell_of_forks(who: Forked) -> None:
    """From now on `who.after_fork()` is called in each child, for as long as somebody else holds on to `who`."""
    _told.add(who)


class Mutex:
    """A lock that is free in a forked child, whichever thread of the parent held it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        tell_of_forks(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()

    def after_fork(self) -> None:
        """The thread that may have held it is not there."""
        self._lock = threading.Lock()


def _in_the_child() -> None:
    for who in tuple(_told):
        who.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_in_the_child)
