"""`lsp`: the language server, for editors."""

from __future__ import annotations

import click

from ._options import Command


@click.command("lsp", cls=Command, api=False)
@click.pass_context
def lsp_command(context: click.Context) -> None:
    """
    Serve an editor as a language server, on standard input and output.

    An editor starts it: see "Help in the editor" in the documentation. Finds errors while you type, completes,
    explains, renames, and offers fixes. Writes nothing but the protocol to standard output.
    """
    try:
        from ..lsp import serve  # noqa: PLC0415 - needs the extra
    except ImportError:
        raise click.UsageError('lsp needs pygls: pip install "whatsapp-flows-sdk[lsp]".') from None
    context.exit(serve())
