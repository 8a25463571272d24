"""
The cost of answering a Flow's request.

    python benchmarks/endpoint.py [--json] [--rounds N] [--blocks K] [--seed S] [--no-peer] [--meta-example DIR]

Method. One process answers the same signed request again and again, in rounds of shuffled order, without a network. A
request is what the client of a Flow sends from a screen with three fields; the handler returns the next screen, with
three fields and a list of three items, and the endpoint checks it against the Flow JSON. `ratio` is relative to the
bare RSA decryption of the request's AES key with a private key that is parsed already, which nobody can do without.

    bare RSA decryption     cryptography's RSAPrivateKey.decrypt; the base of the ratio
    FlowEndpoint.receive    this library: signature, JSON, RSA, AES-GCM, handler, the answer's check, JSON, AES-GCM
    without time limit      the same with time_limit=None: the handler runs in the thread of the caller
    pywa                    the leading Python client for WhatsApp, in its own environment: its flow handler, which
                            is given the parsed envelope, verifies no signature and checks no answer

A megabyte: the same with form data of 1 MB in 10,000 values, and with an answer of 1 MB in 5,000 items. Here the base
is what nobody can do without: base64, HMAC, JSON and AES-GCM as single calls, without RSA and without a check.

Through asyncio: `areceive` with an asynchronous handler, and the ASGI application around it, both in one event loop.
Requests a second: processes on their own cores, each with `receive` in a loop for two seconds.

Refusals: how long an answer of 421 takes after a wrong RSA padding, another key, and a wrong tag, which must not be
told apart.

With --meta-example, the functions of Meta's Node example (a checkout of `examples/endpoint/nodejs/basic` from
WhatsApp-Flows-Tools, which is not part of this project) are measured in a Node process after the rounds: JSON.parse,
HMAC, decryptRequest, getNextScreen, encryptResponse, without its HTTP server. Its ratio is to Node's own RSA
decryption. It parses the private key with each request.

Limits. The handlers do nothing: a real one reads a database. The figures do not include TLS, HTTP parsing or a web
framework, except for the ASGI application, which is called without a server. Other threads would compete for the
interpreter: the RSA decryption holds it. The contenders do not do the same, as the list says.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import shutil
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common

APP_SECRET: Final = "0123456789abcdef0123456789abcdef"
TOKEN: Final = "AGsQm6LjaOxSywZl_-1i7i9qsOCwa4gMl6kAw3alHEDQMZTA50wQvjvMGddtbbqGq4iyZp8"
BARE: Final = "bare RSA decryption"
OURS: Final = "FlowEndpoint.receive"
UNLIMITED: Final = "without time limit"
PARTS: Final = "the parts alone"
SECONDS: Final = 2.0  # of each process that counts its requests
MANY: Final = 10_000  # values of the form data of 1 MB
ITEMS: Final = 5_000  # of the answer of 1 MB

_ITEM: Final = {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}}
_LIST: Final = {"type": "array", "items": _ITEM, "__example__": []}
FLOW: Final[dict[str, Any]] = {
    "version": "7.3",
    "data_api_version": "4.0",
    "routing_model": {"CHOOSE": ["DETAILS"], "DETAILS": []},
    "screens": [
        {"id": "CHOOSE", "title": "Choose", "data": {}, "layout": {"type": "SingleColumnLayout", "children": []}},
        {
            "id": "DETAILS",
            "title": "Details",
            "terminal": True,
            "data": {
                "name": {"type": "string", "__example__": "x"},
                "price": {"type": "number", "__example__": 1},
                "open": {"type": "boolean", "__example__": True},
                "slots": _LIST,
            },
            "layout": {
                "type": "SingleColumnLayout",
                "children": [
                    {"type": "RadioButtonsGroup", "name": "s", "label": "When", "data-source": "${data.slots}"}
                ],
            },
        },
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request as it arrives, its answer, and the keys to make it."""

    private_pem: str
    body: bytes
    headers: Mapping[str, str]
    answer: Mapping[str, Any]


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    options = common.arguments("What answering a Flow's request costs.", rounds=1000, blocks=10, peers=True)
    options.add_argument("--meta-example", type=Path, metavar="DIR", help="a checkout of Meta's basic Node example")
    options.add_argument("--count-on", type=int, metavar="CORE", help="(used by the benchmark itself)")
    chosen = options.parse_args(argv)
    if not chosen.no_peer and (done := common.in_own_environment(__file__, argv)) is not None:
        return done
    if chosen.count_on is not None:
        return _count(chosen.count_on)
    cores = common.cores()
    if cores:
        common.pin(cores[0])
    small = _case(_form(3), _slots(3))
    samples = _measured(_small(small, peer=not chosen.no_peer), chosen)
    large = {"1 MB in": _case(_form(MANY), _slots(3)), "1 MB out": _case(_form(3), _slots(ITEMS))}
    tables = {
        "a small request": _rows(samples, BARE),
        "a megabyte": [],
        "through asyncio, small request": _asyncio(small, chosen),
        "refusals": _refusals(small, chosen),
        "requests a second": _throughput(cores),
    }
    targets = [common.Target(what=f"{OURS} to {BARE}", limit=1.25, value=_ratio(samples, OURS, BARE))]
    if not chosen.no_peer:
        targets.append(common.Target(what=f"{OURS} to pywa", limit=1.0, value=_ratio(samples, OURS, "pywa")))
    for name, case in large.items():
        found = _measured({PARTS: _parts(case), OURS: _ours(case)}, chosen, share=20)
        tables["a megabyte"] += [{"case": name, **row} for row in _rows(found, PARTS)]
        targets.append(common.Target(what=f"{name}, {OURS} to {PARTS}", limit=1.2, value=_ratio(found, OURS, PARTS)))
    added = tables["through asyncio, small request"][-1]["over_areceive_us"] / 1000
    targets.append(common.Target(what="what the ASGI application adds, ms", limit=0.1, value=added))
    if node := _meta_example(chosen.meta_example, small):
        tables["Meta's Node example, small request"] = node
    common.report(
        "endpoint",
        as_json=chosen.json,
        method={
            "request_bytes": len(small.body),
            "large_request_bytes": len(large["1 MB in"].body),
            "large_answer_bytes": len(json.dumps(large["1 MB out"].answer)),
            "rounds": chosen.rounds,
            "blocks": min(chosen.blocks, chosen.rounds),
            "seed": chosen.seed,
            "cores": f"pinned to {cores[0]}" if cores else "not pinned",
            "garbage collection": "between blocks",
        },
        versions=common.versions("cryptography", "requests", "urllib3", *(() if chosen.no_peer else ("pywa",))),
        tables=tables,
        targets=targets,
    )
    return 0


