"""The house: imports point down, the public list is the public list, and importing costs nothing it need not."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import whatsapp_flows

pytestmark = pytest.mark.xdist_group("layers")  # one process, which parses each file once

PACKAGE = Path(whatsapp_flows.__file__).parent

# Module or subpackage -> layer. What imports what may only go down; inside one subpackage it is free.
LAYERS = {
    "_inert": -1,  # below everything: what an error says is made inert by the error
    "_digest": 0,
    "_forks": 0,
    "_interrupts": 0,
    "_reading": 0,
    "_version": 0,
    "_wire": 0,
    "errors": 0,
    "usage": 0,
    "_error_codes": 1,
    "_files": 1,
    "events": 1,
    "flow_json": 1,
    "models": 1,
    "retry": 1,
    "_leases": 1,
    "transport": 1,
    "_cutoff": 1,
    "_decoding": 1,
    "_documents": 2,
    "_engine": 2,
    "counters": 2,
    "_bounded": 2,
    "_environment": 2,
    "_operations": 2,
    "pacing": 2,
    "queued": 2,
    "_aiohttp": 3,
    "_conversations": 3,
    "_requests": 3,
    "_settings": 3,
    "_ensure": 4,
    "aio": 5,
    "client": 5,
    "emulator": 6,
    "sync": 6,
    "cli": 7,
    "contrib": 7,
    "pytest_plugin": 7,
    "__main__": 8,
}
# The imports inside layer 0: an Operation speaks of errors, and what keeps a lock has to hear of forks.
INSIDE_THE_LOWEST = {("_wire", "errors"), ("usage", "_forks")}

# A package outside the standard library -> the only places that may import it.
OWNERS = {
    "requests": {"_requests"},
    "urllib3": {"_requests", "_bounded", "_operations"},
    "typing_extensions": {"errors", "_settings", "client", "aio", "queued"},
    "aiohttp": {"_aiohttp"},
    "yarl": {"_aiohttp"},  # aiohttp's own URLs
    "click": {"cli"},
    "rich": {"cli"},
    "werkzeug": {"emulator"},
    "opentelemetry": {"contrib"},
    "prometheus_client": {"contrib"},
    "celery": {"contrib"},
    "limits": {"contrib"},
    "redis": {"contrib"},
    "django": {"contrib"},
    "pytest": {"pytest_plugin"},
    "tomli": {"sync", "cli"},
    "tomllib": {"sync", "cli"},  # not in the standard library of Python 3.10
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        home = place.parts[0].removesuffix(".py")
        if home != "__init__":
            yield home, path


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a file's syntax tree, which four tests look at."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def imports(path: Path) -> Iterator[str]:
    """Absolute dotted names of all imports of a file, those under TYPE_CHECKING included."""
    package = ("whatsapp_flows", *path.relative_to(PACKAGE).parent.parts)
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1])
            if node.module:
                yield f"{base}.{node.module}"
            else:
                yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("home", "path"), list(modules()), ids=lambda value: str(value)[-40:])
def test_imports_point_down(home: str, path: Path) -> None:
    """A module imports from lower layers, or from its own subpackage."""
    for name in imports(path):
        if name.startswith("whatsapp_flows"):
            target = [*name.split("."), ""][1]
            assert target in LAYERS, f"{path.name} imports {name}"
            if target != home and (home, target) not in INSIDE_THE_LOWEST:
                assert LAYERS[target] < LAYERS[home], f"{path.name} (layer {LAYERS[home]}) imports {name}"


@pytest.mark.parametrize(("home", "path"), list(modules()), ids=lambda value: str(value)[-40:])
def test_each_dependency_has_an_owner(home: str, path: Path) -> None:
    """A package from outside is imported in its own rooms only."""
    for name in imports(path):
        root = name.partition(".")[0]
        if root not in sys.stdlib_module_names and root != "whatsapp_flows":
            assert home in OWNERS.get(root, set()), f"{path.name} imports {name}"


def test_nothing_prints() -> None:
    """`print` is for the command line alone."""
    for home, path in modules():
        if home not in {"cli", "__main__"}:
            calls = [node for node in nodes(path) if isinstance(node, ast.Call)]
            assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"], path


def test_the_core_neither_sleeps_nor_reads_the_clock() -> None:
    """Below the transport there is no call of the time module: clocks and sleeps are parameters."""
    for home, path in modules():
        if LAYERS[home] < 3:
            for node in nodes(path):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    assert not (isinstance(node.func.value, ast.Name) and node.func.value.id == "time"), path


def loaded_after(statement: str) -> set[str]:
    """The modules of a fresh interpreter after a statement."""
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_package_loads_what_is_used() -> None:
    """A bare import loads no requests; the client loads neither sync, emulator, command line nor an extra's package."""
    extras = {
        "click",
        "rich",
        "werkzeug",
        "aiohttp",
        "django",
        "celery",
        "redis",
        "limits",
        "opentelemetry",
        "prometheus_client",
    }
    upper = {f"whatsapp_flows.{name}" for name in ("sync", "emulator", "cli", "contrib")}
    assert not loaded_after("import whatsapp_flows") & {"requests", "urllib3", *extras, *upper}
    everything = loaded_after("from whatsapp_flows import *; FlowsClient('token')")
    assert "requests" in everything
    assert not everything & {*extras, *upper, "typing_extensions"}


def test_the_public_list_is_what_is_there() -> None:
    """Every name of `__all__` can be had, is listed by `dir`, and is what its own module calls public."""
    assert whatsapp_flows.__all__ == sorted(whatsapp_flows.__all__, key=lambda name: (not name.isupper(), name))
    for name in whatsapp_flows.__all__:
        assert getattr(whatsapp_flows, name) is not None
        assert name in dir(whatsapp_flows)
    for module in ("counters", "errors", "events", "models", "pacing", "queued", "retry", "transport", "usage"):
        listed = set(sys.modules[f"whatsapp_flows.{module}"].__all__)
        assert listed <= set(whatsapp_flows.__all__), module
    with pytest.raises(AttributeError, match="no attribute 'FlowClient'"):
        _ = whatsapp_flows.FlowClient


def test_the_package_is_typed() -> None:
    """Type checkers of hosts look for the marker."""
    assert (PACKAGE / "py.typed").exists()
