"""An editor: it starts the server, speaks with it over standard input and output, and keeps what it is sent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.lsp.lsp_support import at

URI: Final = "file:///flow.json"
DOCUMENT: Final = types.TextDocumentIdentifier(URI)
LONGEST: Final = 60.0  # seconds that an answer may take
# What Neovim and Helix say: that they would rather have positions in UTF-8 units.
CAPABILITIES: Final = types.ClientCapabilities(
    general=types.GeneralClientCapabilities(
        position_encodings=[types.PositionEncodingKind.Utf8, types.PositionEncodingKind.Utf16]
    ),
    text_document=types.TextDocumentClientCapabilities(rename=types.RenameClientCapabilities(prepare_support=True)),
)


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

    async def start(self, capabilities: types.ClientCapabilities = CAPABILITIES) -> types.ServerCapabilities:
        """Start the server."""
        await self.client.start_io(sys.executable, "-m", "whatsapp_flows", "lsp")
        started = await self.client.initialize_async(types.InitializeParams(capabilities))
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

    def edit(self, version: int, before: str, text: str, *, cut: int = 0) -> None:
        """Type a text just behind a part of the document, in place of `cut` characters there."""
        start = at(before, text=self.text)
        place = types.Range(self.position(start), self.position(start + cut))
        self.text = self.text[:start] + text + self.text[start + cut :]
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version, URI),
                [types.TextDocumentContentChangePartial(place, text)],
            )
        )

    async def findings(self, version: int | None) -> list[types.Diagnostic]:
        """The findings of a version of the document."""
        while True:
            found = await asyncio.wait_for(self.published.get(), LONGEST)
            if found.version == version:
                return list(found.diagnostics)

    def place(self, before: str) -> types.Position:
        """The position just behind a part of the text."""
        return self.position(at(before, text=self.text))

    def position(self, offset: int) -> types.Position:
        """An offset as a position."""
        head = self.text[:offset]
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


def edited(scene: Callable[[Editor], Awaitable[None]], capabilities: types.ClientCapabilities = CAPABILITIES) -> None:
    """Play a scene with a server that has started; it ends in good order."""

    async def play() -> None:
        editor = Editor()
        await editor.start(capabilities)
        await scene(editor)
        assert await editor.stop() == 0

    asyncio.run(asyncio.wait_for(play(), 4 * LONGEST))
