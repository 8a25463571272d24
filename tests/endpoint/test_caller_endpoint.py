"""`EndpointClient` and `FlowEndpoint`: each fault gets its status, keys are rotated, and all data comes through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import some
from tests.endpoint.key_material import pair
from whatsapp_flows import ConfigurationError
from whatsapp_flows.endpoint import (
    EndpointClient,
    FlowEndpoint,
    FlowRequest,
    HttpAnswer,
    InvalidToken,
    KeyPair,
    PrivateKeys,
    Show,
    Tamper,
    Tokens,
)
from whatsapp_flows.endpoint.caller import FAULTS
from whatsapp_flows.signatures import sign

Client = Callable[..., EndpointClient]


@pytest.fixture(scope="module")
def endpoint(flow_key_pair: KeyPair, flow_app_secret: str) -> FlowEndpoint:
    """It shows what it was sent."""
    return echo(flow_key_pair.private_pem.reveal(), secret=flow_app_secret)


def echo(*pems: str, secret: str) -> FlowEndpoint:
    endpoint = FlowEndpoint(PrivateKeys(*pems), app_secrets=secret, time_limit=None)

    @endpoint.fallback
    def shown(request: FlowRequest) -> Show:
        if request.flow_token == "used":
            raise InvalidToken("It is booked already.")
        return request.show("NEXT", seen=dict(request.data))

    return endpoint


@pytest.mark.parametrize("tamper", [name for name in get_args(Tamper) if name != "wrong-token-signature"])
@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_each_fault_gets_its_status(
    flow_endpoint_client: Client, endpoint: FlowEndpoint, tamper: Tamper, awaited: bool
) -> None:
    """As Meta documents it, and never a 500."""
    client = flow_endpoint_client(endpoint, tamper=tamper)
    reply = asyncio.run(client.aping()) if awaited else client.ping()
    assert reply.status == FAULTS[tamper].status


def test_a_flow_token_with_a_wrong_signature_is_refused(
    flow_endpoint_client: Client, flow_key_pair: KeyPair, flow_app_secret: str
) -> None:
    """Where `Tokens` has the app secret; the right signature is accepted."""
    tokens = Tokens("a-secret-for-tokens-of-this-test", app_secrets=flow_app_secret)
    endpoint = FlowEndpoint(
        PrivateKeys(flow_key_pair.private_pem), app_secrets=flow_app_secret, tokens=tokens, time_limit=None
    )
    endpoint.init(lambda request: request.show("FIRST"))
    client = flow_endpoint_client(endpoint, version="4.0")
    token = tokens.new()
    assert client.exchange("INIT", token=token).screen == "FIRST"
    assert client.exchange("INIT", token=token, tamper="wrong-token-signature").status == 427


def test_the_text_of_a_refused_token_arrives(flow_endpoint_client: Client, endpoint: FlowEndpoint) -> None:
    """What the user reads."""
    reply = flow_endpoint_client(endpoint).exchange("INIT", token="used")
    assert (reply.outcome, reply.error_msg) == ("token-refused", "It is booked already.")


def test_an_error_is_acknowledged_without_a_handler(flow_endpoint_client: Client, endpoint: FlowEndpoint) -> None:
    """A form with a field called error is no notification."""
    client = flow_endpoint_client(endpoint)
    assert client.notify_error("timeout_error", "over 10 s", screen="NEXT", token="t").ok
    assert client.exchange("data_exchange", "FIRST", {"error": "none", "name": "a"}, "t").screen == "NEXT"


def test_a_key_is_rotated_without_a_lost_request(
    flow_endpoint_client: Client, flow_key_pair: KeyPair, flow_app_secret: str
) -> None:
    """New key first, the old one behind it; once that is dropped, a client fetches the new one after a 421."""
    new, old = pair(1), flow_key_pair
    registered = [old.public_pem]
    serving = [echo(old.private_pem.reveal(), secret=flow_app_secret)]

    def current(body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        return serving[-1].receive(body, headers)

    client = flow_endpoint_client(current, lambda: registered[-1])
    assert client.exchange("INIT").attempts == 1
    serving.append(echo(new.private_pem.reveal(), old.private_pem.reveal(), secret=flow_app_secret))
    registered.append(new.public_pem)
    assert client.exchange("INIT").attempts == 1  # still with the old key
    serving.append(echo(new.private_pem.reveal(), secret=flow_app_secret))
    assert client.exchange("INIT").attempts == 2
    assert client.exchange("INIT").attempts == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.mark.hypothesis
@settings(max_examples=some(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), JSON, max_size=4)
)
def test_all_data_comes_through(flow_endpoint_client: Client, endpoint: FlowEndpoint, data: dict[str, Any]) -> None:
    """What a form holds arrives as it was sent, and comes back as it was answered."""
    reply = flow_endpoint_client(endpoint).exchange("data_exchange", "FORM", data, "token-1")
    if set(data) <= {"error", "error_key", "error_message"} and {"error", "error_key"} & set(data):
        return  # that may be an error notification
    assert reply.data["seen"] == data


def test_an_endpoint_makes_its_own_client(endpoint: FlowEndpoint, flow_app_secret: str) -> None:
    """It encrypts for the endpoint's first key, signs with its first secret, and signs any other body so too."""
    with endpoint.test_client(version="4.0") as client:
        assert client.exchange("INIT", token="token-1").screen == "NEXT"
        assert client.signature(b"a body") == sign(b"a body", flow_app_secret)


def test_an_endpoint_without_secrets_is_called_unsigned(flow_key_pair: KeyPair) -> None:
    """As it verifies nothing, nothing is signed."""
    endpoint = FlowEndpoint(PrivateKeys(flow_key_pair.private_pem), verify_signature=False)
    client = endpoint.test_client()
    assert client.signature(b"a body") is None
    assert client.ping().ok


def test_an_endpoint_of_many_tenants_has_no_key_of_its_own(flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """Which tenant is meant, only the caller knows."""
    endpoint = FlowEndpoint(lambda info: flow_key_pair.private_pem, app_secrets=flow_app_secret)
    with pytest.raises(ConfigurationError, match="the public_key of a tenant"):
        endpoint.test_client()
    assert endpoint.test_client(flow_key_pair.public_pem).ping().ok
    assert endpoint.test_client(flow_key_pair.public_pem, "another").ping().status == 432


def test_an_endpoint_says_what_it_handles(endpoint: FlowEndpoint, flow_key_pair: KeyPair, flow_app_secret: str) -> None:
    """A screen's own handler, one for all screens, or the fallback."""
    other = FlowEndpoint(PrivateKeys(flow_key_pair.private_pem), app_secrets=flow_app_secret)
    other.back("TIME")(lambda request: request.show("CHOOSE"))
    assert endpoint.handles("INIT")
    assert other.handles("BACK", "TIME")
    assert not other.handles("BACK", "CHOOSE")
    assert not other.handles("INIT")
