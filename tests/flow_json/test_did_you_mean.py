"""A message about a misspelt name suggests the nearest one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow_json.samples import TODAY, footer, navigate, screen
from whatsapp_flows.flow_json import validate


def flow(go: str = "SECOND", model: Any = None, **child: Any) -> dict[str, Any]:
    first = screen("FIRST", {"type": "TextBody", "text": "x", **child}, navigate(go))
    root = {"routing_model": {"FIRST": ["SECOND"]} if model is None else model}
    return {"version": "7.3", **root, "screens": [first, screen("SECOND", footer(), terminal=True)]}


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        (flow(font_weight="bold"), "Did you mean 'font-weight'?"),
        (flow(Visible=True), "Did you mean 'visible'?"),
        (flow(**{"font-weight": "bald"}), "Did you mean 'bold'?"),
        (flow(type="TextBodyy"), "Did you mean 'TextBody'?"),
        (flow(type="textbody"), "Did you mean 'TextBody'?"),
        (flow("SECCOND"), "Did you mean 'SECOND'?"),
        (flow("second"), "Did you mean 'SECOND'?"),
        (flow(model={"FIRST": ["SECOND", "SECNOD"]}), "Did you mean 'SECOND'?"),
        (flow(model={"FIRTS": ["SECOND"], "FIRST": ["SECOND"]}), "Did you mean 'FIRST'?"),
    ],
)
def test_a_near_name_is_suggested(document: Any, hint: str) -> None:
    """For a property, a value of an enum, a component and a screen."""
    assert any(issue.message.endswith(hint) for issue in validate(document, today=TODAY).errors)


@pytest.mark.parametrize(
    "document",
    [
        flow(colour="red"),
        flow(type="Video"),
        flow("ELSEWHERE"),
        flow(model={"FIRST": ["SECOND", "X"], "Y": []}),
        flow("SECONDD") | {"screens": [*flow("SECONDD")["screens"], *[screen(f"S{'A' * i}") for i in range(100)]]},
    ],
)
def test_no_suggestion_without_a_near_name(document: Any) -> None:
    """Without a near name there is no suggestion; a document with too many screens is not searched."""
    errors = validate(document, today=TODAY).errors
    assert errors
    assert not [issue.message for issue in errors if "Did you mean 'S" in issue.message or "mean 'v" in issue.message]
