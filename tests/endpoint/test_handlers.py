"""Handlers: where they are registered, which one is called, what they get and what they may return."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import functools
import json
import pickle
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypedDict

import pytest

from tests.endpoint.exchanges import (
    APP_SECRET,
    DRIVERS,
    PING,
    TOKEN,
    Receive,
    areceive,
    ask,
    endpoint,
    pem,
    private_keys,
    receive,
    recording,
    seal,
)
from tests.endpoint.flows import BOOKING
from whatsapp_flows import ConfigurationError, Secret
from whatsapp_flows.endpoint import (
    Answer,
    Close,
    Finish,
    FlowEndpoint,
    FlowFacts,
    FlowRequest,
    PrivateKeys,
    RequestInfo,
    Show,
)

both_drivers = pytest.mark.parametrize("receive", DRIVERS, ids=lambda it: it.__name__)


def close(request: FlowRequest) -> Answer:
    return request.close()


# -- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"app_secrets": None}, "app_secrets is missing"),
        ({"app_secrets": ""}, "secret is empty"),
        ({"app_secrets": ()}, "app_secrets is empty"),
        ({"app_secrets": ["right", " "]}, "secret is empty"),
        ({"checks": "warn"}, 'checks must be "raise", "log" or "off"'),
        ({"time_limit": 0}, "time_limit must be a number of seconds above 0"),
        ({"time_limit": float("nan")}, "time_limit"),
        ({"time_limit": "9"}, "time_limit"),
        ({"max_body": 0}, "max_body"),
        ({"max_threads": 0}, "max_threads"),
        ({"tokens": "secret"}, "tokens must be a callable"),
        ({"tokens": lambda: None}, "tokens must be a callable that takes one argument"),
        ({"tokens": lambda request, more: None}, "tokens must be a callable that takes one argument"),
        ({"replay": {}}, "replay must have the methods get and put"),
        ({"on_event": 1}, "on_event must be a plain callable"),
        ({"on_event": [print, asyncio.sleep]}, "on_event must be a plain callable"),
        ({"flow": "no such file.json"}, "no such file.json"),
        ({"flow": {"version": "7.3"}}, "no screens"),
        ({"keys": "PEM"}, "keys must be PrivateKeys"),
        ({"keys": 7}, "not a int"),
        ({"keys": asyncio.sleep}, "not an asynchronous function"),
    ],
)
def test_an_option_that_makes_no_sense_is_reported_at_once(options: dict[str, Any], message: str) -> None:
    """With what to do."""
    with pytest.raises(ConfigurationError, match=message):
        endpoint(**options)


@pytest.mark.parametrize("secrets", [APP_SECRET, Secret(APP_SECRET), ["x", APP_SECRET], (Secret(APP_SECRET),)])
def test_secrets_in_every_form(secrets: Any) -> None:
    """One or several, as texts or as `Secret`."""
    assert receive(endpoint(app_secrets=secrets), seal(PING)).outcome == "ping"


def test_a_flow_in_every_form(tmp_path: Path) -> None:
    """A path, a mapping, a text, bytes, facts."""
    text = json.dumps(BOOKING)
    path = tmp_path / "booking.json"
    path.write_text(text)
    for flow in (path, str(path), text, text.encode(), BOOKING, FlowFacts.read(BOOKING)):
        with pytest.raises(ConfigurationError, match=r"no screen 'CHOSE'\. Did you mean 'CHOOSE'"):
            endpoint(flow=flow).data_exchange("CHOSE")


# -- registration


def two(_: object, request: FlowRequest) -> Answer:
    return request.close()


@pytest.mark.parametrize("register", [FlowEndpoint.data_exchange, FlowEndpoint.back])
def test_a_screen_that_the_flow_does_not_have_is_reported_at_once(register: Any) -> None:
    """With the nearest name; without a Flow, any name goes."""
    with pytest.raises(ConfigurationError, match="DETAILS"):
        register(endpoint(), "DETALS")
    assert register(endpoint(flow=None), "DETALS")(close) is close


PLACES: list[Callable[[FlowEndpoint], Callable[[Any], Any]]] = [
    lambda it: it.init,
    lambda it: it.data_exchange,
    lambda it: it.data_exchange("CHOOSE"),
    lambda it: it.back,
    lambda it: it.back("CHOOSE"),
    lambda it: it.on_error,
    lambda it: it.fallback,
]


@pytest.mark.parametrize("place", PLACES)
def test_two_handlers_for_one_place_are_reported_at_once(place: Callable[[FlowEndpoint], Callable[[Any], Any]]) -> None:
    """Both are named; all other places are free."""
    target = endpoint()
    for each in PLACES:
        assert each(target)(close) is close
    with pytest.raises(ConfigurationError, match=r"two handlers for .*: close and .*<lambda>"):
        place(target)(lambda request: request.close())
    with pytest.raises(ConfigurationError, match="close and two"):
        place(target)(functools.partial(two, 1))
    with pytest.raises(ConfigurationError, match="must be a function"):
        place(endpoint())(None)


def no_argument() -> None:
    """Not a handler."""


def two_arguments(request: FlowRequest, more: object) -> None:
    """Not one either."""


def keyword(*, request: FlowRequest) -> None:
    """Nor this."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("handler", [no_argument, two_arguments, keyword])
