"""
The time and number of requests of a deployment, compared with the minimum.

    python benchmarks/sync.py [--json] [--jobs N] [--flows N] [--many N] [--no-peer] [--no-origin]

Method. An emulator of Meta's API in its own process answers every request after 150 ms. An account is deployed for the
first time, again unchanged, and again with one flow changed; and an account of 5,000 flows unchanged. With 20 %
processing failures, one in five requests that carry a Flow JSON answers 139001/4016012, at random with a seed. Waits
between attempts are shortened to half a second for all contenders.

    engine   plan and apply, `--jobs` flows at once, with a lock file
    bare     the required requests only, sent by as many threads: the limit of the emulator
    origin   list everything, then create, upload and publish one flow after the other, including unchanged ones
    pywa     the leading client in a loop: create with Flow JSON and `publish`, without retries; failures are counted

`least` is the number of required requests: a listing, one for each new flow, two for a changed one, and each failed one
again. `ideal_s` is their time at 150 ms, `--jobs` at once, after the listing. `peak_mb` is the peak memory of the
process up to that point.

Limits. The figures do not include Meta's response time or its rate limit of 200 requests an hour, which would dominate.
How often processing fails at Meta is not known.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common

LATENCY: Final = 0.15
WAIT: Final = 0.5
TOKEN: Final = "token"
PAGE: Final = 100


# The emulator, in a process of its own --------------------------------------------------------------------------------


def serve() -> None:
    """Executes the lines of standard input (`seed N`, `faults SHARE`, `fast`, `count`) and answers each with a line."""
    from whatsapp_flows.emulator import Emulator

    content = common.document()
    with Emulator(keep_requests=100_000, seed=1) as meta:
        print(json.dumps([meta.url, meta.waba_id]), flush=True)
        for line in sys.stdin:
            command, *words = line.split()
            answer: object = None
            if command == "seed":
                for number in range(int(words[0])):
                    meta.add_flow(name_of(number), flow_json=content, status="PUBLISHED")
            elif command == "faults":
                meta.clear_faults()
                for operation in ("create_flow", "update_flow_json") if float(words[0]) else ():
                    meta.fail(operation, code=139001, subcode=4016012, delay=LATENCY, probability=float(words[0]))
                meta.fail(delay=LATENCY)
            elif command == "fast":
                meta.clear_faults()
            elif command == "count":
                failed = sum(request.status == 400 for request in meta.requests)
                answer = [len(meta.requests), failed]
                meta.clear_requests()
            print(json.dumps(answer), flush=True)


@dataclass
class Meta:
    """The client of `serve`."""

    process: subprocess.Popen[str]
    url: str = ""
    waba_id: str = ""

    def ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


@contextmanager
def emulated() -> Iterator[Meta]:
    """An empty account."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        meta = Meta(process)
        meta.url, meta.waba_id = meta.answer()
        try:
            yield meta
        finally:
            assert process.stdin is not None
            process.stdin.close()


def name_of(number: int) -> str:
    """The name of a flow."""
    return f"Flow {number:05}"


# The contenders -------------------------------------------------------------------------------------------------------


def engine(meta: Meta, count: int, jobs: int, lock_file: Path, changed: frozenset[int] = frozenset()) -> int:
    """Plan and apply; the number of flows that failed."""
    from whatsapp_flows import ExponentialBackoff, FlowsClient
    from whatsapp_flows.sync import DesiredFlow, Lock, apply, diff, take_snapshot

    content = common.document()
    other = content.replace(b'"title": "', b'"title": "A ', 1)
    flows = [
        DesiredFlow(
            key=f"f{number}", name=name_of(number), content=other if number in changed else content, publish=True
        )
        for number in range(count)
    ]
    policy = ExponentialBackoff(initial=WAIT, maximum=WAIT)
    with FlowsClient(TOKEN, meta.waba_id, base_url=meta.url, retry_policy=policy, max_attempts=6) as client:
        lock = Lock(lock_file, account_id=meta.waba_id)
        plan = diff(flows, take_snapshot(client, flows, lock, jobs=jobs))
        return sum(not result.ok for result in apply(client, plan, lock=lock, jobs=jobs))


