"""The examples in the docstrings of the package are true."""

from __future__ import annotations

import ast
import doctest
import importlib
import io
from pathlib import Path

import pytest

import whatsapp_flows

ROOT = Path(whatsapp_flows.__file__).parent
# names of the package's face, which the examples use without importing them
FACE = {name: getattr(whatsapp_flows, name) for name in whatsapp_flows.__all__}


def modules_with_examples() -> list[str]:
    """The modules that have `>>>` in a docstring."""
    names = []
    for file in sorted(ROOT.rglob("*.py")):
        source = file.read_text()
        if ">>>" in source and any(">>>" in (doc or "") for doc in _docstrings(source)):
            parts = ("whatsapp_flows", *file.relative_to(ROOT).with_suffix("").parts)
            names.append(".".join(parts).removesuffix(".__init__"))
    return names


def _docstrings(source: str) -> list[str | None]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [ast.get_docstring(node) for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples(name: str) -> None:
    """Each line after `>>>` runs, and gives what the docstring shows."""
    module = importlib.import_module(name)
    report = io.StringIO()
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(module, globs={**FACE, **vars(module)}):
        runner.run(test, out=report.write)
    assert runner.summarize(verbose=False).failed == 0, report.getvalue()
