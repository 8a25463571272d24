"""
The transport on aiohttp; the only importer of aiohttp, which it imports when the first transport is made.

`AiohttpTransport` limits the connections and keeps the deadlines; `_session` sends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .._forks import register_after_fork
from .._http import check_stop_grace
from .._wire import check_count
from ..errors import FlowsError
from ..transport import MAX_RESPONSE_BYTES, STOP_GRACE, Timeout
from ._deadlines import Deadline, stopped_by

if TYPE_CHECKING:
    from aiohttp import ClientSession as ClientSession

    from .._wire import Request, Response
    from ._session import AiohttpSession

__all__ = ["AiohttpTransport"]


class AiohttpTransport:
    """
    Sends through an `aiohttp.ClientSession`: the host's, which stays open, or one of its own. Needs the extra `async`.

    The host's connector, proxies, TLS context, cookies, traces and middlewares apply. A session of its own is opened by
    the first request, in the event loop of that request; it takes proxies and CA bundles from the environment and keeps
    no cookies. After a fork the child opens another one.

    At most `max_connections` requests are under way at once (None: as many as the host's connector allows, or 100).
    Further requests wait, and the timeout does not count until they have a connection. A response of more than
    `max_response_bytes`, after decompression, is an `UnexpectedResponseError`. A request that is under way when the
    client's `stop` is set goes on for at most `stop_grace` seconds. `now` is Unix time in seconds, for
    `Response.received_at`.

    Raises `ImportError` when aiohttp is not installed.

    >>> paced = AsyncPacedTransport(AiohttpTransport(max_connections=10), Pace(calls_per_hour=200, burst=10))
    >>> client = AsyncFlowsClient("token", transport=paced)
    """

    def __init__(
        self,
        session: ClientSession | None = None,
        *,
        max_connections: int | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        stop_grace: float = STOP_GRACE,
        now: Callable[[], float] = time.time,
    ) -> None:
        if max_connections is not None:
            check_count("max_connections", max_connections)
        check_count("max_response_bytes", max_response_bytes)
        check_stop_grace(stop_grace)
        self._session = _load()(session, max_response_bytes=max_response_bytes, now=now)
        self._max_connections = self._session.connection_limit(max_connections)
        self._max_response_bytes = max_response_bytes
        self._stop_grace = stop_grace
        self._slots = asyncio.Semaphore(self._max_connections)
        register_after_fork(self)

    def after_fork(self) -> None:
        """Drop the queue and the connections in a child: they are the parent's."""
        self._slots = asyncio.Semaphore(self._max_connections)
        self._session.after_fork()

    async def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        """Send one request. Raises `NotSentError`, `TlsError`, `NoAnswerError` or `UnexpectedResponseError`."""
        self._session.current()  # before the queue, which belongs to one event loop too
        exchange = self._session.exchange(request, timeout)
        stop = request.stop if isinstance(request.stop, asyncio.Event) else None
        try:
            with stopped_by(stop, self._stop_grace), Deadline(request.time_left):  # the queue included
                async with self._slots:
                    with Deadline(timeout.total):
                        # What the server has sent on an idle connection is processed before one is chosen: the first
                        # iteration of the loop receives it, the second closes the connection.
                        await asyncio.sleep(0)
                        await asyncio.sleep(0)
                        return await self._session.send(exchange)
        except FlowsError:
            raise
        except exchange.failures as failure:
            error = exchange.error_for(failure)
        # Outside the handler, so that the error has no reference to aiohttp's own, which holds the request and token.
        raise error

    async def aclose(self) -> None:
        """Close the session, unless it is the host's."""
        await self._session.aclose()

    def __repr__(self) -> str:
        limits = (
            f"max_connections={self._max_connections}, max_response_bytes={self._max_response_bytes}, "
            f"stop_grace={self._stop_grace:g}"
        )
        return f"<AiohttpTransport: {self._session.description}, {limits}>"


def _load() -> type[AiohttpSession]:
    try:
        from ._session import AiohttpSession  # noqa: PLC0415 - without aiohttp the class above can still be imported
    except ModuleNotFoundError as missing:
        if missing.name != "aiohttp":
            raise
        raise ImportError(
            'AsyncFlowsClient and AiohttpTransport need aiohttp: pip install "whatsapp-flows-sdk[async]"'
        ) from None
    return AiohttpSession
