"""
What the benchmarks share: the document, the loopback server, the peers' environment, the clock, the table.

How everything here is measured:

- The contenders take turns inside one process, in an order shuffled anew for each round, so that a slow second of the
  machine falls on all of them.
- The garbage collector runs between blocks and not inside them: what a call leaves behind for it is not counted.
- The rounds are cut into blocks, and each block gives a ratio of two medians. The median of these is the ratio, so that
  a machine which changes its pace does not bend it; beside it stand the lowest and the highest, which is the noise.

Only figures of one run on one machine may be compared with each other.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from random import Random
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
ENVIRONMENT: Final = ROOT / ".cache" / "bench-venv"

# The other clients, in the versions that were measured; the project does not depend on them.
PEERS: Final = (
    "pywa[cryptography]==4.5.0",
    "tenacity==9.2.1",
    "jsonschema==4.26.0",
    "fastjsonschema==2.22.3",
    "jsonschema-rs==0.61.0",
)

# What this project uses itself, in the versions that are installed where the benchmark was started.
_OWN: Final = ("requests", "urllib3", "typing-extensions", "aiohttp", "cryptography")

Contenders = Mapping[str, Callable[[], object]]
Samples = dict[str, list[list[float]]]  # contender -> block -> seconds of each call
Record = dict[str, Any]


# The command line and the environment ------------------------------------------------------------------------------


def arguments(description: str, *, rounds: int, blocks: int, peers: bool) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--rounds", type=_count, default=rounds, help="rounds in all (default: %(default)s)")
    parser.add_argument("--blocks", type=_count, default=blocks, help="blocks of rounds (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the order of each round (default: %(default)s)")
    if peers:
        parser.add_argument("--no-peer", action="store_true", help="leave the other libraries out, and install nothing")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def in_own_environment(script: str, argv: Sequence[str]) -> int | None:
    """
    Runs `script` again with the interpreter of the benchmarks' own environment; None when this is that interpreter.

    The environment is made on first use, from `PEERS` and from the same packages below the project as here, and kept
    in `.cache/bench-venv`. The project itself is always imported from its source.
    """
    if Path(sys.prefix).resolve() == ENVIRONMENT.resolve():
        return None
    return subprocess.run([str(_environment()), script, *argv], check=False).returncode


def _environment() -> Path:
    """The interpreter of the benchmarks' own environment, which is rebuilt when its requirements change."""
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = ENVIRONMENT / "made-from.json"
    same = [f"{name}=={metadata.version(name)}" for name in _OWN]
    made_from = json.dumps({"python": sys.version, "base": sys.base_prefix, "requirements": [*PEERS, *same]})
    if python.exists() and stamp.exists() and stamp.read_text() == made_from:
        return python
    _note(f"Installing {', '.join(PEERS)} into {ENVIRONMENT.relative_to(ROOT)}; later runs find it there.")
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    venv.create(ENVIRONMENT, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", *PEERS, *same]
    if subprocess.run(install, stdout=sys.stderr, check=False).returncode != 0:
        raise SystemExit("The other libraries could not be installed; --no-peer measures without them.")
    stamp.write_text(made_from)
    return python


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def versions(*distributions: str) -> dict[str, str]:
    """What was measured: Python, the project, and the installed distributions of those names."""
    from whatsapp_flows import __version__

    found = {"python": platform.python_version(), "whatsapp-flows-sdk": __version__}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def without_proxies() -> None:
    """Removes the proxy variables of this process: no request may leave the machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]


def document() -> bytes:
    """A Flow JSON of about 11 kB: the largest example, indented by one blank, with its second screen once more."""
    flow = json.loads((ROOT / "examples" / "flows" / "solar_installation.json").read_bytes())
    flow["screens"].insert(1, {**flow["screens"][1], "id": f"{flow['screens'][1]['id']}_AGAIN"})
    return json.dumps(flow, indent=1, ensure_ascii=False).encode()


# The cores ---------------------------------------------------------------------------------------------------------


def cores() -> tuple[int, int] | None:
    """One core for the contenders and another for the server; None where a process cannot be pinned to one."""
    if sys.platform != "linux":
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[-1]) if len(allowed) > 1 else None


def pin(core: int) -> None:
    """Keeps this process, and those it starts, on one core."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {core})


# The server --------------------------------------------------------------------------------------------------------

ANSWER: Final = b'{"success":true,"validation_errors":[]}'
_HEAD: Final = (
    b"HTTP/1.1 200 OK",
    b"Content-Type: application/json; charset=UTF-8",
    b"Vary: Accept-Encoding",
    b"facebook-api-version: v25.0",
    b"x-fb-request-id: AbCdEfGhIjKlMnOpQrStUvW",
    b"x-fb-trace-id: AbCdEfGhIjK",
    b"Cache-Control: no-store",
    b"Pragma: no-cache",
    b"Date: Mon, 05 Jan 2026 12:00:00 GMT",
    b"Connection: keep-alive",
    b"Content-Length: %d" % len(ANSWER),
)
_WHOLE: Final = b"\r\n".join((*_HEAD, b"", ANSWER))


@contextmanager
def loopback_server(core: int | None) -> Iterator[str]:
    """The URL of a server in a process of its own, on that core, which takes any request and answers at once."""
    command = [sys.executable, "-I", __file__, *([] if core is None else [str(core)])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()  # which ends it


def _serve(core: int | None) -> None:
    """Serves until standard input ends, which it also does when the parent is gone."""
    if core is not None:
        pin(core)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                piece = connection.recv(65536)
                if not piece:
                    return
                waiting += piece
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            while len(waiting) < length:
                piece = connection.recv(65536)
                if not piece:
                    return
                waiting += piece
            waiting = waiting[length:]
            connection.sendall(_WHOLE)


# The clock ---------------------------------------------------------------------------------------------------------


def measure(
    contenders: Contenders, *, rounds: int, blocks: int, seed: int, batch: int = 1, warm_up: int = 30
) -> Samples:
    """
    The seconds of every call, by contender and block.

    With `batch`, a sample is the mean of so many calls in a row, for what is too quick to be timed alone; it then
    includes some 30 ns of the loop.
    """
    for call in contenders.values():
        for _ in range(min(warm_up, rounds) * batch):
            call()
    order = list(contenders.items())
    shuffle = Random(seed).shuffle
    samples: Samples = {name: [] for name in contenders}
    repeat = range(batch)
    clock = time.perf_counter
    for size in _sizes(rounds, blocks):
        block: dict[str, list[float]] = {name: [] for name in contenders}
        with _no_garbage_collection():
            for _ in range(size):
                shuffle(order)
                for name, call in order:
                    started = clock()
                    for _ in repeat:
                        call()
                    block[name].append((clock() - started) / batch)
        for name, seconds in block.items():
            samples[name].append(seconds)
    return samples


def _sizes(rounds: int, blocks: int) -> list[int]:
    blocks = min(blocks, rounds)
    return [rounds // blocks + (number < rounds % blocks) for number in range(blocks)]


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def percentile(seconds: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed (nearest rank)."""
    ordered = sorted(seconds)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def median(blocks: Iterable[Sequence[float]]) -> float:
    """The median over all blocks."""
    return statistics.median([value for block in blocks for value in block])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The ratio of two medians: the median of the blocks', the lowest and the highest."""

    value: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, blocks: Sequence[Sequence[float]], base: Sequence[Sequence[float]]) -> Ratio:
        """Of what was measured in the same blocks."""
        single = [
            statistics.median(mine) / statistics.median(theirs) for mine, theirs in zip(blocks, base, strict=True)
        ]
        return cls(value=statistics.median(single), lowest=min(single), highest=max(single))

    def columns(self) -> Record:
        """Its three columns of a table."""
        return {"ratio": self.value, "ratio_min": self.lowest, "ratio_max": self.highest}


# What is printed ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target of the project, and the result of this run."""

    what: str
    limit: float
    value: float

    def record(self) -> Record:
        """As a row of a table."""
        return {
            "what": self.what,
            "limit": self.limit,
            "value": self.value,
            "reached": "yes" if self.value <= self.limit else "NO",
        }


def report(
    benchmark: str,
    *,
    as_json: bool,
    method: Record,
    versions: Mapping[str, str],
    tables: Mapping[str, Sequence[Record]],
    targets: Sequence[Target],
) -> None:
    """Prints one benchmark: as text, or the same as one JSON object."""
    goals = [target.record() for target in targets]
    if as_json:
        found = {"benchmark": benchmark, "method": method, "versions": versions, "tables": tables, "targets": goals}
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    print(benchmark)
    for title, facts in (("method", method), ("versions", versions)):
        print(f"\n{title}: " + ", ".join(f"{name} {_shown(name, value)}" for name, value in facts.items()))
    for title, rows in {**tables, "targets": goals}.items():
        print(f"\n{title}\n{table(rows)}")


def table(rows: Sequence[Record]) -> str:
    """Rows with the same keys as aligned text: words to the left, numbers to the right."""
    if not rows:
        return "  (nothing)"
    names = list(rows[0])
    cells = [names, *([_shown(name, row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = [isinstance(rows[0][name], str) for name in names]
    return "\n".join(
        "  "
        + "  ".join(
            cell.ljust(width) if words else cell.rjust(width)
            for cell, width, words in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in cells
    )


def _shown(name: str, value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}" if name.startswith("ratio") else f"{value:.2f}" if abs(value) < 20 else f"{value:.1f}"
    return str(value)


if __name__ == "__main__":
    _serve(int(sys.argv[1]) if len(sys.argv) > 1 else None)
