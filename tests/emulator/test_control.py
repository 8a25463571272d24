"""Faults and requests over HTTP, for tests in other languages."""

from __future__ import annotations

import json
from dataclasses import fields
from inspect import signature
from typing import Any

import pytest

from tests.emulator.support import WABA
from tests.emulator.test_backend import Rig
from whatsapp_flows.emulator import Emulator, FaultRule
from whatsapp_flows.emulator._fault_specs import read_fault, read_faults
from whatsapp_flows.emulator._wire import MaskedMapping
from whatsapp_flows.emulator.graph._call import Part

_JSON = {"Content-Type": "application/json"}


def _control(rig: Rig, method: str, path: str, content: object = None, **parts: Any) -> tuple[int, Any]:
    body = b"" if content is None else json.dumps(content).encode()
    parts = {"peer": "127.0.0.1", "headers": MaskedMapping(_JSON), "body": body, **parts}
    reply = rig.send(method, f"/_emulator{path}", **parts)
    return reply.status, json.loads(reply.body)


def test_a_fault_is_added_listed_and_called_off() -> None:
    """It has a number, and its counts."""
    rig = Rig()
    asked = {"operation": "get_account", "code": 2, "times": 1}
    assert _control(rig, "POST", "/faults", asked) == (201, {"faults": [{"id": 1, **asked, "seen": 0, "struck": 0}]})
    assert [rig.ask("GET", f"/v25.0/{WABA}").status for _ in range(2)] == [503, 200]
    assert _control(rig, "GET", "/faults") == (200, {"faults": [{"id": 1, **asked, "seen": 2, "struck": 1}]})
    assert _control(rig, "GET", "") == (200, {"faults": 1, "requests": 2})
    assert _control(rig, "DELETE", "/faults/1") == (200, {"success": True})
    assert _control(rig, "DELETE", "/faults/1")[0] == 404
    assert _control(rig, "GET", "/faults") == (200, {"faults": []})


def test_several_faults_are_added_or_none() -> None:
    """As an array, or an object with `faults`; an invalid one is named by its position."""
    rig = Rig()
    good = {"code": 2}
    assert _control(rig, "POST", "/faults", [good, good])[0] == 201
    assert _control(rig, "POST", "/faults", {"faults": [good]})[0] == 201
    status, body = _control(rig, "POST", "/faults", [good, {"code": "2"}])
    assert (status, body["error"]["message"]) == (400, "fault 2: code must be a whole number, not '2'")
    assert _control(rig, "GET", "")[1]["faults"] == 3
    _control(rig, "DELETE", "/faults")
    assert _control(rig, "GET", "")[1]["faults"] == 0


_ALL = {
    "operation": "get_flow",
    "flow_id": "7",
    "code": 4,
    "subcode": 5,
    "message": "m",
    "is_transient": True,
    "status": 500,
    "body": {"a": 1},
    "headers": {"Retry-After": "3"},
    "delay": 0.5,
    "reset": "after",
    "truncate": 4,
    "times": 2,
    "every": 3,
    "probability": 0.5,
}


def test_all_that_fail_takes_can_be_sent() -> None:
    """The names are exactly those of `Emulator.fail`."""
    assert _ALL.keys() == signature(Emulator.fail).parameters.keys() - {"self"}
    assert _ALL.keys() == {field.name for field in fields(FaultRule)}
    for name, value in _ALL.items():
        with_it: dict[str, object] = {"status": 500, name: value}
        if name in ("subcode", "message", "is_transient"):
            with_it["code"] = 4
        if name == "reset":
            del with_it["status"]
        assert getattr(read_fault(with_it), name) == value


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (5, "a fault must be an object"),
        ({"code": 4, "tims": 1}, "unknown key 'tims': did you mean 'times'?"),
        ({"code": 4, "xyz": 1}, "unknown key 'xyz': known are operation,"),
        ({"code": True}, "code must be a whole number, not True"),
        ({"code": 4.5}, "code must be a whole number, not 4.5"),
        ({"code": None}, "code must be a whole number, not None"),
        ({"code": 4, "is_transient": 1}, "is_transient must be true or false, not 1"),
        ({"status": 500, "headers": {"A": 1}}, "headers must be an object of strings"),
        ({"status": 500, "headers": "A: b"}, "headers must be an object of strings"),
        ({"status": 500, "body": []}, "body must be a string or an object"),
        ({"status": 500, "delay": "1"}, "delay must be a number, not '1'"),
        ({"delay": float("inf")}, "delay must be a number of seconds"),
        ({"delay": float("nan")}, "delay must be a number of seconds"),
        ({"delay": 1e12}, "delay must be a number of seconds"),
        ({"operation": "get_flo", "code": 4}, "operation must be None or one of"),
        ({"operation": "get_flow"}, "say what goes wrong"),
        ({"status": 500, "times": 0}, "times must be at least 1"),
        ({"status": 500, "headers": {"A": "b\r\nC: d"}}, "headers must be printable ASCII"),
    ],
)
def test_a_fault_that_is_wrong_says_how(content: object, complaint: str) -> None:
    """Unknown names, wrong types and contradictions are explained."""
    with pytest.raises(ValueError, match="^" + complaint.replace("?", r"\?").replace("[", r"\[")):
        read_fault(content)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({}, "must be an array"),
        ("x", "must be an array"),
        ({"fault": []}, "unknown key 'fault'"),
        ([{"code": 4}] * 1001, "at most 1000 faults, not 1001"),
    ],
)
def test_faults_are_an_array(content: object, complaint: str) -> None:
    """At the top, or named `faults`."""
    with pytest.raises(ValueError, match=complaint):
        read_faults(content)


