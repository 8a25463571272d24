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
from ._actions import Action, actions
from ._complete import Completion, complete
from ._documents import Change, OpenDocument, opened
from ._findings import Found
from ._hover import definitions, hover
from ._protocol import FlowProtocol
from ._rename import Edit, RenameError, rename, renamed_at

PAUSE: Final = 0.015
"""Seconds without a change before findings are worked out: less than between two keys, and not felt."""
SOURCE: Final = "whatsapp-flows"

_KINDS: Final = {
    "component": types.CompletionItemKind.Class,
    "property": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.EnumMember,
    "screen": types.CompletionItemKind.Module,
    "input": types.CompletionItemKind.Variable,
    "field": types.CompletionItemKind.Field,
    "source": types.CompletionItemKind.Keyword,
}


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
            self._send(uri, checked.version, list(map(_diagnostic, found)))

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
    server.change(params.text_document.uri, params.text_document.version, list(map(_change, params.content_changes)))


def _did_close(server: FlowLanguageServer, params: types.DidCloseTextDocumentParams) -> None:
    server.close(params.text_document.uri)


# -- features


def _completion(server: FlowLanguageServer, params: types.CompletionParams) -> types.CompletionList:
    document, offset = _place(server, params)
    found = complete(document.index, offset, document.known_index)
    return types.CompletionList(
        is_incomplete=False, items=[_completion_item(document, each, number) for number, each in enumerate(found)]
    )


def _hover(server: FlowLanguageServer, params: types.HoverParams) -> types.Hover | None:
    document, offset = _place(server, params)
    found = hover(document.index, offset)
    if found is None:
        return None
    code = f"\n\n```json\n{found.code}\n```" if found.code else ""
    content = types.MarkupContent(types.MarkupKind.Markdown, _escaped(found.text) + code)
    return types.Hover(content, _range(document, found.start, found.end))


def _definition(server: FlowLanguageServer, params: types.DefinitionParams) -> list[types.Location]:
    document, offset = _place(server, params)
    uri = params.text_document.uri
    return [types.Location(uri, _range(document, *each)) for each in definitions(document.index, offset)]


def _prepare_rename(
    server: FlowLanguageServer, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    document, offset = _place(server, params)
    found = renamed_at(document.index, offset)
    return None if found is None else types.PrepareRenamePlaceholder(_range(document, *found.at), found.name)


def _rename(server: FlowLanguageServer, params: types.RenameParams) -> types.WorkspaceEdit:
    document, offset = _place(server, params)
    try:
        edits = rename(document.index, offset, params.new_name)
    except RenameError as error:
        raise JsonRpcInvalidParams(str(error)) from None
    return _workspace_edit(params.text_document.uri, document, edits)


def _code_actions(server: FlowLanguageServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    document = server.document(uri)
    start, end = _offset(document, params.range.start), _offset(document, params.range.end)
    # The editor sends back the findings of the range, as they were sent to it.
    given = [each for each in params.context.diagnostics if each.source == SOURCE and isinstance(each.code, str)]
    found = actions(document.index, start, end, [_found(each) for each in given])
    return [_code_action(uri, document, each, given) for each in found]


_FEATURES: Final = (
    (types.TEXT_DOCUMENT_DID_OPEN, None, _did_open),
    (types.TEXT_DOCUMENT_DID_CHANGE, None, _did_change),
    (types.TEXT_DOCUMENT_DID_CLOSE, None, _did_close),
    (types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=['"', ".", "{", ":"]), _completion),
    (types.TEXT_DOCUMENT_HOVER, None, _hover),
    (types.TEXT_DOCUMENT_DEFINITION, None, _definition),
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


# -- from our values to those of the protocol, and back


def _place(
    server: FlowLanguageServer,
    params: types.CompletionParams
    | types.HoverParams
    | types.DefinitionParams
    | types.PrepareRenameParams
    | types.RenameParams,
) -> tuple[OpenDocument, int]:
    document = server.document(params.text_document.uri)
    return document, _offset(document, params.position)


def _offset(document: OpenDocument, position: types.Position) -> int:
    return document.index.lines.offset(position.line, position.character)


def _change(given: types.TextDocumentContentChangeEvent) -> Change:
    if isinstance(given, types.TextDocumentContentChangeWholeDocument):
        return Change(given.text)
    start, end = given.range.start, given.range.end
    return Change(given.text, (start.line, start.character), (end.line, end.character))


def _range(document: OpenDocument, start: int, end: int) -> types.Range:
    first, last = document.index.lines.position(start), document.index.lines.position(end)
    return types.Range(types.Position(*first), types.Position(*last))


def _escaped(text: str) -> str:
    """Our own words with names from the document, as Markdown that shows them as they are."""
    return "".join(f"\\{char}" if char in "\\`*[]<>&" else char for char in text)


def _diagnostic(found: Found) -> types.Diagnostic:
    return types.Diagnostic(
        range=types.Range(types.Position(found.line, found.column), types.Position(found.end_line, found.end_column)),
        message=found.message,
        severity=types.DiagnosticSeverity.Error if found.is_error else types.DiagnosticSeverity.Warning,
        code=found.code,
        source=SOURCE,
    )


def _found(given: types.Diagnostic) -> Found:
    start, end = given.range.start, given.range.end
    is_error = given.severity == types.DiagnosticSeverity.Error
    return Found(str(given.code), "", given.message, is_error, start.line, start.character, end.line, end.character)


def _completion_item(document: OpenDocument, found: Completion, number: int) -> types.CompletionItem:
    return types.CompletionItem(
        label=found.label,
        kind=_KINDS[found.kind],
        detail=found.detail or None,
        documentation=found.text or None,
        sort_text=f"{number:04}",
        filter_text=found.insert.lstrip(),
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(_range(document, found.start, found.end), found.insert),
    )


def _workspace_edit(uri: str, document: OpenDocument, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    return types.WorkspaceEdit(
        changes={uri: [types.TextEdit(_range(document, each.start, each.end), each.text) for each in edits]}
    )


def _code_action(
    uri: str, document: OpenDocument, action: Action, given: Sequence[types.Diagnostic]
) -> types.CodeAction:
    is_fix = action.finding is not None or action.preferred
    return types.CodeAction(
        title=action.title,
        kind=types.CodeActionKind.QuickFix if is_fix else types.CodeActionKind.RefactorRewrite,
        diagnostics=None if action.finding is None else [given[action.finding]],
        is_preferred=action.preferred or None,
        edit=_workspace_edit(uri, document, action.edits),
    )
