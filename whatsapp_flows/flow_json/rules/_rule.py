"""
What a rule is.

A rule is a generator: it yields findings, never raises, and knows nothing of output. Positions are not computed here:
a finding names a place by its JSON pointer, and only what is reported is ever looked up in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from ..schema import Document, Finding, Severity, Version


class Newer(Enum):
    """What a rule can be sure of in a version that is newer than the tables, where there may be what they lack."""

    SURE = "sure"  # what it finds is wrong, whatever else there is
    IF_ALL_IS_KNOWN = "if all is known"  # it misses something, and what nobody knows here may be just that
    NEVER = "never"  # the language that it reads may have grown


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One check: its stable id (`FJ203`), a name, the versions that run it (inclusive; None: open), its severity.

    Its docstring holds a passing and a failing example, which the tests run. `skipped_by_meta` names the versions for
    which Meta documents the rule while its client does not run it: there its findings are warnings. `needs` names types
    of components, actions and keys: without any of them a document cannot have a finding, and the rule is not asked.
    `newer`: what its findings are worth in a version newer than the tables; where it is not sure they are warnings.
    `evidence`: of advice, where the fact is from: "documented: ..." or "observed: ..." with the source and the date.
    """

    id: str
    name: str
    check: Callable[[Document], Iterable[Finding]]
    since: Version | None = None
    until: Version | None = None
    severity: Severity = Severity.ERROR
    skipped_by_meta: tuple[tuple[Version, Version], ...] = ()
    needs: tuple[str, ...] = ()
    newer: Newer = Newer.SURE
    evidence: str = ""
