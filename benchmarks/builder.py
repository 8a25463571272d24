"""
The builder: a Flow built and written, and what importing it costs.

    python benchmarks/builder.py [--json] [--rounds N] [--blocks K] [--seed S] [--no-peer]

Method. The solar Flow of the examples is built from its Python module and written as text, and the same document is
written by `json.dumps` alone; the ratio of the two is what the objects cost. Both with one line, and with an
indentation of two, for which Python's own encoder is slower. Imports are those of new interpreters, in rounds of
shuffled order, from which the time of an interpreter that imports nothing is subtracted: every class of the builder,
against pywa's builder.

Limits. The module is compiled before; a first import from a cold disk is dominated by reading files.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common

FLOW: Final = "solar_installation"
MODULE: Final = common.ROOT / "examples" / "builder" / f"{FLOW}.py"
OURS: Final = "from whatsapp_flows.builder import *"
THEIRS: Final = "from pywa.types.flows import *"
BARE: Final = "pass"
_PREFIX: Final = f"import sys; sys.path.append({str(common.ROOT)!r}); "


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    parser = common.arguments("The builder, against json.dumps and against pywa.", rounds=200, blocks=8, peers=True)
    options = parser.parse_args(argv)
    if not options.no_peer:
        code = common.in_own_environment(__file__, argv)
        if code is not None:
            return code
    cores = common.cores()
    if cores:
        common.pin(cores[0])
    built = common.measure(
        _writing(), rounds=options.rounds, blocks=options.blocks, seed=options.seed, batch=5, warm_up=10
    )
    imported = common.measure(
        {each: _start(each) for each in (BARE, OURS, *(() if options.no_peer else (THEIRS,)))},
        rounds=max(options.rounds // 10, 1),
        blocks=options.blocks,
        seed=options.seed,
        warm_up=1,
    )
    bare = [common.median([block]) for block in imported[BARE]]
    over = {
        name: [[value - start for value in block] for block, start in zip(blocks, bare, strict=True)]
        for name, blocks in imported.items()
    }
    one_line = common.Ratio.of(built["built and written"], built["json.dumps"])
    indented = common.Ratio.of(built["built and written, indented"], built["json.dumps, indented"])
    peer = {} if options.no_peer else {"import": common.Ratio.of(over[OURS], over[THEIRS])}
    common.report(
        "builder",
        as_json=options.json,
        method={
            "rounds": options.rounds,
            "blocks": min(options.blocks, options.rounds),
            "seed": options.seed,
            "document": f"{FLOW}.json, {len(json.dumps(_document()))} bytes on one line",
            "cores": f"pinned to {cores[0]}" if cores else "not pinned",
        },
        versions=common.versions("requests", "urllib3", "pywa"),
        tables={
            "a Flow": [{"what": name, "p50_us": common.median(built[name]) * 1e6} for name in built],
            "an import": [
                {"process": name, "over_bare_ms": common.median(over[name]) * 1e3} for name in over if name != BARE
            ],
        },
        targets=[
            common.Target(what="building and writing to json.dumps, one line", limit=3.0, value=one_line.value),
            common.Target(what="building and writing to json.dumps, indented", limit=3.0, value=indented.value),
            *(common.Target(what="importing to pywa's builder", limit=0.4, value=each.value) for each in peer.values()),
        ],
    )
    return 0


def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((common.ROOT / "examples" / "flows" / f"{FLOW}.json").read_bytes())
    return found


def _writing() -> dict[str, Callable[[], object]]:
    code = compile(MODULE.read_text(encoding="utf-8"), str(MODULE), "exec")
    document = _document()

    def build(indent: int | None) -> str:
        names: dict[str, Any] = {}
        exec(code, names)
        text: str = names["flow"].to_json(indent=indent)
        return text

    if json.loads(build(None)) != document:
        raise SystemExit("The Flow that is built is another one.")
    return {
        "built and written": lambda: build(None),
        "json.dumps": lambda: json.dumps(document),
        "built and written, indented": lambda: build(2),
        "json.dumps, indented": lambda: json.dumps(document, indent=2),
    }


def _start(statement: str) -> Callable[[], object]:
    command = [sys.executable, "-I", "-c", _PREFIX + statement]
    return lambda: subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