def bare(meta: Meta, count: int, jobs: int) -> int:
    """A listing and a create for each flow, side by side."""
    from whatsapp_flows import FlowsClient

    content = common.document()
    with FlowsClient(TOKEN, meta.waba_id, base_url=meta.url) as client, ThreadPoolExecutor(jobs) as pool:
        list(client.list_flows())
        create = partial(client.create_flow, categories=["OTHER"], flow_json=content, publish=True)
        return sum(not created.success for created in pool.map(create, map(name_of, range(count))))


def origin(meta: Meta, count: int, chosen: frozenset[int] | None = None) -> int:
    """One flow after the other: all of them, changed or not, or those chosen by hand."""
    from whatsapp_flows import FixedDelays, FlowsClient

    content = common.document()
    policy = FixedDelays((WAIT,))
    with FlowsClient(TOKEN, meta.waba_id, base_url=meta.url, retry_policy=policy, max_attempts=6) as client:
        known = {flow.name: flow.id for flow in client.list_flows()}
        for number in range(count) if chosen is None else chosen:
            flow_id = known.get(name_of(number)) or client.create_flow(name_of(number), ["OTHER"]).id
            client.update_flow_json(flow_id, content)
            client.publish_flow(flow_id)
    return 0


def peer(meta: Meta, count: int) -> tuple[float, int]:
    """pywa in its own environment: its seconds, and the flows that failed."""
    command = [str(common._environment()), __file__, "--pywa", meta.url, meta.waba_id, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, failed = json.loads(done.stdout)
    return float(seconds), int(failed)


def pywa(url: str, waba_id: str, count: int) -> None:
    """A plain loop with the leading client; prints its seconds and its failures."""
    httpx, library = import_module("httpx"), import_module("pywa")
    content = common.document().decode()
    session = httpx.Client()
    client = library.WhatsApp(token=TOKEN, session=session, waba_id=waba_id, api_version="25.0")
    session.base_url = f"{url}/v25.0"
    if session.base_url.host != "127.0.0.1":
        raise SystemExit("pywa could not be pointed at the loopback server.")
    failed = 0
    started = time.perf_counter()
    for number in range(count):
        try:
            client.create_flow(name_of(number), ["OTHER"], flow_json=content, publish=True)
        except library.errors.WhatsAppError:
            failed += 1
    print(json.dumps([time.perf_counter() - started, failed]))


# The scenarios --------------------------------------------------------------------------------------------------------


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """The seconds of a call, and its result."""
    started = time.perf_counter()
    failed = work()
    return time.perf_counter() - started, failed


class Bench:
    """Collects the rows."""

    def __init__(self, jobs: int) -> None:
        self.rows: list[common.Record] = []
        self._jobs = jobs

    def add(
        self, scenario: str, contender: str, meta: Meta, took: tuple[float, int], *, listing: int, writes: int,
        chain: int = 1,
    ) -> common.Record:  # fmt: skip
        """A row. `writes` is the minimum number of requests, `chain` how many of them follow one another."""
        seconds, failed_flows = took
        calls, failures = meta.ask("count")
        least = listing + writes + (failures if contender != "pywa" else 0)
        rounds = max(-(-(least - listing) // self._jobs), chain)
        ideal = LATENCY * (listing + (rounds if writes else 0)) + (WAIT if failures and contender != "pywa" else 0.0)
        row: common.Record = {
            "scenario": scenario,
            "contender": contender,
            "seconds": seconds,
            "ideal_s": ideal,
            "calls": calls,
            "least": least,
            "ratio_calls": calls / least,
            "failed_calls": failures,
            "failed_flows": failed_flows,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        self.rows.append(row)
        if sys.stderr.isatty():
            print(f"{scenario}, {contender}: {seconds:.1f} s, {calls} calls", file=sys.stderr, flush=True)
        return row


def measure(options: argparse.Namespace) -> Bench:
    """All scenarios."""
    bench, jobs, count = Bench(options.jobs), options.jobs, options.flows
    pages = -(-count // PAGE)
    for share in (0.0, 0.2):
        title = f"first deploy, {share:.0%} failures"
        with emulated() as meta, tempfile.TemporaryDirectory() as folder:
            lock_file = Path(folder) / "flows.lock.json"
            meta.ask(f"faults {share}")
            took = timed(partial(engine, meta, count, jobs, lock_file))
            bench.add(title, "engine", meta, took, listing=1, writes=count)
            meta.ask("faults 0")
            for scenario, changed in (("unchanged", frozenset()), ("one changed", frozenset({count // 2}))):
                meta.ask(f"faults {share if changed else 0.0}")
                took = timed(partial(engine, meta, count, jobs, lock_file, changed))
                kind = f"{scenario}, {share:.0%} failures"
                bench.add(kind, "engine", meta, took, listing=pages, writes=2 if changed else 0, chain=2)
            if options.origin and not share:
                meta.ask("faults 0")
                took = timed(lambda: origin(meta, count))
                bench.add("unchanged, 0% failures", "origin", meta, took, listing=pages, writes=0)
                took = timed(lambda: origin(meta, count, frozenset({count // 2})))
                bench.add("one changed, 0% failures", "origin", meta, took, listing=pages, writes=2, chain=2)
        if not share:
            with emulated() as meta:
                meta.ask("faults 0")
                bench.add(title, "bare", meta, timed(partial(bare, meta, count, jobs)), listing=1, writes=count)
        if options.origin:
            with emulated() as meta:
                meta.ask(f"faults {share}")
                took = timed(lambda: origin(meta, count))
                bench.add(title, "origin", meta, took, listing=1, writes=count)
        if options.peer:
            with emulated() as meta:
                meta.ask(f"faults {share}")
                bench.add(title, "pywa", meta, peer(meta, count), listing=0, writes=count)
    with emulated() as meta, tempfile.TemporaryDirectory() as folder:
        lock_file = Path(folder) / "flows.lock.json"
        meta.ask(f"seed {options.many}")
        engine(meta, options.many, jobs, lock_file)  # it reads all flows, and writes the lock file
        meta.ask("count")
        meta.ask("faults 0")
        took = timed(lambda: engine(meta, options.many, jobs, lock_file))
        title = f"unchanged, {options.many} flows"
        bench.add(title, "engine", meta, took, listing=-(-options.many // PAGE), writes=0)
    return bench


def main(argv: list[str]) -> int:
    """Measure and report."""
    if argv[:1] == ["--serve"]:
        serve()
        return 0
    if argv[:1] == ["--pywa"]:
        pywa(argv[1], argv[2], int(argv[3]))
        return 0
    parser = argparse.ArgumentParser(description="What a deployment takes.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--jobs", type=int, default=8, help="flows side by side (default: %(default)s)")
    parser.add_argument("--flows", type=int, default=200, help="flows of the account (default: %(default)s)")
    parser.add_argument("--many", type=int, default=5000, help="flows of the large account (default: %(default)s)")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="leave pywa out, and install nothing")
    parser.add_argument("--no-origin", dest="origin", action="store_false", help="leave the origin's algorithm out")
    options = parser.parse_args(argv)
    common.without_proxies()
    import_module("whatsapp_flows.sync")  # work that a program does once is not part of a deployment
    import_module("whatsapp_flows.flow_json").validate({})
    rows = measure(options).rows
    by_name = {(row["scenario"], row["contender"]): row for row in rows}
    first = by_name["first deploy, 0% failures", "engine"]
    targets = [
        common.Target(what="first deploy: calls / least", limit=1.05, value=first["ratio_calls"]),
        common.Target(what="first deploy: seconds / ideal", limit=1 / 0.9, value=first["seconds"] / first["ideal_s"]),
        common.Target(
            what="first deploy: seconds / bare", limit=1 / 0.9,
            value=first["seconds"] / by_name["first deploy, 0% failures", "bare"]["seconds"],
        ),
        common.Target(
            what="unchanged: calls", limit=max(2.0, float(-(-options.flows // PAGE))),
            value=float(by_name["unchanged, 0% failures", "engine"]["calls"]),
        ),
    ]  # fmt: skip
    common.report(
        "sync",
        as_json=options.json,
        method={"jobs": options.jobs, "latency_s": LATENCY, "wait_s": WAIT, "document_bytes": len(common.document())},
        versions=common.versions("requests", "urllib3"),
        tables={"deployments": rows},
        targets=targets,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
