"""What survives a fork: a lock that a thread of the parent holds holds nobody up in the child."""

from __future__ import annotations

from tests.forks import in_a_child, needs_fork
from whatsapp_flows import (
    Call,
    Event,
    FixedDelays,
    NotSentError,
    Pacer,
    QueuedConsumer,
    Request,
    RetryBudget,
    RetryCounters,
    RetryState,
)
from whatsapp_flows.events import AttemptFailed
from whatsapp_flows.usage import UsageLog

ASKED = Request(method="GET", url="https://graph.facebook.com/v25.0/1", operation="get_flow", flow_id="1")
CALL = Call(operation="get_flow", id=1)
FAILED = AttemptFailed(call=CALL, attempt=1, max_attempts=3, duration=0.0, requests=1, error=NotSentError("refused"))
STATE = RetryState(operation="get_flow", idempotent=True, error=FAILED.error, attempt=1, max_attempts=3, elapsed=0.0)


@needs_fork
def test_a_lock_that_was_held_is_free_in_a_child() -> None:
    """Whatever keeps a lock may be forked in the middle of its work."""
    pacer, budget, counters, log = Pacer(), RetryBudget(FixedDelays((1.0,))), RetryCounters(), UsageLog()

    def work() -> tuple[float, float | None, int, int]:
        counters(FAILED)
        return pacer.before(ASKED).pause, budget.decide(STATE).delay, counters.total.requests, len(log.figures)

    with pacer._lock, pacer._log._lock, budget._lock, counters._lock, log._lock:
        assert in_a_child(work) == (0.0, 1.0, 1, 0)
    assert work() == (0.0, 1.0, 1, 0)


@needs_fork
def test_a_queue_that_was_in_use_is_free_in_a_child() -> None:
    """It begins empty there, in a thread of its own, and can be closed."""
    heard: list[Event] = []
    with QueuedConsumer(heard.append) as consumer:
        consumer(FAILED)
        assert consumer.flush(10)

        def work() -> tuple[int, bool]:
            consumer(FAILED)
            return len(heard), consumer.close(10) and len(heard) == 2

        with consumer._changed:
            assert in_a_child(work) in {(1, True), (2, True)}
    assert len(heard) == 1
