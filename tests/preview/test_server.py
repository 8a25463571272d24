"""The preview over a real socket: who is let in, what is answered to what, and the stream of changes."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.preview.serving import PATIENCE, Tab, path_of, previewing, screen, two_screens, value_of
from whatsapp_flows import ConfigurationError
from whatsapp_flows.builder import Complete, Data, Flow, Footer, Screen
from whatsapp_flows.preview import Preview
from whatsapp_flows.preview._application import HEADERS, MAX_STREAMS
from whatsapp_flows.preview._requests import MAX_BODY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOREIGN = "http://evil.example"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    with previewing(tmp_path_factory.mktemp("flow") / "flow.json", two_screens()) as (preview, _):
        yield preview


@pytest.fixture
def tab(running: Preview) -> Tab:
    return Tab(running)


# -- who is let in


def test_the_token_becomes_a_cookie(running: Preview) -> None:
    """Opening the address sets a cookie that no script reads and no other site sends, and takes the token away."""
    answer = requests.get(running.url, allow_redirects=False, timeout=PATIENCE)
    cookie = answer.headers["Set-Cookie"]
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert cookie.partition("; ")[2] == "Path=/; HttpOnly; SameSite=Strict"
    assert urlsplit(running.url).query.removeprefix("token=") not in cookie
    page = Tab(running).opened
    assert (page.status_code, page.url) == (200, running.url.partition("?")[0])
    assert page.headers["Content-Type"] == "text/html; charset=UTF-8"


def test_a_link_on_a_page_of_another_site(running: Preview) -> None:
    """After a redirect, a browser would not send the cookie: a page of the preview leads on, so that it does."""
    answer = requests.get(
        running.url, headers={"Sec-Fetch-Site": "cross-site"}, allow_redirects=False, timeout=PATIENCE
    )
    assert (answer.status_code, "Location" in answer.headers, "Set-Cookie" in answer.headers) == (200, False, True)
    assert b'http-equiv="refresh" content="0;url=/"' in answer.content


def address(preview: Preview) -> tuple[str, int]:
    """Host and port."""
    parts = urlsplit(preview.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


PATHS = [
    ("GET", "/"),
    ("GET", "/?token="),
    ("GET", "/?token=wrong"),
    ("GET", "/?token=%ff&" + "a=1&" * 30),
    ("GET", "/state"),
    ("GET", "/test"),
    ("GET", "/link"),
    ("GET", "/changes"),
    ("GET", "/static/app.js"),
    ("GET", "/nothing"),
    ("POST", "/event"),
    ("POST", "/command"),
    ("PUT", "/state"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("cookie", ["", "whatsapp_flows_preview_{port}=", "whatsapp_flows_preview_1={token}", "a;b=c;"])
def test_nothing_without_the_cookie(running: Preview, method: str, path: str, cookie: str) -> None:
    """Without the cookie, with another one, or with the token in place of the cookie's value, each path is refused."""
    parts = urlsplit(running.url)
    token = parts.query.removeprefix("token=")
    headers = {"Cookie": cookie.format(port=parts.port, token=token)} if cookie else {}
    answer = requests.request(method, f"http://{parts.netloc}{path}", headers=headers, data=b"{}", timeout=PATIENCE)
    assert answer.status_code == 403
    assert token not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "192.0.2.7"},
        {"Host": "0.0.0.0"},
        {"Host": "[::1"},
        {"Origin": FOREIGN},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": "http://127.0.0.1:1"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/state"), ("POST", "/event"), ("POST", "/command")]
)
def test_foreign_hosts_and_origins(running: Preview, tab: Tab, method: str, path: str, headers: dict[str, str]) -> None:
    """Another name than this machine's, or a page of another origin, is refused, also with the cookie."""
    host, port = address(running)
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    connection.request(method, path, b"{}", {"Cookie": tab.cookies, "Connection": "close", **headers})
    assert connection.getresponse().status == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8000", "preview.localhost"])
