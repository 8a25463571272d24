"""What can go wrong when a Flow is built."""

from __future__ import annotations

from ..errors import ConfigurationError


class FlowBuildError(ConfigurationError):
    """What was written in Python has no form in Flow JSON. The message names the remedy."""
