"""A handler that takes too long or is cancelled: the request is answered in time, and nothing piles up."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.endpoint.exchanges import DRIVERS, PING, Receive, areceive, ask, endpoint, receive, recording, seal
from tests.forks import in_a_child, needs_fork
from whatsapp_flows.endpoint import Answer, FlowEndpoint, FlowRequest, RecentAnswers, RequestInfo
from whatsapp_flows.endpoint._steps import Function
from whatsapp_flows.endpoint._workers import Job, Workers

both_drivers = pytest.mark.parametrize("receive", DRIVERS, ids=lambda it: it.__name__)
SHORT = 0.05  # seconds
PATIENCE = 30.0  # seconds for what happens at once unless something is broken


class Gate:
    """A plain handler that waits until it is let go."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.waiting = 0
        self.is_open = False

    def __call__(self, request: object) -> Answer:
        with self.changed:
            self.waiting += 1
            self.changed.notify_all()
            try:
                self.changed.wait_for(lambda: self.is_open, PATIENCE)
            finally:
                self.waiting -= 1
                self.changed.notify_all()
        return FlowRequest(action="INIT").close()

    def wait_until_entered(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.waiting, PATIENCE)

    def let_go(self) -> None:
        """Now and from now on."""
        with self.changed:
            self.is_open = True
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: not self.waiting, PATIENCE)


@pytest.fixture
def gate() -> Iterator[Gate]:
    found = Gate()
    yield found
    found.let_go()


def slow_endpoint(gate: Gate, **options: Any) -> FlowEndpoint:
    """`INIT` waits at the gate; everything else is answered."""
    target = endpoint(**{"time_limit": SHORT, **options})
    target.init(gate)
    recording(target)
    return target


def until_answered(receive: Receive, target: FlowEndpoint, action: str = "data_exchange") -> str:
    """The outcome of the first request that is not too slow: on a busy machine, a short limit passes by itself."""
    deadline = time.monotonic() + PATIENCE
    outcome = "too-slow"
    while outcome == "too-slow" and time.monotonic() < deadline:
        outcome = receive(target, ask(action)).outcome
    return outcome


@both_drivers
def test_a_handler_over_the_limit_is_500(receive: Receive, gate: Gate) -> None:
    """And the endpoint answers the next requests."""
    target = slow_endpoint(gate)
    answer = receive(target, ask("INIT", ""))
    assert (answer.status, answer.outcome, answer.body) == (500, "too-slow", b"")
    assert until_answered(receive, target) == "answered"
    gate.let_go()
    assert until_answered(receive, target, "INIT") == "answered"


@both_drivers
@pytest.mark.parametrize("function", ["tokens", "keys"])
def test_every_function_of_the_hosts_counts_towards_the_limit(receive: Receive, gate: Gate, function: str) -> None:
    """The check of tokens, and the search for keys."""

    def find(info: RequestInfo) -> Any:
        gate(info)

    options: dict[str, dict[str, Any]] = {
        "tokens": {"tokens": gate},
        "keys": {"keys": find},
    }
    target = endpoint(time_limit=SHORT, **options[function])
    recording(target)
    assert receive(target, ask()).outcome == "too-slow"
    gate.let_go()


@both_drivers
def test_without_a_limit_a_handler_is_waited_for(receive: Receive, gate: Gate) -> None:
    """However long it takes."""
    target = slow_endpoint(gate, time_limit=None)
    timer = threading.Timer(SHORT, gate.let_go)
    timer.start()
    assert receive(target, ask("INIT", "")).outcome == "answered"
    timer.join()


def test_without_a_limit_receive_runs_a_handler_in_its_own_thread() -> None:
    """For frameworks that bind connections to threads; with a limit, in another one; areceive always in another one."""
    for limit, call, same in [(None, receive, True), (9, receive, False), (None, areceive, False)]:
        target, threads = endpoint(time_limit=limit), list[threading.Thread]()

        @target.fallback
        def look(request: FlowRequest, threads: list[threading.Thread] = threads) -> Answer:
            threads.append(threading.current_thread())
            return request.close()

        assert call(target, ask()).outcome == "answered"
        assert (threads[0] is threading.current_thread()) is same


def test_threads_are_bounded(gate: Gate) -> None:
    """
    All are kept by handlers that outlive their requests: further requests are refused at once, and start nothing.

    Pings need no thread. When the handlers end, the threads serve again.
    """
    target = slow_endpoint(gate, max_threads=3)
    while (
        target._pools.workers["handlers"].abandoned < 3
    ):  # on a busy machine, some are too slow before their handler begins
        assert receive(target, ask("INIT", "")).outcome == "too-slow"
    for call in (receive, areceive):
        assert call(target, ask()).outcome == "too-slow"
        assert call(target, seal(PING)).outcome == "ping"
    assert (target._pools.workers["handlers"]._threads, target._pools.workers["handlers"].abandoned) == (3, 3)
    gate.let_go()
    assert until_answered(receive, target) == "answered"