def test_names_of_this_machine(running: Preview, host: str) -> None:
    """A forwarded port has another number, and the name may be another one of this machine."""
    tab = Tab(running)
    answer = requests.get(f"{tab.base}/state", headers={"Host": host, "Cookie": tab.cookies}, timeout=PATIENCE)
    assert answer.status_code == 200


def test_a_page_of_another_site_posts_nothing(tab: Tab) -> None:
    """A browser says that a request comes from another site even where it sends no Origin."""
    answer = tab.post("/command", {"command": "restart"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_the_page_itself_may_post(tab: Tab) -> None:
    """Its Origin is the host."""
    assert tab.post("/command", {"command": "restart"}, headers={"Origin": tab.base}).status_code == 200


def test_the_browser_gets_a_token_that_works_once(running: Preview) -> None:
    """Command lines are in the list of processes: what the browser is started with does not open the preview again."""
    opened: list[str] = []
    running.open_browser(opened.append)
    token = urlsplit(running.url).query
    assert token not in opened[0]
    assert Tab(running, opened[0]).state["view"]["screen"] == "START"
    assert requests.get(opened[0], timeout=PATIENCE).status_code == 403
    assert Tab(running).opened.status_code == 200


def test_unused_tokens_do_not_pile_up(running: Preview) -> None:
    """Of tokens that no browser has used, the last ones work."""
    opened: list[str] = []
    for _ in range(20):
        running.open_browser(opened.append)
    assert [Tab(running, url).opened.status_code for url in (opened[0], opened[-1])] == [403, 200]


# -- what is answered


@pytest.mark.parametrize("path", ["/", "/state", "/static/app.js", "/nothing", "/?token=wrong"])
def test_every_answer_keeps_the_page_to_itself(tab: Tab, path: str) -> None:
    """The headers that forbid scripts, frames, referrers and storage are on each answer, on refusals too."""
    answer = tab.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    policy = answer.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "img-src data:", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy


def test_a_request_that_cannot_be_read(running: Preview) -> None:
    """It has the headers, too, and a reason."""
    with socket.create_connection(address(running), timeout=PATIENCE) as connection:
        connection.sendall(b"POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n")
        answer = connection.recv(65536)
    assert b"400 Bad Request" in answer
    assert b"Content-Security-Policy" in answer
    assert b'{"error":"The request could not be read"}' in answer


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("GET", "/nothing", b"", 404, "There is nothing at this path"),
        ("GET", "/static/", b"", 404, "There is nothing at this path"),
        ("GET", "/static/../__init__.py", b"", 404, "There is nothing at this path"),
        ("GET", "/static/%2e%2e%2f_json.py", b"", 404, "There is nothing at this path"),
        ("GET", "/static/lit-html.LICENSE", b"", 404, "There is nothing at this path"),
        ("POST", "/state", b"{}", 405, "This path takes GET"),
        ("GET", "/event", b"", 405, "This path takes POST"),
        ("DELETE", "/command", b"", 405, "This path takes POST"),
        ("POST", "/static/app.js", b"", 405, "This path takes GET"),
        ("POST", "/event", b"", 400, "The body is not JSON"),
        ("POST", "/event", b"[]", 400, "The body must be a JSON object"),
        ("POST", "/event", b'{"event": 1}', 400, '"event" must be an object'),
        ("POST", "/command", b'{"command": "format"}', 400, '"command" must be one of undo, restart, open, answer'),
        ("POST", "/command", b'{"command": "open", "screen": "NO"}', 409, "There is no screen 'NO'"),
        ("POST", "/command", b'{"command": "open", "data": {"a": 1e999}}', 400, "data is no JSON object"),
        ("POST", "/command", b'{"command": "answer", "number": 1, "content": 1}', 409, "No request with the number 1"),
        ("POST", "/event", b" " * (MAX_BODY + 1), 413, "The body may have at most 2097152 bytes"),
    ],
)
def test_refusals_have_a_reason(tab: Tab, method: str, path: str, body: bytes, status: int, reason: str) -> None:
    """Unknown paths, methods and commands, bodies that cannot be read, and what is not possible now."""
    request = requests.Request(method, tab.base, data=body).prepare()
    request.url = f"{tab.base}{path}"  # as it is: requests would resolve the dots
    request.headers["Cookie"] = tab.cookies
    answer = tab.session.send(request, timeout=PATIENCE)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(reason)
    assert (status == 405) == ("Allow" in answer.headers)


