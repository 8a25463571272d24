"""
The client-side cost of an upload.

    python benchmarks/upload_overhead.py [--json] [--rounds N] [--blocks K] [--seed S] [--no-peer]

Method. One process sends the same Flow JSON of about 11 kB over one kept connection per contender, in rounds of
shuffled order, to a server on the loopback interface that answers at once. The server runs in its own process, with
TCP_NODELAY, on another core where processes can be pinned. Each contender encodes the form and parses the answer, as
its users do, except the last one:

    requests.Session.post   the obvious code; the base of the ratio
    urllib3                 a PoolManager with `fields=`: the minimum that works below requests
    pywa                    the leading Python client for WhatsApp (on httpx), in its own environment
    FlowsClient             this library; it also checks that the document is JSON, counts attempts and emits events
    requests.Session.send   one prepared request, sent repeatedly: requests without the preparation

Limits. The figures do not include Meta's response time, which is far longer, TLS, DNS, proxies, other threads, or
garbage collection. The contenders do not do exactly the same: pywa sends one more form part, and only FlowsClient
checks the document. Nothing is sent to Meta: each contender connects to 127.0.0.1, without proxy variables.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common

FLOW_ID: Final = "1234567890123456"
VERSION: Final = "v25.0"
TOKEN: Final = "x" * 200  # as long as a system user's token
NAIVE: Final = "requests.Session.post"
OURS: Final = "FlowsClient"


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    options = common.arguments("What an upload of a Flow costs on our side.", rounds=2000, blocks=10, peers=True)
    chosen = options.parse_args(argv)
    if not chosen.no_peer and (done := common.in_own_environment(__file__, argv)) is not None:
        return done
    common.without_proxies()
    content = common.document()
    cores = common.cores()
    if cores:
        common.pin(cores[0])
    with common.loopback_server(cores[1] if cores else None) as url:
        contenders = _contenders(url, content, peer=not chosen.no_peer)
        for name, call in contenders.items():
            if call() is not True:
                raise SystemExit(f"{name} did not get the server's answer.")
        samples = common.measure(contenders, rounds=chosen.rounds, blocks=chosen.blocks, seed=chosen.seed)
    ratios = {name: common.Ratio.of(blocks, samples[NAIVE]) for name, blocks in samples.items()}
    rows = [
        {
            "contender": name,
            "p50_us": common.median(blocks) * 1e6,
            "p90_us": common.percentile([value for block in blocks for value in block], 90) * 1e6,
            **ratios[name].columns(),
        }
        for name, blocks in samples.items()
    ]
    common.report(
        "upload_overhead",
        as_json=chosen.json,
        method={
            "document_bytes": len(content),
            "rounds": chosen.rounds,
            "blocks": min(chosen.blocks, chosen.rounds),
            "seed": chosen.seed,
            "cores": f"contenders on {cores[0]}, server on {cores[1]}" if cores else "not pinned",
            "garbage collection": "between blocks",
        },
        versions=common.versions("requests", "urllib3", *(() if chosen.no_peer else ("pywa", "httpx", "httpcore"))),
        tables={"one upload": rows},
        targets=[common.Target(what=f"{OURS} to {NAIVE}", limit=0.65, value=ratios[OURS].value)],
    )
    return 0


def _contenders(url: str, content: bytes, *, peer: bool) -> dict[str, Callable[[], object]]:
    """Each uploads once, and returns whether the answer reports success."""
    assets = f"{url}/{VERSION}/{FLOW_ID}/assets"
    found = {NAIVE: _naive(assets, content), "urllib3": _urllib3(assets, content)}
    if peer:
        found["pywa"] = _pywa(f"{url}/{VERSION}", content)
    found[OURS] = _ours(url, content)
    found["requests.Session.send"] = _prepared(assets, content)
    return found


def _naive(url: str, content: bytes) -> Callable[[], object]:
    import requests

    session = requests.Session()

    def upload() -> object:
        answer = session.post(
            url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            files={"file": ("flow.json", content, "application/json")},
            data={"name": "flow.json", "asset_type": "FLOW_JSON"},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()["success"]

    return upload


def _urllib3(url: str, content: bytes) -> Callable[[], object]:
    import urllib3

    pool = urllib3.PoolManager()

    def upload() -> object:
        answer = pool.request(
            "POST",
            url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            fields={
                "file": ("flow.json", content, "application/json"),
                "name": "flow.json",
                "asset_type": "FLOW_JSON",
            },
            timeout=30,
            redirect=False,
        )
        if answer.status != 200:
            raise ValueError(answer.status)
        return json.loads(answer.data)["success"]

    return upload


def _pywa(url: str, content: bytes) -> Callable[[], object]:
    # Imported by name: it exists in the benchmark's own environment only.
    httpx, pywa = import_module("httpx"), import_module("pywa")
    session = httpx.Client()  # what pywa makes itself when it is given none
    client = pywa.WhatsApp(token=TOKEN, session=session, api_version=VERSION.removeprefix("v"))
    session.base_url = url  # pywa has just set it to Meta's
    if session.base_url.host != "127.0.0.1":
        raise SystemExit("pywa could not be pointed at the loopback server.")

    def upload() -> object:
        result: Any = client.update_flow_json(FLOW_ID, content)
        return result.success

    return upload


def _ours(url: str, content: bytes) -> Callable[[], object]:
    from whatsapp_flows import FlowsClient

    client = FlowsClient(TOKEN, base_url=url, api_version=VERSION)
    return lambda: client.update_flow_json(FLOW_ID, content).success


def _prepared(url: str, content: bytes) -> Callable[[], object]:
    import requests

    session = requests.Session()
    prepared = session.prepare_request(
        requests.Request(
            "POST",
            url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            files={"file": ("flow.json", content, "application/json")},
            data={"name": "flow.json", "asset_type": "FLOW_JSON"},
        )
    )

    def upload() -> object:
        answer = session.send(prepared, timeout=30)
        answer.raise_for_status()
        return answer.json()["success"]

    return upload


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
