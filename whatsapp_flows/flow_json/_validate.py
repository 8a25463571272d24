"""
The pipeline: parse, version, structure, rules, advice. A stage runs only if those before it leave a document.

It is Meta's ("Meta's client validator, August 2026"), with two differences: a text of over 10 MB is not parsed, and a
syntax error has a place, which Meta does not give. Pure, except for reading a path and the default of `today`.
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
from ._sound import SoundParts, sound_parts
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
ANOMALIES: Final = "FJ005"
TRUNCATED: Final = "FJ006"
UNDOCUMENTED: Final = "FJ007"
MARKED: Final = "FJ008"


class _Target(NamedTuple):
    """
    The version whose tables and rules a document is checked against, and the findings about it.

    `newer`: the document's own version is newer than all known ones, so that the tables may lack something.
    """

    version: Version
    newer: bool = False
    reported: tuple[_Reported, ...] = ()


class _Reported(NamedTuple):
    """A finding of a rule, with the severity that it has in this version."""

    rule: str
    severity: Severity
    finding: Finding


_BYTE_ORDER_MARK: Final = _Reported(
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
    What Meta would report about a Flow JSON, with the same codes at the same places; and advice, as warnings.

    In a document of a version newer than the newest known one, whatever the tables do not have is a warning: a
    component, a property, a value, an action, an expression. What is wrong in every version stays an error.

    Never raises for the content of the document. `version` checks the document as one of that version, which may be
    frozen; the version that it states only has to be a string. `today` decides which versions are frozen; None is the
    current date. `advice=False` leaves only what Meta documents. `rules` are the rules to run after the structure.
    Raises `ConfigurationError` if the source cannot be read or `version` does not exist.
    """
    return _examine(source, version=version, today=today, advice=advice, rules=rules)


def validate_further(source: FlowJson, *, today: date | None = None) -> Report:
    """
    What `validate` reports; and if the structure has errors, what is wrong of the other parts whatever those mean.

    For editors: Meta, and so `validate`, says nothing of the meaning of a document while its structure has errors.
    """
    return _examine(source, today=today, further=True)


def _examine(
    source: FlowJson,
    *,
    version: str | Version | None = None,
    today: date | None = None,
    advice: bool = True,
    rules: tuple[Rule, ...] = RULES,
    further: bool = False,
) -> Report:
    today = date.today() if today is None else today
    requested = _requested_target(version)
    parsed = parse_json(source)
    if parsed.value is None:
        return Report((_parse_issue(parsed),), requested.version if requested else None, parsed.text)
    marked = [_BYTE_ORDER_MARK] if parsed.marked else []
    target = _stated_target(parsed.value, requested, today)
    if isinstance(target, _Reported):
        return _report(parsed, [target, *marked], None)
    used = target.version
    reported = [*target.reported, *marked]
    document, faults = build(
        parsed.value, structure_of(used, newer=target.newer), today=today, size=parsed.size, text=parsed.text
    )  # fmt: skip
    reported += [_Reported(RULE_OF[f.code], f.severity or Severity.ERROR, f) for f in faults]
    if document is not None:
        if advice:
            rules = _ALL if rules is RULES else rules + ADVICE
        only_warnings = _ONLY_WARNINGS[target.newer, bool(faults)]
        reported += _run(rules, document, only_warnings)
        document.cache.clear()  # it refers to the document: no cycle is left for the garbage collector
    elif further:
        reported += _of_sound_parts(parsed, used, faults, today)
    if advice and parsed.has_anomalies:
        reported += [
            _Reported(ANOMALIES, Severity.WARNING, Finding(*found))
            for found in islice(json_anomalies(parsed.text), MAX_FINDINGS + 1)
        ]
    return _report(parsed, _truncate(reported) if len(reported) > MAX_FINDINGS else reported, used)


_ONLY_WARNINGS: Final[Mapping[tuple[bool, bool], frozenset[Newer]]] = {
    (False, False): frozenset(),
    (False, True): frozenset(),
    (True, False): frozenset({Newer.NEVER}),
    (True, True): frozenset({Newer.NEVER, Newer.IF_ALL_IS_KNOWN}),
}
"""(version is newer, structure has something unknown) -> the rules whose findings are only warnings."""


def _of_sound_parts(parsed: ParsedJson, used: Version, faults: list[Finding], today: date) -> list[_Reported]:
    """What the rules say of a document whose structure has errors; only those that are sure, if some are left."""
    sound = sound_parts(parsed, used, faults, today)
    if sound is None:
        return []
    reported = [_Reported(RULE_OF[f.code], f.severity or Severity.ERROR, f) for f in sound.found]
    for each in _run(_rules_for(sound), sound.document, frozenset()):
        placed = sound.place(each.finding)
        if placed is not None:
            reported.append(each._replace(finding=placed))
    sound.document.cache.clear()
    return reported


def _rules_for(sound: SoundParts) -> tuple[Rule, ...]:
    if not sound.is_whole:
        return _SURE
    return RULES if sound.faulty else _ALL  # advice may depend on what was taken away: that nothing reads a field


