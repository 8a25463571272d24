"""Which screen leads to which: by the routing model, or by the navigate actions where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._cached import cached


class Routes:
    """
    The routing graph of a document.

    `start` is the id of the first screen, `navigations` are (from, to) of every navigate action with a written-out
    screen. `lists` are the screens with a NavigationList, which lead anywhere where neither a routing model nor an
    endpoint says otherwise (Meta's client validator, August 2026).
    """

    def __init__(
        self,
        *,
        start: str | None,
        model: Mapping[str, Any] | None,
        navigations: Sequence[tuple[str, str]],
        lists: Iterable[str],
    ) -> None:
        self._start = start
        self.model = model
        """The routing model, if there is one."""
        self.navigations = navigations
        self.edges: dict[str, list[str]] = {}
        """The screens to which a screen leads, in the order written; unknown ones included."""
        self.anywhere: frozenset[str] = frozenset() if model is not None else frozenset(lists)
        """The screens that lead to all others, which `edges` does not list."""
        if model is not None:
            for source, targets in model.items():
                self.edges[source] = [
                    target for target in (targets if isinstance(targets, list) else ()) if isinstance(target, str)
                ]
        else:
            for source, target in dict.fromkeys(navigations):
                self.edges.setdefault(source, []).append(target)

    @cached
    def reached(self) -> set[str]:
        """The screens that can be reached from the first one along the edges."""
        return _closure([self._start], self.edges) if self._start is not None else set()

    def linked(self, start: str) -> set[str]:
        """All screens connected with one by the edges, in either direction."""
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
