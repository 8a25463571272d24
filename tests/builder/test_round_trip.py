"""JSON to Python and back: the document is the same, and the code reads as if written by hand."""

from __future__ import annotations

import copy
import json
import random
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from tests.effort import some
from tests.flow_json.fuzz import broken
from tests.flow_json.samples import CORPUS, samples
from whatsapp_flows import ConfigurationError
from whatsapp_flows.builder import Flow, Screen, from_json, to_python
from whatsapp_flows.builder._write import Writer
from whatsapp_flows.flow_json import KNOWN_VERSIONS

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = sorted((ROOT / "examples").glob("*/*.json"))
DOCUMENTS: Final[dict[str, dict[str, Any]]] = {
    **{f"sample {name}": document for name, document in samples()},
    **{path.stem: json.loads(path.read_text("utf-8")) for path in (*EXAMPLES, *CORPUS)},
}
every_document = pytest.mark.parametrize("name", DOCUMENTS)


def run(code: str) -> Flow:
    """The Flow of a generated module."""
    names: dict[str, Any] = {}
    exec(compile(code, "<generated>", "exec"), names)
    flow = names["flow"]
    assert isinstance(flow, Flow)
    return flow


@every_document
def test_the_document_comes_back(name: str) -> None:
    """By way of the objects, and by way of the source."""
    document = DOCUMENTS[name]
    assert from_json(document).to_dict() == document
    assert run(to_python(document)).to_dict() == document


@every_document
def test_the_code_has_no_raw_json(name: str) -> None:
    """From 5.1 on, where the sample does not hold what the classes of ordinary Flows do not say."""
    document = DOCUMENTS[name]
    version = tuple(map(int, document["version"].split(".")))
    if version < (5, 1) or name in {"sample rich-5.2", "sample 5.2"}:
        pytest.skip("older documents may need Raw")
    assert "Raw(" not in to_python(document), to_python(document)


@pytest.mark.slow
@pytest.mark.unmeasured
@pytest.mark.xdist_group("mypy")
def test_the_code_is_laid_out_and_typed(tmp_path: Path) -> None:
    """A formatter leaves it as it is, and `mypy --strict` has nothing to say."""
    pytest.importorskip("mypy")
    for number, document in enumerate(DOCUMENTS.values()):
        (tmp_path / f"flow_{number}.py").write_text(to_python(document), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        str(tmp_path),
    ]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert checked.returncode == 0, checked.stdout
    if find_spec("ruff") is None:
        pytest.skip("ruff is not installed: the layout is not checked")
    command = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", str(tmp_path)]
    formatted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert formatted.returncode == 0, formatted.stdout


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(some(12, least=2)))
def test_broken_documents_come_back_too(seed: int) -> None:
    """What the classes cannot say stays raw, whatever it is; what is no Flow JSON is refused."""
    chance = random.Random(seed)
    made = [document for _, document in samples()]
    seen = 0
    for _ in range(40):
        content = broken(chance, made)
        try:
            document = json.loads(content)
            flow = from_json(content)
        except (ConfigurationError, ValueError, RecursionError):
            continue
        seen += 1
        assert same(flow.to_dict(), document)
        assert same(run(to_python(flow)).to_dict(), document)
    assert seen > 5


@every_document
def test_components_are_written_at_once_as_they_are_one_by_one(name: str) -> None:
    """The encoder in C and the writer that knows each place give one text."""
    flow = from_json(DOCUMENTS[name])
    screens = [screen for screen in flow.screens if isinstance(screen, Screen)]
    at_once, one_by_one = Writer(screens, flow.version), Writer(screens, flow.version)
    assert at_once.screens(flow.screens) == one_by_one.one_by_one(flow.screens)
    assert at_once.routes == one_by_one.routes


def same(first: Any, second: Any) -> bool:
    """Equal, NaN included."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def test_names_are_those_of_the_document() -> None:
    """Referred inputs and fields become variables; equal names get what they are, or their screen."""
    code = to_python(DOCUMENTS["booking"])
    assigned = re.findall(r"^(\w+)(?:: .*)? = ", code, re.MULTILINE)
    assert assigned == [
        *("services", "dates", "error_messages", "date", "service", "choose"),
        *("day", "date_data", "service_data", "times", "time", "time_screen"),
        *("summary", "error_messages_data", "note", "name", "details", "full", "flow"),
    ]


AWKWARD: Final[Mapping[str, str]] = {
    "class": "class_",
    "2nd choice": "value_2nd_choice",
    "text": "text_input",
    "flow": "flow_input",
    "Größe": "gr_e",
    "firstName": "first_name",
    "___": "value",
    "id": "id_",
}


@pytest.mark.parametrize("name", AWKWARD)
def test_any_name_becomes_a_variable(name: str) -> None:
    """Keywords, digits, names of Python's own, other alphabets."""
    footer = {
        "type": "Footer",
        "label": "Go",
        "on-click-action": {"name": "complete", "payload": {"x": f"${{form.{name}}}"}},
    }
    children = [{"type": "TextInput", "name": name, "label": "L"}, footer]
    layout = {"type": "SingleColumnLayout", "children": children}
    document = {"version": "7.3", "screens": [{"id": "A", "title": "A", "terminal": True, "layout": layout}]}
    code = to_python(document)
    assert f"\n{AWKWARD[name]} = TextInput(" in code
    assert run(code).to_dict() == document


TEXTS: Final = (
    "it's",
    'say "hi"',
    "both ' and \"",
    "\\",
    "tab\tline\nend",
    "😀",
    "\u2028",
    "{x}",
    "${x}",
    "`",
    "$",
    "",
)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back_as_they_are(text: str) -> None:
    """Quotes, escapes, line ends, emoji."""
    document = copy.deepcopy(DOCUMENTS["loan_application"])
    document["screens"][0]["title"] = text
    assert run(to_python(document)).to_dict() == document


REFUSED: Final = (
    "[]",
    "{}",
    '{"version": "7.3"}',
    '{"version": "9.9", "screens": []}',
    "no JSON",
    '{"version": 7.3, "screens": []}',
)


@pytest.mark.parametrize("source", REFUSED)
def test_what_is_no_flow_json_is_refused(source: str) -> None:
    """With a ConfigurationError, whatever it is."""
    with pytest.raises(ConfigurationError):
        to_python(source.encode())


def test_every_version_is_written() -> None:
    """Also those that nobody can upload any more."""
    for version in KNOWN_VERSIONS:
        document = {"version": str(version), "screens": [{"id": "A", "title": "A", "terminal": True}]}
        assert run(to_python(document)).to_dict() == document


def test_a_version_that_cannot_be_uploaded_is_reported() -> None:
    """With the command that upgrades the document."""
    documents: list[dict[str, Any]] = [{"version": version, "screens": []} for version in ("3.1", "7.3")]
    old, new = documents
    assert to_python(old).startswith("# Meta takes no uploads of Flow JSON 3.1 any more.")
    assert "whatsapp-flows upgrade FILE --write" in to_python(old)
    assert not to_python(new).startswith("#")
