"""The token is sent in the Authorization header only, the app's secret never; nothing shows either of them."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import re
import traceback
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from tests import misbehaving as bad
from tests.misbehaving import Answer, Behaviour, Connection, Received, Server, answers, replies
from tests.wires import WIRES, RequestsWire, Setup, Wire
from whatsapp_flows import (
    AsyncFlowsClient,
    ConfigurationError,
    Event,
    FlowsClient,
    FlowsError,
    RequestsTransport,
    Timeout,
    UnexpectedResponseError,
)
from whatsapp_flows._wire import Response, Secret
from whatsapp_flows.transport import Credentials

# Module constants, so that no frame of a test holds them: a traceback may show the values of local variables.
USER_TOKEN = "EAAGm0PX4ZCpsBAO9vXk2" + "ZCq7Rt1LwZBn8YfZA3e" * 9 + "ZD"
APP_TOKEN = "4271998233561|kZx/Qm+w9_T7aB-c1LwNn8Yf5Rr="
APP_SECRET = "9f86d081884c7d659a2feaa0c55ad015"
SECRETS = (USER_TOKEN, APP_TOKEN, APP_SECRET)

WABA_ID = "102290129340398"
FLOW_ID = "1234567890"
DOCUMENT = '{"version": "7.0", "screens": []}'


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bad.forget_environment(monkeypatch)


# Where a secret could be found


def in_lower_case(percent_encoded: str) -> str:
    """The escapes only: %2F as %2f."""
    return re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), percent_encoded)


def spellings(secret: str) -> Iterator[str]:
    """Unescaped; with JSON's escaped solidus; percent-encoded in either case; and a long part of it."""
    percent = quote(secret, safe="")
    yield from (secret, secret.replace("/", "\\/"), percent, in_lower_case(percent))
    yield secret[4:24]


FORBIDDEN = tuple(spelling for secret in SECRETS for spelling in spellings(secret))


def assert_clean(where: str, texts: Iterable[str]) -> None:
    """No spelling of a secret stands in any of the texts."""
    for text in texts:
        found = [spelling for spelling in FORBIDDEN if spelling in text]
        assert not found, f"a secret stands in {where}: {text[max(0, text.find(found[0]) - 200) :][:400]}"


def strings_in(root: object) -> Iterator[str]:
    """Every text that can be reached from an object through attributes and containers, but not what a Secret hides."""
    seen: set[int] = set()
    waiting: deque[object] = deque([root])
    kept: list[object] = []
    opaque = (Secret, type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.TracebackType)
    while waiting:
        it = waiting.popleft()
        if id(it) in seen or isinstance(it, opaque):
            continue
        seen.add(id(it))
        kept.append(it)  # an id is good only as long as the object lives
        if isinstance(it, str):
            yield it
        elif isinstance(it, (bytes, bytearray)):
            yield it.decode("latin-1")
        elif isinstance(it, types.MethodType):
            waiting.append(it.__self__)
        else:
            if isinstance(it, (dict, types.MappingProxyType)):
                waiting.extend(it.keys())
                waiting.extend(it.values())
            elif isinstance(it, (list, tuple, deque, Set)):
                waiting.extend(it)
            waiting.extend(getattr(it, "__dict__", {}).values())
            slots = (slot for kind in type(it).__mro__ for slot in _names(kind.__dict__.get("__slots__", ())))
            waiting.extend(getattr(it, slot, None) for slot in slots)