def test_a_handler_takes_the_request(place: Callable[[FlowEndpoint], Callable[[Any], Any]], handler: Any) -> None:
    """It is told when it is registered, and not by its first request."""
    with pytest.raises(ConfigurationError, match=f"^{handler.__name__}, the handler for .*, must take one argument"):
        place(endpoint())(handler)


def test_a_handler_whose_arguments_are_not_known_is_taken() -> None:
    """As of some built-in types."""
    assert endpoint().on_error(str) is str


def test_back_from_a_screen_that_does_not_ask_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """The handler would wait in vain."""
    endpoint().back("DETAILS")
    assert not caplog.records
    endpoint().back("CHOOSE")
    assert "no request for BACK of CHOOSE will come: set its refresh_on_back" in caplog.text


def test_one_handler_for_several_places() -> None:
    """Decorators return the handler, so they can be stacked."""
    target = endpoint()
    assert target.init(target.data_exchange("CHOOSE")(target.back("DETAILS")(close))) is close
    for request in (ask("INIT", ""), ask(), ask("BACK", "DETAILS")):
        assert receive(target, request).outcome == "answered"
    assert repr(target) == "FlowEndpoint(3 handlers, 4 screens, signed)"
    assert (
        repr(endpoint(flow=None, app_secrets=None, verify_signature=False))
        == "FlowEndpoint(0 handlers, no flow, signature not verified)"
    )


def test_the_more_specific_handler_wins() -> None:
    """Action and screen, then the action, then the fallback."""
    target, called = endpoint(), list[str]()

    def named(name: str) -> Callable[[FlowRequest], Answer]:
        def handler(request: FlowRequest) -> Answer:
            called.append(name)
            return request.close()

        return handler

    target.fallback(named("fallback"))
    target.back(named("back"))
    target.back("DETAILS")(named("back DETAILS"))
    target.data_exchange(named("exchange"))
    target.data_exchange("CHOOSE")(named("exchange CHOOSE"))
    for action, screen in [
        ("BACK", "DETAILS"),
        ("BACK", "CHOOSE"),
        ("data_exchange", "CHOOSE"),
        ("data_exchange", "DETAILS"),
        ("data_exchange", ""),
        ("INIT", ""),
        ("navigate", "CHOOSE"),
        ("DATA_EXCHANGE", "CHOOSE"),
    ]:
        receive(target, ask(action, screen))
    assert called == [
        "back DETAILS",
        "back",
        "exchange CHOOSE",
        "exchange",
        "exchange",
        "fallback",
        "fallback",
        "fallback",
    ]


def test_every_kind_of_callable_is_a_handler() -> None:
    """Functions, methods, partials and objects, plain or asynchronous, also where the plain one returns a coroutine."""

    class Handler:
        def method(self, request: FlowRequest) -> Answer:
            return request.close()

        async def later(self, request: FlowRequest) -> Answer:
            return request.close()

        async def __call__(self, request: FlowRequest) -> Answer:
            return request.close()

    handlers: list[Any] = [Handler().method, Handler().later, Handler(), functools.partial(two, 1)]
    handlers += [functools.partial(Handler.later, Handler()), lambda request: Handler().later(request)]
    for handler in handlers:
        target = endpoint()
        target.fallback(handler)
        assert areceive(target, ask()).outcome == "answered", handler


@pytest.mark.parametrize("asynchronous", [True, False])
def test_receive_refuses_an_asynchronous_handler(asynchronous: bool, caplog: pytest.LogCaptureFixture) -> None:
    """With a line that says what to use, and without a warning about a coroutine that was never awaited."""

    async def later(request: FlowRequest) -> Answer:
        return request.close()

    def plain(request: FlowRequest) -> Awaitable[Answer]:
        return later(request)

    for limit in (9.0, None):
        target = endpoint(time_limit=limit)
        target.fallback(later if asynchronous else plain)
        assert receive(target, ask()).outcome == "handler-failed"
        assert "needs areceive" in caplog.text
        caplog.clear()


# -- requests


