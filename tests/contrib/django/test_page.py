"""The Python blocks of docs/django.md run, and the test that the page shows passes."""

from __future__ import annotations

import re
import unittest
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.test import TestCase

from whatsapp_flows.contrib.django.admin import WhatsAppFlowAdmin
from whatsapp_flows.contrib.django.models import WhatsAppFlow

PAGE = Path(__file__).parents[3] / "docs" / "django.md"


def test_the_python_blocks_of_the_page_run(configured: dict[str, Any]) -> None:
    """In order and in one namespace; the admin of the page takes the place of the app's own, which comes back."""
    names: dict[str, Any] = {"__name__": "documentation"}
    try:
        for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S), 1):
            exec(compile(block, f"django.md, block {number}", "exec"), names)
        assert type(admin.site._registry[WhatsAppFlow]) is names["QueuedAdmin"]
    finally:
        admin.site.unregister(WhatsAppFlow)
        admin.site.register(WhatsAppFlow, WhatsAppFlowAdmin)
    case: type[TestCase] = names["SyncTest"]
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])
