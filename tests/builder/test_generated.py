"""The classes are those of the tables."""

from __future__ import annotations

import inspect

import pytest

from tools.make_builder import ITEM_CLASSES, SENTENCES, TARGET, module
from whatsapp_flows import builder
from whatsapp_flows.flow_json import COMPONENTS, ITEMS


def test_the_module_is_what_the_tables_give() -> None:
    """Generated again, it is the same: `make generate` writes it."""
    pytest.importorskip("ruff", reason="ruff lays the module out")
    assert TARGET.read_text("utf-8") == module()


def test_every_component_and_item_has_a_class_with_all_its_properties() -> None:
    """By the names of the tables, with underscores."""
    shapes = {shape.name: shape for shape in COMPONENTS} | {name: ITEMS[shape] for shape, name in ITEM_CLASSES.items()}
    assert set(shapes) == set(SENTENCES)
    for name, shape in shapes.items():
        arguments = {each.rstrip("_") for each in inspect.signature(getattr(builder, name)).parameters}
        assert arguments == {row.name.replace("-", "_") for row in shape.properties}, name


def test_every_property_is_documented() -> None:
    """With its limits and the version that brought it."""
    documentation = inspect.getdoc(builder.TextInput) or ""
    assert "- `label`: a text; 20 characters are shown; required." in documentation
    assert "- `pattern`: a text; since 6.2." in documentation
    for shape in COMPONENTS:
        found = inspect.getdoc(getattr(builder, shape.name)) or ""
        assert all(f"`{row.name.replace('-', '_')}" in found for row in shape.properties), shape.name
