"""
Answers to requests that arrive twice.

A request fixes the AES key and the nonce of its answer, so two different answers to the same bytes would use an
AES-GCM nonce twice, which gives away both and allows forgeries. A guard keeps the first answer, and the same bytes get
it again. Meta's client repeats a request only after 421 (observed); proxies and attackers repeat it at any time.
"""

from __future__ import annotations

import hashlib
import time
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from .._forks import Mutex, register_after_fork
from .._http_answer import HttpAnswer
from .._wire import check_count, check_seconds

_OVERHEAD: Final = 600  # bytes of memory for one answer beside its body; 540 measured on CPython 3.11
_MAX_BYTES: Final = 64 * 1024 * 1024  # 10,000 answers of 6 KB


class ReplayGuard(Protocol):
    """
    Keeps answers for a while: `RecentAnswers` in memory, or your own, shared by processes.

    `key` is a SHA-256 in hex of the encrypted request; an answer is encrypted too, and can be pickled. Requests in
    progress need no guard: equal ones in one process wait for the first. The health check and error notifications are
    answered without a guard.

    Processes that share a store may both run the handler for equal requests that arrive at the same time. So `put` must
    set the answer only if the key is absent, in one step (`SET key value NX EX 60` of Redis), and return the answer
    that is kept already: that one is sent.

    The methods of your own guard are called in threads of their own, or awaited, for at most 1 second each, and a
    third of the time that is left (with `time_limit=None`, without limit). If one fails or takes longer, the request is
    answered without it, and the failure is logged.
    """

    def get(self, key: str, /) -> HttpAnswer | None:
        """The answer that was kept under this key, or None."""

    def put(self, key: str, answer: HttpAnswer, /) -> HttpAnswer | None:
        """Keep an answer and return None; if one is kept under this key, leave it, and return it."""


class RecentAnswers:
    """
    A replay guard in the memory of this process: the answers of the last `seconds`, at most `most` of them.

    They take at most `max_bytes` of memory, by estimate; the oldest give way. Threads and tasks may share it. A forked
    child goes on with a copy. Raises `ConfigurationError` for a number out of range.
    """

    def __init__(
        self,
        seconds: float = 60.0,
        most: int = 10_000,
        *,
        max_bytes: int = _MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_seconds("seconds", seconds)
        check_count("most", most)
        check_count("max_bytes", max_bytes)
        self._seconds = seconds
        self._most = most
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = Mutex()
        self._answers: OrderedDict[str, tuple[float, HttpAnswer]] = OrderedDict()  # the oldest first
        self._bytes = 0

    def get(self, key: str, /) -> HttpAnswer | None:
        """The answer that was kept under this key, or None."""
        with self._lock:
            self._make_room(0)
            found = self._answers.get(key)
        return None if found is None else found[1]

    def put(self, key: str, answer: HttpAnswer, /) -> HttpAnswer | None:
        """Keep an answer, unless one is kept under this key: then return that one, which was sent first."""
        size = _OVERHEAD + len(answer.body)
        with self._lock:
            self._make_room(0)
            if (kept := self._answers.get(key)) is not None:
                return kept[1]
            if size <= self._max_bytes:
                self._make_room(size)
                self._answers[key] = (self._clock() + self._seconds, answer)
                self._bytes += size
        return None

    def _make_room(self, size: int) -> None:
        """Drop what is too old, and what there is no room for."""
        now = self._clock()
        while self._answers:
            expires, answer = next(iter(self._answers.values()))
            full = size and (len(self._answers) >= self._most or self._bytes + size > self._max_bytes)
            if expires > now and not full:
                return
            self._answers.popitem(last=False)
            self._bytes -= _OVERHEAD + len(answer.body)

    def __len__(self) -> int:
        return len(self._answers)

    def __repr__(self) -> str:
        return f"RecentAnswers(seconds={self._seconds:g}, most={self._most}, answers={len(self)})"


class InProgress:
    """The requests that are being answered, so that an equal one waits for the answer. Not shared with a fork."""

    def __init__(self) -> None:
        self.after_fork()
        register_after_fork(self)

    def after_fork(self) -> None:
        """Start again without requests: the threads that answer them do not exist in the child."""
        self._lock = Mutex()
        self._answers: dict[str, Future[HttpAnswer | None]] = {}

    def begin(self, key: str) -> Future[HttpAnswer | None] | None:
        """None if the caller is the first, and has to `end` it; else the answer of the one who is."""
        with self._lock:
            if key in self._answers:
                return self._answers[key]
            future: Future[HttpAnswer | None] = Future()
            future.set_running_or_notify_cancel()  # a request that is cancelled cancels no other
            self._answers[key] = future
            return None

    def end(self, key: str, answer: HttpAnswer | None) -> None:
        """The first request has this answer, or was given up."""
        with self._lock:
            future = self._answers.pop(key, None)
        if future is not None:
            future.set_result(answer)


def replay_key(*parts: str) -> str:
    """The key of an encrypted request: a digest of its three parts, each in base64."""
    digest = hashlib.sha256()
    for part in parts:
        text = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%b%b" % (len(text), text[:-4], _canonical(text[-4:])))
    return digest.hexdigest()


def _canonical(end: bytes) -> bytes:
    """The last characters of base64 as an encoder writes them: a decoder ignores some of their bits."""
    try:
        return b64encode(b64decode(end))
    except ValueError:
        return end
