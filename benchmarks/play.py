"""
The cost of playing a Flow.

    python benchmarks/play.py [--json] [--rounds N] [--blocks K] [--seed S] [--corpus DIR] [--no-browser]

Method. One process. A screen of 50 components, half of them fields, with expressions, Markdown and a branch, in which
every text has a value. Every contender runs in rounds of shuffled order; the garbage collector runs between blocks.

    json.loads     parsing the document; the base of the ratio
    start          reading the document, and opening its first screen
    view           what the screen looks like, in a session that nothing was asked of before
    Fill           an event: another character of a text
    Select         an event: another option, which shows a component
    key press      a Fill and the view after it: what a page waits for

Then `autoplay` finds its way through each Flow of `examples/` once, and through those in the folder of `--corpus`.

The page of the preview is opened in Chromium, over loopback, with the same screen: from a key that goes down until the
text that depends on it is painted, and from a file that is replaced until its new title is. That needs Chromium and
Playwright. The export is the HTML file of `examples/flows/solar_installation.json`.

Limits. A screen has fewer components as a rule: Meta allows 50. The browser shares the cores with the server, and is
not a phone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import _common as common
from benchmarks._played_flow import SHOWN, full_screen_flow
from benchmarks._preview_page import page_times, program

TODAY: Final = date(2026, 1, 1)
LOADS: Final = "json.loads"
VIEW: Final = "view"
EVENTS: Final = ("Fill", "Select")


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    options = common.arguments("What playing a Flow costs.", rounds=200, blocks=10, peers=False)
    options.add_argument("--no-browser", action="store_true", help="leave the page in Chromium out")
    options.add_argument("--corpus", type=Path, metavar="DIR", help="also play the Flows in this folder")
    chosen = options.parse_args(argv)
    samples = common.measure(
        _contenders(), rounds=chosen.rounds, blocks=chosen.blocks, seed=chosen.seed, batch=1, warm_up=3
    )
    rows = [
        {
            "contender": name,
            "p50_ms": common.median(blocks) * 1e3,
            "p95_ms": common.percentile([each for block in blocks for each in block], 95) * 1e3,
            **common.Ratio.of(blocks, samples[LOADS]).columns(),
        }
        for name, blocks in samples.items()
    ]
    played = _played(chosen.corpus)
    executable = None if chosen.no_browser else program()
    page = [] if executable is None else _page(executable, rounds=chosen.rounds)
    tables = {f"a screen of {SHOWN} components": rows, "autoplay": played, **({"the page": page} if page else {})}
    common.report(
        "play",
        as_json=chosen.json,
        method={
            "rounds": chosen.rounds,
            "blocks": min(chosen.blocks, chosen.rounds),
            "seed": chosen.seed,
            "components": SHOWN,
            "garbage collection": "between blocks",
        },
        versions=common.versions("requests", "urllib3"),
        tables=tables,
        targets=[*_targets(samples, played), *_page_targets(page)],
    )
    return 0


def _targets(samples: common.Samples, played: Sequence[common.Record]) -> list[common.Target]:
    return [
        common.Target(what="view, milliseconds", limit=2.0, value=common.median(samples[VIEW]) * 1e3),
        *(
            common.Target(what=f"{name}, milliseconds", limit=5.0, value=common.median(samples[name]) * 1e3)
            for name in EVENTS
        ),
        common.Target(what="autoplay of all, seconds", limit=20.0, value=sum(row["seconds"] for row in played)),
    ]


def _page_targets(page: Sequence[common.Record]) -> list[common.Target]:
    limits = {"a key press": 50.0, "a saved file": 1_000.0}
    size = len(_exported()) / 1_000
    return [
        *(
            common.Target(what=f"{row['until it is drawn']}, milliseconds (p95)", limit=limit, value=row["p95_ms"])
            for row in page
            if (limit := limits.get(row["until it is drawn"])) is not None
        ),
        common.Target(what="the exported page of solar_installation, kB", limit=400.0, value=size),
    ]


def _page(executable: str, *, rounds: int) -> list[common.Record]:
    presses, saves = page_times(executable, presses=rounds, saves=max(1, rounds // 20))
    return [
        {
            "until it is drawn": name,
            "times": len(seconds),
            "p50_ms": common.percentile(seconds, 50) * 1e3,
            "p95_ms": common.percentile(seconds, 95) * 1e3,
        }
        for name, seconds in (("a key press", presses), ("a saved file", saves))
    ]


def _exported() -> bytes:
    from whatsapp_flows.preview import export

    return export(common.ROOT / "examples" / "flows" / "solar_installation.json").encode()


def _contenders() -> dict[str, Callable[[], object]]:
    from whatsapp_flows.play import Fill, Select, advance, start, view

    document = full_screen_flow()
    text = json.dumps(document)
    session = start(document, today=TODAY).session
    fields = {node.name: node.path for node in view(session).nodes if node.name}
    for name, path in fields.items():
        if name.startswith("text"):
            session = advance(session, Fill(path, "Some text")).session
    typed, chosen = Fill(fields["text0"], "Some text."), Select(fields["one0"], "o1")
    return {
        LOADS: lambda: json.loads(text),
        "start": lambda: start(text, today=TODAY),
        VIEW: lambda: view(session),
        "Fill": lambda: advance(session, typed),
        "Select": lambda: advance(session, chosen),
        "key press": lambda: view(advance(session, typed).session),
    }


def _played(corpus: Path | None) -> list[common.Record]:
    """A row for each Flow that `autoplay` finds a way through, or not."""
    from whatsapp_flows.play import autoplay

    folders = [common.ROOT / "examples" / "flows", common.ROOT / "examples" / "endpoint", *([corpus] if corpus else [])]
    rows: list[common.Record] = []
    for path in (each for folder in folders for each in sorted(folder.glob("*.json"))):
        started = time.perf_counter()
        outcome: Any = autoplay(path, today=TODAY)
        rows.append(
            {
                "flow": path.stem,
                "seconds": time.perf_counter() - started,
                "screens": len(outcome.screens),
                "events": len(outcome.events),
                "end": outcome.reason or "completed",
            }
        )
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
