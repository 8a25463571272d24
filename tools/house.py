"""
What the imports of the package look like: circles, private access between rooms, the longest functions and files.

    python -m tools.house

A *room* is a package below `whatsapp_flows`, or a single module at its top. A room's underscore modules and underscore
names are its own; another room imports what the room's `__init__`, or the single module, offers. Imports under
`TYPE_CHECKING` and inside functions count as imports. Each file is parsed once.

`tests/test_layers.py` holds the package to these rules. This module prints the same findings, and exits with 1 if there
are any.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

PACKAGE: Final = Path(__file__).parent.parent / "whatsapp_flows"

MAX_FUNCTION_LINES: Final = 60
MAX_FILE_LINES: Final = 400

# Attributes with a leading underscore that are the public interface of something outside the package.
PUBLIC_DESPITE_UNDERSCORE: Final = frozenset(
    {
        "_asdict",  # typing.NamedTuple
        "_exit",  # os
        "_fields",
        "_make",
        "_meta",  # Django's models
        "_replace",
    }
)
# File -> the private attributes of a package from outside that it cannot do without.
FOREIGN: Final[Mapping[str, frozenset[str]]] = {
    # requests: whether a hook has read the body already, and the cookie jar that a redirect needs.
    "whatsapp_flows/_requests/_transport.py": frozenset({"_content", "_content_consumed", "_cookies"}),
}
_PRIVATE: Final = re.compile(r"_(?!_)\w*$|__\w*(?<!__)$")  # `_x` and `__x`, but not `__x__`


class Import(NamedTuple):
    """One imported module, and the names that are taken from it (none for `import a.b`)."""

    module: str
    names: tuple[str, ...]
    line: int


class Finding(NamedTuple):
    """Where a rule is broken, and how."""

    place: str
    text: str


class Size(NamedTuple):
    """A function or a file, and its number of lines."""

    lines: int
    place: str


@dataclass(frozen=True)
class Module:
    """A file of the package, parsed."""

    name: str
    path: Path
    source: str
    is_package: bool

    @property
    def room(self) -> str:
        """The package that the module belongs to; the module itself at the top of the tree."""
        package = self.name if self.is_package else self.name.rpartition(".")[0]
        return package if "." in package else self.name

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the syntax tree."""
        return tuple(ast.walk(ast.parse(self.source)))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """All imports, absolute, in the order of the syntax tree."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[Import]:
        parts = self.name.split(".")
        package = parts if self.is_package else parts[:-1]
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, (), node.lineno)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*base, *filter(None, [node.module])])
                yield Import(module, tuple(alias.name for alias in node.names), node.lineno)

    @cached_property
    def private_names(self) -> frozenset[str]:
        """The underscore names that the module defines: at its top, in classes, as attributes, in `__slots__`."""
        found: set[str] = set()
        for node in self.nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_own(node):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)  # an entry of __slots__
        return frozenset(name for name in found if _PRIVATE.match(name))


def _is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}


class House:
    """The modules of a package and what its imports say."""

    def __init__(self, package: Path = PACKAGE) -> None:
        self.package = package
        self.modules: Mapping[str, Module] = {module.name: module for module in _modules(package)}

    def targets(self, module: Module) -> Iterator[tuple[Module, Import]]:
        """The modules of this package that a module imports. `from a import b` means `a.b` where that is a module."""
        for found in module.imports:
            submodules = [self.modules.get(f"{found.module}.{name}") for name in found.names]
            yield from ((target, found) for target in submodules if target is not None)
            if found.module in self.modules and (None in submodules or not submodules):
                yield self.modules[found.module], found

    @cached_property
    def graph(self) -> Mapping[str, frozenset[str]]:
        """Module -> the modules that it imports."""
        return {
            name: frozenset(target.name for target, _ in self.targets(module)) for name, module in self.modules.items()
        }

    @cached_property
    def room_graph(self) -> Mapping[str, frozenset[str]]:
        """Room -> the other rooms that it imports from."""
        rooms: dict[str, set[str]] = {}
        for name, targets in self.graph.items():
            room = self.modules[name].room
            rooms.setdefault(room, set()).update({self.modules[target].room for target in targets} - {room})
        return {room: frozenset(targets) for room, targets in rooms.items()}

    def circles(self) -> list[tuple[str, ...]]:
        """Groups of modules, or of rooms, of which each reaches each other one by imports."""
        found = {*strongly_connected(self.graph), *strongly_connected(self.room_graph)}
        return sorted(found)

    def private_imports(self) -> list[Finding]:
        """Imports of another room's underscore module or underscore name."""
        found = []
        for module in self.modules.values():
            for target, imported in self.targets(module):
                if hidden_from(module.name, target.name):
                    found.append(Finding(_at(module, imported.line), f"imports {target.name}"))
                elif target.room != module.room:
                    found += [
                        Finding(_at(module, imported.line), f"imports {name} of {target.name}")
                        for name in imported.names
                        if _PRIVATE.match(name) and f"{imported.module}.{name}" not in self.modules
                    ]
        return found

    def private_attributes(self) -> list[Finding]:
        """Reads and writes of an underscore attribute that the module's own room does not define."""
        known: dict[str, set[str]] = {}
        for module in self.modules.values():
            known.setdefault(module.room, set()).update(module.private_names)
        return [
            Finding(_at(module, node.lineno), f"accesses .{node.attr}")
            for module in self.modules.values()
            for node in module.nodes
            if isinstance(node, ast.Attribute)
            and _PRIVATE.match(node.attr)
            and node.attr not in PUBLIC_DESPITE_UNDERSCORE
            and node.attr not in known[module.room] | FOREIGN.get(_at(module), frozenset())
            and not _is_own(node)
        ]

    def functions(self) -> list[Size]:
        """All functions, the longest first."""
        return sorted(
            (
                Size((node.end_lineno or node.lineno) - node.lineno + 1, f"{_at(module, node.lineno)} {node.name}")
                for module in self.modules.values()
                for node in module.nodes
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            ),
            reverse=True,
        )

    def files(self) -> list[Size]:
        """All files, the longest first."""
        return sorted(
            (Size(len(module.source.splitlines()), _at(module)) for module in self.modules.values()), reverse=True
        )