def _names(slots: str | Iterable[str]) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def family(error: BaseException) -> Iterator[BaseException]:
    """The error, those that led to it, and those that came before it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        it = waiting.pop()
        if it is not None and id(it) not in seen:
            seen.add(id(it))
            yield it
            waiting += [it.__cause__, it.__context__, *getattr(it, "attempts", ())]


def said_by(error: BaseException) -> Iterator[str]:
    """Every text of an error that a host may log."""
    for it in family(error):
        yield from (str(it), repr(it), *traceback.format_exception(it))
        yield from strings_in(it)
        if isinstance(it, FlowsError):
            yield pickle.dumps(it).decode("latin-1")


def variables_around(error: BaseException) -> Iterator[str]:
    """The tracebacks as error trackers record them: with the local variables of every frame."""
    for it in family(error):
        yield from traceback.TracebackException.from_exception(it, capture_locals=True).format()


def said_by_log(record: logging.LogRecord) -> Iterator[str]:
    """The message, its parts, the `extra`, and the traceback if there is one."""
    yield record.getMessage()
    yield logging.Formatter().format(record)
    for name, value in vars(record).items():
        yield f"{name}={value!r}"
    yield from strings_in([value for name, value in vars(record).items() if name != "exc_info"])


def sent_in_the_open(received: Received) -> Iterator[str]:
    """All of a request but the Authorization header."""
    yield received.target
    yield received.body.decode("latin-1")
    for line in received.raw_head.decode("latin-1").split("\r\n"):
        if not line.lower().startswith("authorization:"):
            yield line


@dataclass
class Watch:
    """Records what happens around the client of one wire, from every logger and as events."""

    logs: list[logging.LogRecord]
    wire: Wire = field(default_factory=RequestsWire)
    events: list[Event] = field(default_factory=list)

    def assert_clean(self, *servers: Server) -> None:
        """Neither the logs nor the events nor what arrived shows a secret."""
        assert self.logs
        for record in self.logs:
            assert_clean(f"the log of {record.name}", said_by_log(record))
        for event in self.events:
            assert_clean(type(event).__name__, [repr(event), str(event), *strings_in(event)])
        for received in (received for server in servers for received in server.requests):
            assert_clean("a request", sent_in_the_open(received))


class Collector(logging.Handler):
    """Collects the records of every logger."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def watching(wire: Wire) -> Iterator[Watch]:
    root, collector = logging.getLogger(), Collector()
    level = root.level
    root.addHandler(collector)
    root.setLevel(logging.DEBUG)
    try:
        yield Watch(collector.records, wire)
    finally:
        root.setLevel(level)
        root.removeHandler(collector)


@pytest.fixture(params=WIRES, ids=lambda wire: wire.name)
def watch(request: pytest.FixtureRequest) -> Iterator[Watch]:
    """A watch of each client."""
    with watching(request.param) as watch:
        yield watch


@pytest.fixture
def watch_requests() -> Iterator[Watch]:
    """A watch of the client on requests."""
    with watching(RequestsWire()) as watch:
        yield watch


def no_wait(_: float) -> None:
    """Time is a parameter."""


def client_for(
    watch: Watch, url: str, setup: Setup | None = None, *, app: bool = False, **options: Any
) -> AbstractContextManager[FlowsClient]:
    """A client with one of the two tokens, whose output is recorded."""
    token = APP_TOKEN if app else USER_TOKEN
    return watch.wire.client(token, WABA_ID, setup=setup, **_usual(watch, url, options))


def on_session(watch: Watch, url: str, session: requests.Session) -> FlowsClient:
    """The same on a session of the host's."""
    return FlowsClient(USER_TOKEN, WABA_ID, session=session, **_usual(watch, url, {}))


