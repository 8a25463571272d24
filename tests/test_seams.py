"""`with_options` and `wrapping`: options without secrets, wrapped transports, shared connections."""

from __future__ import annotations

import dataclasses
import gc
import threading
from typing import Any

import pytest

from tests.support import DONE, TOKEN, WABA, ScriptedTransport
from whatsapp_flows import (
    ConfigurationError,
    ExponentialBackoff,
    FlowsClient,
    NoRetry,
    Request,
    Response,
    Timeout,
    Transport,
    _driver_sync,
)

APP_SECRET = "0123456789abcdef0123456789abcdef"


class Opened(ScriptedTransport):
    """What the client opens for itself in these tests."""

    def __init__(self) -> None:
        super().__init__([DONE] * 10)
        self.closings = 0

    def close(self) -> None:
        self.closings += 1
        super().close()


class Wrapper:
    """A host's transport that wraps another, and closes it."""

    def __init__(self, inner: Transport) -> None:
        self.inner, self.closings, self.sent = inner, 0, 0

    def send(self, request: Request, /, *, timeout: Timeout) -> Response:
        self.sent += 1
        return self.inner.send(request, timeout=timeout)

    def close(self) -> None:
        self.closings += 1
        self.inner.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Opened]:
    made: list[Opened] = []

    def make(_: object) -> Opened:
        made.append(Opened())
        return made[-1]

    monkeypatch.setattr(_driver_sync, "RequestsTransport", make)
    return made


def test_options_are_every_option_but_the_secrets() -> None:
    """A frozen value, with the names of the constructor."""
    policy, stop = NoRetry(), threading.Event()
    client = FlowsClient(
        TOKEN, WABA, app_secret=APP_SECRET, retry_policy=policy, stop=stop, timeout=5.0, max_attempts=0, on_event=print
    )
    options = client.options
    assert (options.waba_id, options.retry_policy, options.stop, options.validate) == (WABA, policy, stop, "off")
    assert options.timeout == Timeout(5.0, 5.0, 50.0)
    assert options.max_attempts == 1
    assert options.on_event == (print,)
    assert FlowsClient(TOKEN).options.retry_policy is None
    names = {field.name for field in dataclasses.fields(options)}
    assert names == set(_driver_sync.Options.__annotations__) - {"access_token", "app_secret"}
    assert TOKEN not in repr(options)
    assert APP_SECRET not in repr(options)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.waba_id = "5"  # type: ignore[misc]


def test_options_are_those_of_the_changed_client() -> None:
    """`with_options` changes the copy and not the original."""
    client = FlowsClient(TOKEN, WABA)
    other = client.with_options(waba_id="55", retry_policy=ExponentialBackoff(initial=1.0))
    assert (client.options.waba_id, other.options.waba_id) == (WABA, "55")
    assert other.options.retry_policy == ExponentialBackoff(initial=1.0)


def test_connections_are_closed_with_the_last_client(opened: list[Opened]) -> None:
    """In whatever order they are closed, and once."""
    for last in range(3):
        clients = [FlowsClient(TOKEN, WABA)]
        clients += [clients[0].with_options(waba_id="55"), clients[0].with_options(waba_id="66")]
        own = opened[-1]
        remaining = clients.pop(last)
        for client in clients:
            client.close()
            client.close()
        remaining.subscribe_app()
        assert own.closings == 0
        remaining.close()
        remaining.close()
        assert own.closings == 1
    assert len(opened) == 3


def test_a_copy_in_a_with_block_closes_nothing_that_others_use(opened: list[Opened]) -> None:
    """`with client.with_options(...)` leaves the shared connections open."""
    with FlowsClient(TOKEN, WABA) as client:
        for _ in range(3):
            with client.with_options(waba_id="55") as view:
                view.subscribe_app()
        client.subscribe_app()
        assert opened[0].closings == 0
    assert opened[0].closings == 1


