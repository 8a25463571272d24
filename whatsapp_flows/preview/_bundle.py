"""
The scripts of the page as one script, for a file that loads nothing.

The modules of `static/` import from each other by name, at the top, and export by name: nothing else of the language is
needed to put them one after the other. Each becomes a function that is called once, so their names do not meet.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from .._reading import read_regular

STATIC: Final = Path(__file__).with_name("static")

_MAX_BYTES: Final = 1024 * 1024  # of one file

_IMPORT: Final = re.compile(r'^import\s*\{([^{}]*)\}\s*from\s*"\./([\w-]+\.js)";[ \t]*$', re.MULTILINE)
_DECLARED: Final = re.compile(r"^export (?=(?:async )?(?:function\*?|const|class) (\w+))", re.MULTILINE)
_LISTED: Final = re.compile(r"\bexport\s*\{([^{}]*)\};?")
_SOURCE_MAP: Final = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_LEFT: Final = re.compile(r"^[ \t]{0,99}(?:import|export)\b.{0,99}", re.MULTILINE)


def static_text(name: str, *, folder: Path = STATIC) -> str:
    """A file of the page."""
    return read_regular(folder / name, _MAX_BYTES).decode()


def bundled(entry: str, *, folder: Path = STATIC) -> str:
    """The module `entry` of a folder and all that it imports, as one script without imports."""
    order: dict[str, str] = {}
    _add(folder, entry, order, frozenset())
    # A name that a document might hold would otherwise end the script element.
    return "\n".join(['"use strict";', "const modules = {};", *order.values()]).replace("</script", "<\\/script")


def _add(folder: Path, name: str, order: dict[str, str], parents: frozenset[str]) -> None:
    """The modules that `name` imports, then itself; each once."""
    if name in order:
        return
    if name in parents:
        raise ValueError(f"{name} imports itself, by way of others")
    source = _SOURCE_MAP.sub("", static_text(name, folder=folder))
    for _, imported in _IMPORT.findall(source):
        _add(folder, imported, order, parents | {name})
    order[name] = _as_function(name, source)


def _as_function(name: str, source: str) -> str:
    exported = {declared: declared for declared in _DECLARED.findall(source)}
    exported |= {outer: inner for listed in _LISTED.findall(source) for inner, outer in _renamed(listed)}
    body = _IMPORT.sub(lambda found: _binding(found[1], found[2]), source)
    body = _LISTED.sub("", _DECLARED.sub("", body))
    left = _LEFT.search(body)
    if left is not None:
        raise ValueError(f"{name} cannot be put into one script: {left[0].strip()}")
    result = ", ".join(f"{outer}: {inner}" for outer, inner in exported.items())
    return f'modules["{name}"] = (() => {{\n{body.strip()}\nreturn {{ {result} }};\n}})();'


def _binding(names: str, module: str) -> str:
    bound = ", ".join(inner if inner == outer else f"{inner}: {outer}" for inner, outer in _renamed(names))
    return f'const {{ {bound} }} = modules["{module}"];'


def _renamed(names: str) -> list[tuple[str, str]]:
    """The pairs of `a, b as c`: `(a, a), (b, c)`."""
    pairs = [entry.split() for entry in names.split(",") if entry.strip()]
    return [(entry[0], entry[-1]) for entry in pairs]
