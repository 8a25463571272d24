"""Complete scenarios over a real socket; each request and response is checked against Meta's OpenAPI file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.emulator.support import NOON, PEM, WABA, Clock, Graph, endpoint_json, error_of, flow_json
from whatsapp_flows.emulator import Emulator

pytestmark = pytest.mark.slow


def test_the_life_of_a_flow(meta: Emulator, graph: Graph) -> None:
    """Created, uploaded, published, edited, published again, deprecated."""
    flow_id = graph.create(meta, "survey")
    assert graph.upload(flow_id, flow_json()).json() == {"success": True, "validation_errors": []}
    assert graph.post(f"{flow_id}/publish") == {"success": True}
    assert graph.post(flow_id, {"name": "poll", "categories": '["SURVEY"]'}) == {"success": True}
    assert graph.get(flow_id, fields="status")["status"] == "DRAFT"
    assert graph.post(f"{flow_id}/publish") == {"success": True}
    assert graph.post(f"{flow_id}/deprecate") == {"success": True}
    assert error_of(graph.send("DELETE", flow_id)) == (400, 139004, 4016026)
    assert [flow.status for flow in meta.flows()] == ["DEPRECATED"]


def test_a_flow_with_an_endpoint(meta: Emulator, graph: Graph) -> None:
    """Key, subscription and endpoint first; then it can be published."""
    created = graph.post(
        f"{WABA}/flows",
        {
            "name": "booking",
            "categories": '["APPOINTMENT_BOOKING"]',
            "flow_json": endpoint_json().decode(),
            "endpoint_uri": "https://example.com/flow",
        },
    )
    publish = f"{created['id']}/publish"
    assert error_of(graph.send("POST", publish)) == (400, 139002, 4233012)
    key = f"{meta.phone_number_id}/whatsapp_business_encryption"
    assert graph.post(key, {"business_public_key": PEM}) == {"success": True}
    assert graph.get(key)["data"][0]["business_public_key_signature_status"] == "VALID"
    assert error_of(graph.send("POST", publish)) == (400, 139002, None)
    assert graph.post(f"{WABA}/subscribed_apps") == {"success": True}
    assert len(graph.get(f"{WABA}/subscribed_apps")["data"]) == 1
    assert graph.post(publish) == {"success": True}
    assert graph.send("DELETE", f"{WABA}/subscribed_apps").json() == {"success": True}


@pytest.mark.parametrize("encoding", ["data", "json", "params", "files"])
def test_a_flow_can_be_created_in_any_encoding(meta: Emulator, graph: Graph, encoding: str) -> None:
    """Form, JSON body, query and multipart mean the same."""
    values = {"name": "a", "categories": '["OTHER"]', "flow_json": flow_json().decode()}
    encoded: dict[str, dict[str, Any]] = {
        "data": {"data": values},
        "json": {"json": {**values, "categories": ["OTHER"]}},
        "params": {"params": values},
        "files": {"files": {name: (None, value) for name, value in values.items()}},
    }
    answer = graph.send("POST", f"{meta.waba_id}/flows", **encoded[encoding])
    assert answer.json()["validation_errors"] == []
    (flow,) = meta.flows()
    assert (flow.name, flow.categories, flow.flow_json) == ("a", ("OTHER",), flow_json())


def test_the_processing_failure_saves_the_document(meta: Emulator, graph: Graph) -> None:
    """139001/4016012 twice, then success; the document was there after the first."""
    flow_id = graph.create(meta, "a")
    fault = meta.fail("update_flow_json", code=139001, subcode=4016012, times=2)
    refused = graph.upload(flow_id, flow_json(version="7.2"))
    assert error_of(refused) == (400, 139001, 4016012)
    assert refused.json()["error"]["is_transient"] is False
    assert meta.flow(flow_id).flow_json == flow_json(version="7.2")
    assert graph.upload(flow_id, flow_json()).status_code == 400
    assert graph.upload(flow_id, flow_json()).status_code == 200
    assert (fault.seen, fault.struck) == (3, 2)


def test_a_document_comes_back_byte_for_byte(meta: Emulator, graph: Graph) -> None:
    """The download is from another host name, without the token."""
    flow_id = graph.create(meta, "a")
    content = b'{"version": "7.3",\r\n  "screens": [ {"title": "\xc3\xa9"} ]}'
    graph.upload(flow_id, content)
    url = graph.get(f"{flow_id}/assets")["data"][0]["download_url"]
    assert urlsplit(url).hostname != urlsplit(meta.url).hostname
    answer = requests.get(url, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "application/json", content)
    assert meta.leaks == ()
    assert meta.requests[-1].operation == "download_flow_json"


def test_a_leaked_token_is_caught(meta: Emulator, graph: Graph) -> None:
    """The download is rejected, and recorded in `leaks`."""
    flow_id = meta.add_flow("a", flow_json=flow_json()).id
    url = graph.get(f"{flow_id}/assets")["data"][0]["download_url"]
    assert requests.get(url, headers={"Authorization": "Bearer EAA"}, timeout=30).status_code == 400
    assert requests.get(url + "&access_token=EAA", timeout=30).status_code == 400
    assert [leak.status for leak in meta.leaks] == [400, 400]
    assert "EAA" not in repr(meta.leaks)


def test_pages_are_followed_by_cursor(meta: Emulator, graph: Graph) -> None:
    """The `next` link works too, and contains the token."""
    ids = [meta.add_flow(f"flow {at}").id for at in range(7)]
    first = graph.get(f"{WABA}/flows", limit="3", fields="id,preview.invalidate(false)")
    query = parse_qs(urlsplit(first["paging"]["next"]).query)
    assert (query["access_token"], query["limit"]) == (["token"], ["3"])
    second = requests.get(first["paging"]["next"], timeout=30).json()
    third = graph.get(f"{WABA}/flows", limit="3", after=second["paging"]["cursors"]["after"])
    assert [flow["id"] for page in (first, second, third) for flow in page["data"]] == ids
    assert "next" not in third["paging"]
    back = graph.get(f"{WABA}/flows", limit="3", before=third["paging"]["cursors"]["before"])
    assert [flow["id"] for flow in back["data"]] == ids[3:6]


def test_flows_move_to_another_account(meta: Emulator, graph: Graph) -> None:
    """For each form in which the names can be sent."""
    meta.add_account("30")
    for name in ("a", "b"):
        meta.add_flow(name, flow_json=flow_json(), waba_id="30")
    body = graph.post(f"{WABA}/migrate_flows", params={"source_waba_id": "30", "source_flow_names": '["a"]'})
    assert [each["source_name"] for each in body["migrated_flows"]] == ["a"]
    body = graph.post(f"{WABA}/migrate_flows", {"source_waba_id": "30"})
    assert [each["source_name"] for each in body["failed_flows"]] == ["a"]
    assert [flow.name for flow in meta.flows(WABA)] == ["a", "b"]


def test_what_arrived_can_be_looked_at(meta: Emulator, graph: Graph) -> None:
    """Header, form, files and body as they were sent."""
    flow_id = graph.create(meta, "a")
    graph.upload(flow_id, flow_json())
    create, upload = meta.requests
    assert (create.operation, create.method, create.path) == ("create_flow", "POST", f"/v25.0/{WABA}/flows")
    assert create.form == {"name": "a", "categories": '["OTHER"]'}
    assert (create.status, create.at) == (200, NOON)
    assert upload.form == {"name": "flow.json", "asset_type": "FLOW_JSON"}
    assert upload.files["file"].content == flow_json()
    assert upload.headers["Authorization"] == "Bearer token"
    assert "Bearer token" not in repr(upload)
    assert flow_json() in upload.body


@pytest.mark.parametrize(
    ("reset", "made", "error"),
    [("before", 0, requests.ConnectionError), ("after", 1, requests.ConnectionError)],
)
def test_a_lost_answer(meta: Emulator, graph: Graph, reset: str, made: int, error: type[Exception]) -> None:
    """The client cannot tell whether the request took effect."""
    meta.fail("create_flow", reset=reset, times=1)  # type: ignore[arg-type]  # a parameter of the test
    with pytest.raises(error, match="reset"):
        graph.create(meta, "a")
    assert len(meta.flows()) == made


def test_a_body_cut_short(meta: Emulator, graph: Graph) -> None:
    """The request took effect, and the client detects the missing bytes."""
    meta.fail("create_flow", truncate=5, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        graph.create(meta, "a")
    assert len(meta.flows()) == 1


def test_a_page_of_a_proxy(meta: Emulator, graph: Graph) -> None:
    """A status without JSON, for one Flow only."""
    first, second = (meta.add_flow(name).id for name in "ab")
    meta.fail("get_flow", status=502, body="<html>Bad Gateway</html>", flow_id=first)
    answer = graph.send("GET", first)
    assert (answer.status_code, answer.text) == (502, "<html>Bad Gateway</html>")
    assert graph.send("GET", second).status_code == 200


def test_a_client_that_gives_up_waiting_has_been_served(clock: Clock) -> None:
    """The delay comes after the work; closing does not wait for it."""
    with Emulator(clock=clock) as meta, Graph(meta) as graph:
        meta.fail("create_flow", delay=3600, times=1)
        with pytest.raises(requests.Timeout):
            requests.post(
                f"{meta.url}/v25.0/{WABA}/flows",
                data={"name": "a", "categories": '["OTHER"]', "access_token": "t"},
                timeout=0.05,
            )
        assert [flow["name"] for flow in graph.get(f"{WABA}/flows")["data"]] == ["a"]


def test_a_wrong_request_is_refused(meta: Emulator, graph: Graph) -> None:
    """Wrong methods, bodies and paths are errors."""
    flow_id = meta.add_flow("a").id
    asked: tuple[tuple[str, str, dict[str, Any], tuple[int, int, int | None]], ...] = (
        ("PATCH", flow_id, {}, (400, 100, 33)),
        ("POST", f"{flow_id}/assets", {"json": {"file": "{}"}}, (400, 100, None)),
        ("POST", f"{flow_id}/assets", {"data": {"name": "flow.json"}}, (400, 100, None)),
        ("GET", "nothing/at/all", {}, (400, 2500, None)),
        ("GET", "99", {}, (400, 100, 33)),
    )
    for method, path, parts, expected in asked:
        assert error_of(graph.send(method, path, valid=False, **parts)) == expected


def test_a_stranger_gets_nothing(meta: Emulator) -> None:
    """Without a token, code 104; a token in the query is accepted."""
    with Graph(meta, token=None) as graph:
        assert error_of(graph.send("GET", f"{WABA}/flows", valid=False)) == (401, 104, None)
        assert graph.get(f"{WABA}/flows", access_token="t") == {"data": []}


def test_an_old_version_is_served_by_the_oldest(meta: Emulator) -> None:
    """A header names the version."""
    with Graph(meta, version="v17.0") as graph:
        assert graph.send("GET", f"{WABA}/flows").headers["facebook-api-version"] == "v20.0"
    with Graph(meta, version="v99.9") as graph:
        assert error_of(graph.send("GET", f"{WABA}/flows")) == (400, 2500, None)


def test_many_clients_at_once(meta: Emulator) -> None:
    """Of concurrent creates with one name, one succeeds; no change is lost."""

    def work(worker: int) -> list[int]:
        with Graph(meta) as graph:
            shared = graph.send("POST", f"{WABA}/flows", data={"name": "one", "categories": '["OTHER"]'}).status_code
            for at in range(10):
                graph.create(meta, f"{worker} {at}")
            return [shared]

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(status for result in pool.map(work, range(8)) for status in result)
    assert statuses == [200, *[400] * 7]
    assert len(meta.flows()) == 81
    assert len({flow.id for flow in meta.flows()}) == 81
    assert len(meta.requests) == 88


def test_a_world_outlives_its_emulator(tmp_path: Path, clock: Clock) -> None:
    """In a file: Flows, documents, keys, subscriptions and preview links."""
    database = tmp_path / "world.db"
    with Emulator(database=database, clock=clock) as meta, Graph(meta) as graph:
        flow_id = graph.create(meta, "a", flow_json())
        graph.post(f"{flow_id}/publish")
        graph.post(f"{meta.phone_number_id}/whatsapp_business_encryption", {"business_public_key": PEM})
        preview = graph.get(flow_id, fields="preview")
        flows = meta.flows()
        meta.close()
        meta.start()
        assert meta.flows() == flows
    with Emulator(database=database, waba_id="30", phone_number_ids=["31"], clock=clock) as meta, Graph(meta) as graph:
        assert meta.flows() == flows
        assert graph.get(flow_id, fields="preview") == preview
        assert graph.get(f"{WABA}/phone_numbers")["data"]
        assert [number["id"] for number in graph.get("30/phone_numbers")["data"]] == ["31"]
        assert graph.create(meta, "b") > flow_id
    assert [path.name for path in tmp_path.iterdir()] == ["world.db"]


_SERVE = """
import sys
from whatsapp_flows.emulator import serve
serve(database=sys.argv[1], on_ready=lambda meta: print(meta.url, flush=True))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_killed_emulator_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """After kill -9, every change with a response is in the file, and the file is valid."""
    database = tmp_path / "world.db"
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(database)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        url = output.readline().strip()
        answered: list[str] = []
        enough = threading.Event()

        def keep_creating() -> None:
            with requests.Session() as session:
                for at in range(100_000):
                    try:
                        answer = session.post(
                            f"{url}/v25.0/{WABA}/flows",
                            json={"name": f"flow {at}", "categories": ["OTHER"], "flow_json": flow_json().decode()},
                            headers={"Authorization": "Bearer t"},
                            timeout=30,
                        )
                    except requests.RequestException:
                        return
                    answered.append(answer.json()["id"])
                    if at == 50:
                        enough.set()

        with ThreadPoolExecutor(1) as pool:
            pool.submit(keep_creating)
            assert enough.wait(30)
            process.kill()
            process.wait(30)
    with Emulator(database=database) as meta:
        kept = [flow.id for flow in meta.flows()]
        assert kept[: len(answered)] == answered
        assert len(kept) - len(answered) in (0, 1)
        assert {flow.flow_json for flow in meta.flows()} == {flow_json()}


