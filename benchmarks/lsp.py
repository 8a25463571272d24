"""
How fast the language server answers.

    python benchmarks/lsp.py [--json] [--rounds N] [--blocks K] [--seed S]

Method. Two documents: a Flow with 7 screens of about 12 kB, and one of about 1 MB with 50 screens. First the core
alone, in this process, each time on a text that was not read before:

    findings       validating it
    completion     the tree of the text, and the names that may follow `${data.`

Then the same over standard input and output, with the client of pygls, which runs in this process:

    change         from sending a changed text to its findings; the server's pause of 15 ms is part of it
    completion     a changed text, then the proposals for `${data.`: from sending the request to its answer, for which
                   the server reads the text; the findings of the text are worked out meanwhile

The garbage collector runs between blocks.

Limits. The client takes part of the time: it is Python too, and waits for the same cores. An editor sends 1 MB with
each change of a document of 1 MB, as here.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from benchmarks import _common as common
from benchmarks._flows import made_flow

SMALL: Final = "7 screens"
LARGE: Final = "1 MB"
_MARK: Final = "${data."
_LONGEST: Final = 60.0  # seconds that an answer may take


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code does not depend on the figures."""
    options = common.arguments("How fast the language server answers.", rounds=40, blocks=5, peers=False)
    chosen = options.parse_args(argv)
    texts = {SMALL: made_flow(screens=7, size=12_000), LARGE: made_flow(screens=50, size=1_000_000)}
    core = common.measure(
        _contenders(texts), rounds=chosen.rounds, blocks=chosen.blocks, seed=chosen.seed, batch=1, warm_up=2
    )
    served = asyncio.run(_served(texts, chosen.rounds))
    flat = {name: [each for block in blocks for each in block] for name, blocks in core.items()}
    common.report(
        "lsp",
        as_json=chosen.json,
        method={
            "rounds": chosen.rounds,
            "blocks": min(chosen.blocks, chosen.rounds),
            "seed": chosen.seed,
            **{f"bytes of {name}": len(text) for name, text in texts.items()},
            "garbage collection": "between blocks",
        },
        versions=common.versions("requests", "urllib3", "pygls", "lsprotocol"),
        tables={"the core": _rows(flat), "over standard input and output": _rows(served)},
        targets=[
            _target(f"{SMALL}: change", 50.0, served),
            _target(f"{SMALL}: completion", 30.0, served),
            _target(f"{LARGE}: change", 300.0, served),
        ],
    )
    return 0


def _rows(samples: dict[str, list[float]]) -> list[common.Record]:
    return [
        {
            "what": name,
            "p50_ms": common.percentile(values, 50) * 1e3,
            "p95_ms": common.percentile(values, 95) * 1e3,
        }
        for name, values in samples.items()
    ]


def _target(name: str, limit: float, samples: dict[str, list[float]]) -> common.Target:
    value = common.percentile(samples[name], 50) * 1e3
    return common.Target(what=f"{name}, milliseconds", limit=limit, value=value)


def _contenders(texts: dict[str, str]) -> dict[str, Callable[[], object]]:
    from whatsapp_flows.lsp._complete import complete
    from whatsapp_flows.lsp._findings import check
    from whatsapp_flows.lsp._names import Index

    found: dict[str, Callable[[], object]] = {}
    for name, text in texts.items():
        offset = text.index(_MARK) + len(_MARK)
        found[f"{name}: findings"] = lambda text=text: check(Index(text))  # type: ignore[misc]
        found[f"{name}: completion"] = lambda text=text, offset=offset: complete(Index(text), offset)  # type: ignore[misc]
    return found


async def _served(texts: dict[str, str], rounds: int) -> dict[str, list[float]]:
    client = LanguageClient("benchmark", "1")
    published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()

    def publish(params: types.PublishDiagnosticsParams) -> None:
        published.put_nowait(params)

    register: Any = client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    register(publish)

    await client.start_io(sys.executable, "-m", "whatsapp_flows", "lsp")
    await client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities()))
    client.initialized(types.InitializedParams())
    samples: dict[str, list[float]] = {}
    for name, text in texts.items():
        uri = f"file:///{name.replace(' ', '_')}.json"
        client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, types.LanguageKind.Json, 0, text))
        )
        await _until(published, 0)
        line = text[: text.index(_MARK)].count("\n")
        column = text.split("\n")[line].index(_MARK) + len(_MARK)
        position = types.CompletionParams(types.TextDocumentIdentifier(uri), types.Position(line, column))
        changes = samples[f"{name}: change"] = []
        completions = samples[f"{name}: completion"] = []
        for version in range(1, 2 * rounds, 2):
            started = time.perf_counter()
            _change(client, uri, version, text)
            await _until(published, version)
            changes.append(time.perf_counter() - started)
            _change(client, uri, version + 1, text)
            started = time.perf_counter()
            await asyncio.wait_for(client.text_document_completion_async(position), _LONGEST)
            completions.append(time.perf_counter() - started)
            await _until(published, version + 1)
    await client.shutdown_async(None)
    client.exit(None)
    stop: Any = client.stop
    await stop()
    return samples


def _change(client: LanguageClient, uri: str, version: int, text: str) -> None:
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(version, uri),
            [types.TextDocumentContentChangeWholeDocument(f"{text}{' ' * (version % 9)}")],
        )
    )


async def _until(published: asyncio.Queue[types.PublishDiagnosticsParams], version: int) -> None:
    while (await asyncio.wait_for(published.get(), _LONGEST)).version != version:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
