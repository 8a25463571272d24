"""From the values of this room to those of the protocol, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lsprotocol import types

from ._actions import Action
from ._complete import Completion
from ._documents import Change
from ._findings import Found
from ._hover import Hover
from ._names import Index
from ._rename import Edit
from ._symbols import Symbol, symbols
from ._tree import Lines

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
_SYMBOLS: Final = {
    "screen": types.SymbolKind.Module,
    "field": types.SymbolKind.Field,
    "input": types.SymbolKind.Variable,
    "component": types.SymbolKind.Class,
}


def change_of(given: types.TextDocumentContentChangeEvent) -> Change:
    if isinstance(given, types.TextDocumentContentChangeWholeDocument):
        return Change(given.text)
    start, end = given.range.start, given.range.end
    return Change(given.text, (start.line, start.character), (end.line, end.character))


def range_of(lines: Lines, start: int, end: int) -> types.Range:
    """Two offsets as a range."""
    first, last = lines.position(start), lines.position(end)
    return types.Range(types.Position(*first), types.Position(*last))


def hover_content(found: Hover, *, plain: bool) -> types.MarkupContent:
    """What is shown: as Markdown in which names from the document mean nothing, or as plain text."""
    if plain:
        return types.MarkupContent(types.MarkupKind.PlainText, "\n\n".join(filter(None, (found.text, found.code))))
    code = f"\n\n```json\n{found.code}\n```" if found.code else ""
    text = "".join(f"\\{char}" if char in "\\`*[]<>&" else char for char in found.text)
    return types.MarkupContent(types.MarkupKind.Markdown, text + code)


def diagnostic_of(found: Found) -> types.Diagnostic:
    return types.Diagnostic(
        range=types.Range(types.Position(found.line, found.column), types.Position(found.end_line, found.end_column)),
        message=found.message,
        severity=types.DiagnosticSeverity.Error if found.is_error else types.DiagnosticSeverity.Warning,
        code=found.code,
        source=SOURCE,
    )


def found_of(given: types.Diagnostic) -> Found:
    start, end = given.range.start, given.range.end
    is_error = given.severity == types.DiagnosticSeverity.Error
    return Found(str(given.code), "", given.message, is_error, start.line, start.character, end.line, end.character)


def completion_item(lines: Lines, found: Completion, number: int) -> types.CompletionItem:
    return types.CompletionItem(
        label=found.label,
        kind=_KINDS[found.kind],
        detail=found.detail or None,
        documentation=found.text or None,
        sort_text=f"{number:04}",
        filter_text=found.insert.lstrip(),
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(range_of(lines, found.start, found.end), found.insert),
    )


def workspace_edit(uri: str, lines: Lines, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    return types.WorkspaceEdit(
        changes={uri: [types.TextEdit(range_of(lines, each.start, each.end), each.text) for each in edits]}
    )


def code_action(uri: str, lines: Lines, action: Action, given: Sequence[types.Diagnostic]) -> types.CodeAction:
    is_fix = action.finding is not None or action.preferred
    return types.CodeAction(
        title=action.title,
        kind=types.CodeActionKind.QuickFix if is_fix else types.CodeActionKind.RefactorRewrite,
        diagnostics=None if action.finding is None else [given[action.finding]],
        is_preferred=action.preferred or None,
        edit=workspace_edit(uri, lines, action.edits),
    )


def nested_symbols(text: str) -> list[types.DocumentSymbol]:
    """The outline of a text, as a tree."""
    index = Index(text)
    return [_nested(index.lines, each) for each in symbols(index)]


def _nested(lines: Lines, symbol: Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=symbol.name,
        kind=_SYMBOLS[symbol.kind],
        range=range_of(lines, symbol.start, symbol.end),
        selection_range=range_of(lines, symbol.name_start, symbol.name_end),
        detail=symbol.detail or None,
        children=[_nested(lines, each) for each in symbol.children],
    )


def flat_symbols(text: str, uri: str) -> list[types.SymbolInformation]:
    """The outline of a text as a list, for an editor that knows no tree."""
    index = Index(text)
    return list(_flat(index.lines, uri, symbols(index), None))


def _flat(lines: Lines, uri: str, found: Iterable[Symbol], around: str | None) -> Iterator[types.SymbolInformation]:
    for symbol in found:
        location = types.Location(uri, range_of(lines, symbol.start, symbol.end))
        yield types.SymbolInformation(location, symbol.name, _SYMBOLS[symbol.kind], container_name=around)
        yield from _flat(lines, uri, symbol.children, symbol.name)
