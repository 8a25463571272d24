"""Parallel calls end when the caller stops waiting for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.misbehaving import BODY_DRIPS, Server, answers
from whatsapp_flows import FlowsClient, FlowsError, NotSentError, RequestsTransport
from whatsapp_flows.sync import RunPace, paced
from whatsapp_flows.sync.calls._side_by_side import side_by_side


class Mistake(Exception):  # noqa: N818 - it is none of ours
    """Of a call."""


@contextmanager
def client_for(url: str, **options: Any) -> Iterator[FlowsClient]:
    """A client whose requests go on for 50 ms after a stop."""
    with closing(RequestsTransport(stop_grace=0.05)) as transport:
        yield FlowsClient("t", base_url=url, max_attempts=1, transport=transport, **options)


def reading(
    outcomes: list[object], begun: Callable[[], object] = lambda: None
) -> Callable[[FlowsClient], Callable[[str], object]]:
    """Calls that read a flow; a task of "mistake" raises once the others are under way."""

    def of(client: FlowsClient) -> Callable[[str], object]:
        def call(task: str) -> object:
            if task == "mistake":
                begun()
                raise Mistake
            try:
                return client.get_flow(task)
            except FlowsError as error:
                outcomes.append(error)
                raise

        return call

    return of


def test_the_first_exception_ends_the_others() -> None:
    """It is raised, without waiting for an answer that never ends."""
    outcomes: list[object] = []
    with Server(BODY_DRIPS) as server, client_for(server.url) as client:
        begun = lambda: server.has_received(2)  # noqa: E731
        with pytest.raises(Mistake):
            list(side_by_side(client, reading(outcomes, begun), ["mistake", "1", "2"], jobs=3))
        assert ["stopped while" in str(error) for error in outcomes] == [True, True]


def test_leaving_the_iteration_ends_them() -> None:
    """Calls that were not begun are not made."""
    outcomes: list[object] = []
    with (
        Server(answers(b'{"id": "1"}'), BODY_DRIPS) as server,
        client_for(server.url) as client,
    ):
        results = side_by_side(client, reading(outcomes), ["1", *"23456789"], jobs=1)
        next(results)
        results.close()
        assert len(server.requests) <= 2
        assert len(outcomes) <= 1


def test_the_clients_own_stop_ends_them() -> None:
    """As it does without threads."""
    stop = threading.Event()
    outcomes: list[object] = []
    with Server(BODY_DRIPS) as server, client_for(server.url, stop=stop) as client:

        def stops() -> None:
            assert server.has_received(2)
            stop.set()

        threading.Thread(target=stops).start()
        with pytest.raises(FlowsError, match="stopped"):
            list(side_by_side(client, reading(outcomes), ["1", "2", "3"], jobs=2))


def test_a_wait_for_the_budget_ends_with_them() -> None:
    """Although the pace has no `stop`."""
    outcomes: list[object] = []
    waits = threading.Event()
    pace = RunPace(1, on_wait=lambda seconds: waits.set())
    with Server(answers(b'{"id": "1"}')) as server, client_for(server.url) as client:
        tasks = ["1", "2", "mistake"]
        with pytest.raises(Mistake), paced(client, pace) as slow:
            list(side_by_side(slow, reading(outcomes, lambda: waits.wait(30)), tasks[::-1], jobs=3))
    assert [type(error) for error in outcomes] == [NotSentError]
