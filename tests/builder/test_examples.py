"""The example Flows as Python: they build the same documents as the JSON files beside them."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Final

import pytest

from whatsapp_flows.builder import Flow

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
FLOWS: Final = sorted((EXAMPLES / "flows").glob("*.json"))


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_python_builds_the_same_document(path: Path) -> None:
    """Each of them, and the validator finds no error."""
    flow = runpy.run_path(str(EXAMPLES / "builder" / f"{path.stem}.py"))["flow"]
    assert isinstance(flow, Flow)
    assert flow.to_dict() == json.loads(path.read_text("utf-8"))
    assert flow.check().ok


def test_every_example_stands_in_both_forms() -> None:
    """None is missing."""
    assert {path.stem for path in (EXAMPLES / "builder").glob("*.py")} == {path.stem for path in FLOWS}
