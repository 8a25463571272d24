"""The servers that people run, on threads of this process where the server allows it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn
import werkzeug.serving
from django.core.servers import basehttp

from tests.contrib.adapters.wires import ASGIApp, Reply, Sent, WSGIApp

PATIENCE: Final = 30.0  # seconds; reached only when something is wrong
ROOT: Final = Path(__file__).parents[3]
Address = tuple[str, int]


@contextmanager
def uvicorn_server(app: ASGIApp) -> Iterator[Address]:
    """uvicorn, with its event loop on a thread."""
    config = uvicorn.Config(
        app, http="h11", ws="none", log_config=None, access_log=False, lifespan="auto", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        serving.start()
        try:
            _wait_until_it_answers(listening.getsockname())
            yield listening.getsockname()
        finally:
            server.should_exit = True
            serving.join()


class _SilentWerkzeug(werkzeug.serving.WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args: Any) -> None:
        pass


class _SilentDjango(basehttp.WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def werkzeug_server(app: WSGIApp) -> Iterator[Address]:
    """The server of `flask run`."""
    server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True, request_handler=_SilentWerkzeug)
    with _on_a_thread(server) as address:
        yield address


@contextmanager
def django_server(app: WSGIApp) -> Iterator[Address]:
    """The server of `manage.py runserver`."""
    server = basehttp.ThreadedWSGIServer(("127.0.0.1", 0), _SilentDjango)
    server.set_app(app)
    with _on_a_thread(server) as address:
        yield address


@contextmanager
def _on_a_thread(server: Any) -> Iterator[Address]:
    server.daemon_threads = False  # closing waits for the requests
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@contextmanager
def gunicorn_server(private_pem: str) -> Iterator[Address]:
    """gunicorn, a process of its own with four threads, that serves the applications of `gunicorn_host`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Path(folder, "log").open("wb") as log,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        address, number = listener.getsockname(), listener.fileno()
        command = ["-m", "gunicorn", "--bind", f"fd://{number}", "--threads", "4"]
        environment = {**os.environ, "XDG_RUNTIME_DIR": folder, "TEST_PRIVATE_KEY": private_pem}
        command = [sys.executable, *command, "tests.contrib.adapters.gunicorn_host:application"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, pass_fds=[number])
        listener.close()
        try:
            _wait_until_it_answers(address, process, path="/wsgi/flow")
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def _wait_until_it_answers(
    address: Address, process: subprocess.Popen[bytes] | None = None, *, path: str = "/flow"
) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and (process is None or process.poll() is None):
        try:
            if exchange(address, Sent(method="PUT", path=path)).status == 405:
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("the server does not answer")


# -- the client


def exchange(address: Address, sent: Sent) -> Reply:
    """Send a request over a connection of its own, and read the response."""
    with closing(http.client.HTTPConnection(*address, timeout=PATIENCE)) as connection:
        target = sent.path + (f"?{sent.query}" if sent.query else "")
        connection.putrequest(sent.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.all_headers():
            connection.putheader(name, value.encode("latin-1"))
        connection.endheaders()
        try:
            if sent.chunked:
                half = len(sent.body) // 2
                for piece in (sent.body[:half], sent.body[half:]):
                    connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
                connection.send(b"0\r\n\r\n")
            elif sent.body:
                connection.send(sent.body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered before it has read everything
        response = connection.getresponse()
        return Reply(status=response.status, headers=tuple(response.getheaders()), body=response.read())


def connect(address: Address, sent: Sent) -> socket.socket:
    """Send a request without what is `missing` of its body, or the end of its chunks; returns the connection."""
    lines = [f"{sent.method} {sent.path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.all_headers())]
    connection = socket.create_connection(address, timeout=PATIENCE)
    body = b"%x\r\n%s\r\n" % (len(sent.body), sent.body) if sent.chunked else sent.body
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    return connection
