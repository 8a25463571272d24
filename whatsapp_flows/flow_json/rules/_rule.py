"""
What a rule is.

A rule is a generator of findings. It never raises and does no output. A finding names its place by a JSON pointer;
lines and columns are looked up later, only for what is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..schema import Document, Finding, Severity, Version

# Where a fact is from, for the `evidence` of advice.
OBSERVED: Final = "observed: Meta's web client, August 2026"
REPORTED: Final = "observed: field reports, Flow JSON 7.1"
DOCUMENTED: Final = "documented: Meta, Flow JSON reference"


class Newer(Enum):
    """How certain a rule's findings are in a version that is newer than the tables, which may lack something."""

    SURE = "sure"  # wrong in every version
    IF_ALL_IS_KNOWN = "if all is known"  # something is missing: an unknown part of the document may supply it
    NEVER = "never"  # the language that the rule parses may have been extended


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One check: its stable id (`FJ203`), a name, the versions that run it (inclusive; None: open), its severity.

    Its docstring holds a passing and a failing example, which the tests run. `skipped_by_meta`: versions for which Meta
    documents the rule but its client does not run it; there its findings are warnings. `needs` names features of a
    document (types of components, names of actions, keys): the rule runs only for documents with at least one of them.
    `newer`: how certain its findings are in a version newer than the tables; uncertain ones are warnings. `evidence`:
    for advice, the source of the fact: "documented: ..." or "observed: ..." with the date.
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
