"""
Generates `whatsapp_flows/builder/_components.py`, the classes of the builder, from the tables of Flow JSON.

    python -m tools.make_builder            writes the file
    python -m tools.make_builder --check    exits with 1 if the file differs from what would be written

A new component, property or version is a row of the tables in `whatsapp_flows/flow_json/schema/_spec`; only what a
table does not say stands here: the Python type of a kind, and a sentence about each class.
"""

from __future__ import annotations

import difflib
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from whatsapp_flows.flow_json.schema import COMPONENT_TEXTS, COMPONENTS, ITEMS, Property, Shape, property_limits

TARGET: Final = Path(__file__).parent.parent / "whatsapp_flows" / "builder" / "_components.py"
WIDTH: Final = 116

# Class -> what it is, in a sentence. Items are classes too: (name of the shape, name of the class).
SENTENCES: Final = {
    **COMPONENT_TEXTS,
    "Option": "An option of a CheckboxGroup, RadioButtonsGroup or Dropdown.",
    "Chip": "An option of a ChipsSelector.",
    "CarouselImage": "A picture of an ImageCarousel.",
    "NavigationItem": "An item of a NavigationList.",
    "NavigationContent": "The texts of an item of a NavigationList.",
    "NavigationEnd": "The texts at the end of an item of a NavigationList.",
    "NavigationStart": "The picture at the start of an item of a NavigationList.",
}
ITEM_CLASSES: Final = {
    "data_source_item": "Option",
    "chips_item": "Chip",
    "carousel_item": "CarouselImage",
    "nav_main": "NavigationContent",
    "nav_end": "NavigationEnd",
    "nav_start": "NavigationStart",
    "nav_item": "NavigationItem",
}
# Kind -> (Python type, how the documentation calls it).
TYPES: Final = {
    "any": ("Any", "any value"),
    "array<string>": ("Sequence[str] | Raw", "a list of texts"),
    "array<string>|binding": ("Sequence[str] | Expr[Any] | Raw", "a list of texts"),
    "base64": ("Text", "base64 text"),
    "binding": ("Expr[str] | Raw", "a reference to a text"),
    "bool": ("Bool", "a boolean"),
    "calendar<bool>": ("Bool | Mapping[str, Bool]", "a boolean, or an object with start-date and end-date"),
    "calendar<string>": ("Text | Mapping[str, Text]", "a text, or an object with start-date and end-date"),
    "components": ("Sequence[Component | Raw] | Raw", "a list of components"),
    "condition": ("Expr[bool] | Raw", "a comparison, or several joined with & and |"),
    "int": ("int | Expr[float] | Raw", "a whole number"),
    "label1": ("Text", "a text"),
    "loose-bool": ("Bool", "a boolean"),
    "map<components>": ("Mapping[str, Sequence[Component | Raw] | Raw] | Raw", "a list of components for each text"),
    "messages": ("Mapping[str, Any] | Expr[Any] | Raw", "an object of texts by the names of inputs"),
    "name": ("str", "a fixed text"),
    "number": ("float | Expr[float] | Raw", "a number"),
    "object|binding": ("Mapping[str, Any] | Expr[Any] | Raw", "an object"),
    "static-bool": ("bool | Raw", "a fixed boolean"),
    "static-int": ("int | Raw", "a fixed whole number"),
    "string": ("Text", "a text"),
    "string|array<string>": ("Text | Sequence[str]", "a text, or a list of fixed texts"),
    "string|object": ("Text | Mapping[str, str]", "a text, or an object of texts"),
    "text": ("Text", "a text"),
    "text|array<text>": ("Text | Sequence[str]", "a text, or from 5.1 on a list of fixed texts"),
}
ACTIONS: Final = {
    "complete": "Complete",
    "data_exchange": "DataExchange",
    "navigate": "Navigate",
    "open_url": "OpenUrl",
    "update_data": "UpdateData",
}
# Component -> the Python type of its value, and the type in Flow JSON.
VALUES: Final = {
    "TextInput": ("str", "string"),
    "TextArea": ("str", "string"),
    "CheckboxGroup": ("list[str]", "array"),
    "RadioButtonsGroup": ("str", "string"),
    "Dropdown": ("str", "string"),
    "ChipsSelector": ("list[str]", "array"),
    "OptIn": ("bool", "boolean"),
    "DatePicker": ("str", "string"),
    "CalendarPicker": ("Any", ""),
    "PhotoPicker": ("list[Any]", "array"),
    "DocumentPicker": ("list[Any]", "array"),
    "NavigationList": ("str", "string"),
}
BASES: Final = {"TextInput": "TextField"}  # written by hand in `_special.py`
# Kind of a property, or (component, property) -> the function that checks a value when the object is made.
CHECKS: Final[dict[object, str]] = {
    "components": "components_of",
    "calendar<bool>": "keyed",
    "calendar<string>": "keyed",
    "condition": "checked_condition",
    "map<components>": "cases_of",
    "messages": "keyed",
    "object|binding": "keyed",
    "string|object": "keyed",
    ("Switch", "value"): "switched",
}
NAMED: Final = {"allowed-mime-types": "MimeType"}  # property -> the name of the type of its texts, for a long list
COMPONENT_KINDS: Final = frozenset({"components", "map<components>"})
POSITIONAL: Final = frozenset({"text", "condition", "value"})  # the first required property may be one of these
HEAD: Final = '''\
# Generated by `make generate` from the tables in whatsapp_flows/flow_json/schema: change those, not this file.
"""The components, and the items of their lists. Source: Meta, Flow JSON reference; Meta's client validator, 2026-08."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from ._actions import Complete, DataExchange, Navigate, OpenUrl, UpdateData
from ._base import Component, Input, Item, Raw, cases_of, components_of, keyed
from ._conditions import checked_condition
from ._expressions import Expr
from ._special import TextField, switched

Text = str | Expr[str] | Raw
Bool = bool | Expr[bool] | Raw
'''


