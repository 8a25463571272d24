"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.leftovers import Leftovers
from tests.outside import ROOT, allowed_roots, forbid_outside

# A busy machine is no failure: what is slow is measured in benchmarks/, and no test asks the clock.
settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")

# Its cache, which it takes seconds to make, would be in the home of whoever runs the tests.
os.environ.setdefault("MPLCONFIGDIR", str(ROOT / ".cache" / "matplotlib"))


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is read outside the repository, and nothing is left behind."""
    base = config.option.basetemp
    leftovers = Leftovers(forbid_outside(allowed_roots(*([base] if base else []))))
    config.pluginmanager.register(leftovers, "leftovers")
