"""A Flow and its screens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .. import flow_json
from .._wire import short_repr
from ._base import Component, Data, Raw
from ._check import check
from ._errors import FlowBuildError
from ._write import Writer

_INFER: Final = "infer"


class Screen:
    """
    A screen. `data` are the fields of its data model, `children` its components.

    `terminal`: the Flow may end here. `success`: whether ending here counts as a success (default: true). `sensitive`:
    inputs whose values the summary in the chat masks, or their names. `refresh_on_back`: going back from here asks the
    endpoint. Without `children` the screen has no layout, which Flow JSON allows before 6.0.

    Properties are as in Flow JSON; raises `FlowBuildError` for an `id` that is no text.
    """

    def __init__(
        self,
        id: str,
        *,
        title: Any = None,
        data: Sequence[Data[Any]] | Raw | None = None,
        terminal: bool | None = None,
        success: bool | None = None,
        refresh_on_back: bool | None = None,
        sensitive: Sequence[str | Component] | None = None,
        children: Sequence[Component | Raw] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(id, str):
            raise FlowBuildError(f"the id of a screen is a text, not {short_repr(id)}.")
        self.id = id
        self.data: tuple[Any, ...] = () if data is None or isinstance(data, Raw) else tuple(data)
        self.children = None if children is None else tuple(children)
        self.terminal = terminal is True
        self._data = data
        self._properties = {
            key: value
            for key, value in (
                ("title", title),
                ("terminal", terminal),
                ("success", success),
                ("refresh_on_back", refresh_on_back),
            )
            if value is not None
        }
        self._sensitive = sensitive
        self._more = dict(more or {})

    def __repr__(self) -> str:
        return f"Screen({self.id!r})"

    def arguments(self) -> list[tuple[str, Any]]:
        """The arguments that make this screen: those that were given."""
        found: list[tuple[str, Any]] = [("id", self.id)]
        title = self._properties.get("title")
        found += [("title", title)] if title is not None else []
        found += [("data", self._data)] if self._data is not None else []
        found += [(key, value) for key, value in self._properties.items() if key != "title"]
        found += [("sensitive", self._names())] if self._sensitive is not None else []
        found += [("children", self.children)] if self.children is not None else []
        return [*found, *([("more", self._more)] if self._more else [])]

    def _names(self) -> list[str]:
        """The names of the sensitive inputs."""
        return [each.properties["name"] if isinstance(each, Component) else each for each in self._sensitive or ()]

    def written(self, writer: Writer) -> dict[str, Any]:
        """The screen as it stands in the document."""
        writer.begin(self)
        found: dict[str, Any] = {"id": self.id}
        found.update((key, writer.value(value)) for key, value in self._properties.items())
        if isinstance(self._data, Raw):
            found["data"] = self._data.value
        elif self._data is not None:
            found["data"] = self._model()
        if self._sensitive is not None:
            found["sensitive"] = self._names()
        if self.children is not None:
            found["layout"] = {"type": "SingleColumnLayout", "children": writer.components(self.children)}
        found.update((key, writer.value(value)) for key, value in self._more.items())
        return found

    def _model(self) -> dict[str, Any]:
        model: dict[str, Any] = {}
        for field in self.data:
            if not isinstance(field, Data):
                raise FlowBuildError(f"screen {self.id}: data is a list of Data, not of {short_repr(field)}.")
            if field.name in model:
                raise FlowBuildError(f"screen {self.id}: two fields of data are called {field.name!r}.")
            model[field.name] = field.written()
        return model


class Flow(Mapping[str, Any]):
    """
    A Flow: `Flow(version="7.3", screens=[...])`. It is a mapping, its own JSON: what takes a Flow JSON takes a Flow.

    `routing_model` is which screen leads to which. It is inferred from the `Navigate` actions where the Flow has an
    endpoint (`data_api_version`), and left out where it has none; what an endpoint decides cannot be inferred. None
    writes none. `meta` and further properties of the document stand in `more`.

    Raises `FlowBuildError` for a version that does not exist. The document is written when it is first read: an error
    in it is raised then, with its place.
    """

    def __init__(
        self,
        *,
        version: str,
        screens: Sequence[Screen | Raw],
        data_api_version: str | None = None,
        routing_model: Mapping[str, Sequence[str]] | str | None = _INFER,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.version = _version(version)
        self.screens = tuple(screens)
        for screen in self.screens:
            if not isinstance(screen, (Screen, Raw)):
                raise FlowBuildError(f"screens is a list of Screen, not of {short_repr(screen)}.")
        self._data_api_version = data_api_version
        self._routing_model = routing_model
        self._more = dict(more or {})
        self._document: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Flow(version={str(self.version)!r}, screens={list(self.screens)!r})"

    def __getitem__(self, key: str, /) -> Any:
        return self._written()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._written())

    def __len__(self) -> int:
        return len(self._written())

    def arguments(self) -> list[tuple[str, Any]]:
        """The arguments beside the version that make this Flow: those that were given."""
        found: list[tuple[str, Any]] = []
        if self._data_api_version is not None:
            found.append(("data_api_version", self._data_api_version))
        if self._routing_model is not None and self._routing_model != _INFER:
            found.append(("routing_model", self._routing_model))
        elif self._routing_model is None and self._data_api_version is not None:
            found.append(("routing_model", None))
        return [*found, ("screens", self.screens), *([("more", self._more)] if self._more else [])]

    def to_dict(self) -> dict[str, Any]:
        """The Flow JSON. Raises `FlowBuildError`, with the place, for what cannot be written."""
        copied: dict[str, Any] = _copied(self._written())
        return copied

    def to_json(self, *, indent: int | None = None) -> str:
        """The Flow JSON as text. `indent` are the blanks of a level; None writes one line."""
        separators = (",", ":") if indent is None else None
        return json.dumps(self._written(), ensure_ascii=False, indent=indent, separators=separators)

    def check(self) -> flow_json.Report:
        """
        What Meta would report, and advice, as `validate` says it; each message also names the Python object.

        Raises `FlowBuildError` for what cannot be written.
        """
        return check(self.to_json(indent=2), self.screens)

    def _written(self) -> dict[str, Any]:
        if self._document is None:
            self._document = self._write()
        return self._document

    def _write(self) -> dict[str, Any]:
        writer = Writer([screen for screen in self.screens if isinstance(screen, Screen)], self.version)
        screens = [screen.value if isinstance(screen, Raw) else screen.written(writer) for screen in self.screens]
        document: dict[str, Any] = {"version": str(self.version)}
        if self._data_api_version is not None:
            document["data_api_version"] = self._data_api_version
        routes = self._routes(writer)
        if routes is not None:
            document["routing_model"] = routes
        document["screens"] = screens
        document.update((key, writer.value(value)) for key, value in self._more.items())
        return document

    def _routes(self, writer: Writer) -> Mapping[str, Any] | None:
        if not isinstance(self._routing_model, str):
            return None if self._routing_model is None else {k: list(v) for k, v in self._routing_model.items()}
        if self._data_api_version is None:
            return None
        open_ended = [screen for screen in writer.asking if screen not in writer.routes and not self._ends(screen)]
        if open_ended:
            raise FlowBuildError(
                f"give routing_model: from {', '.join(open_ended)} the endpoint decides what follows, so it cannot be "
                "inferred."
            )
        return inferred_routes([screen.id for screen in self.screens if isinstance(screen, Screen)], writer.routes)

    def _ends(self, screen: str) -> bool:
        return any(isinstance(each, Screen) and each.id == screen and each.terminal for each in self.screens)


def inferred_routes(screens: Sequence[str], navigations: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """
    The routing model of some navigations, screen -> targets. Only the first direction of a pair is in it: a routing
    model has forward routes alone (Meta, "Routing model").
    """
    routes: dict[str, list[str]] = {screen: [] for screen in screens}
    for source in screens:
        for target in dict.fromkeys(navigations.get(source, ())):
            if target != source and source not in routes.get(target, ()):
                routes[source].append(target)
    return routes


def _version(text: object) -> flow_json.Version:
    known = [str(version) for version in flow_json.KNOWN_VERSIONS]
    if not isinstance(text, str) or text not in known:
        raise FlowBuildError(f"there is no Flow JSON version {short_repr(text)}: {', '.join(known)}.")
    major, minor = text.split(".")
    return flow_json.Version(int(major), int(minor))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