def _usual(watch: Watch, url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    usual = {"base_url": url, "sleep": no_wait, "timeout": 10, "max_attempts": 2}
    return {**usual, "app_secret": APP_SECRET, "on_event": watch.events.append, **options}


both_tokens = pytest.mark.parametrize("app", [False, True], ids=["user token", "app token"])


# Successes


@both_tokens
def test_a_success_shows_nothing(app: bool, watch: Watch) -> None:
    """Uploads, reads and lists: not in a URL, a log or an event, and the token is in its header and only there."""
    body = json.dumps({"success": True, "id": FLOW_ID, "data": []}).encode()
    with Server(answers(body)) as server, client_for(watch, server.url, app=app) as client:
        client.update_flow_json(FLOW_ID, DOCUMENT)
        client.get_flow(FLOW_ID)
        client.publish_flow(FLOW_ID)
        list(client.list_flows())
    watch.assert_clean(server)
    assert {it.headers["authorization"] for it in server.requests} == {f"Bearer {APP_TOKEN if app else USER_TOKEN}"}
    assert {record.name for record in watch.logs} <= {"whatsapp_flows", "urllib3.connectionpool", "asyncio"}


# Failures: echoes of Meta or of a proxy


def mixed(char: str, number: int) -> str:
    """One of the ways to write a character."""
    code = ord(char)
    ways = (char, f"\\u{code:04x}", f"%{code:02x}", f"\\u{code:04X}", f"%{code:02X}", f"%25{code:02x}",
            f"\\\\u{code:04x}", f"\\x{code:02x}", f"&#{code};", f"&#x{code:X};", f"%5Cu{code:04x}")  # fmt: skip
    return ways[number % len(ways)]


def echo(fields: Callable[[str], Mapping[str, Any]], spell: Callable[[str], str]) -> Behaviour:
    """A refusal that echoes the token it was sent, in some spelling."""

    def reply(received: Received) -> Answer:
        token = received.headers["authorization"].removeprefix("Bearer ")
        body = {"error": {"code": 190, "message": "No", **fields(spell(token))}}
        return Answer(json.dumps(body).encode(), 400)

    return replies(reply)


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "plain": lambda token: f"Malformed access token {token}",
    "quoted": lambda token: f'Malformed access token "{token}".',
    "bearer": lambda token: f"Authorization: Bearer {token}",
    "JSON-escaped": lambda token: json.dumps({"token": token}).replace("/", "\\/"),
    "percent-encoded": lambda token: f"https://graph.facebook.com/me?access_token={quote(token, safe='')}&limit=1",
    "percent-encoded elsewhere": lambda token: f"redirect_uri {quote(token, safe='')}",
    "percent-encoded in lower case": lambda token: f"redirect_uri {in_lower_case(quote(token, safe=''))}",
    "as code points of JSON": lambda token: "".join(f"\\u{ord(char):04x}" for char in token),
    "in mixed escapes": lambda token: "".join(mixed(char, number) for number, char in enumerate(token)),
    "in a query": lambda token: f"GET /v25.0/me?access_token={token}",
    "cut off": lambda token: f"Malformed access token {token[:60]}...",
}
FIELDS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "message": lambda value: {"message": value},
    "error_user_title": lambda value: {"error_user_title": value},
    "error_user_msg": lambda value: {"error_user_msg": value},
    "error_data": lambda value: {"error_data": value},
    "error_data.details": lambda value: {"error_data": {"details": value}},
    "type": lambda value: {"type": value},
    "fbtrace_id": lambda value: {"fbtrace_id": value},
    "retryable": lambda value: {"code": 139001, "error_subcode": 4016012, "error_user_msg": value},
}


def assert_failure_is_clean(watch: Watch, client: FlowsClient, *servers: Server) -> FlowsError:
    """An upload fails, and neither its error nor its logs contain a secret."""
    with pytest.raises(FlowsError) as caught:
        client.update_flow_json(FLOW_ID, DOCUMENT)
    assert_clean(type(caught.value).__name__, said_by(caught.value))
    watch.assert_clean(*servers)
    return caught.value


@both_tokens
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_echo_in_any_spelling_is_masked(spelling: str, app: bool, watch: Watch) -> None:
    """However Meta or a proxy escapes the token."""
    behaviour = echo(FIELDS["message"], SPELLINGS[spelling])
    with Server(behaviour) as server, client_for(watch, server.url, app=app) as client:
        error = assert_failure_is_clean(watch, client, server)
    assert "[redacted]" in error.message


@both_tokens
@pytest.mark.parametrize("name", FIELDS)
def test_an_echo_in_any_field_is_masked(name: str, app: bool, watch: Watch) -> None:
    """In any part of the error object."""
    behaviour = echo(FIELDS[name], SPELLINGS["plain"])
    with Server(behaviour) as server, client_for(watch, server.url, app=app) as client:
        assert_failure_is_clean(watch, client, server)


def _reply(make: Callable[[str], Answer]) -> Behaviour:
    return replies(lambda received: make(received.headers["authorization"]))


def _says(make: Callable[[str], str]) -> Behaviour:
    """A response made from the Authorization header of the request."""

    def act(connection: Connection) -> bool:
        received = connection.receive()
        if received is not None:
            connection.send(make(received.headers["authorization"]).encode())
        return False

    return Behaviour("says", act)


MALFORMED_ANSWERS: Mapping[str, Behaviour] = {
    "HTML": _reply(lambda value: Answer(f"<html>{value}</html>".encode(), 502, {"Content-Type": "text/html"})),
    "HTML with 200": _reply(lambda value: Answer(f"<html>{value}</html>".encode())),
    "a list": _reply(lambda value: Answer(json.dumps([value]).encode())),
    "an object that says nothing": _reply(lambda value: Answer(json.dumps({"value": value}).encode())),
    "a bare string as error": _reply(lambda value: Answer(json.dumps({"error": value}).encode(), 400)),
    "validation errors": _reply(
        lambda value: Answer(
            json.dumps({"success": False, "validation_errors": [{"error": value, "message": value}]}).encode()
        )
    ),
    "a redirect": _reply(lambda value: Answer(b"", 302, {"Location": f"http://127.0.0.1:9/?{quote(value)}"})),
    "the trace header": _reply(lambda value: Answer(b"{}", 400, {"x-fb-trace-id": value})),
    "hints": _reply(
        lambda value: Answer(
            b"{}", 429, {"Retry-After": value, "X-Business-Use-Case-Usage": json.dumps({value: [value]})}
        )
    ),
    "the status line": _says(lambda value: f"HTTP/1.1 200 {value}\r\nContent-Length: 2\r\n\r\n{{}}"),
    "no status line": _says(lambda value: f"{value}\r\n\r\n"),
    "a chunk's length": _says(
        lambda value: f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{value}\r\n{value}\r\n"
    ),
    "an encoding": _says(
        lambda value: f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n{value[:9]}"
    ),
}


