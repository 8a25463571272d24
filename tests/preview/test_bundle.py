"""The scripts of the page as one script."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from whatsapp_flows.preview._bundle import STATIC, bundled

Modules = Callable[..., str]


@pytest.fixture
def modules(tmp_path: Path) -> Modules:
    """The bundle of modules that are given as text, from `main.js` on."""

    def bundle(**sources: str) -> str:
        for name, source in sources.items():
            (tmp_path / f"{name}.js").write_text(source)
        return bundled("main.js", folder=tmp_path)

    return bundle


MAIN = """import { first, second as other } from "./one.js";
import { make } from "./two.js";

print(first, other, make());
"""
ONE = """import { make } from "./two.js";
const hidden = make();
export const first = `${hidden} 1`;
export function second() {}
"""
TWO = """const local = 2; export{local as value, made as make};function made(){return local}
//# sourceMappingURL=two.js.map"""


def test_each_module_stands_once_after_those_that_it_imports(modules: Modules) -> None:
    """As a function whose names are its own; nothing is left of imports, exports and source maps."""
    script = modules(main=MAIN, one=ONE, two=TWO)
    assert re.findall(r'^modules\["(\w+)\.js"\] = ', script, re.MULTILINE) == ["two", "one", "main"]
    assert "return { value: local, make: made };" in script
    assert "return { first: first, second: second };" in script
    assert 'const { first, second: other } = modules["one.js"];' in script
    assert not re.search(r"^\s*(import|export)\b|sourceMapping", script, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="node is missing")
def test_the_script_runs(modules: Modules, tmp_path: Path) -> None:
    """Its modules see each other's values."""
    file = tmp_path / "bundle.js"
    file.write_text(
        "const print = (...all) => console.log(...all.map(String));\n" + modules(main=MAIN, one=ONE, two=TWO)
    )
    done = subprocess.run(["node", file], capture_output=True, text=True, check=True)
    assert done.stdout == "2 1 function second() {} 2\n"


@pytest.mark.parametrize(
    "source",
    ['import one from "./one.js";', 'import * as one from "./one.js";', 'import "./one.js";', "export default 1;",
     "export let a = 1;", 'export * from "./one.js";'],
)  # fmt: skip
def test_other_forms_are_refused(modules: Modules, source: str) -> None:
    """Rather than written as they are: the script would not run."""
    with pytest.raises(ValueError, match=r"main\.js cannot be put into one script: (import|export)"):
        modules(main=source, one="export const a = 1;")


def test_a_circle_is_refused(modules: Modules) -> None:
    """It has no order."""
    with pytest.raises(ValueError, match=r"main\.js imports itself, by way of others"):
        modules(main='import { a } from "./one.js";', one='import { b } from "./main.js";\nexport const a = 1;')


def test_the_script_cannot_end_its_element(modules: Modules) -> None:
    """Where a text has the end of a script element."""
    assert "</script" not in modules(main='print("</script>");')


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.glob("*.js")))
def test_every_script_of_the_page_can_be_bundled(name: str) -> None:
    """With all that it imports."""
    assert bundled(name).endswith("})();")
