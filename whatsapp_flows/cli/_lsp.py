"""`lsp`: the language server, for editors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click
from rich.text import Text

from ._app import App
from ._json import Json, as_json
from ._options import Command
from ._text import Lines, as_text
from ._values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageServerStopped(Value):
    """The editor has ended the language server."""


@as_text.register
def _(_: LanguageServerStopped) -> Lines:
    yield Text("Stopped.")


@as_json.register
def _(_: LanguageServerStopped) -> Json:
    return {"stopped": True}


@click.command("lsp", cls=Command, api=False)
@click.pass_obj
def lsp_command(app: App) -> LanguageServerStopped:
    """
    Serve an editor as a language server, on standard input and output.

    An editor starts it: see "Help in the editor" in the documentation. Finds errors while you type, completes,
    explains, renames, and offers fixes.
    """
    try:
        from ..lsp import serve  # noqa: PLC0415 - needs the extra
    except ImportError:
        raise click.UsageError('lsp needs pygls: pip install "whatsapp-flows-sdk[lsp]".') from None
    serve()
    return replace(LanguageServerStopped(), raw=b"")  # standard output is the protocol's
