"""`preview`: its options, its output, and what it refuses."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.cli.support import PUBLIC_KEY, CommandLine, running
from tests.preview.serving import save, screen, two_screens, with_endpoint
from tests.preview.test_headless_browser import program

TIMEOUT = 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return save(tmp_path / "flow.json", with_endpoint())


def _previewing(*argv: object) -> AbstractContextManager[SimpleNamespace]:
    """The running command."""
    return running("preview", "--no-open", *argv)


def _state(url: str) -> Any:
    with requests.Session() as tab:
        tab.get(url, timeout=TIMEOUT).raise_for_status()
        return tab.get(f"http://{urlsplit(url).netloc}/state", timeout=TIMEOUT).json()


def test_it_plays_a_file(path: Path) -> None:
    """The address opens the play; the layout and the colours are those of the options."""
    with _previewing(path, "--platform", "ios", "--theme", "dark") as shown:
        state = _state(shown.url)
        assert (state["view"]["screen"], state["platform"], state["theme"]) == ("START", "ios", "dark")
        assert shown.file == str(path)


def test_it_opens_on_a_screen_with_data(path: Path, tmp_path: Path) -> None:
    """The data is JSON, or in a file."""
    (tmp_path / "data.json").write_text('{"hint": "At noon"}')
    for data in ('{"hint": "At noon"}', f"@{tmp_path / 'data.json'}"):
        with _previewing(path, "--screen", "SLOTS", "--data", data) as shown:
            assert _state(shown.url)["view"]["nodes"][0]["props"]["text"] == "At noon"


def test_a_folder_with_one_flow(path: Path, tmp_path: Path) -> None:
    """It stands for the Flow JSON in it; with two it is not clear which is meant."""
    (tmp_path / "package.json").write_text('{"name": "x"}')
    with _previewing(tmp_path) as shown:
        assert _state(shown.url)["file"]["name"] == "flow.json"
    save(tmp_path / "other.json", two_screens())
    refused = CommandLine()("preview", tmp_path)
    assert (refused.code, "2 Flow JSON files" in refused.err) == (2, True)


def test_an_endpoint_of_a_module(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is imported from the current folder, and asked when the Flow opens."""
    (tmp_path / "answering_for_preview.py").write_text(
        "def answer(request):\n    return {'screen': 'START', 'data': {'error_message': request['flow_token']}}\n"
    )
    monkeypatch.chdir(tmp_path)
    with _previewing(path, "--endpoint", "answering_for_preview:answer", "--flow-token", "t-7") as shown:
        with requests.Session() as tab:
            tab.get(shown.url, timeout=TIMEOUT)
            base = f"http://{urlsplit(shown.url).netloc}"
            with tab.get(f"{base}/changes", stream=True, timeout=TIMEOUT) as changes:
                for _ in changes.iter_lines(chunk_size=1):
                    state = tab.get(f"{base}/state", timeout=TIMEOUT).json()
                    if not state["view"]["loading"]:
                        break
        assert [line["text"] for line in state["log"]][:2] == ["INIT", "Screen START"]
    sys.modules.pop("answering_for_preview")


def test_the_browser_is_opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an address that works once, as it stands in the list of processes."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    with running("preview", path) as shown:
        token = urlsplit(shown.url).query
    assert len(opened) == 1
    assert token not in opened[0]


def test_without_a_browser_the_address_is_what_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and serves on."""
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    stop = threading.Event()
    stop.set()
    done = CommandLine()("preview", path, stop=stop)
    assert (done.code, done.err) == (0, "No browser was found: copy the address into one.\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--screen", "STRAT"], "Did you mean 'START'"),
        (["--data", "[]"], "--data must be a JSON object"),
        (["--data", "{"], "--data must be a JSON object"),
        (["--data", "@no-such-file"], "no-such-file cannot be read"),
        (["--endpoint", "no_such_module_at_all:x"], "there is no module no_such_module_at_all"),
        (["--endpoint", "endpoint"], "is no name of an object"),
        (["--endpoint", "ftp://localhost"], "must begin with http:// or https://"),
        (["--endpoint", "https://localhost", "--public-key", "no-such-key"], "no-such-key cannot be read"),
        (["--platform", "web"], "'web' is not one of"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1:0"),
    ],
)
def test_wrong_options(path: Path, argv: list[str], message: str) -> None:
    """They are usage errors that name what is wrong, and nothing listens."""
    refused = CommandLine()("preview", path, "--no-open", *argv)
    assert (refused.code, message in refused.err) == (2, True), refused.err


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is a usage error."""
    refused = CommandLine()("preview", tmp_path / "no.json", "--no-open")
    assert (refused.code, "the file is not there" in refused.err) == (2, True)