@both_tokens
@pytest.mark.parametrize("name", MALFORMED_ANSWERS)
def test_an_answer_of_a_proxy_shows_nothing(name: str, app: bool, watch: Watch) -> None:
    """A proxy's page, a damaged answer, a header: whatever repeats the request's Authorization."""
    with Server(MALFORMED_ANSWERS[name]) as server, client_for(watch, server.url, app=app) as client:
        assert_failure_is_clean(watch, client, server)


# Failures: the network


@pytest.mark.parametrize(
    "behaviour",
    [
        bad.RESET_BEFORE_READING,
        bad.SILENCE,
        bad.RESET_AFTER_REQUEST,
        bad.CLOSE_AFTER_REQUEST,
        bad.STALL_IN_BODY,
        bad.SHORT_BODY,
        bad.BAD_CHUNK,
        bad.DAMAGED_GZIP,
        bad.GARBAGE,
        bad.MANY_HEADERS,
        bad.NO_TLS,
        answers(secured=True),
    ],
    ids=str,
)
def test_a_failure_of_the_network_shows_nothing(behaviour: Behaviour, watch: Watch) -> None:
    """Retried until no attempt is left, with the history of the call."""
    timeout = Timeout(connect=10, read=0.15) if behaviour in (bad.SILENCE, bad.STALL_IN_BODY) else Timeout()
    with Server(behaviour) as server, client_for(watch, server.url, timeout=timeout) as client:
        assert_failure_is_clean(watch, client, server)


@pytest.mark.parametrize("place", [bad.refusing], ids=["refused"])
def test_what_was_not_sent_shows_nothing(place: Callable[[], Any], watch: Watch) -> None:
    """A refused connection, twice."""
    with place() as url, client_for(watch, url) as client:
        error = assert_failure_is_clean(watch, client)
    assert len(error.attempts) == 1


def test_a_hook_that_raises_shows_nothing(watch_requests: Watch) -> None:
    """requests' own exception holds the request, with its header; ours is not chained to it."""
    watch = watch_requests
    with requests.Session() as session, Server(echo(FIELDS["message"], SPELLINGS["plain"])) as server:
        session.hooks["response"].append(lambda response, **_: response.raise_for_status())
        error = assert_failure_is_clean(watch, on_session(watch, server.url, session), server)
    for it in family(error):
        assert isinstance(it, FlowsError)


def test_no_error_of_the_network_is_chained_to_one_that_holds_the_request(watch: Watch) -> None:
    """Exceptions of requests and aiohttp refer to the request: none of them can be reached from ours."""
    with Server(bad.RESET_AFTER_REQUEST) as server, client_for(watch, server.url) as client:
        error = assert_failure_is_clean(watch, client, server)
    assert len(error.attempts) == 1
    assert {type(it).__module__ for it in family(error)} == {"whatsapp_flows.errors"}
    assert error.attempts[0].__traceback__ is None  # a history keeps no frames alive


def test_a_consumer_that_fails_shows_nothing(watch: Watch) -> None:
    """Its traceback is logged, and the frames in it are the host's and the library's."""

    def broken(event: Event) -> None:
        raise RuntimeError(f"cannot write {event}")

    consumers = [broken, watch.events.append]
    with Server(bad.RESET_AFTER_REQUEST) as server, client_for(watch, server.url, on_event=consumers) as client:
        assert_failure_is_clean(watch, client, server)
    assert any(record.exc_info for record in watch.logs)


# Failures: the caller's own