# What is measured --------------------------------------------------------------------------------------------------


def _form(values: int) -> dict[str, str]:
    return {
        f"field_{number}": f"what somebody has entered, and some more: {number} {'x' * 32}" for number in range(values)
    }


def _slots(items: int) -> dict[str, Any]:
    title = "At nine o'clock in the morning, with the second person at the desk, and a long text that says all of it. "
    slots = [{"id": str(number), "title": f"{title}{'x' * 60} {number}"} for number in range(items)]
    return {"name": "North", "price": 9.5, "open": True, "slots": slots}


_PAIR: list[tuple[str, str]] = []


def _key_pair() -> tuple[str, str]:
    """Private and public PEM, made once."""
    from whatsapp_flows.endpoint import generate_key_pair

    if not _PAIR:
        pair = generate_key_pair()
        _PAIR.append((pair.private_pem.reveal(), pair.public_pem))
    return _PAIR[0]


def _case(form: Mapping[str, str], data: Mapping[str, Any]) -> Case:
    from whatsapp_flows import Secret
    from whatsapp_flows._flow_crypto import read_public_key, seal_request
    from whatsapp_flows.signatures import sign

    private, public = _key_pair()
    request = {"version": "4.0", "action": "data_exchange", "screen": "CHOOSE", "data": form, "flow_token": TOKEN}
    body, _ = seal_request(read_public_key(Secret(public)), json.dumps(request, separators=(",", ":")).encode())
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(body, APP_SECRET)}
    return Case(private_pem=private, body=body, headers=headers, answer={"screen": "DETAILS", "data": dict(data)})


