"""
Nothing is quadratic: the steps that a validation takes grow as the document does.

Counted, not timed: a step is a line that Python runs (each turn of a loop is one) or a call of something in C. For
three sizes in even steps, the second step must not cost more than the first: a quadratic part would show, even if it is
small beside the rest. All three are over the limits of a screen, at which a document begins to have more findings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests import counting
from tests.flow_json.samples import TODAY, footer, form, navigate, screen
from whatsapp_flows.flow_json import validate

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

SIZES: Final = (55, 75, 95)
MAX_RATIO: Final = 1.05  # the second increase against the first; work for each pair of parts alone would come to 1.3


def steps(source: Any) -> int:
    """The steps of a validation with its rendering."""
    return counting.steps(lambda: validate(source, today=TODAY).render())


def letters(number: int) -> str:
    return "".join("ABCDEFGHIJ"[int(digit)] for digit in str(number))


def text(content: Any = "x", **more: Any) -> dict[str, Any]:
    return {"type": "TextBody", "text": content, **more}


def ask(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextInput", "name": name, "label": "A", **more}


def flow(*screens: dict[str, Any], version: str = "7.3", **root: Any) -> dict[str, Any]:
    return {"version": version, **root, "screens": list(screens)}


def end(name: str, *children: Any, **more: Any) -> dict[str, Any]:
    return screen(name, *children, footer(), terminal=True, **more)


def one(*children: Any, version: str = "7.3", **more: Any) -> dict[str, Any]:
    return flow(end("A", *children, **more), version=version)


def link(to: str, payload: Any = None) -> dict[str, Any]:
    action = {"name": "navigate", "next": {"type": "screen", "name": to}, "payload": payload or {}}
    return {"type": "EmbeddedLink", "text": "x", "on-click-action": action}


def field(kind: str = "string", example: Any = "x", **more: Any) -> dict[str, Any]:
    return {"type": kind, "__example__": example, **more}


def fields(n: int, make: Callable[[], dict[str, Any]] = field) -> dict[str, Any]:
    return {f"f{i}": make() for i in range(n)}


def whole(n: int) -> dict[str, Any]:
    properties = {f"a{i}": {"type": "string"} for i in range(n)}
    return field("object", {f"a{i}": "x" for i in range(n)}, properties=properties)


def chain(n: int, **more: Any) -> dict[str, Any]:
    """Screens in a row, each of which hands an answer on."""
    names = [letters(i) for i in range(n + 1)]
    data = {"data": {"a": field()}}
    screens = [
        screen(name, ask("q"), text("${data.a}"), navigate(names[i + 1], {"a": "${form.q}"}), **data)
        for i, name in enumerate(names[:-1])
    ]
    return flow(*screens, end(names[-1], **data), **more)


def items(n: int) -> list[dict[str, Any]]:
    return [{"id": str(i), "title": f"Item {i}"} for i in range(n)]


def update(**payload: Any) -> dict[str, Any]:
    return {"name": "update_data", "payload": payload}


def pick(n: int, **more: Any) -> dict[str, Any]:
    return {"type": "Dropdown", "name": "d", "label": "D", "data-source": items(n), **more}


def inputs(n: int) -> list[dict[str, Any]]:
    return [ask(f"i{i}") for i in range(n)]


TWICE: Final = '{"a": 1, "a": 2}'
SHAPES: Final[dict[str, Callable[[int], Any]]] = {
    # valid
    "screens in a row": chain,
    "screens in a routing model": lambda n: chain(
        n, routing_model={letters(i): [letters(i + 1)] for i in range(n)} | {letters(n): []}
    ),
    "texts": lambda n: one(*[text() for _ in range(n)]),
    "inputs that are sent": lambda n: flow(
        screen("A", *inputs(n), footer(payload={f"i{i}": f"${{form.i{i}}}" for i in range(n)}), terminal=True)
    ),
    "fields that are shown": lambda n: one(*[text(f"${{data.f{i}}}") for i in range(n)], data=fields(n)),
    "fields that are handed on": lambda n: flow(
        screen("A", navigate("B", {f"f{i}": f"${{data.f{i}}}" for i in range(n)}), data=fields(n)),
        end("B", data=fields(n)),
    ),
    "items": lambda n: one(pick(n, type="CheckboxGroup")),
    "items that update": lambda n: one(
        pick(0, type="RadioButtonsGroup")
        | {"data-source": [item | {"on-select-action": update(a="x")} for item in items(n)]},
        data={"a": field()},
    ),
    "branches": lambda n: one(
        *[{"type": "If", "condition": "${data.b}", "then": [text()], "else": [text()]} for _ in range(n)],
        data={"b": field("boolean", True)},
    ),
    "cases": lambda n: one(
        {"type": "Switch", "value": "${data.s}", "cases": {f"c{i}": [text()] for i in range(n)}}, data={"s": field()}
    ),
    "operators": lambda n: one(text("`" + " + ".join("1" for _ in range(n)) + " 'x'`")),
    "comparisons": lambda n: one(
        {"type": "If", "condition": " && ".join("${data.b}" for _ in range(n)), "then": [text()]},
        data={"b": field("boolean", True)},
    ),
    "an example with many parts": lambda n: one(data={"a": whole(n)}),
    "an example and as many values of enum": lambda n: one(
        data={"a": field("array", [f"v{i}" for i in range(n)],
                         items={"type": "string", "enum": [f"v{n - i}" for i in range(n + 1)]})}
    ),
    "values of a Form": lambda n: flow(
        screen("A", form(*inputs(n), footer(), **{"init-values": {f"i{i}": "x" for i in range(n)}}), terminal=True)
    ),
    "fields handed on as a whole": lambda n: flow(
        screen("A", *[link("B", {"a": "${data.a}"}) for _ in range(n)], data={"a": whole(n)}),
        end("B", data={"a": whole(n)}),
    ),
    "lists from the same field": lambda n: one(
        *[pick(0, name=f"d{i}") | {"data-source": "${data.a}"} for i in range(n)],
        data={"a": field("array", items(n), items={"type": "object", "properties": {
            key: {"type": "string"} for key in ("id", "title", *map(str, range(n)))}})},
    ),
    "sensitive": lambda n: one(*inputs(n), sensitive=[f"i{i}" for i in range(n)]),
    # not valid
    "misspelt properties": lambda n: one(*[text(**{f"colour{i}": 1}) for i in range(n)]),
    "misspelt properties of one component": lambda n: one(text(**{f"colour{i}": 1 for i in range(n)})),
    "unknown components": lambda n: one(*[{"type": f"Text{i}"} for i in range(n)]),
    "wrong types": lambda n: one(*[text(5) for _ in range(n)]),
    "unknown references": lambda n: one(*[text(f"${{data.f{i}}}") for i in range(n)]),
    "unknown answers": lambda n: flow(
        screen("A", footer(payload={f"i{i}": f"${{form.i{i}}}" for i in range(n)}), terminal=True)
    ),
    "links to nowhere": lambda n: one(*[link(letters(i)) for i in range(n)]),
    "routes to nowhere": lambda n: one() | {"routing_model": {letters(i): [letters(i + 1)] for i in range(n)}},
    "many routes from one screen": lambda n: one() | {"routing_model": {"A": [letters(i) for i in range(n)]}},
    "routes in both directions": lambda n: chain(
        n, routing_model={letters(i): [letters(i + 1), *([letters(i - 1)] if i else [])] for i in range(n)}
    ),
    "loose screens": lambda n: flow(*[end(letters(i)) for i in range(n)]),
    "screens missing in the routing model": lambda n: flow(
        *[screen(letters(i)) for i in range(n)], end("END"), routing_model={"END": []}
    ),
    "the same id": lambda n: flow(*[end("A") for _ in range(n)]),
    "the same name": lambda n: one(*[ask("a") for _ in range(n)]),
    "links without a payload": lambda n: flow(
        screen("A", *[link("B") for _ in range(n)]), end("B", data=fields(n))
    ),
    "links with something else": lambda n: flow(
        screen("A", *[link("B", {"other": 1}) for _ in range(n)]), end("B", data=fields(n))
    ),
    "objects without a key": lambda n: flow(
        screen("A", *[link("B", {"a": {f"a{j}": "x" for j in range(3)}}) for _ in range(n)]),
        end("B", data={"a": whole(n)}),
    ),
    "Footers": lambda n: one(*[footer() for _ in range(n)]),
    "Footers in branches": lambda n: one(
        *[{"type": "If", "condition": "${data.b}", "then": [footer()]} for _ in range(n)],
        data={"b": field("boolean", True)},
    ),
    "Forms with values from the same field": lambda n: one(
        *[form(ask(f"a{i}"), **{"init-values": "${data.a}"}) for i in range(n)], data={"a": whole(n)}
    ),
    "values of no input": lambda n: one(form(ask("a"), **{"init-values": {f"i{i}": "x" for i in range(n)}})),
    "inputs beside a Form": lambda n: one(form(), *inputs(n)),
    "unknown sensitive names": lambda n: one(ask("a"), sensitive=[f"i{i}" for i in range(n)]),
    "dates out of range": lambda n: one(
        {"type": "DatePicker", "name": "d", "label": "D", "max-date": "2025-01-01",
         "unavailable-dates": [f"2025-02-{i % 28 + 1:02}" for i in range(n)]}
    ),
    "parts of a schema without type": lambda n: one(
        data={"a": field("object", {}, properties={f"a{i}": {"type": "array"} for i in range(n)})}
    ),
    "keys given twice": lambda n: f'{{"version": "7.3", "screens": [{", ".join(["{}"] * n)}]}}'.replace("{}", TWICE),
    "characters of two units": lambda n: one(*[text("😀", **{f"colour{i}": 1}) for i in range(n)]),
    "badges": lambda n: flow(
        screen("A", {"type": "NavigationList", "name": "n", "list-items": [
            {"id": str(i), "main-content": {"title": "x"}, "badge": "x", "end": {}} for i in range(n)]}),
        end("B"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_longer_document_takes_evenly_more_steps(shape: str) -> None:
    """The second increase of size costs as many steps as the first."""
    make = SHAPES[shape]
    validate(make(SIZES[-1]), today=TODAY)  # what is made once, for a version or for a text, is made
    first, second, third = (steps(make(size)) for size in SIZES)
    assert (third - second) / (second - first) < MAX_RATIO, (first, second, third)


def test_a_quadratic_part_would_be_seen() -> None:
    """An artificial check of each pair of components exceeds the limit."""

    class Pairs(dict[str, Any]):
        def items(self) -> Any:
            for _ in range(len(self["screens"][0]["layout"]["children"]) ** 2):
                pass
            return super().items()

    make = SHAPES["texts"]
    first, second, third = (steps(Pairs(make(size))) for size in SIZES)
    assert (third - second) / (second - first) > MAX_RATIO
