"""Which screen leads to which: by the routing model, or by the navigate actions where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ._cached import cached

if TYPE_CHECKING:
    from ._index import Index


class Routes:
    """Which screen leads to which: by the routing model, or by the navigate actions where there is none."""

    def __init__(self, made_from: Index) -> None:
        document = made_from.document
        self._first = document.screens[0].id if document.screens else None
        self.navigations = [
            (action.screen.id, action.target) for action in made_from.actions.get("navigate", ()) if action.target
        ]
        """(from, to) of every navigate action with a written-out screen."""
        model = document.value.get("routing_model")
        self.model: Mapping[str, Any] | None = model if isinstance(model, dict) else None
        """The routing model, if there is one."""
        self.edges: dict[str, list[str]] = {}
        """The screens to which a screen leads, in the order written; unknown ones included."""
        self.anywhere: frozenset[str] = frozenset()
        """The screens that lead to all others, which `edges` does not list."""
        if self.model is not None:
            for source, targets in self.model.items():
                self.edges[source] = [
                    target for target in (targets if isinstance(targets, list) else ()) if isinstance(target, str)
                ]
        else:
            self._generate(made_from)

    def _generate(self, made_from: Index) -> None:
        """Meta's client validator, August 2026: a screen with a NavigationList leads anywhere without an endpoint."""
        for source, target in dict.fromkeys(self.navigations):
            self.edges.setdefault(source, []).append(target)
        if "data_api_version" not in made_from.document.value:
            self.anywhere = frozenset(screen.id for screen, _ in made_from.of("NavigationList"))

    @cached
    def reached(self) -> set[str]:
        """The screens to which a way leads from the first one, along the edges."""
        return _closure([self._first], self.edges) if self._first is not None else set()

    def linked(self, start: str) -> set[str]:
        """All screens connected with one by the edges, whichever way they run."""
        neighbours: dict[str, list[str]] = {}
        for source, targets in self.edges.items():
            for target in targets:
                neighbours.setdefault(source, []).append(target)
                neighbours.setdefault(target, []).append(source)
        return _closure([start], neighbours)


def _closure(start: Iterable[str], neighbours: Mapping[str, Iterable[str]]) -> set[str]:
    found, queue = set(start), list(start)
    while queue:
        for following in neighbours.get(queue.pop(), ()):
            if following not in found:
                found.add(following)
                queue.append(following)
    return found
