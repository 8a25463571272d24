"""
The cost of validating a Flow JSON.

    python benchmarks/validate.py [--json] [--rounds N] [--blocks K] [--seed S] [--no-peer]

Method. One process. Every contender parses the same text of a valid document and decides whether it is valid, in rounds
of shuffled order, twenty calls in a row for the small document. The garbage collector runs between blocks. There are
two documents: the seven screens of `examples/flows/solar_installation.json`, and a generated one of 100 screens and
about 1 MB. Then `validate` and `json.loads` alone process generated documents of 1 to 10 MB: the fastest of five runs,
and the peak of Python's own memory (tracemalloc, without the text) of one more run.

    json.loads       parsing only; the base of the ratio
    validate         this library: structure, all semantic rules, advice, and positions of findings
    structure alone  the same without rules and advice: what the schemas of the others can express
    jsonschema       Draft7Validator.is_valid, the validator that most Python projects use
    fastjsonschema   compiled to Python code
    jsonschema-rs    compiled, in Rust

The others check a schema of the structure of Flow JSON 7.3, generated from this library's tables (`_schema.py`).
References, routes, payloads, expressions, examples and advice cannot be expressed in a schema; only `validate` checks
them.

Limits. Invalid documents cost more, because positions are determined only for findings; they are not measured.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common
from benchmarks._flows import made_flow

TODAY: Final = date(2026, 1, 1)
LOADS: Final = "json.loads"
OURS: Final = "validate"
SIZES: Final = (1, 2, 5, 10)  # MB
RUNS: Final = 5
BATCH: Final = 20  # calls in a row of one contender with the small document


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    options = common.arguments("What finding the errors of a Flow JSON costs.", rounds=40, blocks=10, peers=True)
    options.add_argument("--no-growth", action="store_true", help="leave out the documents of 1 to 10 MB")
    chosen = options.parse_args(argv)
    if not chosen.no_peer and (done := common.in_own_environment(__file__, argv)) is not None:
        return done
    small = (common.ROOT / "examples" / "flows" / "solar_installation.json").read_text()
    large = made_flow(screens=100, size=1_000_000)
    tables: dict[str, Sequence[common.Record]] = {}
    found: dict[str, dict[str, common.Ratio]] = {}
    seconds: dict[str, float] = {}
    for title, text, rounds, batch in (
        ("7 screens", small, chosen.rounds, BATCH),
        ("100 screens", large, max(chosen.blocks, chosen.rounds // 4), 1),
    ):
        contenders = _contenders(text, peer=not chosen.no_peer)
        for name, call in contenders.items():
            if call() is not True:
                raise SystemExit(f"{name} does not take the document of {title}.")
        samples = common.measure(
            contenders, rounds=rounds, blocks=chosen.blocks, seed=chosen.seed, batch=batch, warm_up=3
        )
        ratios = found[title] = {name: common.Ratio.of(blocks, samples[LOADS]) for name, blocks in samples.items()}
        seconds[title] = common.median(samples[OURS])
        tables[f"{title}, {len(text.encode()):,} bytes"] = [
            {"contender": name, "p50_us": common.median(blocks) * 1e6, **ratios[name].columns()}
            for name, blocks in samples.items()
        ]
        if not chosen.no_peer:
            found[title]["gain"] = common.Ratio.of(samples[OURS], samples["jsonschema"])
    growth = [] if chosen.no_growth else [_growth(size) for size in SIZES]
    if growth:
        tables["growth"] = growth
    common.report(
        "validate",
        as_json=chosen.json,
        method={
            "rounds": chosen.rounds,
            "blocks": min(chosen.blocks, chosen.rounds),
            "batch": BATCH,
            "seed": chosen.seed,
            "garbage collection": "between blocks",
        },
        versions=common.versions(
            "requests", "urllib3", *(() if chosen.no_peer else ("jsonschema", "fastjsonschema", "jsonschema-rs"))
        ),
        tables=tables,
        targets=_targets(found, seconds, growth),
    )
    return 0


def _targets(
    found: dict[str, dict[str, common.Ratio]], seconds: dict[str, float], growth: Sequence[common.Record]
) -> list[common.Target]:
    small = found["7 screens"]
    targets = [
        common.Target(what="7 screens, milliseconds", limit=1.0, value=seconds["7 screens"] * 1e3),
        common.Target(what="7 screens, to json.loads", limit=8.0, value=small[OURS].value),
    ]
    targets += [
        common.Target(what=f"{title}, to jsonschema", limit=0.05, value=ratios["gain"].value)
        for title, ratios in found.items()
        if "gain" in ratios
    ]
    if growth:
        last, first = growth[-1], growth[0]
        per_megabyte = [row["validate_s"] / row["megabytes"] for row in (first, last)]
        targets += [
            common.Target(what="10 MB, seconds", limit=1.0, value=last["validate_s"]),
            common.Target(what="10 MB, memory to json.loads", limit=6.0, value=last["ratio_memory"]),
            common.Target(what="10 MB to 1 MB, time per MB", limit=1.5, value=per_megabyte[1] / per_megabyte[0]),
        ]
    return targets


def _contenders(text: str, *, peer: bool) -> dict[str, Callable[[], object]]:
    """Each parses the text and returns whether the document is right."""
    from whatsapp_flows.flow_json import validate

    found: dict[str, Callable[[], object]] = {
        LOADS: lambda: isinstance(json.loads(text), dict),
        OURS: lambda: validate(text, today=TODAY).ok,
        "structure alone": lambda: validate(text, today=TODAY, rules=(), advice=False).ok,
    }
    if peer:
        from benchmarks._schema import schema_of
        from whatsapp_flows.flow_json.schema import Version

        schema = schema_of(Version(7, 3))
        plain = import_module("jsonschema").Draft7Validator(schema)
        compiled = import_module("fastjsonschema").compile(schema)
        rust = import_module("jsonschema_rs").Draft7Validator(schema)
        found["jsonschema"] = lambda: plain.is_valid(json.loads(text))
        found["fastjsonschema"] = lambda: bool(compiled(json.loads(text)))
        found["jsonschema-rs"] = lambda: rust.is_valid(json.loads(text))
    return found


def _growth(megabytes: int) -> common.Record:
    """Time and memory of one size, alone and beside parsing."""
    from whatsapp_flows.flow_json import validate

    text = made_flow(screens=100, size=megabytes * 990_000)  # 10 MB is the most that Meta takes
    ours, loads = partial(validate, text, today=TODAY), partial(json.loads, text)
    best = {name: min(_seconds(call) for _ in range(RUNS)) for name, call in ((LOADS, loads), (OURS, ours))}
    return {
        "megabytes": megabytes,
        "loads_s": best[LOADS],
        "validate_s": best[OURS],
        "ratio": best[OURS] / best[LOADS],
        "ratio_memory": _peak(ours) / _peak(loads),
    }


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _peak(call: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
