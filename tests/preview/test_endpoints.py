"""Playing against an endpoint: what is asked, what becomes of an answer, and the page that stays usable meanwhile."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.endpoint.key_material import pair
from tests.play.development import SLOTS, development
from tests.preview.serving import PATIENCE, Tab, exchange, footer, path_of, previewing, save, with_endpoint
from whatsapp_flows.endpoint import Answer, FlowEndpoint, FlowRequest, PrivateKeys
from whatsapp_flows.play import Call
from whatsapp_flows.preview import Preview
from whatsapp_flows.preview._asking import Asking

SECRET = "an-app-secret-for-tests"
NEWER = {**with_endpoint(), "data_api_version": "4.0"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flow.json"


def ask(tab: Tab, place: str = "Kyiv") -> Any:
    """Fill in the place, and tap the Footer."""
    tab.event("Fill", path_of(tab.state, "place"), value=place)
    return tab.event("Tap", tab.state["view"]["footer"]["path"])


def kinds(state: Any) -> list[str]:
    return [line["kind"] for line in state["log"]]


def settled(state: Any) -> bool:
    return not state["view"]["loading"]


def was_notified(state: Any) -> bool:
    """The endpoint was told that its answer could not be used, and has answered to that."""
    return kinds(state)[-2:] == ["request", "answer"] and len(kinds(state)) > 2


# -- by hand


def test_without_an_endpoint_the_page_asks_what_it_answers(path: Path) -> None:
    """The choices are what a client accepts, with the examples of each screen; the answer goes on as an endpoint's."""
    with previewing(path, with_endpoint()) as (_, tab):
        state = ask(tab)
        asks = state["asks"]
        assert state["view"]["loading"]
        assert (asks["action"], asks["screen"], asks["data"]) == ("data_exchange", "START", {"place": "Kyiv"})
        assert asks["choices"] == [
            {"screen": "SLOTS", "data": {"hint": "At ten"}},
            {"screen": "SUCCESS", "data": {"extension_message_response": {"params": {"flow_token": "preview"}}}},
            {"screen": "START", "data": {}},
        ]
        state = tab.command("answer", number=asks["number"], **asks["choices"][0])
        assert (state["view"]["screen"], state["asks"]) == ("SLOTS", None)
        assert kinds(state) == ["request", "answer"]
        state = tab.command("undo")
        assert (state["view"]["screen"], state["asks"]) == ("START", asks)
        state = tab.command("answer", number=asks["number"], **asks["choices"][1])
        assert state["completed"]["payload"] == {"flow_token": "preview"}
        assert state["asks"] is None


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"content": {"screen": "NOWHERE", "data": {}}}, "broken"),
        ({"content": {"screen": "SLOTS", "data": {"hint": 5}}}, "broken"),
        ({"content": [1, 2]}, "broken"),
        ({"failure": "timeout"}, "broken"),
        ({"failure": "token-refused", "message": "Sorry"}, "broken"),
        ({"screen": "START", "data": {"error_message": "Try again"}}, "snackbar"),
    ],
)
def test_answers_that_a_client_refuses(path: Path, fields: dict[str, Any], kind: str) -> None:
    """A wrong screen, wrong data, nonsense and failures are told in the log; the play can be undone."""
    with previewing(path, with_endpoint()) as (_, tab):
        number = ask(tab)["asks"]["number"]
        state = tab.command("answer", number=number, **fields)
        assert kinds(state) == ["request", "answer", kind]
        assert state["log"][-1]["text"]
        assert not tab.command("undo")["view"]["over"]


# -- an endpoint in this process


def test_a_function_answers(path: Path) -> None:
    """It gets INIT first, then the exchange; a request and its answer are lines of the log, with the time it took."""
    asked = []

    def endpoint(request: dict[str, Any]) -> dict[str, Any]:
        asked.append((request["action"], request["screen"], request["data"], request["flow_token"]))
        return {"screen": "START", "data": {}} if request["action"] == "INIT" else SLOTS

    with previewing(path, with_endpoint(), endpoint=endpoint, flow_token="t-1") as (_, tab):
        assert tab.until(settled)["view"]["screen"] == "START"
        ask(tab)
        state = tab.until(settled)
        assert state["view"]["screen"] == "SLOTS"
        assert asked == [("INIT", "", {}, "t-1"), ("data_exchange", "START", {"place": "Kyiv"}, "t-1")]
        assert [(line["kind"], line["text"]) for line in state["log"]] == [
            ("request", "INIT"),
            ("answer", "Screen START"),
            ("request", "data_exchange of START"),
            ("answer", "Screen SLOTS"),
        ]
        assert state["log"][-1]["duration_ms"] >= 0
        assert state["asks"] is None
        refused = tab.post("/command", {"command": "answer", "number": 2, **SLOTS})
        assert (refused.status_code, refused.json()["error"]) == (409, "The endpoint answers in this preview")
        state = tab.command("undo")  # the tap and its answer are one step
        assert (state["view"]["screen"], state["view"]["loading"]) == ("START", False)


