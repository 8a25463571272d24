"""Consumers in a background thread: one that is slow, blocks or raises affects no call."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest

from tests.support import FLOW, PROCESSING, UPLOADED, Scene
from whatsapp_flows import Call, ConfigurationError, Event, QueuedConsumer, RetryCounters

PATIENCE = 30.0  # seconds; a test that needs them has failed


def event(number: int = 1) -> Event:
    return Event(call=Call(operation="get_flow", id=number))


class Blocked:
    """A consumer that blocks until `release` is set."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()
        self.received: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.entered.set()
        assert self.release.wait(PATIENCE)
        self.received.append(event)


def test_events_arrive_in_order_in_another_thread() -> None:
    """Each consumer gets each event once."""
    threads = set[int]()
    received: list[Event] = []
    counters = RetryCounters()
    with QueuedConsumer(received.append, counters, lambda _: threads.add(threading.get_ident())) as consumer:
        scene = Scene(PROCESSING, UPLOADED, on_event=[consumer])
        scene.client.update_flow_json(FLOW, b"{}")
        assert consumer.flush(PATIENCE)
        assert received == scene.events
        assert counters.total.successes_after_retry == 1
    assert threads
    assert threading.get_ident() not in threads


def test_a_consumer_that_blocks_delays_no_call() -> None:
    """Events beyond the capacity are dropped and counted; the others are consumed later."""
    blocked = Blocked()
    consumer = QueuedConsumer(blocked, capacity=7)
    scene = Scene(UPLOADED, UPLOADED, on_event=[consumer])
    scene.client.update_flow_json(FLOW, b"{}")  # 5 events, the first of which the consumer soon holds
    assert blocked.entered.wait(PATIENCE)
    scene.client.update_flow_json(FLOW, b"{}")
    assert len(scene.events) == 10
    assert not consumer.flush(0.0)
    assert consumer.dropped == 10 - 1 - 7
    blocked.release.set()
    assert consumer.close(PATIENCE)
    assert blocked.received == scene.events[:8]


def test_a_consumer_that_raises_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The other consumers still get the event, and the thread goes on."""
    received: list[Event] = []

    def broken(_: Event) -> None:
        raise ZeroDivisionError

    with QueuedConsumer(broken, received.append) as consumer:
        for number in range(3):
            consumer(event(number))
    assert [each.call.id for each in received] == [0, 1, 2]
    assert [(record.levelno, bool(record.exc_info)) for record in caplog.records] == [(logging.ERROR, True)]


def test_a_closed_consumer_drops_events() -> None:
    """They are counted. Closing it twice, or before any event, is allowed."""
    received: list[Event] = []
    consumer = QueuedConsumer(received.append)
    assert consumer.close()
    consumer(event())
    assert consumer.close()
    assert (received, consumer.dropped) == ([], 1)


def test_closing_waits_no_longer_than_its_timeout() -> None:
    """Events that are still queued then are dropped and counted."""
    blocked = Blocked()
    consumer = QueuedConsumer(blocked)
    consumer(event(1))
    assert blocked.entered.wait(PATIENCE)
    consumer(event(2))
    assert not consumer.close(0.0)
    assert consumer.dropped == 1
    blocked.release.set()
    assert consumer.flush(PATIENCE)
    assert [each.call.id for each in blocked.received] == [1]


def test_a_consumed_event_is_released() -> None:
    """The thread keeps no reference to the last event while it waits for the next one."""

    class Referable(Event):
        __slots__ = ("__weakref__",)

    consumer = QueuedConsumer(lambda _: None)
    referable: Any = Referable(call=Call(operation="get_flow", id=1))
    gone = threading.Event()
    weakref.finalize(referable, gone.set)
    consumer(referable)
    del referable
    assert gone.wait(PATIENCE)
    consumer.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_starts_its_own_thread() -> None:
    """A worker that is forked after the first event consumes its events too; the parent's queue stays in the parent."""
    code = """
import os, sys
from whatsapp_flows import Call, Event, QueuedConsumer

def tell(event):
    os.write(1, b"%d received %s\\n" % (os.getpid() == parent, event.call.operation.encode()))

parent = os.getpid()
consumer = QueuedConsumer(tell)
consumer(Event(call=Call(operation="one", id=1)))
consumer.flush()
child = os.fork()
assert consumer.flush(0)
consumer(Event(call=Call(operation="two", id=2)))
assert consumer.close()
if child:
    assert os.waitpid(child, 0)[1] == 0
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == ["0 received two", "1 received one", "1 received two"]


def test_the_end_of_the_process_waits_for_queued_events() -> None:
    """A script that ends right after its last call loses no event."""
    code = """
import time
from whatsapp_flows import Call, Event, QueuedConsumer

consumer = QueuedConsumer(lambda event: (time.sleep(0.05), print(event.call.operation, flush=True)))
for name in ("one", "two"):
    consumer(Event(call=Call(operation=name, id=1)))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\ntwo\n", "")


@pytest.mark.parametrize(
    ("consumers", "options"),
    [((), {}), (("no function",), {}), ((print,), {"capacity": 0}), ((print,), {"capacity": True})],
)
def test_invalid_arguments_are_refused(consumers: tuple[Any, ...], options: dict[str, Any]) -> None:
    """No consumer, one that is not callable, or a capacity below 1."""
    with pytest.raises(ConfigurationError):
        QueuedConsumer(*consumers, **options)


def test_a_repr_has_the_state() -> None:
    """Queued, dropped, capacity; no consumer, whose repr is the host's."""
    blocked = Blocked()
    consumer = QueuedConsumer(blocked, capacity=2)
    consumer(event())
    assert blocked.entered.wait(PATIENCE)
    for _ in range(3):
        consumer(event())
    assert repr(consumer) == "<QueuedConsumer: 2 queued, capacity 2, 1 dropped>"
    blocked.release.set()
    assert consumer.close(PATIENCE)
    assert repr(consumer) == "<QueuedConsumer: closed, capacity 2, 1 dropped>"
