"""`plan --storyboard DIR`: what each flow that is created or changed looks like, before and after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from .. import preview
from .._files import make_folder, replace_file
from .._safe_names import distinct_names, safe_name
from ..errors import ConfigurationError
from ..sync import ActualFlow, FlowChange, Plan

MAX_STORYBOARDS: Final = 50
"""Flows of one plan: some seconds at most for each."""


def write_storyboards(plan: Plan, folder: Path) -> Mapping[str, Path]:
    """
    Write an HTML file for each flow whose Flow JSON is created or changed; the paths by the keys of the flows.

    Nothing is written, and the folder is not made, if no Flow JSON changes. Files of the same names are replaced.
    """
    changes = [change for change in plan.changes if _has_new_content(change)][:MAX_STORYBOARDS]
    names = distinct_names(safe_name(f"{_flat(change.key)}.html") for change in changes)
    written = {}
    for change, name in zip(changes, names, strict=True):
        page = _page(change)
        make_folder(folder)
        replace_file(folder / name, page.encode())
        written[change.key] = folder / name
    return written


def _has_new_content(change: FlowChange) -> bool:
    return change.desired is not None and bool({"create", "upload"} & set(change.steps))


def _page(change: FlowChange) -> str:
    assert change.desired is not None  # noqa: S101 - it has new content
    live = change.actual.content if isinstance(change.actual, ActualFlow) else None
    if live is not None:
        try:
            return preview.export_changes(live, change.desired.content, title=f"{change.name}: before and after")
        except ConfigurationError:  # what is live is no Flow JSON that can be read
            pass
    state = "new" if change.actual is None else "after the change"
    return preview.export(change.desired.content, title=f"{change.name}: {state}")


def relative_link(path: Path) -> str:
    """A link to a file from the current folder, for Markdown."""
    try:
        near = os.path.relpath(path)
    except ValueError:  # on another drive
        near = str(path)
    return quote(Path(near).as_posix(), safe="/.-_~")


def _flat(key: str) -> str:
    return key.replace("/", "_").replace("\\", "_")