def test_with_a_screen_the_endpoint_is_not_asked_first(path: Path) -> None:
    """As a message that names the first screen."""
    with previewing(path, with_endpoint(), endpoint=lambda _: SLOTS, screen="START") as (_, tab):
        assert kinds(tab.state) == []


def test_a_real_endpoint_is_asked_through_encryption(path: Path) -> None:
    """A FlowEndpoint, with the signature and the key that it demands."""
    keys = pair(0)
    path.write_text(json.dumps(with_endpoint()))
    endpoint = FlowEndpoint(PrivateKeys(keys.private_pem), app_secrets=SECRET, flow=path)

    @endpoint.init
    def start(request: FlowRequest) -> Answer:
        return request.show("START")

    @endpoint.data_exchange("START")
    def chosen(request: FlowRequest) -> Answer:
        return request.show("SLOTS", hint=f"In {request.data['place']}")

    with previewing(path, endpoint=endpoint) as (_, tab):
        tab.until(settled)
        ask(tab)
        state = tab.until(settled)
        assert [line["kind"] for line in state["log"]] == ["request", "answer", "request", "answer"]
        assert state["log"][-1]["detail"] == {"screen": "SLOTS", "data": {"hint": "In Kyiv"}}


@pytest.mark.parametrize(
    "endpoint",
    [lambda _: None, lambda _: "text", lambda _: {"screen": 7}, lambda _: {"data": {}}, lambda _: {"screen": "NO"}],
)
def test_nonsense_breaks_the_flow_and_not_the_page(path: Path, endpoint: Callable[[Any], Any]) -> None:
    """Whatever it answers, the log says what a client refuses; the endpoint is told, and the play can begin again."""
    with previewing(path, with_endpoint(), endpoint=endpoint, screen="START") as (_, tab):
        ask(tab)
        state = tab.until(was_notified)
        assert kinds(state)[:3] == ["request", "answer", "broken"]
        assert state["log"][-2]["text"].startswith("Notification of ")
        assert state["log"][-2]["detail"].keys() == {"error", "error_message"}
        assert tab.command("restart")["view"]["screen"] == "START"


