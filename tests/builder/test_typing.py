"""What a type checker says of wrong uses: each line of `wrong_uses.py` gives the error that stands beside it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured, pytest.mark.xdist_group("mypy")]  # one process uses the cache
HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
WRONG: Final = HERE / "wrong_uses.py"


def expected(checker: str) -> dict[int, str]:
    """Line -> the error that the checker must give there."""
    lines = enumerate(WRONG.read_text("utf-8").splitlines(), 1)
    return {number: found[1] for number, line in lines if (found := re.search(rf"#.*\b{checker}: ([\w-]+)", line))}


def mypy() -> dict[int, set[str]]:
    """Line -> the codes of its errors."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        str(WRONG),
    ]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT).stdout
    errors: dict[int, set[str]] = {}
    for number, code in re.findall(r"^[^:\n]+:(\d+): error: .*\[([\w-]+)\]$", found, re.MULTILINE):
        errors.setdefault(int(number), set()).add(code)
    return errors


def pyright() -> dict[int, set[str]]:
    """Line -> the rules of its errors."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(WRONG)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT).stdout)
    errors: dict[int, set[str]] = {}
    for each in found["generalDiagnostics"]:
        if each["severity"] == "error":
            errors.setdefault(each["range"]["start"]["line"] + 1, set()).add(each.get("rule", ""))
    return errors


def _run(checker: str) -> Callable[[], dict[int, set[str]]]:
    pytest.importorskip(checker)
    if checker == "pyright" and shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    return {"mypy": mypy, "pyright": pyright}[checker]


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_each_wrong_use_has_its_error(checker: str) -> None:
    """On its line, of its kind, and no other line has one."""
    found = _run(checker)()
    wanted = expected(checker)
    assert {number: code for number, code in wanted.items() if code not in found.get(number, ())} == {}
    assert set(found) - set(wanted) == set()