class Parameter(NamedTuple):
    """A property over all versions: its rows are merged."""

    name: str
    rows: tuple[Property, ...]
    always_required: bool

    @property
    def python(self) -> str:
        name = self.name.replace("-", "_")
        return f"{name}_" if name in {"else"} else name

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for row in self.rows for value in row.values))

    @property
    def is_choice(self) -> bool:
        """Whether it takes a closed list of texts."""
        return bool(self.values) and "enum" in self.rows[-1].kind

    @property
    def literals(self) -> str:
        """The type of a text out of the list."""
        return f"Literal[{', '.join(f'{value!r}' for value in self.values)}]".replace("'", '"')

    @property
    def type(self) -> str:
        row, kind = self.rows[-1], self.rows[-1].kind
        literals = NAMED.get(self.name, self.literals)
        if kind.startswith("action:"):
            return " | ".join([*(ACTIONS[value] for value in sorted(self.values)), "Raw"])
        if kind in ("enum", "enum|binding"):
            return f"{literals} | {'Expr[str] | ' if kind != 'enum' else ''}Raw"
        if kind in ("array<enum>", "array<enum>|binding"):
            return f"Sequence[{literals}] | {'Expr[Any] | ' if kind != 'array<enum>' else ''}Raw"
        if row.item:
            item = ITEM_CLASSES[row.item]
            return f"{item} | Raw" if kind == "object" else f"Sequence[{item} | Raw] | Expr[Any] | Raw"
        return TYPES[kind][0]

    def checked(self, component: str) -> str:
        """The source of the value that is kept."""
        kind = self.rows[-1].kind
        if kind == "name":
            return f"self._name({self.python})"
        if self.is_choice:
            return f'self._choice("{self.name}", {self.python})'
        check = CHECKS.get((component, self.name)) or CHECKS.get(kind)
        return f"{check}({self.python})" if check else self.python

    @property
    def line(self) -> str:
        """What the documentation says of it."""
        row, facts = self.rows[-1], []
        if row.kind.startswith("action:"):
            facts.append(f"an action: {', '.join(self.values)}")
        elif self.values and row.kind.startswith("array"):
            facts.append("a list of fixed texts out of the type's")
        elif self.values:
            facts.append(f"one of {', '.join(self.values)}")
        elif row.item:
            item = ITEM_CLASSES[row.item]
            facts.append(
                f"a `{item}`" if row.kind == "object" else f"a list of `{item}`, or a reference to such a list"
            )
        else:
            facts.append(TYPES[row.kind][1])
        facts += property_limits(row)
        if row.default is not None and not isinstance(row.default, tuple):
            facts.append(f"default {row.default}")
        required = [each for each in self.rows if each.required]
        if required:
            facts.append("required" if self.always_required else f"required since {required[0].since}")
        if since := self.rows[0].since:
            facts.append(f"since {since}")
        if until := self.rows[-1].until:
            facts.append(f"until {until}")
        if row.outside_form:
            facts.append("not in a Form")
        return f"- `{self.python}`: {'; '.join(facts)}."


