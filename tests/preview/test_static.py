"""The files of the page, without a browser: what they may contain, and where the vendored one is from."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

import pytest

import whatsapp_flows.preview

STATIC: Final = Path(whatsapp_flows.preview.__file__).parent / "static"
# `npm pack lit-html@3.3.3`: `package/lit-html.js` and `package/LICENSE`, unchanged.
VENDORED: Final = {
    "lit-html.js": "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2",
    "lit-html.LICENSE": "2b66f9390afde29edfe4314daff93f01fb182e1178053e228120178987e5db75",
}
MODULES: Final = sorted(path.name for path in STATIC.glob("*.js") if path.name not in VENDORED)
STYLES: Final = sorted(path.name for path in STATIC.glob("*.css"))
# What would make markup of a text, run one as code, or need a policy that allows inline styles.
FORBIDDEN: Final = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "unsafeHTML", "unsafeSVG", "eval(",
    "new Function", "javascript:", ' style="', " style=$", "setAttribute(\"style\"", "localStorage", "document.cookie",
)  # fmt: skip
IMPORT: Final = re.compile(r'\bfrom "([^"]+)"')


def text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "digest"), VENDORED.items())
def test_the_vendored_file_is_the_released_one(name: str, digest: str) -> None:
    """It has not been changed, and its licence lies beside it."""
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("name", MODULES)
def test_no_script_makes_markup_of_a_text(name: str) -> None:
    """No script uses what a document could reach with a text, nor an attribute that the policy refuses."""
    assert [word for word in FORBIDDEN if word in text(name)] == []


@pytest.mark.parametrize("name", [*MODULES, *STYLES, "index.html"])
def test_no_file_asks_another_host(name: str) -> None:
    """No address of another host stands in the page's own files."""
    assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+|@import|url\(", text(name)) == []


@pytest.mark.parametrize("name", MODULES)
def test_modules_import_each_other_by_name(name: str) -> None:
    """Each import is a file beside it: there is no build step. A module has fewer than 400 lines."""
    imported = IMPORT.findall(text(name))
    assert [path for path in imported if not path.startswith("./") or not (STATIC / path).is_file()] == []
    assert len(text(name).splitlines()) < 400


def test_modules_do_not_import_in_a_circle() -> None:
    """Their imports have an order."""
    imports = {name: {path.removeprefix("./") for path in IMPORT.findall(text(name))} & {*MODULES} for name in MODULES}
    while imports:
        free = [name for name, needed in imports.items() if not needed & {*imports}]
        assert free, f"imports in a circle: {sorted(imports)}"
        for name in free:
            del imports[name]


def test_the_page_has_no_inline_script_or_style() -> None:
    """The policy would refuse one; the files that it names exist."""
    page = text("index.html")
    assert re.findall(r"<style|\son\w+=|\sstyle=|<script(?![^>]*\ssrc=)", page) == []
    named = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    assert [name for name in named if not (STATIC / name).is_file()] == []
    assert {*named} >= {"app.js", "style.css", "phone.css"}
