"""`Preview`: the application, the watched file and the endpoint of one preview, from start to close."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
import time
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Final

if importlib.util.find_spec("werkzeug") is None:
    raise ImportError('the preview needs werkzeug: pip install "whatsapp-flows-sdk[emulator]"')

from .. import flow_json
from .._forks import register_after_fork
from .._log import logger
from .._server import Server, is_loopback
from .._wire import short_repr
from ..errors import ConfigurationError
from ..signatures import AppSecrets
from ._access import Access
from ._application import Application, error_response
from ._asking import Asking
from ._document import Document, read_document
from ._endpoint import TIME_LIMIT, connecting
from ._state import PLATFORMS, THEMES, Platform, PreviewState, Theme
from ._store import Begin, Store
from ._watch import INTERVAL, FileContent, Watcher, read_content

_IN_MEMORY: Final = Path("flow.json")
"""The name of a Flow that is no file, for the page and for tests that are copied from it."""
_LIMIT: Final = flow_json.MAX_BYTES + len(flow_json.BYTE_ORDER_MARK)
# Addresses that stand for every address of this machine -> one that a browser on it can open.
_ANY_ADDRESS: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


class Preview:
    """
    A Flow JSON file, played in a browser, and followed while it is edited.

        with Preview("booking.json") as preview:
            print(preview.url)

    `path` is the file, which is watched; or a mapping, such as a `builder.Flow`, which is played as it is. `screen` and
    `data` say where the Flow opens: without them, on its first screen, with the examples of its data model.

    `endpoint` is what a `FlowPlayer` can ask, by default nothing: then the page asks its user for the answer. A URL
    without a `public_key` is a development server that takes the decrypted request as JSON, and answers likewise;
    everything else but a function is asked with requests that are encrypted for `public_key` and signed with
    `app_secret`. A request is given up after `time_limit` seconds.

    It is served on `host` and `port` (0: a free one) to the browser that opens `url`, which holds a random token. On a
    host that is not this machine's own, everybody who learns the address can use the preview, and a warning is logged.

    `today` is the day on which the Flow is played (default: the current one), `clock` gives Unix seconds for
    the log, `interval` is the time between two looks at the file in seconds.

    Raises `ConfigurationError` if the file cannot be read or lacks the screen, or if an option cannot be used, and
    `ImportError` if the endpoint needs the extra `endpoint`. A file
    that is no Flow JSON is shown as such until it is one.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Mapping[str, Any],
        *,
        screen: str | None = None,
        data: Mapping[str, Any] | None = None,
        endpoint: object = None,
        public_key: str | bytes | None = None,
        app_secret: AppSecrets | None = None,
        flow_token: str = "preview",  # noqa: S107 - stands in for the token of a message
        platform: Platform = "android",
        theme: Theme = "auto",
        host: str = "127.0.0.1",
        port: int = 0,
        today: date | None = None,
        time_limit: float = TIME_LIMIT,
        clock: Callable[[], float] = time.time,
        interval: float = INTERVAL,
    ) -> None:
        _check_choice("platform", platform, PLATFORMS)
        _check_choice("theme", theme, THEMES)
        self._path = _IN_MEMORY if isinstance(path, Mapping) else Path(path)
        self._host, self._port = host, port
        content = _written(path) if isinstance(path, Mapping) else read_content(self._path, _LIMIT)
        if content.problem:
            raise ConfigurationError(f"{self._path} cannot be previewed: {content.problem}.")
        document = read_document(content)
        _check_screen(document, screen)
        version = None if document.flow is None else document.flow.document.get("data_api_version")
        asked = connecting(endpoint, public_key, app_secret, version=version, time_limit=time_limit)
        self._asking = None if asked is None else Asking(asked.connect, time_limit=time_limit)
        self._store = Store(
            PreviewState(path=_display_path(self._path), platform=platform, theme=theme, by_hand=asked is None),
            Begin(
                screen=screen,
                data=data,
                opens=asked is not None and asked.opens,
                flow_token=flow_token,
                today=today,
            ),
            self._asking,
            clock=clock,
        )
        self._document = document
        self._watcher = (
            None
            if isinstance(path, Mapping)
            else Watcher(self._path, self._changed, content, limit=_LIMIT, interval=interval)
        )
        self._access = Access(loopback=_is_own(host), hosts={host} - {*_ANY_ADDRESS})
        self._server: Server | None = None
        self._ended = threading.Event()
        self._closing = threading.Lock()

    # -- from start to close

    def start(self) -> Preview:
        """
        Listen, and watch the file; a second call does nothing.

        Raises `OSError` when the port is taken, `ConfigurationError` for data that is no JSON, and `RuntimeError` after
        `close`.
        """
        if self._ended.is_set():
            raise RuntimeError("the preview is closed: make another one")
        if self._server is None:
            application = Application(self._store, self._access, lambda: self._port)
            server = Server(
                application, host=self._host, port=self._port, name="preview", error_response=error_response
            )
            server.start()
            self._server, self._port = server, server.port
            register_after_fork(self)
            if not _is_own(self._host):
                logger.warning("the preview listens on %s: everybody who learns its address can use it", self._host)
            try:
                self._store.load(self._document)
            except BaseException:
                self.close()
                raise
            if self._watcher is not None:
                self._watcher.start()
        return self

    def serve(self) -> None:
        """Serve until Ctrl-C, or until `close` is called from another thread."""
        with suppress(KeyboardInterrupt), self:
            self._ended.wait()

    def close(self) -> None:
        """Stop listening, watching and asking, and end every connection; a second call does nothing."""
        with self._closing:
            server, self._server = self._server, None
            self._ended.set()
            if server is None:
                return
            if self._watcher is not None:
                self._watcher.close()
            self._store.close()
            if self._asking is not None:
                self._asking.close()
            server.close()

    def after_fork(self) -> None:
        """In a forked child, the preview is the parent's: closing it there leaves the parent's alone."""
        self._server = None
        self._closing = threading.Lock()

    def __enter__(self) -> Preview:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "not running" if self._server is None else self._address
        return f"Preview({str(self._path)!r}, {where})"

    # -- the address

    @property
    def url(self) -> str:
        """The address to open in a browser. It holds the token: whoever has it can use the preview."""
        return self._url(self._access.token.reveal())

    def open_browser(self, open_url: Callable[[str], object] | None = None) -> bool:
        """
        Open the preview in a browser: with `open_url`, by default in the user's own. False if that could not be done.

        The address that the browser is started with stands in the list of processes, so it holds a token that works
        once.
        """
        return (open_url or webbrowser.open)(self._url(self._access.token_for_once().reveal())) is not False

    def _url(self, token: str) -> str:
        if self._server is None:
            raise RuntimeError("the preview has no address unless it is running")
        return f"{self._address}/?token={token}"

    @property
    def _address(self) -> str:
        host = _ANY_ADDRESS.get(self._host, self._host)
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    # -- the file

    def _changed(self, found: FileContent) -> None:
        """The file has changed. On the watcher's thread, which must go on whatever happens."""
        try:
            self._store.load(read_document(found))
        except Exception:  # noqa: BLE001 - a bug of ours must not end the watching
            logger.exception("the preview failed to play the changed file")
            self._store.fail("The changed file could not be played. This is a bug: please report it.")


def _written(flow: Mapping[str, Any]) -> FileContent:
    """A Flow that is no file, in lines, so that findings have a place. Raises `ConfigurationError` if it is no JSON."""
    document = json.loads(flow_json.read_flow_json(flow, argument="path"))
    return FileContent(content=json.dumps(document, ensure_ascii=False, indent=2).encode())


def _is_own(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    return host == "localhost" or is_loopback(host)


def _display_path(path: Path) -> Path:
    """The path from the current folder, if it is below that."""
    if path is _IN_MEMORY:
        return path
    full, folder = Path(os.path.abspath(path)), Path.cwd()
    return full.relative_to(folder) if full.is_relative_to(folder) else full


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{name} must be one of {', '.join(allowed)}, not {short_repr(value)}.")


def _check_screen(document: Document, screen: str | None) -> None:
    if document.flow is not None and screen is not None and screen not in document.flow.screens:
        raise ConfigurationError(document.flow.facts.unknown_screen(screen))
