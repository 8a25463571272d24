"""The benchmarks run and print their tables. The measured times are not tested."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks import _common as common
from benchmarks._flows import made_flow
from benchmarks._played_flow import full_screen_flow
from benchmarks._schema import schema_of
from benchmarks.suite import NAMES, described
from whatsapp_flows.flow_json import validate
from whatsapp_flows.flow_json.schema import Version

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def run(name: str, *options: str) -> str:
    script = BENCHMARKS / f"{name}.py"
    done = subprocess.run([sys.executable, str(script), *options], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def measured(name: str, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(name, "--json", "--rounds", "2", "--blocks", "2", *options))
    assert set(found) == {"benchmark", "method", "versions", "tables", "targets"}
    assert found["benchmark"] == name
    assert {"python", "whatsapp-flows-sdk", "requests", "urllib3"} <= set(found["versions"])
    assert found["method"]["rounds"] == found["method"]["blocks"] == 2
    for target in found["targets"]:
        assert set(target) == {"what", "limit", "value", "reached"}
    return found


def names(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The first column, after a check that all rows have the same columns."""
    assert len({tuple(row) for row in rows}) == 1
    return [next(iter(row.values())) for row in rows]


def test_upload_overhead_compares_the_ways_to_upload() -> None:
    """Each contender has its times and its ratio to the naive one, which is the base."""
    found = measured("upload_overhead", "--no-peer")
    rows = found["tables"]["one upload"]
    assert names(rows) == ["requests.Session.post", "urllib3", "FlowsClient", "requests.Session.send"]
    assert set(rows[0]) == {"contender", "p50_us", "p90_us", "ratio", "ratio_min", "ratio_max"}
    assert (rows[0]["ratio"], rows[0]["ratio_min"], rows[0]["ratio_max"]) == (1, 1, 1)
    assert 10_500 < found["method"]["document_bytes"] < 11_500
    assert [target["limit"] for target in found["targets"]] == [0.65]


def test_async_throughput_compares_the_ways_to_upload_at_once() -> None:
    """Each contender has its time for an upload at each number in flight, and its ratio to the base."""
    found = measured("async_throughput", "--no-peer", "--in-flight", "1", "4")
    rows = found["tables"]["one upload"]
    assert names(rows) == ["aiohttp.ClientSession", "AsyncFlowsClient"] * 2
    assert [row["in_flight"] for row in rows[::2]] == [1, 4]
    assert set(rows[0]) == {
        "contender", "in_flight", "p50_us", "uploads_per_s", "ratio", "ratio_min", "ratio_max"
    }  # fmt: skip
    assert [row["ratio"] for row in rows[::2]] == [1, 1]
    assert found["targets"] == []


def test_import_time_compares_fresh_processes() -> None:
    """The empty process is the base of the times, `import requests` that of the ratios."""
    found = measured("import_time")
    rows = found["tables"]["one start"]
    assert names(rows) == [
        "(nothing)",
        "import requests",
        "import whatsapp_flows",
        "from whatsapp_flows import FlowsClient",
    ]
    assert (rows[0]["over_bare_ms"], rows[0]["ratio"], rows[1]["ratio"]) == (None, None, 1)
    assert [target["limit"] for target in found["targets"]] == [1.15, 1.2, 1.1, 1.1]


def test_engine_overhead_has_a_time_for_each_part() -> None:
    """The decisions and the parts of a successful call each have a time."""
    found = measured("engine_overhead", "--no-peer")
    assert names(found["tables"]["a decision"])[:2] == ["ExponentialBackoff", "ExponentialBackoff, full_jitter"]
    pieces = found["tables"]["a clean call"]
    assert names(pieces)[0] == "transport alone"
    assert pieces[0]["over_transport_us"] == 0
    listeners = found["tables"]["events of a clean call"]
    assert names(listeners)[:3] == ["no events", "no listener", "a consumer that does nothing"]
    assert listeners[0]["ratio"] == 1
    assert [target["limit"] for target in found["targets"]] == [5.0, 60.0, 2.0]


