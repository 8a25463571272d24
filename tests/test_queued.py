"""A consumer in a thread of its own: it may be slow, block or raise, and no call notices."""

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

PATIENCE = 10.0  # seconds; a test that needs them has failed


def event(number: int = 1) -> Event:
    return Event(call=Call(operation="get_flow", id=number))


class Blocked:
    """A consumer that does not return before it is let go."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()
        self.heard: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.entered.set()
        assert self.release.wait(PATIENCE)
        self.heard.append(event)


def test_events_arrive_in_order_in_another_thread() -> None:
    """What was told is heard, by each consumer, once."""
    threads = set[int]()
    heard: list[Event] = []
    counters = RetryCounters()
    with QueuedConsumer(heard.append, counters, lambda _: threads.add(threading.get_ident())) as consumer:
        scene = Scene(PROCESSING, UPLOADED, on_event=[consumer])
        scene.client.update_flow_json(FLOW, b"{}")
        assert consumer.flush(PATIENCE)
        assert heard == scene.events
        assert counters.total.successes_after_retry == 1
    assert threads
    assert threading.get_ident() not in threads


def test_a_consumer_that_blocks_stalls_no_call() -> None:
    """The calls go on; what does not fit is dropped and counted; what fits is heard later."""
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
    assert blocked.heard == scene.events[:8]


def test_a_consumer_that_raises_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The others hear all the same, and the thread lives on."""
    heard: list[Event] = []

    def broken(_: Event) -> None:
        raise ZeroDivisionError

    with QueuedConsumer(broken, heard.append) as consumer:
        for number in range(3):
            consumer(event(number))
    assert [each.call.id for each in heard] == [0, 1, 2]
    assert [(record.levelno, bool(record.exc_info)) for record in caplog.records] == [(logging.ERROR, True)]


def test_a_closed_consumer_takes_nothing_in() -> None:
    """It drops and counts; closing twice does no harm, and closing one that heard nothing neither."""
    heard: list[Event] = []
    consumer = QueuedConsumer(heard.append)
    assert consumer.close()
    consumer(event())
    assert consumer.close()
    assert (heard, consumer.dropped) == ([], 1)


def test_closing_waits_no_longer_than_it_is_told() -> None:
    """What is still queued then is dropped, and counted."""
    blocked = Blocked()
    consumer = QueuedConsumer(blocked)
    consumer(event(1))
    assert blocked.entered.wait(PATIENCE)
    consumer(event(2))
    assert not consumer.close(0.0)
    assert consumer.dropped == 1
    blocked.release.set()
    assert consumer.flush(PATIENCE)
    assert [each.call.id for each in blocked.heard] == [1]


def test_an_event_that_was_heard_is_let_go() -> None:
    """The thread that waits for the next one does not keep the last one alive."""

    class Mortal(Event):
        __slots__ = ("__weakref__",)

    consumer = QueuedConsumer(lambda _: None)
    mortal: Any = Mortal(call=Call(operation="get_flow", id=1))
    gone = threading.Event()
    weakref.finalize(mortal, gone.set)
    consumer(mortal)
    del mortal
    assert gone.wait(PATIENCE)
    consumer.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_a_thread_of_its_own() -> None:
    """A worker that is forked after the first event is heard too, and the parent's queue stays the parent's."""
    code = """
import os, sys
from whatsapp_flows import Call, Event, QueuedConsumer

def tell(event):
    os.write(1, b"%d heard %s\\n" % (os.getpid() == parent, event.call.operation.encode()))

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
    assert sorted(done.stdout.splitlines()) == ["0 heard two", "1 heard one", "1 heard two"]


def test_the_end_of_the_process_waits_for_what_is_queued() -> None:
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
def test_what_cannot_work_is_refused(consumers: tuple[Any, ...], options: dict[str, Any]) -> None:
    """No consumer, one that cannot be called, or no room."""
    with pytest.raises(ConfigurationError):
        QueuedConsumer(*consumers, **options)
