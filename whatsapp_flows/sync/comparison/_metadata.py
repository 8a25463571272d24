"""
What differs in a flow's metadata: its name, categories, endpoint and application. One function, read by plan, drift and
pull.

What the repository leaves open is not compared, and what Meta did not tell (`ActualFlow.untold`) never differs: nobody
knows that it does, and an edit of a live flow takes it out of use.
"""

from __future__ import annotations

from typing import NamedTuple

from ..account import ActualFlow, generation_name
from ..desired import DesiredFlow


class MetadataChange(NamedTuple):
    """A difference: what it is, the value that is wanted, and the one at Meta, as texts."""

    what: str
    wanted: str
    there: str


def metadata_changes(desired: DesiredFlow, actual: ActualFlow) -> tuple[MetadataChange, ...]:
    """The differences, in a fixed order."""
    found = []
    name = target_name(desired, actual)
    if actual.source == "lock" and actual.name != name:  # what was found by its name has it
        found.append(MetadataChange("name", name, actual.name))
    if "categories" not in actual.untold and set(desired.categories) != set(actual.categories):
        found.append(
            MetadataChange("categories", ", ".join(desired.categories), ", ".join(actual.categories) or "none")
        )
    if "endpoint_uri" not in actual.untold and desired.endpoint_uri not in {None, actual.endpoint_uri}:
        found.append(MetadataChange("endpoint", str(desired.endpoint_uri), actual.endpoint_uri or "none"))
    if actual.application_id is not None and desired.application_id not in {None, actual.application_id}:
        found.append(MetadataChange("application", str(desired.application_id), actual.application_id))
    return tuple(found)


def target_name(desired: DesiredFlow, actual: ActualFlow) -> str:
    """The name that the flow should have at Meta: the wanted one, or that of its generation."""
    return generation_name(desired.name, actual.generation)
