"""`AsyncFlowPlayer`: carries out the moves of a user, awaited."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ._base_player import BasePlayer
from ._playing import Moves, Playing, following

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._exchange import Call


class AsyncFlowPlayer(BasePlayer):
    """
    `FlowPlayer` for asynchronous endpoints: the same options, moves and errors.

        player = await AsyncFlowPlayer("booking.json", endpoint=application, public_key=public_pem, app_secret=secret)
        await player.fill(name="Ada").tap("Continue").choose("slot", "10:00").tap()
        assert player.completed == {"slot": "10:00", "flow_token": "test"}

    Moves are awaited, alone or a chain at once. What comes before the first request to the endpoint is done when the
    move is made; the rest waits for the `await`, in order. Until then, the properties raise `ConfigurationError`. After
    an error the rest of a chain is dropped. A coroutine function and an ASGI application run in the event loop that
    awaits; a plain function and a WSGI application must not block it for long.

    With `async with`, the lifespan of an ASGI application runs around the requests. One task at a time may use a
    player.
    """

    def _begin(self, opening: Moves) -> None:
        self._waiting: deque[tuple[Moves, Call | None]] = deque()  # each with its request, if it has come to one
        self._started = False
        self._settling = False
        self._do(opening)

    def _do(self, moves: Moves) -> Self:
        call = None
        if not self._waiting:
            call = next(moves, None)
            if call is None:
                return self
        self._waiting.append((moves, call))
        return self

    def _settled(self) -> Playing:
        if self._waiting:
            raise ConfigurationError("moves of the player are waiting for the endpoint: await the player first.")
        return super()._settled()

    def __await__(self) -> Generator[Any, None, Self]:
        return self._settle().__await__()

    async def _settle(self) -> Self:
        if self._settling:
            raise ConfigurationError("another task awaits the player: one at a time may use it.")
        self._settling = True
        try:
            await self._start()
            while self._waiting:
                moves, call = self._waiting[0]
                call = call or next(moves, None)
                while call is not None:
                    try:
                        answer = await self._endpoint.aask(call)
                    except Exception as failure:  # noqa: BLE001 - whatever an application raises
                        call = moves.throw(failure)  # they settle the state, and raise
                    else:
                        call = following(moves, answer)
                self._waiting.popleft()
        finally:
            self._settling = False
            while self._waiting:
                self._waiting.popleft()[0].close()
        return self

    async def _start(self) -> None:
        if self._lifespan and not self._started and self._line is not None:
            self._started = True
            await self._line.astart()

    async def aclose(self) -> None:
        """Close the connections to a URL, or end the lifespan of an ASGI application. The state can be read on."""
        if self._line is not None:
            await self._line.aclose()

    async def __aenter__(self) -> Self:
        self._lifespan = True
        try:
            return await self
        except BaseException:
            await self.aclose()  # nobody else does
            raise

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
