"""The Flow of the browser tests: every component, in every version that has it, and nothing that a version refuses."""

from __future__ import annotations

import pytest

from tests.preview.sample_flows import RELEASED, exists, gallery, kinds
from whatsapp_flows.flow_json import validate
from whatsapp_flows.flow_json.schema import COMPONENTS

ACTIVE_THEN = "INVALID_FLOW_JSON_VERSION"  # an old version is complete, and can no longer be uploaded


@pytest.mark.parametrize("version", RELEASED)
def test_the_gallery_is_valid_in_each_version(version: str) -> None:
    """No error but that an old version is frozen."""
    errors = validate(gallery(version)).errors
    assert [error for error in errors if error.error != ACTIVE_THEN] == []


@pytest.mark.parametrize("version", RELEASED)
def test_the_gallery_has_every_component_of_each_version(version: str) -> None:
    """What the table of components has for the version."""
    expected = {shape.name for shape in COMPONENTS if exists(shape.name, version)}
    assert kinds(gallery(version)) >= expected
