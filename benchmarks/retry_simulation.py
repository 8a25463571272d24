"""
The retry policies, compared in a simulated fleet that uploads while the API fails.

    python benchmarks/retry_simulation.py [--json] [--workers N ...] [--seed S] [--plots FOLDER] [--no-tables]

Method. A discrete-event simulation: a queue of events and a clock that jumps from one to the next. The calls are the
real ones: `_engine.converse` of an upload, the shipped policies, the table of error codes, and for the paced fleet a
real `Pacer`. Meta's behaviour is modelled: it answers after 0.3 to 0.9 s, does not slow down under load, and fails in
one of three ways:

- processing: each upload fails with 139001/4016012 with a probability of 1/2, independently;
- outage: everything is answered with HTTP 503 in the first 10 minutes;
- limit: 200 calls in a rolling hour; the others are refused with 80008 and an estimate of when to come back, and count
  too, as Meta says they do.

All workers begin within one second, as when a deployment starts them, and upload one document each. `attempts` is
`max_attempts` (default 3). The patient configurations have more: in the outage, enough to outlast it,
with waits of up to 120 s (`maximum`); under the limit with a `max_wait` of 2 hours, so that Meta's estimates are
waited for. The paced fleet shares one `Pacer`, of 150 calls an hour and bursts of 50. "origin" is the service that this
library replaces: 5, 10, 20 s, for 139001/4016012 alone. The budget is of 100 retries and regains 5 a second.

`success` is the share of workers that got through; `median_s` and `last_s` are how long those took, from the start of
the fleet; `peak_rps` is the most requests within one second, `retry_peak_rps` the same without first attempts;
`wasted` is the number of requests that were refused, per worker.

Limits. How often Meta fails, and whether failures are independent, is not known; the figures compare policies under the
same conditions.
"""

from __future__ import annotations

import argparse
import gc
import heapq
import itertools
import json
import statistics
import sys
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common
from whatsapp_flows import (
    ERROR_CODES,
    ExponentialBackoff,
    FixedDelays,
    FlowProcessingError,
    FlowsError,
    Jitter,
    NoRetry,
    Pace,
    Pacer,
    Request,
    Response,
    RetryBudget,
    RetryPolicy,
    decorrelated_jitter,
    equal_jitter,
    full_jitter,
)
from whatsapp_flows import _operations as operations
from whatsapp_flows._engine import CallPolicy, Conversation, Reply, Wait, converse
from whatsapp_flows._operations import Api

FLEETS: Final = (10, 100, 1_000, 10_000)
OUTAGE: Final = 600.0
LIMIT: Final = 200
HOUR: Final = 3600.0


# Meta --------------------------------------------------------------------------------------------------------------


