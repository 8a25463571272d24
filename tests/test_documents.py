"""Checking before sending: what `validate` on the client and on a call does."""

from __future__ import annotations

import logging

import pytest

from tests.support import FLOW, UPLOADED, Scene, answer, valid_flow
from whatsapp_flows import ConfigurationError, FlowValidationError

GOOD = valid_flow()
BROKEN = {"version": "7.3", "screens": [{**GOOD["screens"][0], "colour": "red"}]}
CREATED = answer({"id": "1"})


def test_nothing_is_checked_unless_asked_for() -> None:
    """By default any JSON is sent."""
    assert Scene(UPLOADED).client.update_flow_json(FLOW, BROKEN).issues == ()
    assert Scene(CREATED).client.create_flow("a", ["OTHER"], flow_json=BROKEN).issues == ()


def test_warn_sends_and_reports_the_issues(caplog: pytest.LogCaptureFixture) -> None:
    """On the result and in the log, with the rule."""
    caplog.set_level(logging.WARNING, logger="whatsapp_flows")
    scene = Scene(UPLOADED, CREATED, validate="warn")
    (issue,) = scene.client.update_flow_json(FLOW, BROKEN).issues
    assert (issue.error, issue.severity) == ("INVALID_PROPERTY_KEY", "error")
    assert issue.pointers[0].path == "screens[0].colour"
    assert scene.client.create_flow("a", ["OTHER"], flow_json=BROKEN).issues == (issue,)
    assert len(scene.transport.requests) == 2
    record = caplog.records[0]
    assert record.getMessage().startswith("Flow JSON: INVALID_PROPERTY_KEY at line 1, column ")
    assert (record.__dict__["severity"], record.__dict__["rule"]) == ("error", issue.rule)


def test_an_error_stops_the_call_before_anything_is_sent() -> None:
    """With "error" an upload and a create raise with the issues."""
    scene = Scene(validate="error")
    for call in (
        lambda: scene.client.update_flow_json(FLOW, BROKEN),
        lambda: scene.client.create_flow("a", ["OTHER"], flow_json=BROKEN),
    ):
        with pytest.raises(FlowValidationError) as caught:
            call()
        assert caught.value.issues[0].error == "INVALID_PROPERTY_KEY"
    assert scene.transport.requests == []


def test_a_good_document_passes_every_check() -> None:
    """It has no issues and is sent."""
    scene = Scene(UPLOADED, validate="error")
    assert scene.client.update_flow_json(FLOW, GOOD).issues == ()


def test_a_call_may_differ_from_its_client() -> None:
    """`validate` of a call overrides the client's, in both directions."""
    scene = Scene(UPLOADED, validate="error")
    assert scene.client.update_flow_json(FLOW, BROKEN, validate="off").success
    with pytest.raises(FlowValidationError):
        Scene().client.update_flow_json(FLOW, BROKEN, validate="error")
    with pytest.raises(FlowValidationError):
        Scene().client.with_options(validate="error").update_flow_json(FLOW, BROKEN)
    with pytest.raises(ConfigurationError, match="validate must be one of off, warn, error"):
        Scene().client.update_flow_json(FLOW, GOOD, validate="maybe")  # type: ignore[arg-type]