def test_there_are_only_so_many_faults() -> None:
    """Cancelled faults do not count towards the maximum."""
    rig = Rig()
    assert _control(rig, "POST", "/faults", [{"code": 4}] * 1000)[0] == 201
    status, body = _control(rig, "POST", "/faults", {"code": 4})
    assert (status, body["error"]["message"]) == (400, "there are 1000 faults already: cancel some")
    _control(rig, "DELETE", "/faults/5")
    assert _control(rig, "POST", "/faults", {"code": 4})[0] == 201


def test_requests_are_listed_without_secrets() -> None:
    """In no field of any encoding; a long value is cut, a file is described."""
    rig = Rig()
    secret = "EAAsecret"
    rig.send(
        "POST",
        f"/v25.0/{WABA}/flows",
        headers=MaskedMapping({"Authorization": f"Bearer {secret}", "X-Other": "x"}),
        query=MaskedMapping({"access_token": secret}),
        form=MaskedMapping({"name": "n" * 20_000, "appsecret_proof": secret}),
        files={"file": Part(filename="f", content_type="t", content=b"abc")},
    )
    rig.ask(
        "POST", "/v25.0/", form=MaskedMapping({"batch": f'[{{"relative_url": "1?access_token={secret}&fields=id"}}]'})
    )
    nested = {"batch": [{"relative_url": f"1?access_token={secret}"}], "access_token": secret, "n": {"cookie": secret}}
    body = json.dumps(nested).encode()
    rig.send("POST", "/v25.0/", body=body, headers=MaskedMapping(_JSON))
    rig.send("POST", "/v25.0/1", body=b"[" * 9_000, headers=MaskedMapping(_JSON))
    status, listed = _control(rig, "GET", "/requests")
    assert status == 200
    assert secret not in json.dumps(listed)
    first = listed["requests"][0]
    assert (first["operation"], first["method"], first["status"]) == ("create_flow", "POST", 400)
    assert first["form"]["name"].endswith("... (20000 characters)")
    assert first["files"] == {"file": {"filename": "f", "content_type": "t", "size": 3}}
    assert first["headers"] == {"Authorization": "***", "X-Other": "x"}
    assert "fields=id" in listed["requests"][1]["form"]["batch"]


def test_the_last_requests_can_be_asked_for_and_forgotten() -> None:
    """Requests to the control API are not recorded."""
    rig = Rig()
    for node in (1, 2, 3):
        rig.ask("GET", f"/v25.0/{node}")
    last = _control(rig, "GET", "/requests", query=MaskedMapping({"limit": "2"}))[1]["requests"]
    assert [each["path"] for each in last] == ["/v25.0/2", "/v25.0/3"]
    assert _control(rig, "GET", "/requests", query=MaskedMapping({"limit": "0"}))[0] == 400
    assert _control(rig, "DELETE", "/requests") == (200, {"success": True})
    assert _control(rig, "GET", "/requests") == (200, {"requests": []})


@pytest.mark.parametrize("peer", ["10.0.0.5", "192.168.1.7", "", "2001:db8::1"])
def test_other_machines_are_refused(peer: str) -> None:
    """The control API answers this machine only, also if the emulator listens on other addresses."""
    assert _control(Rig(), "GET", "/faults", peer=peer)[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "parts", "status"),
    [
        ("GET", "/nonsense", {}, 404),
        ("PUT", "/faults", {}, 404),
        ("GET", "x", {}, 404),
        ("POST", "/faults", {"body": b"{"}, 400),
        ("POST", "/faults", {"body": b"[" * 100_000}, 400),
        ("POST", "/faults", {"headers": MaskedMapping({"Content-Type": "text/plain"}), "body": b'{"code": 4}'}, 400),
        (
            "POST",
            "/faults",
            {"headers": MaskedMapping({**_JSON, "Origin": "http://evil.example", "Host": "[::1]"})},
            403,
        ),
        ("GET", "/faults", {"headers": MaskedMapping({"Host": "evil.example"})}, 403),
        ("DELETE", "/faults/x", {}, 404),
        ("DELETE", "/faults/99999999999999999999", {}, 404),
    ],
)
def test_what_makes_no_sense_is_refused(method: str, path: str, parts: dict[str, Any], status: int) -> None:
    """Unknown paths, invalid bodies, and cross-site requests."""
    assert _control(Rig(), method, path, **parts)[0] == status
