"""`preview`: a Flow JSON file in the browser, played and followed while it is edited."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TextIO

import click
from click.core import ParameterSource
from rich.text import Text

from .._inert import inert
from .._log import logger
from ..errors import ConfigurationError
from ..flow_json import read_flow_json
from ._app import App
from ._json import Json, as_json
from ._options import Command
from ._play_options import app_secret, named_endpoint, read_data, read_public_key
from ._sources import read_sources
from ._text import Lines, as_text
from ._values import Stopped, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewStarted(Value):
    """A running preview; `url` holds its token."""

    file: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryboardWritten(Value):
    """The files of a storyboard."""

    files: tuple[Path, ...]


@click.command("preview", cls=Command, api=False)
@click.argument("path", metavar="PATH")
@click.option("--screen", metavar="ID", help="Open on this screen.")
@click.option("--data", metavar="JSON|@FILE", help="Open with this data instead of the screen's examples.")
@click.option("--endpoint", metavar="URL|MODULE:NAME", help="Ask this endpoint.")
@click.option("--public-key", metavar="PEM|FILE", help="Encrypt requests to the endpoint for this public key.")
@click.option("--flow-token", metavar="TEXT", default="preview", show_default=True, help="Flow token.")
@click.option("--platform", type=click.Choice(["android", "ios"]), default="android", show_default=True,
              help="Layout of the phone.")  # fmt: skip
@click.option("--theme", type=click.Choice(["light", "dark", "auto"]), default="auto", show_default=True,
              help="Colours; auto: as the browser.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, metavar="NAME", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N",
              help="Port to listen on. Default: a free port.")  # fmt: skip
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@click.option("--export", metavar="FILE", help="Write a storyboard of all screens as one HTML file, and end.")
@click.option("--screenshots", metavar="DIR", help="Write a PNG of each screen of the storyboard, and end.")
@click.option("--browser", metavar="PATH", help="Program of Chromium, Chrome or Edge for --screenshots.")
@click.pass_context
def preview_command(
    context: click.Context, /, *, path: str, data: str | None, endpoint: str | None, public_key: str | None,
    no_open: bool, host: str, port: int, export: str | None, screenshots: str | None, browser: str | None,
    **settings: Any,
) -> Value:  # fmt: skip
    """
    Play a Flow JSON file in the browser, until Ctrl-C.

    PATH is a file, or a folder with one Flow JSON. The page follows the file while you edit it. Without --endpoint, it
    asks you what the endpoint answers. The endpoint is a URL, or an object in a Python module: a FlowEndpoint, an ASGI
    or WSGI application, or a function that takes the decrypted request. Requests to a URL are encrypted with
    --public-key, and signed with WHATSAPP_FLOWS_APP_SECRET; without a key they are sent as plain JSON, for a server in
    development.

    With --export or --screenshots it serves nothing, and needs no extra but that of the command line.
    """
    app: App = context.obj
    writes = export is not None or screenshots is not None
    if writes:
        _refuse_options_of_playing(context)
    if browser is not None and screenshots is None:
        raise click.UsageError("--browser is the program for --screenshots: give a folder.")
    if writes:
        look = {name: settings[name] for name in ("platform", "theme")}
        return _write_storyboard(app, path, export, screenshots, browser, **look)
    preview_room = _import_preview()
    settings |= {
        "data": read_data(app, data),
        "public_key": read_public_key(app, public_key),
        "app_secret": app_secret(app),
    }
    with named_endpoint(endpoint) as target:
        try:
            preview = preview_room.Preview(_file(app, path), endpoint=target, host=host, port=port, **settings)
        except ImportError as missing:  # of the extra that the endpoint needs
            raise click.UsageError(f"preview: {missing}.") from None
        with suppress(KeyboardInterrupt), _warnings_on(app.stderr), _listening(preview, host, port):
            app.show(PreviewStarted(file=path, url=preview.url))
            app.stdout.flush()
            if not no_open and not preview.open_browser():
                app.print_line("No browser was found: copy the address into one.")
            app.stop.wait()
    return Stopped()


def _write_storyboard(
    app: App, path: str, file: str | None, folder: str | None, browser: str | None, **look: Any
) -> StoryboardWritten:
    """Write what is asked for: one HTML file, a folder with pictures, or both."""
    from .. import preview  # noqa: PLC0415 - loaded for this command alone

    name = _file(app, path)
    if file is not None and _same_file(name, file):
        raise click.UsageError(f"--export would replace {inert(name)} itself: give the name of another file.")
    content = read_flow_json(app.read(name), argument=inert(name))
    page = None if file is None else preview.export(content, title=Path(name).name, **look).encode()
    pictures = (
        ()
        if folder is None
        else preview.screenshots(
            content,
            folder,
            browser=browser,
            on_taken=lambda taken, number: app.print_line(f"Picture {taken} of {number}."),
            **look,
        )
    )
    written = None if page is None else app.write(file, page)
    if page is not None and written is None:
        return StoryboardWritten(files=pictures, raw=page)
    return StoryboardWritten(files=(*filter(None, [written]), *pictures))


_FOR_PLAYING: Final = ("screen", "data", "endpoint", "public_key", "flow_token", "host", "port", "no_open")


def _refuse_options_of_playing(context: click.Context) -> None:
    """Options that a storyboard has no use for: it shows all screens, each with its examples."""
    for name in _FOR_PLAYING:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} is for playing: it has no effect with --export or --screenshots.")


def _same_file(first: str, second: str) -> bool:
    """Whether two names stand for one file, by way of links too."""
    try:
        return os.path.samefile(first, second)
    except OSError:  # one of them does not exist
        return False


def _import_preview() -> ModuleType:
    try:
        from .. import _server, preview  # noqa: F401, PLC0415 - serving needs the extra
    except ImportError:
        needed = 'pip install "whatsapp-flows-sdk[emulator]"'
        raise click.UsageError(f"a preview in the browser needs werkzeug: {needed}; --export needs nothing.") from None
    return preview


@contextmanager
def _listening(preview: Any, host: str, port: int) -> Iterator[None]:
    try:
        preview.start()
    except OSError as error:
        advice = " Give another port, or none for one that is free." if error.errno == errno.EADDRINUSE else ""
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}.{advice}") from None
    with preview:
        yield


@contextmanager
def _warnings_on(stream: TextIO) -> Iterator[None]:
    """Meanwhile, the library's warnings are written to a stream: a public address, what the endpoint has raised."""
    handler = logging.StreamHandler(stream)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("warning: %(message)s"))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _file(app: App, path: str) -> str:
    """The file, or the only Flow JSON in a folder."""
    if not os.path.isdir(path):
        return path
    files = list(read_sources(app, [path]).files)
    if len(files) > 1:
        raise ConfigurationError(f"{path} is a folder with {len(files)} Flow JSON files: give one of them.")
    return files[0]


@as_text.register
def _(value: PreviewStarted) -> Lines:
    yield Text.assemble(f"Playing {inert(value.file)} at ", (value.url, "bold"))
    yield Text("Whoever has this address can use the preview. It follows the file while you edit it.")
    yield Text("Press Ctrl-C to stop.", style="dim")


@as_json.register
def _(value: PreviewStarted) -> Json:
    return {"file": value.file, "url": value.url}


@as_text.register
def _(value: StoryboardWritten) -> Lines:
    for file in value.files:
        yield Text(inert(str(file)))


@as_json.register
def _(value: StoryboardWritten) -> Json:
    return {"files": [str(file) for file in value.files]}
