"""
The flows of the CRM: a list of dictionaries, which `WHATSAPP_FLOWS["FLOWS"]` names.

Here the Flow JSONs are read from the files in examples/flows. They might as well stand here as Python dictionaries.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILES = Path(__file__).resolve().parents[2] / "flows"


def flow_json(name: str) -> dict[str, Any]:
    """The Flow JSON of one file."""
    document: dict[str, Any] = json.loads((FILES / f"{name}.json").read_text(encoding="utf-8"))
    return document


def flow(name: str, friendly_name: str, category: str, description: str) -> dict[str, Any]:
    """One row of the table below."""
    return {
        "name": name,
        "friendly_name": friendly_name,
        "description": description,
        "categories": [category],
        "flow_json": flow_json(name),
    }


FLOWS = [
    flow("solar_installation", "Solar Installation Request", "LEAD_GENERATION", "A quote for solar panels."),
    flow("starlink_installation", "Starlink Installation Booking", "APPOINTMENT_BOOKING", "A date for the dish."),
    flow("solar_panel_cleaning", "Solar Panel Cleaning Booking", "APPOINTMENT_BOOKING", "A date for the cleaners."),
    flow("site_assessment", "Site Assessment Booking", "APPOINTMENT_BOOKING", "A date for the surveyor."),
    flow("loan_application", "Installation Loan Application", "OTHER", "A loan for an installation."),
    flow("hybrid_installation", "Hybrid Installation Request", "LEAD_GENERATION", "A quote for panels and battery."),
    flow("custom_furniture_installation", "Custom Furniture Request", "LEAD_GENERATION", "A quote for furniture."),
]