def test_the_simulation_compares_policies_with_the_same_failures() -> None:
    """Each policy has the same figures in every run, in every scenario; the plots are written too."""
    found = json.loads(run("retry_simulation", "--json", "--workers", "8"))
    assert set(found["tables"]) == {"processing, 8 workers", "outage, 8 workers", "limit, 8 workers"}
    for title, rows in found["tables"].items():
        shipped = ["origin", "NoRetry", "FixedDelays", "ExponentialBackoff", "full_jitter", "equal_jitter",
                   "decorrelated_jitter", "RetryBudget, full_jitter"]  # fmt: skip
        assert names(rows)[: len(shipped)] == shipped, title
        assert all(0 <= row["success"] <= 1 for row in rows)
    assert found["tables"] == json.loads(run("retry_simulation", "--json", "--workers", "8"))["tables"]


def test_the_simulation_has_the_known_results() -> None:
    """The known results: probabilities multiply, jitter spreads retries, only a pace keeps within a limit."""
    simulation = pytest.importorskip("benchmarks.retry_simulation")
    fleets = {
        (scenario, each.name, each.attempts): simulation.simulated(scenario, each, workers, 1)
        for scenario, workers in {"processing": 300, "outage": 300, "limit": 600}.items()
        for each in simulation.contenders(scenario)
    }
    share = {key: len(outcome.successes) / outcome.workers for key, outcome in fleets.items()}
    assert share["processing", "NoRetry", 1] == pytest.approx(1 / 2, abs=0.1)
    assert share["processing", "ExponentialBackoff", 3] == pytest.approx(7 / 8, abs=0.1)
    assert share["outage", "ExponentialBackoff", 3] == 0
    assert share["outage", "ExponentialBackoff", 10] == 1
    peaks = [fleets["outage", name, 3].row()["retry_peak_rps"] for name in ("ExponentialBackoff", "full_jitter")]
    assert peaks[1] < peaks[0] / 2
    assert share["limit", "ExponentialBackoff", 3] == share["limit", "origin", 3] == 200 / 600
    assert fleets["limit", "origin", 3].refused == 400
    assert share["limit", "ExponentialBackoff, paced", 3] == 1
    assert fleets["limit", "ExponentialBackoff, paced", 3].refused == 0


def test_the_simulation_draws_its_plots(tmp_path: Path) -> None:
    """As SVG, the same bytes in every run, small enough for a page."""
    pytest.importorskip("matplotlib")
    simulation = pytest.importorskip("benchmarks.retry_simulation")
    for folder in ("one", "two"):
        simulation.draw(tmp_path / folder, seed=1, workers=5)
    for name in ("processing", "outage", "limit"):
        first, second = ((tmp_path / folder / f"retry_{name}.svg").read_bytes() for folder in ("one", "two"))
        assert first == second
        assert first.startswith(b"<?xml")
        committed = BENCHMARKS.parent / "docs" / "_static" / f"retry_{name}.svg"
        assert committed.stat().st_size < 100_000


def test_sync_compares_deployments_with_the_minimum_of_requests() -> None:
    """A first deployment, an unchanged one, one with a change; the unchanged one takes one request for each page."""
    found = json.loads(run("sync", "--json", "--no-peer", "--no-origin", "--flows", "3", "--many", "4"))
    rows = {(row["scenario"], row["contender"]): row for row in found["tables"]["deployments"]}
    assert names(found["tables"]["deployments"])[:3] == [
        "first deploy, 0% failures",
        "unchanged, 0% failures",
        "one changed, 0% failures",
    ]
    assert rows["first deploy, 0% failures", "bare"]["calls"] == 4
    assert rows["unchanged, 0% failures", "engine"]["calls"] == rows["unchanged, 4 flows", "engine"]["calls"] == 1
    assert all(row["failed_flows"] == 0 for row in rows.values())
    assert [target["limit"] for target in found["targets"]] == [1.05, 1 / 0.9, 1 / 0.9, 2.0]


