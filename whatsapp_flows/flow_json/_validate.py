"""
The pipeline: parse, version, size, structure, rules, advice. Each stage runs only if those before it leave a document.

It is Meta's ("Meta's client validator, August 2026"), with two differences: a text of over 10 MB is not parsed, and the
place of a syntax error is told, which Meta leaves out. Pure, but for reading a path and the day of `today`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from ..errors import ConfigurationError, ValidationIssue, ValidationPointer
from ._build import build
from ._report import Report
from .rules import ADVICE, RULES, Newer, Rule, index
from .schema import (
    KNOWN_VERSIONS,
    MAX_FINDINGS,
    NEWEST,
    RECOMMENDED,
    RULE_OF,
    WITHDRAWN,
    Document,
    Finding,
    Severity,
    Version,
    parse_version,
    structure_of,
)
from .text import (
    FlowJson,
    ParsedJson,
    ParseProblem,
    Place,
    Span,
    format_pointer,
    json_anomalies,
    locate,
    parse_json,
    spans_of,
)

ERROR_TYPE: Final = "FLOW_JSON_ERROR"
PARSE: Final = "FJ001"
VERSION: Final = "FJ002"
NEWER: Final = "FJ003"
DEPTH: Final = RULE_OF["INVALID_FLOW_JSON"]
ODDITIES: Final = "FJ005"
MANY: Final = "FJ006"
UNDOCUMENTED: Final = "FJ007"
MARKED: Final = "FJ008"


class _Against(NamedTuple):
    """
    The version whose tables and rules a document is checked against, and what there is to say of it.

    `newer`: the document's own is newer than all that are known, so that the tables may lack something.
    """

    version: Version
    newer: bool = False
    reported: tuple[_Reported, ...] = ()


class _Reported(NamedTuple):
    """A finding of a rule, with the severity that it has in this version."""

    rule: str
    severity: Severity
    finding: Finding


_MARK: Final = _Reported(
    MARKED,
    Severity.WARNING,
    Finding(
        "BYTE_ORDER_MARK",
        "the text begins with a byte order mark (BOM), which is no part of JSON: the client sends it without one.",
    ),
)


def validate(
    source: FlowJson,
    *,
    version: str | Version | None = None,
    today: date | None = None,
    advice: bool = True,
    rules: tuple[Rule, ...] = RULES,
) -> Report:
    """
    What Meta would report of a Flow JSON, with the same codes at the same places; and advice, as warnings.

    Of a version that is newer than the newest known, what the tables do not know is a warning: a component, a property,
    a value, an action, an expression. What they know to be wrong stays an error.

    Never raises for what is in the document. `version` checks as if the document were of that version, and asks
    nothing of the one it states but that there is one; it may be frozen. `today` decides which versions are frozen;
    None is the day of the machine. `advice=False` leaves only what Meta documents. `rules` are the rules of meaning.
    Raises `ConfigurationError` for a source that cannot be read and a `version` that there is not.
    """
    today = date.today() if today is None else today
    wanted = _wanted(version)
    parsed = parse_json(source)
    if parsed.value is None:
        return Report((_unparsed(parsed),), wanted.version if wanted else None, parsed.text)
    marked = [_MARK] if parsed.marked else []
    against = _version(parsed.value, wanted, today)
    if isinstance(against, _Reported):
        return _report(parsed, [against, *marked], None)
    used = against.version
    reported = [*against.reported, *marked]
    document, faults = build(
        parsed.value, structure_of(used, newer=against.newer), today=today, size=parsed.size, text=parsed.text
    )  # fmt: skip
    reported += [_Reported(RULE_OF[f.code], f.severity or Severity.ERROR, f) for f in faults]
    if document is not None:
        if advice:
            rules = _ALL if rules is RULES else rules + ADVICE
        unsure = _UNSURE[against.newer, bool(faults)]
        reported += _run(rules, document, unsure)
        document.cache.clear()  # what rules share refers to the document: no cycle is left for the garbage collector
    if advice and parsed.has_anomalies:
        reported += [
            _Reported(ODDITIES, Severity.WARNING, Finding(*found))
            for found in islice(json_anomalies(parsed.text), MAX_FINDINGS + 1)
        ]
    return _report(parsed, _told(reported) if len(reported) > MAX_FINDINGS else reported, used)


_UNSURE: Final[Mapping[tuple[bool, bool], frozenset[Newer]]] = {
    (False, False): frozenset(),
    (False, True): frozenset(),
    (True, False): frozenset({Newer.NEVER}),
    (True, True): frozenset({Newer.NEVER, Newer.IF_ALL_IS_KNOWN}),
}
"""The rules whose findings are warnings: by whether the version is newer, and whether it holds something unknown."""


def _told(reported: list[_Reported]) -> list[_Reported]:
    """The first findings, errors before warnings, and that there are more."""
    told = sorted(reported, key=lambda each: each.severity is Severity.WARNING)[:MAX_FINDINGS]
    finding = Finding("TOO_MANY_FINDINGS", f"there is more to say of this document than these {MAX_FINDINGS} findings.")
    return [*told, _Reported(MANY, Severity.WARNING, finding)]


# -- version


def _wanted(version: str | Version | None) -> _Against | None:
    if version is None:
        return None
    asked = version if isinstance(version, Version) else parse_version(version)
    if asked is None or (asked not in KNOWN_VERSIONS and asked < NEWEST):
        raise ConfigurationError(f"version {str(version)!r} is not a version of Flow JSON.")
    return _known(asked)


def _known(asked: Version) -> _Against:
    """The version to check against: a newer one than the newest known is checked as that, with a warning."""
    if asked not in KNOWN_VERSIONS:
        message = f"version {asked} is newer than this library knows: checked against {NEWEST}."
        return _Against(NEWEST, newer=True, reported=(_of_version(NEWER, "UNKNOWN_NEWER_VERSION", message),))
    if KNOWN_VERSIONS[asked].released is None:
        message = f"version {asked} stands on no page of Meta's, only in its client; {RECOMMENDED} is recommended."
        return _Against(asked, reported=(_of_version(UNDOCUMENTED, "UNDOCUMENTED_VERSION", message),))
    return _Against(asked)


def _of_version(rule: str, code: str, message: str) -> _Reported:
    return _Reported(rule, Severity.WARNING, Finding(code, message, ("version",)))


def _version(value: Mapping[str, Any], wanted: _Against | None, today: date) -> _Against | _Reported:
    """What to check against, or why there is nothing."""
    if "version" not in value:
        return _error("MISSING_FLOW_JSON_VERSION", "the document has no 'version'.", ())
    stated = value["version"]
    asked = parse_version(stated) if type(stated) is str else None
    if wanted is not None and type(stated) is str:
        return wanted
    if type(stated) is not str:
        return _invalid_version("the version must be a string such as '7.3'.")
    if asked is None:
        return _invalid_version("the version must have the form '7.3'.")
    if stated in WITHDRAWN or (asked not in KNOWN_VERSIONS and asked < NEWEST):
        return _invalid_version(f"there is no version {asked} of Flow JSON that can be used.")
    against = _known(asked)
    frozen = KNOWN_VERSIONS[against.version].frozen
    if frozen is not None and today >= frozen:
        return _invalid_version(f"version {asked} is frozen since {frozen}: nothing of it can be uploaded.")
    return against


def _invalid_version(message: str) -> _Reported:
    return _error("INVALID_FLOW_JSON_VERSION", message, ("version",))


def _error(code: str, message: str, pointer: tuple[str | int, ...]) -> _Reported:
    return _Reported(VERSION, Severity.ERROR, Finding(code, message, pointer))


# -- rules


def _run(rules: tuple[Rule, ...], document: Document, unsure: frozenset[Newer]) -> list[_Reported]:
    """
    The findings of the rules that run for the document's version; of the `unsure` ones they are warnings.

    A rule may walk into a payload or an example to any depth: what is too deep for it is too deep for a Flow JSON.
    """
    version = document.version
    found: list[_Reported] = []
    for rule in _running(rules, version, index(document).features) if rules else ():
        try:
            for finding in rule.check(document):
                severity = finding.severity or _severity(rule, version)
                if rule.newer in unsure:
                    severity = Severity.WARNING
                found.append(_Reported(rule.id, severity, finding))
                if len(found) > MAX_FINDINGS and severity is Severity.ERROR:
                    return found
        except RecursionError:
            deep = Finding("INVALID_FLOW_JSON", "the document is nested too deeply to be checked.")
            found.append(_Reported(DEPTH, Severity.ERROR, deep))
    return found


def _severity(rule: Rule, version: Version) -> Severity:
    skipped = any(first <= version <= last for first, last in rule.skipped_by_meta)
    return Severity.WARNING if skipped else rule.severity


def _running(rules: tuple[Rule, ...], version: Version, features: frozenset[str]) -> tuple[Rule, ...]:
    """The rules that can have something to say. Documents of the same make are frequent: ours are chosen once."""
    if rules is RULES or rules is _ALL:
        return _chosen_once(rules is _ALL, version, features & _ASKED_FOR)
    return _chosen(rules, version, features)


_ALL: Final = RULES + ADVICE
_ASKED_FOR: Final = frozenset(name for rule in _ALL for name in rule.needs)


@lru_cache(maxsize=128)
def _chosen_once(advice: bool, version: Version, features: frozenset[str]) -> tuple[Rule, ...]:
    return _chosen(_ALL if advice else RULES, version, features)


def _chosen(rules: tuple[Rule, ...], version: Version, features: frozenset[str]) -> tuple[Rule, ...]:
    return tuple(
        rule
        for rule in rules
        if (rule.since is None or rule.since <= version)
        and (rule.until is None or version <= rule.until)
        and (not rule.needs or not features.isdisjoint(rule.needs))
    )


# -- from findings to issues


def _unparsed(parsed: ParsedJson) -> ValidationIssue:
    problem: ParseProblem = parsed.problem  # type: ignore[assignment]  # there is no value
    return _issue("INVALID_FLOW_JSON", problem.message, PARSE, Severity.ERROR, (), _span_at(parsed.text, problem))


def _span_at(text: str, problem: ParseProblem) -> Span | None:
    if problem.offset is None:
        return None
    ends = (problem.offset, min(problem.offset + 1, len(text)))
    return spans_of(text, [ends])[ends]


def _report(parsed: ParsedJson, reported: list[_Reported], used: Version | None) -> Report:
    if not reported:
        return Report((), used)
    merged: dict[tuple[str, str, str, Severity], list[Place]] = {}
    for rule, severity, finding in reported:
        places = merged.setdefault((rule, finding.code, finding.message, severity), [])
        place = (finding.pointer, finding.key)
        if place not in places[-8:]:
            places.append(place)
    spans = locate(parsed.text, {place for places in merged.values() for place in places})
    issues = []
    for (rule, code, message, severity), places in merged.items():
        placeless = code == "INVALID_FLOW_JSON" and places == [((), False)]
        pointers = () if placeless else tuple(_pointer(place, spans[place]) for place in places)
        issues.append(_issue(code, message, rule, severity, pointers, None if placeless else spans[places[0]]))
    issues.sort(key=lambda issue: (issue.line_start or 0, issue.column_start or 0))
    return Report(tuple(issues), used, parsed.text)


def _pointer(place: Place, span: Span) -> ValidationPointer:
    return ValidationPointer(
        path=format_pointer(place[0]),
        line_start=span.line,
        line_end=span.end_line,
        column_start=span.column,
        column_end=span.end_column,
    )


def _issue(
    code: str,
    message: str,
    rule: str,
    severity: Severity,
    pointers: tuple[ValidationPointer, ...],
    span: Span | None,
) -> ValidationIssue:
    return ValidationIssue(
        error=code,
        message=message,
        error_type=ERROR_TYPE if severity is Severity.ERROR else None,
        line_start=span.line if span else None,
        line_end=span.end_line if span else None,
        column_start=span.column if span else None,
        column_end=span.end_column if span else None,
        pointers=pointers,
        severity=severity.value,
        rule=rule,
    )
