"""
`graph`: the screens of a flow and the routes between them, as Mermaid, DOT or SVG.

The document is read leniently, so that a flow with errors can be drawn, too. The output is deterministic: screens and
routes are in the order of the document. Names come from the document, and are escaped for each format.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree

import click

from .._inert import inert
from ..flow_json import read_flow_json
from ._app import App
from ._json import Json, as_json
from ._options import Command
from ._sources import read_one_source
from ._values import Value


class Node(NamedTuple):
    """A screen. `known` is false for the destination of a route that the document does not define."""

    id: str
    title: str = ""
    terminal: bool = False
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph(Value):
    """Screens, and routes as pairs of indexes of `nodes`."""

    nodes: tuple[Node, ...]
    routes: tuple[tuple[int, int], ...]


@as_json.register
def _(value: Graph) -> Json:
    return {
        "screens": [node._asdict() for node in value.nodes],
        "routes": [{"from": value.nodes[source].id, "to": value.nodes[target].id} for source, target in value.routes],
    }


@click.command("graph", cls=Command, api=False)
@click.argument("path", metavar="PATH|-")
@click.option(
    "--format", "format_", type=click.Choice(["mermaid", "dot", "svg"]), default="mermaid", show_default=True,
    help="Output format.",
)  # fmt: skip
@click.pass_obj
def graph_command(app: App, path: str, format_: str) -> Graph:
    """
    Draw the screens and routes of a Flow JSON.

    PATH is a file, a folder with one Flow JSON, or - for stdin. Routes come from the routing model or, without one,
    from the navigate actions. Terminal screens are marked.
    """
    graph = graph_of(json.loads(read_flow_json(read_one_source(app, path), argument=path)))
    return replace(graph, raw=DRAWINGS[format_](graph).encode())


def graph_of(document: Mapping[str, Any]) -> Graph:
    """The screens and routes of a document, which may have errors."""
    nodes: list[Node] = []
    places: dict[str, int] = {}
    screens = [screen for screen in _list(document.get("screens")) if isinstance(screen, dict)]
    for screen in screens:
        name, title = _text(screen.get("id")), _text(screen.get("title"))
        places.setdefault(name, len(nodes))
        nodes.append(Node(name, title, screen.get("terminal") is True))
    model = document.get("routing_model")
    found = _routing_model_routes(model) if isinstance(model, dict) else _navigate_action_routes(screens)
    routes: dict[tuple[int, int], None] = {}
    for route in found:
        for name in route:
            if name not in places:
                places[name] = len(nodes)
                nodes.append(Node(name, known=False))
        routes[places[route[0]], places[route[1]]] = None
    return Graph(nodes=tuple(nodes), routes=tuple(routes))


def _routing_model_routes(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for source, targets in model.items():
        yield from ((source, target) for target in _list(targets) if isinstance(target, str))


def _navigate_action_routes(screens: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for screen in screens:
        waiting: list[Any] = [screen.get("layout")]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                following = value.get("next")
                target = following.get("name") if isinstance(following, dict) else None
                if value.get("name") == "navigate" and isinstance(target, str):
                    yield _text(screen.get("id")), target
                waiting += reversed(value.values())
            elif isinstance(value, list):
                waiting += reversed(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _label_lines(node: Node) -> list[str]:
    """The label of a screen: its id, and below it its title."""
    return [inert(line) for line in (node.id or "?", node.title) if line]


# -- Mermaid and DOT


def mermaid(graph: Graph) -> str:
    """A flowchart: terminal screens are rounded, missing ones dashed."""
    lines = ["flowchart LR"]
    for number, node in enumerate(graph.nodes):
        label = "<br/>".join(_mermaid(line) for line in _label_lines(node))
        left, right = ("([", "])") if node.terminal else ("[", "]")
        kind = ":::terminal" if node.terminal else "" if node.known else ":::missing"
        lines.append(f'    s{number}{left}"{label}"{right}{kind}')
    lines += [f"    s{source} --> s{target}" for source, target in graph.routes]
    lines += ["    classDef terminal stroke-width:3px", "    classDef missing stroke-dasharray:4"]
    return "\n".join(lines) + "\n"


def _mermaid(text: str) -> str:
    """Write every character that Mermaid, Markdown or HTML could interpret as a numeric entity."""
    return "".join(char if char.isalnum() or char in " _" else f"#{ord(char)};" for char in text)


def dot(graph: Graph) -> str:
    """A digraph: terminal screens have a double border, missing ones a dashed border."""
    lines = ["digraph flow {", "    rankdir=LR;", "    node [shape=box];"]
    for number, node in enumerate(graph.nodes):
        label = "\\n".join(_dot(line) for line in _label_lines(node))
        more = ", peripheries=2" if node.terminal else "" if node.known else ", style=dashed"
        lines.append(f'    s{number} [label="{label}"{more}];')
    lines += [f"    s{source} -> s{target};" for source, target in graph.routes]
    return "\n".join([*lines, "}", ""])


def _dot(text: str) -> str:
    """Escape the content of a quoted string, in which Graphviz reads backslash escapes and HTML entities."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


