"""
The server: the features of this room over the Language Server Protocol, with pygls.

Findings are worked out in a thread, one document's at a time, after a short pause; a newer state cancels the pause, and
findings of an older state are dropped.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from .._version import __version__
from ._actions import actions
from ._complete import complete
from ._convert import (
    SOURCE,
    change_of,
    code_action,
    completion_item,
    diagnostic_of,
    flat_symbols,
    found_of,
    hover_content,
    nested_symbols,
    range_of,
    workspace_edit,
)
from ._documents import Change, OpenDocument, opened
from ._hover import definitions, hover
from ._protocol import FlowProtocol
from ._references import references
from ._rename import RenameError, rename, renamed_at

PAUSE: Final = 0.015
"""Seconds without a change before findings are worked out: less than between two keys, and not felt."""


class FlowLanguageServer(LanguageServer):
    """The open documents of an editor, and the tasks that work out their findings."""

    protocol: FlowProtocol

    def __init__(self) -> None:
        super().__init__(
            "whatsapp-flows", __version__, types.TextDocumentSyncKind.Incremental, protocol_cls=FlowProtocol,
            converter_factory=default_converter,
        )  # fmt: skip
        self._documents: dict[str, OpenDocument] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._one_at_a_time: dict[str, asyncio.Lock] = {}

    def document(self, uri: str) -> OpenDocument:
        """The state of a document; an empty one if it is not open."""
        return self._documents.get(uri) or opened("", 0)

    def open(self, uri: str, document: OpenDocument) -> None:
        """Take a document that an editor has opened, and work out its findings."""
        self._take(uri, document, pause=False)

    def change(self, uri: str, version: int, changes: Sequence[Change]) -> None:
        """Take the changes of an open document, and work out its findings soon."""
        before = self._documents.get(uri)
        if before is not None:
            self._take(uri, before.changed(changes, version), pause=True)

    def _take(self, uri: str, document: OpenDocument, *, pause: bool) -> None:
        self._documents[uri] = document
        self._cancel(uri)
        self._tasks[uri] = asyncio.ensure_future(self._publish(uri, document, pause=pause))

    def close(self, uri: str) -> None:
        """Forget a document, and take its findings away."""
        self._cancel(uri)
        self._documents.pop(uri, None)
        self._one_at_a_time.pop(uri, None)
        self._send(uri, None, [])

    def _cancel(self, uri: str) -> None:
        task = self._tasks.pop(uri, None)
        if task is not None:
            task.cancel()

    async def _publish(self, uri: str, document: OpenDocument, *, pause: bool) -> None:
        if pause:
            await asyncio.sleep(PAUSE)
        async with self._one_at_a_time.setdefault(uri, asyncio.Lock()):
            checking = asyncio.ensure_future(asyncio.to_thread(document.check))
            try:
                checked = await asyncio.shield(checking)
            except asyncio.CancelledError:
                await asyncio.wait([checking])  # a thread cannot be stopped: the next state waits until it has ended
                raise
        if self._documents.get(uri) is document:
            self._documents[uri] = checked
            found = checked.checked.found if checked.checked is not None else ()
            self._send(uri, checked.version, list(map(diagnostic_of, found)))

    def _send(self, uri: str, version: int | None, found: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=found, version=version)
        )


def make_server() -> FlowLanguageServer:
    """A server with its features, which does not run yet."""
    server = FlowLanguageServer()
    for name, options, handler in _FEATURES:
        server.feature(name, options)(handler)
    return server


def serve() -> int:
    """
    Serve an editor on standard input and output, until it says exit or closes them; gives the exit code.

    Everything else that writes to standard output is kept out of the conversation: it goes to standard error. SIGINT
    and SIGTERM end the process at once: an exception would wait for the thread that reads standard input.
    """
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # its lines would hold the texts of documents
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    server = make_server()
    with open(os.dup(sys.stdout.fileno()), "wb") as output, redirect_stdout(sys.stderr):
        server.start_io(stdout=output)
    return server.protocol.exit_code


# -- documents


def _did_open(server: FlowLanguageServer, params: types.DidOpenTextDocumentParams) -> None:
    server.open(params.text_document.uri, opened(params.text_document.text, params.text_document.version))


def _did_change(server: FlowLanguageServer, params: types.DidChangeTextDocumentParams) -> None:
    server.change(params.text_document.uri, params.text_document.version, list(map(change_of, params.content_changes)))


def _did_close(server: FlowLanguageServer, params: types.DidCloseTextDocumentParams) -> None:
    server.close(params.text_document.uri)


# -- features


def _place(
    server: FlowLanguageServer,
    params: types.CompletionParams
    | types.HoverParams
    | types.DefinitionParams
    | types.ReferenceParams
    | types.PrepareRenameParams
    | types.RenameParams,
) -> tuple[OpenDocument, int]:
    document = server.document(params.text_document.uri)
    return document, document.index.lines.offset(params.position.line, params.position.character)


def _completion(server: FlowLanguageServer, params: types.CompletionParams) -> types.CompletionList:
    document, offset = _place(server, params)
    found = complete(document.index, offset, document.known_index)
    return types.CompletionList(
        is_incomplete=False,
        items=[completion_item(document.index.lines, each, number) for number, each in enumerate(found)],
    )


def _hover(server: FlowLanguageServer, params: types.HoverParams) -> types.Hover | None:
    document, offset = _place(server, params)
    found = hover(document.index, offset)
    if found is None:
        return None
    capabilities = server.client_capabilities.text_document
    formats = capabilities.hover.content_format if capabilities is not None and capabilities.hover is not None else None
    content = hover_content(found, plain=formats is not None and types.MarkupKind.Markdown not in formats)
    return types.Hover(content, range_of(document.index.lines, found.start, found.end))


def _definition(server: FlowLanguageServer, params: types.DefinitionParams) -> list[types.Location]:
    document, offset = _place(server, params)
    uri = params.text_document.uri
    return [types.Location(uri, range_of(document.index.lines, *each)) for each in definitions(document.index, offset)]


def _references(server: FlowLanguageServer, params: types.ReferenceParams) -> list[types.Location]:
    document, offset = _place(server, params)
    found = references(document.index, offset, declaration=params.context.include_declaration)
    return [types.Location(params.text_document.uri, range_of(document.index.lines, *each)) for each in found]


async def _document_symbols(
    server: FlowLanguageServer, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """Editors ask for the outline after each change: it is made beside, from a tree of its own."""
    uri, text = params.text_document.uri, server.document(params.text_document.uri).index.text
    capabilities = server.client_capabilities.text_document
    known = capabilities.document_symbol if capabilities is not None else None
    nested = known is not None and known.hierarchical_document_symbol_support
    if nested:
        return await asyncio.to_thread(nested_symbols, text)
    return await asyncio.to_thread(flat_symbols, text, uri)


def _prepare_rename(
    server: FlowLanguageServer, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    document, offset = _place(server, params)
    found = renamed_at(document.index, offset)
    return (
        None if found is None else types.PrepareRenamePlaceholder(range_of(document.index.lines, *found.at), found.name)
    )


def _rename(server: FlowLanguageServer, params: types.RenameParams) -> types.WorkspaceEdit:
    document, offset = _place(server, params)
    try:
        edits = rename(document.index, offset, params.new_name)
    except RenameError as error:
        raise JsonRpcInvalidParams(str(error)) from None
    return workspace_edit(params.text_document.uri, document.index.lines, edits)


def _code_actions(server: FlowLanguageServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    document = server.document(uri)
    lines, first, last = document.index.lines, params.range.start, params.range.end
    start, end = lines.offset(first.line, first.character), lines.offset(last.line, last.character)
    # The editor sends back the findings of the range, as they were sent to it.
    given = [each for each in params.context.diagnostics if each.source == SOURCE and isinstance(each.code, str)]
    found = actions(document.index, start, end, [found_of(each) for each in given])
    return [code_action(uri, document.index.lines, each, given) for each in found]


_FEATURES: Final = (
    (types.TEXT_DOCUMENT_DID_OPEN, None, _did_open),
    (types.TEXT_DOCUMENT_DID_CHANGE, None, _did_change),
    (types.TEXT_DOCUMENT_DID_CLOSE, None, _did_close),
    (types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=['"', ".", "{", ":"]), _completion),
    (types.TEXT_DOCUMENT_HOVER, None, _hover),
    (types.TEXT_DOCUMENT_DEFINITION, None, _definition),
    (types.TEXT_DOCUMENT_REFERENCES, None, _references),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, None, _document_symbols),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, None, _prepare_rename),
    (types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True), _rename),
    (
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(
            code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.RefactorRewrite]
        ),
        _code_actions,
    ),
)
