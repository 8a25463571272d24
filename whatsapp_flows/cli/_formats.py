"""
Validation reports in formats for other programs: GitHub annotations, SARIF 2.1.0, JUnit XML.

Pure functions from files and reports to text. Messages quote the document, so they go through `inert`, which leaves
only printable characters; XML and JSON allow all of these.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from .._inert import inert
from .._version import __version__
from ..errors import ValidationIssue, ValidationPointer
from ..flow_json import Report
from ._json import json_text

TOOL: Final = "whatsapp-flows"
SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


class Checked(NamedTuple):
    """A file and its validation report."""

    name: str
    report: Report


def render_text(file: Checked) -> str:
    """The issues of a file in the style of compilers, without control characters."""
    return "\n".join(inert(line) for line in file.report.render(name=inert(file.name)).split("\n"))


def summary(files: Sequence[Checked]) -> str:
    """One line with the number of files, errors and warnings."""
    errors, warnings = (sum(map(len, found)) for found in (_errors(files), _warnings(files)))
    return f"{_count(len(files), 'file')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}."


def _errors(files: Sequence[Checked]) -> list[tuple[ValidationIssue, ...]]:
    return [file.report.errors for file in files]


def _warnings(files: Sequence[Checked]) -> list[tuple[ValidationIssue, ...]]:
    return [file.report.warnings for file in files]


def _count(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


# -- GitHub: docs.github.com, "Workflow commands for GitHub Actions". The escapes are those of @actions/core.


def github(files: Sequence[Checked]) -> str:
    """A workflow command for each issue, and the summary as a normal line of the log."""
    lines = [_annotation(file.name, issue) for file in files for issue in file.report.issues]
    return "\n".join([*lines, summary(files), ""])


def _annotation(name: str, issue: ValidationIssue) -> str:
    same_line = issue.line_start == issue.line_end  # GitHub accepts columns for a single line only
    properties = {
        "file": Path(os.path.normpath(name)).as_posix() if _is_path(name) else None,
        "line": issue.line_start,
        "col": issue.column_start if same_line else None,
        "endColumn": issue.column_end if same_line else None,
        "endLine": issue.line_end,
        "title": issue.error,
    }
    fields = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    return f"::{issue.severity} {fields}::{_data(_message(issue))}"


def _data(text: str) -> str:
    """Escaped for a workflow command. Other control characters are made inert."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return "".join(char if char.isprintable() or "\ud800" <= char <= "\udfff" else inert(char) for char in escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# -- SARIF


def sarif(files: Sequence[Checked]) -> str:
    """One run, whose rules are the error codes. As in a report, columns are UTF-16 units and end columns exclusive."""
    rules: dict[str, int] = {}
    results = [_result(file.name, issue, rules) for file in files for issue in file.report.issues]
    driver = {"name": TOOL, "version": __version__, "rules": [_rule(code) for code in rules]}
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return json_text({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": code.replace("_", " ").capitalize()}}


def _result(name: str, issue: ValidationIssue, rules: dict[str, int]) -> dict[str, Any]:
    first = _location(name, issue)
    if issue.pointers and issue.pointers[0].path:
        first["logicalLocations"] = [{"fullyQualifiedName": inert(issue.pointers[0].path)}]
    result = {
        "ruleId": issue.error,
        "ruleIndex": rules.setdefault(issue.error, len(rules)),
        "level": issue.severity,
        "message": {"text": _message(issue)},
        "locations": [first],
        "properties": {"rule": issue.rule},
    }
    more = issue.pointers[1:]
    if more:
        result["relatedLocations"] = [_location(name, at) | {"message": {"text": inert(at.path or "")}} for at in more]
    return result


def _location(name: str, at: ValidationIssue | ValidationPointer) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(name)}}
    region = {
        "startLine": at.line_start,
        "startColumn": at.column_start,
        "endLine": at.line_end,
        "endColumn": at.column_end,
    }
    if at.line_start is not None:
        physical["region"] = {key: value for key, value in region.items() if value is not None}
    return {"physicalLocation": physical}


def _uri(name: str) -> str:
    """Relative for a relative path, as code scanning requires. The bytes of the file name are percent-encoded."""
    if not _is_path(name):
        return "stdin"
    path = Path(os.path.normpath(name))
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


# -- JUnit


def junit(files: Sequence[Checked]) -> str:
    """A test case for each file. Its errors are the failure, its warnings the output."""
    failures = str(sum(not file.report.ok for file in files))
    counts = {"tests": str(len(files)), "failures": failures, "errors": "0"}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": f"{TOOL} validate", **counts, "skipped": "0"})
    for file in files:
        case = ElementTree.SubElement(suite, "testcase", {"classname": TOOL, "name": inert(file.name)})
        if not file.report.ok:
            first = file.report.errors[0]
            attributes = {
                "type": first.error,
                "message": f"{_count(len(file.report.errors), 'error')}: {_message(first)}",
            }
            ElementTree.SubElement(case, "failure", attributes).text = _part(file, file.report.errors)
        if file.report.warnings:
            ElementTree.SubElement(case, "system-out").text = _part(file, file.report.warnings)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _part(file: Checked, issues: tuple[ValidationIssue, ...]) -> str:
    return render_text(Checked(file.name, Report(issues, file.report.version, file.report.text)))


def _message(issue: ValidationIssue) -> str:
    return inert(issue.message)


def _is_path(name: str) -> bool:
    return name != "<stdin>"


RENDERERS: Final[Mapping[str, Callable[[Sequence[Checked]], str]]] = {"github": github, "sarif": sarif, "junit": junit}
