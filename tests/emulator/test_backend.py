"""From a request to a response, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.support import NOON, NUMBER, SETTINGS, WABA, Clock, flow_json
from whatsapp_flows._server import HttpResponse
from whatsapp_flows.emulator._backend import Backend, http_error
from whatsapp_flows.emulator._faults import Fault, FaultRule
from whatsapp_flows.emulator._wire import IncomingRequest, MaskedMapping
from whatsapp_flows.emulator.graph._access import QuotaCounter, QuotaUsage
from whatsapp_flows.emulator.graph._state import default_world


class Rig:
    """A backend with a manual clock, which records its sleeps."""

    def __init__(self, *, quota: QuotaCounter | None = None) -> None:
        self.clock = Clock()
        self.slept: list[float] = []
        self.backend = Backend(
            world=default_world(WABA, (NUMBER,)),
            settings=SETTINGS,
            clock=self.clock,
            sleep=self.slept.append,
            chance=lambda: 0.5,
            quota=quota,
            keep_requests=5,
            keep_bytes=1_000_000,
        )

    def fail(self, **rule: Any) -> Fault:
        """Add a fault."""
        fault = Fault(FaultRule(**rule))
        self.backend.faults.add(fault)
        return fault

    def ask(self, method: str, path: str, **parts: Any) -> HttpResponse:
        """The response to a request with a token."""
        headers = MaskedMapping({"Authorization": "Bearer t", **parts.pop("headers", {})})
        return self.send(method, path, headers=headers, **parts)

    def send(self, method: str, path: str, **parts: Any) -> HttpResponse:
        """The response to a request."""
        parameters = {**parts.get("query", {}), **parts.get("form", {})}
        return self.backend.respond(IncomingRequest(method=method, path=path, parameters=parameters, **parts))

    def create(self) -> HttpResponse:
        """The response to the creation of a Flow."""
        form = MaskedMapping({"name": "a", "categories": '["OTHER"]', "flow_json": flow_json().decode()})
        return self.ask("POST", f"/v25.0/{WABA}/flows", form=form)


def _code(reply: HttpResponse) -> int:
    return int(json.loads(reply.body)["error"]["code"])


def test_an_answer_names_its_version_and_its_trace() -> None:
    """The version that served, and a trace id of its own for each request."""
    rig = Rig()
    replies = [rig.ask("GET", f"/v{version}/1") for version in ("25.0", "17.0", "99.0")]
    assert [reply.headers.get("facebook-api-version") for reply in replies] == ["v25.0", "v20.0", None]
    traces = [json.loads(reply.body)["error"]["fbtrace_id"] for reply in replies]
    assert traces == [reply.headers["x-fb-trace-id"] for reply in replies]
    assert len(set(traces)) == 3


def test_the_first_fault_that_strikes_is_the_only_one() -> None:
    """Faults are checked in the order in which they were added."""
    rig = Rig()
    rig.fail(operation="list_flows", status=500)
    first, second = rig.fail(code=4, times=1), rig.fail(code=2)
    assert [_code(rig.create()) for _ in range(2)] == [4, 2]
    assert (first.seen, second.seen) == (2, 1)


def test_an_error_does_no_work_and_says_so() -> None:
    """The Flow is not created; the request is recorded with its status."""
    rig = Rig()
    rig.fail(operation="create_flow", code=2)
    reply = rig.create()
    assert (reply.status, _code(reply), rig.backend.world.flows) == (503, 2, {})
    (request,) = rig.backend.requests
    assert (request.operation, request.status, request.at) == ("create_flow", 503, NOON)


@pytest.mark.parametrize(("reset", "made"), [("before", 0), ("after", 1)])
def test_a_reset_comes_before_or_after_the_work(reset: str, made: int) -> None:
    """In both cases there is no response."""
    rig = Rig()
    rig.fail(reset=reset)
    assert rig.create().reset
    assert len(rig.backend.world.flows) == made
    assert [request.status for request in rig.backend.requests] == [None]


def test_a_delay_comes_after_the_work() -> None:
    """The request takes effect even if its client stops waiting."""
    rig = Rig()
    rig.fail(delay=7.5)
    assert rig.create().status == 200
    assert (rig.slept, len(rig.backend.world.flows)) == ([7.5], 1)


def test_headers_are_added_and_bodies_cut() -> None:
    """The response is otherwise unchanged."""
    rig = Rig()
    rig.fail(headers={"Retry-After": "3"}, truncate=4)
    reply = rig.create()
    assert (reply.status, reply.headers["Retry-After"], reply.truncate) == (200, "3", 4)
    assert json.loads(reply.body)["success"] is True


def test_a_refusal_comes_before_a_processing_failure() -> None:
    """139001/4016012 means that the JSON was saved; one that cannot be saved gets its own error."""
    rig = Rig()
    flow_id = json.loads(rig.create().body)["id"]
    rig.fail(operation="update_flow_json", code=139001, subcode=4016012)
    assert _code(rig.ask("POST", f"/v25.0/{flow_id}/assets")) == 100


def test_usage_is_reported_when_there_is_a_quota() -> None:
    """Beyond it, code 80008 and the minutes to wait."""
    rig = Rig(quota=QuotaCounter(2))
    replies = [rig.ask("GET", f"/v25.0/{WABA}/flows") for _ in range(3)]
    usages = [json.loads(reply.headers["X-Business-Use-Case-Usage"])[WABA][0] for reply in replies]
    assert [(reply.status, usage["call_count"]) for reply, usage in zip(replies, usages, strict=True)] == [
        (200, 50),
        (200, 100),
        (400, 150),
    ]
    assert (_code(replies[2]), usages[2]["estimated_time_to_regain_access"]) == (80008, 60)
    rig.clock.now += 3600
    assert rig.ask("GET", f"/v25.0/{WABA}/flows").status == 200


def test_usage_can_be_made_up() -> None:
    """The set usage replaces that of the quota; without an account only the app's header is sent."""
    rig = Rig(quota=QuotaCounter(10))
    rig.backend.forced_usage = QuotaUsage(80, 3)
    headers = rig.ask("GET", f"/v25.0/{WABA}/flows").headers
    assert json.loads(headers["X-Business-Use-Case-Usage"])[WABA][0]["estimated_time_to_regain_access"] == 3
    headers = rig.ask("GET", "/v25.0/1").headers
    assert json.loads(headers["X-App-Usage"])["call_count"] == 80
    assert "X-Business-Use-Case-Usage" not in headers


