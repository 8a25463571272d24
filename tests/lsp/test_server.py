"""The server over standard input and output, with the client of pygls."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from tests.lsp.lsp_support import FLOW, at

pytestmark = pytest.mark.slow

URI: Final = "file:///flow.json"
_LONGEST: Final = 60.0  # seconds that an answer may take
_DOCUMENT: Final = types.TextDocumentIdentifier(URI)


class Editor:
    """What an editor does, and the findings that it was sent."""

    def __init__(self) -> None:
        self.client = LanguageClient("test", "1")
        self.published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.text = ""

        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        register: Any = self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        register(publish)

    async def start(self) -> types.ServerCapabilities:
        """Start the server."""
        await self.client.start_io(sys.executable, "-m", "whatsapp_flows", "lsp")
        started = await self.client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
        self.client.initialized(types.InitializedParams())
        return started.capabilities

    async def stop(self) -> int | None:
        """End the server; gives its exit code."""
        await self.client.shutdown_async(None)
        self.client.exit(None)
        process = self.client._server
        stop: Any = self.client.stop
        await stop()
        return process.returncode if process is not None else None

    def open(self, text: str, uri: str = URI) -> None:
        """Open a document."""
        self.text = text
        item = types.TextDocumentItem(uri, types.LanguageKind.Json, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, version: int, text: str) -> None:
        """Change the document."""
        self.text = text
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version, URI),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def findings(self, version: int | None) -> list[types.Diagnostic]:
        """The findings of a version of the document."""
        while True:
            found = await asyncio.wait_for(self.published.get(), _LONGEST)
            if found.version == version:
                return list(found.diagnostics)

    def place(self, before: str) -> types.Position:
        """The position just behind a part of the text."""
        head = self.text[: at(before, text=self.text)]
        return types.Position(head.count("\n"), len(head[head.rfind("\n") + 1 :].encode("utf-16-le")) // 2)

    def after(self, edit: types.WorkspaceEdit | None) -> str:
        """The text after an edit."""
        assert edit is not None
        assert edit.changes is not None
        lines = self.text.split("\n")
        for each in sorted(edit.changes[URI], key=lambda each: each.range.start, reverse=True):
            start, end = each.range.start, each.range.end
            head = lines[start.line].encode("utf-16-le")[: 2 * start.character].decode("utf-16-le")
            tail = lines[end.line].encode("utf-16-le")[2 * end.character :].decode("utf-16-le")
            lines[start.line : end.line + 1] = (head + each.new_text + tail).split("\n")
        return "\n".join(lines)


def edited(scene: Callable[[Editor], Awaitable[None]]) -> None:
    """Play a scene with a server that has started; it ends in good order."""

    async def play() -> None:
        editor = Editor()
        await editor.start()
        await scene(editor)
        assert await editor.stop() == 0

    asyncio.run(asyncio.wait_for(play(), 4 * _LONGEST))


def test_an_editor_writes_a_flow() -> None:
    """Findings of each state, proposals, what a thing is, where it is defined, its new name, remedies."""

    async def scene(editor: Editor) -> None:
        editor.open(FLOW)
        assert [each.code for each in await editor.findings(1)] == ["UNUSED_DATA_FIELD"]

        half_written = FLOW.replace('"label": "I agree"}', '"label": "I agree", ')
        editor.change(2, half_written)
        (broken,) = await editor.findings(2)
        assert (broken.code, broken.source) == ("INVALID_FLOW_JSON", "whatsapp-flows")
        assert broken.severity == types.DiagnosticSeverity.Error
        offered = await editor.client.text_document_completion_async(
            types.CompletionParams(_DOCUMENT, editor.place('"label": "I agree", '))
        )
        assert isinstance(offered, types.CompletionList)
        assert [item.label for item in offered.items][:3] == ["required", "visible", "on-click-action"]
        assert isinstance(offered.items[0].text_edit, types.TextEdit)
        assert offered.items[0].text_edit.new_text == '"required": '

        editor.change(3, FLOW.replace('"type": "OptIn"', '"type": "Optin"'))
        found = next(each for each in await editor.findings(3) if "Did you mean" in each.message)
        assert editor.text.split("\n")[found.range.start.line][found.range.start.character :].startswith('"Optin"')
        remedies = await editor.client.text_document_code_action_async(
            types.CodeActionParams(_DOCUMENT, found.range, types.CodeActionContext([found]))
        )
        assert remedies
        remedy = remedies[0]
        assert isinstance(remedy, types.CodeAction)
        assert (remedy.title, remedy.kind, remedy.is_preferred) == ("Replace by 'OptIn'", "quickfix", True)
        assert remedy.diagnostics is not None
        assert remedy.diagnostics[0].message == found.message
        assert editor.after(remedy.edit) == FLOW

        editor.change(4, FLOW)
        await editor.findings(4)
        told = await editor.client.text_document_hover_async(types.HoverParams(_DOCUMENT, editor.place('"name": "LA')))
        assert told is not None
        assert isinstance(told.contents, types.MarkupContent)
        assert told.contents.value == 'A screen.\n\n```json\n"End"\n```'
        (defined,) = await definition(editor, "${screen.STA")
        assert editor.text.split("\n")[defined.range.start.line].endswith('"id": "START",')
        place = editor.place("`${form.a")
        prepared = await editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(_DOCUMENT, place))
        assert isinstance(prepared, types.PrepareRenamePlaceholder)
        assert prepared.placeholder == "age"
        edit = await editor.client.text_document_rename_async(types.RenameParams(_DOCUMENT, place, "years"))
        assert editor.after(edit).count("years") == 8  # one of them was there before
        with pytest.raises(JsonRpcException, match="screen START has an input 'agree' already"):
            await editor.client.text_document_rename_async(types.RenameParams(_DOCUMENT, place, "agree"))

    edited(scene)


async def definition(editor: Editor, before: str) -> list[types.Location]:
    """Where the name behind a part of the text is defined."""
    params = types.DefinitionParams(_DOCUMENT, editor.place(before))
    found = await editor.client.text_document_definition_async(params)
    assert isinstance(found, (list, tuple))
    return [each for each in found if isinstance(each, types.Location)]


def test_an_editor_types_fast_upgrades_and_closes() -> None:
    """Only the newest state has findings for certain; a closed document has none; what is not open is no error."""

    async def scene(editor: Editor) -> None:
        old = FLOW.replace('"7.3"', '"6.0"')
        editor.open(old)
        for version in range(2, 40):
            editor.change(version, old[: -2 * (40 - version)])
        editor.change(40, old)
        await editor.findings(40)
        position = editor.place('"version": "6')
        (remedy,) = await code_actions(editor, types.Range(position, position))
        assert (remedy.title, remedy.kind) == ("Upgrade to version 7.3", "refactor.rewrite")
        assert editor.after(remedy.edit) == FLOW

        params = types.HoverParams(_DOCUMENT, types.Position(0, 0))
        assert await editor.client.text_document_hover_async(params) is None
        other = types.PrepareRenameParams(_DOCUMENT, types.Position(0, 0))
        assert await editor.client.text_document_prepare_rename_async(other) is None
        editor.client.text_document_did_close(types.DidCloseTextDocumentParams(_DOCUMENT))
        assert await editor.findings(None) == []
        gone = types.HoverParams(types.TextDocumentIdentifier("file:///gone.json"), types.Position(9, 9))
        assert await editor.client.text_document_hover_async(gone) is None

    edited(scene)


async def code_actions(editor: Editor, place: types.Range) -> list[types.CodeAction]:
    """The actions at a place without findings."""
    params = types.CodeActionParams(_DOCUMENT, place, types.CodeActionContext([]))
    found = await editor.client.text_document_code_action_async(params)
    return [each for each in found or () if isinstance(each, types.CodeAction)]
