"""`tools.house`: what it reports of a package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.houses import the_house
from tools.house import House, hidden_from, report, strongly_connected

Files = dict[str, str]


def house_of(root: Path, files: Files) -> House:
    """A package `pkg` with these files; every folder gets an `__init__.py`."""
    package = root / "pkg"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    return House(package)


@pytest.mark.parametrize(
    ("files", "circles"),
    [
        ({"a.py": "from .b import x", "b.py": ""}, []),
        ({"a.py": "from .b import x", "b.py": "from . import a"}, [("pkg.a", "pkg.b")]),
        ({"a.py": "import pkg.b", "b.py": "def f():\n    from .a import x"}, [("pkg.a", "pkg.b")]),
        (
            {
                "a.py": "from .b import x",
                "b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import Y",
            },
            [("pkg.a", "pkg.b")],
        ),
        ({"r/_a.py": "from ._b import x", "r/_b.py": "from ._a import y"}, [("pkg.r._a", "pkg.r._b")]),
        ({"r/__init__.py": "from ._a import x", "r/_a.py": "from . import x"}, [("pkg.r", "pkg.r._a")]),
        (
            {"r/a.py": "from ..s import b", "s/b.py": "", "s/c.py": "from ..r import d", "r/d.py": ""},
            [("pkg.r", "pkg.s")],
        ),
    ],
    ids=["none", "two modules", "inside a function", "for type checkers", "in a room", "its own face", "two rooms"],
)
def test_circles(tmp_path: Path, files: Files, circles: list[tuple[str, ...]]) -> None:
    """Circles are found between modules and between rooms, wherever in the file the import stands."""
    assert house_of(tmp_path, files).circles() == circles


@pytest.mark.parametrize(
    ("files", "findings"),
    [
        ({"r/_a.py": "x = 1", "r/__init__.py": "from ._a import x", "b.py": "from .r import x"}, []),
        ({"r/_a.py": "x = 1", "b.py": "from .r._a import x"}, ["pkg/b.py:1 imports pkg.r._a"]),
        ({"r/_a.py": "x = 1", "b.py": "from .r import _a"}, ["pkg/b.py:1 imports pkg.r._a"]),
        ({"_a.py": "_x = 1", "b.py": "from ._a import _x"}, ["pkg/b.py:1 imports _x of pkg._a"]),
        ({"_a.py": "__version__ = '1'", "b.py": "from ._a import __version__"}, []),
        ({"r/_a.py": "_x = 1", "r/b.py": "from ._a import _x"}, []),
    ],
    ids=["the face", "a private module", "a private module by name", "a private name", "a dunder", "the same room"],
)
def test_private_imports(tmp_path: Path, files: Files, findings: list[str]) -> None:
    """Another room's underscore modules and names are not imported."""
    found = house_of(tmp_path, files).private_imports()
    assert [" ".join(finding) for finding in found] == findings


@pytest.mark.parametrize(
    ("files", "findings"),
    [
        (
            {"a.py": "class A:\n    def f(self): self._x = 1", "b.py": "def f(a): return a._x"},
            ["pkg/b.py:1 accesses ._x"],
        ),
        ({"b.py": "def f(a): a._x = 1"}, ["pkg/b.py:1 accesses ._x"]),
        ({"a.py": "class A:\n    def f(self, other): self._x = other._x"}, []),
        ({"a.py": "class A:\n    __slots__ = ('_x',)\ndef f(a): return a._x"}, []),
        ({"r/a.py": "class A:\n    _x: int = 0", "r/b.py": "def f(a): return a._x"}, []),
        ({"a.py": "def f(row): return row._replace(x=1), row.__dict__"}, []),
    ],
    ids=["read", "written", "its own", "in __slots__", "the same room", "public despite the underscore"],
)
def test_private_attributes(tmp_path: Path, files: Files, findings: list[str]) -> None:
    """Another room's underscore attributes are neither read nor written."""
    found = house_of(tmp_path, files).private_attributes()
    assert [" ".join(finding) for finding in found] == findings


def test_a_private_package_hides_what_is_below_it() -> None:
    """A module below an underscore package belongs to those that are beside it."""
    assert hidden_from("pkg.a", "pkg.r._s.b")
    assert not hidden_from("pkg.r.a", "pkg.r._s.b")
    assert hidden_from("pkg.r.a", "pkg.r._s._b")


def test_strongly_connected_components() -> None:
    """Two circles that share no node are two components; a node alone is none."""
    graph = {"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["e"], "e": ["d"], "f": ["a"]}
    assert sorted(strongly_connected(graph)) == [("a", "b", "c"), ("d", "e")]


def test_the_report_names_the_longest(tmp_path: Path) -> None:
    """The report has the findings, the longest function and the longest file, and says whether there are findings."""
    text, clean = report(
        house_of(tmp_path, {"a.py": "def f():\n    x = 1\n    return x\n", "b.py": "from .a import f"})
    )
    assert clean
    assert text.splitlines() == [
        "3 files in 3 rooms",
        "circles: none",
        "private access across rooms: none",
        "functions over 60 lines: none",
        "files over 400 lines: none",
        "longest function: 3 lines, pkg/a.py:1 f",
        "longest file: 3 lines, pkg/a.py",
    ]


@pytest.mark.slow
@pytest.mark.unmeasured
@pytest.mark.xdist_group("layers")
def test_the_command_ends_with_the_findings() -> None:
    """`python -m tools.house` prints the report of this package; 0 if there are no findings."""
    done = subprocess.run([sys.executable, "-m", "tools.house"], capture_output=True, text=True, check=False)
    text, clean = report(the_house())
    assert done.stdout.rstrip("\n") == text
    assert done.returncode == (0 if clean else 1)