def _modules(package: Path) -> Iterator[Module]:
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        yield Module(".".join(parts[:-1] if is_package else parts), path, path.read_text("utf-8"), is_package)


def _at(module: Module, line: int | None = None) -> str:
    place = module.name.replace(".", "/") + ("/__init__.py" if module.is_package else ".py")
    return place if line is None else f"{place}:{line}"


def hidden_from(importer: str, target: str) -> bool:
    """Whether a part of the target's name starts with an underscore below a package that the importer is not in."""
    parts = target.split(".")
    for depth, part in enumerate(parts):
        home = ".".join(parts[:depth])
        if _PRIVATE.match(part) and not (importer == home or importer.startswith(f"{home}.")):
            return True
    return False


def strongly_connected(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The strongly connected components of two and more nodes (Tarjan's algorithm), each sorted."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[tuple[str, ...]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph.get(node, ()):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            start = stack.index(node)
            if len(stack) - start > 1:
                found.append(tuple(sorted(stack[start:])))
            del stack[start:]

    for node in graph:
        if node not in index:
            visit(node)
    return found


def report(house: House) -> tuple[str, bool]:
    """The findings as text, and whether there are none."""
    circles = [" <-> ".join(circle) for circle in house.circles()]
    private = [f"{place} {text}" for place, text in (*house.private_imports(), *house.private_attributes())]
    sections: Sequence[tuple[str, list[str]]] = (
        ("circles", circles),
        ("private access across rooms", private),
        (
            f"functions over {MAX_FUNCTION_LINES} lines",
            _over(house.functions(), MAX_FUNCTION_LINES),
        ),
        (f"files over {MAX_FILE_LINES} lines", _over(house.files(), MAX_FILE_LINES)),
    )
    lines = [f"{len(house.modules)} files in {len(house.room_graph)} rooms"]
    for title, entries in sections:
        lines += [f"{title}: {len(entries) or 'none'}", *(f"  {entry}" for entry in entries)]
    function, file = house.functions()[0], house.files()[0]
    lines += [
        f"longest function: {function.lines} lines, {function.place}",
        f"longest file: {file.lines} lines, {file.place}",
    ]
    return "\n".join(lines), not (circles or private)


def _over(sizes: Iterable[Size], limit: int) -> list[str]:
    return [f"{size.lines} {size.place}" for size in sizes if size.lines > limit]


if __name__ == "__main__":
    text, clean = report(House())
    print(text)
    sys.exit(0 if clean else 1)
