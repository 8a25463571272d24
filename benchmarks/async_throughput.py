"""
Uploads per second in one event loop, sequential and concurrent.

    python benchmarks/async_throughput.py [--json] [--rounds N] [--blocks K] [--seed S] [--no-peer]
                                           [--in-flight N ...]

Method. One process, one event loop. As many tasks as the table states share one client and upload the same Flow JSON of
about 11 kB, one upload after the other, to a server on the loopback interface that answers at once. The time of the
whole wave is measured and divided by the number of uploads. The contenders take turns, in rounds of shuffled order. The
server runs in its own process, on another core where processes can be pinned. Every client has its defaults (all limit
connections to 100), except that the timeout of pywa's httpx is a minute instead of 5 s, because 256 concurrent tasks
may wait longer than that for a connection:

    aiohttp.ClientSession   the obvious code on aiohttp: a FormData, and the answer's JSON
    pywa_async              the leading Python client for WhatsApp (on httpx), in its own environment; the base
    AsyncFlowsClient        this library, on aiohttp

Limits. The figures do not include Meta's response time, which is far longer, Meta's rate limit, TLS, DNS or proxies.
The contenders do not do exactly the same: AsyncFlowsClient also checks that the document is JSON, counts attempts,
emits events, and checks a kept connection before it uses it. Under load, the server, also in Python, is part of the
measurement. Nothing is sent to Meta: each contender connects to 127.0.0.1, without proxy variables.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common

FLOW_ID: Final = "1234567890123456"
VERSION: Final = "v25.0"
TOKEN: Final = "x" * 200  # as long as a system user's token
RAW: Final = "aiohttp.ClientSession"
PEER: Final = "pywa_async"
OURS: Final = "AsyncFlowsClient"
IN_FLIGHT: Final = (1, 32, 256)
IN_A_WAVE: Final = 16  # uploads at least, so that a wave is long enough to be timed

Upload = Callable[[], Awaitable[object]]


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    options = common.arguments("How many uploads an event loop gets through.", rounds=24, blocks=6, peers=True)
    options.add_argument(
        "--in-flight", type=int, nargs="+", default=IN_FLIGHT, help="uploads at once (default: 1 32 256)"
    )
    chosen = options.parse_args(argv)
    if not chosen.no_peer and (done := common.in_own_environment(__file__, argv)) is not None:
        return done
    common.without_proxies()
    content = common.document()
    cores = common.cores()
    if cores:
        common.pin(cores[0])
    with common.loopback_server(cores[1] if cores else None) as url:
        samples = _measured(url, content, chosen)
    base = RAW if chosen.no_peer else PEER
    ratios = {
        number: {name: common.Ratio.of(blocks, waves[base]) for name, blocks in waves.items()}
        for number, waves in samples.items()
    }
    rows = [
        {
            "contender": name,
            "in_flight": number,
            "p50_us": common.median(blocks) * 1e6 / _size(number),
            "uploads_per_s": _size(number) / common.median(blocks),
            **ratios[number][name].columns(),
        }
        for number, waves in samples.items()
        for name, blocks in waves.items()
    ]
    limits = {} if chosen.no_peer else {1: 1 / 2, 32: 1 / 5}
    common.report(
        "async_throughput",
        as_json=chosen.json,
        method={
            "document_bytes": len(content),
            "rounds": chosen.rounds,
            "blocks": min(chosen.blocks, chosen.rounds),
            "seed": chosen.seed,
            "cores": f"contenders on {cores[0]}, server on {cores[1]}" if cores else "not pinned",
            "garbage collection": "between blocks",
        },
        versions=common.versions(
            "aiohttp", "requests", "urllib3", *(() if chosen.no_peer else ("pywa", "httpx", "httpcore"))
        ),
        tables={"one upload": rows},
        targets=[
            common.Target(what=f"{OURS} to {PEER}, {number} in flight", limit=limit, value=ratios[number][OURS].value)
            for number, limit in limits.items()
            if number in ratios
        ],
    )
    return 0


def _measured(url: str, content: bytes, chosen: Any) -> dict[int, common.Samples]:
    """The seconds of every wave, by the number of uploads in flight, contender and block."""
    loop = asyncio.new_event_loop()
    open_clients = AsyncExitStack()
    try:
        contenders = loop.run_until_complete(_contenders(open_clients, url, content, peer=not chosen.no_peer))
        return {
            number: common.measure(
                {name: _wave(loop, upload, number) for name, upload in contenders.items()},
                rounds=chosen.rounds,
                blocks=chosen.blocks,
                seed=chosen.seed,
                warm_up=3,
            )
            for number in chosen.in_flight
        }
    finally:
        loop.run_until_complete(open_clients.aclose())
        loop.close()


def _size(in_flight: int) -> int:
    """The uploads of a wave: at least two for each task, but for a single one, which makes them all."""
    return max(2 * in_flight, IN_A_WAVE)


def _wave(loop: asyncio.AbstractEventLoop, upload: Upload, in_flight: int) -> Callable[[], object]:
    each = range(_size(in_flight) // in_flight)

    async def task() -> None:
        for _ in each:
            await upload()

    async def wave() -> None:
        await asyncio.gather(*(task() for _ in range(in_flight)))

    return lambda: loop.run_until_complete(wave())


async def _contenders(open_clients: AsyncExitStack, url: str, content: bytes, *, peer: bool) -> dict[str, Upload]:
    """Each uploads once, and returns whether the answer reports success."""
    found = {RAW: await _raw(open_clients, f"{url}/{VERSION}/{FLOW_ID}/assets", content)}
    if peer:
        found[PEER] = await _pywa(open_clients, f"{url}/{VERSION}", content)
    found[OURS] = await _ours(open_clients, url, content)
    for name, upload in found.items():
        if await upload() is not True:
            raise SystemExit(f"{name} did not get the server's answer.")
    return found


async def _raw(open_clients: AsyncExitStack, url: str, content: bytes) -> Upload:
    import aiohttp

    session = await open_clients.enter_async_context(aiohttp.ClientSession())
    timeout = aiohttp.ClientTimeout(total=30)

    async def upload() -> object:
        form = aiohttp.FormData()
        form.add_field("file", content, filename="flow.json", content_type="application/json")
        form.add_field("name", "flow.json")
        form.add_field("asset_type", "FLOW_JSON")
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with session.post(url, data=form, headers=headers, timeout=timeout) as answer:
            answer.raise_for_status()
            return (await answer.json())["success"]

    return upload


async def _pywa(open_clients: AsyncExitStack, url: str, content: bytes) -> Upload:
    # Imported by name: it exists in the benchmark's own environment only.
    httpx, pywa = import_module("httpx"), import_module("pywa_async")
    # What pywa makes when it is given none, but for the time-out: 5 s for a connection of the pool may be too few.
    session = await open_clients.enter_async_context(httpx.AsyncClient(timeout=60))
    client = pywa.WhatsApp(token=TOKEN, session=session, api_version=VERSION.removeprefix("v"))
    session.base_url = url  # pywa has just set it to Meta's
    if session.base_url.host != "127.0.0.1":
        raise SystemExit("pywa could not be pointed at the loopback server.")

    async def upload() -> object:
        result: Any = await client.update_flow_json(FLOW_ID, content)
        return result.success

    return upload


async def _ours(open_clients: AsyncExitStack, url: str, content: bytes) -> Upload:
    from whatsapp_flows import AsyncFlowsClient

    client = await open_clients.enter_async_context(AsyncFlowsClient(TOKEN, base_url=url, api_version=VERSION))

    async def upload() -> object:
        return (await client.update_flow_json(FLOW_ID, content)).success

    return upload


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
