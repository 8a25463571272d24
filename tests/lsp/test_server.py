"""The server over standard input and output, with the client of pygls."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.editor import DOCUMENT, Editor, edited
from tests.lsp.lsp_support import FLOW

pytestmark = pytest.mark.slow


def test_an_editor_writes_a_flow() -> None:
    """Findings of each state, proposals, what a thing is, where it is defined, its new name, remedies."""

    async def scene(editor: Editor) -> None:
        editor.open(FLOW)
        assert [each.code for each in await editor.findings(1)] == ["UNUSED_DATA_FIELD"]

        editor.edit(2, '"label": "I agree"', ", ", cut=1)
        kept, broken = await editor.findings(2)
        assert kept.code == "UNUSED_DATA_FIELD"
        assert (broken.code, broken.source) == ("INVALID_FLOW_JSON", "whatsapp-flows")
        assert broken.severity == types.DiagnosticSeverity.Error
        offered = await editor.client.text_document_completion_async(
            types.CompletionParams(DOCUMENT, editor.place('"label": "I agree", '))
        )
        assert isinstance(offered, types.CompletionList)
        assert [item.label for item in offered.items][:3] == ["required", "visible", "on-click-action"]
        assert isinstance(offered.items[0].text_edit, types.TextEdit)
        assert offered.items[0].text_edit.new_text == '"required": '

        editor.edit(3, '"label": "I agree"', "}", cut=2)
        editor.edit(4, '{"type": "Opt', "i", cut=1)
        found = next(each for each in await editor.findings(4) if "Did you mean" in each.message)
        assert editor.text.split("\n")[found.range.start.line][found.range.start.character :].startswith('"Optin"')
        remedies = await editor.client.text_document_code_action_async(
            types.CodeActionParams(DOCUMENT, found.range, types.CodeActionContext([found]))
        )
        assert remedies
        remedy = remedies[0]
        assert isinstance(remedy, types.CodeAction)
        assert (remedy.title, remedy.kind, remedy.is_preferred) == ("Replace by 'OptIn'", "quickfix", True)
        assert remedy.diagnostics is not None
        assert remedy.diagnostics[0].message == found.message
        assert editor.after(remedy.edit) == FLOW

        editor.change(5, FLOW)
        await editor.findings(5)
        hover = await editor.client.text_document_hover_async(types.HoverParams(DOCUMENT, editor.place('"name": "LA')))
        assert hover is not None
        assert isinstance(hover.contents, types.MarkupContent)
        assert hover.contents.value == 'A screen.\n\n```json\n"End"\n```'
        (defined,) = await definition(editor, "${screen.STA")
        assert editor.text.split("\n")[defined.range.start.line].endswith('"id": "START",')
        place = editor.place("`${form.a")
        prepared = await editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(DOCUMENT, place))
        assert isinstance(prepared, types.PrepareRenamePlaceholder)
        assert prepared.placeholder == "age"
        edit = await editor.client.text_document_rename_async(types.RenameParams(DOCUMENT, place, "years"))
        assert editor.after(edit).count("years") == 8  # one of them was there before
        with pytest.raises(JsonRpcException, match="screen START has an input 'agree' already"):
            await editor.client.text_document_rename_async(types.RenameParams(DOCUMENT, place, "agree"))

    edited(scene)


def test_an_editor_mends_a_flow_and_looks_around() -> None:
    """All mistakes at once, though the structure has errors; a remedy for each; references; the outline."""

    async def scene(editor: Editor) -> None:
        text = FLOW
        for good, bad in MISTAKES:
            assert good in text
            text = text.replace(good, bad, 1)
        editor.open(text)
        found = [each for each in await editor.findings(1) if each.severity == types.DiagnosticSeverity.Error]
        assert len(found) >= len(MISTAKES)
        version = 1
        while remedies := await code_actions(editor, types.Range(types.Position(0, 0), types.Position(99, 0)), found):
            remedy = next(each for each in remedies if each.is_preferred)
            editor.change(version := version + 1, editor.after(remedy.edit))
            found = [each for each in await editor.findings(version) if each.severity == types.DiagnosticSeverity.Error]
        assert [each.message for each in found] == ["'label' of Footer must have at least 1 character."]
        assert version - 1 == len(MISTAKES)

        editor.change(version := version + 1, FLOW)
        await editor.findings(version)
        asked = types.ReferenceParams(types.ReferenceContext(False), DOCUMENT, editor.place("`${form.a"))
        places = await editor.client.text_document_references_async(asked)
        assert [each.range.start.line for each in places or ()] == [11, 18, 19, 22, 30, 49]
        outline = await editor.client.text_document_document_symbol_async(types.DocumentSymbolParams(DOCUMENT))
        assert [each.name for each in outline or ()] == [
            "START", "price", "place", "form", "age", "TextBody", "agree", "Footer",
            "LAST", "age", "If", "TextBody", "age", "Footer",
        ]  # fmt: skip

    edited(scene)


MISTAKES = (
    ('"title": "Begin 😀"', '"titel": "Begin 😀"'),
    ('"type": "number", "__example__": 12.5', '"type": "number", "__example__": "12.5"'),
    ('"input-type": "text"', '"input-type": "texxt"'),
    ("`${form.age} ' years'`", "`${form.agge} ' years'`"),
    ('{"type": "OptIn", ', '{"type": "Optin", '),
    ('"name": "LAST"}', '"name": "LASTT"}'),
    (', "__example__": "30"', ""),
    ("${screen.START.form.agree}", "${screen.STRT.form.agree}"),
    ('"type": "TextInput", "name": "age", "label": "Again"', '"type": "TextInput", "name": "age", "lable": "Again"'),
    ('"label": "Done",', ""),
)


async def definition(editor: Editor, before: str) -> list[types.Location]:
    """Where the name behind a part of the text is defined."""
    params = types.DefinitionParams(DOCUMENT, editor.place(before))
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

        params = types.HoverParams(DOCUMENT, types.Position(0, 0))
        assert await editor.client.text_document_hover_async(params) is None
        other = types.PrepareRenameParams(DOCUMENT, types.Position(0, 0))
        assert await editor.client.text_document_prepare_rename_async(other) is None
        editor.client.text_document_did_close(types.DidCloseTextDocumentParams(DOCUMENT))
        assert await editor.findings(None) == []
        gone = types.HoverParams(types.TextDocumentIdentifier("file:///gone.json"), types.Position(9, 9))
        assert await editor.client.text_document_hover_async(gone) is None

        editor.open(FLOW)
        outline = await editor.client.text_document_document_symbol_async(types.DocumentSymbolParams(DOCUMENT))
        first = (outline or [])[0]
        assert isinstance(first, types.DocumentSymbol)
        assert [each.name for each in first.children or ()] == ["price", "place", "form"]
        told = await editor.client.text_document_hover_async(types.HoverParams(DOCUMENT, editor.place('"name": "LA')))
        assert told is not None
        assert told.contents == types.MarkupContent(types.MarkupKind.PlainText, 'A screen.\n\n"End"')

    edited(scene, OTHER_CAPABILITIES)


OTHER_CAPABILITIES = types.ClientCapabilities(
    text_document=types.TextDocumentClientCapabilities(
        document_symbol=types.DocumentSymbolClientCapabilities(hierarchical_document_symbol_support=True),
        hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.PlainText]),
    )
)


async def code_actions(
    editor: Editor, place: types.Range, found: Sequence[types.Diagnostic] = ()
) -> list[types.CodeAction]:
    """The actions at a place, for the findings there."""
    params = types.CodeActionParams(DOCUMENT, place, types.CodeActionContext(list(found)))
    offered = await editor.client.text_document_code_action_async(params)
    return [each for each in offered or () if isinstance(each, types.CodeAction)]
