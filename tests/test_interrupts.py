"""What the handler of a signal raises is not the mistake of the code that the signal strikes."""

from __future__ import annotations

import functools
import logging
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from tests.support import FLOW, TOKEN, UPLOADED, Scene
from tests.test_aio import AsyncScene, run
from whatsapp_flows import Event, TokenUnavailableError

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals")


class TimeLimitError(Exception):
    """As `SoftTimeLimitExceeded` of Celery is: no `BaseException` of its own kind."""


def raises(signum: int, frame: FrameType | None) -> None:
    raise TimeLimitError


def raises_deeper(prefix: str, signum: int, frame: FrameType | None) -> None:
    raises(signum, frame)


class Penalty:
    """A handler as RQ's: a method; and one that is called itself."""

    def handle(self, signum: int, frame: FrameType | None) -> None:
        raise TimeLimitError

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        raise TimeLimitError


HANDLERS: dict[str, Any] = {
    "a function": raises,
    "a partial": functools.partial(raises_deeper, "worker"),
    "a method": Penalty().handle,
    "an object": Penalty(),
}


@pytest.fixture(params=HANDLERS.values(), ids=list(HANDLERS))
def strike(request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """Lets a signal strike whoever calls it."""
    before = signal.signal(signal.SIGUSR1, request.param)
    yield lambda: signal.raise_signal(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_a_signal_that_strikes_the_token_callable_ends_the_call(strike: Callable[[], None]) -> None:
    """It is no `TokenUnavailableError`, and nothing is sent."""

    def vault() -> str:
        strike()
        return TOKEN

    scene = Scene(UPLOADED, access_token=vault)
    with pytest.raises(TimeLimitError):
        scene.client.update_flow_json(FLOW, b"{}")
    assert scene.transport.requests == []


def test_with_asyncio_too(strike: Callable[[], None]) -> None:
    """While the token is awaited."""

    async def vault() -> str:
        strike()
        return TOKEN

    scene = AsyncScene(UPLOADED)
    with pytest.raises(TimeLimitError):
        run(lambda: scene.client.with_options(access_token=vault).update_flow_json(FLOW, b"{}"))
    assert scene.wire.inner.requests == []


def test_the_same_exception_of_the_callables_own_is_the_callables(strike: Callable[[], None]) -> None:
    """Where it comes from decides, and not its type."""

    def vault() -> str:
        raise TimeLimitError

    with pytest.raises(TokenUnavailableError, match="TimeLimitError"):
        Scene(UPLOADED, access_token=vault).client.update_flow_json(FLOW, b"{}")


def test_a_signal_that_strikes_a_consumer_ends_the_call(
    strike: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """What the consumer itself raises is logged; what strikes it is not for it."""

    def consumer(event: Event) -> None:
        strike()

    with caplog.at_level(logging.ERROR), pytest.raises(TimeLimitError):
        Scene(UPLOADED, on_event=[consumer]).client.update_flow_json(FLOW, b"{}")
    assert caplog.records == []
