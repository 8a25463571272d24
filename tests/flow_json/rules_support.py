"""Documents for the tests of rules: made from fragments, run without the rest of the validator."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from whatsapp_flows.flow_json.rules import RULES, Rule
from whatsapp_flows.flow_json.schema import SHOPPING_LAYOUTS, Component, Document, Finding, Screen, Severity, Version
from whatsapp_flows.flow_json.text import Pointer

EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"
BY_ID = {rule.id: rule for rule in RULES}
NEWEST = Version(7, 3)
_EXAMPLE = re.compile(r"^ *(Passes|Fails): (\{.*?\})\s*(?=^ *(?:Passes|Fails):|\Z)", re.DOTALL | re.MULTILINE)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def version_of(text: str) -> Version:
    major, minor = text.split(".")
    return Version(int(major), int(minor))


def build(value: Mapping[str, Any]) -> Document:
    """The document as rules see it, without the parts that are not of the right type."""
    screens: list[Screen] = []
    listed = value.get("screens")
    for i, screen in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(screen, Mapping) and isinstance(screen.get("id"), str):
            layout = screen.get("layout")
            children = layout.get("children") if isinstance(layout, Mapping) else None
            found = list(_flat(children, ("screens", i, "layout", "children"), ()))
            kind = layout.get("type") if isinstance(layout, Mapping) else None
            if isinstance(layout, Mapping) and isinstance(kind, str) and kind in SHOPPING_LAYOUTS:
                found.append(Component(kind, ("screens", i, "layout"), layout))
            screens.append(Screen(len(screens), screen["id"], screen, tuple(found)))
    return Document(value, version_of(value["version"]), tuple(screens))


def _flat(children: Any, pointer: Pointer, inside: tuple[str, ...]) -> Iterator[Component]:
    for i, child in enumerate(children if isinstance(children, list) else ()):
        if not isinstance(child, Mapping) or not isinstance(child.get("type"), str):
            continue
        kind, at = child["type"], (*pointer, i)
        yield Component(kind, at, child, inside)
        within = (*inside, kind)
        if kind == "Form":
            yield from _flat(child.get("children"), (*at, "children"), within)
        elif kind == "If":
            yield from _flat(child.get("then"), (*at, "then"), within)
            yield from _flat(child.get("else"), (*at, "else"), within)
        elif kind == "Switch" and isinstance(child.get("cases"), Mapping):
            for key, case in child["cases"].items():
                yield from _flat(case, (*at, "cases", key), within)


def complete(fragment: Mapping[str, Any], version: str = "7.3") -> dict[str, Any]:
    """
    A document from a fragment: what is about one screen may stand at the top, and short forms are written out.

    Screens are called A, B, C. `go` and `payload` of a screen make a Footer that navigates, `update` an OptIn that
    updates; `repeat` is how often the first screen is given, `repeat_child` how often its first component.
    """
    document = copy.deepcopy(dict(fragment))
    document.setdefault("version", version)
    if "screens" not in document:
        top = {"children", "terminal", "data", "sensitive"}
        document["screens"] = [{key: document.pop(key) for key in top & document.keys()}]
    if "repeat" in document:
        document["screens"] = [copy.deepcopy(document["screens"][0]) for _ in range(document.pop("repeat"))]
    if "repeat_child" in document:
        screen = document["screens"][0]
        screen["children"] = [copy.deepcopy(screen["children"][0]) for _ in range(document.pop("repeat_child"))]
    for i, screen in enumerate(document["screens"]):
        _complete_screen(screen, LETTERS[i % 26] + LETTERS[i // 26 % 26] * (i > 25))
    return document


def _complete_screen(screen: dict[str, Any], name: str) -> None:
    screen.setdefault("id", name)
    screen.setdefault("title", "Title")
    children = screen.pop("children", [])
    if "go" in screen:
        action = {"name": "navigate", "next": {"type": "screen", "name": screen.pop("go")}}
        if "payload" in screen:
            action["payload"] = screen.pop("payload")
        children = [*children, {"type": "Footer", "label": "Go", "on-click-action": action}]
    if "update" in screen:
        action = {"name": "update_data", "payload": screen.pop("update")}
        children = [*children, {"type": "OptIn", "name": "opt", "label": "Yes", "on-select-action": action}]
    screen.setdefault("layout", {"type": "SingleColumnLayout", "children": children})


def runs_in(rule: Rule, version: Version) -> bool:
    return (rule.since is None or rule.since <= version) and (rule.until is None or version <= rule.until)


def severity_of(rule: Rule, finding: Finding, version: Version) -> Severity:
    if any(first <= version <= last for first, last in rule.skipped_by_meta):
        return Severity.WARNING
    return finding.severity or rule.severity


def check(rule_id: str, fragment: Mapping[str, Any], version: str = "7.3") -> list[tuple[str, str]]:
    """What one rule finds in a fragment: codes and dotted pointers; "~" before a key, "?" after a warning's code."""
    document = build(complete(fragment, version))
    rule = BY_ID[rule_id]
    if not runs_in(rule, document.version):
        return []
    return [
        (
            finding.code + "?" * (severity_of(rule, finding, document.version) is Severity.WARNING),
            "~" * finding.key + short(finding.pointer),
        )
        for finding in rule.check(document)
    ]


def short(pointer: Pointer) -> str:
    """A pointer as the tables of the tests write it: a screen by its number, a component of it by its number."""
    text = ".".join(map(str, pointer))
    return re.sub(r"^screens\.(\d+)\.layout\.children\.", r"\1/", text).replace(".children.", "/")


def everything(value: Mapping[str, Any]) -> list[tuple[str, Finding]]:
    """What all rules of the document's version find."""
    document = build(value)
    return [
        (rule.id, finding)
        for rule in RULES
        if runs_in(rule, document.version)
        for finding in rule.check(document)
    ]  # fmt: skip


def docstring_examples(rule: Rule) -> Iterator[tuple[str, dict[str, Any]]]:
    """(Passes or Fails, fragment) of a rule's docstring."""
    text = rule.check.__doc__ or ""
    for found in _EXAMPLE.finditer(text):
        yield found[1], json.loads(found[2])


def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document