def _endpoint(case: Case, **options: Any) -> Any:
    from whatsapp_flows.endpoint import FlowEndpoint, PrivateKeys

    return FlowEndpoint(PrivateKeys(case.private_pem), app_secrets=APP_SECRET, flow=FLOW, checks="raise", **options)


def _ours(case: Case, **options: Any) -> Callable[[], object]:
    endpoint = _endpoint(case, **options)
    data = case.answer["data"]

    @endpoint.data_exchange("CHOOSE")  # type: ignore[untyped-decorator]
    def chosen(request: Any) -> Any:
        return request.show("DETAILS", **data)

    def receive() -> object:
        return endpoint.receive(case.body, case.headers).status

    return _answering(receive)


def _answering(call: Callable[[], object]) -> Callable[[], object]:
    if call() != 200:
        raise SystemExit("A contender did not answer the request with 200.")
    return call


def _small(case: Case, *, peer: bool) -> dict[str, Callable[[], object]]:
    found = {BARE: _bare(case), OURS: _ours(case), UNLIMITED: _ours(case, time_limit=None)}
    return {**found, "pywa": _pywa(case)} if peer else found


def _bare(case: Case) -> Callable[[], object]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(case.private_pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    wrapped = b64decode(json.loads(case.body)["encrypted_aes_key"])
    padding = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return lambda: key.decrypt(wrapped, padding)


def _parts(case: Case) -> Callable[[], object]:
    """The least that a megabyte costs: each step as one call, with the AES key at hand."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = AESGCM(_bare(case)())  # type: ignore[arg-type]
    secret = APP_SECRET.encode()

    def answer() -> object:
        hmac.digest(secret, case.body, "sha256")
        envelope = json.loads(case.body)
        vector = b64decode(envelope["initial_vector"])
        json.loads(key.decrypt(vector, b64decode(envelope["encrypted_flow_data"]), None))
        text = json.dumps(case.answer, separators=(",", ":"), ensure_ascii=False).encode()
        return b64encode(key.encrypt(bytes(byte ^ 255 for byte in vector), text, None))

    return answer


def _pywa(case: Case) -> Callable[[], object]:
    # Imported by name: it exists in the benchmark's own environment only.
    pywa, flows = import_module("pywa"), import_module("pywa.types.flows")
    client = pywa.WhatsApp(token="x", phone_id="1", server=None, business_private_key=case.private_pem)

    def chosen(_: Any, request: Any) -> Any:
        return flows.FlowResponse(version=request.version, **case.answer)

    handler = client.get_flow_request_handler("/flow", chosen)
    envelope = json.loads(case.body)
    return _answering(lambda: handler.handle(envelope)[1])


def _measured(contenders: Mapping[str, Callable[[], object]], chosen: Any, *, share: int = 1) -> common.Samples:
    """`share`: a large case takes so many times as long, and has fewer rounds."""
    rounds = max(chosen.rounds // share, min(chosen.rounds, chosen.blocks))
    return common.measure(contenders, rounds=rounds, blocks=chosen.blocks, seed=chosen.seed)


def _ratio(samples: common.Samples, name: str, base: str) -> float:
    return common.Ratio.of(samples[name], samples[base]).value


def _rows(samples: common.Samples, base: str) -> list[common.Record]:
    return [
        {
            "contender": name,
            "p50_us": common.median(blocks) * 1e6,
            "p90_us": common.percentile([value for block in blocks for value in block], 90) * 1e6,
            **common.Ratio.of(blocks, samples[base]).columns(),
        }
        for name, blocks in samples.items()
    ]


# Through asyncio ---------------------------------------------------------------------------------------------------


def _asyncio(case: Case, chosen: Any) -> list[common.Record]:
    from whatsapp_flows.contrib import asgi

    endpoint = _endpoint(case)

    @endpoint.data_exchange("CHOOSE")  # type: ignore[untyped-decorator]
    async def handle(request: Any) -> Any:
        return request.show("DETAILS", **case.answer["data"])

    application = asgi.app(endpoint)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in case.headers.items()],
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": case.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def through_asgi() -> object:
        sent.clear()
        await application(scope, receive, send)
        return sent[0]["status"]

    async def alone() -> object:
        return (await endpoint.areceive(case.body, case.headers)).status

    loop = asyncio.new_event_loop()
    contenders = {
        "FlowEndpoint.areceive": _answering(lambda: loop.run_until_complete(alone())),
        "the ASGI application": _answering(lambda: loop.run_until_complete(through_asgi())),
    }
    samples = _measured(contenders, chosen)
    loop.close()
    base = samples["FlowEndpoint.areceive"]
    return [
        {**row, "over_areceive_us": (common.median(samples[row["contender"]]) - common.median(base)) * 1e6}
        for row in _rows(samples, "FlowEndpoint.areceive")
    ]


# Refusals ----------------------------------------------------------------------------------------------------------


def _refusals(case: Case, chosen: Any) -> list[common.Record]:
    from whatsapp_flows.endpoint import generate_key_pair
    from whatsapp_flows.signatures import sign

    good = json.loads(case.body)
    key, data = (bytearray(b64decode(good[name])) for name in ("encrypted_aes_key", "encrypted_flow_data"))
    key[100] ^= 1
    data[-1] ^= 1
    other = generate_key_pair().private_pem.reveal()
    endpoint, foreign = _endpoint(case), _endpoint(Case(private_pem=other, body=b"", headers={}, answer={}))

    def refused(by: Any, **changes: str) -> Callable[[], object]:
        body = json.dumps({**good, **changes}).encode()
        headers = {**case.headers, "X-Hub-Signature-256": sign(body, APP_SECRET)}
        if by.receive(body, headers).status != 421:
            raise SystemExit("A request that cannot be decrypted was not answered with 421.")
        return lambda: by.receive(body, headers)

    contenders = {
        "a wrong tag": refused(endpoint, encrypted_flow_data=b64encode(data).decode()),
        "a wrong padding": refused(endpoint, encrypted_aes_key=b64encode(key).decode()),
        "another key": refused(foreign),
    }
    return _rows(_measured(contenders, chosen), "a wrong tag")


# Requests a second -------------------------------------------------------------------------------------------------


def _throughput(cores: tuple[int, int] | None) -> list[common.Record]:
    """Processes that count how many requests they answer in the same two seconds."""
    if cores is None:
        return []
    found = []
    for chosen in ((cores[0],), cores):
        command = [sys.executable, __file__, "--no-peer", "--count-on"]
        started = [
            subprocess.Popen([*command, str(core)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for core in chosen
        ]
        for process in started:
            process.stdout.readline()  # type: ignore[union-attr]  # it is ready
        for process in started:
            process.stdin.close()  # type: ignore[union-attr]  # which begins the count
        counts = [int(process.stdout.read()) for process in started]  # type: ignore[union-attr]
        for process in started:
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]
        found.append({"processes": f"{len(chosen)}, each on its own core", "requests_per_s": sum(counts) / SECONDS})
    return found


def _count(core: int) -> int:
    common.pin(core)
    receive = _ours(_case(_form(3), _slots(3)))
    print("ready", flush=True)
    sys.stdin.read()
    until, count = time.perf_counter() + SECONDS, 0
    while time.perf_counter() < until:
        receive()
        count += 1
    print(count)
    return 0


# Meta's example ----------------------------------------------------------------------------------------------------


def _meta_example(folder: Path | None, case: Case) -> list[common.Record]:
    """Meta's functions in Node; nothing without Node or the checkout."""
    node = shutil.which("node")
    if folder is None or node is None:
        return []
    script = Path(__file__).with_name("_meta_example.mjs")
    request = {
        "body": case.body.decode(),
        "signature": case.headers["X-Hub-Signature-256"],
        "secret": APP_SECRET,
        "pem": case.private_pem,
        "rounds": 500,
    }
    done = subprocess.run([node, str(script), str(folder.resolve())], input=json.dumps(request), capture_output=True,
                          text=True, check=True)  # fmt: skip
    found = json.loads(done.stdout)
    return [{"contender": name, "p50_us": micros, "ratio": micros / found[BARE]} for name, micros in found.items()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