def test_nothing_is_reported_without_a_quota() -> None:
    """Graph sends no usage headers while it is low either."""
    assert not any("Usage" in name for name in Rig().create().headers)


@pytest.mark.parametrize(
    ("parts", "leaks"),
    [
        ({"headers": {"Authorization": "Bearer t"}}, 1),
        ({"headers": {"Authorization": "Basic x"}}, 1),
        ({"query": MaskedMapping({"access_token": ""})}, 1),
        ({"query": MaskedMapping({"appsecret_proof": "x"})}, 1),
        ({}, 0),
    ],
)
def test_a_download_with_credentials_is_a_leak(parts: dict[str, Any], leaks: int) -> None:
    """Every such request is recorded as a leak; a download without credentials is not."""
    rig = Rig()
    headers = MaskedMapping(parts.pop("headers", {}))
    reply = rig.send("GET", "/cdn/1/flow.json", headers=headers, **parts)
    assert reply.status == (400 if leaks else 403)
    assert len(rig.backend.leaks) == leaks
    assert [request.operation for request in rig.backend.requests] == ["download_flow_json"]


def test_only_the_last_requests_are_kept() -> None:
    """A server that runs for weeks does not grow."""
    rig = Rig()
    for at in range(7):
        rig.ask("GET", f"/v25.0/{at}")
    assert [request.path for request in rig.backend.requests] == [f"/v25.0/{at}" for at in range(2, 7)]


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, 100, "(#100) The request could not be read"),
        (500, 1, "The request could not be read"),
    ],
)
def test_errors_of_the_server_have_the_form_of_graph_errors(status: int, code: int, message: str) -> None:
    """A request that cannot be read is answered with code 100; an exception of the emulator, with code 1."""
    response = http_error(status, "The request could not be read")
    error = json.loads(response.body)["error"]
    assert (response.status, error["code"], error["message"]) == (status, code, message)