def test_validate_compares_with_parsing() -> None:
    """Both documents have their table, and parsing is the base of the ratios."""
    found = measured("validate", "--no-peer", "--no-growth")
    assert [title.partition(",")[0] for title in found["tables"]] == ["7 screens", "100 screens"]
    for rows in found["tables"].values():
        assert names(rows) == ["json.loads", "validate", "structure alone"]
        assert rows[0]["ratio"] == 1
    assert [target["limit"] for target in found["targets"]] == [1.0, 8.0]


def test_endpoint_compares_with_the_rsa_decryption() -> None:
    """Each contender answers with 200 and has its ratio to the base; refusals and processes have their tables."""
    found = measured("endpoint", "--no-peer")
    tables = found["tables"]
    assert names(tables["a small request"]) == ["bare RSA decryption", "FlowEndpoint.receive", "without time limit"]
    assert [row["case"] for row in tables["a megabyte"]] == ["1 MB in", "1 MB in", "1 MB out", "1 MB out"]
    assert names(tables["through asyncio, small request"]) == ["FlowEndpoint.areceive", "the ASGI application"]
    assert names(tables["refusals"]) == ["a wrong tag", "a wrong padding", "another key"]
    assert all(row["requests_per_s"] > 0 for row in tables["requests a second"])
    assert 1_000_000 < found["method"]["large_request_bytes"] < 1_572_864
    assert 900_000 < found["method"]["large_answer_bytes"] < 1_048_576
    assert [target["limit"] for target in found["targets"]] == [1.25, 1.2, 1.2, 0.1]


def test_play_measures_a_full_screen_and_every_example() -> None:
    """Each contender has its times and its ratio to parsing, each Flow its end, and the exported page its size."""
    found = measured("play", "--no-browser")
    assert names(found["tables"]["a screen of 50 components"])[:3] == ["json.loads", "start", "view"]
    played = found["tables"]["autoplay"]
    assert {row["end"] for row in played} == {"completed"}
    assert {"solar_installation", "booking"} <= set(names(played))
    assert [target["limit"] for target in found["targets"]] == [2.0, 5.0, 5.0, 20.0, 400.0]


def test_the_full_screen_has_no_error() -> None:
    """It has as many components as Meta allows."""
    report = validate(full_screen_flow())
    assert {issue.error for issue in report.issues} <= {"ANSWER_NOT_SENT", "UNUSED_DATA_FIELD"}
    assert report.ok


@pytest.mark.parametrize(("screens", "size"), [(1, 5_000), (7, 13_000), (100, 200_000)])
def test_a_generated_flow_has_no_error_and_about_the_requested_size(screens: int, size: int) -> None:
    """The documents that are measured are ones that Meta would accept."""
    text = made_flow(screens=screens, size=size)
    report = validate(text)
    assert {issue.error for issue in report.issues} <= {"LARGE_DOCUMENT"}
    assert abs(len(text) - size) < 0.15 * size


def test_the_schema_of_the_compared_validators_accepts_valid_flows_only() -> None:
    """It is made from the validator's tables, and is as strict as a schema can be."""
    rival = jsonschema.Draft7Validator(schema_of(Version(7, 3)))
    jsonschema.Draft7Validator.check_schema(rival.schema)
    flows = [
        json.loads(path.read_bytes()) for path in sorted((BENCHMARKS.parent / "examples" / "flows").glob("*.json"))
    ]
    assert all(rival.is_valid(flow) for flow in flows)
    for flow in flows:
        footer = flow["screens"][0]["layout"]["children"][-1]
        for key, value in (("type", "Header"), ("label", 5), ("own", 1), ("on-click-action", {"name": "open"})):
            broken = {**footer, key: value}
            flow["screens"][0]["layout"]["children"][-1] = broken
            assert not rival.is_valid(flow)
        flow["screens"][0]["layout"]["children"][-1] = footer