def test_an_exception_of_the_endpoint(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is a failed request, with the place in the log of the page; the traceback is in that of the process."""

    def endpoint(_: Any) -> Any:
        raise KeyError("dates")

    with previewing(path, with_endpoint(), endpoint=endpoint, screen="START") as (_, tab):
        ask(tab)
        state = tab.until(settled)
        assert kinds(state) == ["request", "answer", "broken"]
        assert state["log"][1]["detail"].startswith(f"The endpoint raised KeyError in endpoint ({__file__}:")
    assert any(record.exc_info for record in caplog.records)


class Gate:
    """An endpoint that answers when it is let."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.free = threading.Event()

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.release()
        assert self.free.wait(PATIENCE)
        return {"screen": "SLOTS", "data": {"hint": request["data"]["place"]}}


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.free.set()


def test_the_page_is_usable_while_the_endpoint_is_slow(path: Path, gate: Gate) -> None:
    """The state says that it is loading; undo takes the request back, and its late answer changes nothing."""
    with previewing(path, with_endpoint(), endpoint=gate, screen="START") as (_, tab):
        assert ask(tab, "Lviv")["view"]["loading"]
        assert gate.asked.acquire(timeout=PATIENCE)
        state = tab.command("undo")
        assert (state["view"]["loading"], state["view"]["screen"]) == (False, "START")
        ask(tab, "Kyiv")
        assert gate.asked.acquire(timeout=PATIENCE)
        gate.free.set()
        state = tab.until(settled)
        assert (state["view"]["screen"], state["screens"][1]["data"]) == ("SLOTS", {"hint": "Kyiv"})
        assert kinds(state) == ["request", "request", "answer"]


def test_an_endpoint_that_never_answers(path: Path, gate: Gate) -> None:
    """After the time limit the request has failed; the next ones have their own threads, of which there are four."""
    with previewing(path, with_endpoint(), endpoint=gate, screen="START", time_limit=0.01) as (_, tab):
        ask(tab)
        state = tab.until(settled)
        assert [line["text"] for line in state["log"]][1] == "No answer: timeout"
        for _ in range(3):
            tab.command("restart")
            ask(tab)
        tab.command("restart")
        state = ask(tab)
        assert state["log"][-2]["text"] == "No answer: unreachable"
        assert state["log"][-2]["detail"] == "4 earlier requests have no answer yet."


def test_closing_does_not_wait_for_the_endpoint(path: Path, gate: Gate) -> None:
    """The preview ends although a request is on its way."""
    with previewing(path, with_endpoint(), endpoint=gate, screen="START") as (_, tab):
        ask(tab)
        assert gate.asked.acquire(timeout=PATIENCE)


# -- a server in development


@pytest.mark.parametrize(
    ("place", "text", "detail"),
    [
        ("/text", "No answer: unreadable", "The answer of the endpoint is not JSON (it was asked in plain JSON"),
        ("/large", "No answer: unreadable", "4194304 bytes"),
        ("/away", "No answer: status", "The endpoint answered with HTTP 302 (it was asked in plain JSON"),
        ("/error", "No answer: status", "The endpoint answered with HTTP 500 (it was asked in plain JSON"),
        ("/token", "No answer: token-refused", "This link has expired."),
        ("/key", "No answer: not-decrypted", "The endpoint answered with HTTP 421 (it was asked in plain JSON"),
    ],
)
def test_a_development_server_that_fails(path: Path, place: str, text: str, detail: str) -> None:
    """The log says what was wrong with the answer; no redirect is followed."""
    with (
        development() as (url, requests),
        previewing(path, with_endpoint(), endpoint=f"{url}{place}", screen="START") as (_, tab),
    ):
        ask(tab)
        state = tab.until(settled)
        assert (state["log"][1]["text"], state["log"][2]["kind"]) == (text, "broken")
        assert detail in state["log"][1]["detail"]
        assert [request["data"] for request in requests if "error" not in request["data"]] == [{"place": "Kyiv"}]


def test_a_development_server(path: Path) -> None:
    """Without a key the decrypted request is posted as JSON, with the version that the Flow states."""
    with (
        development() as (url, requests),
        previewing(path, NEWER, endpoint=f"{url}/good#part", screen="START") as (_, tab),
    ):
        ask(tab)
        assert tab.until(settled)["view"]["screen"] == "SLOTS"
        assert requests == [
            {
                "data": {"place": "Kyiv"},
                "flow_token": "preview",
                "screen": "START",
                "action": "data_exchange",
                "version": "4.0",
            }
        ]


def test_a_development_server_that_is_not_there(path: Path) -> None:
    """It is unreachable."""
    with development() as (url, _):
        pass
    with previewing(path, with_endpoint(), endpoint=url, screen="START") as (_, tab):
        ask(tab)
        assert tab.until(settled)["log"][1]["text"] == "No answer: unreachable"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://localhost/", "must begin with http:// or https://"),
        ("http://", "must begin with http:// or https://"),
        ("http://[::1", "must begin with http:// or https://"),
        ("http://user:secret@localhost/", "must not have a user name or a password"),
    ],
)
def test_addresses_that_cannot_be_asked(path: Path, url: str, message: str) -> None:
    """They are refused before anything listens, and a password in one is not shown."""
    path.write_text(json.dumps(with_endpoint()))
    with pytest.raises(ValueError, match=message) as refused:
        Preview(path, endpoint=url)
    assert "secret" not in str(refused.value)


def test_a_change_of_the_file_while_the_endpoint_is_asked(path: Path, gate: Gate) -> None:
    """A request that is the same still counts; one that has changed is sent again, and the first answer is dropped."""
    with previewing(path, with_endpoint(), endpoint=gate, screen="START") as (_, tab):
        ask(tab)
        assert gate.asked.acquire(timeout=PATIENCE)
        document = with_endpoint()
        document["screens"][0]["title"] = "Where"
        save(path, document)
        state = tab.until(lambda state: state["view"]["title"] == "Where")
        assert (state["view"]["loading"], kinds(state)) == (True, ["request", "reload"])
        document["screens"][0]["layout"]["children"][1] = footer(exchange(place="Odesa"))
        save(path, document)
        assert gate.asked.acquire(timeout=PATIENCE)
        gate.free.set()
        state = tab.until(settled)
        assert (state["view"]["screen"], state["screens"][1]["data"]) == ("SLOTS", {"hint": "Odesa"})
        assert kinds(state) == ["request", "reload", "reload", "request", "answer"]


def test_a_way_that_cannot_be_made() -> None:
    """Each request is answered with what was raised; nothing is asked after the end."""

    def connect() -> Any:
        raise OSError("no way")

    answers: queue.Queue[Any] = queue.Queue()
    asking = Asking(connect, time_limit=PATIENCE)
    call = Call(number=1, action="INIT", screen="", data={}, flow_token="t")
    asking.ask(call, answers.put)
    answer = answers.get(timeout=PATIENCE)
    assert (answer.failure, answer.message.startswith("The endpoint raised OSError")) == ("unreachable", True)
    asking.close()
    asking.ask(call, answers.put)
    assert answers.empty()
