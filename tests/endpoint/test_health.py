"""The check of an endpoint at a URL, and `client.check_endpoint`."""

from __future__ import annotations

import asyncio
import base64
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import misbehaving as bad
from tests.endpoint.plain_endpoint import PlainEndpoint
from whatsapp_flows import AsyncFlowsClient, ConfigurationError, EndpointReport, FlowsClient, NotFoundError, Secret
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.endpoint import KeyPair
from whatsapp_flows.endpoint.caller import check_url

APP_SECRET = "an-app-secret-for-tests"
PING = {"data": {"status": "active"}}
BEFORE = ["url", "connection", "tls", "answer", "signature", "status", "decryption", "encryption", "payload"]
ALL = [*BEFORE, "content-type", "latency", "no-signature", "wrong-signature", "foreign-key"]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


@pytest.fixture
def endpoint(flow_key_pair: KeyPair) -> PlainEndpoint:
    return PlainEndpoint(flow_key_pair.private_pem.reveal(), lambda _: PING, secret=APP_SECRET)


def served(endpoint: PlainEndpoint, *, secured: bool = False) -> bad.Behaviour:
    """The endpoint behind a socket."""

    def reply(received: bad.Received) -> bad.Answer:
        status, headers, body = endpoint(received.body, received.headers)
        return bad.Answer(body, status, headers)

    return bad.replies(reply, secured=secured)


def results(report: EndpointReport) -> dict[str, str]:
    return {check.name: check.result for check in report.checks}


def check(url: str, pair: KeyPair, *, secret: str | None = APP_SECRET, **options: Any) -> EndpointReport:
    options = {"sleep": lambda _: None, **options}
    return check_url(url, pair.public_pem, None if secret is None else Secret(secret), **options)


