"""Every request of the client, and every answer to it, against Meta's own OpenAPI file, over a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.openapi.contract import check_request, check_response
from tests.support import TOKEN, valid_flow
from whatsapp_flows import FlowsClient, FlowsError, FlowStateError
from whatsapp_flows.emulator import Emulator

EXAMPLES = Path(__file__).parent.parent / "examples" / "flows"
DOCUMENT = json.dumps(valid_flow())
PEM = (Path(__file__).parent / "data" / "public_key.pem").read_text()


class Checked:
    """A session whose every exchange is checked; the operations' ids are remembered."""

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.session = requests.Session()
        self.session.hooks["response"].append(self.check)

    def check(self, answer: requests.Response, **_: object) -> None:
        asked = answer.request
        parts = urlsplit(asked.url or "")
        if parts.path.startswith("/cdn"):
            assert "Authorization" not in asked.headers
            return
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name: str(value) for name, value in asked.headers.items()}
        body = asked.body or b""
        assert isinstance(body, bytes)
        method = asked.method or ""
        self.operations.append(check_request(method, parts.path, headers, query, headers.get("Content-Type"), body))
        check_response(method, parts.path, answer.status_code, answer.json())


@pytest.fixture(scope="module")
def meta() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def checked() -> Iterator[Checked]:
    exchange = Checked()
    yield exchange
    exchange.session.close()


def test_every_call_of_the_client_keeps_metas_contract(meta: Emulator, checked: Checked) -> None:
    """The lifecycle of flows with all methods: each request and answer is as Meta's file describes it."""
    other = "20100000000000055"
    meta.add_account(other)
    client = FlowsClient(TOKEN, meta.waba_id, base_url=meta.url, session=checked.session, app_secret="secret-secret")
    client.with_options(waba_id=other).create_flow("elsewhere", ["OTHER"], flow_json=DOCUMENT)

    flow = client.create_flow("contract", ["OTHER", "SURVEY"])
    whole = client.create_flow("whole", ["OTHER"], flow_json=DOCUMENT, publish=True)
    clone = client.create_flow("clone", ["OTHER"], clone_flow_id=whole.id)
    client.update_flow(flow.id, name="renamed", categories=["OTHER"], endpoint_uri="https://example.com/flow")
    assert client.update_flow_json(flow.id, (EXAMPLES / "solar_installation.json")).validation_errors == ()
    assert {it.name for it in client.list_flows(page_size=1)} >= {"renamed", "whole", "clone"}
    found = client.find_flow_by_name("whole")
    assert found is not None
    assert found.id == whole.id
    assert client.get_flow(flow.id).endpoint_uri == "https://example.com/flow"
    assert client.get_flow(flow.id, fields="id,assets{name,download_url}").assets[0].name == "flow.json"
    assert client.get_preview(flow.id).url != client.get_preview(flow.id, invalidate=True).url
    assert client.get_health(flow.id, phone_number_id=meta.phone_number_id).entities
    assert client.list_assets(flow.id)[0].asset_type == "FLOW_JSON"
    assert client.download_flow_json(flow.id) == (EXAMPLES / "solar_installation.json").read_bytes()
    meta.add_metric(flow.id, "ENDPOINT_REQUEST_COUNT", {"value": 300})
    assert client.get_metric(flow.id, "ENDPOINT_REQUEST_COUNT", "DAY").data_points[0].data == {"value": 300.0}
    with pytest.raises(FlowStateError):
        client.get_metric(clone.id, "ENDPOINT_REQUEST_COUNT", "LIFETIME", since="2026-01-01", until="2026-01-31")
    assert client.list_phone_numbers()[0].id == meta.phone_number_id
    client.set_public_key(meta.phone_number_id, PEM)
    assert client.get_public_key(meta.phone_number_id).status == "VALID"
    client.subscribe_app()
    assert len(client.list_subscribed_apps()) == 1
    client.publish_flow(flow.id)
    client.deprecate_flow(flow.id)
    client.delete_flow(clone.id)
    migration = client.migrate_flows(other, ["elsewhere", "nowhere"])
    assert [it.source_name for it in migration.migrated] == ["elsewhere"]
    assert [it.source_name for it in migration.failed] == ["nowhere"]
    assert client.migrate_flows(other).failed[0].error_code == 4233041

    assert set(checked.operations) == {
        "createFlow", "deleteFlow", "deprecateFlow", "getAllSubscriptionsForAWaba", "getBusinessEncryptionPublicKey",
        "getFlow", "getWhatsAppBusinessAccountPhoneNumbers", "listAssetsGetFlowJsonUrl", "listFlows", "migrateFlows",
        "publishFlow", "setBusinessEncryptionPublicKey", "subscribeToWabaWebhooks", "updateFlowJson",
        "updateFlowMetadata",
    }  # fmt: skip
    assert meta.leaks == ()


REFUSED: list[Callable[[FlowsClient], object]] = [
    lambda client: client.get_flow("404404404"),
    lambda client: client.create_flow("twice", ["OTHER"]),
    lambda client: client.create_flow("no such category", ["BRAND_NEW"]),
    lambda client: client.get_flow(client.find_flow_by_name("twice").id, fields="colour"),  # type: ignore[union-attr]
    lambda client: client.publish_flow(client.create_flow("empty", ["OTHER"]).id),
    lambda client: client.with_options(waba_id="999").subscribe_app(),
]


def test_every_refusal_keeps_metas_contract(meta: Emulator, checked: Checked) -> None:
    """Errors of the emulator are errors as Meta's file describes them."""
    client = FlowsClient(TOKEN, meta.waba_id, base_url=meta.url, session=checked.session)
    client.create_flow("twice", ["OTHER"])
    for call in REFUSED:
        with pytest.raises(FlowsError) as caught:
            call(client)
        assert caught.value.code
        assert caught.value.fbtrace_id
