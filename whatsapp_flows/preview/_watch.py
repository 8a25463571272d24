"""
A file that is watched: its content whenever it has changed.

Rule 1: a change is read once the file has been the same for two looks, so that a file that is being written is not
read half.
Rule 2: what counts is the content: a file that is replaced, touched, or written again without a change is not reported.
Rule 3: a file that has just been written is read again for a while, because two changes may have the same timestamp.

The system's notifications are not used: they differ by system, and network file systems and containers lack them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .._reading import read_regular

INTERVAL: Final = 0.12
"""Seconds between two looks. A change is reported after at most two of them, and a look takes some microseconds."""

_SAME_TIMESTAMP: Final = 2.0  # seconds; the coarsest timestamps of a file system in use (FAT)

_Signature = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """What is in the file, or why nothing can be read (a sentence without the file's name)."""

    content: bytes = field(default=b"", repr=False)
    problem: str = ""


def read_content(path: str | os.PathLike[str], limit: int) -> FileContent:
    """The content of a regular file of at most `limit` bytes."""
    try:
        return FileContent(content=read_regular(path, limit))
    except FileNotFoundError:
        return FileContent(problem="the file is not there")
    except OSError as failure:
        return FileContent(problem=f"the file cannot be read: {failure.strerror or type(failure).__name__}")


class Watcher:
    """
    Looks at a file from a thread of its own between `start` and `close`; calls `changed` there with each new content.

    `known` is the content that the caller has. `clock` gives the time as file systems have it, in Unix seconds.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        changed: Callable[[FileContent], object],
        known: FileContent,
        *,
        limit: int,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._changed = changed
        self._known = known
        self._limit = limit
        self._interval = interval
        self._clock = clock
        self._last: _Signature = ()
        self._read: _Signature | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="whatsapp-flows-watcher", daemon=True)

    def start(self) -> None:
        """Start to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop; `changed` is not called afterwards."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def look(self) -> bool:
        """Look once; whether `changed` was called."""
        signature = self._signature()
        settled, self._last = signature == self._last, signature
        if not settled or (signature == self._read and not self._just_written(signature)):
            return False
        found = read_content(self._path, self._limit)
        if self._signature() != signature:
            return False  # it has changed meanwhile
        self._read = signature
        if found == self._known:
            return False
        self._known = found
        self._changed(found)
        return True

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.look()

    def _signature(self) -> _Signature:
        """What changes with the file; all the same for every file that cannot be looked at."""
        try:
            found = os.stat(self._path)
        except (OSError, ValueError):
            return (0,)
        return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev, found.st_mode)

    def _just_written(self, signature: _Signature) -> bool:
        return len(signature) > 1 and abs(self._clock() - signature[0] / 1e9) < _SAME_TIMESTAMP