def test_what_a_handler_gets() -> None:
    """The fields of the plaintext, whatever their order; the whole in `raw`."""
    target = endpoint()
    got = recording(target)
    document = {
        "data": {"name": "Zoë", "age": 42, "ok": True, "price": 9.5, "none": None, "list": [{"a": 1}]},
        "flow_token": TOKEN,
        "screen": "CHOOSE",
        "action": "data_exchange",
        "version": "4.0",
        "flow_token_signature": "a.b.c",
        "more": 1,
    }
    receive(target, seal(json.dumps(document).encode()))
    request = got[0]
    assert (request.action, request.screen, request.version) == ("data_exchange", "CHOOSE", "4.0")
    assert (request.flow_token, request.token_signature) == (TOKEN, "a.b.c")
    assert request.data == document["data"]
    assert request.raw == document
    assert request.error_key is request.error_message is None


def test_a_field_of_another_type_counts_as_missing() -> None:
    """So that an unknown client is answered rather than refused."""
    target = endpoint()
    got = recording(target)
    wrong: dict[str, object] = {
        "action": 1,
        "screen": None,
        "data": [1],
        "flow_token": {},
        "flow_token_signature": 3,
        "version": True,
    }
    for document in (wrong, {}):
        receive(target, seal(json.dumps(document).encode()))
        assert (got[-1].action, got[-1].screen, got[-1].data, got[-1].flow_token) == ("", "", {}, None)
        assert (got[-1].token_signature, got[-1].raw) == (None, document)


def test_a_request_shows_nothing_of_a_user() -> None:
    """It is frozen, comparable, and can be pickled for a queue."""
    request = FlowRequest(
        action="data_exchange", screen="CHOOSE", data={"name": "Zoë"}, flow_token=TOKEN, token_signature="a.b.c"
    )
    assert repr(request) == "FlowRequest(action='data_exchange', screen='CHOOSE', version='')"
    assert pickle.loads(pickle.dumps(request)) == request == copy.deepcopy(request)
    with pytest.raises(AttributeError):
        request.screen = "OTHER"  # type: ignore[misc]
    assert [repr(it) for it in (request.show("A", b="c"), request.finish(d="e"), request.close())] == [
        "Show(screen='A')",
        "Finish()",
        "Close()",
    ]
    for answer in (request.same_screen(error="x", errors={"a": "b"}, c=1), request.finish(d=1), request.close()):
        assert pickle.loads(pickle.dumps(answer)) == answer


def test_the_files_of_a_picker() -> None:
    """By the name in the payload; nothing where there is none."""
    keys = dict.fromkeys(("encrypted_hash", "encryption_key", "hmac_key", "plaintext_hash"), "A" * 43 + "=")
    photo = {
        "media_id": "1",
        "cdn_url": "https://mmg.whatsapp.net/a",
        "file_name": "../a.jpg",
        "encryption_metadata": {**keys, "iv": "A" * 22 + "=="},
    }
    request = FlowRequest(action="data_exchange", data={"photos": [photo, {**photo, "media_id": "2"}]})
    assert [it.media_id for it in request.media("photos")] == ["1", "2"]
    assert request.media("documents") == ()


# -- answers


UNTYPED: tuple[Any, Any] = (Show, Finish)  # as code without types calls them


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Show(""), "screen must be"),
        (lambda: UNTYPED[0](None), "screen must be"),
        (lambda: UNTYPED[0]("A", ["b"]), "data must be a mapping"),
        (lambda: UNTYPED[0]("A", {1: "b"}), "data must be a mapping"),
        (lambda: UNTYPED[0]("A", {}, 5), "error must be a text"),
        (lambda: UNTYPED[0]("A", {}, "e", "x"), "errors must be a mapping"),
        (lambda: UNTYPED[1]("x"), "params must be a mapping"),
        (lambda: FlowRequest(action="INIT").same_screen(), "comes from no screen"),
    ],
)
def test_an_answer_that_makes_no_sense_is_reported_in_the_handler(make: Any, message: str) -> None:
    """Where its line is."""
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_the_plaintext_of_each_answer() -> None:
    """`Finish` puts the token in, unless the handler has; a request may have none."""
    assert Show("A", {"b": 1}).plaintext() == {"screen": "A", "data": {"b": 1}}
    assert Show("A", {"b": 1, "error_message": "x"}, "y").plaintext()["data"] == {"b": 1, "error_message": "y"}
    assert Show("A", errors={}).plaintext()["data"] == {"error_messages": {}}
    params = [
        Finish({"a": 1}).plaintext("t"),
        Finish({"flow_token": "mine"}).plaintext("t"),
        Finish({"a": 1}).plaintext(None),
    ]
    assert [it["data"]["extension_message_response"]["params"] for it in params] == [
        {"flow_token": "t", "a": 1},
        {"flow_token": "mine"},
        {"a": 1},
    ]
    assert Close().plaintext("t") == {"screen": "SUCCESS", "data": {}}


