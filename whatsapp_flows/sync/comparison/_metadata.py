"""
The differences in a flow's metadata: name, categories, endpoint and application. Plan, drift and pull use them.

What flows.toml does not set is not compared. What Meta did not report (`ActualFlow.unreported`) never counts as
different, because an edit of a live flow un-publishes it.
"""

from __future__ import annotations

from typing import NamedTuple

from ..account import ActualFlow, generation_name
from ..desired import DesiredFlow


class MetadataChange(NamedTuple):
    """A difference: the field, the desired value, and the one at Meta, as strings."""

    field: str
    desired: str
    actual: str


def metadata_changes(desired: DesiredFlow, actual: ActualFlow) -> tuple[MetadataChange, ...]:
    """The differences, in a fixed order."""
    found = []
    name = target_name(desired, actual)
    if actual.source == "lock" and actual.name != name:  # a flow that was found by its name has that name
        found.append(MetadataChange("name", name, actual.name))
    if "categories" not in actual.unreported and set(desired.categories) != set(actual.categories):
        found.append(
            MetadataChange("categories", ", ".join(desired.categories), ", ".join(actual.categories) or "none")
        )
    if "endpoint_uri" not in actual.unreported and desired.endpoint_uri not in {None, actual.endpoint_uri}:
        found.append(MetadataChange("endpoint", str(desired.endpoint_uri), actual.endpoint_uri or "none"))
    if actual.application_id is not None and desired.application_id not in {None, actual.application_id}:
        found.append(MetadataChange("application", str(desired.application_id), actual.application_id))
    return tuple(found)


def target_name(desired: DesiredFlow, actual: ActualFlow) -> str:
    """The name that the flow should have at Meta: that of the table, or of its generation."""
    return generation_name(desired.name, actual.generation)
