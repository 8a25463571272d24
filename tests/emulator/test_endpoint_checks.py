"""The real ping before a Flow with an endpoint is published."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests import misbehaving as bad
from tests.emulator.support import PEM, endpoint_json
from tests.endpoint.plain_endpoint import PlainEndpoint
from whatsapp_flows import FlowsClient, PublishBlockedError
from whatsapp_flows.emulator import Emulator, EndpointCheck, EndpointChecks
from whatsapp_flows.endpoint import KeyPair, generate_key_pair

SECRET = "app-secret-for-tests"
DOWN = 4233014


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    """The key of the endpoint."""
    return generate_key_pair()


def served(endpoint: PlainEndpoint) -> bad.Behaviour:
    """An endpoint behind HTTP."""

    def reply(received: bad.Received) -> bad.Answer:
        status, headers, body = endpoint(received.body, received.headers)
        return bad.Answer(body, status, headers)

    return bad.replies(reply)


@contextmanager
def ready(pem: str, **options: Any) -> Iterator[tuple[Emulator, FlowsClient]]:
    """An emulator whose account has a key and a subscription, and its client."""
    with Emulator(**options) as meta:
        secret = options.get("app_secret")
        with FlowsClient("token", meta.waba_id, base_url=meta.url, app_secret=secret, max_attempts=1) as client:
            client.set_public_key(meta.phone_number_id, pem)
            client.subscribe_app()
            yield meta, client


def published(client: FlowsClient, uri: str) -> str:
    """Creates and publishes a Flow with this endpoint; the status that it has then."""
    flow = client.create_flow("booking", ["OTHER"], flow_json=json.loads(endpoint_json()), endpoint_uri=uri)
    with suppress(PublishBlockedError):
        client.publish_flow(flow.id)
    return str(client.get_flow(flow.id).status)


def test_a_ping_is_sent_encrypted_and_signed(pair: KeyPair) -> None:
    """Once, to the endpoint's URI, with the registered key and the app secret; then the Flow is published."""
    endpoint = PlainEndpoint(pair.private_pem.reveal(), secret=SECRET)
    with bad.Server(served(endpoint)) as server, ready(pair.public_pem, app_secret=SECRET) as (meta, client):
        uri = f"{server.url}/flow?tenant=1"
        assert published(client, uri) == "PUBLISHED"
        assert [request.target for request in server.requests] == ["/flow?tenant=1"]
        assert endpoint.statuses == [200]
        assert endpoint.arrived[0].content == {"version": "3.0", "action": "ping"}
        (check,) = meta.endpoint_checks
    assert (check.uri, check.ok, check.outcome, check.problem) == (uri, True, "answered", "")
    assert check.seconds > 0