def parameters(shape: Shape) -> list[Parameter]:
    """The properties of a shape, required ones first, in the order of the table."""
    rows: dict[str, list[Property]] = {}
    for row in shape.properties:
        rows.setdefault(row.name, []).append(row)
    found = [Parameter(name, tuple(each), all(row.required for row in each)) for name, each in rows.items()]
    return sorted(found, key=lambda each: not each.always_required)


def class_source(name: str, shape: Shape) -> str:
    """The source of one class."""
    found = parameters(shape)
    value = VALUES.get(shape.name)
    component = shape.name in SENTENCES
    base = BASES.get(name) or (f"Input[{value[0]}]" if value else "Component" if component else "Item")
    required = [each for each in found if each.always_required]
    optional = [each for each in found if not each.always_required]
    positional = [each for each in required if each.name in POSITIONAL]
    signature = [f"{each.python}: {each.type}" for each in positional]
    signature.append("*")
    signature += [f"{each.python}: {each.type}" for each in required if each not in positional]
    signature += [f"{each.python}: {each.type} | None = None" for each in optional]
    lines = [f"class {name}({base}):", '    """', *_wrapped(SENTENCES[name], "    "), ""]
    if shape.places:
        places = ", ".join(f"{place} {since}" for place, since in shape.places.items())
        lines += [*_wrapped(f"May stand in (since): {places}.", "    "), ""]
    for each in found:
        lines += _wrapped(each.line, "    ", more="      ")
    lines += ['    """', "", "    __slots__ = ()"]
    if component:
        lines += [f'    kind: ClassVar[str] = "{shape.name}"']
        if value and name not in BASES:
            lines += [f'    value_type: ClassVar[str] = "{value[1]}"']
        if choices := {each.name: each.values for each in found if each.is_choice}:
            lines += [f"    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {choices!r}"]
        if holds := tuple(each.name for each in found if each.rows[-1].kind in COMPONENT_KINDS):
            lines += [f"    holds: ClassVar[tuple[str, ...]] = {holds!r}"]
    lines += ["", "    def __init__(", "        self,", *(f"        {each}," for each in signature), "    ) -> None:"]
    entries = [f'"type": "{shape.name}"'] if component else []
    entries += [f'"{each.name}": {each.checked(shape.name)}' for each in required]
    kept = "properties: dict[str, Any]" if optional else "self.properties"
    lines += [f"        {kept} = {{{', '.join(entries)}}}"]
    for each in optional:
        lines += [f"        if {each.python} is not None:"]
        lines += [f'            properties["{each.name}"] = {each.checked(shape.name)}']
    if optional:
        lines += ["        self.properties = properties"]
    return "\n".join(lines)


def _wrapped(text: str, indent: str, more: str | None = None) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent if more is None else more)


def module() -> str:
    """The source of the module, formatted."""
    classes = [class_source(name, ITEMS[shape]) for shape, name in ITEM_CLASSES.items()]
    classes += [class_source(shape.name, shape) for shape in COMPONENTS]
    tables = [
        "COMPONENTS: dict[str, type[Component]] = {" + ", ".join(f'"{s.name}": {s.name}' for s in COMPONENTS) + "}",
        '"""Type of a component -> its class."""',
        "ITEMS: dict[str, type[Item]] = {" + ", ".join(f'"{s}": {name}' for s, name in ITEM_CLASSES.items()) + "}",
        '"""Shape of an item in the tables -> its class."""',
    ]
    every = {each.name: each for shape in COMPONENTS for each in parameters(shape)}
    named = [f"{name} = {every[each].literals}" for each, name in NAMED.items()]
    source = "\n\n\n".join(["\n".join([HEAD.rstrip(), *named]), *classes, "\n".join(tables)]) + "\n"
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout  # noqa: S603


def main(argv: Sequence[str]) -> int:
    """Write or compare the file."""
    wanted = module()
    found = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if "--check" not in argv:
        TARGET.write_text(wanted, encoding="utf-8")
        return 0
    if found != wanted:
        print("\n".join(difflib.unified_diff(found.splitlines(), wanted.splitlines(), "committed", "generated", n=1)))
        print("The builder differs from the tables: run `make generate`.")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