# -- SVG: a column for each step from the start, with its screens from top to bottom

_BOX: Final = (184, 48)
_STEP: Final = (256, 80)
_MARGIN: Final = 24
_MAX_LABEL: Final = 22  # characters of a label line


def svg(graph: Graph) -> str:
    """Boxes and arrows: terminal screens have a thick border, missing ones a dashed border."""
    layers = layers_of(len(graph.nodes), graph.routes)
    heights: dict[int, int] = {}
    places = []
    for layer in layers:
        row = heights[layer] = heights.get(layer, -1) + 1
        places.append((_MARGIN + layer * _STEP[0], _MARGIN + row * _STEP[1]))
    width = max((x for x, _ in places), default=0) + _BOX[0] + _MARGIN
    height = max((y for _, y in places), default=0) + _STEP[1]
    root = ElementTree.Element(
        "svg",
        {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width} {height}", "width": str(width),
         "height": str(height), "font-family": "sans-serif", "font-size": "12"},
    )  # fmt: skip
    marker = ElementTree.SubElement(
        ElementTree.SubElement(root, "defs"), "marker",
        {"id": "tip", "viewBox": "0 0 8 8", "refX": "8", "refY": "4", "markerWidth": "8", "markerHeight": "8",
         "orient": "auto"},
    )  # fmt: skip
    ElementTree.SubElement(marker, "path", {"d": "M0 0L8 4L0 8z"})
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "white"})
    for source, target in graph.routes:
        path = _arrow(places[source], places[target])
        ElementTree.SubElement(root, "path", {"d": path, "fill": "none", "stroke": "#555", "marker-end": "url(#tip)"})
    for node, place in zip(graph.nodes, places, strict=True):
        _box(root, node, place)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def layers_of(count: int, routes: Sequence[tuple[int, int]]) -> list[int]:
    """The number of steps from the start to each screen. Loops and unconnected screens are allowed."""
    following: list[list[int]] = [[] for _ in range(count)]
    for source, target in routes:
        following[source].append(target)
    targets = {target for source, target in routes if source != target}
    layers: dict[int, int] = {}
    # A flow may start at screens without an incoming route. The rest are in loops, which start at their first screen.
    starts = [number for number in range(count) if number not in targets]
    for batch in (starts, *([number] for number in range(count))):
        waiting = [number for number in batch if number not in layers]
        layers |= dict.fromkeys(waiting, 0)
        for number in waiting:  # the list grows in the loop
            for target in following[number]:
                if target not in layers:
                    layers[target] = layers[number] + 1
                    waiting.append(target)
    return [layers[number] for number in range(count)]


def _arrow(source: tuple[int, int], target: tuple[int, int]) -> str:
    """An arrow from right edge to left edge; backwards or within a column, from bottom edge to bottom edge."""
    width, height = _BOX
    if target[0] > source[0]:
        x1, y1, x2, y2 = source[0] + width, source[1] + height // 2, target[0], target[1] + height // 2
        return f"M{x1} {y1}C{x1 + 36} {y1} {x2 - 36} {y2} {x2} {y2}"
    x1, y1, x2, y2 = source[0] + width * 2 // 3, source[1] + height, target[0] + width // 3, target[1] + height
    return f"M{x1} {y1}C{x1} {y1 + 28} {x2} {y2 + 28} {x2} {y2}"


def _box(root: ElementTree.Element, node: Node, place: tuple[int, int]) -> None:
    x, y = place
    lines = _label_lines(node)
    group = ElementTree.SubElement(root, "g")
    ElementTree.SubElement(group, "title").text = " - ".join(lines) + (" (terminal)" if node.terminal else "")
    look = {"x": str(x), "y": str(y), "width": str(_BOX[0]), "height": str(_BOX[1]), "rx": "6", "fill": "#f4f4f4"}
    look |= {"stroke": "black", "stroke-width": "3" if node.terminal else "1"}
    look |= {} if node.known else {"stroke-dasharray": "4"}
    ElementTree.SubElement(group, "rect", look)
    for number, line in enumerate(lines):
        at = {"x": str(x + _BOX[0] // 2), "y": str(y + (20 if len(lines) > 1 else 28) + 18 * number)}
        text = ElementTree.SubElement(group, "text", at | {"text-anchor": "middle"})
        text.text = line if len(line) <= _MAX_LABEL else f"{line[: _MAX_LABEL - 1]}…"


DRAWINGS: Final[Mapping[str, Callable[[Graph], str]]] = {"mermaid": mermaid, "dot": dot, "svg": svg}