_SURE: Final = tuple(rule for rule in RULES if rule.newer is Newer.SURE)


def _truncate(reported: list[_Reported]) -> list[_Reported]:
    """The first findings, errors before warnings, and a warning that there are more."""
    kept = sorted(reported, key=lambda each: each.severity is Severity.WARNING)[:MAX_FINDINGS]
    finding = Finding("TOO_MANY_FINDINGS", f"the document has more findings than these {MAX_FINDINGS}.")
    return [*kept, _Reported(TRUNCATED, Severity.WARNING, finding)]


# -- version


def _requested_target(version: str | Version | None) -> _Target | None:
    if version is None:
        return None
    parsed_version = version if isinstance(version, Version) else parse_version(version)
    if parsed_version is None or (parsed_version not in KNOWN_VERSIONS and parsed_version < NEWEST):
        raise ConfigurationError(f"version {str(version)!r} is not a version of Flow JSON.")
    return _target_of(parsed_version)


def _target_of(parsed_version: Version) -> _Target:
    """The target for a version: one newer than all known is checked as the newest known, with a warning."""
    if parsed_version not in KNOWN_VERSIONS:
        message = f"version {parsed_version} is newer than this library knows: checked against {NEWEST}."
        return _Target(NEWEST, newer=True, reported=(_of_version(NEWER, "UNKNOWN_NEWER_VERSION", message),))
    if KNOWN_VERSIONS[parsed_version].released is None:
        message = (
            f"version {parsed_version} is not documented by Meta, only known to its client; "
            f"{RECOMMENDED} is recommended."
        )
        return _Target(parsed_version, reported=(_of_version(UNDOCUMENTED, "UNDOCUMENTED_VERSION", message),))
    return _Target(parsed_version)


def _of_version(rule: str, code: str, message: str) -> _Reported:
    return _Reported(rule, Severity.WARNING, Finding(code, message, ("version",)))


def _stated_target(value: Mapping[str, Any], requested: _Target | None, today: date) -> _Target | _Reported:
    """The target for the version that the document states, or an error."""
    if "version" not in value:
        return _error("MISSING_FLOW_JSON_VERSION", "the document has no 'version'.", ())
    stated = value["version"]
    parsed_version = parse_version(stated) if type(stated) is str else None
    if requested is not None and type(stated) is str:
        return requested
    if type(stated) is not str:
        return _invalid_version("the version must be a string such as '7.3'.")
    if parsed_version is None:
        return _invalid_version("the version must have the form '7.3'.")
    if stated in WITHDRAWN or (parsed_version not in KNOWN_VERSIONS and parsed_version < NEWEST):
        return _invalid_version(f"there is no version {parsed_version} of Flow JSON that can be used.")
    target = _target_of(parsed_version)
    frozen = KNOWN_VERSIONS[target.version].frozen
    if frozen is not None and today >= frozen:
        return _invalid_version(f"version {parsed_version} is frozen since {frozen}: it can no longer be uploaded.")
    return target


def _invalid_version(message: str) -> _Reported:
    return _error("INVALID_FLOW_JSON_VERSION", message, ("version",))


def _error(code: str, message: str, pointer: tuple[str | int, ...]) -> _Reported:
    return _Reported(VERSION, Severity.ERROR, Finding(code, message, pointer))


# -- rules


def _run(rules: tuple[Rule, ...], document: Document, only_warnings: frozenset[Newer]) -> list[_Reported]:
    """
    The findings of the rules that apply to the document; those of `only_warnings` rules are warnings.

    A rule may recurse into a payload or an example: one too deep for Python's stack is an error of the document.
    """
    version = document.version
    found: list[_Reported] = []
    for rule in _applicable(rules, version, index(document).features) if rules else ():
        try:
            for finding in rule.check(document):
                severity = finding.severity or _severity(rule, version)
                if rule.newer in only_warnings:
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


def _applicable(rules: tuple[Rule, ...], version: Version, features: frozenset[str]) -> tuple[Rule, ...]:
    """The rules that can have findings. The selection from our own rules is cached: similar documents are frequent."""
    if rules is RULES or rules is _ALL:
        return _select_cached(rules is _ALL, version, features & _NEEDED_FEATURES)
    return _select(rules, version, features)


_ALL: Final = RULES + ADVICE
_NEEDED_FEATURES: Final = frozenset(name for rule in _ALL for name in rule.needs)


@lru_cache(maxsize=128)
def _select_cached(advice: bool, version: Version, features: frozenset[str]) -> tuple[Rule, ...]:
    return _select(_ALL if advice else RULES, version, features)


def _select(rules: tuple[Rule, ...], version: Version, features: frozenset[str]) -> tuple[Rule, ...]:
    return tuple(
        rule
        for rule in rules
        if (rule.since is None or rule.since <= version)
        and (rule.until is None or version <= rule.until)
        and (not rule.needs or not features.isdisjoint(rule.needs))
    )


# -- from findings to issues


def _parse_issue(parsed: ParsedJson) -> ValidationIssue:
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
