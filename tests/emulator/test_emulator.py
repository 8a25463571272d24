"""The `Emulator`: its lifecycle, its options, and changes to its world."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

import whatsapp_flows.emulator as package
from tests.emulator.support import NOON, PEM, Clock, Graph, endpoint_json, error_of, flow_json
from whatsapp_flows.emulator import Emulator, serve


def test_it_can_be_started_and_closed_twice() -> None:
    """The second call does nothing."""
    meta = Emulator()
    assert meta.start() is meta.start() is meta
    address = meta.url
    meta.close()
    meta.close()
    assert meta.url == address


def test_it_has_no_address_before_it_is_started() -> None:
    """`url` raises instead of returning an address without a server."""
    with pytest.raises(RuntimeError, match="before it is started"):
        _ = Emulator().url


def test_an_outage_can_be_played(clock: Clock) -> None:
    """Closed, it refuses connections; started again, it has the same address and world."""
    meta = Emulator(clock=clock)
    with meta, Graph(meta) as graph:
        flow_id = graph.create(meta, "a")
        meta.close()
        with pytest.raises(requests.ConnectionError):
            graph.get(flow_id)
        with pytest.raises(RuntimeError, match="not running"):
            meta.lock(flow_id)
        meta.start()
        assert graph.get(flow_id)["name"] == "a"


def test_a_taken_port_is_an_error_and_leaves_nothing_open(meta: Emulator, tmp_path: Path) -> None:
    """The database can be used again at once."""
    port = urlsplit(meta.url).port
    assert port is not None
    other = Emulator(port=port, database=tmp_path / "world")
    with pytest.raises(OSError, match="in use"):
        other.start()
    with Emulator(database=tmp_path / "world"):
        pass


@pytest.mark.parametrize(
    ("host", "options", "api", "files"),
    [
        ("127.0.0.1", {}, "127.0.0.1", "localhost"),
        ("localhost", {}, "localhost", "127.0.0.1"),
        ("0.0.0.0", {}, "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", {"cdn_host": "files.example"}, "127.0.0.1", "files.example"),
    ],
)
def test_files_are_on_another_host_name(host: str, options: dict[str, Any], api: str, files: str) -> None:
    """A loopback address has two names; for others `cdn_host` sets one."""
    with Emulator(host=host, **options) as meta, Graph(meta) as graph:
        assert urlsplit(meta.url).hostname == api
        flow_id = meta.add_flow("a", flow_json=flow_json()).id
        url = graph.get(f"{flow_id}/assets")["data"][0]["download_url"]
        assert urlsplit(url).hostname == files


def test_an_ipv6_address_is_written_in_brackets() -> None:
    """Where there is IPv6."""
    try:
        meta = Emulator(host="::1").start()
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert meta.url.startswith("http://[::1]:")
    meta.close()


@pytest.mark.parametrize(
    "options",
    [
        {"tokens": "one"},
        {"phone_number_ids": "12"},
        {"page_size": 0},
        {"calls_per_hour": 0},
        {"waba_id": "mine"},
        {"phone_number_ids": ["+1 555"]},
    ],
)
def test_options_that_make_no_sense_are_mistakes(options: dict[str, Any]) -> None:
    """ValueError, before anything listens."""
    with pytest.raises(ValueError, match=r"not |at least"):
        Emulator(**options)


def test_the_first_ids_can_be_chosen() -> None:
    """An account without numbers has no first one."""
    meta = Emulator(waba_id="1", phone_number_ids=["2", "3"])
    assert (meta.waba_id, meta.phone_number_id) == ("1", "2")
    with pytest.raises(LookupError):
        _ = Emulator(phone_number_ids=()).phone_number_id


def test_only_known_tokens_are_accepted_when_there_are_some() -> None:
    """Any other is code 190."""
    with Emulator(tokens=["good"]) as meta, Graph(meta, token="good") as good, Graph(meta, token="bad") as bad:
        assert good.get(f"{meta.waba_id}/flows") == {"data": []}
        assert error_of(bad.send("GET", f"{meta.waba_id}/flows")) == (401, 190, None)


def test_pages_have_the_size_chosen(clock: Clock) -> None:
    """For calls without `limit`."""
    with Emulator(page_size=2, clock=clock) as meta, Graph(meta) as graph:
        for name in "abc":
            meta.add_flow(name)
        assert len(graph.get(f"{meta.waba_id}/flows")["data"]) == 2


def test_a_quota_is_kept(clock: Clock) -> None:
    """Beyond it calls fail with code 80008 and the minutes to wait, until an hour has passed."""
    with Emulator(calls_per_hour=2, clock=clock) as meta, Graph(meta) as graph:
        answers = [graph.send("GET", f"{meta.waba_id}/flows") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 400]
        assert error_of(answers[2])[1] == 80008
        assert '"estimated_time_to_regain_access": 60' in answers[2].headers["X-Business-Use-Case-Usage"]
        clock.now += 3600
        assert graph.get(f"{meta.waba_id}/flows") == {"data": []}


def test_the_same_seed_gives_the_same_links() -> None:
    """Trace ids, preview links and random faults are the same in every run."""

    def run(seed: int) -> list[object]:
        with Emulator(seed=seed, clock=Clock()) as meta, Graph(meta) as graph:
            meta.fail("list_flows", status=500, probability=0.5)
            flow_id = meta.add_flow("a").id
            returned = graph.get(flow_id, fields="preview")
            statuses = [graph.send("GET", f"{meta.waba_id}/flows").status_code for _ in range(10)]
            return [returned, statuses]

    assert run(1) == run(1) != run(2)


def test_what_arrived_can_be_forgotten(meta: Emulator, graph: Graph) -> None:
    """So that a test can inspect the requests after a point."""
    graph.get(f"{meta.waba_id}/flows")
    assert [request.operation for request in meta.requests] == ["list_flows"]
    meta.clear_requests()
    assert meta.requests == meta.leaks == ()


def test_usage_can_be_set(meta: Emulator, graph: Graph) -> None:
    """And reset to that of the quota."""
    path = f"{meta.waba_id}/flows"
    meta.set_usage(95, minutes=7)
    headers = graph.send("GET", path).headers
    assert '"call_count": 95' in headers["X-App-Usage"]
    assert '"estimated_time_to_regain_access": 7' in headers["X-Business-Use-Case-Usage"]
    meta.set_usage(None)
    assert "X-App-Usage" not in graph.send("GET", path).headers


def test_faults_can_be_cleared(meta: Emulator, graph: Graph) -> None:
    """All at once."""
    fault = meta.fail(code=2)
    path = f"{meta.waba_id}/flows"
    assert graph.send("GET", path).status_code == 503
    meta.clear_faults()
    assert graph.send("GET", path).status_code == 200
    assert (fault.seen, fault.struck) == (1, 1)


def test_a_mistaken_fault_is_found_at_once(meta: Emulator) -> None:
    """Invalid arguments raise in `fail`, not when a request arrives."""
    with pytest.raises(ValueError, match="operation must be"):
        meta.fail("upload", code=1)


def test_accounts_and_numbers_can_be_added(meta: Emulator, graph: Graph) -> None:
    """A number belongs to the first account unless told otherwise."""
    meta.add_account("30", business_id="31")
    meta.add_phone_number("32", waba_id="30", verified=False)
    meta.add_phone_number("33")
    listed = [[number["id"] for number in graph.get(f"{waba}/phone_numbers")["data"]] for waba in ("30", meta.waba_id)]
    assert listed == [["32"], [meta.phone_number_id, "33"]]


def test_flows_can_be_there_from_the_start(meta: Emulator, graph: Graph) -> None:
    """In any state, with any document; `flows` and `flow` show them."""
    meta.add_account("30")
    first = meta.add_flow("a", flow_json=flow_json().decode(), status="PUBLISHED", categories=["SURVEY"])
    second = meta.add_flow("a", waba_id="30", endpoint_uri="https://e.example")
    assert meta.flows() == (first, second)
    assert meta.flows("30") == (second,)
    assert meta.flow(first.id) is first
    assert (first.flow_json, first.updated_at, first.document and first.document.version) == (flow_json(), NOON, "7.3")
    returned = graph.get(second.id, fields="name,endpoint_uri")
    assert returned == {"name": "a", "endpoint_uri": "https://e.example", "id": second.id}


def test_metas_decisions_can_be_made(meta: Emulator, graph: Graph, clock: Clock) -> None:
    """A status, a lock, another app, a dead endpoint, a metric."""
    flow_id = meta.add_flow("a", flow_json=endpoint_json(), endpoint_uri="https://e.example").id
    graph.post(f"{meta.phone_number_id}/whatsapp_business_encryption", {"business_public_key": PEM})
    graph.post(f"{meta.waba_id}/subscribed_apps")
    publish = f"{flow_id}/publish"
    meta.set_application(flow_id, None)
    assert "No Application" in graph.send("POST", publish).text
    meta.set_application(flow_id, "5")
    meta.set_endpoint_available(False, endpoint_uri="https://e.example")
    meta.set_endpoint_available(False)
    assert error_of(graph.send("POST", publish)) == (400, 139002, 4233014)
    meta.set_endpoint_available(True, endpoint_uri="https://e.example")
    assert error_of(graph.send("POST", publish)) == (400, 139002, 4233014)
    meta.set_endpoint_available(True)
    assert graph.post(publish) == {"success": True}
    clock.now += 60
    meta.set_status(flow_id, "THROTTLED")
    meta.lock(flow_id)
    assert (meta.flow(flow_id).status, meta.flow(flow_id).updated_at) == ("THROTTLED", NOON + 60)
    meta.add_metric(flow_id, "ENDPOINT_REQUEST_COUNT", {"value": 300})
    meta.add_metric(flow_id, "ENDPOINT_REQUEST_COUNT", {"value": 1}, at=NOON - 86_400)
    metric = graph.get(flow_id, fields="metric.name(ENDPOINT_REQUEST_COUNT).granularity(DAY)")["metric"]
    assert [point["data"][0]["value"] for point in metric["data_points"]] == [1, 300]


def test_metas_decisions_can_be_mistaken(meta: Emulator) -> None:
    """An unknown id is a LookupError, an invalid value a ValueError."""
    flow_id = meta.add_flow("a").id
    for lost in (
        lambda: meta.flow("1"),
        lambda: meta.lock("1"),
        lambda: meta.add_flow("b", waba_id="1"),
        lambda: meta.add_phone_number("2", waba_id="1"),
        lambda: meta.register_again("1"),
    ):
        with pytest.raises(LookupError):
            lost()
    for mistaken in (
        lambda: meta.add_flow("a"),
        lambda: meta.add_flow("b", status="ASLEEP"),
        lambda: meta.set_status(flow_id, "DELETED"),
        lambda: meta.add_account("x"),
        lambda: meta.add_phone_number("²"),
        lambda: meta.add_metric(flow_id, "NONSENSE", {"value": 1}),
        lambda: meta.add_metric(flow_id, "ENDPOINT_REQUEST_COUNT", {"failed": 1}),
        lambda: meta.add_metric(flow_id, "ENDPOINT_REQUEST_COUNT", {}),
    ):
        with pytest.raises(ValueError, match=r"not |already"):
            mistaken()
    assert [flow.name for flow in meta.flows()] == ["a"]


def test_serving_lasts_until_it_is_stopped() -> None:
    """`on_ready` gets the running emulator."""
    stop, urls = threading.Event(), []

    def ready(meta: Emulator) -> None:
        with Graph(meta, token="t") as graph:
            urls.append(graph.get(f"{meta.waba_id}/flows"))
        stop.set()

    serve(tokens=["t"], on_ready=ready, stop=stop)
    assert urls == [{"data": []}]


def test_serving_ends_with_ctrl_c() -> None:
    """Without an error, and the port is closed."""
    seen: list[Emulator] = []

    def interrupted(meta: Emulator) -> None:
        seen.append(meta)
        raise KeyboardInterrupt

    serve(on_ready=interrupted)
    with pytest.raises(requests.ConnectionError):
        requests.get(seen[0].url, timeout=30)


def test_serving_needs_no_callback() -> None:
    """`on_ready` is optional."""
    stop = threading.Event()
    stop.set()
    serve(stop=stop)


def test_without_werkzeug_the_import_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra, by its name."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "whatsapp-flows-sdk\[emulator\]"'):
        importlib.reload(package)


def test_the_public_list_is_what_is_there() -> None:
    """Sorted by name, and nothing that is not exported."""
    assert package.__all__ == sorted(package.__all__, key=lambda name: (name.islower(), name))
    assert all(hasattr(package, name) for name in package.__all__)


def test_importing_the_emulator_does_not_import_the_client() -> None:
    """It imports the server and the validator, and nothing that sends requests or deploys."""
    source = (
        "import sys, whatsapp_flows.emulator\n"
        "rooms = {name.split('.')[1] for name in sys.modules if name.startswith('whatsapp_flows.')}\n"
        "assert {'emulator', 'flow_json', '_server'} <= rooms, rooms\n"
        "assert not rooms & {'_engine', '_requests', 'aio', 'cli', 'client', 'contrib', 'sync', 'transport'}, rooms\n"
        "assert 'requests' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", source], check=True, timeout=30)
