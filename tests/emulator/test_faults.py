"""Fault rules."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatsapp_flows.emulator._faults import Fault, FaultRule


def _strikes(rule: FaultRule, count: int, seed: int = 0) -> list[bool]:
    fault, chance = Fault(rule), random.Random(seed).random
    return [fault.applies_to("get_flow", "1", chance) for _ in range(count)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, "xxxxxx"),
        ({"times": 2}, "xx...."),
        ({"every": 3}, "..x..x"),
        ({"every": 2, "times": 2}, ".x.x.."),
        ({"probability": 1.0}, "xxxxxx"),
        ({"probability": 0.0}, "......"),
        ({"probability": 1.0, "times": 1}, "x....."),
    ],
)
def test_a_rule_applies_as_often_as_it_says(when: dict[str, Any], expected: str) -> None:
    """Always, the next N, every Nth, or by chance."""
    struck = _strikes(FaultRule(status=500, **when), 6)
    assert "".join("x" if strikes else "." for strikes in struck) == expected


@settings(deadline=None)
@given(probability=st.floats(0, 1), seed=st.integers())
def test_chance_can_be_repeated(probability: float, seed: int) -> None:
    """The same seed makes the same requests fail."""
    rule = FaultRule(status=500, probability=probability)
    assert _strikes(rule, 20, seed) == _strikes(rule, 20, seed)


@pytest.mark.parametrize(
    ("about", "concerned"),
    [
        ({}, True),
        ({"operation": "get_flow"}, True),
        ({"operation": "list_flows"}, False),
        ({"flow_id": "1"}, True),
        ({"flow_id": "2"}, False),
        ({"operation": "get_flow", "flow_id": "2"}, False),
    ],
)
def test_a_rule_concerns_an_operation_a_flow_or_all(about: dict[str, Any], concerned: bool) -> None:
    """With both, both must match."""
    fault = Fault(FaultRule(status=500, **about))
    assert fault.applies_to("get_flow", "1", random.random) is concerned
    assert (fault.seen, fault.struck) == (concerned, concerned)


def test_a_fault_can_be_called_off() -> None:
    """It keeps its counts."""
    fault = Fault(FaultRule(status=500))
    fault.applies_to(None, None, random.random)
    fault.cancel()
    assert not fault.applies_to(None, None, random.random)
    assert (fault.seen, fault.struck) == (1, 1)
    assert "status=500" in repr(fault)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "say what goes wrong"),
        ({"times": 1}, "say what goes wrong"),
        ({"operation": "nonsense", "status": 500}, "operation must be None or one of batch, create_flow"),
        ({"subcode": 1}, "give its code"),
        ({"status": 500, "message": "x"}, "give its code"),
        ({"status": 500, "is_transient": True}, "give its code"),
        ({"code": 1, "body": "x"}, "not both"),
        ({"body": {"a": object()}}, "must be JSON"),
        ({"status": 199}, "from 200 to 599"),
        ({"status": 600}, "from 200 to 599"),
        ({"delay": -1.0}, "delay must be a number of seconds that is not negative"),
        ({"truncate": -1}, "truncate must not be negative"),
        ({"reset": "during"}, "'before' or 'after'"),
        ({"reset": "after", "status": 500}, "a reset connection has no answer"),
        ({"reset": "before", "truncate": 1}, "a reset connection has no answer"),
        ({"reset": "before", "headers": {"a": "b"}}, "a reset connection has no answer"),
        ({"headers": {"a": "b\r\nc: d"}}, "printable ASCII"),
        ({"headers": {"a": "é"}}, "printable ASCII"),
        ({"status": 500, "times": 0}, "times must be at least 1"),
        ({"status": 500, "every": 0}, "every must be at least 1"),
        ({"status": 500, "probability": 1.1}, "from 0 to 1"),
        ({"status": 500, "every": 2, "probability": 0.5}, "every or probability"),
    ],
)
def test_a_rule_that_contradicts_itself_is_a_mistake(arguments: dict[str, Any], sentence: str) -> None:
    """It raises when it is created."""
    with pytest.raises(ValueError, match=sentence):
        FaultRule(**arguments)


@pytest.mark.parametrize(
    ("arguments", "operation", "works"),
    [
        ({"delay": 1.0}, "get_flow", True),
        ({"headers": {"a": "b"}}, "get_flow", True),
        ({"truncate": 5}, "get_flow", True),
        ({"reset": "after"}, "get_flow", True),
        ({"reset": "before"}, "get_flow", False),
        ({"status": 503}, "get_flow", False),
        ({"body": "x"}, "get_flow", False),
        ({"code": 2}, "get_flow", False),
        ({"code": 139001, "subcode": 4016010}, "update_flow_json", False),
        ({"code": 139001, "subcode": 4016012}, "update_flow_json", True),
        ({"code": 139001, "subcode": 4016012}, "update_flow", False),
    ],
)
def test_an_error_does_no_work(arguments: dict[str, Any], operation: str, works: bool) -> None:
    """Except 139001/4016012, which means that the JSON was saved."""
    assert FaultRule(**arguments).executes_request(operation) is works


@pytest.mark.parametrize(
    ("arguments", "status", "kind", "body"),
    [
        ({"status": 502}, 502, "text/html", b""),
        ({"status": 502, "body": "<html>"}, 502, "text/html", b"<html>"),
        ({"body": b"\xff"}, 200, "text/html", b"\xff"),
        ({"body": {"a": 1}}, 200, "application/json", b'{"a":1}'),
        ({"status": 418, "body": {}}, 418, "application/json", b"{}"),
    ],
)
def test_an_answer_may_be_anything(arguments: dict[str, Any], status: int, kind: str, body: bytes) -> None:
    """Any status and any body; an object becomes JSON."""
    answer = FaultRule(**arguments).response("A")
    assert answer is not None
    assert (answer.status, answer.content_type.partition(";")[0], answer.body) == (status, kind, body)


def test_an_error_is_that_of_the_table_unless_told_otherwise() -> None:
    """Message, status and `is_transient` can be replaced."""
    plain = FaultRule(code=139001, subcode=4016012).response("A")
    other = FaultRule(code=139001, subcode=4016012, status=500, message="mine", is_transient=True).response("A")
    assert plain is not None
    assert other is not None
    before, after = (json.loads(answer.body)["error"] for answer in (plain, other))
    assert (plain.status, before["message"], before["is_transient"]) == (400, "Updating attempt failed", False)
    assert (other.status, after["message"], after["is_transient"]) == (500, "mine", True)
    assert before["error_user_title"] == after["error_user_title"]


def test_a_disturbance_has_no_answer_of_its_own() -> None:
    """The real response is sent, late or truncated."""
    assert FaultRule(delay=1.0).response("A") is None