class Loop(dict[str, object]):
    """A mapping that contains itself."""

    def __init__(self) -> None:
        super().__init__(me=self)


@both_drivers
@pytest.mark.parametrize(
    ("value", "found"),
    [
        (date(2026, 1, 1), "a date at /data/b"),
        ({"c": [1, Decimal(1)]}, "a Decimal at /data/b/c/1"),
        ({"c": {(1, 2): 3}}, "a key that is a tuple at /data/b/c"),
        (float("nan"), "nan at /data/b"),
        (float("-inf"), "-inf at /data/b"),
        (b"bytes", "a bytes at /data/b"),
        (Loop(), "contains itself"),
        (10**5000, "too large"),
    ],
    ids=lambda it: it[:20] if isinstance(it, str) else type(it).__name__,
)
def test_what_json_cannot_hold_is_named_by_its_place(
    receive: Receive, value: object, found: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log, with its type, without its value."""
    target = endpoint(checks="off")
    target.fallback(lambda request: request.show("A", b=value))
    assert receive(target, ask()).outcome == "handler-failed"
    assert found in caplog.text


# -- keys of many tenants


def test_the_keys_of_a_tenant_are_found_by_header_or_secret() -> None:
    """A callable of what is known before the decryption; texts are parsed once; None is an unknown tenant."""
    asked: list[RequestInfo] = []

    def find(info: RequestInfo) -> PrivateKeys | str | None:
        asked.append(info)
        tenants: dict[str, PrivateKeys | str] = {"a.example": pem(0), "b.example": private_keys(1)}
        return tenants.get(info.headers["host"])

    target = endpoint(find, app_secrets=("first", APP_SECRET))
    for name, key, status in [("a", 0, 200), ("b", 1, 200), ("a", 1, 421), ("c", 0, 421)]:
        host, sent = f"{name}.example", seal(PING, key=key)
        answer = target.receive(sent.body, {"Host": host, **sent.headers})
        assert (answer.status, asked[-1].app_secret_index) == (status, 1)
        assert asyncio.run(target.areceive(sent.body, {"HOST": host, **sent.headers})).status == status
    assert repr(asked[0]) == "RequestInfo(app_secret_index=1)"


@pytest.mark.parametrize("returned", ["no PEM", 5, LookupError("the vault is down")])
def test_a_callable_that_gives_no_keys_is_500(returned: object) -> None:
    """It is no fault of the peer's: the client need not fetch the public key again."""

    def find(info: RequestInfo) -> Any:
        if isinstance(returned, Exception):
            raise returned
        return returned

    assert receive(endpoint(find), seal(PING)).outcome == "handler-failed"
    assert areceive(endpoint(find), seal(PING)).outcome == "handler-failed"


# -- what surrounds a handler

CONTEXT: contextvars.ContextVar[str] = contextvars.ContextVar("CONTEXT", default="none")


@both_drivers
def test_a_handler_sees_the_context_of_the_request(receive: Receive) -> None:
    """A tracer's span and a framework's request are context variables."""
    target, seen = endpoint(), list[str]()

    @target.fallback
    def look(request: FlowRequest) -> Answer:
        seen.append(CONTEXT.get())
        return request.close()

    token = CONTEXT.set("here")
    receive(target, ask())
    CONTEXT.reset(token)
    assert seen == ["here"]


@pytest.mark.parametrize("body", ["text", None, {}, [1]])
def test_a_body_that_is_not_bytes_is_the_hosts_mistake(body: Any) -> None:
    """A framework's parsed JSON, for one, cannot be verified."""
    with pytest.raises(ConfigurationError, match="raw bytes"):
        endpoint().receive(body, {})
    with pytest.raises(ConfigurationError, match="raw bytes"):
        asyncio.run(endpoint().areceive(body, {}))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_body_in_any_kind_of_bytes(kind: Callable[[bytes], Any]) -> None:
    """As servers give them."""
    sent = seal(PING)
    assert endpoint().receive(kind(sent.body), sent.headers).outcome == "ping"


def test_an_endpoint_is_not_pickled() -> None:
    """It holds private keys."""
    with pytest.raises(TypeError, match="private keys"):
        pickle.dumps(endpoint())


def test_a_typed_handler_is_registered_like_any_other() -> None:
    """`data` is for type checkers alone; a request of a typed kind is the same value."""

    class ChooseData(TypedDict):
        service: str

    typed = endpoint()

    @typed.data_exchange("CHOOSE", data=ChooseData)
    def choose(request: FlowRequest[ChooseData]) -> Show:
        return request.show("NEXT", service=request.data["service"])

    assert FlowRequest[ChooseData](action="BACK") == FlowRequest(action="BACK")
    assert choose(FlowRequest(action="data_exchange", data={"service": "check"})) == Show("NEXT", {"service": "check"})
