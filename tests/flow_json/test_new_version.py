"""A new version is a change of data: the page that describes it is applied to a copy of the package."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flow_json.samples import footer, form, navigate, screen

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "flow-json-versions.md"
CHECK = """
import json, sys
from datetime import date
from whatsapp_flows.flow_json import upgrade, validate
from whatsapp_flows.flow_json.schema import NEWEST
made = [validate(each, today=date(2026, 11, 1)) for each in json.load(sys.stdin)]
found = [[[i.severity, i.error, i.pointers[0].path, i.message] for i in report.issues] for report in made]
steps = upgrade({"version": "7.4", "screens": []}, to="7.5").document["version"]
print(json.dumps({"newest": str(NEWEST), "found": found, "upgraded": steps}))
"""
Issues = list[tuple[str, str, str]]


def apply(page: str, folder: Path) -> None:
    """Apply the diffs of a page: context and removed lines are found once, and give way to context and added ones."""
    for block in re.findall(r"^```diff\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for name, hunk in re.findall(r"^--- (\S+)\n((?:[ +-](?!-- ).*\n)+)", block, re.MULTILINE):
            lines = hunk.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if line[0] in " -")
            after = "".join(line[1:] for line in lines if line[0] in " +")
            text = (folder / name).read_text(encoding="utf-8")
            assert text.count(before) == 1, (name, before)
            (folder / name).write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Check documents with the package as it is after the changes of the page."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "whatsapp_flows", folder / "whatsapp_flows", ignore=shutil.ignore_patterns("__pycache__"))
    apply(PAGE.read_text(encoding="utf-8"), folder)

    def run(*documents: Any) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", CHECK], input=json.dumps(documents), capture_output=True, text=True, cwd=folder,
            check=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def rating(**more: Any) -> dict[str, Any]:
    return {"type": "Rating", "name": "stars", "label": "How was it?", **more}


def flow(version: str, *children: Any, **more: Any) -> dict[str, Any]:
    field = {"type": "number", "__example__": 3}
    ask = screen("ASK", *children, navigate("END", {"stars": "${form.stars}"}), **more)
    end = screen("END", footer(payload={"stars": "${data.stars}"}), data={"stars": field}, terminal=True)
    return {"version": version, "screens": [ask, end]}


GOOD = flow("7.5", form(rating(), {"type": "TextInput", "name": "n", "label": "N", "prefix": "+49"}))
AT = "screens[0].layout.children[0]"
CASES: list[tuple[Any, Issues]] = [
    (flow("7.5", rating(stars=5, **{"init-value": 3})), []),
    (flow("7.5", rating(**{"init-value": "${data.n}"}), data={"n": {"type": "number", "__example__": 1}}), []),
    (flow("7.5", rating(**{"init-value": "${data.n}"}), data={"n": {"type": "string", "__example__": "1"}}),
     [("error", "INVALID_SCREEN_DYNAMIC_DATA", f"{AT}.init-value")]),
    (flow("7.5", rating(stars=20)), [("error", "MAXIMUM_VALUE_REQUIRED", f"{AT}.stars")]),
    (flow("7.5", rating(starz=5)), [("error", "INVALID_PROPERTY_KEY", f"{AT}.starz")]),
    (flow("7.5", form(rating(**{"init-value": 3}))),
     [("error", "INVALID_PROPERTY_KEY", f"{AT}.children[0].init-value")]),
    (flow("7.5", *(rating(name=name) for name in ("stars", "b", "c"))),
     [("warning", "ANSWER_NOT_SENT", "screens[0].layout.children[1].name"),
      ("error", "COMPONENT_TYPE_MAX_NUMBER_PER_SCREEN", "screens[0].layout.children[2].type"),
      ("warning", "ANSWER_NOT_SENT", "screens[0].layout.children[2].name")]),
    (flow("7.4", rating()),
     [("warning", "UNDOCUMENTED_VERSION", "version"), ("error", "ONE_OF_SCHEMA_VALIDATION_FAILED", f"{AT}.type")]),
    (flow("7.5", {"type": "TextInput", "name": "stars", "label": "N", "prefix": "too long", "input-type": "number"}),
     [("warning", "TEXT_IS_CUT", f"{AT}.prefix"),
      ("warning", "NUMBER_HANDED_ON", "screens[0].layout.children[1].on-click-action.payload.stars")]),
    (flow("7.4", {"type": "TextInput", "name": "stars", "label": "N", "prefix": "+49", "input-type": "number"}),
     [("warning", "UNDOCUMENTED_VERSION", "version"), ("error", "INVALID_PROPERTY_KEY", f"{AT}.prefix")]),
    (flow("7.5", rating(), terminal=True), []),
    (flow("8.0", rating()), [("warning", "UNKNOWN_NEWER_VERSION", "version")]),
]  # fmt: skip


def test_the_tables_alone_make_a_version(check: Callable[..., dict[str, Any]]) -> None:
    """The version, its component, its property, its limits and its rules are known, and to no older version."""
    result = check(GOOD, *(document for document, _ in CASES))
    assert (result["newest"], result["upgraded"]) == ("7.5", "7.5")
    good, *rest = result["found"]
    assert [issue[1:3] for issue in good] == [["ANSWER_NOT_SENT", f"{AT}.children[1].name"]]
    for (document, expected), found in zip(CASES, rest, strict=True):
        assert [tuple(issue[:3]) for issue in found] == expected, document


def test_an_older_version_says_when_it_comes(check: Callable[..., dict[str, Any]]) -> None:
    """Messages are made from the tables too."""
    component, prefix = check(CASES[7][0], CASES[9][0])["found"]
    assert "may stand in the layout from version 7.5; this document is 7.4." in component[1][3]
    assert "It comes with version 7.5; this document is 7.4." in prefix[1][3]
    assert "checked against 7.5" in check(CASES[11][0])["found"][0][0][3]


def test_without_the_change_the_version_is_newer_than_known() -> None:
    """Without it, 7.5 is checked as 7.4, and the unknown Rating is a warning."""
    from whatsapp_flows.flow_json import validate

    report = validate(CASES[0][0])
    assert {issue.error for issue in report.warnings} >= {"UNKNOWN_NEWER_VERSION", "INVALID_PROPERTY_VALUE"}
    assert report.errors == ()
