"""Calls side by side that end with whoever waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ...client import FlowsClient
from ._stops import either

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(
    client: FlowsClient, calling: Callable[[FlowsClient], Callable[[T], R]], tasks: Sequence[T], *, jobs: int
) -> Generator[R, None, None]:
    """
    What a call returns for each task, in their order; at most `jobs` are under way at once.

    An interrupt strikes the thread that waits and none of those that call, and nobody else hears that the iteration is
    left: so both, and the first exception of a call, set the `stop` of the client that `calling` makes the call of.
    """
    leaving = threading.Event()
    stop = either(leaving, client.options.stop)
    with (
        client.with_options(stop=stop) as stoppable,
        ThreadPoolExecutor(max_workers=max(1, min(jobs, len(tasks) or 1))) as pool,
    ):
        try:
            yield from pool.map(calling(stoppable), tasks)
        except BaseException:
            leaving.set()
            raise
