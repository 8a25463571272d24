"""An exception that a signal handler raises (a task queue's time limit) ends the run, wherever it is raised."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from types import FrameType
from typing import Any

import pytest

from tests.sync.support import desired, planned
from whatsapp_flows import FlowsClient
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import Fleet, FlowEvent, apply

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals")


class TimeLimitError(Exception):
    """Like Celery's `SoftTimeLimitExceeded`: a plain `Exception`."""


def time_limit(signum: int = 0, frame: FrameType | None = None) -> None:
    raise TimeLimitError


class InlineExecutor(Executor):
    """Runs each task in the thread that submits it."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as raised:  # noqa: BLE001 - as `concurrent.futures` does
            future.set_exception(raised)
        return future


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """`time_limit` handles a signal."""
    before = signal.signal(signal.SIGUSR1, time_limit)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_in_the_hosts_client_function(meta: Emulator) -> None:
    """`Fleet.deploy` raises it, rather than counting it as a failure of one account."""

    def client_for(account: str) -> FlowsClient:
        signal.raise_signal(signal.SIGUSR1)
        raise AssertionError("the handler has raised")

    fleet = Fleet(client_for=client_for, executor=InlineExecutor())
    with pytest.raises(TimeLimitError):
        list(fleet.deploy([desired()], [meta.waba_id]))


def test_in_the_deployment_of_an_account(meta: Emulator) -> None:
    """The same while the account is deployed."""

    def client_for(account: str) -> FlowsClient:
        def token() -> str:
            signal.raise_signal(signal.SIGUSR1)
            return "token"

        return FlowsClient(token, account, base_url=meta.url)

    fleet = Fleet(client_for=client_for, executor=InlineExecutor())
    with pytest.raises(TimeLimitError):
        list(fleet.deploy([desired()], [meta.waba_id]))


@pytest.mark.parametrize("state", ["creating", "done"])
def test_in_an_event_consumer(
    meta: Emulator, client: FlowsClient, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    """`apply` stops the run and raises it. The handler is called directly: with greenlets it may run in any of them."""

    def consumer(event: FlowEvent) -> None:
        if event.key == "one" and event.state == state:
            time_limit()

    plan = planned(client, [desired("one"), desired("two")])
    with caplog.at_level(logging.ERROR), pytest.raises(TimeLimitError):
        apply(client, plan, jobs=1, on_event=consumer)
    assert "two" not in {flow.name.lower() for flow in meta.flows()}
    assert caplog.records == []


def test_in_a_step_of_a_flow(meta: Emulator, client: FlowsClient, caplog: pytest.LogCaptureFixture) -> None:
    """The flow is not reported as failed by a fault of its own; the run is stopped."""
    plan = planned(client, [desired("one"), desired("two")])

    def struck(seconds: float) -> None:
        time_limit()

    meta.fail("create_flow", code=1, times=2)
    with caplog.at_level(logging.ERROR), pytest.raises(TimeLimitError):
        apply(client.with_options(sleep=struck), plan, jobs=1)
    assert "failed unexpectedly" not in caplog.text
    assert "two" not in {flow.name.lower() for flow in meta.flows()}