def test_health_and_metrics_over_the_wire(meta: Emulator, graph: Graph) -> None:
    """They are recorded as operations of their own, and can have their own faults."""
    flow_id = meta.add_flow("a", flow_json=flow_json()).id
    meta.fail("get_metric", code=12)
    fields = {
        "get_health": f"health_status.phone_number({meta.phone_number_id})",
        "get_metric": "metric.name(ENDPOINT_REQUEST_COUNT).granularity(LIFETIME)",
        "get_preview": "preview.invalidate(true)",
        "get_flow": "id,health_status",
    }
    statuses = [graph.send("GET", flow_id, params={"fields": text}).status_code for text in fields.values()]
    assert statuses == [200, 400, 200, 200]
    assert [request.operation for request in meta.requests] == list(fields)


def test_a_version_7_document_that_is_large(meta: Emulator, graph: Graph) -> None:
    """Ten megabytes are accepted; more is an error, and the connection stays open."""
    flow_id = graph.create(meta, "a")
    document = json.loads(flow_json())
    document["padding"] = "x" * (10 * 1024 * 1024 - len(json.dumps({**document, "padding": ""})))
    content = json.dumps(document).encode()
    assert len(content) == 10 * 1024 * 1024
    assert graph.upload(flow_id, content).status_code == 200
    assert error_of(graph.upload(flow_id, content + b" ")) == (400, 100, None)
    assert graph.get(flow_id)["id"] == flow_id


