"""Calls in parallel threads, which end when the caller stops waiting for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ...client import FlowsClient
from ._stops import either_stop

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(
    client: FlowsClient, calling: Callable[[FlowsClient], Callable[[T], R]], tasks: Sequence[T], *, jobs: int
) -> Generator[R, None, None]:
    """
    The result of a call for each task, in their order; at most `jobs` run at once.

    An interrupt is raised in the thread that waits, not in those that call, and these do not see that the iteration
    has ended. So both, and the first exception of a call, set the `stop` of the client that `calling` gets.
    """
    leaving = threading.Event()
    stop = either_stop(leaving, client.options.stop)
    with (
        client.with_options(stop=stop) as stoppable,
        ThreadPoolExecutor(max_workers=max(1, min(jobs, len(tasks) or 1))) as pool,
    ):
        try:
            yield from pool.map(calling(stoppable), tasks)
        except BaseException:
            leaving.set()
            raise