def test_a_request_waits_for_a_thread_within_its_limit(gate: Gate) -> None:
    """With two for one thread, the second gets it when the first is done."""
    target = slow_endpoint(gate, time_limit=PATIENCE, max_threads=1)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda it=it: answers.append(receive(target, it).outcome))
        for it in (ask("INIT", ""), ask("INIT", ""))
    ]
    for thread in threads:
        thread.start()
    gate.wait_until_entered()
    gate.let_go()
    for thread in threads:
        thread.join()
    assert answers == ["answered", "answered"]


def test_a_queued_request_that_gives_up_never_begins(gate: Gate) -> None:
    """Its handler is not called later, when nobody waits for it."""
    target = endpoint(time_limit=PATIENCE, max_threads=1)
    target.init(gate)
    got = recording(target)
    first = threading.Thread(target=lambda: receive(target, ask("INIT", "")))
    first.start()
    gate.wait_until_entered()

    async def queued() -> None:
        sent = ask()
        waiting = asyncio.ensure_future(target.areceive(sent.body, sent.headers))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(queued())
    gate.let_go()
    first.join()
    while not got:
        receive(target, ask(data={"last": 1}))
    assert [it.data for it in got] == [{"last": 1}]


# -- asynchronous handlers


def run(main: Callable[[], Any]) -> Any:
    """An event loop in which nothing is logged, no warning is given and no task is left."""
    complaints: list[dict[str, Any]] = []

    async def inner() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = await main()
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    result = asyncio.run(inner())
    gc.collect()
    assert not complaints
    return result


@pytest.mark.parametrize("reaction", ["ends", "raises", "answers"])
def test_an_asynchronous_handler_over_the_limit_is_cancelled(reaction: str) -> None:
    """What it does about that reaches neither the answer nor the log of asyncio."""
    target, ended = endpoint(time_limit=SHORT), list[str]()

    @target.init
    async def slow(request: FlowRequest) -> Answer:
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            ended.append(reaction)
            if reaction == "raises":
                raise ValueError("a secret of the user's") from None
            if reaction == "answers":
                return request.close()
            raise
        return request.close()

    async def main() -> str:
        sent = ask("INIT", "")
        return (await target.areceive(sent.body, sent.headers)).outcome

    while not ended:  # on a busy machine, some are too slow before their handler begins
        assert run(main) == "too-slow"
    assert ended == [reaction]


def test_handlers_that_refuse_to_end_are_bounded() -> None:
    """As many as threads; further asynchronous handlers are not begun until one has ended."""
    target, release = endpoint(time_limit=SHORT, max_threads=2), list[asyncio.Event]()

    @target.init
    async def stubborn(request: FlowRequest) -> Answer:
        while not release[0].is_set():
            try:
                await release[0].wait()
            except asyncio.CancelledError:
                continue
        return request.close()

    async def main() -> list[str]:
        release.append(asyncio.Event())
        outcomes: list[str] = []
        while not target._pools.tasks["handlers"].full:
            sent = ask("INIT", "")
            outcomes.append((await target.areceive(sent.body, sent.headers)).outcome)
        sent = ask("INIT", "")
        outcomes.append((await target.areceive(sent.body, sent.headers)).outcome)
        assert len(asyncio.all_tasks()) == 3
        release[0].set()
        await asyncio.sleep(0.01)
        return outcomes

    assert set(run(main)) == {"too-slow"}
    assert until_answered(areceive, target, "INIT") == "answered"


@pytest.mark.parametrize("kind", ["asynchronous", "refuses to end", "answers all the same", "plain"])
def test_a_cancellation_of_the_caller_passes_through(kind: str, gate: Gate) -> None:
    """The client has gone: an asynchronous handler is cancelled with the request, a plain one is left to its thread."""
    target, seen = endpoint(time_limit=1.0 if kind == "refuses to end" else PATIENCE), list[str]()

    @target.data_exchange
    async def slow(request: FlowRequest) -> Answer:
        seen.append("began")
        for _ in range(2 if kind == "refuses to end" else 1):
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                seen.append("cancelled")
                if kind == "asynchronous":
                    raise
        if kind == "refuses to end":
            await asyncio.sleep(0)
        return request.close()

    target.init(gate)

    async def main() -> None:
        sent = ask("INIT" if kind == "plain" else "data_exchange")
        task = asyncio.ensure_future(target.areceive(sent.body, sent.headers))
        if kind == "plain":
            await asyncio.to_thread(gate.wait_until_entered)
        while kind != "plain" and not seen:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for left in asyncio.all_tasks() - {asyncio.current_task()}:
            left.cancel()

    run(main)
    assert seen == ([] if kind == "plain" else ["began", "cancelled", *["cancelled"] * (kind == "refuses to end")])
    gate.let_go()


def test_a_handler_that_cancels_itself_is_a_failure() -> None:
    """The request goes on, and is answered."""
    target = endpoint()

    @target.init
    async def cancels(request: FlowRequest) -> Answer:
        raise asyncio.CancelledError

    @target.data_exchange
    def cancels_in_a_thread(request: FlowRequest) -> Answer:
        raise asyncio.CancelledError

    for request in (ask("INIT", ""), ask()):
        assert areceive(target, request).outcome == "handler-failed"


