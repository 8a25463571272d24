"""Cross-site requests of browsers."""

from __future__ import annotations

import json

import pytest

from tests.emulator.support import WABA
from tests.emulator.test_backend import Rig
from whatsapp_flows._server import cross_site_refusal, is_loopback
from whatsapp_flows.emulator._wire import MaskedMapping

_HOSTS = {"localhost", "emulator", "cdn.test"}


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        (None, True),
        ("127.0.0.1:8081", True),
        ("127.0.0.1", True),
        ("[::1]:8081", True),
        ("192.168.1.5:8081", True),
        ("localhost:8081", True),
        ("LOCALHOST", True),
        ("localhost.:8081", True),
        ("app.localhost:8081", True),
        ("emulator:8081", True),
        ("Emulator", True),
        ("cdn.test:1", True),
        ("evil.example:8081", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example@127.0.0.1", True),
        ("127.0.0.1@evil.example", False),
        ("", False),
        ("[::1", False),
        ("x", False),
    ],
)
def test_only_its_own_names_are_answered(host: str | None, answered: bool) -> None:
    """IP addresses are accepted: DNS rebinding needs a name."""
    headers = {} if host is None else {"Host": host}
    for method in ("GET", "POST"):
        assert (cross_site_refusal(method, headers, _HOSTS) is None) is answered


@pytest.mark.parametrize(
    ("method", "headers", "answered"),
    [
        ("POST", {}, True),
        ("POST", {"Sec-Fetch-Site": "none"}, True),
        ("POST", {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8081"}, True),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, False),
        ("POST", {"Sec-Fetch-Site": "same-site"}, False),
        ("POST", {"Sec-Fetch-Site": "Cross-Site"}, False),
        ("POST", {"Sec-Fetch-Site": "something new"}, False),
        ("POST", {"Origin": "http://evil.example"}, False),
        ("POST", {"Origin": "http://127.0.0.1:3000"}, False),
        ("POST", {"Origin": "null"}, False),
        ("DELETE", {"Origin": "http://evil.example"}, False),
        ("PUT", {"Sec-Fetch-Site": "cross-site"}, False),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}, True),
        ("HEAD", {"Sec-Fetch-Site": "cross-site"}, True),
    ],
)
def test_a_write_from_another_site_is_refused(method: str, headers: dict[str, str], answered: bool) -> None:
    """Browsers send Origin and Sec-Fetch-Site, which a page cannot suppress; reads are accepted."""
    assert (cross_site_refusal(method, {"Host": "127.0.0.1:8081", **headers}, ()) is None) is answered


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_what_is_refused_changes_nothing_and_is_recorded(headers: dict[str, str]) -> None:
    """The world and the faults are unchanged, and the request is recorded."""
    rig = Rig()
    fault = rig.fail(code=2)
    reply = rig.ask("POST", f"/v25.0/{WABA}/subscribed_apps", headers=headers)
    assert (reply.status, json.loads(reply.body)["error"]["code"], fault.seen) == (403, 200, 0)
    assert rig.backend.world.accounts[WABA].subscribed_apps == ()
    assert [(request.operation, request.status) for request in rig.backend.requests] == [(None, 403)]


@pytest.mark.parametrize("path", [f"/v25.0/{WABA}", "/_emulator/faults"])
@pytest.mark.parametrize("meant", ["get", "delete"])
def test_the_method_that_was_sent_counts(path: str, meant: str) -> None:
    """`?method=get` does not turn a cross-site POST into a read."""
    rig = Rig()
    headers = MaskedMapping({"Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"})
    parts = {"query": MaskedMapping({"method": meant}), "headers": headers, "peer": "127.0.0.1", "body": b'{"code": 4}'}
    assert rig.send("POST", path, **parts).status == 403
    assert len(rig.backend.faults) == 0


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("fe80::1%lo", False), ("", False)],
)
def test_an_address_of_this_machine_alone(address: str, loopback: bool) -> None:
    """The whole of 127.0.0.0/8, and ::1."""
    assert is_loopback(address) is loopback