def answering(status: int) -> Callable[[dict[str, Any]], object]:
    return lambda _: (status, {"data": {"status": "active"}})


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"secret": "another"}, "bad-signature"),
        ({"handle": lambda _: {"data": {"status": "inactive"}}}, "bad-payload"),
        ({"handle": lambda _: {}}, "bad-payload"),
        ({"handle": answering(500)}, "unexpected-status"),
        ({"handle": answering(404)}, "unexpected-status"),
        ({"wire": lambda body, _: json.dumps(body.decode()).encode()}, "unreadable"),
        ({"wire": lambda _, __: b""}, "unreadable"),
    ],
    ids=["signature", "inactive", "empty object", "500", "404", "quoted", "no body"],
)
def test_an_unhealthy_endpoint_prevents_publishing(
    changes: dict[str, Any], outcome: str, pair: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    """139002 with Meta's subcode; the check and the log say why."""
    endpoint = PlainEndpoint(pair.private_pem.reveal(), **{"secret": SECRET, **changes})
    with bad.Server(served(endpoint)) as server, ready(pair.public_pem, app_secret=SECRET) as (meta, client):
        assert published(client, server.url) == "DRAFT"
        with pytest.raises(PublishBlockedError) as caught:
            client.publish_flow(meta.flows()[0].id)
        assert caught.value.subcode == DOWN
        check, again = meta.endpoint_checks
    assert again.outcome == check.outcome
    assert not check.ok
    assert check.problem
    assert check.outcome == outcome
    assert [record.levelno for record in caplog.records if "failed its health check" in record.message] == [
        logging.WARNING
    ] * 2
    assert SECRET not in caplog.text


def test_another_key_is_not_decrypted(pair: KeyPair) -> None:
    """The registered key is not the endpoint's: the request comes twice, as Meta sends it, and stays 421."""
    waits: list[float] = []
    endpoint = PlainEndpoint(pair.private_pem.reveal())
    with bad.Server(served(endpoint)) as server, ready(PEM, sleep=waits.append) as (meta, client):
        assert published(client, server.url) == "DRAFT"
        assert (endpoint.statuses, waits) == ([421, 421], [0.5])
        assert meta.endpoint_checks[0].outcome == "not-decrypted"


def test_an_endpoint_that_is_not_there(pair: KeyPair) -> None:
    """Nothing listens; a create that publishes leaves the draft, and the health status shows the failed check."""
    with bad.Server(bad.answers()) as server:
        uri = server.url
    with ready(pair.public_pem) as (meta, client):
        with pytest.raises(PublishBlockedError) as caught:
            client.create_flow(
                "booking", ["OTHER"], flow_json=json.loads(endpoint_json()), endpoint_uri=uri, publish=True
            )
        assert caught.value.subcode == DOWN
        assert meta.endpoint_checks[0].outcome == "not-reached"
        (flow,) = meta.flows()
        assert flow.status == "DRAFT"
        descriptions = [each.error_description for each in client.get_health(flow.id).entities[0].errors]
        assert any(text.startswith("endpoint_availability") for text in descriptions)


def test_a_repaired_endpoint_is_published_at_the_next_attempt(pair: KeyPair) -> None:
    """Each attempt sends a new ping; a failed one is not remembered."""
    healthy: list[bool] = []
    endpoint = PlainEndpoint(
        pair.private_pem.reveal(), lambda _: {"data": {"status": "active"}} if healthy else (503, {})
    )
    with bad.Server(served(endpoint)) as server, ready(pair.public_pem) as (meta, client):
        assert published(client, server.url) == "DRAFT"
        healthy.append(True)
        (flow,) = meta.flows()
        client.publish_flow(flow.id)
        assert [check.ok for check in meta.endpoint_checks] == [False, True]
        assert client.get_health(flow.id).can_send_message == "AVAILABLE"


def test_an_endpoint_may_call_the_emulator_while_it_is_checked(pair: KeyPair) -> None:
    """The emulator answers other requests meanwhile."""
    with ready(pair.public_pem) as (_, client):

        def handle(_request: dict[str, Any]) -> object:
            listed.append(len(list(client.list_flows())))
            return {"data": {"status": "active"}}

        listed: list[int] = []
        with bad.Server(served(PlainEndpoint(pair.private_pem.reveal(), handle))) as server:
            assert published(client, server.url) == "PUBLISHED"
        assert listed == [1]


def test_without_an_app_secret_a_refused_signature_is_healthy(pair: KeyPair, caplog: pytest.LogCaptureFixture) -> None:
    """The emulator cannot sign then: 432 shows that the endpoint is there; the log says what was not checked."""
    endpoint = PlainEndpoint(pair.private_pem.reveal(), secret=SECRET)
    with bad.Server(served(endpoint)) as server, ready(pair.public_pem) as (meta, client):
        assert published(client, server.url) == "PUBLISHED"
        assert endpoint.statuses == [432]
        assert meta.endpoint_checks[0] == EndpointCheck(
            uri=server.url,
            ok=True,
            outcome="bad-signature",
            problem="not signed: the emulator has no app secret",
            seconds=meta.endpoint_checks[0].seconds,
        )
    (record,) = (it for it in caplog.records if "its key was not checked" in it.message)
    assert record.levelno == logging.WARNING
    assert "give app_secret to Emulator, to EndpointChecks or to webhooks_to" in record.message


@pytest.mark.parametrize(("is_ours", "status"), [(True, "PUBLISHED"), (False, "DRAFT")], ids=["its key", "another key"])
def test_the_secret_of_the_webhooks_signs_the_ping(is_ours: bool, status: str, pair: KeyPair) -> None:
    """Calls need no appsecret_proof, and a foreign key is found by an endpoint that checks signatures."""
    endpoint = PlainEndpoint(pair.private_pem.reveal(), secret=SECRET)
    with (
        bad.Server(served(endpoint)) as server,
        ready(pair.public_pem if is_ours else PEM, sleep=lambda _: None) as (meta, client),
    ):
        meta.webhooks_to(lambda *_: None, app_secret=SECRET)
        meta.webhooks_to(lambda *_: None, app_secret="of another app")
        assert published(client, server.url) == status
        assert set(endpoint.statuses) == {200 if is_ours else 421}


def test_the_endpoints_app_may_have_another_secret(pair: KeyPair) -> None:
    """`EndpointChecks` has a secret of its own, and needs no appsecret_proof."""
    endpoint = PlainEndpoint(pair.private_pem.reveal(), secret=SECRET)
    checks = EndpointChecks(app_secret=SECRET)
    assert SECRET not in repr(checks)
    with bad.Server(served(endpoint)) as server, ready(pair.public_pem, endpoint_checks=checks) as (_, client):
        assert published(client, server.url) == "PUBLISHED"
        assert endpoint.statuses == [200]


@pytest.mark.parametrize(
    ("options", "host"),
    [({"endpoint_checks": None}, "127.0.0.1"), ({}, "flows.invalid"), ({}, "127.0.0.1.invalid")],
    ids=["switched off", "another host", "no address"],
)
def test_nothing_is_sent_to_a_host_that_was_not_asked_for(options: dict[str, Any], host: str, pair: KeyPair) -> None:
    """Such an endpoint counts as healthy, as long as no test says otherwise."""
    with bad.Server(bad.answers(status=500)) as server, ready(pair.public_pem, **options) as (meta, client):
        assert published(client, f"http://{host}:{server.port}") == "PUBLISHED"
        assert server.requests == ()
        assert meta.endpoint_checks == ()


@pytest.mark.parametrize(
    ("uri", "covered"),
    [
        ("http://127.0.0.1:8000/flow", True),
        ("http://localhost/flow", True),
        ("http://flow.localhost/", True),
        ("http://[::1]:8000/", True),
        ("https://Flows.Example.org/flow", True),
        ("https://example.org/flow", False),
        ("https://flows.example.org.evil.test/", False),
        ("https://localhost.evil.test/", False),
        ("https://user@evil.test/?localhost", False),
        ("http://0.0.0.0/", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_which_endpoints_are_checked(uri: str, covered: bool) -> None:
    """Those on this machine, and those on the hosts that were named, without a look-up."""
    assert EndpointChecks(hosts=["flows.example.org"]).covers(uri) is covered


def test_a_host_that_was_asked_for_needs_https(pair: KeyPair) -> None:
    """Meta calls nothing else; a check over http to another machine fails without being sent."""
    checks = EndpointChecks(hosts={"flows.invalid"})
    with ready(pair.public_pem, endpoint_checks=checks) as (meta, client):
        assert published(client, "http://flows.invalid/") == "DRAFT"
        assert "https://" in meta.endpoint_checks[0].problem


def test_a_key_that_cannot_be_used_fails_the_check() -> None:
    """The emulator takes any RSA key of 2048 bits; the check says what is wrong with it, if there is something."""
    with bad.Server(bad.answers(status=500)) as server, ready(PEM) as (meta, client):
        assert published(client, server.url) == "DRAFT"
        assert not meta.endpoint_checks[0].ok


def test_a_flow_that_fails_another_condition_is_not_pinged(pair: KeyPair) -> None:
    """The ping is the last condition: without a subscription nothing is sent."""
    with bad.Server(bad.answers(status=500)) as server, Emulator() as meta:
        client = FlowsClient("token", meta.waba_id, base_url=meta.url, max_attempts=1)
        client.set_public_key(meta.phone_number_id, pair.public_pem)
        flow = client.create_flow("a", ["OTHER"], flow_json=json.loads(endpoint_json()), endpoint_uri=server.url)
        with pytest.raises(PublishBlockedError, match="Webhooks"):
            client.publish_flow(flow.id)
        client.close()
        assert server.requests == ()


@pytest.mark.parametrize(
    "arguments", [{"hosts": "example.org"}, {"hosts": [""]}, {"hosts": [7]}, {"time_limit": 0}, {"time_limit": 61}]
)
def test_mistaken_options(arguments: dict[str, Any]) -> None:
    """A ValueError at once."""
    with pytest.raises(ValueError, match=r"hosts|time_limit"):
        EndpointChecks(**arguments)
