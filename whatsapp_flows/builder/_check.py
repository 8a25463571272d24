"""Validates a Flow, and names the Python object of each finding."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from .. import flow_json
from ..errors import ValidationIssue
from ._base import Component

_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def check(text: str, screens: Sequence[object]) -> flow_json.Report:
    """The report of `validate` on the text of a Flow, whose screens are these objects."""
    report = flow_json.validate(text)
    return replace(report, issues=tuple(_named(issue, screens) for issue in report.issues))


def _named(issue: ValidationIssue, screens: Sequence[object]) -> ValidationIssue:
    path = issue.pointers[0].path if issue.pointers else None
    found = _object_at(screens, path or "")
    return issue if found is None else replace(issue, message=f"{issue.message} ({found})")


def _object_at(screens: Sequence[object], path: str) -> str | None:
    """The innermost object that a path leads into, as it is shown to a reader; None outside the screens."""
    steps: list[Any] = [int(index) if index else name for index, name in _STEP.findall(path)]
    if len(steps) < 2 or steps[0] != "screens" or not isinstance(steps[1], int) or steps[1] >= len(screens):
        return None
    screen = screens[steps[1]]
    place: Any = screen
    shown = repr(screen)
    children: Any = getattr(screen, "children", None)
    for step in steps[2:]:
        if step == "data" and place is screen and len(steps) > 3:
            return f"Data({steps[3]!r}) of {screen!r}"
        if step in ("layout", "children") and place is screen:
            continue
        children = _stepped(children, step)
        if children is None:
            break
        if isinstance(children, Component):
            place, shown = children, f"{children!r} of {screen!r}"
            children = children.properties
    return shown


def _stepped(found: Any, step: object) -> Any:
    if isinstance(found, Mapping) and isinstance(step, str):
        return found.get(step)
    if isinstance(found, Sequence) and not isinstance(found, str) and isinstance(step, int) and step < len(found):
        return found[step]
    return None