def test_numbers_stand_for_ids_in_a_json_body(meta: Emulator, graph: Graph) -> None:
    """As clients in other languages write them."""
    source = meta.add_flow("a", flow_json=flow_json()).id
    body = {"name": "b", "categories": ["OTHER"], "clone_flow_id": int(source)}
    clone = graph.post(f"{WABA}/flows", json=body)["id"]
    graph.post(clone, json={"application_id": 20300000000000007})
    assert (meta.flow(clone).flow_json, meta.flow(clone).application_id) == (flow_json(), "20300000000000007")
    meta.add_account("20100000000000002")
    moved = graph.post("20100000000000002/migrate_flows", json={"source_waba_id": int(WABA)})
    assert [each["source_id"] for each in moved["migrated_flows"]] == [source, clone]


def test_nodes_beside_flows_are_read(meta: Emulator, graph: Graph) -> None:
    """The account, its number, and several nodes at once."""
    flow_id = meta.add_flow("a").id
    account = graph.send("GET", WABA, valid=False).json()
    number = graph.send("GET", meta.phone_number_id, valid=False, params={"fields": "name_status"}).json()
    assert (account["timezone_id"], number["name_status"]) == ("1", "APPROVED")
    several = graph.send("GET", "", valid=False, params={"ids": f"{WABA},{flow_id}", "fields": "name"}).json()
    assert several == {WABA: {"name": f"Account {WABA}", "id": WABA}, flow_id: {"name": "a", "id": flow_id}}


