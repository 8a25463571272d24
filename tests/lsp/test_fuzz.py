"""No prefix of any document, no changed document and no position raises."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path

import pytest

from tests.effort import some
from tests.flow_json.samples import FLOWS
from tests.lsp.lsp_support import FLOW
from whatsapp_flows.lsp._actions import actions
from whatsapp_flows.lsp._complete import complete
from whatsapp_flows.lsp._findings import check
from whatsapp_flows.lsp._hover import definitions, hover
from whatsapp_flows.lsp._names import Index
from whatsapp_flows.lsp._references import references
from whatsapp_flows.lsp._rename import RenameError, rename

pytestmark = pytest.mark.unmeasured

_PIECES = [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "${",
    "${form.",
    "${screen.",
    "}",
    "\\",
    "`",
    "\n",
    "😀",
    '{"type": "If"}',
]


def exercise(text: str, offset: int, known: Index | None = None) -> None:
    """Each feature at a position; what it proposes lies in the text."""
    index = Index(text)
    for each in complete(index, offset, known):
        assert 0 <= each.start <= offset <= each.end <= len(text)
        assert "\n" not in text[each.start : each.end]
    found = hover(index, offset)
    assert found is None or found.start <= offset <= found.end
    for target in definitions(index, offset):
        assert 0 <= target.start <= target.end <= len(text)
    for target in references(index, offset):
        assert 0 <= target.start <= target.end <= len(text)
    with suppress(RenameError):
        rename(index, offset, "NEW_NAME")
    lines = index.lines
    actions(index, max(0, offset - 5), offset, ())
    assert lines.offset(*lines.position(offset)) == offset


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_no_prefix_of_a_document_raises(path: Path) -> None:
    """At its end, where it is being written, and somewhere in it."""
    text = path.read_text("utf-8")
    chance = random.Random(path.stem)
    known = Index(text)
    for _ in range(some(40)):
        length = chance.randrange(len(text))
        exercise(text[:length], length, known)
        exercise(text[:length], chance.randrange(length + 1))
    check(Index(text[: chance.randrange(len(text))]))


def test_no_position_raises() -> None:
    """Every one of the Flow of these tests."""
    for offset in range(0, len(FLOW) + 1, 3):
        exercise(FLOW, offset)


@pytest.mark.parametrize("seed", range(some(4, least=2)))
def test_no_change_raises(seed: int) -> None:
    """Parts cut out and pieces put in; the remedies of all findings too."""
    chance = random.Random(seed)
    for _ in range(25):
        text = FLOW
        for _ in range(chance.randrange(1, 4)):
            start = chance.randrange(len(text))
            text = text[:start] + chance.choice(_PIECES) + text[start + chance.randrange(12) :]
        exercise(text, chance.randrange(len(text) + 1))
        index = Index(text)
        found = check(index).found
        for action in actions(index, 0, len(text), found):
            assert all(0 <= edit.start <= edit.end <= len(text) for edit in action.edits)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "1",
        '"screens"',
        json.dumps({"screens": {"id": 1}}),
        json.dumps({"screens": [[], {"layout": []}]}),
        json.dumps({"version": 7, "screens": [{"id": {}, "data": [], "sensitive": {}}], "routing_model": [1]}),
    ],
)
def test_no_form_of_a_document_raises(text: str) -> None:
    """Every position in documents whose parts are of the wrong type."""
    for offset in range(len(text) + 1):
        exercise(text, offset)
    check(Index(text))
