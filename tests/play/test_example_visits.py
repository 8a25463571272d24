"""The seven example Flows, each played by a person from the first screen to the message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from whatsapp_flows.play import FlowPlayer, NotTappable

PERSON = {"full_name": "Ada Obi", "site_address": "1 Marina Road"}
ONCE = {"contact_consent": True}
# Flow -> screen -> what is entered there: a text, the title of an option, titles in a list, True for an OptIn.
VISITS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "custom_furniture_installation": {
        "PIECE": {"piece": "Wardrobe"},
        "SIZE": {"width_cm": 180, "height_cm": 240, "depth_cm": 60},
        "STYLE": {"materials": ["Oak", "Pine"], "finish": "Natural oil"},
        "VISIT": {"visit_date": "2026-12-07", **PERSON, "room_photos": (b"a photo",), **ONCE},
    },
    "hybrid_installation": {
        "SOURCES": {"sources": ["The grid", "A generator"], "goal": "No more outages"},
        "DEMAND": {"outage_hours": "Up to 4 hours", "monthly_kwh": 350},
        "STORAGE": {"backup_hours": "8 hours", "generator": "No generator"},
        "BOOKING": {"visit_date": "2026-12-07", **PERSON, **ONCE},
    },
    "loan_application": {
        "ABOUT": {},
        "LOAN": {"purpose": "Solar installation", "amount": 5000, "term": "12 months"},
        "APPLICANT": {"full_name": "Ada Obi", "birth_date": "1990-05-06"},
        "INCOME": {"work": "Employee", "income": 2000, "debts": 0},
        "SUBMIT": {"answers_true": True, "credit_check": True},
    },
    "site_assessment": {
        "PROJECT": {"services": ["Solar power"]},
        "SITE": {"site_type": "Home", "floors": 2},
        "POWER": {"grid_supply": "Single-phase"},
        "ACCESS": {"site_address": "1 Marina Road", "access": ["Entry permit needed"]},
        "BOOKING": {"visit_date": "2026-12-07", "contact_name": "Ada Obi", "site_photos": (b"one", b"two")},
    },
    "solar_installation": {
        "WELCOME": {},
        "PROPERTY": {"property": "House or apartment"},
        "ROOF": {"roof": "Metal sheets", "shade": "Full sun all day"},
        "ENERGY": {"monthly_bill": 120},
        "SYSTEM": {"goal": "Power during outages", "loads": ["Lights and sockets", "Water pump"]},
        "VISIT": {"visit_date": "2026-12-07", "visit_slot": "Morning, 8:00 to 12:00"},
        "CONFIRM": {**PERSON, **ONCE},
    },
    "solar_panel_cleaning": {
        "PANELS": {"panel_count": 12, "panel_place": "On the ground or a carport"},
        "CONDITION": {"soiling": ["Dust or sand"], "damage": "No"},
        "SERVICE": {"plan": "Once", "extras": ["Inverter check"]},
        "BOOKING": {"visit_date": "2026-12-07", "visit_slot": "Afternoon, 13:00 to 17:00", **PERSON},
    },
    "starlink_installation": {
        "SITE": {"site_type": "Home"},
        "KIT": {"kit": "Yes, it is here"},
        "DISH": {"mount": "On the roof", "sky_view": "Open in all directions"},
        "NETWORK": {"users": 5, "wifi_areas": ["Indoors", "A second building"]},
        "BOOKING": {"install_date": "2026-12-07", **PERSON, **ONCE},
    },
}


def enter(player: FlowPlayer, name: str, value: Any) -> Any:
    """Enters a value; what the message is to hold for it."""
    if value is True:
        player.check(name)
    elif isinstance(value, tuple):
        player.attach(name, *value)
        return len(value)
    elif player.field(name).kind in {"TextInput", "TextArea", "DatePicker", "CalendarPicker"}:
        player.fill({name: value})
        return str(value)
    else:
        ids = {title: option for option, title in player.offered(name).items()}
        player.choose(name, value)
        return [ids[each] for each in value] if isinstance(value, list) else ids[value]
    return value


@pytest.mark.parametrize("name", VISITS)
def test_a_visit(name: str, play_flow: Callable[..., FlowPlayer]) -> None:
    """What is entered is what the message holds; a screen with fields cannot be left before."""
    player = play_flow(f"examples/flows/{name}.json", today=date(2026, 11, 30))
    expected: dict[str, Any] = {"flow_token": "test"}
    for screen, fields in VISITS[name].items():
        assert player.screen == screen
        if fields:
            with pytest.raises(NotTappable, match="disabled"):
                player.tap()
        for field, value in fields.items():
            expected[field] = enter(player, field, value)
        assert player.errors == {}
        player.tap()
    assert player.completed is not None
    files = {key: len(value) for key, value in player.completed.items() if key.endswith("_photos")}
    assert {**player.completed, **files} == expected