BAD_TOKEN = USER_TOKEN + "\n"
BAD_ENVIRONMENT = {"WHATSAPP_FLOWS_ACCESS_TOKEN": "Bearer " + USER_TOKEN}
BAD_SECRET_ENVIRONMENT = {"WHATSAPP_FLOWS_ACCESS_TOKEN": USER_TOKEN, "WHATSAPP_FLOWS_APP_SECRET": APP_SECRET + " x"}
BAD_TIMEOUT_ENVIRONMENT = {"WHATSAPP_FLOWS_ACCESS_TOKEN": USER_TOKEN, "WHATSAPP_FLOWS_TIMEOUT": "soon"}


async def bad_token() -> str:
    return BAD_TOKEN


MISTAKES: Mapping[str, Callable[[], object]] = {
    "a bad token": lambda: FlowsClient(BAD_TOKEN),
    "a bad token beside a secret": lambda: FlowsClient(BAD_TOKEN, app_secret=APP_SECRET),
    "a bad secret": lambda: FlowsClient(USER_TOKEN, app_secret=APP_SECRET + " "),
    "a callable's bad token": lambda: FlowsClient(lambda: BAD_TOKEN).publish_flow(FLOW_ID),
    "a bad token in with_options": lambda: FlowsClient(USER_TOKEN).with_options(access_token=BAD_TOKEN),
    "a bad time-out": lambda: FlowsClient(USER_TOKEN, app_secret=APP_SECRET, timeout=-1),
    "a bad number of attempts": lambda: FlowsClient(USER_TOKEN, app_secret=APP_SECRET, max_attempts=-1),
    "a bad URL": lambda: FlowsClient(USER_TOKEN, app_secret=APP_SECRET, base_url="ftp://graph"),
    "two ways out": lambda: FlowsClient(
        USER_TOKEN, app_secret=APP_SECRET, session=requests.Session(), transport=RequestsTransport()
    ),
    "the token as the account": lambda: FlowsClient("x", USER_TOKEN),
    "the token as the version": lambda: FlowsClient("x", api_version=USER_TOKEN),
    "the token in the URL": lambda: FlowsClient("x", base_url=f"https://graph.facebook.com?access_token={USER_TOKEN}"),
    "the token as the flow": lambda: FlowsClient("x").publish_flow(USER_TOKEN),
    "no account": lambda: list(FlowsClient(USER_TOKEN, app_secret=APP_SECRET).list_flows()),
    "an async client's bad token": lambda: AsyncFlowsClient(BAD_TOKEN, app_secret=APP_SECRET),
    "an async client's bad secret": lambda: AsyncFlowsClient(USER_TOKEN, app_secret=APP_SECRET + " "),
    "an async callable's bad token": lambda: asyncio.run(AsyncFlowsClient(bad_token).publish_flow(FLOW_ID)),
    "an async client's bad environment": lambda: AsyncFlowsClient.from_env(BAD_SECRET_ENVIRONMENT),
    "an async client's bad change": lambda: AsyncFlowsClient(USER_TOKEN).with_options(access_token=BAD_TOKEN),
    "an async callable for threads": lambda: FlowsClient(bad_token).publish_flow(FLOW_ID),  # type: ignore[arg-type]
    "a bad token in the environment": lambda: FlowsClient.from_env(BAD_ENVIRONMENT),
    "a bad secret in the environment": lambda: FlowsClient.from_env(BAD_SECRET_ENVIRONMENT),
    "a bad time-out in the environment": lambda: FlowsClient.from_env(BAD_TIMEOUT_ENVIRONMENT),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_the_callers_is_not_echoed(name: str) -> None:
    """The message names the argument and not its value, and nothing is logged."""
    with pytest.raises(ConfigurationError) as caught:
        MISTAKES[name]()
    assert_clean("the error", said_by(caught.value))


# The rows above that must show it: the secret is in the wrong argument, and has not the form of one.
MISPLACED = ("the token as the account", "the token as the version", "the token in the URL", "the token as the flow")


# Objects


def test_nothing_shows_what_it_keeps(watch_requests: Watch) -> None:
    """Clients, credentials, requests and responses, by every way to make text of them."""
    watch, kept = watch_requests, list[object]()

    class Keeping(RequestsTransport):
        def send(self, request: Any, /, *, timeout: Timeout) -> Response:
            response = super().send(request, timeout=timeout)
            kept.extend((request, response))
            return response

    transport = Keeping()
    with Server(echo(FIELDS["message"], SPELLINGS["plain"])) as server:
        client = FlowsClient(USER_TOKEN, WABA_ID, transport=transport, **_usual(watch, server.url, {}))
        assert_failure_is_clean(watch, client, server)
        transport.close()
    assert len(kept) == 2
    for it in (client, client.with_options(max_attempts=1), transport, Credentials(USER_TOKEN, APP_SECRET), *kept):
        assert_clean(type(it).__name__, [repr(it), str(it), f"{it}", repr([it]), repr({"it": it})])


def test_a_client_whose_constructor_raised_has_a_repr() -> None:
    """An error tracker asks for the `repr` of a client whose constructor has just raised."""
    assert "FlowsClient" in repr(FlowsClient.__new__(FlowsClient))


@both_tokens
def test_a_client_keeps_its_secrets_in_one_place(app: bool, watch: Watch) -> None:
    """After a success and a failure, no string reachable from the client is a secret, except inside a `Secret`."""
    refusal = echo(FIELDS["message"], SPELLINGS["plain"])
    with Server(answers(), refusal) as server, client_for(watch, server.url, app=app) as client:
        client.update_flow_json(FLOW_ID, DOCUMENT)
        with pytest.raises(FlowsError):
            client.update_flow_json(FLOW_ID, DOCUMENT)
        reachable = list(strings_in(client))
        assert server.url in reachable
        assert_clean("the client", reachable)


def test_the_walk_finds_what_is_hidden() -> None:
    """The search of these tests sees through attributes, slots and containers."""

    class Slotted:
        __slots__ = ("inner",)

        def __init__(self, inner: object) -> None:
            self.inner = inner

    slotted = Slotted({"key": [b"deep"]})
    error = ConfigurationError("value")
    error.attempts = (ConfigurationError("before"),)
    assert "deep" in list(strings_in(slotted))
    assert {"value", "before"} <= {text for it in family(error) for text in strings_in(it)}
    with pytest.raises(AssertionError, match="a secret stands in here"):
        assert_clean("here", strings_in({"a": (slotted, [f"x{APP_TOKEN}"])}))


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy], ids=lambda it: it.__name__)
@pytest.mark.parametrize(
    "keeper",
    [
        FlowsClient(USER_TOKEN, app_secret=APP_SECRET),
        AsyncFlowsClient(USER_TOKEN, app_secret=APP_SECRET),
        Credentials(USER_TOKEN),
        Secret(USER_TOKEN),
    ],
    ids=lambda it: type(it).__name__,
)
def test_what_holds_the_token_refuses_to_be_duplicated(duplicate: Callable[[object], object], keeper: object) -> None:
    """With a TypeError that says what to do instead, and without the token."""
    with pytest.raises(TypeError, match="process") as caught:
        duplicate(keeper)
    assert_clean("the refusal", [*said_by(caught.value), *variables_around(caught.value)])