def test_the_suite_puts_all_on_one_page(tmp_path: Path) -> None:
    """The targets first, then each benchmark with its method, what it does not claim, and its tables."""
    page = tmp_path / "benchmarks.md"
    options = ["import_time", "--rounds", "1", "--write", str(page)]
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "suite.py"), *options], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "running import_time\n")
    text = page.read_text()
    assert "| import_time | import whatsapp_flows to import requests, time | 1.15 |" in text
    assert "\n## The cost of importing the library\n" in text
    assert "\nLimits. A first start" in text
    assert "| import requests |" in text


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_states_its_method_and_limits(name: str) -> None:
    """Its docstring has both paragraphs, which the page shows."""
    title, method, limits = described((BENCHMARKS / f"{name}.py").read_text())
    assert title.endswith(".")
    assert method
    assert limits


def test_without_json_the_same_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are aligned, and a missed target is marked."""
    common.report(
        "name",
        as_json=False,
        method={"rounds": 2, "pinned": False},
        versions={"python": "3"},
        tables={"rows": [{"who": "a", "p50_us": 1.5, "ratio": None}, {"who": "bcd", "p50_us": 100.0, "ratio": 0.5}]},
        targets=[common.Target(what="a", limit=1.0, value=2.0)],
    )
    assert capsys.readouterr().out == (
        "name\n\nmethod: rounds 2, pinned no\n\nversions: python 3\n\n"
        "rows\n  who  p50_us  ratio\n  a      1.50      -\n  bcd   100.0  0.500\n\n"
        "targets\n  what  limit  value  reached\n  a      1.00   2.00  NO\n"
    )


def test_a_ratio_has_its_range() -> None:
    """Each block has its ratio of medians; the one in the middle counts, between the lowest and the highest."""
    ratio = common.Ratio.of([[1.0, 1.0, 9.0], [3.0], [20.0]], [[2.0, 2.0, 2.0], [2.0], [2.0]])
    assert ratio.columns() == {"ratio": 1.5, "ratio_min": 0.5, "ratio_max": 10.0}


@pytest.mark.parametrize(("percent", "expected"), [(50, 2.0), (90, 4.0), (100, 4.0), (1, 1.0)])
def test_percentiles_are_values_that_occurred(percent: int, expected: float) -> None:
    """The nearest rank, never a mean of two samples."""
    assert common.percentile([4.0, 1.0, 3.0, 2.0], percent) == expected


def test_every_round_runs_every_contender_once() -> None:
    """Rounds are spread over the blocks, and a batch is one sample."""
    calls = {"a": 0, "b": 0}

    def count(name: str) -> None:
        calls[name] += 1

    samples = common.measure(
        {"a": lambda: count("a"), "b": lambda: count("b")}, rounds=5, blocks=2, seed=1, batch=3, warm_up=1
    )
    assert {name: [len(block) for block in blocks] for name, blocks in samples.items()} == {"a": [3, 2], "b": [3, 2]}
    assert calls == {"a": 18, "b": 18}


@pytest.mark.parametrize("rounds", ["0", "-1", "x"])
def test_a_number_of_rounds_is_at_least_one(rounds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is wrong usage."""
    with pytest.raises(SystemExit) as stopped:
        common.arguments("", rounds=1, blocks=1, peers=False).parse_args(["--rounds", rounds])
    assert stopped.value.code == 2
    assert "--rounds" in capsys.readouterr().err


def test_builder_measures_a_flow_and_an_import() -> None:
    """Both ways of writing it, and the import of every class."""
    found = measured("builder", "--no-peer")
    assert len(found["tables"]["a Flow"]) == 4
    assert [row["process"] for row in found["tables"]["an import"]] == ["from whatsapp_flows.builder import *"]
    assert all(target["value"] > 0 for target in found["targets"])
