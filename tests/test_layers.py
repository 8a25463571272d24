"""Imports: they point down the layers without circles; the public names; what importing the package loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import whatsapp_flows
from tests.houses import the_house
from tools.house import MAX_FILE_LINES, MAX_FUNCTION_LINES, House, Module

pytestmark = [
    pytest.mark.xdist_group("layers"),  # one process, in which each file is parsed once
    pytest.mark.unmeasured,
]

PACKAGE = Path(whatsapp_flows.__file__).parent

# Module or subpackage -> layer. Imports lead to lower layers only; inside one subpackage they are free.
LAYERS = {
    "_inert": -1,  # lowest: errors make their own texts inert
    "_json": -1,
    "_lazy": -1,
    "_dataclasses": -1,  # the decorator of all values
    "_cached": 0,
    "_digest": 0,
    "_forks": 0,
    "_inspection": 0,
    "_interrupts": 0,
    "_reading": 0,
    "_safe_names": 0,
    "_version": 0,
    "_vocabulary": 0,
    "_wire": 0,
    "_webhook_shapes": 0,
    "_error_values": 0,
    "_client_error_keys": 0,
    "_http_answer": 0,
    "_fields": 0,
    "_log": 0,
    "errors": 0,
    "usage": 0,
    "_answer_check": 3,
    "_awaiting": 1,
    "_endpoint_check": 5,
    "_endpoint_errors": 1,
    "_endpoint_report": 1,
    "_endpoint_url": 1,
    "_endpoint_events": 2,
    "_receiving": 1,
    "_flow_crypto": 2,
    "_flow_facts": 2,
    "endpoint": 4,
    "signatures": 1,
    "_error_codes": 1,
    "_files": 1,
    "events": 1,
    "flow_json": 1,
    "_account_models": 1,
    "_message_checks": 1,
    "messages": 2,
    "models": 2,
    "retry": 1,
    "_leases": 1,
    "transport": 1,
    "_decoding": 1,
    "_call": 2,
    "_classify": 2,
    "_allowed_hosts": 2,
    "_media_values": 2,
    "_media_content": 3,
    "_documents": 2,
    "_error_rows": 2,
    "_engine": 3,
    "counters": 2,
    "_http": 2,
    "_operations": 3,
    "pacing": 2,
    "play": 5,
    "queued": 2,
    "_aiohttp": 3,
    "_conversations": 4,
    "_requests": 3,
    "_server": 3,
    "_environment": 4,
    "webhooks": 4,
    "_settings": 4,
    "media": 4,
    "_base_client": 5,
    "builder": 2,
    "_ensure": 5,
    "_driver_async": 6,
    "_driver_sync": 6,
    "_messages_async": 7,
    "_messages_sync": 7,
    "aio": 8,
    "client": 8,
    "emulator": 9,
    "lsp": 9,
    "preview": 9,
    "sync": 9,
    "cli": 10,
    "contrib": 10,
    "pytest_plugin": 10,
    "__main__": 11,
}
# The imports inside layer 0: operations and issues use the errors' values, the usage log has a fork-safe lock.
INSIDE_THE_LOWEST = {("_wire", "errors"), ("usage", "_forks"), ("_fields", "errors"), ("errors", "_error_values")}

# A package outside the standard library -> the only places that may import it.
OWNERS = {
    "cryptography": {"_flow_crypto"},
    "requests": {"_requests"},
    "urllib3": {"_requests", "_operations"},
    "typing_extensions": {"endpoint", "errors", "_base_client", "_driver_async", "client", "aio", "play", "queued"},
    "aiohttp": {"_aiohttp"},
    "yarl": {"_aiohttp"},  # aiohttp's own URLs
    "click": {"cli"},
    "rich": {"cli"},
    "werkzeug": {"_server", "emulator"},
    "opentelemetry": {"contrib"},
    "prometheus_client": {"contrib"},
    "celery": {"contrib"},
    "limits": {"contrib"},
    "redis": {"contrib"},
    "django": {"contrib"},
    "flask": {"contrib"},
    "fastapi": {"contrib"},
    "starlette": {"contrib"},  # of FastAPI
    "_typeshed": {"contrib"},  # of type checkers: the types of WSGI
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},  # the types of pygls
    "pytest": {"pytest_plugin"},
    "tomli": {"sync", "cli"},
    "tomllib": {"sync", "cli"},  # not in the standard library of Python 3.10
}

# Files over the limit, and why they are in one piece.
LONG_FILES = {
    "whatsapp_flows/builder/_components.py": "generated: a class for each component",
    "whatsapp_flows/flow_json/schema/_spec/_components.py": "one table, a row for each property",
}


@pytest.fixture(scope="module")
def house() -> House:
    """The package, each of its files parsed once."""
    return the_house()


def home(module: Module) -> str:
    """The module or subpackage at the top of the package that a module belongs to."""
    return [*module.name.split("."), "__init__"][1]


def test_imports_point_down(house: House) -> None:
    """A module imports from lower layers, or from its own subpackage."""
    for module in house.modules.values():
        for target, imported in house.targets(module):
            source, destination = home(module), home(target)
            if source in {destination, "__init__"} or (source, destination) in INSIDE_THE_LOWEST:
                continue
            assert destination in LAYERS, f"{module.name}:{imported.line} imports {target.name}"
            assert LAYERS[destination] < LAYERS[source], f"{module.name}:{imported.line} imports {target.name}"


def test_every_home_has_a_layer(house: House) -> None:
    """The table of layers has every module, and no other name."""
    assert {home(module) for module in house.modules.values()} - {"__init__"} == set(LAYERS)


def test_no_imports_go_in_circles(house: House) -> None:
    """No two modules, and no two rooms, import each other, directly or by way of others."""
    assert not house.circles()


def test_rooms_keep_their_private_parts(house: House) -> None:
    """A room imports of another what its `__init__` gives, and touches no private attribute of it."""
    assert not house.private_imports()
    assert not house.private_attributes()


def test_functions_and_files_have_a_reviewable_length(house: House) -> None:
    """A function fits on a page; a file that does not fit in a review stands in the list, with its reason."""
    assert not [size for size in house.functions() if size.lines > MAX_FUNCTION_LINES]
    assert {size.place for size in house.files() if size.lines > MAX_FILE_LINES} == set(LONG_FILES)


def test_each_dependency_has_an_owner(house: House) -> None:
    """A package from outside is imported in its own rooms only."""
    for module in house.modules.values():
        for imported in module.imports:
            root = imported.module.partition(".")[0]
            if root not in sys.stdlib_module_names and root != "whatsapp_flows":
                assert home(module) in OWNERS.get(root, set()), f"{module.name}:{imported.line} imports {root}"


def test_nothing_prints(house: House) -> None:
    """`print` is for the command line alone."""
    for module in house.modules.values():
        if home(module) not in {"cli", "__main__"}:
            calls = [node for node in module.nodes if isinstance(node, ast.Call)]
            names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
            assert "print" not in names, module.name


def test_the_core_neither_sleeps_nor_reads_the_clock(house: House) -> None:
    """Below the transport there is no call of the time module: clocks and sleeps are parameters."""
    for module in house.modules.values():
        if LAYERS.get(home(module), 9) < 3:
            for node in module.nodes:
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    owner = node.func.value
                    assert not (isinstance(owner, ast.Name) and owner.id == "time"), module.name


def loaded_after(statement: str) -> set[str]:
    """The modules of a fresh interpreter after a statement."""
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_package_loads_what_is_used() -> None:
    """A bare import loads no requests; the client loads no upper room and no extra's package."""
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
    upper = {f"whatsapp_flows.{name}" for name in ("sync", "emulator", "preview", "lsp", "cli", "contrib")}
    assert not loaded_after("import whatsapp_flows") & {"requests", "urllib3", *extras, *upper}
    everything = loaded_after("from whatsapp_flows import *; FlowsClient('token')")
    assert "requests" in everything
    assert not everything & {*extras, *upper, "typing_extensions"}


def test_the_client_loads_little_beside_requests() -> None:
    """Of the standard library's slow modules, importing the client loads none that requests has not loaded."""
    slow = {"asyncio", "dataclasses", "decimal", "difflib", "inspect", "signal", "textwrap", "tomllib"}
    added = loaded_after("from whatsapp_flows import FlowsClient") - loaded_after("import requests")
    assert not added & slow


def test_the_public_list_is_what_is_there() -> None:
    """Every name of `__all__` can be imported, is listed by `dir`, and is what its own module calls public."""
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
    """The marker `py.typed` exists, which type checkers need."""
    assert (PACKAGE / "py.typed").exists()
