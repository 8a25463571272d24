"""A Flow and its screens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from .. import flow_json
from .._wire import short_repr
from ._base import Component, Data, Input, Raw, keyed, listed
from ._check import check
from ._errors import FlowBuildError, instead
from ._screens import Layout, Model, ScreenParts
from ._write import Writer, object_text

_INFER: Final = "infer"


class Screen(ScreenParts):
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
        self.data = () if data is None or isinstance(data, Raw) else listed("the fields of data", data)
        self.children = None if children is None else listed("components", children)
        self.terminal = terminal is True
        given: dict[str, Any] = {"id": id}
        if title is not None:
            given["title"] = title
        if data is not None:
            given["data"] = data if isinstance(data, Raw) else self.data
        if terminal is not None:
            given["terminal"] = terminal
        if success is not None:
            given["success"] = success
        if refresh_on_back is not None:
            given["refresh_on_back"] = refresh_on_back
        if sensitive is not None:
            given["sensitive"] = _input_names(sensitive)
        if children is not None:
            given["children"] = self.children
        if more:
            given["more"] = _further(more)
        self._given = given

    def __repr__(self) -> str:
        return f"Screen({self.id!r})"

    def arguments(self) -> Mapping[str, Any]:
        """The arguments that make this screen: those that were given."""
        return self._given

    def entries(self) -> Mapping[str, Any]:
        """The properties by their names in Flow JSON. Raises `FlowBuildError` for one that is given twice."""
        found: dict[str, Any] = {}
        for name, value in self._given.items():
            if name == "children":
                found["layout"] = Layout(value)
            elif name == "data" and value is self.data:
                found["data"] = Model(value)
            elif name == "more":
                _add(found, value)
            else:
                found[name] = value
        return found


def _input_names(sensitive: Sequence[str | Component]) -> list[str]:
    """The names of inputs. Raises `FlowBuildError` for what is no input, and no name of one."""
    names: list[str] = []
    for each in listed("the sensitive inputs", sensitive):
        name = each.properties["name"] if isinstance(each, Input) else each
        if not isinstance(name, str):
            raise FlowBuildError(f"sensitive is a list of inputs, or of their names, not of {short_repr(each)}.")
        names.append(name)
    return names


def _further(more: Mapping[str, Any]) -> dict[str, Any]:
    """The properties for which there is no argument. Raises `FlowBuildError` for anything but a dict by texts."""
    if not isinstance(more, Mapping):
        raise FlowBuildError(f'more is a dict, such as {{"name": "value"}}, not {short_repr(more)}.')
    return keyed(dict(more))


def _add(found: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add the properties for which there is no argument."""
    for name, value in more.items():
        if name in found:
            raise FlowBuildError(f"{name} is given twice: once in more.")
        found[name] = value


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
        self.screens: tuple[Screen | Raw, ...] = listed("screens", screens)
        for screen in self.screens:
            if not isinstance(screen, (Screen, Raw)):
                raise FlowBuildError(f"screens is a list of Screen, not of {short_repr(screen)}{instead(screen)}.")
        if data_api_version is not None and not isinstance(data_api_version, str):
            raise FlowBuildError(f'data_api_version is a text, such as "3.0", not {short_repr(data_api_version)}.')
        self._data_api_version = data_api_version
        self._routing_model = routing_model if isinstance(routing_model, str) else _routes_of(routing_model)
        if isinstance(routing_model, str) and routing_model != _INFER:
            raise FlowBuildError(f"routing_model is a dict, or {_INFER!r}, not {short_repr(routing_model)}.")
        self._more = _further(more) if more else {}
        self._text: str | None = None
        self._document: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Flow(version={str(self.version)!r}, screens={list(self.screens)!r})"

    def __getitem__(self, key: str, /) -> Any:
        return self._written()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._written())

    def __len__(self) -> int:
        return len(self._written())

    def arguments(self) -> Mapping[str, Any]:
        """The arguments beside the version that make this Flow: those that were given."""
        found: dict[str, Any] = {"data_api_version": self._data_api_version, "routing_model": self._routing_model}
        if self._routing_model == _INFER:
            del found["routing_model"]
        kept = {
            name: value
            for name, value in found.items()
            if value is not None or (name == "routing_model" and self._data_api_version is not None)
        }
        return {**kept, "screens": self.screens, **({"more": self._more} if self._more else {})}

    def to_dict(self) -> dict[str, Any]:
        """The Flow JSON. Raises `FlowBuildError`, with the place, for what cannot be written."""
        document: dict[str, Any] = json.loads(self.to_json())
        return document

    def to_json(self, *, indent: int | None = None) -> str:
        """The Flow JSON as text. `indent` are the blanks of a level; None writes one line."""
        if indent is not None:
            return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)
        if self._text is None:
            self._text = self._write()
        return self._text

    def check(self) -> flow_json.Report:
        """
        What Meta would report, and advice, as `validate` says it; each message also names the Python object.

        Raises `FlowBuildError` for what cannot be written.
        """
        return check(self.to_json(indent=2), self.screens)

    def _written(self) -> dict[str, Any]:
        if self._document is None:
            self._document = self.to_dict()
        return self._document

    def _write(self) -> str:
        writer = Writer([screen for screen in self.screens if isinstance(screen, Screen)], self.version)
        screens = writer.screens(self.screens)
        found: dict[str, Any] = {"version": str(self.version)}
        if self._data_api_version is not None:
            found["data_api_version"] = self._data_api_version
        routes = self._routes(writer)
        if routes is not None:
            found["routing_model"] = routes
        found["screens"] = None
        _add(found, self._more)
        return object_text({key: screens if key == "screens" else writer.value(each) for key, each in found.items()})

    def _routes(self, writer: Writer) -> Mapping[str, Any] | None:
        if not isinstance(self._routing_model, str):
            return self._routing_model
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


def _routes_of(model: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]] | None:
    """A routing model. Raises `FlowBuildError` for what is not ids of screens by ids of screens."""
    if model is None:
        return None
    if not isinstance(model, Mapping):
        raise FlowBuildError(f"routing_model is a dict, or {_INFER!r}, not {short_repr(model)}.")
    for screen, targets in model.items():
        listed_ids = isinstance(targets, (list, tuple)) and all(isinstance(each, str) for each in targets)
        if not isinstance(screen, str) or not listed_ids:
            raise FlowBuildError(
                f'routing_model has a list of ids for each id of a screen, such as {{"A": ["B"]}}, not '
                f"{short_repr(screen)}: {short_repr(targets)}."
            )
    return {screen: list(targets) for screen, targets in model.items()}


@cache
def _versions() -> Mapping[str, flow_json.Version]:
    return {str(version): version for version in flow_json.KNOWN_VERSIONS}


def _version(text: object) -> flow_json.Version:
    found = _versions().get(text) if isinstance(text, str) else None
    if found is None:
        raise FlowBuildError(f"there is no Flow JSON version {short_repr(text)}: {', '.join(_versions())}.")
    return found
