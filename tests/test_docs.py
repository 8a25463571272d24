"""
The documentation is true: its Python runs against the emulator and passes mypy --strict, its tables are those of the
code, its links lead somewhere, and it renders as plain Markdown too.
"""

from __future__ import annotations

import importlib
import logging
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tools import behaviour_table, error_table
from whatsapp_flows import ERROR_CODES, FlowsClient, __version__, errors
from whatsapp_flows.emulator import Emulator
from whatsapp_flows.flow_json import KNOWN_VERSIONS
from whatsapp_flows.flow_json.schema import RECOMMENDED
from whatsapp_flows.play import BEHAVIOUR

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
PROSE = [
    *PAGES,
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITH_PYTHON = [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))]
RUN_ELSEWHERE = {"django.md"}  # needs a Django project: tests/contrib/django/test_page.py


@pytest.fixture
def world(flows_emulator: Emulator, flows_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """An account with nothing in it yet, and the environment of a reader who has credentials and sets up a log."""
    monkeypatch.chdir(ROOT)
    logger = logging.getLogger("whatsapp_flows")
    monkeypatch.setattr(logger, "handlers", list(logger.handlers))
    return flows_emulator


@pytest.mark.parametrize(
    "page", [page for page in WITH_PYTHON if page.name not in RUN_ELSEWHERE], ids=lambda page: page.name
)
def test_every_python_block_runs(page: Path, world: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A page's blocks share one namespace, as a reader's session does."""
    names: dict[str, Any] = {"__name__": "documentation"}
    for number, block in enumerate(BLOCK.findall(page.read_text("utf-8")), 1):
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)
    assert re.findall(r"^(?:retry later|failed): .*", capsys.readouterr().out, re.MULTILINE) == []
    assert world.leaks == ()


@pytest.mark.slow
@pytest.mark.unmeasured
@pytest.mark.xdist_group("mypy")
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is part of the extra dev")
def test_every_python_block_passes_mypy_strict(tmp_path: Path) -> None:
    """One module for each page, its blocks on the lines that they have there; one run over all of them."""
    modules = []
    for page in WITH_PYTHON:
        module = tmp_path / f"page_{page.stem.lower().replace('-', '_')}.py"
        module.write_text(_on_their_lines(page.read_text("utf-8")), "utf-8")
        modules.append(str(module))
    command = [sys.executable, "-m", "mypy", "--strict", *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _on_their_lines(text: str) -> str:
    """The Python of a page; every other line is empty, so that mypy names the page's own line."""
    lines = [""] * (text.count("\n") + 1)
    for found in BLOCK.finditer(text):
        first = text.count("\n", 0, found.start(1))
        block = found.group(1).splitlines()
        lines[first : first + len(block)] = block
    return "\n".join(lines).rstrip() + "\n"


def test_the_error_table_is_that_of_the_code() -> None:
    """`python -m tools.error_table` writes it; a page written by hand would drift."""
    assert error_table.main(["--check"]) == 0
    assert all(f"`{row.error.__name__}`" in error_table.table() for row in ERROR_CODES)


def test_an_outdated_error_table_is_found(tmp_path: Path) -> None:
    """The check compares, and a page without the comments is an error."""
    page = tmp_path / "errors.md"
    page.write_text(f"# Errors\n\n{error_table.BEGIN}\n{error_table.END}\n", "utf-8")
    assert error_table.main(["--check"], page) == 1
    assert error_table.main([], page) == 0
    assert error_table.main(["--check"], page) == 0
    with pytest.raises(ValueError, match="the page has no"):
        error_table.with_table("# Errors")


def test_the_table_of_behaviour_is_that_of_the_code(tmp_path: Path) -> None:
    """`python -m tools.behaviour_table` writes it, with all rows of `BEHAVIOUR`."""
    assert behaviour_table.main(["--check"]) == 0
    page = tmp_path / "client-behaviour.md"
    page.write_text(f"{behaviour_table.BEGIN}\n{behaviour_table.END}\n", "utf-8")
    assert [behaviour_table.main(arguments, page) for arguments in (["--check"], [], ["--check"])] == [1, 0, 0]
    assert all(f"| `{name}` |" in page.read_text("utf-8") for name in BEHAVIOUR)


def test_the_pages_name_every_error() -> None:
    """The drawn tree of the errors page is the tree of the code."""
    drawn = set(re.findall(r"\w+Error\b", (DOCS / "errors.md").read_text("utf-8")))
    assert {name for name in errors.__all__ if name.endswith("Error")} <= drawn


def test_the_pages_name_every_variable() -> None:
    """Each environment variable that the client reads stands in the quickstart."""
    page = (DOCS / "quickstart.md").read_text("utf-8")
    for variable in re.findall(r"_[A-Z]+(?:_[A-Z]+)*\b", FlowsClient.from_env.__doc__ or ""):
        assert variable in page


def test_the_versions_page_is_that_of_the_code() -> None:
    """The default Graph version, the recommended Flow JSON version, and every version that the validator knows."""
    page = (DOCS / "versions.md").read_text("utf-8")
    assert f"| **{FlowsClient('token').options.api_version}** (default) |" in page
    assert f"| **{RECOMMENDED}** (recommended) |" in page
    rows = "".join(re.findall(r"^\| [*\d].*", page.partition("## Flow JSON")[2], re.MULTILINE))
    assert {str(version) for version in KNOWN_VERSIONS} <= set(re.findall(r"\d\.\d", rows))


def test_the_changelog_has_a_section_for_the_version() -> None:
    """Below the one for what is not released yet; the release workflow looks for it, too."""
    sections = (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1:]
    assert [section.split()[0] for section in sections][:2] == ["Unreleased", __version__]
    for section in sections:
        kinds = re.findall(r"^### (.+)", section, re.MULTILINE)
        assert len(kinds) == len(set(kinds)), section.split()[0]


# The modules whose `__all__` is public. Django's modules need a project: they are tested in tests/contrib/django.
PUBLIC_MODULES = [
    "whatsapp_flows",
    "whatsapp_flows.builder",
    "whatsapp_flows.cli",
    "whatsapp_flows.contrib.asgi",
    "whatsapp_flows.contrib.aws_lambda",
    "whatsapp_flows.contrib.celery",
    "whatsapp_flows.contrib.fastapi",
    "whatsapp_flows.contrib.flask",
    "whatsapp_flows.contrib.opentelemetry",
    "whatsapp_flows.contrib.prometheus",
    "whatsapp_flows.contrib.wsgi",
    "whatsapp_flows.emulator",
    "whatsapp_flows.endpoint",
    "whatsapp_flows.flow_json",
    "whatsapp_flows.lsp",
    "whatsapp_flows.media",
    "whatsapp_flows.play",
    "whatsapp_flows.preview",
    "whatsapp_flows.pytest_plugin",
    "whatsapp_flows.signatures",
    "whatsapp_flows.sync",
    "whatsapp_flows.webhooks",
]


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_the_api_page_has_every_public_name(module: str) -> None:
    """Neither a name that it leaves out, nor one that does not exist."""
    public = set(importlib.import_module(module).__all__)
    page = (DOCS / "api.md").read_text("utf-8")
    section = page.partition(f"<!-- {module} -->")[2].partition("<!-- ")[0]
    listed = set(re.findall(r"^\| `(?:@pytest\.mark\.)?(\w+)`", section, re.MULTILINE))
    assert listed - {"flows_fault"} == public


@pytest.mark.parametrize("module", [path.stem for path in sorted((ROOT / "whatsapp_flows").glob("[a-z]*.py"))])
def test_the_api_page_has_the_names_of_every_public_module(module: str) -> None:
    """Also those that are imported from the module that defines them."""
    listed = set(re.findall(r"^\| `(\w+)`", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE))
    assert set(getattr(importlib.import_module(f"whatsapp_flows.{module}"), "__all__", ())) - listed == set()


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_the_reference_documents_every_public_name(module: str) -> None:
    """Each public name has its signature and docstring on a page of docs/reference/."""
    documented = {name for page in sorted((DOCS / "reference").glob("*.rst")) for name in _documented(page)}
    public = importlib.import_module(module)
    undocumented = [name for name in public.__all__ if id(getattr(public, name)) not in documented]
    assert undocumented == []


def _documented(page: Path) -> set[int]:
    """What the autodoc directives of a page stand for, by identity: a name may be documented where it is defined."""
    found: set[int] = set()
    for kind, target, options in re.findall(
        r"^\.\. auto(\w+):: ([\w.]+)\n((?:   .*\n)*)", page.read_text("utf-8"), re.MULTILINE
    ):
        module, _, name = target.rpartition(".")
        if target.startswith("whatsapp_flows.contrib.django"):
            continue  # needs a project
        if kind != "module":
            found.add(id(getattr(importlib.import_module(module), name)))
            continue
        scope = importlib.import_module(target)
        members, excluded = _option(options, "members"), _option(options, "exclude-members")
        found |= {id(getattr(scope, member)) for member in (members or scope.__all__) if member not in (excluded or ())}
    return found


def _option(options: str, name: str) -> list[str]:
    return re.findall(r"[\w.]+", next(iter(re.findall(rf":{name}: (.*)", options)), ""))


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_a_page_renders_as_plain_markdown(page: Path) -> None:
    """The repository's own site knows no directive, label or definition list: those would show as they are written."""
    text = page.read_text("utf-8")
    directives = set(re.findall(r"^(?:```|:::)\{([\w-]+)\}", text, re.MULTILINE))
    assert directives <= ({"toctree"} if page.name == "index.md" else set())
    assert re.findall(r"^\([\w-]+\)=$|^: |\{[a-z]+\}`", text, re.MULTILINE) == []


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file of the repository and, with an anchor, to a heading of it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in _anchors(linked), target


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#{1,4} (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_no_placeholder_is_left(page: Path) -> None:
    """Nothing that a writer meant to fill in later."""
    text = page.read_text("utf-8")
    assert re.findall(r"TODO|FIXME|TBD|example\.invalid|your-org|OWNER|<the |lorem", text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_extra_is_named_where_the_command_first_stands(page: Path) -> None:
    """Who copies the first `whatsapp-flows` command of a page has seen what to install."""
    text = page.read_text("utf-8")
    command = re.search(r"(?:^\$ |`)whatsapp-flows [a-z]", text, re.MULTILINE)
    if command is not None:
        extra = re.search(r"whatsapp-flows-sdk\[[\w,]*cli", text)
        assert extra is not None
        assert extra.start() < command.start() + 300


@pytest.mark.slow
@pytest.mark.parametrize("page", ["play.md", "testing.md"])
def test_the_tests_on_the_pages_about_tests_pass(page: str, tmp_path: Path) -> None:
    """As a reader's test module, with the repository as its root: all its tests are found and pass."""
    blocks = BLOCK.findall((DOCS / page).read_text("utf-8"))
    (tmp_path / "test_page.py").write_text("\n\n".join(blocks), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"{sum(block.count('def test_') for block in blocks)} passed" in done.stdout, done.stdout
