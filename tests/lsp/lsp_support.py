"""Texts with a mark where the cursor is, and a Flow with two screens that refers to everything it has."""

from __future__ import annotations

from typing import Final

from whatsapp_flows.lsp._names import Index

MARK: Final = "‸"

FLOW: Final = """{
  "version": "7.3",
  "routing_model": {"START": ["LAST"], "LAST": []},
  "screens": [
    {
      "id": "START",
      "title": "Begin 😀",
      "data": {
        "price": {"type": "number", "__example__": 12.5},
        "place": {"type": "object", "properties": {"town": {"type": "string"}}, "__example__": {"town": "Rome"}}
      },
      "sensitive": ["age"],
      "layout": {
        "type": "SingleColumnLayout",
        "children": [
          {
            "type": "Form",
            "name": "form",
            "init-values": {"age": "17"},
            "error-messages": {"age": "Too young"},
            "children": [
              {"type": "TextInput", "name": "age", "label": "Age", "input-type": "text"},
              {"type": "TextBody", "text": "`${form.age} ' years'`", "visible": "${form.agree}"},
              {"type": "OptIn", "name": "agree", "label": "I agree"},
              {
                "type": "Footer",
                "label": "Next",
                "on-click-action": {
                  "name": "navigate",
                  "next": {"type": "screen", "name": "LAST"},
                  "payload": {"age": "${form.age}"}
                }
              }
            ]
          }
        ]
      }
    },
    {
      "id": "LAST",
      "title": "End",
      "terminal": true,
      "data": {"age": {"type": "string", "__example__": "30"}},
      "layout": {
        "type": "SingleColumnLayout",
        "children": [
          {
            "type": "If",
            "condition": "(${data.age} == '17') && ${screen.START.form.agree}",
            "then": [{"type": "TextBody", "text": "${screen.START.form.age}"}]
          },
          {"type": "TextInput", "name": "age", "label": "Again"},
          {
            "type": "Footer",
            "label": "Done",
            "on-click-action": {"name": "complete", "payload": {"a": "${form.age}", "b": "${screen.START.data.price}"}}
          }
        ]
      }
    }
  ]
}
"""


def marked(text: str) -> tuple[str, int]:
    """A text without its mark, and where that was."""
    offset = text.index(MARK)
    return text.replace(MARK, ""), offset


def at(before: str, *, more: int = 0, text: str = FLOW, number: int = 0) -> int:
    """The offset just behind the first (or a later) occurrence of a part of the Flow."""
    start = 0
    for _ in range(number + 1):
        found = text.index(before, start)
        start = found + 1
    return found + len(before) + more


def flow(old: str = "", new: str = "") -> tuple[Index, int]:
    """The Flow with a part replaced by a text with a mark: its index and the offset of the mark."""
    assert old in FLOW
    text, offset = marked(FLOW.replace(old, new, 1))
    return Index(text), offset
