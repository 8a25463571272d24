"""The rooms of flow_json: each builds on those before it, and gives others what its face lists."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.houses import the_house

pytestmark = [pytest.mark.unmeasured, pytest.mark.xdist_group("layers")]

PACKAGE = "whatsapp_flows.flow_json"
ROOMS = ("text", "language", "schema", "rules")


def room_of(module: str) -> int:
    """The position of a module's room in the order; what is at the top of flow_json comes last."""
    first = module.removeprefix(PACKAGE).lstrip(".").partition(".")[0]
    return ROOMS.index(first) if first in ROOMS else len(ROOMS)


def test_rooms_import_from_earlier_ones() -> None:
    """text, language, schema, rules, top: no module imports from a later room."""
    house = the_house()
    climbing = [
        (name, target)
        for name, targets in house.graph.items()
        if name.startswith(PACKAGE)
        for target in targets
        if target.startswith(PACKAGE) and room_of(target) > room_of(name)
    ]
    assert climbing == []


@pytest.mark.parametrize("name", [PACKAGE, *(f"{PACKAGE}.{room}" for room in ROOMS)])
def test_a_face_gives_what_it_lists(name: str) -> None:
    """Every name of `__all__` can be imported, and no other name is there by way of laziness."""
    face = import_module(name)
    assert [each for each in face.__all__ if getattr(face, each, None) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = face.nothing