ENDINGS: Mapping[str, tuple[Behaviour, ...]] = {
    "refused": (echo(FIELDS["message"], SPELLINGS["plain"]),),
    "exhausted": (echo(FIELDS["retryable"], SPELLINGS["plain"]), bad.RESET_AFTER_REQUEST),
    "unreadable": (answers(b"<html>"),),
    "invalid": (
        answers(json.dumps({"success": False, "validation_errors": [{"error": "X", "message": "no"}]}).encode()),
    ),
}
DUPLICATES: Mapping[str, Callable[[FlowsError], FlowsError]] = {
    "old pickle": lambda error: pickle.loads(pickle.dumps(error, 0)),
    "pickle": lambda error: pickle.loads(pickle.dumps(error)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("way", DUPLICATES)
def test_an_error_is_copied_with_all_its_values(ending: str, way: str, watch: Watch) -> None:
    """A process pool gets the same class, details, issues and history, and nothing more."""
    with Server(*ENDINGS[ending]) as server, client_for(watch, server.url) as client:
        error = assert_failure_is_clean(watch, client, server)
    again = DUPLICATES[way](error)
    assert type(again) is type(error)
    assert again.details == error.details
    assert str(again) == str(error)
    assert getattr(again, "issues", None) == getattr(error, "issues", None)
    assert [(type(it), it.details) for it in again.attempts] == [(type(it), it.details) for it in error.attempts]
    assert len(again.attempts) == (ending == "exhausted")
    assert_clean("the duplicate", said_by(again))


# paging.next


def pages(*, cursors: bool, elsewhere: str = "") -> Behaviour:
    """Three pages of flows, each with Meta's `paging.next`, which holds the token."""

    def reply(received: Received) -> Answer:
        path, _, query = received.target.partition("?")
        page = next((int(part[6:]) for part in query.split("&") if part.startswith("after=")), 1)
        token = quote(received.headers["authorization"].removeprefix("Bearer "), safe="")
        base = elsewhere or f"http://{received.headers['host']}"
        paging: dict[str, Any] = {"next": f"{base}{path}?access_token={token}&limit=1&after={page + 1}"}
        if cursors:
            paging["cursors"] = {"before": str(page), "after": str(page + 1)}
        found = {"data": [{"id": str(page), "name": f"flow {page}"}], **({"paging": paging} if page < 3 else {})}
        return Answer(json.dumps(found).encode())

    return replies(reply)


@both_tokens
@pytest.mark.parametrize("cursors", [True, False], ids=["cursors", "next alone"])
def test_paging_next_is_not_followed(cursors: bool, app: bool, watch: Watch) -> None:
    """Only its cursor is used: it is neither requested nor logged, and the host in it gets no request."""
    with (
        Server(answers()) as elsewhere,
        Server(pages(cursors=cursors, elsewhere=elsewhere.url)) as server,
        client_for(watch, server.url, app=app) as client,
    ):
        assert [flow.id for flow in client.list_flows()] == ["1", "2", "3"]
    assert elsewhere.connections == 0
    assert {urlsplit(it.target).path for it in server.requests} == {f"/v25.0/{WABA_ID}/flows"}
    assert not any("access_token" in it.target for it in server.requests)
    watch.assert_clean(server)
    assert not any("access_token" in record.getMessage() for record in watch.logs)


def _list_that(change: Callable[[dict[str, Any], str], object]) -> Behaviour:
    """A page with Meta's `paging.next`, and something wrong with it."""

    def reply(received: Received) -> Answer:
        token = quote(received.headers["authorization"].removeprefix("Bearer "), safe="")
        found = {
            "data": [{"id": "1", "name": "flow"}],
            "paging": {"next": f"https://graph.facebook.com/?access_token={token}&after=A", "cursors": {"after": "A"}},
        }
        change(found, token)
        return Answer(json.dumps(found).encode())

    return replies(reply)


BROKEN_LISTS: Mapping[str, Behaviour] = {
    "in a circle": _list_that(lambda found, _: None),
    "no list": _list_that(lambda found, _: found.update(data={})),
    "a flow without an id": _list_that(lambda found, _: found.update(data=[{"name": "flow"}])),
    "a cursor that cannot be read": _list_that(
        lambda found, token: found.update(data=None, paging={"next": f"http://[{token}"})
    ),
}


@both_tokens
@pytest.mark.parametrize("name", BROKEN_LISTS)
def test_a_broken_list_shows_nothing(name: str, app: bool, watch: Watch) -> None:
    """The error is raised while the page, with the token in its `paging.next`, is in scope."""
    with Server(BROKEN_LISTS[name]) as server, client_for(watch, server.url, app=app) as client:
        with pytest.raises(UnexpectedResponseError) as caught:
            list(client.list_flows())
        assert_clean(type(caught.value).__name__, said_by(caught.value))
        watch.assert_clean(server)


# Tracebacks with the values of local variables, as error trackers record them


def listing(client: FlowsClient) -> object:
    return list(client.list_flows())


def uploading(client: FlowsClient) -> object:
    return client.update_flow_json(FLOW_ID, DOCUMENT)


@both_tokens
@pytest.mark.parametrize(
    ("call", "behaviour"),
    [
        *((uploading, echo(fields, SPELLINGS["plain"])) for fields in FIELDS.values()),
        *((uploading, behaviour) for behaviour in MALFORMED_ANSWERS.values()),
        *((uploading, behaviour) for behaviour in (bad.RESET_AFTER_REQUEST, bad.SHORT_BODY, bad.DAMAGED_GZIP)),
        *((listing, behaviour) for behaviour in BROKEN_LISTS.values()),
    ],
    ids=[*FIELDS, *MALFORMED_ANSWERS, "reset", "short", "damaged", *BROKEN_LISTS],
)
def test_no_frame_of_a_failure_shows_the_token(
    call: Callable[[FlowsClient], object], behaviour: Behaviour, app: bool, watch: Watch
) -> None:
    """No frame of the library has the token as text, or an answer that contains it."""
    with Server(behaviour) as server, client_for(watch, server.url, app=app) as client:
        with pytest.raises(FlowsError) as caught:
            call(client)
        assert_clean("a local variable", variables_around(caught.value))


@pytest.mark.parametrize("behaviour", [bad.SILENCE, bad.STALL_IN_BODY], ids=str)
def test_no_frame_of_a_cancelled_call_shows_the_token(behaviour: Behaviour, watch_requests: Watch) -> None:
    """The exception passes the frames of aiohttp: the token is in none of them."""
    watch = watch_requests

    async def main(url: str) -> BaseException:
        async with AsyncFlowsClient(USER_TOKEN, **_usual(watch, url, {"sleep": asyncio.sleep})) as client:
            with pytest.raises(asyncio.TimeoutError) as caught:
                await asyncio.wait_for(client.update_flow_json(FLOW_ID, DOCUMENT), 0.15)
            return caught.value

    with Server(behaviour) as server:
        error = asyncio.run(main(server.url))
    assert any("aiohttp" in line for line in traceback.format_exception(error))
    assert_clean("a local variable", variables_around(error))
    watch.assert_clean(server)


@pytest.mark.parametrize("name", [name for name in MISTAKES if name not in MISPLACED])
def test_no_frame_of_a_mistake_shows_the_value(name: str) -> None:
    """Nor do the frames between the caller and the check that refused an argument."""
    with pytest.raises(ConfigurationError) as caught:
        MISTAKES[name]()
    assert_clean("a local variable", variables_around(caught.value))


# Downloads


def assets(*urls: object) -> Behaviour:
    """The API's list of a flow's files; it also sets a cookie for its own host."""
    found = {"data": [{"name": "flow.json", "asset_type": "FLOW_JSON", "download_url": url} for url in urls]}
    return answers(json.dumps(found).encode(), headers={"Set-Cookie": "datr=of-the-api; Path=/"})


def test_the_files_host_gets_no_credential(watch_requests: Watch) -> None:
    """No Authorization, no proof, no cookie of the API's host, no body: only the signed link, unchanged."""
    watch = watch_requests
    with requests.Session() as session, Server(answers(DOCUMENT.encode())) as cdn:
        session.cookies.set("hosts", "own", domain="127.0.0.1")
        with Server(assets(cdn.url_at("localhost") + "/file?oh=x&oe=1")) as api:
            client = on_session(watch, api.url, session)
            for _ in range(2):
                assert client.download_flow_json(FLOW_ID) == DOCUMENT.encode()
    assert "datr=of-the-api" in api.requests[1].headers["cookie"]
    for received in cdn.requests:
        assert (received.method, received.target, received.body) == ("GET", "/file?oh=x&oe=1", b"")
        assert set(received.headers) <= {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert_clean("a download", [received.raw_head.decode("latin-1")])
    watch.assert_clean(api, cdn)
    assert len(cdn.requests) == 2


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/file",
        "file:///etc/hostname",
        "data:,{}",
        "gopher://localhost/1",
        "//localhost/file",
        "/etc/hostname",
        "https:///file",
        "http://",
        "http:file",
        "https://[::1/file",
        "not a link",
    ],
)
def test_a_link_of_another_kind_is_refused(url: str, watch: Watch) -> None:
    """Only http and https links to a host are asked for."""
    with Server(assets(url)) as api, client_for(watch, api.url) as client:
        with pytest.raises(UnexpectedResponseError) as caught:
            client.download_flow_json(FLOW_ID)
        assert_clean("the refusal", [*said_by(caught.value), *variables_around(caught.value)])
    assert len(api.requests) == 1


def test_a_link_with_a_weaker_scheme_is_refused(watch: Watch, tmp_path: Path) -> None:
    """From https to http is refused; from http to https is allowed."""
    setup = Setup(trusted=bad.certificate_file(tmp_path))

    def download(api: Server) -> bytes:
        with client_for(watch, api.url, setup) as client:
            return client.download_flow_json(FLOW_ID)

    with Server(answers(DOCUMENT.encode())) as plain:
        weaker = json.dumps(
            {"data": [{"asset_type": "FLOW_JSON", "download_url": plain.url_at("localhost") + "/file"}]}
        ).encode()
        with Server(answers(weaker, secured=True)) as api, pytest.raises(UnexpectedResponseError):
            download(api)
        with Server(answers(DOCUMENT.encode(), secured=True)) as cdn:
            as_strong = weaker.replace(plain.url_at("localhost").encode(), cdn.url_at("localhost").encode())
            with Server(answers(as_strong, secured=True)) as api:
                assert download(api) == DOCUMENT.encode()
    assert plain.connections == 0
    watch.assert_clean(api, cdn)