def test_a_path_without_a_version_is_served(meta: Emulator) -> None:
    """By the oldest live version, which the response names."""
    flow_id = meta.add_flow("a").id
    answer = requests.get(f"{meta.url}/{flow_id}?fields=name&access_token=t", timeout=30)
    assert (answer.json()["name"], answer.headers["facebook-api-version"]) == ("a", "v20.0")


@pytest.mark.parametrize("place", ["params", "data", "json"])
def test_a_post_may_mean_a_delete(meta: Emulator, graph: Graph, place: str) -> None:
    """In the query, in a form, in a JSON body."""
    flow_id = meta.add_flow("a").id
    asked: dict[str, Any] = {place: {"method": "delete"}}
    assert graph.send("POST", flow_id, valid=False, **asked).json() == {"success": True}
    assert meta.flows() == ()
    (request,) = meta.requests
    assert (request.operation, request.method) == ("delete_flow", "POST")


def test_a_create_may_send_its_json_as_a_file(meta: Emulator, graph: Graph) -> None:
    """As a part with a file name, which some multipart libraries always add."""
    values = {"name": "a", "categories": '["OTHER"]'}
    file = {"flow_json": ("flow.json", flow_json(), "application/json")}
    created = graph.send("POST", f"{WABA}/flows", valid=False, data=values, files=file).json()
    assert (created["success"], meta.flow(created["id"]).flow_json) == (True, flow_json())


