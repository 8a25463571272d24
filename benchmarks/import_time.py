"""
The cost of importing the library.

    python benchmarks/import_time.py [--json] [--rounds N] [--blocks K] [--seed S]

Method. New interpreters are started one after the other, in rounds of shuffled order, on one core where processes can
be pinned: one that imports nothing, one with `import requests`, one with `import whatsapp_flows`, and one with
`from whatsapp_flows import FlowsClient`. The time is that of the whole process; the time of the empty one is
subtracted. All run isolated (`-I`), with bytecode on disk and files in the system's cache.

The names of `whatsapp_flows` load on first use: `import whatsapp_flows` alone does not load the client. A process that
makes a call has the cost of the last row, which includes requests. The dataclasses of the package are made when the
first value of each is: the first call of a process makes those that it uses.

Memory and modules are measured in separate processes. Memory is the peak that the kernel counted since the interpreter
was loaded (`VmHWM`), because `getrusage` includes what the parent held when the child was forked. Without /proc,
`getrusage` is used.

Limits. A first start after installation, or from a cold disk, is dominated by reading files and is not measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common

BARE: Final = "(nothing)"
BASE: Final = "import requests"
LAZY: Final = "import whatsapp_flows"
CLIENT: Final = "from whatsapp_flows import FlowsClient"
STATEMENTS: Final = {
    BARE: "pass",
    BASE: BASE,
    LAZY: LAZY,
    CLIENT: CLIENT,
}

# Every child looks for modules in the same places, so that none has the shorter way.
_PREFIX: Final = f"import sys; sys.path.append({str(common.ROOT)!r}); "
_PROBE: Final = """
import json
modules = len(sys.modules)
try:
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024
except OSError:
    try:
        import resource
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    except ImportError:
        peak = None
print(json.dumps([modules, peak]))
"""


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    options = common.arguments("What importing the library costs.", rounds=60, blocks=6, peers=False).parse_args(argv)
    cores = common.cores()
    if cores:
        common.pin(cores[0])
    probes = {name: _probe(statement) for name, statement in STATEMENTS.items()}  # writes the bytecode, too
    samples = common.measure(
        {name: _start(statement) for name, statement in STATEMENTS.items()},
        rounds=options.rounds,
        blocks=options.blocks,
        seed=options.seed,
        warm_up=1,
    )
    bare = [common.median([block]) for block in samples[BARE]]
    over = {
        name: [[value - start for value in block] for block, start in zip(blocks, bare, strict=True)]
        for name, blocks in samples.items()
    }
    ratios = {name: common.Ratio.of(over[name], over[BASE]) for name in STATEMENTS if name != BARE}
    rows = [
        {
            "process": name,
            "p50_ms": common.median(samples[name]) * 1e3,
            "over_bare_ms": None if name == BARE else common.median(over[name]) * 1e3,
            **(ratios[name].columns() if name in ratios else {"ratio": None, "ratio_min": None, "ratio_max": None}),
            "peak_rss_mb": probes[name][1],
            "modules": probes[name][0],
        }
        for name in STATEMENTS
    ]
    common.report(
        "import_time",
        as_json=options.json,
        method={
            "rounds": options.rounds,
            "blocks": min(options.blocks, options.rounds),
            "seed": options.seed,
            "cores": f"pinned to {cores[0]}" if cores else "not pinned",
            "ratio": "of the time over the bare start, to import requests",
        },
        versions=common.versions("requests", "urllib3"),
        tables={"one start": rows},
        targets=[
            common.Target(what=f"{LAZY} to {BASE}, time", limit=1.15, value=ratios[LAZY].value),
            common.Target(what=f"{CLIENT} to {BASE}, time", limit=1.2, value=ratios[CLIENT].value),
            *(
                common.Target(what=f"{name} to {BASE}, peak memory", limit=1.1, value=mine / theirs)
                for name in (LAZY, CLIENT)
                if (mine := probes[name][1]) and (theirs := probes[BASE][1])
            ),
        ],
    )
    return 0


def _start(statement: str) -> Callable[[], object]:
    command = [sys.executable, "-I", "-c", _PREFIX + statement]
    return lambda: subprocess.run(command, check=True)


def _probe(statement: str) -> tuple[int, float | None]:
    """How many modules the process has loaded, and its peak of resident memory in MB."""
    command = [sys.executable, "-I", "-c", f"{_PREFIX}{statement}\n{_PROBE}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    modules, peak = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return modules, peak


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
