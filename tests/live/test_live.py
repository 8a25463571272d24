"""The origin's integration test: the largest flow, against Meta itself. See README.md beside this file."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from whatsapp_flows import CreatedFlow, FlowsClient, FlowsError, FlowStatus, NotFoundError

ENABLED = bool(os.environ.get("WHATSAPP_FLOWS_LIVE") and os.environ.get("WHATSAPP_FLOWS_ACCESS_TOKEN"))
SOLAR = Path(__file__).parents[2] / "examples" / "flows" / "solar_installation.json"

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not ENABLED, reason="needs WHATSAPP_FLOWS_LIVE=1 and credentials: see tests/live/README.md"),
]


@pytest.fixture
def client() -> Iterator[FlowsClient]:
    with FlowsClient.from_env() as live_client:
        yield live_client


@pytest.fixture
def draft(client: FlowsClient) -> Iterator[CreatedFlow]:
    """A draft of its own name, deleted afterwards; deprecated if it was published."""
    flow = client.create_flow(f"sdk-live-{uuid.uuid4().hex[:12]}", ["OTHER"])
    try:
        yield flow
    finally:
        status = client.get_flow(flow.id, fields="id,status").status
        with contextlib.suppress(NotFoundError):
            if status == FlowStatus.DRAFT:
                client.delete_flow(flow.id)
            elif status == FlowStatus.PUBLISHED:
                client.deprecate_flow(flow.id)


def test_the_largest_flow_gets_through(client: FlowsClient, draft: CreatedFlow) -> None:
    """The document that failed with 139001/4016012 is uploaded, has no validation errors, and reads back the same."""
    update = client.update_flow_json(draft.id, SOLAR, max_retries=3)
    assert update.success
    assert update.validation_errors == ()
    assert json.loads(client.download_flow_json(draft.id)) == json.loads(SOLAR.read_bytes())
    found = client.find_flow_by_name(client.get_flow(draft.id).name)
    assert found is not None
    assert found.id == draft.id


@pytest.mark.skipif(
    not os.environ.get("WHATSAPP_FLOWS_LIVE_PUBLISH"), reason="publishing leaves a deprecated flow behind"
)
def test_the_largest_flow_is_published(client: FlowsClient, draft: CreatedFlow) -> None:
    """From nothing to PUBLISHED."""
    client.update_flow_json(draft.id, SOLAR)
    client.publish_flow(draft.id)
    assert client.get_flow(draft.id).status == FlowStatus.PUBLISHED


def test_a_wrong_id_says_what_to_do(client: FlowsClient) -> None:
    """Meta's own refusal is classified, with a trace id and advice."""
    with pytest.raises(FlowsError) as caught:
        client.get_flow("1")
    assert caught.value.code is not None
    assert caught.value.advice