@both_drivers
def test_what_ends_the_process_passes_through(receive: Receive) -> None:
    """`sys.exit` in a plain handler, as it would without a thread."""
    target = endpoint()

    @target.init
    def ends(request: FlowRequest) -> Answer:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        receive(target, ask("INIT", ""))
    recording(target)
    assert receive(target, ask()).outcome == "answered"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
@pytest.mark.parametrize("limit", [PATIENCE, None])
def test_a_time_limit_of_the_worker_passes_through(limit: float | None, gate: Gate) -> None:
    """The exception of a signal handler, such as Celery's or gunicorn's, ends `receive`, and not the handler alone."""

    class WorkerLimit(Exception):  # noqa: N818
        pass

    def interrupt(*_: object) -> None:
        raise WorkerLimit

    target = slow_endpoint(gate, time_limit=limit, replay=RecentAnswers())
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, SHORT)
        with pytest.raises(WorkerLimit):
            receive(target, ask("INIT", ""))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert receive(target, ask()).outcome == "answered"


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no SIGALRM")
def test_a_signal_outside_of_a_handler_passes_through_too() -> None:
    """It may come at any instruction: here, while the endpoint looks at the clock."""

    class WorkerLimit(Exception):  # noqa: N818
        pass

    def interrupt(*_: object) -> None:
        raise WorkerLimit

    looks: list[int] = []

    def clock() -> float:
        looks.append(1)
        if len(looks) == 2:
            signal.raise_signal(signal.SIGALRM)
        return 0.0

    target = endpoint(clock=clock)
    recording(target)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(WorkerLimit):
            receive(target, ask())
    finally:
        signal.signal(signal.SIGALRM, before)
    assert receive(target, ask()).outcome == "answered"


# -- threads and forks


@both_drivers
def test_a_thread_that_has_just_become_idle_gets_the_next_request(receive: Receive) -> None:
    """One after the other, at once: none is lost between the end of one and the wait for the next."""
    target = endpoint(max_threads=1)
    recording(target)
    sent = ask()
    assert {receive(target, sent).outcome for _ in range(150)} == {"answered"}


def test_threads_and_loops_share_an_endpoint() -> None:
    """Each answer is that of its own request."""
    target = endpoint(flow=None)
    target.fallback(lambda request: request.show("A", **request.data))
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(10):
            sent = ask(data={"number": number, "turn": turn})
            answer = (areceive if number % 2 else receive)(target, sent)
            if sent.opened(answer)["data"] != {"number": number, "turn": turn}:
                wrong.append(answer)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@needs_fork
@pytest.mark.slow
def test_a_forked_child_has_threads_of_its_own(gate: Gate) -> None:
    """After the first use, and while threads of the parent are kept by handlers."""
    target = slow_endpoint(gate, max_threads=1)
    while not target._pools.workers["handlers"].abandoned:
        assert receive(target, ask("INIT", "")).outcome == "too-slow"
    with target._pools.workers["handlers"]._lock:
        assert in_a_child(lambda: [until_answered(call, target) for call in DRIVERS]) == ["answered"] * 2
    assert receive(target, ask()).outcome == "too-slow"
    gate.let_go()


def test_a_thread_ends_when_there_is_nothing_to_do() -> None:
    """Within some seconds, without an endpoint that must be closed."""
    before = set(threading.enumerate())
    target = endpoint()
    recording(target)
    receive(target, ask())
    started = set(threading.enumerate()) - before
    assert len(started) == 1
    for _ in range(5):
        receive(target, ask())
    assert set(threading.enumerate()) - before == started
    for thread in started:
        assert thread.daemon
        thread.join(PATIENCE)
        assert not thread.is_alive()


@both_drivers
def test_a_system_without_a_thread_left_is_a_failure(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is answered, and the next one tries again."""

    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    target = endpoint(max_threads=1)
    recording(target)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        assert receive(target, ask()).outcome == "handler-failed"
    assert receive(target, ask()).outcome == "answered"


def test_a_job_that_is_done_at_the_last_moment_is_not_given_up() -> None:
    """Its result is there: it counts."""
    done, workers = threading.Event(), Workers()
    job = Job((Function(lambda: 7, "seven"),), (), done.set)
    workers.submit(job)
    assert done.wait(PATIENCE)
    assert not workers.abandon(job)
    assert (job.value, workers.abandoned) == (7, 0)


@pytest.mark.slow
def test_a_job_that_is_handed_over_as_a_thread_would_end_is_done() -> None:
    """The thread has waited its second, but is taken already: it waits on for the job."""
    done, workers = threading.Event(), Workers()
    workers.submit(Job((Function(lambda: 1, "first"),), (), done.set))
    assert done.wait(PATIENCE)
    with workers._lock:
        worker = workers._idle.pop()  # what `submit` does first
    time.sleep(1.2)
    done.clear()
    worker.job = Job((Function(lambda: 2, "second"),), (), done.set)
    worker.wake.release()
    assert done.wait(PATIENCE)
