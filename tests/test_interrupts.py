"""Exceptions of a signal handler are not taken for exceptions of the code that the signal interrupts."""

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
from tests.test_renewal import EXPIRED, Echoing
from whatsapp_flows import Event, FlowsClient, TokenUnavailableError

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals")


class TimeLimitError(Exception):
    """Derives from `Exception`, as `SoftTimeLimitExceeded` of Celery does."""


def raises(signum: int, frame: FrameType | None) -> None:
    raise TimeLimitError


def raises_deeper(prefix: str, signum: int, frame: FrameType | None) -> None:
    raises(signum, frame)


class HandlerObject:
    """A method as handler, as in RQ; and a handler object that is callable itself."""

    def handle(self, signum: int, frame: FrameType | None) -> None:
        raise TimeLimitError

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        raise TimeLimitError


HANDLERS: dict[str, Any] = {
    "a function": raises,
    "a partial": functools.partial(raises_deeper, "worker"),
    "a method": HandlerObject().handle,
    "an object": HandlerObject(),
}


@pytest.fixture(params=HANDLERS.values(), ids=list(HANDLERS))
def interrupt(request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """A function that raises the signal."""
    before = signal.signal(signal.SIGUSR1, request.param)
    yield lambda: signal.raise_signal(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_a_signal_during_the_token_callable_ends_the_call(interrupt: Callable[[], None]) -> None:
    """It is not a `TokenUnavailableError`, and nothing is sent."""

    def vault() -> str:
        interrupt()
        return TOKEN

    scene = Scene(UPLOADED, access_token=vault)
    with pytest.raises(TimeLimitError):
        scene.client.update_flow_json(FLOW, b"{}")
    assert scene.transport.requests == []


def test_a_signal_during_an_awaited_token_ends_the_call(interrupt: Callable[[], None]) -> None:
    """The same for asyncio."""

    async def vault() -> str:
        interrupt()
        return TOKEN

    scene = AsyncScene(UPLOADED)
    with pytest.raises(TimeLimitError):
        run(lambda: scene.client.with_options(access_token=vault).update_flow_json(FLOW, b"{}"))
    assert scene.wire.inner.requests == []


def test_a_signal_during_the_renewal_of_a_token_ends_the_call(interrupt: Callable[[], None]) -> None:
    """It is raised instead of the refusal of the first token."""
    given = iter([TOKEN])

    def vault() -> str:
        for token in given:
            return token
        interrupt()
        return TOKEN

    with pytest.raises(TimeLimitError):
        FlowsClient(vault, transport=Echoing([EXPIRED])).publish_flow(FLOW)


def test_the_callables_own_exception_is_a_token_error(interrupt: Callable[[], None]) -> None:
    """The origin of the exception decides, not its type."""

    def vault() -> str:
        raise TimeLimitError

    with pytest.raises(TokenUnavailableError, match="TimeLimitError"):
        Scene(UPLOADED, access_token=vault).client.update_flow_json(FLOW, b"{}")


def test_a_signal_during_a_consumer_ends_the_call(
    interrupt: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Exceptions of the consumer itself are logged."""

    def consumer(event: Event) -> None:
        interrupt()

    with caplog.at_level(logging.ERROR), pytest.raises(TimeLimitError):
        Scene(UPLOADED, on_event=[consumer]).client.update_flow_json(FLOW, b"{}")
    assert caplog.records == []
