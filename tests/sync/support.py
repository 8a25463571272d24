"""What the sync tests share: flows as they should be and as they are, and folders of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.support import valid_flow
from whatsapp_flows import FlowsClient, RetryPolicy
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.sync import (
    ActualFlow,
    DesiredFlow,
    FlowResult,
    Lock,
    Plan,
    PlanOptions,
    apply,
    diff,
    digest_of,
    take_snapshot,
)

FLOW_JSON = json.dumps(valid_flow("FIRST")).encode()
SAME_FLOW_JSON = json.dumps(dict(reversed(valid_flow("FIRST").items())), indent=2).encode()
OTHER_FLOW_JSON = json.dumps(valid_flow("SECOND")).encode()
FAULTY_FLOW_JSON = b'{"version": "7.3", "screens": []}'


def desired(key: str = "booking", **changes: object) -> DesiredFlow:
    """A flow as it should be."""
    settings: dict[str, object] = {
        "key": key,
        "name": key.title(),
        "file": Path(f"{key}.json"),
        "categories": ("OTHER",),
        "content": FLOW_JSON,
    }
    return DesiredFlow(**{**settings, **changes})  # type: ignore[arg-type]


def actual(status: str = "DRAFT", **changes: object) -> ActualFlow:
    """The same flow as it is; `content` gives its digest."""
    content: bytes | None = changes.pop("content", FLOW_JSON)  # type: ignore[assignment]
    settings: dict[str, object] = {
        "id": "1", "name": "Booking", "status": status, "categories": ("OTHER",), "processed": True,
        "digest": digest_of(content), "content": content,
    }  # fmt: skip
    return ActualFlow(**{**settings, **changes})  # type: ignore[arg-type]


def client_of(meta: Emulator, *, retry_policy: RetryPolicy | None = None) -> FlowsClient:
    """A client whose waits take no time."""
    return FlowsClient(
        "token", meta.waba_id, base_url=meta.url, sleep=lambda seconds: None, retry_policy=retry_policy
    )  # fmt: skip


def planned(
    client: FlowsClient, wanted: Iterable[DesiredFlow], lock: Lock | None = None, **options: object
) -> Plan:  # fmt: skip
    """A plan of the present state."""
    flows = tuple(wanted)
    return diff(flows, take_snapshot(client, flows, lock, jobs=1), PlanOptions(**options))  # type: ignore[arg-type]


def synced(
    client: FlowsClient, *wanted: DesiredFlow, lock: Lock | None = None, jobs: int = 1, **options: object
) -> tuple[FlowResult, ...]:  # fmt: skip
    """Plan and apply."""
    return apply(client, planned(client, wanted, lock, **options), lock=lock, jobs=jobs)


def calls(meta: Emulator) -> list[str]:
    """What arrived, by operation."""
    return [request.operation or "?" for request in meta.requests]


def as_wanted(meta: Emulator, wanted: Iterable[DesiredFlow]) -> None:
    """Assert that each flow exists once, with the desired Flow JSON and status."""
    flows = tuple(wanted)
    names = sorted(flow.name for flow in meta.flows())
    assert names == sorted(flow.name for flow in flows)
    for flow in flows:
        (found,) = [each for each in meta.flows() if each.name == flow.name]
        assert digest_of(found.flow_json) == flow.digest
        assert found.status == ("PUBLISHED" if flow.publish else "DRAFT")


def write_flows(folder: Path, documents: dict[str, bytes], **defaults: object) -> Path:
    """A folder with a Flow JSON for each key, named by the key in title case; returns its flows.toml."""
    lines = [
        "[defaults]",
        *(f"{key} = {json.dumps(value)}" for key, value in {"categories": ["OTHER"], **defaults}.items()),
    ]
    for key, content in documents.items():
        (folder / f"{key}.json").write_bytes(content)
        lines += [f"[flows.{key}]", f'file = "{key}.json"', f'name = "{key.title()}"']
    manifest = folder / "flows.toml"
    manifest.write_text("\n".join(lines))
    return manifest
