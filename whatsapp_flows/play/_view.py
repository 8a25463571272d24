"""What the user sees of a session: `view`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .._dataclasses import replace
from ._components import MAX_COMPONENTS
from ._events import Broken
from ._flow import PlayedScreen
from ._nodes import node_of
from ._plans import as_written
from ._resolve import Resolver
from ._session import Session
from ._values import Issue, Node, View


def view(session: Session) -> View:
    """
    What the user sees in this state. Never raises: what cannot be drawn is a node with a blocking issue.
    """
    loading, over = session.pending is not None, session.end is not None
    issues = [Issue(session.end.message)] if isinstance(session.end, Broken) else []
    screen = session.flow.screens.get(session.screen)
    if screen is None:
        return View(screen="", snackbar=session.snackbar, issues=tuple(issues), loading=loading, over=over)
    resolver = Resolver(session.flow, session.screens, session.screen)
    nodes = [
        node_of(component, resolver, focused=session.focused == component.path)
        for component in screen.layout.components
    ]
    footers = [node for node in nodes if node.kind == "Footer"]
    shown = [node for node in footers if node.shown]
    if len(shown) > 1:
        issues.append(Issue("More than one Footer is shown: the first is taken."))
    written = screen.value.get("title")
    title = resolver.resolve(written, issues.append)
    issues += as_written("title", written) if title == written else ()
    return View(
        screen=session.screen,
        title=title if isinstance(title, str) else "",
        back=not (loading or over),
        nodes=tuple(node for node in nodes if node.kind != "Footer"),
        footer=_footer(shown or footers, usable=not (loading or over)),
        snackbar=session.snackbar,
        issues=(*screen.issues, *_layout_issues(screen), *issues, *resolver.branch_issues()),
        loading=loading,
        over=over,
    )


def _layout_issues(screen: PlayedScreen) -> Iterator[Issue]:
    """An issue if the layout of a screen cannot be drawn."""
    layout = screen.value.get("layout")
    if not isinstance(layout, dict) or not isinstance(layout.get("children"), list):
        yield Issue("The screen has no layout with components.", blocking=True)
    elif layout.get("type") not in (None, _LAYOUT):
        yield Issue(f"The layout is no {_LAYOUT}: its components are drawn as if it were.")
    if not screen.layout.is_whole:
        yield Issue(f"The screen has more than {MAX_COMPONENTS:,} components: the rest is not drawn.", blocking=True)


_LAYOUT: Final = "SingleColumnLayout"


def _footer(found: list[Node], *, usable: bool) -> Node | None:
    """The first Footer; it cannot be used while a request is on its way (footer.loading)."""
    footer = next(iter(found), None)
    return footer if footer is None or usable else replace(footer, enabled=False)