def test_a_healthy_endpoint_passes_every_check(
    endpoint: PlainEndpoint, flow_key_pair: KeyPair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A ping, and three requests that it refuses; all checks are there, in a fixed order."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bad.certificate_file(tmp_path))
    with bad.Server(served(endpoint, secured=True)) as server:
        report = check(server.url, flow_key_pair)
    assert results(report) == dict.fromkeys(ALL, "passed")
    assert list(results(report)) == ALL
    assert (report.ok, report.failures, report.warnings) == (True, (), ())
    assert endpoint.statuses == [200, 432, 432, 421]
    assert report.seconds is not None
    assert pickle.loads(pickle.dumps(report)) == report


def test_without_faults_one_request_is_sent(endpoint: PlainEndpoint, flow_key_pair: KeyPair) -> None:
    """For a check that must not show in the endpoint's own alerts."""
    with bad.Server(served(endpoint)) as server:
        report = check(server.url, flow_key_pair, faults=False)
    assert list(results(report)) == ALL[:-3]
    assert endpoint.statuses == [200]


def test_http_of_this_machine_is_a_warning(endpoint: PlainEndpoint, flow_key_pair: KeyPair) -> None:
    """TLS cannot be checked there."""
    with bad.Server(served(endpoint)) as server:
        report = check(server.url, flow_key_pair)
    assert (report.ok, results(report)["url"], results(report)["tls"]) == (True, "warning", "skipped")


def broken(endpoint: PlainEndpoint, how: str) -> None:
    """An endpoint with one mistake."""
    mistakes: dict[str, Callable[[], None]] = {
        "refuses the token of a ping": lambda: setattr(endpoint, "handle", lambda _: (427, {"error_msg": "no"})),
        "fails": lambda: setattr(endpoint, "handle", lambda _: (500, {})),
        "answers plain": lambda: setattr(endpoint, "wire", lambda *_: b'{"data": {"status": "active"}}'),
        "answers in quotes": lambda: setattr(endpoint, "wire", lambda body, _: b'"%b"' % body),
        "answers something else": lambda: setattr(endpoint, "handle", lambda _: {"screen": "A", "data": {}}),
        "has another secret": lambda: setattr(endpoint, "secret", "another"),
    }
    mistakes[how]()


@pytest.mark.parametrize(
    ("how", "failing", "category", "word"),
    [
        ("refuses the token of a ping", "status", "reachability", "a ping has none"),
        ("fails", "status", "reachability", "it failed"),
        ("answers plain", "encryption", "encryption", "plain JSON"),
        ("answers in quotes", "encryption", "encryption", "JSON quotes"),
        ("answers something else", "payload", "payload", "status"),
        ("has another secret", "signature", "configuration", "app secret"),
    ],
)
def test_a_mistake_fails_one_check(
    endpoint: PlainEndpoint, flow_key_pair: KeyPair, how: str, failing: str, category: str, word: str
) -> None:
    """Those before it are passed, those after it are not made, and the advice is for this mistake."""
    broken(endpoint, how)
    with bad.Server(served(endpoint)) as server:
        report = check(server.url, flow_key_pair)
    (failure,) = report.failures
    assert (failure.name, failure.category) == (failing, category)
    assert word in f"{failure.message} {failure.advice}"
    assert failure.advice
    after = ALL[ALL.index(failing) + 1 :]
    assert [results(report)[name] for name in after] == ["skipped"] * len(after)
    assert set(results(report)) == set(ALL)
    assert len(endpoint.statuses) == 1


def test_another_key_fails_the_decryption(endpoint: PlainEndpoint, other_public_pem: str) -> None:
    """The endpoint answers 421 twice, as Meta's client sends it twice."""
    with bad.Server(served(endpoint)) as server:
        report = check_url(server.url, other_public_pem, Secret(APP_SECRET), sleep=lambda _: None)
    assert [(each.name, each.category) for each in report.failures] == [("decryption", "encryption")]
    assert endpoint.statuses == [421, 421]


@pytest.mark.parametrize(
    ("behaviour", "failing"),
    [
        (bad.CLOSE_AFTER_REQUEST, "answer"),
        (bad.GARBAGE, "answer"),
        (bad.TLS_CUT, "connection"),
        (bad.NO_TLS, "tls"),
        (bad.answers(b"not here", 404), "status"),
        (bad.redirects("https://example.com/"), "status"),
    ],
    ids=str,
)
def test_what_is_not_reached(flow_key_pair: KeyPair, behaviour: bad.Behaviour, failing: str) -> None:
    """Each is a check of the category reachability."""
    with bad.Server(behaviour) as server:
        report = check(server.url, flow_key_pair)
    (failure,) = report.failures
    assert (failure.name, failure.category) == (failing, "reachability")
    assert (report.seconds is None) is (failing != "status")


def test_a_certificate_that_is_not_trusted(endpoint: PlainEndpoint, flow_key_pair: KeyPair) -> None:
    """Meta refuses it, and so does the check."""
    with bad.Server(served(endpoint, secured=True)) as server:
        report = check(server.url, flow_key_pair)
    assert [each.name for each in report.failures] == ["tls"]
    assert endpoint.statuses == []


@pytest.mark.parametrize("url", ["http://example.com/flow", "ftp://example.com", "example.com"])
def test_a_url_that_meta_would_not_call(flow_key_pair: KeyPair, url: str) -> None:
    """It is a failed check, and nothing is sent."""
    report = check(url, flow_key_pair)
    assert [each.name for each in report.failures] == ["url"]
    assert list(results(report)) == ALL
    assert list(results(check(url, flow_key_pair, faults=False))) == ALL[:-3]
    assert set(list(results(report).values())[1:]) == {"skipped"}


def test_an_endpoint_that_verifies_no_signature_fails(endpoint: PlainEndpoint, flow_key_pair: KeyPair) -> None:
    """Anybody could send it requests; without a secret the ping itself shows it."""
    endpoint.secret = None
    with bad.Server(served(endpoint)) as server:
        report = check(server.url, flow_key_pair)
        assert [each.name for each in report.failures] == ["no-signature", "wrong-signature"]
        report = check(server.url, flow_key_pair, secret=None)
        assert [each.name for each in report.failures] == ["no-signature", "wrong-signature"]
        report = check(server.url, flow_key_pair, secret=None, faults=False)
        assert [each.name for each in report.failures] == ["no-signature"]
        assert results(report)["signature"] == "skipped"


def test_without_a_secret_an_endpoint_that_verifies_cannot_be_checked(
    endpoint: PlainEndpoint, flow_key_pair: KeyPair
) -> None:
    """The report says that the refusal is right, and what is missing."""
    with bad.Server(served(endpoint)) as server:
        report = check(server.url, flow_key_pair, secret=None)
    (failure,) = report.failures
    assert (failure.name, failure.advice) == ("signature", "Give the app secret.")
    assert "as it should" in failure.message


def test_an_endpoint_without_421_fails(endpoint: PlainEndpoint, flow_key_pair: KeyPair) -> None:
    """As Meta's own examples do for a wrong tag: the client would never fetch the new key."""

    def reply(received: bad.Received) -> bad.Answer:
        status, headers, body = endpoint(received.body, received.headers)
        return bad.Answer(body, 500 if status == 421 else status, headers)

    with bad.Server(bad.replies(reply)) as server:
        report = check(server.url, flow_key_pair)
    (failure,) = report.failures
    assert (failure.name, failure.category) == ("foreign-key", "encryption")
    assert "HTTP 500" in failure.message


@pytest.mark.parametrize(
    ("headers", "word"), [({"Content-Type": "application/json"}, "another"), ({"Content-Type": ""}, "missing")]
)
def test_another_content_type_is_a_warning(
    endpoint: PlainEndpoint, flow_key_pair: KeyPair, headers: dict[str, str], word: str
) -> None:
    """Meta's guide has text/plain."""

    def reply(received: bad.Received) -> bad.Answer:
        status, _, body = endpoint(received.body, received.headers)
        return bad.Answer(body, status, headers)

    with bad.Server(bad.replies(reply)) as server:
        report = check(server.url, flow_key_pair)
    (warning,) = (each for each in report.warnings if each.name == "content-type")
    assert (report.ok, warning.category, word in warning.message) == (True, "payload", True)


@pytest.mark.parametrize(
    ("seconds", "result", "word"),
    [(0.9, "passed", "0.90 s"), (1.0, "warning", "less than 1 s"), (5.5, "warning", "begins at 5 s"),
     (9.0, "warning", "up to 7 s"), (10.0, "failed", "within 10 s")],
)  # fmt: skip
def test_the_latency_is_reported_at_the_levels_of_metas_alerts(
    endpoint: PlainEndpoint, flow_key_pair: KeyPair, flows_clock: Any, seconds: float, result: str, word: str
) -> None:
    """At 10 s there is no answer for the client."""
    endpoint.handle = lambda _: flows_clock.sleep(seconds) or PING
    with bad.Server(served(endpoint)) as server:
        report = check(server.url, flow_key_pair, clock=flows_clock)
    found = next(each for each in report.checks if each.name == ("answer" if result == "failed" else "latency"))
    assert (found.result, found.category) == (result, "reachability")
    assert word in f"{found.message} {found.advice}"
    assert report.seconds == (None if result == "failed" else seconds)


# -- of a flow


@pytest.fixture
def flow(flows_emulator: Emulator, endpoint: PlainEndpoint) -> Iterator[str]:
    """The id of a flow whose endpoint is served."""
    with bad.Server(served(endpoint)) as server:
        yield flows_emulator.add_flow("booking", endpoint_uri=f"{server.url}/flow").id


def both(
    flows_client: FlowsClient, async_flows_client: AsyncFlowsClient, flow_id: str, **options: Any
) -> EndpointReport:
    """The report of the client, which is equal to that of the asynchronous client but for the time."""
    report = flows_client.check_endpoint(flow_id, **options)
    other = asyncio.run(async_flows_client.check_endpoint(flow_id, **options))

    def comparable(found: EndpointReport) -> EndpointReport:
        checks = tuple(each for each in found.checks if each.name != "latency")
        return replace(found, seconds=None, checks=checks)

    assert comparable(report) == comparable(other)
    return report


@pytest.fixture
def report(flows_client: FlowsClient, async_flows_client: AsyncFlowsClient) -> Callable[..., EndpointReport]:
    def report(flow_id: str, **options: Any) -> EndpointReport:
        return both(flows_client, async_flows_client, flow_id, **{"app_secret": APP_SECRET, **options})

    return report


def test_the_endpoint_of_a_flow_is_checked(
    report: Callable[..., EndpointReport], flows_client: FlowsClient, flow: str, flow_key_pair: KeyPair,
    endpoint: PlainEndpoint,
) -> None:  # fmt: skip
    """With the key that is registered for the phone number, and without requests that would show in alerts."""
    (number,) = flows_client.list_phone_numbers()
    flows_client.set_public_key(number.id, flow_key_pair.public_pem)
    found = report(flow)
    assert (found.ok, found.flow_id) == (True, flow)
    assert found.endpoint_uri.endswith("/flow")
    assert list(results(found)) == ["public-key", *ALL[:-3]]
    assert found.checks[0].phone_number_ids == (number.id,)
    assert endpoint.statuses == [200, 200]
    assert endpoint.arrived[0].content == {"version": "3.0", "action": "ping"}


def test_the_clients_own_secret_signs(
    flows_client: FlowsClient, flow: str, flow_key_pair: KeyPair, endpoint: PlainEndpoint
) -> None:
    """Unless the call has another; the endpoint never sees the access token or its proof."""
    flows_client.set_public_key(flows_client.list_phone_numbers()[0].id, flow_key_pair.public_pem)
    client = flows_client.with_options(app_secret=APP_SECRET)
    assert client.check_endpoint(flow).ok
    assert not client.check_endpoint(flow, app_secret=Secret("another")).ok
    assert [each.name for each in flows_client.check_endpoint(flow).failures] == ["signature"]
    for arrived in endpoint.arrived:
        assert not {"authorization", "cookie"} & set(arrived.headers)


def test_a_flow_without_an_endpoint_fails(report: Callable[..., EndpointReport], flows_emulator: Emulator) -> None:
    """Nothing else is asked."""
    found = report(flows_emulator.add_flow("plain").id)
    assert [(each.name, each.category, each.result) for each in found.checks] == [("url", "configuration", "failed")]


def test_a_number_without_a_key_fails(
    report: Callable[..., EndpointReport], flow: str, endpoint: PlainEndpoint
) -> None:
    """The endpoint is not asked: there is nothing to encrypt with."""
    found = report(flow)
    assert [each.name for each in found.failures] == ["public-key"]
    assert "no public key" in found.failures[0].message
    assert endpoint.statuses == []


def test_a_registered_key_that_is_damaged_fails(
    report: Callable[..., EndpointReport], flows_emulator: Emulator, flows_client: FlowsClient, flow: str,
    flow_key_pair: KeyPair, endpoint: PlainEndpoint,
) -> None:  # fmt: skip
    """It is told for its number, and the other number is checked all the same."""
    first = flows_emulator.phone_number_id
    flows_emulator.add_phone_number("20300000000000001")
    flows_client.set_public_key(first, flow_key_pair.public_pem)
    der = base64.b64decode("".join(flow_key_pair.public_pem.splitlines()[1:-1]))
    damaged = base64.b64encode(der[:-1] + bytes(1)).decode()  # the exponent is even
    pem = f"-----BEGIN PUBLIC KEY-----\n{damaged}\n-----END PUBLIC KEY-----\n"
    flows_client.set_public_key("20300000000000001", pem)
    found = report(flow)
    (failure,) = found.failures
    assert (failure.name, failure.phone_number_ids) == ("public-key", ("20300000000000001",))
    assert failure.message.startswith("The public key of phone number 20300000000000001 cannot be used: it is damaged")
    assert [each.result for each in found.checks if each.name == "decryption"] == ["passed"]
    alone = flows_client.check_endpoint(flow, phone_number_id="20300000000000001")
    assert [each.name for each in alone.checks] == ["public-key"]
    assert endpoint.statuses == [200, 200]


def test_each_number_is_checked_and_each_key_once(
    report: Callable[..., EndpointReport], flows_emulator: Emulator, flows_client: FlowsClient, flow: str,
    flow_key_pair: KeyPair, other_public_pem: str, endpoint: PlainEndpoint,
) -> None:  # fmt: skip
    """Two numbers share the endpoint's key, and one has another key: that one's requests would fail."""
    first = flows_emulator.phone_number_id
    for number in ("20300000000000001", "20300000000000002"):
        flows_emulator.add_phone_number(number)
    flows_client.set_public_key(first, flow_key_pair.public_pem)
    flows_client.set_public_key("20300000000000001", flow_key_pair.public_pem + "\n")
    flows_client.set_public_key("20300000000000002", other_public_pem)
    found = flows_client.check_endpoint(flow, app_secret=APP_SECRET)
    (failure,) = found.failures
    assert (failure.name, failure.phone_number_ids) == ("decryption", ("20300000000000002",))
    assert [each.phone_number_ids for each in found.checks if each.name == "decryption"] == [
        (first, "20300000000000001"),
        ("20300000000000002",),
    ]
    assert endpoint.statuses == [200, 421, 421]
    assert report(flow, phone_number_id="20300000000000001").ok


def test_an_account_without_numbers_fails(
    report: Callable[..., EndpointReport], flows_emulator: Emulator, endpoint: PlainEndpoint
) -> None:
    """The numbers are those of the flow's own account, which may be another than the client's."""
    flows_emulator.add_account("20100000000000002")
    other = flows_emulator.add_flow("other", waba_id="20100000000000002", endpoint_uri="https://example.com/flow")
    found = report(other.id)
    assert [(each.name, each.message) for each in found.failures] == [
        ("public-key", "The account has no phone number.")
    ]


def test_errors_of_metas_part_are_raised(flows_client: FlowsClient, flow: str) -> None:
    """An unknown flow, and a number that is no id."""
    with pytest.raises(NotFoundError):
        flows_client.check_endpoint("1")
    with pytest.raises(ConfigurationError):
        flows_client.check_endpoint(flow, phone_number_id="../me")
