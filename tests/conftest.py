"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure: what is slow is measured in benchmarks/, and no test asks the clock.
settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")