def test_the_files_of_the_page(tab: Tab) -> None:
    """Each file that the page names is there, with a type that a browser takes for what it is."""
    for name, kind in (("app.js", "text/javascript"), ("style.css", "text/css"), ("index.html", "text/html")):
        answer = tab.get(f"/static/{name}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"{kind}; charset=UTF-8")
    assert tab.session.head(f"{tab.base}/static/app.js", timeout=PATIENCE).status_code == 200


def test_an_unknown_query_is_no_token(tab: Tab) -> None:
    """With the cookie, the page opens whatever else is in its address."""
    assert tab.get("/?theme=dark").status_code == 200


# -- the state and the stream


def test_the_state_of_a_play(tab: Tab) -> None:
    """All that the page draws is there."""
    state = tab.command("restart")
    assert state.keys() == {
        "revision", "file", "view", "findings", "screens", "log", "asks", "completed", "can_undo", "platform", "theme",
        "replay", "history", "screens_left_out",
    }  # fmt: skip
    assert state["file"] == {"name": "flow.json", "problem": None}
    assert (state["platform"], state["theme"], state["can_undo"]) == ("android", "auto", False)
    assert [(each["id"], each["current"], each["opened"]) for each in state["screens"]] == [
        ("START", True, True),
        ("END", False, False),
    ]


def test_only_what_is_new_is_sent(tmp_path: Path) -> None:
    """A page that names the revision it has gets the field and the screen that are another, and no image again."""
    image = {"type": "Image", "src": "iVBORw0KGgo" + "A" * 100_000}
    with previewing(tmp_path / "flow.json", two_screens(image)) as (_, tab):
        whole = tab.state
        sent = tab.event("Fill", path_of(whole, "first_name"), value="Ada", seen=whole["revision"])
        assert [node["name"] for node in sent["view"]["nodes"]["items"]] == ["first_name"]
        assert [screen["id"] for screen in sent["screens"]["items"]] == ["START"]
        assert (sent["since"], "keys" in sent["view"]["nodes"]) == (whole["revision"], False)
        assert len(json.dumps(sent)) < 2_000
        refused = tab.event("Tap", "/nowhere", seen=sent["revision"])
        assert refused.keys() == {"refused", "since"}
        assert tab.get(f"/state?seen={sent['revision']}").json() == {"since": sent["revision"]}
        assert tab.get("/state?seen=999999").json() == tab.get("/state?seen=x").json() == tab.state


def test_the_data_of_the_screens_are_bounded(tmp_path: Path) -> None:
    """However large the data of an opened screen and however many screens there are: the page lists the beginning."""
    many = [screen(f"S{number}") for number in range(400)]
    document = two_screens()
    document["screens"] += many
    with previewing(tmp_path / "flow.json", document) as (_, tab):
        state = tab.command("open", screen="END", data={"name": "x" * 900_000})
        assert state["screens"][1]["data"] == {"name": f"{'x' * 300}… (900000 characters)"}
        assert tab.get("/link").json() == {"screen": "END", "data": None, "complete": False}
        assert (len(state["screens"]), state["screens_left_out"]) == (200, 202)
        state = tab.command("open", screen="S399")
        assert state["screens"][-1] == {
            "id": "S399", "number": 401, "title": "S399", "current": True, "opened": True, "data": {}, "form": {},
        }  # fmt: skip


def test_two_tabs_play_together(running: Preview) -> None:
    """What one tab does is announced to the other, which sees the same state."""
    one, two = Tab(running), Tab(running)
    with two.changes() as revisions:
        first = next(revisions)
        state = one.event("Fill", path_of(one.state, "first_name"), value="Ada")
        seen = next(revision for revision in revisions if revision >= state["revision"])
        assert seen > first
        assert value_of(two.state, "first_name") == "Ada"
    assert one.command("restart")["revision"] > seen


def test_a_tab_that_is_gone_is_noticed(tmp_path: Path) -> None:
    """A browser that dies without a word frees its stream with the next changes; streams are limited."""
    with previewing(tmp_path / "flow.json", two_screens()) as (preview, tab):
        open_and_die(preview, tab)
        for _ in range(10_000):
            tab.command("restart")
            with tab.session.get(f"{tab.base}/changes", stream=True, timeout=PATIENCE) as answer:
                if answer.status_code == 200:
                    break
        assert answer.status_code == 200


def open_and_die(preview: Preview, tab: Tab) -> None:
    """Open as many streams as there may be; one more is refused. Then end without a word."""
    parts = urlsplit(preview.url)
    head = f"GET /changes HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {tab.cookies}\r\n\r\n".encode()
    with ExitStack() as dead:
        for _ in range(MAX_STREAMS):
            connection = dead.enter_context(socket.create_connection(address(preview)))
            connection.settimeout(PATIENCE)
            connection.sendall(head)
            assert connection.recv(12) == b"HTTP/1.1 200"
        refused = tab.get("/changes")
        assert refused.status_code == 503
        assert refused.json()["error"] == "There are 32 streams of changes already: close a tab"


def test_the_head_of_a_stream_takes_no_place(tmp_path: Path) -> None:
    """HEAD reads nothing of it."""
    with previewing(tmp_path / "flow.json", two_screens()) as (_, tab):
        heads = [tab.session.head(f"{tab.base}/changes", timeout=PATIENCE) for _ in range(MAX_STREAMS + 1)]
        assert {head.status_code for head in heads} == {200}


# -- from start to close


def test_nothing_tells_the_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the repr nor the log of a preview that was used has the token or the cookie in it."""
    caplog.set_level(logging.DEBUG)
    with previewing(tmp_path / "flow.json", two_screens()) as (preview, tab):
        tab.event("Fill", path_of(tab.state, "first_name"), value="Ada")
        secrets = [urlsplit(preview.url).query.removeprefix("token="), *tab.session.cookies.values()]
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("whatsapp_flows")]
        assert len(secrets) == 2
        for shown in (repr(preview), repr(vars(preview)), *ours):
            assert not [secret for secret in secrets if str(secret) in shown]


def test_closing_ends_the_streams(tmp_path: Path) -> None:
    """A tab that waits for changes does not keep the preview alive, and a closed preview has no address."""
    with previewing(tmp_path / "flow.json", two_screens()) as (preview, tab), tab.changes() as revisions:
        next(revisions)
        preview.close()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            next(revisions)
        preview.close()
    assert repr(preview) == f"Preview({str(tmp_path / 'flow.json')!r}, not running)"
    with pytest.raises(RuntimeError, match="no address"):
        _ = preview.url
    with pytest.raises(RuntimeError, match="closed"):
        preview.start()


def test_starting_twice(tmp_path: Path) -> None:
    """The second start does nothing."""
    with previewing(tmp_path / "flow.json", two_screens()) as (preview, _):
        url = preview.url
        assert preview.start().url == url


def test_data_that_is_no_json(tmp_path: Path) -> None:
    """The preview does not start, and leaves nothing behind."""
    (tmp_path / "flow.json").write_text(json.dumps(two_screens()))
    preview = Preview(tmp_path / "flow.json", data={"name": object()})
    with pytest.raises(ValueError, match="data is no JSON"):
        preview.start()
    assert "not running" in repr(preview)


def test_a_port_that_is_taken(running: Preview, tmp_path: Path) -> None:
    """It is an OSError, and closing leaves nothing behind."""
    (tmp_path / "flow.json").write_text(json.dumps(two_screens()))
    port = urlsplit(running.url).port
    assert port is not None
    other = Preview(tmp_path / "flow.json", port=port)
    with pytest.raises(OSError, match="in use"):
        other.start()
    other.close()


@pytest.mark.parametrize(
    ("host", "address", "warned"),
    [("localhost", "localhost", False), ("::1", "[::1]", False), ("0.0.0.0", "127.0.0.1", True)],
)
def test_other_hosts(tmp_path: Path, caplog: pytest.LogCaptureFixture, host: str, address: str, warned: bool) -> None:
    """On a host that other machines reach there is a warning; the address is one that a browser opens."""
    with previewing(tmp_path / "flow.json", two_screens(), host=host) as (preview, tab):
        assert urlsplit(preview.url).netloc.rpartition(":")[0] == address
        assert tab.state["view"]["screen"] == "START"
        answer = tab.get("/state", headers={"Host": "evil.example"})
        assert answer.status_code == 403
    assert any("everybody who learns its address" in record.getMessage() for record in caplog.records) == warned


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_leaves_the_preview_alone(tmp_path: Path) -> None:
    """Closing it there returns at once, and the parent's goes on."""
    with previewing(tmp_path / "flow.json", two_screens()) as (preview, tab):
        child = os.fork()
        if child == 0:
            preview.close()
            os._exit(7 if "not running" in repr(preview) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert tab.state["view"]["screen"] == "START"


def test_what_cannot_be_previewed(tmp_path: Path) -> None:
    """A file that is not there, an unknown screen or option: each is told before anything listens."""
    path = tmp_path / "flow.json"
    rows: list[tuple[dict[str, Any], str]] = [
        ({"screen": "STRAT"}, "no screen 'STRAT'. Did you mean 'START'"),
        ({"platform": "web"}, "platform must be one of android, ios, not 'web'"),
        ({"theme": "blue"}, "theme must be one of light, dark, auto, not 'blue'"),
    ]
    path.write_text(json.dumps(two_screens()))
    for options, message in rows:
        with pytest.raises(ValueError, match=message):
            Preview(path, **options)
    for missing, message in ((tmp_path / "no.json", "the file is not there"), (tmp_path, "Is a directory")):
        with pytest.raises(ValueError, match=message):
            Preview(missing)


def test_the_play_as_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source names the file from the current folder, and does what was done."""
    monkeypatch.chdir(tmp_path)
    with previewing(tmp_path / "flow.json", two_screens()) as (_, tab):
        tab.event("Fill", path_of(tab.state, "first_name"), value="Ada")
        tab.event("Tap", tab.state["view"]["footer"]["path"])
        source = tab.get("/test").json()["source"]
    compile(source, "test_flow.py", "exec")
    assert 'play_flow("flow.json"' in source
    assert 'fill(first_name="Ada")' in source


def test_a_completed_play(tmp_path: Path) -> None:
    """The payload is there, and what the chat shows of it; after that, nothing but undo and restart is possible."""
    with previewing(tmp_path / "flow.json", two_screens(), flow_token="t-1") as (_, tab):
        tab.event("Fill", path_of(tab.state, "first_name"), value="Ada")
        tab.event("Tap", tab.state["view"]["footer"]["path"])
        tab.event("Fill", path_of(tab.state, "mail"), value="ada@example.org")
        state = tab.event("Tap", tab.state["view"]["footer"]["path"])
        assert state["view"]["over"]
        assert state["completed"]["payload"] == {"name": "Ada", "mail": "ada@example.org", "flow_token": "t-1"}
        assert state["completed"]["sent"]
        assert {"label": "Mail", "value": "ada@example.org"} in state["completed"]["summary"]
        assert state["log"][-1]["kind"] == "complete"
        refused = tab.event("Back")["refused"]
        assert refused["kind"] == "not-now"
        assert tab.command("undo")["completed"] is None


def test_a_link_to_a_screen(tmp_path: Path) -> None:
    """A screen is opened with data, or with its examples; restart begins there again, and open without one anew."""
    with previewing(tmp_path / "flow.json", two_screens()) as (_, tab):
        state = tab.command("open", screen="END", data={"name": "Eve"})
        assert (state["view"]["screen"], state["screens"][1]["data"]) == ("END", {"name": "Eve"})
        tab.event("Fill", path_of(state, "mail"), value="x")
        assert tab.command("restart")["screens"][1]["data"] == {"name": "Eve"}
        assert tab.command("open", screen="END")["screens"][1]["data"] == {"name": "Ada"}
        assert tab.command("open")["view"]["screen"] == "START"
        assert tab.command("open", data={})["view"]["screen"] == "START"


def test_restart_after_a_link_that_cannot_be_opened(tmp_path: Path) -> None:
    """It opens what the preview was started with, not the wrong data again."""
    with previewing(tmp_path / "flow.json", two_screens()) as (_, tab):
        assert tab.command("open", screen="END", data={"name": 5})["view"]["screen"] == ""
        assert tab.command("restart")["view"]["screen"] == "START"


def test_a_screen_that_was_opened_is_undone(tmp_path: Path) -> None:
    """A finding or a link opens another screen: what was done before is not lost."""
    with previewing(tmp_path / "flow.json", two_screens()) as (_, tab):
        tab.event("Fill", path_of(tab.state, "first_name"), value="Ada")
        assert tab.command("open", screen="END")["can_undo"]
        state = tab.command("undo")
        assert (state["view"]["screen"], value_of(state, "first_name")) == ("START", "Ada")


def test_what_a_link_to_the_screen_holds(tmp_path: Path) -> None:
    """The screen and all of its data; nothing of data if it has none."""
    with previewing(tmp_path / "flow.json", two_screens()) as (_, tab):
        assert tab.get("/link").json() == {"screen": "START", "data": None, "complete": True}
        data = {"name": "é" * 3_000}
        tab.command("open", screen="END", data=data)
        assert tab.get("/link").json() == {"screen": "END", "data": data, "complete": True}


def test_a_link_that_the_flow_opens(tmp_path: Path) -> None:
    """It is a line of the log, whatever its scheme; nothing is fetched. A step that is refused is no line."""
    link = {
        "type": "EmbeddedLink",
        "text": "More",
        "on-click-action": {"name": "open_url", "url": "javascript:alert(1)"},
    }
    with previewing(tmp_path / "flow.json", two_screens(link)) as (_, tab):
        path = tab.state["view"]["nodes"][0]["path"]
        state = tab.event("Tap", path)
        assert [(line["kind"], line["detail"]["url"]) for line in state["log"]] == [("open_url", "javascript:alert(1)")]
        assert len(tab.event("Tap", "/nowhere")["log"]) == 1


def test_there_may_be_nothing_to_undo(tab: Tab) -> None:
    """It is a conflict, with a reason."""
    tab.command("restart")
    answer = tab.post("/command", {"command": "undo"})
    assert (answer.status_code, answer.json()) == (409, {"error": "There is nothing to undo"})


def test_it_serves_until_it_is_closed(tmp_path: Path) -> None:
    """`serve` starts, and returns when another thread closes the preview."""
    (tmp_path / "flow.json").write_text(json.dumps(two_screens()))
    preview = Preview(tmp_path / "flow.json")
    thread = threading.Thread(target=preview.serve)
    thread.start()
    while "not running" in repr(preview):
        assert thread.is_alive()
    assert Tab(preview).state["view"]["screen"] == "START"
    preview.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_every_file_of_the_page_is_in_the_package() -> None:
    """The wheel takes the whole package; the files stand in it, the licence of what is not ours too."""
    folder = Path(str(resources.files("whatsapp_flows.preview"))) / "static"
    names = {path.name for path in folder.iterdir()}
    assert {"index.html", "app.js", "style.css", "lit-html.js", "lit-html.LICENSE"} <= names
    settings = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert settings["targets"]["wheel"] == {"packages": ["whatsapp_flows"]}
    assert "exclude" not in settings


def test_a_flow_that_is_no_file_is_played() -> None:
    """A mapping, such as one that the builder has made; its findings have lines."""
    footer = Footer(label="Go", on_click_action=Complete({}))
    flow = Flow(
        version="7.3", screens=[Screen("A", title="Book", terminal=True, children=[footer], data=[Data("x", 1)])]
    )
    with Preview(flow) as preview:
        state = Tab(preview).state
    assert (state["file"]["name"], state["view"]["title"]) == ("flow.json", "Book")
    assert [finding["code"] for finding in state["findings"]] == ["UNUSED_DATA_FIELD"]
    assert state["findings"][0]["line"] > 1
    with pytest.raises(ConfigurationError, match="path"):
        Preview({"version": object()})
