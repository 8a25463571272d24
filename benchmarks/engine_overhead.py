"""
The cost of the code around a request: a policy's decision, and a call without a network.

    python benchmarks/engine_overhead.py [--json] [--rounds N] [--blocks K] [--seed S] [--no-peer]

Method. One process, rounds of shuffled order; each sample is the mean of a batch of consecutive calls.

Decisions: one `decide` on a retryable error. For comparison, tenacity's predicate, stop and wait on one state, and
urllib3's `Retry.increment` and `get_backoff_time`.

A call without failure: `FlowsClient.update_flow_json` with a transport that returns an answer from memory, as a whole
and in parts. "engine" is the call of an operation that is already built, from the first event to the parsed result;
the document is the 11 kB Flow JSON of `upload_overhead.py`. `over_transport_us` is the time without the bare transport.
For comparison, the same transport with tenacity's `Retrying`, which counts attempts but parses no answer and emits no
events.

Events: the same call of the engine without events, without a consumer (the default), with a consumer that does
nothing, and with OpenTelemetry's if its API is installed without an SDK. `ratio` is relative to the first. The cost
without a consumer is also compared with a whole upload over loopback.

The parts run hot, fifty times in a row. Between two requests over a socket the same code takes about twice as long.

Limits. The compared libraries do less, or other things, so the rows show orders of magnitude only. Retries are not
measured: they wait for seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common

FLOW_ID: Final = "1234567890123456"
BATCH: Final = 50
OURS: Final = ("ExponentialBackoff", "RetryBudget")
TRANSPORT: Final = "transport alone"
SILENT: Final = "no events"
UNLISTENED: Final = "no listener"
UPLOAD: Final = "an upload over loopback"
ENGINE: Final = "engine, events and answer"


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    options = common.arguments("What the engine and the policies cost.", rounds=200, blocks=10, peers=True)
    chosen = options.parse_args(argv)
    if not chosen.no_peer and (done := common.in_own_environment(__file__, argv)) is not None:
        return done
    common.without_proxies()
    cores = common.cores()
    if cores:
        common.pin(cores[0])
    decisions = _decisions(peer=not chosen.no_peer)
    content = common.document()
    calls = _calls(content, peer=not chosen.no_peer)
    events = _events(content)
    with common.loopback_server(cores[1] if cores else None) as url:
        samples = common.measure(
            {**decisions, **calls, **events, UPLOAD: _upload(url, content)},
            rounds=chosen.rounds,
            blocks=chosen.blocks,
            seed=chosen.seed,
            batch=BATCH,
            warm_up=5,
        )
    medians = {name: common.median(blocks) * 1e6 for name, blocks in samples.items()}
    spread = {name: _spread(blocks) for name, blocks in samples.items()}
    decision_rows = [{"decision": name, "p50_us": medians[name], **spread[name]} for name in decisions]
    call_rows = [
        {
            "piece": name,
            "p50_us": medians[name],
            **spread[name],
            "over_transport_us": medians[name] - medians[TRANSPORT],
        }
        for name in calls
    ]
    event_rows = [
        {"listener": name, "p50_us": medians[name], **common.Ratio.of(samples[name], samples[SILENT]).columns()}
        for name in (*events, UPLOAD)
    ]
    slowest = max(value for name, value in medians.items() if name.startswith(OURS))
    common.report(
        "engine_overhead",
        as_json=chosen.json,
        method={
            "rounds": chosen.rounds,
            "blocks": min(chosen.blocks, chosen.rounds),
            "calls in a sample": BATCH,
            "seed": chosen.seed,
            "document_bytes": len(content),
            "cores": f"pinned to {cores[0]}" if cores else "not pinned",
            "garbage collection": "between blocks",
        },
        versions=common.versions("requests", "urllib3", *(() if chosen.no_peer else ("tenacity",))),
        tables={"a decision": decision_rows, "a clean call": call_rows, "events of a clean call": event_rows},
        targets=[
            common.Target(what="slowest decision of our policies, us", limit=5.0, value=slowest),
            common.Target(what=f"{ENGINE}, us", limit=60.0, value=medians[ENGINE] - medians[TRANSPORT]),
            common.Target(
                what="events without a listener, percent of an upload over loopback",
                limit=2.0,
                value=100 * (medians[UNLISTENED] - medians[SILENT]) / medians[UPLOAD],
            ),
        ],
    )
    return 0


def _spread(blocks: Sequence[Sequence[float]]) -> dict[str, float]:
    """The lowest and the highest median of a block."""
    each = [common.median([block]) * 1e6 for block in blocks]
    return {"block_min_us": min(each), "block_max_us": max(each)}


def _decisions(*, peer: bool) -> dict[str, Callable[[], object]]:
    from urllib3 import Retry

    from whatsapp_flows import (
        ErrorDetails,
        ExponentialBackoff,
        FlowProcessingError,
        RetryBudget,
        RetryState,
        decorrelated_jitter,
        full_jitter,
    )

    error = FlowProcessingError(ErrorDetails(message="saved", operation="update_flow_json", code=139001))
    state = RetryState(operation="update_flow_json", idempotent=True, error=error, attempt=2, max_attempts=5,
                       elapsed=7.5, previous_delay=5.0)  # fmt: skip
    plain, full = ExponentialBackoff(), ExponentialBackoff(jitter=full_jitter)
    decorrelated = ExponentialBackoff(jitter=decorrelated_jitter)
    granted = RetryBudget(plain, capacity=1e12)
    spent = RetryBudget(plain, capacity=1.0, refill=0.0)
    spent.decide(state)
    retry = Retry(total=10**9, backoff_factor=5.0)
    found: dict[str, Callable[[], object]] = {
        "ExponentialBackoff": lambda: plain.decide(state),
        "ExponentialBackoff, full_jitter": lambda: full.decide(state),
        "ExponentialBackoff, decorrelated_jitter": lambda: decorrelated.decide(state),
        "RetryBudget of ExponentialBackoff": lambda: granted.decide(state),
        "RetryBudget, spent": lambda: spent.decide(state),
        "urllib3 Retry.increment": lambda: retry.increment("POST", "/", error=None).get_backoff_time(),
    }
    if peer:
        tenacity = import_module("tenacity")
        retrying = tenacity.Retrying()
        call = tenacity.RetryCallState(retrying, None, (), {})
        call.set_exception((FlowProcessingError, error, None))
        again = tenacity.retry_if_exception_type(FlowProcessingError)
        stop = tenacity.stop_after_attempt(5)
        wait = tenacity.wait_exponential(multiplier=5, max=60)
        found["tenacity retry, stop and wait"] = lambda: again(call) and not stop(call) and wait(call)
    return found


class _InMemory:
    """A transport that returns a fixed answer."""

    def __init__(self) -> None:
        from whatsapp_flows import Response

        self._answer = Response(
            status=200,
            headers={"content-type": "application/json; charset=UTF-8"},
            body=common.ANSWER,
        )

    def send(self, request: object, /, *, timeout: object) -> object:
        return self._answer

    def close(self) -> None:
        pass


def _calls(content: bytes, *, peer: bool) -> dict[str, Callable[[], object]]:
    from whatsapp_flows import FlowsClient, Timeout, Transport, _operations
    from whatsapp_flows.flow_json import read_flow_json

    transport = cast("Transport", _InMemory())
    client = FlowsClient("x" * 200, transport=transport)
    operation = _operations.update_flow_json(client._api, FLOW_ID, content)
    request = next(operation.script(1))
    timeout = Timeout()
    mapping = json.loads(content)
    found: dict[str, Callable[[], object]] = {
        TRANSPORT: lambda: transport.send(request, timeout=timeout),
        "read and check the document": lambda: read_flow_json(content),
        "read and check a mapping": lambda: read_flow_json(mapping),
        "build the request": lambda: _operations.update_flow_json(client._api, FLOW_ID, content),
        ENGINE: lambda: client._call(operation),
        "the whole call": lambda: client.update_flow_json(FLOW_ID, content),
    }
    if peer:
        tenacity = import_module("tenacity")
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_exponential(multiplier=5, max=60),
            retry=tenacity.retry_if_exception_type(OSError),
            reraise=True,
        )
        found["tenacity Retrying"] = lambda: retrying(transport.send, request, timeout=timeout)
    return found


def _events(content: bytes) -> dict[str, Callable[[], object]]:
    """The engine's call of one upload, with an increasing number of consumers."""
    from dataclasses import replace

    from whatsapp_flows import FlowsClient, Transport, _operations

    transport = cast("Transport", _InMemory())
    client = FlowsClient("x" * 200, transport=transport)
    operation = _operations.update_flow_json(client._api, FLOW_ID, content)
    silent = client.with_options()
    policy = replace(client._settings.policy, emit=lambda kind, /, **fields: None, has_listeners=False)
    silent._settings = replace(client._settings, policy=policy)
    idle = client.with_options(on_event=lambda event: None)
    found: dict[str, Callable[[], object]] = {
        SILENT: lambda: silent._call(operation),
        UNLISTENED: lambda: client._call(operation),
        "a consumer that does nothing": lambda: idle._call(operation),
    }
    if find_spec("opentelemetry"):
        traced = client.with_options(
            on_event=import_module("whatsapp_flows.contrib.opentelemetry").OpenTelemetryConsumer()
        )
        found["OpenTelemetryConsumer without an SDK"] = lambda: traced._call(operation)
    return found


def _upload(url: str, content: bytes) -> Callable[[], object]:
    from whatsapp_flows import FlowsClient

    client = FlowsClient("x" * 200, base_url=url)
    return lambda: client.update_flow_json(FLOW_ID, content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