def test_a_copy_that_is_not_closed_keeps_nothing_open(opened: list[Opened]) -> None:
    """Copies are made for one call and not closed."""
    client = FlowsClient(TOKEN, WABA)
    for _ in range(3):
        client.with_options(waba_id="55").subscribe_app()
        client.wrapping(Wrapper).subscribe_app()
    gc.collect()
    client.close()
    assert opened[0].closings == 1


def test_a_copy_outlives_the_client_that_it_was_made_from(opened: list[Opened]) -> None:
    """A function may return the copy and drop the original."""
    view = FlowsClient(TOKEN, WABA).with_options(waba_id="55")
    gc.collect()
    view.subscribe_app()
    assert opened[0].closings == 0
    view.close()
    assert opened[0].closings == 1


def test_wrapping_puts_a_transport_around_the_clients_own(opened: list[Opened]) -> None:
    """The new client sends by it, the old one does not; both keep their options and share the usage figures."""
    client = FlowsClient(TOKEN, WABA, max_attempts=7)
    wrapped = client.wrapping(Wrapper)
    wrapper = wrapped.options.transport
    assert isinstance(wrapper, Wrapper)
    wrapped.subscribe_app()
    client.subscribe_app()
    assert wrapper.sent == 1
    assert len(opened[0].requests) == 2
    assert wrapped.options.max_attempts == 7
    assert wrapped.with_options(waba_id="55").options.transport is wrapper


def test_a_wrapper_is_closed_first_and_closes_nothing_that_others_use(opened: list[Opened]) -> None:
    """The wrapped transport stays open for the others, although the wrapper closes it."""
    client = FlowsClient(TOKEN, WABA)
    wrapped = client.wrapping(Wrapper)
    view = wrapped.with_options(waba_id="55")
    wrapper = wrapped.options.transport
    assert isinstance(wrapper, Wrapper)
    wrapped.close()
    view.subscribe_app()
    assert wrapper.closings == 0
    view.close()
    assert (wrapper.closings, opened[0].closings) == (1, 0)
    client.subscribe_app()
    client.close()
    assert opened[0].closings == 1


def test_connections_outlive_the_client_under_a_wrapper(opened: list[Opened]) -> None:
    """The wrapped client uses them as well."""
    client = FlowsClient(TOKEN, WABA)
    wrapped = client.wrapping(Wrapper).wrapping(Wrapper)
    client.close()
    wrapped.subscribe_app()
    wrapped.close()
    assert opened[0].closings == 1


def test_a_transport_of_the_host_stays_open_under_a_wrapper() -> None:
    """Only the host closes it."""
    transport = Opened()
    with FlowsClient(TOKEN, WABA, transport=transport).wrapping(Wrapper) as wrapped:
        wrapped.subscribe_app()
    assert transport.closings == 0


class Tenant(FlowsClient):
    """A host's client, whose constructor has other parameters."""

    __slots__ = ("region",)

    def __init__(self, name: str, *, region: str) -> None:
        super().__init__(f"token-of-{name}", WABA, transport=Opened())
        self.name, self.region = name, region


def test_a_subclass_may_have_other_parameters() -> None:
    """`with_options` and `wrapping` copy it with its own attributes, and do not call its `__init__`."""
    tenant = Tenant("acme", region="eu")
    for other in (
        tenant.with_options(waba_id="55"),
        tenant.wrapping(Wrapper),
        tenant.with_options(access_token="x" * 9),
    ):
        assert isinstance(other, Tenant)
        assert (other.name, other.region) == ("acme", "eu")
        other.subscribe_app()
        other.close()
    tenant.subscribe_app()


@pytest.mark.parametrize("wrong", [None, object()])
def test_what_wrapping_makes_must_be_a_transport(wrong: Any) -> None:
    """Otherwise `wrapping` raises at once."""
    with pytest.raises(ConfigurationError, match="transport"):
        FlowsClient(TOKEN, WABA, transport=Opened()).wrapping(lambda _: wrong)


def test_a_client_that_was_never_closed_causes_no_warning() -> None:
    """As with a session of requests."""
    client = FlowsClient(TOKEN, WABA)
    client.with_options(waba_id="55")
    del client
    gc.collect()