def test_a_port_that_is_taken(path: Path) -> None:
    """With the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = CommandLine()("preview", path, "--no-open", "--port", str(port))
    said = f"error: cannot listen on 127.0.0.1:{port}: Address already in use. Give another port, or none for one that"
    assert (refused.code, refused.err) == (2, f"{said} is free.\n")


def test_an_encrypted_endpoint(path: Path, tmp_path: Path) -> None:
    """The public key is a PEM, or in a file; the app secret comes from the environment, and is shown nowhere."""
    (tmp_path / "key.pem").write_text(PUBLIC_KEY)
    stop = threading.Event()
    stop.set()
    for key in (PUBLIC_KEY, tmp_path / "key.pem"):
        done = CommandLine()(
            "preview", path, "--no-open", "--screen", "START", "--endpoint", "https://localhost/", "--public-key", key,
            env={"WHATSAPP_FLOWS_APP_SECRET": "an-app-secret"}, stop=stop,
        )  # fmt: skip
        assert (done.code, "an-app-secret" in done.out + done.err) == (0, False)
    assert done.out.splitlines()[0].startswith(f"Playing {path} at http://127.0.0.1:")
    assert done.out.splitlines()[-1] == "Stopped."


def test_a_warning_for_an_open_address(path: Path) -> None:
    """On a host that other machines reach, everybody who learns the address can use the preview."""
    stop = threading.Event()
    stop.set()
    done = CommandLine()("preview", path, "--no-open", "--host", "0.0.0.0", stop=stop)
    assert "warning: the preview listens on 0.0.0.0: everybody who learns its address can use it" in done.err


def test_a_storyboard_as_a_file(path: Path, tmp_path: Path) -> None:
    """The page is written, and nothing is served; with - it goes to stdout."""
    done = CommandLine()("preview", path, "--export", tmp_path / "flow.html", "--theme", "dark")
    page = (tmp_path / "flow.html").read_text("utf-8")
    assert (done.code, done.out) == (0, f"{tmp_path / 'flow.html'}\n")
    assert "<title>flow.json" in page
    assert CommandLine()("preview", path, "--export", "-", "--theme", "dark").out == page
    assert CommandLine()("preview", path, "--export", tmp_path / "flow.html", "--json").json == {
        "files": [str(tmp_path / "flow.html")]
    }


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="its browser is a shell script")
def test_a_line_for_each_picture(tmp_path: Path) -> None:
    """On stderr as soon as it is taken, because a browser takes its time; the paths follow on stdout."""
    path = save(tmp_path / "flow.json", {"version": "7.3", "screens": [screen("A"), screen("B")]})
    does = """case "$*" in *'#sizes'*) echo '<html data-sizes="[[300,600],[300,600]]">';; esac
for word; do case $word in --screenshot=*) echo a > "${word#--screenshot=}";; esac; done"""
    done = CommandLine()("preview", path, "--screenshots", tmp_path / "out", "--browser", program(tmp_path, does))
    assert (done.code, done.err) == (0, "Picture 1 of 2.\nPicture 2 of 2.\n")
    assert done.out.splitlines() == [
        str(tmp_path / "out" / f"0{n}-{name}-As it opens.png") for n, name in ((1, "A"), (2, "B"))
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a":', "is not JSON"),
        (b"", "is not JSON"),
        (b"[1]", "must be a JSON object"),
        (b"\xff\xfe{\x00", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_drawn_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    """With what is wrong, by both ways to draw it."""
    (tmp_path / "flow.json").write_bytes(content)
    for option, target in (("--export", "a.html"), ("--screenshots", "out")):
        refused = CommandLine()("preview", tmp_path / "flow.json", option, tmp_path / target)
        assert (refused.code, refused.err.startswith(f"error: {tmp_path / 'flow.json'} {expected}")) == (2, True)
        assert not (tmp_path / target).exists()


def test_pictures_need_a_browser(path: Path, tmp_path: Path) -> None:
    """A program that is not there is a usage error, and no folder is made."""
    refused = CommandLine()("preview", path, "--screenshots", tmp_path / "out", "--browser", tmp_path / "no-browser")
    assert (refused.code, "no-browser" in refused.err, (tmp_path / "out").exists()) == (2, True, False)


def test_without_werkzeug_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a usage error; a storyboard needs no extra."""
    for name in [name for name in sys.modules if name.startswith("whatsapp_flows._server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("whatsapp_flows._server", raising=False)
    for name in ("werkzeug", "werkzeug.exceptions", "werkzeug.serving"):
        monkeypatch.setitem(sys.modules, name, None)
    refused = CommandLine()("preview", path, "--no-open")
    assert (refused.code, 'pip install "whatsapp-flows-sdk[emulator]"' in refused.err) == (2, True)
    assert CommandLine()("preview", path, "--export", "-").code == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for another process")
def test_ctrl_c_ends_it(path: Path) -> None:
    """The process ends by itself, with the exit code of a server that was stopped, and its output says so."""
    command = [sys.executable, "-m", "whatsapp_flows", "preview", str(path), "--no-open", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            started = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
            assert _state(started["url"])["view"]["screen"] == "START"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()  # if it has not ended: leaving the block waits for it
        assert (process.returncode, json.loads(out), err) == (0, {"stopped": True}, "")


@pytest.mark.parametrize("link", [None, Path.symlink_to, Path.hardlink_to])
def test_an_export_does_not_replace_the_flow_itself(
    link: Callable[[Path, Path], None] | None, path: Path, tmp_path: Path
) -> None:
    """By its own name, or by a link to it."""
    target, content = path, path.read_bytes()
    if link is not None:
        target = tmp_path / "link.html"
        link(target, path)
    outcome = CommandLine()("preview", path, "--export", target)
    assert outcome.code == 2
    assert "would replace" in outcome.err
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "option", [("--screen", "A"), ("--data", "{}"), ("--port", "1"), ("--no-open",), ("--endpoint", "x:y")]
)
def test_options_of_playing_are_refused_where_they_have_no_effect(
    option: tuple[str, ...], path: Path, tmp_path: Path
) -> None:
    """A storyboard shows all screens, each with its examples."""
    outcome = CommandLine()("preview", path, "--export", tmp_path / "a.html", *option)
    assert outcome.code == 2
    assert f"{option[0]} is for playing" in outcome.err
    assert not (tmp_path / "a.html").exists()


def test_a_browser_without_pictures_is_refused(path: Path) -> None:
    """It names the program that takes them."""
    outcome = CommandLine()("preview", path, "--browser", "x", "--no-open")
    assert (outcome.code, "give a folder" in outcome.err) == (2, True)
