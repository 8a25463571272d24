"""An endpoint, webhooks, and both under one URL, behind each adapter and each server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contrib.adapters.applications import ASGI, WSGI
from tests.contrib.adapters.real import DATES, ENDPOINT_SECRET, HOOKS_SECRET, VERIFY_TOKEN, make_receivers
from tests.contrib.adapters.test_contract import rows
from tests.contrib.adapters.ways import IN_THIS_PROCESS, LAMBDAS, SERVERS, WAYS, WITHOUT_SERVER, Ways
from tests.contrib.adapters.wires import Reply, Sent
from whatsapp_flows.endpoint import EndpointClient, KeyPair, Tamper
from whatsapp_flows.signatures import sign

pytestmark = pytest.mark.xdist_group("adapters")

every_way = rows(*WAYS)
endpoint_paths = pytest.mark.parametrize("path", ["/endpoint", "/both"])
webhook_paths = pytest.mark.parametrize("path", ["/webhooks", "/both"])

REFUSED: Mapping[Tamper, int] = {"wrong-signature": 432, "no-signature": 432, "missing-field": 400, "wrong-key": 421}
Answer = tuple[int, Mapping[str, str], bytes]


@pytest.fixture
def client_of(ways: Ways, flow_key_pair: KeyPair) -> Callable[[str, str], EndpointClient]:
    """Meta's client, for the receiver at a path of a way."""

    def make(name: str, path: str) -> EndpointClient:
        way = ways(name)

        def call(body: bytes, headers: Mapping[str, str]) -> Answer:
            reply = way.call(Sent(path=path, headers=tuple(headers.items()), body=body))
            return reply.status, dict(reply.headers), reply.body

        return EndpointClient(call, flow_key_pair.public_pem, ENDPOINT_SECRET, sleep=lambda seconds: None)

    return make


ClientOf = Callable[[str, str], EndpointClient]


@every_way
@endpoint_paths
def test_a_flow_is_played(client_of: ClientOf, name: str, path: str) -> None:
    """Health check, opening and submitting, with real encryption and text that is not ASCII."""
    client = client_of(name, path)
    assert client.ping().ok
    opened = client.exchange("INIT", token="token-1")
    assert (opened.screen, opened.data, opened.content_type) == ("CHOOSE", {"dates": DATES}, "text/plain")
    entered = {"date": DATES[0], "name": "Zoë / 日本 \N{WAVING HAND SIGN}"}
    assert client.exchange("data_exchange", "CHOOSE", entered, "token-1").params == {"flow_token": "token-1", **entered}


@every_way
def test_what_an_endpoint_refuses_has_no_body(client_of: ClientOf, name: str) -> None:
    """The status is the endpoint's, also where it is registered nowhere; nothing is added to it."""
    client = client_of(name, "/endpoint")
    for tamper, status in REFUSED.items():
        refused = client.ping(tamper=tamper)
        assert (refused.status, refused.plaintext, refused.content_type) == (status, b"", "")


@every_way
@endpoint_paths
def test_a_token_that_is_refused_says_why(client_of: ClientOf, name: str, path: str) -> None:
    """427, with the encrypted text."""
    refused = client_of(name, path).exchange("INIT", token="expired")
    assert (refused.status, refused.error_msg) == (427, "Please ask for a new message.")


@every_way
def test_a_handler_that_raises_is_500_without_a_body(client_of: ClientOf, name: str) -> None:
    """And the next request is answered."""
    client = client_of(name, "/endpoint")
    failed = client.exchange("data_exchange", "CHOOSE", {}, "token-1")
    assert (failed.status, failed.plaintext, failed.content_type) == (500, b"", "")
    assert client.ping().ok


@every_way
def test_each_receiver_has_its_limit(ways: Ways, name: str) -> None:
    """413 for a byte more than it takes."""
    for path, size in (("/endpoint", 100_001), ("/webhooks", 200_001), ("/both", 200_001)):
        assert ways(name).call(Sent(path=path, body=b"x" * size)).status == 413


def _event() -> bytes:
    value = {"event": "FLOW_STATUS_CHANGE", "flow_id": "1", "old_status": "DRAFT", "new_status": "PUBLISHED"}
    entry = {"id": "1", "time": 1, "changes": [{"field": "flows", "value": {**value, "message": "Zo\u00eb"}}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _webhook(ways: Ways, name: str, path: str, secret: str) -> Reply:
    headers = (("Content-Type", "application/json"), ("X-Hub-Signature-256", sign(_event(), secret)))
    return ways(name).call(Sent(path=path, headers=headers, body=_event()))


@every_way
@webhook_paths
def test_webhooks_are_received(ways: Ways, name: str, path: str) -> None:
    """200 for a signature with their own secret, 403 for another one."""
    assert _webhook(ways, name, path, HOOKS_SECRET).status == 200
    assert _webhook(ways, name, path, ENDPOINT_SECRET).status == 403


@every_way
@webhook_paths
def test_the_url_of_webhooks_is_verified(ways: Ways, name: str, path: str) -> None:
    """With the challenge for the right token, and 403 for another one."""
    query = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY_TOKEN}"
    verified = ways(name).call(Sent(method="GET", path=path, query=query))
    assert (verified.status, verified.body) == (200, b"1158201444")
    assert ways(name).call(Sent(method="GET", path=path, query=f"{query}x")).status == 403


@every_way
def test_an_endpoint_alone_takes_no_get(ways: Ways, name: str) -> None:
    """405."""
    reply = ways(name).call(Sent(method="GET", path="/endpoint"))
    assert (reply.status, reply.header("allow")) == (405, "POST")


@pytest.mark.parametrize("name", [*ASGI, *WSGI])
def test_an_application_is_a_target_of_the_client(ways: Ways, flow_key_pair: KeyPair, name: str) -> None:
    """Without a socket, as in a host's own tests."""
    receivers = make_receivers(ways.keys)
    application = ASGI[name](receivers) if name in ASGI else WSGI[name](receivers)
    with EndpointClient(application, flow_key_pair.public_pem, ENDPOINT_SECRET, path="/both") as client:
        assert client.exchange("INIT", token="token-1").screen == "CHOOSE"


@rows(*IN_THIS_PROCESS)
def test_plain_handlers_run_at_the_same_time(client_of: ClientOf, name: str) -> None:
    """Each waits for the other on its thread: neither blocks an event loop, nor the server."""
    client = client_of(name, "/endpoint")
    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(lambda _: client.exchange("data_exchange", "MEET", {}, "token-1"), range(2)))
    assert [reply.screen for reply in replies] == ["MEET", "MEET"]


@rows(
    *[name for name in (*WITHOUT_SERVER, *SERVERS) if name.removesuffix(" on uvicorn") in ASGI],
    without={"django plain under asgi"},
)
def test_asynchronous_handlers_are_awaited(client_of: ClientOf, name: str) -> None:
    """By the adapters of asyncio."""
    assert client_of(name, "/endpoint").exchange("data_exchange", "ASYNC", {}, "token-1").screen == "ASYNC"


@rows("wsgi", "flask", "django", *LAMBDAS)
def test_asynchronous_handlers_need_asyncio(client_of: ClientOf, name: str) -> None:
    """The others answer 500, which the log explains."""
    assert client_of(name, "/endpoint").exchange("data_exchange", "ASYNC", {}, "token-1").status == 500
