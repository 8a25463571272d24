"""What the sync tests share: flows as they should be and as they are, and folders of them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import valid_flow
from whatsapp_flows.sync import ActualFlow, DesiredFlow

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
    """The same flow as it is."""
    settings: dict[str, object] = {"id": "1", "status": status, "categories": ("OTHER",), "content": FLOW_JSON}
    return ActualFlow(**{**settings, **changes})  # type: ignore[arg-type]


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