def refusal(status: int, code: int, subcode: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    error = {"message": "simulated", "code": code, "error_subcode": subcode}
    return Response(status=status, headers=headers or {}, body=json.dumps({"error": error}).encode())


DONE: Final = Response(status=200, body=common.ANSWER)
PROCESSING: Final = refusal(400, 139001, 4016012)
DOWN: Final = refusal(503, 2)

Meta = Callable[[float], Response]  # the time of a request -> its answer


def processing(rate: float, chance: Callable[[], float]) -> Meta:
    """Fails with a probability."""
    return lambda _: PROCESSING if chance() < rate else DONE


def outage(seconds: float) -> Meta:
    """Fails until a given time."""
    return lambda now: DOWN if now < seconds else DONE


def limit(calls_per_hour: int) -> Meta:
    """Refuses calls over the quota of a rolling hour, counts them too, and returns when the next is allowed."""
    calls: deque[float] = deque()

    def answer(now: float) -> Response:
        calls.append(now)
        while calls[0] <= now - HOUR:
            calls.popleft()
        used = min(len(calls) * 100 // calls_per_hour, 100)
        seconds = calls[-calls_per_hour] + HOUR - now if len(calls) > calls_per_hour else 0.0
        entry = {"call_count": used, "estimated_time_to_regain_access": -(-seconds // 60)}
        headers = {"X-Business-Use-Case-Usage": json.dumps({"1": [entry]})}
        if seconds:
            return refusal(400, 80008, headers=headers)
        return Response(status=200, headers=headers, body=common.ANSWER)

    return answer


# The fleet ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Outcome:
    """The result of a fleet: when each worker succeeded, when each request was sent, how many were refused."""

    workers: int
    successes: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    retries: list[float] = field(default_factory=list)
    refused: int = 0

    def row(self) -> dict[str, Any]:
        """The figures of a table."""
        return {
            "success": len(self.successes) / self.workers,
            "median_s": statistics.median(self.successes) if self.successes else None,
            "last_s": max(self.successes, default=None),
            "peak_rps": peak(self.requests),
            "retry_peak_rps": peak(self.retries),
            "wasted": self.refused / self.workers,
        }


def peak(times: Sequence[float]) -> int:
    """The maximum in one second."""
    return max(Counter(int(at) for at in times).values(), default=0)


class Fleet:
    """Workers, each with one call, on one clock."""

    def __init__(self, workers: int, meta: Meta, random: Random, *, pace: Pace | None = None) -> None:
        self.now = 0.0
        self._meta, self._random = meta, random
        self._pacer = None if pace is None else Pacer(pace, clock=self.clock)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._outcome = Outcome(workers)

    def clock(self) -> float:
        return self.now

    def run(self, policy: RetryPolicy, attempts: int) -> Outcome:
        """Starts all workers, and advances the clock until the last has ended."""
        call_policy = CallPolicy(
            retry_policy=policy,
            max_attempts=attempts,
            error_codes=ERROR_CODES,
            emit=lambda kind, /, **fields: None,
            clock=self.clock,
            has_listeners=False,
        )
        operation = operations.update_flow_json(Api(base_url="https://meta.example", version="v25.0"), "1", b"{}")
        for _ in range(self._outcome.workers):
            worker = Worker(self, converse(operation, call_policy))
            self._at(self._random.random(), worker.begin)
        while self._queue:
            self.now, _, step = heapq.heappop(self._queue)
            step()
        return self._outcome

    def _at(self, time: float, step: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (time, next(self._order), step))

    # Requests of a worker

    def wait(self, seconds: float, worker: Worker) -> None:
        """Wakes the worker after a wait."""
        self._at(self.now + seconds, lambda: worker.go_on(True))

    def send(self, request: Request, worker: Worker) -> None:
        """Answers a request, after its pause if the fleet is paced."""
        try:
            pause = self._pacer.before(request).pause if self._pacer else 0.0
        except FlowsError as error:
            worker.go_on(error)
            return
        self._at(self.now + pause, lambda: self._arrive(worker))

    def ended(self, success: bool) -> None:
        """Records the result of a worker."""
        if success:
            self._outcome.successes.append(self.now)

    def _arrive(self, worker: Worker) -> None:
        self._outcome.requests.append(self.now)
        if worker.requests:
            self._outcome.retries.append(self.now)
        worker.requests += 1
        response = self._meta(self.now)
        self._outcome.refused += response.status != 200
        self._at(self.now + self._random.uniform(0.3, 0.9), lambda: self._deliver(response, worker))

    def _deliver(self, response: Response, worker: Worker) -> None:
        if self._pacer:
            self._pacer.after(response)
        worker.go_on(response)


class Worker:
    """The driver of one call, as in the clients, with a queue of events in place of a socket."""

    def __init__(self, fleet: Fleet, call: Conversation[Any]) -> None:
        self._fleet, self._call = fleet, call
        self.requests = 0

    def begin(self) -> None:
        self.go_on(None)

    def go_on(self, reply: Reply) -> None:
        """Resumes the engine with the result, and passes its next request or wait to the fleet."""
        try:
            step = self._call.send(reply)
        except StopIteration:
            self._fleet.ended(True)
        except FlowsError:
            self._fleet.ended(False)
        else:
            if isinstance(step, Wait):
                self._fleet.wait(step.seconds, self)
            else:
                assert isinstance(step, Request)
                self._fleet.send(step, self)


# What is compared --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contender:
    """A policy by name, the number of attempts, and the pace of the fleet."""

    name: str
    policy: Callable[[Fleet, Random], RetryPolicy]
    attempts: int = 3
    pace: Pace | None = None


def backoff(jitter: Jitter | None = None, *, budget: bool = False, **options: Any) -> Callable[..., RetryPolicy]:
    """Makes an `ExponentialBackoff`, and a `RetryBudget` around it, on the clock of a fleet."""

    def policy(fleet: Fleet, random: Random) -> RetryPolicy:
        inner = ExponentialBackoff(jitter=jitter, chance=random.random, **options)
        return RetryBudget(inner, capacity=100, refill=5, clock=fleet.clock) if budget else inner

    return policy


SHIPPED: Final = (
    Contender("origin", lambda fleet, random: FixedDelays((5, 10, 20), retry_on=FlowProcessingError)),
    Contender("NoRetry", lambda fleet, random: NoRetry(), 1),
    Contender("FixedDelays", lambda fleet, random: FixedDelays((5, 10, 20))),
    Contender("ExponentialBackoff", backoff()),
    Contender("full_jitter", backoff(full_jitter)),
    Contender("equal_jitter", backoff(equal_jitter)),
    Contender("decorrelated_jitter", backoff(decorrelated_jitter)),
    Contender("RetryBudget, full_jitter", backoff(full_jitter, budget=True)),
)
PATIENCE: Final = 2 * HOUR
SLOWLY: Final[Mapping[str, Any]] = {"maximum": 120.0}
SPREAD_OUT: Final = Pace(calls_per_hour=LIMIT - 50, burst=50, slow_from=99, max_pause=1e6)  # never above the limit
PATIENT: Final[Mapping[str, tuple[Contender, ...]]] = {
    "processing": (
        Contender("ExponentialBackoff", backoff(), 5),
        Contender("full_jitter", backoff(full_jitter), 5),
    ),
    "outage": (
        Contender("ExponentialBackoff", backoff(**SLOWLY), 10),
        Contender("equal_jitter", backoff(equal_jitter, **SLOWLY), 13),
        Contender("full_jitter", backoff(full_jitter, **SLOWLY), 20),
        Contender("decorrelated_jitter", backoff(decorrelated_jitter, **SLOWLY), 24),
        Contender("RetryBudget, full_jitter", backoff(full_jitter, budget=True, **SLOWLY), 20),
    ),
    "limit": (
        Contender("ExponentialBackoff", backoff(max_wait=PATIENCE), 6),
        Contender("full_jitter", backoff(full_jitter, max_wait=PATIENCE), 6),
        Contender("RetryBudget, full_jitter", backoff(full_jitter, budget=True, max_wait=PATIENCE), 6),
        Contender("ExponentialBackoff, paced", backoff(), 3, SPREAD_OUT),
    ),
}

SCENARIOS: Final[Mapping[str, Callable[[Random], Meta]]] = {
    "processing": lambda random: processing(0.5, random.random),
    "outage": lambda random: outage(OUTAGE),
    "limit": lambda random: limit(LIMIT),
}


def simulated(scenario: str, contender: Contender, workers: int, seed: int, meta: Meta | None = None) -> Outcome:
    """The result of one fleet; `meta` replaces that of the scenario."""
    random = Random(f"{seed} {scenario} {workers}")  # the same failures for all policies
    fate = meta or SCENARIOS[scenario](Random(random.random()))
    fleet = Fleet(workers, fate, Random(random.random()), pace=contender.pace)
    gc.disable()  # nothing here creates reference cycles
    try:
        return fleet.run(contender.policy(fleet, Random(random.random())), contender.attempts)
    finally:
        gc.enable()


def row(job: tuple[str, int, int, int]) -> dict[str, Any]:
    """One line of a table; a function of plain numbers, because another process may do it."""
    scenario, number, workers, seed = job
    contender = contenders(scenario)[number]
    found = simulated(scenario, contender, workers, seed).row()
    return {"policy": contender.name, "attempts": contender.attempts, **found}


def contenders(scenario: str) -> tuple[Contender, ...]:
    """The shipped policies with their defaults, and those whose waits outlast this scenario."""
    return SHIPPED + PATIENT[scenario]


# The plots ---------------------------------------------------------------------------------------------------------


def draw(folder: Path, *, seed: int, workers: int) -> None:
    """The three plots of docs/retries.md, as SVG, the same bytes in every run."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "whatsapp-flows", "svg.fonttype": "none", "font.size": 9,
                         "font.family": "sans-serif", "axes.spines.top": False, "axes.spines.right": False,
                         "axes.grid": True, "grid.alpha": 0.3, "figure.facecolor": "white"})  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in (("processing", draw_processing), ("outage", draw_outage), ("limit", draw_limit)):
        figure = plot(plt, seed, workers)
        figure.savefig(folder / f"retry_{name}.svg", metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)


def draw_processing(plt: Any, seed: int, workers: int) -> Any:
    """Success by the number of attempts, for three rates of failure."""
    figure, axes = plt.subplots(figsize=(6.4, 2.9))
    attempts = range(1, 9)
    for rate, marker in ((0.2, "o"), (0.5, "s"), (0.8, "^")):
        shares = []
        for most in attempts:
            meta = processing(rate, Random(f"{seed} {rate}").random)
            outcome = simulated("processing", Contender("", backoff(), most), workers, seed, meta)
            shares.append(100 * len(outcome.successes) / workers)
        axes.plot(attempts, shares, marker=marker, label=f"{rate:.0%} of the uploads fail")
    axes.axvline(3, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="max_attempts", ylabel="workers that got through, %", ylim=(0, 103))
    axes.legend(frameon=False, loc="lower right")
    return figure


def draw_outage(plt: Any, seed: int, workers: int) -> Any:
    """Requests in the busiest second of each five, one panel for each policy that outlasts the outage."""
    shown = PATIENT["outage"]
    figure, panels = plt.subplots(len(shown), 1, figsize=(6.4, 6.2), sharex=True, sharey=True)
    for contender, axes in zip(shown, panels, strict=True):
        outcome = simulated("outage", contender, workers, seed)
        seconds = Counter(map(int, outcome.requests))
        axes.axvspan(0, OUTAGE, color="tab:red", alpha=0.08, linewidth=0)
        edges = range(0, 725, 5)
        busiest = [max(seconds[at] for at in range(edge, edge + 5)) for edge in edges[:-1]]
        axes.stairs(busiest, edges, fill=True, baseline=0.5, color="tab:blue")
        success = len(outcome.successes) / workers
        axes.set_title(
            f"{contender.name}, {contender.attempts} attempts: {success:.0%} got through", fontsize=9, loc="left"
        )
        axes.set(yscale="log", ylim=(0.8, 2 * workers), xlim=(0, 720))
    panels[-1].set_xlabel("seconds; the API is down for the first 600")
    figure.supylabel("requests in a second", fontsize=9)
    figure.tight_layout()
    return figure


def draw_limit(plt: Any, seed: int, workers: int) -> Any:
    """Workers that succeeded, over the hours."""
    figure, axes = plt.subplots(figsize=(6.4, 2.9))
    for contender in PATIENT["limit"]:
        if contender.name != "full_jitter":  # as ExponentialBackoff: what Meta asks for is longer than any jitter
            outcome = simulated("limit", contender, workers, seed)
            hours = [number / 20 for number in range(7 * 20 + 1)]
            through = [sum(at <= hour * HOUR for at in outcome.successes) for hour in hours]
            axes.plot(hours, through, label=f"{contender.name}, {contender.attempts} attempts")
    axes.set(xlabel=f"hours, at {LIMIT} calls in each", ylabel=f"of {workers} workers got through", xlim=(0, 7))
    axes.legend(frameon=False, loc="upper left")
    return figure


def main(argv: Sequence[str]) -> int:
    """Simulates and prints; with `--plots`, draws as well."""
    options = argparse.ArgumentParser(description="A fleet that uploads while the API fails.")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options.add_argument("--workers", type=int, nargs="*", default=FLEETS, help="sizes of the fleet (%(default)s)")
    options.add_argument("--seed", type=int, default=1, help="seed of all chance (default: %(default)s)")
    options.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the plots of docs/retries.md there")
    options.add_argument("--no-tables", action="store_true", help="draw only")
    chosen = options.parse_args(argv)
    if not chosen.no_tables:
        jobs = {
            f"{scenario}, {workers} workers": [
                (scenario, number, workers, chosen.seed) for number in range(len(contenders(scenario)))
            ]
            for scenario in SCENARIOS
            for workers in chosen.workers
        }
        with ProcessPoolExecutor() as pool:
            rows = pool.map(row, [job for table in jobs.values() for job in table])
            tables = {title: [next(rows) for _ in table] for title, table in jobs.items()}
        common.report(
            "retry_simulation",
            as_json=chosen.json,
            method={"seed": chosen.seed, "outage_s": OUTAGE, "calls_per_hour": LIMIT, "failure_rate": 0.5},
            versions=common.versions("requests", "urllib3"),
            tables=tables,
            targets=[],
        )
    if chosen.plots:
        draw(chosen.plots, seed=chosen.seed, workers=1_000)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