def test_a_batch_uploads_files(meta: Emulator, graph: Graph) -> None:
    """Two documents in one request, and then a read of both."""
    ids = [meta.add_flow(name).id for name in "ab"]
    fixed = "name=flow.json&asset_type=FLOW_JSON"
    batch = [
        {"method": "POST", "relative_url": f"{flow_id}/assets", "body": fixed, "attached_files": f"file{at}"}
        for at, flow_id in enumerate(ids)
    ]
    batch.append({"method": "GET", "relative_url": f"?ids={','.join(ids)}&fields=json_version"})
    files = {f"file{at}": ("flow.json", flow_json(version=f"7.{at + 2}"), "application/json") for at in (0, 1)}
    answer = graph.send("POST", "", valid=False, data={"batch": json.dumps(batch)}, files=files)
    assert [item["code"] for item in answer.json()] == [200, 200, 200]
    assert [node["json_version"] for node in json.loads(answer.json()[2]["body"]).values()] == ["7.2", "7.3"]


def test_a_page_of_a_stranger_gets_nowhere(meta: Emulator) -> None:
    """Neither DNS rebinding nor a cross-site form gets a response."""
    url = f"{meta.url}/v25.0/{WABA}/subscribed_apps?access_token=t"
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert requests.post(url, headers=headers, timeout=30).status_code == 403
    assert requests.post(url, timeout=30).json() == {"success": True}


def test_faults_are_set_over_http(meta: Emulator, graph: Graph) -> None:
    """The control API sets faults and lists the requests."""
    control = f"{meta.url}/_emulator"
    added = requests.post(f"{control}/faults", json={"operation": "list_flows", "code": 80008, "times": 1}, timeout=30)
    assert added.status_code == 201
    assert error_of(graph.send("GET", f"{WABA}/flows")) == (400, 80008, None)
    assert graph.get(f"{WABA}/flows")["data"] == []
    (fault,) = requests.get(f"{control}/faults", timeout=30).json()["faults"]
    assert (fault["seen"], fault["struck"], len(meta.faults)) == (2, 1, 1)
    listed = requests.get(f"{control}/requests", timeout=30)
    assert [each["status"] for each in listed.json()["requests"]] == [400, 200]
    assert "Bearer" not in listed.text
    assert requests.delete(f"{control}/faults", timeout=30).json() == {"success": True}
    assert meta.faults == ()


def test_webhooks_may_go_elsewhere(meta: Emulator, graph: Graph) -> None:
    """The callback override is returned."""
    address = {"override_callback_uri": "https://hooks.example/wa", "verify_token": "v"}
    graph.post(f"{meta.waba_id}/subscribed_apps", json=address)
    (app,) = graph.get(f"{meta.waba_id}/subscribed_apps")["data"]
    assert app["override_callback_uri"] == "https://hooks.example/wa"


def test_an_unknown_version_is_reported_with_its_place(meta: Emulator, graph: Graph) -> None:
    """HTTP 200 with an error that has lines and columns; publishing fails."""
    flow_id = graph.create(meta, "a")
    (issue,) = graph.upload(flow_id, flow_json(version="8.0")).json()["validation_errors"]
    assert issue["error"] == "INVALID_FLOW_JSON_VERSION"
    assert issue["line_start"] == issue["line_end"] == 1
    assert error_of(graph.send("POST", f"{flow_id}/publish")) == (400, 139002, 4016011)


def test_a_write_may_be_read_after(meta: Emulator, graph: Graph) -> None:
    """In the same call."""
    flow_id = meta.add_flow("a", flow_json=flow_json()).id
    assert graph.post(f"{flow_id}/publish?fields=status") == {"success": True, "status": "PUBLISHED", "id": flow_id}
